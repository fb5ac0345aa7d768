/**
 * Rows of one file with their byte offsets, in flat memory: blocks of 64 KiB, larger only while a single row is. A
 * block ends with a whole row; what follows is read again with the next block.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import type { EpochMs } from '../../core/types.js'
import type { DataRecord } from '../record.js'
import type { ParsedRow, RowReader } from './row-format.js'

export const BLOCK = 64 * 1024
/** Longest row, bytes; a longer one is left out. */
const LONGEST_ROW = 1024 * 1024
/** Most lines of one quoted row; beyond, the quote is taken for a stray one. */
const MOST_LINES = 100
const NEWLINE = 0x0a
const RETURN = 0x0d

export type RowFault = {
  readonly end: number
  readonly line: number
  readonly bytes: number
  readonly why: string
}

export type RowBlock = {
  readonly records: readonly DataRecord[]
  readonly faults: readonly RowFault[]
  /** End of the last whole row. */
  readonly end: number
  readonly lines: number
  readonly rows: number
  readonly latest: number
  /** End of what could be read: the end of the file when `atEnd`. */
  readonly readTo: number
  readonly atEnd: boolean
}

type Line = { readonly text: string | undefined; readonly next: number }

/** Lines of a block by byte offset; text is undefined when the line is not UTF-8. */
function lineReader(bytes: Buffer): (from: number, wholeLast: boolean) => Line | undefined {
  const ascii = isAscii(bytes)
  const all = ascii ? bytes.toString('latin1') : ''
  return (from, wholeLast) => {
    const newline = bytes.indexOf(NEWLINE, from)
    if (newline === -1 && (!wholeLast || from === bytes.length)) return undefined
    const next = newline === -1 ? bytes.length : newline + 1
    let end = newline === -1 ? bytes.length : newline
    if (end > from && bytes[end - 1] === RETURN) end -= 1
    if (ascii) return { text: all.slice(from, end), next }
    const line = bytes.subarray(from, end)
    return { text: isUtf8(line) ? line.toString('utf8') : undefined, next }
  }
}

/** The row at an offset, over as many lines as its quoted cells need. */
function takeRow(
  lines: ReturnType<typeof lineReader>,
  from: number,
  options: { readonly whole: boolean; readonly atEnd: boolean },
  reader: RowReader,
): { readonly parsed: ParsedRow; readonly next: number; readonly lines: number } | undefined {
  const first = lines(from, options.whole)
  if (first === undefined) return undefined
  if (first.text === undefined) return { parsed: { why: 'it is not UTF-8' }, next: first.next, lines: 1 }
  let parsed = reader.parse(first.text)
  let { text, next } = first as { text: string; next: number }
  let count = 1
  while (parsed === 'open') {
    const more = count < MOST_LINES ? lines(next, options.whole) : undefined
    if (more === undefined || more.text === undefined) {
      const mayContinue = more === undefined && count < MOST_LINES && !(options.atEnd && options.whole)
      if (mayContinue) return undefined
      // A stray quote costs its own line, not those behind it.
      return { parsed: { why: 'a quoted cell is not closed' }, next: first.next, lines: 1 }
    }
    text += `\n${more.text}`
    next = more.next
    count += 1
    parsed = reader.parse(text)
  }
  return { parsed, next, lines: count }
}

async function fill(file: FileHandle, buffer: Buffer, offset: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** Where a row that is too long ends, with its newline; or the end of the file, when that has not come yet. */
async function endOfRow(
  file: FileHandle,
  from: number,
): Promise<{ readonly at: number; readonly whole: boolean }> {
  const buffer = Buffer.allocUnsafe(BLOCK)
  for (let offset = from; ; offset += buffer.length) {
    const length = await fill(file, buffer, offset)
    const newline = buffer.subarray(0, length).indexOf(NEWLINE)
    if (newline !== -1) return { at: offset + newline + 1, whole: true }
    if (length < buffer.length) return { at: offset + length, whole: false }
  }
}

export type BlockQuery = {
  readonly ordinal: number
  readonly offset: number
  /** Rows are not read across this offset. */
  readonly until?: number
  readonly firstLine: number
  /** A last line without newline counts as a row. */
  readonly wholeLast: boolean
}

/** The rows of the next block. Allocates one block of text and its records, nothing that grows with the file. */
export async function readRows(file: FileHandle, query: BlockQuery, reader: RowReader): Promise<RowBlock> {
  const { offset, until = Number.MAX_SAFE_INTEGER } = query
  for (let size = BLOCK; ; size *= 4) {
    const buffer = Buffer.allocUnsafe(Math.min(size, until - offset))
    const length = await fill(file, buffer, offset)
    const atEnd = length < buffer.length
    const block = parseBlock(buffer.subarray(0, length), query, atEnd, reader)
    if (block.end > offset || atEnd) return block
    if (size < LONGEST_ROW) continue
    const end = await endOfRow(file, offset + length)
    if (!end.whole) return { ...block, readTo: end.at, atEnd: true }
    const why = 'it is longer than 1 MiB'
    const faults = [{ end: end.at, line: query.firstLine, bytes: end.at - offset, why }]
    return { ...block, faults, end: end.at, readTo: end.at, lines: 1, rows: 1 }
  }
}

function parseBlock(bytes: Buffer, query: BlockQuery, atEnd: boolean, reader: RowReader): RowBlock {
  const { ordinal, offset, firstLine } = query
  const lines = lineReader(bytes)
  const options = { whole: atEnd && query.wholeLast, atEnd }
  const records: DataRecord[] = []
  const faults: RowFault[] = []
  let at = 0
  let line = firstLine
  let rows = 0
  let latest = Number.NEGATIVE_INFINITY
  for (;;) {
    const row = takeRow(lines, at, options, reader)
    if (row === undefined) break
    const { parsed, next } = row
    if (parsed !== undefined && parsed !== 'open') {
      rows += 1
      const end = offset + next
      if ('why' in parsed) faults.push({ end, line, bytes: next - at, why: parsed.why })
      else {
        records.push({ position: `${ordinal}-${end}`, ...parsed })
        if (parsed.time > latest) latest = parsed.time
      }
    }
    at = next
    line += row.lines
  }
  return {
    records,
    faults,
    end: offset + at,
    lines: line - firstLine,
    rows,
    latest,
    readTo: offset + bytes.length,
    atEnd,
  }
}

/** Time of the record that ends at an offset: the shortest run of lines before it that is one. */
export async function timeOfRowBefore(
  file: FileHandle,
  range: { readonly bodyStart: number; readonly end: number },
  reader: RowReader,
): Promise<EpochMs | undefined> {
  if (!(await isRowEnd(file, range.end))) return undefined
  const start = Math.max(range.bodyStart, range.end - LONGEST_ROW)
  for (let from = Math.max(start, range.end - BLOCK); ; from = start) {
    const bytes = Buffer.allocUnsafe(range.end - from)
    if ((await fill(file, bytes, from)) < bytes.length) return undefined
    let end = bytes.length
    if (end > 0 && bytes[end - 1] === NEWLINE) end -= 1
    if (end > 0 && bytes[end - 1] === RETURN) end -= 1
    let lineStart = end
    for (let count = 0; count < MOST_LINES && lineStart > 0; count += 1) {
      // A search from -1 would begin at the end again.
      const newline = lineStart < 2 ? -1 : bytes.lastIndexOf(NEWLINE, lineStart - 2)
      if (newline === -1 && from > range.bodyStart) break
      lineStart = newline + 1
      const text = bytes.subarray(lineStart, end)
      const parsed = isUtf8(text) ? reader.parse(text.toString('utf8').replaceAll('\r\n', '\n')) : undefined
      if (parsed !== undefined && parsed !== 'open' && !('why' in parsed)) return parsed.time
    }
    if (from === start) return undefined
  }
}

/** Behind a newline, at the end of the file, or where the newline of a row read without one has come later. */
async function isRowEnd(file: FileHandle, offset: number): Promise<boolean> {
  const around = Buffer.alloc(2)
  const length = await fill(file, around, offset - 1)
  return length < 2 || around[0] === NEWLINE || around[1] === NEWLINE || around[1] === RETURN
}
