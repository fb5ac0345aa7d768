/**
 * Stage 8, count: deliveries are booked durably before they are made. A crash can lose quota, never exceed it.
 */
import type { Problem } from '../../core/result.js'
import type { Grant, UsageMeter } from '../ports.js'

/** How many of `wanted` deliveries may be made. */
export type Count = (wanted: number) => Promise<number>

export function countFor(usage: UsageMeter, grant: Grant): Count {
  const { agreementId } = grant
  const { countLimit } = grant.plan
  if (countLimit === undefined) return async (wanted) => wanted
  return async (wanted) => {
    const granted = await usage.book(agreementId, wanted, countLimit)
    // A meter that answers nonsense grants nothing.
    return granted >= 0 ? Math.min(granted, wanted) : 0
  }
}

export const quotaExhausted = (grant: Grant): Problem => ({
  code: 'QuotaExhausted',
  message: `The agreed quota of ${grant.plan.countLimit ?? 0} deliveries is used up.`,
})
