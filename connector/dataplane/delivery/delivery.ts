/** What every kind of delivery works with: one authorised request under one transfer. */
import type { Problem } from '../../core/result.js'
import type { Clock } from '../../core/types.js'
import type { Shape } from '../pipeline.js'
import type { Grant, RecordSource } from '../ports.js'
import type { Schedule } from '../schedule.js'
import type { Count } from '../stages/count.js'
import type { Ledger } from './ledger.js'
import type { Flow } from './transfers.js'

export type Delivery = {
  readonly grant: Grant
  readonly shape: Shape
  readonly flow: Flow
  readonly count: Count
  readonly ledger: Ledger
  readonly clock: Clock
  readonly schedule: Schedule
  readonly heartbeatMs: number
  /** A flow that ends for a reason of ours. */
  readonly stopped: (problem: Problem) => void
  /** A record stamped too far in the future was left out. */
  readonly droppedAhead: () => void
}

export type RecordDelivery = Delivery & { readonly source: RecordSource }
