/** A machine for benchmarks: eight signals at 10 Hz, and the plan of a contract with three shaping terms. */
import type { EpochMs } from '../../connector/core/types.js'
import type { DataRecord, Signal } from '../../connector/dataplane/record.js'
import type { Plan } from '../../connector/policy/plan.js'

export const SIGNALS: readonly Signal[] = [
  'temperature',
  'vibration',
  'pressure',
  'flow',
  'speed',
  'current',
  'voltage',
  'torque',
].map((name) => ({ name, type: 'number' }))

/** Between two records, milliseconds. */
export const STEP = 100
/** Far enough back that the delay never holds a record. */
const START = Date.UTC(2025, 0, 1)

/** Three signals, of every second record, at least a minute old. */
export const plan: Plan = {
  version: 1,
  fields: ['temperature', 'pressure', 'speed'],
  samplingIntervalMs: 2 * STEP,
  deliveryDelayMs: 60_000,
  hash: '0'.repeat(64),
}

export function machineRecords(from: number, count: number): Omit<DataRecord, 'position'>[] {
  return Array.from({ length: count }, (_, index) => {
    const at = from + index
    const values: Record<string, number> = {}
    for (const [signal, { name }] of SIGNALS.entries()) values[name] = 50 + ((at * (signal + 7)) % 1000) / 100
    return { time: (START + at * STEP) as EpochMs, series: 'pump-1', values }
  })
}
