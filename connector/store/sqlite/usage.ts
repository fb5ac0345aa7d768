/** Counters of what was granted under an agreement: in total, and on each calendar day, so that no day is given twice. */
import type Database from 'better-sqlite3'
import { type Asked, type Booking, bookInto, NOTHING_USED, type Quota } from '../../core/quota.js'

/** Days that stay counted: a clock that is set back by less than this finds what was used then. */
const KEPT_DAYS = 400

export function usageTables(db: Database.Database) {
  const total = db.prepare('SELECT booked FROM usage WHERE agreement_id = @agreementId').pluck()
  const day = db.prepare(
    'SELECT records, bytes FROM day_usage WHERE agreement_id = @agreementId AND day = @number',
  )
  const putTotal = db.prepare(`
    INSERT INTO usage (agreement_id, booked) VALUES (@agreementId, @total)
    ON CONFLICT (agreement_id) DO UPDATE SET booked = excluded.booked`)
  const putDay = db.prepare(`
    INSERT INTO day_usage (agreement_id, day, records, bytes) VALUES (@agreementId, @number, @records, @bytes)
    ON CONFLICT (agreement_id, day) DO UPDATE SET records = excluded.records, bytes = excluded.bytes`)
  const dropDays = db.prepare('DELETE FROM day_usage WHERE agreement_id = @agreementId AND day < @first')
  const booked = (agreementId: string): number => (total.get({ agreementId }) as number | undefined) ?? 0
  const usedOn = (agreementId: string, number: number) =>
    (day.get({ agreementId, number }) as typeof NOTHING_USED.day | undefined) ?? NOTHING_USED.day

  return {
    booked,
    /** Runs inside a step. */
    book(agreementId: string, asked: Asked, quota: Quota): Booking {
      const number = quota.day?.number
      const before = {
        total: booked(agreementId),
        day: number === undefined ? NOTHING_USED.day : usedOn(agreementId, number),
      }
      const { used, ...booking } = bookInto(before, asked, quota)
      if (booking.granted === 0) return booking
      if (quota.total !== undefined) putTotal.run({ agreementId, total: used.total })
      if (number !== undefined) {
        putDay.run({ agreementId, number, ...used.day })
        if (before.day.records === 0) dropDays.run({ agreementId, first: number - KEPT_DAYS })
      }
      return booking
    },
  }
}
