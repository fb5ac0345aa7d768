import { describe, expect, it } from 'vitest'
import { differences, differenceText } from '../../connector/policy/compare.js'
import { ODRL, PROFILE } from '../../connector/policy/model.js'
import { constraint, MDP } from './policies.js'

const FIELDS = constraint(`${MDP}fields`, 'isPartOf', ['temperature', 'load'])
const AGE = constraint(`${MDP}agreementAge`, 'lteq', 'P7D')
const UNTIL = constraint('odrl:dateTime', 'lt', '2027-01-01T00:00:00Z')
const offer = (...constraints: readonly unknown[]) => ({
  '@id': 'offer-1',
  '@type': 'Offer',
  profile: PROFILE,
  permission: [{ action: 'use', constraint: constraints }],
})
const texts = (offered: unknown, agreed: unknown, lang: 'en' | 'de' = 'en') =>
  differences(offered, agreed).map((difference) => differenceText(difference)[lang])

describe('spellings that mean the same', () => {
  const same: readonly (readonly [string, unknown])[] = [
    ['itself', offer(FIELDS, AGE, UNTIL)],
    [
      'parties, identifier, class, target and time',
      {
        ...offer(FIELDS, AGE, UNTIL),
        '@id': 'agreement-1',
        '@type': 'odrl:Agreement',
        '@context': ['x'],
        target: 't',
        assigner: 'a',
        assignee: 'b',
        timestamp: '2026-01-01T00:00:00Z',
      },
    ],
    [
      'prefixes, wrappings and lists of one',
      {
        profile: [{ '@id': PROFILE }],
        'odrl:permission': {
          '@type': 'odrl:Permission',
          action: [{ '@id': `${ODRL}use` }],
          constraint: [
            {
              'odrl:leftOperand': { '@id': 'mdp:fields' },
              operator: 'odrl:isPartOf',
              rightOperand: [{ '@value': 'temperature' }, { '@value': 'load' }],
            },
            {
              leftOperand: [{ '@id': `${MDP}agreementAge` }],
              operator: { '@id': `${ODRL}lteq` },
              rightOperand: ['P7D'],
            },
            {
              leftOperand: 'dateTime',
              operator: 'lt',
              rightOperand: { '@value': '2027-01-01T00:00:00Z', '@type': 'xsd:dateTime' },
            },
          ],
        },
      },
    ],
    ['the order of a set of values', offer({ ...FIELDS, rightOperand: ['load', 'temperature'] }, AGE, UNTIL)],
    [
      'a value of a set twice',
      offer({ ...FIELDS, rightOperand: ['load', 'temperature', 'load'] }, AGE, UNTIL),
    ],
    ['the order of conditions', offer(UNTIL, FIELDS, AGE)],
    ['a week for seven days', offer(FIELDS, { ...AGE, rightOperand: 'P1W' }, UNTIL)],
    [
      'the same instant with another offset',
      offer(FIELDS, AGE, { ...UNTIL, rightOperand: '2027-01-01T01:00:00.000+01:00' }),
    ],
    ['empty lists', { ...offer(FIELDS, AGE, UNTIL), prohibition: [], obligation: [] }],
  ]
  it.each(same)('%s', (_name, agreed) => {
    expect(differences(offer(FIELDS, AGE, UNTIL), agreed)).toEqual([])
    expect(differences(agreed, offer(FIELDS, AGE, UNTIL))).toEqual([])
  })
  it('numbers and their text', () => {
    const count = (rightOperand: unknown) => offer(constraint('count', 'lteq', rightOperand))
    expect(differences(count('1000'), count(1000))).toEqual([])
    expect(differences(count('1000'), count({ '@value': '01000', '@type': 'xsd:integer' }))).toEqual([])
  })
  it('the spelling of what stands in a sequence', () => {
    const short = { leftOperand: 'dateTime', operator: 'odrl:lt', rightOperand: [UNTIL.rightOperand] }
    expect(
      differences(offer({ andSequence: [AGE, UNTIL] }), offer({ andSequence: { '@list': [AGE, short] } })),
    ).toEqual([])
  })
  it('rules in another order, with empty lists in them', () => {
    const [a, b] = [{ action: 'use' }, { action: 'read' }]
    const agreed = [
      { ...b, constraint: [] },
      { ...a, duty: [] },
    ]
    expect(differences({ permission: [a, b] }, { permission: agreed })).toEqual([])
  })
  it('values of an operand nobody knows are compared as they are written', () => {
    const purpose = (value: string) => offer(constraint('odrl:purpose', 'eq', value))
    expect(differences(purpose('P7D'), purpose('P1W'))).toHaveLength(1)
  })
})

describe('differences in words', () => {
  it('names a changed value with its place', () => {
    expect(texts(offer(FIELDS, AGE), offer(FIELDS, { ...AGE, rightOperand: 'P30D' }))).toEqual([
      'The agreement differs from the offer you asked for: permission[0].constraint[1].rightOperand is "P30D", offered was "P7D".',
    ])
    expect(texts(offer(FIELDS, AGE), offer(FIELDS, { ...AGE, rightOperand: 'P30D' }), 'de')).toEqual([
      'Die Vereinbarung weicht von dem Angebot ab, das Sie angefragt haben: Erlaubnis 1, Bedingung 2, Wert: "P30D", angeboten war "P7D".',
    ])
  })
  it('names the values without their wrapping', () => {
    expect(texts(offer(AGE), offer({ ...AGE, rightOperand: [{ '@value': 'P30D' }] }))).toEqual([
      'The agreement differs from the offer you asked for: permission[0].constraint[0].rightOperand is "P30D", offered was "P7D".',
    ])
  })
  it('a month is not thirty days', () => {
    const agreed = offer({ ...AGE, rightOperand: 'P1M' })
    expect(differences(offer({ ...AGE, rightOperand: 'P30D' }), agreed)).toHaveLength(1)
  })
  it('names a widened set', () => {
    expect(
      texts(offer(FIELDS), offer({ ...FIELDS, rightOperand: ['load', 'temperature', 'torque'] })),
    ).toEqual([
      'The agreement differs from the offer you asked for: permission[0].constraint[0].rightOperand is ["load","temperature","torque"], offered was ["temperature","load"].',
    ])
  })
  it('names a condition that is gone and one that is new', () => {
    expect(texts(offer(FIELDS, AGE), offer(FIELDS))).toEqual([
      `The agreement differs from the offer you asked for: permission[0].constraint[1] is missing, offered was {"leftOperand":"${MDP}agreementAge","operator":"lteq","rightOperand":"P7D"}.`,
    ])
    expect(texts(offer(FIELDS), offer(AGE, FIELDS))).toEqual([
      `The agreement differs from the offer you asked for: permission[0].constraint[0] is {"leftOperand":"${MDP}agreementAge","operator":"lteq","rightOperand":"P7D"}, offered was nothing.`,
    ])
    expect(texts(offer(FIELDS, AGE), offer(FIELDS), 'de')[0]).toContain(
      'Erlaubnis 1, Bedingung 2 fehlt, angeboten war {',
    )
    expect(texts(offer(FIELDS), offer(AGE, FIELDS), 'de')[0]).toMatch(/angeboten war nichts\.$/)
  })
  it('names every difference, whatever it is', () => {
    const agreed = {
      profile: 'urn:other',
      permission: [
        { action: 'distribute', constraint: [{ ...AGE, operator: 'lt' }], duty: [{ action: 'inform' }] },
      ],
      prohibition: [{ action: 'sell' }],
      'odrl:conflict': 'perm',
    }
    expect(differences(offer(AGE), agreed)).toEqual([
      { path: 'profile', offered: `"${PROFILE}"`, agreed: '"urn:other"' },
      { path: 'permission[0].action', offered: '"use"', agreed: '"distribute"' },
      { path: 'permission[0].constraint[0].operator', offered: '"lteq"', agreed: '"lt"' },
      { path: 'permission[0].duty[0]', agreed: '{"action":"inform"}' },
      { path: 'prohibition[0]', agreed: '{"action":"sell"}' },
      { path: 'conflict', agreed: '"perm"' },
    ])
  })
  it('sees a refinement, a unit and a target in a rule', () => {
    const rule = { action: 'use' }
    const of = (changed: unknown) =>
      differences({ permission: [rule] }, { permission: [changed] }).map(({ path }) => path)
    expect(of({ action: { '@id': 'use', refinement: [AGE] } })).toEqual(['permission[0].action'])
    expect(of({ ...rule, target: 'x' })).toEqual(['permission[0].target'])
    expect(of({ ...rule, constraint: [{ ...AGE, unit: 'x' }] })).toEqual(['permission[0].constraint[0]'])
    expect(differences(offer(AGE), offer({ ...AGE, unit: 'x' })).map(({ path }) => path)).toEqual([
      'permission[0].constraint[0].unit',
    ])
  })
  it('sees another connective and the order of a sequence', () => {
    expect(differences(offer({ and: [AGE, UNTIL] }), offer({ or: [AGE, UNTIL] }))).not.toEqual([])
    expect(differences(offer({ or: [AGE, UNTIL] }), offer({ or: [UNTIL, AGE] }))).toEqual([])
    expect(
      differences(offer({ andSequence: [AGE, UNTIL] }), offer({ andSequence: [UNTIL, AGE] })),
    ).not.toEqual([])
  })
  it('sees a permission that is there twice', () => {
    const twice = { ...offer(AGE), permission: [...offer(AGE).permission, ...offer(AGE).permission] }
    expect(differences(offer(AGE), twice).map(({ path }) => path)).toEqual(['permission[1]'])
  })
  it('sees an emptied policy', () => {
    expect(differences(offer(AGE), {}).map(({ path }) => path)).toEqual(['profile', 'permission[0]'])
  })
  it.each([null, 5, [], 'x', undefined])('takes %j for another policy', (agreed) => {
    expect(differences(offer(AGE), agreed)).toHaveLength(1)
  })
  it('takes what is nested too deep for another policy, without running out of stack', () => {
    let deep: object = {}
    for (let level = 0; level < 100_000; level += 1) deep = { and: [deep] }
    expect(() => differences(offer(AGE), offer(deep))).not.toThrow()
    expect(differences(offer(AGE), offer(deep)).map(({ path }) => path)).toEqual(['policy'])
  })
  it('bounds what it shows', () => {
    const [text = ''] = texts(offer(FIELDS), offer({ ...FIELDS, rightOperand: ['x'.repeat(10_000)] }))
    expect(text.length).toBeLessThan(400)
  })
})
