/** How instants, durations, numbers and lists read in a sentence, in both languages of the product. */
import type { EpochMs, Lang, Text } from '../core/types.js'
import { type Duration, type DurationUnit, durationParts } from './duration.js'

const MONTHS = {
  en: [
    'January',
    'February',
    'March',
    'April',
    'May',
    'June',
    'July',
    'August',
    'September',
    'October',
    'November',
    'December',
  ],
  de: [
    'Januar',
    'Februar',
    'März',
    'April',
    'Mai',
    'Juni',
    'Juli',
    'August',
    'September',
    'Oktober',
    'November',
    'Dezember',
  ],
} as const satisfies Record<Lang, readonly string[]>

export const text = (en: string, de: string): Text => ({ en, de })

/** A term or value as written, in quotation marks. Long ones are cut: a message must not grow with what a stranger wrote. */
export function quoted(value: string): Text {
  const escaped = JSON.stringify(value.length > 120 ? `${value.slice(0, 119)}…` : value)
    .slice(1, -1)
    .replaceAll(MISLEADING, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return text(`"${escaped}"`, `„${escaped}“`)
}

/** What turns the direction of writing, breaks a line or looks like the end of a quotation. */
const MISLEADING = /[\p{Cc}\p{Bidi_Control}\u2028\u2029„“”]/gu

const PLAIN_NAME = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_:/%°.-]{0,118}[\p{L}\p{M}\p{N}_%°])?$/u

/** A name as it is where it cannot be taken for a part of the sentence, otherwise in quotation marks. */
const nameWords = (name: string): Text => (PLAIN_NAME.test(name) ? text(name, name) : quoted(name))

/** Names that others have given, one after the other. */
export function listNames(names: readonly string[]): Text {
  const words = names.map(nameWords)
  return text(listWords(words.map(({ en }) => en)).en, listWords(words.map(({ de }) => de)).de)
}

/** The calendar day in UTC: "31 December 2026". */
export function dayWords(at: EpochMs): Text {
  const date = new Date(at)
  const [day, month, year] = [date.getUTCDate(), date.getUTCMonth(), date.getUTCFullYear()]
  return text(`${day} ${MONTHS.en[month]} ${year}`, `${day}. ${MONTHS.de[month]} ${year}`)
}

/** Day and time in UTC, as exact as the instant is: "31 December 2026, 14:30 UTC". */
export function momentWords(at: EpochMs): Text {
  const day = dayWords(at)
  const time = new Date(at).toISOString().replace(/^.*T|Z$/g, '')
  const exact = time.replace(/(?::00)?\.000$/, '')
  return text(`${day.en}, ${exact} UTC`, `${day.de}, ${exact.replace('.', ',')} Uhr UTC`)
}

/** The present moment for a message: fractions of a second would only disturb. */
export const nowWords = (at: EpochMs): Text => momentWords((Math.floor(at / 1000) * 1000) as EpochMs)

export function numberWords(value: number): Text {
  const digits = String(value)
  const grouped = (separator: string): string => digits.replace(/\B(?=(?:\d{3})+$)/g, separator)
  return text(grouped(','), grouped('.'))
}

/** "a, b and c" */
export function listWords(items: readonly string[]): Text {
  if (items.length < 2) return text(items[0] ?? '', items[0] ?? '')
  const head = items.slice(0, -1).join(', ')
  const last = items.at(-1) ?? ''
  return text(`${head} and ${last}`, `${head} und ${last}`)
}

const UNITS: Readonly<
  Record<DurationUnit, { en: readonly [string, string]; de: readonly [string, string] }>
> = {
  years: { en: ['year', 'years'], de: ['Jahr', 'Jahre'] },
  months: { en: ['month', 'months'], de: ['Monat', 'Monate'] },
  days: { en: ['day', 'days'], de: ['Tag', 'Tage'] },
  hours: { en: ['hour', 'hours'], de: ['Stunde', 'Stunden'] },
  minutes: { en: ['minute', 'minutes'], de: ['Minute', 'Minuten'] },
  seconds: { en: ['second', 'seconds'], de: ['Sekunde', 'Sekunden'] },
}

/** "1 hour and 30 minutes"; the German words stand in the accusative ("365 Tage"). */
export function durationWords(duration: Duration): Text {
  const parts = durationParts(duration)
  const words = (lang: Lang): string =>
    listWords(
      parts.map(([amount, unit]) => {
        const number = lang === 'de' ? String(amount).replace('.', ',') : String(amount)
        return `${number} ${UNITS[unit][lang][amount === 1 ? 0 : 1]}`
      }),
    )[lang]
  return text(words('en'), words('de'))
}
