/**
 * What the definitions of the ODRL Vocabulary 2.2 say about left operands besides their values: which are ordered among
 * each other, which only grow, which leave open what they measure. Nothing stands here that a definition does not entail.
 */
import { ODRL } from '../model.js'
import type { Condition } from '../odrl/policy.js'
import { operandOf } from '../registry.js'

const odrl = (names: string): readonly string[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => ODRL + name)

/**
 * Pairs of which the first is never the larger. Elapsed time is the continuous time in which an action is exercised; metered
 * time adds up the periods within it in which it really was.
 */
export const FRAMES: readonly (readonly [smaller: string, larger: string])[] = [
  [`${ODRL}meteredTime`, `${ODRL}elapsedTime`],
]

/** Several dimensions share one name, and a condition does not say which of them it means. */
export const AMBIGUOUS: ReadonlySet<string> = new Set(
  odrl(`absolutePosition absoluteSize absoluteSpatialPosition relativePosition relativeSize relativeSpatialPosition
    spatialCoordinates`),
)

/** Quantities that only grow while time goes by: an instant, time that has passed, what was counted. */
const GROWING: ReadonlySet<string> = new Set(odrl('dateTime elapsedTime meteredTime count'))

/** Measures of the data themselves, which are the same at any time. */
const LASTING = odrl('absoluteSize relativeSize absolutePosition relativePosition')

export const localName = (iri: string): string =>
  iri.slice(Math.max(iri.lastIndexOf('#'), iri.lastIndexOf('/'), iri.lastIndexOf(':')) + 1)

/** Profiles name the dimensions of a left operand after it: "absoluteSizeWidth". */
export const isDimensionOf = (one: string, whole: string): boolean =>
  AMBIGUOUS.has(whole) && one !== whole && localName(one).startsWith(localName(whole))

/** The left operands that a condition speaks of. */
export const operandsIn = (condition: Condition): ReadonlySet<string> =>
  new Set(
    condition.kind === 'atom'
      ? [condition.leftOperand]
      : condition.operands.flatMap((operand) => [...operandsIn(operand)]),
  )

/** Whether the condition is as true later as it is now. */
export const isLasting = (condition: Condition): boolean =>
  [...operandsIn(condition)].every(
    (iri) =>
      (operandOf(iri)?.temporal === false && !GROWING.has(iri)) ||
      LASTING.some((whole) => iri === whole || isDimensionOf(iri, whole)),
  )

/** The one growing quantity that a condition speaks of. */
export function growingIn(condition: Condition): string | undefined {
  const [only, second] = operandsIn(condition)
  return only !== undefined && second === undefined && GROWING.has(only) ? only : undefined
}
