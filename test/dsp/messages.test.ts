/** What build.ts and build-catalog.ts make, against the shapes of the specification written out by hand. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as build from '../../connector/dsp/build.js'
import * as catalogs from '../../connector/dsp/build-catalog.js'
import {
  CONSUMER_PATH,
  type MessageName,
  PROVIDER_PATH,
  urlOf,
  VERSION_PATH,
} from '../../connector/dsp/messages.js'
import { createValidator } from '../../connector/dsp/validate.js'

const validate = createValidator()
const context = ['https://w3id.org/dspace/2025/1/context.jsonld']
const pids = { providerPid: 'urn:uuid:p', consumerPid: 'urn:uuid:c' }
const offer = {
  '@id': 'urn:uuid:o',
  '@type': 'Offer',
  target: 'urn:uuid:d',
  permission: [{ action: 'use' }],
} as const
const SEAL = 'https://w3id.org/example/seal/v1'

describe('negotiation messages', () => {
  test('a first request carries the callbackAddress', () => {
    const request = { consumerPid: 'urn:uuid:c', callbackAddress: 'https://consumer.example/dsp', offer }
    expect(build.contractRequest(request)).toEqual({
      '@context': context,
      '@type': 'ContractRequestMessage',
      consumerPid: 'urn:uuid:c',
      callbackAddress: 'https://consumer.example/dsp',
      offer,
    })
  })

  test('a counter-request carries the providerPid instead', () => {
    expect(build.contractRequest({ ...pids, offer })).toEqual({
      '@context': context,
      '@type': 'ContractRequestMessage',
      ...pids,
      offer,
    })
  })

  test('an offer leaves out lists that are empty, also inside rules, and nothing else', () => {
    const untidy = {
      ...offer,
      profile: [],
      prohibition: [],
      obligation: [],
      permission: [
        {
          action: 'use',
          duty: [],
          constraint: [{ leftOperand: 'x', operator: 'isPartOf', rightOperand: [] }, { and: [] }],
        },
        { action: 'use', constraint: [] },
      ],
    }
    expect(build.contractOffer({ ...pids, offer: untidy }).offer).toEqual({
      ...offer,
      permission: [
        {
          action: 'use',
          constraint: [{ leftOperand: 'x', operator: 'isPartOf', rightOperand: [] }, { and: [] }],
        },
        { action: 'use' },
      ],
    })
  })

  test('an agreement goes out untouched, because it is signed', () => {
    const agreement = { '@id': 'urn:uuid:a', '@type': 'Agreement', obligation: [], z: 1, a: { b: [] } }
    const message = build.contractAgreement({ ...pids, agreement }, { [SEAL]: 'e30..c2ln' })
    expect(message.agreement).toBe(agreement)
    expect(message).toEqual({
      '@context': context,
      '@type': 'ContractAgreementMessage',
      ...pids,
      agreement,
      [SEAL]: 'e30..c2ln',
    })
  })

  test('an extension cannot displace a part of the message', () => {
    const extensions = { [SEAL]: 1, providerPid: 'urn:uuid:other', '@type': 'Other' }
    expect(build.agreementVerification(pids, extensions)).toEqual({
      '@context': context,
      '@type': 'ContractAgreementVerificationMessage',
      ...pids,
      [SEAL]: 1,
    })
  })

  test('an event, a termination and the state of a negotiation', () => {
    expect(build.negotiationEvent({ ...pids, eventType: 'FINALIZED' })).toEqual({
      '@context': context,
      '@type': 'ContractNegotiationEventMessage',
      ...pids,
      eventType: 'FINALIZED',
    })
    expect(build.negotiationTermination({ ...pids, reason: 'changed our mind' })).toEqual({
      '@context': context,
      '@type': 'ContractNegotiationTerminationMessage',
      ...pids,
      reason: ['changed our mind'],
    })
    expect(build.contractNegotiation({ ...pids, state: 'AGREED' })).toEqual({
      '@context': context,
      '@type': 'ContractNegotiation',
      ...pids,
      state: 'AGREED',
    })
  })

  test('an error about an unknown process has both pids, the unknown one empty', () => {
    expect(
      build.contractNegotiationError({ providerPid: 'urn:uuid:p', code: 'NotFound', reason: 'No.' }),
    ).toEqual({
      '@context': context,
      '@type': 'ContractNegotiationError',
      providerPid: 'urn:uuid:p',
      consumerPid: '',
      code: 'NotFound',
      reason: ['No.'],
    })
  })
})

describe('data addresses', () => {
  const name = (short: string) => `https://w3id.org/edc/v0.0.1/ns/${short}`
  const property = (key: string, value: string) =>
    ({ '@type': 'EndpointProperty', name: key, value }) as const
  const read = (address: object) =>
    build.readDataAddress({ '@type': 'DataAddress', endpointType: 'x', ...address })

  test('are written for the specification and for EDC', () => {
    const dataAddress = build.httpDataAddress({ endpoint: 'https://provider.example/data/1', token: 'tok' })
    expect(build.transferStart({ ...pids, dataAddress })).toEqual({
      '@context': context,
      '@type': 'TransferStartMessage',
      ...pids,
      dataAddress: {
        '@type': 'DataAddress',
        endpointType: 'https://w3id.org/idsa/v4.1/HTTP',
        endpoint: 'https://provider.example/data/1',
        endpointProperties: [
          property('authorization', 'tok'),
          property('authType', 'bearer'),
          property(name('authorization'), 'tok'),
          property(name('authType'), 'bearer'),
          property(name('endpoint'), 'https://provider.example/data/1'),
          property(name('endpointType'), 'https://w3id.org/idsa/v4.1/HTTP'),
        ],
      },
    })
  })

  test('are read as they were written', () => {
    const written = { endpoint: 'https://provider.example/data/1', token: 'tok', authType: 'bearer' }
    expect(build.readDataAddress(build.httpDataAddress(written))).toEqual({ ok: true, value: written })
  })

  test('are read from the short names and from the names of EDC', () => {
    const value = { endpoint: 'https://p.example/d', token: 'tok', authType: 'bearer' }
    const short = [property('authorization', 'tok'), property('authType', 'bearer')]
    expect(read({ endpoint: 'https://p.example/d', endpointProperties: short })).toEqual({ ok: true, value })
    const edc = [
      property(name('endpoint'), 'https://p.example/d'),
      property(name('authorization'), 'tok'),
      property(name('authType'), 'bearer'),
    ]
    expect(read({ endpointProperties: edc })).toEqual({ ok: true, value })
  })

  test('may come without a token', () => {
    expect(read({ endpoint: 'http://example.com' })).toEqual({
      ok: true,
      value: { endpoint: 'http://example.com' },
    })
  })

  test('without an address are refused', () => {
    expect(read({ endpointProperties: [property('authorization', 'tok')] })).toMatchObject({
      ok: false,
      error: {
        code: 'InvalidMessage',
        message: 'The dataAddress does not say where the data is: endpoint is missing.',
      },
    })
  })

  test.each([
    'file:///etc/passwd',
    'not a url',
    'javascript:1',
  ])('that lead to %s are refused', (endpoint) => {
    expect(read({ endpoint })).toMatchObject({
      ok: false,
      error: {
        code: 'InvalidMessage',
        message: 'The endpoint of the dataAddress is not an http or https address.',
      },
    })
  })
})

describe('the catalog', () => {
  const service = { id: 'urn:uuid:s', baseUrl: 'https://provider.example/dsp' }
  const about = { id: 'urn:uuid:k', participantId: 'did:web:provider.example', service }
  const offered = {
    id: 'urn:uuid:d',
    title: 'Pump 1',
    keywords: ['pump'],
    offers: [
      { id: 'urn:uuid:o', policy: { permission: [{ action: 'use' }] }, assigner: 'did:web:provider.example' },
    ],
    formats: ['HttpData-PULL'],
  }
  const dataService = {
    '@id': 'urn:uuid:s',
    '@type': 'DataService',
    endpointURL: 'https://provider.example/dsp',
  }
  const entry = {
    '@id': 'urn:uuid:d',
    '@type': 'Dataset',
    'dct:title': 'Pump 1',
    'dcat:keyword': 'pump',
    hasPolicy: [
      {
        '@id': 'urn:uuid:o',
        '@type': 'Offer',
        assigner: 'did:web:provider.example',
        permission: [{ action: 'use' }],
      },
    ],
    distribution: [{ '@type': 'Distribution', format: 'HttpData-PULL', accessService: dataService }],
  }

  test('lists its service and its datasets', () => {
    expect(catalogs.catalog({ ...about, datasets: [offered] })).toEqual({
      '@context': context,
      '@id': 'urn:uuid:k',
      '@type': 'Catalog',
      participantId: 'did:web:provider.example',
      service: [dataService],
      dataset: [entry],
    })
  })

  test('without datasets has no empty list of them', () => {
    expect('dataset' in catalogs.catalog({ ...about, datasets: [] })).toBe(false)
  })

  test('a dataset on its own has a context', () => {
    expect(catalogs.dataset(offered, service)).toEqual({ '@context': context, ...entry })
  })

  test('a policy cannot displace the id and type of its offer', () => {
    const policy = { '@id': 'x', '@type': 'y', permission: [{ action: 'use' }] }
    const { hasPolicy } = catalogs.dataset({ ...offered, offers: [{ id: 'urn:uuid:o', policy }] }, service)
    expect(hasPolicy).toEqual([{ '@id': 'urn:uuid:o', '@type': 'Offer', permission: [{ action: 'use' }] }])
  })
})

describe('discovery', () => {
  test('the version document names one version and has no context', () => {
    expect(catalogs.versionDocument({ path: '/dsp', serviceId: 's' })).toEqual({
      protocolVersions: [{ version: '2025-1', path: '/dsp', binding: 'HTTPS', serviceId: 's' }],
    })
  })

  test('the DID document leads to the catalog and to the version document', () => {
    const at = {
      did: 'did:web:p.example',
      rootUrl: 'https://p.example',
      baseUrl: 'https://p.example/dsp/',
    }
    for (const service of catalogs.didServices(at))
      expect(validate('DidService', service, 'outgoing').ok).toBe(true)
    expect(catalogs.didServices(at)).toEqual([
      {
        id: 'did:web:p.example#catalog',
        type: 'CatalogService',
        serviceEndpoint: 'https://p.example/dsp/catalog',
      },
      {
        id: 'did:web:p.example#dsp',
        type: 'DataService',
        serviceEndpoint: 'https://p.example/.well-known/dspace-version',
      },
    ])
  })
})

describe('addresses', () => {
  // biome-ignore format: a table reads best aligned
  test.each([
    ['https://p.example/dsp', PROVIDER_PATH.negotiationRequest, undefined, 'https://p.example/dsp/negotiations/request'],
    ['https://p.example/a/b/', CONSUMER_PATH.agreement, 'urn:uuid:1', 'https://p.example/a/b/negotiations/urn:uuid:1/agreement'],
    ['https://p.example//', VERSION_PATH, undefined, 'https://p.example/.well-known/dspace-version'],
    ['https://p.example', PROVIDER_PATH.transfer, 'a/../b?c#d', 'https://p.example/transfers/a%2F..%2Fb%3Fc%23d'],
    ['https://p.example', PROVIDER_PATH.dataset, 'b3Blbg==:a$&x', 'https://p.example/catalog/datasets/b3Blbg==:a$&x'],
    ['https://p.example', PROVIDER_PATH.dataset, 'Füße 100%', 'https://p.example/catalog/datasets/F%C3%BC%C3%9Fe%20100%25'],
  ] as const)('%s + %s with %s', (base, path, id, expected) => {
    expect(urlOf(base, path, id)).toBe(expected)
  })
})

describe('whatever is built', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' })
  const pid = text.filter((s) => s !== '.' && s !== '..')
  const constraint = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, tie('atomic'), tie('logical')),
    atomic: fc.record({
      leftOperand: text,
      operator: fc.constantFrom('eq', 'lt', 'gteq', 'isPartOf', 'isAnyOf'),
      rightOperand: fc.oneof(text, fc.array(text)),
    }),
    logical: fc.oneof(
      fc.record({ and: fc.array(tie('any'), { maxLength: 3 }) }),
      fc.record({ or: fc.array(tie('any'), { maxLength: 3 }) }),
    ),
  })).any
  const rule = fc.record(
    {
      action: text,
      constraint: fc.array(constraint, { maxLength: 3 }),
      duty: fc.array(fc.record({ action: text }), { maxLength: 2 }),
    },
    { requiredKeys: ['action'] },
  )
  const policy = fc.record(
    {
      permission: fc.array(rule, { minLength: 1, maxLength: 3 }),
      prohibition: fc.array(rule, { maxLength: 2 }),
      obligation: fc.array(rule, { maxLength: 2 }),
      profile: fc.oneof(text, fc.array(text, { maxLength: 2 })),
    },
    { requiredKeys: ['permission'] },
  )
  const anything = fc.record({
    p: pid,
    c: pid,
    a: text,
    b: text,
    policy,
    reason: fc.string(),
    plain: fc.boolean(),
  })

  test('is valid as an outgoing message', () => {
    fc.assert(
      fc.property(anything, ({ p, c, a, b, policy: terms, reason, plain }) => {
        const both = { providerPid: p, consumerPid: c }
        // The way of the wire: what is undefined or shared in memory must not matter.
        const json = JSON.parse(JSON.stringify(terms))
        const asked = { ...json, '@id': a, '@type': 'Offer', target: b }
        const { prohibition: _p, obligation: _o, profile: _f, ...agreed } = json
        const agreement = {
          ...agreed,
          '@id': a,
          '@type': 'Agreement',
          target: b,
          assigner: a,
          assignee: b,
          timestamp: new Date(reason.length).toISOString(),
        }
        const service = { id: a, baseUrl: b }
        const offered = { id: b, title: reason, offers: [{ id: a, policy: json }], formats: [b] }
        const known = plain ? both : {}
        const dataAddress = build.httpDataAddress(plain ? { endpoint: a } : { endpoint: a, token: b })
        const built: { readonly [K in MessageName]: unknown } = {
          CatalogRequestMessage: plain ? catalogs.catalogRequest() : catalogs.catalogRequest({ limit: 1 }),
          DatasetRequestMessage: catalogs.datasetRequest(a),
          Catalog: catalogs.catalog({ id: a, participantId: b, service, datasets: plain ? [] : [offered] }),
          Dataset: catalogs.dataset(offered, service),
          CatalogError: catalogs.catalogError({ code: a, reason }),
          ContractRequestMessage: build.contractRequest(
            plain ? { consumerPid: c, callbackAddress: b, offer: asked } : { ...both, offer: asked },
          ),
          ContractOfferMessage: build.contractOffer(
            plain ? { providerPid: p, callbackAddress: b, offer: asked } : { ...both, offer: asked },
          ),
          ContractAgreementMessage: build.contractAgreement({ ...both, agreement }, { [SEAL]: reason }),
          ContractAgreementVerificationMessage: build.agreementVerification(both),
          ContractNegotiationEventMessage: build.negotiationEvent({ ...both, eventType: 'ACCEPTED' }),
          ContractNegotiationTerminationMessage: build.negotiationTermination({ ...both, reason }),
          ContractNegotiation: build.contractNegotiation({ ...both, state: 'REQUESTED' }),
          ContractNegotiationError: build.contractNegotiationError({ ...known, code: a, reason }),
          TransferRequestMessage: build.transferRequest({
            consumerPid: c,
            agreementId: a,
            format: b,
            callbackAddress: a,
            ...(plain ? {} : { dataAddress }),
          }),
          TransferStartMessage: build.transferStart(plain ? both : { ...both, dataAddress }),
          TransferCompletionMessage: build.transferCompletion(both),
          TransferSuspensionMessage: build.transferSuspension({ ...both, code: a, reason }),
          TransferTerminationMessage: build.transferTermination({ ...both, reason }),
          TransferProcess: build.transferProcess({ ...both, state: 'SUSPENDED' }),
          TransferError: build.transferError({ ...known, code: a, reason }),
          VersionResponse: catalogs.versionDocument({ path: `/${a}` }),
          DidService: catalogs.didServices({
            did: a,
            rootUrl: 'https://p.example',
            baseUrl: 'https://p.example/d',
          })[0],
        }
        for (const [name, message] of Object.entries(built)) {
          const onTheWire: unknown = JSON.parse(JSON.stringify(message))
          expect(validate(name as MessageName, onTheWire, 'outgoing')).toMatchObject({ ok: true })
        }
      }),
      { numRuns: 150 },
    )
  })
})
