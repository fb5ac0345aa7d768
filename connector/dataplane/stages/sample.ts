/**
 * Stage 4, sample: two delivered records of a series are at least the agreed interval apart in event time.
 *
 * Which records are taken is a function of the source alone, never of the query: no combination of queries can
 * put finer data together. Time is cut into blocks aligned to the epoch; what happens in one block depends on the
 * records of that block only, so that a reader may begin cold at the start of any block.
 */
import type { EpochMs } from '../../core/types.js'
import { MOST_SERIES, tooManySeries } from './bounds.js'

const HOUR = 3_600_000
const LEAST_INTERVALS = 16
/**
 * Blocks of a series that stay open for late records. More than one, so that a single record stamped far in the
 * future does not silence its series. "The newest eight" is also the same set for every cold start.
 */
const OPEN_BLOCKS = 8

/** Length of a block: a multiple of the interval, at least an hour and at least 16 intervals. */
export const blockLength = (intervalMs: number): number =>
  Math.max(LEAST_INTERVALS, Math.ceil(HOUR / intervalMs)) * intervalMs

/** Start of the block that holds `time`. */
export const blockStart = (intervalMs: number, time: EpochMs): EpochMs => {
  const length = blockLength(intervalMs)
  return (Math.floor(time / length) * length) as EpochMs
}

type OpenBlock = { readonly block: number; next: number }

export type Sampler = {
  /** Offers the next record in source order; true when it is taken. Sees neither signals nor the query. */
  take(series: string, time: EpochMs): boolean
}

export function createSampler(intervalMs: number): Sampler {
  const length = blockLength(intervalMs)
  const bySeries = new Map<string, OpenBlock[]>()
  let recentSeries: string | undefined
  let recentBlocks: OpenBlock[] = []

  return {
    take(series, time) {
      if (series !== recentSeries) {
        const known = bySeries.get(series)
        recentBlocks = known ?? []
        if (known === undefined) {
          if (bySeries.size >= MOST_SERIES) throw tooManySeries(MOST_SERIES)
          bySeries.set(series, recentBlocks)
        }
        recentSeries = series
      }
      const block = Math.floor(time / length)
      const open = findOrOpen(recentBlocks, block)
      if (open === undefined || time < open.next) return false
      // The last interval of a block stays empty: whatever the next block takes is far enough away.
      if (time > (block + 1) * length - intervalMs) return false
      open.next = time + intervalMs
      return true
    },
  }
}

/** Newest first; undefined when the block is older than all that are open. */
function findOrOpen(blocks: OpenBlock[], block: number): OpenBlock | undefined {
  let at = 0
  for (; at < blocks.length; at++) {
    const open = blocks[at]
    if (open === undefined || open.block < block) break
    if (open.block === block) return open
  }
  if (at >= OPEN_BLOCKS) return undefined
  const opened: OpenBlock = { block, next: Number.NEGATIVE_INFINITY }
  blocks.splice(at, 0, opened)
  if (blocks.length > OPEN_BLOCKS) blocks.pop()
  return opened
}
