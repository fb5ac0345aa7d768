import { request } from 'node:http'
import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../connector/core/types.js'
import {
  grant,
  linesOf,
  memoryMeter,
  PID,
  type Served,
  serveDataPlane,
  TOKEN,
} from '../support/data-plane-server.js'
import { memorySource, record } from '../support/memory-source.js'
import { handTime, waitFor } from '../support/time.js'

const T0 = Date.parse('2026-11-01T00:00:00Z')
const seconds = (count: number, batch = 100) =>
  memorySource(
    Array.from({ length: count }, (_, n) => record(n, T0 + n * 1_000)),
    { batch },
  )
const ids = (text: string): unknown[] => linesOf(text).map((line) => line.id)
const problemOf = async (answer: Response) => ({
  status: answer.status,
  ...((await answer.json()) as object),
})

async function started(source = seconds(5), terms = {}, more = {}): Promise<Served> {
  const served = await serveDataPlane(source, more)
  served.plane.start(grant(terms))
  return served
}

describe('formats', () => {
  it('answers NDJSON by default, one record per line, numbers exact', async () => {
    const source = memorySource([
      record(1, T0, { temp: 0.1 + 0.2, load: -1e-7, note: 'ü"\n' }, 'm1'),
      record(2, T0 + 1, { temp: null }),
    ])
    await using served = await started(source)
    const answer = await served.get()
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    expect(await answer.text()).toBe(
      '{"id":"p1","ts":"2026-11-01T00:00:00.000Z","series":"m1","temp":0.30000000000000004,"load":-1e-7,"note":"ü\\"\\n"}\n' +
        '{"id":"p2","ts":"2026-11-01T00:00:00.001Z","temp":null}\n',
    )
  })

  it('answers CSV after RFC 4180, with a header line even when there is nothing', async () => {
    const source = memorySource([
      record(1, T0, { temp: 1.5, note: 'a,"b"' }),
      record(2, T0 + 1, { note: '' }, 'm 2'),
    ])
    await using served = await started(source)
    const answer = await served.get('', { accept: 'text/csv' })
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(await answer.text()).toBe(
      'id,ts,series,temp,load,note\r\n' +
        'p1,2026-11-01T00:00:00.000Z,,1.5,,"a,""b"""\r\n' +
        'p2,2026-11-01T00:00:00.001Z,m 2,,,""\r\n',
    )
    const empty = await served.get('?from=2030-01-01T00:00:00Z', { accept: 'text/csv' })
    expect(await empty.text()).toBe('id,ts,series,temp,load,note\r\n')
  })

  it('names in the CSV header only what the contract allows', async () => {
    await using served = await started(seconds(1), { fields: ['load'] })
    expect(await (await served.get('', { accept: 'text/csv' })).text()).toBe('id,ts,series,load\r\n')
  })

  it('answers one JSON array, empty or not, streamed or as a page', async () => {
    await using served = await started(seconds(3, 2))
    const accept = 'application/json'
    const whole = (await (await served.get('', { accept })).json()) as { id: string }[]
    expect(whole.map((one) => one.id)).toEqual(['p0', 'p1', 'p2'])
    expect(await (await served.get('?limit=3', { accept })).json()).toEqual(whole)
    expect(await (await served.get('?to=0', { accept })).json()).toEqual([])
    expect(await (await served.get('?to=0&limit=1', { accept })).json()).toEqual([])
  })

  it.each([
    ['text/csv;q=0.5, application/json;q=0.9', 'application/json; charset=utf-8'],
    ['text/csv, application/x-ndjson;q=0', 'text/csv; charset=utf-8'],
    ['text/*', 'text/csv; charset=utf-8'],
    ['*/*', 'application/x-ndjson'],
    ['text/html, */*;q=0.1', 'application/x-ndjson'],
    ['application/x-ndjson;q=0, */*', 'text/csv; charset=utf-8'],
  ])('chooses for Accept "%s": %s', async (accept, type) => {
    await using served = await started()
    const answer = await served.get('', { accept })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type])
    expect(answer.headers.get('vary')).toContain('Accept')
  })

  it('refuses what it cannot represent with 406', async () => {
    await using served = await started()
    expect(await problemOf(await served.get('', { accept: 'application/xml' }))).toMatchObject({
      status: 406,
      code: 'NotAcceptable',
    })
  })

  it('packs with gzip when asked, streamed and as a page', async () => {
    await using served = await started(seconds(500))
    for (const query of ['', '?limit=500']) {
      const raw = await rawGet(served, query, { 'accept-encoding': 'gzip;q=0.5, br' })
      expect(raw.headers['content-encoding']).toBe('gzip')
      expect(linesOf(gunzipSync(raw.body).toString())).toHaveLength(500)
      const plain = await rawGet(served, query, { 'accept-encoding': 'gzip;q=0' })
      expect(plain.headers['content-encoding']).toBeUndefined()
      expect(linesOf(plain.body.toString())).toHaveLength(500)
    }
  })
})

describe('ranges and pages', () => {
  it('takes from inclusive and to exclusive, as ISO instants with offset or as epoch milliseconds', async () => {
    await using served = await started(seconds(10))
    const iso = await served.get('?from=2026-11-01T01:00:02%2B01:00&to=2026-11-01T00:00:05.000Z')
    expect(ids(await iso.text())).toEqual(['p2', 'p3', 'p4'])
    expect(ids(await (await served.get(`?from=${T0 + 2_000}&to=${T0 + 5_000}`)).text())).toEqual([
      'p2',
      'p3',
      'p4',
    ])
    const bare = await served.get('?from=2026-11-01T01:00:02+01:00&to=2026-11-01T00:00:05Z')
    expect(ids(await bare.text())).toEqual(['p2', 'p3', 'p4'])
  })

  it.each([
    ['?form=1', '"form"'],
    ['?from=2026-02-31T00:00:00Z', '"from"'],
    ['?from=2026-02-01T00:00:00', '"from"'],
    ['?to=yesterday', '"to"'],
    ['?from=5&to=5', '"to"'],
    ['?limit=0', '"limit"'],
    ['?limit=100001', '"limit"'],
    ['?limit=1e3', '"limit"'],
    ['?after=a%20b', '"after"'],
    ['?after=', '"after"'],
    ['?limit=1&limit=2', '"limit"'],
  ])('refuses %s and names %s', async (query, name) => {
    await using served = await started()
    const answer = (await problemOf(await served.get(query))) as unknown as { reason: string[] }
    expect(answer).toMatchObject({ status: 400, code: 'InvalidInput' })
    expect(answer.reason[0]).toContain(name)
  })

  it('pages through everything by the Link header, also under a time range, and ends without one', async () => {
    await using served = await started(seconds(25, 4))
    const found: unknown[] = []
    let pages = 0
    let query: string | undefined = `?limit=10&from=${T0 + 1_000}`
    while (query !== undefined) {
      const answer: Response = await served.get(query)
      found.push(...ids(await answer.text()))
      pages += 1
      query = /^<(\?[^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
    }
    expect(pages).toBe(3)
    expect(found).toEqual(Array.from({ length: 24 }, (_, n) => `p${n + 1}`))
  })

  it('names no next page when the last record is the last of a full page', async () => {
    await using served = await started(seconds(10))
    expect((await served.get('?limit=10')).headers.get('link')).toBeNull()
    expect((await served.get('?limit=9')).headers.get('link')).toContain('after=p8')
  })

  it('answers 416 for a position that is not there, with and without sampling', async () => {
    await using served = await started()
    expect(await problemOf(await served.get('?after=p99'))).toMatchObject({
      status: 416,
      code: 'RangeInvalid',
    })
    served.plane.start(grant({ samplingIntervalMs: 1_000 }))
    expect(await problemOf(await served.get('?after=p99&limit=5'))).toMatchObject({ status: 416 })
  })

  it('answers 416 when a sampled reading never comes by the position', async () => {
    const source = seconds(5)
    const forgetful = { ...source, timeOf: async () => ({ ok: true as const, value: (T0 + 1_000) as never }) }
    await using served = await serveDataPlane(forgetful)
    served.plane.start(grant({ samplingIntervalMs: 1_000 }))
    for (const query of ['?after=p99', '?after=p99&limit=2']) {
      expect(await problemOf(await served.get(query))).toMatchObject({ status: 416, code: 'RangeInvalid' })
    }
  })

  it('answers HEAD with the headers, reads nothing and books nothing', async () => {
    const source = seconds(5)
    const { meter, used } = memoryMeter()
    await using served = await started(source, { countLimit: 9 }, { usage: meter })
    const answer = await served.get('', { accept: 'text/csv' }, 'HEAD')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8'])
    expect([source.handed(), used()]).toEqual([0, 0])
  })

  it('refuses other methods with 405', async () => {
    await using served = await started()
    const answer = await served.get('', {}, 'POST')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

describe('delay', () => {
  it('ends before the first record that is not due and goes on with it later, skipping nothing', async () => {
    const time = handTime(T0 + 62_000)
    const source = memorySource([
      record(0, T0),
      record(1, T0 + 2_000),
      record(2, T0 + 3_000),
      record(3, T0 + 1_000),
    ])
    await using served = await started(source, { deliveryDelayMs: 60_000 }, { clock: time.clock })
    const first = await served.get('?limit=10')
    expect(ids(await first.text())).toEqual(['p0', 'p1'])
    expect(first.headers.get('link')).toBeNull()
    expect(ids(await (await served.get()).text())).toEqual(['p0', 'p1'])
    time.advance(1_000)
    expect(ids(await (await served.get('?after=p1')).text())).toEqual(['p2', 'p3'])
  })

  it('leaves out a record stamped far in the future, counts it, and delivers what is behind it', async () => {
    const time = handTime(T0 + 100_000)
    const source = memorySource([record(0, T0), record(1, T0 + 9e9), record(2, T0 + 1)])
    await using served = await started(source, { deliveryDelayMs: 1_000 }, { clock: time.clock })
    expect(ids(await (await served.get()).text())).toEqual(['p0', 'p2'])
    expect(served.plane.active().droppedAhead).toBe(1)
  })
})

describe('quota', () => {
  it('books what is sent and nothing else', async () => {
    const { meter, used } = memoryMeter()
    await using served = await started(
      seconds(50),
      { countLimit: 100, samplingIntervalMs: 10_000 },
      { usage: meter },
    )
    expect(ids(await (await served.get('?limit=3')).text())).toHaveLength(3)
    expect(used()).toBe(3)
    await (await served.get(`?to=${T0 + 15_000}`)).text()
    expect(used()).toBe(5)
  })

  it('gives a page up to the quota with a next link, and the reason at that link', async () => {
    const { meter } = memoryMeter()
    await using served = await started(seconds(10), { countLimit: 3 }, { usage: meter })
    const page = await served.get('?limit=5')
    expect(ids(await page.text())).toEqual(['p0', 'p1', 'p2'])
    expect(page.headers.get('link')).toContain('after=p2')
    expect(await problemOf(await served.get('?limit=5&after=p2'))).toEqual({
      status: 403,
      code: 'QuotaExhausted',
      reason: ['The agreed quota of 3 deliveries is used up.'],
      reasonDe: 'Die vereinbarte Menge von 3 Lieferungen ist verbraucht.',
    })
    expect(served.stopped.map((one) => one.code)).toContain('QuotaExhausted')
  })

  it.each([
    'identity',
    'gzip',
  ])('breaks a streamed answer off visibly when the quota ends in it (%s)', async (coding) => {
    const { meter } = memoryMeter()
    await using served = await started(seconds(50, 10), { countLimit: 25 }, { usage: meter })
    const raw = await rawGet(served, '', { 'accept-encoding': coding })
    expect(raw.complete).toBe(false)
    if (coding === 'identity') expect(ids(raw.body.toString())).toHaveLength(25)
    expect(await problemOf(await served.get('?after=p24'))).toMatchObject({
      status: 403,
      code: 'QuotaExhausted',
    })
  })
})

describe('failing sources', () => {
  it('answers 503 without telling the partner the details when nothing was sent yet', async () => {
    const source = seconds(5)
    source.failAt(0)
    await using served = await started(source)
    for (const query of ['', '?limit=2']) {
      const answer = await served.get(query)
      expect(answer.headers.get('retry-after')).toBe('10')
      expect(await problemOf(answer)).toEqual({
        status: 503,
        code: 'SourceUnavailable',
        reason: ['The data source cannot be read now. Try again later.'],
        reasonDe: 'Die Datenquelle ist im Augenblick nicht lesbar. Versuchen Sie es später noch einmal.',
      })
    }
    expect(served.stopped[0]?.message).toBe('disk /srv/secret is gone')
  })

  it('breaks the answer off visibly when the source fails in the middle', async () => {
    const source = seconds(50, 10)
    source.failAt(20)
    await using served = await started(source)
    const raw = await rawGet(served)
    expect(raw.complete).toBe(false)
    expect(ids(raw.body.toString())).toHaveLength(20)
  })

  it('refuses a streamed pull over HTTP/1.0, where a broken answer looks complete', async () => {
    await using served = await started()
    const text = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(served.origin).port), '127.0.0.1')
      socket.write(`GET /data/${PID} HTTP/1.0\r\nAuthorization: ${TOKEN}\r\n\r\n`)
      let all = ''
      socket.on('data', (chunk) => {
        all += chunk
      })
      socket.on('close', () => resolve(all))
    })
    expect(text).toContain(' 400 ')
    expect(text).toContain('InvalidInput')
  })
})

describe('flat memory and endings', () => {
  const wide = (count: number) =>
    memorySource(
      Array.from({ length: count }, (_, n) => record(n, T0 + n, { note: 'x'.repeat(1_000) })),
      { batch: 500 },
    )

  it('reads no further than the receiver reads, and ends at once when the receiver leaves', async () => {
    const source = wide(60_000)
    await using served = await started(source)
    const paused = await pausedGet(served)
    await stalled(() => source.handed())
    expect(source.handed()).toBeLessThan(20_000)
    expect(served.plane.active().pull).toBe(1)
    paused.destroy()
    await waitFor(() => served.plane.active().pull === 0, 'the flow to end')
  })

  it('cuts a blocked pull when the transfer is stopped, and tells the reason at the next request', async () => {
    const source = wide(60_000)
    await using served = await started(source)
    const paused = await pausedGet(served)
    await stalled(() => source.handed())
    const before = source.handed()
    served.plane.stop(PID, { code: 'GrantEnded', message: 'The agreement was revoked.' })
    await waitFor(() => served.sockets.size === 0, 'the connection to be cut')
    expect(served.plane.active().pull).toBe(0)
    expect(source.handed()).toBe(before)
    expect(await problemOf(await served.get())).toEqual({
      status: 403,
      code: 'GrantEnded',
      reason: ['The agreement was revoked.'],
    })
    paused.destroy()
  })

  it('cuts a pull by a timer when the agreed time ends while its receiver does not read', async () => {
    const time = handTime(T0)
    await using served = await started(
      wide(60_000),
      { notAfter: T0 + 40 * 86_400_000 },
      { clock: time.clock, schedule: time.schedule },
    )
    const paused = await pausedGet(served)
    await waitFor(() => served.plane.active().pull === 1, 'the flow')
    // setTimeout knows no wait of forty days.
    expect(Math.max(...time.delays())).toBe(2 ** 31 - 1)
    time.advance(40 * 86_400_000)
    await waitFor(() => served.sockets.size === 0, 'the connection to be cut')
    expect(await problemOf(await served.get())).toMatchObject({ status: 403, code: 'PolicyDenied' })
    paused.destroy()
  })

  it.each(['', '?limit=50'])('looks at the time for every batch (%s)', async (query) => {
    let now = T0
    const source = seconds(50, 10)
    const ageing: typeof source = {
      ...source,
      async *read(wanted) {
        for await (const batch of source.read(wanted)) {
          yield batch
          now += 400
        }
      },
    }
    await using served = await started(
      ageing,
      { notAfter: T0 + 1_000 },
      { clock: () => now, schedule: () => () => {} },
    )
    const raw = await rawGet(served, query)
    if (query === '') expect([raw.complete, ids(raw.body.toString()).length]).toEqual([false, 30])
    else expect(raw.body.toString()).toContain('PolicyDenied')
  })

  it('can be stopped while it looks through a source that never waits and holds nothing for the receiver', async () => {
    const endless = {
      ...seconds(1),
      async *read({ signal }: { signal: AbortSignal }) {
        while (!signal.aborted) yield [record(1, T0, { undeclared: 1 })]
      },
    }
    await using served = await started(endless)
    const answer = served.get()
    await waitFor(() => served.plane.active().pull === 1, 'the flow')
    served.plane.stop(PID, { code: 'GrantEnded', message: 'Revoked.' })
    expect((await answer).status).toBe(403)
  })

  it('tells the log what was delivered: records, bytes, first and last event time', async () => {
    await using served = await started(
      memorySource([record(1, 2_000), record(2, 1_000), record(3, 3_000)]),
      {},
      { clock: systemClock },
    )
    const text = await (await served.get()).text()
    await waitFor(() => served.delivered.length === 1, 'the entry')
    expect(served.delivered[0]).toEqual({
      transferPid: PID,
      agreementId: 'urn:uuid:agreement',
      recipient: 'did:web:partner.example',
      planHash: 'a'.repeat(64),
      records: 3,
      bytes: Buffer.byteLength(text),
      firstTime: 1_000,
      lastTime: 3_000,
      via: 'pull',
    })
  })
})

/** Resolves when a counter has stopped moving: nothing moved over many turns of both sides. */
async function stalled(counter: () => number): Promise<void> {
  let still = 0
  let last = -1
  await waitFor(() => {
    still = counter() === last && last > 0 ? still + 1 : 0
    last = counter()
    return still > 40
  }, 'the reading to stall')
}

function rawGet(served: Served, query = '', headers: Record<string, string> = {}) {
  return new Promise<{ headers: Record<string, unknown>; body: Buffer; complete: boolean }>(
    (resolve, reject) => {
      request(`${served.url}${query}`, { headers: { authorization: TOKEN, ...headers } }, (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', () => {})
        res.on('close', () =>
          resolve({ headers: res.headers, body: Buffer.concat(chunks), complete: res.complete }),
        )
      })
        .on('error', reject)
        .end()
    },
  )
}

/** A receiver that takes the headers and then reads nothing. */
function pausedGet(served: Served) {
  return new Promise<{ destroy(): void }>((resolve, reject) => {
    const req = request(served.url, { headers: { authorization: TOKEN } }, (res) => {
      res.pause()
      res.on('error', () => {})
      resolve({ destroy: () => req.destroy() })
    })
    req.on('error', reject)
    req.end()
  })
}
