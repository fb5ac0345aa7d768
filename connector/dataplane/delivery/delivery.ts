/** What every kind of delivery works with: one authorised request under one transfer. */
import type { Problem } from '../../core/result.js'
import type { Clock, EpochMs } from '../../core/types.js'
import type { Shape } from '../pipeline.js'
import type { Grant, RecordSource } from '../ports.js'
import { type Schedule, waitUntil } from '../schedule.js'
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
  /** A flow that waits for an instant at which it goes on by itself. */
  readonly paused: (problem: Problem, until: EpochMs) => void
  /** A record stamped too far in the future was left out. */
  readonly droppedAhead: () => void
}

export type RecordDelivery = Delivery & { readonly source: RecordSource }

/** Waits while the gate is closed for a time only. The reason when it is closed for good; look at the signal afterwards. */
export async function passGate({
  shape,
  clock,
  schedule,
  flow,
  paused,
}: Delivery): Promise<Problem | undefined> {
  while (!flow.signal.aborted) {
    const now = clock()
    const refused = shape.gate(now)
    if (refused === undefined) return undefined
    const at = shape.reopens(now)
    if (at === undefined) return refused
    paused(refused, at)
    await waitUntil(schedule, clock, at, flow.signal)
  }
  return undefined
}
