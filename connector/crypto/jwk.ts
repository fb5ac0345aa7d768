/**
 * Public keys as they travel: P-256 JWKs, their RFC 7638 thumbprint, and the fingerprint people compare by telephone.
 * ES256 on P-256 is the only kind of key in the program.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { ok, problem, type Result } from '../core/result.js'

export type PublicJwk = {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
}

/** The public half of a key, private or public. Throws when it is not a P-256 key. */
export function publicJwkOf(key: KeyObject): PublicJwk {
  const { kty, crv, x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) {
    throw new TypeError('not a P-256 key')
  }
  return { kty, crv, x, y }
}

/** A foreign JWK as a key. Anything but a public P-256 key for ES256 is `IdentityUnresolvable`. */
export function importPublicJwk(jwk: unknown): Result<{ readonly jwk: PublicJwk; readonly key: KeyObject }> {
  const refuse = (what: string) => problem('IdentityUnresolvable', `The public key is not usable: ${what}.`)
  if (typeof jwk !== 'object' || jwk === null) return refuse('it is not a JWK')
  const { kty, crv, x, y, alg, d } = jwk as Readonly<Record<string, unknown>>
  if (d !== undefined) return refuse('it contains a private key, which must be considered lost')
  if (kty !== 'EC' || crv !== 'P-256' || (alg !== undefined && alg !== 'ES256')) {
    return refuse('only ES256 keys (EC, P-256) are accepted')
  }
  if (!isCoordinate(x) || !isCoordinate(y)) return refuse('x and y must be 32 bytes in base64url')
  const publicJwk: PublicJwk = { kty, crv, x, y }
  try {
    return ok({ jwk: publicJwk, key: createPublicKey({ key: { ...publicJwk }, format: 'jwk' }) })
  } catch {
    return refuse('its point is not on the curve')
  }
}

/** 32 bytes in base64url: 42 characters and one that carries only four bits. */
const isCoordinate = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(value)

/** RFC 7638: SHA-256 over the required members in lexicographic order, base64url. */
export const thumbprint = ({ crv, kty, x, y }: PublicJwk): string =>
  createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')

/** Crockford's alphabet: no I, L, O or U that could be heard or read as something else. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Bits that are shown, 160: nobody finds a second key with the same ones. */
const SHOWN_BYTES = 20

/**
 * Keys in a form that two people can compare aloud: eight groups of four characters. One key shows its thumbprint,
 * several show the hash of their sorted thumbprints, whatever order they come in.
 */
export function fingerprint(...keys: readonly [PublicJwk, ...PublicJwk[]]): string {
  const prints = [...new Set(keys.map(thumbprint))].sort()
  const [only = '', ...others] = prints
  const digest =
    others.length === 0
      ? Buffer.from(only, 'base64url')
      : createHash('sha256').update(prints.join('.')).digest()
  let bits = ''
  for (const byte of digest.subarray(0, SHOWN_BYTES)) bits += byte.toString(2).padStart(8, '0')
  const characters = (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET.charAt(Number.parseInt(five, 2)))
  return (characters.join('').match(/.{4}/g) ?? []).join(' ')
}
