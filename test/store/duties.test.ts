/** What the store keeps about duties, with a real file that is opened again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMs, ParticipantId } from '../../connector/core/types.js'
import type { Statement } from '../../connector/domain/duty.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import type { ArrivalNote, Store } from '../../connector/store/store.js'
import { negotiationOf } from './contract.js'

const NOW = Date.parse('2027-01-04T12:00:00Z')
const at = (ms: number): EpochMs => (NOW + ms) as EpochMs
const counted = (bytes: number, records: number) => ({ bytes, records })

let folder: string
let store: Store
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'duties-'))
  store = openStore(join(folder, 'x.db'))
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})
const reopen = async (): Promise<void> => {
  await store[Symbol.asyncDispose]()
  store = openStore(join(folder, 'x.db'))
}

const note = (ms: number, more: Partial<ArrivalNote>): Promise<void> =>
  store.noteArrival({
    agreementId: 'a-1',
    role: 'consumer',
    place: 't-1',
    at: at(ms),
    after: counted(0, 0),
    own: true,
    spanMs: 1000,
    ...more,
  })
const arrivals = () => store.arrivals('a-1', 'consumer')

describe('arrivals', () => {
  it('that come within one span are one, and later ones another, also after reopening', async () => {
    await note(0, { before: counted(0, 0), after: counted(10, 1) })
    await note(999, { before: counted(10, 1), after: counted(30, 3) })
    await reopen()
    await note(1000, { before: counted(30, 3), after: counted(35, 4) })
    expect(arrivals()).toMatchObject([
      { from: at(0), to: at(999), start: counted(0, 0), end: counted(30, 3), own: true, gone: false },
      { from: at(1000), to: at(1000), start: counted(30, 3), end: counted(35, 4) },
    ])
  })

  it('are settled, or given up as ours, up to a position; what has come behind it stays', async () => {
    await note(0, { before: counted(0, 0), after: counted(30, 3) })
    const [{ seq } = { seq: 0 }] = arrivals()
    await store.putStatement({ statement: statementOf('s-1'), gone: [{ seq, upTo: 10 }] })
    expect(arrivals()).toMatchObject([{ from: at(0), start: { bytes: 10 }, end: { bytes: 30 }, gone: false }])
    const audit = { subject: 'a-1', at: at(1), direction: 'own', event: 'received data missing' } as const
    await store.disown({ arrivals: [{ seq, upTo: 20 }], audit })
    await note(500, { before: counted(30, 3), after: counted(40, 4) })
    expect(arrivals()).toMatchObject([
      { from: at(0), start: { bytes: 10 }, end: { bytes: 20 }, own: false },
      { from: at(0), start: { bytes: 20 }, end: { bytes: 40 }, own: true },
    ])
    await store.putStatement({ statement: statementOf('s-2'), gone: [{ seq, upTo: 20 }] })
    expect(arrivals().map(({ gone }) => gone)).toEqual([true, false])
    expect(store.audit('a-1')).toMatchObject([audit])
  })

  it('are told of when a new deadline begins, not with every delivery', async () => {
    let told = 0
    store.onDuty(() => {
      told += 1
    })
    await note(0, { after: counted(10, 1) })
    await note(500, { after: counted(10, 1) })
    expect(told).toBe(1)
    await note(1000, { after: counted(10, 1) })
    expect(told).toBe(2)
  })

  it('that a crash has counted and not kept belong where they come the second time', async () => {
    await note(0, { before: counted(0, 0), after: counted(10, 1) })
    await note(500, { before: counted(10, 1), after: counted(30, 3) })
    // The bytes 10 to 30 were cut off and come again, later.
    await note(5000, { before: counted(10, 1), after: counted(30, 3) })
    expect(arrivals()).toMatchObject([
      { from: at(0), end: counted(10, 1) },
      { from: at(5000), start: counted(10, 1), end: counted(30, 3) },
    ])
  })

  it('count on by themselves where nobody knows how much came before', async () => {
    await note(0, { after: counted(10, 1), own: false })
    await note(2000, { after: counted(5, 2), own: false })
    expect(arrivals().map(({ end }) => end)).toEqual([counted(10, 1), counted(15, 3)])
  })

  it('begin a new span when the clock was set back', async () => {
    await note(5000, { after: counted(1, 1) })
    await note(0, { after: counted(1, 1) })
    expect(arrivals().map(({ from }) => from)).toEqual([at(5000), at(0)])
  })

  it('are logged each by itself where that is asked for, a repeated one once', async () => {
    const each = true
    await note(0, { before: counted(0, 0), after: counted(10, 1), each })
    await note(500, { before: counted(10, 1), after: counted(30, 3), each })
    await note(5000, { before: counted(10, 1), after: counted(30, 3), each })
    await note(6000, { before: counted(30, 3), after: counted(31, 4) })
    const logged = (after: number, until: number) =>
      store.loggedEntries('a-1', 'consumer', at(after), at(until))
    expect(logged(-1, 9000)).toEqual([
      { at: at(0), place: 't-1', records: 1, bytes: 10 },
      { at: at(5000), place: 't-1', records: 2, bytes: 20 },
    ])
    expect(logged(0, 9000)).toHaveLength(1)
    expect(logged(-1, 4999)).toHaveLength(1)
  })

  it('are logged by calendar day', async () => {
    await note(0, { after: counted(10, 1) })
    await note(10, { after: counted(5, 2) })
    await note(86_400_000, { after: counted(1, 1) })
    const day = Math.floor(NOW / 86_400_000)
    expect(store.loggedUse('a-1', 'consumer')).toEqual([
      { day, batches: 2, records: 3, bytes: 15, first: at(0), last: at(10) },
      { day: day + 1, batches: 1, records: 1, bytes: 1, first: at(86_400_000), last: at(86_400_000) },
    ])
    expect(store.loggedUse('a-1', 'provider')).toEqual([])
  })
})

const statementOf = (id: string, more: Partial<Statement> = {}): Statement => ({
  id,
  agreementId: 'a-1',
  role: 'consumer',
  partner: 'did:web:alpha.example' as ParticipantId,
  path: 'obligation[0]',
  kind: 'deletion',
  direction: 'out',
  at: at(0),
  content: { id },
  ...more,
})

describe('statements', () => {
  it('are written with what they settle, what is owed and the audit entry, or not at all', async () => {
    const { pid, partner } = negotiationOf('n')
    await store.create({ next: negotiationOf('n') })
    await note(0, { after: counted(10, 1) })
    const gone = arrivals().map(({ seq }) => ({ seq }))
    const owe = { pid, partner, event: 'duty statement', url: 's-1', body: '{}' }
    const audit = { subject: 'a-1', at: at(0), direction: 'out', event: 'duty deletion' } as const
    const nowhere = { ...owe, pid: 'urn:uuid:nothing' as typeof pid }
    await expect(
      store.putStatement({ statement: statementOf('s-0'), gone, owe: nowhere, audit: [audit] }),
    ).rejects.toThrow()
    expect([arrivals().length, store.statements('a-1', 'consumer'), store.audit('a-1')]).toEqual([1, [], []])

    await store.putStatement({ statement: statementOf('s-1'), gone, owe, audit: [audit] })
    await reopen()
    expect(arrivals()).toMatchObject([{ gone: true }])
    const [owed] = store.owedFor(pid)
    expect(owed).toMatchObject(owe)
    expect(store.audit('a-1')).toHaveLength(1)

    await store.putStatement({
      statement: { ...statementOf('s-1'), delivery: 'delivered' },
      settles: owed?.id ?? 0,
    })
    expect(store.owedFor(pid)).toEqual([])
    expect(store.statements('a-1', 'consumer')).toMatchObject([{ id: 's-1', delivery: 'delivered' }])
    expect(store.ownStatement('s-1')).toMatchObject({ delivery: 'delivered' })
  })

  it('of the kinds that come by themselves are kept up to 10,000, and 100 more at most; others stay', async () => {
    await store.putStatement({ statement: statementOf('incident', { kind: 'incident' }) })
    await Promise.all(
      Array.from({ length: 10_300 }, (_, i) => store.putStatement({ statement: statementOf(`s-${i}`) })),
    )
    const kept = store.statements('a-1', 'consumer', 20_000)
    expect(kept.length).toBeLessThanOrEqual(10_101)
    expect(kept.length).toBeGreaterThanOrEqual(10_001)
    expect([kept[0]?.id, kept.at(-1)?.id]).toEqual(['incident', 's-10299'])
  }, 60_000)

  it('answer with the latest of each kind, and count by partner and direction', async () => {
    for (const [id, more] of [
      ['1', {}],
      ['2', { until: at(2) }],
      ['3', { kind: 'waiver', direction: 'in' }],
      ['4', { path: 'obligation[1]' }],
    ] as const)
      await store.putStatement({ statement: statementOf(id, more) })
    expect(store.latestStatements('a-1', 'consumer', 'obligation[0]').map(({ id }) => id)).toEqual(['2', '3'])
    expect(store.countStatements('did:web:alpha.example', 'a-1', 'out')).toBe(0)
    expect(store.countStatements('did:web:alpha.example', 'a-1', 'in')).toBe(1)
    expect(store.statement('did:web:alpha.example', 'in', '3')).toMatchObject({ kind: 'waiver' })
    expect(store.statement('did:web:beta.example', 'in', '3')).toBeUndefined()
  })
})
