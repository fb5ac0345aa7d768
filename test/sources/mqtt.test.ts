import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type EpochMs, systemClock } from '../../connector/core/types.js'
import type { SourceLog } from '../../connector/dataplane/sources/managed.js'
import { createMqttSource, type MqttSource } from '../../connector/dataplane/sources/mqtt.js'
import { parseMqttConfig } from '../../connector/dataplane/sources/mqtt-config.js'
import { openRecordLog } from '../../connector/store/sqlite/record-log.js'
import { waitFor } from '../support/wait-for.js'
import {
  type Broker,
  connectMachine,
  mosquittoPath,
  startAedes,
  startMosquitto,
  withMosquitto,
} from './brokers.js'
import { inTempDir, listen, number, readAll } from './support.js'

const signals = [number('n')]
const mapping = { time: { path: 't', format: 'epoch-ms' }, series: 'topic:2', signals: { n: 'n' } }

function sourceOf(
  broker: { port: number },
  log: SourceLog,
  extra: Record<string, unknown> = {},
  heard = listen(),
) {
  const config = parseMqttConfig(
    { url: `mqtt://127.0.0.1:${broker.port}`, topics: ['plant/+/state'], mapping, ...extra },
    signals,
  )
  if (!config.ok) throw new Error(config.error.message)
  const source = createMqttSource(config.value, {
    signals,
    clock: systemClock,
    report: heard.report,
    log,
    stream: 'pump',
    retentionMs: 3_600_000,
    connectorId: 'did:web:a.example',
    backoffMs: 20,
    random: () => 0.5,
  })
  return { source, heard }
}

const numbers = async (source: MqttSource) => (await readAll(source)).map(({ values }) => values.n)
const state = (n: number) => JSON.stringify({ t: 1_700_000_000_000 + n, n })

/** Aedes speaks MQTT 3.1.1 only, mosquitto both. */
const brokers: { title: string; skip: boolean; start: (dir: string) => Promise<Broker> }[] = [
  { title: 'aedes (MQTT 3.1.1)', skip: false, start: startAedes },
  { title: withMosquitto('mosquitto (MQTT 5)'), skip: mosquittoPath === undefined, start: startMosquitto },
]

describe.each(brokers)('over $title', ({ skip, start }) => {
  const run = (
    title: string,
    body: (world: { broker: Broker; log: ReturnType<typeof openRecordLog>; dir: string }) => Promise<void>,
  ) =>
    it.skipIf(skip)(title, () =>
      inTempDir(async (dir) => {
        await using broker = await start(dir)
        await using log = openRecordLog(join(dir, 'history.db'), { clock: systemClock })
        await body({ broker, log, dir })
      }),
    )

  run('turns messages on wildcard topics into records', async ({ broker, log }) => {
    const { source, heard } = sourceOf(broker, log)
    await using _ = source
    await source.start()
    await waitFor(() => heard.states.includes('connected'))
    const machine = await connectMachine(broker)
    await machine.publishAsync('plant/pump-1/state', state(1), { qos: 1 })
    await machine.publishAsync('plant/pump-2/state', state(2), { qos: 0 })
    await machine.publishAsync('plant/pump-2/other', state(3), { qos: 1 })
    await waitFor(() => source.counters().logged === 2)
    expect(await readAll(source)).toEqual([
      { position: '1', time: 1_700_000_000_001, series: 'pump-1', values: { n: 1 } },
      { position: '2', time: 1_700_000_000_002, series: 'pump-2', values: { n: 2 } },
    ])
    expect(source.counters()).toMatchObject({ received: 2, logged: 2, malformed: 0, duplicates: 0 })
    expect(source.counters().connectedSince).toBeTypeOf('number')
    await machine.endAsync()
  })

  run(
    'leaves out a malformed message in the middle, says so without its content, and goes on',
    async ({ broker, log }) => {
      const { source, heard } = sourceOf(broker, log, {
        mapping: { ...mapping, time: { path: 't', format: 'iso' } },
      })
      await using _ = source
      await source.start()
      await waitFor(() => heard.states.includes('connected'))
      const machine = await connectMachine(broker)
      const publish = (payload: string) => machine.publishAsync('plant/1/state', payload, { qos: 1 })
      await publish('{"t":"2023-11-14T22:13:20Z","n":1}')
      await publish('{"t":"2023-11-14 22:13:20","n":2,"secret":"do not show"}')
      await publish('{"t":"2023-11-14T22:13:21+01:00","n":3}')
      await waitFor(() => source.counters().logged === 2)
      expect(await numbers(source)).toEqual([1, 3])
      expect(source.counters().malformed).toBe(1)
      expect(heard.malformed).toEqual([
        {
          n: 1,
          sample: {
            where: 'plant/1/state',
            bytes: 56,
            reason:
              'Message on topic plant/1/state was left out: its time "2023-11-14 22:13:20" is not a date and time with an offset.',
          },
        },
      ])
      await machine.endAsync()
    },
  )

  run(
    'loses nothing when it dies between receipt and append, and repeats nothing',
    async ({ broker, log }) => {
      const { source: first, heard } = sourceOf(broker, log)
      await first.start()
      await waitFor(() => heard.states.includes('connected'))
      const machine = await connectMachine(broker)
      await machine.publishAsync('plant/1/state', state(1), { qos: 1 })
      await waitFor(() => first.counters().logged === 1)
      await first[Symbol.asyncDispose]()

      // The append never comes to an end: what a crash at this moment leaves behind.
      const stuck: SourceLog = { ...bound(log), append: () => new Promise<void>(() => {}) }
      const { source: dying } = sourceOf(broker, stuck)
      await dying.start()
      for (const n of [2, 3, 4]) await machine.publishAsync('plant/1/state', state(n), { qos: 1 })
      await waitFor(() => dying.counters().received === 3)
      // Its connection is thrown off by the next one, which uses the same client id.
      const { source: again } = sourceOf(broker, log, { protocolVersion: 'auto' })
      await using _ = again
      void dying[Symbol.asyncDispose]()
      await again.start()
      await machine.publishAsync('plant/1/state', state(5), { qos: 1 })
      await waitFor(async () => (await readAll(again)).length === 5)
      expect(await numbers(again)).toEqual([1, 2, 3, 4, 5])
      await machine.endAsync()
    },
  )

  run('recognises after a restart what was written but not yet acknowledged', async ({ broker, log }) => {
    let written = 0
    // Writes, and dies before it can say so.
    const mute: SourceLog = {
      ...bound(log),
      append: async (stream, records) => {
        await log.append(stream, records)
        written += records.length
        await new Promise<void>(() => {})
      },
    }
    const { source: dying, heard } = sourceOf(broker, mute)
    await dying.start()
    await waitFor(() => heard.states.includes('connected'))
    const machine = await connectMachine(broker)
    for (const n of [1, 2, 3]) await machine.publishAsync('plant/1/state', state(n), { qos: 1 })
    await waitFor(() => written === 3)
    const { source: again } = sourceOf(broker, log)
    await using _ = again
    void dying[Symbol.asyncDispose]()
    await again.start()
    await machine.publishAsync('plant/1/state', state(4), { qos: 1 })
    await waitFor(() => again.counters().logged === 1)
    expect(await numbers(again)).toEqual([1, 2, 3, 4])
    expect(again.counters()).toMatchObject({ received: 4, duplicates: 3 })
    await machine.endAsync()
  })

  run('asks again for what could not be written, and tells the operator', async ({ broker, log }) => {
    let full = true
    const failing: SourceLog = {
      ...bound(log),
      append: (stream, records) =>
        full ? Promise.reject(new Error('disk full')) : log.append(stream, records),
    }
    const { source, heard } = sourceOf(broker, failing)
    await using _ = source
    await source.start()
    await waitFor(() => heard.states.includes('connected'))
    const machine = await connectMachine(broker)
    for (const n of [1, 2]) await machine.publishAsync('plant/1/state', state(n), { qos: 1 })
    await waitFor(() =>
      heard.problems.some((text) => text.startsWith('Received records could not be written')),
    )
    expect(await numbers(source)).toEqual([])
    full = false
    await waitFor(async () => (await numbers(source)).length === 2)
    expect(await numbers(source)).toEqual([1, 2])
    await machine.endAsync()
  })

  run(
    'connects again when the broker comes back, and gets what was kept meanwhile',
    async ({ broker, log }) => {
      const { source, heard } = sourceOf(broker, log)
      await using _ = source
      await source.start()
      await waitFor(() => heard.states.includes('connected'))
      await broker.stop()
      await waitFor(() => heard.states.at(-1) === 'error')
      expect(heard.problems.at(-1)).toBe(
        `The broker at mqtt://127.0.0.1:${broker.port} refuses connections. Start it, or correct url in the source.`,
      )
      expect(source.counters().connectedSince).toBeUndefined()
      await broker.start()
      await waitFor(() => heard.states.at(-1) === 'connected')
      const machine = await connectMachine(broker)
      await machine.publishAsync('plant/1/state', state(1), { qos: 1 })
      await waitFor(() => source.counters().logged === 1)
      await machine.endAsync()
    },
  )

  run('receives at the start what arrived while it was down', async ({ broker, log }) => {
    const { source: first, heard } = sourceOf(broker, log)
    await first.start()
    await waitFor(() => heard.states.includes('connected'))
    await first[Symbol.asyncDispose]()
    const machine = await connectMachine(broker)
    for (let n = 0; n < 50; n += 1) await machine.publishAsync('plant/1/state', state(n), { qos: 1 })
    const { source } = sourceOf(broker, log)
    await using _ = source
    await source.start()
    await waitFor(() => source.counters().logged === 50)
    expect(await numbers(source)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    await machine.endAsync()
  })

  run('keeps two equal messages that were sent twice by the machine', async ({ broker, log }) => {
    const { source, heard } = sourceOf(broker, log)
    await using _ = source
    await source.start()
    await waitFor(() => heard.states.includes('connected'))
    const machine = await connectMachine(broker)
    for (const n of [1, 1]) await machine.publishAsync('plant/1/state', state(n), { qos: 1 })
    await waitFor(() => source.counters().logged === 2)
    await machine.endAsync()
  })

  run('removes live records after the retention time', async ({ broker, log, dir }) => {
    await log.append('pump', [{ time: 1 as EpochMs, series: '', values: { n: 1 } }])
    await using later = openRecordLog(join(dir, 'history.db'), { clock: systemClock })
    const { source } = sourceOf(broker, later)
    await using _ = createMqttSource(
      {
        url: 'mqtt://127.0.0.1:1',
        protocolVersion: 4,
        topics: ['a'],
        qos: 1,
        mapping: { time: 'arrival', series: { constant: '' }, signals: {} },
      },
      {
        signals,
        clock: () => (Date.now() + 3_600_001) as EpochMs,
        report: listen().report,
        log: later,
        stream: 'pump',
        retentionMs: 3_600_000,
        connectorId: 'x',
      },
    )
    expect(await numbers(source)).toEqual([1])
    await _.start()
    await waitFor(async () => (await numbers(source)).length === 0)
  })
})

it.skipIf(mosquittoPath === undefined)(
  withMosquitto('takes in every one of the many messages that a broker has kept'),
  () =>
    inTempDir(async (dir) => {
      await using broker = await startMosquitto(dir, ['max_inflight_messages 1000'])
      await using log = openRecordLog(join(dir, 'history.db'), { clock: systemClock })
      const { source: first, heard } = sourceOf(broker, log)
      await first.start()
      await waitFor(() => heard.states.includes('connected'))
      await first[Symbol.asyncDispose]()
      const machine = await connectMachine(broker)
      const count = 20_000
      await Promise.all(
        Array.from({ length: count }, (_, n) => machine.publishAsync('plant/1/state', state(n), { qos: 1 })),
      )
      await machine.endAsync()
      const { source } = sourceOf(broker, log)
      await using _ = source
      await source.start()
      await waitFor(() => source.counters().logged === count)
      expect(source.counters()).toMatchObject({ received: count, malformed: 0 })
    }),
)

it.skipIf(mosquittoPath === undefined)(
  withMosquitto('tells that two connectors push each other out with one client id'),
  () =>
    inTempDir(async (dir) => {
      await using broker = await startMosquitto(dir)
      await using log = openRecordLog(join(dir, 'history.db'), { clock: systemClock })
      const one = sourceOf(broker, log, { clientId: 'same' })
      const two = sourceOf(broker, log, { clientId: 'same' })
      await using _ = one.source
      await using __ = two.source
      await one.source.start()
      await two.source.start()
      const expected = `The connection to the broker at mqtt://127.0.0.1:${broker.port} is lost again and again right after it is set up. Probably another client uses the same client id: give each connector a clientId of its own.`
      await waitFor(() => one.heard.problems.includes(expected) || two.heard.problems.includes(expected))
    }),
)

it('tells that another client took its session, when the broker says so', () =>
  inTempDir(async (dir) => {
    // Answers CONNECT and SUBSCRIBE, then sends DISCONNECT with reason 142 (MQTT 5.0, 3.14.2.1).
    const server = createServer((socket) =>
      socket
        .on('error', () => {})
        .on('data', (bytes) => {
          if (bytes[0] === 0x10) socket.write(Buffer.from([0x20, 3, 0, 0, 0]))
          const { 2: high = 0, 3: low = 0 } = bytes
          if (bytes[0] === 0x82) socket.end(Buffer.from([0x90, 4, high, low, 0, 1, 0xe0, 2, 142, 0]))
        }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    await using log = openRecordLog(join(dir, 'history.db'), { clock: systemClock })
    const { source, heard } = sourceOf({ port }, log, { protocolVersion: 5 })
    await source.start()
    await waitFor(() => heard.problems.length > 0)
    await source[Symbol.asyncDispose]()
    server.close()
    expect(heard.problems[0]).toBe(
      `Another client with the same client id connected to the broker at mqtt://127.0.0.1:${port}. Give each connector a clientId of its own.`,
    )
  }))

/** The log's methods as a plain object, to replace one. */
function bound(log: ReturnType<typeof openRecordLog>): SourceLog {
  return {
    append: (...args) => log.append(...args),
    read: (...args) => log.read(...args),
    timeOf: (...args) => log.timeOf(...args),
    removedUntil: (...args) => log.removedUntil(...args),
    prune: (...args) => log.prune(...args),
    onAppend: (...args) => log.onAppend(...args),
    tail: (...args) => log.tail(...args),
  }
}
