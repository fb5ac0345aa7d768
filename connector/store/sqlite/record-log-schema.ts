/**
 * Tables of the record log and the way from one version of them to the next. Migrations are append-only: a published
 * one never changes. A file written by a newer program is refused before anything in it is touched.
 */
import type Database from 'better-sqlite3'

/**
 * `peak` is the latest event time of the stream up to and including the record. It never falls along `seq`, so the
 * first record with `peak >= from` is the first record at or after `from`, found by one index seek.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE streams (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     last_seq INTEGER NOT NULL,
     peak INTEGER NOT NULL,
     removed_until INTEGER
   ) STRICT;
   CREATE TABLE records (
     stream INTEGER NOT NULL REFERENCES streams (id),
     seq INTEGER NOT NULL,
     time INTEGER NOT NULL,
     arrived INTEGER NOT NULL,
     peak INTEGER NOT NULL,
     series TEXT NOT NULL,
     values_json TEXT NOT NULL,
     PRIMARY KEY (stream, seq)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX records_by_peak ON records (stream, peak);
   CREATE INDEX records_by_arrival ON records (stream, arrived);`,
]

export class RecordLogTooNew extends Error {
  constructor(
    readonly file: string,
    readonly found: number,
    readonly known: number,
  ) {
    super(
      `The history file ${file} was written by a newer version of this program (schema ${found}, this one knows ${known}). ` +
        'Nothing was changed. Start the newer version again, or move the file away to begin with an empty history.',
    )
    this.name = 'RecordLogTooNew'
  }
}

/** Brings the tables to the newest version, each step in a transaction of its own. */
export function migrateRecordLog(db: Database.Database, file: string): void {
  const found = db.pragma('user_version', { simple: true })
  if (typeof found !== 'number') throw new Error(`The history file ${file} has no schema version.`)
  if (found > MIGRATIONS.length) throw new RecordLogTooNew(file, found, MIGRATIONS.length)
  MIGRATIONS.slice(found).forEach((sql, index) => {
    db.transaction(() => {
      db.exec(sql)
      db.pragma(`user_version = ${found + index + 1}`)
    }).immediate()
  })
}
