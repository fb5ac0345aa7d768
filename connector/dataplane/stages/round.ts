/**
 * Stage 6, round: numbers are cut down to multiples of a step, towards minus infinity. Cutting with a coarser step of the
 * ladder gives the same whether or not a finer one was cut before. Text is not touched, numbers in it included.
 */
import type { Plan } from '../../policy/plan.js'

/** undefined: the number is out of reach and must not be delivered. */
export type Round = (value: number) => number | undefined

/** Quotients up to this are exact enough to try the whole number beside them. */
const NEAR = 2 ** 48

export function roundingOf({ valueStep: step }: Plan): Round | undefined {
  if (step === undefined) return undefined
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  const multiple = (whole: number): number =>
    digits === 0 ? whole * step : Number((whole * step).toFixed(digits))
  return (value) => {
    const quotient = value / step
    if (!Number.isFinite(quotient)) return undefined
    if (Math.abs(quotient) >= NEAR) return cutExactly(value, step)
    // The largest multiple that is not above the value, as numbers are written: 0.3 / 0.1 is 3, whatever a float says.
    const nearest = Math.round(quotient)
    const result = multiple(nearest)
    return result > value ? multiple(nearest - 1) : result
  }
}

/** The same on decimal digits. */
function cutExactly(value: number, step: number): number {
  const [v, s] = [decimalOf(value), decimalOf(step)]
  const exponent = Math.min(v.exponent, s.exponent)
  const [number, unit] = [v, s].map((d) => d.digits * 10n ** BigInt(d.exponent - exponent)) as [
    bigint,
    bigint,
  ]
  const rest = ((number % unit) + unit) % unit
  return Number(`${number - rest}e${exponent}`)
}

/** The number as it is written: digits times a power of ten. */
function decimalOf(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = '0', power = '0'] = value.toExponential().split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length }
}
