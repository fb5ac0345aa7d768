/** Cuts an answer into whole records, so that what was received ends at a record whenever it breaks off. */

export type RecordCut = {
  /** All whole records so far that were not given out yet; undefined when a record is longer than any may be. */
  push(chunk: Buffer): Buffer | undefined
  /** What is left at a proper end: a last record without a line end gets one. */
  end(): Buffer
  readonly records: number
  readonly lastId: string | undefined
}

/** Longest record, bytes. */
const MAX_RECORD = 16 * 1024 * 1024
const NEWLINE = 0x0a
const QUOTE = 0x22
const NOTHING = Buffer.alloc(0)

/** @param withHead false leaves out the header line of a CSV answer that goes on with an earlier one. */
export function createRecordCut(format: 'ndjson' | 'csv', withHead = true): RecordCut {
  let rest: Buffer = NOTHING
  /** Bytes of `rest` that were looked at. */
  let seen = 0
  let inQuotes = false
  let headOpen = format === 'csv'
  let records = 0
  let last: Buffer = NOTHING

  /** RFC 4180: a line end between quotes belongs to the field. */
  const nextEnd = (data: Buffer, from: number): number => {
    if (format === 'ndjson') return data.indexOf(NEWLINE, from)
    for (let i = from; i < data.length; i++) {
      const byte = data[i]
      if (byte === QUOTE) inQuotes = !inQuotes
      else if (byte === NEWLINE && !inQuotes) return i
    }
    return -1
  }

  const cut = (data: Buffer): { readonly whole: Buffer; readonly rest: Buffer } => {
    let start = 0
    let from = 0
    for (let end = nextEnd(data, seen); end !== -1; end = nextEnd(data, end + 1)) {
      if (headOpen) {
        headOpen = false
        if (!withHead) from = end + 1
      } else if (end > start) {
        records += 1
        last = data.subarray(start, end)
      }
      start = end + 1
    }
    // Copied: the next chunk must not keep the whole of this one alive.
    last = Buffer.from(last)
    return { whole: data.subarray(from, start), rest: Buffer.from(data.subarray(start)) }
  }

  return {
    push(chunk) {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const { whole, rest: open } = cut(data)
      rest = open
      seen = open.length
      return open.length > MAX_RECORD ? undefined : whole
    },
    end() {
      if (rest.length === 0) return NOTHING
      const data = Buffer.concat([rest, Buffer.from([NEWLINE])])
      const { whole } = cut(data)
      rest = NOTHING
      seen = 0
      return whole
    },
    get records() {
      return records
    },
    get lastId() {
      return last.length === 0 ? undefined : idOf(last.toString('utf8'), format)
    },
  }
}

function idOf(record: string, format: 'ndjson' | 'csv'): string | undefined {
  if (format === 'csv') return record.split(',', 1)[0]
  try {
    const value: unknown = JSON.parse(record)
    const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined
    return typeof id === 'string' ? id : undefined
  } catch {
    // A line that is no record has no place to go on from; the one before it has.
    return undefined
  }
}

/** The same records as the inside of a JSON array; the brackets are written by whoever knows the two ends. */
export const asArrayItems = (lines: Buffer, isFirst: boolean): Buffer =>
  lines.length === 0
    ? lines
    : Buffer.from((isFirst ? '[' : ',\n') + lines.toString('utf8').trimEnd().replaceAll('\n', ',\n'))

export const arrayEnd = (isEmpty: boolean): Buffer => Buffer.from(isEmpty ? '[]\n' : ']\n')
