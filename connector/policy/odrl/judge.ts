/**
 * Whether a condition holds: Kleene's logic over three values, so that a missing fact, a value of another kind or an
 * operator nobody knows never counts as met.
 */

import { MDP, ODRL } from '../model.js'
import { operandOf } from '../registry.js'
import { numOf } from './num.js'
import { inOwnTerms } from './own-terms.js'
import type { Atom, Condition, Logic, Value } from './policy.js'
import { later, type Place, placeOf, type Scalar, type Tri } from './scalar.js'
import { conceptOf, isWithin } from './taxonomy.js'
import type { World } from './world.js'

export type Judged = {
  readonly condition: Condition
  readonly holds: Tri
  /** What the left operand is, where it is known. */
  readonly actual: readonly Value[] | undefined
  readonly parts: readonly Judged[]
}

const NONE: readonly never[] = []

/** Precedence of and: one false decides, then one unknown. */
export function allOf(values: readonly Tri[]): Tri {
  if (values.includes(false)) return false
  return values.includes(undefined) ? undefined : true
}
export function anyOf(values: readonly Tri[]): Tri {
  if (values.includes(true)) return true
  return values.includes(undefined) ? undefined : false
}
export const not = (value: Tri): Tri => (value === undefined ? undefined : !value)

/** Exactly one: several true ones decide, whatever else is unknown. */
function oneOf(values: readonly Tri[]): Tri {
  const holding = values.filter((value) => value === true).length
  if (holding > 1) return false
  return values.includes(undefined) ? undefined : holding === 1
}

/** @param zone of times of day, when the rule names one */
export function judge(condition: Condition, world: World, zone: string | undefined): Judged {
  return condition.kind === 'atom' ? judgeAtom(condition, world, zone) : judgeLogic(condition, world, zone)
}

function judgeLogic(condition: Logic, world: World, zone: string | undefined): Judged {
  const parts = condition.operands.map((operand) => judge(operand, world, zone))
  return { condition, holds: connected(condition, parts), actual: undefined, parts }
}

function connected(condition: Logic, parts: readonly Judged[]): Tri {
  if (condition.unknown.length > 0 || parts.length === 0) return undefined
  const values = parts.map(({ holds }) => holds)
  switch (condition.kind) {
    case 'and':
      return allOf(values)
    case 'or':
      return anyOf(values)
    case 'xone':
      return oneOf(values)
    case 'andSequence':
      // ODRL 2.2 demands an order of satisfaction, which cannot be told for conditions that change with time.
      return condition.operands.some(isTemporal) ? undefined : allOf(values)
  }
}

export const isTemporal = (condition: Condition): boolean =>
  condition.kind === 'atom'
    ? (operandOf(condition.leftOperand)?.temporal ?? true)
    : condition.operands.some(isTemporal)

function judgeAtom(condition: Atom, world: World, zone: string | undefined): Judged {
  const atom = condition.unknown.length > 0 ? undefined : inOwnTerms(condition)
  if (atom === undefined) return { condition, holds: undefined, actual: undefined, parts: NONE }
  const special = SPECIAL.get(atom.leftOperand)
  if (special !== undefined) {
    return { condition, holds: special(atom, world), actual: undefined, parts: NONE }
  }
  const actual = factsFor(atom, world, zone)
  const holds = actual === undefined || actual.length === 0 ? undefined : compare(atom, actual, world)
  return { condition, holds, actual, parts: NONE }
}

const DATE_TIME = `${ODRL}dateTime`

function factsFor(atom: Atom, world: World, zone: string | undefined): readonly Value[] | undefined {
  const given = world.facts.get(atom.leftOperand)
  if (given !== undefined) return given
  if (atom.leftOperand === DATE_TIME)
    return world.at === undefined ? undefined : [{ text: '', scalar: world.at }]
  const local = LOCAL.get(atom.leftOperand)
  if (local !== undefined) return local(world, zone)
  return atom.unit === undefined ? undefined : world.facts.get(atom.unit)
}

type Operation = (
  actual: readonly Value[],
  bounds: readonly Value[],
  tree: string | undefined,
  world: World,
) => Tri

/** What an order demands of the place of a value as seen from its bound. */
const BY_PLACE: Readonly<Record<string, (place: Place) => boolean>> = {
  lt: (place) => place === 'before',
  lteq: (place) => place !== 'after',
  gt: (place) => place === 'after',
  gteq: (place) => place !== 'before',
}

const ordered =
  (holds: (place: Place) => boolean): Operation =>
  ([value, second], [bound, more]) => {
    if (second !== undefined || more !== undefined) return undefined
    if (value?.scalar === undefined || bound?.scalar === undefined) return undefined
    const place = placeOf(value.scalar, bound.scalar)
    return place === undefined ? undefined : holds(place)
  }

/** Equal as sets: every value is one of the bounds, and every bound is met. A value may lie within a bound, not around it. */
const equals: Operation = (actual, bounds, tree) =>
  allOf([
    ...actual.map((one) => anyOf(bounds.map((bound) => sameValue(one, bound, tree)))),
    ...bounds.map((bound) => anyOf(actual.map((one) => sameValue(one, bound, tree)))),
  ])

const isAny: Operation = (actual, bounds, tree) =>
  anyOf(actual.flatMap((one) => bounds.map((other) => sameValue(one, other, tree))))

const within: Operation = (actual, bounds, tree, world) =>
  allOf(actual.map((one) => anyOf(bounds.map((bound) => isWithin(tree, one.text, bound.text, world.partOf)))))

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...Object.fromEntries(Object.entries(BY_PLACE).map(([operator, holds]) => [operator, ordered(holds)])),
  eq: equals,
  neq: (actual, bounds, tree, world) => not(equals(actual, bounds, tree, world)),
  isAnyOf: isAny,
  isNoneOf: (actual, bounds, tree, world) => not(isAny(actual, bounds, tree, world)),
  isAllOf: (actual, bounds, tree) =>
    allOf(bounds.map((bound) => anyOf(actual.map((one) => sameValue(one, bound, tree))))),
  isA: within,
  isPartOf: within,
  hasPart: (actual, bounds, tree, world) =>
    allOf(
      bounds.map((bound) => anyOf(actual.map((one) => isWithin(tree, bound.text, one.text, world.partOf)))),
    ),
}

function compare(atom: Atom, actual: readonly Value[], world: World): Tri {
  const operation = Object.hasOwn(OPERATIONS, atom.operator) ? OPERATIONS[atom.operator] : undefined
  return operation?.(actual, atom.values, treeOf(atom.leftOperand), world)
}

export const treeOf = (leftOperand: string): string | undefined => {
  if (leftOperand === `${ODRL}language`) return 'language'
  const domain = operandOf(leftOperand)?.domain
  return domain?.kind === 'tree' ? domain.tree : undefined
}

export function sameValue(a: Value, b: Value, tree: string | undefined): Tri {
  if (a.scalar !== undefined && b.scalar !== undefined) {
    const place = placeOf(a.scalar, b.scalar)
    return place === undefined ? undefined : place === 'within'
  }
  if (a.scalar !== undefined || b.scalar !== undefined) return a.text === b.text ? true : undefined
  if (a.text === b.text) return true
  return conceptOf(tree, a.text) !== undefined && conceptOf(tree, a.text) === conceptOf(tree, b.text)
}

type Local = (world: World, zone: string | undefined) => readonly Value[] | undefined

/** Times of day and weekdays follow from the instant and the zone; without a zone, from a time that has none either. */
const LOCAL: ReadonlyMap<string, Local> = new Map<string, Local>([
  [`${MDP}localTime`, (world, zone) => localParts(world, zone)?.time],
  [`${MDP}dayOfWeek`, (world, zone) => localParts(world, zone)?.weekday],
])

const DAY = 86_400n

function localParts(
  { at, zone: given }: World,
  zone: string | undefined,
): { readonly time: readonly Value[]; readonly weekday: readonly Value[] } | undefined {
  if (at?.kind !== 'instant') return undefined
  const unit = 10n ** BigInt(at.at.scale)
  const offset = at.zoned ? offsetIn(zone ?? given, at) : 0n
  if (offset === undefined) return undefined
  const local = at.at.n + offset * unit
  const length = DAY * unit
  const ofDay = ((local % length) + length) % length
  const days = (local - ofDay) / length
  // 1 January 1970 was a Thursday.
  const weekday = (((days + 3n) % 7n) + 7n) % 7n
  const value = (scalar: Scalar): readonly Value[] => [{ text: '', scalar }]
  return {
    time: at.to === undefined ? value({ kind: 'time', at: { n: ofDay, scale: at.at.scale } }) : NONE,
    weekday: value({ kind: 'number', at: numOf(weekday + 1n) }),
  }
}

/** Seconds by which the clocks of a zone are ahead of UTC at an instant; undefined for no zone or one nobody knows. */
function offsetIn(zone: string | undefined, at: Extract<Scalar, { kind: 'instant' }>): bigint | undefined {
  if (zone === undefined || at.to !== undefined) return undefined
  const seconds = at.at.n / 10n ** BigInt(at.at.scale)
  if (seconds > 8_640_000_000_000n || seconds < -8_640_000_000_000n) return undefined
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    }).formatToParts(Number(seconds) * 1000)
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value)
    const local = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    )
    return Number.isNaN(local) ? undefined : BigInt(Math.round(local / 1000)) - seconds
  } catch (cause) {
    // Intl answers a zone that does not exist with a RangeError; anything else is a bug.
    if (cause instanceof RangeError) return undefined
    throw cause
  }
}

/** Whether now lies as the operator says to a moment that is reckoned from the conclusion of the agreement. */
function sinceAgreement({ at, agreedAt }: World, operator: string, after: Scalar | undefined): Tri {
  if (at?.kind !== 'instant' || agreedAt?.kind !== 'instant' || after?.kind !== 'duration') return undefined
  // A time without a zone on both sides may still be one of two zones.
  const end = at.zoned && at.to === undefined && agreedAt.zoned ? later(agreedAt, after) : undefined
  const place = end === undefined ? undefined : placeOf(at, end)
  const holds = Object.hasOwn(BY_PLACE, operator) ? BY_PLACE[operator] : undefined
  return place === undefined ? undefined : holds?.(place)
}

type Special = (atom: Atom, world: World) => Tri

/** Left operands whose truth follows from the clock and the agreement. */
const SPECIAL: ReadonlyMap<string, Special> = new Map<string, Special>([
  [
    `${MDP}agreementAge`,
    (atom, world) => {
      const given = world.facts.get(atom.leftOperand)
      if (given !== undefined) return compare(atom, given, world)
      return atom.values.length === 1
        ? sinceAgreement(world, atom.operator, atom.values[0]?.scalar)
        : undefined
    },
  ],
  [
    `${MDP}timeZone`,
    // A zone is no condition by itself: it says by which clock the times beside it are read.
    ({ operator, values }) =>
      operator === 'eq' && values.length === 1 && isZone(values[0]?.text ?? '') ? true : undefined,
  ],
])

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch (cause) {
    if (cause instanceof RangeError) return false
    throw cause
  }
}

/** The one zone that the conditions of a rule name; undefined for none and for several. */
export function zoneOf(conditions: readonly Condition[]): string | undefined {
  const zones = new Set<string>()
  const visit = (condition: Condition): void => {
    if (condition.kind !== 'atom') for (const operand of condition.operands) visit(operand)
    else if (condition.leftOperand === `${MDP}timeZone`)
      for (const { text } of condition.values) zones.add(text)
  }
  for (const condition of conditions) visit(condition)
  const [only] = zones
  return zones.size === 1 ? only : undefined
}
