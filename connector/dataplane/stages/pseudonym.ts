/**
 * Stage 2, pseudonymise: the series and the identifying signals of a record get names that hold under one agreement. The
 * key is made with the agreement and destroyed with it: whoever has the pseudonyms can then be told nothing any more.
 */
import { createHmac } from 'node:crypto'
import type { Plan } from '../../policy/plan.js'
import type { DataRecord, Scalar, Signal } from '../record.js'
import { scalarOf } from './project.js'

/** Names that identify in every dataset, declared so or not. */
const IDENTIFYING: ReadonlySet<string> = new Set(['machineId', 'line'])
/** Names remembered per agreement: bounds the memory, and costs one HMAC when it is exceeded. */
const REMEMBERED = 10_000

export type Pseudonymise = (record: DataRecord) => DataRecord

/** undefined when the plan wants none. Throws when it does and there is no key: nothing may pass under its own name. */
export function pseudonymsOf(
  plan: Plan,
  signals: readonly Signal[],
  key: Uint8Array | undefined,
): Pseudonymise | undefined {
  if (plan.pseudonym === undefined) return undefined
  if (key === undefined || key.byteLength < 32) throw new TypeError('the key of the pseudonyms is missing')
  const names = signals
    .filter(
      ({ name, identifies }) =>
        identifies === true || IDENTIFYING.has(name) || plan.identifying?.includes(name) === true,
    )
    .map(({ name }) => name)
  const known = new Map<string, string>()

  const pseudonym = (kind: string, value: string): string => {
    const plain = `${kind}\0${value}`
    let found = known.get(plain)
    if (found === undefined) {
      found = createHmac('sha256', key).update(plain).digest().subarray(0, 16).toString('base64url')
      if (known.size >= REMEMBERED) known.clear()
      known.set(plain, found)
    }
    return found
  }
  // A machine has one pseudonym, whether it is named as the series or as a signal.
  const kindOf = (name: string): string => (name === 'machineId' ? 'series' : `signal:${name}`)

  return (record) => {
    const values: Record<string, Scalar> = { ...record.values }
    for (const name of names) {
      const value = scalarOf(record.values, name)
      if (value !== undefined && value !== null) values[name] = pseudonym(kindOf(name), String(value))
    }
    const series = record.series === '' ? '' : pseudonym('series', record.series)
    return { ...record, series, values }
  }
}
