/** Facts that the operator confirmed: an append-only table, and in memory those that have not been ended. */
import type Database from 'better-sqlite3'
import { ok, problem, type Result } from '../../core/result.js'
import type { Fact, FactEnd } from '../../domain/fact.js'

type Row = { readonly data: string; readonly ended: string | null }

function factOf({ data, ended }: Row): Fact {
  const fact = JSON.parse(data) as Fact
  return ended === null ? fact : { ...fact, ended: JSON.parse(ended) as FactEnd }
}

/** In the place of a participant: about none. */
const NONE = ''

export function factTable(db: Database.Database) {
  const insert = db.prepare('INSERT INTO fact (id, data) VALUES (@id, @data)')
  const setEnd = db.prepare('UPDATE fact SET ended = @ended WHERE id = @id AND ended IS NULL')
  const one = db.prepare('SELECT data, ended FROM fact WHERE id = ?')
  const latest = db.prepare('SELECT data, ended FROM fact ORDER BY id DESC LIMIT @limit + 0')
  const latestStanding = db.prepare(
    'SELECT data, ended FROM fact WHERE ended IS NULL ORDER BY id DESC LIMIT @limit + 0',
  )
  const ofValue = db.prepare(`
    SELECT data, ended FROM fact
    WHERE json_extract(data, '$.operand') = @operand AND json_extract(data, '$.value') = @value ORDER BY id`)

  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of [...listeners]) listener()
  }
  /** Being ended or ended while this runs, whether or not that could be written. */
  const fallen = new Set<string>()
  /** By participant. */
  const standing = new Map<string, Fact[]>()
  const keyOf = ({ about }: Fact): string => about.partner ?? NONE
  const remember = (fact: Fact): void => {
    standing.set(keyOf(fact), [...(standing.get(keyOf(fact)) ?? []), fact])
  }
  for (const row of db.prepare('SELECT data, ended FROM fact WHERE ended IS NULL ORDER BY id').iterate()) {
    remember(factOf(row as Row))
  }

  const get = (id: string): Fact | undefined => {
    const row = one.get(id) as Row | undefined
    return row === undefined ? undefined : factOf(row)
  }
  const endable = (id: string): Result<Fact> => {
    const fact = get(id)
    if (fact === undefined)
      return problem('NotFound', {
        en: 'There is no such fact. See: handschlag fact list',
        de: 'Diese Bestätigung gibt es nicht. Siehe: handschlag fact list',
      })
    return fact.ended === undefined
      ? ok(fact)
      : problem('InvalidTransition', {
          en: 'This fact was ended already.',
          de: 'Diese Bestätigung wurde schon beendet.',
        })
  }

  return {
    get,
    endable,
    /** Runs inside a step. */
    add(fact: Fact): void {
      insert.run({ id: fact.id, data: JSON.stringify(fact) })
    },
    /** Runs inside a step. */
    end(id: string, end: FactEnd): Result<Fact> {
      const fact = endable(id)
      if (!fact.ok) return fact
      setEnd.run({ id, ended: JSON.stringify(end) })
      return ok({ ...fact.value, ended: end })
    },
    stands(fact: Fact): void {
      if (fallen.has(fact.id)) return
      remember(fact)
      tell()
    },
    falls(fact: Fact): void {
      fallen.add(fact.id)
      const left = (standing.get(keyOf(fact)) ?? []).filter(({ id }) => id !== fact.id)
      if (left.length === 0) standing.delete(keyOf(fact))
      else standing.set(keyOf(fact), left)
      tell()
    },
    list: ({ limit, ended = false }: { readonly limit: number; readonly ended?: boolean }): readonly Fact[] =>
      ((ended ? latest : latestStanding).all({ limit }) as Row[]).map(factOf),
    ofValue: (operand: string, value: string): readonly Fact[] =>
      (ofValue.all({ operand, value }) as Row[]).map(factOf),
    standing: (partner: string): readonly Fact[] => [
      ...(standing.get(partner) ?? []),
      ...(standing.get(NONE) ?? []),
    ],
    onChange(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
