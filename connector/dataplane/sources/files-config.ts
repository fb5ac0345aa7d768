/** The file source as the operator describes it: one file or a folder, CSV or NDJSON. Paths are absolute. */
import { isAbsolute } from 'node:path'
import type { Result } from '../../core/result.js'
import type { Signal } from '../record.js'
import { type ConfigReader, readConfig } from './config-reader.js'
import { type Mapping, shown } from './mapping.js'
import { readMapping, readSignals, readTimeRule } from './mapping-config.js'
import type { TimeRule } from './time.js'

export type Place =
  | { readonly file: string }
  /** `suffix` is what names of files in the folder end with. */
  | { readonly folder: string; readonly suffix: string }

export type CsvLayout = {
  readonly separator: string
  /** '' when cells are never quoted. */
  readonly quote: string
  readonly decimal: '.' | ','
  /** Absent: the first line of each file names the columns. */
  readonly columns?: readonly string[]
  /** Cells that stand for "no value", besides the empty one. */
  readonly missing: readonly string[]
  readonly time: { readonly column: string } & TimeRule
  readonly series: { readonly constant: string } | { readonly column: string }
  /** Signal name -> column. */
  readonly signals: Readonly<Record<string, string>>
}

export type FilesConfig = {
  readonly place: Place
  /** Lines are still being appended: a last line without a newline is never taken for finished. */
  readonly growing: boolean
  readonly format: { readonly csv: CsvLayout } | { readonly ndjson: Mapping }
}

function readPlace(reader: ConfigReader): Place {
  const file = reader.text('file')
  const folder = reader.text('folder')
  const pattern = reader.text('pattern')
  if ((file === undefined) === (folder === undefined)) {
    reader.mistake('exactly one of file and folder must be given')
  }
  for (const [key, path] of Object.entries({ file, folder })) {
    if (path !== undefined && !isAbsolute(path)) reader.mistake(`${key} must be an absolute path`)
  }
  if (file !== undefined) {
    if (pattern !== undefined) reader.mistake('pattern goes with folder only')
    return { file }
  }
  if (pattern === undefined && folder !== undefined) reader.mistake('pattern is missing, such as *.csv')
  if (pattern !== undefined && !/^\*[^*?[\]{}/\\]+$/.test(pattern)) {
    reader.mistake('pattern must be * and the end of the file names, such as *.csv')
  }
  return { folder: folder ?? '', suffix: pattern?.slice(1) ?? '' }
}

function readOneCharacter(reader: ConfigReader, key: string, fallback: string): string {
  const value = reader.raw(key) ?? fallback
  // Above ASCII a character could be cut in two by the end of a block.
  if (typeof value === 'string' && /^[\t\x20-\x7e]$/.test(value)) return value
  reader.mistake(`${key} must be one ASCII character, such as ${key === 'quote' ? '"' : ';'}`)
  return fallback
}

function readCsvTime(reader: ConfigReader): CsvLayout['time'] {
  const time = reader.nested('time')
  if (time === undefined) {
    if (!reader.has('time')) reader.mistake('time is missing')
    return { column: '', format: 'iso' }
  }
  if (!time.has('column')) time.mistake('time.column is missing')
  const rule = { column: time.text('column') ?? '', ...readTimeRule(time, 'time') }
  time.close()
  return rule
}

function readCsvSeries(reader: ConfigReader): CsvLayout['series'] {
  const raw = reader.raw('series')
  if (raw === undefined) return { constant: '' }
  if (typeof raw === 'string') return { constant: raw }
  const series = reader.nested('series')
  if (series !== undefined && !series.has('column')) series.mistake('series.column is missing')
  const column = series?.text('column') ?? ''
  series?.close()
  return { column }
}

function readCsv(reader: ConfigReader, declared: readonly Signal[] | undefined): CsvLayout {
  const separator = readOneCharacter(reader, 'separator', ',')
  const quote = reader.raw('quote') === '' ? '' : readOneCharacter(reader, 'quote', '"')
  const decimal = reader.oneOf('decimal', ['.', ','], '.')
  if (separator === quote) reader.mistake('separator and quote must differ')
  const columns = reader.texts('columns')
  if (columns !== undefined && new Set(columns).size !== columns.length) {
    reader.mistake('columns must not name a column twice')
  }
  const time = readCsvTime(reader)
  const series = readCsvSeries(reader)
  const signals = readSignals(reader, 'signals', declared, (nested, name) => nested.requiredText(name))
  if (!reader.has('signals')) reader.mistake('signals is missing')
  else if (Object.keys(signals).length === 0) reader.mistake('signals must name at least one signal')
  const layout: CsvLayout = {
    separator,
    quote,
    decimal,
    missing: reader.texts('missing') ?? [],
    time,
    series,
    signals,
    ...(columns === undefined ? {} : { columns }),
  }
  if (columns !== undefined) {
    for (const { column, role } of neededColumns(layout)) {
      if (column !== '' && !columns.includes(column)) {
        reader.mistake(`columns does not name the column ${shown(column)}, which ${role} needs`)
      }
    }
  }
  return layout
}

/** Columns without which the file cannot be read, and what for. */
export const neededColumns = (
  layout: CsvLayout,
): readonly { readonly column: string; readonly role: string }[] => [
  { column: layout.time.column, role: 'time' },
  ...('column' in layout.series ? [{ column: layout.series.column, role: 'series' }] : []),
  ...Object.entries(layout.signals).map(([name, column]) => ({ column, role: `the signal ${shown(name)}` })),
]

export const parseFilesConfig = (json: unknown, signals?: readonly Signal[]): Result<FilesConfig> =>
  readConfig('The file source', json, (reader) => {
    const place = readPlace(reader)
    const growing = reader.flag('growing', 'folder' in place)
    reader.oneOf('encoding', ['utf-8'], 'utf-8')
    if (!reader.has('format')) reader.mistake('format is missing (one of csv, ndjson)')
    const format = reader.oneOf('format', ['csv', 'ndjson'], 'csv')
    return {
      place,
      growing,
      format:
        format === 'csv'
          ? { csv: readCsv(reader, signals) }
          : { ndjson: readMapping(reader, 'mapping', { topics: false, signals }) },
    }
  })
