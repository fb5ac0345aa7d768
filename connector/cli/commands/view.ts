/**
 * Reads answers of the management API for showing them. Texts come out safe for a terminal; what is missing reads as
 * empty, so that a newer connector with other members does not break an older command.
 */
import type { Json, JsonObject, Lang } from '../../core/types.js'
import { printable } from '../table.js'

export type View = {
  readonly json: JsonObject
  /** '' when it is absent. */
  text(key: string): string
  maybe(key: string): string | undefined
  number(key: string): number | undefined
  flag(key: string): boolean
  has(key: string): boolean
  texts(key: string): readonly string[]
  view(key: string): View
  views(key: string): readonly View[]
  /** One language of a `{en, de}`. */
  said(key: string, lang: Lang): string
  /** One language of a list of `{en, de}`. */
  list(key: string, lang: Lang): readonly string[]
}

const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const shown = (json: Json | undefined): string | undefined =>
  typeof json === 'string'
    ? printable(json)
    : typeof json === 'number' || typeof json === 'boolean'
      ? String(json)
      : undefined

const listOf = (json: Json | undefined): readonly Json[] => (Array.isArray(json) ? json : [])

const saidIn = (value: Json | undefined, lang: Lang): string =>
  isObject(value) ? (shown(value[lang]) ?? shown(value.en) ?? '') : (shown(value) ?? '')

export function viewOf(json: Json | undefined): View {
  const object = isObject(json) ? json : {}
  const at = (key: string): Json | undefined => (Object.hasOwn(object, key) ? object[key] : undefined)
  const view: View = {
    json: object,
    text: (key) => shown(at(key)) ?? '',
    maybe: (key) => shown(at(key)),
    number: (key) => {
      const value = at(key)
      return typeof value === 'number' ? value : undefined
    },
    flag: (key) => at(key) === true,
    has: (key) => at(key) !== undefined && at(key) !== null,
    texts: (key) => listOf(at(key)).flatMap((item) => shown(item) ?? []),
    view: (key) => viewOf(at(key)),
    views: (key) => listOf(at(key)).map(viewOf),
    said: (key, lang) => saidIn(at(key), lang),
    list: (key, lang) => listOf(at(key)).map((one) => saidIn(one, lang)),
  }
  return view
}

/** The entries of a list answer, `{partners: [...]}`. */
export const entriesOf = (json: Json, key: string): readonly View[] => viewOf(json).views(key)
