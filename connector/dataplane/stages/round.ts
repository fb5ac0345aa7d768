/**
 * Stage 6, round: numbers are cut down to multiples of a step, towards minus infinity. Cutting with a coarser step of the
 * ladder gives the same whether or not a finer one was cut before. Text is not touched, numbers in it included.
 */
import type { Plan } from '../../policy/plan.js'

/** undefined: the number is out of reach and must not be delivered. */
export type Round = (value: number) => number | undefined

/** A quotient this close to a whole number, relatively, is that number: 0.3 / 0.1 is meant to be 3. */
const EXACT = 2 ** -50

export function roundingOf({ valueStep: step }: Plan): Round | undefined {
  if (step === undefined) return undefined
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  return (value) => {
    const quotient = value / step
    if (!Number.isFinite(quotient)) return undefined
    const nearest = Math.round(quotient)
    const isWhole = Math.abs(quotient - nearest) <= EXACT * Math.abs(quotient)
    // Too small to be divided is still below zero.
    const whole = quotient === 0 && value < 0 ? -1 : isWhole ? nearest : Math.floor(quotient)
    const result = whole * step
    return digits === 0 ? result : Number(result.toFixed(digits))
  }
}
