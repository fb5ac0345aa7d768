/**
 * ISO 8601 durations. Months have no fixed length, so a duration is a number of months and a number of milliseconds;
 * weeks and days are fixed because everything is reckoned in UTC.
 */
import type { EpochMs } from '../core/types.js'
import { DAY_MS, daysInMonth } from './instant.js'

export type Duration = {
  /** Years and months together. */
  readonly months: number
  /** Weeks, days, hours, minutes and seconds together. */
  readonly ms: number
}

const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{1,3}))?S)?)?$/

/** Ten thousand years: beyond it, sums leave the range of a Date. */
const MAX_MONTHS = 120_000
const MAX_MS = 10_000 * 366 * DAY_MS

/** Undefined when it is not a duration, is negative, finer than a millisecond or longer than ten thousand years. */
export function parseDuration(value: string): Duration | undefined {
  const match = DURATION.exec(value)
  if (match === null) return undefined
  const part = (index: number): number => Number(match[index] ?? 0)
  const months = part(1) * 12 + part(2)
  const days = part(3) * 7 + part(4)
  const seconds = part(5) * 3600 + part(6) * 60 + part(7)
  const ms = days * DAY_MS + seconds * 1000 + Number((match[8] ?? '').padEnd(3, '0'))
  return months > MAX_MONTHS || ms > MAX_MS ? undefined : { months, ms }
}

/** Length in milliseconds, or undefined when it depends on the calendar. */
export const fixedLength = ({ months, ms }: Duration): number | undefined => (months === 0 ? ms : undefined)

/**
 * The instant a duration later: months first, then the rest, as XML Schema 1.1 part 2, appendix E.3.3 adds them.
 * A day that the target month does not have becomes its last day: 31 January plus P1M is 28 or 29 February.
 */
export function addDuration(at: EpochMs, { months, ms }: Duration): EpochMs {
  if (months === 0) return (at + ms) as EpochMs
  const start = new Date(at)
  const timeOfDay = ((at % DAY_MS) + DAY_MS) % DAY_MS
  const month = start.getUTCMonth() + months
  const year = start.getUTCFullYear() + Math.floor(month / 12)
  const day = Math.min(start.getUTCDate(), daysInMonth(year, (month % 12) + 1))
  return (new Date(0).setUTCFullYear(year, month % 12, day) + timeOfDay + ms) as EpochMs
}

const CALENDAR_UNITS = [
  ['years', 12],
  ['months', 1],
] as const
const FIXED_UNITS = [
  ['days', DAY_MS],
  ['hours', 3_600_000],
  ['minutes', 60_000],
] as const

export type DurationUnit = (typeof CALENDAR_UNITS)[number][0] | (typeof FIXED_UNITS)[number][0] | 'seconds'

/** The duration split into its largest units, without zeros; an empty duration is zero seconds. */
export function durationParts({ months, ms }: Duration): readonly (readonly [number, DurationUnit])[] {
  const parts: (readonly [number, DurationUnit])[] = []
  let rest = months
  for (const [unit, size] of CALENDAR_UNITS) {
    if (rest >= size) parts.push([Math.floor(rest / size), unit])
    rest %= size
  }
  rest = ms
  for (const [unit, size] of FIXED_UNITS) {
    if (rest >= size) parts.push([Math.floor(rest / size), unit])
    rest %= size
  }
  if (rest > 0 || parts.length === 0) parts.push([rest / 1000, 'seconds'])
  return parts
}
