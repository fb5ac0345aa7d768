/**
 * How two sets of uses lie to each other: contained, overlapping, apart. Each question has three answers, and "unknown"
 * is one of them; a "no" comes with a use that shows it.
 */

import { intersect } from './boxes.js'
import type { Extent, Space } from './space.js'

export type Answer = 'yes' | 'no' | 'unknown'
export type Witness = Readonly<Record<string, string>>

export type Relation =
  | 'equal'
  | 'stricter'
  | 'looser'
  | 'disjoint'
  | 'conflicting'
  | 'incomparable'
  | 'unknown'

export type Position = {
  readonly relation: Exclude<Relation, 'conflicting'>
  /** Everything the first allows, the second allows. */
  readonly aWithinB: Answer
  readonly bWithinA: Answer
  /** Some use is allowed by both. */
  readonly overlap: Answer
  readonly onlyA?: Witness
  readonly onlyB?: Witness
  readonly both?: Witness
}

export type Found = { readonly answer: Answer; readonly witness?: Witness }

/** Whether anything is in the extent at all. */
export function exists(space: Space, extent: Extent): Found {
  const box = space.sureBox(extent.must)
  if (box !== undefined) return { answer: 'yes', witness: space.witness(box) }
  return { answer: space.isEmpty(extent.may) ? 'no' : 'unknown' }
}

/** Whether the first is part of the second; the witness shows a use that is not. */
export function within(space: Space, a: Extent, b: Extent): Found {
  if (space.isEmpty(space.subtract(a.may, b.must))) return { answer: 'yes' }
  const box = space.sureBox(space.subtract(a.must, b.may))
  return box === undefined ? { answer: 'unknown' } : { answer: 'no', witness: space.witness(box) }
}

export const overlap = (space: Space, a: Extent, b: Extent): Found =>
  exists(space, { must: intersect(a.must, b.must), may: intersect(a.may, b.may) })

export function position(space: Space, a: Extent, b: Extent): Position {
  const [ab, ba, both] = [within(space, a, b), within(space, b, a), overlap(space, a, b)]
  return {
    relation: relationOf(ab.answer, ba.answer, both.answer),
    aWithinB: ab.answer,
    bWithinA: ba.answer,
    overlap: both.answer,
    ...(ab.witness !== undefined && { onlyA: ab.witness }),
    ...(ba.witness !== undefined && { onlyB: ba.witness }),
    ...(both.witness !== undefined && { both: both.witness }),
  }
}

function relationOf(ab: Answer, ba: Answer, both: Answer): Position['relation'] {
  if (ab === 'yes' && ba === 'yes') return 'equal'
  if (ab === 'yes' && ba === 'no') return 'stricter'
  if (ab === 'no' && ba === 'yes') return 'looser'
  if (both === 'no') return 'disjoint'
  return ab === 'no' && ba === 'no' && both === 'yes' ? 'incomparable' : 'unknown'
}

/** The use that shows the relation best. */
export function telling(position: Position): Witness | undefined {
  switch (position.relation) {
    case 'stricter':
      return position.onlyB
    case 'looser':
      return position.onlyA
    case 'equal':
      return position.both
    case 'incomparable':
      return position.onlyA
    case 'disjoint':
      return position.onlyA ?? position.onlyB
    case 'unknown':
      return undefined
  }
}
