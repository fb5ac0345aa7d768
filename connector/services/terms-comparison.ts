/**
 * How the terms on the table lie to the ones before: as a whole and clause by clause, in words. A verdict is told where it
 * is certain; everything else is unknown. Pure.
 */
import { ok, type Result } from '../core/result.js'
import type { JsonObject, Text } from '../core/types.js'
import type { PolicyComparison } from '../policy/analysis/compare-policies.js'
import type { Relation } from '../policy/analysis/relate.js'
import { comparison } from '../policy/batch-compare.js'
import { explain } from '../policy/explain.js'
import { nodesOf } from '../policy/nodes.js'
import { parsePolicy } from '../policy/parse.js'
import { type ShapeLookup, shapeNamed } from '../policy/shape.js'
import { compareShapes, type ShapeRelation } from '../policy/shape-compare.js'
import { relationWords } from '../policy/witness-words.js'
import { listWords } from '../policy/words.js'

/** What the terms are compared with. */
export type Against = 'published' | 'asked' | 'before'

export type ClauseComparison = {
  /** How the terms on the table lie to the others in this clause. */
  readonly relation: Relation
  /** Numbers of the clauses on the table; empty when they left it out. */
  readonly clauses: readonly number[]
  readonly text: Text
}

export type TermsComparison = {
  readonly against: Against
  readonly relation: Relation
  readonly text: Text
  /** Clauses that are not equal. */
  readonly clauses: readonly ClauseComparison[]
}

const OTHER: Readonly<Record<Against, Text>> = {
  published: { en: 'your published offer', de: 'Ihr veröffentlichtes Angebot' },
  asked: { en: 'what you asked for', de: 'das, was Sie angefragt haben' },
  before: { en: 'what you proposed before', de: 'das, was Sie zuvor vorgeschlagen haben' },
}

/** Names of things and parties; they are compared by the caller. */
const HEAD: ReadonlySet<string> = new Set([
  '@id',
  '@type',
  '@context',
  'assignee',
  'assigner',
  'target',
  'timestamp',
])

/** Whatever else stands there is compared too, so that nothing that is not understood passes as equal. */
const bare = (policy: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(policy).filter(([name]) => !HEAD.has(name)))

const NONE: ShapeLookup = () => undefined

/** Two shape documents are compared by what stands in them, and everything else as if they were one. */
function compared(table: JsonObject, other: JsonObject, shapes: ShapeLookup): Result<PolicyComparison> {
  const compare = (b: JsonObject) => comparison({ a: bare(table), b: bare(b) }, { profiles: [] })
  const [here, there] = [shapeIn(table), shapeIn(other)]
  if (here === undefined || there === undefined || here.name === there.name) return compare(other)
  const found = compare(JSON.parse(JSON.stringify(other).replaceAll(there.name, here.name)) as JsonObject)
  if (!found.ok) return found
  const [a, b] = [shapes(here.name), shapes(there.name)]
  const relation = a === undefined || b === undefined ? 'unknown' : compareShapes(a, b)
  const { witness: _, ...rest } = found.value
  return ok({
    ...rest,
    relation: both(rest.relation, relation),
    clauses: rest.clauses.map((one) =>
      one.a.includes(here.path) ? { clause: one.clause, a: one.a, b: one.b, relation } : one,
    ),
  })
}

/** What holds of both parts of the terms; what leads in two directions is not told. */
function both(rest: Relation, shape: ShapeRelation): Relation {
  if (shape === 'equal' || rest === shape || rest === 'disjoint' || rest === 'conflicting') return rest
  return rest === 'equal' ? shape : 'unknown'
}

/** The one document that terms name, with the place; undefined for none or several. */
function shapeIn(terms: JsonObject): { readonly name: string; readonly path: string } | undefined {
  const policy = parsePolicy(terms)
  const named = policy.ok
    ? nodesOf(policy.value).flatMap((node) => {
        const name =
          node.kind === 'constraint' && node.constraint.kind === 'atomic'
            ? shapeNamed(node.constraint)
            : undefined
        return name === undefined ? [] : [{ name, path: node.path }]
      })
    : []
  return named.length === 1 ? named[0] : undefined
}

/** What the first allows, measured by the second. Terms that cannot be read are `unknown`. */
export function termsRelation(table: JsonObject, other: JsonObject, shapes = NONE): Relation {
  const found = compared(table, other, shapes)
  return found.ok ? found.value.relation : 'unknown'
}

export function compareTerms(
  table: JsonObject,
  other: JsonObject,
  against: Against,
  shapes = NONE,
): TermsComparison {
  const subject = { en: 'The terms on the table', de: 'Die vorliegenden Bedingungen' }
  const found = compared(table, other, shapes)
  const { relation, witness, clauses } = found.ok
    ? found.value
    : { relation: 'unknown' as const, witness: undefined, clauses: [] }
  const [here, there] = [clausesByPath(table, shapes), clausesByPath(other, shapes)]
  return {
    against,
    relation,
    text: relationWords(relation, subject, OTHER[against], witness),
    clauses: clauses
      .filter((clause) => clause.relation !== 'equal')
      .map((clause) => {
        const numbers = clause.a.flatMap((path) => here.get(path)?.number ?? [])
        const told = clauseSubject(numbers, clause.a.length === 0)
        const before = clause.b.flatMap((path) => there.get(path)?.text ?? [])
        const lead = relationWords(clause.relation, told, beforeWords(before), clause.witness)
        return { relation: clause.relation, clauses: numbers, text: lead }
      }),
  }
}

function clauseSubject(numbers: readonly number[], isLeftOut: boolean): Text {
  if (isLeftOut) return { en: 'The terms without this clause', de: 'Die Bedingungen ohne diese Klausel' }
  if (numbers.length === 0) return { en: 'The terms here', de: 'Die Bedingungen hier' }
  const list = listWords(numbers.map(String))
  return { en: `The terms in clause ${list.en}`, de: `Die Bedingungen in Klausel ${list.de}` }
}

function beforeWords(texts: readonly Text[]): Text {
  if (texts.length === 0)
    return { en: 'terms without such a clause', de: 'Bedingungen ohne eine solche Klausel' }
  const joined = (lang: 'en' | 'de') => texts.map((one) => one[lang].replace(/\.$/, '')).join('; ')
  return { en: `"${joined('en')}"`, de: `„${joined('de')}“` }
}

function clausesByPath(
  policy: JsonObject,
  shapes: ShapeLookup,
): ReadonlyMap<string, { readonly number: number; readonly text: Text }> {
  const parsed = parsePolicy(policy)
  return new Map(
    parsed.ok
      ? explain(parsed.value, { shapes }).map(({ path, number, text }) => [path, { number, text }])
      : [],
  )
}
