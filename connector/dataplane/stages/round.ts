/**
 * Stage 6, round: numbers are cut down to multiples of a step, towards minus infinity. Cutting with a coarser step of the
 * ladder gives the same whether or not a finer one was cut before. Text is not touched, numbers in it included, unless the
 * contract names the signal: of such a signal nothing but numbers is delivered.
 */
import type { EpochMs } from '../../core/types.js'
import type { Plan } from '../../policy/plan.js'
import type { Scalar } from '../record.js'
import { type Draw, drawOf } from './noise.js'

/** undefined: the number is out of reach and must not be delivered. */
export type Round = (value: number) => number | undefined

/** What a value belongs to. `column` is what it is delivered as: the signal, or `temp.mean`. */
export type Place = {
  readonly signal: string
  readonly column: string
  readonly series: string
  readonly time: EpochMs
}

/** Rounds a value and adds its deviation; undefined: it must not be delivered. */
export type Finish = (value: Scalar, place: Place) => Scalar | undefined

/** Quotients up to this are exact enough to try the whole number beside them. */
const NEAR = 2 ** 48

/** undefined when every value goes out as it is. Throws when there is noise to add and no key. */
export function finishOf(plan: Plan, key: Uint8Array | undefined): Finish | undefined {
  const { valueStep, valueSteps = {}, noise = {} } = plan
  const common = roundingOf(plan)
  const own = new Map(
    Object.entries(valueSteps).map(([name, step]) => {
      const amount = Object.hasOwn(noise, name) ? noise[name] : undefined
      return [name, ownFinish(step, amount === undefined ? undefined : drawOf(amount, step, key))] as const
    }),
  )
  if (valueStep === undefined && own.size === 0) return undefined
  return (value, place) => {
    const finish = own.get(place.signal)
    if (finish !== undefined) return typeof value === 'number' ? finish(value, place) : undefined
    return typeof value === 'number' && common !== undefined ? common(value) : value
  }
}

/** A deviation is a whole number of steps, so that it says nothing about what rounding has cut off. */
function ownFinish(step: number, draw: Draw | undefined) {
  const round = roundTo(step)
  if (draw === undefined) return round
  const multiple = multiplesOf(step)
  return (value: number, place: Place): number | undefined => {
    const cut = round(value)
    if (cut === undefined) return undefined
    const steps = Math.round(cut / step)
    return Math.abs(steps) < NEAR ? multiple(steps + draw(steps, place)) : undefined
  }
}

export const roundingOf = ({ valueStep }: Plan): Round | undefined =>
  valueStep === undefined ? undefined : roundTo(valueStep)

function multiplesOf(step: number): (whole: number) => number {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  return (whole) => (digits === 0 ? whole * step : Number((whole * step).toFixed(digits)))
}

function roundTo(step: number): Round {
  const multiple = multiplesOf(step)
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
