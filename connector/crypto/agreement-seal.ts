/**
 * Signed agreements: detached JWS (RFC 7515, Appendix F; RFC 7797, b64=false; ES256) over the canonical JSON (RFC 8785)
 * of the agreement. Three steps bind two parties: the provider signs, the consumer countersigns that signature, the
 * provider confirms both with a receipt. A partner that knows nothing of this ignores the message-level keys.
 */
import { KeyObject } from 'node:crypto'
import { canonicalize, sha256Hex } from '../core/canonical.js'
import { ok, problem, type Result } from '../core/result.js'
import { type EpochMs, iso, type JsonObject } from '../core/types.js'
import { importPublicJwk, type PublicJwk } from './jwk.js'
import { type CompactJws, encodeJson, parseCompact, signEs256, verifyEs256 } from './jws.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'

/** Message-level keys, absolute IRIs so that JSON-LD processing keeps them and foreign partners ignore them. */
export const AGREEMENT_SIGNATURE = `${MDP}agreementSignature`
export const COUNTERSIGNATURE = `${MDP}agreementCountersignature`
export const RECEIPT = `${MDP}agreementReceipt`

/** Member of the protected header that says what the signature stands for. */
export const SEAL = `${MDP}seal`
const SEAL_VERSION = '1'

/** `provider` signs the agreement, `consumer` countersigns it, `receipt` is the provider's confirmation of both. */
export type SealRole = 'provider' | 'consumer' | 'receipt'

export type SealSubject = {
  /** As sent or received; its canonical form is what is signed. */
  readonly agreement: JsonObject
  readonly role: SealRole
  readonly providerPid: string
  readonly consumerPid: string
  /** `hashOf` the last offer of the negotiation. */
  readonly offerHash: string
  /** SHA-256 of each shape document that the agreement names, sorted. */
  readonly shapes?: readonly string[]
  /** The JWSs this one builds on, in order: none, the provider's, or the provider's and the consumer's. */
  readonly covers?: readonly string[]
}

export type SealKey = {
  /** Absolute DID URL, such as `did:web:connector.example.com#2026-11-a-seal`. */
  readonly kid: string
  readonly privateKey: KeyObject
}

export type VerifiedSeal = {
  readonly kid: string
  readonly role: SealRole
  /** When the signer says it signed, ISO 8601. Proves nothing without a time stamp. */
  readonly at: string
  readonly agreementHash: string
}

/** SHA-256 of the canonical JSON, lower-case hex. Throws on what JSON cannot carry. */
export const hashOf = (value: JsonObject): string => sha256Hex(canonicalize(value))

/** Detached JWS over the agreement. */
export function sealAgreement(subject: SealSubject & { readonly at: EpochMs }, key: SealKey): string {
  const text = canonicalize(subject.agreement)
  const header = encodeJson({
    alg: 'ES256',
    kid: key.kid,
    b64: false,
    crit: ['b64'],
    [SEAL]: { ...claims(subject, sha256Hex(text)), at: iso(subject.at) },
  })
  return `${header}..${signEs256(`${header}.${text}`, key.privateKey).toString('base64url')}`
}

/** What the header must say, apart from the time. */
const claims = (subject: SealSubject, agreementHash: string) => ({
  version: SEAL_VERSION,
  role: subject.role,
  agreement: agreementHash,
  offer: subject.offerHash,
  ...(subject.shapes === undefined || subject.shapes.length === 0 ? {} : { shapes: subject.shapes }),
  covers: (subject.covers ?? []).map((jws) => sha256Hex(jws)),
  providerPid: subject.providerPid,
  consumerPid: subject.consumerPid,
})

/** The DID URL of the signing key, unverified, so that the key can be fetched. */
export function sealKid(jws: string): Result<string> {
  const parsed = parseSeal(jws)
  return parsed.ok ? ok(parsed.value.kid) : parsed
}

/**
 * Whether `jws` is the signature that the subject asks for, made with `publicKey`. That the key belongs to the partner is
 * for the caller to establish. `SignatureInvalid` names the first thing that is wrong.
 */
export function verifySeal(
  jws: string,
  expected: SealSubject,
  publicKey: PublicJwk | KeyObject,
): Result<VerifiedSeal> {
  const parsed = parseSeal(jws)
  if (!parsed.ok) return parsed
  const { parts, kid, seal } = parsed.value

  const key = publicKey instanceof KeyObject ? ok({ key: publicKey }) : importPublicJwk(publicKey)
  if (!key.ok) return invalid(key.error.message)
  const text = canonicalize(expected.agreement)
  const wanted = claims(expected, sha256Hex(text))
  if (seal.agreement !== wanted.agreement) {
    return invalid('The signature is for another text: the agreement was changed after it was signed.')
  }
  if (!verifyEs256(`${parts.protectedPart}.${text}`, parts.signature, key.value.key)) {
    return invalid(`The signature was not made with the key ${kid}.`)
  }
  if (seal.role !== wanted.role) {
    return invalid(`The signature has the role "${shown(seal.role)}"; expected is "${wanted.role}".`)
  }
  if (seal.providerPid === wanted.consumerPid && seal.consumerPid === wanted.providerPid) {
    return invalid('The signature has providerPid and consumerPid the wrong way round.')
  }
  if (seal.providerPid !== wanted.providerPid || seal.consumerPid !== wanted.consumerPid) {
    return invalid('The signature belongs to another negotiation: its providerPid or consumerPid differs.')
  }
  if (seal.offer !== wanted.offer) {
    return invalid('The signature refers to another offer than the last one of this negotiation.')
  }
  if (canonicalize(seal.shapes ?? []) !== canonicalize(wanted.shapes ?? [])) {
    return invalid('The signature covers other shape documents than the agreement names.')
  }
  if (!Array.isArray(seal.covers) || canonicalize(seal.covers) !== canonicalize(wanted.covers)) {
    return invalid(COVERS_WRONG[expected.role])
  }
  if (typeof seal.at !== 'string' || Number.isNaN(Date.parse(seal.at))) {
    return invalid('The signature does not say when it was made.')
  }
  return ok({ kid, role: expected.role, at: seal.at, agreementHash: wanted.agreement })
}

const COVERS_WRONG: Readonly<Record<SealRole, string>> = {
  provider: "The provider's signature covers other signatures; it must be the first.",
  consumer: "The countersignature does not cover the provider's signature of this negotiation.",
  receipt:
    "The receipt does not cover the provider's signature and the countersignature of this negotiation.",
}

type ParsedSeal = { readonly parts: CompactJws; readonly kid: string; readonly seal: JsonObject }

/** Everything that can be judged without a key. */
function parseSeal(jws: string): Result<ParsedSeal> {
  const parts = parseCompact(jws)
  if (!parts.ok) return invalid(`The signature cannot be read. ${parts.error.message}`)
  const { header, payloadPart } = parts.value
  if (payloadPart !== '')
    return invalid('The signature must be detached: the part between the dots is not empty.')
  if (header.alg !== 'ES256') {
    return invalid(`The signature uses the algorithm "${shown(header.alg)}"; only ES256 is accepted.`)
  }
  // RFC 7797, "Using b64 and crit": b64 must be critical, or a reader that does not know it checks another text.
  if (header.b64 !== false) return invalid('The signature must say "b64": false in its header.')
  if (!Array.isArray(header.crit) || !header.crit.includes('b64')) {
    return invalid('The signature must list "b64" under "crit" in its header.')
  }
  const unknown = header.crit.find((name) => name !== 'b64' && name !== SEAL)
  if (unknown !== undefined) {
    return invalid(`The signature has a critical header that is not understood: "${shown(unknown)}".`)
  }
  if (typeof header.kid !== 'string' || !header.kid.startsWith('did:') || !header.kid.includes('#')) {
    return invalid('The signature does not name its key as a DID URL (kid).')
  }
  const seal = header[SEAL]
  if (typeof seal !== 'object' || seal === null || !('version' in seal)) {
    return invalid(`The signature has no "${SEAL}" in its header.`)
  }
  if (seal.version !== SEAL_VERSION) {
    return invalid(`The signature has version "${shown(seal.version)}"; understood is "${SEAL_VERSION}".`)
  }
  return ok({ parts: parts.value, kid: header.kid, seal })
}

const invalid = (sentence: string): Result<never> => problem('SignatureInvalid', sentence)

/** A foreign value inside a sentence: one line, short. */
const shown = (value: unknown): string => String(value).slice(0, 60)
