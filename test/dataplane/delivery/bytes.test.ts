import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ok, problem } from '../../../connector/core/result.js'
import type { ByteSource } from '../../../connector/dataplane/ports.js'
import { grant, memoryMeter, PID, type Served, serveDataPlane } from '../support/data-plane-server.js'
import { openLive } from '../support/live-client.js'
import { handTime, waitFor } from '../support/time.js'

const TEXT = '0123456789'

function file(
  more: Partial<{ content: string; size: number; fileName: string; etag: string; fail: boolean }> = {},
): ByteSource {
  const { content = TEXT, fileName = 'data.bin', etag = '"v1"', fail = false } = more
  return {
    kind: 'bytes',
    describe: async () =>
      ok({ size: more.size ?? content.length, mediaType: 'application/octet-stream', etag, fileName }),
    open: ({ start, end }) =>
      fail
        ? new Readable({
            read() {
              this.destroy(new Error('EIO /srv/secret'))
            },
          })
        : Readable.from([Buffer.from(content.slice(start, end + 1))]),
  }
}

async function started(source = file(), terms = {}, more = {}): Promise<Served> {
  const served = await serveDataPlane(source, more)
  served.plane.start(grant(terms))
  return served
}

const shown = async (answer: Response) => [
  answer.status,
  await answer.text(),
  answer.headers.get('content-range'),
]

describe('a file', () => {
  it('is delivered whole with its tag, type, length and name', async () => {
    await using served = await started(file({ fileName: '../../Prüf "1"\r\n.bin' }))
    const answer = await served.get('', { 'accept-encoding': 'gzip' })
    expect(await shown(answer)).toEqual([200, TEXT, null])
    const { headers } = answer
    expect(
      Object.fromEntries(
        ['etag', 'accept-ranges', 'content-length', 'content-encoding', 'content-disposition'].map((name) => [
          name,
          headers.get(name),
        ]),
      ),
    ).toEqual({
      etag: '"v1"',
      'accept-ranges': 'bytes',
      'content-length': '10',
      'content-encoding': null,
      'content-disposition': `attachment; filename="Pr_f _1_.bin"; filename*=UTF-8''Pr%C3%BCf%20%221%22.bin`,
    })
  })

  it.each([
    ['bytes=0-3', [206, '0123', 'bytes 0-3/10']],
    ['bytes=7-', [206, '789', 'bytes 7-9/10']],
    ['bytes=7-99', [206, '789', 'bytes 7-9/10']],
    ['bytes=-2', [206, '89', 'bytes 8-9/10']],
    ['bytes=-99', [206, TEXT, 'bytes 0-9/10']],
    ['bytes=0-1,4-5', [200, TEXT, null]],
    ['lines=0-1', [200, TEXT, null]],
  ])('answers Range %s', async (range, expected) => {
    await using served = await started()
    expect(await shown(await served.get('', { range }))).toEqual(expected)
  })

  it.each([
    'bytes=10-',
    'bytes=5-2',
    'bytes=-0',
    'bytes=-',
    'bytes=abc',
    'bytes=99999999999999999999-',
  ])('answers 416 to Range %s', async (range) => {
    await using served = await started()
    const answer = await served.get('', { range })
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */10'])
    expect(await answer.json()).toMatchObject({ code: 'RangeInvalid' })
  })

  it('gives a part only when If-Range names the present tag, a weak one never', async () => {
    await using served = await started()
    expect((await served.get('', { range: 'bytes=0-0', 'if-range': '"v1"' })).status).toBe(206)
    expect((await served.get('', { range: 'bytes=0-0', 'if-range': '"v0"' })).status).toBe(200)
    await using weak = await started(file({ etag: 'W/"v1"' }))
    expect((await weak.get('', { range: 'bytes=0-0', 'if-range': 'W/"v1"' })).status).toBe(200)
  })

  it('answers 304 when the receiver has the present version', async () => {
    const { meter, used } = memoryMeter()
    await using served = await started(file(), { countLimit: 1 }, { usage: meter })
    for (const tag of ['"v1"', '"v0", W/"v1"', '*'])
      expect((await served.get('', { 'if-none-match': tag })).status).toBe(304)
    expect(used()).toBe(0)
    expect((await served.get('', { 'if-none-match': '"v0"' })).status).toBe(200)
  })

  it('puts a bare tag into quotes, and delivers an empty file', async () => {
    await using served = await started(file({ content: '', etag: 'a b' }))
    const answer = await served.get()
    expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([200, '', '"a_b"'])
    expect((await served.get('', { range: 'bytes=0-0' })).status).toBe(416)
  })

  it('books one per request and refuses above the quota; HEAD is free', async () => {
    const { meter } = memoryMeter()
    await using served = await started(file(), { countLimit: 2 }, { usage: meter })
    const head = await served.get('', {}, 'HEAD')
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10'])
    await (await served.get()).text()
    await (await served.get('', { range: 'bytes=0-0' })).text()
    const answer = await served.get()
    expect([answer.status, await answer.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'QuotaExhausted' }),
    ])
    await waitFor(() => served.delivered.length === 2, 'the entries')
    expect(served.delivered.map((entry) => [entry.records, entry.bytes, entry.via])).toEqual([
      [1, 10, 'bytes'],
      [1, 1, 'bytes'],
    ])
  })

  it.each([
    { fields: ['temp'] },
    { samplingIntervalMs: 1_000 },
    { deliveryDelayMs: 1_000 },
  ])('is refused under a plan that shapes records: %o', async (terms) => {
    await using served = await started(file(), terms)
    const answer = await served.get()
    expect([answer.status, await answer.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'PolicyDenied' }),
    ])
    expect(served.plane.canServe('dataset', grant(terms).plan)).toMatchObject({ ok: false })
    expect(served.plane.canServe('dataset', grant({ countLimit: 1 }).plan)).toMatchObject({ ok: true })
  })

  it('is no stream and takes no query', async () => {
    await using served = await started()
    expect((await served.get('', { accept: 'text/event-stream' })).status).toBe(406)
    expect((await openLive('ws', served)).status).toBe(406)
    expect((await served.get('?from=1')).status).toBe(400)
  })

  it('answers 503 without details when it cannot be read', async () => {
    await using served = await started(file({ fail: true }))
    const answer = await served.get()
    expect([answer.status, await answer.text()]).toEqual([
      503,
      '{"code":"SourceUnavailable","reason":["The data source cannot be read now. Try again later."],"reasonDe":"Die Datenquelle ist im Augenblick nicht lesbar. Versuchen Sie es später noch einmal."}',
    ])
    const gone: ByteSource = {
      ...file(),
      describe: async () => problem('SourceUnavailable', 'gone /srv/secret'),
    }
    await using other = await started(gone)
    const second = await other.get()
    expect([second.status, await second.text()]).toEqual([503, expect.not.stringContaining('secret')])
  })

  it('breaks off visibly when it turns out shorter than announced', async () => {
    await using served = await started(file({ size: 20 }))
    await expect(served.get().then((answer) => answer.text())).rejects.toThrow()
  })

  it.each([
    // Of ten bytes each: two requests, or one and a half.
    ['requests', { recordsPerDay: 2 }, 2],
    ['bytes', { bytesPerDay: 15 }, 1],
  ] as const)('is refused when the %s of the day are used up, with the time, and given again the next day', async (_of, terms, most) => {
    const time = handTime(Date.parse('2026-11-25T20:00:00Z'))
    const { meter } = memoryMeter()
    await using served = await started(file(), terms, { ...time, usage: meter })
    for (let request = 0; request < most; request++) expect(await (await served.get()).text()).toBe(TEXT)
    const refused = await served.get()
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({
        code: 'QuotaExhausted',
        reason: [expect.stringContaining('the next day begins at 26 November 2026, 00:00 UTC.')],
      }),
    ])
    // Asking for how much there is costs nothing, and a part that still fits is given.
    expect((await served.get('', {}, 'HEAD')).status).toBe(200)
    if ('bytesPerDay' in terms) {
      expect(await (await served.get('', { range: 'bytes=0-4' })).text()).toBe('01234')
      expect((await served.get('', { range: 'bytes=0-0' })).status).toBe(403)
    }
    time.advance(4 * 3_600_000)
    expect(await (await served.get()).text()).toBe(TEXT)
  })

  it('is cut by a stop in the middle', async () => {
    const endless: ByteSource = {
      kind: 'bytes',
      describe: async () => ok({ size: 1e9, mediaType: 'text/plain', etag: '"e"', fileName: 'e.txt' }),
      open: () =>
        new Readable({
          read() {
            this.push(Buffer.alloc(16_384))
          },
        }),
    }
    await using served = await started(endless as ReturnType<typeof file>)
    const answer = await served.get()
    const reader = answer.body?.getReader()
    await reader?.read()
    served.plane.stop(PID, { code: 'GrantEnded', message: 'Revoked.' })
    await expect(
      (async () => {
        while ((await reader?.read())?.done === false);
      })(),
    ).rejects.toThrow()
    expect(served.plane.active().bytes).toBe(0)
  })
})
