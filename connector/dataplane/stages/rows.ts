/**
 * Stage 1, row filter: which records go on at all. It runs before projection and may look at signals that are removed
 * later. A record without the value, or with null, is dropped: what is not known is not allowed.
 */
import { type Plan, ROW_KEYS, type RowFilter, type RowKey } from '../../policy/plan.js'
import type { DataRecord, Signal } from '../record.js'
import { scalarOf } from './project.js'

/** True for a record that goes on. */
export type Keep = (record: DataRecord) => boolean

/** undefined when the plan keeps every row. */
export function rowFilter({ rows }: Plan, signals: readonly Signal[]): Keep | undefined {
  if (rows === undefined) return undefined
  const tests = ROW_KEYS.flatMap((key) => {
    const filter = rows[key]
    return filter === undefined ? [] : [testOf(valueFor(key, signals), filter)]
  })
  return (record) => tests.every((test) => test(record))
}

/** A row filter that has nothing to look at; undefined when all have. */
export const unreadableRow = ({ rows }: Plan, signals: readonly Signal[]): RowKey | undefined =>
  ROW_KEYS.find((key) => rows?.[key] !== undefined && key !== 'machineId' && !declares(signals, key))

export const declares = (signals: readonly Signal[], key: RowKey): boolean =>
  signals.some(({ name }) => name === key)

type ValueOf = (record: DataRecord) => string | undefined

/** The machine is the series of a record, unless the dataset declares a signal for it. */
function valueFor(key: RowKey, signals: readonly Signal[]): ValueOf {
  if (key === 'machineId' && !declares(signals, key)) {
    return ({ series }) => (series === '' ? undefined : series.normalize('NFC'))
  }
  if (!declares(signals, key)) return () => undefined
  return ({ values }) => {
    const value = scalarOf(values, key)
    return value === undefined || value === null ? undefined : String(value).normalize('NFC')
  }
}

/** The machine that a record is of; empty when it names none. */
export function machineFor(signals: readonly Signal[]): (record: DataRecord) => string {
  const machine = valueFor('machineId', signals)
  return (record) => machine(record) ?? ''
}

function testOf(value: ValueOf, { only, except }: RowFilter): Keep {
  const [kept, dropped] = [only === undefined ? undefined : new Set(only), new Set(except)]
  return (record) => {
    const found = value(record)
    return found !== undefined && kept?.has(found) !== false && !dropped.has(found)
  }
}
