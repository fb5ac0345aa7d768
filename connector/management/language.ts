/**
 * How an answer reads for people here. Texts that they keep, such as clauses, stand there in both languages; a sentence
 * comes in the language that the request prefers. Participants are named as this operator knows them; what is stored,
 * compared and signed knows identifiers only.
 */
import type { Response } from 'express'
import { reasonIn } from '../core/operator-reasons.js'
import type { Lang, Text } from '../core/types.js'

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

/** Who an identifier belongs to, as the reader calls it; undefined for nobody known. */
export type Names = (did: string) => Text | undefined

const nobody: Names = () => undefined

/** The same answer with each sentence in one language, and names beside the identifiers in its texts. */
export function inLanguage(value: unknown, lang: Lang, names = nobody): unknown {
  if (Array.isArray(value)) return value.map((one) => inLanguage(one, lang, names))
  if (typeof value !== 'object' || value === null) return value
  if (isText(value)) return withNames(value, names)
  const given = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(given)
      .filter(([name]) => !Object.hasOwn(given, GERMAN.get(name) ?? ''))
      .map(([name, inner]) => [
        name,
        SENTENCES.includes(name) ? chosen(given, name, lang, names) : inLanguage(inner, lang, names),
      ]),
  )
}

function chosen(given: Readonly<Record<string, unknown>>, name: string, lang: Lang, names: Names): unknown {
  const said = given[name]
  if (lang === 'en') return inLanguage(said, lang, names)
  const german = given[`${name}De`]
  if (german !== undefined) return german
  return typeof said === 'string' ? reasonIn(said, 'de') : inLanguage(said, lang, names)
}

const isText = (value: object): value is Text =>
  'en' in value &&
  'de' in value &&
  typeof value.en === 'string' &&
  typeof value.de === 'string' &&
  Object.keys(value).length === 2

/** A DID as a whole, so that none is found inside a longer one; quotation marks around it are dropped for a name. */
const DID = /["„]?(did:[a-z0-9]+:[\w.:%-]*[\w%-])["“]?/g

/** What is to be typed stays as it is. */
const COMMAND = 'handschlag '

function withNames({ en, de }: Text, names: Names): Text {
  const named = (text: string, lang: Lang): string => {
    const [sentence = '', ...typed] = text.split(COMMAND)
    const told = sentence.replace(DID, (written, did: string) => names(did)?.[lang] ?? written)
    return [told, ...typed].join(COMMAND)
  }
  return { en: named(en, 'en'), de: named(de, 'de') }
}

/** "Pump Operator (did:web:...)" for a partner, "did:web:... (you)" for oneself. */
export const namesOf =
  (ownDid: string, nameOf: (did: string) => string | undefined): Names =>
  (did) => {
    if (did === ownDid) return { en: `${did} (you)`, de: `${did} (Sie)` }
    const name = nameOf(did)
    return name === undefined || name === did ? undefined : { en: `${name} (${did})`, de: `${name} (${did})` }
  }

export function sendSaid(res: Response, value: unknown, names?: Names): void {
  const lang = languageOf(res.req.headers['accept-language'])
  res
    .vary('Accept-Language')
    .set('Content-Language', lang)
    .json(inLanguage(value, lang, names))
}
