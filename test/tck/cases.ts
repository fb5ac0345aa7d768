/**
 * The cases of the kit and what the connector under test is expected to do by itself in each: one table from which seeds,
 * properties of the kit, scripted decisions and the verdict are made.
 */

/** Our part in the case, and what the case is about. */
export type Group = 'MET' | 'CAT' | 'CN' | 'CN_C' | 'TP' | 'TP_C'

export type Move =
  | 'offer'
  | 'request'
  | 'accept'
  | 'agree'
  | 'verify'
  | 'finalize'
  | 'start'
  | 'suspend'
  | 'complete'
  | 'terminate'

/**
 * When the process enters the state, the message that is sent; a state without a step waits. `turn` tells visits of the same
 * state apart: it counts the state changes.
 */
export type ScriptStep = { readonly state: string; readonly turn?: number; readonly move: Move }

export type Case = {
  /** Such as `CN:01-02`. */
  readonly id: string
  readonly group: Group
  /** What the kit calls the thing the case is about: a dataset, or an agreement for transfers. */
  readonly key: string
  readonly script: readonly ScriptStep[]
  /** The kit has the case and never runs it. */
  readonly disabled: boolean
}

// biome-ignore format: a table reads best aligned
const SCRIPTS: { readonly [G in Group]: { readonly [number: string]: string } } = {
  MET: { '01-01': '' },
  CAT: { '01-01': '', '01-02': '', '01-03': '' },
  CN: {
    '01-01': 'REQUESTED offer',
    '01-02': 'REQUESTED@1 offer, REQUESTED@3 terminate',
    '01-03': 'REQUESTED offer, ACCEPTED agree, VERIFIED finalize',
    '01-04': 'REQUESTED agree, VERIFIED finalize',
    '02-01': 'REQUESTED terminate',
    '02-02': '',
    '02-03': 'REQUESTED agree',
    '02-04': 'REQUESTED offer',
    '02-05': 'REQUESTED offer, OFFERED terminate',
    '02-06': 'REQUESTED offer, ACCEPTED terminate',
    '02-07': 'REQUESTED agree, VERIFIED terminate',
    '03-01': 'REQUESTED agree, VERIFIED finalize',
    '03-02': 'REQUESTED offer',
    '03-03': 'REQUESTED offer',
    '03-04': 'REQUESTED@1 offer',
  },
  CN_C: {
    '01-01': 'OFFERED accept, AGREED verify',
    '01-02': 'OFFERED request',
    '01-03': 'OFFERED terminate',
    '01-04': 'AGREED verify',
    '02-01': '',
    '02-02': 'REQUESTED terminate',
    '02-03': 'AGREED terminate',
    '02-04': '',
    '02-05': 'OFFERED accept',
    '02-06': 'AGREED verify',
    '03-01': '',
    '03-02': '',
    '03-03': '',
    '03-04': 'OFFERED accept',
    '03-05': 'OFFERED accept',
    '03-06': 'OFFERED accept',
  },
  TP: {
    '01-01': 'REQUESTED start, STARTED terminate',
    '01-02': 'REQUESTED start, STARTED complete',
    '01-03': 'REQUESTED start, STARTED suspend, SUSPENDED terminate',
    '01-04': 'REQUESTED start, STARTED@2 suspend, SUSPENDED start, STARTED@4 complete',
    '01-05': 'REQUESTED terminate',
    '02-01': 'REQUESTED start',
    '02-02': 'REQUESTED start',
    '02-03': 'REQUESTED start',
    '02-04': 'REQUESTED start',
    '02-05': '',
    '03-01': '',
    '03-02': '',
    '03-03': 'REQUESTED start',
    '03-04': 'REQUESTED start',
    '03-05': 'REQUESTED start',
    '03-06': 'REQUESTED start',
  },
  TP_C: {
    '01-01': '',
    '01-02': '',
    '01-03': '',
    '01-04': '',
    '01-05': '',
    '02-01': 'STARTED terminate',
    '02-02': 'STARTED complete',
    '02-03': 'STARTED suspend, SUSPENDED terminate',
    '02-04': 'STARTED@2 suspend, SUSPENDED start, STARTED@4 complete',
    '02-05': 'REQUESTED terminate',
    '03-01': '',
    '03-02': '',
    '03-03': '',
    '03-04': '',
    '03-05': '',
    '03-06': '',
  },
}

const PREFIX: { readonly [G in Group]: string } = {
  MET: '',
  CAT: 'CAT',
  CN: 'ACN',
  CN_C: 'ACNC',
  TP: 'ATP',
  TP_C: 'ATPC',
}

const DISABLED: ReadonlySet<string> = new Set(['TP:02-04', 'TP_C:02-04'])

const parseScript = (text: string): readonly ScriptStep[] =>
  text === ''
    ? []
    : text.split(', ').map((step) => {
        const [where = '', move = ''] = step.split(' ')
        const [state = '', turn] = where.split('@')
        return { state, move: move as Move, ...(turn === undefined ? {} : { turn: Number(turn) }) }
      })

export const CASES: readonly Case[] = Object.entries(SCRIPTS).flatMap(([group, scripts]) =>
  Object.entries(scripts).map(([number, script]) => ({
    id: `${group}:${number}`,
    group: group as Group,
    key: PREFIX[group as Group] + number.replace('-', ''),
    script: parseScript(script),
    disabled: DISABLED.has(`${group}:${number}`),
  })),
)

/** The one dataset that must not exist. */
export const ABSENT = 'CAT0103'

/** One case names this form itself, so every offer of ours has it. */
export const offerIdOf = (datasetId: string): string => `CD123:${datasetId}:456`

export const FORMAT = 'HttpData-PULL'

/** Who the kit is. It says so itself, in its offers and agreements. */
export const KIT_ID = 'TCK_PARTICIPANT'
