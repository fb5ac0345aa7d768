/**
 * Quotas of an agreement: how much of what is wanted may still be delivered. A pure decision, made by the store inside the
 * step that writes down what was granted.
 */

/** Deliveries that are wanted; `sizes` are their bytes, one each, where bytes are limited. */
export type Asked = { readonly records: number; readonly sizes?: readonly number[] }

export type Quota = {
  /** Deliveries under the agreement in total. */
  readonly total?: number
  /** What may be delivered on one calendar day. `number`: days since 1970 in the zone of the contract. */
  readonly day?: { readonly number: number; readonly records?: number; readonly bytes?: number }
}

export type Used = {
  readonly total: number
  /** On the day of the quota. */
  readonly day: { readonly records: number; readonly bytes: number }
}

/** `short`: which quota gave less than was wanted. */
export type Booking = { readonly granted: number; readonly short?: 'total' | 'day' }

export const NOTHING_USED: Used = { total: 0, day: { records: 0, bytes: 0 } }

/** Grants from the first delivery on, without leaving one out, and says what is used then. */
export function bookInto(
  used: Used,
  { records, sizes }: Asked,
  { total, day }: Quota,
): Booking & { readonly used: Used } {
  const inTotal = total === undefined ? records : within(records, total - used.total)
  if (day === undefined) {
    return {
      granted: inTotal,
      ...(inTotal < records && { short: 'total' as const }),
      used: { ...used, total: used.total + (total === undefined ? 0 : inTotal) },
    }
  }
  const today = used.day
  const most = day.records === undefined ? inTotal : within(inTotal, day.records - today.records)
  let granted = 0
  let bytes = 0
  while (granted < most) {
    // What has no size cannot be counted, and what cannot be counted is not delivered.
    const size = day.bytes === undefined ? (sizes?.[granted] ?? 0) : (sizes?.[granted] ?? Infinity)
    if (day.bytes !== undefined && today.bytes + bytes + size > day.bytes) break
    bytes += size
    granted += 1
  }
  const short = granted < inTotal ? 'day' : granted < records ? 'total' : undefined
  return {
    granted,
    ...(short !== undefined && { short }),
    used: {
      total: used.total + (total === undefined ? 0 : granted),
      day: { records: today.records + granted, bytes: today.bytes + bytes },
    },
  }
}

/** A limit that is no number grants nothing. */
const within = (wanted: number, left: number): number => (left > 0 ? Math.min(wanted, left) : 0)
