/** The embedded store on a real file: the contract, and what only a file can go through. */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ok } from '../../connector/core/result.js'
import type { EpochMs, ParticipantId } from '../../connector/core/types.js'
import type { Partner } from '../../connector/domain/partner.js'
import { GroupCommit, NewerSchemaError, openDatabase } from '../../connector/store/sqlite/database.js'
import { documents, keptInMemory } from '../../connector/store/sqlite/documents.js'
import { Sqlite } from '../../connector/store/sqlite/driver.js'
import { MIGRATIONS } from '../../connector/store/sqlite/migrations.js'
import { processTables } from '../../connector/store/sqlite/processes.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import type { Store } from '../../connector/store/store.js'
import { NAMED_AUDIENCE, negotiationOf, oweOf, storeContract } from './contract.js'

const folder = mkdtempSync(join(tmpdir(), 'handschlag-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const newFile = (): string => join(folder, `${++files}.db`)

storeContract('SQLite', () => {
  const file = newFile()
  const open = async () => openStore(file, { audience: NAMED_AUDIENCE })
  return { open, reopen: open }
})

const modeOf = (file: string): number => statSync(file).mode & 0o777
const NOW = 1_800_000_000_000 as EpochMs

describe('the file', () => {
  it('is readable by nobody else, nor are the files beside it', async () => {
    const file = newFile()
    await using store = openStore(file)
    await store.note({ subject: 'a', at: NOW, direction: 'own', event: 'x' })
    for (const path of [file, `${file}-wal`, `${file}-shm`]) {
      if (existsSync(path)) expect([path, modeOf(path)]).toEqual([path, 0o600])
    }
    expect(existsSync(`${file}-wal`)).toBe(true)
  })

  it('becomes private again when it was not', async () => {
    const file = newFile()
    await openStore(file)[Symbol.asyncDispose]()
    chmodSync(file, 0o644)
    await openStore(file)[Symbol.asyncDispose]()
    expect(modeOf(file)).toBe(0o600)
  })

  it('is opened with write-ahead log, full synchronisation and foreign keys', () => {
    const db = openDatabase(newFile())
    const pragma = (name: string) => db.pragma(name, { simple: true })
    // synchronous: 2 is FULL.
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 2, 1])
    db.close()
  })

  it('of a newer program is refused with advice and stays as it is', async () => {
    const file = newFile()
    await openStore(file)[Symbol.asyncDispose]()
    const db = new Sqlite(file)
    db.pragma('journal_mode = DELETE')
    db.pragma('user_version = 99')
    db.close()
    const before = readFileSync(file)
    expect(() => openStore(file)).toThrow(NewerSchemaError)
    expect(() => openStore(file)).toThrow(
      `The database ${file} has schema 99; this program knows up to ${MIGRATIONS.length}. Nothing was changed. ` +
        'Start the newer version of handschlag again, or restore a backup made before the upgrade.',
    )
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('belongs to one connector at a time', async () => {
    const file = newFile()
    await using store = openStore(file)
    expect(() => openStore(file)).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
    await store.note({ subject: 'a', at: NOW, direction: 'own', event: 'the first one goes on' })
    expect(store.audit('a')).toHaveLength(1)
  })

  it('can be opened again once the first one has closed it', async () => {
    const file = newFile()
    await openStore(file)[Symbol.asyncDispose]()
    await using store = openStore(file)
    expect(store.integrity()).toBeUndefined()
  })

  it('that is no database is refused and stays as it is', () => {
    const file = newFile()
    writeFileSync(file, 'these are notes, not a database, and long enough to have a header'.repeat(20))
    const before = readFileSync(file)
    expect(() => openStore(file)).toThrow(expect.objectContaining({ code: 'SQLITE_NOTADB' }))
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('that was cut off is reported', async () => {
    const file = newFile()
    {
      await using store = openStore(file)
      for (let i = 0; i < 50; i++) await store.create({ next: negotiationOf(`n${i}`), owe: oweOf('request') })
    }
    truncateSync(file, Math.floor(statSync(file).size / 2 / 4096) * 4096)
    const damaged = (): unknown => {
      const store = openStore(file)
      try {
        return store.integrity() ?? store.list('negotiation').length
      } finally {
        void store[Symbol.asyncDispose]()
      }
    }
    let verdict: unknown
    try {
      verdict = damaged()
    } catch (cause) {
      verdict = (cause as { code?: string }).code
    }
    expect(String(verdict)).toMatch(/SQLITE_CORRUPT|database disk image is malformed|page|tree/i)
  })
})

describe('who can possibly see an offer', () => {
  const dataset = { id: 'd1', title: 't', keywords: [], signals: [], createdAt: NOW, updatedAt: NOW }
  const offer = { id: 'o1', datasetId: 'd1', policy: { for: ['anna'] }, createdAt: NOW }
  const seenBy = (store: Store, recipient: string) =>
    store.offeredAfter({ recipient }, '', 10).flatMap(({ offers }) => offers.map(({ id }) => id))

  it('is anybody for what an older program has stored, until a rule says otherwise', async () => {
    const file = newFile()
    const db = new Sqlite(file)
    db.exec(MIGRATIONS[0] ?? '')
    db.pragma('user_version = 1')
    db.prepare("INSERT INTO dataset (id, published, data) VALUES ('d1', 1, ?)").run(
      JSON.stringify({ ...dataset, published: true }),
    )
    db.prepare("INSERT INTO offer (id, dataset_id, data) VALUES ('o1', 'd1', ?)").run(JSON.stringify(offer))
    db.close()
    {
      await using store = openStore(file)
      expect([seenBy(store, 'anna'), seenBy(store, 'bert')]).toEqual([['o1'], ['o1']])
    }
    await using store = openStore(file, { audience: NAMED_AUDIENCE })
    expect([seenBy(store, 'anna'), seenBy(store, 'bert')]).toEqual([['o1'], []])
  })

  it('is found anew by another version of the rule, also for what is not published yet', async () => {
    const file = newFile()
    {
      await using store = openStore(file, { audience: NAMED_AUDIENCE })
      for (const [id, published] of [
        ['d1', true],
        ['d2', false],
      ] as const) {
        await store.putDataset({ ...dataset, id, published })
        await store.putOffer({ ...offer, id: `of-${id}`, datasetId: id })
      }
    }
    const everybodyIsBert = { version: '2', of: () => ['bert'] }
    await using store = openStore(file, { audience: everybodyIsBert })
    expect([seenBy(store, 'anna'), seenBy(store, 'bert')]).toEqual([[], ['of-d1']])
    await store.putDataset({ ...dataset, id: 'd2', published: true })
    expect([seenBy(store, 'anna'), seenBy(store, 'bert')]).toEqual([[], ['of-d1', 'of-d2']])
  })
})

describe('a process that is kept in memory', () => {
  const ref = { kind: 'negotiation', pid: negotiationOf('kept').pid } as const

  it('is what the last step has written, and stays what it was when a step is undone', async () => {
    await using store = openStore(newFile())
    const first = negotiationOf('kept', { state: 'REQUESTED' })
    await store.create({ next: first })
    expect(store.find(ref)).toEqual(first)
    expect(store.find({ kind: 'transfer', pid: ref.pid })).toBeUndefined()
    await store.change(ref, (current) => ok({ next: { ...current, state: 'AGREED' } }))
    expect(store.find(ref)?.state).toBe('AGREED')
    const withoutDirection = { subject: 'kept', at: NOW, direction: 'sideways' as 'in', event: 'x' }
    const undone = store.change(ref, (current) =>
      ok({ next: { ...current, state: 'FINALIZED' }, audit: [withoutDirection] }),
    )
    await expect(undone).rejects.toThrow(/CHECK/)
    expect(store.find(ref)?.state).toBe('AGREED')
  })

  it('is forgotten together with a group that could not be committed', async () => {
    const db = openDatabase(newFile())
    const group = new GroupCommit(db)
    const processes = processTables(db)
    group.onRollback(processes.forget)
    await group.run(() => processes.create({ next: negotiationOf('kept', { state: 'REQUESTED' }) }))
    db.exec('CREATE TABLE parent (id INTEGER PRIMARY KEY)')
    db.exec('CREATE TABLE child (p INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)')
    const failing = group.run(() => {
      processes.change(ref, (current) => ok({ next: { ...current, state: 'AGREED' } }))
      processes.find(ref)
      db.prepare('INSERT INTO child VALUES (7)').run()
    })
    await expect(failing).rejects.toThrow(/FOREIGN KEY/)
    expect(processes.find(ref)?.state).toBe('REQUESTED')
    group.close()
    db.close()
  })
})

describe('a partner that is kept in memory', () => {
  const partner = {
    did: 'did:web:alpha.example' as ParticipantId,
    name: 'Alpha',
    address: 'https://alpha.example/dsp',
    trust: 'trusted',
    seal: 'off',
    addedAt: NOW,
  } as const

  it('is the one of the database after every change, and gone when it is removed', async () => {
    await using store = openStore(newFile())
    expect(store.partner(partner.did)).toBeUndefined()
    await store.putPartner(partner)
    expect(store.partner(partner.did)?.trust).toBe('trusted')
    await store.putPartner({ ...partner, trust: 'blocked' })
    expect(store.partner(partner.did)?.trust).toBe('blocked')
    await store.removePartner(partner.did)
    expect(store.partner(partner.did)).toBeUndefined()
  })

  it('is forgotten together with a group that could not be committed', async () => {
    const db = openDatabase(newFile())
    const group = new GroupCommit(db)
    const partners = keptInMemory(documents<Partner>(db, 'partner', 'did', () => ({})))
    group.onRollback(partners.forget)
    await group.run(() => partners.put(partner))
    db.exec('CREATE TABLE parent (id INTEGER PRIMARY KEY)')
    db.exec('CREATE TABLE child (p INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)')
    const failing = group.run(() => {
      partners.put({ ...partner, trust: 'blocked' })
      partners.get(partner.did)
      db.prepare('INSERT INTO child VALUES (7)').run()
    })
    await expect(failing).rejects.toThrow(/FOREIGN KEY/)
    expect(partners.get(partner.did)?.trust).toBe('trusted')
    group.close()
    db.close()
  })
})

describe('a group of writes', () => {
  it('is as large as its limit, and writes are committed in the order in which they came', async () => {
    const commitsOf = async (groupSize: number | undefined): Promise<readonly string[]> => {
      const db = openDatabase(newFile())
      const group = new GroupCommit(db, groupSize)
      const order: string[] = []
      let commits = 0
      group.onCommit(() => {
        commits += 1
      })
      await Promise.all(
        ['a', 'b', 'c', 'd', 'e'].map((name) => group.run(() => order.push(`${name} in ${commits + 1}`))),
      )
      group.close()
      db.close()
      return order
    }
    expect(await commitsOf(2)).toEqual(['a in 1', 'b in 1', 'c in 2', 'd in 2', 'e in 3'])
    expect(await commitsOf(undefined)).toEqual(['a in 1', 'b in 1', 'c in 1', 'd in 1', 'e in 1'])
  })

  it('that cannot be committed is written by nobody, and everybody hears why', async () => {
    const db = openDatabase(newFile())
    db.exec('CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE note (id INTEGER)')
    // Deferred: the violation shows at the commit, which is where a full disk shows too.
    db.exec('CREATE TABLE child (p INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)')
    const group = new GroupCommit(db)
    const undone = vi.fn()
    const told = vi.fn()
    group.onRollback(undone)
    group.onCommit(told)
    const outcomes = await Promise.allSettled([
      group.run(() => db.prepare('INSERT INTO note VALUES (1)').run()),
      group.run(() => db.prepare('INSERT INTO child VALUES (7)').run()),
    ])
    expect(outcomes.map((o) => o.status)).toEqual(['rejected', 'rejected'])
    expect(db.prepare('SELECT count(*) FROM note').pluck().get()).toBe(0)
    expect([undone.mock.calls.length, told.mock.calls.length]).toEqual([1, 0])
    await group.run(() => db.prepare('INSERT INTO note VALUES (2)').run())
    expect(db.prepare('SELECT id FROM note').pluck().all()).toEqual([2])
    expect(told).toHaveBeenCalledTimes(1)
    group.close()
    db.close()
  })

  it('on a full disk leaves nothing in part, and goes on when there is room again', async () => {
    const db = openDatabase(newFile())
    db.exec('CREATE TABLE note (text TEXT)')
    const group = new GroupCommit(db)
    const insert = db.prepare('INSERT INTO note VALUES (?)')
    const pages = db.pragma('page_count', { simple: true }) as number
    // SQLite answers SQLITE_FULL at this size, as it does when the disk is full.
    db.pragma(`max_page_count = ${pages + 4}`)
    const outcomes = await Promise.allSettled([
      group.run(() => insert.run('first')),
      group.run(() => {
        insert.run('half')
        insert.run('x'.repeat(200_000))
      }),
      group.run(() => insert.run('third')),
    ])
    expect(outcomes[1]).toMatchObject({ status: 'rejected', reason: { code: 'SQLITE_FULL' } })
    expect(group.writeFault()).toBe('SQLITE_FULL')
    const kept = db.prepare('SELECT text FROM note ORDER BY rowid').pluck().all()
    const promised = ['first', 'half', 'third'].filter((_, i) => outcomes[i]?.status === 'fulfilled')
    expect(kept).toEqual(promised)
    db.pragma(`max_page_count = ${pages + 1000}`)
    await group.run(() => insert.run('later'))
    expect(group.writeFault()).toBeUndefined()
    expect(db.prepare('SELECT count(*) FROM note').pluck().get()).toBe(promised.length + 1)
    group.close()
    db.close()
  })

  it('answers nobody before its commit', async () => {
    const db = openDatabase(newFile())
    db.exec('CREATE TABLE note (id INTEGER)')
    const group = new GroupCommit(db)
    const order: string[] = []
    group.onCommit(() => order.push('committed'))
    const insert = db.prepare('INSERT INTO note VALUES (1)')
    const answers = ['a', 'b'].map((name) => group.run(() => insert.run()).then(() => order.push(name)))
    await Promise.all(answers)
    expect(order).toEqual(['committed', 'a', 'b'])
    group.close()
    db.close()
  })
})

describe('a process that is killed', () => {
  const compiled = resolve('dist/connector/store/sqlite/store.js')
  let script: string

  beforeAll(() => {
    script = join(folder, 'writer.mjs')
    writeFileSync(
      script,
      `import { openStore } from ${JSON.stringify(pathToFileURL(compiled).href)}
const store = openStore(process.argv[2])
let n = 0
const step = async (worker) => {
  for (;;) {
    const pid = 'urn:uuid:' + worker + '-' + n++
    store.rememberToken('jti-' + pid, 4e12)
    await store.create({
      next: { kind: 'negotiation', pid, role: 'provider', partner: 'did:web:alpha.example', partnerPid: 'p-' + pid,
        partnerAddress: 'https://alpha.example/dsp', state: 'REQUESTED', offer: {}, datasetId: 'd', createdAt: n, updatedAt: n },
      owe: { event: 'agree', url: 'https://alpha.example/x', body: pid },
      audit: [{ subject: pid, at: n, direction: 'in', event: 'request' }],
    })
    const { granted: booked } = await store.book('agreement-1', { records: 1 }, { total: 1e9 })
    process.stdout.write(pid + ' ' + booked + '\\n')
  }
}
for (const worker of ['a', 'b', 'c', 'd', 'e']) step(worker)
`,
    )
  })

  it.skipIf(!existsSync(compiled))('has lost nothing that it had answered', { timeout: 30_000 }, async () => {
    const file = newFile()
    for (const wanted of [7, 60]) {
      const writer = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] })
      const answered = await linesUntilKilled(writer, wanted)
      expect(answered.length).toBeGreaterThanOrEqual(wanted)
      await using store = openStore(file)
      expect(store.integrity()).toBeUndefined()
      const tokens = new Set(store.rememberedTokens(0 as EpochMs).map((t) => t.jti))
      for (const line of answered) {
        const [pid = ''] = line.split(' ')
        expect(store.find({ kind: 'negotiation', pid: pid as never })?.pid).toBe(pid)
        expect(store.owedFor(pid).map((o) => o.body)).toEqual([pid])
        expect(store.audit(pid)).toHaveLength(1)
        expect(tokens.has(`jti-${pid}`)).toBe(true)
      }
      expect(store.booked('agreement-1')).toBeGreaterThanOrEqual(answered.length)
      // No step is there in part.
      for (const n of store.list('negotiation', { limit: 100_000 }))
        expect(store.owedFor(n.pid)).toHaveLength(1)
      rmSync(file)
      for (const beside of ['-wal', '-shm']) rmSync(file + beside, { force: true })
    }
  })
})

/** Complete lines that came before the process was gone. */
async function linesUntilKilled(child: ChildProcess, wanted: number): Promise<readonly string[]> {
  if (child.stdout === null) throw new Error('no output')
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => {
    lines.push(line)
    if (lines.length === wanted) child.kill('SIGKILL')
  })
  await Promise.all([
    new Promise((done) => child.once('exit', done)),
    new Promise((done) => reader.once('close', done)),
  ])
  return lines
}
