/**
 * Opens the SQLite file with the durability the product promises, migrates it, and commits waiting writes in groups:
 * one fsync serves every step that waits for it. Nothing here knows what the tables mean.
 */
import { chmodSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { Sqlite } from './driver.js'
import { MIGRATIONS } from './migrations.js'

/** The file was written by a newer program. */
export class NewerSchemaError extends Error {
  constructor(
    readonly file: string,
    readonly found: number,
    readonly known: number,
  ) {
    super(
      `The database ${file} has schema ${found}; this program knows up to ${known}. Nothing was changed. ` +
        'Start the newer version of handschlag again, or restore a backup made before the upgrade.',
    )
  }
}

export function openDatabase(file: string): Database.Database {
  // How long the opening waits for another process to let go of the file, milliseconds.
  const db = new Sqlite(file, { timeout: 1000 })
  try {
    chmodSync(file, 0o600)
    refuseNewer(db, file)
    db.pragma('journal_mode = WAL')
    // The default in WAL mode is NORMAL, which can lose an acknowledged agreement on power loss.
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    // What a savepoint needs to undo its write: files for it would cost more than the write, and none outlives a crash.
    db.pragma('temp_store = MEMORY')
    // Two connectors on one file would each keep half of the truth in memory: the second one is refused (SQLITE_BUSY).
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('BEGIN EXCLUSIVE; COMMIT')
    migrate(db)
    return db
  } catch (cause) {
    db.close()
    throw cause
  }
}

const versionOf = (db: Database.Database): number => db.pragma('user_version', { simple: true }) as number

/** Before anything else, so that not even the journal mode of a newer file is touched. */
function refuseNewer(db: Database.Database, file: string): void {
  const version = versionOf(db)
  if (version > MIGRATIONS.length) throw new NewerSchemaError(file, version, MIGRATIONS.length)
}

function migrate(db: Database.Database): void {
  for (let next = versionOf(db); next < MIGRATIONS.length; next++) {
    db.transaction(() => {
      db.exec(MIGRATIONS[next] ?? '')
      db.pragma(`user_version = ${next + 1}`)
    })()
  }
}

/** What is wrong with the disk, if that is what a write failed of. */
function diskFault(cause: unknown): string | undefined {
  const { code } = cause as { readonly code?: unknown }
  return typeof code === 'string' && /^SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN)/.test(code) ? code : undefined
}

type Job = { readonly run: () => void; readonly done: () => void; readonly failed: (cause: unknown) => void }

/**
 * Runs writes in arrival order, many in one transaction. A write that throws is undone alone, by its savepoint.
 * Every promise settles after the commit of its group.
 */
export class GroupCommit {
  private waiting: Job[] = []
  private scheduled = false
  private closed = false
  private fault: string | undefined
  private readonly listeners: (() => void)[] = []
  private readonly undoers: (() => void)[] = []
  private readonly begin: Database.Statement
  private readonly commit: Database.Statement
  private readonly rollback: Database.Statement
  private readonly savepoint: Database.Statement
  private readonly release: Database.Statement
  private readonly undo: Database.Statement

  /** @param groupSize writes that share one commit at most */
  constructor(
    private readonly db: Database.Database,
    private readonly groupSize = Number.POSITIVE_INFINITY,
  ) {
    this.begin = db.prepare('BEGIN IMMEDIATE')
    this.commit = db.prepare('COMMIT')
    this.rollback = db.prepare('ROLLBACK')
    this.savepoint = db.prepare('SAVEPOINT step')
    this.release = db.prepare('RELEASE step')
    this.undo = db.prepare('ROLLBACK TO step')
  }

  /** Resolves with what `write` returned once it is durable; rejects with what it threw, and then nothing is written. */
  run<T>(write: () => T): Promise<T> {
    if (this.closed) return Promise.reject(new Error('the store is closed'))
    return new Promise<T>((resolve, reject) => {
      let value: T
      this.waiting.push({
        run: () => {
          value = write()
        },
        done: () => resolve(value),
        failed: reject,
      })
      if (!this.scheduled) {
        this.scheduled = true
        setImmediate(() => this.flush())
      }
    })
  }

  /** Why nothing can be written, by the latest group; undefined while writing works. */
  writeFault(): string | undefined {
    return this.fault
  }

  onCommit(listener: () => void): void {
    this.listeners.push(listener)
  }

  /** Called when a whole group was not written: what its writes noted down beside the database is void. */
  onRollback(listener: () => void): void {
    this.undoers.push(listener)
  }

  flush(): void {
    this.scheduled = false
    while (this.waiting.length > 0) this.commitGroup(this.waiting.splice(0, this.groupSize))
  }

  private commitGroup(group: readonly Job[]): void {
    const written: Job[] = []
    let fault: string | undefined
    try {
      this.begin.run()
      for (const job of group) {
        this.savepoint.run()
        try {
          job.run()
          this.release.run()
          written.push(job)
        } catch (cause) {
          // A full disk or an I/O error makes SQLite undo the whole transaction by itself: it is the group that failed.
          if (!this.db.inTransaction) throw cause
          this.undo.run()
          this.release.run()
          fault ??= diskFault(cause)
          job.failed(cause)
        }
      }
      this.commit.run()
    } catch (cause) {
      // A failed BEGIN or COMMIT (disk full, I/O error): nobody's write is durable.
      try {
        this.rollback.run()
      } catch {
        // No transaction is open: the failure was BEGIN itself, or SQLite has rolled back already.
      }
      this.fault = diskFault(cause) ?? String(cause)
      for (const undo of this.undoers) undo()
      for (const job of group) job.failed(cause)
      return
    }
    this.fault = fault
    for (const job of written) job.done()
    for (const listener of this.listeners) listener()
  }

  close(): void {
    this.flush()
    this.closed = true
  }
}
