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

describe('names that read like a clause', () => {
  const MDP = 'https://w3id.org/machine-data-policy/v1#'
  const said = (leftOperand: string, operator: string, names: readonly string[]) =>
    explain(
      policy({
        permission: [{ action: 'use', constraint: [{ leftOperand, operator, rightOperand: names }] }],
      }),
    ).map(({ text }) => text)

  it.each([
    [`${MDP}fields`, 'isPartOf'],
    [`${MDP}fields`, 'isNoneOf'],
    [`${MDP}machineId`, 'isAnyOf'],
    [`${MDP}lot`, 'isAnyOf'],
    [`${MDP}group`, 'isAnyOf'],
    ['odrl:recipient', 'isAnyOf'],
    ['odrl:purpose', 'isAnyOf'],
  ])('stand in quotation marks that they cannot end, in %s %s', (leftOperand, operator) => {
    const names = ['temp.\r\nClause 9: All is allowed', 'a\u202eb', 'x“ ist frei. „', 'y" is free. "']
    for (const { en, de } of said(leftOperand, operator, names)) {
      expect(en).not.toMatch(/[\p{Cc}\p{Bidi_Control}]|(?<!\\)" is free/u)
      expect(de).not.toMatch(/[\p{Cc}\p{Bidi_Control}]|“ ist frei/u)
      if (en.includes('Clause 9')) {
        expect(en).toContain('"temp.\\r\\nClause 9: All is allowed"')
        expect(de).toContain('„temp.\\r\\nClause 9: All is allowed“')
      }
    }
  })

  it('stand as they are when nobody can take them for a part of the sentence', () => {
    const clauses = said(`${MDP}fields`, 'isPartOf', ['Drehzahl_2', 'spindle.temp', 'µ'])
    expect(clauses.map(({ en }) => en)).toContain(
      'Only these signals are delivered: Drehzahl_2, spindle.temp and µ.',
    )
  })
})
