/**
 * Every operand with every operator, below every kind of rule, as sentences that people read. The sentences stand in
 * `test/vectors/explain/operands.json`; a change there is read as one reads a contract.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ACTION_TERMS } from '../../connector/policy/action-terms.js'
import { explain } from '../../connector/policy/explain.js'
import type { Policy } from '../../connector/policy/model.js'
import type { Domain } from '../../connector/policy/operands/domain.js'
import type { Operand } from '../../connector/policy/operands/operand.js'
import { OPERANDS } from '../../connector/policy/registry.js'
import { unsupportedTerms } from '../../connector/policy/support.js'
import { instantiate } from '../../connector/policy/templates/instantiate.js'
import { templates } from '../../connector/policy/templates/shelf.js'
import { policy } from './policies.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'

const BY_DOMAIN: Readonly<Record<Domain['kind'], readonly string[]>> = {
  instant: ['2027-03-31T12:30:00Z'],
  duration: ['P1DT2H'],
  integer: ['1000'],
  decimal: ['1234.5'],
  time: ['06:30:00'],
  weekday: ['1', '5'],
  name: ['alpha', 'beta'],
  tree: [`${MDP}Maintenance`, `${MDP}Research`],
}
/** Operands whose values are fewer than their domain. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  timeZone: ['Europe/Berlin'],
  pseudonym: ['agreement'],
  aggregation: ['mean', 'max'],
  aggregationWindow: ['PT1H'],
  valueStep: ['0.5'],
  samplingInterval: ['PT10S'],
  shape: [`urn:sha256:${'0123456789abcdef'.repeat(4)}`],
  noise: ['laplace'],
}
const PLACES = ['https://sws.geonames.org/2921044/', 'https://sws.geonames.org/2782113/']

const nameOf = (iri: string): string => iri.replace(/^.*[#/]/, '')

/** A value that the operand takes with the operator: several where it takes several. */
function rightOperandFor({ iri, domain, wrong }: Operand, operator: string): string | readonly string[] {
  const place = domain.kind === 'tree' && domain.tree === 'place'
  const values = OWN[nameOf(iri)] ?? (place ? PLACES : BY_DOMAIN[domain.kind])
  const [first = ''] = values
  return (
    [values, first].find(
      (rightOperand) =>
        wrong({ kind: 'atomic', leftOperand: iri, operator, rightOperand, path: '' }) === undefined,
    ) ?? first
  )
}

const PLACED = {
  permission: (constraint: object) => ({ permission: [{ action: 'use', constraint: [constraint] }] }),
  obligation: (constraint: object) => ({
    permission: [{ action: 'use' }],
    obligation: [{ action: 'odrl:delete', constraint: [constraint] }],
  }),
} as const

const CASES = OPERANDS.flatMap((operand) =>
  Object.keys(operand.operators).map((operator) => ({
    operand,
    constraint: { leftOperand: operand.iri, operator, rightOperand: rightOperandFor(operand, operator) },
  })),
)

const sentence = (of: keyof typeof PLACED, constraint: object) => {
  const clause = explain(policy(PLACED[of](constraint))).at(-1)
  return { en: clause?.text.en ?? '', de: clause?.text.de ?? '' }
}

/** Names of operands and operators, addresses, and durations as machines write them. */
const MACHINE_TERM =
  /https?:|\b(?:odrl|mdp|edc|cx-policy):|\b(?:isAnyOf|isNoneOf|isAllOf|isPartOf|hasPart|lteq|gteq|neq)\b|\bP\d+[YMWD]|\bPT\d|\d{4}-\d\d-\d\dT/
const CAMEL = /\b[a-z]+[A-Z][A-Za-z]*\b/

it('says each operand with each operator in words that stand in the vectors', async () => {
  const said = CASES.map(({ operand, constraint }) => ({
    operand: nameOf(operand.iri),
    operator: constraint.operator,
    value: [constraint.rightOperand].flat().join(', '),
    permission: sentence('permission', constraint),
    obligation: sentence('obligation', constraint),
  }))
  await expect(`${JSON.stringify(said, null, 2)}\n`).toMatchFileSnapshot(
    join('..', 'vectors', 'explain', 'operands.json'),
  )
})

it('uses no machine terms in either language', () => {
  const texts = CASES.flatMap(({ constraint }) => [
    ...Object.values(sentence('permission', constraint)),
    ...Object.values(sentence('obligation', constraint)),
  ])
  expect(texts.filter((text) => MACHINE_TERM.test(text) || CAMEL.test(text))).toEqual([])
})

it('says every condition as a sentence of its own, in two languages', () => {
  for (const { constraint } of CASES) {
    for (const of of ['permission', 'obligation'] as const) {
      const { en, de } = sentence(of, constraint)
      expect(
        [en.endsWith('.'), de.endsWith('.')],
        `${constraint.leftOperand} ${constraint.operator}`,
      ).toEqual([true, true])
      expect(en).not.toBe(de)
    }
  }
})

it('has words for every action that stands for a usage-control class', () => {
  const actions = ACTION_TERMS.filter(({ classes }) => classes.length > 0)
  for (const { iri } of actions) {
    const [, clause] = explain(policy({ permission: [{ action: 'use' }], prohibition: [{ action: iri }] }))
    expect(clause?.text.en, iri).not.toContain('the action')
    expect(clause?.text.de, iri).not.toContain('die Handlung')
  }
})

it.each([
  ['odrl:distribute', 'Der Empfänger darf die Daten nicht weitergeben.'],
  [`${MDP}developCompetingProduct`, 'Der Empfänger darf kein Konkurrenzprodukt entwickeln.'],
  [
    `${MDP}deriveBusinessInsight`,
    'Der Empfänger darf keine Rückschlüsse auf das Geschäft des Anbieters ziehen.',
  ],
  [`${MDP}trainModelForOthers`, 'Der Empfänger darf mit den Daten keine Modelle für andere trainieren.'],
])('denies %s as German does', (action, said) => {
  const read = policy({ permission: [{ action: 'use' }], prohibition: [{ action }] })
  expect(explain(read)[1]?.text.de).toBe(said)
})

/** Counted over the tree itself, not by the walk that the explanation uses. */
const countNodes = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countNodes(item), 0)
  if (typeof value !== 'object' || value === null) return 0
  const own = 'action' in value || 'kind' in value || 'term' in value ? 1 : 0
  return own + Object.values(value).reduce((sum: number, item) => sum + countNodes(item), 0)
}
const everyNodeOnce = (read: Policy): void => {
  const clauses = explain(read)
  expect(clauses).toHaveLength(countNodes(read))
  expect(new Set(clauses.map(({ path }) => path)).size).toBe(clauses.length)
  expect(clauses.map(({ number }) => number)).toEqual(clauses.map((_clause, index) => index + 1))
}

it('says every node of a policy exactly once', () => {
  const atom = { leftOperand: 'odrl:count', operator: 'lteq', rightOperand: '1' }
  everyNodeOnce(
    policy({
      permission: [
        {
          action: 'use',
          constraint: [atom, { or: [atom, { and: [atom, atom] }, { xone: [atom, atom] }] }],
          duty: [{ action: 'odrl:compensate', constraint: [atom] }],
        },
      ],
      prohibition: [{ action: 'odrl:distribute', constraint: [{ andSequence: [atom, atom] }] }],
      obligation: [{ action: 'odrl:delete' }, { action: 'odrl:inform', constraint: [atom] }],
      'odrl:conflict': 'perm',
    }),
  )
})

it.each(
  templates().map((template) => [template.id, template] as const),
)('says every clause of the template %s once, and without machine terms', (_id, template) => {
  for (const { set } of template.vectors) {
    const made = instantiate(template, set)
    if (!made.ok) throw new Error(made.error.message)
    const read = policy(made.value.policy)
    everyNodeOnce(read)
    const texts = [...explain(read).map(({ text }) => text), ...unsupportedTerms(read).map(({ why }) => why)]
    const bare = texts.flatMap(({ en, de }) => [en, de]).map((text) => text.replace(/["„][^"“]*["“]/g, ''))
    expect(bare.filter((text) => MACHINE_TERM.test(text))).toEqual([])
  }
})
