/**
 * What the data plane must do to keep one agreement: the policy compiled once, immutable, identified by its hash.
 * The order in which the terms are applied is fixed by the pipeline, never by the policy.
 */
import type { EpochMs } from '../core/types.js'

export type Plan = {
  readonly version: 1
  /** First instant of allowed delivery, inclusive. */
  readonly notBefore?: EpochMs
  /** End of allowed delivery, exclusive. */
  readonly notAfter?: EpochMs
  /** The only participants that may receive; absent means the agreement's assignee alone decides. */
  readonly recipients?: readonly string[]
  /** The only signals delivered, by name; absent means all declared ones. */
  readonly fields?: readonly string[]
  /** Least distance in event time between two delivered records of a series, milliseconds. */
  readonly samplingIntervalMs?: number
  /** Least age of a record in event time at delivery, milliseconds. */
  readonly deliveryDelayMs?: number
  /** Records (or, for byte sources, requests) that may be delivered under the agreement in total. */
  readonly countLimit?: number
  /** SHA-256 of the canonical JSON of all of the above, lower-case hex. */
  readonly hash: string
}

/** True when the plan changes or withholds content, which needs records and is impossible on opaque bytes. */
export const shapesRecords = (plan: Plan): boolean =>
  plan.fields !== undefined || plan.samplingIntervalMs !== undefined || plan.deliveryDelayMs !== undefined
