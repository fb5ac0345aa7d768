/**
 * Every verdict of the analysis against brute force: small worlds in which every use that can matter is tried one by one
 * by the evaluator, which knows nothing of boxes.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkPolicy } from '../../connector/policy/analysis/check.js'
import { comparePolicies } from '../../connector/policy/analysis/compare-policies.js'
import type { Witness } from '../../connector/policy/analysis/relate.js'
import { decide } from '../../connector/policy/odrl/decide.js'
import type { OdrlPolicy } from '../../connector/policy/odrl/policy.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'
import { readRequests, readWorld } from '../../connector/policy/odrl/read-world.js'

const RUNS = { numRuns: Number(process.env.ORACLE_RUNS ?? 150) }
const COLOUR = 'https://vocabulary.example/colour'
const LEVEL = 'https://vocabulary.example/level'

const ordered = fc.constantFrom('eq', 'neq', 'lt', 'lteq', 'gt', 'gteq')
const ATOMS: readonly fc.Arbitrary<object>[] = [
  fc.record({
    leftOperand: fc.constant('count'),
    operator: ordered,
    rightOperand: fc.constantFrom('1', '2', '4'),
  }),
  fc.record({
    leftOperand: fc.constant(LEVEL),
    operator: ordered,
    rightOperand: fc.constantFrom(1.5, 3, '10'),
  }),
  fc.record({
    leftOperand: fc.constant('dateTime'),
    operator: ordered,
    rightOperand: fc.constantFrom(
      { '@value': '2026-01-01T00:00:00Z', '@type': 'xsd:dateTime' },
      { '@value': '2027-01-01T01:00:00+01:00', '@type': 'xsd:dateTime' },
      { '@value': '2026-06-15Z', '@type': 'xsd:date' },
    ),
  }),
  fc.oneof(
    fc.record({
      leftOperand: fc.constant(COLOUR),
      operator: fc.constantFrom('isAnyOf', 'isNoneOf'),
      rightOperand: fc.subarray(['red', 'green', 'blue'], { minLength: 1 }),
    }),
    fc.record({
      leftOperand: fc.constant(COLOUR),
      operator: fc.constantFrom('eq', 'neq'),
      rightOperand: fc.constantFrom('red', 'green'),
    }),
  ),
]

const conditionOf = (atoms: readonly fc.Arbitrary<object>[]) =>
  fc.letrec<{ condition: object }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 2 },
      { weight: 3, arbitrary: fc.oneof(...atoms) },
      ...['and', 'or', 'xone'].map((kind) => ({
        weight: 1,
        arbitrary: fc
          .array(tie('condition'), { minLength: 1, maxLength: 3 })
          .map((operands) => ({ [kind]: operands })),
      })),
    ),
  })).condition

const policyOf = (actions: readonly string[], atoms: readonly fc.Arbitrary<object>[]) => {
  const rule = fc.record(
    {
      action: fc.constantFrom(...actions),
      target: fc.constantFrom('urn:x:1', 'urn:x:2'),
      constraint: fc.array(conditionOf(atoms), { maxLength: 2 }),
    },
    { requiredKeys: ['action', 'constraint'] },
  )
  return fc.record({
    permission: fc.array(rule, { minLength: 1, maxLength: 2 }),
    prohibition: fc.array(rule, { maxLength: 1 }),
    conflict: fc.constantFrom('perm', 'prohibit', 'invalid'),
  })
}

/** Two policies about two left operands, so that every use can be tried. */
const pairOf = (actions: readonly string[]) =>
  fc
    .subarray([...ATOMS], { minLength: 1, maxLength: 2 })
    .chain((atoms) => fc.tuple(policyOf(actions, atoms), policyOf(actions, atoms)))

/** Actions of which all that they include is known, apart from use and transfer themselves. */
const pair = pairOf(['use', 'print', 'sell'])
const policyJson = pair.map(([one]) => one)
/** "play" may include more than "display", so some questions about it have no answer. */
const openPair = pairOf(['use', 'play', 'display', 'print'])

const read = (json: unknown): OdrlPolicy => {
  const policy = readPolicy(json)
  if (!policy.ok) throw new Error(policy.error.message)
  return policy.value
}

/** One value in every cell that the conditions above can make, and more. */
const GRID: Readonly<Record<string, readonly string[]>> = {
  count: ['0', '1', '2', '3', '4', '5'],
  [LEVEL]: ['0.1', '1.5', '2', '3', '4', '10', '11'],
  dateTime: [
    '2025-12-31T00:00:00Z',
    '2026-01-01T00:00:00Z',
    '2026-02-01T00:00:00Z',
    '2026-06-15T00:00:00Z',
    '2026-06-15T12:00:00Z',
    '2026-06-16T00:00:00Z',
    '2026-12-31T23:59:59Z',
    '2027-01-01T00:00:00Z',
    '2027-01-01T00:00:01Z',
  ],
  [COLOUR]: ['red', 'green', 'blue', 'violet'],
  action: ['use', 'play', 'display', 'print', 'sell', 'transfer'],
  target: ['urn:x:1', 'urn:x:2', 'urn:x:3'],
}

type Use = Readonly<Record<string, string>>

function allows(policy: OdrlPolicy, use: Use): boolean {
  const { action, target, dateTime, ...facts } = use
  const [request] = readRequests({ action, target })
  if (request === undefined) throw new Error('no request')
  return decide(policy, request, readWorld({ at: dateTime, facts })).allowed
}

/** Left operands that a policy does not mention make no difference. */
function uses(texts: string): readonly Use[] {
  let all: readonly Use[] = [{}]
  for (const [name, values] of Object.entries(GRID)) {
    const matters = name === 'action' || texts.includes(JSON.stringify(name))
    const tried = matters ? values : values.slice(0, 1)
    all = all.flatMap((use) => tried.map((value) => ({ ...use, [name]: value })))
  }
  return all
}

const ANY: Use = Object.fromEntries(Object.entries(GRID).map(([name, values]) => [name, values[0] ?? '']))

/** The use that a witness describes; what it leaves open may be anything. */
const shown = (witness: Witness | undefined): Use => {
  expect(witness).toBeDefined()
  const named = Object.entries(witness ?? {}).map(([name, value]) => [
    name,
    value === 'any other' ? 'urn:x:9' : value.replace('http://www.w3.org/ns/odrl/2/', ''),
  ])
  return { ...ANY, ...Object.fromEntries(named) }
}

describe('comparison against brute force', () => {
  it('never says yes or no against a use that shows otherwise, and always knows in a world without doubt', () => {
    fc.assert(
      fc.property(pair, ([jsonA, jsonB]) => {
        const [a, b] = [read(jsonA), read(jsonB)]
        const found = comparePolicies(a, b)
        const tried = uses(JSON.stringify([jsonA, jsonB])).map(
          (use) => [allows(a, use), allows(b, use)] as const,
        )
        const yes = (holds: boolean): 'yes' | 'no' => (holds ? 'yes' : 'no')
        expect(found.aWithinB).toBe(yes(tried.every(([inA, inB]) => !inA || inB)))
        expect(found.bWithinA).toBe(yes(tried.every(([inA, inB]) => !inB || inA)))
        expect(found.overlap).toBe(yes(tried.some(([inA, inB]) => inA && inB)))
        expect(found.aSatisfiable).toBe(yes(tried.some(([inA]) => inA)))
        expect(found.bSatisfiable).toBe(yes(tried.some(([, inB]) => inB)))
        if (found.aWithinB === 'no')
          expect([a, b].map((one) => allows(one, shown(found.onlyA)))).toEqual([true, false])
        if (found.bWithinA === 'no')
          expect([a, b].map((one) => allows(one, shown(found.onlyB)))).toEqual([false, true])
        if (found.overlap === 'yes')
          expect([a, b].map((one) => allows(one, shown(found.both)))).toEqual([true, true])
      }),
      RUNS,
    )
  }, 120_000)

  it('has no verdict that a use contradicts where actions may include more than is known', () => {
    fc.assert(
      fc.property(openPair, ([jsonA, jsonB]) => {
        const [a, b] = [read(jsonA), read(jsonB)]
        const found = comparePolicies(a, b)
        const tried = uses(JSON.stringify([jsonA, jsonB])).map(
          (use) => [allows(a, use), allows(b, use)] as const,
        )
        if (found.aWithinB === 'yes') expect(tried.every(([inA, inB]) => !inA || inB)).toBe(true)
        if (found.overlap === 'no') expect(tried.some(([inA, inB]) => inA && inB)).toBe(false)
        if (found.aWithinB === 'no')
          expect([a, b].map((one) => allows(one, shown(found.onlyA)))).toEqual([true, false])
        if (found.overlap === 'yes')
          expect([a, b].map((one) => allows(one, shown(found.both)))).toEqual([true, true])
      }),
      RUNS,
    )
  }, 120_000)

  it('finds every permission that can never hold, and none that can', () => {
    fc.assert(
      fc.property(policyJson, (json) => {
        const policy = read({ permission: json.permission })
        const never = checkPolicy(policy).filter(({ kind }) => kind === 'never')
        const lone = json.permission.map((one) => read({ permission: [one] }))
        const tried = uses(JSON.stringify(json))
        const dead = lone.filter((one) => !tried.some((use) => allows(one, use)))
        expect(never.length).toBe(dead.length)
      }),
      RUNS,
    )
  }, 120_000)

  it('calls a permission redundant or shadowed only where leaving it out changes nothing', () => {
    fc.assert(
      fc.property(policyJson, (json) => {
        const policy = read(json)
        const tried = uses(JSON.stringify(json))
        for (const { kind, path } of checkPolicy(policy)) {
          if ((kind !== 'redundant' && kind !== 'shadowed') || !/^permission\[\d\]$/.test(path)) continue
          const index = Number(/\d/.exec(path)?.[0])
          const without = { ...policy, permissions: policy.permissions.filter((_rule, at) => at !== index) }
          expect(tried.filter((use) => allows(policy, use) !== allows(without, use))).toEqual([])
        }
      }),
      RUNS,
    )
  }, 120_000)
})
