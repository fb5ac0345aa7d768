/**
 * One name for one quantity: dialects that speak of the same clock become the same left operand, and times of day carry
 * the zone by which they are read, so that no two conditions look independent that are not.
 */
import { MDP, ODRL } from '../model.js'
import { zoneOf } from '../odrl/judge.js'
import type { Action, Atom, Condition, OdrlPolicy, OdrlRule, Thing } from '../odrl/policy.js'
import { parseExactDuration } from '../odrl/scalar.js'

const CATENA_X = 'https://w3id.org/catenax/2025/9/policy/'
const IN_FORCE = 'https://w3id.org/edc/v0.0.1/ns/inForceDate'
const END_DATE = `${CATENA_X}DataUsageEndDate`
const END_DAYS = `${CATENA_X}DataUsageEndDurationDays`
const DATE_TIME = `${ODRL}dateTime`
const AGE = `${MDP}agreementAge`
const RELATIVE = /^[cC]ontract[aA]greement\+(\d{1,9})([smhd])$/
const UNITS: Readonly<Record<string, string>> = { s: 'PT#S', m: 'PT#M', h: 'PT#H', d: 'P#D' }

/** Read by a clock on the wall, whose zone stands elsewhere in the rule. */
export const LOCAL: ReadonlySet<string> = new Set([`${MDP}localTime`, `${MDP}dayOfWeek`])
/** Counted by calendar days, whose beginning the same zone says. */
const BY_DAY: ReadonlySet<string> = new Set([`${MDP}recordsPerDay`, `${MDP}bytesPerDay`])
/** Says by which clock others are read, and is no condition by itself. */
export const isZoneName = ({ leftOperand, operator, values, unknown }: Atom): boolean =>
  leftOperand === `${MDP}timeZone` && operator === 'eq' && values.length === 1 && unknown.length === 0

/** "eq" is how Catena-X writes "until". */
const until = (operator: string): string => (operator === 'eq' ? 'lt' : operator)

const aged = (atom: Atom, operator: string, duration: string): Atom => ({
  ...atom,
  leftOperand: AGE,
  operator,
  values: [{ text: duration, scalar: parseExactDuration(duration) }],
})

function canonicalAtom(atom: Atom, zone: string | undefined): Atom {
  const { leftOperand, operator, values } = atom
  const [only, second] = values
  if (LOCAL.has(leftOperand) || BY_DAY.has(leftOperand)) return { ...atom, unit: zone }
  if (only === undefined || second !== undefined) return atom
  if (leftOperand === IN_FORCE) {
    const [, amount, unit = ''] = RELATIVE.exec(only.text) ?? []
    if (amount !== undefined) return aged(atom, operator, (UNITS[unit] ?? '').replace('#', amount))
    return only.scalar === undefined ? atom : { ...atom, leftOperand: DATE_TIME }
  }
  if (leftOperand === END_DATE && only.scalar !== undefined) {
    return { ...atom, leftOperand: DATE_TIME, operator: until(operator) }
  }
  return leftOperand === END_DAYS && /^\d{1,6}$/.test(only.text)
    ? aged(atom, until(operator), `P${only.text}D`)
    : atom
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
