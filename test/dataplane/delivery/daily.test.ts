/** Times of delivery and quotas of the day, with a clock set by hand: what flows waits and goes on by itself. */
import { describe, expect, it } from 'vitest'
import { grant, linesOf, memoryMeter, serveDataPlane } from '../support/data-plane-server.js'
import { type Kind, openLive } from '../support/live-client.js'
import { memorySource, record } from '../support/memory-source.js'
import { handTime, waitFor } from '../support/time.js'

const EVENING = Date.parse('2026-11-25T20:00:00Z')
const HOUR = 3_600_000
/** No heartbeat between two days: a clock that jumps leaves no time to answer one. */
const limits = { heartbeatMs: 1e12 }
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => record(from + n, EVENING + (from + n) * 1000))
const HOURS = { hours: [[6 * HOUR, 22 * HOUR]] as const }

describe('a quota of the day', () => {
  it.each([
    ['records', { recordsPerDay: 3 }],
    // {"id":"p0","ts":"2026-11-25T20:00:00.000Z","temp":0} and the end of the line are 53 bytes.
    ['bytes', { bytesPerDay: 3 * 53 + 52 }],
  ])('of %s ends a pull, names the next day, and is full again then', async (_name, terms) => {
    const time = handTime(EVENING)
    const { meter } = memoryMeter()
    await using served = await serveDataPlane(memorySource(rows(0, 9)), { ...time, usage: meter })
    served.plane.start(grant(terms))
    const first = await served.get('?limit=9')
    expect(linesOf(await first.text()).map(({ id }) => id)).toEqual(['p0', 'p1', 'p2'])
    const second = await served.get('?limit=9&after=p2')
    expect(second.status).toBe(403)
    expect(await second.json()).toMatchObject({
      code: 'QuotaExhausted',
      reason: [
        expect.stringContaining('a day is used up; the next day begins at 26 November 2026, 00:00 UTC.'),
      ],
    })
    time.advance(4 * HOUR)
    const third = await served.get('?limit=9&after=p2')
    expect(linesOf(await third.text()).map(({ id }) => id)).toEqual(['p3', 'p4', 'p5'])
  })

  it('is of the zone of the contract', async () => {
    // 20:00 UTC is 21:00 in Berlin: three hours to midnight.
    const time = handTime(EVENING)
    const { meter } = memoryMeter()
    await using served = await serveDataPlane(memorySource(rows(0, 9)), { ...time, usage: meter })
    served.plane.start(grant({ recordsPerDay: 1, timeZones: ['Europe/Berlin'] }))
    expect((await served.get('?limit=1')).status).toBe(200)
    time.advance(3 * HOUR - 1)
    expect((await served.get('?limit=1')).status).toBe(403)
    time.advance(1)
    expect((await served.get('?limit=1')).status).toBe(200)
  })

  it.each<Kind>([
    'sse',
    'ws',
  ])('holds a stream by %s and lets it go on at midnight by timer', async (kind) => {
    const time = handTime(EVENING)
    const { meter, today } = memoryMeter()
    const paused: string[] = []
    const source = memorySource(rows(0, 5))
    await using served = await serveDataPlane(source, {
      ...time,
      limits,
      usage: meter,
      log: {
        delivered: () => {},
        stopped: () => {},
        paused: (_pid, _why, until) => paused.push(new Date(until ?? Number.NaN).toISOString()),
      },
    })
    served.plane.start(grant({ recordsPerDay: 2 }))
    const client = await openLive(kind, served, '?from=0')
    const ids = () => client.records.map(({ id }) => id)
    await waitFor(() => paused.length === 1, 'the pause')
    expect(ids()).toEqual(['p0', 'p1'])
    source.append(record(5, EVENING + 5_000))
    time.advance(4 * HOUR - 1)
    expect(today().records).toBe(2)
    time.advance(1)
    await waitFor(() => paused.length === 2, 'the second pause')
    await waitFor(() => ids().length === 4, 'the second day')
    time.advance(24 * HOUR)
    await waitFor(() => ids().length === 6, 'the third day')
    expect(ids()).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5'])
    expect(paused).toEqual(['2026-11-26T00:00:00.000Z', '2026-11-27T00:00:00.000Z'])
    expect(client.end()).toBeUndefined()
    client.close()
  })
})

it('a day that ends while its quota is asked for is over: the next one is not skipped', async () => {
  const time = handTime(EVENING + 4 * HOUR - 1)
  const { meter } = memoryMeter()
  const book: typeof meter.book = async (...asked) => {
    const booking = await meter.book(...asked)
    if (booking.short !== undefined) time.advance(2)
    return booking
  }
  await using served = await serveDataPlane(memorySource(rows(0, 2)), { ...time, limits, usage: { book } })
  served.plane.start(grant({ recordsPerDay: 1 }))
  const client = await openLive('sse', served, '?from=0')
  await waitFor(() => time.pending() > 0 && client.records.length >= 1, 'the first day')
  time.advance(1)
  await waitFor(() => client.records.length === 2, 'the second day')
  client.close()
})

describe('a time of delivery', () => {
  it('refuses a pull outside of it and says when to come back', async () => {
    const time = handTime(EVENING + 2 * HOUR)
    await using served = await serveDataPlane(memorySource(rows(0, 1)), { ...time })
    served.plane.start(grant(HOURS))
    const refused = await served.get()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([403, String(8 * 3600)])
    expect(await refused.json()).toMatchObject({
      reason: [
        'The contract allows no delivery at this time. Delivery begins again at 26 November 2026, 06:00 UTC.',
      ],
    })
    time.advance(8 * HOUR)
    expect((await served.get()).status).toBe(200)
  })

  it.each<Kind>([
    'sse',
    'ws',
  ])('lets a stream by %s wait for it, and holds it when it is over', async (kind) => {
    const time = handTime(EVENING + 2 * HOUR)
    const source = memorySource(rows(0, 2))
    await using served = await serveDataPlane(source, { ...time, limits })
    served.plane.start(grant(HOURS))
    const client = await openLive(kind, served, '?from=0')
    expect(client.status).toBe(200)
    time.advance(8 * HOUR - 1)
    source.append(record(2, EVENING + 2_000))
    expect(client.records).toEqual([])
    time.advance(1)
    await waitFor(() => client.records.length === 3, 'the morning')
    time.advance(16 * HOUR)
    source.append(record(3, EVENING + 3_000))
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(client.records.length).toBe(3)
    time.advance(8 * HOUR)
    await waitFor(() => client.records.length === 4, 'the next morning')
    expect(client.end()).toBeUndefined()
    client.close()
  })

  it('ends an answer that is still running when it is over', async () => {
    const time = handTime(EVENING)
    const source = memorySource(rows(0, 200_000), { batch: 1000 })
    await using served = await serveDataPlane(source, { ...time, limits })
    served.plane.start(grant(HOURS))
    const response = await served.get()
    const reader = response.body?.getReader()
    await reader?.read()
    time.advance(2 * HOUR)
    const rest = async () => {
      for (;;) if ((await reader?.read())?.done !== false) return 'complete'
    }
    await expect(rest()).rejects.toThrow()
  })
})
