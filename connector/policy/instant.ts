/** Instants and calendar days as policies write them. Everything is UTC; nothing here knows the local time zone. */
import type { EpochMs } from '../core/types.js'

export const DAY_MS = 86_400_000

/** xsd:dateTime with a mandatory offset: a bare local time would mean different things to each party. */
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,3}0{0,9})?(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)$/
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/

/** Number of days of a month, 1 to 12, in the proleptic Gregorian calendar. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Checks the calendar itself because `Date.parse` turns 31 February into 3 March instead of refusing it. */
function isRealDay(year: number, month: number, day: number): boolean {
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
}

/** Instant of an xsd:dateTime, or undefined if it is not one or is finer than a millisecond. */
export function parseInstant(value: string): EpochMs | undefined {
  const match = DATE_TIME.exec(value)
  if (match === null || !isRealDay(Number(match[1]), Number(match[2]), Number(match[3]))) return undefined
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : (at as EpochMs)
}

/** Instant of an xsd:dateTime of any precision. What is finer than a millisecond is dropped: it tells when, and limits nothing. */
export const parseTimestamp = (value: string): EpochMs | undefined =>
  parseInstant(value.replace(/(\.\d{3})\d{1,9}(?=[Z+-])/, '$1'))

/** Midnight UTC at which a calendar day such as `2026-12-31` begins, or undefined. */
export function parseDay(value: string): EpochMs | undefined {
  const match = DATE.exec(value)
  if (match === null || !isRealDay(Number(match[1]), Number(match[2]), Number(match[3]))) return undefined
  return Date.parse(`${value}T00:00:00Z`) as EpochMs
}

/** Seconds are left out of the fraction when they are whole: `2027-01-01T00:00:00Z`. */
export const instantText = (at: EpochMs): string => new Date(at).toISOString().replace('.000Z', 'Z')
