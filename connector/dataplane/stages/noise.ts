/**
 * Stage 6, noise: a deviation of whole steps, drawn from the two-sided geometric distribution, which is Laplace's on a grid.
 * What is drawn depends on the key of the agreement and on the record alone, so that one record has one deviation however
 * often it is delivered, and nobody without the key can tell it from chance.
 *
 * Only additions, multiplications, divisions and comparisons of doubles: the same on every machine and version.
 */
import { createHmac } from 'node:crypto'
import { stepsWithin } from '../../policy/ladder.js'
import type { Noise } from '../../policy/plan.js'
import type { Place } from './round.js'

/** Whole steps to add to a value of `steps` steps. */
export type Draw = (steps: number, place: Place) => number

/** Parts less likely than this are left away; the smallest number that is drawn is 2^-53. */
const NEVER = 1e-17

export function drawOf(
  { epsilon, sensitivity }: Noise,
  step: number,
  agreementKey: Uint8Array | undefined,
): Draw {
  if (agreementKey === undefined || agreementKey.byteLength < 32) {
    throw new TypeError('the key of the deviations is missing')
  }
  // Pseudonyms come from the same secret: nothing that is delivered as one may help with the other.
  const key = createHmac('sha256', agreementKey).update('noise').digest()
  const perStep = epsilon / stepsWithin(sensitivity, step)
  /** Chance that a part is 2^n steps or more, by n. */
  const chances: number[] = []
  for (let n = 0; n < 40; n++) {
    const chance = exponential(-perStep * 2 ** n)
    if (chance < NEVER) break
    chances.push(chance)
  }

  /** The largest number of steps of which the chance to reach it is at least `u`. */
  const part = (u: number): number => {
    let steps = 0
    let reached = 1
    for (let n = chances.length - 1; n >= 0; n--) {
      const further = reached * (chances[n] ?? 0)
      if (further < u) continue
      reached = further
      steps += 2 ** n
    }
    return steps
  }

  return (steps, { column, series, time }) => {
    // The value counts as well: a record that was corrected has another deviation, and the two do not show the correction.
    const drawn = createHmac('sha256', key)
      .update(`${time} ${steps} ${column.length} ${column}${series}`)
      .digest()
    return part(unit(drawn, 0)) - part(unit(drawn, 8))
  }
}

/** 53 bits as a number above 0 and up to 1. */
const unit = (bytes: Buffer, at: number): number =>
  (bytes.readUIntBE(at, 6) * 32 + ((bytes[at + 6] ?? 0) & 31) + 1) / 2 ** 53

/** e^x for x <= 0, by its series near 0 and repeated squaring. Math.exp may differ between engines. */
export function exponential(x: number): number {
  if (x < -700) return 0
  let halvings = 0
  let small = x
  while (small < -0.03125) {
    small /= 2
    halvings++
  }
  let term = 1
  let sum = 1
  for (let n = 1; n <= 14; n++) {
    term = (term * small) / n
    sum += term
  }
  for (; halvings > 0; halvings--) sum *= sum
  return sum
}
