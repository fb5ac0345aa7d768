/** The one table from Problem code to HTTP status of the management API, and its one error body. */
import type { Response } from 'express'
import { message, type Problem, type ProblemCode } from '../core/result.js'
import { sendSaid } from './language.js'

/**
 * Who has to act tells the class: 4xx is for the caller, 502 and 504 are about a partner, 503 passes by itself.
 * A problem with a partner's identity or answer is never 401, which means the caller's own token here.
 */
const STATUS: Readonly<Record<ProblemCode, number>> = {
  InvalidMessage: 400,
  MessageTooDeep: 400,
  InvalidInput: 400,
  GivenUp: 400,
  CallbackRefused: 400,
  AddressRefused: 400,
  Unauthenticated: 401,
  NotTrusted: 403,
  PolicyDenied: 403,
  NotConfirmed: 403,
  QuotaExhausted: 403,
  GrantEnded: 403,
  HostRefused: 403,
  NotFound: 404,
  OfferUnknown: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  InvalidTransition: 409,
  Conflict: 409,
  MessageTooLarge: 413,
  MediaTypeUnsupported: 415,
  RangeInvalid: 416,
  PolicyUnsupported: 422,
  ContractOnly: 422,
  FormatUnsupported: 422,
  OfferDiffers: 422,
  AgreementDiffers: 422,
  SignatureMissing: 422,
  SignatureInvalid: 422,
  TooManyFlows: 429,
  TooManyConnections: 429,
  TooManyRequests: 429,
  TooManyProcesses: 429,
  TooManyAttempts: 429,
  InternalError: 500,
  KeyUnusable: 500,
  SecretUnreadable: 500,
  TokenExpired: 502,
  TokenAudience: 502,
  TokenReplayed: 502,
  GrantInvalid: 502,
  PartnerCertificate: 502,
  PartnerRefused: 502,
  PartnerAnswerInvalid: 502,
  VersionUnsupported: 502,
  IdentityUnresolvable: 502,
  SourceUnavailable: 503,
  SinkUnavailable: 503,
  Stopping: 503,
  NotRunning: 503,
  PartnerUnreachable: 504,
}

export const statusOf = (code: ProblemCode): number => STATUS[code]

const NO_ROOM = new Set<unknown>(['SQLITE_FULL', 'ENOSPC'])

const FULL = {
  en: 'There is no space left for the data directory, so nothing was changed and what runs goes on. Make room and try again; to end all data at once, stop the connector.',
  de: 'Für das Datenverzeichnis ist kein Platz mehr. Es wurde nichts geändert, und was läuft, läuft weiter. Schaffen Sie Platz, und versuchen Sie es noch einmal; um alle Daten sofort zu beenden, halten Sie den Connector an.',
}
const FAILED = {
  en: 'The connector failed while handling the request. Its log says more.',
  de: 'Im Connector ist bei dieser Anfrage ein Fehler aufgetreten. Sein Protokoll sagt mehr.',
}

/** What the caller reads of a failure of ours: only what it can do something about. */
export const failureOf = (cause: unknown): Problem => ({
  code: 'InternalError',
  ...message(NO_ROOM.has((cause as { readonly code?: unknown } | undefined)?.code) ? FULL : FAILED),
})

export function sendProblem(res: Response, { detail: _, ...problem }: Problem): void {
  const { code } = problem
  if (code === 'Unauthenticated') res.set('WWW-Authenticate', 'Bearer')
  res.status(statusOf(code))
  sendSaid(res, problem)
}
