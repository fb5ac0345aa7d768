/** Duties between two sides with real stores, real signatures and real files; the way between them is the test's. */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLog } from '../../connector/core/log.js'
import { ok, problem, type Result } from '../../connector/core/result.js'
import type { EpochMs, JsonObject, ParticipantId, Pid, Role } from '../../connector/core/types.js'
import { readStatement, signStatement } from '../../connector/crypto/duty-statement.js'
import { openBodyFile } from '../../connector/dataplane/sinks/body-sink.js'
import { cutFront } from '../../connector/dataplane/sinks/cut.js'
import type { Agreement } from '../../connector/domain/agreement.js'
import type { Statement } from '../../connector/domain/duty.js'
import { agreementHash } from '../../connector/services/contract.js'
import { arrivalNotes } from '../../connector/services/duties.js'
import {
  receiveStatement,
  STATEMENT_EVENT,
  statementSettled,
} from '../../connector/services/duty-statements.js'
import { type DutyWatch, type WatchDeps, watchDuties } from '../../connector/services/duty-watch.js'
import { dutyOperations } from '../../connector/services/operator-duties.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import type { Store } from '../../connector/store/store.js'
import { negotiationOf } from '../store/contract.js'
import { waitFor } from '../support/wait-for.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'
const PROVIDER = 'did:web:provider.example' as ParticipantId
const CONSUMER = 'did:web:consumer.example' as ParticipantId
const OTHER = 'did:web:other.example' as ParticipantId
const HOUR = 3_600_000
const DAY = 24 * HOUR
const T0 = Date.parse('2027-01-04T12:00:00Z')
const TRANSFER = 'urn:uuid:transfer-1' as Pid
const AGREEMENT = 'urn:uuid:agreement-1'

const atomic = (leftOperand: string, operator: string, rightOperand: string) => ({
  leftOperand,
  operator,
  rightOperand,
})
const DELETE = { action: 'odrl:delete', constraint: [atomic(`${MDP}retention`, 'lteq', 'P1D')] }
const LOG = { action: `${MDP}logUsage`, constraint: [atomic(`${MDP}logLevel`, 'eq', 'per-batch')] }
const INFORM = {
  action: 'odrl:inform',
  constraint: [atomic('odrl:event', 'eq', `${MDP}SecurityIncident`)],
}

const keys = new Map<string, KeyObject>()
const privateKeys = new Map<string, KeyObject>()
for (const did of [PROVIDER, CONSUMER, OTHER]) {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  keys.set(did, pair.publicKey)
  privateKeys.set(did, pair.privateKey)
}
const signedBy = (did: string, content: JsonObject): string =>
  signStatement(content, { kid: `${did}#seal`, privateKey: privateKeys.get(did) as KeyObject })

let folder: string
let now: number
let sides: Side[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'duties-'))
  now = T0
  sides = []
})
afterEach(async () => {
  for (const side of sides) await side[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

type Side = AsyncDisposable & {
  readonly did: ParticipantId
  readonly deps: WatchDeps
  readonly ops: () => ReturnType<typeof dutyOperations>
  readonly watch: () => DutyWatch
  store(): Store
  restart(): Promise<void>
  /** Lets the next write of a statement fail, as on a full disk. */
  failOnce(): void
}

const file = () => join(folder, 'received.ndjson')
const statementOf = (side: Side, n = -1): Statement => {
  const found = side.store().statements(AGREEMENT, roleOf(side)).at(n)
  if (found === undefined) throw new Error('no statement')
  return found
}
const roleOf = ({ did }: Pick<Side, 'did'>): Role => (did === PROVIDER ? 'provider' : 'consumer')

async function sideOf(
  did: ParticipantId,
  more: { obligation: readonly object[]; sealed?: boolean; constraint?: readonly object[] },
): Promise<Side> {
  const role = roleOf({ did })
  const path = join(folder, `${role}.db`)
  let ids = 0
  let fails = false
  const open = (): Store => {
    const real = openStore(path)
    return {
      ...real,
      putStatement: async (m) => {
        if (fails) {
          fails = false
          throw new Error('the disk is full')
        }
        await real.putStatement(m)
      },
    }
  }
  let store = open()
  const deps: WatchDeps = {
    get store() {
      return store
    },
    // Before all time: the clock of this machine.
    clock: () => (now < 0 ? Date.now() : now) as EpochMs,
    log: silentLog,
    ownDid: did,
    newStatementId: () =>
      `urn:uuid:00000000-0000-4000-8000-${role === 'provider' ? 'a' : 'b'}${String(++ids).padStart(11, '0')}`,
    statementSeals: {
      sign: (content) => signedBy(did, content),
      read: (jws) => {
        const read = readStatement(jws)
        return read.ok ? ok(read.value.content) : read
      },
      verify: async (jws, signer): Promise<Result<void>> => {
        const read = readStatement(jws)
        if (!read.ok) return read
        return read.value.kid === `${signer}#seal` && read.value.isBy(keys.get(signer) as KeyObject)
          ? ok(undefined)
          : problem('SignatureInvalid', 'The statement was not signed with that key.')
      },
    },
    deleteReceived: async ({ pid }, range) => {
      const cut = await cutFront(file(), pid, range)
      if (!cut.ok || cut.value === undefined) return cut as Result<undefined>
      return ok({ ...cut.value, name: 'received.ndjson' })
    },
  }
  const body = {
    '@id': AGREEMENT,
    permission: [
      { action: 'use', ...((more.constraint ?? []).length > 0 && { constraint: more.constraint }) },
    ],
    obligation: more.obligation,
  } as JsonObject
  const partner = role === 'provider' ? CONSUMER : PROVIDER
  const negotiation = negotiationOf('n', { role, partner, agreementId: AGREEMENT, state: 'FINALIZED' })
  const agreement: Agreement = {
    id: AGREEMENT,
    role,
    partner,
    negotiationPid: negotiation.pid,
    datasetId: 'press-7',
    body,
    offer: {},
    hash: agreementHash(body),
    agreedAt: T0 as EpochMs,
    status: 'active',
    ...(more.sealed === false ? {} : { providerSeal: 'x', consumerSeal: 'y' }),
  }
  await store.create({ next: negotiation, agreement })
  await store.create({
    next: {
      kind: 'transfer',
      pid: TRANSFER,
      role,
      partner,
      partnerAddress: '',
      state: 'STARTED',
      agreementId: AGREEMENT,
      datasetId: 'press-7',
      format: 'HttpData-PUSH',
      generation: 1,
      createdAt: T0 as EpochMs,
      updatedAt: T0 as EpochMs,
    },
  })
  let watch = watchDuties(deps)
  const side: Side = {
    did,
    deps,
    ops: () => dutyOperations({ ...deps, store, deletionFault: watch.fault }),
    watch: () => watch,
    store: () => store,
    failOnce() {
      fails = true
    },
    async restart() {
      await watch[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      store = open()
      watch = watchDuties(deps)
    },
    async [Symbol.asyncDispose]() {
      await watch[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
  sides.push(side)
  return side
}

async function pair(
  obligation: readonly object[] = [DELETE],
  sealed = true,
  constraint: readonly object[] = [],
) {
  return {
    provider: await sideOf(PROVIDER, { obligation, sealed, constraint }),
    consumer: await sideOf(CONSUMER, { obligation, sealed, constraint }),
  }
}

const line = (n: number): string =>
  `{"id":"${n}","ts":"2027-01-04T0${n}:00:00.000Z","series":"","value":${n}}\n`
async function* bodyOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** Comes into the file of the consumer, and is noted on both sides. */
async function deliver(
  { provider, consumer }: { provider: Side; consumer: Side },
  text: string,
): Promise<void> {
  const m = { agreementId: AGREEMENT, place: TRANSFER }
  const sink = await openBodyFile(file(), TRANSFER, (before, after) =>
    arrivalNotes(consumer.deps).note({ ...m, role: 'consumer', partner: PROVIDER, before, after, own: true }),
  )
  if (!sink.ok) throw new Error(sink.error.message)
  await sink.value.take(bodyOf(text), { isRecords: true })
  await sink.value[Symbol.asyncDispose]()
  const sent = { bytes: text.length, records: text.split('\n').length - 1 }
  await arrivalNotes(provider.deps).note({
    ...m,
    role: 'provider',
    partner: CONSUMER,
    after: sent,
    own: false,
  })
}

const owedBy = (side: Side) =>
  side
    .store()
    .owedFor(negotiationOf('n').pid)
    .filter(({ event }) => event === STATEMENT_EVENT)

/** Carries what is owed to the other side, as the dispatcher and the route do. */
async function carry(from: Side, to: Side): Promise<readonly Result<Statement>[]> {
  const outcomes: Result<Statement>[] = []
  for (const owed of owedBy(from)) {
    const { statement } = JSON.parse(owed.body) as { statement: string }
    const outcome = await receiveStatement(to.deps, from.did, statement)
    await statementSettled(from.deps, owed, outcome.ok ? undefined : outcome.error)
    outcomes.push(outcome)
  }
  return outcomes
}

const dutyOf = (side: Side, path = 'obligation[0]') => {
  const duty = side
    .ops()
    .list()
    .duties.find((one) => one.path === path)
  if (duty === undefined) throw new Error('no duty')
  return duty
}
const sha = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('a duty to delete', () => {
  it('deletes what is due and nothing younger, and the provider has the receipt', async () => {
    const both = await pair()
    const { provider, consumer } = both
    await deliver(both, line(1) + line(2))
    now += 12 * HOUR
    await deliver(both, line(3))
    expect(dutyOf(consumer)).toMatchObject({
      state: 'open',
      whose: 'ours',
      dueAt: '2027-01-05T12:00:00.000Z',
    })
    expect(dutyOf(provider)).toMatchObject({
      state: 'open',
      whose: 'theirs',
      dueAt: '2027-01-05T12:00:00.000Z',
    })

    now = T0 + DAY - 1
    await consumer.watch().run()
    expect(readFileSync(file(), 'utf8')).toBe(line(1) + line(2) + line(3))
    now = T0 + DAY
    await consumer.watch().run()
    expect(readFileSync(file(), 'utf8')).toBe(line(3))
    expect(dutyOf(consumer)).toMatchObject({ state: 'open', dueAt: '2027-01-06T00:00:00.000Z' })

    expect((await carry(consumer, provider)).map((outcome) => outcome.ok)).toEqual([true])
    const received = statementOf(provider)
    expect(received).toMatchObject({ kind: 'deletion', direction: 'in', partner: CONSUMER })
    expect(received.content).toMatchObject({
      agreement: AGREEMENT,
      duty: 'obligation[0]',
      issuer: CONSUMER,
      audience: PROVIDER,
      by: 'connector',
      at: '2027-01-05T12:00:00.000Z',
      until: '2027-01-04T12:00:00.000Z',
      data: {
        records: 2,
        bytes: line(1).length + line(2).length,
        firstEvent: '2027-01-04T01:00:00.000Z',
        lastEvent: '2027-01-04T02:00:00.000Z',
        firstReceived: '2027-01-04T12:00:00.000Z',
        lastReceived: '2027-01-04T12:00:00.000Z',
        sha256: [sha(line(1) + line(2))],
      },
    })
    expect(statementOf(consumer)).toMatchObject({
      delivery: 'delivered',
      proof: {
        files: [
          {
            name: 'received.ndjson',
            records: 2,
            sha256: sha(line(1) + line(2)),
            firstReceived: '2027-01-04T12:00:00.000Z',
            lastReceived: '2027-01-04T12:00:00.000Z',
          },
        ],
      },
    })
    expect(JSON.stringify(received)).not.toContain('received.ndjson')
    expect(dutyOf(provider)).toMatchObject({ state: 'open', outstandingSince: '2027-01-05T00:00:00.000Z' })
  })

  it('is seen to by a timer, without being asked', async () => {
    const SECOND = { action: 'odrl:delete', constraint: [atomic(`${MDP}retention`, 'lteq', 'PT1S')] }
    const both = await pair([SECOND])
    now = -1
    await deliver(both, line(1))
    await waitFor(() => !existsSync(file()), { what: 'the file to go' })
    await waitFor(() => both.consumer.store().statements(AGREEMENT, 'consumer').length === 1)
    const [receipt] = both.consumer.store().statements(AGREEMENT, 'consumer')
    const [{ lastReceived = '' } = {}] = (receipt?.proof?.files ?? []) as readonly { lastReceived?: string }[]
    const after = (receipt?.at ?? 0) - Date.parse(lastReceived)
    expect(after).toBeGreaterThanOrEqual(1000)
    expect(after).toBeLessThan(5000)
  })

  it('is made up for when the program was off at the time', async () => {
    const both = await pair()
    await deliver(both, line(1))
    await both.consumer.restart()
    now += 3 * DAY
    expect(dutyOf(both.consumer).state).toBe('overdue')
    await both.consumer.watch().run()
    expect(existsSync(file())).toBe(false)
    expect(dutyOf(both.consumer).state).toBe('open')
  })

  it('keeps the proof when the receipt cannot be written, and tells of everything once', async () => {
    const both = await pair()
    const { consumer } = both
    await deliver(both, line(1))
    now += HOUR
    await deliver(both, line(2))
    now = T0 + DAY
    consumer.failOnce()
    await consumer.watch().run()
    expect(readFileSync(file(), 'utf8')).toBe(line(2))
    expect(consumer.store().statements(AGREEMENT, 'consumer')).toEqual([])
    await consumer.restart()
    now += HOUR
    await consumer.watch().run()
    await consumer.watch().run()
    const told = consumer.store().statements(AGREEMENT, 'consumer')
    expect(told.map(({ content }) => (content.data as JsonObject).records)).toEqual([1, 1])
    expect(told.map(({ proof }) => ((proof?.files as JsonObject[])[0] as JsonObject).sha256)).toEqual([
      sha(line(1)),
      sha(line(2)),
    ])
    expect(existsSync(file())).toBe(false)
  })

  it.each([
    'came while the deletion waited for its turn',
    'came before the receipt was written',
  ])('leaves nothing behind of what %s', async (when) => {
    const end = atomic('odrl:dateTime', 'lteq', '2027-01-05T12:00:00Z')
    const both = await pair([{ action: 'odrl:delete' }], true, [end])
    const { consumer } = both
    now = T0 + DAY - HOUR
    await deliver(both, line(1))
    now = T0 + DAY + 1000
    let late = true
    const watch = watchDuties({
      ...consumer.deps,
      store: consumer.store(),
      deleteReceived: async (transfer, range) => {
        const isLate = late
        late = false
        if (isLate && when.includes('turn')) await deliver(both, line(2))
        const cut = await consumer.deps.deleteReceived(transfer, range)
        if (isLate && when.includes('receipt')) await deliver(both, line(2))
        return cut
      },
    })
    await watch.run()
    await watch.run()
    await watch.run()
    expect(existsSync(file())).toBe(false)
    const told = consumer.store().statements(AGREEMENT, 'consumer')
    expect(told.map(({ content }) => (content.data as JsonObject).records)).toEqual([1, 1])
    expect(told.map(({ until }) => until)).toEqual([undefined, now])
    await watch[Symbol.asyncDispose]()
  })

  it('is for a person to answer for when the file was taken away, and says so to nobody by itself', async () => {
    const end = atomic('odrl:dateTime', 'lteq', '2027-01-05T12:00:00Z')
    const both = await pair([{ action: 'odrl:delete' }], true, [end])
    const { consumer, provider } = both
    now = T0 + DAY - HOUR
    await deliver(both, line(1))
    renameSync(file(), join(folder, 'historian.ndjson'))
    now = T0 + DAY + 1000
    await consumer.watch().run()
    expect(consumer.store().statements(AGREEMENT, 'consumer')).toEqual([])
    const duty = dutyOf(consumer)
    expect(duty).toMatchObject({ state: 'overdue', outstandingSince: '2027-01-05T11:00:00.000Z' })
    expect(duty.note.en).toContain('or its file was taken away: delete it there, then confirm it in words')

    // What comes after it lies in a new file, and goes by itself.
    await deliver(both, line(2))
    await consumer.watch().run()
    expect(existsSync(file())).toBe(false)
    expect(statementOf(consumer)).toMatchObject({ kind: 'deletion', content: { data: { records: 1 } } })
    expect(statementOf(consumer).until).toBeUndefined()

    expect(await consumer.ops().confirm(duty.id, 'Deleted from the historian.', 'laptop')).toMatchObject({
      ok: true,
      value: { state: 'fulfilled' },
    })
    await carry(consumer, provider)
    expect(dutyOf(provider).state).toBe('fulfilled')
  })

  it('deletes nothing too early when the clock is set back, and what is due when it is set forward', async () => {
    const both = await pair()
    now = T0 + HOUR
    await deliver(both, line(1))
    now = T0
    await deliver(both, line(2))
    await both.consumer.watch().run()
    expect(readFileSync(file(), 'utf8')).toBe(line(1) + line(2))
    // The second came at T0 by the clock, so the first came no later than that.
    now = T0 + DAY
    await both.consumer.watch().run()
    expect(existsSync(file())).toBe(false)
  })

  it('says why when it cannot delete, and does it as soon as it can', async () => {
    const both = await pair()
    await deliver(both, line(1) + line(2))
    const { deleteReceived } = both.consumer.deps
    let offline = true
    const watch = watchDuties({
      ...both.consumer.deps,
      store: both.consumer.store(),
      deleteReceived: async (transfer, range) =>
        offline ? problem('SinkUnavailable', 'The disk is away.') : deleteReceived(transfer, range),
    })
    now += DAY + 1
    await watch.run()
    expect(watch.fault(AGREEMENT)?.en).toBe('The disk is away.')
    expect(dutyOf(both.consumer).state).toBe('overdue')
    offline = false
    await watch.run()
    expect(watch.fault(AGREEMENT)).toBeUndefined()
    expect(dutyOf(both.consumer).state).toBe('open')
    await watch[Symbol.asyncDispose]()
  })

  it('is looked at again after a time that is not negative, also when that is at once', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    try {
      const both = await pair()
      await both.consumer.watch().run()
      const waits = timers.mock.calls.map(([, wait]) => wait ?? 0)
      expect(waits.length).toBeGreaterThan(1)
      expect(waits.filter((wait) => wait < 0)).toEqual([])
    } finally {
      timers.mockRestore()
    }
  })

  it('waits for a person where the data is not ours to delete, and is never done by itself', async () => {
    const { consumer } = await pair()
    await arrivalNotes(consumer.deps).note({
      agreementId: AGREEMENT,
      role: 'consumer',
      partner: PROVIDER,
      place: 'urn:uuid:pulled',
      after: { bytes: 10, records: 0 },
      own: false,
    })
    now = T0 + 0.75 * DAY
    expect(dutyOf(consumer).state).toBe('due soon')
    now = T0 + DAY + 1
    await consumer.watch().run()
    const duty = dutyOf(consumer)
    expect(duty.state).toBe('overdue')
    expect(duty.note.en).toContain('confirm it in words')
    expect(consumer.store().audit(AGREEMENT)).toMatchObject([{ event: 'duty overdue' }])
    expect(await consumer.ops().confirm(duty.id, '  ', 'laptop')).toMatchObject({ ok: false })
    const done = await consumer.ops().confirm(duty.id, 'Deleted from the historian.', 'laptop')
    expect(done).toMatchObject({ ok: true, value: { state: 'open' } })
    expect(statementOf(consumer).content).toMatchObject({
      by: 'person',
      text: 'Deleted from the historian.',
      until: '2027-01-05T12:00:00.001Z',
    })
  })

  it('is not confirmed by a person for what still lies in our own files', async () => {
    const both = await pair()
    await deliver(both, line(1))
    now += HOUR
    const said = await both.consumer.ops().confirm(dutyOf(both.consumer).id, 'All gone.', 'laptop')
    expect(said).toMatchObject({
      ok: false,
      error: {
        code: 'InvalidTransition',
        message:
          'What is left of the data lies in the folder for received data. The connector deletes it by itself when it is due, and tells the partner then.',
      },
    })
    expect(dutyOf(both.consumer).outstandingSince).toBe('2027-01-04T12:00:00.000Z')
    expect(both.consumer.store().statements(AGREEMENT, 'consumer', 10)).toEqual([])
    expect(owedBy(both.consumer)).toEqual([])
  })

  it('counts as overdue at the provider after the grace, and a reminder reaches the consumer', async () => {
    const both = await pair()
    const { provider, consumer } = both
    await deliver(both, line(1))
    // A day to keep it, a day and a hundredth of one to tell.
    now = T0 + 2 * DAY + DAY / 100
    expect(dutyOf(provider).state).toBe('open')
    now += 1
    expect(dutyOf(provider).state).toBe('overdue')
    await provider.watch().run()
    expect(provider.store().audit(AGREEMENT)).toMatchObject([{ event: 'duty overdue' }])
    expect(await provider.ops().remind(dutyOf(provider).id, 'Where is it?', 'laptop')).toMatchObject({
      ok: true,
    })
    expect((await carry(provider, consumer)).map((outcome) => outcome.ok)).toEqual([true])
    expect(statementOf(consumer)).toMatchObject({
      kind: 'reminder',
      direction: 'in',
      content: { text: 'Where is it?' },
    })
    expect(dutyOf(consumer).note.en).toContain('Reminder of 6 January 2027, 12:14:24 UTC: "Where is it?".')
    await consumer.watch().run()
    await carry(consumer, provider)
    expect(dutyOf(provider).state).toBe('open')
  })

  it('that is waived deletes nothing more, on both sides', async () => {
    const both = await pair()
    const { provider, consumer } = both
    await deliver(both, line(1))
    expect(await provider.ops().waive(dutyOf(provider).id, 'Warranty case.', 'laptop')).toMatchObject({
      ok: true,
      value: { state: 'waived' },
    })
    await carry(provider, consumer)
    expect(dutyOf(consumer).state).toBe('waived')
    now += 3 * DAY
    await consumer.watch().run()
    expect(readFileSync(file(), 'utf8')).toBe(line(1))
    expect(await consumer.ops().waive(dutyOf(consumer).id, 'x', 'laptop')).toMatchObject({ ok: false })
  })

  it('of a partner that signs nothing is told as it is: by contract only, with its deadline', async () => {
    const both = await pair([DELETE], false)
    const { provider, consumer } = both
    await deliver(both, line(1))
    const { note, id } = dutyOf(provider)
    expect(note.en).toBe(
      "Agreed by contract only: the partner's connector does not tell us. Deadline: 5 January 2027, 12:00 UTC. Ask for a signed confirmation, and write it down here when it comes.",
    )
    expect(await provider.ops().remind(id, 'Please', 'laptop')).toMatchObject({
      ok: false,
      error: { code: 'InvalidTransition' },
    })
    now += 5 * DAY
    expect(dutyOf(provider).state).toBe('overdue')
    expect(
      await provider.ops().confirm(id, 'Letter of 9 January, signed by their IT.', 'laptop'),
    ).toMatchObject({
      ok: true,
      value: { state: 'open' },
    })
    expect(statementOf(provider)).toMatchObject({ direction: 'own', kind: 'deletion' })
    expect(statementOf(provider).jws).toBeUndefined()
    // Ours deletes all the same, and sends nothing.
    await consumer.watch().run()
    expect(statementOf(consumer)).toMatchObject({ delivery: 'contract only' })
    expect(owedBy(consumer)).toEqual([])
  })
})

describe('logs and notices', () => {
  it('report the log of use with its days', async () => {
    const both = await pair([LOG])
    await deliver(both, line(1) + line(2))
    const { provider, consumer } = both
    const entry = `{"at":"2027-01-04T12:00:00.000Z","bytes":${2 * line(1).length},"records":2,"transfer":"${TRANSFER}"}`
    expect(consumer.ops().show(dutyOf(consumer).id)).toMatchObject({ value: { entries: [entry] } })
    expect(await consumer.ops().report(dutyOf(consumer).id, 'January', undefined, 'laptop')).toMatchObject({
      ok: true,
    })
    await carry(consumer, provider)
    expect(statementOf(provider).content).toMatchObject({
      kind: 'log',
      data: {
        days: 1,
        batches: 1,
        records: 2,
        log: [{ day: '2027-01-04', records: 2 }],
        entries: { count: 1, sha256: sha(`${entry}\n`) },
      },
    })
  })

  it('are reported by themselves when a calendar month has ended, each day once', async () => {
    const both = await pair([LOG])
    const { consumer } = both
    await deliver(both, line(1))
    now = Date.parse('2027-01-31T23:00:00Z')
    await deliver(both, line(2))
    await consumer.watch().run()
    expect(consumer.store().statements(AGREEMENT, 'consumer')).toEqual([])
    now = Date.parse('2027-02-01T00:30:00Z')
    await deliver(both, line(3))
    await consumer.watch().run()
    await consumer.watch().run()
    now = Date.parse('2027-03-01T00:00:00Z')
    await consumer.watch().run()
    const reports = consumer.store().statements(AGREEMENT, 'consumer')
    expect(reports.map(({ content }) => [content.until, content.data])).toMatchObject([
      [
        '2027-01-31T23:59:59.999Z',
        { days: 2, records: 2, log: [{ day: '2027-01-04' }, { day: '2027-01-31' }] },
      ],
      ['2027-02-28T23:59:59.999Z', { days: 1, records: 1, log: [{ day: '2027-02-01' }] }],
    ])
    const nothing = await consumer.ops().report(dutyOf(consumer).id, 'Again', undefined, 'laptop')
    expect(nothing).toMatchObject({
      ok: false,
      error: { message: 'Nothing was received since the last report.' },
    })
  })

  it('that could not be delivered for days are owed once more each day, those that were refused are not', async () => {
    const { provider, consumer } = await pair([INFORM])
    const { id } = dutyOf(consumer)
    await consumer.ops().report(id, 'A laptop was stolen.', undefined, 'laptop')
    const [owed] = owedBy(consumer)
    if (owed === undefined) throw new Error('nothing owed')
    await statementSettled(consumer.deps, owed, { code: 'PartnerUnreachable', message: 'Nobody answers.' })
    expect(statementOf(consumer)).toMatchObject({ delivery: 'failed', deliveryReason: 'Nobody answers.' })
    now += DAY - 1
    await consumer.watch().run()
    expect(owedBy(consumer)).toEqual([])
    now += 1
    await consumer.watch().run()
    expect(owedBy(consumer)).toMatchObject([{ body: owed.body }])
    expect(statementOf(consumer)).toMatchObject({ delivery: 'owed' })
    await carry(consumer, provider)
    expect(statementOf(provider)).toMatchObject({ kind: 'incident' })

    await consumer.ops().report(id, 'Found again.', undefined, 'laptop')
    const [second] = owedBy(consumer)
    if (second === undefined) throw new Error('nothing owed')
    await statementSettled(consumer.deps, second, { code: 'PartnerRefused', message: 'No.' })
    now += 2 * DAY
    await consumer.watch().run()
    expect(owedBy(consumer)).toEqual([])
  })

  it('tell the provider of an event in words', async () => {
    const { provider, consumer } = await pair([INFORM])
    expect(dutyOf(consumer).words).toEqual({
      en: 'inform the provider: security incident',
      de: 'den Anbieter unterrichten: Sicherheitsvorfall',
    })
    await consumer.ops().report(dutyOf(consumer).id, 'A laptop was stolen.', undefined, 'laptop')
    await carry(consumer, provider)
    expect(statementOf(provider).content).toMatchObject({
      kind: 'incident',
      event: `${MDP}SecurityIncident`,
      text: 'A laptop was stolen.',
    })
    expect(dutyOf(provider).state).toBe('open')
    expect(dutyOf(provider).note.de).toContain('„A laptop was stolen.“')
  })
})

describe('the end of a contract', () => {
  const AT_END = { action: 'odrl:delete' }
  const END = atomic('odrl:dateTime', 'lt', '2027-01-06T00:00:00Z')

  it.each([
    ['its date', [END], undefined, '2027-01-06T00:00:00.000Z'],
    ['its revocation', [], '2027-01-05T00:00:00.000Z', '2027-01-05T00:00:00.000Z'],
  ])('by %s makes due what has no time of its own, and then the duty is fulfilled', async (_what, constraint, revokedAt, dueAt) => {
    const both = await pair([AT_END], true, constraint)
    const { consumer } = both
    await deliver(both, line(1))
    if (revokedAt !== undefined) {
      const statusAt = Date.parse(revokedAt) as EpochMs
      await consumer
        .store()
        .changeAgreement(AGREEMENT, (current) => ok({ next: { ...current, status: 'revoked', statusAt } }))
    }
    expect(dutyOf(consumer)).toMatchObject({ dueAt })
    now = Date.parse(dueAt) - 1
    await consumer.watch().run()
    expect(existsSync(file())).toBe(true)
    now += 1
    await consumer.watch().run()
    expect(existsSync(file())).toBe(false)
    expect(dutyOf(consumer).state).toBe('fulfilled')
  })
})

describe('a statement of a partner', () => {
  const contentOf = (more: JsonObject = {}): JsonObject => ({
    '@type': `${MDP}DutyStatement`,
    version: '1',
    id: 'urn:uuid:00000000-0000-4000-8000-c00000000001',
    kind: 'deletion',
    agreement: AGREEMENT,
    agreementHash: agreementHash({
      '@id': AGREEMENT,
      permission: [{ action: 'use' }],
      obligation: [DELETE],
    } as JsonObject),
    duty: 'obligation[0]',
    action: 'http://www.w3.org/ns/odrl/2/delete',
    issuer: CONSUMER,
    audience: PROVIDER,
    at: '2027-01-04T12:00:00.000Z',
    until: '2027-01-04T11:00:00.000Z',
    by: 'connector',
    ...more,
  })

  const received = async (jws: string, sender: ParticipantId = CONSUMER) => {
    const { provider } = await pair()
    const outcome = await receiveStatement(provider.deps, sender, jws)
    return { outcome, provider, stored: provider.store().statements(AGREEMENT, 'provider') }
  }

  it('is stored once however often it comes', async () => {
    const jws = signedBy(CONSUMER, contentOf())
    const { outcome, provider } = await received(jws)
    expect(outcome.ok).toBe(true)
    expect((await receiveStatement(provider.deps, CONSUMER, jws)).ok).toBe(true)
    expect(provider.store().statements(AGREEMENT, 'provider')).toHaveLength(1)
    const other = signedBy(CONSUMER, contentOf({ by: 'person' }))
    expect(await receiveStatement(provider.deps, CONSUMER, other)).toMatchObject({
      ok: false,
      error: { message: 'Another statement with this id was received before.' },
    })
  })

  it.each<readonly [string, string, string]>([
    ['signed by somebody else', signedBy(OTHER, contentOf()), 'SignatureInvalid'],
    [
      'about a contract that there is not',
      signedBy(CONSUMER, contentOf({ agreement: 'urn:uuid:no' })),
      'NotFound',
    ],
    ['that only a provider may make', signedBy(CONSUMER, contentOf({ kind: 'waiver' })), 'NotFound'],
    ['of a kind nobody knows', signedBy(CONSUMER, contentOf({ kind: 'joke' })), 'InvalidMessage'],
    ['of a later version', signedBy(CONSUMER, contentOf({ version: '2' })), 'InvalidMessage'],
    [
      'about another text of the contract',
      signedBy(CONSUMER, contentOf({ agreementHash: '00' })),
      'InvalidMessage',
    ],
    [
      'about a duty that there is not',
      signedBy(CONSUMER, contentOf({ duty: 'obligation[1]' })),
      'InvalidMessage',
    ],
    ['about another action', signedBy(CONSUMER, contentOf({ action: 'odrl:inform' })), 'InvalidMessage'],
    ['in the name of another', signedBy(CONSUMER, contentOf({ issuer: OTHER })), 'InvalidMessage'],
    ['made for another', signedBy(CONSUMER, contentOf({ audience: OTHER })), 'InvalidMessage'],
    ['from the future', signedBy(CONSUMER, contentOf({ at: '2027-01-04T12:05:00.001Z' })), 'InvalidMessage'],
    [
      'that covers the future',
      signedBy(CONSUMER, contentOf({ until: '2027-01-04T12:00:00.001Z' })),
      'InvalidMessage',
    ],
    ['without a usable id', signedBy(CONSUMER, contentOf({ id: 'x' })), 'InvalidMessage'],
    ['with a text without end', signedBy(CONSUMER, contentOf({ text: 'x'.repeat(4001) })), 'InvalidMessage'],
    [
      'beyond the size',
      signedBy(CONSUMER, contentOf({ data: { x: 'y'.repeat(17_000) } })),
      'SignatureInvalid',
    ],
    ['that is no JWS', 'nonsense', 'SignatureInvalid'],
  ])('%s is refused and leaves nothing behind', async (_what, jws, code) => {
    const { outcome, stored } = await received(jws)
    expect(outcome).toMatchObject({ ok: false, error: { code } })
    expect(stored).toEqual([])
  })

  it('with one changed character in what is signed is refused', async () => {
    const [header, , signature] = signedBy(CONSUMER, contentOf()).split('.')
    const [, payload] = signedBy(CONSUMER, contentOf({ until: '2027-01-04T11:30:00.000Z' })).split('.')
    const { outcome } = await received(`${header}.${payload}.${signature}`)
    expect(outcome).toMatchObject({ ok: false, error: { code: 'SignatureInvalid' } })
  })

  it('does not exist for anybody but the partner of the contract', async () => {
    const jws = signedBy(OTHER, contentOf({ issuer: OTHER }))
    const { outcome } = await received(jws, OTHER)
    expect(outcome).toMatchObject({ ok: false, error: { code: 'NotFound' } })
  })
})
