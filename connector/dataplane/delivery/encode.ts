/** Records as text. Compiled for the signals of one transfer; numbers stay exactly what they are in JavaScript. */
import { type EpochMs, iso } from '../../core/types.js'
import type { DataRecord, Scalar } from '../record.js'
import { scalarOf } from '../stages/project.js'

export type Encode = (record: DataRecord) => string

/** `{"id":...,"ts":...,"series":...,<signals>}`; `series` is left out when the source has one series. */
export function jsonEncoder(columns: readonly string[]): Encode {
  const instant = instantWriter()
  const members = columns.map((name) => ({ name, head: `,${JSON.stringify(name)}:` }))
  return ({ position, time, series, values }) => {
    let text = `{"id":${JSON.stringify(position)},"ts":"${instant(time)}"`
    if (series !== '') text += `,"series":${JSON.stringify(series)}`
    for (const { name, head } of members) {
      const value = scalarOf(values, name)
      if (value !== undefined) text += head + jsonScalar(value)
    }
    return `${text}}`
  }
}

const MINUTE = 60_000

/** The same text as `iso`. Neighbouring records share their minute, which is formatted once. */
export function instantWriter(): (at: EpochMs) => string {
  let minute = Number.NaN
  let head = ''
  return (at) => {
    const now = Math.floor(at / MINUTE)
    if (now !== minute) {
      head = iso(at).slice(0, -'00.000Z'.length)
      minute = now
    }
    const ms = Math.trunc(at - now * MINUTE)
    // 100 000 in front keeps the leading zeros: 7 s and 5 ms are 107 005.
    const digits = String(100_000 + ms)
    return `${head}${digits.slice(1, 3)}.${digits.slice(3)}Z`
  }
}

function jsonScalar(value: Scalar): string {
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : 'null'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

const LINE_END = '\r\n'

/** RFC 4180, with a header line. A missing or null value is an empty field, an empty text is `""`. */
export const csvHeader = (columns: readonly string[]): string =>
  ['id', 'ts', 'series', ...columns].map(csvText).join(',') + LINE_END

export function csvEncoder(columns: readonly string[]): Encode {
  const instant = instantWriter()
  return ({ position, time, series, values }) => {
    let line = `${csvText(position)},${instant(time)},${series === '' ? '' : csvText(series)}`
    for (const name of columns) line += `,${csvField(scalarOf(values, name))}`
    return line + LINE_END
  }
}

export function csvField(value: Scalar | undefined): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : ''
  return typeof value === 'string' ? csvText(value) : String(value)
}

export const csvText = (text: string): string =>
  text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
