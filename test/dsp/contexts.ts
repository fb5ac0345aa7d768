/**
 * A JSON-LD context for tests, written from what DSP 2025-1 says about its terms: their namespaces, which of them name things
 * and which hold lists. It stands where the published one would be loaded from, so that no test needs the network; it
 * relies on nothing else being at that address. Every other address is refused.
 */
export const DSP_CONTEXT_URL = 'https://w3id.org/dspace/2025/1/context.jsonld'

type Definition = string | object

const named = (iri: string): Definition => ({ '@id': iri, '@type': '@id' })
const term = (iri: string): Definition => ({ '@id': iri, '@type': '@vocab' })
const listed = (iri: string, more: object = {}): Definition => ({ '@id': iri, '@container': '@set', ...more })

const scoped = (iri: string, terms: object, more: object = {}): Definition => ({
  '@id': iri,
  '@context': { '@version': 1.1, ...terms, ...more },
})

const PIDS = { providerPid: named('dspace:providerPid'), consumerPid: named('dspace:consumerPid') }
const WHY = { code: 'dspace:code', reason: listed('dspace:reason') }
const CALLBACK = { callbackAddress: 'dspace:callbackAddress' }

const OPERATORS = 'eq gt gteq lt lteq neq isA hasPart isPartOf isAllOf isAnyOf isNoneOf'.split(' ')
const bare = (names: readonly string[], prefix: string): object =>
  Object.fromEntries(names.map((name) => [name, `${prefix}:${name}`]))

/** ODRL terms hold inside offers and agreements as deep as they go. */
const POLICIES = {
  ...bare(
    [...OPERATORS, 'Offer', 'Agreement', 'use', 'and', 'or', 'xone', 'andSequence', 'rightOperand'],
    'odrl',
  ),
  profile: named('odrl:profile'),
  target: named('odrl:target'),
  assigner: named('odrl:assigner'),
  assignee: named('odrl:assignee'),
  action: term('odrl:action'),
  operator: term('odrl:operator'),
  leftOperand: term('odrl:leftOperand'),
  ...Object.fromEntries(
    ['permission', 'prohibition', 'obligation', 'duty', 'constraint'].map((name) => [
      name,
      listed(`odrl:${name}`, { '@type': '@id' }),
    ]),
  ),
}
const PROPAGATED = { ...POLICIES, '@propagate': true }

const CONTEXT = {
  '@version': 1.1,
  dspace: 'https://w3id.org/dspace/2025/1/',
  odrl: 'http://www.w3.org/ns/odrl/2/',
  dcat: 'http://www.w3.org/ns/dcat#',
  dct: 'http://purl.org/dc/terms/',
  ...bare('REQUESTED OFFERED ACCEPTED AGREED VERIFIED FINALIZED TERMINATED'.split(' '), 'dspace'),
  ...bare('STARTED SUSPENDED COMPLETED'.split(' '), 'dspace'),

  CatalogRequestMessage: scoped('dspace:CatalogRequestMessage', { filter: listed('dspace:filter') }),
  DatasetRequestMessage: scoped('dspace:DatasetRequestMessage', { dataset: 'dspace:dataset' }),
  CatalogError: scoped('dspace:CatalogError', WHY),
  Catalog: scoped('dcat:Catalog', {
    participantId: named('dspace:participantId'),
    service: listed('dcat:service'),
    dataset: listed('dcat:dataset'),
    catalog: listed('dcat:catalog'),
  }),
  Dataset: scoped(
    'dcat:Dataset',
    { hasPolicy: listed('odrl:hasPolicy', { '@type': '@id' }), distribution: listed('dcat:distribution') },
    PROPAGATED,
  ),
  DataService: scoped('dcat:DataService', { endpointURL: 'dcat:endpointURL' }),
  Distribution: scoped('dcat:Distribution', {
    format: term('dct:format'),
    accessService: 'dcat:accessService',
  }),

  ContractRequestMessage: scoped(
    'dspace:ContractRequestMessage',
    { ...PIDS, ...CALLBACK, offer: named('dspace:offer') },
    PROPAGATED,
  ),
  ContractOfferMessage: scoped(
    'dspace:ContractOfferMessage',
    { ...PIDS, ...CALLBACK, offer: named('dspace:offer') },
    PROPAGATED,
  ),
  ContractAgreementMessage: scoped(
    'dspace:ContractAgreementMessage',
    { ...PIDS, agreement: named('dspace:agreement'), timestamp: 'dspace:timestamp' },
    PROPAGATED,
  ),
  ContractAgreementVerificationMessage: scoped('dspace:ContractAgreementVerificationMessage', PIDS),
  ContractNegotiationEventMessage: scoped('dspace:ContractNegotiationEventMessage', {
    ...PIDS,
    eventType: term('dspace:eventType'),
  }),
  ContractNegotiationTerminationMessage: scoped('dspace:ContractNegotiationTerminationMessage', {
    ...PIDS,
    ...WHY,
  }),
  ContractNegotiation: scoped('dspace:ContractNegotiation', { ...PIDS, state: term('dspace:state') }),
  ContractNegotiationError: scoped('dspace:ContractNegotiationError', { ...PIDS, ...WHY }),

  TransferRequestMessage: scoped('dspace:TransferRequestMessage', {
    ...PIDS,
    ...CALLBACK,
    agreementId: named('dspace:agreementId'),
    format: term('dct:format'),
    dataAddress: 'dspace:dataAddress',
  }),
  TransferStartMessage: scoped('dspace:TransferStartMessage', { ...PIDS, dataAddress: 'dspace:dataAddress' }),
  TransferCompletionMessage: scoped('dspace:TransferCompletionMessage', PIDS),
  TransferSuspensionMessage: scoped('dspace:TransferSuspensionMessage', { ...PIDS, ...WHY }),
  TransferTerminationMessage: scoped('dspace:TransferTerminationMessage', { ...PIDS, ...WHY }),
  TransferProcess: scoped('dspace:TransferProcess', { ...PIDS, state: term('dspace:state') }),
  TransferError: scoped('dspace:TransferError', {
    providerPid: 'dspace:providerPid',
    consumerPid: 'dspace:consumerPid',
    ...WHY,
  }),
  DataAddress: scoped('dspace:DataAddress', {
    endpointType: term('dspace:endpointType'),
    endpoint: 'dspace:endpoint',
    endpointProperties: listed('dspace:endpointProperties'),
  }),
  EndpointProperty: scoped('dspace:EndpointProperty', { name: 'dspace:name', value: 'dspace:value' }),
}

export async function documentLoader(
  url: string,
): Promise<{ readonly documentUrl: string; readonly document: object }> {
  if (url !== DSP_CONTEXT_URL) throw new Error(`nothing is loaded from ${url}`)
  return { documentUrl: url, document: { '@context': CONTEXT } }
}
