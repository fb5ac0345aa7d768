/**
 * Stage 8, count: deliveries are booked durably before they are made. A crash can lose quota, never exceed it. A quota of
 * the day is full again with the next calendar day of the contract's zone.
 */

import type { Problem } from '../../core/result.js'
import type { Clock, EpochMs, Text } from '../../core/types.js'
import { momentWords, numberWords } from '../../policy/words.js'
import { nextDay } from '../../policy/zone.js'
import { jsonEncoder } from '../delivery/encode.js'
import type { Asked, Booking, Grant, Quota, UsageMeter } from '../ports.js'
import type { DataRecord } from '../record.js'
import { zoneOf } from './gate.js'

/** Less was granted than was wanted. `again`: when it makes sense to go on; absent when it never does. */
export type Short = { readonly problem: Problem; readonly again?: EpochMs }

export type Counted = { readonly granted: number; readonly short?: Short }

export type Counter = {
  /** The records start to end, exclusive, as they are counted. */
  asked(records: readonly DataRecord[], start: number, end: number): Asked
  /** What holds at this instant; undefined when the agreement limits nothing. */
  quota(): Quota | undefined
  short(booking: Booking): Short | undefined
  book(asked: Asked): Promise<Counted>
}

export function counterFor(
  usage: UsageMeter,
  grant: Grant,
  columns: readonly string[],
  clock: Clock,
): Counter {
  const { agreementId, plan } = grant
  const { countLimit, recordsPerDay, bytesPerDay } = plan
  const isDaily = recordsPerDay !== undefined || bytesPerDay !== undefined
  const zone = isDaily ? zoneOf(plan) : undefined
  // One measure for all ways and formats: the record as a line of JSON.
  const encode = bytesPerDay === undefined ? undefined : jsonEncoder(columns)

  /** When the quota was looked at last: the day that follows is the one after that, however late the answer comes. */
  let asOf = clock()

  const quota = (): Quota | undefined => {
    if (countLimit === undefined && zone === undefined) return undefined
    asOf = clock()
    return {
      ...(countLimit !== undefined && { total: countLimit }),
      ...(zone !== undefined && {
        day: {
          number: zone.local(asOf).day,
          ...(recordsPerDay !== undefined && { records: recordsPerDay }),
          ...(bytesPerDay !== undefined && { bytes: bytesPerDay }),
        },
      }),
    }
  }

  const short = ({ short: by }: Booking): Short | undefined => {
    if (by === undefined) return undefined
    const again = by === 'day' && zone !== undefined ? nextDay(zone, asOf) : undefined
    return again === undefined
      ? { problem: quotaExhausted(grant) }
      : { problem: dayExhausted(grant, again), again }
  }

  return {
    asked: (records, start, end) => ({
      records: end - start,
      ...(encode !== undefined && {
        sizes: records.slice(start, end).map((record) => Buffer.byteLength(encode(record)) + 1),
      }),
    }),
    quota,
    short,
    book: async (asked) => {
      const limits = quota()
      if (limits === undefined) return { granted: asked.records }
      const booking = await usage.book(agreementId, asked, limits)
      // A meter that answers nonsense grants nothing.
      const granted = booking.granted >= 0 ? Math.min(booking.granted, asked.records) : 0
      const missing = short({
        ...booking,
        ...(granted < asked.records && booking.short === undefined && { short: 'total' }),
      })
      return { granted, ...(missing !== undefined && { short: missing }) }
    },
  }
}

export function quotaExhausted({ plan }: Grant): Problem {
  const { en, de } = deliveries(plan.countLimit ?? 0)
  const [why, warum] =
    plan.noise === undefined
      ? ['', '']
      : [
          ' More values would undo the random deviations that the contract adds to them.',
          ' Mehr Werte würden die zufälligen Abweichungen aufheben, die der Vertrag ihnen hinzufügt.',
        ]
  return {
    code: 'QuotaExhausted',
    message: `The agreed quota of ${en} is used up.${why}`,
    messageDe: `Die vereinbarte Menge von ${de} ist verbraucht.${warum}`,
  }
}

function dayExhausted({ plan }: Grant, again: EpochMs): Problem {
  const limits = [
    ...(plan.recordsPerDay === undefined ? [] : [deliveries(plan.recordsPerDay)]),
    ...(plan.bytesPerDay === undefined ? [] : [bytes(plan.bytesPerDay)]),
  ]
  const [en, de] = [limits.map((one) => one.en).join(' and '), limits.map((one) => one.de).join(' und ')]
  const begins = momentWords(again)
  return {
    code: 'QuotaExhausted',
    message: `The agreed quota of ${en} a day is used up; the next day begins at ${begins.en}.`,
    messageDe: `Die vereinbarte Tagesmenge von ${de} ist verbraucht; der nächste Tag beginnt am ${begins.de}.`,
  }
}

function deliveries(count: number): Text {
  const { en, de } = numberWords(count)
  return count === 1
    ? { en: `${en} delivery`, de: `${de} Lieferung` }
    : { en: `${en} deliveries`, de: `${de} Lieferungen` }
}

function bytes(count: number): Text {
  const { en, de } = numberWords(count)
  return { en: `${en} bytes`, de: `${de} Byte` }
}
