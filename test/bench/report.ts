/** How a benchmark speaks: what was done, the figures, the yardstick of the same run, the aim, and what limits it. */
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { cpus, loadavg } from 'node:os'

/** @returns the yardstick of this run, microseconds */
export function title(what: string, how: string): number {
  const [cpu] = cpus()
  const cost = checkCost()
  print(`\n${what}`)
  print(how)
  print(
    `Node ${process.version}, ${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), load before ${loadavg()[0]?.toFixed(1)}, one ES256 check takes ${us(cost)} of CPU. Figures are of this run only.`,
  )
  return cost
}

/** How fast this machine is at this moment, to compare runs by: CPU of one ES256 verification, microseconds. */
function checkCost(): number {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = Buffer.alloc(500)
  const signature = sign('sha256', text, privateKey)
  const rounds = 1000
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round++) verify('sha256', text, publicKey, signature)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / rounds
}

export const section = (name: string): void => print(`\n${name}`)

const WIDTH = 46

export const figure = (name: string, value: string, remark = ''): void =>
  print(`  ${name.padEnd(WIDTH)} ${value.padStart(14)}${remark === '' ? '' : `   ${remark}`}`)

/** One line of judgement: the aim, what was measured, and whether it was reached in this run. */
export const aim = (what: string, reached: boolean): void =>
  print(`  ${reached ? 'reached    ' : 'not reached'}  ${what}`)

export const note = (text: string): void => print(`  ${text}`)

const print = (line: string): void => void process.stdout.write(`${line}\n`)

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`
export const us = (value: number): string => `${value.toFixed(0)} us`
export const perSecond = (value: number): string => `${Math.round(value).toLocaleString('en')} /s`
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
export const times = (ratio: number): string => `x ${ratio.toFixed(2)}`

/** Nearest-rank percentile of unsorted values. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return (
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))] ??
    Number.NaN
  )
}

export const median = (values: readonly number[]): number => percentile(values, 50)

/** Fails loudly instead of measuring nonsense. */
export function demand<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): T {
  if (result.ok) return result.value
  throw new Error(JSON.stringify(result.error))
}
