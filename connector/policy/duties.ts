/**
 * What the obligations of a contract ask of the recipient, as far as a connector can see to it: delete, log, inform.
 * Pure. Everything that is read here is carried out by a connector of our make; the rest is a promise between people.
 */
import type { EpochMs } from '../core/types.js'
import { addDuration, type Duration, parseDuration } from './duration.js'
import { DAY_MS, parseDay, parseInstant } from './instant.js'
import { type AtomicConstraint, type Constraint, MDP, ODRL, type Policy, type Rule } from './model.js'

const DELETE = `${ODRL}delete`
const LOG_USAGE = `${MDP}logUsage`
const INFORM = `${ODRL}inform`

const RETENTION = `${MDP}retention`
const LOG_LEVEL = `${MDP}logLevel`
/** How exactly a connector of our make logs. */
const LEVELS: readonly string[] = ['per-batch', 'per-day']
const EVENT = `${ODRL}event`
const DATE_TIME = `${ODRL}dateTime`

/** By when something must be done with data. Several limits: the earliest. None: at the end of the contract. */
export type DutyLimits = {
  /** Counted from the receipt of each record. */
  readonly retention?: Duration
  /** For all data alike. */
  readonly until?: EpochMs
}

export type Demand = {
  /** Where it stands, such as `obligation[0]`. */
  readonly path: string
  readonly action: string
} & (
  | { readonly kind: 'delete'; readonly limits: DutyLimits }
  | { readonly kind: 'log'; readonly level?: string }
  | { readonly kind: 'inform'; readonly event?: string }
  /** A promise that only people can keep; with limits where it has them. */
  | { readonly kind: 'other'; readonly limits?: DutyLimits }
)

/** The duties of a contract in the order of its text. */
export const demandsOf = (policy: Policy): readonly Demand[] => policy.obligations.map(demandOf)

/** Whether a connector of our make sees to this obligation by itself, or helps a person to do so and tells the partner. */
export const isExecuted = (rule: Rule): boolean => demandOf(rule).kind !== 'other'

function demandOf(rule: Rule): Demand {
  const { path, action } = rule
  const other: Demand = { path, action, kind: 'other' }
  const conditions = atomics(rule.constraints)
  // A condition that is not understood may make the duty another one: then it is for people to read.
  if (conditions === undefined || rule.duties.length > 0) return other
  if (action === LOG_USAGE) {
    const level = onlyValue(conditions, LOG_LEVEL)
    // Nothing here sees what is done with a single record.
    if (level !== null && level !== undefined && !LEVELS.includes(level)) return other
    return level === null ? other : { path, action, kind: 'log', ...(level === undefined ? {} : { level }) }
  }
  if (action === INFORM) {
    const event = onlyValue(conditions, EVENT)
    return event === null
      ? other
      : { path, action, kind: 'inform', ...(event === undefined ? {} : { event }) }
  }
  const limits = limitsOf(conditions)
  if (limits === undefined) return other
  return action === DELETE ? { path, action, kind: 'delete', limits } : { ...other, limits }
}

/** The conditions that hold together; undefined when there are alternatives. */
function atomics(constraints: readonly Constraint[]): readonly AtomicConstraint[] | undefined {
  const all: AtomicConstraint[] = []
  for (const constraint of constraints) {
    if (constraint.kind === 'atomic') all.push(constraint)
    else {
      const inner = constraint.kind === 'and' ? atomics(constraint.operands) : undefined
      if (inner === undefined) return undefined
      all.push(...inner)
    }
  }
  return all
}

/** The value of the one condition that may stand there; undefined without any, null for anything else. */
function onlyValue(conditions: readonly AtomicConstraint[], leftOperand: string): string | undefined | null {
  const [only, ...more] = conditions
  if (only === undefined) return undefined
  if (more.length > 0 || only.leftOperand !== leftOperand) return null
  if (only.operator !== 'eq' && only.operator !== 'isAnyOf') return null
  const [value, ...others] = [only.rightOperand].flat()
  return others.length > 0 ? null : (value ?? null)
}

function limitsOf(conditions: readonly AtomicConstraint[]): DutyLimits | undefined {
  const limits: { retention?: Duration; until?: EpochMs } = {}
  for (const { leftOperand, operator, rightOperand } of conditions) {
    if (typeof rightOperand !== 'string' || !['lt', 'lteq', 'eq'].includes(operator)) return undefined
    if (leftOperand === RETENTION) {
      const retention = parseDuration(rightOperand)
      // Two retentions cannot always be compared: P1M or P30D may be the longer one.
      if (retention === undefined || limits.retention !== undefined) return undefined
      limits.retention = retention
    } else if (leftOperand === DATE_TIME) {
      const until = deadline(operator, rightOperand)
      if (until === undefined) return undefined
      limits.until = Math.min(until, limits.until ?? until) as EpochMs
    } else return undefined
  }
  return limits
}

/** A day that still counts ends at its last moment, UTC. */
function deadline(operator: string, value: string): EpochMs | undefined {
  const day = parseDay(value)
  if (day === undefined) return parseInstant(value)
  return (operator === 'lt' ? day : day + DAY_MS) as EpochMs
}

/** When data received at that time is due at the latest; undefined while nothing says so. */
export function dueAt(
  { retention, until }: DutyLimits,
  receivedAt: EpochMs,
  contractEnd: EpochMs | undefined,
): EpochMs | undefined {
  // The end of a contract shortens nothing that has a limit of its own: data may be kept as long as was agreed.
  if (retention === undefined && until === undefined) return contractEnd
  const kept = retention === undefined ? undefined : addDuration(receivedAt, retention)
  return Math.min(kept ?? Number.POSITIVE_INFINITY, until ?? Number.POSITIVE_INFINITY) as EpochMs
}
