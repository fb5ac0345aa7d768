/** Relations between policies, with verdicts written by hand. "Unknown" is one of them. */
import { describe, expect, it } from 'vitest'
import { checkPolicy } from '../../connector/policy/analysis/check.js'
import { compareLine } from '../../connector/policy/batch-compare.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'

type Json = Readonly<Record<string, unknown>>
const compare = (a: unknown, b: unknown): Json =>
  compareLine(JSON.stringify({ id: 'x', a, b }), { profiles: [] }) as Json

const c = (leftOperand: string, operator: string, rightOperand: unknown, more: object = {}) => ({
  leftOperand,
  operator,
  rightOperand,
  ...more,
})
const permit = (...constraint: readonly object[]) => ({ permission: [{ action: 'use', constraint }] })
const typed = (value: string, type: string) => ({ '@value': value, '@type': `xsd:${type}` })
const CX = 'https://w3id.org/catenax/policy/'
const EX = 'https://vocabulary.example/'
const WIDTH = `${EX}width`
const GEO = 'https://sws.geonames.org/'
const [DE, FR] = [`${GEO}2921044/`, `${GEO}3017382/`]

/** Relation of the first to the second; whether they overlap. */
type Row = readonly [name: string, a: object, b: object, relation: string, overlap: string]
const ROWS: readonly Row[] = [
  ['fewer deliveries', c('count', 'lteq', '5'), c('count', 'lteq', '10'), 'stricter', 'yes'],
  ['the same number in two ways', c('count', 'lt', '6'), c('count', 'lteq', '5'), 'equal', 'yes'],
  ['no whole number between', c('count', 'gt', '5'), c('count', 'lt', '6'), 'disjoint', 'no'],
  [
    'a number between, where values need not be whole',
    c(WIDTH, 'gt', 5.1),
    c(WIDTH, 'lt', 5.2),
    'incomparable',
    'yes',
  ],
  ['perhaps a number between, perhaps not', c(WIDTH, 'gt', 5), c(WIDTH, 'lt', 6), 'unknown', 'unknown'],
  ['exact decimals', c(WIDTH, 'lteq', '0.3'), c(WIDTH, 'lteq', '0.30'), 'equal', 'yes'],
  [
    'digits that no float holds',
    c(WIDTH, 'lt', '9007199254740993'),
    c(WIDTH, 'lteq', '9007199254740992.5'),
    'looser',
    'yes',
  ],
  ['apart', c(WIDTH, 'lteq', 600), c(WIDTH, 'gt', 700), 'disjoint', 'no'],
  ['touching at a point', c(WIDTH, 'lteq', 600), c(WIDTH, 'gteq', 600), 'incomparable', 'yes'],
  [
    'two units',
    c('payAmount', 'lteq', 5, { unit: 'urn:unit:EUR' }),
    c('payAmount', 'gteq', 10, { unit: 'urn:unit:USD' }),
    'unknown',
    'unknown',
  ],
  [
    'an earlier end',
    c('dateTime', 'lt', '2026-01-01T00:00:00Z'),
    c('dateTime', 'lt', '2027-01-01T00:00:00Z'),
    'stricter',
    'yes',
  ],
  [
    'the same instant in two zones',
    c('dateTime', 'lt', '2027-01-01T00:00:00Z'),
    c('dateTime', 'lt', '2027-01-01T01:00:00+01:00'),
    'equal',
    'yes',
  ],
  [
    'a day and the instant after it',
    c('dateTime', 'lteq', typed('2026-12-31Z', 'date')),
    c('dateTime', 'lt', '2027-01-01T00:00:00Z'),
    'equal',
    'yes',
  ],
  [
    'no zone, within the doubt',
    c('dateTime', 'lt', '2027-01-01T00:00:00'),
    c('dateTime', 'gt', '2027-01-01T00:00:00Z'),
    'unknown',
    'unknown',
  ],
  [
    'no zone, beyond the doubt',
    c('dateTime', 'lt', '2026-12-01T00:00:00'),
    c('dateTime', 'gt', '2027-01-01T00:00:00Z'),
    'disjoint',
    'no',
  ],
  [
    'a month and thirty days',
    c('elapsedTime', 'lteq', 'P1M'),
    c('elapsedTime', 'lteq', 'P30D'),
    'unknown',
    'yes',
  ],
  [
    'a month and thirty-one days',
    c('elapsedTime', 'lteq', 'P1M'),
    c('elapsedTime', 'lteq', 'P31D'),
    'unknown',
    'yes',
  ],
  [
    'a month and thirty-two days',
    c('elapsedTime', 'lteq', 'P1M'),
    c('elapsedTime', 'lteq', 'P32D'),
    'stricter',
    'yes',
  ],
  [
    'a year and twelve months',
    c('elapsedTime', 'lteq', 'P1Y'),
    c('elapsedTime', 'lteq', 'P12M'),
    'equal',
    'yes',
  ],
  [
    'metered beyond elapsed',
    c('meteredTime', 'gt', 'PT2H'),
    c('elapsedTime', 'lt', 'PT1H'),
    'disjoint',
    'no',
  ],
  [
    'metered below elapsed',
    c('meteredTime', 'lt', 'PT1H'),
    c('elapsedTime', 'gt', 'PT2H'),
    'incomparable',
    'yes',
  ],
  [
    'some of the recipients',
    c('recipient', 'isAnyOf', ['did:web:a.example']),
    c('recipient', 'isAnyOf', ['did:web:a.example', 'did:web:b.example']),
    'stricter',
    'yes',
  ],
  [
    'all but one',
    c('recipient', 'neq', 'did:web:a.example'),
    c('recipient', 'isNoneOf', ['did:web:a.example']),
    'equal',
    'yes',
  ],
  [
    'other names of the same vocabulary',
    c(`${EX}kind`, 'eq', `${EX}x`),
    c(`${EX}kind`, 'eq', `${EX}y`),
    'disjoint',
    'no',
  ],
  [
    'names of two vocabularies may mean the same',
    c(`${EX}kind`, 'eq', `${EX}x`),
    c(`${EX}kind`, 'eq', 'https://other.example/x'),
    'unknown',
    'unknown',
  ],
  [
    'fewer fields',
    c('mdp:fields', 'isPartOf', ['a']),
    c('mdp:fields', 'isPartOf', ['a', 'b']),
    'stricter',
    'yes',
  ],
  ['a country in its union', c('spatial', 'isPartOf', DE), c('spatial', 'isPartOf', 'EU'), 'stricter', 'yes'],
  ['two countries', c('spatial', 'isPartOf', DE), c('spatial', 'isPartOf', FR), 'disjoint', 'no'],
  [
    'overlapping groups of countries',
    c('spatial', 'isPartOf', 'EU'),
    c('spatial', 'isPartOf', 'DACH'),
    'incomparable',
    'yes',
  ],
  [
    'places nobody here knows',
    c('spatial', 'isPartOf', `${EX}north`),
    c('spatial', 'isPartOf', `${EX}south`),
    'unknown',
    'unknown',
  ],
  [
    'one place nobody here knows',
    c('spatial', 'isPartOf', `${EX}north`),
    c('spatial', 'isPartOf', `${EX}north`),
    'equal',
    'yes',
  ],
  [
    'a purpose and a wider one',
    c('purpose', 'isA', 'mdp:PredictiveMaintenance'),
    c('purpose', 'isA', 'mdp:Maintenance'),
    'stricter',
    'yes',
  ],
  [
    'two purposes may go together',
    c('purpose', 'isA', 'mdp:Research'),
    c('purpose', 'isA', 'mdp:Billing'),
    'unknown',
    'unknown',
  ],
  ['width or height', c('absoluteSize', 'lteq', 100), c('absoluteSize', 'gteq', 200), 'unknown', 'unknown'],
  ['the same size', c('absoluteSize', 'lteq', 100), c('absoluteSize', 'lteq', 100), 'equal', 'yes'],
  ['an operator nobody knows, twice', c(WIDTH, `${EX}near`, 5), c(WIDTH, `${EX}near`, 5), 'equal', 'unknown'],
  ['an operator nobody knows', c(WIDTH, `${EX}near`, 5), c(WIDTH, 'lt', 5), 'unknown', 'unknown'],
  [
    'one number, two names',
    c(`${EX}release`, 'eq', '1.0'),
    c(`${EX}release`, 'eq', '1'),
    'unknown',
    'unknown',
  ],
  [
    'weekdays',
    c('mdp:dayOfWeek', 'isAnyOf', ['6', '7']),
    c('mdp:dayOfWeek', 'isNoneOf', ['1', '2', '3', '4', '5']),
    'equal',
    'yes',
  ],
  [
    'over midnight',
    { or: [c('mdp:localTime', 'gteq', '22:00:00'), c('mdp:localTime', 'lt', '06:00:00')] },
    c('mdp:localTime', 'gteq', '12:00:00'),
    'incomparable',
    'yes',
  ],
  [
    'exactly one',
    { xone: [c(WIDTH, 'lt', 10), c(WIDTH, 'gt', 5)] },
    { and: [c(WIDTH, 'gteq', 10), c(WIDTH, 'lteq', 20)] },
    'looser',
    'yes',
  ],
  [
    'exactly one of two that always hold together',
    { xone: [c(WIDTH, 'lt', 10), c(WIDTH, 'lt', 10)] },
    c(WIDTH, 'lt', 10),
    'stricter',
    'no',
  ],
  [
    'in order, what does not change',
    { andSequence: [c('recipient', 'eq', 'did:web:a.example'), c(WIDTH, 'lt', 5)] },
    { and: [c(WIDTH, 'lt', 5), c('recipient', 'eq', 'did:web:a.example')] },
    'unknown',
    'yes',
  ],
  [
    'in order, what changes with time',
    {
      andSequence: [c('dateTime', 'lt', '2026-01-01T00:00:00Z'), c('dateTime', 'gt', '2027-01-01T00:00:00Z')],
    },
    c('dateTime', 'lt', '2028-01-01T00:00:00Z'),
    'unknown',
    'unknown',
  ],
]

const [berlin, tokyo] = ['Europe/Berlin', 'Asia/Tokyo'].map((zone) => c('mdp:timeZone', 'eq', zone))
const ENTANGLED: readonly Row[] = [
  [
    'metered and elapsed time without a common order',
    c('meteredTime', 'gt', 'P1M'),
    c('elapsedTime', 'lt', 'P30D'),
    'unknown',
    'unknown',
  ],
  ['more than all', c('percentage', 'gt', '100'), c('percentage', 'gt', '100'), 'equal', 'unknown'],
  [
    'a size and one of its dimensions',
    c('absoluteSize', 'lteq', 100),
    c(`${EX}absoluteSizeWidth`, 'gteq', 200),
    'unknown',
    'unknown',
  ],
  ['two rhythms', c('timeInterval', 'eq', 'P7D'), c('timeInterval', 'eq', 'P14D'), 'unknown', 'unknown'],
  ['one rhythm', c('timeInterval', 'eq', 'P7D'), c('timeInterval', 'eq', 'P7D'), 'equal', 'yes'],
  [
    'limits of a rhythm',
    c('timeInterval', 'gteq', 'P14D'),
    c('timeInterval', 'gteq', 'P7D'),
    'stricter',
    'yes',
  ],
  [
    'two names of the clock',
    c('dateTime', 'lt', '2026-01-01T00:00:00Z'),
    c('edc:inForceDate', 'gt', '2027-01-01T00:00:00Z'),
    'disjoint',
    'no',
  ],
  [
    'days since the contract in two dialects',
    c('edc:inForceDate', 'lt', 'contractAgreement+30d'),
    c(`${CX}DataUsageEndDurationDays`, 'eq', '30'),
    'equal',
    'yes',
  ],
  [
    'an end in two dialects',
    c('dateTime', 'lt', '2027-01-01T00:00:00Z'),
    c(`${CX}DataUsageEndDate`, 'eq', '2027-01-01T00:00:00Z'),
    'equal',
    'yes',
  ],
  [
    'times of day in two zones',
    { and: [c('mdp:localTime', 'lt', '06:00:00'), berlin] },
    { and: [c('mdp:localTime', 'gt', '12:00:00'), tokyo] },
    // Five in the morning in Berlin is noon or one o'clock in Tokyo.
    'incomparable',
    'yes',
  ],
  [
    'times of day in one zone',
    { and: [c('mdp:localTime', 'lt', '06:00:00'), berlin] },
    { and: [c('mdp:localTime', 'gt', '12:00:00'), berlin] },
    'disjoint',
    'no',
  ],
  [
    'a weekday and an instant',
    c('mdp:dayOfWeek', 'eq', '7'),
    c('dateTime', 'eq', '2026-06-01T12:00:00Z'),
    'unknown',
    'unknown',
  ],
  [
    'a weekday before an end',
    c('mdp:dayOfWeek', 'eq', '7'),
    c('dateTime', 'lt', '2026-06-01T12:00:00Z'),
    'incomparable',
    'yes',
  ],
  [
    'several proofs at once',
    c('mdp:credentialType', 'isAnyOf', ['a']),
    c('mdp:credentialType', 'isAnyOf', ['b']),
    'incomparable',
    'yes',
  ],
  [
    'all proofs and one of them',
    c('mdp:credentialType', 'isAllOf', ['a', 'b']),
    c('mdp:credentialType', 'isAnyOf', ['a']),
    'stricter',
    'yes',
  ],
]

describe('left operands that depend on each other', () => {
  it.each(ENTANGLED)('%s', (_name, a, b, relation, overlap) => {
    const found = compare(permit(a), permit(b))
    expect([found.relation, found.overlap]).toEqual([relation, overlap])
  })
})

describe('conditions', () => {
  it.each(ROWS)('%s', (_name, a, b, relation, overlap) => {
    const found = compare(permit(a), permit(b))
    expect([found.relation, found.overlap]).toEqual([relation, overlap])
    const mirrored: Readonly<Record<string, string>> = { stricter: 'looser', looser: 'stricter' }
    expect(compare(permit(b), permit(a)).relation, 'the other way round').toBe(mirrored[relation] ?? relation)
    expect(compare(a, b).relation, 'as bare conditions').toBe(relation)
  })
})

describe('rules', () => {
  const use = { permission: [{ action: 'use' }] }
  it.each<Row>([
    ['a narrower action', { permission: [{ action: 'print' }] }, use, 'stricter', 'yes'],
    ['use and transfer', { permission: [{ action: 'transfer' }] }, use, 'disjoint', 'no'],
    [
      'an action of somebody else may be a use',
      { permission: [{ action: `${EX}rent` }] },
      use,
      'unknown',
      'unknown',
    ],
    ['a prohibition more', { ...use, prohibition: [{ action: 'distribute' }] }, use, 'stricter', 'yes'],
    [
      'a duty more',
      { permission: [{ action: 'use', duty: [{ action: 'delete' }] }] },
      use,
      'stricter',
      'yes',
    ],
    [
      'an earlier deletion',
      { ...use, obligation: [{ action: 'delete', constraint: [c('mdp:retention', 'lteq', 'P30D')] }] },
      { ...use, obligation: [{ action: 'delete', constraint: [c('mdp:retention', 'lteq', 'P90D')] }] },
      'stricter',
      'yes',
    ],
    [
      'a duty that applies only sometimes',
      {
        ...use,
        obligation: [{ action: 'delete', constraint: [c('dateTime', 'gt', '2027-01-01T00:00:00Z')] }],
      },
      { ...use, obligation: [{ action: 'delete' }] },
      'unknown',
      'unknown',
    ],
    [
      'other data',
      { permission: [{ action: 'use', target: 'urn:x:1' }] },
      { permission: [{ action: 'use', target: 'urn:x:2' }] },
      'disjoint',
      'no',
    ],
    [
      'data and a collection',
      { permission: [{ action: 'use', target: 'urn:x:1' }] },
      { permission: [{ action: 'use', target: { '@type': 'AssetCollection', uid: 'urn:x:all' } }] },
      'unknown',
      'unknown',
    ],
    [
      'what is allowed and what is prohibited',
      use,
      { prohibition: [{ action: 'print' }] },
      'conflicting',
      'no',
    ],
    [
      'a member nobody knows',
      { permission: [{ action: 'use', [`${EX}only`]: 'mondays' }] },
      use,
      'unknown',
      'unknown',
    ],
    ['a profile nobody knows', { ...use, profile: `${EX}profile` }, use, 'unknown', 'unknown'],
  ])('%s', (_name, a, b, relation, overlap) => {
    const found = compare(a, b)
    expect([found.relation, found.overlap]).toEqual([relation, overlap])
  })

  it('does not take two unknown members for the same', () => {
    const rule = (value: string) => ({
      permission: [{ action: 'use', constraint: [{ ...c(WIDTH, 'lt', 5), [`${EX}within`]: value }] }],
    })
    expect(compare(rule('a'), rule('b')).relation).toBe('unknown')
  })
})

describe('clauses', () => {
  it('are compared one by one, each with a value that shows the difference', () => {
    const a = permit(c('count', 'lteq', '100'), c('dateTime', 'lt', '2027-01-01T00:00:00Z'))
    const b = permit(c('count', 'lteq', '50'), c('dateTime', 'lt', '2028-01-01T00:00:00Z'))
    const found = compare(a, b)
    expect(found.relation).toBe('incomparable')
    expect(found.clauses).toEqual([
      expect.objectContaining({ clause: 'permission use', relation: 'equal' }),
      {
        clause: 'permission use: count',
        a: ['permission[0].constraint[0]'],
        b: ['permission[0].constraint[0]'],
        relation: 'looser',
        witness: { count: '100' },
      },
      {
        clause: 'permission use: dateTime',
        a: ['permission[0].constraint[1]'],
        b: ['permission[0].constraint[1]'],
        relation: 'stricter',
        witness: { dateTime: '2027-01-01T00:00:00Z' },
      },
    ])
  })

  it('of several policies that hold together leave a common part or none', () => {
    const together = (...policies: readonly object[]) =>
      compareLine(JSON.stringify({ policies }), { profiles: [] }) as Json
    const parts = [c(WIDTH, 'gt', 1), c(WIDTH, 'lt', 9), c(WIDTH, 'neq', 5)]
    expect(together(...parts)).toMatchObject({ overlap: 'yes', satisfiable: ['yes', 'yes', 'yes'] })
    expect(together(...parts, c(WIDTH, 'gteq', 9))).toMatchObject({ overlap: 'no' })
  })

  it('are not called equal or stricter when they differ in what follows from a violation', () => {
    const paying = (amount: string) => ({
      prohibition: [
        {
          action: 'distribute',
          remedy: [
            {
              action: 'compensate',
              constraint: [{ leftOperand: 'payAmount', operator: 'eq', rightOperand: amount }],
            },
          ],
        },
      ],
    })
    const free = { prohibition: [{ action: 'distribute' }] }
    expect(compare({ ...permit(), ...paying('100') }, { ...permit(), ...free })).toMatchObject({
      relation: 'unknown',
      aWithinB: 'yes',
      bWithinA: 'yes',
      note: expect.stringContaining('remedies'),
    })
    expect(compare({ ...permit(), ...paying('100') }, { ...permit(), ...paying('200') }).relation).toBe(
      'unknown',
    )
    expect(compare({ ...permit(), ...paying('100') }, { ...permit(), ...paying('100') }).relation).toBe(
      'equal',
    )
  })

  it.each(['or', 'and', 'xone'])('are answered at all, however many conditions "%s" joins', (kind) => {
    const many = (from: number) => ({
      [kind]: Array.from({ length: 1500 }, (_, i) => c(`${EX}p${i % 700}`, 'gt', i + from)),
    })
    const found = compare(permit(many(0)), permit(many(1)))
    expect(['looser', 'unknown']).toContain(found.relation)
  }, 60_000)

  it('answers unknown where an exact answer would take too long', () => {
    const pairs = Array.from({ length: 14 }, (_, i) => ({
      or: [c(`${EX}p${i}`, 'lt', 5), c(`${EX}q${i}`, 'lt', 5)],
    }))
    const found = compare(permit(...pairs), permit(c(`${EX}p0`, 'lt', 4)))
    expect(found.relation).toBe('unknown')
    expect(found.note).toContain('too large')
  })
})

describe('what looks equal and is not', () => {
  const mdp = (name: string): string => `https://w3id.org/machine-data-policy/v1#${name}`
  const pay = { action: 'compensate', constraint: [c('payAmount', 'eq', '120.00')] }

  it('a duty before the use and the same duty at any time', () => {
    const before = { permission: [{ action: 'use', duty: [pay] }] }
    const whenever = { permission: [{ action: 'use' }], obligation: [pay] }
    expect(compare(before, whenever)).toMatchObject({ aWithinB: 'yes', bWithinA: 'unknown' })
    expect(compare(whenever, before).relation).toBe('unknown')
  })

  it.each([
    ['eq', 'isAnyOf'],
    ['neq', 'isNoneOf'],
  ])('%s and %s of something that there can be several of', (one, other) => {
    const [a, b] = [
      permit(c(mdp('credentialType'), one, 'urn:x:A')),
      permit(c(mdp('credentialType'), other, 'urn:x:A')),
    ]
    expect(compare(a, b).relation).toBe('unknown')
    expect(compare(a, permit(c(mdp('credentialType'), one, ['urn:x:A']))).relation).toBe('equal')
  })

  it('eq and neq of something that there can be several of exclude each other', () =>
    expect(
      compare(
        permit(c(mdp('credentialType'), 'eq', 'urn:x:A')),
        permit(c(mdp('credentialType'), 'neq', 'urn:x:A')),
      ).overlap,
    ).toBe('no'))

  it('the whole day, of which no witness shows a time after its end', () => {
    const found = compare(
      permit(c(mdp('localTime'), 'lt', '24:00:00'), c(mdp('timeZone'), 'eq', 'UTC')),
      permit(),
    )
    expect(found).toMatchObject({ relation: 'unknown', aWithinB: 'yes' })
  })
})

describe('checks of one policy', () => {
  const findings = (json: object): readonly string[] => {
    const policy = readPolicy(json)
    if (!policy.ok) throw new Error(policy.error.message)
    return checkPolicy(policy.value).map(({ kind, severity, path }) => `${severity} ${kind} ${path}`)
  }
  const until = (day: string) => c('dateTime', 'lt', `${day}T00:00:00Z`)
  const from = (day: string) => c('dateTime', 'gteq', `${day}T00:00:00Z`)

  it.each<readonly [string, object, readonly string[]]>([
    ['nothing', permit(from('2026-01-01'), until('2027-01-01')), []],
    [
      'conditions that never hold',
      permit(from('2027-01-01'), until('2026-01-01')),
      ['error never permission[0].constraint[1]'],
    ],
    [
      'a condition that changes nothing',
      permit(until('2026-01-01'), until('2027-01-01')),
      ['warning redundant permission[0].constraint[1]'],
    ],
    [
      'a contradiction',
      { permission: [{ action: 'use' }], prohibition: [{ action: 'print' }] },
      ['error conflict permission[0]'],
    ],
    [
      'a permission without effect',
      { permission: [{ action: 'print' }], prohibition: [{ action: 'use' }], conflict: 'prohibit' },
      ['error shadowed permission[0]', 'warning conflict permission[0]'],
    ],
    [
      'a permission that is there twice',
      { permission: [{ action: 'use' }, { action: 'use' }] },
      ['warning redundant permission[1]'],
    ],
    [
      'a permission within a wider one',
      { permission: [{ action: 'print' }, { action: 'use' }] },
      ['warning redundant permission[0]'],
    ],
    [
      'a prohibition that never applies',
      {
        permission: [{ action: 'sell' }],
        prohibition: [{ action: 'use', constraint: [from('2027-01-01'), until('2026-01-01')] }],
      },
      ['warning never prohibition[0].constraint[1]'],
    ],
    ['what is not understood', { permission: [{ action: 'use' }], [`${EX}x`]: 1 }, ['error not understood ']],
  ])('%s', (_name, json, expected) => {
    expect(findings(json)).toEqual(expected)
  })
})
