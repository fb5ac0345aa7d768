/**
 * One name for one quantity: dialects that speak of the same clock become the same left operand, and times of day carry
 * the zone by which they are read, so that no two conditions look independent that are not.
 */
import { MDP } from '../model.js'
import { zoneOf } from '../odrl/judge.js'
import { inOwnTerms } from '../odrl/own-terms.js'
import type { Action, Atom, Condition, OdrlPolicy, OdrlRule, Thing } from '../odrl/policy.js'

/** Read by a clock on the wall, whose zone stands elsewhere in the rule. */
export const LOCAL: ReadonlySet<string> = new Set([`${MDP}localTime`, `${MDP}dayOfWeek`])
/** Counted by calendar days, whose beginning the same zone says. */
const BY_DAY: ReadonlySet<string> = new Set([`${MDP}recordsPerDay`, `${MDP}bytesPerDay`])
/** Says by which clock others are read, and is no condition by itself. */
export const isZoneName = ({ leftOperand, operator, values, unknown }: Atom): boolean =>
  leftOperand === `${MDP}timeZone` && operator === 'eq' && values.length === 1 && unknown.length === 0

function canonicalAtom(atom: Atom, zone: string | undefined): Atom {
  const own = inOwnTerms(atom) ?? atom
  return LOCAL.has(own.leftOperand) || BY_DAY.has(own.leftOperand) ? { ...own, unit: zone } : own
}

const canonicalCondition = (condition: Condition, zone: string | undefined): Condition =>
  condition.kind === 'atom'
    ? canonicalAtom(condition, zone)
    : { ...condition, operands: condition.operands.map((operand) => canonicalCondition(operand, zone)) }

function canonicalRule(rule: OdrlRule): OdrlRule {
  const zone = zoneOf(rule.constraints)
  const each = (conditions: readonly Condition[]): readonly Condition[] =>
    conditions.map((condition) => canonicalCondition(condition, zone))
  const refined = <T extends Thing | Action>(part: T): T => ({ ...part, refinements: each(part.refinements) })
  return {
    ...rule,
    actions: rule.actions.map(refined),
    targets: rule.targets.map(refined),
    assignees: rule.assignees.map(refined),
    constraints: each(rule.constraints),
    duties: rule.duties.map(canonicalRule),
  }
}

export const canonicalPolicy = (policy: OdrlPolicy): OdrlPolicy => ({
  ...policy,
  permissions: policy.permissions.map(canonicalRule),
  prohibitions: policy.prohibitions.map(canonicalRule),
  obligations: policy.obligations.map(canonicalRule),
})
