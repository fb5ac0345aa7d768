/**
 * Stage 5, aggregate: the numbers of a window of event time, combined by the functions that the contract names. Windows are
 * aligned to the epoch. What a window holds is a function of the source alone: a reader that begins cold at the start
 * of a window gets the same, so that nothing has to be kept over a restart.
 *
 * The newest two windows are open. A record that begins a newer one closes the oldest, for all series at once; a record
 * that belongs to a window before the open ones is late and counts nowhere.
 */

import type { EpochMs } from '../../core/types.js'
import type { DataRecord, Scalar } from '../record.js'
import { seriesWith, tooManySeries } from './bounds.js'
import { scalarOf } from './project.js'
import type { Finish } from './round.js'

export const OPEN_WINDOWS = 2
/** A window with fewer values of a signal would say what single ones are: that signal is left out. */
export const LEAST_VALUES = 3
/** In the absence of a choice: nothing that shows a single value. */
export const DEFAULT_FUNCTIONS: readonly string[] = ['mean', 'count']

type Tally = { count: number; sum: number; min: number; max: number }
type OpenWindow = { readonly index: number; readonly series: Map<string, readonly Tally[]> }

export type Closed = { readonly record: DataRecord; readonly index: number; readonly nth: number }

export type Aggregator = {
  /** Offers the next record in source order; answers what the window gives that it closes, mostly nothing. */
  add(record: DataRecord): readonly Closed[]
}

export type Aggregation = {
  readonly windowMs: number
  /** Signals that are combined, by name. */
  readonly signals: readonly string[]
  readonly functions: readonly string[]
  readonly finish: Finish | undefined
  /** Combines over all series, and delivers nothing to which fewer have contributed. */
  readonly minGroup: number | undefined
}

/** Names of what is delivered: `temp.mean`. */
export const aggregateColumns = ({ signals, functions }: Pick<Aggregation, 'signals' | 'functions'>) =>
  signals.flatMap((name) => functions.map((fn) => `${name}.${fn}`))

export const windowIndex = (windowMs: number, time: number): number => Math.floor(time / windowMs)

const NONE: readonly Closed[] = []

export function createAggregator(aggregation: Aggregation): Aggregator {
  const { windowMs, signals } = aggregation
  const mostSeries = seriesWith(signals.length)
  /** Newest first. */
  const open: OpenWindow[] = []

  function windowOf(index: number): { readonly window?: OpenWindow; readonly closed?: OpenWindow } {
    let at = 0
    for (; at < open.length; at++) {
      const window = open[at]
      if (window === undefined || window.index < index) break
      if (window.index === index) return { window }
    }
    if (at >= OPEN_WINDOWS) return {}
    const window = { index, series: new Map<string, readonly Tally[]>() }
    open.splice(at, 0, window)
    const closed = open.length > OPEN_WINDOWS ? open.pop() : undefined
    return { window, ...(closed !== undefined && { closed }) }
  }

  return {
    add(record) {
      // What names no machine cannot count as one.
      if (aggregation.minGroup !== undefined && record.series === '') return NONE
      const { window, closed } = windowOf(windowIndex(windowMs, record.time))
      if (window === undefined) return NONE
      let tallies = window.series.get(record.series)
      if (tallies === undefined) {
        if (window.series.size >= mostSeries) throw tooManySeries(mostSeries)
        tallies = signals.map(() => ({ count: 0, sum: 0, min: Infinity, max: -Infinity }))
        window.series.set(record.series, tallies)
      }
      tallies.forEach((tally, at) => {
        const value = scalarOf(record.values, signals[at] ?? '')
        if (typeof value !== 'number' || !Number.isFinite(value)) return
        tally.count += 1
        tally.sum += value
        if (value < tally.min) tally.min = value
        if (value > tally.max) tally.max = value
      })
      return closed === undefined ? NONE : resultsOf(closed, record, aggregation)
    },
  }
}

function resultsOf(
  { index, series }: OpenWindow,
  { position }: DataRecord,
  m: Aggregation,
): readonly Closed[] {
  const results: Closed[] = []
  const all = m.minGroup === undefined ? series : new Map([['', pooled(series, m, m.minGroup)]])
  for (const [name, tallies] of all) {
    const time = (index * m.windowMs) as EpochMs
    const values = valuesOf(tallies, m, { series: name, time })
    if (values === undefined) continue
    const nth = results.length
    const record = { position: writePlace({ position, index, nth }), time, series: name, values }
    results.push({ record, index, nth })
  }
  return results
}

/** One value for each machine, its mean; a signal that too few machines have given has none. */
function pooled(series: OpenWindow['series'], { signals }: Aggregation, least: number): readonly Tally[] {
  return signals.map((_name, at) => {
    const means = [...series.values()].flatMap((tallies) => {
      const { count, sum } = tallies[at] ?? { count: 0, sum: 0 }
      return count === 0 ? [] : [sum / count]
    })
    const isGroup = means.length >= least
    return {
      count: isGroup ? means.length : 0,
      sum: means.reduce((sum, mean) => sum + mean, 0),
      min: Number.NaN,
      max: Number.NaN,
    }
  })
}

function valuesOf(
  tallies: readonly Tally[],
  { signals, functions, finish }: Aggregation,
  of: Pick<DataRecord, 'series' | 'time'>,
) {
  const values: Record<string, Scalar> = {}
  let isEmpty = true
  tallies.forEach((tally, at) => {
    if (tally.count < LEAST_VALUES) return
    for (const name of functions) {
      const exact = name === 'mean' ? tally.sum / tally.count : tally[name as keyof Tally]
      const signal = signals[at] ?? ''
      const column = `${signal}.${name}`
      // How many values there are is no value of the signal.
      const value =
        name === 'count' || finish === undefined ? exact : finish(exact, { signal, column, ...of })
      if (typeof value !== 'number' || !Number.isFinite(value)) continue
      values[column] = value
      isEmpty = false
    }
  })
  return isEmpty ? undefined : values
}

/** Where a reader of windows is: behind the nth result of the window that was closed by the record at a position. */
export type Place = { readonly position: string; readonly index: number; readonly nth: number }

export const writePlace = ({ position, index, nth }: Place): string =>
  `${position}~${index.toString(36)}.${nth.toString(36)}`

/** undefined for a position that is the source's own. */
export function readPlace(written: string): Place | undefined {
  const [, position, index = '', nth = ''] = /^(.+)~(-?[0-9a-z]{1,10})\.([0-9a-z]{1,4})$/.exec(written) ?? []
  return position === undefined
    ? undefined
    : { position, index: Number.parseInt(index, 36), nth: Number.parseInt(nth, 36) }
}
