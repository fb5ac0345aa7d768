/** Times and durations as people type and read them: local time with its zone out, local or ISO 8601 in. */
import { parseDuration } from '../../config/duration.js'
import type { Lang } from '../../core/types.js'

const LOCALE = { en: 'en-GB', de: 'de-DE' } as const

/** "23 Nov 2026, 11:06:19 CET"; what is no time is shown as it is. */
export function whenWords(iso: string, lang: Lang): string {
  const at = Date.parse(iso)
  if (Number.isNaN(at)) return iso
  return new Intl.DateTimeFormat(LOCALE[lang], {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).format(at)
}

/** "11:06:19", for lines that follow each other. */
export function clockWords(iso: string | number, lang: Lang): string {
  const at = typeof iso === 'number' ? iso : Date.parse(iso)
  if (Number.isNaN(at)) return ''
  return new Intl.DateTimeFormat(LOCALE[lang], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(at)
}

const FRIENDLY = /^(\d{1,9})(ms|s|m|h|d|w)$/
const ISO_OF = { s: 'PT#S', m: 'PT#M', h: 'PT#H', d: 'P#D', w: 'P#W' } as const

/** `10s`, `5m`, `2h`, `30d` or `2w` as ISO 8601; anything else stays as it is, for the connector to judge. */
export function isoDuration(text: string): string {
  const [, amount, unit] = FRIENDLY.exec(text) ?? []
  if (amount === undefined || unit === undefined || unit === 'ms') return text
  return ISO_OF[unit as keyof typeof ISO_OF].replace('#', String(Number(amount)))
}

/** Milliseconds of `90s`, `500ms` or `PT1H30M`; undefined when it is no fixed duration. */
export function durationMs(text: string): number | undefined {
  const [, amount, unit] = FRIENDLY.exec(text) ?? []
  return unit === 'ms' ? Number(amount) : parseDuration(isoDuration(text))
}

const ZONED = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/

/** An instant in UTC as it goes into a query; a day or a time without an offset is local. Undefined when it is neither. */
export function instantOf(text: string): string | undefined {
  if (ZONED.test(text)) {
    const at = Date.parse(text)
    return Number.isNaN(at) ? undefined : new Date(at).toISOString()
  }
  const match = LOCAL.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0))
  const date = new Date(year, month - 1, day, hour, minute, second)
  // Date turns 31 February into 3 March instead of refusing it.
  const real =
    date.getMonth() === month - 1 && date.getDate() === day && hour < 24 && minute < 60 && second < 60
  return real ? date.toISOString() : undefined
}
