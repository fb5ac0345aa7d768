/** Processes, agreements, owed messages and audit entries: everything a step writes. */
import type Database from 'better-sqlite3'
import { because, message, ok, problem, type Result, type Said } from '../../core/result.js'
import type { EpochMs, Pid, Role } from '../../core/types.js'
import type { Agreement } from '../../domain/agreement.js'
import type { ProcessKind } from '../../domain/process.js'
import type { AuditEntry, Owed, OwedMessage, Process, ProcessRef, Step } from '../../domain/step.js'
import type { Transfer } from '../../domain/transfer.js'
import type { ProcessOf } from '../store.js'

type Row = { readonly data: string }

/** Processes kept in memory. */
const KEPT = 1000

/** Prepared statements and plain synchronous functions; the caller decides about transactions. */
export function processTables(db: Database.Database) {
  const insert = db.prepare(`
    INSERT INTO process (pid, kind, role, partner, partner_pid, state, agreement_id, data, created_at, updated_at)
    VALUES (@pid, @kind, @role, @partner, @partnerPid, @state, @agreementId, @data, @createdAt, @updatedAt)`)
  const update = db.prepare(`
    UPDATE process SET partner_pid = @partnerPid, state = @state, agreement_id = @agreementId, data = @data,
      updated_at = @updatedAt WHERE pid = @pid`)
  const byPid = db.prepare('SELECT data FROM process WHERE pid = @pid AND kind = @kind')
  const byPartnerPid = db.prepare(`
    SELECT data FROM process
    WHERE kind = @kind AND role = @role AND partner = @partner AND partner_pid = @partnerPid`)
  const recent = db.prepare(`
    SELECT data FROM process WHERE kind = @kind AND (@state IS NULL OR state = @state)
    ORDER BY created_at DESC, rowid DESC LIMIT @limit + 0`)
  const open = db
    .prepare(`SELECT count(*) FROM (SELECT 1 FROM process
      WHERE partner = @partner AND kind = @kind AND state NOT IN ('FINALIZED', 'COMPLETED', 'TERMINATED')
      LIMIT @most + 0)`)
    .pluck()
  const byState = db.prepare('SELECT state, count(*) AS count FROM process WHERE kind = @kind GROUP BY state')
  const underAgreement = db.prepare(`
    SELECT data FROM process WHERE agreement_id = @agreementId AND kind = 'transfer' AND partner = @partner`)

  const owe = db.prepare(`
    INSERT INTO owed (pid, kind, partner, event, url, body, created_at, next_attempt_at)
    VALUES (@pid, @kind, @partner, @event, @url, @body, @at, @at)`)
  const settle = db.prepare('DELETE FROM owed WHERE pid = @pid')
  const settleOne = db.prepare('DELETE FROM owed WHERE id = @id')
  const owedColumns = `id, pid, kind, partner, event, url, body, created_at AS createdAt, attempts,
    next_attempt_at AS nextAttemptAt, last_error AS lastError, last_error_de AS lastErrorDe`
  const owedDue = db.prepare(`
    SELECT ${owedColumns} FROM owed AS mine
    WHERE next_attempt_at <= @now AND partner NOT IN (SELECT value FROM json_each(@except))
      AND pid NOT IN (SELECT value FROM json_each(@exceptPids)) AND NOT EXISTS (SELECT 1 FROM owed AS earlier WHERE earlier.pid = mine.pid AND earlier.id < mine.id)
    ORDER BY next_attempt_at, id LIMIT @limit + 0`)
  const dueLater = db.prepare('SELECT min(next_attempt_at) FROM owed WHERE next_attempt_at > @now').pluck()
  const owedByPid = db.prepare(`SELECT ${owedColumns} FROM owed WHERE pid = @pid ORDER BY id`)
  const owedById = db.prepare('SELECT 1 FROM owed WHERE id = @id')
  const owedNow = db.prepare('SELECT pid, event FROM owed WHERE id = @id')
  const owedSummary = db.prepare(`
    SELECT count(*) AS count, min(created_at) AS oldest, min(next_attempt_at) AS nextAttemptAt FROM owed`)
  const failed = db.prepare(`
    UPDATE owed SET attempts = attempts + 1, last_error = @error, last_error_de = @errorDe, next_attempt_at = @nextAttemptAt WHERE id = @id`)
  const hurry = db.prepare('UPDATE owed SET next_attempt_at = @now WHERE pid = @pid')

  const putAgreement = db.prepare(`
    INSERT INTO agreement (id, partner, role, status, data, agreed_at)
    VALUES (@id, @partner, @role, @status, @data, @agreedAt)
    ON CONFLICT (id, partner, role) DO UPDATE SET status = excluded.status, data = excluded.data`)
  const agreementById = db.prepare('SELECT data FROM agreement WHERE id = @id')
  const agreementOwned = db.prepare(
    'SELECT data FROM agreement WHERE id = @id AND partner = @partner AND role = @role',
  )
  const agreementsOn = db.prepare(`
    SELECT data FROM agreement
    WHERE partner = @partner AND json_extract(data, '$.datasetId') = @datasetId
      AND role = 'provider' AND status <> 'revoked'
    ORDER BY agreed_at, id`)
  const allAgreements = db.prepare('SELECT data FROM agreement ORDER BY agreed_at DESC, id')

  const addAudit = db.prepare(`
    INSERT INTO audit (at, subject, direction, event, detail) VALUES (@at, @subject, @direction, @event, @detail)`)
  const seriesOf = db.prepare(`
    SELECT seq, json_extract(detail, '$.times') AS times FROM audit
    WHERE subject = @subject AND event = @event AND json_extract(detail, '$.series') = @series ORDER BY seq`)
  const dropAudit = db.prepare('DELETE FROM audit WHERE seq = @seq')
  const auditOf = db.prepare(`
    SELECT * FROM (
      SELECT seq, at, subject, direction, event, detail FROM audit WHERE subject = @subject
      ORDER BY seq DESC LIMIT @limit + 0
    ) ORDER BY seq`)

  const parse = <T>(row: unknown): T | undefined =>
    row === undefined ? undefined : (JSON.parse((row as Row).data) as T)
  const parseAll = <T>(rows: unknown[]): readonly T[] => rows.map((row) => JSON.parse((row as Row).data) as T)

  const columns = (process: Process) => ({
    pid: process.pid,
    kind: process.kind,
    role: process.role,
    partner: process.partner,
    partnerPid: process.partnerPid ?? null,
    state: process.state,
    agreementId: process.agreementId ?? null,
    data: JSON.stringify(process),
    createdAt: process.createdAt,
    updatedAt: process.updatedAt,
  })

  const note = (entry: AuditEntry, series?: string): void => {
    const detail = series === undefined ? entry.detail : { ...entry.detail, ...seriesAfter(entry, series) }
    addAudit.run({ ...entry, detail: detail === undefined ? null : JSON.stringify(detail) })
  }
  /** Makes room: the first of a series stays, the latest gives way to the next. */
  const seriesAfter = ({ subject, event }: AuditEntry, series: string) => {
    const rows = seriesOf.all({ subject, event, series }) as { seq: number; times: number }[]
    const latest = rows.at(-1)
    if (rows.length > 1) dropAudit.run({ seq: latest?.seq })
    return { series, times: (latest?.times ?? 0) + 1 }
  }

  const storeAgreement = (agreement: Agreement): void => {
    putAgreement.run({
      id: agreement.id,
      partner: agreement.partner,
      role: agreement.role,
      status: agreement.status,
      agreedAt: agreement.agreedAt,
      data: JSON.stringify(agreement),
    })
  }

  const writeRest = (step: Step<Process>): boolean => {
    const { next } = step
    if (step.settle === true) settle.run({ pid: next.pid })
    if (step.owe !== undefined) {
      owe.run({ ...step.owe, pid: next.pid, kind: next.kind, partner: next.partner, at: next.updatedAt })
    }
    if (step.agreement !== undefined) storeAgreement(step.agreement)
    for (const entry of step.audit ?? []) note(entry)
    return step.owe !== undefined
  }

  /** As they are in the database: every message looks its process up several times before it changes it. */
  const kept = new Map<string, Process>()
  const read = (pid: string, kind: ProcessKind): Process | undefined => {
    const known = kept.get(pid)
    if (known !== undefined) return known.kind === kind ? known : undefined
    const process = parse<Process>(byPid.get({ pid, kind }))
    if (kept.size >= KEPT) kept.clear()
    if (process !== undefined) kept.set(pid, process)
    return process
  }

  const find = <Kind extends ProcessKind>(ref: ProcessRef<Kind>): ProcessOf<Kind> | undefined => {
    const process = read(ref.pid, ref.kind) as ProcessOf<Kind> | undefined
    if (process === undefined) return undefined
    if (ref.partner !== undefined && process.partner !== ref.partner) return undefined
    if (ref.role !== undefined && process.role !== ref.role) return undefined
    return process
  }

  const findByPartnerPid = <Kind extends ProcessKind>(
    kind: Kind,
    role: Role,
    partner: string,
    partnerPid: string,
  ): ProcessOf<Kind> | undefined => parse(byPartnerPid.get({ kind, role, partner, partnerPid }))

  return {
    note,
    /** Beside the steps of the negotiation, in whose name it is owed. */
    owe(m: OwedMessage & { readonly pid: Pid; readonly partner: string; readonly at: EpochMs }): void {
      owe.run({ ...m, kind: 'negotiation' })
    },
    settleOne: (id: number): void => void settleOne.run({ id }),
    /** What was read inside a transaction that is undone has never been. */
    forget: () => kept.clear(),
    find,
    findByPartnerPid,

    /** Answers the process that is there afterwards, and whether it and an owed message were written. */
    create<P extends Process>(step: Step<P>): { created: boolean; owes: boolean; process: P } {
      const { next } = step
      if (next.partnerPid !== undefined) {
        const existing = findByPartnerPid(next.kind, next.role, next.partner, next.partnerPid)
        if (existing !== undefined) return { created: false, owes: false, process: existing as P }
      }
      insert.run(columns(next))
      return { created: true, owes: writeRest(step), process: next }
    },

    change<Kind extends ProcessKind>(
      ref: ProcessRef<Kind>,
      decide: (current: ProcessOf<Kind>) => Result<Step<ProcessOf<Kind>>>,
    ): { owes: boolean; result: Result<ProcessOf<Kind>> } {
      const current = find(ref)
      if (current === undefined) {
        return {
          owes: false,
          result: problem('NotFound', {
            en: 'There is no such process.',
            de: 'Diesen Vorgang gibt es nicht.',
          }),
        }
      }
      const step = decide(current)
      if (!step.ok) return { owes: false, result: step }
      const { next } = step.value
      if (next.partnerPid !== undefined && next.partnerPid !== current.partnerPid) {
        const twin = findByPartnerPid(next.kind, next.role, next.partner, next.partnerPid)
        if (twin !== undefined) {
          return {
            owes: false,
            result: problem('InvalidMessage', {
              en: 'The partner uses the pid of another process of its own.',
              de: 'Der Partner verwendet die pid eines anderen seiner Vorgänge.',
            }),
          }
        }
      }
      if (next !== current) {
        // Before the write: should it be undone, what is read next is what is there.
        kept.delete(next.pid)
        update.run(columns(next))
      }
      return { owes: writeRest(step.value), result: ok(next) }
    },

    list: <Kind extends ProcessKind>(kind: Kind, filter: { state?: string; limit?: number } = {}) =>
      parseAll<ProcessOf<Kind>>(
        recent.all({ kind, state: filter.state ?? null, limit: filter.limit ?? 1000 }),
      ),
    countOpen: (kind: ProcessKind, partner: string, most: number) =>
      open.get({ kind, partner, most }) as number,
    countByState: (kind: ProcessKind) => byState.all({ kind }) as { state: string; count: number }[],
    transfersUnder: (agreementId: string, partner: string) =>
      parseAll<Transfer>(underAgreement.all({ agreementId, partner })),

    due: (now: EpochMs, limit: number, except: readonly string[] = [], exceptPids: readonly string[] = []) =>
      owedDue
        .all({ now, limit, except: JSON.stringify(except), exceptPids: JSON.stringify(exceptPids) })
        .map(owedOf),
    nextDue: (now: EpochMs) => (dueLater.get({ now }) as EpochMs | null) ?? undefined,
    owedFor: (pid: string) => owedByPid.all({ pid }).map(owedOf),
    isOwed: (id: number) => owedById.get({ id }) !== undefined,
    owedCount() {
      const row = owedSummary.get() as { count: number; oldest: number | null; nextAttemptAt: number | null }
      return {
        count: row.count,
        ...(row.oldest === null ? {} : { oldest: row.oldest as EpochMs }),
        ...(row.nextAttemptAt === null ? {} : { nextAttemptAt: row.nextAttemptAt as EpochMs }),
      }
    },
    attemptFailed: (id: number, why: Said, nextAttemptAt: EpochMs, at: EpochMs) => {
      const told = message(why)
      const { message: error, messageDe } = told
      if (failed.run({ id, error, errorDe: messageDe ?? null, nextAttemptAt }).changes === 0) return
      const { pid, event } = owedNow.get({ id }) as { pid: string; event: string }
      const detail = { ...because(told), nextAttemptAt: new Date(nextAttemptAt).toISOString() }
      note({ subject: pid, at, direction: 'out', event: `${event} attempt failed`, detail }, String(id))
    },
    retryNow: (pid: string, now: EpochMs) => hurry.run({ pid, now }).changes,

    agreement: (id: string, owner?: { partner: string; role: Role }) =>
      parse<Agreement>(
        owner === undefined ? agreementById.get({ id }) : agreementOwned.get({ id, ...owner }),
      ),
    agreements: () => parseAll<Agreement>(allAgreements.all()),
    agreementsOn: (partner: string, datasetId: string) =>
      parseAll<Agreement>(agreementsOn.all({ partner, datasetId })),
    changeAgreement(
      id: string,
      decide: (current: Agreement) => Result<{ next: Agreement; audit?: readonly AuditEntry[] }>,
    ): Result<Agreement> {
      const current = parse<Agreement>(agreementById.get({ id }))
      if (current === undefined)
        return problem('NotFound', { en: `There is no contract ${id}.`, de: `Es gibt keinen Vertrag ${id}.` })
      const decision = decide(current)
      if (!decision.ok) return decision
      storeAgreement(decision.value.next)
      for (const entry of decision.value.audit ?? []) note(entry)
      return ok(decision.value.next)
    },

    audit: (subject: string, limit = 1000) =>
      auditOf.all({ subject, limit }).map((row) => {
        const { detail, ...entry } = row as AuditEntry & { seq: number; detail: string | null }
        return { ...entry, ...(detail === null ? {} : { detail: JSON.parse(detail) }) } as AuditEntry & {
          seq: number
        }
      }),
  }
}

function owedOf(row: unknown): Owed {
  const { lastError, lastErrorDe, pid, ...rest } = row as Omit<Owed, 'lastError' | 'lastErrorDe'> & {
    lastError: string | null
    lastErrorDe: string | null
  }
  return {
    ...rest,
    pid: pid as Pid,
    ...(lastError === null ? {} : { lastError }),
    ...(lastErrorDe === null ? {} : { lastErrorDe }),
  }
}
