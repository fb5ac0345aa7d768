/** What single constraints contribute to a plan, and the strictest combination of such contributions. */
import type { EpochMs } from '../core/types.js'
import type { Plan } from './plan.js'

export type PlanTerms = Omit<Plan, 'version' | 'hash'>

const later = (a: EpochMs, b: EpochMs): EpochMs => (a > b ? a : b)
const earlier = (a: EpochMs, b: EpochMs): EpochMs => (a < b ? a : b)
const common = (a: readonly string[], b: readonly string[]): readonly string[] => {
  const inB = new Set(b)
  return a.filter((item) => inB.has(item))
}

/** Both values joined when there are two, the one there is otherwise. */
const both = <T>(a: T | undefined, b: T | undefined, join: (a: T, b: T) => T): T | undefined => {
  if (a === undefined) return b
  return b === undefined ? a : join(a, b)
}

/** What satisfies both: an absent member demands nothing. */
export function strictest(a: PlanTerms, b: PlanTerms): PlanTerms {
  const notBefore = both(a.notBefore, b.notBefore, later)
  const notAfter = both(a.notAfter, b.notAfter, earlier)
  const recipients = both(a.recipients, b.recipients, common)
  const fields = both(a.fields, b.fields, common)
  const samplingIntervalMs = both(a.samplingIntervalMs, b.samplingIntervalMs, Math.max)
  const deliveryDelayMs = both(a.deliveryDelayMs, b.deliveryDelayMs, Math.max)
  const countLimit = both(a.countLimit, b.countLimit, Math.min)
  return {
    ...(notBefore !== undefined && { notBefore }),
    ...(notAfter !== undefined && { notAfter }),
    ...(recipients !== undefined && { recipients }),
    ...(fields !== undefined && { fields }),
    ...(samplingIntervalMs !== undefined && { samplingIntervalMs }),
    ...(deliveryDelayMs !== undefined && { deliveryDelayMs }),
    ...(countLimit !== undefined && { countLimit }),
  }
}
