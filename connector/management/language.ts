/**
 * In which language an answer says what happened. Texts that people keep, such as clauses, stand there in both; a sentence
 * comes in the language that the request prefers.
 */
import type { Response } from 'express'
import { reasonIn } from '../core/operator-reasons.js'
import type { Lang } from '../core/types.js'

/** RFC 9110, 12.5.4. Everything that is not German is English. */
export function languageOf(header: string | undefined): Lang {
  const wishes = (header ?? '').split(',').map((wish, index) => {
    const [tag = '', ...parameters] = wish.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters
      .map((one) => /^q=(\d(?:\.\d{1,3})?)$/.exec(one)?.[1])
      .find((q) => q !== undefined)
    return { lang: tag.split('-')[0], weight: Number(weight ?? 1), index }
  })
  const [first] = wishes
    .filter(({ lang, weight }) => (lang === 'de' || lang === 'en') && weight > 0)
    .toSorted((a, b) => b.weight - a.weight || a.index - b.index)
  return first?.lang === 'de' ? 'de' : 'en'
}

/** Members that hold sentences; the German one stands beside each under the same name with De. */
const SENTENCES: readonly string[] = [
  'message',
  'problem',
  'problems',
  'reason',
  'statusReason',
  'lastError',
  'waitingDetail',
]
const GERMAN = new Map<string, string>(SENTENCES.map((name) => [`${name}De`, name]))

/** The same answer with each sentence in one language. */
export function inLanguage(value: unknown, lang: Lang): unknown {
  if (Array.isArray(value)) return value.map((one) => inLanguage(one, lang))
  if (typeof value !== 'object' || value === null) return value
  const given = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(given)
      .filter(([name]) => !Object.hasOwn(given, GERMAN.get(name) ?? ''))
      .map(([name, inner]) => [
        name,
        SENTENCES.includes(name) ? chosen(given, name, lang) : inLanguage(inner, lang),
      ]),
  )
}

function chosen(given: Readonly<Record<string, unknown>>, name: string, lang: Lang): unknown {
  const said = given[name]
  if (lang === 'en') return inLanguage(said, lang)
  const german = given[`${name}De`]
  if (german !== undefined) return german
  return typeof said === 'string' ? reasonIn(said, 'de') : inLanguage(said, lang)
}

export function sendSaid(res: Response, value: unknown): void {
  const lang = languageOf(res.req.headers['accept-language'])
  res.vary('Accept-Language').set('Content-Language', lang).json(inLanguage(value, lang))
}
