import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { enforcementLabel, explain } from '../../connector/policy/explain.js'
import { policy } from './policies.js'

type Golden = {
  readonly name: string
  readonly policy: unknown
  readonly clauses: readonly {
    readonly path: string
    readonly en: string
    readonly de: string
    readonly enforcedBy: string
  }[]
}
const golden = JSON.parse(
  readFileSync(new URL('../vectors/explain/clauses.json', import.meta.url), 'utf8'),
) as readonly Golden[]

describe('clauses in both languages', () => {
  it.each(golden.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const clauses = explain(policy(one.policy))
    expect(clauses.map(({ path, text, enforcedBy }) => ({ path, ...text, enforcedBy }))).toEqual(one.clauses)
    expect(clauses.map(({ number }) => number)).toEqual(clauses.map((_clause, index) => index + 1))
  })
})

it('labels who keeps a clause', () => {
  expect(enforcementLabel('provider')).toEqual({
    en: "enforced by the provider's connector",
    de: 'vom Connector des Anbieters durchgesetzt',
  })
  expect(enforcementLabel('contract').de).toBe('nur vertraglich vereinbart, technisch nicht durchgesetzt')
  expect(enforcementLabel('consumer').de).toBe('vom Connector des Empfängers durchgesetzt')
})
