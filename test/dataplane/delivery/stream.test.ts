import { describe, expect, it } from 'vitest'
import { grant, memoryMeter, PID, type Served, serveDataPlane } from '../support/data-plane-server.js'
import { type Kind, type LiveClient, openLive } from '../support/live-client.js'
import { type MemorySource, memorySource, record } from '../support/memory-source.js'
import { handTime, waitFor } from '../support/time.js'

const T0 = Date.parse('2026-11-01T00:00:00Z')
const at = (n: number) => record(n, T0 + n * 1_000)
const range = (start: number, end: number) => Array.from({ length: end - start }, (_, n) => at(start + n))
const idsOf = (client: LiveClient) => client.records.map((one) => one.id)
const names = (start: number, end: number) => range(start, end).map((one) => one.position)
const flows = (served: Served) => served.plane.active().sse + served.plane.active().ws

async function started(source: MemorySource, terms = {}, more = {}): Promise<Served> {
  const served = await serveDataPlane(source, more)
  served.plane.start(grant(terms))
  return served
}

const until = (client: LiveClient, count: number) =>
  waitFor(() => client.records.length >= count, `${count} records, have ${client.records.length}`)

describe.each<Kind>(['sse', 'ws'])('live stream by %s', (kind) => {
  it.each([
    true,
    false,
  ])('gives nothing older and everything newer than the connection (source tells its end: %s)', async (tellsEnd) => {
    const source = memorySource(range(0, 5), { tellsEnd })
    await using served = await started(source)
    const client = await openLive(kind, served)
    // Late data is new data: it counts when it arrives, not what it is stamped.
    source.append(record(5, T0 - 9e9), at(6))
    await until(client, 2)
    expect(client.records).toEqual([
      { id: 'p5', ts: new Date(T0 - 9e9).toISOString(), temp: 5 },
      { id: 'p6', ts: '2026-11-01T00:00:06.000Z', temp: 6 },
    ])
    expect(client.headers['last-event-id'] ?? /^id: (.*)$/m.exec(client.raw())?.[1]).toBe('p4')
    client.close()
  })

  it('begins with history when asked by from, then follows', async () => {
    const source = memorySource(range(0, 10))
    await using served = await started(source)
    const client = await openLive(kind, served, `?from=${T0 + 7_000}`)
    await until(client, 3)
    source.append(at(10))
    await until(client, 4)
    expect(idsOf(client)).toEqual(names(7, 11))
    client.close()
  })

  it('resumes right behind the last id', async () => {
    const source = memorySource(range(0, 10))
    await using served = await started(source)
    const client = await openLive(kind, served, '?after=p6')
    await until(client, 3)
    expect(idsOf(client)).toEqual(names(7, 10))
    client.close()
  })

  it('samples the same records whether the stream ran through or was resumed', async () => {
    const source = memorySource(range(0, 50))
    await using served = await started(source, { samplingIntervalMs: 10_000 })
    const through = await openLive(kind, served, '?from=0')
    const resumed = await openLive(kind, served, '?after=p10')
    source.append(...range(50, 90))
    await until(through, 9)
    expect(idsOf(through)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80].map((n) => `p${n}`))
    await until(resumed, 7)
    expect(idsOf(resumed)).toEqual([20, 30, 40, 50, 60, 70, 80].map((n) => `p${n}`))
    // A place between two taken records leads to no other ones.
    const between = await openLive(kind, served, '?after=p15')
    await until(between, 7)
    expect(idsOf(between)).toEqual(idsOf(resumed))
    for (const client of [through, resumed, between]) client.close()
  })

  it.each([
    ['?limit=5', 400, 'InvalidInput'],
    ['?after=p99', 416, 'RangeInvalid'],
  ])('refuses %s with a proper status', async (query, status, code) => {
    await using served = await started(memorySource(range(0, 5)))
    const client = await openLive(kind, served, query)
    await waitFor(() => client.body().includes(code), code)
    expect(client.status).toBe(status)
    await waitFor(() => flows(served) === 0, 'the flow to be gone')
  })

  it('refuses a stranger and a stopped transfer with a proper status', async () => {
    await using served = await started(memorySource())
    expect((await openLive(kind, served, '', { authorization: 'wrong' })).status).toBe(401)
    served.plane.stop(PID, { code: 'GrantEnded', message: 'Revoked.' })
    const client = await openLive(kind, served)
    expect(client.status).toBe(403)
    await waitFor(() => client.body() === '{"code":"GrantEnded","reason":["Revoked."]}', 'the reason')
  })

  it('ends at a stop with the reason, and not one record follows', async () => {
    const source = memorySource()
    await using served = await started(source)
    const client = await openLive(kind, served)
    source.append(at(0))
    await until(client, 1)
    served.plane.stop(PID, { code: 'GrantEnded', message: 'The agreement was revoked.' })
    source.append(at(1))
    await waitFor(() => client.closed() !== undefined, 'the close')
    expect(client.end()).toEqual({ code: 'GrantEnded', reason: ['The agreement was revoked.'] })
    if (kind === 'ws') expect(client.closed()?.code).toBe(4403)
    expect(idsOf(client)).toEqual(['p0'])
  })

  it('reads the source no faster than the receiver reads, and a stop cuts a receiver that does not read', async () => {
    const wide = Array.from({ length: 60_000 }, (_, n) => record(n, T0 + n, { note: 'x'.repeat(1_000) }))
    const source = memorySource(wide, { batch: 500 })
    await using served = await started(source)
    const client = await openLive(kind, served, '?from=0')
    client.pause()
    let last = -1
    let still = 0
    await waitFor(() => {
      still = source.handed() === last && last > 0 ? still + 1 : 0
      last = source.handed()
      return still > 40
    }, 'the reading to stall')
    expect(source.handed()).toBeLessThan(30_000)
    const [socket] = served.sockets
    const written = socket?.bytesWritten
    served.plane.stop(PID, { code: 'GrantEnded', message: 'Revoked.' })
    await waitFor(() => served.sockets.size === 0, 'the connection to be cut', 2_000)
    expect(socket?.bytesWritten).toBe(written)
    expect(flows(served)).toBe(0)
    client.resume()
    await waitFor(() => client.closed() !== undefined, 'the receiver to notice')
    expect(client.records.length).toBeLessThanOrEqual(last)
    client.close()
  })

  it('catches up with everything after a pause, in order', async () => {
    const wide = Array.from({ length: 5_000 }, (_, n) => record(n, T0 + n, { note: 'x'.repeat(1_000) }))
    await using served = await started(memorySource(wide, { batch: 500 }))
    const client = await openLive(kind, served, '?from=0')
    client.pause()
    await waitFor(() => served.plane.active()[kind] === 1, 'the flow')
    client.resume()
    await until(client, 5_000)
    expect(idsOf(client)).toEqual(wide.map((one) => one.position))
    client.close()
  })

  it('waits for each record until it is old enough, by timer, and drops what is stamped far ahead', async () => {
    const time = handTime(T0 + 60_000)
    const source = memorySource([at(0)])
    const more = { clock: time.clock, schedule: time.schedule, limits: { heartbeatMs: 1e9 } }
    await using served = await started(source, { deliveryDelayMs: 60_000 }, more)
    const client = await openLive(kind, served, '?from=0')
    await until(client, 1)
    source.append(at(1), record(2, T0 + 9e9), at(3))
    await waitFor(() => time.delays().includes(1_000), 'the wait for the second record')
    time.advance(999)
    time.advance(1)
    await until(client, 2)
    await waitFor(() => time.delays().includes(2_000), 'the wait for the fourth record')
    expect(idsOf(client)).toEqual(['p0', 'p1'])
    time.advance(2_000)
    await until(client, 3)
    expect(idsOf(client)).toEqual(['p0', 'p1', 'p3'])
    expect(served.plane.active().droppedAhead).toBe(1)
    client.close()
  })

  it('begins, under a delay, with what is not due yet', async () => {
    const time = handTime(T0 + 62_500)
    const more = { clock: time.clock, schedule: time.schedule, limits: { heartbeatMs: 1e9 } }
    await using served = await started(memorySource(range(0, 5)), { deliveryDelayMs: 60_000 }, more)
    const client = await openLive(kind, served)
    await waitFor(() => time.delays().includes(500), 'the wait')
    time.advance(1_500)
    await until(client, 2)
    expect(idsOf(client)).toEqual(['p3', 'p4'])
    client.close()
  })

  it('ends an idle stream by timer when the agreed time is over', async () => {
    const time = handTime(T0)
    const more = { clock: time.clock, schedule: time.schedule, limits: { heartbeatMs: 1e12 } }
    await using served = await started(memorySource(), { notAfter: T0 + 30 * 86_400_000 }, more)
    const client = await openLive(kind, served)
    await waitFor(() => flows(served) === 1, 'the flow')
    time.advance(30 * 86_400_000 - 1)
    expect(flows(served)).toBe(1)
    time.advance(1)
    await waitFor(() => client.closed() !== undefined, 'the close')
    expect(client.end()).toEqual({
      code: 'PolicyDenied',
      reason: ['The contract allowed delivery until 1 December 2026, 00:00 UTC; that time has passed.'],
      reasonDe:
        'Der Vertrag erlaubte die Lieferung bis zum 1. Dezember 2026, 00:00 Uhr UTC; diese Zeit ist vorbei.',
    })
  })

  it('looks at the time for every batch, whether a timer fired or not', async () => {
    let now = T0
    const source = memorySource([at(0)])
    await using served = await started(
      source,
      { notAfter: T0 + 1_000 },
      { clock: () => now, schedule: () => () => {} },
    )
    const client = await openLive(kind, served, '?from=0')
    await until(client, 1)
    now = T0 + 1_000
    source.append(at(1))
    await waitFor(() => client.closed() !== undefined, 'the close')
    expect([idsOf(client), client.end()?.code]).toEqual([['p0'], 'PolicyDenied'])
  })

  it('is woken by a record that arrives between the end of a reading and the sleep', async () => {
    const source = memorySource([at(0)])
    let late = true
    const racing: MemorySource = {
      ...source,
      async *read(query) {
        yield* source.read(query)
        if (late) source.append(at(1))
        late = false
      },
    }
    await using served = await started(racing)
    const client = await openLive(kind, served, '?from=0')
    await until(client, 2)
    expect(idsOf(client)).toEqual(['p0', 'p1'])
    client.close()
  })

  it('delivers up to the quota and then says that it is used up', async () => {
    const { meter, used } = memoryMeter()
    const source = memorySource(range(0, 3))
    await using served = await started(source, { countLimit: 5 }, { usage: meter })
    const client = await openLive(kind, served, '?from=0')
    await until(client, 3)
    expect(used()).toBe(3)
    source.append(...range(3, 9))
    await waitFor(() => client.closed() !== undefined, 'the close')
    expect(idsOf(client)).toEqual(names(0, 5))
    expect(client.end()?.code).toBe('QuotaExhausted')
    expect(served.stopped.map((one) => one.code)).toEqual(['QuotaExhausted'])
  })

  it('ends with a reason that reveals nothing when the source fails', async () => {
    const source = memorySource(range(0, 3), { batch: 1 })
    source.failAt(3)
    await using served = await started(source)
    const client = await openLive(kind, served, '?from=0')
    await until(client, 3)
    source.append(at(3))
    await waitFor(() => client.closed() !== undefined, 'the close')
    expect(client.end()).toEqual({
      code: 'SourceUnavailable',
      reason: ['The data source cannot be read now. Try again later.'],
      reasonDe: 'Die Datenquelle ist im Augenblick nicht lesbar. Versuchen Sie es später noch einmal.',
    })
    expect(served.stopped[0]?.message).toContain('/srv/secret')
  })

  it('says goodbye when the connector shuts down, and refuses newcomers', async () => {
    await using served = await started(memorySource())
    const client = await openLive(kind, served)
    await waitFor(() => flows(served) === 1, 'the flow')
    await served.plane[Symbol.asyncDispose]()
    await waitFor(() => client.closed() !== undefined, 'the close')
    expect(client.end()?.code).toBe('Stopping')
    if (kind === 'ws') expect(client.closed()?.code).toBe(1001)
    expect((await openLive(kind, served)).status).toBe(503)
  })

  it('tells the log at the end what was delivered', async () => {
    await using served = await started(memorySource(range(0, 3)))
    const client = await openLive(kind, served, '?from=0')
    await until(client, 3)
    client.close()
    await waitFor(() => served.delivered.length === 1, 'the entry')
    expect(served.delivered[0]).toMatchObject({ records: 3, via: kind, firstTime: T0, lastTime: T0 + 2_000 })
  })
})

it('sends SSE heartbeats while nothing happens', async () => {
  await using served = await started(memorySource(), {}, { limits: { heartbeatMs: 5 } })
  const client = await openLive('sse', served)
  await waitFor(() => client.raw().split(':\n\n').length > 3, 'three heartbeats')
  client.close()
})

it('prefers Last-Event-ID over the address, and checks its form', async () => {
  await using served = await started(memorySource(range(0, 5)))
  const client = await openLive('sse', served, '?after=p0', { 'last-event-id': 'p2' })
  await until(client, 2)
  expect(idsOf(client)).toEqual(['p3', 'p4'])
  expect(client.raw()).toContain(
    'id: p3\ndata: {"id":"p3","ts":"2026-11-01T00:00:03.000Z","temp":3}\n\nid: p4\n',
  )
  client.close()
  expect((await openLive('sse', served, '', { 'last-event-id': 'a b' })).status).toBe(400)
})
