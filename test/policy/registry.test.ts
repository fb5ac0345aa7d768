/** The registry: every usage-control class has a term, every term says what a reader and an engine need. */
import { describe, expect, it } from 'vitest'
import { ACTION_TERMS, isIncluded } from '../../connector/policy/action-terms.js'
import { evaluate } from '../../connector/policy/evaluate.js'
import { ODRL } from '../../connector/policy/model.js'
import { leftOperandIri, OPERANDS } from '../../connector/policy/registry.js'
import { unsupportedTerms } from '../../connector/policy/support.js'
import { CLASS_NAMES } from '../docs/policy-classes.js'
import { BUYER, constraint, facts, MDP, permit } from './policies.js'

/** Class 26, revocation and emergency stop, is a function of the connector and has no term. */
const CLASSES = CLASS_NAMES.slice(0, 25).map((_name, index) => index + 1)

describe('the registry', () => {
  it('has a term for each of the usage-control classes 1 to 25', () => {
    const covered = new Set([...OPERANDS, ...ACTION_TERMS].flatMap(({ classes }) => classes))
    expect(CLASSES).toHaveLength(25)
    expect(CLASSES.filter((number) => !covered.has(number))).toEqual([])
    expect([...covered].filter((number) => !CLASSES.includes(number))).toEqual([])
  })

  it('gives no spelling to two operands', () => {
    const spellings = OPERANDS.flatMap(({ iri, aliases }) => [iri, ...aliases])
    expect(spellings.filter((spelling, index) => spellings.indexOf(spelling) !== index)).toEqual([])
  })

  it('resolves every spelling to the absolute IRI', () => {
    for (const { iri, aliases } of OPERANDS) {
      for (const alias of aliases) expect(leftOperandIri(alias)).toBe(iri)
    }
  })

  it('names every operand in both languages, with operators and phases', () => {
    for (const { iri, label, operators } of OPERANDS) {
      expect(label.en, iri).not.toBe('')
      expect(label.de, iri).not.toBe('')
      expect(Object.values(operators).length, iri).toBeGreaterThan(0)
      for (const { phases } of Object.values(operators)) expect(phases.length, iri).toBeGreaterThan(0)
    }
  })

  it('never lets an operand be published that the data plane does not enforce', () => {
    const DOCUMENT = `urn:sha256:${'0'.repeat(64)}`
    const WORDS = ['UTC', 'mean', 'agreement', 'laplace', DOCUMENT, BUYER, 'EU', 'buyer.example']
    const VALUES = ['2027-01-01T00:00:00Z', 'P1D', '5', '06:00:00', ...WORDS]
    // Functions of aggregation and groups mean nothing without a window, noise nothing without a document.
    const beside = (iri: string) =>
      iri === `${MDP}aggregation` || iri === `${MDP}minGroup`
        ? [constraint(`${MDP}aggregationWindow`, 'gteq', 'PT1M')]
        : iri === `${MDP}noise`
          ? [constraint(`${MDP}shape`, 'eq', DOCUMENT)]
          : []
    for (const { iri, operators, enforcedHere } of OPERANDS) {
      for (const operator of Object.keys(operators)) {
        const accepted = VALUES.filter(
          (value) => unsupportedTerms(permit(constraint(iri, operator, value), ...beside(iri))).length === 0,
        )
        expect(accepted.length > 0, `${iri} ${operator}`).toBe(
          enforcedHere && !(iri === `${MDP}sourceLocation` && operator === 'isNoneOf'),
        )
      }
    }
  })

  it('cannot tell the truth of a carried term, in any phase, and so denies', () => {
    const given = facts({ agreedAt: '2026-05-01T00:00:00Z', counted: 0 })
    for (const { iri, operators, enforcedHere } of OPERANDS) {
      if (enforcedHere) continue
      for (const operator of Object.keys(operators)) {
        for (const phase of ['catalog', 'negotiation', 'transfer', 'delivery'] as const) {
          const decision = evaluate(permit(constraint(iri, operator, '1')), phase, given)
          expect([decision.allowed, decision.reasons[0]?.verdict], `${iri} ${operator} ${phase}`).toEqual([
            false,
            'unknown',
          ])
        }
      }
    }
  })

  it('says of a carried term that it would be agreed by contract only', () => {
    const [only, ...rest] = unsupportedTerms(permit(constraint(`${MDP}retention`, 'lteq', 'P30D')))
    expect(rest).toEqual([])
    expect(only?.why.en).toBe(
      'This connector understands the condition "Time for which data is kept" and cannot enforce it: it would be agreed by contract only.',
    )
  })
})

describe('actions', () => {
  it.each([
    ['play', 'use', true],
    ['display', 'play', true],
    ['display', 'use', true],
    ['sell', 'transfer', true],
    ['sell', 'use', false],
    ['use', 'play', false],
    ['read', 'print', false],
  ])('%s within %s: %s', (inner, outer, expected) => {
    expect(isIncluded(ODRL + inner, ODRL + outer)).toBe(expected)
  })
  it('knows nothing about an action of somebody else', () => {
    expect(isIncluded('https://vocabulary.example/rent', `${ODRL}use`)).toBeUndefined()
  })
})
