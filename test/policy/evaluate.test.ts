import { describe, expect, it } from 'vitest'
import { evaluate } from '../../connector/policy/evaluate.js'
import { explain } from '../../connector/policy/explain.js'
import type { Phase } from '../../connector/policy/model.js'
import { refusalText } from '../../connector/policy/refusal-words.js'
import { OPERANDS } from '../../connector/policy/registry.js'
import { BUYER, constraint, facts, MDP, permit, policy } from './policies.js'

/** One condition for each truth value, judged in the transfer phase. */
const YES = constraint('odrl:recipient', 'eq', BUYER)
const NO = constraint('odrl:recipient', 'eq', 'did:web:other.example')
const DUNNO = constraint('odrl:purpose', 'eq', 'x')
/** Left for later in the catalog phase. */
const LATER = constraint('odrl:count', 'lteq', '5')
const LETTERS: Readonly<Record<string, unknown>> = { T: YES, F: NO, U: DUNNO, L: LATER }
const conditions = (letters: string) => [...letters].map((letter) => LETTERS[letter])

const refusal = (json: unknown, phase: Phase = 'transfer', lang: 'en' | 'de' = 'en', given = facts()) => {
  const decision = evaluate(policy(json), phase, given)
  return decision.allowed ? 'allowed' : refusalText(decision)[lang]
}

/** Whether a permission under, and a prohibition with, the condition lets use pass. */
function passes(condition: unknown, phase: Phase): readonly [boolean, boolean] {
  const permission = evaluate(permit(condition), phase, facts({ counted: 0 }))
  const prohibition = evaluate(
    policy({ permission: [{ action: 'use' }], prohibition: [{ action: 'use', constraint: [condition] }] }),
    phase,
    facts({ counted: 0 }),
  )
  return [permission.allowed, prohibition.allowed]
}

describe('three-valued logic: true, false, unknown', () => {
  // Kleene's tables. Truth of the whole: T lets the permission pass, F lets the prohibition pass, U neither.
  const TABLE: readonly (readonly [string, string, string])[] = [
    ['and', 'T', 'T'],
    ['and', 'F', 'F'],
    ['and', 'U', 'U'],
    ['and', 'TT', 'T'],
    ['and', 'TF', 'F'],
    ['and', 'TU', 'U'],
    ['and', 'FU', 'F'],
    ['and', 'FF', 'F'],
    ['and', 'UU', 'U'],
    ['or', 'T', 'T'],
    ['or', 'F', 'F'],
    ['or', 'U', 'U'],
    ['or', 'TT', 'T'],
    ['or', 'TF', 'T'],
    ['or', 'TU', 'T'],
    ['or', 'FU', 'U'],
    ['or', 'FF', 'F'],
    ['or', 'UU', 'U'],
    // Exactly one true and none unknown; false when several are true, whatever the rest is, or when all are false.
    ['xone', 'T', 'T'],
    ['xone', 'F', 'F'],
    ['xone', 'U', 'U'],
    ['xone', 'TT', 'F'],
    ['xone', 'TF', 'T'],
    ['xone', 'TU', 'U'],
    ['xone', 'FU', 'U'],
    ['xone', 'FF', 'F'],
    ['xone', 'UU', 'U'],
    ['xone', 'TTU', 'F'],
    ['xone', 'TTT', 'F'],
    ['xone', 'FFT', 'T'],
    ['xone', 'FTU', 'U'],
    // Nothing in it depends on time, so the order cannot matter.
    ['andSequence', 'TT', 'T'],
    ['andSequence', 'TF', 'F'],
    ['andSequence', 'TU', 'U'],
  ]
  it.each(TABLE)('%s of %s is %s', (kind, letters, truth) => {
    expect(passes({ [kind]: conditions(letters) }, 'transfer')).toEqual([truth === 'T', truth === 'F'])
    expect(passes({ [kind]: conditions([...letters].reverse().join('')) }, 'transfer')).toEqual([
      truth === 'T',
      truth === 'F',
    ])
  })

  it('nests', () => {
    expect(passes({ or: [{ and: [YES, NO] }, { xone: [NO, { and: [YES, YES] }] }] }, 'transfer')).toEqual([
      true,
      false,
    ])
  })

  it.each([
    constraint('odrl:dateTime', 'lt', '2027-01-01T00:00:00Z'),
    constraint(`${MDP}agreementAge`, 'lteq', 'P30D'),
    { and: [constraint('odrl:dateTime', 'lt', '2027-01-01T00:00:00Z')] },
  ])('cannot tell a sequence in which something depends on time', (temporal) => {
    const given = facts({ agreedAt: '2026-05-31T00:00:00Z' })
    expect(evaluate(permit({ andSequence: [YES, temporal] }), 'transfer', given).allowed).toBe(false)
    expect(evaluate(permit({ and: [YES, temporal] }), 'transfer', given).allowed).toBe(true)
  })
})

describe('what a later phase looks at', () => {
  // A deferred condition never decides now: below a permission it counts as true, below a prohibition as false.
  const TABLE: readonly (readonly [string, string, boolean, boolean])[] = [
    ['and', 'L', true, true],
    ['and', 'LT', true, true],
    ['and', 'LF', false, true],
    ['and', 'LU', false, true],
    ['or', 'LT', true, false],
    ['or', 'LF', true, true],
    ['or', 'LU', true, false],
    ['xone', 'LT', true, true],
    ['xone', 'LF', true, true],
    ['xone', 'LU', true, false],
    ['xone', 'LTT', false, true],
  ]
  it.each(
    TABLE,
  )('%s of %s: permission passes %s, prohibition passes %s', (kind, letters, permission, prohibition) => {
    expect(passes({ [kind]: conditions(letters) }, 'catalog')).toEqual([permission, prohibition])
  })

  it('leaves nothing for after delivery: every operator is looked at there', () => {
    for (const { iri, operators } of OPERANDS.filter(({ enforcedHere }) => enforcedHere)) {
      for (const [operator, { phases }] of Object.entries(operators)) {
        expect(phases, `${iri} ${operator}`).toContain('delivery')
      }
    }
  })

  it('refuses a wrong value at once, not at delivery', () => {
    expect(evaluate(permit(constraint('odrl:count', 'lteq', 'many')), 'catalog', facts()).allowed).toBe(false)
  })
})

describe('rules', () => {
  it('allows by one active permission of several', () => {
    const json = {
      permission: [
        { action: 'use', constraint: [NO] },
        { action: 'use', constraint: [YES] },
      ],
    }
    expect(refusal(json)).toBe('allowed')
  })
  it('needs every condition of a permission', () => {
    expect(evaluate(permit(YES, NO), 'transfer', facts()).allowed).toBe(false)
    expect(evaluate(permit(YES, DUNNO), 'transfer', facts()).allowed).toBe(false)
    expect(evaluate(permit(YES, YES), 'transfer', facts()).allowed).toBe(true)
  })
  it('denies without any permission', () => {
    expect(refusal({})).toBe('Refused: the contract contains no permission to use the data.')
    expect(refusal({}, 'catalog', 'de')).toBe(
      'Abgelehnt: Der Vertrag enthält keine Erlaubnis, die Daten zu nutzen.',
    )
  })
  it('does not take a permission for another action as one to use', () => {
    expect(refusal({ permission: [{ action: 'read' }] })).toBe(
      'Refused: the contract says that the recipient may read the data, which is not the use of the data in general. (clause 1, permission)',
    )
  })
  it('takes a prohibition without conditions at its word', () => {
    expect(refusal({ permission: [{ action: 'use' }], prohibition: [{ action: 'use' }] })).toBe(
      'Refused: the contract says that the recipient must not use the data, and this connector cannot make sure of that. (clause 2, prohibition)',
    )
  })
  it('counts a prohibition of any action, because it may include use', () => {
    expect(
      refusal({ permission: [{ action: 'use' }], prohibition: [{ action: 'distribute' }] }, 'transfer', 'de'),
    ).toBe(
      'Abgelehnt: Der Vertrag besagt, dass der Empfänger die Daten nicht weitergeben darf, und dieser Connector kann das nicht sicherstellen. (Klausel 2, Verbot)',
    )
  })
  it('needs all conditions of a prohibition for it to apply', () => {
    const json = (...constraints: readonly unknown[]) => ({
      permission: [{ action: 'use' }],
      prohibition: [{ action: 'use', constraint: constraints }],
    })
    expect(refusal(json(YES, NO))).toBe('allowed')
    expect(refusal(json(YES, DUNNO))).not.toBe('allowed')
    expect(refusal(json(NO, DUNNO))).toBe('allowed')
  })
  it('denies while a duty or an obligation has no evidence', () => {
    expect(
      refusal({ permission: [{ action: 'use', duty: [{ action: 'compensate', constraint: [YES] }] }] }),
    ).toBe(
      'Refused: the contract says that the recipient must pay for the data before any use, and there is no evidence that this has been done. (clause 2, duty)',
    )
    expect(refusal({ permission: [{ action: 'use' }], obligation: [{ action: 'delete' }] })).toBe(
      'Refused: the contract says that the recipient must delete the data, and there is no evidence that this has been done. (clause 2, obligation)',
    )
  })
  it('denies what it does not understand', () => {
    expect(refusal({ permission: [{ action: 'use' }], 'odrl:conflict': 'perm' })).toBe(
      'Refused: the contract contains "odrl:conflict", which this connector does not understand. (clause 2)',
    )
    expect(refusal({ permission: [{ action: 'use', constraint: [YES, DUNNO] }] }, 'transfer', 'de')).toBe(
      'Abgelehnt: Der Vertrag stellt eine Bedingung an „Zweck der Nutzung“, und dieser Connector kann nicht feststellen, ob sie erfüllt ist. (Klausel 3, Zweck der Nutzung)',
    )
  })
  it('tells a broken condition rather than one that is not understood', () => {
    expect(refusal({ permission: [{ action: 'use', constraint: [DUNNO, NO] }] })).toContain(
      '(clause 3, recipient)',
    )
  })
})

describe('refusals in the words a person sees', () => {
  const at = (date: string) => facts({ at: date, agreedAt: '2026-12-05T10:00:00Z', counted: 1000 })
  const say = (
    leftOperand: string,
    operator: string,
    rightOperand: unknown,
    date = '2027-01-04T11:00:30.5Z',
  ) => {
    const json = {
      permission: [{ action: 'use', constraint: [constraint(leftOperand, operator, rightOperand)] }],
    }
    return [refusal(json, 'delivery', 'en', at(date)), refusal(json, 'delivery', 'de', at(date))]
  }

  it('a date that has passed', () => {
    expect(say('odrl:dateTime', 'lt', '2027-01-01T00:00:00Z')).toEqual([
      'Refused: the contract allows use until 31 December 2026, today is 4 January 2027. (clause 2, time of use)',
      'Abgelehnt: Der Vertrag erlaubt die Nutzung bis zum 31. Dezember 2026, heute ist der 4. Januar 2027. (Klausel 2, Zeitpunkt der Nutzung)',
    ])
    expect(say('odrl:dateTime', 'lteq', '2026-12-31T23:59:59Z')).toEqual(
      say('odrl:dateTime', 'lt', '2027-01-01T00:00:00Z'),
    )
  })
  it('a time that has passed', () => {
    expect(say('odrl:dateTime', 'lteq', '2027-01-04T12:00:00+01:00')).toEqual([
      'Refused: the contract allows use until 4 January 2027, 11:00 UTC; it is now 4 January 2027, 11:00:30 UTC. (clause 2, time of use)',
      'Abgelehnt: Der Vertrag erlaubt die Nutzung bis zum 4. Januar 2027, 11:00 Uhr UTC; jetzt ist der 4. Januar 2027, 11:00:30 Uhr UTC. (Klausel 2, Zeitpunkt der Nutzung)',
    ])
  })
  it('a date that has not come', () => {
    expect(say('odrl:dateTime', 'gteq', '2027-03-01T00:00:00Z')).toEqual([
      'Refused: the contract allows use only from 1 March 2027, today is 4 January 2027. (clause 2, time of use)',
      'Abgelehnt: Der Vertrag erlaubt die Nutzung erst ab dem 1. März 2027, heute ist der 4. Januar 2027. (Klausel 2, Zeitpunkt der Nutzung)',
    ])
    expect(say('odrl:dateTime', 'gt', '2027-03-01T08:00:00Z')).toEqual([
      'Refused: the contract allows use only after 1 March 2027, 08:00 UTC; it is now 4 January 2027, 11:00:30 UTC. (clause 2, time of use)',
      'Abgelehnt: Der Vertrag erlaubt die Nutzung erst nach dem 1. März 2027, 08:00 Uhr UTC; jetzt ist der 4. Januar 2027, 11:00:30 Uhr UTC. (Klausel 2, Zeitpunkt der Nutzung)',
    ])
  })
  it('an agreement that is too old', () => {
    expect(say(`${MDP}agreementAge`, 'lteq', 'P30D', '2027-01-04T11:00:00Z')).toEqual([
      'Refused: the contract allows use for 30 days from its conclusion, that is until 4 January 2027, 10:00 UTC; it is now 4 January 2027, 11:00 UTC. (clause 2, time since the conclusion of the contract)',
      'Abgelehnt: Der Vertrag erlaubt die Nutzung 30 Tage lang ab Vertragsschluss, also bis zum 4. Januar 2027, 10:00 Uhr UTC; jetzt ist der 4. Januar 2027, 11:00 Uhr UTC. (Klausel 2, Zeit seit Vertragsschluss)',
    ])
  })
  it('a quota that is used up', () => {
    expect(say('odrl:count', 'lteq', '1000')).toEqual([
      'Refused: the contract allows 1,000 deliveries in total, 1,000 have been made. (clause 2, number of deliveries)',
      'Abgelehnt: Der Vertrag erlaubt insgesamt 1.000 Lieferungen, 1.000 sind bereits erfolgt. (Klausel 2, Zahl der Lieferungen)',
    ])
  })
  it('another recipient, without telling who the right ones are', () => {
    const [en, de] = say('odrl:recipient', 'isAnyOf', ['did:web:secret.example'])
    expect(en).toBe(
      'Refused: the contract is meant for other recipients, "did:web:buyer.example" is not among them. (clause 2, recipient)',
    )
    expect(de).toBe(
      'Abgelehnt: Der Vertrag gilt für andere Empfänger, „did:web:buyer.example“ gehört nicht dazu. (Klausel 2, Empfänger)',
    )
  })
  it('several conditions that hold where one must', () => {
    expect(refusal({ permission: [{ action: 'use', constraint: [{ xone: [YES, YES] }] }] })).toBe(
      'Refused: the contract demands exactly one of several conditions, and more than one holds. (clause 2)',
    )
  })
})

it('gives every node a reason under the clause number of its explanation', () => {
  const json = {
    permission: [
      {
        action: 'use',
        constraint: [YES, { or: [NO, { and: [LATER, DUNNO] }] }],
        duty: [{ action: 'inform', constraint: [{ or: [YES, NO] }] }],
      },
      { action: 'read' },
    ],
    prohibition: [{ action: 'sell', constraint: [YES] }],
    obligation: [{ action: 'delete' }],
    extra: 1,
  }
  const numbered = new Map(explain(policy(json)).map(({ path, number }) => [path, number]))
  const { reasons } = evaluate(policy(json), 'delivery', facts())
  for (const { path, clause } of reasons)
    if (clause !== undefined) expect(clause, path).toBe(numbered.get(path))
  expect(reasons.map(({ path }) => path)).toContain('extra')
  expect(numbered.size).toBe(16)
})
