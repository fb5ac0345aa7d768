/** A condition as a label and what it has to be: "Time for which data is kept: at most 90 days." For any operand. */
import type { Text } from '../core/types.js'
import { conceptWords } from './concept-words.js'
import { parseDuration } from './duration.js'
import { parseInstant } from './instant.js'
import type { AtomicConstraint, Operator } from './model.js'
import { type Domain, plainDecimal, timeOfDay, weekdayOf } from './operands/domain.js'
import { durationWords, momentWords, numberWords, quoted, text } from './words.js'

/** Before the values of an operand whose values have an order. */
const AMOUNT_WORDS: Readonly<Partial<Record<Operator, Text>>> = {
  eq: text('exactly', 'genau'),
  neq: text('anything but', 'alles außer'),
  lt: text('less than', 'weniger als'),
  lteq: text('at most', 'höchstens'),
  gt: text('more than', 'mehr als'),
  gteq: text('at least', 'mindestens'),
}
const INSTANT_WORDS: Readonly<Partial<Record<Operator, Text>>> = {
  lt: text('before', 'vor dem'),
  lteq: text('until', 'bis zum'),
  gt: text('after', 'nach dem'),
  gteq: text('from', 'ab dem'),
}
const CLOCK_WORDS: Readonly<Partial<Record<Operator, Text>>> = {
  lt: text('before', 'vor'),
  lteq: text('until', 'bis'),
  gt: text('after', 'nach'),
  gteq: text('from', 'ab'),
}

type Joined = (first: Text, last: Text | undefined) => Text

/** Between the last two values of a list, and around all of them. */
const both = (lead: Text, between: Text): Joined => {
  const before = (words: string): string => (words === '' ? '' : `${words} `)
  return (first, last) =>
    last === undefined
      ? text(before(lead.en) + first.en, before(lead.de) + first.de)
      : text(
          `${before(lead.en)}${first.en} ${between.en} ${last.en}`,
          `${before(lead.de)}${first.de} ${between.de} ${last.de}`,
        )
}
const ONE_OF = both(text('only', 'nur'), text('or', 'oder'))
const NONE_OF: Joined = (first, last) =>
  last === undefined
    ? text(`not ${first.en}`, `nicht ${first.de}`)
    : text(`neither ${first.en} nor ${last.en}`, `weder ${first.de} noch ${last.de}`)

const LIST_WORDS: Readonly<Partial<Record<Operator, Joined>>> = {
  eq: ONE_OF,
  neq: NONE_OF,
  isAnyOf: ONE_OF,
  isNoneOf: NONE_OF,
  isAllOf: (first, last) =>
    last === undefined
      ? first
      : text(`both ${first.en} and ${last.en}`, `sowohl ${first.de} als auch ${last.de}`),
  isA: both(text('only kinds of', 'nur Arten von'), text('or', 'oder')),
  isPartOf: both(text('only within', 'nur innerhalb von'), text('or', 'oder')),
  hasPart: both(text('with', 'mit'), text('and', 'und')),
}

const DAYS: readonly Text[] = [
  text('Monday', 'Montag'),
  text('Tuesday', 'Dienstag'),
  text('Wednesday', 'Mittwoch'),
  text('Thursday', 'Donnerstag'),
  text('Friday', 'Freitag'),
  text('Saturday', 'Samstag'),
  text('Sunday', 'Sonntag'),
]

const decimalWords = (value: string): Text | undefined => {
  const plain = plainDecimal(value)
  if (plain === undefined) return undefined
  const [whole = '', fraction] = plain.split('.')
  const number = Number(whole)
  const grouped = Number.isSafeInteger(number) ? numberWords(Math.abs(number)) : text(whole, whole)
  const [sign, rest] = [plain.startsWith('-') ? '-' : '', fraction ?? '']
  return rest === ''
    ? text(sign + grouped.en, sign + grouped.de)
    : text(`${sign}${grouped.en}.${rest}`, `${sign}${grouped.de},${rest}`)
}

type Reader = (value: string) => Text | undefined
const clock: Reader = (value) => {
  const time = timeOfDay(value)?.replace(/^(\d\d:\d\d):00$/, '$1')
  return time === undefined ? undefined : text(time, `${time.replace('.', ',')} Uhr`)
}

const READERS: Readonly<Record<Exclude<Domain['kind'], 'name' | 'tree'>, Reader>> = {
  instant: (value) => {
    const at = parseInstant(value)
    return at === undefined ? undefined : momentWords(at)
  },
  duration: (value) => {
    const duration = parseDuration(value)
    return duration === undefined ? undefined : durationWords(duration)
  },
  integer: decimalWords,
  decimal: decimalWords,
  time: clock,
  weekday: (value) => DAYS[(weekdayOf(value) ?? 0) - 1],
}

/** A value of an operand as people say it; a name as it was written. */
export function valueWords(domain: Domain, value: string): Text {
  const said =
    domain.kind === 'name' || domain.kind === 'tree'
      ? conceptWords(domain.kind === 'tree' ? domain.tree : undefined, value)
      : READERS[domain.kind](value)
  return said ?? quoted(value)
}

const commas = (values: readonly Text[]): Text =>
  text(values.map(({ en }) => en).join(', '), values.map(({ de }) => de).join(', '))

function required({ kind }: Domain, operator: Operator, values: readonly Text[]): Text {
  const amount =
    (kind === 'instant' ? INSTANT_WORDS : kind === 'time' ? CLOCK_WORDS : {})[operator] ??
    AMOUNT_WORDS[operator]
  const [list, all] = [LIST_WORDS[operator], commas(values)]
  if (amount !== undefined && (list === undefined || !['name', 'tree', 'weekday'].includes(kind))) {
    return text(`${amount.en} ${all.en}`, `${amount.de} ${all.de}`)
  }
  if (list === undefined) return all
  return values.length < 2 ? list(all, undefined) : list(commas(values.slice(0, -1)), values.at(-1))
}

export function conditionWords(
  { label, domain }: { readonly label: Text; readonly domain: Domain },
  { operator, rightOperand }: AtomicConstraint,
): Text {
  const values = (typeof rightOperand === 'string' ? [rightOperand] : rightOperand).map((value) =>
    valueWords(domain, value),
  )
  const { en, de } = required(domain, operator as Operator, values)
  return text(`${label.en}: ${en}.`, `${label.de}: ${de}.`)
}
