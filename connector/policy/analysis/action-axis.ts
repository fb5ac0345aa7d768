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
const BELOW = INCLUDERS.length

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

/** @param others names of actions that are not known */
export function actionAxis(others: readonly string[]): Actions {
  const variants = variantsOf(others.length)
  const maskWhere = (holds: (variant: Variant, includer: string) => boolean): Mask => {
    let mask = 0n
    for (const [at, variant] of variants.entries()) {
      for (const [below, includer] of INCLUDERS.entries())
        if (holds(variant, includer)) mask |= bit(KNOWN + at * BELOW + below)
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
      possible: firstCells(KNOWN + variants.length * BELOW),
      sure: firstCells(KNOWN),
      groups: others.map((_iri, at) => maskWhere(({ name }) => name === at)),
      holding: () => undefined,
      witness: (cells) => {
        const index = lowestCell(cells)
        const other = variants[Math.floor((index - KNOWN) / BELOW)]?.name
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
      return { must: must | wider, may: may | wider | perhaps }
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
