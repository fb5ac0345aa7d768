/**
 * Duties after the delivery: what came and when, what was done about it, and how a duty stands at a moment. Pure: how it
 * stands follows from stored facts and the time, so that no clock and no restart can leave it wrong.
 */
import type { EpochMs, JsonObject, Role } from '../core/types.js'
import type { Duration } from '../policy/duration.js'
import { type Demand, dueAt } from '../policy/duties.js'

/** Data that came within one span of time, to one place. On the provider's side: that was handed over. */
export type Arrival = {
  readonly seq: number
  readonly agreementId: string
  readonly role: Role
  /** The transfer it came under. */
  readonly place: string
  /** When the first and the last of it came. */
  readonly from: EpochMs
  readonly to: EpochMs
  /** Counted over everything that ever came to this place: before the first and behind the last of it. */
  readonly start: Counted
  readonly end: Counted
  /** It lies where this connector can delete it by itself. */
  readonly own: boolean
  readonly gone: boolean
}

/** What is settled of an arrival: up to a position where it has grown behind it meanwhile, else the whole of it. */
export type Settled = { readonly seq: number; readonly upTo?: number }

export type Counted = { readonly bytes: number; readonly records: number }

export type StatementKind = 'deletion' | 'log' | 'incident' | 'done' | 'reminder' | 'waiver'

/** What one side declares to the other about a duty, or what a person wrote down here. */
export type Statement = {
  readonly id: string
  readonly agreementId: string
  readonly role: Role
  readonly partner: string
  readonly path: string
  readonly kind: StatementKind
  /** `own`: written down by a person here, signed by nobody. */
  readonly direction: 'in' | 'out' | 'own'
  readonly at: EpochMs
  /** Everything that came until then is settled by it. */
  readonly until?: EpochMs
  /** What is declared; exactly what the signature is over. */
  readonly content: JsonObject
  /** Compact JWS over the canonical JSON of the content; absent where nobody signed. */
  readonly jws?: string
  /** What the content has the digest of. It stays here: names of files are nobody else's business. */
  readonly proof?: JsonObject
  /** Ours, as far as it has come; `contract only`: the partner's connector takes none. */
  readonly delivery?: 'owed' | 'delivered' | 'failed' | 'contract only'
  readonly deliveryReason?: string
  /** When it failed of something that may pass: then it is sent again later. */
  readonly failedAt?: EpochMs
}

export type DutyState = 'open' | 'due soon' | 'fulfilled' | 'overdue' | 'waived'

export type DutyFacts = {
  /** Came and is not settled yet, the oldest of it. */
  readonly outstanding?: { readonly from: EpochMs; readonly to: EpochMs }
  readonly endedAt?: EpochMs
  readonly waived: boolean
  /** It is seen to by a connector, so that nobody has to be reminded before the deadline. */
  readonly byItself?: boolean
  /** A declaration that the duty is done, or the last receipt. */
  readonly settledAt?: EpochMs
}

export type Standing = {
  readonly state: DutyState
  readonly dueAt?: EpochMs
  /** When it becomes due soon. */
  readonly remindAt?: EpochMs
}

/** Warned of this long before a duty is due, but only in the last quarter of its time. */
const REMIND_MS = 3 * 86_400_000

/** @param graceMs how long after the deadline the other side may take to tell */
export function standingOf(demand: Demand, facts: DutyFacts, now: EpochMs, graceMs = 0): Standing {
  if (facts.waived) return { state: 'waived' }
  const limits = 'limits' in demand ? demand.limits : undefined
  if (limits === undefined) {
    return { state: demand.kind === 'other' && facts.settledAt !== undefined ? 'fulfilled' : 'open' }
  }
  const { outstanding, endedAt } = facts
  if (outstanding === undefined) {
    const over = endedAt !== undefined && endedAt <= now
    const past = limits.until !== undefined && limits.until <= now
    return { state: over || past ? 'fulfilled' : 'open' }
  }
  const due = dueAt(limits, outstanding.from, endedAt)
  if (due === undefined) return { state: 'open' }
  if (now > due + graceMs) return { state: 'overdue', dueAt: due }
  if (facts.byItself === true) return { state: 'open', dueAt: due }
  const lead = Math.min(REMIND_MS, Math.max(0, due - outstanding.from) / 4)
  return now >= due - lead
    ? { state: 'due soon', dueAt: due }
    : { state: 'open', dueAt: due, remindAt: (due - lead) as EpochMs }
}

const MINUTE = 60_000
const DAY = 86_400_000

/**
 * Data that came within this time is deleted together, counted from the first of it: a hundredth of the time it may be
 * kept, at least a second, at most a day. So it goes at most that much early and never late, and files are rewritten
 * a hundred times at most while one record lies in them.
 */
export function spanOf(retention: Duration | undefined): number {
  if (retention === undefined) return DAY
  const length = retention.months * 28 * DAY + retention.ms
  return Math.min(DAY, Math.max(1000, Math.floor(length / 100)))
}

/** How long the other side may take to tell that it has deleted: a span and a day, but never longer than the time itself. */
export function graceOf(retention: Duration | undefined): number {
  if (retention === undefined) return DAY
  const length = retention.months * 28 * DAY + retention.ms
  return Math.min(DAY, Math.max(10 * MINUTE, length)) + spanOf(retention)
}

/** Arrivals by the place they came to, each in the order in which they came. */
export function byPlace(arrivals: readonly Arrival[]): ReadonlyMap<string, readonly Arrival[]> {
  const places = new Map<string, Arrival[]>()
  for (const arrival of arrivals) {
    const there = places.get(arrival.place)
    if (there === undefined) places.set(arrival.place, [arrival])
    else there.push(arrival)
  }
  return places
}

/**
 * The first arrivals of one place that must go: all up to the last one that is due. What came before something due is
 * as old or older, whatever the clock said then.
 */
export function dueArrivals(
  arrivals: readonly Arrival[],
  isDue: (arrival: Arrival) => boolean,
): readonly Arrival[] {
  return arrivals.slice(0, arrivals.findLastIndex(isDue) + 1)
}

/** Adds what came at a moment to the arrivals of its place. */
export function arrived(
  last: Arrival | undefined,
  m: {
    readonly at: EpochMs
    readonly before: Counted
    readonly after: Counted
    readonly own: boolean
    readonly spanMs: number
  },
): { readonly extend: boolean; readonly from: EpochMs; readonly start: Counted } {
  const fits =
    last !== undefined &&
    !last.gone &&
    last.own === m.own &&
    m.at >= last.from &&
    m.at < last.from + m.spanMs &&
    last.start.bytes <= m.before.bytes
  return fits
    ? { extend: true, from: last.from, start: last.start }
    : { extend: false, from: m.at, start: m.before }
}
