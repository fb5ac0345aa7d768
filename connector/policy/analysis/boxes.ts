/**
 * Sets of uses as unions of boxes: a box has a set of cells on each axis. Exact set algebra with a bound on the number of
 * boxes; whoever exceeds it gets no answer instead of a wrong or a late one.
 */
import { type Mask, TooComplex } from './axis.js'

/** The cells on each axis; undefined where the axis is not restricted. */
export type Box = readonly (Mask | undefined)[]
/** A union. Empty means nothing, one box without restrictions means everything. */
export type Region = readonly Box[]

export const MAX_BOXES = 4096

/** Steps of one operation: beyond it an answer comes too late to be one. */
const MAX_WORK = 20_000_000

const affordable = (steps: number): void => {
  if (steps > MAX_WORK) throw new TooComplex()
}

const widthOf = (boxes: Region): number => boxes.reduce((most, box) => Math.max(most, box.length), 1)

export const NOTHING: Region = []
export const EVERYTHING: Region = [[]]

/** Cells on axes in all boxes of a region: many axes leave room for fewer boxes. */
const MAX_CELLS = 100_000

const bounded = (boxes: Region): Region => {
  if (boxes.length > MAX_BOXES || boxes.length * widthOf(boxes) > MAX_CELLS) throw new TooComplex()
  return boxes
}

/** One box that restricts one axis. */
export function slab(axis: number, cells: Mask): Region {
  if (cells === 0n) return NOTHING
  const box: (Mask | undefined)[] = []
  for (let index = 0; index < axis; index += 1) box.push(undefined)
  box.push(cells)
  return [box]
}

function meet(a: Box, b: Box): Box | undefined {
  const box: (Mask | undefined)[] = []
  for (let axis = 0; axis < Math.max(a.length, b.length); axis += 1) {
    const [x, y] = [a[axis], b[axis]]
    const cells = x === undefined ? y : y === undefined ? x : x & y
    if (cells === 0n) return undefined
    box.push(cells)
  }
  return box
}

export function intersect(a: Region, b: Region): Region {
  if (a === EVERYTHING) return b
  if (b === EVERYTHING) return a
  affordable(a.length * b.length * Math.max(widthOf(a), widthOf(b)))
  const boxes: Box[] = []
  for (const x of a) {
    for (const y of b) {
      const both = meet(x, y)
      if (both !== undefined) boxes.push(both)
    }
    bounded(boxes)
  }
  return joined(boxes)
}

export function unite(regions: readonly Region[]): Region {
  if (regions.some((region) => region === EVERYTHING)) return EVERYTHING
  return bounded(joined(regions.flat()))
}

/** Boxes that differ on one axis only are one box. */
function joined(boxes: Region): Region {
  if (boxes.length < 2) return boxes
  const axes = widthOf(boxes)
  const restricted = Array.from(
    { length: axes },
    (_, axis) => boxes.filter((box) => box[axis] !== undefined).length,
  )
  const shared = restricted.flatMap((count, axis) => (count > 1 ? [axis] : []))
  // Joining saves work later; where it would be work itself, boxes stay as they are.
  if (shared.length * boxes.length * axes > MAX_WORK / 20) return boxes
  let current = boxes
  for (const axis of shared) {
    const byRest = new Map<string, Box>()
    for (const box of current) {
      const rest = restOf(box, axis)
      const twin = byRest.get(rest)
      byRest.set(rest, twin === undefined ? box : widened(twin, box, axis))
    }
    current = [...byRest.values()]
  }
  return current
}

const restOf = (box: Box, axis: number): string =>
  box
    .map((cells, at) => (at === axis || cells === undefined ? '' : cells.toString(36)))
    .join('|')
    .replace(/\|+$/, '')

function widened(a: Box, b: Box, axis: number): Box {
  const [x, y] = [a[axis], b[axis]]
  const box = [...(a.length >= b.length ? a : b)]
  box[axis] = x === undefined || y === undefined ? undefined : x | y
  return box
}

/** @param full the possible cells of each axis */
export function subtract(a: Region, b: Region, full: readonly Mask[]): Region {
  let left = a
  for (const hole of b) {
    affordable(left.length * b.length * hole.length)
    left = bounded(joined(left.flatMap((box) => without(box, hole, full))))
  }
  return left
}

/** What is left of a box: for each axis the part beside the hole, on the axes before it the part within. */
function without(box: Box, hole: Box, full: readonly Mask[]): readonly Box[] {
  if (meet(box, hole) === undefined) return [box]
  const pieces: Box[] = []
  const inside: (Mask | undefined)[] = [...box]
  for (let axis = 0; axis < hole.length; axis += 1) {
    const cut = hole[axis]
    if (cut === undefined) continue
    const own = inside[axis] ?? full[axis] ?? 0n
    const beside = own & ~cut
    if (beside !== 0n) {
      const piece = [...inside]
      piece[axis] = beside
      pieces.push(piece)
    }
    inside[axis] = own & cut
  }
  return pieces
}
