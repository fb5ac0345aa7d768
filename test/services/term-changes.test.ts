import { expect, it } from 'vitest'
import { termChanges } from '../../connector/services/term-changes.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'
const policy = (...constraint: readonly { readonly [key: string]: string }[]) => ({
  '@type': 'Offer',
  '@id': 'urn:uuid:11111111-0000-4000-8000-000000000001',
  permission: [{ action: 'use', constraint }],
})
const days = (period: string) => ({
  leftOperand: `${MDP}agreementAge`,
  operator: 'lteq',
  rightOperand: period,
})
const every = { leftOperand: `${MDP}samplingInterval`, operator: 'gteq', rightOperand: 'PT30S' }

it('tells which clauses are gone and which are new, in both languages, and not how many there are', () => {
  expect(termChanges(policy(days('P7D'), every), policy(days('P10D')))).toEqual([
    {
      en: 'No longer: Use is allowed for 7 days from the conclusion of the contract.',
      de: 'Nicht mehr: Die Nutzung ist 7 Tage lang ab Vertragsschluss erlaubt.',
    },
    {
      en: 'No longer: Delivered records of one machine or data series are at least 30 seconds apart.',
      de: 'Nicht mehr: Der Abstand zwischen zwei gelieferten Einträgen einer Maschine oder Datenreihe beträgt mindestens 30 Sekunden.',
    },
    {
      en: 'New: Use is allowed for 10 days from the conclusion of the contract.',
      de: 'Neu: Die Nutzung ist 10 Tage lang ab Vertragsschluss erlaubt.',
    },
  ])
})

it('tells nothing about policies that say the same', () => {
  expect(termChanges(policy(days('P7D')), policy(days('P7D')))).toEqual([])
})

it('tells the place of a difference that no sentence shows', () => {
  const [only, ...more] = termChanges(policy(days('P7D')), policy(days('P7D'), days('P7D')))
  expect(more).toEqual([])
  expect(only?.en).toMatch(/^permission\[0\]\.constraint\[1\] is .*, offered was nothing\.$/)
})

it('tells what becomes allowed without any condition', () => {
  expect(termChanges(policy(days('P7D')), policy()).map(({ en }) => en)).toEqual([
    'No longer: The recipient may use the data, provided that clause 2 is met.',
    'No longer: Use is allowed for 7 days from the conclusion of the contract.',
    'New: The recipient may use the data without further conditions.',
  ])
})
