/** What values a left operand can have. Checking and normalising by domain is shared by operands that have no code of their own. */
import type { Text } from '../../core/types.js'
import { parseDuration } from '../duration.js'
import { parseInstant } from '../instant.js'
import { quoted, text } from '../words.js'
import { normalDuration } from './values.js'

export type Domain =
  | { readonly kind: 'instant' | 'time' | 'weekday' | 'name' }
  | { readonly kind: 'duration' | 'integer' | 'decimal'; readonly least?: 0 }
  /** Concepts of a hierarchy; `tree` names the taxonomy, which may be absent here. */
  | { readonly kind: 'tree'; readonly tree: string }

const WEEKDAYS: readonly string[] = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
]

/** ISO weekday 1 to 7 from a number or an English name; undefined for anything else. */
export function weekdayOf(value: string): number | undefined {
  if (/^[1-7]$/.test(value)) return Number(value)
  const at = WEEKDAYS.indexOf(value.toLowerCase())
  return at === -1 ? undefined : at + 1
}

const TIME = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?$/

/** Time of day as `hh:mm:ss` with the fraction there is, or undefined. */
export function timeOfDay(value: string): string | undefined {
  const match = TIME.exec(value)
  if (match === null) return undefined
  const fraction = (match[4] ?? '').replace(/0+$/, '')
  return `${match[1]}:${match[2]}:${match[3] ?? '00'}${fraction === '' ? '' : `.${fraction}`}`
}

const DECIMAL = /^[+-]?(?:\d{1,60}(?:\.\d{0,60})?|\.\d{1,60})$/

/** A decimal number without superfluous signs and zeros, or undefined. */
export function plainDecimal(value: string): string | undefined {
  if (!DECIMAL.test(value)) return undefined
  const [, sign = '', whole = '', fraction = ''] = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(value) ?? []
  const digits = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`
  return sign === '-' && digits !== '0' ? `-${digits}` : digits
}

type Reader = (value: string) => string | undefined

const wholeNumber: Reader = (value) => (/^\+?\d{1,60}$/.test(value) ? plainDecimal(value) : undefined)
const name: Reader = (value) =>
  value.trim() === '' || !value.isWellFormed() ? undefined : value.normalize('NFC')

const READERS: Readonly<Record<Domain['kind'], readonly [Reader, Text]>> = {
  instant: [
    (value) => (parseInstant(value) === undefined ? undefined : value),
    text('a date and time with an offset', 'ein Zeitpunkt mit Zeitzone'),
  ],
  duration: [
    (value) => (parseDuration(value) === undefined ? undefined : normalDuration(value)),
    text('a duration such as PT10S or P30D', 'eine Dauer wie PT10S oder P30D'),
  ],
  integer: [wholeNumber, text('a whole number such as 1000', 'eine ganze Zahl wie 1000')],
  decimal: [plainDecimal, text('a number such as 12.50', 'eine Zahl wie 12.50')],
  time: [timeOfDay, text('a time of day such as 06:00:00', 'eine Uhrzeit wie 06:00:00')],
  weekday: [
    (value) => {
      const day = weekdayOf(value)
      return day === undefined ? undefined : String(day)
    },
    text('a weekday from 1 (Monday) to 7', 'ein Wochentag von 1 (Montag) bis 7'),
  ],
  name: [name, text('a name', 'ein Name')],
  tree: [name, text('a name', 'ein Name')],
}

/** One text for values that mean the same; a value outside the domain stays as it is. */
export const normalIn = (domain: Domain, value: string): string => READERS[domain.kind][0](value) ?? value

/** Why the values are none of the domain, or are too many; undefined when all is well. */
export function domainFault(domain: Domain, values: readonly string[], takesList: boolean): Text | undefined {
  const [read, expected] = READERS[domain.kind]
  if (values.length === 0 || (values.length > 1 && !takesList)) {
    return text(
      `The condition needs ${takesList ? 'at least' : 'exactly'} one value; expected is ${expected.en}.`,
      `Die Bedingung braucht ${takesList ? 'mindestens' : 'genau'} einen Wert; erwartet wird ${expected.de}.`,
    )
  }
  const bad = values.find((value) => read(value) === undefined)
  if (bad === undefined) return undefined
  return text(
    `The value ${quoted(bad).en} is not valid; expected is ${expected.en}.`,
    `Der Wert ${quoted(bad).de} ist ungültig; erwartet wird ${expected.de}.`,
  )
}
