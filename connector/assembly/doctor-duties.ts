/** The check of duties: what is overdue or soon due under contracts, ours and the partners'. */
import { whenWords } from '../cli/commands/when.js'
import type { Check } from '../cli/doctor.js'
import type { Text } from '../core/types.js'

export type DutiesAnswer = {
  readonly duties: readonly {
    readonly id: string
    readonly whose: 'ours' | 'theirs'
    readonly state: string
    readonly partner: string
    readonly partnerName: string
    readonly words: Text
    readonly dueAt?: string
    readonly failing?: Text
  }[]
}

type Duty = DutiesAnswer['duties'][number]

export function dutiesCheck(duties: DutiesAnswer['duties']): Check {
  const overdue = duties.filter(({ state }) => state === 'overdue')
  const soon = duties.filter(({ state, whose }) => state === 'due soon' && whose === 'ours')
  const late = overdue.length > 0 ? overdue : soon
  const ours = late.filter(({ whose }) => whose === 'ours')
  const theirs = late.filter(({ whose }) => whose === 'theirs')
  return {
    name: 'duties',
    run: async () =>
      late.length === 0
        ? {
            status: 'ok',
            what: {
              en: `${duties.length} under contracts, none overdue`,
              de: `${duties.length} aus Verträgen, keine überfällig`,
            },
          }
        : {
            status: 'warning',
            what: {
              en: `${late.length} ${overdue.length > 0 ? 'overdue' : 'due soon'}: ${late.map((duty) => told(duty, 'en')).join('; ')}`,
              de: `${late.length} ${overdue.length > 0 ? 'überfällig' : 'bald fällig'}: ${late.map((duty) => told(duty, 'de')).join('; ')}`,
            },
            impact: {
              en: `${ours.length > 0 ? 'A contract of yours is broken, or will be. ' : ''}${theirs.length > 0 ? 'Nobody has told you that the partner keeps its contract.' : ''}`.trim(),
              de: `${ours.length > 0 ? 'Sie verletzen einen Vertrag oder werden es bald tun. ' : ''}${theirs.length > 0 ? 'Niemand hat Ihnen gemeldet, dass der Partner seinen Vertrag einhält.' : ''}`.trim(),
            },
            fix: { en: fix(ours, theirs, 'en'), de: fix(ours, theirs, 'de') },
          },
  }
}

function told({ whose, partnerName, words, dueAt, failing }: Duty, lang: 'en' | 'de'): string {
  const who =
    lang === 'de'
      ? whose === 'ours'
        ? 'wir gegenüber'
        : 'der Partner'
      : whose === 'ours'
        ? 'we towards'
        : 'the partner'
  const due = dueAt === undefined ? '' : ` (${whenWords(dueAt, lang)})`
  return `${who} ${partnerName}: ${words[lang]}${due}${failing === undefined ? '' : `: ${failing[lang]}`}`
}

function fix(ours: readonly Duty[], theirs: readonly Duty[], lang: 'en' | 'de'): string {
  const show = ours.map(({ id }) => `handschlag duty show ${id}`)
  const remind = theirs.map(({ id }) => `handschlag duty remind ${id} --text "..."`)
  const manual = [
    ...new Set(theirs.map(({ partner }) => `handschlag partner set ${partner} --approval manual`)),
  ]
  const until =
    lang === 'de'
      ? 'Um neue Anfragen bis dahin selbst zu prüfen:'
      : 'To look at new requests yourself until then:'
  return [...show, ...remind, ...(manual.length === 0 ? [] : [`${until} ${manual.join('; ')}`])].join('; ')
}
