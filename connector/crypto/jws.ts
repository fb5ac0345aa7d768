/**
 * JWS with ES256 in compact form (RFC 7515), attached and detached. Knows bytes and signatures, not what they mean.
 * Synchronous node:crypto instead of WebCrypto: one signature is the price of every message.
 */
import { type KeyObject, sign, verify } from 'node:crypto'
import { parseJson } from '../core/json.js'
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject } from '../core/types.js'

export type CompactJws = {
  readonly header: JsonObject
  /** Empty for a detached JWS. */
  readonly payload: Buffer
  readonly signature: Buffer
  /** First part as received: the signature covers these characters, not their meaning. */
  readonly protectedPart: string
  readonly payloadPart: string
}

/** Header and payload of a token are small; whoever nests more hides something. */
const HEADER_LIMITS = { maxBytes: 8 * 1024, maxDepth: 6 }

/** R and S side by side, 64 bytes, as JWS wants them (RFC 7518, "Digital Signature with ECDSA"). */
const DSA_ENCODING = 'ieee-p1363'
const SIGNATURE_BYTES = 64

export const signEs256 = (input: string | Uint8Array, privateKey: KeyObject): Buffer =>
  sign('sha256', typeof input === 'string' ? Buffer.from(input) : input, {
    key: privateKey,
    dsaEncoding: DSA_ENCODING,
  })

export const verifyEs256 = (
  input: string | Uint8Array,
  signature: Uint8Array,
  publicKey: KeyObject,
): boolean =>
  signature.byteLength === SIGNATURE_BYTES &&
  verify(
    'sha256',
    typeof input === 'string' ? Buffer.from(input) : input,
    { key: publicKey, dsaEncoding: DSA_ENCODING },
    signature,
  )

/** `header.payload.signature` over a JSON payload. */
export function signCompact(header: JsonObject, payload: JsonObject, privateKey: KeyObject): string {
  const input = `${encodeJson(header)}.${encodeJson(payload)}`
  return `${input}.${signEs256(input, privateKey).toString('base64url')}`
}

export const encodeJson = (value: JsonObject): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

/** Takes a compact JWS apart without trusting it. `InvalidMessage` says which part is wrong. */
export function parseCompact(jws: string): Result<CompactJws> {
  const [protectedPart = '', payloadPart = '', signaturePart = '', ...rest] = jws.split('.')
  if (protectedPart === '' || signaturePart === '' || rest.length > 0) {
    return problem('InvalidMessage', {
      en: 'It is not a compact JWS: it must have three parts separated by dots.',
      de: 'Das ist keine kompakte JWS: Sie muss aus drei durch Punkte getrennten Teilen bestehen.',
    })
  }
  const headerBytes = decodePart(protectedPart)
  const payload = decodePart(payloadPart)
  const signature = decodePart(signaturePart)
  if (headerBytes === undefined || payload === undefined || signature === undefined) {
    return problem('InvalidMessage', {
      en: 'It is not a compact JWS: a part is not base64url.',
      de: 'Das ist keine kompakte JWS: Ein Teil ist kein base64url.',
    })
  }
  const header = parseObject(headerBytes)
  if (header === undefined)
    return problem('InvalidMessage', {
      en: 'The JWS header is not a JSON object.',
      de: 'Der Kopf der JWS ist kein JSON-Objekt.',
    })
  return ok({ header, payload, signature, protectedPart, payloadPart })
}

/** A strictly parsed JSON object, or undefined. */
export function parseObject(bytes: Uint8Array): JsonObject | undefined {
  const json = parseJson(bytes, HEADER_LIMITS)
  return json.ok && isObject(json.value) ? json.value : undefined
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Strict base64url: no padding, no foreign characters, no stray bits, so that one value has one spelling. */
function decodePart(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}
