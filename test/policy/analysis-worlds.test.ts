/**
 * Verdicts about units, clocks, orders of steps, collections and several policies, against worlds in which uses are tried one
 * by one: by the evaluator where it knows the matter, else by arithmetic that stands here.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { common } from '../../connector/policy/analysis/common.js'
import { comparePolicies } from '../../connector/policy/analysis/compare-policies.js'
import { decide } from '../../connector/policy/odrl/decide.js'
import type { OdrlPolicy } from '../../connector/policy/odrl/policy.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'
import { readRequests, readWorld } from '../../connector/policy/odrl/read-world.js'

const runs = (usual: number) => ({ numRuns: Number(process.env.ORACLE_RUNS ?? usual) })
const ORDERED = ['eq', 'neq', 'lt', 'lteq', 'gt', 'gteq'] as const
type Ordered = (typeof ORDERED)[number]

const read = (json: unknown): OdrlPolicy => {
  const policy = readPolicy(json)
  if (!policy.ok) throw new Error(policy.error.message)
  return policy.value
}

function allows(policy: OdrlPolicy, use: object, state: object): boolean {
  const [request] = readRequests(use)
  if (request === undefined) throw new Error('no request')
  return decide(policy, request, readWorld(state)).allowed
}

/** What no use may contradict; `tried` says of each use whether the first and the second allow it. */
function expectSound(
  found: ReturnType<typeof comparePolicies>,
  tried: readonly (readonly [boolean, boolean])[],
) {
  if (found.aWithinB === 'yes') expect(tried.some(([inA, inB]) => inA && !inB)).toBe(false)
  if (found.bWithinA === 'yes') expect(tried.some(([inA, inB]) => inB && !inA)).toBe(false)
  if (found.overlap === 'no') expect(tried.some(([inA, inB]) => inA && inB)).toBe(false)
  if (found.aSatisfiable === 'no') expect(tried.some(([inA]) => inA)).toBe(false)
}

const holds: Readonly<Record<Ordered, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
  lt: (a, b) => a < b,
  lteq: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gteq: (a, b) => a >= b,
}

type Bound = { readonly operator: Ordered; readonly amount: number; readonly unit: string }
const IN_MILLIMETRES: Readonly<Record<string, number>> = { KiloM: 1_000_000, M: 1000, CentiM: 10, MilliM: 1 }
const bound: fc.Arbitrary<Bound> = fc.record({
  operator: fc.constantFrom(...ORDERED),
  amount: fc.constantFrom(1, 2, 10, 100, 1000, 2000),
  unit: fc.constantFrom(...Object.keys(IN_MILLIMETRES)),
})
const long = ({ operator, amount, unit }: Bound) => ({
  leftOperand: 'https://vocabulary.example/length',
  operator,
  rightOperand: String(amount),
  unit: `http://qudt.org/vocab/unit/${unit}`,
})

it('knows every relation of lengths in several units', () => {
  const rule = fc.array(bound, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(rule, rule, (one, other) => {
      const points = [...one, ...other].map(({ amount, unit }) => amount * (IN_MILLIMETRES[unit] ?? 0))
      const tried = points
        .flatMap((point) => [point - 0.5, point, point + 0.5])
        .map((value) => {
          const all = (bounds: readonly Bound[]) =>
            bounds.every(({ operator, amount, unit }) =>
              holds[operator](value, amount * (IN_MILLIMETRES[unit] ?? 0)),
            )
          return [all(one), all(other)] as const
        })
      const policy = (bounds: readonly Bound[]) =>
        read({ permission: [{ action: 'use', constraint: bounds.map(long) }] })
      const found = comparePolicies(policy(one), policy(other))
      expectSound(found, tried)
      // Between whole millimetres nobody knows whether there are lengths, but never whether one rule is in another.
      if (!tried.some(([inA, inB]) => inA && !inB)) expect(found.aWithinB).toBe('yes')
      if (!tried.some(([inA, inB]) => inA && inB)) expect(found.overlap).toBe('no')
    }),
    runs(300),
  )
})

const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo']
const MDP = 'https://w3id.org/machine-data-policy/v1#'
const wall = fc.oneof(
  fc.record({
    leftOperand: fc.constant(`${MDP}localTime`),
    operator: fc.constantFrom('lt', 'gteq'),
    rightOperand: fc.constantFrom('02:00:00', '02:30:00', '06:00:00', '22:00:00'),
  }),
  fc.record({
    leftOperand: fc.constant(`${MDP}dayOfWeek`),
    operator: fc.constantFrom('isAnyOf', 'isNoneOf'),
    rightOperand: fc.subarray(['1', '2', '6', '7'], { minLength: 1 }),
  }),
)
const START = Date.UTC(2026, 2, 27)
const HALF_HOUR = 1_800_000
/** Half hours from Friday 27 March 2026, around the night in which the clocks of Berlin are put forward. */
const instant = fc
  .integer({ min: 0, max: 48 * 4 })
  .map((step) => new Date(START + step * HALF_HOUR).toISOString())
const clocked = fc
  .record({
    walls: fc.array(wall, { minLength: 1, maxLength: 2 }),
    zone: fc.constantFrom(...ZONES),
    from: fc.option(instant),
    until: fc.option(instant),
  })
  .map(({ walls, zone, from, until }) => ({
    permission: [
      {
        action: 'use',
        constraint: [
          ...walls,
          { leftOperand: `${MDP}timeZone`, operator: 'eq', rightOperand: zone },
          ...(from === null ? [] : [{ leftOperand: 'dateTime', operator: 'gteq', rightOperand: from }]),
          ...(until === null ? [] : [{ leftOperand: 'dateTime', operator: 'lt', rightOperand: until }]),
        ],
      },
    ],
  }))

it('knows what clocks of one zone or several show in a stretch of time', () => {
  const moments = Array.from({ length: 48 * 5 }, (_, step) =>
    new Date(START + step * HALF_HOUR).toISOString(),
  )
  let known = 0
  fc.assert(
    fc.property(clocked, clocked, (jsonA, jsonB) => {
      const [a, b] = [read(jsonA), read(jsonB)]
      const found = comparePolicies(a, b)
      const at = (moment: string) =>
        [a, b].map((policy) => allows(policy, { action: 'use' }, { at: moment })) as [boolean, boolean]
      expectSound(found, moments.map(at))
      // Every boundary is a half hour, so within these days trying them all is exact.
      const isBounded =
        JSON.stringify(jsonA).includes('"gteq","rightOperand":"2026') &&
        jsonA.permission[0]?.constraint.at(-1)?.operator === 'lt'
      if (isBounded && found.overlap !== 'unknown') known += 1
      if (found.overlap === 'yes' && found.both?.dateTime !== undefined && found.both.localTime === undefined)
        expect(at(found.both.dateTime)).toEqual([true, true])
      if (
        found.aWithinB === 'no' &&
        found.onlyA?.dateTime !== undefined &&
        found.onlyA.localTime === undefined &&
        found.onlyA.dayOfWeek === undefined
      )
        expect(at(found.onlyA.dateTime)).toEqual([true, false])
    }),
    runs(20),
  )
  expect(known).toBeGreaterThan(0)
}, 120_000)

it('says nothing about steps in order that one of the two readings contradicts', () => {
  /** With the middle of each year, which lies between any two of its bounds. */
  const years = Array.from({ length: 9 }, (_, half) => 2024 + half / 2)
  type Step = { readonly operator: Ordered; readonly year: number }
  const step: fc.Arbitrary<Step> = fc.record({
    operator: fc.constantFrom('lt', 'lteq', 'gt', 'gteq', 'eq'),
    year: fc.constantFrom(2025, 2026, 2027),
  })
  const steps = fc.array(step, { minLength: 1, maxLength: 3 })
  const json = (all: readonly Step[], kind: string) => ({
    permission: [
      {
        action: 'use',
        constraint: [
          {
            [kind]: all.map(({ operator, year }) => ({
              leftOperand: 'dateTime',
              operator,
              rightOperand: `${year}-01-01T00:00:00Z`,
            })),
          },
        ],
      },
    ],
  })
  const meets = (now: number, { operator, year }: Step) => holds[operator](now, year)
  const atOnce = (now: number, all: readonly Step[]) => all.every((one) => meets(now, one))
  /** Each step at some time no earlier than the one before, the last one no later than now. */
  const inOrder = (now: number, all: readonly Step[]): boolean => {
    let reached = Number.NEGATIVE_INFINITY
    for (const one of all) {
      const next = years.find((year) => year >= reached && year <= now && meets(year, one))
      if (next === undefined) return false
      reached = next
    }
    return true
  }
  fc.assert(
    fc.property(steps, steps, (one, other) => {
      const found = comparePolicies(read(json(one, 'andSequence')), read(json(other, 'and')))
      for (const reading of [atOnce, inOrder]) {
        expectSound(
          found,
          years.map((now) => [reading(now, one), atOnce(now, other)] as const),
        )
        const tried = years.map((now) => [reading(now, one), atOnce(now, other)] as const)
        if (found.overlap === 'yes') expect(tried.some(([inA, inB]) => inA && inB)).toBe(true)
        if (found.aWithinB === 'no') expect(tried.some(([inA, inB]) => inA && !inB)).toBe(true)
      }
    }),
    runs(300),
  )
})

it('says nothing about collections that some membership contradicts', () => {
  const things = ['urn:x:1', 'urn:x:2']
  const collections = ['urn:c:1', 'urn:c:2']
  const target = fc.oneof(
    fc.constantFrom(...things),
    fc.record({ '@type': fc.constant('AssetCollection'), uid: fc.constantFrom(...collections) }),
    fc.record({ '@type': fc.constant('Asset'), uid: fc.constant('urn:x:1'), partOf: fc.constant('urn:c:1') }),
  )
  const rule = fc.record({ action: fc.constant('use'), target })
  const policy = fc.record({
    permission: fc.array(rule, { minLength: 1, maxLength: 2 }),
    prohibition: fc.array(rule, { maxLength: 1 }),
    conflict: fc.constantFrom('perm', 'prohibit'),
  })
  const everyWay = Array.from({ length: 1 << 6 }, (_, bits) => bits)
  fc.assert(
    fc.property(policy, policy, (jsonA, jsonB) => {
      const [a, b] = [read(jsonA), read(jsonB)]
      const found = comparePolicies(a, b)
      const isSaid = JSON.stringify([jsonA, jsonB]).includes('partOf')
      const tried = everyWay.flatMap((bits) => {
        const members = [...things, 'urn:x:9'].map((thing, index) => [
          thing,
          collections.filter((_one, at) => (bits & (1 << (index * 2 + at))) !== 0),
        ])
        if (isSaid && (bits & 1) === 0) return []
        const memberships = Object.fromEntries(members)
        return [...things, ...collections, 'urn:x:9'].map(
          (one) =>
            [a, b].map((each) => allows(each, { action: 'use', target: one }, { memberships })) as [
              boolean,
              boolean,
            ],
        )
      })
      expectSound(found, tried)
    }),
    runs(150),
  )
}, 120_000)

it('knows whether three policies have anything in common', () => {
  const EX = 'https://vocabulary.example/level'
  const atom = fc.record({
    leftOperand: fc.constantFrom('count', EX),
    operator: fc.constantFrom(...ORDERED),
    rightOperand: fc.constantFrom('1', '2', '4.5'),
  })
  const condition = fc.oneof(
    atom,
    fc
      .tuple(fc.constantFrom('or', 'and', 'xone'), fc.array(atom, { minLength: 1, maxLength: 3 }))
      .map(([kind, operands]) => ({ [kind]: operands })),
  )
  const rule = fc.record({
    action: fc.constantFrom('use', 'print'),
    constraint: fc.array(condition, { maxLength: 2 }),
  })
  const policy = fc.record({
    permission: fc.array(rule, { minLength: 1, maxLength: 2 }),
    prohibition: fc.array(rule, { maxLength: 1 }),
    conflict: fc.constantFrom('perm', 'prohibit'),
  })
  const uses = ['use', 'print', 'archive', 'sell'].flatMap((action) =>
    ['0', '1', '2', '3', '4', '5'].flatMap((count) =>
      ['0.5', '1', '1.5', '2', '3', '4.5', '6'].map((level) => ({ action, facts: { count, [EX]: level } })),
    ),
  )
  fc.assert(
    fc.property(fc.array(policy, { minLength: 3, maxLength: 4 }), (jsons) => {
      const policies = jsons.map(read)
      const found = common(policies)
      const allowed = uses.filter(({ action, facts }) =>
        policies.every((one) => allows(one, { action }, { facts })),
      )
      // Nobody knows whether there are levels between 1 and 2.
      const isBetween = allowed.length > 0 && allowed.every(({ facts }) => facts[EX] === '1.5')
      const expected = isBetween ? ['yes', 'unknown'] : [allowed.length > 0 ? 'yes' : 'no']
      expect(expected).toContain(found.overlap)
    }),
    runs(100),
  )
}, 120_000)
