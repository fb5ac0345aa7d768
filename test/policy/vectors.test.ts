/** Runs the language-neutral vectors: every operand, operator and phase, with verdicts written by hand. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { compilePlan } from '../../connector/policy/compile.js'
import { evaluate } from '../../connector/policy/evaluate.js'
import type { Phase } from '../../connector/policy/model.js'
import { OPERANDS } from '../../connector/policy/registry.js'
import { unsupportedTerms } from '../../connector/policy/support.js'
import { facts, instant, policy } from './policies.js'

type Vector = {
  readonly name: string
  readonly operator: string
  readonly rightOperand: unknown
  readonly facts: {
    readonly at: string
    readonly recipient: string
    readonly agreedAt?: string
    readonly counted?: number
    /** What the operator has confirmed, by the left operand of the file unless another is named. */
    readonly confirmed?: readonly { readonly operand?: string; readonly value: string; readonly not?: true }[]
    readonly deliveredTo?: string
  }
  readonly expect: Readonly<Record<Phase, 'true' | 'false' | 'unknown' | 'deferred'>>
  readonly plan?: Readonly<Record<string, unknown>> | 'PolicyDenied'
  readonly supported?: false
}
type VectorFile = {
  readonly leftOperand: string
  /** Conditions that stand beside each of the cases, because it means nothing without them. */
  readonly beside?: readonly unknown[]
  readonly cases: readonly Vector[]
}

const factsOf = ({ facts: { confirmed, ...given } }: Vector, leftOperand: string) =>
  facts({
    ...given,
    ...(confirmed !== undefined && {
      confirmed: confirmed.map((one, at) => ({ id: `fact-${at}`, operand: leftOperand, ...one })),
    }),
  })

const FOLDER = new URL('../vectors/policy/', import.meta.url)
const files = readdirSync(FOLDER).map(
  (name) => [name, JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as VectorFile] as const,
)

const inMs = (plan: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(plan).map(([key, value]) => [key, key.startsWith('not') ? instant(String(value)) : value]),
  )

const ENFORCED = OPERANDS.filter(({ enforcedHere }) => enforcedHere)

it('has vectors for every operand that is enforced', () => {
  expect(files.map(([, { leftOperand }]) => leftOperand).sort()).toEqual(
    ENFORCED.map(({ iri }) => iri).sort(),
  )
})

it('tries every operator of every operand, and a wrong value for every operand', () => {
  for (const { iri, operators } of ENFORCED) {
    const cases = files.find(([, file]) => file.leftOperand === iri)?.[1].cases ?? []
    const accepted = new Set(
      cases.filter(({ supported }) => supported !== false).map(({ operator }) => operator),
    )
    // A place that is left out may hold others that nobody here knows of.
    const refused = iri.endsWith('#sourceLocation') ? ['isNoneOf'] : []
    expect([...accepted, ...refused].sort(), iri).toEqual(Object.keys(operators).sort())
    expect(
      cases.some(({ supported, operator }) => supported === false && operator in operators),
      iri,
    ).toBe(true)
  }
})

it('tries every operator in every phase: looked at where the registry says so, left for later elsewhere', () => {
  const PHASES = ['catalog', 'negotiation', 'transfer', 'delivery'] as const
  const missing = ENFORCED.flatMap(({ iri, operators }) => {
    const cases = files.find(([, file]) => file.leftOperand === iri)?.[1].cases ?? []
    const right = cases.filter(({ supported }) => supported !== false)
    return Object.entries(operators).flatMap(([operator, { phases }]) => {
      const tried = right.filter((one) => one.operator === operator)
      // The one operator that is always refused; the test before this one names it.
      if (tried.length === 0) return []
      return PHASES.flatMap((phase) => {
        const verdicts = new Set(tried.map(({ expect: { [phase]: verdict } }) => verdict))
        const isLookedAt = phases.includes(phase)
        const isRight = isLookedAt ? !verdicts.has('deferred') : [...verdicts].join() === 'deferred'
        return isRight ? [] : [`${iri} ${operator} ${phase}: ${[...verdicts].join()}`]
      })
    })
  })
  expect(missing).toEqual([])
})

describe.each(files)('%s', (_name, { leftOperand, beside = [], cases }) => {
  it.each(
    cases.map((vector) => [`${vector.operator}: ${vector.name}`, vector] as const),
  )('%s', (_title, vector) => {
    const { operator, rightOperand } = vector
    const parsed = policy({
      permission: [{ action: 'use', constraint: [{ leftOperand, operator, rightOperand }, ...beside] }],
    })
    for (const [phase, verdict] of Object.entries(vector.expect) as [Phase, string][]) {
      const decision = evaluate(parsed, phase, factsOf(vector, leftOperand))
      expect(decision.reasons[0]?.verdict, phase).toBe(verdict)
      expect(decision.allowed, phase).toBe(verdict === 'true' || verdict === 'deferred')
      expect(Object.values(decision.reasons[0]?.text() ?? {}).every((text) => text.endsWith('.'))).toBe(true)
    }
    expect(unsupportedTerms(parsed).length, 'unsupported terms').toBe(vector.supported === false ? 1 : 0)

    const agreedAt = (factsOf(vector, leftOperand).agreedAt ?? 0) as EpochMs
    const plan = compilePlan(parsed, { agreedAt, assignee: vector.facts.recipient })
    if (vector.supported === false) {
      expect(plan).toMatchObject({ ok: false, error: { code: 'PolicyUnsupported' } })
    } else if (typeof vector.plan === 'string') {
      expect(plan).toMatchObject({ ok: false, error: { code: vector.plan } })
    } else if (vector.plan !== undefined) {
      expect(plan).toEqual({
        ok: true,
        value: { version: 1, ...inMs(vector.plan), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      })
    }
  })
})
