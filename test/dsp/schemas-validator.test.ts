/** The validator around the schemas: what it forgives partners, what it says, and what it survives. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { MessageName } from '../../connector/dsp/messages.js'
import { createValidator, findSchemas, RELAXED } from '../../connector/dsp/validate.js'

const validate = createValidator()

const url = 'https://w3id.org/dspace/2025/1/context.jsonld'
const constraint = { leftOperand: 'odrl:count', operator: 'lteq', rightOperand: '5' }
const withRule = (rule: object, more: object = {}) => ({
  '@context': [url],
  '@type': 'ContractRequestMessage',
  consumerPid: 'urn:uuid:c',
  callbackAddress: 'https://consumer.example/dsp',
  offer: {
    '@id': 'urn:uuid:o',
    '@type': 'Offer',
    target: 'urn:uuid:d',
    permission: [{ action: 'use', ...rule }],
  },
  ...more,
})
const catalogWith = (offer: object, distribution: object = {}) => ({
  '@context': [url],
  '@type': 'Catalog',
  '@id': 'urn:uuid:k',
  participantId: 'did:web:provider.example',
  service: [{ '@id': 's', '@type': 'DataService', endpointURL: 'https://provider.example/dsp' }],
  dataset: [
    {
      '@id': 'urn:uuid:d',
      '@type': 'Dataset',
      hasPolicy: [{ '@id': 'urn:uuid:o', ...offer }],
      distribution: [{ format: 'HttpData-PULL', accessService: 's', ...distribution }],
    },
  ],
})
const typed = { '@type': 'Offer', permission: [{ action: 'use' }] }
const isDistribution = { '@type': 'Distribution' }

const sentence = (name: MessageName, body: unknown, direction?: 'incoming' | 'outgoing'): string => {
  const checked = validate(name, body, direction)
  return checked.ok ? 'valid' : checked.error.message
}

describe('what partners are forgiven and we never send', () => {
  const { service: _, ...noService } = catalogWith(typed, isDistribution)
  const agreement = {
    '@context': [url],
    '@type': 'ContractAgreementMessage',
    providerPid: 'urn:uuid:p',
    consumerPid: 'urn:uuid:c',
    agreement: {
      '@id': 'urn:uuid:a',
      '@type': 'Agreement',
      target: 'urn:uuid:d',
      assigner: 'did:web:provider.example',
      assignee: 'did:web:consumer.example',
      timestamp: '2026-11-23T05:14:09',
      permission: [{ action: 'use' }],
    },
  }
  const start = {
    '@context': [url],
    '@type': 'TransferStartMessage',
    providerPid: 'urn:uuid:p',
    consumerPid: 'urn:uuid:c',
    dataAddress: { '@type': 'DataAddress', endpointType: 'HttpData', endpointProperties: [] },
  }
  // biome-ignore format: a table reads best aligned
  const forgiven: readonly (readonly [string, MessageName, object])[] = [
    ['the context as a bare URL', 'ContractRequestMessage', withRule({}, { '@context': url })],
    ['a number as right operand', 'ContractRequestMessage', withRule({ constraint: [{ ...constraint, rightOperand: 5 }] })],
    ['numbers in the list of a right operand', 'ContractRequestMessage', withRule({ constraint: [{ ...constraint, rightOperand: [5, true] }] })],
    ['a timestamp without an offset', 'ContractAgreementMessage', agreement],
    ['an offer in a catalog without a type', 'Catalog', catalogWith({ permission: [{ action: 'use' }] }, isDistribution)],
    ['an offer in a catalog without a rule', 'Catalog', catalogWith({ '@type': 'Offer' }, isDistribution)],
    ['a distribution without a type', 'Catalog', catalogWith(typed)],
    ['a catalog without a service', 'Catalog', noService],
    ['an empty list of endpoint properties', 'TransferStartMessage', start],
    ['a negotiation error without pids', 'ContractNegotiationError', { '@context': [url], '@type': 'ContractNegotiationError', code: '404' }],
    ['a transfer error without pids', 'TransferError', { '@context': [url], '@type': 'TransferError', code: '404' }],
    ['another binding', 'VersionResponse', { protocolVersions: [{ version: '2025-1', path: '/', binding: 'HTTP' }] }],
  ]

  test.each(forgiven)('%s', (_name, name, body) => {
    expect([validate(name, body, 'incoming').ok, validate(name, body, 'outgoing').ok]).toEqual([true, false])
  })

  test('is all there is: each entry of the list of relaxations has its example', () => {
    expect(forgiven).toHaveLength(RELAXED.filter(({ lenient }) => lenient !== true).length)
  })

  test('incoming is what a message is unless said otherwise', () => {
    expect(sentence('ContractRequestMessage', withRule({}, { '@context': url }))).toBe('valid')
  })

  test('a bare context URL must be ours', () => {
    expect(sentence('ContractRequestMessage', withRule({}, { '@context': 'https://example.com/c' }))).toBe(
      `ContractRequestMessage is not valid: @context is "https://example.com/c", expected "${url}".`,
    )
  })

  test('but an offer without a rule in a negotiation only from partners of whom that is wanted', () => {
    const body = withRule({})
    const { permission: _permission, ...empty } = body.offer
    expect(validate('ContractRequestMessage', { ...body, offer: empty }, 'lenient').ok).toBe(true)
    expect(RELAXED.filter(({ lenient }) => lenient === true)).toHaveLength(1)
    expect(sentence('ContractRequestMessage', { ...body, offer: empty })).toBe(
      'ContractRequestMessage is not valid: offer needs a permission or a prohibition.',
    )
  })
})

describe('the sentence about a message that is not valid', () => {
  test('names every place that is wrong', () => {
    const { callbackAddress: _, ...body } = withRule({})
    expect(sentence('ContractRequestMessage', { ...body, offer: { ...body.offer, permission: [] } })).toBe(
      'ContractRequestMessage is not valid: callbackAddress is missing; offer.permission must not be empty.',
    )
  })

  test('stops after three places and counts the rest', () => {
    expect(sentence('ContractNegotiation', {})).toBe(
      'ContractNegotiation is not valid: @context is missing; @type is missing; providerPid is missing; and 2 more.',
    )
  })

  test.each([null, [], 'text', 5])('says that %j is not an object', (body) => {
    expect(sentence('TransferError', body)).toBe('TransferError is not valid: it must be an object.')
  })

  test('repeats a wrong value of up to 80 characters and describes a longer one', () => {
    const state = (value: unknown) =>
      sentence('TransferProcess', {
        '@context': [url],
        '@type': 'TransferProcess',
        providerPid: 'p',
        consumerPid: 'c',
        state: value,
      })
    expect(state('x'.repeat(80))).toContain(`state is "${'x'.repeat(80)}", expected one of`)
    expect(state('x'.repeat(81))).toContain('state is a text of 81 characters, expected one of')
    expect(state('line\nbreak')).toContain('state is "line\\nbreak", expected one of')
    expect(state(null)).toContain('state is null, expected one of')
    expect(state({ secret: 's3cret' })).toContain('state is an object, expected one of')
  })

  test('carries the code InvalidMessage', () => {
    expect(validate('Catalog', {})).toMatchObject({ ok: false, error: { code: 'InvalidMessage' } })
  })
})

describe('hostile messages', () => {
  test('a policy nested 50,000 levels deep is refused without exhausting the stack', () => {
    const deep = JSON.parse(`${'{"and":['.repeat(50_000)}{}${']}'.repeat(50_000)}`)
    expect(sentence('ContractRequestMessage', withRule({ constraint: [deep] }))).toBe(
      'ContractRequestMessage is not valid: it is nested deeper than 64 levels.',
    )
  })

  test('100,000 mistakes are refused at the first one', () => {
    const body = withRule({ constraint: Array.from({ length: 100_000 }, () => 1) })
    expect(sentence('ContractRequestMessage', body)).toBe(
      'ContractRequestMessage is not valid: offer.permission[0].constraint[0] must be an object.',
    )
  })

  test('text that cannot be signed is refused, as a value and as a name', () => {
    const refused = 'ContractRequestMessage is not valid: it contains text that is not well-formed Unicode.'
    expect(sentence('ContractRequestMessage', withRule({ note: '\ud800' }))).toBe(refused)
    expect(sentence('ContractRequestMessage', withRule({ '\ud800': 'note' }))).toBe(refused)
  })

  test('a number beyond the range of JSON programs is refused', () => {
    expect(sentence('ContractRequestMessage', withRule({ note: JSON.parse('1e999') }))).toBe(
      'ContractRequestMessage is not valid: it contains a number that is too large.',
    )
  })

  test('properties named like those of every object neither satisfy nor disturb a schema', () => {
    expect(sentence('TransferCompletionMessage', JSON.parse('{"__proto__":{"providerPid":"p"}}'))).toContain(
      'providerPid is missing',
    )
    const body = JSON.parse(JSON.stringify(withRule({})).replace('{', '{"__proto__":1,"constructor":2,'))
    expect(sentence('ContractRequestMessage', body)).toBe('valid')
  })
})

describe('the folder of the schemas', () => {
  test('is found from the source, from the build and from an installed package', () => {
    const root = mkdtempSync(join(tmpdir(), 'handschlag-schemas-'))
    try {
      const installed = join(root, 'node_modules', 'handschlag')
      const depth = join(installed, 'dist', 'connector', 'dsp')
      mkdirSync(depth, { recursive: true })
      writeFileSync(join(root, 'package.json'), '{"name":"somebody-else"}')
      writeFileSync(join(installed, 'package.json'), '{"name":"handschlag"}')
      cpSync(findSchemas(import.meta.dirname), join(installed, 'schemas', 'dsp'), { recursive: true })
      expect(findSchemas(depth)).toBe(join(installed, 'schemas', 'dsp'))
      const checked = createValidator(findSchemas(depth))('ContractRequestMessage', withRule({}))
      expect(checked.ok).toBe(true)
      expect(() => findSchemas(root)).toThrow('the installation is incomplete')
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
