import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { FollowState } from '../../../connector/dataplane/receive/follow.js'
import { followSocket } from '../../../connector/dataplane/receive/follow-socket.js'
import { followStream } from '../../../connector/dataplane/receive/follow-stream.js'
import { pull, pullRecords } from '../../../connector/dataplane/receive/pull.js'
import type { Received } from '../../../connector/dataplane/receive/received.js'
import { grant, memoryMeter, PID, type Served, serveDataPlane, TOKEN } from '../support/data-plane-server.js'
import { memorySource, record } from '../support/memory-source.js'
import { waitFor } from '../support/time.js'

const T0 = Date.parse('2026-11-01T00:00:00Z')
const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, n) => record(start + n, T0 + (start + n) * 1_000))
const names = (start: number, end: number) => range(start, end).map((one) => one.position)
const FAST = { firstMs: 1, maxMs: 5 }

function collector() {
  const ids: string[] = []
  return {
    ids,
    onRecords: async (batch: readonly Received[]) => {
      ids.push(...batch.map((one) => one.id))
    },
  }
}

const access = (served: Served, more: { scheme?: 'raw' | 'bearer'; signal?: AbortSignal } = {}) => ({
  endpoint: served.url,
  token: TOKEN,
  signal: new AbortController().signal,
  ...more,
})

type Handler = (req: IncomingMessage, res: ServerResponse, count: number) => void

/** A partner of our own making, for what a good one never does. */
async function partner(handler: Handler) {
  let count = 0
  const seen: IncomingMessage['headers'][] = []
  const urls: string[] = []
  const server = createServer((req, res) => {
    seen.push(req.headers)
    urls.push(req.url ?? '')
    count += 1
    handler(req, res, count)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data/x`,
    seen,
    urls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const json = (id: string) => `{"id":"${id}","ts":"2026-11-01T00:00:00.000Z","temp":1}`

describe('pull', () => {
  it('gives the body as asked, unpacked, and the address of the next page', async () => {
    await using served = await serveDataPlane(memorySource(range(0, 3_000)))
    served.plane.start(grant())
    const answer = await pull({ ...access(served), query: { limit: '2000' }, accept: 'text/csv' })
    if (!answer.ok) throw new Error(answer.error.message)
    expect(answer.value.mediaType).toContain('text/csv')
    expect(answer.value.next).toBe(`${served.url}?after=p1999&limit=2000`)
    let text = ''
    for await (const chunk of answer.value.body) text += String(chunk)
    expect(text.split('\r\n')).toHaveLength(2_002)
  })

  it('collects all records of all pages, exact text included', async () => {
    await using served = await serveDataPlane(memorySource(range(0, 250)))
    served.plane.start(grant())
    const { ids, onRecords } = collector()
    let first = ''
    const done = await pullRecords({
      ...access(served),
      query: { limit: '100' },
      onRecords: async (batch) => {
        first ||= batch[0]?.json ?? ''
        await onRecords(batch)
      },
    })
    expect(done).toEqual({ ok: true, value: { records: 250, lastId: 'p249' } })
    expect(ids).toEqual(names(0, 250))
    expect(first).toBe('{"id":"p0","ts":"2026-11-01T00:00:00.000Z","temp":0}')
  })

  it('goes on behind the last record when the answer breaks off, and then meets the reason', async () => {
    const { meter } = memoryMeter()
    await using served = await serveDataPlane(memorySource(range(0, 50), { batch: 10 }), { usage: meter })
    served.plane.start(grant({ countLimit: 25 }))
    const { ids, onRecords } = collector()
    const done = await pullRecords({ ...access(served), onRecords, backoff: FAST })
    expect(done).toEqual({
      ok: false,
      error: {
        code: 'QuotaExhausted',
        message: 'The agreed quota of 25 deliveries is used up.',
        messageDe: 'Die vereinbarte Menge von 25 Lieferungen ist verbraucht.',
      },
    })
    expect(ids).toEqual(names(0, 25))
  })

  it.each(['raw', 'bearer'] as const)('sends the token %s', async (scheme) => {
    await using far = await partner((_req, res) => res.end(''))
    await pullRecords({ ...access({ url: far.endpoint } as Served, { scheme }), ...collector() })
    expect(far.seen[0]?.authorization).toBe(scheme === 'raw' ? TOKEN : `Bearer ${TOKEN}`)
  })

  it('never takes the token to another origin', async () => {
    await using thief = await partner((_req, res) => res.end(''))
    await using far = await partner((_req, res) => {
      res.setHeader('Link', `<${thief.endpoint}>; rel="next"`)
      res.end(`${json('a')}\n`)
    })
    const done = await pullRecords({ ...access({ url: far.endpoint } as Served), ...collector() })
    expect([done.ok, thief.seen.length]).toEqual([true, 0])
  })

  it('keeps what came before a line that is not a record, and says so', async () => {
    await using far = await partner((_req, res) => res.end(`${json('a')}\n<html>\n${json('b')}\n`))
    const { ids, onRecords } = collector()
    const done = await pullRecords({ ...access({ url: far.endpoint } as Served), onRecords })
    expect([done.ok ? '' : done.error.code, ids]).toEqual(['PartnerAnswerInvalid', ['a']])
  })

  it('gives up after bounded failures, with what is wrong', async () => {
    await using far = await partner((_req, res) => res.writeHead(503).end('busy'))
    const options = {
      ...access({ url: far.endpoint } as Served),
      backoff: FAST,
      maxFailures: 2,
      ...collector(),
    }
    expect(await pullRecords(options)).toEqual({
      ok: false,
      error: {
        code: 'PartnerRefused',
        message: 'The partner answered 503 without a reason.',
        messageDe: 'Der Partner antwortete mit 503 und ohne Begründung.',
      },
    })
    expect(far.seen).toHaveLength(3)
    const nobody = await pullRecords({ ...options, endpoint: 'http://127.0.0.1:1/' })
    expect(nobody.ok ? '' : nobody.error.code).toBe('PartnerUnreachable')
    const nonsense = await pullRecords({ ...options, endpoint: 'file:///etc/passwd' })
    expect(nonsense.ok ? '' : nonsense.error.code).toBe('InvalidInput')
  })

  it('shows a reason of the partner without control characters', async () => {
    await using far = await partner((_req, res) =>
      res.writeHead(403).end('{"code":"X","reason":["a\\u001b[31mb"]}'),
    )
    const done = await pull(access({ url: far.endpoint } as Served))
    expect(done.ok ? '' : done.error).toEqual({ code: 'PartnerRefused', message: 'a [31mb' })
  })
})

describe.each([
  ['SSE', followStream],
  ['WebSocket', followSocket],
] as const)('following over %s', (_name, followBy) => {
  it('receives every record once across broken connections, from the moment of the first one', async () => {
    const source = memorySource(range(0, 10))
    await using served = await serveDataPlane(source)
    served.plane.start(grant())
    const leave = new AbortController()
    const { ids, onRecords } = collector()
    const states: FollowState[] = []
    const done = followBy({
      ...access(served, { signal: leave.signal }),
      onRecords,
      onState: (state) => states.push(state),
      backoff: FAST,
    })
    await waitFor(() => states.length === 1, 'the connection')
    // Broken before the first record: what arrives meanwhile is not lost.
    await breakConnections(served)
    source.append(...range(10, 15))
    await waitFor(() => ids.length === 5, 'the first five')
    for (let n = 15; n < 60; n += 5) {
      await breakConnections(served)
      source.append(...range(n, n + 5))
      await waitFor(() => ids.length === n - 5, `record ${n + 4}`)
    }
    expect(ids).toEqual(names(10, 60))
    expect(
      states.some((state) => state.is === 'waiting' && state.problem.code === 'PartnerUnreachable'),
    ).toBe(true)
    leave.abort()
    expect(await done).toEqual({ ok: true, value: { lastId: 'p59' } })
  })

  it('resumes where it is told, and ends with the reason of the partner', async () => {
    await using served = await serveDataPlane(memorySource(range(0, 10)))
    served.plane.start(grant())
    const { ids, onRecords } = collector()
    const done = followBy({ ...access(served), after: 'p6', onRecords, backoff: FAST })
    await waitFor(() => ids.length === 3, 'the rest')
    served.plane.stop(PID, { code: 'GrantEnded', message: 'The agreement was revoked.' })
    expect(await done).toEqual({
      ok: false,
      error: { code: 'GrantEnded', message: 'The agreement was revoked.' },
    })
    expect(ids).toEqual(names(7, 10))
  })

  it('learns at the first connection that it may not', async () => {
    await using served = await serveDataPlane(memorySource())
    const done = await followBy({ ...access(served), ...collector() })
    expect(done.ok ? '' : done.error.code).toBe('GrantInvalid')
  })

  it('connects again after a shutdown of the partner', async () => {
    const source = memorySource(range(0, 5))
    await using served = await serveDataPlane(source)
    served.plane.start(grant())
    const leave = new AbortController()
    const waits: string[] = []
    const done = followBy({
      ...access(served, { signal: leave.signal }),
      from: String(T0),
      ...collector(),
      onState: (state) => {
        if (state.is === 'waiting') waits.push(state.problem.code)
      },
      backoff: FAST,
    })
    await waitFor(() => served.plane.active().sse + served.plane.active().ws === 1, 'the flow')
    await served.plane[Symbol.asyncDispose]()
    await waitFor(() => waits.length >= 2, 'two attempts')
    expect(new Set(waits)).toEqual(new Set(['Stopping']))
    leave.abort()
    await done
  })

  it('lets a slow sink slow the partner down', async () => {
    const wide = Array.from({ length: 25_000 }, (_, n) => record(n, T0 + n, { note: 'x'.repeat(1_000) }))
    const source = memorySource(wide, { batch: 500 })
    await using served = await serveDataPlane(source)
    served.plane.start(grant())
    const leave = new AbortController()
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const ids: string[] = []
    const done = followBy({
      ...access(served, { signal: leave.signal }),
      from: '0',
      onRecords: async (batch) => {
        await gate
        ids.push(...batch.map((one) => one.id))
      },
    })
    let still = 0
    let last = -1
    await waitFor(() => {
      still = source.handed() === last && last > 0 ? still + 1 : 0
      last = source.handed()
      return still > 40
    }, 'the reading to stall')
    expect(last).toBeLessThan(20_000)
    release()
    await waitFor(() => ids.length === 25_000, 'everything')
    expect(ids).toEqual(wide.map((one) => one.position))
    leave.abort()
    await done
  })

  it('throws on what the sink throws, and leaves the partner', async () => {
    await using served = await serveDataPlane(memorySource(range(0, 3)))
    served.plane.start(grant())
    const done = followBy({
      ...access(served),
      from: '0',
      onRecords: () => Promise.reject(new Error('disk full')),
    })
    await expect(done).rejects.toThrow('disk full')
    await waitFor(() => served.plane.active().sse + served.plane.active().ws === 0, 'the flow to end')
  })
})

describe('a partner that is not like us', () => {
  it('may cut events anywhere, use CRLF and comments, and repeat what was received', async () => {
    const leave = new AbortController()
    await using far = await partner((_req, res, count) => {
      res.setHeader('content-type', 'text/event-stream')
      if (count > 1) {
        res.end(`id: b\ndata: ${json('b')}\n\nid: c\ndata: ${json('c')}\n\n`)
        return
      }
      const text = Buffer.from(
        `: hello\r\n\r\nid: a\r\ndata: ${json('a')}\r\n\r\nevent: note\ndata: x\n\nid: b\ndata:${json('b')}\n\n`,
      )
      for (const byte of text) res.write(Buffer.from([byte]))
      res.end()
    })
    const { ids, onRecords } = collector()
    const done = followStream({
      ...access({ url: far.endpoint } as Served, { signal: leave.signal }),
      onRecords,
      backoff: FAST,
    })
    await waitFor(() => far.seen.length >= 3, 'a third connection')
    leave.abort()
    await done
    expect(ids).toEqual(['a', 'b', 'c'])
    expect(far.seen[1]?.['last-event-id']).toBe('b')
    expect(far.seen[2]?.['last-event-id']).toBe('c')
  })

  it.each([
    ['a page', 'text/html', '<html>'],
    ['an event that is no record', 'text/event-stream', 'data: 5\n\n'],
    ['an endless line', 'text/event-stream', `data: ${'x'.repeat(1_100_000)}`],
  ])('ends the following with a reason when it sends %s', async (_what, type, body) => {
    await using far = await partner((_req, res) => {
      res.setHeader('content-type', type)
      res.end(body)
    })
    const done = await followStream({
      ...access({ url: far.endpoint } as Served),
      ...collector(),
      maxFailures: 0,
    })
    expect(done.ok ? '' : done.error.code).toBe('PartnerAnswerInvalid')
  })
})

async function breakConnections(served: Served): Promise<void> {
  const before = [...served.sockets]
  for (const socket of before) socket.destroy()
  await waitFor(() => before.every((socket) => !served.sockets.has(socket)), 'the connections to break')
}
