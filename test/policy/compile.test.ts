import { describe, expect, it } from 'vitest'
import { compilePlan } from '../../connector/policy/compile.js'
import { unsupportedTerms } from '../../connector/policy/support.js'
import { BUYER, constraint, instant, MDP, permit, policy } from './policies.js'

const agreement = { agreedAt: instant('2026-01-01T00:00:00Z'), assignee: BUYER }
const planOf = (...constraints: readonly unknown[]) => {
  const plan = compilePlan(permit(...constraints), agreement)
  if (!plan.ok) throw new Error(plan.error.message)
  return plan.value
}
const fields = (...names: readonly string[]) => constraint(`${MDP}fields`, 'isPartOf', names)

describe('the strictest combination', () => {
  it('of all terms together', () => {
    const { hash, ...plan } = planOf(
      fields('a', 'b', 'c'),
      {
        and: [
          fields('c', 'b', 'x'),
          constraint(`${MDP}samplingInterval`, 'gteq', 'PT10S'),
          { and: [constraint(`${MDP}samplingInterval`, 'gteq', 'PT1M')] },
        ],
      },
      constraint(`${MDP}samplingInterval`, 'gteq', 'PT20S'),
      constraint(`${MDP}deliveryDelay`, 'gteq', 'PT1H'),
      constraint(`${MDP}deliveryDelay`, 'gteq', 'PT2H'),
      constraint('odrl:count', 'lteq', '1000'),
      constraint('odrl:count', 'lt', '501'),
      constraint('odrl:dateTime', 'gteq', '2026-02-01T00:00:00Z'),
      constraint('odrl:dateTime', 'gteq', '2026-01-15T00:00:00Z'),
      constraint('odrl:dateTime', 'lt', '2026-12-01T00:00:00Z'),
      constraint(`${MDP}agreementAge`, 'lt', 'P6M'),
      constraint('odrl:recipient', 'isAnyOf', ['did:web:z.example', BUYER, 'did:web:a.example']),
      constraint('odrl:recipient', 'isAnyOf', ['did:web:z.example', BUYER]),
    )
    expect(plan).toEqual({
      version: 1,
      fields: ['b', 'c'],
      samplingIntervalMs: 60_000,
      deliveryDelayMs: 7_200_000,
      countLimit: 500,
      notBefore: instant('2026-02-01T00:00:00Z'),
      notAfter: instant('2026-07-01T00:00:00Z'),
      recipients: [BUYER, 'did:web:z.example'],
    })
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
  })
  it('of a date and an age, whichever ends first', () => {
    const age = constraint(`${MDP}agreementAge`, 'lt', 'P1Y')
    const until = constraint('odrl:dateTime', 'lt', '2026-06-01T00:00:00Z')
    expect(planOf(age, until).notAfter).toBe(instant('2026-06-01T00:00:00Z'))
    expect(planOf(age).notAfter).toBe(instant('2027-01-01T00:00:00Z'))
  })
  it('of nothing is an empty plan', () => {
    // SHA-256 of {"version":1}
    expect(planOf()).toEqual({
      version: 1,
      hash: '2430f1a2ad2982d0067885488a4c89e21ad1d7c83b115ba8f1b20acc88dfaea8',
    })
  })
})

describe('the hash', () => {
  it('is the same for the same meaning, in any order and spelling', () => {
    const a = planOf(fields('a', 'b'), constraint('odrl:count', 'lteq', '10'))
    const b = planOf(
      constraint('count', 'odrl:lteq', 10),
      constraint('mdp:fields', 'isPartOf', ['b', { '@value': 'a' }]),
    )
    expect(b).toEqual(a)
  })
  it('differs when anything differs', () => {
    const hashes = [
      planOf(),
      planOf(fields('a')),
      planOf(fields('b')),
      planOf(constraint('odrl:count', 'lteq', '10')),
      planOf(constraint(`${MDP}agreementAge`, 'lt', 'P10D')),
    ].map(({ hash }) => hash)
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})

describe('refusals', () => {
  const c = constraint('odrl:count', 'lteq', '1')
  const use = { action: 'use' }
  it.each<[string, unknown, string, string]>([
    ['no permission', {}, 'permission', 'permission'],
    ['several permissions', { permission: [use, use] }, 'permission[1]', 'permission'],
    ['another action', { permission: [{ action: 'read' }] }, 'permission[0].action', 'read'],
    [
      'a prohibition',
      { permission: [use], prohibition: [{ action: 'distribute' }] },
      'prohibition[0]',
      'distribute',
    ],
    ['an obligation', { permission: [use], obligation: [{ action: 'delete' }] }, 'obligation[0]', 'delete'],
    [
      'a duty',
      { permission: [{ ...use, duty: [{ action: 'compensate' }] }] },
      'permission[0].duty[0]',
      'compensate',
    ],
    ['or', { permission: [{ ...use, constraint: [{ or: [c, c] }] }] }, 'permission[0].constraint[0]', 'or'],
    [
      'xone',
      { permission: [{ ...use, constraint: [{ xone: [c, c] }] }] },
      'permission[0].constraint[0]',
      'xone',
    ],
    [
      'andSequence',
      { permission: [{ ...use, constraint: [{ and: [{ andSequence: [c] }] }] }] },
      'permission[0].constraint[0].and[0]',
      'andSequence',
    ],
    [
      'an unknown operand',
      { permission: [{ ...use, constraint: [constraint('odrl:purpose', 'eq', 'x')] }] },
      'permission[0].constraint[0]',
      'purpose',
    ],
    [
      'an unknown operator',
      { permission: [{ ...use, constraint: [{ ...c, operator: 'neq' }] }] },
      'permission[0].constraint[0]',
      'neq',
    ],
    [
      'a wrong value',
      { permission: [{ ...use, constraint: [{ ...c, rightOperand: 'x' }] }] },
      'permission[0].constraint[0]',
      'count',
    ],
    [
      'an unknown member',
      { permission: [{ ...use, constraint: [{ ...c, unit: 'x' }] }] },
      'permission[0].constraint[0].unit',
      'unit',
    ],
    ['an unknown profile', { profile: 'urn:x', permission: [use] }, 'profile', 'urn:x'],
    [
      'fields that exclude each other',
      { permission: [{ ...use, constraint: [fields('a'), fields('b')] }] },
      'permission[0].constraint[1]',
      'fields',
    ],
    [
      'recipients that exclude each other',
      {
        permission: [
          { ...use, constraint: [constraint('recipient', 'eq', 'a'), constraint('recipient', 'eq', 'b')] },
        ],
      },
      'permission[0].constraint[1]',
      'recipient',
    ],
    [
      'an end before the beginning',
      {
        permission: [
          {
            ...use,
            constraint: [
              constraint('dateTime', 'gteq', '2027-01-01T00:00:00Z'),
              constraint('dateTime', 'lt', '2027-01-01T00:00:00Z'),
            ],
          },
        ],
      },
      'permission[0].constraint[1]',
      'dateTime',
    ],
  ])('%s', (_name, json, path, term) => {
    const unsupported = unsupportedTerms(policy(json))
    expect(unsupported.map((found) => [found.path, found.term])).toEqual([[path, term]])
    expect(unsupported[0]?.why.en).toMatch(/^(This|The|Together|Conditions) .*\.$/)
    expect(unsupported[0]?.why.de).toMatch(/\.$/)
    expect(compilePlan(policy(json), agreement)).toMatchObject({
      ok: false,
      error: { code: 'PolicyUnsupported', message: `${unsupported[0]?.why.en} (${path})` },
    })
  })
  const group = constraint(`${MDP}minGroup`, 'gteq', '5')
  const window = constraint(`${MDP}aggregationWindow`, 'gteq', 'PT1M')
  const functions = (...names: readonly string[]) => constraint(`${MDP}aggregation`, 'isPartOf', names)
  it.each([
    ['functions without a window', [functions('mean')], 'aggregation'],
    ['a group without a window', [group], 'minGroup'],
    ['the largest value over a group', [group, window, functions('mean', 'max')], 'aggregation'],
    ['functions that exclude each other', [window, functions('mean'), functions('max')], 'aggregation'],
  ])('%s', (_name, constraints, term) => {
    expect(unsupportedTerms(permit(...constraints)).map((found) => found.term)).toEqual([term])
  })
  it('names every term, not the first alone', () => {
    const json = {
      permission: [
        {
          action: 'use',
          constraint: [constraint('purpose', 'eq', 'x'), { or: [constraint('spatial', 'eq', 'y'), c] }],
        },
      ],
      obligation: [{ action: 'delete' }],
      extra: 1,
    }
    expect(unsupportedTerms(policy(json)).map(({ term }) => term)).toEqual([
      'purpose',
      'or',
      'spatial',
      'delete',
      'extra',
    ])
    expect(compilePlan(policy(json), agreement)).toMatchObject({
      error: {
        message:
          'This connector understands the condition "Purpose of use" and cannot enforce it: it would be agreed by contract only. (permission[0].constraint[0]) (and 4 more)',
      },
    })
  })
  it('an assignee who is not among the recipients', () => {
    const other = permit(constraint('odrl:recipient', 'eq', 'did:web:other.example'))
    expect(compilePlan(other, agreement)).toMatchObject({ ok: false, error: { code: 'PolicyDenied' } })
  })
})
