import { describe, expect, it } from 'vitest'
import type { Json } from '../../connector/core/types.js'
import { asReceived, normalise } from '../../connector/dsp/normalise.js'
import { readError } from '../../connector/dsp/read-error.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { createWire } from '../../connector/dsp/wire.js'

const CONTEXT = ['https://w3id.org/dspace/2025/1/context.jsonld']
const DSPACE = 'https://w3id.org/dspace/2025/1/'
const ODRL = 'http://www.w3.org/ns/odrl/2/'
const validate = createValidator()

const REQUEST = {
  '@context': CONTEXT,
  '@type': 'ContractRequestMessage',
  consumerPid: 'urn:uuid:1',
  callbackAddress: 'https://consumer.example.com/dsp',
  offer: {
    '@id': 'offer-1',
    '@type': 'Offer',
    target: 'tank',
    permission: [
      {
        action: 'use',
        constraint: [{ leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2099-01-01T00:00:00Z' }],
      },
    ],
  },
}

const plain = (message: Json): Json => {
  const read = normalise(message)
  if (!read.ok) throw new Error(read.error.message)
  return read.value
}

describe('a message in plain form', () => {
  it('comes back as the very same object, with everything that is not of the protocol in it', () => {
    const messages: readonly Json[] = [
      REQUEST,
      {
        ...REQUEST,
        'https://example.com/ns#extra': { '@value': 1 },
        'edc:name': ['x'],
        other: { target: [] },
      },
      { ...REQUEST, '@context': [...CONTEXT, 'https://w3id.org/edc/dspace/v0.0.1'] },
      {
        '@context': CONTEXT,
        '@type': 'CatalogRequestMessage',
        filter: [{ '@type': 'QuerySpec', limit: 50 }],
      },
      { '@context': CONTEXT, '@type': 'DatasetRequestMessage', dataset: 'tank' },
      {},
      null,
      'text',
    ]
    for (const message of messages) expect(plain(message)).toBe(message)
  })
})

describe('the same message in another spelling is read as the plain one', () => {
  it('with prefixes', () => {
    const prefixed = {
      '@context': { dspace: DSPACE, odrl: ODRL },
      '@type': 'dspace:ContractRequestMessage',
      'dspace:consumerPid': 'urn:uuid:1',
      'dspace:callbackAddress': 'https://consumer.example.com/dsp',
      'dspace:offer': {
        '@id': 'offer-1',
        '@type': 'odrl:Offer',
        'odrl:target': { '@id': 'tank' },
        'odrl:permission': {
          'odrl:action': { '@id': 'odrl:use' },
          'odrl:constraint': {
            'odrl:leftOperand': { '@id': 'odrl:dateTime' },
            'odrl:operator': { '@id': 'odrl:lt' },
            'odrl:rightOperand': '2099-01-01T00:00:00Z',
          },
        },
      },
    }
    expect(plain(prefixed)).toEqual(REQUEST)
  })

  it('expanded, without any context', () => {
    const value = (text: string) => [{ '@value': text }]
    const id = (text: string) => [{ '@id': text }]
    const expanded = [
      {
        '@type': [`${DSPACE}ContractRequestMessage`],
        [`${DSPACE}consumerPid`]: value('urn:uuid:1'),
        [`${DSPACE}callbackAddress`]: value('https://consumer.example.com/dsp'),
        [`${DSPACE}offer`]: [
          {
            '@id': 'offer-1',
            '@type': [`${ODRL}Offer`],
            [`${ODRL}target`]: id('tank'),
            [`${ODRL}permission`]: [
              {
                [`${ODRL}action`]: id(`${ODRL}use`),
                [`${ODRL}constraint`]: [
                  {
                    [`${ODRL}leftOperand`]: id(`${ODRL}dateTime`),
                    [`${ODRL}operator`]: id(`${ODRL}lt`),
                    [`${ODRL}rightOperand`]: value('2099-01-01T00:00:00Z'),
                  },
                ],
              },
            ],
          },
        ],
      },
    ]
    expect(plain(expanded)).toEqual(REQUEST)
  })

  it('with lists of one where there is one, and one where there is a list', () => {
    const { offer } = REQUEST
    const [permission] = offer.permission
    const wrapped = {
      ...REQUEST,
      '@type': ['ContractRequestMessage'],
      consumerPid: ['urn:uuid:1'],
      offer: [{ ...offer, permission: { ...permission, constraint: permission?.constraint[0] } }],
    } as unknown as Json
    expect(plain(wrapped)).toEqual(REQUEST)
  })

  it('with a prefix that its own context defines', () => {
    const { '@type': _, consumerPid, ...rest } = REQUEST
    const own = { ...rest, '@context': [...CONTEXT, { ds: DSPACE }], '@type': 'ds:ContractRequestMessage' }
    expect(plain({ ...own, 'ds:consumerPid': consumerPid })).toEqual(REQUEST)
  })

  it('for states, events, data addresses, reasons and catalogs', () => {
    const read = (message: object) => plain({ '@context': CONTEXT, ...message } as Json)
    expect(
      read({ '@type': 'dspace:TransferProcess', 'dspace:state': { '@id': 'dspace:STARTED' } }),
    ).toMatchObject({
      '@type': 'TransferProcess',
      state: 'STARTED',
    })
    expect(read({ eventType: `${DSPACE}FINALIZED` })).toMatchObject({ eventType: 'FINALIZED' })
    expect(read({ reason: 'too late', code: { '@value': '42' } })).toMatchObject({
      reason: ['too late'],
      code: '42',
    })
    expect(read({ reason: [{ '@value': 'too late' }] })).toMatchObject({ reason: ['too late'] })
    expect(
      read({
        dataAddress: {
          'dspace:endpointType': { '@id': 'https://w3id.org/idsa/v4.1/HTTP' },
          'dspace:endpointProperties': {
            '@type': 'dspace:EndpointProperty',
            'dspace:name': 'https://w3id.org/edc/v0.0.1/ns/endpoint',
            'dspace:value': { '@value': 'http://x' },
          },
        },
      }),
    ).toMatchObject({
      dataAddress: {
        endpointType: 'https://w3id.org/idsa/v4.1/HTTP',
        endpointProperties: [
          { '@type': 'EndpointProperty', name: 'https://w3id.org/edc/v0.0.1/ns/endpoint', value: 'http://x' },
        ],
      },
    })
    expect(
      read({
        '@type': 'dcat:Catalog',
        'dspace:participantId': 'edc',
        'dcat:dataset': {
          '@id': 'd',
          '@type': 'dcat:Dataset',
          'dct:title': 'Tank',
          'odrl:hasPolicy': { '@id': 'o', '@type': 'odrl:Offer' },
          'dcat:distribution': {
            '@type': 'dcat:Distribution',
            'dct:format': { '@id': 'HttpData-PULL' },
            'dcat:accessService': { '@id': 's' },
          },
        },
      }),
    ).toEqual({
      '@context': CONTEXT,
      '@type': 'Catalog',
      participantId: 'edc',
      dataset: [
        {
          '@id': 'd',
          '@type': 'Dataset',
          'dct:title': 'Tank',
          hasPolicy: [{ '@id': 'o', '@type': 'Offer' }],
          distribution: [{ '@type': 'Distribution', format: 'HttpData-PULL', accessService: 's' }],
        },
      ],
    })
  })

  it('for the values of a constraint, whose types and lists keep their meaning', () => {
    const values = (rightOperand: Json) =>
      (plain({ '@context': CONTEXT, 'odrl:rightOperand': rightOperand }) as { rightOperand: Json })
        .rightOperand
    expect(values(['a'])).toEqual(['a'])
    expect(values([{ '@value': 'a' }, { '@id': 'b' }])).toEqual(['a', 'b'])
    expect(values({ '@list': ['a', 'b'] })).toEqual(['a', 'b'])
    expect(values([{ '@value': 7 }])).toBe(7)
    expect(values({ '@value': '1', '@type': 'xsd:integer' })).toEqual({
      '@value': '1',
      '@type': 'xsd:integer',
    })
  })
})

describe('what could be read in two ways', () => {
  it('is refused when a term is there in two spellings', () => {
    const twice = [
      { ...REQUEST, 'dspace:consumerPid': 'urn:uuid:2' },
      { ...REQUEST, [`${DSPACE}consumerPid`]: 'urn:uuid:2' },
      { ...REQUEST, offer: { ...REQUEST.offer, 'odrl:permission': [] } },
      { ...REQUEST, offer: { ...REQUEST.offer, 'odrl:target': 'other' } },
    ]
    for (const message of twice) {
      const read = normalise(message as unknown as Json)
      expect(read.ok ? '' : read.error.message).toMatch(/^The term "\w+" is there twice, in two spellings\.$/)
    }
  })

  it('is not taken for a term of the protocol when its prefix means something else', () => {
    const other = { ...REQUEST, '@context': [...CONTEXT, { dspace: 'https://example.com/other#' }] }
    const { '@type': _, ...rest } = other
    expect(plain({ ...rest, '@type': 'dspace:ContractRequestMessage' } as Json)).toMatchObject({
      '@type': 'dspace:ContractRequestMessage',
    })
    const old = { ...rest, '@type': 'https://w3id.org/dspace/v0.8/ContractRequestMessage' }
    expect(validate('ContractRequestMessage', plain(old as Json)).ok).toBe(false)
  })

  it('does not become a message of DSP 2025-1 by being plain without its context', () => {
    const { '@context': _, ...bare } = REQUEST
    expect(validate('ContractRequestMessage', plain(bare)).ok).toBe(false)
    expect(plain({ ...bare, '@context': [{ dspace: DSPACE }] } as Json)).toMatchObject({ '@context': [] })
  })
})

it('finds the agreement exactly as it was written', () => {
  const text = { '@id': 'a', '@type': ['odrl:Agreement'], 'odrl:target': { '@id': 'tank' } }
  expect(asReceived({ 'dspace:agreement': text }, 'agreement')).toBe(text)
  expect(asReceived([{ [`${DSPACE}agreement`]: [text] }], 'agreement')).toBe(text)
  expect(asReceived({ agreement: text }, 'agreement')).toBe(text)
  expect(asReceived({}, 'agreement')).toBeUndefined()
})

describe('the answer to a request', () => {
  const { readAnswer } = createWire(validate)
  const answer = (body: object) =>
    readAnswer('negotiation', Buffer.from(JSON.stringify(body)), 'consumer', 'urn:ours')
  const body = { '@context': CONTEXT, '@type': 'ContractNegotiation', state: 'REQUESTED' }

  it('may name the two pids the wrong way round', () => {
    expect(answer({ ...body, providerPid: 'urn:theirs', consumerPid: 'urn:ours' })).toMatchObject({
      ok: true,
      value: { partnerPid: 'urn:theirs' },
    })
    expect(answer({ ...body, providerPid: 'urn:ours', consumerPid: 'urn:theirs' })).toMatchObject({
      ok: true,
      value: { partnerPid: 'urn:theirs' },
    })
    expect(answer({ ...body, providerPid: 'urn:theirs', consumerPid: 'urn:other' }).ok).toBe(false)
  })

  it('may be prefixed', () => {
    const prefixed = {
      '@context': { dspace: DSPACE },
      '@type': 'dspace:ContractNegotiation',
      'dspace:providerPid': 'urn:theirs',
      'dspace:consumerPid': 'urn:ours',
      'dspace:state': 'dspace:REQUESTED',
    }
    expect(answer(prefixed)).toMatchObject({ ok: true, value: { partnerPid: 'urn:theirs' } })
  })
})

describe('the error of a partner', () => {
  const read = (body: unknown) =>
    readError(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))

  it('is read from an error of DSP in any spelling, from lists, and from plain text', () => {
    const reason = 'No such offer.'
    expect(read({ code: '404', reason: [reason] })).toEqual({ code: '404', reason })
    expect(read({ 'dspace:code': '404', 'dspace:reason': { '@value': reason } })).toEqual({
      code: '404',
      reason,
    })
    expect(read([{ message: reason, type: 'ObjectNotFound' }])).toEqual({ reason })
    expect(read([reason])).toEqual({ reason })
    expect(read({ message: reason })).toEqual({ reason })
    expect(read(`${reason}\r\n`)).toEqual({ reason })
  })

  it('is read in German too where it stands in German, bounded and without what could move a cursor', () => {
    const german = 'https://w3id.org/machine-data-policy/v1#reasonDe'
    const reason = 'No such offer.'
    expect(read({ code: 'OfferUnknown', reason: [reason], [german]: 'Kein solches\u001b Angebot.' })).toEqual(
      {
        code: 'OfferUnknown',
        reason,
        reasonDe: 'Kein solches  Angebot.',
      },
    )
    expect(read({ reason: [reason], [german]: 'x'.repeat(5000) }).reasonDe).toHaveLength(1000)
    expect(read({ reason: [reason], [german]: { any: 'thing' } })).toEqual({ reason })
    // German alone would leave the English reader without a word.
    expect(read({ [german]: 'Nur auf Deutsch.' })).toEqual({})
  })

  it('says nothing when there is nothing to read, and cannot move a cursor', () => {
    for (const nothing of ['', '<html>500</html>', '{"reason":', {}, [], 7, { reason: [{ a: 1 }] }]) {
      expect([nothing, read(nothing)]).toEqual([nothing, {}])
    }
    expect(read('a\u001b[2Jb').reason).toBe('a [2Jb')
    expect(read('x'.repeat(5000)).reason).toHaveLength(1000)
  })
})
