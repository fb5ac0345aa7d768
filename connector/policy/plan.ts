/**
 * What the data plane must do to keep one agreement: the policy compiled once, immutable, identified by its hash.
 * The order in which the terms are applied is fixed by the pipeline, never by the policy.
 */
import type { EpochMs } from '../core/types.js'
import type { Hours } from './hours.js'

/** What tells rows apart: each is a declared signal of that name; the machine is also the series of a record. */
export const ROW_KEYS = ['machineId', 'line', 'lot', 'machineState', 'signal', 'sourceLocation'] as const
export type RowKey = (typeof ROW_KEYS)[number]

/** Values by which rows are kept or dropped; both conditions hold where both are given. */
export type RowFilter = { readonly only?: readonly string[]; readonly except?: readonly string[] }

/** Two true values up to `sensitivity` apart give the same result with chances that differ by a factor of e^epsilon at most. */
export type Noise = { readonly epsilon: number; readonly sensitivity: number }
/** A condition whose truth changes while data flows; judged by its operand at every delivery. */
export type Condition = {
  readonly leftOperand: string
  readonly operator: string
  readonly values: readonly string[]
}

export type Plan = {
  readonly version: 1
  /** First instant of allowed delivery, inclusive. */
  readonly notBefore?: EpochMs
  /** End of allowed delivery, exclusive. */
  readonly notAfter?: EpochMs
  /** The only participants that may receive; absent means the agreement's assignee alone decides. */
  readonly recipients?: readonly string[]
  /** What has to be confirmed about the recipient or an event, or known of the address of delivery; all of it. */
  readonly conditions?: readonly Condition[]
  /** Times of the day at which is delivered; absent means at all times. */
  readonly hours?: Hours
  /** Weekdays on which is delivered, 1 is Monday, ascending. */
  readonly weekdays?: readonly number[]
  /** The one zone in which days and times of day are meant; UTC when absent. */
  readonly timeZones?: readonly string[]
  /** Which records are delivered at all. A record without the value is dropped. */
  readonly rows?: Readonly<Partial<Record<RowKey, RowFilter>>>
  /** Identifying names are replaced by pseudonyms of this scope. */
  readonly pseudonym?: 'agreement'
  /** The only signals delivered, by name; absent means all declared ones. */
  readonly fields?: readonly string[]
  /** Signals that are not delivered, by name. */
  readonly withheld?: readonly string[]
  /** Least distance in event time between two delivered records of a series, milliseconds. */
  readonly samplingIntervalMs?: number
  /** Length of the windows of event time over which values are combined, milliseconds. */
  readonly aggregationWindowMs?: number
  /** How they are combined; the mean and the number of values when absent. */
  readonly aggregations?: readonly string[]
  /** Machines that have to have contributed to what is combined; it is combined over all of them then. */
  readonly minGroup?: number
  /** Numbers are cut down to multiples of this. */
  readonly valueStep?: number
  /** The one shape document, by its name; what it says stands in the members that follow. */
  readonly shapes?: readonly string[]
  /** The ways in which deviations may be made; a shape document has to use one of them. */
  readonly mechanisms?: readonly string[]
  /** Numbers of single signals are cut down to multiples of these. */
  readonly valueSteps?: Readonly<Record<string, number>>
  /** Random deviations that are added to single signals, in multiples of their steps. */
  readonly noise?: Readonly<Record<string, Noise>>
  /** Signals that get pseudonyms although nothing else says that they identify. */
  readonly identifying?: readonly string[]
  /** Least age of a record in event time at delivery, milliseconds. */
  readonly deliveryDelayMs?: number
  /** Records (or, for byte sources, requests) that may be delivered under the agreement in total. */
  readonly countLimit?: number
  /** Records (or, for byte sources, requests) that may be delivered on one calendar day. */
  readonly recordsPerDay?: number
  /** Bytes of data that may be delivered on one calendar day. */
  readonly bytesPerDay?: number
  /** SHA-256 of the canonical JSON of all of the above, lower-case hex. */
  readonly hash: string
}

/** Whether the plan lets a declared signal out, by its name. */
export const delivers = (plan: Pick<Plan, 'fields' | 'withheld'>, signal: string): boolean =>
  plan.fields?.includes(signal) !== false && plan.withheld?.includes(signal) !== true

/** Members that change or withhold content, which needs records and is impossible on opaque bytes. */
const SHAPING: readonly (keyof Plan)[] = [
  'rows',
  'pseudonym',
  'fields',
  'withheld',
  'samplingIntervalMs',
  'aggregationWindowMs',
  'aggregations',
  'minGroup',
  'valueStep',
  'shapes',
  'mechanisms',
  'deliveryDelayMs',
]

/** True when the plan can be kept on records only. */
export const shapesRecords = (plan: Plan): boolean => SHAPING.some((member) => plan[member] !== undefined)

/** True when what is delivered depends on a secret of the agreement. */
export const needsKey = (plan: Plan): boolean => plan.pseudonym !== undefined || plan.noise !== undefined
