/** Axes of values without an order: names that are the same or not, and places of the local taxonomy. */
import { treeOf } from '../odrl/judge.js'
import type { Atom } from '../odrl/policy.js'
import { childrenOf, conceptOf, concepts } from '../odrl/taxonomy.js'
import { type Axis, atomKey, bit, cellsOf, exactly, firstCells, type Holding, type Mask } from './axis.js'

/**
 * Whose names they are: two names by the same authority mean two things, names by different authorities may mean the same.
 */
export function authority(name: string): string {
  const scheme = /^(did|urn):([^:]+):/.exec(name)
  if (scheme !== null) return scheme[0]
  if (!/^[a-z][a-z0-9+.-]*:/i.test(name)) return ''
  return name.slice(0, Math.max(name.lastIndexOf('#'), name.lastIndexOf('/'), name.indexOf(':')) + 1)
}

const NOMINAL = new Set(['eq', 'neq', 'isAnyOf', 'isNoneOf', 'isAllOf'])

/** Names that one axis can tell apart. `subsets`: "isPartOf" a list means one of the list. */
export function isNominal({ operator, values }: Atom, subsets: boolean): boolean {
  if (operator === 'isPartOf') return subsets
  if (!NOMINAL.has(operator)) return false
  return operator === 'isAnyOf' || operator === 'isNoneOf' ? values.length > 0 : values.length === 1
}

export const haveOneAuthority = (names: Iterable<string>): boolean =>
  new Set([...names].map(authority)).size <= 1

/** One cell for each name, one for all others. */
export function namedAxis(name: string, atoms: readonly Atom[], names: readonly string[]): Axis {
  const index = new Map(names.map((one, at) => [one, at]))
  const all = firstCells(names.length + 1)
  const holdings = new Map<string, Holding>(
    atoms.map((atom) => {
      const mask = atom.values.reduce((cells, { text }) => cells | bit(index.get(text) ?? names.length), 0n)
      const negative = atom.operator === 'neq' || atom.operator === 'isNoneOf'
      return [atomKey(atom), exactly(negative ? all & ~mask : mask)]
    }),
  )
  return {
    name,
    possible: all,
    sure: all,
    groups: [],
    holding: (atom) => holdings.get(atomKey(atom)),
    witness: (cells) => {
      const [first] = cellsOf(cells)
      if (first === undefined) return undefined
      return names[first] ?? otherThan(names)
    },
  }
}

function otherThan(names: readonly string[]): string {
  let other = 'other'
  while (names.includes(other)) other += "'"
  return other
}

/**
 * Places: for each concept one cell for itself and one for what lies in it without being listed. Only countries are sure
 * to have such parts.
 */
export function placeAxis(name: string, atoms: readonly Atom[]): Axis | undefined {
  const [first] = atoms
  const tree = first === undefined ? undefined : treeOf(first.leftOperand)
  if (tree !== 'place') return undefined
  if (atoms.some(({ values }) => values.some(({ text }) => conceptOf(tree, text) === undefined)))
    return undefined
  const all = allBelow(tree, 'World')
  const [itself, inside] = [(at: number): Mask => bit(at * 2), (at: number): Mask => bit(at * 2 + 1)]
  const full = firstCells(all.length * 2)
  const within = (outer: string): Mask =>
    all.reduce(
      (mask, one, at) => (concepts(tree, one).has(outer) ? mask | itself(at) | inside(at) : mask),
      0n,
    )
  const equal = (concept: string): Mask => itself(all.indexOf(concept))
  /** What contains a place: the place, whatever it is part of, and perhaps something unlisted in between. */
  const around = (inner: string): Holding => {
    const containing = concepts(tree, inner)
    const must = all.reduce((mask, one, at) => (containing.has(one) ? mask | itself(at) : mask), 0n)
    const may = all.reduce((mask, one, at) => (containing.has(one) ? mask | inside(at) : mask), must)
    return { must, may }
  }
  const holdingOf = (atom: Atom): Holding | undefined => {
    const values = atom.values.flatMap(({ text }) => conceptOf(tree, text) ?? [])
    const union = (mask: (concept: string) => Mask): Mask => values.reduce((sum, one) => sum | mask(one), 0n)
    switch (atom.operator) {
      case 'eq':
      case 'isAllOf':
        return values.length === 1 ? exactly(union(equal)) : undefined
      case 'neq':
        return values.length === 1 ? exactly(full & ~union(equal)) : undefined
      case 'isAnyOf':
        return exactly(union(equal))
      case 'isNoneOf':
        return exactly(full & ~union(equal))
      case 'isPartOf':
      case 'isA':
        return exactly(union(within))
      case 'hasPart':
        return values.map(around).reduce((a, b) => ({ must: a.must & b.must, may: a.may & b.may }))
      default:
        return undefined
    }
  }
  const holdings = new Map(atoms.map((atom) => [atomKey(atom), holdingOf(atom)] as const))
  if ([...holdings.values()].includes(undefined)) return undefined
  const leaves = all.reduce(
    (mask, one, at) => (childrenOf(tree, one).length === 0 ? mask | inside(at) : mask),
    0n,
  )
  return {
    name,
    possible: full,
    sure: all.reduce((mask, _one, at) => mask | itself(at), leaves),
    groups: [],
    holding: (atom) => holdings.get(atomKey(atom)),
    witness: (cells) => {
      const found = cellsOf(cells)
      const cell = found.find((one) => one % 2 === 0) ?? found[0]
      if (cell === undefined) return undefined
      const concept = all[Math.floor(cell / 2)] ?? ''
      return cell % 2 === 0 ? concept : `part of ${concept}`
    },
  }
}

function allBelow(tree: string, root: string): readonly string[] {
  const found = new Set<string>([root])
  for (const one of found) for (const child of childrenOf(tree, one)) found.add(child)
  return [...found]
}
