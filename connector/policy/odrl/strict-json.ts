/**
 * JSON whose meaning is not left to the reader: a name written twice in one object is refused, depth is bounded, and a
 * number that a float cannot hold exactly stays the text it was written as.
 */
import { ok, problem, type Result } from '../../core/result.js'

export const MAX_JSON_DEPTH = 64

class Refused extends Error {}

/** `InvalidMessage` with the position of the first fault. */
export function parseStrictJson(text: string): Result<unknown> {
  const reader = { text, at: 0 }
  try {
    const value = readValue(reader, 0)
    skipSpace(reader)
    if (reader.at < text.length) throw new Refused('something follows after its end')
    return ok(value)
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause
    return problem('InvalidMessage', {
      en: `This is not valid JSON: ${cause.message} (position ${reader.at + 1}).`,
      de: `Das ist kein gültiges JSON: ${cause.message} (Stelle ${reader.at + 1}).`,
    })
  }
}

type Reader = { readonly text: string; at: number }

const SPACE = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }

function match(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.text)?.[0]
  if (found !== undefined) reader.at += found.length
  return found
}

const skipSpace = (reader: Reader): void => void match(reader, SPACE)

function readValue(reader: Reader, depth: number): unknown {
  if (depth > MAX_JSON_DEPTH) throw new Refused(`it is nested deeper than ${MAX_JSON_DEPTH} levels`)
  skipSpace(reader)
  const next = reader.text[reader.at]
  if (next === '{') return readObject(reader, depth)
  if (next === '[') return readArray(reader, depth)
  if (next === '"') return readString(reader)
  const word = match(reader, WORD)
  if (word !== undefined) return WORDS[word]
  const number = match(reader, NUMBER)
  if (number === undefined) throw new Refused('a value is missing')
  return exact(number)
}

/** Digits that a float would change stay text. */
function exact(written: string): number | string {
  const value = Number(written)
  if (!Number.isFinite(value)) return written
  const digits = (text: string): string =>
    text
      .toLowerCase()
      .replace(/e.*$/, '')
      .replace(/[-.]/g, '')
      .replace(/^0+|0+$/g, '')
  return digits(String(value)) === digits(written) ? value : written
}

function readString(reader: Reader): string {
  let end = reader.at + 1
  while (end < reader.text.length && reader.text[end] !== '"') end += reader.text[end] === '\\' ? 2 : 1
  const written = reader.text.slice(reader.at, end + 1)
  reader.at = end + 1
  try {
    return JSON.parse(written) as string
  } catch (cause) {
    throw new Refused('a text does not end or has a wrong character', { cause })
  }
}

function expect(reader: Reader, sign: string): void {
  skipSpace(reader)
  if (reader.text[reader.at] !== sign) throw new Refused(`"${sign}" is missing`)
  reader.at += 1
}

function isNext(reader: Reader, sign: string): boolean {
  skipSpace(reader)
  if (reader.text[reader.at] !== sign) return false
  reader.at += 1
  return true
}

function readArray(reader: Reader, depth: number): readonly unknown[] {
  expect(reader, '[')
  const items: unknown[] = []
  if (isNext(reader, ']')) return items
  do items.push(readValue(reader, depth + 1))
  while (isNext(reader, ','))
  expect(reader, ']')
  return items
}

function readObject(reader: Reader, depth: number): Record<string, unknown> {
  expect(reader, '{')
  const members = new Map<string, unknown>()
  if (!isNext(reader, '}')) {
    do {
      skipSpace(reader)
      if (reader.text[reader.at] !== '"') throw new Refused('a name is missing')
      const name = readString(reader)
      if (members.has(name))
        throw new Refused(`the name ${JSON.stringify(name.slice(0, 60))} is written twice in one object`)
      expect(reader, ':')
      members.set(name, readValue(reader, depth + 1))
    } while (isNext(reader, ','))
    expect(reader, '}')
  }
  // fromEntries defines members, so that "__proto__" is a member like any other.
  return Object.fromEntries(members)
}
