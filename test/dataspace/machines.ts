/** Real machine recordings as records, and what a contract must let through of them; written by hand from the rules. */
import { readFileSync } from 'node:fs'

export type PumpRow = { readonly time: string; readonly values: Readonly<Record<string, number>> }

/** Column of the recording -> signal name in our dataset. */
export const PUMP_SIGNALS = {
  Accelerometer1RMS: 'accelerometer1',
  Accelerometer2RMS: 'accelerometer2',
  Current: 'current',
  Pressure: 'pressure',
  Temperature: 'temperature',
  Thermocouple: 'thermocouple',
  Voltage: 'voltage',
  'Volume Flow RateRMS': 'flow',
} as const

export function readPump(path: string): readonly PumpRow[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n')
  const columns = header.split(';')
  return lines.map((line) => {
    const cells = line.split(';')
    const values = Object.entries(PUMP_SIGNALS).map(([column, name]) => [
      name,
      Number(cells[columns.indexOf(column)]),
    ])
    return { time: `${(cells[0] ?? '').replace(' ', 'T')}.000Z`, values: Object.fromEntries(values) }
  })
}

/** The first record, and then each one at least `interval` after the last that was taken. All rows lie in one hour. */
export function everyAtLeast(rows: readonly PumpRow[], intervalMs: number): readonly PumpRow[] {
  const taken: PumpRow[] = []
  let last = Number.NEGATIVE_INFINITY
  for (const row of rows) {
    const at = Date.parse(row.time)
    if (at < last + intervalMs) continue
    taken.push(row)
    last = at
  }
  return taken
}
