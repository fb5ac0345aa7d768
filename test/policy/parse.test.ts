import { describe, expect, it } from 'vitest'
import { ODRL, PROFILE } from '../../connector/policy/model.js'
import { parsePolicy } from '../../connector/policy/parse.js'
import { MDP, policy } from './policies.js'

const DATE = '2027-01-01T00:00:00Z'

/** One atomic constraint as the model has it. */
const dateTime = {
  kind: 'atomic',
  leftOperand: `${ODRL}dateTime`,
  operator: 'lt',
  rightOperand: DATE,
  path: 'permission[0].constraint[0]',
}

describe('spellings of one and the same policy', () => {
  const spellings: readonly (readonly [string, unknown])[] = [
    [
      'bare names, as the DSP examples have them',
      {
        permission: [
          { action: 'use', constraint: [{ leftOperand: 'dateTime', operator: 'lt', rightOperand: DATE }] },
        ],
      },
    ],
    [
      'an EDC catalog offer',
      {
        '@id': 'b2ZmZXI=:YXNzZXQ=:MQ==',
        '@type': 'odrl:Offer',
        permission: [
          {
            action: 'use',
            constraint: [{ leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: DATE }],
          },
        ],
      },
    ],
    [
      'CURIEs in keys, terms and classes',
      {
        '@type': 'odrl:Set',
        'odrl:permission': {
          '@type': 'odrl:Permission',
          'odrl:action': { '@id': 'odrl:use' },
          'odrl:constraint': {
            '@type': 'odrl:Constraint',
            'odrl:leftOperand': { '@id': 'odrl:dateTime' },
            'odrl:operator': { '@id': 'odrl:lt' },
            'odrl:rightOperand': { '@value': DATE, '@type': 'xsd:dateTime' },
          },
        },
      },
    ],
    [
      'expanded JSON-LD',
      {
        '@type': [`${ODRL}Offer`],
        [`${ODRL}permission`]: [
          {
            [`${ODRL}action`]: [{ '@id': `${ODRL}use` }],
            [`${ODRL}constraint`]: [
              {
                [`${ODRL}leftOperand`]: [{ '@id': `${ODRL}dateTime` }],
                [`${ODRL}operator`]: [{ '@id': `${ODRL}lt` }],
                [`${ODRL}rightOperand`]: [{ '@value': DATE }],
              },
            ],
          },
        ],
      },
    ],
  ]

  it.each(spellings)('reads %s', (_name, json) => {
    expect(policy(json)).toEqual({
      profiles: [],
      permissions: [{ action: `${ODRL}use`, constraints: [dateTime], duties: [], path: 'permission[0]' }],
      prohibitions: [],
      obligations: [],
      unknownTerms: [],
    })
  })

  it.each([
    [[`${MDP}fields`], `${MDP}fields`],
    ['mdp:fields', `${MDP}fields`],
    ['odrl:purpose', `${ODRL}purpose`],
    ['purpose', `${ODRL}purpose`],
    ['https://w3id.org/edc/v0.0.1/ns/inForceDate', 'https://w3id.org/edc/v0.0.1/ns/inForceDate'],
    ['inForceDate', 'inForceDate'],
    ['fields', 'fields'],
  ])('reads the left operand %j as %s', (leftOperand, iri) => {
    const { permissions } = policy({
      permission: [{ action: 'use', constraint: [{ leftOperand, operator: 'eq', rightOperand: 'x' }] }],
    })
    expect(permissions[0]?.constraints[0]).toMatchObject({ leftOperand: iri })
  })

  it.each([
    ['lteq', 'lteq'],
    ['term-lteq', 'lteq'],
    [`${ODRL}isAnyOf`, 'isAnyOf'],
    ['IN', 'isPartOf'],
    ['odrl:IN', 'isPartOf'],
    ['LEQ', 'lteq'],
    ['IS_NONE_OF', 'isNoneOf'],
    ['Lteq', 'Lteq'],
    ['less', 'less'],
  ])('reads the operator %s as %s', (operator, name) => {
    const { permissions } = policy({
      permission: [{ action: 'use', constraint: [{ leftOperand: 'count', operator, rightOperand: '1' }] }],
    })
    expect(permissions[0]?.constraints[0]).toMatchObject({ operator: name })
  })

  it.each([
    [5, '5'],
    [2.5, '2.5'],
    [true, 'true'],
    [['one'], 'one'],
    [
      [{ '@value': 'a' }, { '@id': 'b' }, 3],
      ['a', 'b', '3'],
    ],
    [{ '@list': ['a', 'b'] }, ['a', 'b']],
    [[], []],
  ])('reads the right operand %j as %j', (rightOperand, values) => {
    const { permissions, unknownTerms } = policy({
      permission: [{ action: 'use', constraint: [{ leftOperand: 'count', operator: 'lteq', rightOperand }] }],
    })
    expect(permissions[0]?.constraints[0]).toMatchObject({ rightOperand: values })
    expect(unknownTerms).toEqual([])
  })
})

describe('structure', () => {
  it('reads connectives, duties, prohibitions and obligations with their places', () => {
    const c = { leftOperand: 'count', operator: 'lteq', rightOperand: '1' }
    const read = policy({
      profile: [PROFILE],
      permission: {
        action: 'use',
        constraint: { or: [{ and: [c, c] }, c] },
        duty: { action: 'compensate', constraint: c },
      },
      prohibition: [{ action: 'distribute' }],
      obligation: [{ action: 'odrl:delete' }, { action: `${MDP}logUsage` }],
    })
    expect(read.unknownTerms).toEqual([])
    expect(read.profiles).toEqual([PROFILE])
    const [permission] = read.permissions
    expect(permission?.constraints).toMatchObject([
      {
        kind: 'or',
        path: 'permission[0].constraint[0]',
        operands: [
          {
            kind: 'and',
            operands: [
              { path: 'permission[0].constraint[0].or[0].and[0]' },
              { path: 'permission[0].constraint[0].or[0].and[1]' },
            ],
          },
          { kind: 'atomic', path: 'permission[0].constraint[0].or[1]' },
        ],
      },
    ])
    expect(permission?.duties).toMatchObject([{ action: `${ODRL}compensate`, path: 'permission[0].duty[0]' }])
    expect(read.prohibitions).toMatchObject([{ action: `${ODRL}distribute`, path: 'prohibition[0]' }])
    expect(read.obligations.map(({ action }) => action)).toEqual([`${ODRL}delete`, `${MDP}logUsage`])
  })

  it('knows the members of a DSP agreement', () => {
    const read = policy({
      '@context': ['https://w3id.org/dspace/2025/1/context.jsonld'],
      '@id': 'urn:uuid:1',
      '@type': 'Agreement',
      target: 'urn:dataset:1',
      assigner: 'did:web:seller.example',
      assignee: { '@id': 'did:web:buyer.example' },
      timestamp: '2026-01-01T00:00:00Z',
      profile: { '@id': PROFILE },
      permission: [],
      prohibition: [],
      obligation: [],
    })
    expect(read.unknownTerms).toEqual([])
  })
})

describe('what is outside the language is named with its place', () => {
  const c = { leftOperand: 'count', operator: 'lteq', rightOperand: '1' }
  const rule = { action: 'use', constraint: [c] }
  it.each<[string, unknown, string, string]>([
    ['a policy member', { permission: [rule], conflict: 'perm' }, 'conflict', 'conflict'],
    ['a prefixed policy member', { 'odrl:inheritFrom': 'x' }, 'odrl:inheritFrom', 'odrl:inheritFrom'],
    ['an unknown profile', { profile: ['urn:other'] }, 'profile', 'urn:other'],
    ['a known profile beside an unknown one', { profile: [PROFILE, 'urn:other'] }, 'profile', 'urn:other'],
    ['a profile that is no text', { profile: 5 }, 'profile', 'profile'],
    ['a policy of another class', { '@type': 'odrl:Ticket' }, '@type', 'odrl:Ticket'],
    ['a refined assignee', { assignee: { '@id': 'x', 'odrl:refinement': [] } }, 'assignee', 'assignee'],
    ['a refined target', { target: { '@type': 'AssetCollection', source: 'x' } }, 'target', 'target'],
    ['several targets', { target: ['a', 'b'] }, 'target', 'target'],
    ['a target in a rule', { permission: [{ ...rule, target: 'x' }] }, 'permission[0].target', 'target'],
    ['an identified rule', { permission: [{ ...rule, '@id': 'x' }] }, 'permission[0].@id', '@id'],
    ['a remedy', { prohibition: [{ action: 'use', remedy: [] }] }, 'prohibition[0].remedy', 'remedy'],
    [
      'a consequence',
      { obligation: [{ action: 'use', 'odrl:consequence': [] }] },
      'obligation[0].odrl:consequence',
      'odrl:consequence',
    ],
    [
      'a duty of a prohibition',
      { prohibition: [{ action: 'use', duty: [] }] },
      'prohibition[0].duty',
      'duty',
    ],
    [
      'a refined action',
      { permission: [{ action: { '@id': 'use', refinement: [c] } }] },
      'permission[0].action.refinement',
      'refinement',
    ],
    [
      'an action in the RDF spelling',
      { permission: [{ action: { 'rdf:value': { '@id': 'use' }, 'odrl:refinement': [c] } }] },
      'permission[0].action.odrl:refinement',
      'refinement',
    ],
    ['several actions', { permission: [{ action: ['use', 'read'] }] }, 'permission[0].action', 'action'],
    ['no action', { permission: [{ constraint: [c] }] }, 'permission[0].action', 'action'],
    ['a rule that is no object', { permission: ['use'] }, 'permission[0]', 'permission'],
    ['a rule that is null', { permission: [null] }, 'permission[0]', 'permission'],
    [
      'a member that is null',
      { permission: [{ action: 'use', constraint: null }] },
      'permission[0].constraint',
      'constraint',
    ],
    [
      'a unit',
      { permission: [{ action: 'use', constraint: [{ ...c, unit: 'x' }] }] },
      'permission[0].constraint[0].unit',
      'unit',
    ],
    [
      'a status',
      { permission: [{ action: 'use', constraint: [{ ...c, 'odrl:status': 1 }] }] },
      'permission[0].constraint[0].odrl:status',
      'odrl:status',
    ],
    [
      'a reference for a value',
      {
        permission: [
          {
            action: 'use',
            constraint: [{ leftOperand: 'count', operator: 'eq', rightOperandReference: 'x' }],
          },
        ],
      },
      'permission[0].constraint[0].rightOperandReference',
      'rightOperandReference',
    ],
    [
      'no value',
      { permission: [{ action: 'use', constraint: [{ leftOperand: 'count', operator: 'eq' }] }] },
      'permission[0].constraint[0].rightOperand',
      'rightOperand',
    ],
    [
      'a value in a language',
      {
        permission: [
          { action: 'use', constraint: [{ ...c, rightOperand: { '@value': '1', '@language': 'de' } }] },
        ],
      },
      'permission[0].constraint[0].rightOperand',
      'rightOperand',
    ],
    [
      'a value that is an object',
      { permission: [{ action: 'use', constraint: [{ ...c, rightOperand: [{ a: 1 }] }] }] },
      'permission[0].constraint[0].rightOperand',
      'rightOperand',
    ],
    [
      'no left operand',
      { permission: [{ action: 'use', constraint: [{ operator: 'eq', rightOperand: 'x' }] }] },
      'permission[0].constraint[0].leftOperand',
      'leftOperand',
    ],
    [
      'no operator',
      { permission: [{ action: 'use', constraint: [{ leftOperand: 'count', rightOperand: 'x' }] }] },
      'permission[0].constraint[0].operator',
      'operator',
    ],
    [
      'a constraint by reference',
      { permission: [{ action: 'use', constraint: ['urn:c'] }] },
      'permission[0].constraint[0]',
      'constraint',
    ],
    [
      'a connective without operands',
      { permission: [{ action: 'use', constraint: [{ or: [] }] }] },
      'permission[0].constraint[0].or',
      'or',
    ],
    [
      'two connectives',
      { permission: [{ action: 'use', constraint: [{ or: [c], and: [c] }] }] },
      'permission[0].constraint[0].or',
      'or',
    ],
    [
      'a connective that is a condition as well',
      { permission: [{ action: 'use', constraint: [{ or: [c], ...c }] }] },
      'permission[0].constraint[0].leftOperand',
      'leftOperand',
    ],
    [
      'a member in two spellings',
      { permission: [{ action: 'use', 'odrl:action': 'read' }] },
      'permission[0].odrl:action',
      'odrl:action',
    ],
    [
      'a foreign class of a constraint',
      { permission: [{ action: 'use', constraint: [{ ...c, '@type': 'Party' }] }] },
      'permission[0].constraint[0].@type',
      'Party',
    ],
  ])('%s', (_name, json, path, term) => {
    expect(policy(json).unknownTerms).toContainEqual({ path, term })
  })

  it('cuts names that a stranger made long', () => {
    const [unknown] = policy({ ['x'.repeat(100_000)]: 1 }).unknownTerms
    expect(unknown?.term).toHaveLength(120)
    expect(unknown?.path).toHaveLength(120)
  })

  it('is not confused by names that every object has', () => {
    const json: unknown = JSON.parse(
      '{"__proto__":{"permission":[{"action":"use"}]},"constructor":1,"permission":[{"action":"use","toString":1}]}',
    )
    const read = policy(json)
    expect(read.unknownTerms.map(({ path }) => path)).toEqual([
      '__proto__',
      'constructor',
      'permission[0].toString',
    ])
    expect(read.permissions).toHaveLength(1)
  })
})

describe('limits', () => {
  const nested = (levels: number): unknown => {
    let inner: unknown = 'x'
    for (let level = 1; level < levels; level += 1) inner = [inner]
    return { extra: inner }
  }
  it.each([null, 5, 'use', [], undefined])('refuses %j, which is no object', (json) => {
    expect(parsePolicy(json)).toMatchObject({ ok: false, error: { code: 'InvalidMessage' } })
  })
  it('reads sixteen levels and refuses seventeen', () => {
    expect(parsePolicy(nested(16)).ok).toBe(true)
    expect(parsePolicy(nested(17))).toMatchObject({
      ok: false,
      error: { message: 'The policy is nested deeper than 16 levels.' },
    })
  })
  it('reads 2000 values and refuses 2001', () => {
    // The object and the array are two of them.
    expect(parsePolicy({ extra: Array(1998).fill(1) }).ok).toBe(true)
    expect(parsePolicy({ extra: Array(1999).fill(1) })).toMatchObject({
      ok: false,
      error: { message: 'The policy has more than 2000 values.' },
    })
  })
  it('refuses what is nested a hundred thousand times without running out of stack', () => {
    let deep: unknown = {}
    for (let level = 0; level < 100_000; level += 1) deep = { and: [deep] }
    expect(parsePolicy(deep).ok).toBe(false)
  })
})
