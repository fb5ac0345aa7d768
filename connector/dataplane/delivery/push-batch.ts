/** Collects shaped records into one body of NDJSON that is bounded by records, by bytes and by the time it may wait. */
import type { EpochMs } from '../../core/types.js'
import type { DataRecord } from '../record.js'
import type { Encode } from './encode.js'

export type BatchBounds = {
  readonly maxRecords: number
  /** A record that is longer goes alone. */
  readonly maxBytes: number
  /** How long a record may wait for others, milliseconds. */
  readonly lingerMs: number
}

export const DEFAULT_BOUNDS: BatchBounds = { maxRecords: 1000, maxBytes: 1024 * 1024, lingerMs: 1000 }

export type Batch = {
  readonly records: readonly DataRecord[]
  /** False when the record has to wait for the next batch. */
  add(record: DataRecord, now: EpochMs): boolean
  isFull(): boolean
  /** When the first record has waited long enough; undefined while there is none. */
  dueAt(): EpochMs | undefined
  /** The body of the first `count` records. */
  body(count: number): Buffer
}

export function createBatch(encode: Encode, bounds: BatchBounds): Batch {
  const records: DataRecord[] = []
  const lines: string[] = []
  let bytes = 0
  let begun: EpochMs | undefined
  return {
    records,
    add(record, now) {
      const line = `${encode(record)}\n`
      const size = Buffer.byteLength(line)
      if (records.length > 0 && bytes + size > bounds.maxBytes) {
        // Full, whatever the record that did not fit.
        bytes = bounds.maxBytes
        return false
      }
      records.push(record)
      lines.push(line)
      bytes += size
      begun ??= now
      return true
    },
    isFull: () => records.length >= bounds.maxRecords || bytes >= bounds.maxBytes,
    dueAt: () => (begun === undefined ? undefined : ((begun + bounds.lingerMs) as EpochMs)),
    body: (count) => Buffer.from(lines.slice(0, count).join('')),
  }
}
