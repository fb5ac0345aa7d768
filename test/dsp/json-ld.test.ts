/**
 * Every message that our build functions make, expanded and compacted again by a JSON-LD processor: nothing is lost and nothing
 * changes. A partner that reads messages as JSON-LD therefore reads the same as one that reads them as JSON.
 */
import jsonld from 'jsonld'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../connector/core/types.js'
import { AGREEMENT_SIGNATURE, COUNTERSIGNATURE, RECEIPT } from '../../connector/crypto/agreement-seal.js'
import * as build from '../../connector/dsp/build.js'
import * as catalogs from '../../connector/dsp/build-catalog.js'
import { normalise } from '../../connector/dsp/normalise.js'
import { pushDataAddress } from '../../connector/dsp/push-address.js'
import { policyFromTerms } from '../../connector/policy/write.js'
import { DSP_CONTEXT_URL, documentLoader } from './contexts.js'

const pids = { providerPid: 'urn:uuid:p', consumerPid: 'urn:uuid:c' }
const why = { code: 'PolicyDenied', reason: 'The time has run out.' }
const MDP = 'https://w3id.org/machine-data-policy/v1#'

/** Every term that an operator can choose, in one offer, and the least offer there is. */
const terms = policyFromTerms({
  recipients: ['did:web:buyer.example.com', 'did:web:other.example.com'],
  from: '2026-01-01',
  until: '2098-12-31',
  agreementAge: 'P30D',
  count: 1000,
  fields: ['level', 'pressure'],
  samplingInterval: 'PT10S',
  deliveryDelay: 'PT1H',
})
const one = policyFromTerms({ recipients: ['did:web:buyer.example.com'], fields: ['level'] })
if (!terms.ok || !one.ok) throw new Error('terms')
const policies: readonly JsonObject[] = [terms.value, one.value, { permission: [{ action: 'use' }] }]
const logical: JsonObject = {
  permission: [
    {
      action: 'use',
      constraint: [
        {
          or: [
            { leftOperand: 'odrl:count', operator: 'lteq', rightOperand: '5' },
            { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2099-01-01T00:00:00Z' },
          ],
        },
      ],
      duty: [{ action: 'odrl:delete' }],
    },
  ],
  prohibition: [{ action: 'odrl:sell' }],
}
const offerOf = (policy: JsonObject): JsonObject => ({
  '@id': 'open',
  '@type': 'Offer',
  target: 'tank',
  assigner: 'did:web:maker.example.com',
  ...policy,
})
const agreementOf = (policy: JsonObject): JsonObject => ({
  '@id': 'urn:uuid:a',
  '@type': 'Agreement',
  target: 'tank',
  assigner: 'did:web:maker.example.com',
  assignee: 'did:web:buyer.example.com',
  timestamp: '2026-11-25T08:00:00.000Z',
  ...policy,
})

const callbackAddress = 'https://buyer.example.com/dsp'
const service = { id: 'did:web:maker.example.com#dsp', baseUrl: 'https://maker.example.com/dsp' }
const dataset = (id: string, policy: JsonObject, more: object = {}) => ({
  id,
  offers: [{ id: 'open', policy, assigner: 'did:web:maker.example.com' }],
  formats: ['HttpData-PULL', 'HttpData-PUSH'],
  ...more,
})
const described = {
  title: 'Tank',
  description: 'Level of the tank',
  keywords: ['tank', 'level'],
  extensions: {
    [`${MDP}machineId`]: 'tank-1',
    [`${MDP}signals`]: [
      { [`${MDP}name`]: 'level', [`${MDP}type`]: 'number', [`${MDP}unit`]: 'mm' },
      { [`${MDP}name`]: 'pressure', [`${MDP}type`]: 'number' },
    ],
  } as never,
}
const catalog = (datasets: Parameters<typeof catalogs.catalog>[0]['datasets']) =>
  catalogs.catalog({ id: 'urn:catalog', participantId: 'did:web:maker.example.com', service, datasets })

const messages: Readonly<Record<string, readonly object[]>> = {
  catalogRequest: [catalogs.catalogRequest()],
  datasetRequest: [catalogs.datasetRequest('tank')],
  catalogError: [catalogs.catalogError(why)],
  catalog: [
    catalog([]),
    catalog([dataset('tank', terms.value, described), dataset('pump', one.value, { keywords: ['pump'] })]),
  ],
  dataset: policies.map((policy) => catalogs.dataset(dataset('tank', policy, described), service)),
  contractRequest: [...policies, logical].flatMap((policy) => [
    build.contractRequest({ consumerPid: 'urn:uuid:c', callbackAddress, offer: offerOf(policy) }),
    build.contractRequest({ ...pids, offer: offerOf(policy) }),
  ]),
  contractOffer: policies.flatMap((policy) => [
    build.contractOffer({ providerPid: 'urn:uuid:p', callbackAddress, offer: offerOf(policy) }),
    build.contractOffer({ ...pids, offer: offerOf(policy) }),
  ]),
  contractAgreement: policies.flatMap((policy) => [
    build.contractAgreement({ ...pids, agreement: agreementOf(policy) }),
    build.contractAgreement(
      { ...pids, agreement: agreementOf(policy) },
      { [AGREEMENT_SIGNATURE]: 'e30..c2ln' },
    ),
  ]),
  agreementVerification: [
    build.agreementVerification(pids),
    build.agreementVerification(pids, { [COUNTERSIGNATURE]: 'e30..c2ln' }),
  ],
  negotiationEvent: [
    build.negotiationEvent({ ...pids, eventType: 'ACCEPTED' }),
    build.negotiationEvent({ ...pids, eventType: 'FINALIZED' }, { [RECEIPT]: 'e30..c2ln' }),
  ],
  negotiationTermination: [build.negotiationTermination({ ...pids, ...why })],
  contractNegotiation: (
    ['REQUESTED', 'OFFERED', 'ACCEPTED', 'AGREED', 'VERIFIED', 'FINALIZED', 'TERMINATED'] as const
  ).map((state) => build.contractNegotiation({ ...pids, state })),
  contractNegotiationError: [build.contractNegotiationError({ ...pids, ...why })],
  transferRequest: [
    build.transferRequest({
      consumerPid: 'urn:uuid:c',
      agreementId: 'urn:uuid:a',
      format: 'HttpData-PULL',
      callbackAddress,
    }),
    build.transferRequest({
      consumerPid: 'urn:uuid:c',
      agreementId: 'urn:uuid:a',
      format: 'HttpData-PUSH',
      callbackAddress,
      dataAddress: pushDataAddress({ endpoint: 'https://buyer.example.com/data/push/1', token: 't' }),
    }),
  ],
  transferStart: [
    build.transferStart(pids),
    build.transferStart({
      ...pids,
      dataAddress: build.httpDataAddress({ endpoint: 'https://maker.example.com/data/1', token: 't' }),
    }),
  ],
  transferCompletion: [build.transferCompletion(pids)],
  transferSuspension: [build.transferSuspension({ ...pids, ...why })],
  transferTermination: [build.transferTermination({ ...pids, reason: why.reason })],
  transferProcess: (['REQUESTED', 'STARTED', 'SUSPENDED', 'COMPLETED', 'TERMINATED'] as const).map((state) =>
    build.transferProcess({ ...pids, state }),
  ),
  transferError: [build.transferError({ ...pids, ...why })],
}

/** What build functions make that is no message: parts of one, or documents without a context. */
const NO_MESSAGE = [
  'asOne',
  'head',
  'why',
  'offerOf',
  'httpDataAddress',
  'readDataAddress',
  'versionDocument',
  'didServices',
]

const options = { documentLoader, base: '' }

/** The types that come with the processor fit neither its lists of contexts nor what it answers. */
const processor = jsonld as unknown as {
  expand(message: object, how: object): Promise<Json>
  compact(expanded: Json, context: object, how: object): Promise<JsonObject>
}
const expand = (message: object) => processor.expand(message, options)

describe('a message of ours, expanded and compacted', () => {
  it.each(Object.entries(messages))('%s', async (_name, made) => {
    expect(made.length).toBeGreaterThan(0)
    for (const message of made) {
      const expanded = await expand(message)
      const compacted = await processor.compact(expanded, { '@context': [DSP_CONTEXT_URL] }, options)
      // A processor writes a list of one context as that context.
      expect({ ...compacted, '@context': [compacted['@context'] ?? ''] }).toEqual(message)
    }
  })

  it('is any that is built at all', () => {
    const built = [...Object.keys(build), ...Object.keys(catalogs)].filter(
      (name) => !NO_MESSAGE.includes(name),
    )
    expect(Object.keys(messages).sort()).toEqual(built.sort())
  })
})

describe('a message of ours, expanded', () => {
  it.each(Object.entries(messages))('%s is read as the same message', async (_name, made) => {
    for (const message of made) {
      const expanded = await expand(message)
      expect(normalise(expanded)).toEqual({ ok: true, value: message })
    }
  })
})
