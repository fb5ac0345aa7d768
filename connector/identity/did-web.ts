/**
 * did:web: the identifier of a participant, where its DID document lies, and our own document.
 * "did:web Method Specification", "Method-specific identifier" and "Read (Resolve)".
 */
import { isIP } from 'node:net'
import { ok, problem, type Result } from '../core/result.js'
import type { Json, JsonObject, ParticipantId } from '../core/types.js'
import type { PublicJwk } from '../crypto/jwk.js'
import type { KeyRing } from '../crypto/keys.js'

const PREFIX = 'did:web:'
const MAX_LENGTH = 512
/** Labels of letters, digits and hyphens; the last one is not a number, which would be an IP address. */
const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
/** RFC 3986 unreserved characters; percent-encoding would give one document two names. */
const SEGMENT = /^[A-Za-z0-9._~-]+$/

/**
 * Checks the syntax of a did:web. The host must be a lower-case name, so that one participant has one spelling.
 *
 * @returns `InvalidInput` with what to write instead
 */
export function parseDidWeb(did: string): Result<ParticipantId> {
  const refuse = (why: string) => problem('InvalidInput', `"${did.slice(0, 100)}" is not a did:web: ${why}.`)
  if (!did.startsWith(PREFIX)) return refuse('it must begin with "did:web:"')
  if (did.length > MAX_LENGTH) return refuse(`it is longer than ${MAX_LENGTH} characters`)
  const [authority = '', ...segments] = did.slice(PREFIX.length).split(':')
  const [host = '', port, ...rest] = authority.split('%3A')
  if (rest.length > 0 || authority.replaceAll('%3A', '').includes('%')) {
    return refuse('a port is written with %3A, as in did:web:connector.example.com%3A8484')
  }
  // "did:web Method Specification": the identifier must not include IP addresses.
  if (isIP(host) !== 0 || /(^|\.)\d+$/.test(host)) return refuse('it needs a host name, not an IP address')
  if (host !== host.toLowerCase()) return refuse('the host name must be in lower case')
  if (!HOST.test(host)) return refuse('the host name is not valid')
  if (port !== undefined && !isPort(port)) return refuse('the port is not valid')
  if (segments.some((segment) => !SEGMENT.test(segment) || segment === '.' || segment === '..')) {
    return refuse('the path is not valid')
  }
  return ok(did as ParticipantId)
}

const isPort = (text: string): boolean => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535

/** Where the DID document of a checked did:web lies. */
export function didDocumentUrl(did: ParticipantId): string {
  const [authority = '', ...segments] = did.slice(PREFIX.length).split(':')
  const folder = segments.length === 0 ? '.well-known' : segments.join('/')
  return `https://${authority.replace('%3A', ':')}/${folder}/did.json`
}

/** The did:web for a public address such as `https://connector.example.com:8484/plant-2`. */
export function didWebOf(publicUrl: string): Result<ParticipantId> {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (url?.protocol !== 'https:') {
    return problem('InvalidInput', {
      en: `"${publicUrl}" is not an https address, so it cannot become a did:web.`,
      de: `„${publicUrl}“ ist keine https-Adresse; daraus lässt sich keine did:web bilden.`,
    })
  }
  const path = url.pathname.split('/').filter((segment) => segment !== '')
  const authority = url.port === '' ? url.hostname : `${url.hostname}%3A${url.port}`
  return parseDidWeb(PREFIX + [authority, ...path].join(':'))
}

/** Absolute DID URL of a key, as it stands in token and signature headers. */
export const keyId = (did: ParticipantId, kid: string): string => `${did}#${kid}`

export type DidDocumentInput = {
  readonly did: ParticipantId
  readonly keys: Pick<KeyRing, 'retiredSeals'> & {
    readonly auth: { readonly kid: string; readonly publicJwk: PublicJwk }
    readonly seal: { readonly kid: string; readonly publicJwk: PublicJwk }
  }
  /** Base of all DSP endpoints, such as `https://connector.example.com/dsp`. */
  readonly dspBase: string
  /** Address of the version document; at the root of `dspBase`'s host when absent (RFC 8615). */
  readonly versionUrl?: string
  /** Where statements about duties are taken. */
  readonly dutyUrl?: string
}

/** Type of the service that takes signed statements about duties. */
export const DUTY_SERVICE = 'DutyStatementService'

/**
 * Our DID document: the `auth` key identifies us, the `seal` keys sign contracts. Retired seal keys stay published, for
 * contracts and messages that were signed before a rotation; retired `auth` keys do not, their tokens live two minutes.
 */
export function didDocument({ did, keys, dspBase, versionUrl, dutyUrl }: DidDocumentInput): JsonObject {
  const base = dspBase.replace(/\/+$/, '')
  const seals = [keys.seal, ...keys.retiredSeals]
  const method = (kid: string, publicKeyJwk: PublicJwk): Json => ({
    id: keyId(did, kid),
    type: 'JsonWebKey',
    controller: did,
    publicKeyJwk: { ...publicKeyJwk, alg: 'ES256', use: 'sig' },
  })
  return {
    '@context': [DID_CONTEXT, 'https://w3id.org/security/jwk/v1'],
    id: did,
    verificationMethod: [keys.auth, ...seals].map(({ kid, publicJwk }) => method(kid, publicJwk)),
    authentication: [keyId(did, keys.auth.kid)],
    assertionMethod: seals.map(({ kid }) => keyId(did, kid)),
    // DSP 2025-1, Common Requirements, "Discovery of Service Endpoints".
    service: [
      service(`${did}#catalog`, 'CatalogService', `${base}/catalog`),
      service(`${did}#dsp`, 'DataService', versionUrl ?? new URL('/.well-known/dspace-version', base).href),
      ...(dutyUrl === undefined
        ? []
        : [{ id: `${did}#duties`, type: DUTY_SERVICE, serviceEndpoint: dutyUrl }]),
    ],
  }
}

const DID_CONTEXT = 'https://www.w3.org/ns/did/v1'

const service = (id: string, type: 'CatalogService' | 'DataService', serviceEndpoint: string): Json => ({
  '@context': ['https://w3id.org/dspace/2025/1/context.jsonld', DID_CONTEXT],
  id,
  type,
  serviceEndpoint,
})
