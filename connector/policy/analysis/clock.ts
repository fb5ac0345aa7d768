/**
 * Times of day and weekdays follow from the instant of use. Whether some instant shows what the clocks on the wall must show
 * is found by trying: between two boundaries of a clock nothing changes, so one instant stands for all of them.
 */
import type { EpochMs } from '../../core/types.js'
import { addNum, between, compareNum, type Num, numOf } from '../odrl/num.js'
import type { Scalar } from '../odrl/scalar.js'
import { findZone } from '../zone.js'
import { bit, cellsOf, type Mask } from './axis.js'

export type Dial = {
  readonly kind: 'time' | 'weekday'
  /** Empty where no condition names one. */
  readonly zone: string
  readonly points: readonly Scalar[]
  readonly cells: Mask
}

export type Shown =
  | { readonly answer: 'yes'; readonly at: Scalar }
  /** `at` is missing where the stretch is long enough for anything and nobody knows the zone. */
  | { readonly answer: 'yes' | 'no' | 'unknown'; readonly at?: undefined }

const UNKNOWN: Shown = { answer: 'unknown' }

const DAY = 86_400n
/** Long enough for every weekday at every time of day, whatever summer time leaves out. */
const LONG = 22n * DAY
/** Where both winter and summer are looked for. */
const HALF_A_YEAR = 182n * DAY
/** 1 January 2026, when nothing else is asked for. */
const ANY_TIME = numOf(1_767_225_600n)

/** A stretch of time; open or closed at each end, endless where there is none. */
type Stretch = {
  readonly from?: Num
  readonly to?: Num
  readonly hasFrom: boolean
  readonly hasTo: boolean
}

/** @param cells of the axis of instants, whose points are `points`; undefined where every instant will do */
export function shows(points: readonly Scalar[], cells: Mask | undefined, dials: readonly Dial[]): Shown {
  const zones = new Set(dials.map(({ zone }) => zone))
  const stretches = cells === undefined ? [ENDLESS] : stretchesOf(points, cells)
  const isZoned = points.every((point) => point.kind === 'instant' && point.zoned)
  // Neither the instants nor the clocks say their zone, so both are read by the same clock.
  const isLocal = points.length > 0 && points.every((point) => point.kind === 'instant' && !point.zoned)
  const isReadable = zones.has('') ? isLocal && zones.size === 1 : isZoned
  if (!isReadable) return zones.size === 1 && stretches.some(isLong) ? { answer: 'yes' } : UNKNOWN
  let isCertain = true
  for (const stretch of stretches) {
    for (const window of windowsOf(stretch)) {
      const found = search(window, dials, isLocal)
      if (found === undefined) return UNKNOWN
      if (found !== 'none') return { answer: 'yes', at: { kind: 'instant', at: found, zoned: !isLocal } }
    }
    if (isLong(stretch)) isCertain = false
  }
  return isCertain ? { answer: 'no' } : UNKNOWN
}

const ENDLESS: Stretch = { hasFrom: false, hasTo: false }

function stretchesOf(points: readonly Scalar[], cells: Mask): readonly Stretch[] {
  const at = (index: number): Num | undefined => {
    const point = points[index]
    return point?.kind === 'instant' ? point.at : undefined
  }
  const runs: [number, number][] = []
  for (const cell of cellsOf(cells)) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === cell - 1) last[1] = cell
    else runs.push([cell, cell])
  }
  return runs.map(([first, last]) => {
    const [from, to] = [
      at(first % 2 === 1 ? (first - 1) / 2 : first / 2 - 1),
      at(last % 2 === 1 ? (last - 1) / 2 : last / 2),
    ]
    return {
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      hasFrom: first % 2 === 1,
      hasTo: last % 2 === 1,
    }
  })
}

const later = (at: Num, seconds: bigint): Num => addNum(at, numOf(seconds))

const isLong = ({ from, to }: Stretch): boolean =>
  from === undefined || to === undefined || compareNum(to, later(from, LONG)) > 0

/** The whole of a short stretch, and two samples of a long one. */
function windowsOf(stretch: Stretch): readonly Required<Stretch>[] {
  const { from, to, hasFrom, hasTo } = stretch
  if (from !== undefined && to !== undefined && !isLong(stretch)) return [{ from, to, hasFrom, hasTo }]
  const start = from ?? (to === undefined ? ANY_TIME : later(to, -LONG))
  const direction = from === undefined && to !== undefined ? -1n : 1n
  const samples = [0n, HALF_A_YEAR].map((shift) => later(start, direction * shift))
  return samples
    .filter((first) => to === undefined || compareNum(later(first, LONG), to) <= 0)
    .map((first) => ({ from: first, to: later(first, LONG), hasFrom: false, hasTo: false }))
}

/** An instant in the window at which every dial is where it must be; undefined when a zone is not known. */
function search(
  window: Required<Stretch>,
  dials: readonly Dial[],
  isLocal: boolean,
): Num | 'none' | undefined {
  const read = dials.map((dial) => ({ dial, segments: segmentsOf(window, isLocal ? undefined : dial.zone) }))
  const boundaries: Num[] = [window.from, window.to]
  for (const { dial, segments } of read) {
    if (segments === undefined) return undefined
    for (const segment of segments) boundaries.push(...boundariesIn(segment, dial))
  }
  const inside = boundaries
    .filter((at) => compareNum(at, window.from) >= 0 && compareNum(at, window.to) <= 0)
    .sort(compareNum)
  const candidates = inside.flatMap((at, index) => {
    const next = inside[index + 1]
    return next === undefined || compareNum(at, next) === 0 ? [at] : [at, between(at, next)]
  })
  const isIn = (at: Num): boolean =>
    (window.hasFrom || compareNum(at, window.from) > 0) && (window.hasTo || compareNum(at, window.to) < 0)
  const found = candidates.find(
    (at) => isIn(at) && read.every(({ dial, segments }) => isShown(dial, at, segments ?? [])),
  )
  return found ?? 'none'
}

/** Seconds from which on a clock is ahead of UTC by so many seconds. */
type Segment = { readonly from: bigint; readonly to: bigint; readonly ahead: bigint }

const floor = ({ n, scale }: Num): bigint => {
  const unit = 10n ** BigInt(scale)
  return n >= 0n || n % unit === 0n ? n / unit : n / unit - 1n
}

function segmentsOf(
  { from, to }: Required<Stretch>,
  zone: string | undefined,
): readonly Segment[] | undefined {
  const [first, last] = [floor(from) - 1n, floor(to) + 2n]
  if (zone === undefined) return [{ from: first, to: last, ahead: 0n }]
  const clock = findZone(zone)
  if (clock === undefined || [first, last].some((at) => at < -MOST || at > MOST)) return undefined
  const aheadAt = (at: bigint): bigint => {
    const { day, ofDay } = clock.local((Number(at) * 1000) as EpochMs)
    return BigInt(day) * DAY + BigInt(Math.floor(ofDay / 1000)) - at
  }
  const segments: Segment[] = []
  let start = first
  let ahead = aheadAt(first)
  for (let at = first; at < last; at += DAY) {
    const end = at + DAY < last ? at + DAY : last
    const after = aheadAt(end)
    if (after === ahead) continue
    let [low, high] = [at, end]
    while (high - low > 1n) {
      const middle = (low + high) / 2n
      if (aheadAt(middle) === ahead) low = middle
      else high = middle
    }
    segments.push({ from: start, to: high, ahead })
    start = high
    ahead = after
  }
  return [...segments, { from: start, to: last, ahead }]
}

/** Seconds from 1970 that a clock here can tell. */
const MOST = 8_640_000_000_000n

const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n || a % b === 0n ? a / b : a / b - 1n)

/** Midnights, the times of day that conditions name, and the instant at which the clock is put forward or back. */
function boundariesIn({ from, to, ahead }: Segment, { points }: Dial): readonly Num[] {
  const times = points.flatMap((point) => (point.kind === 'time' ? [point.at] : []))
  const found: Num[] = [numOf(from)]
  for (let day = floorDiv(from + ahead, DAY); day <= floorDiv(to + ahead, DAY); day += 1n) {
    const midnight = numOf(day * DAY - ahead)
    for (const at of [midnight, ...times.map((time) => addNum(midnight, time))]) {
      if (compareNum(at, numOf(from)) >= 0 && compareNum(at, numOf(to)) < 0) found.push(at)
    }
  }
  return found
}

function isShown(dial: Dial, at: Num, segments: readonly Segment[]): boolean {
  const second = floor(at)
  const segment = segments.find(({ from, to }) => second >= from && second < to)
  if (segment === undefined) return false
  const local = later(at, segment.ahead)
  const day = floorDiv(floor(local), DAY)
  if (dial.kind === 'weekday') {
    // 1 January 1970 was a Thursday.
    const weekday = ((((day + 3n) % 7n) + 7n) % 7n) + 1n
    return (dial.cells & bit(cellOf(dial.points, numOf(weekday)))) !== 0n
  }
  return (dial.cells & bit(cellOf(dial.points, later(local, -day * DAY)))) !== 0n
}

/** The cell of an ordered axis in which a value lies. */
function cellOf(points: readonly Scalar[], value: Num): number {
  for (const [index, point] of points.entries()) {
    const order = 'at' in point ? compareNum(value, point.at) : 0
    if (order === 0) return index * 2 + 1
    if (order < 0) return index * 2
  }
  return points.length * 2
}
