/**
 * Whether one shape document tells at most what another one tells, signal by signal. Only what is certain: what one document
 * makes of the data must be possible to make of what the other one delivers.
 */
import { decimalUnits, stepsWithin } from './ladder.js'
import { type FieldShape, type ShapeDocument, shapeHash } from './shape.js'

export type ShapeRelation = 'equal' | 'stricter' | 'looser' | 'unknown'

/** The first measured by the second. */
export function compareShapes(a: ShapeDocument, b: ShapeDocument): ShapeRelation {
  if (shapeHash(a) === shapeHash(b)) return 'equal'
  const [less, more] = [tellsAtMost(a, b), tellsAtMost(b, a)]
  if (less && more) return 'equal'
  return less ? 'stricter' : more ? 'looser' : 'unknown'
}

function tellsAtMost(a: ShapeDocument, b: ShapeDocument): boolean {
  const names = new Set([...Object.keys(a.fields ?? {}), ...Object.keys(b.fields ?? {})])
  return (
    [...names].every((name) => coarser(a.fields?.[name], b.fields?.[name])) &&
    (b.pseudonyms ?? []).every((name) => a.pseudonyms?.includes(name) === true) &&
    endsNoLater(a, b)
  )
}

function coarser(a: FieldShape | undefined, b: FieldShape | undefined): boolean {
  if (b === undefined) return true
  if (a === undefined) return false
  const [stepA, stepB] = [Number(a.valueStep), Number(b.valueStep)]
  if (b.noise === undefined) return stepA >= stepB
  // Of a value that deviates neither a coarser step nor a smaller deviation can be made.
  if (a.noise === undefined || stepA !== stepB) return false
  const [wideA, wideB] = [a.noise, b.noise].map(
    ({ epsilon, sensitivity }) =>
      [BigInt(stepsWithin(Number(sensitivity), stepA)), decimalUnits(epsilon)] as const,
  ) as [readonly [bigint, bigint], readonly [bigint, bigint]]
  return wideA[0] * wideB[1] >= wideB[0] * wideA[1]
}

/** Whatever signals are delivered: no larger budget, and no record that costs less of it. */
function endsNoLater(a: ShapeDocument, b: ShapeDocument): boolean {
  if (b.noiseBudget === undefined) return true
  if (a.noiseBudget === undefined || decimalUnits(a.noiseBudget) > decimalUnits(b.noiseBudget)) return false
  return Object.entries(b.fields ?? {}).every(
    ([name, { noise }]) =>
      noise === undefined ||
      decimalUnits(a.fields?.[name]?.noise?.epsilon ?? '0') >= decimalUnits(noise.epsilon),
  )
}
