/**
 * Builds every negotiation and transfer message and answer that leaves this connector, in exactly the shape of the
 * specification; build-catalog.ts does the rest. Pure.
 * The text of an agreement is passed on untouched, because it is what gets signed.
 */
import { type Because, ok, problem, type Result } from '../core/result.js'
import type { Json, JsonObject } from '../core/types.js'
import {
  type AgreementBody,
  AUTH_TYPE_BEARER,
  type CatalogOffer,
  type DataAddress,
  DSP_CONTEXT,
  ENDPOINT_TYPE_HTTP,
  type EVENT_ACCEPTED,
  type EVENT_FINALIZED,
  type MessageOffer,
  type Messages,
  type NegotiationStateName,
  PROPERTY,
  REASON_DE,
  type TransferStateName,
} from './messages.js'

/** Additions at message level, under absolute names, such as signatures. Partners without the extension ignore them. */
export type Extensions = { readonly [iri: `https://${string}`]: Json }

type Pids = { readonly providerPid: string; readonly consumerPid: string }
type Reasoned = Pids & { readonly code?: string } & Because
/** A pid that is not known is left out; it goes out as an empty text, because the schema asks for both. */
type Refused = Partial<Pids> & { readonly code: string } & Because

export const head = <Type extends string>(type: Type) =>
  ({ '@context': [DSP_CONTEXT], '@type': type }) as const

const pidsOf = ({ providerPid, consumerPid }: Pids): Pids => ({ providerPid, consumerPid })

/** Partners of other makes read the sentence that they know; those of ours have both languages to choose from. */
export const why = ({ code, reason, reasonDe }: { readonly code?: string } & Because) => ({
  ...(code === undefined ? {} : { code }),
  reason: [reason],
  ...(reasonDe === undefined ? {} : { [REASON_DE]: reasonDe }),
})

/** Lists that DSP does not allow to be empty, or that say nothing when they are. */
const OMITTED_WHEN_EMPTY = new Set([
  'profile',
  'permission',
  'prohibition',
  'obligation',
  'constraint',
  'duty',
])

function withoutEmptyLists(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutEmptyLists)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !(OMITTED_WHEN_EMPTY.has(key) && Array.isArray(inner) && inner.length === 0))
      .map(([key, inner]) => [key, withoutEmptyLists(inner)]),
  )
}

/** Policies live as JSON text in the other rooms; that this one is an Offer is what outgoing validation checks. */
export const offerOf = <T extends CatalogOffer>(offer: JsonObject): T =>
  withoutEmptyLists(offer) as unknown as T

// ---- negotiation

export type ContractRequest = { readonly consumerPid: string; readonly offer: JsonObject } & (
  | { readonly callbackAddress: string }
  | { readonly providerPid: string }
)

/** With callbackAddress a new negotiation begins; with providerPid it is a counter-request. */
export const contractRequest = (
  request: ContractRequest,
  extensions: Extensions = {},
): Messages['ContractRequestMessage'] => ({
  ...extensions,
  ...head('ContractRequestMessage'),
  consumerPid: request.consumerPid,
  ...('providerPid' in request
    ? { providerPid: request.providerPid }
    : { callbackAddress: request.callbackAddress }),
  offer: offerOf<MessageOffer>(request.offer),
})

export type ContractOffer = { readonly providerPid: string; readonly offer: JsonObject } & (
  | { readonly callbackAddress: string }
  | { readonly consumerPid: string }
)

/** With callbackAddress a new negotiation begins; with consumerPid it is a counter-offer. */
export const contractOffer = (
  offered: ContractOffer,
  extensions: Extensions = {},
): Messages['ContractOfferMessage'] => ({
  ...extensions,
  ...head('ContractOfferMessage'),
  providerPid: offered.providerPid,
  ...('consumerPid' in offered
    ? { consumerPid: offered.consumerPid }
    : { callbackAddress: offered.callbackAddress }),
  offer: offerOf<MessageOffer>(offered.offer),
})

export const contractAgreement = (
  agreed: Pids & { readonly agreement: JsonObject },
  extensions: Extensions = {},
): Messages['ContractAgreementMessage'] => ({
  ...extensions,
  ...head('ContractAgreementMessage'),
  ...pidsOf(agreed),
  agreement: agreed.agreement as unknown as AgreementBody,
})

export const agreementVerification = (
  pids: Pids,
  extensions: Extensions = {},
): Messages['ContractAgreementVerificationMessage'] => ({
  ...extensions,
  ...head('ContractAgreementVerificationMessage'),
  ...pidsOf(pids),
})

export const negotiationEvent = (
  event: Pids & { readonly eventType: typeof EVENT_ACCEPTED | typeof EVENT_FINALIZED },
  extensions: Extensions = {},
): Messages['ContractNegotiationEventMessage'] => ({
  ...extensions,
  ...head('ContractNegotiationEventMessage'),
  ...pidsOf(event),
  eventType: event.eventType,
})

export const negotiationTermination = (end: Reasoned): Messages['ContractNegotiationTerminationMessage'] => ({
  ...head('ContractNegotiationTerminationMessage'),
  ...pidsOf(end),
  ...why(end),
})

export const contractNegotiation = (
  process: Pids & { readonly state: NegotiationStateName },
): Messages['ContractNegotiation'] => ({
  ...head('ContractNegotiation'),
  ...pidsOf(process),
  state: process.state,
})

export const contractNegotiationError = (refused: Refused): Messages['ContractNegotiationError'] => ({
  ...head('ContractNegotiationError'),
  providerPid: refused.providerPid ?? '',
  consumerPid: refused.consumerPid ?? '',
  ...why(refused),
})

// ---- transfer

export const transferRequest = (request: {
  readonly consumerPid: string
  readonly agreementId: string
  readonly format: string
  readonly callbackAddress: string
  readonly dataAddress?: DataAddress
}): Messages['TransferRequestMessage'] => ({
  ...head('TransferRequestMessage'),
  consumerPid: request.consumerPid,
  agreementId: request.agreementId,
  format: request.format,
  callbackAddress: request.callbackAddress,
  ...(request.dataAddress === undefined ? {} : { dataAddress: request.dataAddress }),
})

/** A pull starts with a data address; a push, and a start by the consumer, without. */
export const transferStart = (
  start: Pids & { readonly dataAddress?: DataAddress },
): Messages['TransferStartMessage'] => ({
  ...head('TransferStartMessage'),
  ...pidsOf(start),
  ...(start.dataAddress === undefined ? {} : { dataAddress: start.dataAddress }),
})

export const transferCompletion = (pids: Pids): Messages['TransferCompletionMessage'] => ({
  ...head('TransferCompletionMessage'),
  ...pidsOf(pids),
})

export const transferSuspension = (pause: Reasoned): Messages['TransferSuspensionMessage'] => ({
  ...head('TransferSuspensionMessage'),
  ...pidsOf(pause),
  ...why(pause),
})

export const transferTermination = (end: Reasoned): Messages['TransferTerminationMessage'] => ({
  ...head('TransferTerminationMessage'),
  ...pidsOf(end),
  ...why(end),
})

export const transferProcess = (
  process: Pids & { readonly state: TransferStateName },
): Messages['TransferProcess'] => ({
  ...head('TransferProcess'),
  ...pidsOf(process),
  state: process.state,
})

export const transferError = (refused: Refused): Messages['TransferError'] => ({
  ...head('TransferError'),
  providerPid: refused.providerPid ?? '',
  consumerPid: refused.consumerPid ?? '',
  ...why(refused),
})

export type DataEndpoint = {
  readonly endpoint: string
  /** As it goes into the Authorization header; a secret. */
  readonly token?: string
  readonly authType?: string
}

/** For readers of the specification and for EDC, which looks at its own property names and at nothing else. */
export function httpDataAddress(at: DataEndpoint): DataAddress {
  const property = (name: string, value: string) => ({ '@type': 'EndpointProperty', name, value }) as const
  const secured =
    at.token === undefined
      ? []
      : [
          property(PROPERTY.authorization, at.token),
          property(PROPERTY.authType, at.authType ?? AUTH_TYPE_BEARER),
          property(PROPERTY.edcAuthorization, at.token),
          property(PROPERTY.edcAuthType, at.authType ?? AUTH_TYPE_BEARER),
        ]
  return {
    '@type': 'DataAddress',
    endpointType: ENDPOINT_TYPE_HTTP,
    endpoint: at.endpoint,
    endpointProperties: [
      ...secured,
      property(PROPERTY.edcEndpoint, at.endpoint),
      property(PROPERTY.edcEndpointType, ENDPOINT_TYPE_HTTP),
    ],
  }
}

/** Without a token when the partner gave none. Whether the address may be called is decided where it is called. */
export function readDataAddress(address: DataAddress): Result<DataEndpoint> {
  const property = (...names: readonly string[]): string | undefined =>
    names
      .map((name) => address.endpointProperties?.find((listed) => listed.name === name)?.value)
      .find((value) => value !== undefined && value !== '')
  const endpoint = address.endpoint ?? property(PROPERTY.edcEndpoint, PROPERTY.edcBaseUrl)
  if (endpoint === undefined) {
    return problem('InvalidMessage', {
      en: 'The dataAddress does not say where the data is: endpoint is missing.',
      de: 'Die dataAddress sagt nicht, wo die Daten liegen: endpoint fehlt.',
    })
  }
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    return problem('InvalidMessage', {
      en: 'The endpoint of the dataAddress is not an http or https address.',
      de: 'Der endpoint der dataAddress ist keine http- oder https-Adresse.',
    })
  }
  const token = property(PROPERTY.authorization, PROPERTY.edcAuthorization)
  const authType = property(PROPERTY.authType, PROPERTY.edcAuthType)
  return ok({
    endpoint,
    ...(token === undefined ? {} : { token }),
    ...(authType === undefined ? {} : { authType }),
  })
}
