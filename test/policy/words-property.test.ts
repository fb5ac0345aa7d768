/** What holds of the words for any policy: every node once, the same figures in both languages, no term of a machine. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KNOWN_ACTIONS } from '../../connector/policy/action-terms.js'
import { actionWords } from '../../connector/policy/action-words.js'
import { explain } from '../../connector/policy/explain.js'
import { MDP, ODRL, shortName } from '../../connector/policy/model.js'
import type { Operand } from '../../connector/policy/operands/operand.js'
import { parsePolicy } from '../../connector/policy/parse.js'
import { OPERANDS } from '../../connector/policy/registry.js'

type Json = { readonly [key: string]: unknown }

/** Values as contracts have them, by the kind of the operand. */
const VALUES: Readonly<Record<Operand['domain']['kind'], readonly string[]>> = {
  instant: ['2027-01-01T00:00:00Z', '2026-03-05T14:30:00Z', '2026-12-31T23:59:59.250Z'],
  duration: ['P1D', 'PT0.5S', 'P1Y6M', 'PT90S', 'PT36H'],
  integer: ['1', '7', '1000', '1234567'],
  decimal: ['0.5', '12', '1500.25'],
  time: ['06:00:00', '22:30:00'],
  weekday: ['1', '5'],
  name: ['pump-7', 'line 3'],
  tree: ['steel'],
}

const TREES: Readonly<Record<string, readonly string[]>> = {
  place: ['DE', 'EU'],
  purpose: [`${MDP}Maintenance`, `${MDP}Research`],
}
const valuesOf = ({ domain }: Operand): readonly string[] =>
  (domain.kind === 'tree' ? TREES[domain.tree] : undefined) ?? VALUES[domain.kind]

const ownOperands = OPERANDS.filter(
  ({ iri, means }) => means === undefined && (iri.startsWith(ODRL) || iri.startsWith(MDP)),
)

const atom = fc.constantFrom(...ownOperands).chain((operand) =>
  fc.record({
    leftOperand: fc.constant(operand.iri),
    operator: fc.constantFrom(...Object.keys(operand.operators)),
    rightOperand: fc.constantFrom(...valuesOf(operand)),
  }),
)

const condition: fc.Arbitrary<Json> = fc.letrec<{ node: Json }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    atom,
    fc
      .tuple(
        fc.constantFrom('and', 'or', 'xone', 'andSequence'),
        fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
      )
      .map(([kind, operands]) => ({ [kind]: operands })),
  ),
})).node

const conditions = fc.array(condition, { maxLength: 3 })
const rule = (duties: boolean): fc.Arbitrary<Json> =>
  fc.record({
    action: fc.constantFrom(...KNOWN_ACTIONS),
    constraint: conditions,
    ...(duties ? { duty: fc.array(rule(false), { maxLength: 2 }) } : {}),
  })
const policies = fc.record({
  permission: fc.array(rule(true), { minLength: 1, maxLength: 2 }),
  prohibition: fc.array(rule(false), { maxLength: 2 }),
  obligation: fc.array(rule(false), { maxLength: 2 }),
})

/** Rules and conditions of the document, counted without the program. */
function nodes(json: unknown): number {
  if (Array.isArray(json)) return json.reduce<number>((sum, one) => sum + nodes(one), 0)
  if (typeof json !== 'object' || json === null) return 0
  const inner = Object.values(json).reduce<number>((sum, one) => sum + nodes(one), 0)
  const isNode =
    'action' in json ||
    'leftOperand' in json ||
    ['and', 'or', 'xone', 'andSequence'].some((kind) => kind in json)
  return inner + (isNode ? 1 : 0)
}

/** Every figure of a sentence as its digits, in order of size: separators differ by language, and so may the place. */
const figures = (text: string): readonly string[] =>
  [...text.matchAll(/\d(?:[\d.,:]*\d)?/g)].map(([figure]) => figure.replaceAll(/[.,:]/g, '')).sort()

const shortNames = ownOperands.map(({ iri }) => shortName(iri)).filter((name) => /[A-Z]/.test(name))
const MACHINE = new RegExp(
  `https?:|odrl:|\\bPT?\\d|\\d{4}-\\d\\d-\\d\\dT|undefined|NaN|\\[object|\\b(?:${shortNames.join('|')})\\b`,
)

/** Told as found: an assertion for each sentence would take most of the time. */
function faultsOf({ en, de }: { readonly en: string; readonly de: string }): readonly string[] {
  const same = String(figures(en)) === String(figures(de))
  return [
    ...(same ? [] : [`other figures: ${en} | ${de}`]),
    ...[en, de].filter((told) => MACHINE.test(told) || !/^\p{Lu}.*[.!]$/u.test(told)),
  ]
}

it('an explanation has every node once, the same figures in both languages, and names what has a name', () => {
  fc.assert(
    fc.property(policies, (json) => {
      const parsed = parsePolicy(json)
      if (!parsed.ok) throw new Error(parsed.error.message)
      const clauses = explain(parsed.value)
      expect(clauses).toHaveLength(nodes(json))
      expect(new Set(clauses.map(({ path }) => path)).size).toBe(clauses.length)
      expect(clauses.flatMap(({ text }) => faultsOf(text))).toEqual([])
    }),
    { numRuns: 200 },
  )
})

it('has words of its own for every known action', () => {
  const texts = KNOWN_ACTIONS.map((iri) => actionWords(iri))
  for (const [index, iri] of KNOWN_ACTIONS.entries()) {
    expect(texts[index]?.en, iri).not.toContain('"')
  }
  expect(new Set(texts.map(({ en }) => en)).size).toBe(texts.length)
  expect(new Set(texts.map(({ deObject, deVerb }) => `${deObject} ${deVerb}`)).size).toBe(texts.length)
})
