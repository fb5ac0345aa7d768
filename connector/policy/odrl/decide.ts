/**
 * Decides about one requested use under an ODRL policy: closed by default, a permission needs true, a prohibition applies
 * on true and on unknown, conflicts are settled as the policy says. Pure; explains itself by the tree it returns.
 */
import { isIncluded, isKnownAction, KNOWN_ACTIONS } from '../action-terms.js'
import { allOf, anyOf, type Judged, judge, zoneOf } from './judge.js'
import type { Action, OdrlPolicy, OdrlRule, Thing } from './policy.js'
import { withRequest } from './read-world.js'
import { placeOf, type Tri } from './scalar.js'
import type { Performed, Request, World } from './world.js'

/**
 * How a pre-duty counts. `before`: it must have been done before the use (W3C community group draft of the formal
 * semantics). `eventual`: it must not have been violated (ODRL-Test-Suite).
 */
export type DutyMode = 'before' | 'eventual'

export type DutyJudged = {
  readonly rule: OdrlRule
  /** Whether the duty applies at all now. */
  readonly inForce: Tri
  readonly performed: Tri
  readonly state: 'fulfilled' | 'violated' | 'open'
  readonly constraints: readonly Judged[]
}

export type RuleJudged = {
  readonly rule: OdrlRule
  /** Undefined where the rule names none, and so holds for any. */
  readonly target: { readonly holds: Tri } | undefined
  readonly party: { readonly holds: Tri } | undefined
  readonly action: { readonly holds: Tri } | undefined
  readonly refinements: readonly Judged[]
  readonly constraints: readonly Judged[]
  readonly duties: readonly DutyJudged[]
  readonly active: Tri
  /** Whether the rule decides about this use: active, and the use is the refined action. */
  readonly applies: Tri
}

export type OdrlDecision = {
  readonly policy: OdrlPolicy
  readonly request: Request
  readonly world: World
  readonly mode: DutyMode
  readonly allowed: boolean
  readonly why: 'permitted' | 'no permission' | 'prohibited' | 'conflict' | 'not understood'
  readonly rules: readonly RuleJudged[]
  readonly obligations: readonly DutyJudged[]
}

export function decide(
  policy: OdrlPolicy,
  request: Request,
  state: World,
  mode: DutyMode = 'before',
): OdrlDecision {
  const world = withRequest(state, request)
  const permissions = policy.permissions.map((rule) => judgeRule(rule, request, world, mode))
  const prohibitions = policy.prohibitions.map((rule) => judgeRule(rule, request, world, mode))
  const permitted = permissions.some(({ applies }) => applies === true)
  const prohibited = prohibitions.some(({ applies }) => applies !== false)
  const why = verdict(policy, permitted, prohibited)
  return {
    policy,
    request,
    world,
    mode,
    allowed: why === 'permitted',
    why,
    rules: [...permissions, ...prohibitions],
    obligations: policy.obligations.map((rule) => judgeDuty(rule, world)),
  }
}

function verdict(policy: OdrlPolicy, permitted: boolean, prohibited: boolean): OdrlDecision['why'] {
  if (policy.unknown.length > 0) return 'not understood'
  if (!prohibited) return permitted ? 'permitted' : 'no permission'
  if (!permitted || policy.conflict === 'prohibit') return 'prohibited'
  return policy.conflict === 'perm' ? 'permitted' : 'conflict'
}

function judgeRule(rule: OdrlRule, request: Request, world: World, mode: DutyMode): RuleJudged {
  const zone = zoneOf(rule.constraints)
  const constraints = rule.constraints.map((condition) => judge(condition, world, zone))
  const target = judgeThings(rule.targets, request.target, world, rule.kind)
  const party = judgeThings(rule.assignees, request.party, world, rule.kind)
  const names = rule.actions.map((action) => actionHolds(action, request.action, rule.kind))
  const refinements = rule.actions
    .filter((_action, index) => names[index] !== false)
    .flatMap((action) => action.refinements.map((condition) => judge(condition, world, zone)))
  const duties = rule.duties.map((duty) => judgeDuty(duty, world))
  const understood = isUnderstood(rule) ? true : undefined
  const active = allOf([
    understood,
    // Not "?? true": what cannot be told is undefined as well.
    target === undefined ? true : target.holds,
    party === undefined ? true : party.holds,
    rule.actions.length === 0 ? true : anyOf(names),
    ...constraints.map(({ holds }) => holds),
    ...duties.map((duty) => dutyAllows(duty, mode)),
  ])
  return {
    rule,
    target: rule.targets.length === 0 ? undefined : { holds: target?.holds },
    party: rule.assignees.length === 0 ? undefined : { holds: party?.holds },
    action: rule.actions.length === 0 ? undefined : { holds: anyOf(names) },
    refinements,
    constraints,
    duties,
    active,
    applies: allOf([active, ...refinements.map(({ holds }) => holds)]),
  }
}

/** What a permission or prohibition says besides its conditions, which tell for themselves when they are not understood. */
const isUnderstood = ({ unknown, actions, targets, assignees }: OdrlRule): boolean =>
  unknown.length === 0 && [...actions, ...targets, ...assignees].every((part) => part.unknown.length === 0)

/** Named, or in a collection that is named. A collection that is refined is only partly meant. */
function judgeThings(
  things: readonly Thing[],
  asked: string | undefined,
  world: World,
  kind: OdrlRule['kind'],
): { readonly holds: Tri } | undefined {
  if (things.length === 0) return undefined
  return { holds: anyOf(things.map((thing) => thingHolds(thing, asked, world, kind))) }
}

function thingHolds(thing: Thing, asked: string | undefined, world: World, kind: OdrlRule['kind']): Tri {
  if (thing.id === undefined || asked === undefined) return undefined
  if (!isMember(asked, thing.id, world)) {
    // Nobody must slip through a prohibition because the list of its group is missing.
    return kind === 'prohibition' && thing.collection && !isListed(asked, thing.id, world) ? undefined : false
  }
  return allOf(thing.refinements.map((condition) => judge(condition, world, undefined).holds))
}

/** Whether anything is told about the groups of the one, or about the members of the collection. */
const isListed = (one: string, collection: string, { partOf }: World): boolean =>
  partOf.has(one) || [...partOf.values()].some((groups) => groups.includes(collection))

/** The facts are all there are: who is not said to be in a collection is not in it. */
function isMember(one: string, collection: string, { partOf }: World): boolean {
  const reached = new Set<string>([one])
  for (const name of reached) {
    if (name === collection) return true
    for (const parent of partOf.get(name) ?? []) reached.add(parent)
  }
  return false
}

/** Actions that include others: what else they include nobody here knows in full. */
const INCLUDING: ReadonlySet<string> = new Set(
  KNOWN_ACTIONS.filter((outer) =>
    KNOWN_ACTIONS.some((inner) => inner !== outer && isIncluded(inner, outer) === true),
  ),
)

function actionHolds(action: Action, asked: string | undefined, kind: OdrlRule['kind']): Tri {
  if (asked === undefined || action.iri === '') return undefined
  const included = isIncluded(asked, action.iri)
  if (included !== undefined && (included || kind === 'permission')) return included
  // Whoever does the wider action may do the narrower, prohibited one with it.
  if (kind === 'prohibition' && INCLUDING.has(asked) && isIncluded(action.iri, asked) !== false)
    return undefined
  // An action that nobody knows may include the one asked for.
  if (kind === 'prohibition' && isKnownAction(asked) && !isKnownAction(action.iri)) return undefined
  return INCLUDING.has(action.iri) && included === undefined ? undefined : false
}

function dutyAllows({ rule, inForce, performed, state }: DutyJudged, mode: DutyMode): Tri {
  if (mode === 'eventual') return state === 'violated' ? false : isUnderstood(rule) ? true : undefined
  if (inForce === false) return true
  if (performed === true) return true
  if (state === 'violated') return false
  return inForce === undefined ? undefined : performed
}

function judgeDuty(rule: OdrlRule, world: World): DutyJudged {
  const zone = zoneOf(rule.constraints)
  const constraints = rule.constraints.map((condition) => judge(condition, world, zone))
  const understood = isUnderstood(rule)
  const own = rule.id === undefined ? undefined : world.duties.get(rule.id)
  const ofAction = rule.actions.flatMap(({ iri }) => world.duties.get(iri) ?? [])[0]
  const stated = own ?? ofAction
  const evidence = world.performed.map((done) => fulfils(done, rule, world))
  // That the action was done says nothing about what is not understood; that it was violated says enough.
  const isDone = stated === 'fulfilled' && (understood || own !== undefined)
  const performed = isDone
    ? true
    : stated === 'violated'
      ? false
      : allOf([understood ? true : undefined, anyOf([stated === 'fulfilled', ...evidence])])
  return {
    rule,
    inForce: allOf(constraints.map(({ holds }) => holds)),
    performed,
    state: performed === true ? 'fulfilled' : stated === 'violated' ? 'violated' : 'open',
    constraints,
  }
}

/** Whether what was done is what the duty asks for, in the way its refinements ask for it, and no later than now. */
function fulfils(done: Performed, rule: OdrlRule, world: World): Tri {
  const named = done.duty === undefined ? undefined : done.duty === rule.id
  if (named === false) return false
  const matching = rule.actions.map((action) => {
    const sameAction =
      done.action === undefined ? named === true : isIncluded(done.action, action.iri) === true
    if (!sameAction) return false
    const measured: World = { ...world, facts: done.facts }
    return allOf(
      action.refinements.map((condition) =>
        condition.kind === 'atom' && !sameUnit(condition.unit, done.unit)
          ? undefined
          : judge(condition, measured, undefined).holds,
      ),
    )
  })
  return allOf([anyOf(matching), notLater(done, world)])
}

/** Units are compared without the scheme of their address, which documents write both ways. */
const sameUnit = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || a.replace(/^https:/, 'http:') === b.replace(/^https:/, 'http:')

function notLater({ at }: Performed, world: World): Tri {
  if (at === undefined || world.at === undefined) return true
  const place = placeOf(at, world.at)
  return place === undefined ? undefined : place !== 'after'
}
