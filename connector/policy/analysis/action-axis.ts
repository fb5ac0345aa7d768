/**
 * The axis of actions. Known actions have a cell each; every other name, and all that is unlisted, has cells below each
 * action that includes others, because it is included somewhere and nobody here knows where, perhaps in each other.
 */
import { actionLine, isIncluded, isKnownAction, KNOWN_ACTIONS } from '../action-terms.js'
import type { OdrlRule } from '../odrl/policy.js'
import { type Axis, bit, exactly, firstCells, type Holding, lowestCell, type Mask } from './axis.js'

/** Known actions that include others, and so may include more than is known. */
const INCLUDERS: readonly string[] = KNOWN_ACTIONS.filter((outer) =>
  KNOWN_ACTIONS.some((inner) => inner !== outer && isIncluded(inner, outer) === true),
)

const KNOWN = KNOWN_ACTIONS.length

/** Of more names it is not told which of them may include which. */
const MAX_TOLD = 3

/** A name that is not known, or all that is unlisted, with those of the other names that include it. */
type Variant = { readonly name: number | undefined; readonly inside: number }

export type Actions = {
  readonly axis: Axis
  /**
   * The action and everything that it includes. A prohibition also reaches up to the actions that include it, because
   * whoever asks for a wider action asks for the narrower one too.
   */
  readonly holdingOf: (iri: string, kind: OdrlRule['kind']) => Holding
}

/** @param named all actions that the rules name */
export function actionAxis(named: ReadonlySet<string>): Actions {
  const others = [...named].filter((iri) => !isKnownAction(iri))
  // A profile may put an action of its own below any other.
  const leaves =
    others.length === 0 ? [] : [...named].filter((iri) => isKnownAction(iri) && !INCLUDERS.includes(iri))
  const includers = [...INCLUDERS, ...leaves]
  const below = includers.length
  const variants = variantsOf(others.length)
  const maskWhere = (holds: (variant: Variant, includer: string) => boolean): Mask => {
    let mask = 0n
    for (const [at, variant] of variants.entries()) {
      for (const [under, includer] of includers.entries())
        if (holds(variant, includer)) mask |= bit(KNOWN + at * below + under)
    }
    return mask
  }
  const ofOther = (other: number): Holding => {
    const own = maskWhere(({ name, inside }) => name === other || (inside & (1 << other)) !== 0)
    if (others.length <= MAX_TOLD) return exactly(own)
    return { must: own, may: maskWhere(() => true) }
  }
  const includedIn = (iri: string): Holding => {
    const own = others.indexOf(iri)
    if (own !== -1) return ofOther(own)
    let mask = maskWhere((_variant, includer) => isIncluded(includer, iri) === true)
    for (const [at, inner] of KNOWN_ACTIONS.entries()) if (isIncluded(inner, iri) === true) mask |= bit(at)
    return exactly(mask)
  }
  return {
    axis: {
      name: 'action',
      possible: firstCells(KNOWN + variants.length * below),
      sure: firstCells(KNOWN),
      groups: others.map((_iri, at) => maskWhere(({ name }) => name === at)),
      holding: () => undefined,
      witness: (cells) => {
        const index = lowestCell(cells)
        const other = variants[Math.floor((index - KNOWN) / below)]?.name
        const iri = KNOWN_ACTIONS[index] ?? (other === undefined ? undefined : others[other])
        return iri ?? 'an action that is not listed'
      },
    },
    holdingOf: (iri, kind) => {
      const { must, may } = includedIn(iri)
      if (kind !== 'prohibition') return { must, may }
      const wider = (isKnownAction(iri) ? actionLine(iri) : INCLUDERS).reduce(
        (mask, one) => (isKnownAction(one) ? mask | bit(KNOWN_ACTIONS.indexOf(one)) : mask),
        0n,
      )
      // Another name that is not known may include this one.
      const perhaps = isKnownAction(iri) ? 0n : maskWhere(({ name }) => name !== undefined)
      const parents = isKnownAction(iri) ? [] : leaves.map((leaf) => KNOWN_ACTIONS.indexOf(leaf))
      const above = parents.reduce((mask, at) => mask | bit(at), 0n)
      return { must: must | wider, may: may | wider | perhaps | above }
    },
  }
}

function variantsOf(count: number): readonly Variant[] {
  const names: readonly (number | undefined)[] = [...Array.from({ length: count }, (_, at) => at), undefined]
  if (count > MAX_TOLD) return names.map((name) => ({ name, inside: 0 }))
  return names.flatMap((name) =>
    Array.from({ length: 1 << count }, (_, inside) => ({ name, inside })).filter(
      ({ inside }) => name === undefined || (inside & (1 << name)) === 0,
    ),
  )
}
