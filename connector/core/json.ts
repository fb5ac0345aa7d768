/**
 * Strict JSON for everything that comes from outside: what two programs could read differently is refused here,
 * so that a signed text has one meaning. Fatal UTF-8, no key twice, bounded depth and size, I-JSON strings and numbers.
 */
import { ok, problem, type Result } from './result.js'
import type { Json } from './types.js'

export type JsonLimits = {
  readonly maxBytes: number
  /** Nested objects and arrays; a bare value has depth 0. */
  readonly maxDepth: number
}

const MESSAGE_LIMITS: JsonLimits = { maxBytes: 256 * 1024, maxDepth: 32 }

const QUOTE = 0x22
const BACKSLASH = 0x5c

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Keys that name parts of every JavaScript object; no message has a use for them. */
const isForbiddenKey = (key: string): boolean =>
  key === '__proto__' || key === 'constructor' || key === 'prototype'

/**
 * The value of a JSON text.
 *
 * @returns `MessageTooLarge`, `MessageTooDeep`, or `InvalidMessage` with a sentence that names what is wrong and where.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = MESSAGE_LIMITS): Result<Json> {
  if (bytes.byteLength > limits.maxBytes) {
    return problem('MessageTooLarge', {
      en: `The body has ${bytes.byteLength} bytes; at most ${limits.maxBytes} are accepted.`,
      de: `Der Inhalt hat ${bytes.byteLength} Byte; angenommen werden höchstens ${limits.maxBytes}.`,
    })
  }
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch (cause) {
    return problem(
      'InvalidMessage',
      {
        en: 'The body is not JSON: it is not valid UTF-8.',
        de: 'Der Inhalt ist kein JSON: Er ist kein gültiges UTF-8.',
      },
      cause,
    )
  }
  const scan = scanText(text, limits.maxDepth)
  // Before parsing: nothing deeper than the limit is built, so later recursion over the value is bounded.
  if (scan.tooDeep) {
    return problem('MessageTooDeep', {
      en: `The body nests deeper than ${limits.maxDepth} levels.`,
      de: `Der Inhalt ist tiefer als ${limits.maxDepth} Ebenen verschachtelt.`,
    })
  }
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (cause) {
    return problem('InvalidMessage', {
      en: `The body is not JSON: ${syntaxFault(cause)}.`,
      de: `Der Inhalt ist kein JSON: ${syntaxFault(cause)}.`,
    })
  }
  // Behind parsing: only for a text that is JSON does the scan know what is a key.
  return scan.fault === undefined ? ok(value) : problem('InvalidMessage', scan.fault)
}

type Scan = { readonly tooDeep: boolean; readonly fault?: string }

/**
 * One pass over the text, without recursion. Finds what JSON.parse lets through. Never throws, whatever the text is.
 */
function scanText(text: string, maxDepth: number): Scan {
  // Lone surrogates and escaped key spellings exist only where there is a \u escape.
  const hasEscapes = text.includes('\\u')
  /** Per open bracket the keys seen so far; undefined for an array. */
  const open: (string[] | Set<string> | undefined)[] = []
  let keys: string[] | Set<string> | undefined
  let keyNext = false
  let fault: string | undefined
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const end = closingQuote(text, i)
        if (end === -1) return done(fault)
        if (hasEscapes && fault === undefined) fault = surrogateFault(text.slice(i, end + 1))
        if (keyNext && keys !== undefined) {
          const key = decodeString(text.slice(i, end + 1))
          if (isForbiddenKey(key)) fault ??= `The key "${key}" is not allowed.`
          if (has(keys, key)) fault ??= `The key "${shorten(key)}" appears twice.`
          keys = add(keys, key)
          open[open.length - 1] = keys
          keyNext = false
        }
        i = end
        break
      }
      case 0x7b: // {
        if (open.length === maxDepth) return { tooDeep: true }
        keys = []
        open.push(keys)
        keyNext = true
        break
      case 0x5b: // [
        if (open.length === maxDepth) return { tooDeep: true }
        keys = undefined
        open.push(keys)
        keyNext = false
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        keys = open.at(-1)
        keyNext = false
        break
      case 0x2c: // ,
        keyNext = keys !== undefined
        break
      default: {
        const end = numberEnd(text, i)
        if (end === i) break
        // JSON.parse reads 1e999 as Infinity, which no JSON text can say again.
        if (!Number.isFinite(Number(text.slice(i, end)))) {
          fault ??= `The number ${shorten(text.slice(i, end))} is too large.`
        }
        i = end - 1
      }
    }
  }
  return done(fault)
}

const done = (fault: string | undefined): Scan =>
  fault === undefined ? { tooDeep: false } : { tooDeep: false, fault }

/** Small objects are searched faster as a list; a large one must not cost quadratic time. */
const SMALL = 16
const has = (keys: string[] | Set<string>, key: string): boolean =>
  Array.isArray(keys) ? keys.includes(key) : keys.has(key)
function add(keys: string[] | Set<string>, key: string): string[] | Set<string> {
  if (!Array.isArray(keys)) return keys.add(key)
  keys.push(key)
  return keys.length > SMALL ? new Set(keys) : keys
}

/** Index of the quote that ends the string starting at `start`, or -1. */
function closingQuote(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end
  }
  return -1
}

/** End of the number that starts at `start`; `start` itself when none starts there. */
function numberEnd(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first !== 0x2d && (first < 0x30 || first > 0x39)) return start
  let end = start + 1
  for (; end < text.length; end++) {
    const c = text.charCodeAt(end)
    const inNumber =
      (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x65 || c === 0x45 || c === 0x2b || c === 0x2d
    if (!inNumber) break
  }
  return end
}

function decodeString(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1)
  try {
    return JSON.parse(literal) as string
  } catch {
    // Not JSON; parsing the whole text says so.
    return literal
  }
}

const surrogateFault = (literal: string): string | undefined =>
  literal.includes('\\u') && !decodeString(literal).isWellFormed()
    ? 'A text contains half of a character (a lone surrogate).'
    : undefined

const shorten = (text: string): string => (text.length <= 80 ? text : `${text.slice(0, 80)}...`)

/** The engine's words without its quotation of the text, which may hold a secret. */
function syntaxFault(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  const words = message
    .replace(/, (\.\.\.)?"[\s\S]*"(\.\.\.)? is not valid JSON$/, '')
    .replace(/ in JSON(?= at |$)/, '')
  const short = words === 'Unexpected end of JSON input' ? 'it ends too early' : words
  return short.charAt(0).toLowerCase() + short.slice(1)
}
