/**
 * Expected outcomes and their stable codes. A sentence is in English; what the program says itself stands beside it in
 * German, under the same name with De. Bugs and broken invariants throw; they never travel as a Result.
 */
import type { Text } from './types.js'

export type Result<T, E = Problem> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value })
export const err = <E>(error: E): Result<never, E> => ({ ok: false, error })

/**
 * Every Problem code and what it means for the person who meets it. Public API: add freely, never rename.
 * The documentation of the codes is printed from this table.
 */
export const PROBLEMS = {
  InvalidMessage: 'The message is not JSON, too deep, or does not match its schema.',
  MessageTooLarge: 'The message is larger than this connector accepts.',
  MessageTooDeep: 'The message is nested deeper than this connector accepts.',
  NotFound: 'There is no such thing, or it is not yours to see.',
  InvalidTransition: 'The message is not allowed in the present state of the process.',
  Unauthenticated: 'The caller could not be identified.',
  TokenExpired: 'The identity token is outside its validity; one of the two clocks is probably wrong.',
  TokenAudience: 'The identity token was made for another participant.',
  TokenReplayed: 'The identity token has been used before.',
  NotTrusted: 'The partner is not trusted by the operator of this connector.',
  PolicyDenied: 'The contract or policy does not allow this now.',
  NotConfirmed: 'The contract demands something of the recipient or of an event that is not confirmed now.',
  PolicyUnsupported: 'The policy contains a term that this connector does not understand or cannot enforce.',
  ContractOnly:
    'Terms would be kept by contract only, and the operator has not said that they may be offered so.',
  OfferUnknown: 'The offer is not known, or is not offered to this partner.',
  OfferDiffers: 'The offer in the message differs from the published one.',
  AgreementDiffers: 'The agreement differs from the offer that was asked for.',
  SignatureMissing: 'The partner did not sign, but signatures are required for this partner.',
  SignatureInvalid: 'A contract signature does not verify.',
  FormatUnsupported: 'The transfer format is not offered for this dataset.',
  CallbackRefused: 'The callback address is not acceptable.',
  PartnerUnreachable: 'The partner could not be reached.',
  PartnerCertificate: "The partner's TLS certificate could not be verified.",
  PartnerRefused: 'The partner answered with an error.',
  GivenUp: 'The operator gave up delivering a message to the partner.',
  PartnerAnswerInvalid: 'The partner answered with something that is not what the protocol says.',
  VersionUnsupported: 'The partner does not speak DSP 2025-1.',
  AddressRefused: 'The address points into a private network, which is refused unless configured.',
  IdentityUnresolvable: "The partner's DID document could not be fetched or is not valid.",
  GrantInvalid: 'The data token is missing, wrong, or belongs to another transfer.',
  GrantEnded: 'The transfer is not running: suspended, completed, terminated, expired or revoked.',
  QuotaExhausted: 'The agreed quota is used up.',
  InvalidInput: 'A value given by the operator is not valid.',
  KeyUnusable: 'A key file of this connector is missing, damaged, or readable by others.',
  SecretUnreadable: 'A stored secret cannot be decrypted with the present key file.',
  Conflict: 'The thing exists already, or is in use.',
  SourceUnavailable: 'The data source cannot be read now.',
  SinkUnavailable: 'The receiver cannot store the data now.',
  RangeInvalid: 'The requested range or position does not exist.',
  TooManyConnections: 'The partner has more connections open than one partner may have.',
  TooManyRequests: 'The partner sends more requests a second than one partner may send.',
  TooManyProcesses: 'The partner has more negotiations or transfers open than one partner may have.',
  TooManyFlows: 'Too many requests run at the same time under this transfer.',
  NotAcceptable: 'The requested representation is not available.',
  Stopping: 'The connector is shutting down.',
  NotRunning: 'No connector answers at the management address.',
  HostRefused: 'The request was sent to a host name that the management address does not have.',
  MethodNotAllowed: 'The address exists, but not with this HTTP method.',
  MediaTypeUnsupported: 'The body is not declared as application/json.',
  TooManyAttempts: 'Too many failed attempts to sign in; they are refused for a while.',
  InternalError: 'The connector failed while handling the request; its log says more.',
} as const

export type ProblemCode = keyof typeof PROBLEMS

export type Problem = {
  readonly code: ProblemCode
  /** One sentence for whoever gets the answer. Must not reveal other participants, secrets or internal state. */
  readonly message: string
  /** The same sentence in German. Absent where there is none, such as in the words of a partner or of a library. */
  readonly messageDe?: string
  /** Every single finding when the message sums up several; as public as the message. */
  readonly problems?: readonly string[]
  readonly problemsDe?: readonly string[]
  /** For our own log only; never serialised into a response. */
  readonly detail?: unknown
}

/** A sentence in both languages, or one that there is in one only. */
export type Said = string | Text

export const problem = (code: ProblemCode, said: Said, detail?: unknown): Result<never> =>
  err({ code, ...message(said), ...(detail === undefined ? {} : { detail }) })

/** The members of a problem that say what is wrong. */
export const message = (said: Said): Pick<Problem, 'message' | 'messageDe'> =>
  typeof said === 'string' ? { message: said } : { message: said.en, messageDe: said.de }

export const textOf = (told: Pick<Problem, 'message' | 'messageDe'>): Text => ({
  en: told.message,
  de: told.messageDe ?? told.message,
})

/** Why something ended or was refused, as it is kept, told to partners and shown. */
export type Because = { readonly reason: string; readonly reasonDe?: string }

export const because = (told: Pick<Problem, 'message' | 'messageDe'>): Because => ({
  reason: told.message,
  ...(told.messageDe === undefined ? {} : { reasonDe: told.messageDe }),
})

/** The same where a view tells what is wrong with a part of it. */
export const problemOf = (
  told: Pick<Problem, 'message' | 'messageDe'>,
): { readonly problem: string; readonly problemDe?: string } => ({
  problem: told.message,
  ...(told.messageDe === undefined ? {} : { problemDe: told.messageDe }),
})
