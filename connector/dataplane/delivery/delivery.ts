/** What every kind of delivery works with: one authorised request under one transfer. */
import type { Problem } from '../../core/result.js'
import type { Clock, EpochMs } from '../../core/types.js'
import type { Shape } from '../pipeline.js'
import type { Grant, RecordSource } from '../ports.js'
import { type Schedule, scheduleAt } from '../schedule.js'
import type { Counter } from '../stages/count.js'
import type { Ledger } from './ledger.js'
import type { Flow } from './transfers.js'

export type Delivery = {
  readonly grant: Grant
  readonly shape: Shape
  readonly flow: Flow
  readonly counter: Counter
  readonly ledger: Ledger
  readonly clock: Clock
  readonly schedule: Schedule
  readonly heartbeatMs: number
  /** A flow that ends for a reason of ours. */
  readonly stopped: (problem: Problem) => void
  /** A flow that waits: for an instant at which it goes on by itself, or for something to happen. */
  readonly paused: (problem: Problem, until: EpochMs | undefined) => void
  /** A record stamped too far in the future was left out. */
  readonly droppedAhead: () => void
}

export type RecordDelivery = Delivery & { readonly source: RecordSource }

/** Waits while the gate is closed for a time only. The reason when it is closed for good; look at the signal afterwards. */
export async function passGate(delivery: Delivery): Promise<Problem | undefined> {
  const { shape, clock, flow, paused } = delivery
  while (!flow.signal.aborted) {
    const now = clock()
    const refused = shape.gate(now)
    if (refused === undefined) return undefined
    const waiting = shape.waiting(now)
    if (waiting === undefined) return refused
    paused(refused, waiting.until)
    await untilReopened(delivery, waiting.until)
  }
  return undefined
}

/** Resolves at that instant, when the conditions of the contract may have changed, or when the flow ends. */
function untilReopened(
  { shape, schedule, clock, flow: { signal } }: Delivery,
  at: EpochMs | undefined,
): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      unsubscribe()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = at === undefined ? () => {} : scheduleAt(schedule, clock, at, done)
    const unsubscribe = shape.standing?.onChange(done) ?? (() => {})
    signal.addEventListener('abort', done)
  })
}
