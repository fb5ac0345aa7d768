/** Properties that hold for every policy a stranger may send. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { differences, differenceText } from '../../connector/policy/compare.js'
import { compilePlan } from '../../connector/policy/compile.js'
import { evaluate } from '../../connector/policy/evaluate.js'
import { explain } from '../../connector/policy/explain.js'
import type { Phase } from '../../connector/policy/model.js'
import { parsePolicy } from '../../connector/policy/parse.js'
import { refusalText } from '../../connector/policy/refusal-words.js'
import { unsupportedTerms } from '../../connector/policy/support.js'
import { policyFromTerms } from '../../connector/policy/write.js'
import { BUYER, facts, instant, MDP, policy } from './policies.js'

const PHASES: readonly Phase[] = ['catalog', 'negotiation', 'transfer', 'delivery']
const KNOWN = facts({ agreedAt: '2026-05-01T00:00:00Z', counted: 3 })
const RUNS = { numRuns: 300 }

/** Keys and terms of the language and around it, so that random JSON gets past the first check. */
const word = fc.constantFrom(
  'permission',
  'prohibition',
  'obligation',
  'duty',
  'constraint',
  'and',
  'or',
  'xone',
  'andSequence',
  'action',
  'leftOperand',
  'operator',
  'rightOperand',
  'profile',
  'odrl:permission',
  '@id',
  '@type',
  '@value',
  '@list',
  '__proto__',
  'constructor',
  'toString',
  'length',
  'refinement',
  'target',
)
const value = fc.oneof(
  fc.constantFrom(
    'use',
    'odrl:use',
    'odrl:count',
    'odrl:dateTime',
    `${MDP}fields`,
    'lteq',
    'isPartOf',
    'eq',
    '5',
    'P1D',
    '2027-01-01T00:00:00Z',
    '__proto__',
  ),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
)
const anyJson = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 9, withCrossShrink: true },
    value,
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(word, fc.string()), tie('json'), { maxKeys: 4 }),
  ),
})).json

const atomic = fc.oneof(
  fc.record({
    leftOperand: fc.constantFrom('odrl:count', 'count'),
    operator: fc.constantFrom('lteq', 'lt'),
    rightOperand: fc.constantFrom('0', '3', '10', 'x'),
  }),
  fc.record({
    leftOperand: fc.constant('odrl:dateTime'),
    operator: fc.constantFrom('lt', 'lteq', 'gt', 'gteq', 'eq'),
    rightOperand: fc.constantFrom('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', '2027'),
  }),
  fc.record({
    leftOperand: fc.constant('odrl:recipient'),
    operator: fc.constant('isAnyOf'),
    rightOperand: fc.constantFrom([BUYER], ['did:web:x'], []),
  }),
  fc.record({
    leftOperand: fc.constant(`${MDP}agreementAge`),
    operator: fc.constant('lteq'),
    rightOperand: fc.constantFrom('P1D', 'P1Y'),
  }),
  fc.record({
    leftOperand: fc.constant(`${MDP}fields`),
    operator: fc.constant('isPartOf'),
    rightOperand: fc.constantFrom(['a'], ['a', 'b']),
  }),
  fc.record({
    leftOperand: fc.constant('odrl:purpose'),
    operator: fc.constant('eq'),
    rightOperand: fc.constant('x'),
  }),
)
const condition = fc.letrec<{ condition: object }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    atomic,
    ...['and', 'or', 'xone', 'andSequence'].map((kind) =>
      fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((operands) => ({ [kind]: operands })),
    ),
  ),
})).condition
const rule = (actions: readonly string[]) =>
  fc.record({ action: fc.constantFrom(...actions), constraint: fc.array(condition, { maxLength: 3 }) })
/** Well-formed policies, understood or not. */
const wellFormed = fc.record({
  permission: fc.array(rule(['use']), { maxLength: 2 }),
  prohibition: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(rule(['use', 'distribute']), { maxLength: 2 }) },
  ),
})

/** Every object and list where something can be added that is unknown; in a right operand it would be one more value. */
function places(json: unknown): readonly (unknown[] | Record<string, unknown>)[] {
  if (Array.isArray(json)) return [json, ...json.flatMap(places)]
  if (typeof json !== 'object' || json === null) return []
  return [
    json as Record<string, unknown>,
    ...Object.entries(json).flatMap(([key, inner]) => (key === 'rightOperand' ? [] : places(inner))),
  ]
}

describe('arbitrary JSON', () => {
  it('never throws, and is allowed nothing unless it is understood in full', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyJson,
          fc.record({ permission: anyJson, prohibition: anyJson, profile: anyJson }),
          fc.record({ permission: fc.array(fc.record({ action: fc.constant('use'), constraint: anyJson })) }),
        ),
        (json) => {
          const parsed = parsePolicy(json)
          if (!parsed.ok) return
          const unsupported = unsupportedTerms(parsed.value)
          const clauses = explain(parsed.value)
          expect(clauses.map(({ number }) => number)).toEqual(clauses.map((_clause, index) => index + 1))
          const plan = compilePlan(parsed.value, {
            agreedAt: instant('2026-05-01T00:00:00Z'),
            assignee: BUYER,
          })
          if (unsupported.length > 0) expect(plan.ok).toBe(false)
          for (const phase of PHASES) {
            const decision = evaluate(parsed.value, phase, KNOWN)
            if (!decision.allowed) expect(refusalText(decision).de).toMatch(/^Abgelehnt: /)
            if (parsed.value.unknownTerms.length > 0) expect(decision.allowed).toBe(false)
          }
        },
      ),
      RUNS,
    )
  })
  it('compares without throwing, and every value equals itself', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (a, b) => {
        for (const difference of differences(a, b)) differenceText(difference)
        if (parsePolicy(a).ok) expect(differences(a, structuredClone(a))).toEqual([])
      }),
      RUNS,
    )
  })
  it('is never written as terms without being valid', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('recipients', 'from', 'until', 'count', 'fields', 'samplingInterval', 'other'),
          anyJson,
        ),
        (terms) => {
          const written = policyFromTerms(terms as object)
          if (written.ok) expect(unsupportedTerms(policy(written.value))).toEqual([])
        },
      ),
      RUNS,
    )
  })
})

describe('policies that are well-formed', () => {
  it('are never allowed more because something unknown was added, anywhere', () => {
    const strange = fc.constantFrom<unknown>(
      { leftOperand: 'urn:unknown', operator: 'eq', rightOperand: 'x' },
      { leftOperand: 'odrl:count', operator: 'approximately', rightOperand: '5' },
      { leftOperand: 'odrl:count', operator: 'lteq', rightOperand: 'many' },
      'urn:reference',
      'odrl:Prohibition',
      null,
      7,
    )
    fc.assert(
      fc.property(
        wellFormed,
        fc.nat(),
        fc.nat(),
        strange,
        fc.constantFrom('remedy', 'target', '@type', 'unit', 'inheritFrom', '__unknown', 'odrl:refinement'),
        fc.constantFrom(...PHASES),
        (json, where, position, added, key, phase) => {
          const changed: unknown = structuredClone(json)
          const all = places(changed)
          const place = all[where % all.length]
          if (Array.isArray(place)) place.splice(position % (place.length + 1), 0, added)
          else if (place !== undefined) place[key] = added
          const before = evaluate(policy(json), phase, KNOWN).allowed
          const after = evaluate(policy(changed), phase, KNOWN).allowed
          if (!before) expect(after).toBe(false)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('are never allowed more because a fact is missing', () => {
    fc.assert(
      fc.property(wellFormed, fc.constantFrom(...PHASES), (json, phase) => {
        const informed = evaluate(policy(json), phase, KNOWN).allowed
        const uninformed = evaluate(policy(json), phase, { at: KNOWN.at, recipient: KNOWN.recipient }).allowed
        if (uninformed) expect(informed).toBe(true)
      }),
      RUNS,
    )
  })

  it('allow at delivery what their plan allows, and nothing else', () => {
    const instants = [
      '2025-12-31T23:59:59.999Z',
      '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00.001Z',
      '2026-05-01T12:00:00Z',
      '2026-05-02T00:00:00.000Z',
      '2026-12-31T23:59:59.999Z',
      '2027-01-01T00:00:00Z',
      '2027-05-01T00:00:00.001Z',
    ].map(instant)
    fc.assert(
      fc.property(
        fc.array(atomic, { maxLength: 4 }),
        fc.constantFrom(...instants),
        fc.integer({ min: 0, max: 12 }),
        (constraints, at: EpochMs, counted) => {
          const parsed = policy({ permission: [{ action: 'use', constraint: constraints }] })
          const plan = compilePlan(parsed, { agreedAt: instant('2026-05-01T00:00:00Z'), assignee: BUYER })
          const { allowed } = evaluate(parsed, 'delivery', { ...KNOWN, at, counted })
          if (!plan.ok) return
          const {
            notBefore = Number.NEGATIVE_INFINITY,
            notAfter = Number.POSITIVE_INFINITY,
            countLimit = Number.POSITIVE_INFINITY,
          } = plan.value
          expect(at >= notBefore && at < notAfter && counted < countLimit).toBe(allowed)
        },
      ),
      { numRuns: 600 },
    )
  })

  it('equal themselves after a detour through full IRIs and lists of one', () => {
    const spell = (json: unknown): unknown => {
      if (Array.isArray(json)) return json.map(spell)
      if (typeof json === 'string') return { '@value': json }
      if (typeof json !== 'object' || json === null) return json
      return Object.fromEntries(
        Object.entries(json).map(([key, inner]) => [
          `http://www.w3.org/ns/odrl/2/${key}`,
          Array.isArray(inner) ? spell(inner) : [spell(inner)],
        ]),
      )
    }
    fc.assert(
      fc.property(wellFormed, (json) => {
        expect(differences(json, spell(json))).toEqual([])
        expect(parsePolicy(spell(json))).toEqual(parsePolicy(json))
      }),
      RUNS,
    )
  })
})
