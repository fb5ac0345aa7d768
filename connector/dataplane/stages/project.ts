/**
 * Stage 3, project: what is left of a record under the contract. Only declared signals that the plan names go on;
 * a field that appears in the source later is not delivered until somebody declares it.
 */
import { delivers, type Plan } from '../../policy/plan.js'
import type { DataRecord, Scalar, Signal } from '../record.js'

/** Members that every delivered record has; a signal can never take their place. */
const RESERVED: ReadonlySet<string> = new Set(['id', 'ts', 'series'])

export type Projection = {
  /** Names of the signals that may leave, in the order of declaration. */
  readonly columns: readonly string[]
  /** True when at least one signal remains. Makes no copy, so that a later stage can drop the record cheaply. */
  remains(values: DataRecord['values']): boolean
  /** The record without anything that may not leave. */
  apply(record: DataRecord): DataRecord
}

export function projection(plan: Plan, signals: readonly Signal[]): Projection {
  const columns = signals
    .map((signal) => signal.name)
    .filter((name) => !RESERVED.has(name) && delivers(plan, name))

  return {
    columns,
    remains: (values) => {
      for (const name of columns) if (scalarOf(values, name) !== undefined) return true
      return false
    },
    apply: (record) => {
      const values: Record<string, Scalar> = {}
      for (const name of columns) {
        const value = scalarOf(record.values, name)
        if (value !== undefined) values[name] = value
      }
      return { position: record.position, time: record.time, series: record.series, values }
    },
  }
}

/** The value of a signal. A name such as `constructor` finds an inherited function, which is not a value. */
export function scalarOf(values: DataRecord['values'], name: string): Scalar | undefined {
  const value: unknown = values[name]
  switch (typeof value) {
    case 'number':
    case 'string':
    case 'boolean':
      return value
    default:
      return value === null ? null : undefined
  }
}
