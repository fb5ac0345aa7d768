/** Records as text. Compiled for the signals of one transfer; numbers stay exactly what they are in JavaScript. */
import { iso } from '../../core/types.js'
import type { DataRecord, Scalar } from '../record.js'
import { scalarOf } from '../stages/project.js'

export type Encode = (record: DataRecord) => string

/** `{"id":...,"ts":...,"series":...,<signals>}`; `series` is left out when the source has one series. */
export function jsonEncoder(columns: readonly string[]): Encode {
  const members = columns.map((name) => ({ name, head: `,${JSON.stringify(name)}:` }))
  return ({ position, time, series, values }) => {
    let text = `{"id":${JSON.stringify(position)},"ts":"${iso(time)}"`
    if (series !== '') text += `,"series":${JSON.stringify(series)}`
    for (const { name, head } of members) {
      const value = scalarOf(values, name)
      if (value !== undefined) text += head + jsonScalar(value)
    }
    return `${text}}`
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
  return ({ position, time, series, values }) => {
    let line = `${csvText(position)},${iso(time)},${series === '' ? '' : csvText(series)}`
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
