/**
 * The axis of targets and of assignees. Everything named has a cell for each way in which it may belong to the collections
 * that are named, because who and what belongs to them stands elsewhere, apart from what the documents say themselves.
 */
import type { Thing } from '../odrl/policy.js'
import { type Axis, bit, cellsOf, exactly, firstCells, type Holding, type Mask } from './axis.js'

/** Of more collections only themselves are known, and they may contain anything. */
const MAX_COLLECTIONS = 4

type Cell = { readonly name: string | undefined; readonly inside: number }

export type Identities = { readonly axis: Axis; readonly holdingOf: (id: string) => Holding }

/** @param things all that the rules name in one of the two places */
export function identityAxis(name: string, things: readonly Thing[]): Identities {
  const named = things.flatMap(({ id }) => id ?? [])
  const collections = [
    ...new Set(things.flatMap(({ id, collection }) => (collection && id !== undefined ? [id] : []))),
  ].sort()
  const names: readonly (string | undefined)[] = [...[...new Set(named)].sort(), undefined]
  const isDistinct = collections.length <= MAX_COLLECTIONS
  const told = isDistinct ? collections : []
  const parents = new Map<string, Set<string>>()
  for (const { id, partOf } of things) {
    if (id === undefined) continue
    parents.set(id, new Set([...(parents.get(id) ?? []), ...partOf]))
  }
  const cells = names.flatMap((one) => cellsFor(one, told, parents))
  const maskWhere = (holds: (cell: Cell) => boolean): Mask =>
    cells.reduce((mask, cell, at) => (holds(cell) ? mask | bit(at) : mask), 0n)
  const all = firstCells(cells.length)
  const groups = names.map((one) => maskWhere((cell) => cell.name === one))
  return {
    axis: {
      name,
      possible: all,
      sure: groups.reduce((mask, group) => (cellsOf(group).length === 1 ? mask | group : mask), 0n),
      groups,
      holding: () => undefined,
      witness: (mask) => {
        const [first] = cellsOf(mask)
        return first === undefined ? undefined : (cells[first]?.name ?? 'any other')
      },
    },
    holdingOf: (id) => {
      const at = told.indexOf(id)
      if (at !== -1) return exactly(maskWhere(({ inside }) => (inside & (1 << at)) !== 0))
      const own = maskWhere((cell) => cell.name === id)
      return collections.includes(id) ? { must: own, may: all } : exactly(own)
    },
  }
}

/** Every set of collections that something may be in: it is in itself and in what the documents say, and so on upwards. */
function cellsFor(
  name: string | undefined,
  collections: readonly string[],
  parents: ReadonlyMap<string, ReadonlySet<string>>,
): readonly Cell[] {
  const above = collections.map((one) => maskOf(reached(one, parents), collections))
  const own = name === undefined ? 0 : maskOf(reached(name, parents), collections)
  return Array.from({ length: 1 << collections.length }, (_, inside) => inside)
    .filter((inside) => (inside & own) === own)
    .filter((inside) => above.every((wider, at) => (inside & (1 << at)) === 0 || (inside & wider) === wider))
    .map((inside) => ({ name, inside }))
}

const maskOf = (names: ReadonlySet<string>, collections: readonly string[]): number =>
  collections.reduce((mask, one, at) => (names.has(one) ? mask | (1 << at) : mask), 0)

function reached(name: string, parents: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const found = new Set([name])
  for (const one of found) for (const parent of parents.get(one) ?? []) found.add(parent)
  return found
}
