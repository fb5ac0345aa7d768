/**
 * The words of DSP 2025-1 as they stand on the wire, each written once, and the shape of every message.
 * Data and types only; validate.ts checks them, build.ts makes them.
 */
import type { Json } from '../core/types.js'

export const DSP_CONTEXT = 'https://w3id.org/dspace/2025/1/context.jsonld'
export const DSP_VERSION = '2025-1'
export const BINDING = 'HTTPS'

export const EVENT_ACCEPTED = 'ACCEPTED'
export const EVENT_FINALIZED = 'FINALIZED'

export const ENDPOINT_TYPE_HTTP = 'https://w3id.org/idsa/v4.1/HTTP'
/** How EDC calls an address that data is delivered to, and the only one its data plane knows for HTTP. */
export const ENDPOINT_TYPE_HTTP_DATA = 'HttpData'
export const AUTH_TYPE_BEARER = 'bearer'

/** Names of endpoint properties: the specification's short ones, and the only ones that EDC reads and writes. */
export const PROPERTY = {
  authorization: 'authorization',
  authType: 'authType',
  edcAuthorization: 'https://w3id.org/edc/v0.0.1/ns/authorization',
  edcAuthType: 'https://w3id.org/edc/v0.0.1/ns/authType',
  edcEndpoint: 'https://w3id.org/edc/v0.0.1/ns/endpoint',
  edcEndpointType: 'https://w3id.org/edc/v0.0.1/ns/endpointType',
  /** Where EDC's consumer wants pushed data. */
  edcBaseUrl: 'https://w3id.org/edc/v0.0.1/ns/baseUrl',
  /** Name and value of the header that EDC sends along with pushed data. */
  edcAuthKey: 'https://w3id.org/edc/v0.0.1/ns/authKey',
  edcAuthCode: 'https://w3id.org/edc/v0.0.1/ns/authCode',
  /** Our own: event time of the records that are to be pushed, as instants; the end is exclusive. */
  pushFrom: 'https://w3id.org/machine-data-policy/v1#pushFrom',
  pushTo: 'https://w3id.org/machine-data-policy/v1#pushTo',
} as const

/** Describing a dataset needs absolute names: the DSP context has no term for them. */
export const DESCRIPTION = {
  title: 'dct:title',
  description: 'dct:description',
  keyword: 'dcat:keyword',
} as const

/** Our own names for what a dataset holds. */
export const CONTENT = {
  machineId: 'https://w3id.org/machine-data-policy/v1#machineId',
  signals: 'https://w3id.org/machine-data-policy/v1#signals',
  /** Canonical JSON of the shape documents that terms name, beside the terms. */
  shapes: 'https://w3id.org/machine-data-policy/v1#shapeDocument',
} as const

/** What is said about one signal of a dataset. */
export const SIGNAL = {
  name: 'https://w3id.org/machine-data-policy/v1#name',
  type: 'https://w3id.org/machine-data-policy/v1#type',
  unit: 'https://w3id.org/machine-data-policy/v1#unit',
  description: 'https://w3id.org/machine-data-policy/v1#description',
} as const

/** The reason of a refusal or an end in German, at message level beside the one in English. */
export const REASON_DE = 'https://w3id.org/machine-data-policy/v1#reasonDe'

/** Below the root address, without authentication: DSP 2025-1, Common Functionalities, "Exposure of Versions". */
export const VERSION_PATH = '/.well-known/dspace-version'

/** Relative to the provider's base address. `:id` is one path segment; see `urlOf`. */
export const PROVIDER_PATH = {
  catalogRequest: '/catalog/request',
  dataset: '/catalog/datasets/:id',
  negotiationRequest: '/negotiations/request',
  negotiation: '/negotiations/:id',
  counterRequest: '/negotiations/:id/request',
  negotiationEvents: '/negotiations/:id/events',
  agreementVerification: '/negotiations/:id/agreement/verification',
  negotiationTermination: '/negotiations/:id/termination',
  transferRequest: '/transfers/request',
  transfer: '/transfers/:id',
  transferStart: '/transfers/:id/start',
  transferCompletion: '/transfers/:id/completion',
  transferSuspension: '/transfers/:id/suspension',
  transferTermination: '/transfers/:id/termination',
} as const

/** Relative to the consumer's callbackAddress. */
export const CONSUMER_PATH = {
  initialOffer: '/negotiations/offers',
  negotiation: '/negotiations/:id',
  offers: '/negotiations/:id/offers',
  agreement: '/negotiations/:id/agreement',
  negotiationEvents: '/negotiations/:id/events',
  negotiationTermination: '/negotiations/:id/termination',
  transfer: '/transfers/:id',
  transferStart: '/transfers/:id/start',
  transferCompletion: '/transfers/:id/completion',
  transferSuspension: '/transfers/:id/suspension',
  transferTermination: '/transfers/:id/termination',
} as const

export type DspPath =
  | (typeof PROVIDER_PATH)[keyof typeof PROVIDER_PATH]
  | (typeof CONSUMER_PATH)[keyof typeof CONSUMER_PATH]

/** Characters that may stand in a path segment as they are (RFC 3986, "pchar"); partners compare pids verbatim. */
const LITERAL = /%(?:3A|40|24|26|2B|2C|3B|3D)/g

/** Absolute address of a path. A trailing slash of `base` does not matter, and `id` cannot leave its segment. */
export function urlOf(base: string, path: DspPath | typeof VERSION_PATH, id = ''): string {
  const segment = encodeURIComponent(id).replace(LITERAL, decodeURIComponent)
  return base.replace(/\/+$/, '') + path.replace(':id', () => segment)
}

/** Every object may carry more, under absolute names; nothing of it is ever dropped. */
type Extensible = { readonly [iri: `https://${string}`]: Json }

/** As received the context may also be the bare URL; it is never looked at again. */
type Headed<Type extends string> = Extensible & {
  readonly '@context': readonly string[]
  readonly '@type': Type
}

type Pids = { readonly providerPid: string; readonly consumerPid: string }

/** Reasons of partners may be anything; ours are sentences. */
type Explained = { readonly code?: string; readonly reason?: readonly Json[] }

export type NegotiationStateName =
  | 'REQUESTED'
  | 'OFFERED'
  | 'ACCEPTED'
  | 'AGREED'
  | 'VERIFIED'
  | 'FINALIZED'
  | 'TERMINATED'

export type TransferStateName = 'REQUESTED' | 'STARTED' | 'SUSPENDED' | 'COMPLETED' | 'TERMINATED'

export type AtomicConstraint = {
  readonly leftOperand: string
  readonly operator: string
  /** Ours are texts and lists of texts; partners also send numbers and typed literals. */
  readonly rightOperand: Exclude<Json, null>
}

export type LogicalConstraint = {
  readonly and?: readonly Constraint[]
  readonly or?: readonly Constraint[]
  readonly xone?: readonly Constraint[]
  readonly andSequence?: readonly Constraint[]
}

export type Constraint = AtomicConstraint | LogicalConstraint

export type Rule = {
  readonly action: string
  readonly constraint?: readonly Constraint[]
  readonly duty?: readonly Rule[]
}

export type PolicyRules = {
  readonly profile?: string | readonly string[]
  readonly permission?: readonly Rule[]
  readonly prohibition?: readonly Rule[]
  readonly obligation?: readonly Rule[]
}

export type CatalogOffer = Extensible &
  PolicyRules & {
    readonly '@id': string
    readonly '@type': 'Offer'
    readonly assigner?: string
    readonly assignee?: string
  }

export type MessageOffer = CatalogOffer & { readonly target: string }

export type AgreementBody = Extensible &
  PolicyRules & {
    readonly '@id': string
    readonly '@type': 'Agreement'
    readonly target: string
    readonly assigner: string
    readonly assignee: string
    /** xsd:dateTime. */
    readonly timestamp: string
  }

export type DataService = Extensible & {
  readonly '@id': string
  readonly '@type': 'DataService'
  readonly endpointURL: string
}

export type Distribution = Extensible & {
  readonly '@type': 'Distribution'
  readonly format: string
  /** The service, or the `@id` of one that the catalog lists. */
  readonly accessService: string | DataService
}

export type DatasetEntry = Extensible & {
  readonly '@id': string
  readonly '@type': 'Dataset'
  readonly hasPolicy: readonly CatalogOffer[]
  readonly distribution: readonly Distribution[]
}

export type CatalogEntry = Extensible & {
  readonly '@id': string
  readonly '@type': 'Catalog'
  readonly service?: readonly DataService[]
  readonly dataset?: readonly DatasetEntry[]
  readonly catalog?: readonly CatalogEntry[]
}

export type EndpointProperty = {
  readonly '@type': 'EndpointProperty'
  readonly name: string
  readonly value: string
}

export type DataAddress = Extensible & {
  readonly '@type': 'DataAddress'
  readonly endpointType: string
  readonly endpoint?: string
  readonly endpointProperties?: readonly EndpointProperty[]
}

export type Version = {
  readonly version: string
  /** Absolute path below the root address; root + path is the base address of all other paths. */
  readonly path: string
  readonly binding: string
  readonly serviceId?: string
  readonly identifierType?: string
  readonly auth?: {
    readonly protocol: string
    readonly version: string
    readonly profile?: readonly string[]
  }
}

/** Every document of the protocol by its name, which is its `@type` where it has one. */
export type Messages = {
  readonly CatalogRequestMessage: Headed<'CatalogRequestMessage'> & { readonly filter?: readonly Json[] }
  readonly DatasetRequestMessage: Headed<'DatasetRequestMessage'> & { readonly dataset: string }
  readonly Catalog: Headed<'Catalog'> & CatalogEntry & { readonly participantId: string }
  readonly Dataset: Headed<'Dataset'> & DatasetEntry
  readonly CatalogError: Headed<'CatalogError'> & Explained
  /** Exactly one of callbackAddress (new negotiation) and providerPid (existing one). */
  readonly ContractRequestMessage: Headed<'ContractRequestMessage'> & {
    readonly consumerPid: string
    readonly providerPid?: string
    readonly callbackAddress?: string
    readonly offer: MessageOffer
  }
  /** Exactly one of callbackAddress (new negotiation) and consumerPid (existing one). */
  readonly ContractOfferMessage: Headed<'ContractOfferMessage'> & {
    readonly providerPid: string
    readonly consumerPid?: string
    readonly callbackAddress?: string
    readonly offer: MessageOffer
  }
  readonly ContractAgreementMessage: Headed<'ContractAgreementMessage'> &
    Pids & { readonly agreement: AgreementBody }
  readonly ContractAgreementVerificationMessage: Headed<'ContractAgreementVerificationMessage'> & Pids
  readonly ContractNegotiationEventMessage: Headed<'ContractNegotiationEventMessage'> &
    Pids & { readonly eventType: typeof EVENT_ACCEPTED | typeof EVENT_FINALIZED }
  readonly ContractNegotiationTerminationMessage: Headed<'ContractNegotiationTerminationMessage'> &
    Pids &
    Explained
  readonly ContractNegotiation: Headed<'ContractNegotiation'> &
    Pids & { readonly state: NegotiationStateName }
  /** As received the pids may be missing. */
  readonly ContractNegotiationError: Headed<'ContractNegotiationError'> & Partial<Pids> & Explained
  readonly TransferRequestMessage: Headed<'TransferRequestMessage'> & {
    readonly consumerPid: string
    readonly agreementId: string
    readonly format: string
    readonly callbackAddress: string
    /** Only for push: where the consumer wants the data. */
    readonly dataAddress?: DataAddress
  }
  readonly TransferStartMessage: Headed<'TransferStartMessage'> &
    Pids & { readonly dataAddress?: DataAddress }
  readonly TransferCompletionMessage: Headed<'TransferCompletionMessage'> & Pids
  readonly TransferSuspensionMessage: Headed<'TransferSuspensionMessage'> & Pids & Explained
  readonly TransferTerminationMessage: Headed<'TransferTerminationMessage'> & Pids & Explained
  readonly TransferProcess: Headed<'TransferProcess'> & Pids & { readonly state: TransferStateName }
  readonly TransferError: Headed<'TransferError'> & Partial<Pids> & Explained
  readonly VersionResponse: { readonly protocolVersions: readonly Version[] }
  readonly DidService: {
    readonly id: string
    readonly type: 'CatalogService' | 'DataService'
    readonly serviceEndpoint: string
  }
}

export type MessageName = keyof Messages
