/**
 * Values with an order. Dates are the time from their beginning to the beginning of the next; times without a zone are
 * in doubt by 14 hours either way; durations are ordered only as far as the calendar leaves no doubt.
 */
import { daysInMonth } from '../instant.js'
import { weekdayOf } from '../operands/domain.js'
import { addNum, compareNum, type Num, numOf, numText, parseNum } from './num.js'

/** Kleene's third value is undefined everywhere in this folder: true, false, or cannot be told. */
export type Tri = boolean | undefined

export type Scalar =
  | { readonly kind: 'number' | 'time'; readonly at: Num }
  /** `to` is exclusive; absent for a single instant. Seconds since 1970, exact. */
  | { readonly kind: 'instant'; readonly at: Num; readonly to?: Num; readonly zoned: boolean }
  | { readonly kind: 'duration'; readonly months: bigint; readonly seconds: Num }

const DATE_TIME =
  /^(-?(?:\d{4}|[1-9]\d{4,5}))-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,18}))?)?\s?(Z|[+-]\d\d:?\d\d)?$/
const DATE = /^(-?(?:\d{4}|[1-9]\d{4,5}))-(\d\d)-(\d\d)(Z|[+-]\d\d:\d\d)?$/
const MONTH = /^(-?(?:\d{4}|[1-9]\d{4,5}))-(\d\d)(Z|[+-]\d\d:\d\d)?$/
const YEAR = /^(-?(?:\d{4}|[1-9]\d{4,5}))(Z|[+-]\d\d:\d\d)?$/
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,18}))?)?$/

/** Days since 1970-01-01 in the proleptic Gregorian calendar; undefined for a day that does not exist. */
function dayNumber(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  // March-based years make leap days the last day of a year.
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const ofEra = y - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
}

/** Offset in seconds; undefined when it is out of range, 0 for none. */
function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? []
  const seconds = Number(hours) * 3600 + Number(minutes) * 60
  if (Number(minutes) > 59 || seconds > 14 * 3600) return undefined
  return sign === '-' ? -seconds : seconds
}

const DAY = 86_400

function clock(
  hour: string,
  minute: string,
  second: string | undefined,
  fraction: string | undefined,
): Num | undefined {
  const [h, m, s] = [Number(hour), Number(minute), Number(second ?? 0)]
  // XML Schema allows 24:00:00 for the end of a day.
  const isEnd = h === 24 && m === 0 && s === 0 && /^0*$/.test(fraction ?? '')
  if ((h > 23 && !isEnd) || m > 59 || s > 59) return undefined
  const digits = fraction ?? ''
  return {
    n: BigInt(h * 3600 + m * 60 + s) * 10n ** BigInt(digits.length) + BigInt(digits === '' ? 0 : digits),
    scale: digits.length,
  }
}

const seconds = (value: number): Num => numOf(BigInt(value))

const span = (
  from: number | undefined,
  to: number | undefined,
  zone: string | undefined,
): Scalar | undefined => {
  const offset = offsetOf(zone)
  if (from === undefined || to === undefined || offset === undefined) return undefined
  return {
    kind: 'instant',
    at: seconds(from * DAY - offset),
    to: seconds(to * DAY - offset),
    zoned: zone !== undefined,
  }
}

export function parseInstantOrDate(text: string): Scalar | undefined {
  const exact = DATE_TIME.exec(text)
  if (exact !== null) {
    const [, year, month, day, hour = '', minute = '', second, fraction, zone] = exact
    const days = dayNumber(Number(year), Number(month), Number(day))
    const ofDay = clock(hour, minute, second, fraction)
    const offset = offsetOf(zone)
    if (days === undefined || ofDay === undefined || offset === undefined) return undefined
    return { kind: 'instant', at: addNum(seconds(days * DAY - offset), ofDay), zoned: zone !== undefined }
  }
  const date = DATE.exec(text)
  if (date !== null) {
    const first = dayNumber(Number(date[1]), Number(date[2]), Number(date[3]))
    return span(first, first === undefined ? undefined : first + 1, date[4])
  }
  const month = MONTH.exec(text)
  if (month !== null) {
    const [y, m] = [Number(month[1]), Number(month[2])]
    return span(dayNumber(y, m, 1), m === 12 ? dayNumber(y + 1, 1, 1) : dayNumber(y, m + 1, 1), month[3])
  }
  return undefined
}

/** A year alone looks like a number, so it is read as a year only when its datatype says so. */
const parseYear = (text: string): Scalar | undefined => {
  const year = YEAR.exec(text)
  return year === null
    ? undefined
    : span(dayNumber(Number(year[1]), 1, 1), dayNumber(Number(year[1]) + 1, 1, 1), year[2])
}

const DURATION =
  /^(-?)P(?=\d|T\d)(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{1,18}))?S)?)?$/

export function parseExactDuration(text: string): Scalar | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const part = (index: number): bigint => BigInt(match[index] ?? 0)
  const sign = match[1] === '-' ? -1n : 1n
  const fraction = match[9] ?? ''
  const whole = part(4) * 604_800n + part(5) * 86_400n + part(6) * 3600n + part(7) * 60n + part(8)
  const scale = fraction.length
  const n = whole * 10n ** BigInt(scale) + BigInt(fraction === '' ? 0 : fraction)
  return { kind: 'duration', months: sign * (part(2) * 12n + part(3)), seconds: { n: sign * n, scale } }
}

export function parseTime(text: string): Scalar | undefined {
  const match = TIME.exec(text)
  const at = match === null ? undefined : clock(match[1] ?? '', match[2] ?? '', match[3], match[4])
  return at === undefined ? undefined : { kind: 'time', at }
}

export const parseWeekday = (text: string): Scalar | undefined => {
  const day = weekdayOf(text.slice(Math.max(text.lastIndexOf('#'), text.lastIndexOf('/')) + 1))
  return day === undefined ? undefined : { kind: 'number', at: numOf(BigInt(day)) }
}

export const parseNumber = (text: string): Scalar | undefined => {
  const at = parseNum(text)
  return at === undefined ? undefined : { kind: 'number', at }
}

const XSD = 'http://www.w3.org/2001/XMLSchema#'
const BY_DATATYPE: Readonly<Record<string, (text: string) => Scalar | undefined>> = {
  dateTime: parseInstantOrDate,
  dateTimeStamp: parseInstantOrDate,
  date: parseInstantOrDate,
  gYearMonth: parseInstantOrDate,
  gYear: parseYear,
  time: parseTime,
  duration: parseExactDuration,
  dayTimeDuration: parseExactDuration,
  yearMonthDuration: parseExactDuration,
}
const NUMERIC = new Set(
  `integer decimal double float int long short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger
  unsignedInt unsignedLong unsignedShort unsignedByte`.split(/\s+/),
)

/** Reads a value by its datatype, or by its look when it has none. Undefined for a value without an order. */
export function scalarOf(text: string, datatype: string | undefined): Scalar | undefined {
  if (datatype?.startsWith(XSD) === true) {
    const name = datatype.slice(XSD.length)
    if (NUMERIC.has(name)) return parseNumber(text)
    const read = Object.hasOwn(BY_DATATYPE, name) ? BY_DATATYPE[name] : undefined
    if (read !== undefined) return read(text)
    return name === 'string' || name === 'anyURI' || name === 'boolean' ? undefined : bySight(text)
  }
  return bySight(text)
}

const bySight = (text: string): Scalar | undefined =>
  parseNumber(text) ?? parseInstantOrDate(text) ?? parseExactDuration(text) ?? parseTime(text)

/** Where a value lies as seen from a bound: before it, within it (equal, for a point), or after it. */
export type Place = 'before' | 'within' | 'after'

const DOUBT = numOf(14n * 3600n)
const minus = (a: Num, b: Num): Num => addNum(a, { n: -b.n, scale: b.scale })

export function placeOf(value: Scalar, bound: Scalar): Place | undefined {
  if (value.kind === 'instant' && bound.kind === 'instant') return placeOfInstant(value, bound)
  if (value.kind === 'duration' && bound.kind === 'duration') return placed(compareDurations(value, bound))
  if (value.kind !== bound.kind || !('at' in value) || !('at' in bound)) return undefined
  return placed(compareNum(value.at, bound.at))
}

const placed = (order: number | undefined): Place | undefined =>
  order === undefined ? undefined : order < 0 ? 'before' : order > 0 ? 'after' : 'within'

type Instant = Extract<Scalar, { kind: 'instant' }>

function placeOfInstant(value: Instant, bound: Instant): Place | undefined {
  const doubt = value.zoned === bound.zoned ? numOf(0n) : DOUBT
  const certain = doubt.n === 0n
  const [first, end] = [value.at, value.to]
  const order = compareNum(end ?? first, minus(bound.at, doubt))
  // A stretch of time that ends where the bound begins lies before it.
  if (order < 0 || (order === 0 && end !== undefined && certain)) return 'before'
  const last = addNum(bound.to ?? bound.at, doubt)
  const late = compareNum(first, last)
  if (late > 0 || (late === 0 && bound.to !== undefined && certain)) return 'after'
  if (!certain) return undefined
  const inside = compareNum(first, bound.at) >= 0 && compareNum(end ?? first, bound.to ?? bound.at) <= 0
  return inside && (end === undefined || bound.to !== undefined) ? 'within' : undefined
}

/** XML Schema 1.1 part 2, appendix E: durations are ordered when they are at all four of these starting points. */
const REFERENCES: readonly (readonly [year: number, month: number])[] = [
  [1696, 9],
  [1697, 2],
  [1903, 3],
  [1903, 7],
]

export type Duration = Extract<Scalar, { kind: 'duration' }>

/** Undefined when the order depends on the calendar, as between P1M and P30D. */
export function compareDurations(a: Duration, b: Duration): number | undefined {
  if (a.months === b.months) return compareNum(a.seconds, b.seconds)
  if (compareNum(a.seconds, b.seconds) === 0) return a.months < b.months ? -1 : 1
  const orders = new Set(
    REFERENCES.map(([year, month]) =>
      Math.sign(compareNum(lengthFrom(a, year, month), lengthFrom(b, year, month))),
    ),
  )
  const [only] = orders
  return orders.size === 1 ? only : undefined
}

/** The length of a duration from each of the four starting points. */
export const lengthsOf = (duration: Duration): readonly Num[] =>
  REFERENCES.map(([year, month]) => lengthFrom(duration, year, month))

function lengthFrom({ months, seconds: rest }: Duration, year: number, month: number): Num {
  const total = BigInt(month - 1) + months
  const years = total >= 0n ? total / 12n : (total - 11n) / 12n
  const [y, m] = [year + Number(years), Number(total - years * 12n) + 1]
  const days = (dayNumber(y, m, 1) ?? 0) - (dayNumber(year, month, 1) ?? 0)
  return addNum(seconds(days * DAY), rest)
}

/**
 * The instant a duration later, months first as XML Schema 1.1 part 2, appendix E.3.3 adds them. Undefined for a whole day,
 * and for a beginning further away than a Date reaches; the end may lie as far away as it likes.
 */
export function later(from: Instant, { months, seconds: rest }: Duration): Instant | undefined {
  const [whole] = split(from.at)
  const start = new Date(Number(whole) * 1000)
  if (from.to !== undefined || Number.isNaN(start.getTime())) return undefined
  const [year, month, day] = [start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate()]
  const total = BigInt(month) + months
  const ofYear = Number(((total % 12n) + 12n) % 12n)
  const target = year + Number((total - BigInt(ofYear)) / 12n)
  const first = dayNumber(year, month + 1, day)
  const last = dayNumber(target, ofYear + 1, Math.min(day, daysInMonth(target, ofYear + 1)))
  if (first === undefined || last === undefined) return undefined
  return { ...from, at: addNum(addNum(from.at, seconds((last - first) * DAY)), rest) }
}

/** The value as text for people and witnesses. */
export function scalarText(scalar: Scalar): string {
  if (scalar.kind === 'instant') return instantText(scalar)
  if (scalar.kind === 'duration') return durationText(scalar)
  if (scalar.kind === 'number') return numText(scalar.at)
  return timeText(scalar.at)
}

const two = (value: number): string => String(value).padStart(2, '0')

/** Whole units and the fraction text behind them. */
function split(at: Num): readonly [bigint, string] {
  const unit = 10n ** BigInt(at.scale)
  let whole = at.n / unit
  if (at.n % unit < 0n) whole -= 1n
  const rest = at.n - whole * unit
  const fraction = rest === 0n ? '' : `.${rest.toString().padStart(at.scale, '0').replace(/0+$/, '')}`
  return [whole, fraction]
}

function timeText(at: Num): string {
  const [whole, fraction] = split(at)
  const s = Number(whole)
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}${fraction}`
}

function instantText({ at, zoned }: Instant): string {
  const [whole, fraction] = split(at)
  const ms = Number(whole) * 1000
  if (Math.abs(ms) > 8.64e15) return `${numText(at)} s`
  return `${new Date(ms).toISOString().slice(0, 19)}${fraction}${zoned ? 'Z' : ''}`
}

function durationText({ months, seconds: rest }: Duration): string {
  const [whole, fraction] = split(rest)
  const days = whole / 86_400n
  const left = whole - days * 86_400n
  const text = `P${months === 0n ? '' : `${months}M`}${days === 0n ? '' : `${days}D`}`
  if (left === 0n && fraction === '') return text === 'P' ? 'PT0S' : text
  return `${text}T${left}${fraction}S`
}
