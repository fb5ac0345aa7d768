/**
 * The axis of actions. Known actions have a cell each; every other name, and all that is unlisted, has one below each
 * action that includes others, because it is included somewhere and nobody here knows where.
 */
import { actionLine, isIncluded, isKnownAction, KNOWN_ACTIONS } from '../action-terms.js'
import type { OdrlRule } from '../odrl/policy.js'
import { type Axis, bit, firstCells, lowestCell, type Mask } from './axis.js'

/** Known actions that include others, and so may include more than is known. */
const INCLUDERS: readonly string[] = KNOWN_ACTIONS.filter((outer) =>
  KNOWN_ACTIONS.some((inner) => inner !== outer && isIncluded(inner, outer) === true),
)

const KNOWN = KNOWN_ACTIONS.length
const BELOW = INCLUDERS.length

/** @param others names of actions that are not known */
export const actionAxis = (others: readonly string[]): Axis => ({
  name: 'action',
  possible: firstCells(KNOWN + (others.length + 1) * BELOW),
  sure: firstCells(KNOWN),
  groups: others.map((_iri, at) => cellsBelow(at)),
  holding: () => undefined,
  witness: (cells) => {
    const index = lowestCell(cells)
    const iri = KNOWN_ACTIONS[index] ?? others[Math.floor((index - KNOWN) / BELOW)]
    return iri ?? 'an action that is not listed'
  },
})

const cellsBelow = (other: number): Mask => firstCells(BELOW) << BigInt(KNOWN + other * BELOW)

/**
 * The action and everything that it includes. A prohibition also reaches up to the actions that include it, because
 * whoever asks for a wider action asks for the narrower one too.
 */
export function actionCells(iri: string, others: readonly string[], kind: OdrlRule['kind']): Mask {
  const included = includedCells(iri, others)
  if (kind !== 'prohibition') return included
  return (isKnownAction(iri) ? actionLine(iri) : INCLUDERS).reduce(
    (mask, wider) => (isKnownAction(wider) ? mask | bit(KNOWN_ACTIONS.indexOf(wider)) : mask),
    included,
  )
}

function includedCells(iri: string, others: readonly string[]): Mask {
  const own = others.indexOf(iri)
  if (own !== -1) return cellsBelow(own)
  let mask = 0n
  for (const [at, inner] of KNOWN_ACTIONS.entries()) if (isIncluded(inner, iri) === true) mask |= bit(at)
  for (const [at, includer] of INCLUDERS.entries()) {
    if (isIncluded(includer, iri) !== true) continue
    for (let other = 0; other <= others.length; other += 1) mask |= bit(KNOWN + other * BELOW + at)
  }
  return mask
}
