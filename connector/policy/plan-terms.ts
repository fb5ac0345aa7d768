/** What single constraints contribute to a plan, and the strictest combination of such contributions. */
import type { EpochMs } from '../core/types.js'
import { commonHours } from './hours.js'
import { type Condition, type Plan, ROW_KEYS, type RowFilter } from './plan.js'

/** What a shape document says comes in when the plan is compiled; the terms only name it. */
type OfShape = 'valueSteps' | 'noise' | 'identifying'

export type PlanTerms = Omit<Plan, 'version' | 'hash' | OfShape>

const later = (a: EpochMs, b: EpochMs): EpochMs => (a > b ? a : b)
const earlier = (a: EpochMs, b: EpochMs): EpochMs => (a < b ? a : b)
const common = <T>(a: readonly T[], b: readonly T[]): readonly T[] => {
  const inB = new Set(b)
  return a.filter((item) => inB.has(item))
}
const together = (a: readonly string[], b: readonly string[]): readonly string[] =>
  [...new Set([...a, ...b])].sort()

/** Each once and in one order, so that the canonical form does not depend on the order in which they stand. */
function allConditions(a: readonly Condition[], b: readonly Condition[]): readonly Condition[] {
  const byText = new Map(
    [...a, ...b].map((one) => [JSON.stringify([one.leftOperand, one.operator, one.values]), one]),
  )
  return [...byText].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, condition]) => condition)
}

type Rows = NonNullable<PlanTerms['rows']>

const bothFilters = (a: RowFilter, b: RowFilter): RowFilter =>
  joined(a, b, { only: common, except: together })

/** By key, so that the canonical form does not depend on the order in which the terms stand. */
const bothRows = (a: Rows, b: Rows): Rows =>
  Object.fromEntries(
    ROW_KEYS.flatMap((key) => {
      const [one, other] = [a[key], b[key]]
      if (one === undefined) return other === undefined ? [] : [[key, other]]
      return [[key, other === undefined ? one : bothFilters(one, other)]]
    }),
  )

type Joins<T> = {
  readonly [K in keyof T]-?: (a: NonNullable<T[K]>, b: NonNullable<T[K]>) => NonNullable<T[K]>
}

/** Both values of a member joined when there are two, the one there is otherwise. */
function joined<T extends object>(a: T, b: T, joins: Joins<T>): T {
  const result: Partial<Record<keyof T, unknown>> = {}
  for (const key of Object.keys(joins) as (keyof T)[]) {
    const [one, other] = [a[key], b[key]]
    if (one === undefined || one === null) {
      if (other !== undefined) result[key] = other
    } else {
      result[key] = other === undefined || other === null ? one : joins[key](one, other)
    }
  }
  return result as T
}

const JOINS: Joins<PlanTerms> = {
  notBefore: later,
  notAfter: earlier,
  recipients: common,
  conditions: allConditions,
  hours: commonHours,
  weekdays: common,
  timeZones: common,
  rows: bothRows,
  pseudonym: (scope) => scope,
  fields: common,
  withheld: together,
  samplingIntervalMs: Math.max,
  aggregationWindowMs: Math.max,
  aggregations: common,
  minGroup: Math.max,
  valueStep: Math.max,
  shapes: common,
  mechanisms: common,
  deliveryDelayMs: Math.max,
  countLimit: Math.min,
  recordsPerDay: Math.min,
  bytesPerDay: Math.min,
}

/** What satisfies both: an absent member demands nothing. */
export const strictest = (a: PlanTerms, b: PlanTerms): PlanTerms => joined(a, b, JOINS)

const isEmptied = (only: readonly string[] | undefined, except: readonly string[] = []): boolean =>
  only?.every((name) => except.includes(name)) === true

/** Lists of which something has to be left, so that anything is delivered. */
const NEEDED = [
  'recipients',
  'hours',
  'weekdays',
  'timeZones',
  'aggregations',
  'shapes',
  'mechanisms',
] as const

/** Terms that together let nothing through, whatever the data is. */
export const leavesNothing = (terms: PlanTerms): boolean => {
  const { notBefore, notAfter, rows, fields, withheld } = terms
  return (
    (notBefore !== undefined && notAfter !== undefined && notBefore >= notAfter) ||
    NEEDED.some((member) => terms[member]?.length === 0) ||
    isEmptied(fields, withheld) ||
    Object.values(rows ?? {}).some(({ only, except }) => isEmptied(only, except))
  )
}
