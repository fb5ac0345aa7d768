/**
 * An axis is one left operand cut into cells, so that every condition on it is a set of cells and questions about
 * infinitely many values become questions about a few. Sets of cells are bit masks.
 */
import type { Atom } from '../odrl/policy.js'
import type { Scalar } from '../odrl/scalar.js'

export type Mask = bigint

/** Where a condition holds for sure, and where it may hold. Both are the same wherever nothing is in doubt. */
export type Holding = { readonly must: Mask; readonly may: Mask }

export type Axis = {
  readonly name: string
  /** Cells that may have a value in them. */
  readonly possible: Mask
  /** Cells that have a value in them for sure. */
  readonly sure: Mask
  /** Sets of cells of which at least one has a value in it for sure. */
  readonly groups: readonly Mask[]
  /** Of an ordered axis: cell 2i is the gap before point i, cell 2i+1 the point, the last one the gap behind all. */
  readonly points?: readonly Scalar[]
  /** Undefined for a condition the axis was not made for. */
  readonly holding: (atom: Atom) => Holding | undefined
  /** A value from one of the cells, as text; undefined when nobody can name one. */
  readonly witness: (cells: Mask) => string | undefined
}

export const bit = (index: number): Mask => 1n << BigInt(index)
/** The first `count` cells. */
export const firstCells = (count: number): Mask => bit(count) - 1n

export const exactly = (mask: Mask): Holding => ({ must: mask, may: mask })

/** Indices of the cells in a mask, from the lowest. */
export function cellsOf(mask: Mask): readonly number[] {
  const cells: number[] = []
  let rest = mask
  for (let index = 0; rest > 0n; index += 1, rest >>= 1n) if ((rest & 1n) === 1n) cells.push(index)
  return cells
}

export const lowestCell = (mask: Mask): number => cellsOf(mask & -mask)[0] ?? -1
export const highestCell = (mask: Mask): number => mask.toString(2).length - 1

/**
 * The same condition wherever it stands: operator and values decide, not the place. What is not understood is the same
 * only as itself.
 */
export const atomKey = ({ operator, values, unknown, path }: Atom): string =>
  JSON.stringify([
    operator,
    values.map(({ text, datatype }) => [text, datatype ?? '']).sort(),
    unknown.length > 0 ? path : '',
  ])

/** More than this many boxes or cells, and the answer is that nobody knows. */
export class TooComplex extends Error {}
