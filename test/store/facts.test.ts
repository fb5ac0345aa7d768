/** Facts on a real file: recorded and ended, never changed, and ended at once whether or not that can be written. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { EpochMs, ParticipantId } from '../../connector/core/types.js'
import type { Fact } from '../../connector/domain/fact.js'
import { Sqlite } from '../../connector/store/sqlite/driver.js'
import { openStore } from '../../connector/store/sqlite/store.js'

const folder = mkdtempSync(join(tmpdir(), 'handschlag-facts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${++files}.db`)

const NOW = 1_800_000_000_000 as EpochMs
const BUYER = 'did:web:buyer.example' as ParticipantId
const fact: Fact = {
  id: 'fact-1',
  about: { partner: BUYER },
  operand: 'https://w3id.org/machine-data-policy/v1#group',
  value: 'affiliates',
  from: NOW,
  by: 'admin',
  at: NOW,
}
const END = { at: NOW, by: 'admin', reason: 'over' }
const note = (event: string) => ({ subject: fact.id, at: NOW, direction: 'own', event }) as const

async function raw(file: string, work: (db: InstanceType<typeof Sqlite>) => void): Promise<void> {
  const db = new Sqlite(file)
  work(db)
  db.close()
}

it('are recorded with their history, ended once, and kept', async () => {
  const file = newFile()
  await using store = openStore(file)
  let changes = 0
  store.onFacts(() => {
    changes += 1
  })
  await store.addFact(fact, note('fact recorded'))
  expect([store.standingFacts(BUYER), store.standingFacts('did:web:other'), changes]).toEqual([[fact], [], 1])
  const ended = await store.endFact(fact.id, END, note('fact ended'))
  expect(ended).toEqual({ ok: true, value: { ...fact, ended: END } })
  expect([store.standingFacts(BUYER), changes]).toEqual([[], 2])
  expect(await store.endFact(fact.id, END, note('again'))).toMatchObject({
    ok: false,
    error: { code: 'InvalidTransition' },
  })
  expect(await store.endFact('nothing', END, note('x'))).toMatchObject({
    ok: false,
    error: { code: 'NotFound' },
  })
  expect(store.facts({ limit: 10 })).toEqual([])
  expect(store.facts({ limit: 10, ended: true })).toEqual([{ ...fact, ended: END }])
  expect(store.audit(fact.id).map(({ event }) => event)).toEqual(['fact recorded', 'fact ended'])
})

it('cannot be changed or removed in the file', async () => {
  const file = newFile()
  const store = openStore(file)
  await store.addFact(fact, note('fact recorded'))
  await store.endFact(fact.id, END, note('fact ended'))
  await store[Symbol.asyncDispose]()
  await raw(file, (db) => {
    expect(() => db.exec("UPDATE fact SET data = '{}'")).toThrow('a fact is never changed')
    expect(() => db.exec('UPDATE fact SET ended = NULL')).toThrow('a fact is never changed')
    expect(() => db.exec('DELETE FROM fact')).toThrow('a fact is never removed')
  })
})

it('count for nothing once their end is wanted, although it cannot be written, and the end can be repeated', async () => {
  const file = newFile()
  const first = openStore(file)
  await first.addFact(fact, note('fact recorded'))
  await first[Symbol.asyncDispose]()
  await raw(file, (db) =>
    db.exec("CREATE TRIGGER full BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'disk full'); END"),
  )
  await using store = openStore(file)
  const ending = store.endFact(fact.id, END, note('fact ended'))
  // Before anything is written.
  expect(store.standingFacts(BUYER)).toEqual([])
  await expect(ending).rejects.toThrow('disk full')
  expect(store.standingFacts(BUYER)).toEqual([])
  expect(store.fact(fact.id)?.ended).toBeUndefined()
  await expect(store.endFact(fact.id, END, note('fact ended'))).rejects.toThrow('disk full')
})

it('are not there when they could not be written', async () => {
  const file = newFile()
  await openStore(file)[Symbol.asyncDispose]()
  await raw(file, (db) =>
    db.exec("CREATE TRIGGER full BEFORE INSERT ON fact BEGIN SELECT RAISE(ABORT, 'disk full'); END"),
  )
  await using store = openStore(file)
  await expect(store.addFact(fact, note('fact recorded'))).rejects.toThrow('disk full')
  expect(store.standingFacts(BUYER)).toEqual([])
})

it('that are ended while they are being written do not come to life', async () => {
  await using store = openStore(newFile())
  const adding = store.addFact(fact, note('fact recorded'))
  await adding
  const ending = store.endFact(fact.id, END, note('fact ended'))
  await Promise.all([adding, ending])
  expect(store.standingFacts(BUYER)).toEqual([])
})
