/** Each schema against examples written by hand from the specification: one good, then one change that makes it bad. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { describe, expect, test } from 'vitest'
import type { MessageName } from '../../connector/dsp/messages.js'
import { createValidator, findSchemas } from '../../connector/dsp/validate.js'

const validate = createValidator()

const context = ['https://w3id.org/dspace/2025/1/context.jsonld']
const pids = { providerPid: 'urn:uuid:p', consumerPid: 'urn:uuid:c' }
const use = { action: 'use' }
const offer = { '@id': 'urn:uuid:o', '@type': 'Offer', target: 'urn:uuid:d', permission: [use] }
const catalogOffer = { '@id': 'urn:uuid:o', '@type': 'Offer', permission: [use] }
const agreement = {
  '@id': 'urn:uuid:a',
  '@type': 'Agreement',
  target: 'urn:uuid:d',
  assigner: 'did:web:provider.example',
  assignee: 'did:web:consumer.example',
  timestamp: '2026-11-23T05:14:09Z',
  permission: [use],
}
const service = { '@id': 'urn:uuid:s', '@type': 'DataService', endpointURL: 'https://provider.example/dsp' }
const distribution = { '@type': 'Distribution', format: 'HttpData-PULL', accessService: service }
const entry = {
  '@id': 'urn:uuid:d',
  '@type': 'Dataset',
  hasPolicy: [catalogOffer],
  distribution: [distribution],
}
const property = { '@type': 'EndpointProperty', name: 'authorization', value: 'token' }
const dataAddress = {
  '@type': 'DataAddress',
  endpointType: 'https://w3id.org/idsa/v4.1/HTTP',
  endpoint: 'https://provider.example/data',
  endpointProperties: [property],
}
const callbackAddress = 'https://consumer.example/dsp'
const constraint = { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2027-01-01T00:00:00Z' }

type Body = { readonly [key: string]: unknown }
const message = (type: MessageName, rest: Body = {}): Body => ({
  '@context': context,
  '@type': type,
  ...rest,
})
const without = (body: Body, key: string): Body =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== key))

const GOOD: { readonly [K in MessageName]: Body } = {
  CatalogRequestMessage: message('CatalogRequestMessage'),
  DatasetRequestMessage: message('DatasetRequestMessage', { dataset: 'urn:uuid:d' }),
  Catalog: message('Catalog', {
    '@id': 'urn:uuid:k',
    participantId: 'did:web:provider.example',
    service: [service],
    dataset: [entry],
  }),
  Dataset: { '@context': context, ...entry },
  CatalogError: message('CatalogError', { code: 'NotFound', reason: ['There is no such dataset.'] }),
  ContractRequestMessage: message('ContractRequestMessage', {
    consumerPid: 'urn:uuid:c',
    callbackAddress,
    offer,
  }),
  ContractOfferMessage: message('ContractOfferMessage', {
    providerPid: 'urn:uuid:p',
    callbackAddress,
    offer,
  }),
  ContractAgreementMessage: message('ContractAgreementMessage', { ...pids, agreement }),
  ContractAgreementVerificationMessage: message('ContractAgreementVerificationMessage', pids),
  ContractNegotiationEventMessage: message('ContractNegotiationEventMessage', {
    ...pids,
    eventType: 'ACCEPTED',
  }),
  ContractNegotiationTerminationMessage: message('ContractNegotiationTerminationMessage', {
    ...pids,
    code: '1',
    reason: ['changed our mind'],
  }),
  ContractNegotiation: message('ContractNegotiation', { ...pids, state: 'REQUESTED' }),
  ContractNegotiationError: message('ContractNegotiationError', { ...pids, code: 'x', reason: ['why'] }),
  TransferRequestMessage: message('TransferRequestMessage', {
    consumerPid: 'urn:uuid:c',
    agreementId: 'urn:uuid:a',
    format: 'HttpData-PUSH',
    callbackAddress,
    dataAddress,
  }),
  TransferStartMessage: message('TransferStartMessage', { ...pids, dataAddress }),
  TransferCompletionMessage: message('TransferCompletionMessage', pids),
  TransferSuspensionMessage: message('TransferSuspensionMessage', {
    ...pids,
    code: '1',
    reason: ['a pause'],
  }),
  TransferTerminationMessage: message('TransferTerminationMessage', { ...pids, code: '1', reason: ['done'] }),
  TransferProcess: message('TransferProcess', { ...pids, state: 'STARTED' }),
  TransferError: message('TransferError', { ...pids, code: 'x', reason: ['why'] }),
  VersionResponse: { protocolVersions: [{ version: '2025-1', path: '/dsp', binding: 'HTTPS' }] },
  DidService: {
    id: 'did:web:provider.example#catalog',
    type: 'CatalogService',
    serviceEndpoint: 'https://provider.example/dsp/catalog',
  },
}

/** Every key of the good example is required, except these. */
const OPTIONAL = new Set(['code', 'reason', 'dataAddress', 'dataset', 'filter'])

const request = (change: Body): Body => ({ ...GOOD.ContractRequestMessage, ...change })
const asked = (change: Body): Body => request({ offer: { ...offer, ...change } })
const ruled = (rule: Body): Body => asked({ permission: [{ ...use, ...rule }] })
const agreed = (change: Body): Body =>
  message('ContractAgreementMessage', { ...pids, agreement: { ...agreement, ...change } })
const listed = (change: Body): Body => ({ ...GOOD.Catalog, dataset: [{ ...entry, ...change }] })
const started = (change: Body): Body =>
  message('TransferStartMessage', { ...pids, dataAddress: { ...dataAddress, ...change } })
const versioned = (change: Body): Body => ({
  protocolVersions: [{ version: '2025-1', path: '/dsp', binding: 'HTTPS', ...change }],
})

// biome-ignore format: a table reads best aligned
const ALSO_GOOD: readonly (readonly [string, MessageName, Body])[] = [
  ['a counter-request names the provider\'s process instead of a callbackAddress', 'ContractRequestMessage', { ...without(GOOD.ContractRequestMessage, 'callbackAddress'), providerPid: 'urn:uuid:p' }],
  ['a counter-offer names the consumer\'s process instead of a callbackAddress', 'ContractOfferMessage', { ...without(GOOD.ContractOfferMessage, 'callbackAddress'), consumerPid: 'urn:uuid:c' }],
  ['properties that nobody knows are allowed at the message', 'ContractRequestMessage', request({ '@id': 'urn:uuid:m', 'https://example.com/seal': { a: [1] } })],
  ['properties that nobody knows are allowed in the offer', 'ContractRequestMessage', asked({ 'edc:extra': 1 })],
  ['a further context may stand beside ours', 'ContractRequestMessage', request({ '@context': [...context, 'https://w3id.org/edc/dspace/v0.0.1'] })],
  ['a filter in the language of EDC', 'CatalogRequestMessage', message('CatalogRequestMessage', { filter: [{ '@type': 'QuerySpec', offset: 0, limit: 50 }] })],
  ['a prohibition is enough for an offer', 'ContractRequestMessage', request({ offer: { ...without(offer, 'permission'), prohibition: [{ action: 'odrl:distribute' }] } })],
  ['profile, duties and obligations', 'ContractRequestMessage', asked({ profile: ['https://w3id.org/machine-data-policy/v1'], permission: [{ ...use, duty: [{ action: 'odrl:anonymize', constraint: [constraint] }] }], obligation: [{ action: 'odrl:delete' }] })],
  ['one profile as a text', 'ContractRequestMessage', asked({ profile: 'https://w3id.org/machine-data-policy/v1' })],
  ['a right operand that is a list', 'ContractRequestMessage', ruled({ constraint: [{ ...constraint, rightOperand: ['a', 'b'] }] })],
  ['a right operand that is a typed literal', 'ContractRequestMessage', ruled({ constraint: [{ ...constraint, rightOperand: { '@value': '5', '@type': 'xsd:integer' } }] })],
  ['constraints within constraints', 'ContractRequestMessage', ruled({ constraint: [{ or: [constraint, { and: [constraint, { xone: [constraint] }, { andSequence: [constraint] }] }] }] })],
  ['a timestamp with fractions', 'ContractAgreementMessage', agreed({ timestamp: '2026-11-23T05:15:12.559123456Z' })],
  ['a timestamp with an offset', 'ContractAgreementMessage', agreed({ timestamp: '2026-11-23T05:15:12+01:00' })],
  ['a catalog without datasets', 'Catalog', without(GOOD.Catalog, 'dataset')],
  ['a catalog within a catalog', 'Catalog', { ...GOOD.Catalog, catalog: [{ '@id': 'urn:uuid:k2', '@type': 'Catalog', dataset: [entry] }] }],
  ['an access service named by its id', 'Catalog', listed({ distribution: [{ ...distribution, accessService: 'urn:uuid:s' }] })],
  ['a start without a data address', 'TransferStartMessage', without(GOOD.TransferStartMessage, 'dataAddress')],
  ['a data address without properties', 'TransferStartMessage', message('TransferStartMessage', { ...pids, dataAddress: without(dataAddress, 'endpointProperties') })],
  ['a version with everything', 'VersionResponse', versioned({ serviceId: 's', identifierType: 'did:web', auth: { protocol: 'x', version: '1', profile: ['y'] } })],
  ['the DID service that leads to the version document', 'DidService', { id: 'did:web:p#dsp', type: 'DataService', serviceEndpoint: 'https://provider.example/.well-known/dspace-version' }],
]

// biome-ignore format: a table reads best aligned
const BAD: readonly (readonly [MessageName, Body, string])[] = [
  // dsp-tck 2.6, rule 1: the context
  ['ContractRequestMessage', request({ '@context': ['https://example.com/context'] }), '@context must contain "https://w3id.org/dspace/2025/1/context.jsonld"'],
  ['ContractRequestMessage', request({ '@context': [...context, { a: 'b' }] }), '@context[1] must be a text'],
  ['ContractRequestMessage', request({ '@context': [] }), '@context must contain "https://w3id.org/dspace/2025/1/context.jsonld"'],
  // rule 2: the type
  ['ContractRequestMessage', request({ '@type': 'dspace:ContractRequestMessage' }), '@type is "dspace:ContractRequestMessage", expected "ContractRequestMessage"'],
  ['ContractRequestMessage', request({ '@type': ['ContractRequestMessage'] }), '@type is a list, expected "ContractRequestMessage"'],
  // rule 3: states
  ['ContractNegotiation', message('ContractNegotiation', { ...pids, state: 'dspace:REQUESTED' }), 'state is "dspace:REQUESTED", expected one of REQUESTED, OFFERED, ACCEPTED, AGREED, VERIFIED, FINALIZED, TERMINATED'],
  ['ContractNegotiation', message('ContractNegotiation', { ...pids, state: 'INITIALIZED' }), 'state is "INITIALIZED", expected one of REQUESTED, OFFERED, ACCEPTED, AGREED, VERIFIED, FINALIZED, TERMINATED'],
  ['TransferProcess', message('TransferProcess', { ...pids, state: 'https://w3id.org/dspace/2025/1/STARTED' }), 'state is "https://w3id.org/dspace/2025/1/STARTED", expected one of REQUESTED, STARTED, SUSPENDED, COMPLETED, TERMINATED'],
  ['ContractNegotiationEventMessage', message('ContractNegotiationEventMessage', { ...pids, eventType: 'VERIFIED' }), 'eventType is "VERIFIED", expected one of ACCEPTED, FINALIZED'],
  // rule 5: new or existing, never both, never neither
  ['ContractRequestMessage', request({ providerPid: 'urn:uuid:p' }), 'callbackAddress must not be given together with providerPid'],
  ['ContractOfferMessage', { ...GOOD.ContractOfferMessage, consumerPid: 'urn:uuid:c' }, 'callbackAddress must not be given together with consumerPid'],
  // rule 6: offers
  ['ContractRequestMessage', request({ offer: without(offer, 'target') }), 'offer.target is missing'],
  ['ContractRequestMessage', request({ offer: without(offer, '@id') }), 'offer.@id is missing'],
  ['ContractRequestMessage', request({ offer: without(offer, '@type') }), 'offer.@type is missing'],
  ['ContractRequestMessage', asked({ '@type': 'Agreement' }), 'offer.@type is "Agreement", expected "Offer"'],
  ['ContractRequestMessage', request({ offer: without(offer, 'permission') }), 'offer needs a permission or a prohibition'],
  ['ContractRequestMessage', request({ offer: { ...without(offer, 'permission'), obligation: [use] } }), 'offer needs a permission or a prohibition'],
  ['ContractRequestMessage', asked({ permission: [] }), 'offer.permission must not be empty'],
  ['ContractRequestMessage', asked({ prohibition: [] }), 'offer.prohibition must not be empty'],
  ['ContractRequestMessage', asked({ obligation: [] }), 'offer.obligation must not be empty'],
  ['ContractRequestMessage', asked({ permission: use }), 'offer.permission must be a list'],
  ['ContractRequestMessage', asked({ target: 5 }), 'offer.target must be a text'],
  ['ContractRequestMessage', asked({ target: '' }), 'offer.target must not be empty'],
  ['ContractRequestMessage', ruled({ action: { '@id': 'use' } }), 'offer.permission[0].action must be a text'],
  ['ContractRequestMessage', asked({ permission: [{}] }), 'offer.permission[0].action is missing'],
  ['ContractRequestMessage', ruled({ target: 'urn:uuid:d' }), 'offer.permission[0].target must not be given: the target stands at the policy'],
  ['ContractOfferMessage', { ...GOOD.ContractOfferMessage, offer: 'urn:uuid:o' }, 'offer must be an object'],
  // rule 7: agreements
  ['ContractAgreementMessage', message('ContractAgreementMessage', { ...pids, agreement: without(agreement, 'assigner') }), 'agreement.assigner is missing'],
  ['ContractAgreementMessage', message('ContractAgreementMessage', { ...pids, agreement: without(agreement, 'assignee') }), 'agreement.assignee is missing'],
  ['ContractAgreementMessage', message('ContractAgreementMessage', { ...pids, agreement: without(agreement, 'target') }), 'agreement.target is missing'],
  ['ContractAgreementMessage', message('ContractAgreementMessage', { ...pids, agreement: without(agreement, '@id') }), 'agreement.@id is missing'],
  ['ContractAgreementMessage', message('ContractAgreementMessage', { ...pids, agreement: without(agreement, 'timestamp') }), 'agreement.timestamp is missing'],
  ['ContractAgreementMessage', message('ContractAgreementMessage', { ...pids, agreement: without(agreement, 'permission') }), 'agreement needs a permission or a prohibition'],
  ['ContractAgreementMessage', agreed({ '@type': 'Offer' }), 'agreement.@type is "Offer", expected "Agreement"'],
  ['ContractAgreementMessage', agreed({ timestamp: '2026-11-23' }), 'agreement.timestamp is "2026-11-23", expected a date and time such as 2026-12-31T23:59:59Z'],
  ['ContractAgreementMessage', agreed({ timestamp: '2026-13-01T00:00:00Z' }), 'agreement.timestamp is "2026-13-01T00:00:00Z", expected a date and time such as 2026-12-31T23:59:59Z'],
  ['ContractAgreementMessage', agreed({ timestamp: 1795410849 }), 'agreement.timestamp must be a text'],
  // rule 8: reasons
  ['ContractNegotiationTerminationMessage', message('ContractNegotiationTerminationMessage', { ...pids, reason: [] }), 'reason must not be empty'],
  ['TransferSuspensionMessage', message('TransferSuspensionMessage', { ...pids, reason: 'pause' }), 'reason must be a list'],
  ['TransferTerminationMessage', message('TransferTerminationMessage', { ...pids, reason: [] }), 'reason must not be empty'],
  ['TransferTerminationMessage', message('TransferTerminationMessage', { ...pids, code: 1 }), 'code must be a text'],
  ['CatalogError', message('CatalogError', { reason: [] }), 'reason must not be empty'],
  ['ContractNegotiationError', message('ContractNegotiationError', { ...pids, reason: [] }), 'reason must not be empty'],
  ['TransferError', message('TransferError', { ...pids, reason: [] }), 'reason must not be empty'],
  // rule 9: catalogs
  ['Catalog', { ...GOOD.Catalog, dataset: [] }, 'dataset must not be empty'],
  ['Catalog', { ...GOOD.Catalog, service: [] }, 'service must not be empty'],
  ['Catalog', { ...GOOD.Catalog, catalog: [] }, 'catalog must not be empty'],
  ['Catalog', { ...GOOD.Catalog, hasPolicy: [catalogOffer] }, 'hasPolicy must not be given: only datasets have offers'],
  ['Catalog', listed({ hasPolicy: [] }), 'dataset[0].hasPolicy must not be empty'],
  ['Catalog', listed({ hasPolicy: [offer] }), 'dataset[0].hasPolicy[0].target must not be given: inside a catalog the target is the dataset'],
  ['Catalog', listed({ distribution: [] }), 'dataset[0].distribution must not be empty'],
  ['Catalog', listed({ distribution: [without(distribution, 'format')] }), 'dataset[0].distribution[0].format is missing'],
  ['Catalog', listed({ distribution: [without(distribution, 'accessService')] }), 'dataset[0].distribution[0].accessService is missing'],
  ['Catalog', listed({ distribution: [{ ...distribution, accessService: without(service, 'endpointURL') }] }), 'dataset[0].distribution[0].accessService.endpointURL is missing'],
  ['Catalog', { ...GOOD.Catalog, service: [without(service, '@id')] }, 'service[0].@id is missing'],
  ['Catalog', { ...GOOD.Catalog, service: [{ ...service, '@type': 'Service' }] }, 'service[0].@type is "Service", expected "DataService"'],
  ['Dataset', { '@context': context, ...entry, hasPolicy: [] }, 'hasPolicy must not be empty'],
  ['DatasetRequestMessage', message('DatasetRequestMessage', { dataset: '' }), 'dataset must not be empty'],
  ['CatalogRequestMessage', message('CatalogRequestMessage', { filter: {} }), 'filter must be a list'],
  // rule 10: data addresses
  ['TransferStartMessage', message('TransferStartMessage', { ...pids, dataAddress: without(dataAddress, 'endpointType') }), 'dataAddress.endpointType is missing'],
  ['TransferStartMessage', message('TransferStartMessage', { ...pids, dataAddress: without(dataAddress, '@type') }), 'dataAddress.@type is missing'],
  ['TransferStartMessage', started({ endpointProperties: [without(property, '@type')] }), 'dataAddress.endpointProperties[0].@type is missing'],
  ['TransferStartMessage', started({ endpointProperties: [without(property, 'name')] }), 'dataAddress.endpointProperties[0].name is missing'],
  ['TransferStartMessage', started({ endpointProperties: [{ ...property, value: 5 }] }), 'dataAddress.endpointProperties[0].value must be a text'],
  // rule 13: constraints
  ['ContractRequestMessage', ruled({ constraint: [{ ...constraint, operator: 'IN' }] }), 'offer.permission[0].constraint[0].operator is "IN", expected one of eq, neq, lt, lteq, gt, gteq, isA, hasPart, isPartOf, isAllOf, isAnyOf, isNoneOf, term-lteq'],
  ['ContractRequestMessage', ruled({ constraint: [without(constraint, 'leftOperand')] }), 'offer.permission[0].constraint[0].leftOperand is missing'],
  ['ContractRequestMessage', ruled({ constraint: [without(constraint, 'rightOperand')] }), 'offer.permission[0].constraint[0].rightOperand is missing'],
  ['ContractRequestMessage', ruled({ constraint: constraint }), 'offer.permission[0].constraint must be a list'],
  ['ContractRequestMessage', ruled({ constraint: [{ and: [constraint], or: [constraint] }] }), 'offer.permission[0].constraint[0] must have only one of and, or, xone, andSequence'],
  ['ContractRequestMessage', ruled({ constraint: [{ and: [constraint], leftOperand: 'x' }] }), 'offer.permission[0].constraint[0].leftOperand must not be given beside and, or, xone, andSequence'],
  ['ContractRequestMessage', ruled({ constraint: [{ and: [{ or: [{ ...constraint, operator: '=' }] }] }] }), 'offer.permission[0].constraint[0].and[0].or[0].operator is "=", expected one of eq, neq, lt, lteq, gt, gteq, isA, hasPart, isPartOf, isAllOf, isAnyOf, isNoneOf, term-lteq'],
  ['ContractRequestMessage', ruled({ duty: [{ constraint: [constraint] }] }), 'offer.permission[0].duty[0].action is missing'],
  // process identifiers
  ['ContractRequestMessage', request({ consumerPid: '' }), 'consumerPid must not be empty'],
  ['ContractRequestMessage', request({ consumerPid: '..' }), 'consumerPid is "..", expected an identifier other than "." and ".."'],
  ['TransferRequestMessage', { ...GOOD.TransferRequestMessage, consumerPid: 7 }, 'consumerPid must be a text'],
  // discovery
  ['VersionResponse', { protocolVersions: [] }, 'protocolVersions must not be empty'],
  ['VersionResponse', versioned({ path: 'dsp' }), 'protocolVersions[0].path is "dsp", expected a path that begins with "/"'],
  ['VersionResponse', versioned({ version: 2025 }), 'protocolVersions[0].version must be a text'],
  ['VersionResponse', versioned({ auth: { protocol: 'x' } }), 'protocolVersions[0].auth.version is missing'],
  ['DidService', { ...GOOD.DidService, serviceEndpoint: 'https://provider.example/dsp' }, 'serviceEndpoint is "https://provider.example/dsp", expected an http(s) address that ends in /catalog'],
  ['DidService', { ...GOOD.DidService, type: 'DataService' }, 'serviceEndpoint is "https://provider.example/dsp/catalog", expected an http(s) address that ends in /.well-known/dspace-version'],
  ['DidService', { ...GOOD.DidService, type: 'Other', serviceEndpoint: 'https://p.example/.well-known/dspace-version' }, 'type is "Other", expected one of CatalogService, DataService'],
]

const sentence = (name: MessageName, body: unknown, direction: 'incoming' | 'outgoing'): string => {
  const checked = validate(name, body, direction)
  return checked.ok ? 'valid' : checked.error.message
}

describe.each(['incoming', 'outgoing'] as const)('schemas, %s', (direction) => {
  test.each(Object.entries(GOOD))('%s: the full example is valid', (name, body) => {
    expect(sentence(name as MessageName, body, direction)).toBe('valid')
  })

  test.each(ALSO_GOOD)('%s', (_, name, body) => {
    expect(sentence(name, body, direction)).toBe('valid')
  })

  test.each(
    BAD.map(([name, body, wrong]) => [`${name}: ${wrong}`, name, body] as const),
  )('%s', (expected, name, body) => {
    expect(sentence(name, body, direction)).toBe(
      expected.replace(/^(\w+): /, '$1 is not valid: ').concat('.'),
    )
  })
})

test.each(Object.entries(GOOD))('%s: each missing property is named', (name, body) => {
  const missing = Object.keys(body).filter((key) => !OPTIONAL.has(key) || name === 'DatasetRequestMessage')
  const sentences = missing.map((key) => sentence(name as MessageName, without(body, key), 'outgoing'))
  expect(sentences).toEqual(missing.map((key) => `${name} is not valid: ${key} is missing.`))
})

describe('the schema files', () => {
  const folder = findSchemas(import.meta.dirname)
  const files = readdirSync(folder)

  test('there is one for each message, and the shared definitions', () => {
    const expected = [...Object.keys(GOOD), 'definitions'].map((name) => `${name}.schema.json`)
    expect(files.toSorted()).toEqual(expected.toSorted())
  })

  test.each(files)('%s is a schema of draft 2019-09', (file) => {
    const schema = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    expect(schema.$schema).toBe('https://json-schema.org/draft/2019-09/schema')
    const ajv = new Ajv2019()
    expect([ajv.validateSchema(schema), ajv.errorsText()]).toEqual([true, 'No errors'])
  })
})
