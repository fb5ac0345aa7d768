/**
 * The axis of values with an order: the values that conditions mention are points, between them lie gaps. Cell 2i is the
 * gap before point i, cell 2i+1 the point itself, the last cell the gap behind all of them.
 */
import { addNum, between, compareNum, isInteger, type Num, numOf } from '../odrl/num.js'
import type { Atom } from '../odrl/policy.js'
import { compareDurations, type Scalar, scalarText } from '../odrl/scalar.js'
import { type Axis, atomKey, bit, cellsOf, exactly, firstCells, type Holding, type Mask } from './axis.js'

/** What is known about the values of a left operand besides their order. */
export type Range = {
  /** The left operand is known, so that what follows is certain. */
  readonly known: boolean
  readonly integer: boolean
  readonly least: 0 | undefined
  /** Beyond it nobody is sure that there are values. */
  readonly most?: number
  /** All values there are, when they are few. */
  readonly only?: readonly number[]
}

/** Undefined where the order of two values depends on the calendar or on an unknown time zone. */
export function compareScalars(a: Scalar, b: Scalar): number | undefined {
  if (a.kind === 'duration' || b.kind === 'duration') {
    return a.kind === b.kind && a.kind === 'duration' && b.kind === 'duration'
      ? compareDurations(a, b)
      : undefined
  }
  return a.kind === b.kind ? compareNum(a.at, b.at) : undefined
}

const FOURTEEN_HOURS = numOf(14n * 3600n)

/** Times with and without a zone can be put in one order only when they are more than 14 hours apart. */
function zonesMatter(points: readonly Scalar[]): boolean {
  const instants = points.filter((point) => point.kind === 'instant')
  const zoned = instants.filter((point) => point.zoned)
  const local = instants.filter((point) => !point.zoned)
  return zoned.some((a) =>
    local.some((b) => {
      const [low, high] = compareNum(a.at, b.at) < 0 ? [a.at, b.at] : [b.at, a.at]
      return compareNum(high, addNum(low, FOURTEEN_HOURS)) <= 0
    }),
  )
}

/** The instants at which a value begins and, for a stretch of time, ends. */
export const pointsOf = (scalar: Scalar): readonly Scalar[] =>
  scalar.kind === 'instant' && scalar.to !== undefined
    ? [
        { kind: 'instant', at: scalar.at, zoned: scalar.zoned },
        { kind: 'instant', at: scalar.to, zoned: scalar.zoned },
      ]
    : [scalar]

/** Sorted and each once; undefined when they have no common order. */
export function sortedPoints(points: readonly Scalar[]): readonly Scalar[] | undefined {
  if (new Set(points.map(({ kind }) => kind)).size > 1 || zonesMatter(points)) return undefined
  let isTotal = true
  const sorted = [...points].sort((a, b) => {
    const order = compareScalars(a, b)
    if (order === undefined) isTotal = false
    return order ?? 0
  })
  // Sorting compares some pairs only, and a partial order need not show in those.
  if (sorted[0]?.kind === 'duration') {
    isTotal &&= sorted.every((a, i) => sorted.slice(i + 1).every((b) => (compareScalars(a, b) ?? 1) <= 0))
  }
  if (!isTotal) return undefined
  return sorted.filter(
    (point, index) => index === 0 || compareScalars(sorted[index - 1] ?? point, point) !== 0,
  )
}

const SINGLE = new Set(['lt', 'lteq', 'gt', 'gteq', 'eq', 'neq'])
const SETS = new Set(['isAnyOf', 'isNoneOf', 'isAllOf'])

/** Whether the operator and the values speak of an order at all. */
export const isOrdered = ({ operator, values }: Atom): boolean =>
  values.every(({ scalar }) => scalar !== undefined) &&
  (SINGLE.has(operator) || operator === 'isAllOf'
    ? values.length === 1
    : SETS.has(operator) && values.length > 0)

/** @param points all values that conditions mention, and those of an axis that shares the order */
export function orderedAxis(
  name: string,
  atoms: readonly Atom[],
  points: readonly Scalar[],
  range: Range,
): Axis {
  const size = points.length * 2 + 1
  const all = firstCells(size)
  const indexOf = (scalar: Scalar): number => {
    let [low, high] = [0, points.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const order = compareScalars(points[middle] ?? scalar, scalar) ?? 0
      if (order === 0) return middle * 2 + 1
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    throw new TypeError(`the axis ${name} lacks a point`)
  }
  const maskOf = (scalar: Scalar, operator: string): Mask => {
    const [from, to] = pointsOf(scalar)
    const low = from === undefined ? 0 : indexOf(from)
    // The end of a stretch of time is not part of it, so it is cut just before.
    const high = to === undefined ? low : indexOf(to) - 1
    const below = firstCells(low)
    const upTo = firstCells(high + 1)
    const masks: Readonly<Record<string, Mask>> = {
      lt: below,
      lteq: upTo,
      gt: all & ~upTo,
      gteq: all & ~below,
      eq: upTo & ~below,
      neq: all & ~(upTo & ~below),
    }
    return masks[operator] ?? 0n
  }
  const holdings = new Map<string, Holding>(
    atoms.map((atom) => {
      const { operator, values } = atom
      const union = (operation: string): Mask =>
        values.reduce(
          (mask, { scalar }) => (scalar === undefined ? mask : mask | maskOf(scalar, operation)),
          0n,
        )
      const mask = SINGLE.has(operator)
        ? union(operator)
        : operator === 'isNoneOf'
          ? all & ~union('eq')
          : union('eq')
      return [atomKey(atom), exactly(mask)]
    }),
  )
  const { possible, sure } = existence(points, range)
  return {
    name,
    possible,
    sure,
    groups: [],
    points,
    holding: (atom) => holdings.get(atomKey(atom)),
    witness: (cells) => witness(points, cells, range),
  }
}

const ZERO = numOf(0n)

/** Numbers only: the order of everything else is dense and open at both ends. */
const numberAt = (scalar: Scalar | undefined): Num | undefined => {
  if (scalar?.kind === 'number' || scalar?.kind === 'time') return scalar.at
  return scalar?.kind === 'duration' && scalar.months === 0n ? scalar.seconds : undefined
}

function existence(
  points: readonly Scalar[],
  range: Range,
): { readonly possible: Mask; readonly sure: Mask } {
  const fractional = points.some((point) => point.kind === 'number' && !isInteger(point.at))
  let possible = 0n
  let sure = 0n
  for (let cell = 0; cell <= points.length * 2; cell += 1) {
    const [can, does] =
      cell % 2 === 1
        ? pointExists(points[(cell - 1) / 2], range)
        : gapExists(points[cell / 2 - 1], points[cell / 2], range, fractional)
    if (can) possible |= bit(cell)
    if (can && does) sure |= bit(cell)
  }
  return { possible, sure }
}

type Exists = readonly [possible: boolean, sure: boolean]

const isBeyond = (value: Num, most: number | undefined): boolean =>
  most !== undefined && compareNum(value, numOf(BigInt(most))) > 0

function pointExists(point: Scalar | undefined, { integer, least, most, only }: Range): Exists {
  const value = numberAt(point)
  if (point?.kind === 'duration' && point.months < 0n && least !== undefined) return [false, false]
  if (value === undefined) return [true, true]
  // No clock ever shows 24:00:00, unless midnight is meant by it.
  if (point?.kind === 'time' && compareNum(value, numOf(86_400n)) >= 0) return [true, false]
  if (only !== undefined) return [only.some((one) => compareNum(numOf(BigInt(one)), value) === 0), true]
  if (least !== undefined && compareNum(value, ZERO) < 0) return [false, false]
  return [!integer || isInteger(value), !isBeyond(value, most)]
}

const floor = ({ n, scale }: Num): bigint => {
  const unit = 10n ** BigInt(scale)
  return n >= 0n || n % unit === 0n ? n / unit : n / unit - 1n
}

const hasInteger = (low: Num, high: Num): boolean => compareNum(numOf(floor(low) + 1n), high) < 0

/** @param fractional a fraction is mentioned, so that values need not be whole */
function gapExists(
  before: Scalar | undefined,
  after: Scalar | undefined,
  range: Range,
  fractional: boolean,
): Exists {
  if (range.only !== undefined) return [false, false]
  const [low, high] = [numberAt(before), numberAt(after)]
  if (after === undefined) {
    const isDayOver = before?.kind === 'time' && low !== undefined && compareNum(low, numOf(86_400n)) >= 0
    const reaches =
      range.most === undefined || (low !== undefined && compareNum(low, numOf(BigInt(range.most))) < 0)
    return isDayOver ? [false, false] : [true, reaches]
  }
  if (before === undefined) {
    if (after.kind === 'duration' && after.months > 0n) return [true, true]
    if (high === undefined) return [true, true]
    const positive = compareNum(high, ZERO) > 0
    // Below zero nobody knows of a left operand that is not known whether it has values there.
    return range.least === undefined ? [true, positive || range.known] : [positive, positive]
  }
  if (low === undefined || high === undefined) return [true, true]
  if (range.least !== undefined && compareNum(high, ZERO) <= 0) return [false, false]
  if (after.kind !== 'number') return [true, true]
  const whole = hasInteger(low, high)
  const reaches = range.most === undefined || compareNum(low, numOf(BigInt(range.most))) < 0
  return range.integer ? [whole, whole] : [true, reaches && (whole || range.known || fractional)]
}

function witness(points: readonly Scalar[], cells: Mask, range: Range): string | undefined {
  const found = cellsOf(cells)
  const point = found.find((cell) => cell % 2 === 1)
  if (point !== undefined) {
    const scalar = points[(point - 1) / 2]
    return scalar === undefined ? undefined : scalarText(scalar)
  }
  const [gap] = found
  if (gap === undefined) return undefined
  const value = inGap(points[gap / 2 - 1], points[gap / 2], range)
  return value === undefined ? undefined : scalarText(value)
}

const DAY = numOf(86_400n)
const negative = ({ n, scale }: Num): Num => ({ n: -n, scale })

/** A value strictly between, whole where the values are whole. */
function inGap(before: Scalar | undefined, after: Scalar | undefined, range: Range): Scalar | undefined {
  const near = before ?? after
  if (near === undefined) return undefined
  const [low, high] = [plain(before), plain(after)]
  if (low === undefined && high === undefined) return undefined
  if (
    near.kind === 'duration' &&
    before?.kind === 'duration' &&
    after?.kind === 'duration' &&
    before.months !== after.months
  ) {
    return undefined
  }
  const step = near.kind === 'instant' ? DAY : numOf(1n)
  const at = choose(low, high, step, range)
  if (near.kind === 'instant') return { kind: 'instant', at, zoned: near.zoned }
  if (near.kind === 'duration') return { kind: 'duration', months: near.months, seconds: at }
  return { kind: near.kind, at }
}

const plain = (scalar: Scalar | undefined): Num | undefined =>
  scalar === undefined ? undefined : scalar.kind === 'duration' ? scalar.seconds : scalar.at

function choose(low: Num | undefined, high: Num | undefined, step: Num, range: Range): Num {
  if (low !== undefined && high !== undefined) {
    return hasInteger(low, high) ? numOf(floor(low) + 1n) : between(low, high)
  }
  if (low !== undefined) return range.integer ? numOf(floor(low) + 1n) : addNum(low, step)
  const end = high ?? ZERO
  const under = addNum(end, negative(step))
  if (range.integer) return numOf(isInteger(end) ? floor(end) - 1n : floor(end))
  const belowZero = compareNum(under, ZERO) < 0 && compareNum(end, ZERO) > 0
  return belowZero ? between(ZERO, end) : under
}
