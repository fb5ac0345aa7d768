/** Push between two whole connectors: what arrives in the sink is what the contract allows, once, whatever happens. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { describe, expect, it } from 'vitest'
import { doctorParts } from '../../connector/assembly/doctor.js'
import { startAedes } from '../sources/brokers.js'
import { type Answer, contractOn, enc, ended, type Member, startPair } from '../support/dataspace.js'
import { sharedPath, titled } from '../support/shared-data.js'
import { waitFor } from '../support/wait-for.js'
import { linesOf, offerReadings, pathOf, pushUnder, rows, upTo, values } from './support.js'

const fileOf = (consumer: Member, name = 'readings.ndjson'): string => join(consumer.config.receiveDir, name)

const contentOf = (file: string): readonly Answer[] =>
  existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : []

const pushOf = async (member: Member, transfer: string): Promise<Answer> =>
  (await member.get(pathOf(transfer))).push as unknown as Answer

const deliveriesOf = async (member: Member) =>
  (await doctorParts.extraChecks(member.config, {} as never))
    .find(({ name }) => name === 'deliveries')
    ?.run(new AbortController().signal)

/** The provider's side of a transfer of the consumer. */
const partnerOf = async (consumer: Member, transfer: string): Promise<string> =>
  String((await consumer.get(pathOf(transfer))).partnerPid)

const TO_FILE = { sink: { to: 'file:readings.ndjson' } }

const NAME = 'data/machine_temperature.csv'
const recording = sharedPath(NAME)
const HOUR = 3_600_000

it.skipIf(recording === undefined)(
  titled('delivers of 22,695 readings of a real machine exactly what the contract allows', NAME),
  async () => {
    await using space = await startPair()
    const { provider, consumer } = space
    await provider.put('/api/v1/sources/furnace', {
      kind: 'files',
      config: {
        file: recording ?? '',
        format: 'csv',
        time: { column: 'timestamp', format: 'iso-local', timeZone: 'UTC' },
        signals: { temperature: 'value', secret: 'value' },
      },
    })
    await provider.put('/api/v1/datasets/furnace', {
      title: 'Machine temperature',
      signals: ['temperature', 'secret'].map((name) => ({ name, type: 'number' })),
      sourceId: 'furnace',
    })
    const offers = '/api/v1/datasets/furnace/offers'
    await provider.post(offers, { id: 'all', terms: { fields: ['temperature'] } })
    await provider.post(offers, {
      id: 'sampled',
      terms: { fields: ['temperature'], samplingInterval: 'PT15M' },
    })
    await provider.post('/api/v1/datasets/furnace/publish')

    // By hand from the file: every reading with the one signal that is shared.
    const all = readFileSync(recording ?? '', 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => {
        const [time = '', value = ''] = line.split(',')
        return { ts: `${time.replace(' ', 'T')}.000Z`, temperature: Number(value) }
      })
    expect(all).toHaveLength(22_695)
    // And by hand from the rule: at least 15 minutes apart in each block of four hours, the last 15 minutes of it empty.
    let block = Number.NaN
    let next = 0
    const sampled = all.filter(({ ts }) => {
      const at = Date.parse(ts)
      const own = Math.floor(at / (4 * HOUR))
      if (own !== block) next = 0
      block = own
      if (at < next || at > (own + 1) * 4 * HOUR - HOUR / 4) return false
      next = at + HOUR / 4
      return true
    })
    expect(sampled.length).toBeGreaterThan(7000)

    for (const [offer, expected] of [
      ['all', all],
      ['sampled', sampled],
    ] as const) {
      const contract = await contractOn(consumer, provider, 'furnace', offer)
      const transfer = await pushUnder(consumer, contract, { sink: { to: `file:${offer}.ndjson` } })
      await waitFor(async () => (await pushOf(consumer, transfer)).records === expected.length, {
        timeoutMs: 20_000,
        what: `${expected.length} records`,
      })
      const received = contentOf(fileOf(consumer, `${offer}.ndjson`)).map(({ id: _, ...record }) => record)
      expect(received).toEqual(expected)
    }
  },
  60_000,
)

describe('a push to a file', () => {
  it('brings the history and then what comes, and both sides count the same', async () => {
    await using space = await startPair()
    const { provider, consumer } = space
    const source = await offerReadings(space, provider, 2500)
    const transfer = await pushUnder(consumer, await contractOn(consumer, provider, 'readings'), TO_FILE)
    const file = fileOf(consumer)
    await waitFor(() => contentOf(file).length === 2500)
    appendFileSync(source, rows(2500, 2510))
    await waitFor(() => contentOf(file).length === 2510)
    expect(values(contentOf(file))).toEqual(upTo(2510))
    const bytes = readFileSync(file).length
    await waitFor(async () => (await pushOf(provider, await partnerOf(consumer, transfer))).records === 2510)
    const theirs = await pushOf(provider, await partnerOf(consumer, transfer))
    const ours = await pushOf(consumer, transfer)
    expect(ours).toEqual({ to: file, batches: theirs.batches, records: 2510, bytes })
    expect(theirs).toMatchObject({ records: 2510, bytes })

    await consumer.post(`${pathOf(transfer)}/suspend`, {})
    await ended(consumer, pathOf(transfer), ['SUSPENDED'])
    appendFileSync(source, rows(2510, 2520))
    // Not even a restart begins what is paused.
    await provider.stop()
    await provider.start()
    expect(provider.connector().activeFlows().push).toBe(0)
    await consumer.post(`${pathOf(transfer)}/resume`)
    await waitFor(() => contentOf(file).length === 2520)
    expect(values(contentOf(file))).toEqual(upTo(2520))
  }, 30_000)

  it('goes on behind the last record after a restart of either side, and of both', async () => {
    await using space = await startPair()
    const { provider, consumer } = space
    const source = await offerReadings(space, provider, 30_000)
    const transfer = await pushUnder(consumer, await contractOn(consumer, provider, 'readings'), TO_FILE)
    const file = fileOf(consumer)
    let count = 30_000
    for (const sides of [[provider], [consumer], [provider, consumer]]) {
      const before = contentOf(file).length
      await waitFor(() => contentOf(file).length > before || before === count)
      for (const side of sides) await side.stop()
      appendFileSync(source, rows(count, count + 100))
      count += 100
      for (const side of sides.toReversed()) await side.start()
    }
    await waitFor(() => contentOf(file).length >= count, { timeoutMs: 30_000 })
    expect(values(contentOf(file))).toEqual(upTo(count))
    await waitFor(async () => (await pushOf(consumer, transfer)).records === count)
  }, 60_000)

  it('waits for a consumer that is down, and loses and repeats nothing', async () => {
    await using space = await startPair()
    const { provider, consumer } = space
    const source = await offerReadings(space, provider, 10)
    const transfer = await pushUnder(consumer, await contractOn(consumer, provider, 'readings'), TO_FILE)
    const file = fileOf(consumer)
    await waitFor(() => contentOf(file).length === 10)
    const theirs = await partnerOf(consumer, transfer)
    await consumer.stop()
    appendFileSync(source, rows(10, 20))
    await waitFor(async () =>
      String((await pushOf(provider, theirs)).lastError).includes('refused the connection'),
    )
    await consumer.start()
    await waitFor(() => contentOf(file).length === 20)
    expect(values(contentOf(file))).toEqual(upTo(20))
    await waitFor(async () => (await pushOf(provider, theirs)).lastError === undefined)
  }, 30_000)

  it('ends with the revocation of the contract: not a record more', async () => {
    await using space = await startPair()
    const { provider, consumer } = space
    const source = await offerReadings(space, provider, 50)
    const contract = await contractOn(consumer, provider, 'readings')
    const transfer = await pushUnder(consumer, contract, TO_FILE)
    const file = fileOf(consumer)
    await waitFor(() => contentOf(file).length === 50)
    await provider.post(`/api/v1/contracts/${enc(contract)}/revoke`, { reason: 'The project has ended.' })
    appendFileSync(source, rows(50, 60))
    await waitFor(() => provider.connector().activeFlows().push === 0)
    const over = await ended(consumer, pathOf(transfer), ['TERMINATED'])
    expect(over.reason).toBe('The project has ended.')
    expect(contentOf(file)).toHaveLength(50)
  }, 30_000)

  it('ends with what was asked for, and is complete on both sides', async () => {
    await using space = await startPair()
    const { provider, consumer } = space
    await offerReadings(space, provider, 100)
    const transfer = await pushUnder(consumer, await contractOn(consumer, provider, 'readings'), {
      from: '2026-01-01T00:00:05Z',
      to: '2026-01-01T00:00:08Z',
    })
    await ended(consumer, pathOf(transfer), ['COMPLETED'])
    const { to } = await pushOf(consumer, transfer)
    // Without a name the file has that of the transfer.
    expect(to).toBe(fileOf(consumer, `${transfer.replace('urn:uuid:', '')}.ndjson`))
    expect(values(contentOf(String(to)))).toEqual([5, 6, 7])
  })
})

it('delivers what a machine publishes to the broker of the consumer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'handschlag-push-'))
  await using plant = await startAedes()
  await using office = await startAedes()
  await using space = await startPair()
  const { provider, consumer } = space
  await provider.put('/api/v1/sources/pump', {
    kind: 'mqtt',
    config: {
      url: `mqtt://127.0.0.1:${plant.port}`,
      topics: ['plant/+/state'],
      mapping: { time: { path: 'time', format: 'iso' }, signals: { pressure: 'p', secret: 's' } },
    },
  })
  await provider.put('/api/v1/datasets/pump', {
    title: 'Pump',
    signals: ['pressure', 'secret'].map((name) => ({ name, type: 'number' })),
    sourceId: 'pump',
  })
  await provider.post('/api/v1/datasets/pump/offers', { terms: { fields: ['pressure'] } })
  await provider.post('/api/v1/datasets/pump/publish')
  const arrived: string[] = []
  const listener = await connectAsync(`mqtt://127.0.0.1:${office.port}`)
  listener.on('message', (topic, payload) => arrived.push(`${topic} ${payload}`))
  await listener.subscribeAsync('partner/#', { qos: 1 })

  const transfer = await pushUnder(consumer, await contractOn(consumer, provider, 'pump'), {
    sink: { to: `mqtt://127.0.0.1:${office.port}/partner/pump`, username: 'me', password: 'hunter2' },
  })
  const machine = await connectAsync(`mqtt://127.0.0.1:${plant.port}`)
  const publish = (n: number) =>
    machine.publishAsync(
      'plant/7/state',
      JSON.stringify({ time: `2026-01-01T00:00:0${n}Z`, p: n, s: 1000 + n }),
      { qos: 1 },
    )
  for (const n of [1, 2, 3]) await publish(n)
  await waitFor(() => arrived.length === 3)
  // The broker of the office is away for a while.
  await office.stop()
  await publish(4)
  const theirs = await partnerOf(consumer, transfer)
  await waitFor(async () => (await pushOf(provider, theirs)).lastError !== undefined, { timeoutMs: 20_000 })
  // The transfer runs as before, so everything that an operator looks at has to say that nothing arrives.
  for (const [side, pid, fix] of [
    [consumer, transfer, 'Check the broker or folder'],
    [provider, theirs, 'Ask the partner'],
  ] as const) {
    const { lastError } = await pushOf(side, pid)
    if (side === provider) {
      expect(lastError).toBe('The receiver answered 503: The receiver cannot store the data now.')
    }
    const failing = { since: expect.stringMatching(/^20.*Z$/), lastError }
    expect((await side.get('/api/v1/transfers')).transfers).toMatchObject([{ state: 'STARTED', failing }])
    expect((await side.get('/api/v1/status')).failingDeliveries).toEqual({ count: 1, oldest: failing.since })
    expect(await deliveriesOf(side)).toMatchObject({
      status: 'warning',
      what: { en: expect.stringContaining(String(lastError)) },
      fix: { en: expect.stringContaining(fix), de: expect.stringContaining(`transfer show ${pid}`) },
    })
  }
  await office.start()
  await waitFor(() => new Set(arrived).size === 4, { timeoutMs: 20_000 })
  for (const side of [consumer, provider]) {
    await waitFor(async () => (await deliveriesOf(side))?.status === 'ok')
    expect((await side.get('/api/v1/status')).failingDeliveries).toEqual({ count: 0 })
  }
  const seen = [...new Set(arrived)].map((message) => {
    const [topic = '', json = ''] = message.split(/ (.*)/s)
    const { id: _, ...record } = JSON.parse(json)
    return { topic, ...record }
  })
  expect(seen).toEqual(
    [1, 2, 3, 4].map((n) => ({
      topic: 'partner/pump/record',
      ts: `2026-01-01T00:00:0${n}.000Z`,
      pressure: n,
    })),
  )
  const stored = readFileSync(join(consumer.config.dataDir, 'handschlag.db')).toString('latin1')
  expect(stored.includes('hunter2')).toBe(false)
  await listener.endAsync()
  await machine.endAsync()
  await rm(folder, { recursive: true, force: true })
}, 60_000)

it('pauses with the reason when a file is larger than the consumer takes, and nothing of it stays', async () => {
  await using space = await startPair({}, { settings: { HANDSCHLAG_RECEIVE_LIMIT: '1MB' } })
  const { provider, consumer } = space
  const file = join(space.folder, 'large.bin')
  writeFileSync(file, Buffer.alloc(8_000_000))
  await provider.put('/api/v1/sources/large', { kind: 'bytes', config: { file } })
  await provider.put('/api/v1/datasets/large', { title: 'Large', signals: [], sourceId: 'large' })
  await provider.post('/api/v1/datasets/large/offers', { terms: {} })
  await provider.post('/api/v1/datasets/large/publish')
  const contract = await contractOn(consumer, provider, 'large')
  const begun = await consumer.post('/api/v1/transfers', { contract, sink: { to: 'file:large.bin' } })
  const paused = await ended(consumer, pathOf(String(begun.pid)), ['SUSPENDED'])
  expect(paused).toMatchObject({ suspendedBy: 'partner', reason: 'The receiver answered 413.' })
  expect(existsSync(fileOf(consumer, 'large.bin'))).toBe(false)
  // Told to our own operator in full.
  const theirs = await pushOf(provider, await partnerOf(consumer, String(begun.pid)))
  expect(theirs.lastError).toBe(
    'The receiver answered 413: A delivery may have 1000000 bytes at most here. Send smaller ones.',
  )
})

describe('where a push may go', () => {
  it('is below the folder for received data, to a file that is not there yet, or to a topic', async () => {
    await using space = await startPair()
    const { provider, consumer } = space
    await offerReadings(space, provider, 5)
    const contract = await contractOn(consumer, provider, 'readings')
    const refused = async (body: object, code: string, words: string) => {
      const why = await consumer.refused(consumer.api.post('/api/v1/transfers', { contract, ...body }))
      expect([why.code, why.message]).toEqual([code, expect.stringContaining(words)])
    }
    await refused({ sink: { to: 'file:../../etc/passwd' } }, 'InvalidInput', 'outside the folder')
    await refused({ sink: { to: 'file:readings.ndjson.rest' } }, 'InvalidInput', 'ends in .state or .rest')
    await refused({ sink: { to: 'file:/etc/passwd' } }, 'InvalidInput', 'outside the folder')
    await refused({ sink: { to: 'ftp://a/b' } }, 'InvalidInput', 'file:NAME or mqtt://')
    await refused({ sink: { to: 'mqtt://user:secret@a/b' } }, 'InvalidInput', 'without user and password')
    await refused({ sink: { to: 'mqtt://a/b/%23' } }, 'InvalidInput', 'file:NAME or mqtt://')
    await refused({ format: 'HttpData-PULL', ...TO_FILE }, 'InvalidInput', 'it is fetched')
    await refused({ from: '2026-01-01T00:00:00Z' }, 'InvalidInput', 'belong to HttpData-PUSH')
    await refused(
      { format: 'HttpData-PUSH', from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      'InvalidInput',
      'later than',
    )
    const transfer = await pushUnder(consumer, contract, TO_FILE)
    await waitFor(() => contentOf(fileOf(consumer)).length === 5)
    await refused(TO_FILE, 'Conflict', 'exists already')
    await waitFor(() => existsSync(`${fileOf(consumer)}.state`))
    rmSync(fileOf(consumer))
    await refused(TO_FILE, 'Conflict', 'belongs to another transfer')
    await consumer.post(`${pathOf(transfer)}/terminate`, {})
  })
})
