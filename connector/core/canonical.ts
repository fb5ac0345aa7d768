/**
 * JSON Canonicalization Scheme (RFC 8785): one text for one value, so that both sides sign the same bytes.
 * Accepts I-JSON only; anything that JSON cannot carry is a bug of the caller and throws.
 */
import { hash } from 'node:crypto'

/** Canonical text of a JSON value. Throws on undefined, functions, NaN, infinities and lone surrogates. */
export function canonicalize(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('canonical JSON has no NaN or infinity')
    // RFC 8785, section 3.2.2.3: numbers serialise as ECMAScript does.
    return JSON.stringify(value)
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('canonical JSON has no lone surrogates')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map(canonicalize).join(',')}]`
  if (typeof value === 'object') {
    const object = value as Record<string, unknown>
    // RFC 8785, section 3.2.3: property names sort by UTF-16 code units, which is what sort() does.
    const members = Object.keys(object)
      .sort()
      .map((key) => `${canonicalize(key)}:${canonicalize(object[key])}`)
    return `{${members.join(',')}}`
  }
  throw new TypeError(`canonical JSON has no ${typeof value}`)
}

/** Lower-case hex SHA-256. */
export const sha256Hex = (bytes: string | Uint8Array): string => hash('sha256', bytes, 'hex')
