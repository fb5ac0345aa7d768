/**
 * What every answer to the operator has in common: times as text, absent values left out, the history of a process,
 * what is still owed, and for whom a process waits. Message bodies and tokens never pass through here.
 */
import type { Result } from '../core/result.js'
import { type Clock, type EpochMs, iso, type JsonObject, type Role } from '../core/types.js'
import type { AwaitingReason, StateTable } from '../domain/process.js'
import type { Process } from '../domain/step.js'
import type { Store } from '../store/store.js'

type Compact<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The object without the keys whose value is undefined. */
export const compact = <T extends object>(object: T): Compact<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Compact<T>

export const time = (at: EpochMs | undefined): string | undefined => (at === undefined ? undefined : iso(at))

export type OwedView = {
  readonly event: string
  readonly since: string
  readonly attempts: number
  readonly lastError?: string
  readonly lastErrorDe?: string
  readonly nextAttemptAt: string
}

export const owedTo = (store: Store, pid: string): readonly OwedView[] =>
  store.owedFor(pid).map(({ event, createdAt, attempts, lastError, lastErrorDe, nextAttemptAt }) =>
    compact({
      event,
      since: iso(createdAt),
      attempts,
      lastError,
      lastErrorDe,
      nextAttemptAt: iso(nextAttemptAt),
    }),
  )

export type Waiting = {
  /** Who has to act next; absent when nobody has to. `us`: this connector by itself, at once or after a delay. */
  readonly waitingFor?: 'partner' | 'us' | 'person'
  readonly waitingSince?: string
  /** Why a person is needed. */
  readonly waitingBecause?: AwaitingReason
  /** What belongs to that reason, such as the term that differs. */
  readonly waitingDetail?: string
  readonly waitingDetailDe?: string
  /** Why the last attempt to reach the partner failed, how many there were, and when the next one is. */
  readonly lastError?: string
  readonly lastErrorDe?: string
  readonly attempts?: number
  readonly nextAttemptAt?: string
}

/** Whose turn it is. What both may do at any time, such as ending the process, keeps nobody waiting. */
export function waiting<State extends string, Event extends string>(
  store: Store,
  table: StateTable<State, Event>,
  process: Process & { readonly state: 'NEW' | NoInfer<State> },
): Waiting {
  if (process.pending !== undefined) {
    const owed = store.owedFor(process.pid)[0]
    return compact({
      waitingFor: 'partner' as const,
      waitingSince: iso(owed?.createdAt ?? process.updatedAt),
      lastError: owed?.lastError,
      lastErrorDe: owed?.lastErrorDe,
      attempts: owed?.attempts,
      nextAttemptAt: time(owed?.nextAttemptAt),
    })
  }
  if (process.awaiting !== undefined) {
    const { because, since, detail, detailDe } = process.awaiting
    return compact({
      waitingFor: 'person' as const,
      waitingSince: iso(since),
      waitingBecause: because,
      waitingDetail: detail,
      waitingDetailDe: detailDe,
    })
  }
  const cells = Object.values<{ readonly by: Role | 'either' } | undefined>(table[process.state])
  const turn = cells.map((cell) => cell?.by).find((by) => by !== undefined && by !== 'either')
  if (turn === undefined) return {}
  return { waitingFor: turn === process.role ? 'us' : 'partner', waitingSince: iso(process.updatedAt) }
}

/** Writes down who did it once it is done. A refused action leaves no note. */
export async function noted<T>(
  deps: { readonly store: Store; readonly clock: Clock },
  outcome: Result<T>,
  note: (value: T) => {
    readonly subject: string
    readonly event: string
    readonly by: string
    readonly detail?: JsonObject
  },
): Promise<Result<T>> {
  if (!outcome.ok) return outcome
  const { subject, event, by, detail } = note(outcome.value)
  await deps.store.note({ subject, at: deps.clock(), direction: 'own', event, detail: { by, ...detail } })
  return outcome
}
