/** What came under contracts with duties, the daily log of it, and what both sides declared about the duties. */
import type Database from 'better-sqlite3'
import type { EpochMs, Role } from '../../core/types.js'
import { type Arrival, arrived, type Counted, type Settled, type Statement } from '../../domain/duty.js'
import type { ArrivalNote, LoggedDay, LoggedEntry } from '../store.js'

/** Days and settled arrivals of one contract that are kept. */
const KEPT = 1000
/** Receipts and reports of one contract, each way, that are kept; the oldest give way. */
const KEPT_RECEIPTS = 10_000
/** Statements after which there is a look at how many there are. */
const DROP_EVERY = 100
/** Deliveries of one contract that are logged by themselves; beyond them the sums of the days remain. */
const KEPT_ENTRIES = 100_000

export function dutyTables(db: Database.Database) {
  const columns = `seq, agreement_id AS agreementId, role, place, from_at AS "from", to_at AS "to",
    start_bytes AS startBytes, start_records AS startRecords, end_bytes AS endBytes, end_records AS endRecords, own, gone`
  const lastOf = db.prepare(
    `SELECT ${columns} FROM arrival WHERE role = @role AND place = @place ORDER BY seq DESC LIMIT 1`,
  )
  const insert = db.prepare(`
    INSERT INTO arrival (agreement_id, role, place, from_at, to_at, start_bytes, start_records, end_bytes, end_records, own, gone)
    VALUES (@agreementId, @role, @place, @from, @to, @startBytes, @startRecords, @endBytes, @endRecords, @own, 0)`)
  const move = db.prepare(`
    UPDATE arrival SET to_at = max(to_at, @to), end_bytes = @endBytes, end_records = @endRecords WHERE seq = @seq`)
  const of = db.prepare(`
    SELECT ${columns} FROM arrival WHERE agreement_id = @agreementId AND role = @role ORDER BY seq`)
  // What has come to it since stays, and is due as it was.
  const markGone = db.prepare(`
    UPDATE arrival SET gone = @upTo IS NULL OR end_bytes <= @upTo,
      start_bytes = CASE WHEN end_bytes > @upTo THEN max(start_bytes, @upTo) ELSE start_bytes END WHERE seq = @seq`)
  const keepApart = db.prepare(`
    INSERT INTO arrival (agreement_id, role, place, from_at, to_at, start_bytes, start_records, end_bytes, end_records, own, gone)
    SELECT agreement_id, role, place, from_at, to_at, @upTo, start_records, end_bytes, end_records, own, gone FROM arrival
    WHERE seq = @seq AND end_bytes > @upTo`)
  const disown = db.prepare('UPDATE arrival SET own = 0, end_bytes = min(end_bytes, @upTo) WHERE seq = @seq')
  const prune = db.prepare(`
    DELETE FROM arrival WHERE agreement_id = @agreementId AND role = @role AND gone = 1
      AND seq NOT IN (SELECT max(seq) FROM arrival GROUP BY role, place)
      AND seq < (SELECT max(seq) FROM arrival) - ${KEPT}`)

  const addDay = db.prepare(`
    INSERT INTO usage_log (agreement_id, role, day, batches, records, bytes, first_at, last_at)
    VALUES (@agreementId, @role, @day, 1, @records, @bytes, @at, @at)
    ON CONFLICT (agreement_id, role, day) DO UPDATE SET batches = batches + 1, records = records + excluded.records,
      bytes = bytes + excluded.bytes, last_at = max(last_at, excluded.last_at)`)
  const days = db.prepare(`
    SELECT day, batches, records, bytes, first_at AS "first", last_at AS "last" FROM usage_log
    WHERE agreement_id = @agreementId AND role = @role ORDER BY day`)
  const dropDays = db.prepare(`
    DELETE FROM usage_log WHERE agreement_id = @agreementId AND role = @role AND day < @day - ${KEPT}`)

  const addEntry = db.prepare(`
    INSERT INTO usage_entry (agreement_id, role, place, at, start_bytes, records, bytes)
    VALUES (@agreementId, @role, @place, @at, @startBytes, @records, @bytes)
    ON CONFLICT (role, place, start_bytes) DO UPDATE SET at = excluded.at, records = excluded.records,
      bytes = excluded.bytes`)
  const entries = db.prepare(`
    SELECT at, place, records, bytes FROM usage_entry
    WHERE agreement_id = @agreementId AND role = @role AND at > @after AND at <= @until ORDER BY seq`)
  const dropEntries = db.prepare(`
    DELETE FROM usage_entry WHERE agreement_id = @agreementId AND role = @role AND seq <= (SELECT seq FROM usage_entry
      WHERE agreement_id = @agreementId AND role = @role ORDER BY seq DESC LIMIT 1 OFFSET ${KEPT_ENTRIES})`)

  const putStatement = db.prepare(`
    INSERT INTO duty_statement (id, direction, partner, agreement_id, role, path, kind, at, data)
    VALUES (@id, @direction, @partner, @agreementId, @role, @path, @kind, @at, @data)
    ON CONFLICT (partner, direction, id) DO UPDATE SET data = excluded.data`)
  const dropStatements = db.prepare(`
    DELETE FROM duty_statement WHERE agreement_id = @agreementId AND role = @role AND direction = @direction
      AND kind IN ('deletion', 'log') AND n <= (SELECT n FROM duty_statement
        WHERE agreement_id = @agreementId AND role = @role AND direction = @direction AND kind IN ('deletion', 'log')
        ORDER BY n DESC LIMIT 1 OFFSET ${KEPT_RECEIPTS})`)
  const statement = db.prepare(`
    SELECT data FROM duty_statement WHERE partner = @partner AND direction = @direction AND id = @id`)
  const ownStatement = db.prepare("SELECT data FROM duty_statement WHERE direction = 'out' AND id = @id")
  const statementsOf = db.prepare(`
    SELECT data FROM (SELECT n, data FROM duty_statement WHERE agreement_id = @agreementId AND role = @role
      ORDER BY n DESC LIMIT @limit + 0) ORDER BY n`)
  const latest = db.prepare(`
    SELECT data FROM duty_statement WHERE n IN (SELECT max(n) FROM duty_statement
      WHERE agreement_id = @agreementId AND role = @role AND path = @path GROUP BY kind, direction) ORDER BY n`)
  const count = db
    .prepare(`
      SELECT count(*) FROM duty_statement WHERE partner = @partner AND agreement_id = @agreementId
        AND direction = @direction AND kind NOT IN ('deletion', 'log')`)
    .pluck()

  const parse = (row: unknown): Statement => JSON.parse((row as { data: string }).data) as Statement

  return {
    /** Answers whether a new span has begun, and with it a new deadline. */
    note({ agreementId, role, place, at, before, after, own, spanMs, each }: ArrivalNote): boolean {
      const row = lastOf.get({ role, place })
      const last = row === undefined ? undefined : arrivalOf(row)
      const from = before ?? last?.end ?? { bytes: 0, records: 0 }
      const to = before === undefined ? plus(from, after) : after
      const { extend, from: fromAt, start } = arrived(last, { at, before: from, after: to, own, spanMs })
      const end = { endBytes: to.bytes, endRecords: to.records }
      // What a crash had counted and not kept is received again: it is counted where it came the second time.
      if (!extend && last !== undefined && last.end.bytes > from.bytes) {
        move.run({ seq: last.seq, to: last.to, endBytes: from.bytes, endRecords: from.records })
      }
      if (extend && last !== undefined) move.run({ seq: last.seq, to: at, ...end })
      else {
        const begin = { startBytes: start.bytes, startRecords: start.records }
        insert.run({ agreementId, role, place, from: fromAt, to: at, ...begin, ...end, own: own ? 1 : 0 })
      }
      const day = Math.floor(at / 86_400_000)
      const amount = { records: to.records - from.records, bytes: to.bytes - from.bytes }
      addDay.run({ agreementId, role, day, at, ...amount })
      dropDays.run({ agreementId, role, day })
      if (each !== true) return !extend
      const entry = addEntry.run({ agreementId, role, place, at, startBytes: from.bytes, ...amount })
      if (Number(entry.lastInsertRowid) % DROP_EVERY === 0) dropEntries.run({ agreementId, role })
      return !extend
    },
    gone(agreementId: string, role: Role, settled: readonly Settled[]): void {
      for (const { seq, upTo = null } of settled) markGone.run({ seq, upTo })
      prune.run({ agreementId, role })
    },
    disown(arrivals: readonly Settled[]): void {
      for (const { seq, upTo = Number.MAX_SAFE_INTEGER } of arrivals) {
        keepApart.run({ seq, upTo })
        disown.run({ seq, upTo })
      }
    },
    put(given: Statement): void {
      const { id, direction, partner, agreementId, role, path, kind, at } = given
      const { lastInsertRowid } = putStatement.run({
        id,
        direction,
        partner,
        agreementId,
        role,
        path,
        kind,
        at,
        data: JSON.stringify(given),
      })
      if (Number(lastInsertRowid) % DROP_EVERY === 0) dropStatements.run({ agreementId, role, direction })
    },
    reads: {
      arrivals: (agreementId: string, role: Role): readonly Arrival[] =>
        of.all({ agreementId, role }).map(arrivalOf),
      loggedUse: (agreementId: string, role: Role): readonly LoggedDay[] =>
        days.all({ agreementId, role }) as LoggedDay[],
      statement(partner: string, direction: Statement['direction'], id: string): Statement | undefined {
        const row = statement.get({ partner, direction, id })
        return row === undefined ? undefined : parse(row)
      },
      ownStatement(id: string): Statement | undefined {
        const row = ownStatement.get({ id })
        return row === undefined ? undefined : parse(row)
      },
      statements: (agreementId: string, role: Role, limit = 10_000): readonly Statement[] =>
        statementsOf.all({ agreementId, role, limit }).map(parse),
      loggedEntries: (
        agreementId: string,
        role: Role,
        after: EpochMs,
        until: EpochMs,
      ): readonly LoggedEntry[] => entries.all({ agreementId, role, after, until }) as LoggedEntry[],
      latestStatements: (agreementId: string, role: Role, path: string): readonly Statement[] =>
        latest.all({ agreementId, role, path }).map(parse),
      countStatements: (partner: string, agreementId: string, direction: Statement['direction']): number =>
        count.get({ partner, agreementId, direction }) as number,
    },
  }
}

const plus = (a: Counted, b: Counted): Counted => ({
  bytes: a.bytes + b.bytes,
  records: a.records + b.records,
})

type Row = Omit<Arrival, 'start' | 'end' | 'own' | 'gone'> & {
  readonly startBytes: number
  readonly startRecords: number
  readonly endBytes: number
  readonly endRecords: number
  readonly own: number
  readonly gone: number
}

function arrivalOf(row: unknown): Arrival {
  const { startBytes, startRecords, endBytes, endRecords, own, gone, ...rest } = row as Row
  return {
    ...rest,
    from: rest.from as EpochMs,
    start: { bytes: startBytes, records: startRecords },
    end: { bytes: endBytes, records: endRecords },
    own: own === 1,
    gone: gone === 1,
  }
}
