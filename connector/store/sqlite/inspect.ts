/** Looks at a database file without changing anything, for the doctor. */
import { existsSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { Sqlite } from './driver.js'

export type Inspection =
  | { readonly found: 'nothing' }
  /** A running connector holds the file. */
  | { readonly found: 'in use' }
  | { readonly found: 'sound'; readonly schema: number }
  | { readonly found: 'damaged'; readonly verdict: string }

/** The full integrity check of SQLite; reads the whole file. */
export function inspectDatabase(file: string): Inspection {
  if (!existsSync(file)) return { found: 'nothing' }
  let db: Database.Database | undefined
  try {
    db = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 0 })
    const verdict = String(db.pragma('integrity_check', { simple: true }))
    return verdict === 'ok'
      ? { found: 'sound', schema: Number(db.pragma('user_version', { simple: true })) }
      : { found: 'damaged', verdict }
  } catch (cause) {
    if (!(cause instanceof Sqlite.SqliteError)) throw cause
    return /^SQLITE_(BUSY|LOCKED)/.test(cause.code)
      ? { found: 'in use' }
      : { found: 'damaged', verdict: cause.message }
  } finally {
    db?.close()
  }
}
