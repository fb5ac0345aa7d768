/** Counters of what was granted under an agreement: in total, and on the calendar day that was counted last. */
import type Database from 'better-sqlite3'
import { type Asked, type Booking, bookInto, NOTHING_USED, type Quota } from '../../core/quota.js'

export function usageTables(db: Database.Database) {
  const total = db.prepare('SELECT booked FROM usage WHERE agreement_id = @agreementId').pluck()
  const day = db.prepare(
    'SELECT day AS number, records, bytes FROM usage_day WHERE agreement_id = @agreementId',
  )
  const putTotal = db.prepare(`
    INSERT INTO usage (agreement_id, booked) VALUES (@agreementId, @total)
    ON CONFLICT (agreement_id) DO UPDATE SET booked = excluded.booked`)
  const putDay = db.prepare(`
    INSERT INTO usage_day (agreement_id, day, records, bytes) VALUES (@agreementId, @number, @records, @bytes)
    ON CONFLICT (agreement_id) DO UPDATE
    SET day = excluded.day, records = excluded.records, bytes = excluded.bytes`)
  const booked = (agreementId: string): number => (total.get({ agreementId }) as number | undefined) ?? 0

  return {
    booked,
    /** Runs inside a step. */
    book(agreementId: string, asked: Asked, quota: Quota): Booking {
      const before = {
        total: booked(agreementId),
        day: (day.get({ agreementId }) as typeof NOTHING_USED.day | undefined) ?? NOTHING_USED.day,
      }
      const { used, ...booking } = bookInto(before, asked, quota)
      if (booking.granted === 0) return booking
      if (quota.total !== undefined) putTotal.run({ agreementId, total: used.total })
      if (quota.day !== undefined) putDay.run({ agreementId, ...used.day })
      return booking
    },
  }
}
