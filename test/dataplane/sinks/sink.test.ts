import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { Aedes } from 'aedes'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseReceived, type Received } from '../../../connector/dataplane/receive/received.js'
import { openFileSink } from '../../../connector/dataplane/sinks/file.js'
import { openMqttSink } from '../../../connector/dataplane/sinks/mqtt.js'
import { into, type Sink, SinkError } from '../../../connector/dataplane/sinks/sink.js'
import { openStreamSink } from '../../../connector/dataplane/sinks/stdout.js'

const TS = '2026-11-01T00:00:00.000Z'
function received(id: string, more: object = { temp: 0.1 }): Received {
  const record = parseReceived(JSON.stringify({ id, ts: TS, ...more }))
  if (record === undefined) throw new Error('not a record')
  return record
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sink-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

type Rig = AsyncDisposable & {
  open(): Promise<Sink>
  /** Ids that have arrived, in order. */
  arrived(): string[]
  /** A restarted command goes on from there. */
  readonly remembers: boolean
}

const RIGS: Record<string, () => Promise<Rig>> = {
  'NDJSON file': async () => ({
    open: async () =>
      must(await openFileSink({ path: join(folder, 'a.ndjson'), format: 'ndjson', subject: 's' })),
    arrived: () => lines('a.ndjson').map((line) => (JSON.parse(line) as { id: string }).id),
    remembers: true,
    [Symbol.asyncDispose]: async () => {},
  }),
  'CSV file': async () => ({
    open: async () =>
      must(
        await openFileSink({
          path: join(folder, 'a.csv'),
          format: 'csv',
          subject: 's',
          columns: ['temp', 'note'],
        }),
      ),
    arrived: () =>
      lines('a.csv')
        .slice(1)
        .map((line) => line.split(',')[0] ?? ''),
    remembers: true,
    [Symbol.asyncDispose]: async () => {},
  }),
  stdout: async () => {
    let text = ''
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        setImmediate(done)
      },
    })
    return {
      open: async () => openStreamSink(stream),
      arrived: () =>
        text
          .split('\n')
          .filter(Boolean)
          .map((line) => (JSON.parse(line) as { id: string }).id),
      remembers: false,
      [Symbol.asyncDispose]: async () => {},
    }
  },
  MQTT: async () => {
    const broker = await mqttBroker()
    return {
      open: async () =>
        must(
          await openMqttSink({
            url: broker.url,
            topic: 'out/x',
            progress: { path: join(folder, 'mqtt.state'), subject: 's' },
          }),
        ),
      arrived: () => broker.published.map(({ payload }) => (JSON.parse(payload) as { id: string }).id),
      remembers: true,
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    }
  },
}

describe.each(Object.keys(RIGS))('a sink: %s', (name) => {
  const rigged = () => (RIGS[name] ?? missing)()

  it('has taken everything, in order, when the write and the flush have resolved', async () => {
    await using rig = await rigged()
    const sink = await rig.open()
    expect(sink.lastId()).toBeUndefined()
    const batch = Array.from({ length: 300 }, (_, n) => received(`p${n}`))
    await into(sink)(batch.slice(0, 200))
    await into(sink)(batch.slice(200))
    expect(rig.arrived()).toEqual(batch.map(({ id }) => id))
    expect(sink.lastId()).toBe('p299')
    await sink.close()
    await sink.close()
  })

  it('reports a last id only when that record is safe', async () => {
    await using rig = await rigged()
    const sink = await rig.open()
    await into(sink)([received('p1')])
    await sink.write([])
    await sink.flush()
    expect(sink.lastId()).toBe('p1')
    await sink.close()
  })

  it('flushes when it is closed, and goes on from there when opened again', async () => {
    await using rig = await rigged()
    const first = await rig.open()
    await first.write([received('p1'), received('p2')])
    await first.close()
    const second = await rig.open()
    expect(second.lastId()).toBe(rig.remembers ? 'p2' : undefined)
    await into(second)([received('p3')])
    expect(rig.arrived()).toEqual(['p1', 'p2', 'p3'])
    await second.close()
  })
})

describe('a file', () => {
  const options = () => ({ path: join(folder, 'a.ndjson'), format: 'ndjson', subject: 's' }) as const

  it('holds the exact text of each record', async () => {
    const sink = must(await openFileSink(options()))
    const json = `{"id":"p1","ts":"${TS}","series":"m","temp":1.50,"note":"ü"}`
    const exact = parseReceived(json)
    if (exact === undefined) throw new Error('not a record')
    await into(sink)([exact])
    await sink.close()
    expect(readFileSync(options().path, 'utf8')).toBe(`${json}\n`)
  })

  it('loses what a crash left without account, so that it can be received again without doubles', async () => {
    const crashed = must(await openFileSink(options()))
    await into(crashed)([received('p1')])
    await crashed.write([received('p2')])
    appendFileSync(options().path, '{"id":"p3","t')
    const again = must(await openFileSink(options()))
    expect(again.lastId()).toBe('p1')
    await into(again)([received('p2'), received('p3')])
    await again.close()
    expect(lines('a.ndjson').map((line) => (JSON.parse(line) as { id: string }).id)).toEqual([
      'p1',
      'p2',
      'p3',
    ])
    await crashed.close().catch(() => {})
  })

  it('is not touched when it is not ours, belongs to another transfer, or has shrunk', async () => {
    writeFileSync(options().path, 'precious')
    expect(await openFileSink(options())).toMatchObject({ ok: false, error: { code: 'Conflict' } })
    expect(readFileSync(options().path, 'utf8')).toBe('precious')
    rmSync(options().path)

    const sink = must(await openFileSink(options()))
    await into(sink)([received('p1')])
    await sink.close()
    expect(await openFileSink({ ...options(), subject: 'other' })).toMatchObject({
      error: { code: 'Conflict' },
    })
    writeFileSync(options().path, '')
    expect(await openFileSink(options())).toMatchObject({ error: { code: 'Conflict' } })
    writeFileSync(`${options().path}.state`, 'garbage')
    expect(await openFileSink(options())).toMatchObject({ error: { code: 'Conflict' } })
  })

  it('says what to do when its folder does not exist', async () => {
    const done = await openFileSink({ ...options(), path: join(folder, 'no', 'a.ndjson') })
    expect(done).toMatchObject({ ok: false, error: { code: 'InvalidInput' } })
  })

  it('has one CSV header, also after a restart, and refuses a signal without a column', async () => {
    const csv = {
      path: join(folder, 'a.csv'),
      format: 'csv',
      subject: 's',
      columns: ['temp', 'note'],
    } as const
    const first = must(await openFileSink(csv))
    await into(first)([received('p1', { note: 'a,b' })])
    await first.close()
    const second = must(await openFileSink(csv))
    await into(second)([received('p2', { temp: -1e-7, series: 'm' })])
    await expect(second.write([received('p3', { load: 1 })])).rejects.toThrow(SinkError)
    await second.close()
    expect(readFileSync(csv.path, 'utf8')).toBe(
      `id,ts,series,temp,note\r\np1,${TS},,,"a,b"\r\np2,${TS},m,-1e-7,\r\n`,
    )
    expect(await openFileSink({ path: join(folder, 'b.csv'), format: 'csv', subject: 's' })).toMatchObject({
      ok: false,
    })
  })
})

describe('MQTT', () => {
  it('publishes each record at QoS 1 below the topic, by series, without wildcards', async () => {
    await using broker = await mqttBroker()
    const sink = must(await openMqttSink({ url: broker.url, topic: 'out' }))
    await into(sink)([received('p1'), received('p2', { series: 'line/1+#' })])
    expect(broker.published.map(({ topic, qos }) => [topic, qos])).toEqual([
      ['out/record', 1],
      ['out/line/1__', 1],
    ])
    await sink.close()
  })

  it('waits for the acknowledgement of the broker', async () => {
    await using broker = await mqttBroker()
    broker.hold()
    const sink = must(await openMqttSink({ url: broker.url, topic: 'out' }))
    let taken = false
    const writing = into(sink)([received('p1')]).then(() => {
      taken = true
    })
    await broker.held
    expect([taken, sink.lastId()]).toEqual([false, undefined])
    broker.release()
    await writing
    expect(sink.lastId()).toBe('p1')
    await sink.close()
  })

  it('says what to check when there is no broker, or the topic is a filter', async () => {
    const nobody = await openMqttSink({ url: 'mqtt://127.0.0.1:1', topic: 'out' })
    expect(nobody).toMatchObject({ ok: false, error: { message: expect.stringContaining('ECONNREFUSED') } })
    expect(await openMqttSink({ url: 'mqtt://127.0.0.1:1', topic: 'out/#' })).toMatchObject({ ok: false })
  })
})

it('tells when the reader of the output has gone', async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
  const sink = openStreamSink(stream)
  await expect(sink.write([received('p1')])).rejects.toThrow(SinkError)
  await expect(sink.write([received('p2')])).rejects.toThrow(SinkError)
  expect(sink.lastId()).toBeUndefined()
})

async function mqttBroker() {
  const broker = await Aedes.createBroker()
  const published: { topic: string; payload: string; qos: number }[] = []
  let blocked: Promise<void> | undefined
  let release = (): void => {}
  let arrived = (): void => {}
  const held = new Promise<void>((resolve) => {
    arrived = resolve
  })
  broker.authorizePublish = (_client, packet, done) => {
    void (blocked ?? Promise.resolve()).then(() => done(null))
    if (blocked !== undefined) arrived()
    published.push({ topic: packet.topic, payload: String(packet.payload), qos: packet.qos })
  }
  const server = createServer(broker.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    published,
    held,
    hold: () => {
      blocked = new Promise((resolve) => {
        release = resolve
      })
    },
    release: () => release(),
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const lines = (name: string): string[] =>
  readFileSync(join(folder, name), 'utf8').split(/\r?\n/).filter(Boolean)

function must<T>(result: { ok: true; value: T } | { ok: false; error: { message: string } }): T {
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

function missing(): never {
  throw new Error('no such rig')
}
