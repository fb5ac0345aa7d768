/**
 * Worlds with doubt in them: durations of months and days, times without a zone, places, purposes, sizes of which the dimension
 * is open. Whatever the analysis is sure of, no value may contradict.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { comparePolicies } from '../../connector/policy/analysis/compare-policies.js'
import { decide } from '../../connector/policy/odrl/decide.js'
import type { OdrlPolicy } from '../../connector/policy/odrl/policy.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'
import { readRequests, readWorld } from '../../connector/policy/odrl/read-world.js'

const ORDERED = ['eq', 'neq', 'lt', 'lteq', 'gt', 'gteq']

type Kind = {
  readonly leftOperand: string
  readonly operators: readonly string[]
  readonly bounds: readonly string[]
  /** Values to try; they need not be all there are. */
  readonly values: readonly string[]
}

const KINDS: readonly Kind[] = [
  {
    leftOperand: 'elapsedTime',
    operators: ORDERED,
    bounds: ['P1M', 'P30D', 'P31D', 'P32D', 'P2M', 'PT0S'],
    values: ['PT0S', 'PT1S', 'P27D', 'P28D', 'P29D', 'P30D', 'P31D', 'P32D', 'P45D', 'P1M', 'P2M', 'P1Y'],
  },
  {
    leftOperand: 'dateTime',
    operators: ORDERED,
    bounds: ['2026-06-15T12:00:00', '2026-06-15T12:00:00Z', '2026-06-16T06:00:00Z', '2026-06-18T00:00:00'],
    values: [
      '2026-06-14T00:00:00Z',
      '2026-06-15T12:00:00Z',
      '2026-06-15T12:00:00',
      '2026-06-16T06:00:00Z',
      '2026-06-17T00:00:00',
      '2026-06-18T00:00:00',
      '2026-06-20T00:00:00Z',
    ],
  },
  {
    leftOperand: 'spatial',
    operators: ['eq', 'neq', 'isAnyOf', 'isNoneOf', 'isPartOf', 'hasPart'],
    bounds: ['DE', 'AT', 'CH', 'EU', 'DACH', 'Europe', 'World'],
    values: ['DE', 'AT', 'CH', 'FR', 'US', 'EU', 'EEA', 'DACH', 'Europe', 'World'],
  },
  {
    leftOperand: 'spatial',
    operators: ['eq', 'neq', 'isPartOf', 'hasPart'],
    bounds: ['DE', 'EU', 'https://vocabulary.example/north'],
    values: ['DE', 'EU', 'FR', 'https://vocabulary.example/north', 'https://vocabulary.example/town'],
  },
  {
    leftOperand: 'purpose',
    operators: ['eq', 'neq', 'isA', 'isAnyOf', 'isNoneOf'],
    bounds: [
      'mdp:Maintenance',
      'mdp:PredictiveMaintenance',
      'mdp:Research',
      'https://vocabulary.example/art',
    ],
    values: [
      'mdp:Maintenance',
      'mdp:PredictiveMaintenance',
      'mdp:Research',
      'mdp:Billing',
      'https://vocabulary.example/art',
    ],
  },
  {
    leftOperand: 'https://vocabulary.example/kind',
    operators: ['eq', 'neq', 'isAnyOf', 'isNoneOf', 'lt'],
    bounds: ['1', '1.0', 'one', 'https://vocabulary.example/one'],
    values: ['1', '1.0', '2', 'one', 'two', 'https://vocabulary.example/one'],
  },
]

const pair = fc.constantFrom(...KINDS).chain((kind) => {
  const atom = fc.record({
    leftOperand: fc.constant(kind.leftOperand),
    operator: fc.constantFrom(...kind.operators),
    rightOperand: fc.constantFrom(...kind.bounds),
  })
  const condition = fc.oneof(
    { weight: 2, arbitrary: atom },
    ...['and', 'or', 'xone', 'andSequence'].map((name) => ({
      weight: 1,
      arbitrary: fc.array(atom, { minLength: 1, maxLength: 3 }).map((operands) => ({ [name]: operands })),
    })),
  )
  return fc.tuple(fc.constant(kind), condition, condition)
})

const read = (constraint: object): OdrlPolicy => {
  const policy = readPolicy({ permission: [{ action: 'use', constraint: [constraint] }] })
  if (!policy.ok) throw new Error(policy.error.message)
  return policy.value
}

const [USE] = readRequests({ action: 'use' })

/** Whether the only permission applies; undefined when the evaluator cannot tell. */
function holds(policy: OdrlPolicy, leftOperand: string, value: string): boolean | undefined {
  if (USE === undefined) throw new Error('no request')
  return decide(policy, USE, readWorld({ facts: { [leftOperand]: value } })).rules[0]?.applies
}

it('is sure of nothing that a value contradicts', () => {
  fc.assert(
    fc.property(pair, ([{ leftOperand, values }, one, other]) => {
      const [a, b] = [read(one), read(other)]
      const found = comparePolicies(a, b)
      for (const value of values) {
        const [inA, inB] = [holds(a, leftOperand, value), holds(b, leftOperand, value)]
        if (found.aWithinB === 'yes') expect([inA, inB], value).not.toEqual([true, false])
        if (found.bWithinA === 'yes') expect([inA, inB], value).not.toEqual([false, true])
        if (found.overlap === 'no') expect([inA, inB], value).not.toEqual([true, true])
        if (found.aSatisfiable === 'no') expect(inA, value).not.toBe(true)
      }
      // What is contained cannot be apart and not empty, and what is not contained is not equal.
      if (found.aWithinB === 'yes' && found.aSatisfiable === 'yes') expect(found.overlap).not.toBe('no')
      if (found.relation === 'equal') expect([found.aWithinB, found.bWithinA]).toEqual(['yes', 'yes'])
    }),
    { numRuns: Number(process.env.ORACLE_RUNS ?? 600) },
  )
}, 120_000)
