/** CSV (RFC 4180 with a declared separator and quote) to records. */
import type { Scalar, Signal } from '../record.js'
import { type CsvLayout, neededColumns } from './files-config.js'
import { shown } from './mapping.js'
import type { RowFormat, RowReader } from './row-format.js'
import { createParseTime, EXPECTED_TIME } from './time.js'
import { cellValue, EXPECTED_VALUE } from './value.js'

/** The cells of a row with quotes; 'open' when a quoted cell is not closed, 'wrong' when text follows one. */
function splitQuoted(text: string, separator: string, quote: string): readonly string[] | 'open' | 'wrong' {
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (text[at] !== quote) {
      const end = text.indexOf(separator, at)
      cells.push(end === -1 ? text.slice(at) : text.slice(at, end))
      if (end === -1) return cells
      at = end + 1
      continue
    }
    let cell = ''
    at += 1
    for (;;) {
      const end = text.indexOf(quote, at)
      if (end === -1) return 'open'
      cell += text.slice(at, end)
      at = end + 1
      if (text[at] !== quote) break
      // RFC 4180, 2.7: a quote inside a quoted cell is doubled.
      cell += quote
      at += 1
    }
    cells.push(cell)
    if (at === text.length) return cells
    if (text[at] !== separator) return 'wrong'
    at += 1
  }
}

const split = (text: string, { separator, quote }: CsvLayout): readonly string[] | 'open' | 'wrong' =>
  quote === '' || !text.includes(quote) ? text.split(separator) : splitQuoted(text, separator, quote)

type Column = { readonly at: number; readonly signal: Signal }

function createRowReader(
  layout: CsvLayout,
  columns: readonly string[],
  declared: readonly Signal[],
): RowReader {
  const parseTime = createParseTime(layout.time)
  const expectedTime = EXPECTED_TIME[layout.time.format]
  const timeAt = columns.indexOf(layout.time.column)
  const seriesAt = 'column' in layout.series ? columns.indexOf(layout.series.column) : -1
  const constant = 'constant' in layout.series ? layout.series.constant : ''
  const missing = new Set(['', ...layout.missing])
  const wanted: readonly Column[] = Object.entries(layout.signals).flatMap(([name, column]) => {
    const signal = declared.find((one) => one.name === name)
    return signal === undefined ? [] : [{ at: columns.indexOf(column), signal }]
  })
  const numeric = (type: Signal['type']) => type === 'number' || type === 'integer'

  return {
    parse(text) {
      if (text === '') return undefined
      const cells = split(text, layout)
      if (cells === 'open') return 'open'
      if (cells === 'wrong') return { why: 'text follows a quoted cell' }
      if (cells.length !== columns.length) {
        return { why: `it has ${cells.length} cells instead of ${columns.length}` }
      }
      const rawTime = (cells[timeAt] ?? '').trim()
      const time = parseTime(rawTime)
      if (time === undefined) return { why: `its time "${shown(rawTime)}" is not ${expectedTime}` }
      const values: Record<string, Scalar> = {}
      let any = false
      for (const { at, signal } of wanted) {
        const raw = cells[at] ?? ''
        const cell = signal.type === 'string' ? raw : raw.trim()
        if (missing.has(cell)) continue
        const point = layout.decimal === ',' && numeric(signal.type) ? withPoint(cell) : cell
        const value = cellValue(signal.type, point)
        if (value === undefined)
          return { why: `its signal "${signal.name}" is not ${EXPECTED_VALUE[signal.type]}` }
        values[signal.name] = value
        any = true
      }
      if (!any) return { why: 'it has none of the declared signals' }
      return { time, series: seriesAt === -1 ? constant : (cells[seriesAt] ?? ''), values }
    },
  }
}

/** "1,5" -> "1.5"; a point in a number with decimal comma is no number, whether it groups thousands or not. */
const withPoint = (cell: string): string => (cell.includes('.') ? '' : cell.replace(',', '.'))

export function createCsvFormat(layout: CsvLayout, declared: readonly Signal[]): RowFormat {
  return {
    hasHeading: layout.columns === undefined,
    prepare(heading) {
      const columns = layout.columns ?? split(heading, layout)
      if (typeof columns === 'string') return { wrong: 'its first line is not a list of columns' }
      for (const { column, role } of neededColumns(layout)) {
        const count = columns.filter((one) => one === column).length
        if (count === 1) continue
        const names = columns.map((one) => shown(one, 40)).slice(0, 20)
        return {
          wrong:
            count === 0
              ? `it has no column ${shown(column)}, which ${role} needs; its columns are ${names.join(', ')}`
              : `it has the column ${shown(column)} more than once`,
        }
      }
      return createRowReader(layout, columns, declared)
    },
  }
}
