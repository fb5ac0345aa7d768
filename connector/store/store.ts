/**
 * What a store promises, whatever engine is behind it. `change` is the seam of the product: one atomic, durable step
 * on one process. Every promise below resolves only after what it wrote is durable.
 */
import type { Asked, Booking, Quota } from '../core/quota.js'
import type { Result, Said } from '../core/result.js'
import type { EpochMs, JsonObject, Pid, Role } from '../core/types.js'
import type { Agreement, StoredShape } from '../domain/agreement.js'
import type { Dataset, Offer, SourceConfig } from '../domain/dataset.js'
import type { Arrival, Counted, Settled, Statement } from '../domain/duty.js'
import type { Fact, FactEnd } from '../domain/fact.js'
import type { Negotiation } from '../domain/negotiation.js'
import type { Partner } from '../domain/partner.js'
import type { ProcessKind } from '../domain/process.js'
import type { AuditEntry, Owed, OwedMessage, Process, ProcessRef, Step } from '../domain/step.js'
import type { Transfer } from '../domain/transfer.js'

export type ProcessOf<Kind extends ProcessKind> = Kind extends 'negotiation' ? Negotiation : Transfer

export type ApiToken = {
  readonly name: string
  /** SHA-256 of the token, lower-case hex. */
  readonly hash: string
  readonly createdAt: EpochMs
}

/** A published dataset with those of its offers that somebody can possibly see, in order of id; at least one. */
export type Offered = { readonly dataset: Dataset; readonly offers: readonly Offer[] }

/** Who reads a catalog: a participant, and as one of many where it belongs to an audience that has a name of its own. */
export type Reader = { readonly recipient: string; readonly group?: string }

/** Finds out when an offer is stored who can possibly see it, so that nobody else's catalog has to look at it. */
export type AudienceRule = {
  /** Changes whenever the rule may answer otherwise for the same offer; then all offers are gone through again. */
  readonly version: string
  /** Participants, or the name of a group of them; undefined for anybody. Names too many rather than too few. */
  readonly of: (offer: Offer) => readonly string[] | undefined
}

/** Something came, or was handed over, under a contract with duties. */
export type ArrivalNote = {
  readonly agreementId: string
  readonly role: Role
  readonly place: string
  readonly at: EpochMs
  /** Counted at its place so far; without it `after` is what comes on top of everything noted before. */
  readonly before?: Counted
  readonly after: Counted
  readonly own: boolean
  /** What comes within this time belongs together. */
  readonly spanMs: number
  /** Each delivery is logged by itself, beside the sums of the day. */
  readonly each?: boolean
}

/** One calendar day, UTC, of the log of use. */
export type LoggedDay = Counted & {
  /** Days since 1970. */
  readonly day: number
  readonly batches: number
  readonly first: EpochMs
  readonly last: EpochMs
}

/** One delivery in the log of use. */
export type LoggedEntry = Counted & { readonly at: EpochMs; readonly place: string }

interface DutyStore {
  noteArrival(note: ArrivalNote): Promise<void>
  /** One step: what is said of the arrivals does not lie any more where this connector can delete it. */
  disown(m: { readonly arrivals: readonly Settled[]; readonly audit: AuditEntry }): Promise<void>
  /** In the order in which they came. */
  arrivals(agreementId: string, role: Role): readonly Arrival[]
  loggedUse(agreementId: string, role: Role): readonly LoggedDay[]
  /** Of the latest 100,000 deliveries those after the one time and up to the other, oldest first. */
  loggedEntries(agreementId: string, role: Role, after: EpochMs, until: EpochMs): readonly LoggedEntry[]
  /** Called after a commit that changed anything about duties, or ended a contract. Returns the unsubscribe function. */
  onDuty(listener: () => void): () => void
  /**
   * One step: the statement, the message that brings it to the partner, what is settled by it, and the audit entries. A
   * statement that is known by its partner, direction and id is replaced.
   */
  putStatement(m: {
    readonly statement: Statement
    readonly gone?: readonly Settled[]
    /** Owed in the name of this process, which is the negotiation of the contract. */
    readonly owe?: OwedMessage & { readonly pid: Pid; readonly partner: string }
    /** The owed message that this settles. */
    readonly settles?: number
    readonly audit?: readonly AuditEntry[]
  }): Promise<void>
  statement(partner: string, direction: Statement['direction'], id: string): Statement | undefined
  /** A statement of ours by its id. */
  ownStatement(id: string): Statement | undefined
  /** The latest of each kind and direction about one duty. */
  latestStatements(agreementId: string, role: Role, path: string): readonly Statement[]
  /** The latest `limit`, oldest first. */
  statements(agreementId: string, role: Role, limit?: number): readonly Statement[]
  /** Without receipts and reports, of which only the latest are kept. */
  countStatements(partner: string, agreementId: string, direction: Statement['direction']): number
}

export interface Store extends DutyStore, AsyncDisposable {
  /**
   * Writes a new process. When the partner's pid is already known for this kind, role and partner, nothing is written
   * and the existing process is the answer with `created: false`.
   */
  create<P extends Process>(step: Step<P>): Promise<{ readonly created: boolean; readonly process: P }>
  /** One atomic step on one process. `decide` is pure and runs inside the step. NotFound when it is not there or not the partner's. */
  change<Kind extends ProcessKind>(
    ref: ProcessRef<Kind>,
    decide: (current: ProcessOf<Kind>) => Result<Step<ProcessOf<Kind>>>,
  ): Promise<Result<ProcessOf<Kind>>>
  find<Kind extends ProcessKind>(ref: ProcessRef<Kind>): ProcessOf<Kind> | undefined
  findByPartnerPid<Kind extends ProcessKind>(
    kind: Kind,
    role: Role,
    partner: string,
    partnerPid: string,
  ): ProcessOf<Kind> | undefined
  list<Kind extends ProcessKind>(
    kind: Kind,
    filter?: { readonly state?: string; readonly limit?: number },
  ): readonly ProcessOf<Kind>[]
  /** Processes of that kind with the partner that have not ended, counted up to `most`. */
  countOpen(kind: ProcessKind, partner: string, most: number): number
  countByState(kind: ProcessKind): readonly { readonly state: string; readonly count: number }[]
  transfersUnder(agreementId: string, partner: string): readonly Transfer[]

  /**
   * Everything owed and due, oldest first, at most one message per process: the next one in order. Messages to the
   * partners in `except` and of the processes in `exceptPids` are left out.
   */
  due(
    now: EpochMs,
    limit: number,
    except?: readonly string[],
    exceptPids?: readonly string[],
  ): readonly Owed[]
  /** When the next message becomes due that is not due yet. */
  nextDue(now: EpochMs): EpochMs | undefined
  /** Messages owed for a process, oldest first. */
  owedFor(pid: string): readonly Owed[]
  owedCount(): { readonly count: number; readonly oldest?: EpochMs; readonly nextAttemptAt?: EpochMs }
  isOwed(id: number): boolean
  /**
   * The message was not delivered `at` that time. The history of its process keeps the first and the latest failed attempt
   * with their number, however long it is tried. A message that is not owed any more stays as it is.
   */
  attemptFailed(id: number, error: Said, nextAttemptAt: EpochMs, at: EpochMs): Promise<void>
  /** Makes everything owed for the process due now. */
  retryNow(pid: string, now: EpochMs): Promise<number>
  /** Called after a commit that added owed messages. */
  onOwed(listener: () => void): void
  /** Called for each process that a commit has created or changed, as it is now. Returns the unsubscribe function. */
  onProcess(listener: (process: Process) => void): () => void

  agreement(id: string, owner?: { readonly partner: string; readonly role: Role }): Agreement | undefined
  agreements(): readonly Agreement[]
  /** Of ours as provider those with the partner on the dataset that are not revoked. */
  agreementsOn(partner: string, datasetId: string): readonly Agreement[]
  /** Changes agreements outside a process step, such as a revocation. `decide` runs inside the step. */
  changeAgreement(
    id: string,
    decide: (
      current: Agreement,
    ) => Result<{ readonly next: Agreement; readonly audit?: readonly AuditEntry[] }>,
  ): Promise<Result<Agreement>>

  /** Of entries of one `series` about a subject the first and the latest are kept, with how many there were as `times`. */
  note(entry: AuditEntry, series?: string): Promise<void>
  /** The latest `limit` entries, oldest first. */
  audit(subject: string, limit?: number): readonly (AuditEntry & { readonly seq: number })[]

  /** Records a fact with the entry of its history. It counts once the promise resolves. */
  addFact(fact: Fact, audit: AuditEntry): Promise<void>
  /**
   * Ends a fact. It counts for nothing from this call on, before its end is durable and even when that cannot be written.
   * NotFound, or InvalidTransition for one that has ended.
   */
  endFact(id: string, end: FactEnd, audit: AuditEntry): Promise<Result<Fact>>
  fact(id: string): Fact | undefined
  /** The latest `limit`, newest first; those that have ended only with `ended`. */
  facts(m: { readonly limit: number; readonly ended?: boolean }): readonly Fact[]
  /** All facts that ever said this, ended or not. */
  factsOfValue(operand: string, value: string): readonly Fact[]
  /** Facts that have not been ended and are about this participant or about none. Looks at no time. */
  standingFacts(partner: string): readonly Fact[]
  /** Called when a fact has been recorded, and when one is being ended. Returns the unsubscribe function. */
  onFacts(listener: () => void): () => void

  putPartner(partner: Partner): Promise<void>
  /** Changes what is known of a partner as it stands inside the step; undefined when there is no such partner. */
  changePartner(did: string, decide: (current: Partner) => Partner): Promise<Partner | undefined>
  partner(did: string): Partner | undefined
  /** The partner that identifies itself by a token with this hash; at most one. */
  partnerByToken(tokenHash: string): Partner | undefined
  partners(): readonly Partner[]
  removePartner(did: string): Promise<boolean>

  putDataset(dataset: Dataset): Promise<void>
  dataset(id: string): Dataset | undefined
  datasets(): readonly Dataset[]
  removeDataset(id: string): Promise<boolean>
  putSource(source: SourceConfig): Promise<void>
  source(id: string): SourceConfig | undefined
  sources(): readonly SourceConfig[]
  removeSource(id: string): Promise<boolean>
  putOffer(offer: Offer): Promise<void>
  offer(id: string): Offer | undefined
  offersOf(datasetId: string): readonly Offer[]
  removeOffer(id: string): Promise<boolean>
  /**
   * What a reader can possibly see of a dataset: undefined when it is not published or has nothing for it. Whether
   * the offers are really for it, their policies say.
   */
  offered(reader: Reader, datasetId: string): Offered | undefined
  /** The same of the datasets after `afterId`, in order of id. */
  offeredAfter(reader: Reader, afterId: string, limit: number): readonly Offered[]
  /** The same of the last datasets before `beforeId`, the nearest first. */
  offeredBefore(reader: Reader, beforeId: string, limit: number): readonly Offered[]

  /** Content-addressed: the document under a hash is always the same. */
  putShape(shape: StoredShape): Promise<void>
  shape(hash: string): StoredShape | undefined
  shapes(): readonly StoredShape[]
  removeShape(hash: string): Promise<boolean>

  /** Books what is asked for against the quota; answers how much was granted. */
  book(agreementId: string, asked: Asked, quota: Quota): Promise<Booking>
  booked(agreementId: string): number

  /** How far the push of a transfer has come, in the data plane's own words, and the bytes that are on their way. */
  pushOf(pid: string): { readonly state: JsonObject; readonly body?: Uint8Array } | undefined
  putPush(pid: string, state: JsonObject, body?: Uint8Array): Promise<void>
  /**
   * Books like `book`, or grants everything when there is no quota, and writes in the same step what `write` makes of it:
   * what is booked is on its way, and nothing else is.
   */
  bookPush(
    pid: string,
    m: {
      readonly agreementId: string
      readonly asked: Asked
      readonly quota?: Quota
      /** Runs inside the step, only when something was granted. */
      readonly write: (granted: number) => { readonly state: JsonObject; readonly body?: Uint8Array }
    },
  ): Promise<Booking>

  /** Remembers used token ids; durable together with the next commit, without waiting for it. */
  rememberToken(jti: string, expiresAt: EpochMs): void
  rememberedTokens(now: EpochMs): readonly { readonly jti: string; readonly expiresAt: EpochMs }[]

  putApiToken(token: ApiToken): Promise<void>
  apiTokens(): readonly ApiToken[]
  removeApiToken(name: string): Promise<boolean>

  /** False once the store has been closed. */
  isOpen(): boolean
  /** Why the latest write failed although there was nothing wrong with it, such as a full disk; undefined while writing works. */
  writeFault(): string | undefined
  /** Schema version, and the verdict of a full integrity check: undefined when all is well. */
  schemaVersion(): number
  integrity(): string | undefined
}
