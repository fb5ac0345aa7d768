/** Tables that hold whole documents by key, with a few columns beside for keys and indexes. */
import type Database from 'better-sqlite3'

type Columns = Readonly<Record<string, string | number | null>>

export const parseRows = <T>(rows: unknown[]): readonly T[] =>
  rows.map((row) => JSON.parse((row as { data: string }).data) as T)

export type Documents<T> = ReturnType<typeof documents<T>>

export function documents<T>(
  db: Database.Database,
  table: string,
  key: string,
  columnsOf: (document: T) => Columns,
) {
  const get = db.prepare(`SELECT data FROM ${table} WHERE ${key} = ?`)
  const all = db.prepare(`SELECT data FROM ${table} ORDER BY ${key}`)
  const remove = db.prepare(`DELETE FROM ${table} WHERE ${key} = ?`)
  let put: Database.Statement | undefined
  return {
    put(document: T): void {
      const columns = columnsOf(document)
      const names = Object.keys(columns)
      put ??= db.prepare(`
        INSERT INTO ${table} (${[key, 'data', ...names].join(', ')})
        VALUES (${['key', 'data', ...names].map((name) => `@${name}`).join(', ')})
        ON CONFLICT (${key}) DO UPDATE SET ${['data', ...names].map((name) => `${name} = excluded.${name}`).join(', ')}`)
      const id = (document as Record<string, unknown>)[key]
      put.run({ key: id, data: JSON.stringify(document), ...columns })
    },
    get: (id: string): T | undefined => {
      const row = get.get(id) as { data: string } | undefined
      return row === undefined ? undefined : (JSON.parse(row.data) as T)
    },
    all: (): readonly T[] => parseRows<T>(all.all()),
    remove: (id: string): boolean => remove.run(id).changes > 0,
  }
}

/** Documents kept in memory by one table. */
const KEPT = 1000

/** For what every request reads: what has been read once is kept until one of them is written. */
export function keptInMemory<T>(table: Documents<T>): Documents<T> & { readonly forget: () => void } {
  const kept = new Map<string, T>()
  const forget = (): void => kept.clear()
  return {
    ...table,
    forget,
    put(document) {
      table.put(document)
      forget()
    },
    get(id) {
      const known = kept.get(id)
      if (known !== undefined) return known
      const read = table.get(id)
      if (kept.size >= KEPT) forget()
      // What is not there is not kept: strangers choose the ids they ask for.
      if (read !== undefined) kept.set(id, read)
      return read
    },
    remove(id) {
      forget()
      return table.remove(id)
    },
  }
}
