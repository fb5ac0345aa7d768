/** One policy in every spelling: equal to itself in each comparison, and one plan with one hash. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EpochMs, JsonObject } from '../../connector/core/types.js'
import { compareLine } from '../../connector/policy/batch-compare.js'
import { differences } from '../../connector/policy/compare.js'
import { compilePlan } from '../../connector/policy/compile.js'
import { ODRL, PROFILE } from '../../connector/policy/model.js'
import { BUYER, MDP, policy } from './policies.js'

/** Numbers that choose a spelling, one after another, for ever the same in a run. */
type Dice = (sides: number) => number
const diceOf = (seed: readonly number[]): Dice => {
  let at = 0
  return (sides) => (seed[at++ % seed.length] ?? 0) % sides
}

const shuffled = <T>(items: readonly T[], dice: Dice): readonly T[] => {
  const rest = [...items]
  return items.map(() => rest.splice(dice(rest.length), 1)[0] as T)
}
const wrapped = (name: string, dice: Dice): unknown =>
  [name, { '@id': name }, [name], [{ '@id': name }]][dice(4)]
const oneOrList = (items: readonly unknown[], dice: Dice): unknown =>
  items.length === 1 && dice(2) === 0 ? items[0] : items
const term = (name: string, dice: Dice): string => [name, `odrl:${name}`, ODRL + name][dice(3)] ?? name
const member = term

type Written = {
  readonly left: string
  readonly operator: string
  readonly values: readonly string[]
  readonly datatype?: string
  readonly number?: true
}

const LEFT: Readonly<Record<string, readonly string[]>> = {
  count: ['count', 'odrl:count', `${ODRL}count`],
  dateTime: ['dateTime', 'odrl:dateTime', `${ODRL}dateTime`, 'POLICY_EVALUATION_TIME'],
  recipient: ['recipient', 'odrl:recipient', `${ODRL}recipient`, 'REFERRING_CONNECTOR'],
  fields: ['mdp:fields', `${MDP}fields`],
  agreementAge: ['mdp:agreementAge', `${MDP}agreementAge`],
  valueStep: ['mdp:valueStep', `${MDP}valueStep`],
  samplingInterval: ['mdp:samplingInterval', `${MDP}samplingInterval`],
}
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  lteq: ['term-lteq', 'LEQ'],
  lt: ['LT'],
  gteq: ['GEQ'],
  isAnyOf: ['IS_ANY_OF'],
  isPartOf: ['IN'],
}

const CONDITIONS: readonly (Written | readonly Written[])[] = [
  { left: 'count', operator: 'lteq', values: ['1000'], datatype: 'xsd:integer', number: true },
  { left: 'dateTime', operator: 'lt', values: ['2027-01-01T00:00:00Z'], datatype: 'xsd:dateTime' },
  { left: 'dateTime', operator: 'gteq', values: ['2026-01-01T00:00:00Z'], datatype: 'xsd:dateTime' },
  { left: 'recipient', operator: 'isAnyOf', values: [BUYER, 'did:web:other.example'] },
  { left: 'fields', operator: 'isPartOf', values: ['K\u00e4lte', 'load', 'temperature'] },
  { left: 'agreementAge', operator: 'lteq', values: ['P7D'], datatype: 'xsd:duration' },
  { left: 'valueStep', operator: 'gteq', values: ['0.5'], datatype: 'xsd:decimal', number: true },
  { left: 'samplingInterval', operator: 'gteq', values: ['PT10S'], datatype: 'xsd:duration' },
]

/** The same value in other digits or code points. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  '2027-01-01T00:00:00Z': ['2027-01-01T01:00:00+01:00', '2027-01-01T00:00:00.000Z'],
  P7D: ['P1W', 'PT168H'],
  PT10S: ['PT10.000S'],
  'K\u00e4lte': ['Ka\u0308lte'],
}

function valuesIn({ values, datatype, number, left }: Written, dice: Dice): unknown {
  if (left === 'recipient' && dice(3) === 0) return values.join(',')
  const each = shuffled(values, dice).map((value) => {
    const same = [value, ...(SAME[value] ?? [])]
    const text = same[dice(same.length)] ?? value
    if (number === true && dice(3) === 0) return Number(text)
    if (dice(3) === 0) return { '@value': text }
    return datatype !== undefined && dice(3) === 0 ? { '@value': text, '@type': datatype } : text
  })
  return oneOrList(each, dice)
}

function conditionOf(written: Written, dice: Dice): JsonObject {
  const lefts = LEFT[written.left] ?? []
  const operators = [written.operator, `odrl:${written.operator}`, ...(OPERATORS[written.operator] ?? [])]
  const members = [
    [member('leftOperand', dice), wrapped(lefts[dice(lefts.length)] ?? '', dice)],
    [member('operator', dice), wrapped(operators[dice(operators.length)] ?? '', dice)],
    [member('rightOperand', dice), valuesIn(written, dice)],
    ...(dice(4) === 0 ? [['@type', 'odrl:Constraint']] : []),
  ] as const
  return Object.fromEntries(shuffled(members, dice)) as JsonObject
}

/** Conditions that all have to hold, nested in any way that says so. */
function nested(conditions: readonly JsonObject[], dice: Dice, deepest = 3): readonly JsonObject[] {
  const [first, ...rest] = conditions
  if (first === undefined) return []
  const alone: JsonObject =
    dice(5) === 0
      ? ({ [['or', 'xone', 'odrl:and'][dice(3)] ?? 'or']: oneOrList([first], dice) } as JsonObject)
      : first
  const others = nested(rest, dice, deepest - 1)
  const cut = dice(others.length + 1)
  return dice(3) === 0 && cut > 0 && deepest > 0
    ? [{ [member('and', dice)]: [alone, ...others.slice(0, cut)] }, ...others.slice(cut)]
    : [alone, ...others]
}

function spelt(conditions: readonly Written[], dice: Dice): JsonObject {
  const rule = {
    [member('action', dice)]: wrapped(term('use', dice), dice),
    ...(dice(3) === 0 && { '@type': 'odrl:Permission' }),
    ...(dice(3) === 0 && { duty: [] }),
    [member('constraint', dice)]: oneOrList(
      nested(
        shuffled(conditions, dice).map((one) => conditionOf(one, dice)),
        dice,
      ),
      dice,
    ),
  }
  return {
    [member('permission', dice)]: oneOrList([rule], dice),
    [member('profile', dice)]: wrapped(PROFILE, dice),
    ...(dice(3) === 0 && { prohibition: [] }),
  } as JsonObject
}

const anyConditions = fc.subarray([...CONDITIONS] as Written[], { minLength: 1 })
const anySeed = fc.array(fc.nat(1000), { minLength: 40, maxLength: 80 })
const planOf = (json: JsonObject): string => {
  const plan = compilePlan(policy(json), { agreedAt: 0 as EpochMs, assignee: BUYER })
  if (!plan.ok) throw new Error(plan.error.message)
  return plan.value.hash
}

describe('the same policy in any spelling', () => {
  it('has no differences', () => {
    fc.assert(
      fc.property(anyConditions, anySeed, anySeed, (conditions, one, other) => {
        const [a, b] = [spelt(conditions, diceOf(one)), spelt(conditions, diceOf(other))]
        expect(differences(a, b)).toEqual([])
      }),
      { numRuns: 400 },
    )
  })
  it('is equal where policies of any make are compared', () => {
    fc.assert(
      fc.property(anyConditions, anySeed, anySeed, (conditions, one, other) => {
        const [a, b] = [spelt(conditions, diceOf(one)), spelt(conditions, diceOf(other))]
        expect(compareLine(JSON.stringify({ id: 1, a, b }), { profiles: [] }).relation).toBe('equal')
      }),
      { numRuns: 100 },
    )
  })
  it('has one plan and one hash', () => {
    fc.assert(
      fc.property(anyConditions, anySeed, (conditions, seed) => {
        const plain = spelt(conditions, () => 0)
        const other = spelt(conditions, diceOf(seed))
        expect(planOf(other)).toBe(planOf(plain))
      }),
      { numRuns: 400 },
    )
  })
})

describe('nesting that means something', () => {
  const atMost = (rightOperand: string): JsonObject => ({
    leftOperand: 'count',
    operator: 'lteq',
    rightOperand,
  })
  const [A, B, C] = [atMost('5'), atMost('6'), atMost('7')]
  const of = (...constraint: readonly JsonObject[]): JsonObject => ({
    permission: [{ action: 'use', constraint }],
  })
  it.each([
    ['a choice in a conjunction', of({ or: [A, B] }), of(A, B)],
    ['an exclusive choice in another', of({ xone: [{ xone: [A, B] }, C] }), of({ xone: [A, B, C] })],
    ['a conjunction in a choice', of({ or: [{ and: [A, B] }, C] }), of({ or: [A, B, C] })],
    ['a conjunction of nothing', of({ and: [] }, A), of(A)],
    ['a sequence of one', of({ andSequence: [A] }), of(A)],
    ['a conjunction with something besides', of({ and: [A], 'https://vocabulary.example/x': true }), of(A)],
  ])('%s is another policy', (_name, a, b) => {
    expect(differences(a, b)).not.toEqual([])
  })
})
