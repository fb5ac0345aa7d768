/**
 * Event times as machines write them. Exact or refused: a text that is not wholly a time in the declared format
 * gives undefined, never a guess.
 */
import type { EpochMs } from '../../core/types.js'

export const TIME_FORMATS = ['iso', 'iso-local', 'epoch-ms', 'epoch-s'] as const
export type TimeFormat = (typeof TIME_FORMATS)[number]

export type TimeRule = {
  readonly format: TimeFormat
  /** IANA name; set exactly for iso-local. */
  readonly timeZone?: string
}

/** Ends the sentence 'its time "..." is not'. */
export const EXPECTED_TIME: Readonly<Record<TimeFormat, string>> = {
  iso: 'a date and time with an offset',
  'iso-local': 'a date and time without an offset',
  'epoch-ms': 'a number of milliseconds since 1970',
  'epoch-s': 'a number of seconds since 1970',
}

export type ParseTime = (value: unknown) => EpochMs | undefined

const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/
const NUMBER = /^-?\d+(?:\.\d+)?$/
/** Years 1900 to 2199: outside them a unit is wrong, or a clock. */
const EARLIEST = Date.UTC(1900, 0, 1)
const LATEST = Date.UTC(2200, 0, 1)
const QUARTER_HOUR = 900_000
const DAY = 86_400_000

const inRange = (ms: number): EpochMs | undefined =>
  ms >= EARLIEST && ms < LATEST ? (Math.floor(ms) as EpochMs) : undefined

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const daysIn = (year: number, month: number): number =>
  month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
    ? 29
    : (DAYS_IN_MONTH[month - 1] ?? 0)

/** Digits at a place of a text that is known to have them; quicker than cutting and converting, per row. */
const twoAt = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528

/** The date and time as if it were UTC, and the offset text. Fractions below a millisecond are cut off. */
function readDateTime(value: unknown): { readonly wall: number; readonly offset: string } | undefined {
  if (typeof value !== 'string' || !DATE_TIME.test(value)) return undefined
  const year = twoAt(value, 0) * 100 + twoAt(value, 2)
  const month = twoAt(value, 5)
  const day = twoAt(value, 8)
  const hour = twoAt(value, 11)
  const minute = twoAt(value, 14)
  const hasSeconds = value[16] === ':'
  const second = hasSeconds ? twoAt(value, 17) : 0
  // Date.UTC would take a year below 100 for one of the last century.
  if (year < 1900 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) {
    return undefined
  }
  let at = hasSeconds ? 19 : 16
  let ms = 0
  if (value[at] === '.' || value[at] === ',') {
    const fraction = /^\d+/.exec(value.slice(at + 1))?.[0] ?? ''
    ms = Number(fraction.padEnd(3, '0').slice(0, 3))
    at += 1 + fraction.length
  }
  return { wall: Date.UTC(year, month - 1, day, hour, minute, second, ms), offset: value.slice(at) }
}

function offsetMs(text: string): number | undefined {
  if (text === '') return undefined
  if (text === 'Z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(3).replace(':', '') || '0')
  if (hours > 23 || minutes > 59) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Offset of a zone from UTC at an instant, milliseconds. */
function createOffsetAt(timeZone: string): (utc: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (utc) => {
    const part: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(utc)) part[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(utc / 1000) * 1000
  }
}

/**
 * Wall clock time to UTC. A time that happens twice, when clocks go back, is the first of the two; a time that never
 * happens, when clocks go forward, counts on with the offset before the change (02:30 becomes 03:30). This is what
 * RFC 5545 (3.3.5, "Form #3") says for calendars.
 */
function createLocalToUtc(timeZone: string): (wall: number) => number {
  const offsetAt = createOffsetAt(timeZone)
  const shiftOf = (wall: number): number => {
    const before = offsetAt(wall - DAY)
    const after = offsetAt(wall + DAY)
    if (before === after) return before
    const fits = [before, after].filter((offset) => offsetAt(wall - offset) === offset)
    return fits.length > 0 ? Math.max(...fits) : before
  }
  // Zones change their offset at whole quarters of an hour, so one shift holds for all of a quarter.
  let quarter = Number.NaN
  let shift = 0
  return (wall) => {
    const current = Math.floor(wall / QUARTER_HOUR)
    if (current !== quarter) {
      quarter = current
      shift = shiftOf(current * QUARTER_HOUR)
    }
    return wall - shift
  }
}

const readNumber = (value: unknown): number | undefined => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : undefined
}

/** A parser for one declared format. Numbers may come as JSON numbers or, from a CSV cell, as text. */
export function createParseTime({ format, timeZone }: TimeRule): ParseTime {
  if (format === 'epoch-ms' || format === 'epoch-s') {
    const unit = format === 'epoch-s' ? 1_000 : 1
    return (value) => {
      const number = readNumber(value)
      return number === undefined ? undefined : inRange(unit === 1 ? number : Math.round(number * unit))
    }
  }
  if (format === 'iso') {
    return (value) => {
      const read = readDateTime(value)
      const offset = read === undefined ? undefined : offsetMs(read.offset)
      return read === undefined || offset === undefined ? undefined : inRange(read.wall - offset)
    }
  }
  const toUtc = createLocalToUtc(timeZone ?? 'UTC')
  return (value) => {
    const read = readDateTime(value)
    return read === undefined || read.offset !== '' ? undefined : inRange(toUtc(read.wall))
  }
}
