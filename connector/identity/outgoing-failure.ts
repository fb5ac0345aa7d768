/** Why an outgoing request failed, in words: what happened and what to do. Tables of error codes, nothing else. */
import type { Problem } from '../core/result.js'
import { addressKind } from './address.js'
import { AddressRefusedError } from './dial.js'

export class AnswerTooLargeError extends Error {
  constructor(
    readonly host: string,
    readonly maxBytes: number,
  ) {
    super(`the answer of ${host} exceeds ${maxBytes} bytes`)
  }
}

/** Network failures by code: the rest of a sentence that begins with the host. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'refused the connection: nothing listens on that port. Check the address, and that the partner is running',
  ECONNRESET: 'closed the connection before it answered. Try again; if it stays, ask the partner',
  UND_ERR_SOCKET: 'closed the connection before it answered. Try again; if it stays, ask the partner',
  EPIPE: 'closed the connection before it answered. Try again; if it stays, ask the partner',
  ENOTFOUND: 'is not known: its name has no address (DNS). Check the spelling and the name server',
  EAI_AGAIN:
    'could not be looked up: the name server does not answer (DNS). Check the network of this machine',
  EHOSTUNREACH: 'cannot be reached: there is no route to it. Check the network and firewalls',
  ENETUNREACH: 'cannot be reached: there is no route to it. Check the network and firewalls',
  ETIMEDOUT: 'did not accept the connection in time. Check the address and firewalls in between',
  UND_ERR_CONNECT_TIMEOUT:
    'did not accept the connection in time. Check the address and firewalls in between',
  EPROTO: 'does not speak TLS on that port. Check the port and that the address begins with the right scheme',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'does not speak TLS on that port. Check the port and that the address begins with the right scheme',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'does not speak TLS on that port. Check the port and that the address begins with the right scheme',
}

/** What undici's parser says about an answer. */
const NOT_HTTP = /^(HPE_|HTTPParserError$|UND_ERR_HEADERS_OVERFLOW$)/

/** TLS verification failures by code: what is wrong with the certificate, and what to do. */
const CERTIFICATE: Readonly<Record<string, readonly [wrong: string, fix: string]>> = {
  CERT_HAS_EXPIRED: ['has expired', 'The partner must renew it; also check the clock of this machine'],
  CERT_NOT_YET_VALID: ['is not valid yet', 'Check the clock of this machine, then ask the partner'],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'is self-signed',
    'Ask the partner for a certificate from a public authority, or add this one to the file that the setting trustedCa names',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'comes from an authority that is not trusted here',
    "If you know the partner's authority, add it to the file that the setting trustedCa names",
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'comes from an authority that is not trusted here, or the partner does not send the certificates in between',
    'Ask the partner to serve the full chain, or add its authority to the file that the setting trustedCa names',
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    'comes from an authority that is not trusted here, or the partner does not send the certificates in between',
    'Ask the partner to serve the full chain, or add its authority to the file that the setting trustedCa names',
  ],
  UNABLE_TO_GET_ISSUER_CERT: [
    'comes from an authority that is not trusted here, or the partner does not send the certificates in between',
    'Ask the partner to serve the full chain, or add its authority to the file that the setting trustedCa names',
  ],
  CERT_REVOKED: ['was revoked', 'Ask the partner'],
  CERT_SIGNATURE_FAILURE: [
    'has a wrong signature',
    'Ask the partner, and do not send anything until it is clear',
  ],
  INVALID_CA: ['was issued by a certificate that may not issue any', 'The partner must replace it'],
  INVALID_PURPOSE: ['is not meant for servers', 'The partner must replace it'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'is for another name',
    'Check the address; if it is right, the partner must get a certificate for this name',
  ],
}

/** `cause` is what the request threw, or `timeout` when its total time was used up. */
export function describeFailure(cause: unknown, host: string, timeoutMs: number): Problem {
  if (cause === 'timeout') {
    const message = `${host} did not answer within ${timeoutMs / 1000} s. Check that the partner is running; it is tried again where that is useful.`
    return { code: 'PartnerUnreachable', message }
  }
  const known = causes(cause)
  const refused = known.find((error) => error instanceof AddressRefusedError)
  if (refused instanceof AddressRefusedError) {
    // The address stays in our log: a partner must not learn how names resolve in here.
    const message = `${host} leads to a ${addressKind(refused.address)} address, which is not called. If this partner is inside your own network, allow private addresses for it.`
    return { code: 'AddressRefused', message, detail: { address: refused.address } }
  }
  if (cause instanceof AnswerTooLargeError) {
    return {
      code: 'PartnerAnswerInvalid',
      message: `The answer of ${host} is larger than ${cause.maxBytes} bytes and was not read to the end.`,
    }
  }
  const codes = known.map(codeOf)
  const certificate = codes.map((code) => CERTIFICATE[code]).find((entry) => entry !== undefined)
  if (certificate !== undefined) {
    const [wrong, fix] = certificate
    return {
      code: 'PartnerCertificate',
      message: `The TLS certificate of ${host} ${wrong}${namesIn(known)}. ${fix}.`,
      detail: cause,
    }
  }
  if (isDamaged(cause)) {
    return {
      code: 'PartnerAnswerInvalid',
      message: `The answer of ${host} says that it is packed as gzip, but it cannot be unpacked.`,
      detail: cause,
    }
  }
  if (codes.some((code) => NOT_HTTP.test(code))) {
    return { code: 'PartnerAnswerInvalid', message: `The answer of ${host} is not HTTP.`, detail: cause }
  }
  const words = codes.map((code) => UNREACHABLE[code]).find((entry) => entry !== undefined)
  return {
    code: 'PartnerUnreachable',
    message: words === undefined ? `${host} could not be reached (${codes[0]}).` : `${host} ${words}.`,
    detail: cause,
  }
}

/** What zlib says about bytes that are no gzip, or not all of it. */
export const isDamaged = (cause: unknown): boolean => /^Z_[A-Z]+_ERROR$/.test(codeOf(cause))

/** The error itself, what it wraps, and each attempt when several addresses were tried. */
function causes(error: unknown): readonly unknown[] {
  const inner = error instanceof AggregateError ? error.errors : []
  const cause = error instanceof Error && error.cause !== undefined ? [error.cause] : []
  return [error, ...inner.flatMap(causes), ...cause.flatMap(causes)]
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

/** The names in a certificate that does not fit, so that the right address can be seen. */
function namesIn(errors: readonly unknown[]): string {
  for (const error of errors) {
    if (!(error instanceof Error) || codeOf(error) !== 'ERR_TLS_CERT_ALTNAME_INVALID' || !('cert' in error))
      continue
    const { subjectaltname } = error.cert as { readonly subjectaltname?: string }
    if (subjectaltname !== undefined) return ` (${subjectaltname.replaceAll('DNS:', '').slice(0, 200)})`
  }
  return ''
}
