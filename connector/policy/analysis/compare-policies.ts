/** Compares two ODRL policies: as a whole, rule by rule and clause by clause, with a use that shows each difference. */
import { shortName } from '../model.js'
import type { Atom, Condition, OdrlPolicy, OdrlRule } from '../odrl/policy.js'
import { TooComplex } from './axis.js'
import { canonicalPolicies } from './canonical.js'
import { type BlockedDuty, bare, blockedDuties, type Clash, clashes } from './clashes.js'
import {
  type Answer,
  exists,
  overlap,
  position,
  type Relation,
  telling,
  type Witness,
  within,
} from './relate.js'
import { type Extent, Space } from './space.js'

export type ClauseRelation = {
  /** Rule and left operand, connective or duty. */
  readonly clause: string
  /** Where it stands in each policy; empty where that policy has none. */
  readonly a: readonly string[]
  readonly b: readonly string[]
  readonly relation: Relation
  readonly witness?: Witness
}

export type PolicyComparison = {
  readonly relation: Relation
  readonly witness?: Witness
  readonly aWithinB: Answer
  readonly bWithinA: Answer
  /** Some use is allowed by both. */
  readonly overlap: Answer
  readonly aSatisfiable: Answer
  readonly bSatisfiable: Answer
  readonly onlyA?: Witness
  readonly onlyB?: Witness
  readonly both?: Witness
  readonly clashes: readonly Clash[]
  /** Duties of one policy that the other prohibits to fulfil. */
  readonly blockedDuties: readonly BlockedDuty[]
  /** What the rules of both speak about, whether they permit or prohibit it. */
  readonly scope: { readonly overlap: Answer; readonly aWithinB: Answer; readonly bWithinA: Answer }
  readonly clauses: readonly ClauseRelation[]
  /** Why an answer is unknown, when the reason is size. */
  readonly note?: string
}

const UNTOLD = {
  relation: 'unknown',
  aWithinB: 'unknown',
  bWithinA: 'unknown',
  overlap: 'unknown',
} as const

/** Runs a question; one that is too large has the answer that nobody knows. */
export function bounded<T>(ask: () => T, otherwise: T): T {
  try {
    return ask()
  } catch (cause) {
    if (cause instanceof TooComplex) return otherwise
    throw cause
  }
}

/** Why something is unknown, by its English sentence: the words of `note` for readers of German. */
export const NOTES_DE: Readonly<Record<string, string>> = {
  'The policies are too large or too entangled for an exact answer.':
    'Die Policies sind für eine genaue Antwort zu groß oder zu verschachtelt.',
  'The policies differ in remedies or consequences: what follows from a violation has no order.':
    'Die Policies unterscheiden sich in Abhilfen oder Folgen: Was auf einen Verstoß folgt, ist nicht strenger oder milder.',
}
const [TOO_LARGE = '', FOLLOW_UPS = ''] = Object.keys(NOTES_DE)

export function comparePolicies(first: OdrlPolicy, second: OdrlPolicy): PolicyComparison {
  const [a = first, b = second] = canonicalPolicies([first, second])
  const untold: PolicyComparison = {
    ...UNTOLD,
    aSatisfiable: 'unknown',
    bSatisfiable: 'unknown',
    clashes: [],
    blockedDuties: [],
    scope: { overlap: 'unknown', aWithinB: 'unknown', bWithinA: 'unknown' },
    clauses: [],
    note: TOO_LARGE,
  }
  return bounded(() => compareIn(new Space([a, b]), a, b), untold)
}

function compareIn(space: Space, a: OdrlPolicy, b: OdrlPolicy): PolicyComparison {
  const [allowedA, allowedB] = [space.allowed(a), space.allowed(b)]
  const whole = position(space, allowedA, allowedB)
  const between = [...clashes(space, a, b), ...clashes(space, b, a)]
  const asUses = withClashes(whole.relation, between, a, b)
  const relation = ORDERED.has(asUses) && !samePunishment(a, b) ? 'unknown' : asUses
  const shown =
    relation === 'conflicting' ? between.find(({ answer }) => answer === 'yes')?.witness : telling(whole)
  const [rulesA, rulesB] = [space.scopes(scopeRules(a)), space.scopes(scopeRules(b))]
  const { relation: _relation, ...answers } = whole
  return {
    relation,
    ...(shown !== undefined && { witness: shown }),
    ...answers,
    aSatisfiable: exists(space, allowedA).answer,
    bSatisfiable: exists(space, allowedB).answer,
    clashes: between,
    blockedDuties: [...blockedDuties(space, a, b), ...blockedDuties(space, b, a)],
    scope: {
      overlap: overlap(space, rulesA, rulesB).answer,
      aWithinB: within(space, rulesA, rulesB).answer,
      bWithinA: within(space, rulesB, rulesA).answer,
    },
    clauses: bounded(() => clausesOf(a, b), []),
    ...(relation !== asUses && { note: FOLLOW_UPS }),
  }
}

/** Relations that say which policy binds more, or that both bind alike. */
const ORDERED: ReadonlySet<Relation> = new Set(['equal', 'stricter', 'looser'])

/** Both say the same of what follows from a violation. Uses alone cannot tell: nobody is asked about a violation. */
const samePunishment = (a: OdrlPolicy, b: OdrlPolicy): boolean => followUps(a) === followUps(b)

const withoutPlaces = (key: string, value: unknown): unknown =>
  key === 'path' ? undefined : typeof value === 'bigint' ? String(value) : value

const followUps = ({ permissions, prohibitions, obligations }: OdrlPolicy): string =>
  [...permissions, ...prohibitions, ...obligations]
    .flatMap((rule) => [rule, ...rule.duties])
    .flatMap((rule) => rule.followUps)
    .map((rule) => JSON.stringify(rule, withoutPlaces))
    .sort()
    .join()

const scopeRules = (policy: OdrlPolicy): readonly OdrlRule[] => [
  ...policy.permissions,
  ...policy.prohibitions,
]

/** One policy allows what the other prohibits in so many words: that is more than being different. */
function withClashes(relation: Relation, between: readonly Clash[], a: OdrlPolicy, b: OdrlPolicy): Relation {
  if (!between.some(({ answer }) => answer === 'yes')) return relation
  const grantsNothing = a.permissions.length === 0 || b.permissions.length === 0
  return grantsNothing || relation === 'disjoint' || relation === 'incomparable' ? 'conflicting' : relation
}

type Clause = {
  readonly name: string
  readonly path: string
  readonly extent: (space: Space) => Extent
  /** More of it allows less: prohibitions. */
  readonly inverse: boolean
  /** A rule, which covers nothing where it is missing; a condition that is missing excludes nothing. */
  readonly covers: boolean
}

const conjuncts = (conditions: readonly Condition[]): readonly Condition[] =>
  conditions.flatMap((condition) =>
    condition.kind === 'and' && condition.unknown.length === 0 ? conjuncts(condition.operands) : [condition],
  )

const unitOf = ({ unit }: Atom): string => (unit === undefined ? '' : ` (${shortName(unit)})`)

const conditionName = (condition: Condition): string =>
  condition.kind === 'atom' ? `${shortName(condition.leftOperand)}${unitOf(condition)}` : condition.kind

const actionNames = (rule: OdrlRule): string => rule.actions.map(({ iri }) => shortName(iri)).join(', ')

function clausesIn(policy: OdrlPolicy): readonly Clause[] {
  const permissions = policy.permissions.flatMap((rule) => {
    const name = `permission ${actionNames(rule)}`
    const conditions = [
      ...conjuncts(rule.constraints),
      ...rule.actions.flatMap((action) => conjuncts(action.refinements)),
    ]
    return [
      {
        name,
        path: rule.path,
        inverse: false,
        covers: true,
        extent: (space: Space) =>
          space.scope({
            ...rule,
            constraints: [],
            actions: rule.actions.map((action) => ({ ...action, refinements: [] })),
          }),
      },
      ...conditions.map((condition) => ({
        name: `${name}: ${conditionName(condition)}`,
        path: condition.path,
        inverse: false,
        covers: false,
        extent: (space: Space) => space.condition(condition, ''),
      })),
      ...rule.duties.map((duty) => ({
        name: `${name}: duty ${actionNames(duty)}`,
        path: duty.path,
        inverse: false,
        covers: false,
        extent: (space: Space) => space.duty(duty),
      })),
    ]
  })
  const prohibitions = policy.prohibitions.map((rule) => ({
    name: `prohibition ${actionNames(rule)}`,
    path: rule.path,
    inverse: true,
    covers: true,
    extent: (space: Space) => space.scope(rule),
  }))
  const obligations = policy.obligations.map((duty) => ({
    name: `obligation ${actionNames(duty)}`,
    path: duty.path,
    inverse: false,
    covers: false,
    extent: (space: Space) => space.duty(duty),
  }))
  return [...permissions, ...prohibitions, ...obligations]
}

/** Clauses of the same name are compared with each other; several of one name hold together. */
function clausesOf(a: OdrlPolicy, b: OdrlPolicy): readonly ClauseRelation[] {
  const space = new Space([a, b])
  const [inA, inB] = [clausesIn(a), clausesIn(b)]
  const names = [...new Set([...inA, ...inB].map(({ name }) => name))]
  return names.map((name) => {
    const [ofA, ofB] = [inA, inB].map((clauses) => clauses.filter((clause) => clause.name === name))
    const relation = bounded(() => clauseRelation(space, ofA ?? [], ofB ?? []), {
      relation: 'unknown' as const,
    })
    return {
      clause: name,
      a: placesOf(ofA ?? []),
      b: placesOf(ofB ?? []),
      ...relation,
    }
  })
}

/** What is left open stands nowhere. */
const placesOf = (clauses: readonly Clause[]): readonly string[] =>
  clauses.map(({ path }) => bare(path)).filter((path) => path !== '')

const MIRRORED: Readonly<Record<Relation, Relation>> = {
  equal: 'equal',
  stricter: 'looser',
  looser: 'stricter',
  disjoint: 'disjoint',
  conflicting: 'conflicting',
  incomparable: 'incomparable',
  unknown: 'unknown',
}

function clauseRelation(
  space: Space,
  a: readonly Clause[],
  b: readonly Clause[],
): { readonly relation: Relation; readonly witness?: Witness } {
  const [one] = [...a, ...b]
  const extent = (clauses: readonly Clause[]): Extent => {
    const extents = clauses.map((clause) => clause.extent(space))
    return one?.covers === true ? space.union(extents) : space.common(extents)
  }
  const found = position(space, extent(a), extent(b))
  const shown = telling(found)
  const relation = one?.inverse === true ? MIRRORED[found.relation] : found.relation
  return { relation, ...(shown !== undefined && { witness: shown }) }
}
