/**
 * Builds the catalog side of what leaves this connector, and the documents by which it is found: version document and
 * DID service entries. Pure.
 */
import type { Json, JsonObject } from '../core/types.js'
import { type Extensions, head, offerOf, why } from './build.js'
import {
  BINDING,
  type CatalogOffer,
  type DataService,
  type DatasetEntry,
  DESCRIPTION,
  DSP_CONTEXT,
  DSP_VERSION,
  type Messages,
  PROVIDER_PATH,
  urlOf,
  VERSION_PATH,
  type Version,
} from './messages.js'

/** `filter` belongs to the provider's own language; none means everything. */
export const catalogRequest = (filter?: Json): Messages['CatalogRequestMessage'] => ({
  ...head('CatalogRequestMessage'),
  ...(filter === undefined ? {} : { filter: [filter] }),
})

export const datasetRequest = (dataset: string): Messages['DatasetRequestMessage'] => ({
  ...head('DatasetRequestMessage'),
  dataset,
})

export const catalogError = (failed: {
  readonly code: string
  readonly reason: string
}): Messages['CatalogError'] => ({ ...head('CatalogError'), ...why(failed) })

export type Service = {
  readonly id: string
  /** Base address of all paths of this version. */
  readonly baseUrl: string
}

export type OfferedDataset = {
  readonly id: string
  readonly title?: string
  readonly description?: string
  readonly keywords?: readonly string[]
  /** At least one. `policy` is `{profile?, permission, ...}` without id, type, target and parties. */
  readonly offers: readonly { readonly id: string; readonly policy: JsonObject; readonly assigner?: string }[]
  /** At least one. */
  readonly formats: readonly string[]
  readonly extensions?: Extensions
}

const dataService = ({ id, baseUrl }: Service): DataService => ({
  '@id': id,
  '@type': 'DataService',
  endpointURL: baseUrl,
})

/** Where a list is not asked for: JSON-LD reads a list of one and its value alike, and processors give back the value. */
export const asOne = <T>(list: readonly T[]): T | readonly T[] => {
  const [only] = list
  return only !== undefined && list.length === 1 ? only : list
}

const datasetEntry = (offered: OfferedDataset, service: Service): DatasetEntry => ({
  ...offered.extensions,
  ...(offered.title === undefined ? {} : { [DESCRIPTION.title]: offered.title }),
  ...(offered.description === undefined ? {} : { [DESCRIPTION.description]: offered.description }),
  ...(offered.keywords === undefined || offered.keywords.length === 0
    ? {}
    : { [DESCRIPTION.keyword]: asOne(offered.keywords) }),
  '@id': offered.id,
  '@type': 'Dataset',
  hasPolicy: offered.offers.map(({ id, policy, assigner }) =>
    offerOf<CatalogOffer>({
      ...policy,
      '@id': id,
      '@type': 'Offer',
      ...(assigner === undefined ? {} : { assigner }),
    }),
  ),
  distribution: offered.formats.map((format) => ({
    '@type': 'Distribution',
    format,
    accessService: dataService(service),
  })),
})

export const catalog = (content: {
  readonly id: string
  readonly participantId: string
  readonly service: Service
  readonly datasets: readonly OfferedDataset[]
  readonly extensions?: Extensions
}): Messages['Catalog'] => ({
  ...content.extensions,
  ...head('Catalog'),
  '@id': content.id,
  participantId: content.participantId,
  service: [dataService(content.service)],
  ...(content.datasets.length === 0
    ? {}
    : { dataset: content.datasets.map((offered) => datasetEntry(offered, content.service)) }),
})

export const dataset = (offered: OfferedDataset, service: Service): Messages['Dataset'] => ({
  ...datasetEntry(offered, service),
  '@context': [DSP_CONTEXT],
})

/** `path` leads from the root address, where the document itself is served, to the base address. */
export const versionDocument = (own: Omit<Version, 'version' | 'binding'>): Messages['VersionResponse'] => ({
  protocolVersions: [{ version: DSP_VERSION, binding: BINDING, ...own }],
})

/**
 * The service entries of our DID document. Two, because the specification's schema for entries accepts only the
 * address of a catalog, while its text wants the DataService to lead to the version document.
 */
export const didServices = (at: {
  readonly did: string
  readonly rootUrl: string
  readonly baseUrl: string
}): readonly Messages['DidService'][] => [
  {
    id: `${at.did}#catalog`,
    type: 'CatalogService',
    serviceEndpoint: urlOf(at.baseUrl, PROVIDER_PATH.catalogRequest).replace(/\/request$/, ''),
  },
  { id: `${at.did}#dsp`, type: 'DataService', serviceEndpoint: urlOf(at.rootUrl, VERSION_PATH) },
]
