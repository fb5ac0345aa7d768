/** Why an outgoing request failed, in words: what happened and what to do. Tables of error codes, nothing else. */

import type { Problem } from '../core/result.js'
import type { Text } from '../core/types.js'
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

const CLOSED: Text = {
  en: 'closed the connection before it answered. Try again; if it stays, ask the partner',
  de: 'hat die Verbindung vor der Antwort geschlossen. Versuchen Sie es noch einmal; bleibt es dabei, fragen Sie den Partner',
}
const NO_ROUTE: Text = {
  en: 'cannot be reached: there is no route to it. Check the network and firewalls',
  de: 'ist nicht erreichbar: Es gibt keinen Weg dorthin. Prüfen Sie Netz und Firewalls',
}
const TOO_SLOW: Text = {
  en: 'did not accept the connection in time. Check the address and firewalls in between',
  de: 'hat die Verbindung nicht rechtzeitig angenommen. Prüfen Sie die Adresse und die Firewalls dazwischen',
}
const NO_TLS: Text = {
  en: 'does not speak TLS on that port. Check the port and that the address begins with the right scheme',
  de: 'spricht auf diesem Port kein TLS. Prüfen Sie den Port und ob die Adresse mit dem richtigen Schema beginnt',
}

/** Network failures by code: the rest of a sentence that begins with the host. */
const UNREACHABLE: Readonly<Record<string, Text>> = {
  ECONNREFUSED: {
    en: 'refused the connection: nothing listens on that port. Check the address, and that the partner is running',
    de: 'hat die Verbindung abgelehnt: Auf diesem Port lauscht nichts. Prüfen Sie die Adresse und ob der Connector des Partners läuft',
  },
  ECONNRESET: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  EPIPE: CLOSED,
  ENOTFOUND: {
    en: 'is not known: its name has no address (DNS). Check the spelling and the name server',
    de: 'ist unbekannt: Der Name hat keine Adresse (DNS). Prüfen Sie die Schreibweise und den Nameserver',
  },
  EAI_AGAIN: {
    en: 'could not be looked up: the name server does not answer (DNS). Check the network of this machine',
    de: 'ließ sich nicht auflösen: Der Nameserver antwortet nicht (DNS). Prüfen Sie das Netz dieser Maschine',
  },
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  ETIMEDOUT: TOO_SLOW,
  UND_ERR_CONNECT_TIMEOUT: TOO_SLOW,
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
}

/** What undici's parser says about an answer. */
const NOT_HTTP = /^(HPE_|HTTPParserError$|UND_ERR_HEADERS_OVERFLOW$)/

type Wrong = { readonly wrong: Text; readonly fix: Text }

const certificate = (wrong: Text, fix: Text): Wrong => ({ wrong, fix })
const text = (en: string, de: string): Text => ({ en, de })

const INCOMPLETE = certificate(
  text(
    'comes from an authority that is not trusted here, or the partner does not send the certificates in between',
    'stammt von einer Zertifizierungsstelle, der hier nicht vertraut wird, oder der Partner sendet die Zwischenzertifikate nicht mit',
  ),
  text(
    'Ask the partner to serve the full chain, or add its authority to the file that the setting trustedCa names',
    'Bitten Sie den Partner, die vollständige Kette zu senden, oder nehmen Sie seine Zertifizierungsstelle in die Datei auf, die trustedCa nennt',
  ),
)
const REPLACE = text('The partner must replace it', 'Der Partner muss es ersetzen')

/** TLS verification failures by code: what is wrong with the certificate, and what to do. */
const CERTIFICATE: Readonly<Record<string, Wrong>> = {
  CERT_HAS_EXPIRED: certificate(
    text('has expired', 'ist abgelaufen'),
    text(
      'The partner must renew it; also check the clock of this machine',
      'Der Partner muss es erneuern; prüfen Sie auch die Uhr dieser Maschine',
    ),
  ),
  CERT_NOT_YET_VALID: certificate(
    text('is not valid yet', 'ist noch nicht gültig'),
    text(
      'Check the clock of this machine, then ask the partner',
      'Prüfen Sie die Uhr dieser Maschine, und fragen Sie dann den Partner',
    ),
  ),
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate(
    text('is self-signed', 'ist selbst signiert'),
    text(
      'Ask the partner for a certificate from a public authority, or add this one to the file that the setting trustedCa names',
      'Bitten Sie den Partner um ein Zertifikat einer öffentlichen Zertifizierungsstelle, oder nehmen Sie dieses in die Datei auf, die trustedCa nennt',
    ),
  ),
  SELF_SIGNED_CERT_IN_CHAIN: certificate(
    text(
      'comes from an authority that is not trusted here',
      'stammt von einer Zertifizierungsstelle, der hier nicht vertraut wird',
    ),
    text(
      "If you know the partner's authority, add it to the file that the setting trustedCa names",
      'Kennen Sie die Zertifizierungsstelle des Partners, nehmen Sie sie in die Datei auf, die trustedCa nennt',
    ),
  ),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: INCOMPLETE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: INCOMPLETE,
  UNABLE_TO_GET_ISSUER_CERT: INCOMPLETE,
  CERT_REVOKED: certificate(
    text('was revoked', 'wurde widerrufen'),
    text('Ask the partner', 'Fragen Sie den Partner'),
  ),
  CERT_SIGNATURE_FAILURE: certificate(
    text('has a wrong signature', 'hat eine falsche Signatur'),
    text(
      'Ask the partner, and do not send anything until it is clear',
      'Fragen Sie den Partner, und senden Sie nichts, bis das geklärt ist',
    ),
  ),
  INVALID_CA: certificate(
    text(
      'was issued by a certificate that may not issue any',
      'wurde von einem Zertifikat ausgestellt, das keine ausstellen darf',
    ),
    REPLACE,
  ),
  INVALID_PURPOSE: certificate(text('is not meant for servers', 'ist nicht für Server bestimmt'), REPLACE),
  ERR_TLS_CERT_ALTNAME_INVALID: certificate(
    text('is for another name', 'gilt für einen anderen Namen'),
    text(
      'Check the address; if it is right, the partner must get a certificate for this name',
      'Prüfen Sie die Adresse; stimmt sie, braucht der Partner ein Zertifikat für diesen Namen',
    ),
  ),
}

/** `cause` is what the request threw, or `timeout` when its total time was used up. */
export function describeFailure(cause: unknown, host: string, timeoutMs: number): Problem {
  if (cause === 'timeout') {
    const seconds = timeoutMs / 1000
    return {
      code: 'PartnerUnreachable',
      message: `${host} did not answer within ${seconds} s. Check that the partner is running; it is tried again where that is useful.`,
      messageDe: `${host} hat nicht innerhalb von ${String(seconds).replace('.', ',')} s geantwortet. Prüfen Sie, ob der Connector des Partners läuft; wo es sinnvoll ist, wird es noch einmal versucht.`,
    }
  }
  const known = causes(cause)
  const refused = known.find((error) => error instanceof AddressRefusedError)
  if (refused instanceof AddressRefusedError) {
    // The address stays in our log: a partner must not learn how names resolve in here.
    const kind = addressKind(refused.address)
    return {
      code: 'AddressRefused',
      message: `${host} leads to a ${kind} address, which is not called. If this partner is inside your own network, allow private addresses for it.`,
      messageDe: `${host} führt zu einer nicht öffentlichen Adresse (${kind}); dorthin wird nichts gesendet. Liegt dieser Partner in Ihrem eigenen Netz, erlauben Sie private Adressen für ihn.`,
      detail: { address: refused.address },
    }
  }
  if (cause instanceof AnswerTooLargeError) {
    return {
      code: 'PartnerAnswerInvalid',
      message: `The answer of ${host} is larger than ${cause.maxBytes} bytes and was not read to the end.`,
      messageDe: `Die Antwort von ${host} ist größer als ${cause.maxBytes} Byte und wurde nicht zu Ende gelesen.`,
    }
  }
  const codes = known.map(codeOf)
  const found = codes.map((code) => CERTIFICATE[code]).find((entry) => entry !== undefined)
  if (found !== undefined) {
    const { wrong, fix } = found
    return {
      code: 'PartnerCertificate',
      message: `The TLS certificate of ${host} ${wrong.en}${namesIn(known)}. ${fix.en}.`,
      messageDe: `Das TLS-Zertifikat von ${host} ${wrong.de}${namesIn(known)}. ${fix.de}.`,
      detail: cause,
    }
  }
  if (isDamaged(cause)) {
    return {
      code: 'PartnerAnswerInvalid',
      message: `The answer of ${host} says that it is packed as gzip, but it cannot be unpacked.`,
      messageDe: `Die Antwort von ${host} soll mit gzip gepackt sein, lässt sich aber nicht entpacken.`,
      detail: cause,
    }
  }
  if (codes.some((code) => NOT_HTTP.test(code))) {
    return {
      code: 'PartnerAnswerInvalid',
      message: `The answer of ${host} is not HTTP.`,
      messageDe: `Die Antwort von ${host} ist kein HTTP.`,
      detail: cause,
    }
  }
  const words = codes.map((code) => UNREACHABLE[code]).find((entry) => entry !== undefined)
  return {
    code: 'PartnerUnreachable',
    message: words === undefined ? `${host} could not be reached (${codes[0]}).` : `${host} ${words.en}.`,
    messageDe: words === undefined ? `${host} war nicht erreichbar (${codes[0]}).` : `${host} ${words.de}.`,
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
