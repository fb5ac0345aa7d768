/** The operator's view of duties: what we owe, what is owed to us, how it stands, and what a person can do about it. */
import { ok, problem, type Result } from '../core/result.js'
import { type EpochMs, iso, type JsonObject, type Role, type Text } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import type { DutyState, Statement } from '../domain/duty.js'
import { demandWords } from '../policy/action-words.js'
import { conceptWords } from '../policy/concept-words.js'
import { durationWords, momentWords } from '../policy/words.js'
import {
  accountOf,
  allDuties,
  coveredUntil,
  type Duty,
  type DutyAccount,
  dutiesUnder,
  findDuty,
  signsAsWeDo,
} from './duties.js'
import {
  declare,
  entryLines,
  loggedDays,
  reportUse,
  type StatementDeps,
  writeDown,
} from './duty-statements.js'
import { dutyNote } from './duty-words.js'
import { compact, time } from './operator-view.js'

export type DutyView = {
  readonly id: string
  readonly contract: string
  readonly role: Role
  /** Whose duty it is. */
  readonly whose: 'ours' | 'theirs'
  readonly partner: string
  readonly partnerName: string
  readonly dataset: string
  readonly path: string
  readonly kind: 'delete' | 'log' | 'inform' | 'other'
  readonly words: Text
  readonly state: DutyState
  readonly dueAt?: string
  /** When the oldest data came, or was handed over, that is not settled yet. */
  readonly outstandingSince?: string
  /** What happens by itself, what a person has to do, and what nobody here can know. */
  readonly note: Text
  /** Of the latest statement about it. */
  readonly lastStatementAt?: string
  /** Why the connector could not delete. */
  readonly failing?: Text
}

export type StatementView = {
  readonly id: string
  readonly kind: Statement['kind']
  readonly direction: Statement['direction']
  readonly at: string
  readonly until?: string
  readonly delivery?: NonNullable<Statement['delivery']>
  readonly deliveryReason?: string
  readonly content: JsonObject
  readonly jws?: string
  readonly proof?: JsonObject
}

export type DutyDetail = DutyView & {
  readonly statements: readonly StatementView[]
  /** The log of use by calendar day, UTC; of duties to log only. */
  readonly log?: readonly JsonObject[]
  /** Its latest deliveries, each as the line that the digest of a report covers. */
  readonly entries?: readonly string[]
}

export type DutyOperationDeps = StatementDeps & {
  /** Why data under the contract could not be deleted the last time. */
  readonly deletionFault?: (agreementId: string) => Text | undefined
}

const SHOWN = 200
const MAX_ENTRIES = 10_000
const MAX_TEXT = 4000

export function dutyOperations(deps: DutyOperationDeps) {
  const view = (duty: Duty, account: DutyAccount = accountOf(deps, duty)): DutyView => {
    const { agreement, demand, id } = duty
    const { state, dueAt, outstanding, latest } = account
    const oldest = outstanding.map(({ from }) => from).reduce<EpochMs | undefined>(earlier, undefined)
    const failing = agreement.role === 'consumer' ? deps.deletionFault?.(agreement.id) : undefined
    return compact({
      id,
      contract: agreement.id,
      role: agreement.role,
      whose: agreement.role === 'consumer' ? ('ours' as const) : ('theirs' as const),
      partner: agreement.partner,
      partnerName: deps.store.partner(agreement.partner)?.name ?? agreement.partner,
      dataset: agreement.datasetId,
      path: demand.path,
      kind: demand.kind,
      words: wordsOf(duty),
      state,
      dueAt: time(dueAt),
      outstandingSince: time(oldest),
      note: dutyNote(duty, account),
      lastStatementAt: time(latest.at(-1)?.at),
      failing,
    })
  }

  const said = (given: string): Result<string> => {
    const text = given.trim()
    if (text === '')
      return problem('InvalidInput', {
        en: 'Words are missing: what is stated has to be said.',
        de: 'Die Worte fehlen: Was erklärt wird, muss gesagt werden.',
      })
    return text.length > MAX_TEXT
      ? problem('InvalidInput', {
          en: `The text is longer than ${MAX_TEXT} characters.`,
          de: `Der Text ist länger als ${MAX_TEXT} Zeichen.`,
        })
      : ok(text)
  }

  const act = async (
    id: string,
    given: string,
    work: (duty: Duty, text: string, account: DutyAccount) => Promise<Result<unknown>>,
  ): Promise<Result<DutyView>> => {
    const found = findDuty(deps, id)
    if (!found.ok) return found
    const text = said(given)
    if (!text.ok) return text
    const account = accountOf(deps, found.value)
    if (account.state === 'waived')
      return problem('InvalidTransition', {
        en: 'This duty was waived: nothing is owed any more.',
        de: 'Auf diese Pflicht wurde verzichtet: Es ist nichts mehr zu tun.',
      })
    const done = await work(found.value, text.value, account)
    return done.ok ? ok(view(found.value)) : done
  }

  return {
    list: (): { readonly duties: readonly DutyView[] } => ({
      duties: allDuties(deps).map((duty) => view(duty)),
    }),

    under: (agreement: Agreement): readonly DutyView[] => dutiesUnder(agreement).map((duty) => view(duty)),

    show(id: string): Result<DutyDetail> {
      const found = findDuty(deps, id)
      if (!found.ok) return found
      const { agreement, demand } = found.value
      const statements = deps.store
        .statements(agreement.id, agreement.role, SHOWN)
        .filter(({ path }) => path === demand.path)
      return ok({
        ...view(found.value),
        statements: statements.map(statementView),
        ...(demand.kind === 'log' ? logOf(deps, agreement) : {}),
      })
    },

    /** Consumer: a person states that it is done. Provider: a confirmation that came by another way is written down. */
    confirm: (id: string, statement: string, by: string): Promise<Result<DutyView>> =>
      act(id, statement, async (duty, text, account) => {
        const { agreement, demand } = duty
        if (demand.kind === 'inform' || demand.kind === 'log') {
          return problem('InvalidTransition', {
            en: 'This duty is kept by reporting. Use: handschlag duty report',
            de: 'Diese Pflicht wird durch Melden erfüllt. Verwenden Sie: handschlag duty report',
          })
        }
        const all = deps.store.arrivals(agreement.id, agreement.role)
        const ours = agreement.role === 'consumer' && demand.kind === 'delete'
        // What lies in our own files goes by itself; a person answers for everything else.
        const left = ours ? account.outstanding.filter(({ own }) => own) : []
        const gone = ours ? account.outstanding.filter(({ own }) => !own).map(({ seq }) => ({ seq })) : []
        // A signed word that data is gone which verifiably lies here would be worth less than none.
        if (left.length > 0 && gone.length === 0) {
          return problem('InvalidTransition', {
            en: 'What is left of the data lies in the folder for received data. The connector deletes it by itself when it is due, and tells the partner then.',
            de: 'Was von den Daten noch da ist, liegt im Ordner für empfangene Daten. Der Connector löscht es selbst, wenn es fällig ist, und meldet es dann dem Partner.',
          })
        }
        const until = left.length > 0 ? coveredUntil(all, left) : deps.clock()
        const covers = until === undefined ? {} : { until }
        const kind = demand.kind === 'delete' ? 'deletion' : 'done'
        await (agreement.role === 'consumer'
          ? declare(deps, duty, { kind, ...covers, by: 'person', text }, { who: by, gone })
          : writeDown(deps, duty, { kind, ...covers, text }, by))
        return ok(undefined)
      }),

    /** Consumer: tells of an event, or reports the log of use. */
    report: (id: string, text: string, event: string | undefined, by: string): Promise<Result<DutyView>> =>
      act(id, text, async (duty, words) => {
        const { agreement, demand } = duty
        if (agreement.role !== 'consumer') {
          return problem('InvalidTransition', {
            en: 'This is a duty of the partner. Remind it: handschlag duty remind',
            de: 'Das ist eine Pflicht des Partners. Erinnern Sie ihn: handschlag duty remind',
          })
        }
        if (demand.kind === 'inform') {
          const what = event ?? demand.event
          const named = what === undefined ? {} : { event: what }
          await declare(deps, duty, { kind: 'incident', by: 'person', text: words, ...named }, { who: by })
          return ok(undefined)
        }
        if (demand.kind !== 'log') {
          return problem('InvalidTransition', {
            en: 'There is nothing to report about this duty. Use: handschlag duty confirm',
            de: 'Über diese Pflicht gibt es nichts zu melden. Verwenden Sie: handschlag duty confirm',
          })
        }
        const told = await reportUse(deps, duty, { text: words, who: by })
        if (told === undefined) {
          return problem('InvalidTransition', {
            en: 'Nothing was received since the last report.',
            de: 'Seit dem letzten Bericht ist nichts eingegangen.',
          })
        }
        return ok(undefined)
      }),

    /** Provider: asks the partner for what it owes. */
    remind: (id: string, text: string, by: string): Promise<Result<DutyView>> =>
      act(id, text, async (duty, words) => {
        if (duty.agreement.role !== 'provider') {
          return problem('InvalidTransition', {
            en: 'This is our own duty; only the partner can be reminded.',
            de: 'Das ist unsere eigene Pflicht; erinnern kann man nur den Partner.',
          })
        }
        if (!signsAsWeDo(duty.agreement)) {
          return problem('InvalidTransition', {
            en: "The partner's connector takes no reminders. Ask for a signed confirmation by letter or mail, and write it down: handschlag duty confirm",
            de: 'Der Connector des Partners nimmt keine Erinnerungen an. Verlangen Sie eine unterschriebene Bestätigung per Brief oder E-Mail, und halten Sie sie fest: handschlag duty confirm',
          })
        }
        await declare(deps, duty, { kind: 'reminder', by: 'person', text: words }, { who: by })
        return ok(undefined)
      }),

    /** Provider: the partner owes this no longer. */
    waive: (id: string, reason: string, by: string): Promise<Result<DutyView>> =>
      act(id, reason, async (duty, text) => {
        if (duty.agreement.role !== 'provider') {
          return problem('InvalidTransition', {
            en: 'Only the provider can waive a duty.',
            de: 'Nur der Anbieter kann auf eine Pflicht verzichten.',
          })
        }
        await (signsAsWeDo(duty.agreement)
          ? declare(deps, duty, { kind: 'waiver', by: 'person', text }, { who: by })
          : writeDown(deps, duty, { kind: 'waiver', text }, by))
        return ok(undefined)
      }),
  }
}

export type DutyOperations = ReturnType<typeof dutyOperations>

const earlier = (a: EpochMs | undefined, b: EpochMs): EpochMs => (a === undefined || b < a ? b : a)

const logOf = ({ store, clock }: StatementDeps, agreement: Agreement) => ({
  log: loggedDays(store, agreement),
  entries: entryLines(store, agreement, 0 as EpochMs, clock()).slice(-MAX_ENTRIES),
})

const statementView = (s: Statement): StatementView =>
  compact({
    id: s.id,
    kind: s.kind,
    direction: s.direction,
    at: iso(s.at),
    until: time(s.until),
    delivery: s.delivery,
    deliveryReason: s.deliveryReason,
    content: s.content,
    jws: s.jws,
    proof: s.proof,
  })

/** "delete the data at the latest 90 days after they came" */
function wordsOf({ demand }: Duty): Text {
  const { en, de } = demandWords('obligation', demand.action)
  const base = { en: en.replace(/^must /, ''), de: de.replace(/ muss$/, '') }
  if (demand.kind === 'inform' && demand.event !== undefined) {
    const what = conceptWords(undefined, demand.event)
    return { en: `${base.en}: ${what?.en ?? demand.event}`, de: `${base.de}: ${what?.de ?? demand.event}` }
  }
  if (demand.kind === 'log' && demand.level !== undefined) {
    const how = conceptWords(undefined, demand.level)
    return { en: `${base.en}, ${how?.en ?? demand.level}`, de: `${base.de}, ${how?.de ?? demand.level}` }
  }
  if (!('limits' in demand) || demand.limits === undefined) return base
  const { retention, until } = demand.limits
  const parts = [
    ...(retention === undefined
      ? []
      : [
          {
            en: `at the latest ${durationWords(retention).en} after it came`,
            de: `spätestens ${durationWords(retention).de} nach dem Empfang`,
          },
        ]),
    ...(until === undefined
      ? []
      : [{ en: `by ${momentWords(until).en}`, de: `bis zum ${momentWords(until).de}` }]),
  ]
  if (parts.length === 0) parts.push({ en: 'at the end of the contract', de: 'am Ende des Vertrags' })
  return {
    en: `${base.en} ${parts.map(({ en: part }) => part).join(' and ')}`,
    de: `${base.de}, ${parts.map(({ de: part }) => part).join(' und ')}`,
  }
}
