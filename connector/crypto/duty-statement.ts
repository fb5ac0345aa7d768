/**
 * Signed statements, about duties or of a user's wish: compact JWS (RFC 7515, ES256) over the canonical JSON (RFC 8785) of what is declared, made
 * with the seal key of the organisation. Whoever keeps one can check it with the DID document alone.
 */

import type { KeyObject } from 'node:crypto'
import { canonicalize } from '../core/canonical.js'
import { parseJson } from '../core/json.js'
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject } from '../core/types.js'
import type { SealKey } from './agreement-seal.js'
import { encodeJson, parseCompact, signEs256, verifyEs256 } from './jws.js'

/** Media type in the header, so that no other signed text of ours passes for one of these. */
export type StatementType = 'duty-statement+jws' | 'user-request+jws'
const LIMITS = { maxBytes: 16 * 1024, maxDepth: 6 }

export function signStatement(
  content: JsonObject,
  { kid, privateKey }: SealKey,
  typ: StatementType = 'duty-statement+jws',
): string {
  const header = encodeJson({ alg: 'ES256', kid, typ })
  const input = `${header}.${Buffer.from(canonicalize(content)).toString('base64url')}`
  return `${input}.${signEs256(input, privateKey).toString('base64url')}`
}

export type UnverifiedStatement = {
  readonly kid: string
  readonly content: JsonObject
  /** Whether the signature was made with this key. */
  readonly isBy: (key: KeyObject) => boolean
}

/** Takes a statement apart; nothing in it may be believed before `isBy` has said so. */
export function readStatement(
  jws: string,
  typ: StatementType = 'duty-statement+jws',
): Result<UnverifiedStatement> {
  const parts = parseCompact(jws)
  if (!parts.ok) return invalid(parts.error.message)
  const { header, payload, signature, protectedPart, payloadPart } = parts.value
  if (header.alg !== 'ES256' || header.typ !== typ || header.crit !== undefined || header.b64 !== undefined) {
    return invalid(`Its header must say alg ES256 and typ ${typ}, and nothing critical.`)
  }
  const { kid } = header
  if (typeof kid !== 'string' || !kid.startsWith('did:') || !kid.includes('#')) {
    return invalid('It does not name its key as a DID URL (kid).')
  }
  const json = parseJson(payload, LIMITS)
  if (!json.ok) return invalid(json.error.message)
  const content = json.value
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return invalid('It is not about a JSON object.')
  }
  if (!payload.equals(Buffer.from(canonicalize(content))))
    return invalid('Its JSON is not canonical (RFC 8785).')
  return ok({
    kid,
    content: content as JsonObject,
    isBy: (key) => verifyEs256(`${protectedPart}.${payloadPart}`, signature, key),
  })
}

const invalid = (why: string): Result<never> =>
  problem('SignatureInvalid', {
    en: `The statement cannot be read. ${why}`,
    de: `Die Erklärung lässt sich nicht lesen. ${why}`,
  })
