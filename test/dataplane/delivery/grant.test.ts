import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { ok } from '../../../connector/core/result.js'
import { systemClock } from '../../../connector/core/types.js'
import { createTransfers } from '../../../connector/dataplane/delivery/transfers.js'
import type { Source } from '../../../connector/dataplane/ports.js'
import { realSchedule } from '../../../connector/dataplane/schedule.js'
import {
  grant,
  memoryMeter,
  PID,
  RECIPIENT,
  SIGNALS,
  serveDataPlane,
  TOKEN,
} from '../support/data-plane-server.js'
import { memorySource, record } from '../support/memory-source.js'
import { waitFor } from '../support/time.js'

const OTHER = 'urn:uuid:0e6d0b1c-6b3f-4c57-9a1e-5b6a4d1f0002'
const OTHER_TOKEN = 'token-of-the-second-transfer'
const two = () => memorySource([record(1, 1_000), record(2, 2_000)])

it('answers one and the same 401 to everybody without the token of this transfer', async () => {
  await using served = await serveDataPlane(two())
  served.plane.start(grant())
  served.plane.start(
    grant({}, { transferPid: OTHER, tokenHash: createHash('sha256').update(OTHER_TOKEN).digest('hex') }),
  )
  const strangers: [string, Record<string, string>, string?][] = [
    [PID, {}],
    [PID, { authorization: '' }],
    [PID, { authorization: 'Bearer' }],
    [PID, { authorization: 'Bearer wrong' }],
    [PID, { authorization: `Basic ${TOKEN}` }],
    [PID, { authorization: `Bearer ${OTHER_TOKEN}` }],
    [PID, { authorization: createHash('sha256').update(TOKEN).digest('hex') }],
    [PID, {}, 'POST'],
    ['urn:uuid:unknown', { authorization: TOKEN }],
    ['', { authorization: TOKEN }],
    ['%E0%A4%A', { authorization: TOKEN }],
    [`${encodeURIComponent(PID)}/more`, { authorization: TOKEN }],
  ]
  const answers = await Promise.all(
    strangers.map(async ([pid, headers, method = 'GET']) => {
      const answer = await fetch(`${served.origin}/data/${pid}`, { method, headers })
      return `${answer.status} ${answer.headers.get('www-authenticate')} ${await answer.text()}`
    }),
  )
  expect(new Set(answers)).toEqual(
    new Set([
      '401 Bearer {"code":"GrantInvalid","reason":["The data token is missing, wrong, or belongs to another transfer. Use the address and the token of one transfer together."],"reasonDe":"Das Datentoken fehlt, ist falsch oder gehört zu einer anderen Übertragung. Adresse und Token müssen von derselben Übertragung stammen."}',
    ]),
  )
})

it.each([
  `Bearer ${TOKEN}`,
  `bearer  ${TOKEN}`,
  TOKEN,
])('opens with the header "%s"', async (authorization) => {
  await using served = await serveDataPlane(two())
  served.plane.start(grant())
  for (const pid of [PID, encodeURIComponent(PID)]) {
    const answer = await fetch(`${served.origin}/data/${pid}`, { headers: { authorization } })
    expect(answer.status).toBe(200)
    await answer.text()
  }
})

it('answers 403 with the reason after a stop, runs again after a start, and 401 once forgotten', async () => {
  await using served = await serveDataPlane(two())
  served.plane.start(grant())
  served.plane.stop(PID, { code: 'GrantEnded', message: 'The transfer is suspended.' })
  const stopped = await served.get()
  expect([stopped.status, await stopped.json()]).toEqual([
    403,
    { code: 'GrantEnded', reason: ['The transfer is suspended.'] },
  ])
  // Nothing else about the request is looked at any more.
  expect((await served.get('?nonsense=1', {}, 'POST')).status).toBe(403)
  const stranger = await served.get('', { authorization: 'wrong' })
  expect(stranger.status).toBe(401)
  served.plane.start(grant())
  expect((await served.get()).status).toBe(200)
  served.plane.forget(PID)
  expect((await served.get()).status).toBe(401)
})

it('keeps a stopped transfer stopped for a reason of any code', async () => {
  await using served = await serveDataPlane(two())
  served.plane.start(grant())
  served.plane.stop(PID, { code: 'NotTrusted', message: 'You are blocked.' })
  expect((await served.get()).status).toBe(403)
})

it('opens no flow for a transfer that was stopped, or started anew, after the look at its token', () => {
  const transfers = createTransfers({
    signalsOf: () => SIGNALS,
    clock: systemClock,
    schedule: realSchedule,
    maxFlowsPerTransfer: 8,
  })
  transfers.start(grant())
  const before = transfers.authorize(PID, TOKEN)
  if (!before.ok) throw new Error(before.error.message)
  transfers.stop(PID, { code: 'GrantEnded', message: 'Revoked.' })
  expect(transfers.open(before.value, 'pull')).toMatchObject({ ok: false, error: { code: 'GrantEnded' } })
  transfers.start(grant())
  expect(transfers.open(before.value, 'pull')).toMatchObject({ ok: false, error: { code: 'GrantInvalid' } })
})

it('refuses the old token after a start with a new one', async () => {
  await using served = await serveDataPlane(two())
  served.plane.start(grant())
  served.plane.start(grant({}, { tokenHash: createHash('sha256').update(OTHER_TOKEN).digest('hex') }))
  expect((await served.get()).status).toBe(401)
  expect((await served.get('', { authorization: OTHER_TOKEN })).status).toBe(200)
})

it('opens nothing for a grant whose token hash is not one', async () => {
  await using served = await serveDataPlane(two())
  served.plane.start(grant({}, { tokenHash: '' }))
  expect((await served.get()).status).toBe(401)
})

it('refuses a recipient whom the plan does not name, before and after its time', async () => {
  await using served = await serveDataPlane(two())
  for (const terms of [
    { recipients: ['did:web:other'] },
    { notBefore: 8e12 as never },
    { recipients: [RECIPIENT], notAfter: 1_000 as never },
  ]) {
    served.plane.start(grant(terms))
    const answer = await served.get()
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([403, 'PolicyDenied'])
  }
})

it('answers 404 when the dataset has no source', async () => {
  await using served = await serveDataPlane(undefined)
  served.plane.start(grant())
  expect((await served.get()).status).toBe(404)
  expect(served.plane.canServe('dataset', grant().plan).ok).toBe(false)
})

it('refuses the request above the limit with 429 and gives the place back', async () => {
  await using served = await serveDataPlane(two(), { limits: { maxFlowsPerTransfer: 2 } })
  served.plane.start(grant())
  const leave = new AbortController()
  const headers = { authorization: TOKEN, accept: 'text/event-stream' }
  const streams = [1, 2].map(() => fetch(served.url, { headers, signal: leave.signal }))
  await Promise.all(streams)
  const refused = await served.get()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
  leave.abort()
  await waitFor(() => served.plane.active().sse === 0, 'the places to be free')
  expect((await served.get()).status).toBe(200)
})

it('never asks the meter when the plan has no quota, and sends nothing when the meter fails', async () => {
  const { meter, used } = memoryMeter()
  await using free = await serveDataPlane(two(), { usage: meter })
  free.plane.start(grant())
  await (await free.get()).text()
  expect(used()).toBe(0)

  await using broken = await serveDataPlane(two(), {
    usage: { book: () => Promise.reject(new Error('disk full')) },
  })
  broken.plane.start(grant({ countLimit: 5 }))
  for (const query of ['', '?limit=1']) {
    const answer = await broken.get(query)
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining('disk full')])
  }
})

it('answers 503 to whoever asks while the dataset becomes another one, and serves the new one', async () => {
  let isAsked = false
  let hangs = true
  const described = { size: 0, mediaType: 'text/plain', etag: '"a"', fileName: 'a.txt' }
  const source: Source = {
    kind: 'bytes',
    describe: () => {
      isAsked = true
      return hangs ? new Promise(() => {}) : Promise.resolve(ok(described))
    },
    open: () => Readable.from([]),
  }
  await using served = await serveDataPlane(source)
  served.plane.start(grant())
  const answer = served.get()
  await waitFor(() => isAsked, 'the request')
  served.plane.refresh('dataset')
  const refused = await answer
  expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
    503,
    '10',
    {
      code: 'SourceUnavailable',
      reason: ['The data source cannot be read now. Try again later.'],
      reasonDe: 'Die Datenquelle ist im Augenblick nicht lesbar. Versuchen Sie es später noch einmal.',
    },
  ])
  hangs = false
  expect((await served.get()).status).toBe(200)
})
