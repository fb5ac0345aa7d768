/**
 * Partners' keys through their DID documents: fetched once for many askers, kept for a while, fetched again when a key is
 * new. Nobody can make us fetch more often than the limits here say.
 */
import { ok, problem, type Result, textOf } from '../core/result.js'
import type { Clock, EpochMs, ParticipantId } from '../core/types.js'
import { type DidDocument, type KeyPurpose, type PartnerKey, parseDidDocument } from './did-document.js'
import { didDocumentUrl } from './did-web.js'
import type { OutgoingFetch } from './outgoing.js'

export type Resolver = {
  /** The document of a checked did:web, from memory while it is fresh. `IdentityUnresolvable` says why not. */
  resolve(did: ParticipantId): Promise<Result<DidDocument>>
  /**
   * The partner's ES256 key for a purpose. An unknown key has the document fetched again, at most once per
   * `refreshIntervalMs` and partner, so that a rotated key works at once.
   */
  keyFor(did: ParticipantId, kid: string, purpose: KeyPurpose): Promise<Result<PartnerKey>>
  /**
   * The key after a signature did not verify: a partner that was set up anew may have another key under the same name.
   * Fetches under the same limit as `keyFor`; undefined when the key is still the one that was tried.
   */
  replacementFor(tried: PartnerKey, did: ParticipantId, purpose: KeyPurpose): Promise<PartnerKey | undefined>
  /** Drops what is known about a partner, such as when the operator changes its trust. */
  forget(did: ParticipantId): void
}

export type ResolverOptions = {
  readonly fetch: OutgoingFetch
  readonly clock: Clock
  /** How long a document is believed; also how long a withdrawn key still works. Default 10 minutes. */
  readonly ttlMs?: number
  /** How long a failure is believed. Default 10 s. */
  readonly negativeTtlMs?: number
  /** Default 10 s. */
  readonly refreshIntervalMs?: number
  /** Default 64 KB. */
  readonly maxBytes?: number
  /** Default 5 s. */
  readonly timeoutMs?: number
  /** Partners kept in memory; default 1000. */
  readonly maxEntries?: number
}

type Entry = {
  readonly result: Result<DidDocument>
  readonly fetchedAt: EpochMs
}

export function createResolver(options: ResolverOptions): Resolver {
  const { fetch, clock, ttlMs = 600_000, negativeTtlMs = 10_000, refreshIntervalMs = 10_000 } = options
  const { maxBytes = 64 * 1024, timeoutMs = 5_000, maxEntries = 1_000 } = options
  const known = new Map<ParticipantId, Entry>()
  const running = new Map<ParticipantId, Promise<Result<DidDocument>>>()

  const load = (did: ParticipantId): Promise<Result<DidDocument>> => {
    const already = running.get(did)
    if (already !== undefined) return already
    const started = fetchDocument(did, fetch, { maxBytes, timeoutMs })
      .then((result) => {
        // A forgotten partner stays forgotten, also when its document arrives late.
        if (running.get(did) === started) remember(did, { result, fetchedAt: clock() })
        return result
      })
      .finally(() => {
        if (running.get(did) === started) running.delete(did)
      })
    running.set(did, started)
    return started
  }

  const remember = (did: ParticipantId, entry: Entry) => {
    known.delete(did)
    known.set(did, entry)
    for (const oldest of known.keys()) {
      if (known.size <= maxEntries) break
      known.delete(oldest)
    }
  }

  const age = (entry: Entry) => clock() - entry.fetchedAt

  const resolve = async (did: ParticipantId): Promise<Result<DidDocument>> => {
    const entry = known.get(did)
    if (entry === undefined) return load(did)
    // A clock that was set back must not keep a document for ever.
    const fresh = age(entry) >= 0 && age(entry) < (entry.result.ok ? ttlMs : negativeTtlMs)
    return fresh ? entry.result : load(did)
  }

  /** The document, fetched again unless that was done within the limit. */
  const refresh = async (did: ParticipantId): Promise<Result<DidDocument>> => {
    const entry = known.get(did)
    const recent = entry !== undefined && age(entry) >= 0 && age(entry) < refreshIntervalMs
    return recent ? entry.result : load(did)
  }

  return {
    resolve,
    async keyFor(did, kid, purpose) {
      const document = await resolve(did)
      if (!document.ok) return document
      const found = keyIn(document.value, kid, purpose)
      if (found.ok) return found
      const refreshed = await refresh(did)
      return refreshed.ok ? keyIn(refreshed.value, kid, purpose) : refreshed
    },
    async replacementFor(tried, did, purpose) {
      const refreshed = await refresh(did)
      if (!refreshed.ok) return undefined
      const key = keyIn(refreshed.value, tried.kid, purpose)
      return key.ok && key.value.jwk.x !== tried.jwk.x ? key.value : undefined
    },
    forget(did) {
      known.delete(did)
      running.delete(did)
    },
  }
}

async function fetchDocument(
  did: ParticipantId,
  fetch: OutgoingFetch,
  limits: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<Result<DidDocument>> {
  const url = didDocumentUrl(did)
  const answer = await fetch({
    url,
    headers: { accept: 'application/did+json, application/json' },
    ...limits,
  })
  if (!answer.ok) {
    return problem(
      'IdentityUnresolvable',
      {
        en: `The DID document ${url} could not be fetched. ${answer.error.message}`,
        de: `Das DID-Dokument ${url} ließ sich nicht abrufen. ${textOf(answer.error).de}`,
      },
      answer.error,
    )
  }
  const { status, body } = answer.value
  if (status !== 200) {
    const why = status >= 300 && status < 400 ? `${status}; redirects are not followed` : String(status)
    return problem(
      'IdentityUnresolvable',
      `The DID document ${url} could not be fetched: the answer was ${why}.`,
    )
  }
  return parseDidDocument(body, did)
}

function keyIn(document: DidDocument, kid: string, purpose: KeyPurpose): Result<PartnerKey> {
  const key = document.keys.get(kid)
  if (key?.purposes.has(purpose) === true) return ok(key)
  const why =
    key === undefined
      ? (document.unusable.get(kid) ?? 'It is not in the DID document.')
      : `The DID document does not list it under "${purpose}".`
  return problem('IdentityUnresolvable', `The key ${kid.slice(0, 200)} cannot be used. ${why}`)
}
