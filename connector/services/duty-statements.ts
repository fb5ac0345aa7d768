/**
 * What the two sides declare to each other about duties: made, signed and owed here, checked and stored there. A statement
 * is sent only to a partner that signed the contract as we do; whether its connector takes one, its DID document says.
 */
import { canonicalize, sha256Hex } from '../core/canonical.js'
import type { Log } from '../core/log.js'
import { ok, type Problem, type ProblemCode, problem, type Result } from '../core/result.js'
import { type EpochMs, iso, type JsonObject, type ParticipantId, type Role } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import type { Settled, Statement, StatementKind } from '../domain/duty.js'
import type { Owed } from '../domain/step.js'
import { parseInstant } from '../policy/instant.js'
import { MDP } from '../policy/model.js'
import type { Store } from '../store/store.js'
import { type Duty, dutiesUnder, type LedgerDeps, SKEW_MS, signsAsWeDo } from './duties.js'

/** Event of the owed message that carries a statement; its url is the statement's own id. */
export const STATEMENT_EVENT = 'duty statement'

const TYPE = `${MDP}DutyStatement`
const VERSION = '1'
/** Notices, confirmations, reminders and waivers of a partner under one contract. */
const MAX_STATEMENTS = 1000

/** Signs and checks; see crypto/duty-statement.ts for the format. */
export interface StatementSeals {
  sign(content: JsonObject): string
  /** What is declared, before anything of it may be believed. */
  read(jws: string): Result<JsonObject>
  /** Checks the signature with the signer's published seal key. */
  verify(jws: string, signer: ParticipantId): Promise<Result<void>>
}

export type StatementDeps = LedgerDeps & {
  readonly log: Log
  readonly ownDid: ParticipantId
  readonly newStatementId: () => string
  readonly statementSeals: StatementSeals
}

/** Who declares what. */
const FROM: Readonly<Record<StatementKind, Role>> = {
  deletion: 'consumer',
  log: 'consumer',
  incident: 'consumer',
  done: 'consumer',
  reminder: 'provider',
  waiver: 'provider',
}

export type Said = {
  readonly kind: StatementKind
  readonly until?: EpochMs
  /** `connector`: done by the program; `person`: somebody says so. */
  readonly by: 'connector' | 'person'
  readonly text?: string
  readonly event?: string
  /** Numbers that the partner may know. */
  readonly data?: JsonObject
  /** Stays here; the statement has its digest. */
  readonly proof?: JsonObject
}

/** Signs what is said about a duty, stores it and owes it to the partner, all in one step. */
export async function declare(
  deps: StatementDeps,
  { agreement, demand }: Duty,
  said: Said,
  m: { readonly who: string; readonly gone?: readonly Settled[] },
): Promise<Statement> {
  const { store, clock, ownDid } = deps
  const at = clock()
  const id = deps.newStatementId()
  const { kind, until, by, text, event, data, proof } = said
  const content: JsonObject = {
    '@type': TYPE,
    version: VERSION,
    id,
    kind,
    agreement: agreement.id,
    agreementHash: agreement.hash,
    duty: demand.path,
    action: demand.action,
    issuer: ownDid,
    audience: agreement.partner,
    at: iso(at),
    by,
    ...(until === undefined ? {} : { until: iso(until) }),
    ...(text === undefined ? {} : { text }),
    ...(event === undefined ? {} : { event }),
    ...(data === undefined ? {} : { data }),
    ...(proof === undefined ? {} : { proof: sha256Hex(canonicalize(proof)) }),
  }
  const sent = signsAsWeDo(agreement)
  const statement: Statement = {
    id,
    agreementId: agreement.id,
    role: agreement.role,
    partner: agreement.partner,
    path: demand.path,
    kind,
    direction: 'out',
    at,
    ...(until === undefined ? {} : { until }),
    content,
    jws: deps.statementSeals.sign(content),
    ...(proof === undefined ? {} : { proof }),
    delivery: sent ? 'owed' : 'contract only',
  }
  await store.putStatement({
    statement,
    ...(m.gone === undefined ? {} : { gone: m.gone }),
    ...(sent ? { owe: owing(statement, agreement) } : {}),
    audit: [audit(statement, m.who)],
  })
  return statement
}

/** Reports the log of use since the last report: the days before `until`, or everything. Nothing when there is nothing. */
export async function reportUse(
  deps: StatementDeps,
  duty: Duty,
  m: { readonly until?: EpochMs; readonly text?: string; readonly who: string },
): Promise<Statement | undefined> {
  const { store, clock } = deps
  const { id, role } = duty.agreement
  const before = store.latestStatements(id, role, duty.demand.path).find(({ kind }) => kind === 'log')?.until
  const until = m.until ?? clock()
  const log = loggedDays(store, duty.agreement).filter(
    ({ first, last }) => Date.parse(last) > (before ?? 0) && Date.parse(first) <= until,
  )
  if (log.length === 0) return undefined
  const sum = (key: 'batches' | 'records' | 'bytes'): number =>
    log.reduce((total, day) => total + day[key], 0)
  const totals = { batches: sum('batches'), records: sum('records'), bytes: sum('bytes') }
  // Days beyond two months are in the totals and in the proof.
  const entries = entryLines(store, duty.agreement, (before ?? 0) as EpochMs, until)
  const data: JsonObject = {
    days: log.length,
    ...totals,
    log: log.slice(-MAX_DAYS),
    entries: { count: entries.length, sha256: sha256Hex(entries.map((line) => `${line}\n`).join('')) },
  }
  const said = { kind: 'log', until, by: 'connector', data, proof: { log } } as const
  return declare(deps, duty, { ...said, ...(m.text === undefined ? {} : { text: m.text }) }, { who: m.who })
}

const MAX_DAYS = 62

/** Each delivery as a line of canonical JSON, as the digest in a report covers them. */
export const entryLines = (
  store: Store,
  { id, role }: Agreement,
  after: EpochMs,
  until: EpochMs,
): readonly string[] =>
  store
    .loggedEntries(id, role, after, until)
    .map(({ at, place, records, bytes }) => canonicalize({ at: iso(at), transfer: place, records, bytes }))

/** The log of use by calendar day, UTC, as it is shown and reported. */
export const loggedDays = (store: Store, { id, role }: Agreement) =>
  store.loggedUse(id, role).map(({ day, batches, records, bytes, first, last }) => ({
    day: iso((day * 86_400_000) as EpochMs).slice(0, 10),
    batches,
    records,
    bytes,
    first: iso(first),
    last: iso(last),
  }))

/** A confirmation that came by another way, or a waiver nobody can be told: written down by a person, signed by nobody. */
export async function writeDown(
  deps: StatementDeps,
  { agreement, demand }: Duty,
  said: Pick<Said, 'kind' | 'until' | 'text'>,
  who: string,
): Promise<Statement> {
  const at = deps.clock()
  const statement: Statement = {
    id: deps.newStatementId(),
    agreementId: agreement.id,
    role: agreement.role,
    partner: agreement.partner,
    path: demand.path,
    kind: said.kind,
    direction: 'own',
    at,
    ...(said.until === undefined ? {} : { until: said.until }),
    content: { kind: said.kind, at: iso(at), by: who, text: said.text ?? '' },
  }
  await deps.store.putStatement({ statement, audit: [audit(statement, who)] })
  return statement
}

const audit = ({ agreementId, at, kind, direction, path, id, content }: Statement, who?: string) => ({
  subject: agreementId,
  at,
  direction,
  event: `duty ${kind}`,
  detail: {
    duty: path,
    statement: id,
    ...(who === undefined ? {} : { by: who }),
    ...(typeof content.text === 'string' ? { reason: content.text } : {}),
  },
})

/** Faults of the way to the partner, which may be gone another day. */
const PASSING: readonly ProblemCode[] = ['PartnerUnreachable', 'PartnerCertificate', 'IdentityUnresolvable']

/** What could not be delivered for as long as the dispatcher tries is owed once more. */
export async function oweAgain(
  { store }: Pick<StatementDeps, 'store'>,
  { failedAt: _, deliveryReason: __, ...statement }: Statement,
  agreement: Agreement,
): Promise<void> {
  await store.putStatement({
    statement: { ...statement, delivery: 'owed' },
    owe: owing(statement, agreement),
  })
}

const owing = ({ id, jws = '' }: Statement, { negotiationPid: pid, partner }: Agreement) => ({
  pid,
  partner,
  event: STATEMENT_EVENT,
  url: id,
  body: JSON.stringify({ statement: jws }),
})

/** The dispatcher brought it to the partner, or never will. The negotiation in whose name it was owed is left alone. */
export async function statementSettled(
  deps: Pick<StatementDeps, 'store' | 'clock'>,
  owed: Owed,
  why?: Problem,
): Promise<Result<void>> {
  const statement = deps.store.ownStatement(owed.url)
  if (statement === undefined)
    return problem('NotFound', { en: 'There is no such statement.', de: 'Diese Erklärung gibt es nicht.' })
  await deps.store.putStatement({
    statement: {
      ...statement,
      delivery: why === undefined ? 'delivered' : 'failed',
      ...(why === undefined ? {} : { deliveryReason: why.message }),
      ...(why !== undefined && PASSING.includes(why.code) ? { failedAt: deps.clock() } : {}),
    },
    settles: owed.id,
    audit: [
      {
        subject: statement.agreementId,
        at: deps.clock(),
        direction: 'out',
        event: `duty ${statement.kind} ${why === undefined ? 'acknowledged' : 'failed'}`,
        detail: {
          duty: statement.path,
          statement: statement.id,
          attempts: owed.attempts + 1,
          ...(why === undefined ? {} : { code: why.code, reason: why.message }),
        },
      },
    ],
  })
  return ok(undefined)
}

/** Takes a statement of an authenticated partner. What is not about a contract with it does not exist for it. */
export async function receiveStatement(
  deps: StatementDeps,
  sender: ParticipantId,
  jws: string,
): Promise<Result<Statement>> {
  const { store, clock } = deps
  const read = deps.statementSeals.read(jws)
  if (!read.ok) return read
  const content = read.value
  const kind = kindOf(content.kind)
  if (content['@type'] !== TYPE || content.version !== VERSION || kind === undefined) {
    return problem('InvalidMessage', {
      en: `Only statements of the type ${TYPE}, version ${VERSION}, are understood.`,
      de: `Verstanden werden nur Erklärungen der Art ${TYPE}, Version ${VERSION}.`,
    })
  }
  const role: Role = FROM[kind] === 'consumer' ? 'provider' : 'consumer'
  const agreement = store.agreement(String(content.agreement), { partner: sender, role })
  if (agreement === undefined || agreement.status === 'pending') {
    return problem('NotFound', { en: 'There is no such contract.', de: 'Diesen Vertrag gibt es nicht.' })
  }
  const duty = dutiesUnder(agreement).find(({ demand }) => demand.path === content.duty)
  const fault = faultOf(deps, content, { sender, agreement, duty })
  if (fault !== undefined) return problem('InvalidMessage', fault)
  const id = String(content.id)
  const known = store.statement(sender, 'in', id)
  if (known !== undefined) {
    return known.jws === jws
      ? ok(known)
      : problem('InvalidMessage', {
          en: 'Another statement with this id was received before.',
          de: 'Eine andere Erklärung mit dieser Kennung wurde schon empfangen.',
        })
  }
  const isCounted = kind !== 'deletion' && kind !== 'log'
  if (isCounted && store.countStatements(sender, agreement.id, 'in') >= MAX_STATEMENTS) {
    return problem('TooManyRequests', {
      en: 'There are too many statements about this contract.',
      de: 'Zu diesem Vertrag gibt es zu viele Erklärungen.',
    })
  }
  const verified = await deps.statementSeals.verify(jws, sender)
  if (!verified.ok) return verified
  const until = typeof content.until === 'string' ? parseInstant(content.until) : undefined
  const statement: Statement = {
    id,
    agreementId: agreement.id,
    role,
    partner: sender,
    path: String(content.duty),
    kind,
    direction: 'in',
    at: clock(),
    ...(until === undefined ? {} : { until }),
    content,
    jws,
  }
  const settled =
    kind === 'deletion' && until !== undefined
      ? store
          .arrivals(agreement.id, role)
          .flatMap(({ seq, to, gone }) => (!gone && to <= until + SKEW_MS ? [{ seq }] : []))
      : []
  await store.putStatement({ statement, gone: settled, audit: [audit(statement)] })
  deps.log[kind === 'incident' || kind === 'reminder' ? 'warn' : 'info'](
    { from: sender, agreement: agreement.id, kind },
    'statement about a duty received',
  )
  return ok(statement)
}

const kindOf = (value: unknown): StatementKind | undefined =>
  (Object.keys(FROM) as readonly StatementKind[]).find((kind) => kind === value)

const ID = /^urn:uuid:[0-9a-f-]{36}$/
const MAX_TEXT = 4000

/** What is wrong with a statement that is about a contract with its sender. */
function faultOf(
  { clock, ownDid }: StatementDeps,
  content: JsonObject,
  m: {
    readonly sender: ParticipantId
    readonly agreement: Agreement
    readonly duty: Duty | undefined
  },
): string | undefined {
  if (content.issuer !== m.sender) return 'The issuer of the statement is not who sends it.'
  if (content.audience !== ownDid) return 'The statement is made for another participant.'
  if (content.agreementHash !== m.agreement.hash)
    return 'The statement is about another text of the contract.'
  if (m.duty === undefined || content.action !== m.duty.demand.action) return 'The contract has no such duty.'
  if (typeof content.id !== 'string' || !ID.test(content.id))
    return 'The statement needs a urn:uuid as its id.'
  if (typeof content.text === 'string' && content.text.length > MAX_TEXT)
    return 'The text of the statement is too long.'
  const at = typeof content.at === 'string' ? parseInstant(content.at) : undefined
  if (at === undefined || at > clock() + SKEW_MS)
    return 'The statement does not say when it was made, or is from the future.'
  if (content.until === undefined) return undefined
  const until = typeof content.until === 'string' ? parseInstant(content.until) : undefined
  return until === undefined || until > at
    ? 'The statement covers a time that had not passed when it was made.'
    : undefined
}
