import { get } from 'node:http'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problem } from '../../connector/core/result.js'
import { type DataRequest, nextLinks } from '../../connector/management/data.js'
import { waitFor } from '../support/wait-for.js'
import { type Api, openApi, streamOf } from './support.js'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const DATA = '/api/v1/transfers/urn:uuid:1/data'
const STREAM = '/api/v1/transfers/urn:uuid:1/stream'

/** The provider answers like this; what it was asked is remembered. */
function provider(
  status: number,
  headers: Record<string, string>,
  body: Readable,
): { asked: DataRequest[]; pids: string[] } {
  const seen = { asked: [] as DataRequest[], pids: [] as string[] }
  api.world.openData = async (pid, request) => {
    seen.pids.push(pid)
    seen.asked.push(request)
    return { ok: true, value: { status, headers, body } }
  }
  return seen
}

const authorized = (path: string) => api.bare().get(path).set('Authorization', `Bearer ${api.token}`)

describe('data of a transfer', () => {
  it('comes as the provider sent it, with the address of the next page rewritten to this API', async () => {
    const seen = provider(
      200,
      {
        'content-type': 'application/x-ndjson',
        link: '<https://provider.example.com/data/1?after=7&limit=2>; rel="next"',
        'set-cookie': 'a=b',
        'access-control-allow-origin': '*',
        'cache-control': 'public',
      },
      streamOf('{"id":"6"}\n', '{"id":"7"}\n'),
    )
    const answer = await authorized(`${DATA}?limit=2&from=2026-11-01T00%3A00%3A00Z`)
      .set('Accept', 'application/x-ndjson')
      .set('Cookie', 'c=d')
      .buffer(true)
      .parse((res, done) => {
        let text = ''
        res.on('data', (chunk) => (text += chunk))
        res.on('end', () => done(null, text))
      })
    expect(answer.status).toBe(200)
    expect(answer.body).toBe('{"id":"6"}\n{"id":"7"}\n')
    expect(answer.headers['content-type']).toBe('application/x-ndjson')
    expect(answer.headers.link).toBe('</api/v1/transfers/urn:uuid:1/data?after=7&limit=2>; rel="next"')
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(answer.headers['cache-control']).toBe('no-store')
    const [asked] = seen.asked
    expect(seen.pids).toEqual(['urn:uuid:1'])
    expect(asked?.search).toBe('?limit=2&from=2026-11-01T00%3A00%3A00Z')
    expect(asked?.headers.accept).toBe('application/x-ndjson')
    // The caller's own secrets stay here.
    expect(Object.keys(asked?.headers ?? {}).sort()).toEqual(['accept', 'accept-encoding'])
  })

  it('is part of a file when a range was asked for', async () => {
    const seen = provider(
      206,
      { 'content-type': 'text/plain', 'content-range': 'bytes 2-4/10' },
      streamOf('cde'),
    )
    const answer = await authorized(DATA).set('Range', 'bytes=2-4').set('If-Range', '"v1"')
    expect([answer.status, answer.text, answer.headers['content-range']]).toEqual([
      206,
      'cde',
      'bytes 2-4/10',
    ])
    expect(seen.asked[0]?.headers).toMatchObject({ range: 'bytes=2-4', 'if-range': '"v1"' })
  })

  it('is nothing new when the caller has it', async () => {
    provider(304, { etag: '"v1"' }, streamOf())
    const answer = await authorized(DATA).set('If-None-Match', '"v1"')
    expect([answer.status, answer.headers.etag]).toEqual([304, '"v1"'])
  })

  it('cannot act as a page of this API, whatever the provider calls it', async () => {
    provider(200, { 'content-type': 'text/html' }, streamOf('<script>steal()</script>'))
    const answer = await authorized(DATA)
    expect(answer.headers['content-security-policy']).toContain('sandbox')
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
  })

  it.each([
    [
      403,
      { code: 'GrantEnded', reason: ['The contract was revoked: Misuse.'] },
      403,
      'GrantEnded',
      'The contract was revoked: Misuse.',
    ],
    [
      401,
      { code: 'GrantInvalid', reason: ['The data token is wrong.'] },
      502,
      'GrantInvalid',
      'The data token is wrong.',
    ],
    [416, { code: 'RangeInvalid', reason: ['No such range.'] }, 416, 'RangeInvalid', 'No such range.'],
    [500, { anything: 'else' }, 502, 'PartnerRefused', 'The provider answered 500'],
    [
      403,
      { code: 'NoCodeOfOurs', reason: ['Because\u0007.'] },
      502,
      'PartnerRefused',
      'The provider answered 403: Because .',
    ],
    [302, {}, 502, 'PartnerAnswerInvalid', 'The provider answered 302, which is no data.'],
  ])('refused with %i %o is answered in the words of this API', async (status, body, expected, code, message) => {
    const text = JSON.stringify(body)
    provider(
      status,
      { 'content-type': 'application/json', 'content-length': String(text.length), 'retry-after': '5' },
      streamOf(text),
    )
    const answer = await authorized(DATA)
    expect(answer.status).toBe(expected)
    expect(answer.body).toEqual({ code, message })
    expect(answer.headers['retry-after']).toBe('5')
  })

  it('that cannot be had says why', async () => {
    api.world.openData = async () => problem('PartnerUnreachable', 'Nobody answers there.')
    const answer = await authorized(DATA)
    expect([answer.status, answer.body.code]).toEqual([504, 'PartnerUnreachable'])
  })

  it('is asked for with known parameters only, and not by HEAD', async () => {
    const seen = provider(200, {}, streamOf('x'))
    expect((await authorized(`${DATA}?form=1`)).body.message).toBe(
      '"form" is not known here. Known: from, to, limit, after.',
    )
    expect((await authorized(`${DATA}?limit=0`)).body.message).toBe('"limit" must be at least 1.')
    expect((await authorized(`${DATA}?limit=many`)).status).toBe(400)
    expect((await authorized(`${STREAM}?limit=5`)).status).toBe(400)
    const head = await api.bare().head(DATA).set('Authorization', `Bearer ${api.token}`)
    expect([head.status, head.headers.allow]).toEqual([405, 'GET'])
    expect(seen.asked).toEqual([])
  })

  it('breaks off when the provider does, so that nobody takes half for the whole', async () => {
    const body = new Readable({ read() {} })
    provider(200, { 'content-type': 'text/csv' }, body)
    const broken = new Promise<string>((resolve) => {
      get(`${api.url}${DATA}`, { headers: { authorization: `Bearer ${api.token}` } }, (res) => {
        res.on('data', () => body.destroy(new Error('the line is cut')))
        res.on('error', (cause) => resolve((cause as NodeJS.ErrnoException).code ?? ''))
        res.on('end', () => resolve('complete'))
      })
    })
    body.push('a;b\n')
    expect(await broken).toBe('ECONNRESET')
  })

  it('is no longer read when the caller goes away', async () => {
    const body = new Readable({ read() {} })
    const seen = provider(200, { 'content-type': 'text/csv' }, body)
    const sent = get(`${api.url}${DATA}`, { headers: { authorization: `Bearer ${api.token}` } }, (res) => {
      res.on('error', () => {})
      res.once('data', () => sent.destroy())
    })
    sent.on('error', () => {})
    body.push('a;b\n')
    await waitFor(() => body.destroyed, { what: 'the end of reading' })
    expect(seen.asked[0]?.signal.aborted).toBe(true)
  })

  it('is not asked for any longer when the caller goes before the provider answers', async () => {
    let asked: DataRequest | undefined
    const late = new Readable({ read() {} })
    api.world.openData = (_pid, request) => {
      asked = request
      return new Promise((resolve) =>
        request.signal.addEventListener('abort', () =>
          resolve({ ok: true, value: { status: 200, headers: {}, body: late } }),
        ),
      )
    }
    const sent = get(`${api.url}${DATA}`, { headers: { authorization: `Bearer ${api.token}` } })
    sent.on('error', () => {})
    await waitFor(() => asked !== undefined)
    sent.destroy()
    await waitFor(() => late.destroyed, { what: 'the late answer to be dropped' })
  })

  it('is read from the provider only as fast as the caller reads', async () => {
    let produced = 0
    const chunk = Buffer.alloc(64 * 1024)
    const body = new Readable({
      read() {
        produced += chunk.length
        this.push(chunk)
      },
    })
    provider(200, { 'content-type': 'application/octet-stream' }, body)
    const sent = get(`${api.url}${DATA}`, { headers: { authorization: `Bearer ${api.token}` } }, (res) =>
      res.pause(),
    )
    sent.on('error', () => {})
    // Socket buffers fill up, and then production stands still although nobody has closed anything.
    let before = -1
    let still = 0
    await waitFor(
      () => {
        still = produced > 0 && produced === before ? still + 1 : 0
        before = produced
        return still >= 20
      },
      { what: 'production to stand still' },
    )
    expect(produced).toBeLessThan(64 * 1024 * 1024)
    expect(body.destroyed).toBe(false)
    sent.destroy()
    await waitFor(() => body.destroyed)
  })
})

describe('a live stream', () => {
  it('passes each event at once, and its end', async () => {
    const body = new Readable({ read() {} })
    const seen = provider(200, { 'content-type': 'text/event-stream' }, body)
    let received = ''
    let ended = false
    const headers = {
      authorization: `Bearer ${api.token}`,
      'last-event-id': '41',
      accept: 'application/json',
    }
    get(`${api.url}${STREAM}?from=2026-11-01T00:00:00Z`, { headers }, (res) => {
      expect(res.headers['content-type']).toBe('text/event-stream')
      res.on('data', (chunk) => {
        received += chunk
      })
      res.on('end', () => {
        ended = true
      })
    })
    await waitFor(() => seen.asked.length === 1)
    expect(seen.asked[0]).toMatchObject({
      as: 'stream',
      headers: { accept: 'text/event-stream', 'last-event-id': '41' },
    })
    body.push('id: 42\ndata: {}\n\n')
    await waitFor(() => received === 'id: 42\ndata: {}\n\n')
    body.push('event: end\ndata: {"code":"GrantEnded","reason":["revoked"]}\n\n')
    body.push(null)
    await waitFor(() => ended)
    expect(received).toContain('event: end')
  })
})

describe('links of a provider', () => {
  it.each([
    ['<?after=7>; rel="next"', '</here?after=7>; rel="next"'],
    ['</data/1?after=7>; rel=next', '</here?after=7>; rel="next"'],
    ['<https://a/1?x=1>; rel="prev", <https://a/2?x=2>; title="n"; rel="next"', '</here?x=2>; rel="next"'],
    ['<https://a/1>; rel="describedby"', ''],
    ['<https://a/1>; rel="nextdoor"', ''],
    ['no link', ''],
    [undefined, ''],
  ])('%s becomes %s', (link, expected) => {
    expect(nextLinks(link, '/here')).toBe(expected)
  })
})
