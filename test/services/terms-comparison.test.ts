/** The verdicts a person reads beside a counter-offer: certain where they are told, unknown everywhere else. */
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import { compareTerms, termsRelation } from '../../connector/services/terms-comparison.js'

const of = (terms: Terms): JsonObject => {
  const made = policyFromTerms(terms)
  if (!made.ok) throw new Error(made.error.message)
  return { '@id': 'o1', '@type': 'Offer', target: 'press', ...made.value }
}
const permitting = (...constraint: readonly JsonObject[]): JsonObject => ({
  permission: [{ action: 'use', constraint: [...constraint] }],
})
const count = (most: string) => ({ leftOperand: 'odrl:count', operator: 'lteq', rightOperand: most })

describe('the verdict', () => {
  const zone = 'Europe/Berlin'
  it.each<[string, JsonObject, JsonObject, string]>([
    ['fewer deliveries', of({ count: 2 }), of({ count: 10 }), 'stricter'],
    ['more deliveries', of({ count: 10 }), of({ count: 2 }), 'looser'],
    ['a week instead of a month', of({ agreementAge: 'P7D' }), of({ agreementAge: 'P30D' }), 'stricter'],
    [
      'a month of the calendar instead of 30 days',
      of({ agreementAge: 'P1M' }),
      of({ agreementAge: 'P30D' }),
      'unknown',
    ],
    ['a term less', of({}), of({ count: 2 }), 'looser'],
    [
      'other deliveries and another end',
      of({ count: 2, until: '2028-01-31' }),
      of({ count: 5, until: '2027-01-31' }),
      'incomparable',
    ],
    [
      'the same in another spelling',
      permitting({ ...count('10'), leftOperand: 'http://www.w3.org/ns/odrl/2/count' }),
      permitting(count('10')),
      'equal',
    ],
    [
      'an own id and other parties',
      { ...of({ count: 2 }), '@id': 'x', assignee: 'did:web:a.example' },
      of({ count: 2 }),
      'equal',
    ],
    [
      'the same hours in another zone',
      of({ hours: '06:00-22:00', timeZone: zone }),
      of({ hours: '06:00-22:00' }),
      'unknown',
    ],
    // Without a term for it the mean and the number of values are delivered, never the maximum.
    [
      'a way of combining where none was named',
      of({ aggregationWindow: 'PT1M', aggregation: ['max'] }),
      of({ aggregationWindow: 'PT1M' }),
      'unknown',
    ],
    [
      'fewer ways of combining',
      of({ aggregationWindow: 'PT1M', aggregation: ['mean'] }),
      of({ aggregationWindow: 'PT1M', aggregation: ['mean', 'max'] }),
      'stricter',
    ],
    ['combined values instead of all', of({ aggregationWindow: 'PT1M' }), of({}), 'stricter'],
    // Five on a day of Berlin may be ten on a day of UTC, and the other way round.
    [
      'the same daily quota by another zone',
      of({ recordsPerDay: 5, timeZone: zone }),
      of({ recordsPerDay: 5 }),
      'unknown',
    ],
    [
      'a smaller daily quota by another zone',
      of({ bytesPerDay: 5, timeZone: zone }),
      of({ bytesPerDay: 500 }),
      'unknown',
    ],
    [
      'a smaller daily quota by the same zone',
      of({ bytesPerDay: 5, timeZone: zone }),
      of({ bytesPerDay: 500, timeZone: zone }),
      'stricter',
    ],
    [
      'a prohibition more',
      { ...of({ count: 2 }), prohibition: [{ action: 'distribute' }] },
      of({ count: 2 }),
      'stricter',
    ],
    [
      'a profile that nobody here knows',
      { ...of({ count: 2 }), profile: 'https://example.com/p' },
      of({ count: 2 }),
      'unknown',
    ],
    ['a member that no policy has', { ...of({ count: 2 }), sparkle: 'x' }, of({ count: 2 }), 'unknown'],
    ['rules that are no rules', { permission: 'all' }, of({ count: 2 }), 'unknown'],
    [
      'a tree of doubt',
      permitting({ leftOperand: 'odrl:count', operator: 'odd', rightOperand: '3' }),
      of({ count: 2 }),
      'unknown',
    ],
  ])('of %s', (_, table, other, relation) => {
    expect(termsRelation(table, other)).toBe(relation)
  })
})

describe('the words', () => {
  it('name the clause, what it says, what stood there before, and a use that shows the difference', () => {
    const found = compareTerms(of({ count: 10 }), of({ count: 2 }), 'published')
    expect(found.text).toEqual({
      en: 'The terms on the table allow more than your published offer. Allowed in addition, for example: delivery number 10.',
      de: 'Die vorliegenden Bedingungen erlauben mehr als Ihr veröffentlichtes Angebot. Zusätzlich erlaubt ist zum Beispiel: Lieferung Nummer 10.',
    })
    expect(found.clauses).toEqual([
      {
        relation: 'looser',
        clauses: [2],
        text: {
          en: expect.stringMatching(
            /^The terms in clause 2 allow more than ".*2.*"\. Allowed in addition, for example: delivery number 10\.$/,
          ),
          de: expect.stringMatching(
            /^Die Bedingungen in Klausel 2 erlauben mehr als „.*2.*“\. Zusätzlich erlaubt ist zum Beispiel: Lieferung Nummer 10\.$/,
          ),
        },
      },
    ])
  })

  it('say that a clause was left out', () => {
    const [clause] = compareTerms(of({}), of({ withoutFields: ['force'] }), 'asked').clauses
    expect(clause).toMatchObject({ relation: 'looser', clauses: [] })
    expect(clause?.text.en).toMatch(
      /^The terms without this clause allow more than ".*force.*"\..*the signal "force"\.$/,
    )
  })

  it('claim nothing where the verdict is unknown', () => {
    const found = compareTerms(of({ agreementAge: 'P1M' }), of({ agreementAge: 'P30D' }), 'before')
    expect(found.text).toEqual({
      en: 'The terms on the table cannot be compared with certainty: it is unknown whether they allow more or less than what you proposed before.',
      de: 'Die vorliegenden Bedingungen lassen sich nicht sicher vergleichen: Unbekannt ist, ob sie mehr oder weniger erlauben als das, was Sie zuvor vorgeschlagen haben.',
    })
    expect(found.clauses).toMatchObject([{ relation: 'unknown', clauses: [2] }])
    const window = { aggregationWindow: 'PT1M' } as const
    const combined = compareTerms(of({ ...window, aggregation: ['max'] }), of(window), 'published')
    expect(combined.clauses).toMatchObject([{ relation: 'unknown' }])
  })

  it('show every kind of term in both languages without its technical name', () => {
    const free = of({})
    const wordsOf = (terms: Terms) => compareTerms(of(terms), free, 'published').text
    for (const terms of [
      { recipients: ['did:web:a.example'] },
      { machines: ['m1'] },
      { lines: ['l1'] },
      { agreementAge: 'P30D' },
      { weekdays: ['1'] },
      { hours: '06:00-22:00' },
      { samplingInterval: 'PT60S' },
      { aggregationWindow: 'PT1M', aggregation: ['mean'] },
      { valueStep: '0.5' },
      { deliveryDelay: 'P1D' },
      { pseudonym: 'agreement' },
      { recordsPerDay: 5 },
    ] as const satisfies readonly Terms[]) {
      const { en, de } = wordsOf(terms)
      const [told, gesagt] = [en.split('for example: ')[1], de.split('zum Beispiel: ')[1]]
      expect(told, JSON.stringify(terms)).not.toMatch(/[a-z][A-Z]|PT|undefined|" is "/)
      expect(gesagt, JSON.stringify(terms)).not.toMatch(/PT|undefined|“ ist „/)
      expect(told).not.toBe(gesagt)
    }
  })
})
