/**
 * The record log: live machine records by stream, durable and append-only, in a database file of its own so that a
 * flood of records never delays a contract. Positions are decimal numbers per stream, counted from 1 and never given
 * twice. Waiting appends share one transaction; an append resolves only after that transaction is on the disk.
 */
import { chmodSync, closeSync, openSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type Database from 'better-sqlite3'
import type { Clock, EpochMs } from '../../core/types.js'
import { Sqlite } from './driver.js'
import { migrateRecordLog } from './record-log-schema.js'

type Scalar = number | string | boolean | null

/** The data plane's record, declared here by its shape: the store does not import the data plane. */
export type LoggedRecord = {
  readonly position: string
  readonly time: EpochMs
  readonly series: string
  readonly values: Readonly<Record<string, Scalar>>
}

export type NewRecord = Omit<LoggedRecord, 'position'>

type ReadQuery = { readonly after?: string; readonly from?: EpochMs; readonly limit: number }

/** Most records in one transaction, so that a long queue does not hold up everything else in the process. */
const TRANSACTION_RECORDS = 5_000
/** Most records removed in one step of pruning. */
const PRUNE_RECORDS = 2_000
/** Write-ahead log size after a checkpoint, bytes. */
const JOURNAL_LIMIT = 64 * 1024 * 1024
const POSITION = /^(?:0|[1-9]\d{0,14})$/

type StreamState = { readonly id: number; seq: number; peak: number }
/** seq, time, series and values, by place: an object for each row would cost more than reading it. */
type Row = readonly [number, number, string, string]
type Encoded = { readonly time: number; readonly series: string; readonly json: string }
type Waiting = {
  readonly stream: string
  readonly records: readonly Encoded[]
  readonly resolve: () => void
  readonly reject: (cause: unknown) => void
}

const encode = ({ time, series, values }: NewRecord): Encoded => {
  if (!Number.isSafeInteger(time)) throw new TypeError('a record needs a time in whole milliseconds')
  return { time, series, json: JSON.stringify(values) }
}

const toRecord = ([seq, time, series, values]: Row): LoggedRecord => ({
  position: String(seq),
  time: time as EpochMs,
  series,
  values: JSON.parse(values) as Readonly<Record<string, Scalar>>,
})

const seqOf = (position: string): number | undefined =>
  POSITION.test(position) ? Number(position) : undefined

/** Opens or creates the log. Throws, with a sentence for the operator, when the file is newer or is no database. */
export function openRecordLog(file: string, { clock }: { readonly clock: Clock }): SqliteRecordLog {
  // Created with its final mode before SQLite opens it, so that no moment exists in which others can read it.
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
  const db = new Sqlite(file)
  try {
    db.pragma('busy_timeout = 5000')
    const version = db.pragma('user_version', { simple: true })
    if (version === 0) db.pragma('journal_mode = WAL')
    migrateRecordLog(db, file)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    db.pragma(`journal_size_limit = ${JOURNAL_LIMIT}`)
    return new SqliteRecordLog(db, clock)
  } catch (cause) {
    db.close()
    if (cause instanceof Sqlite.SqliteError && /^SQLITE_(NOTADB|CORRUPT)/.test(cause.code)) {
      throw new Error(
        `The history file ${file} is damaged or is no database. Nothing was changed. ` +
          'Restore it from a backup, or move it away to begin with an empty history.',
        { cause },
      )
    }
    throw cause
  }
}

const prepareStatements = (db: Database.Database) => ({
  streams: db.prepare<[], { name: string; id: number; seq: number; peak: number }>(
    'SELECT name, id, last_seq AS seq, peak FROM streams',
  ),
  removedUntil: db.prepare<[number], number | null>('SELECT removed_until FROM streams WHERE id = ?').pluck(),
  noteRemoved: db.prepare<[number, number]>(
    'UPDATE streams SET removed_until = max(?, coalesce(removed_until, -9007199254740991)) WHERE id = ?',
  ),
  addStream: db.prepare<[string]>(
    'INSERT INTO streams (name, last_seq, peak) VALUES (?, 0, -9007199254740991)',
  ),
  saveStream: db.prepare<[number, number, number]>('UPDATE streams SET last_seq = ?, peak = ? WHERE id = ?'),
  insert: db.prepare<[number, number, number, number, number, string, string]>(
    'INSERT INTO records (stream, seq, time, arrived, peak, series, values_json) VALUES (?, ?, ?, ?, ?, ?, ?)',
  ),
  read: db
    .prepare<[number, number, number], Row>(
      'SELECT seq, time, series, values_json FROM records WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ? + 0',
    )
    .raw(),
  tail: db
    .prepare<[number, number], Row>(
      'SELECT seq, time, series, values_json FROM records WHERE stream = ? ORDER BY seq DESC LIMIT ? + 0',
    )
    .raw(),
  firstFrom: db
    .prepare<[number, number], number>(
      'SELECT seq FROM records WHERE stream = ? AND peak >= ? ORDER BY peak, seq LIMIT 1',
    )
    .pluck(),
  timeOf: db
    .prepare<[number, number], number>('SELECT time FROM records WHERE stream = ? AND seq = ?')
    .pluck(),
  prune: db
    .prepare<[number, number, number, number], number>(
      `DELETE FROM records WHERE stream = ? AND seq IN (
         SELECT seq FROM records WHERE stream = ? AND arrived < ? ORDER BY arrived LIMIT ? + 0) RETURNING time`,
    )
    .pluck(),
})

export class SqliteRecordLog implements AsyncDisposable {
  readonly #db: Database.Database
  readonly #clock: Clock
  readonly #sql: ReturnType<typeof prepareStatements>
  readonly #streams = new Map<string, StreamState>()
  readonly #listeners = new Map<string, Set<() => void>>()
  #waiting: Waiting[] = []
  #flushing: Promise<void> | undefined
  #closed = false

  constructor(db: Database.Database, clock: Clock) {
    this.#db = db
    this.#clock = clock
    this.#sql = prepareStatements(db)
    for (const { name, ...state } of this.#sql.streams.all()) this.#streams.set(name, state)
  }

  /** Durable when it resolves; positions are given in the order of the calls. */
  append(stream: string, records: readonly NewRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the record log is closed'))
    if (records.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ stream, records: records.map(encode), resolve, reject })
      this.#flushing ??= this.#flushAll()
    })
  }

  read(stream: string, query: ReadQuery): readonly LoggedRecord[] {
    const state = this.#streams.get(stream)
    if (state === undefined) return []
    const after = query.after === undefined ? 0 : seqOf(query.after)
    if (after === undefined) throw new RangeError('not a position of this log')
    let behind = after
    if (query.from !== undefined) {
      const first = this.#sql.firstFrom.get(state.id, query.from)
      if (first === undefined) return []
      behind = Math.max(after, first - 1)
    }
    return this.#sql.read.all(state.id, behind, query.limit).map(toRecord)
  }

  /** The last `count` records, oldest first. */
  tail(stream: string, count: number): readonly LoggedRecord[] {
    const state = this.#streams.get(stream)
    return state === undefined ? [] : this.#sql.tail.all(state.id, count).reverse().map(toRecord)
  }

  timeOf(stream: string, position: string): EpochMs | undefined {
    const state = this.#streams.get(stream)
    const seq = seqOf(position)
    if (state === undefined || seq === undefined) return undefined
    return this.#sql.timeOf.get(state.id, seq) as EpochMs | undefined
  }

  /** Removes records that arrived before `arrivedBefore`, in steps between which appends go on; answers how many. */
  async prune(stream: string, arrivedBefore: EpochMs): Promise<number> {
    const state = this.#streams.get(stream)
    if (state === undefined) return 0
    let removed = 0
    while (!this.#closed) {
      const times = this.#db
        .transaction(() => {
          const gone = this.#sql.prune.all(state.id, state.id, arrivedBefore, PRUNE_RECORDS)
          if (gone.length > 0) this.#sql.noteRemoved.run(Math.max(...gone), state.id)
          return gone
        })
        .immediate()
      removed += times.length
      if (times.length < PRUNE_RECORDS) break
      await nextTurn()
    }
    return removed
  }

  /** Latest event time among the records of the stream that were removed; undefined when none were. */
  removedUntil(stream: string): EpochMs | undefined {
    const state = this.#streams.get(stream)
    const until = state === undefined ? undefined : this.#sql.removedUntil.get(state.id)
    return (until ?? undefined) as EpochMs | undefined
  }

  /** Removes every record of a stream. Its counter stays, so that a position is never given twice. */
  drop(stream: string): Promise<number> {
    return this.prune(stream, Number.MAX_SAFE_INTEGER as EpochMs)
  }

  /** Called after each durable append to the stream. Returns the unsubscribe function. */
  onAppend(stream: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(stream) ?? new Set()
    this.#listeners.set(stream, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(stream) === listeners) this.#listeners.delete(stream)
    }
  }

  /** Writes what is waiting, then closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#flushing
    this.#db.close()
  }

  async #flushAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // One turn of the event loop collects everything that arrives together into one transaction.
      await nextTurn()
      this.#flushOnce()
    }
    this.#flushing = undefined
  }

  #flushOnce(): void {
    let size = 0
    const end = this.#waiting.findIndex((one) => {
      size += one.records.length
      return size >= TRANSACTION_RECORDS
    })
    const group = end === -1 ? this.#waiting : this.#waiting.slice(0, end + 1)
    this.#waiting = end === -1 ? [] : this.#waiting.slice(end + 1)
    try {
      for (const [name, state] of this.#write(group)) this.#streams.set(name, state)
    } catch (cause) {
      for (const one of group) one.reject(cause)
      return
    }
    for (const one of group) one.resolve()
    for (const stream of new Set(group.map((one) => one.stream))) {
      // In a turn of its own: a listener with a bug must not stop the log.
      for (const listener of this.#listeners.get(stream) ?? []) queueMicrotask(listener)
    }
  }

  /** One transaction; answers the new state of the streams, which counts only once the transaction is committed. */
  #write(group: readonly Waiting[]): ReadonlyMap<string, StreamState> {
    const touched = new Map<string, StreamState>()
    const arrived = this.#clock()
    this.#db
      .transaction(() => {
        for (const { stream, records } of group) {
          const state = touched.get(stream) ?? this.#stateFor(stream)
          touched.set(stream, state)
          for (const { time, series, json } of records) {
            state.seq += 1
            state.peak = Math.max(state.peak, time)
            this.#sql.insert.run(state.id, state.seq, time, arrived, state.peak, series, json)
          }
        }
        for (const { id, seq, peak } of touched.values()) this.#sql.saveStream.run(seq, peak, id)
      })
      .immediate()
    return touched
  }

  #stateFor(stream: string): StreamState {
    const known = this.#streams.get(stream)
    if (known !== undefined) return { ...known }
    const { lastInsertRowid } = this.#sql.addStream.run(stream)
    return { id: Number(lastInsertRowid), seq: 0, peak: Number.MIN_SAFE_INTEGER }
  }
}
