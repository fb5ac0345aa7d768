/**
 * Steps in which data is made coarser. Each divides the next one, so that two contracts with different steps never add up
 * to anything finer than the finer of the two: what the coarser says follows from what the finer says.
 */
import { type Duration, fixedLength, parseDuration } from './duration.js'
import { compareNum, numOf, parseNum } from './odrl/num.js'

const WINDOWS: readonly { readonly ms: number; readonly duration: Duration }[] = [
  'PT1S',
  'PT5S',
  'PT10S',
  'PT30S',
  'PT1M',
  'PT5M',
  'PT10M',
  'PT30M',
  'PT1H',
  'PT3H',
  'PT6H',
  'PT12H',
  'P1D',
  'P7D',
  'P28D',
].flatMap((written) => {
  const duration = parseDuration(written)
  const ms = duration === undefined ? undefined : fixedLength(duration)
  return duration === undefined || ms === undefined ? [] : [{ ms, duration }]
})

type Asked = 'gteq' | 'gt' | 'eq'
const fits = (asked: string, step: number, wanted: number): boolean =>
  asked === 'eq' ? step === wanted : asked === 'gt' ? step > wanted : step >= wanted

/** The shortest window that satisfies the comparison; undefined when none does. */
export const windowFor = (asked: Asked | string, ms: number) =>
  ms > 0 ? WINDOWS.find((window) => fits(asked, window.ms, ms)) : undefined

const STEPS = Array.from({ length: 25 }, (_, n) => n - 12)
  .flatMap((power) => [`1e${power}`, `5e${power}`])
  .flatMap((written) => ({ step: Number(written), exact: parseNum(written) ?? numOf(0n) }))

/**
 * The smallest of 1, 5, 10, 50 and so on, and of 0.5, 0.1 and so on, that satisfies the comparison. Compared digit by digit:
 * a float would take 0.10000000000000000001 for 0.1, and data would be finer than agreed.
 */
export function stepFor(asked: Asked | string, value: string | number): number | undefined {
  const wanted = parseNum(String(value))
  if (wanted === undefined || wanted.n <= 0n) return undefined
  return STEPS.find(({ exact }) => fits(asked, compareNum(exact, wanted), 0))?.step
}

/** Decimal places up to which steps, and what is divided by them, are exact. */
const PLACES = 12

/** A written decimal as a whole number of the smallest units. */
export function decimalUnits(written: string): bigint {
  const [whole = '0', fraction = ''] = written.split('.')
  return BigInt(whole + fraction.slice(0, PLACES).padEnd(PLACES, '0'))
}

/** How many whole steps two numbers can be apart after rounding down that were `distance` apart before; at least one. */
export function stepsWithin(distance: number, step: number): number {
  const [of, by] = [decimalUnits(distance.toFixed(PLACES)), decimalUnits(step.toFixed(PLACES))]
  return Math.max(1, Number((of + by - 1n) / by))
}
