/**
 * The axis of last resort: its cells are the combinations of simple statements that may be true together. What is known
 * about two statements rules combinations out; nothing else is assumed.
 */
import { sameValue, treeOf } from '../odrl/judge.js'
import { addNum, compareNum, type Num, numOf } from '../odrl/num.js'
import type { Atom, Value } from '../odrl/policy.js'
import { lengthsOf, placeOf, type Scalar, type Tri } from '../odrl/scalar.js'
import { isWithin } from '../odrl/taxonomy.js'
import {
  type Axis,
  atomKey,
  bit,
  cellsOf,
  exactly,
  firstCells,
  type Holding,
  type Mask,
  TooComplex,
} from './axis.js'
import { authority } from './named-axis.js'
import { isOrdered, orderedAxis, pointsOf, type Range, sortedPoints } from './ordered-axis.js'

type Statement =
  | { readonly kind: 'is' | 'within' | 'has'; readonly value: Value }
  | { readonly kind: 'order'; readonly atom: Atom }
  | { readonly kind: 'opaque'; readonly atom: Atom }

const MAX_STATEMENTS = 10

/** A condition as a formula over statements: a disjunction of them or a conjunction, perhaps negated. */
type Formula = { readonly of: readonly Statement[]; readonly every: boolean; readonly negated: boolean }

const ORDER = new Set(['lt', 'lteq', 'gt', 'gteq'])

function formulaOf(atom: Atom, several: boolean): Formula {
  const { operator, values } = atom
  const plain = { every: false, negated: false }
  const is = values.map((value): Statement => ({ kind: 'is', value }))
  if (atom.unknown.length > 0) return { ...plain, of: [{ kind: 'opaque', atom }] }
  // Readers differ on whether "equal" speaks of one of several values or of all there are.
  if (several && (operator === 'eq' || operator === 'neq')) {
    return {
      of: [{ kind: 'opaque', atom: { ...atom, operator: 'eq' } }],
      every: false,
      negated: operator === 'neq',
    }
  }
  if (ORDER.has(operator) && isOrdered(atom)) return { ...plain, of: [{ kind: 'order', atom }] }
  if (operator === 'isAnyOf') return { ...plain, of: is }
  if (operator === 'isNoneOf') return { of: is, every: false, negated: true }
  if (values.length === 1 && (operator === 'eq' || operator === 'isAllOf')) return { ...plain, of: is }
  if (values.length === 1 && operator === 'neq') return { of: is, every: false, negated: true }
  if (operator === 'isPartOf' || operator === 'isA') {
    return { ...plain, of: values.map((value): Statement => ({ kind: 'within', value })) }
  }
  if (operator === 'hasPart') {
    return { of: values.map((value): Statement => ({ kind: 'has', value })), every: true, negated: false }
  }
  return { ...plain, of: [{ kind: 'opaque', atom }] }
}

/** Without its place: the same operator with the same values says the same. What is not understood is only equal to itself. */
const keyOf = (statement: Statement): string =>
  'value' in statement
    ? `${statement.kind} ${statement.value.scalar === undefined ? '' : 'v'}${statement.value.text}`
    : `${statement.kind} ${atomKey(statement.atom)}`

const UNBOUNDED: Range = { known: false, integer: false, least: undefined }

/**
 * @param ambiguous the left operand has several dimensions, and which one is meant is not said
 * @param several it has several values at once
 */
export function comboAxis(name: string, atoms: readonly Atom[], ambiguous: boolean, several = false): Axis {
  const formulas = atoms.map((atom) => [atom, formulaOf(atom, several)] as const)
  const statements = [
    ...new Map(formulas.flatMap(([, { of }]) => of.map((one) => [keyOf(one), one] as const))).values(),
  ]
  if (statements.length > MAX_STATEMENTS) throw new TooComplex()
  const tree = treeOf(atoms[0]?.leftOperand ?? '')
  const count = 1 << statements.length
  const isTrue = (combination: number, at: number): boolean => (combination & (1 << at)) !== 0
  const excluded: readonly (readonly [number, number, boolean, boolean])[] = ambiguous
    ? []
    : statements.flatMap((p, i) =>
        statements
          .slice(i + 1)
          .flatMap((q, j) => impossible(p, q, tree).map(([x, y]) => [i, i + 1 + j, x, y] as const)),
      )
  const possible: number[] = []
  for (let combination = 0; combination < count; combination += 1) {
    const ruledOut = excluded.some(
      ([i, j, x, y]) => isTrue(combination, i) === x && isTrue(combination, j) === y,
    )
    if (!ruledOut) possible.push(combination)
  }
  const maskWhere = (holds: (combination: number) => boolean): Mask =>
    possible.reduce((mask, combination, at) => (holds(combination) ? mask | bit(at) : mask), 0n)
  const indexOf = new Map(statements.map((one, at) => [keyOf(one), at]))
  const holdings = new Map<string, Holding>(
    formulas.map(([atom, { of, every, negated }]) => {
      const at = of.map((one) => indexOf.get(keyOf(one)) ?? -1)
      const holds = (combination: number): boolean =>
        (every ? at.every((one) => isTrue(combination, one)) : at.some((one) => isTrue(combination, one))) !==
        negated
      return [atomKey(atom), exactly(maskWhere(holds))]
    }),
  )
  const groups = statements.flatMap((statement, at) => [
    ...(canHold(statement) ? [maskWhere((combination) => isTrue(combination, at))] : []),
    ...(canFail(statement) ? [maskWhere((combination) => !isTrue(combination, at))] : []),
  ])
  const allNames = statements.every(({ kind }) => kind === 'is')
  return {
    name,
    possible: firstCells(possible.length),
    sure:
      realised(statements, possible, tree) | (allNames ? maskWhere((combination) => combination === 0) : 0n),
    groups: groups.filter((group) => group !== 0n),
    holding: (atom) => holdings.get(atomKey(atom)),
    witness: (cells) => {
      const [first] = cellsOf(cells)
      const combination = first === undefined ? undefined : possible[first]
      if (combination === undefined) return undefined
      const told = statements.flatMap((one, at) => (isTrue(combination, at) ? [wordsOf(one)] : []))
      return told.length === 0 ? undefined : told.join(' and ')
    },
  }
}

const wordsOf = (statement: Statement): string =>
  'value' in statement
    ? `${statement.kind === 'is' ? '' : `${statement.kind} `}${statement.value.text}`
    : `${statement.atom.operator} ${statement.atom.values.map(({ text }) => text).join(', ')}`

/** Something is what it is called, and a part of itself. */
const canHold = (statement: Statement): boolean => statement.kind !== 'opaque'
const canFail = (statement: Statement): boolean => statement.kind === 'is' || statement.kind === 'order'

/**
 * A left operand of which one use has several values: each name is there or not, freely of the others. "eq" would speak of
 * all values there are, and of those nobody knows.
 */
export function severalAxis(name: string, atoms: readonly Atom[]): Axis {
  const isSet = atoms.every(({ operator }) => ['isAnyOf', 'isNoneOf', 'isAllOf'].includes(operator))
  if (!isSet) return { ...comboAxis(name, atoms, true, true), sure: 0n, groups: [] }
  const names = [...new Set(atoms.flatMap(({ values }) => values.map(({ text }) => text)))]
  if (names.length > MAX_STATEMENTS) throw new TooComplex()
  const count = 1 << names.length
  const maskWhere = (holds: (present: readonly string[]) => boolean): Mask => {
    let mask = 0n
    for (let cell = 0; cell < count; cell += 1) {
      if (holds(names.filter((_one, at) => (cell & (1 << at)) !== 0))) mask |= bit(cell)
    }
    return mask
  }
  const holdings = new Map<string, Holding>(
    atoms.map((atom) => {
      const wanted = atom.values.map(({ text }) => text)
      const mask = maskWhere((present) => {
        const has = (one: string): boolean => present.includes(one)
        return atom.operator === 'isAllOf'
          ? wanted.every(has)
          : wanted.some(has) === (atom.operator === 'isAnyOf')
      })
      return [atomKey(atom), exactly(mask)]
    }),
  )
  return {
    name,
    possible: firstCells(count),
    sure: firstCells(count),
    groups: [],
    holding: (atom) => holdings.get(atomKey(atom)),
    witness: (cells) => {
      const [cell = 0] = cellsOf(cells)
      const present = names.filter((_one, at) => (cell & (1 << at)) !== 0)
      return present.length === 0 ? 'none of these' : present.join(', ')
    },
  }
}

type Pair = readonly [boolean, boolean]

const TT: Pair = [true, true]
const TF: Pair = [true, false]
const FT: Pair = [false, true]

/** The combinations of two statements that cannot be. */
function impossible(p: Statement, q: Statement, tree: string | undefined): readonly Pair[] {
  if (p.kind === 'opaque' || q.kind === 'opaque') return []
  if (p.kind === 'is' && q.kind === 'is' && mayBeNames(p.value, q.value)) return []
  const [a, b] = [asOrder(p), asOrder(q)]
  if (a !== undefined && b !== undefined) return impossibleInOrder(a, b)
  if (!('value' in p) || !('value' in q)) return []
  const inside = (x: Value, y: Value) => isWithin(tree, x.text, y.text, NOTHING)
  const [kinds, x, y] = [`${p.kind} ${q.kind}`, p.value, q.value]
  switch (kinds) {
    case 'is is': {
      const same = sameValue(x, y, tree)
      if (same === true) return [TF, FT]
      return same === false && authority(x.text) === authority(y.text) ? [TT] : []
    }
    case 'within within':
      return [
        ...(inside(x, y) === true ? [TF] : []),
        ...(inside(y, x) === true ? [FT] : []),
        ...(inside(x, y) === false && inside(y, x) === false ? [TT] : []),
      ]
    case 'is within':
      return inside(x, y) === true ? [TF] : inside(x, y) === false ? [TT] : []
    case 'within is':
      return inside(y, x) === true ? [FT] : inside(y, x) === false ? [TT] : []
    case 'has has':
      return [...(inside(y, x) === true ? [TF] : []), ...(inside(x, y) === true ? [FT] : [])]
    case 'is has':
      return inside(y, x) === true ? [TF] : inside(y, x) === false ? [TT] : []
    case 'has is':
      return inside(x, y) === true ? [FT] : inside(x, y) === false ? [TT] : []
    case 'within has':
      return inside(y, x) === false ? [TT] : []
    case 'has within':
      return inside(x, y) === false ? [TT] : []
    default:
      return []
  }
}

/** One number in two spellings without a datatype: as names they differ. */
const mayBeNames = (p: Value, q: Value): boolean =>
  p.text !== q.text &&
  (p.datatype === undefined || q.datatype === undefined) &&
  sameValue(p, q, undefined) === true

const NOTHING: ReadonlyMap<string, readonly string[]> = new Map()

/** A statement about an ordered value as a condition; undefined for one about a name. */
function asOrder(statement: Statement): Atom | undefined {
  if (statement.kind === 'order') return statement.atom
  if (statement.kind !== 'is' || statement.value.scalar === undefined) return undefined
  return {
    kind: 'atom',
    id: undefined,
    path: '',
    unknown: [],
    leftOperand: '',
    operator: 'eq',
    values: [statement.value],
    unit: undefined,
  }
}

function impossibleInOrder(a: Atom, b: Atom): readonly Pair[] {
  const axis = axisOf([a, b])
  if (axis === undefined) return durationsApart(a, b) ? [TT] : []
  const [x, y] = [axis.holding(a)?.may ?? 0n, axis.holding(b)?.may ?? 0n]
  const cells = axis.possible
  return [
    ...((x & y & cells) === 0n ? [TT] : []),
    ...((x & ~y & cells) === 0n ? [TF] : []),
    ...((~x & y & cells) === 0n ? [FT] : []),
    ...((~x & ~y & cells) === 0n ? [[false, false] as const] : []),
  ]
}

/**
 * Durations of which one is longer at some times of the year only. A length of time that is shorter than the one and longer
 * than the other would have to lie between them, counted from some day; the four starting points stand for all days.
 */
function durationsApart(a: Atom, b: Atom): boolean {
  const [p, q] = [a.values[0]?.scalar, b.values[0]?.scalar]
  if (p?.kind !== 'duration' || q?.kind !== 'duration') return false
  const others = lengthsOf(q)
  return lengthsOf(p).every((length, at) => {
    const order = compareNum(length, others[at] ?? length)
    if (order === 0) {
      const both = `${a.operator} ${b.operator}`
      return /^lt (gt|gteq|eq)$|^(gt|gteq|eq) lt$|^gt (lteq|eq)$|^(lteq|eq) gt$/.test(both)
    }
    const [low, high] = order < 0 ? [a.operator, b.operator] : [b.operator, a.operator]
    return (low === 'eq' || isBelow(low)) && (high === 'eq' || !isBelow(high))
  })
}

const isBelow = (operator: string): boolean => operator === 'lt' || operator === 'lteq'

function axisOf(atoms: readonly Atom[]): Axis | undefined {
  const points = sortedPoints(
    atoms.flatMap(({ values }) =>
      values.flatMap(({ scalar }) => (scalar === undefined ? [] : pointsOf(scalar))),
    ),
  )
  return points === undefined ? undefined : orderedAxis('', atoms, points, UNBOUNDED)
}

/**
 * Combinations that occur for sure: those of sample values about which every statement can be decided. Where a left operand
 * has several dimensions, a value that is the same in all of them shows the combination in any reading.
 */
function realised(
  statements: readonly Statement[],
  possible: readonly number[],
  tree: string | undefined,
): Mask {
  const seen = new Set(
    samples(statements).flatMap((sample) => {
      const truths = statements.map((statement) => isTrueOf(statement, sample, tree))
      if (truths.includes(undefined)) return []
      return [truths.reduce<number>((sum, truth, at) => (truth === true ? sum | (1 << at) : sum), 0)]
    }),
  )
  return possible.reduce((mask, combination, at) => (seen.has(combination) ? mask | bit(at) : mask), 0n)
}

function isTrueOf(statement: Statement, sample: Value, tree: string | undefined): Tri {
  switch (statement.kind) {
    case 'opaque':
      return undefined
    case 'is': {
      if (mayBeNames(sample, statement.value)) return undefined
      const same = sameValue(sample, statement.value, tree)
      const bothNames = sample.scalar === undefined && statement.value.scalar === undefined
      return same === false && bothNames && authority(sample.text) !== authority(statement.value.text)
        ? undefined
        : same
    }
    case 'within':
      return isWithin(tree, sample.text, statement.value.text, NOTHING)
    case 'has':
      return isWithin(tree, statement.value.text, sample.text, NOTHING)
    case 'order': {
      const bound = statement.atom.values[0]?.scalar
      const place =
        sample.scalar === undefined || bound === undefined ? undefined : placeOf(sample.scalar, bound)
      if (place === undefined) return undefined
      const { operator } = statement.atom
      if (operator === 'lt') return place === 'before'
      if (operator === 'gt') return place === 'after'
      return operator === 'lteq' ? place !== 'after' : place !== 'before'
    }
  }
}

/** Every value that is mentioned, and ordered values near and far from them. */
function samples(statements: readonly Statement[]): readonly Value[] {
  const values = statements.flatMap((statement) =>
    'value' in statement ? [statement.value] : statement.atom.values,
  )
  const scalars = values.flatMap(({ scalar }) =>
    scalar === undefined ? [] : pointsOf(scalar).flatMap(around),
  )
  return [...values, ...scalars.map((scalar): Value => ({ text: '', scalar }))]
}

const STEPS: Readonly<Record<Scalar['kind'], readonly Num[]>> = {
  number: [numOf(1n), numOf(1n, 3), numOf(1_000_000_000n)],
  time: [numOf(1n), numOf(60n)],
  // Beyond the doubt of a missing zone, and far beyond.
  instant: [numOf(1n), numOf(16n * 3600n), numOf(40n * 86_400n)],
  duration: [numOf(1n), numOf(86_400n), numOf(400n * 86_400n)],
}

function around(scalar: Scalar): readonly Scalar[] {
  const shifted = (by: Num): Scalar =>
    scalar.kind === 'duration'
      ? { ...scalar, seconds: addNum(scalar.seconds, by) }
      : { ...scalar, at: addNum(scalar.at, by) }
  const steps = STEPS[scalar.kind].flatMap((step) => [
    shifted(step),
    shifted({ n: -step.n, scale: step.scale }),
  ])
  // Below zero there may be no values.
  const real = scalar.kind === 'instant' ? steps : steps.filter((step) => !isNegative(step))
  return scalar.kind === 'duration'
    ? [scalar, ...real, { kind: 'duration', months: 0n, seconds: numOf(0n) }]
    : [scalar, ...real]
}

const isNegative = (scalar: Scalar): boolean =>
  scalar.kind === 'duration' ? scalar.seconds.n < 0n || scalar.months < 0n : scalar.at.n < 0n
