/** Reads a foreign DID document: its P-256 keys by purpose and its services. Whatever we cannot use is left out. */
import type { KeyObject } from 'node:crypto'
import { parseJson } from '../core/json.js'
import { ok, problem, type Result } from '../core/result.js'
import type { Json, JsonObject, ParticipantId } from '../core/types.js'
import { importPublicJwk, type PublicJwk } from '../crypto/jwk.js'

/** Verification relationships of "Decentralized Identifiers (DIDs) v1.0", those that we use. */
const PURPOSES = ['authentication', 'assertionMethod'] as const
export type KeyPurpose = (typeof PURPOSES)[number]

export type PartnerKey = {
  /** Absolute DID URL. */
  readonly kid: string
  readonly jwk: PublicJwk
  readonly key: KeyObject
  readonly purposes: ReadonlySet<KeyPurpose>
}

export type DidService = { readonly id: string; readonly type: string; readonly serviceEndpoint: string }

export type DidDocument = {
  readonly id: ParticipantId
  /** By absolute DID URL. */
  readonly keys: ReadonlyMap<string, PartnerKey>
  /** Keys that are named for a purpose but are not ES256 keys, with the reason: so that a refusal can say it. */
  readonly unusable: ReadonlyMap<string, string>
  readonly services: readonly DidService[]
}

const LIMITS = { maxBytes: 64 * 1024, maxDepth: 16 }
/** A participant has a handful of keys; importing thousands would be work without end. */
const MAX_METHODS = 64

export function parseDidDocument(bytes: Uint8Array, did: ParticipantId): Result<DidDocument> {
  const invalid = (why: string) =>
    problem('IdentityUnresolvable', `The DID document of ${did} is not valid: ${why}`)
  const json = parseJson(bytes, LIMITS)
  if (!json.ok) return invalid(json.error.message)
  const document = json.value
  if (!isObject(document)) return invalid('it is not a JSON object.')
  if (document.id !== did) return invalid(`it says it belongs to "${String(document.id).slice(0, 100)}".`)

  const relations = new Map<string, Set<KeyPurpose>>()
  const methods: JsonObject[] = listOf(document.verificationMethod).filter(isObject)
  for (const purpose of PURPOSES) {
    for (const entry of listOf(document[purpose])) {
      const id = absolute(isObject(entry) ? entry.id : entry, did)
      if (id === undefined) continue
      relations.set(id, (relations.get(id) ?? new Set()).add(purpose))
      if (isObject(entry)) methods.push(entry)
    }
  }
  if (methods.length > MAX_METHODS) return invalid(`it has more than ${MAX_METHODS} keys.`)

  const keys = new Map<string, PartnerKey>()
  const unusable = new Map<string, string>()
  for (const method of methods) {
    const kid = absolute(method.id, did)
    // A key under somebody else's control is not the partner's key.
    if (kid === undefined || (method.controller !== undefined && method.controller !== did)) continue
    if (keys.has(kid) || unusable.has(kid)) return invalid(`the key ${kid} appears twice.`)
    const imported = importPublicJwk(method.publicKeyJwk)
    if (imported.ok) keys.set(kid, { kid, ...imported.value, purposes: relations.get(kid) ?? new Set() })
    else unusable.set(kid, imported.error.message)
  }
  return ok({ id: did, keys, unusable, services: listOf(document.service).flatMap(readService) })
}

/** "DID Core", "Relative DID URLs": `#key` belongs to the document. Keys of other DIDs do not count. */
function absolute(id: Json | undefined, did: ParticipantId): string | undefined {
  if (typeof id !== 'string') return undefined
  const full = id.startsWith('#') ? did + id : id
  return full.startsWith(`${did}#`) ? full : undefined
}

function readService(entry: Json): readonly DidService[] {
  if (!isObject(entry)) return []
  const { id, type, serviceEndpoint } = entry
  return typeof id === 'string' && typeof type === 'string' && typeof serviceEndpoint === 'string'
    ? [{ id, type, serviceEndpoint }]
    : []
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
