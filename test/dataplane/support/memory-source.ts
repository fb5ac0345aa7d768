/** A RecordSource in memory whose batches, failures and reading the test decides. */
import { ok, problem, type Result } from '../../../connector/core/result.js'
import type { EpochMs } from '../../../connector/core/types.js'
import { type ReadQuery, type RecordSource, SourceError } from '../../../connector/dataplane/ports.js'
import type { DataRecord, Scalar } from '../../../connector/dataplane/record.js'

export type MemorySource = RecordSource & {
  append(...records: readonly DataRecord[]): void
  /** Records handed to readers so far, all readings together. */
  handed(): number
  /** Reading fails when it reaches this index. */
  failAt(index: number): void
}

export type MemoryOptions = {
  readonly batch?: number
  /** Which earlier records it leaves out when asked with `from`; a source may choose any. */
  readonly leavesOut?: 'all' | 'some' | 'none'
  readonly tellsEnd?: boolean
  /** Gives the beginning of a read at once as well. */
  readonly takes?: boolean
}

export function memorySource(initial: readonly DataRecord[] = [], options: MemoryOptions = {}): MemorySource {
  const { batch = 100, leavesOut = 'all', tellsEnd = true, takes = false } = options
  const records = [...initial]
  const waiting = new Set<() => void>()
  let handed = 0
  let failing = Number.POSITIVE_INFINITY

  const beginOf = (after: string | undefined): number =>
    after === undefined ? 0 : records.findIndex((record) => record.position === after) + 1

  const failAbove = (end: number): void => {
    if (end > failing) {
      throw new SourceError({ code: 'SourceUnavailable', message: 'disk /srv/secret is gone' })
    }
  }

  const hint = (part: readonly DataRecord[], from: EpochMs | undefined): readonly DataRecord[] =>
    part.filter(
      (one) =>
        from === undefined ||
        one.time >= from ||
        leavesOut === 'none' ||
        (leavesOut === 'some' && Number(one.position.slice(1)) % 3 === 0),
    )

  async function* read({ after, from, signal }: ReadQuery): AsyncGenerator<readonly DataRecord[]> {
    for (let at = beginOf(after); at < records.length && !signal.aborted; at += batch) {
      failAbove(at + batch)
      const part = records.slice(at, at + batch)
      handed += part.length
      const hinted = hint(part, from)
      if (hinted.length > 0) yield hinted
    }
  }

  const take: NonNullable<RecordSource['take']> = ({ after, from, about }) => {
    const taken = hint(records.slice(beginOf(after)), from).slice(0, about)
    failAbove(beginOf(taken.at(-1)?.position))
    handed += taken.length
    return taken
  }

  return {
    kind: 'records',
    read,
    ...(takes && { take }),
    changed: (signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        if (signal.aborted) return resolve()
        waiting.add(done)
        signal.addEventListener('abort', done)
      }),
    timeOf: async (position): Promise<Result<EpochMs>> => {
      const record = records.find((one) => one.position === position)
      return record === undefined ? problem('RangeInvalid', 'no such position') : ok(record.time)
    },
    ...(tellsEnd && { end: async () => ok(records.at(-1)?.position) }),
    append: (...more) => {
      records.push(...more)
      for (const wake of [...waiting]) wake()
    },
    handed: () => handed,
    failAt: (index) => {
      failing = index
    },
  }
}

/** A record at position p<n>. */
export const record = (
  n: number,
  time: number,
  values: Record<string, Scalar> = { temp: n },
  series = '',
): DataRecord => ({ position: `p${n}`, time: time as EpochMs, series, values })
