/**
 * Reads a source's configuration from JSON and collects every mistake as a sentence part such as
 * `topics must not be empty`. A key that is not asked for is a mistake. Values are never echoed: one may be a secret.
 */
import { err, ok, type Result } from '../../core/result.js'

export type ConfigReader = {
  /** The value under a key, for shapes that the other readers do not cover. */
  raw(key: string): unknown
  has(key: string): boolean
  text(key: string): string | undefined
  requiredText(key: string): string
  flag(key: string, fallback: boolean): boolean
  oneOf<const T extends string | number>(key: string, allowed: readonly T[], fallback: T): T
  texts(key: string): readonly string[] | undefined
  /** Reader of a nested object; undefined when the key is absent or no object (then a mistake is noted). */
  nested(key: string): ConfigReader | undefined
  /** Keys of an object whose keys are free, such as signal names. */
  keys(): readonly string[]
  mistake(sentence: string): void
  /** Notes every key that nobody asked for. */
  close(): void
}

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

function readerOf(object: Record<string, unknown>, path: string, mistakes: string[]): ConfigReader {
  const asked = new Set<string>()
  const name = (key: string) => (path === '' ? key : `${path}.${key}`)
  const mistake = (sentence: string) => void mistakes.push(sentence)
  const raw = (key: string): unknown => {
    asked.add(key)
    return Object.hasOwn(object, key) ? object[key] : undefined
  }
  const text = (key: string): string | undefined => {
    const value = raw(key)
    if (value === undefined) return undefined
    if (typeof value === 'string' && value !== '') return value
    mistake(`${name(key)} must be a text that is not empty`)
    return undefined
  }
  return {
    raw,
    has: (key) => Object.hasOwn(object, key),
    text,
    requiredText(key) {
      if (raw(key) === undefined) mistake(`${name(key)} is missing`)
      return text(key) ?? ''
    },
    flag(key, fallback) {
      const value = raw(key) ?? fallback
      if (typeof value === 'boolean') return value
      mistake(`${name(key)} must be true or false`)
      return fallback
    },
    oneOf(key, allowed, fallback) {
      const value = raw(key)
      if (value === undefined) return fallback
      const found = allowed.find((one) => one === value)
      if (found === undefined) mistake(`${name(key)} must be one of ${allowed.join(', ')}`)
      return found ?? fallback
    },
    texts(key) {
      const value = raw(key)
      if (value === undefined) return undefined
      if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
      mistake(`${name(key)} must be a list of texts`)
      return undefined
    },
    nested(key) {
      const value = raw(key)
      if (value === undefined) return undefined
      if (isObject(value)) return readerOf(value, name(key), mistakes)
      mistake(`${name(key)} must be an object`)
      return undefined
    },
    keys: () => Object.keys(object),
    mistake,
    close() {
      const unknown = Object.keys(object).filter((key) => !asked.has(key))
      for (const key of unknown) {
        mistake(`${name(key)} is not a known setting (known here: ${[...asked].sort().join(', ')})`)
      }
    },
  }
}

/** Parses with all mistakes in one InvalidInput; `what` opens the sentence, such as "The MQTT source". */
export function readConfig<T>(what: string, json: unknown, parse: (reader: ConfigReader) => T): Result<T> {
  if (!isObject(json))
    return err({ code: 'InvalidInput', message: `${what} must be described by an object.` })
  const mistakes: string[] = []
  const reader = readerOf(json, '', mistakes)
  const value = parse(reader)
  reader.close()
  if (mistakes.length === 0) return ok(value)
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
  return err({ code: 'InvalidInput', message: `${what} has ${count}: ${mistakes.join('; ')}.` })
}
