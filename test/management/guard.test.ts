import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { createFailureLimit } from '../../connector/management/guard.js'
import { ROUTES } from '../../connector/management/routes.js'
import { type Api, OWN, openApi, SETUP_CODE, START } from './support.js'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const addressOf = (path: string): string => path.replaceAll(/\{\w+\}/g, 'x')

describe('access', () => {
  it.each(
    ROUTES.filter((r) => r.access === undefined).map((r) => [r.method, r.path] as const),
  )('refuses %s %s without a token', async (method, path) => {
    // An own server, because failed sign-ins are counted.
    await using fresh = await openApi()
    const before = fresh.store.audit('x').length
    const answer = await fresh
      .bare()
      [method](addressOf(path))
      .send(method === 'get' ? undefined : {})
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(answer.body).toEqual({
      code: 'Unauthenticated',
      message: 'An access token is needed: Authorization: Bearer <token>.',
    })
    expect(api.store.audit('x').length).toBe(before)
  })

  it('refuses a token that it does not know, without repeating it', async () => {
    const answer = await api.bare().get('/api/v1/status').set('Authorization', 'Bearer wrong-token-value')
    expect(answer.status).toBe(401)
    expect(answer.text).not.toContain('wrong-token-value')
    expect(answer.body.message).toContain('not known here')
  })

  it('takes the token with any spelling of the scheme, and from the header only', async () => {
    const header = await api.bare().get('/api/v1/status').set('Authorization', `bearer ${api.token}`)
    expect(header.status).toBe(200)
    const query = await api.bare().get(`/api/v1/status?access_token=${api.token}`)
    expect(query.status).toBe(401)
  })

  it('refuses failed sign-ins for a while after twenty of them, but never a right token', async () => {
    await using fresh = await openApi()
    const tries = []
    for (let i = 0; i < 21; i++) tries.push((await fresh.bare().get('/api/v1/status')).status)
    expect(tries).toEqual([...Array(20).fill(401), 429])
    const refused = await fresh.bare().get('/api/v1/status')
    expect(refused.body.code).toBe('TooManyAttempts')
    expect(refused.headers['retry-after']).toBe('60')
    expect((await fresh.get('/api/v1/status')).status).toBe(200)
    fresh.world.now += 60_000
    expect((await fresh.bare().get('/api/v1/status')).status).toBe(401)
  })

  it('remembers a bounded number of addresses', () => {
    const limit = createFailureLimit(() => START)
    for (let i = 0; i < 20; i++) limit.allows('first')
    expect(limit.allows('first')).toBe(false)
    for (let i = 0; i < 1_000; i++) limit.allows(`other ${i}`)
    // Forgotten in favour of the newer ones.
    expect(limit.allows('first')).toBe(true)
  })

  it('answers health and metrics without a token on this machine', async () => {
    expect((await api.bare().get('/health/live')).body).toEqual({ live: true, participantId: OWN })
    expect((await api.bare().get('/health/ready')).body).toEqual({ ready: true, reasons: [] })
    const metrics = await api.bare().get('/metrics')
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(metrics.text).toBe('# HELP x y\n')
  })

  it('wants a token for metrics from another machine, and none for health', async () => {
    await using remote = await openApi()
    remote.server.prependListener('connection', (socket) =>
      Object.defineProperty(socket, 'remoteAddress', { value: '192.0.2.7' }),
    )
    expect((await remote.bare().get('/metrics')).status).toBe(401)
    expect((await remote.get('/metrics')).status).toBe(200)
    expect((await remote.bare().get('/health/live')).status).toBe(200)
  })

  it('says with 503 and the reasons that it is not ready', async () => {
    await using ill = await openApi({
      health: () => ({ live: false, ready: false, reasons: ['The disk is full.'], participantId: OWN }),
    })
    const ready = await ill.bare().get('/health/ready')
    expect([ready.status, ready.body]).toEqual([503, { ready: false, reasons: ['The disk is full.'] }])
    expect((await ill.bare().get('/health/live')).status).toBe(503)
  })
})

describe('host names', () => {
  const statusFor = async (host: string): Promise<number> =>
    (await api.bare().get('/health/live').set('Host', host)).status

  it.each([
    'localhost',
    'localhost:8485',
    '127.0.0.1:8485',
    '[::1]:8485',
    'LOCALHOST',
    'connector.local:1',
    '192.0.2.1',
  ])('answers under %s', async (host) => {
    expect(await statusFor(host)).toBe(200)
  })

  it.each([
    'evil.example.com',
    'localhost.evil.example.com',
    'localhost@evil.example.com',
    '127.0.0.1.nip.example',
    'localhost:8485:1',
    '0.0.0.0:8485',
    '[::]:8485',
    '',
  ])('refuses %s, which a foreign page could make a browser send', async (host) => {
    expect(await statusFor(host)).toBe(403)
  })

  it('refuses a foreign host also with a right token', async () => {
    const answer = await api
      .bare()
      .get('/api/v1/status')
      .set('Host', 'evil.example.com')
      .set('Authorization', `Bearer ${api.token}`)
    expect(answer.status).toBe(403)
    expect(answer.body.code).toBe('HostRefused')
    expect(answer.body.message).toContain('managementHost')
  })
})

describe('every answer', () => {
  it('keeps browsers from framing, caching, sniffing and running it, and names no program', async () => {
    for (const answer of [
      await api.get('/api/v1/status'),
      await api.bare().get('/api/v1/status'),
      await api.bare().get('/x'),
    ]) {
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      })
      expect(answer.headers['x-powered-by']).toBeUndefined()
    }
  })

  it('allows no other origin', async () => {
    const preflight = await api
      .bare()
      .options('/api/v1/partners')
      .set('Origin', 'https://evil.example.com')
      .set('Access-Control-Request-Method', 'POST')
    expect(preflight.status).toBe(405)
    const simple = await api.bare().get('/health/live').set('Origin', 'https://evil.example.com')
    for (const { headers } of [preflight, simple]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  it('is JSON with 404 where there is nothing', async () => {
    const answer = await api.get('/api/v1/nothing')
    expect(answer.status).toBe(404)
    expect(answer.body).toEqual({
      code: 'NotFound',
      message: 'There is nothing at this address. See: /api/v1/openapi.json',
    })
  })

  it('is 405 with the possible methods where the method is wrong', async () => {
    const answer = await api.bare().put('/api/v1/partners')
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD, POST')
    expect(answer.body.code).toBe('MethodNotAllowed')
  })

  it('tells nothing about a failure of the program', async () => {
    await using broken = await openApi({
      health: () => {
        throw new Error('secret detail in /srv/secret.ts')
      },
    })
    const answer = await broken.bare().get('/health/live')
    expect(answer.status).toBe(500)
    expect(answer.body).toEqual({
      code: 'InternalError',
      message: 'The connector failed while handling the request. Its log says more.',
    })
  })

  it('says that the disk is full, and that nothing was changed', async () => {
    await using full = await openApi({
      health: () => {
        throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
      },
    })
    const answer = await full.bare().get('/health/ready')
    expect([answer.status, answer.body.code]).toEqual([500, 'InternalError'])
    expect(answer.body.message).toBe(
      'There is no space left for the data directory, so nothing was changed and what runs goes on. Make room and try again; to end all data at once, stop the connector.',
    )
  })

  it('explains an address that is not correctly encoded', async () => {
    const answer = await api.get('/api/v1/partners/%E0%A4%A')
    expect(answer.status).toBe(400)
    expect(answer.body.message).toBe('The address is not correctly percent-encoded.')
  })
})

describe('requests', () => {
  it('get every mistake named at once, in words, without their values', async () => {
    const answer = await api.post('/api/v1/partners', {
      did: 5,
      seal: 'sometimes-secret',
      adress: 'hidden-value',
    })
    expect(answer.status).toBe(400)
    expect(answer.body.code).toBe('InvalidInput')
    expect([...answer.body.problems].sort()).toEqual([
      '"address" is missing.',
      '"adress" is not known here. Known: did, address, name, seal, approval, lab, outgoingToken, incomingToken, ownId, ownAddress, dialect, dataToken, emptyPolicies.',
      '"did" must be text, not a number.',
      '"seal" must be one of off, offer, require.',
    ])
    for (const problem of answer.body.problems) expect(answer.body.message).toContain(problem)
    expect(answer.text).not.toContain('hidden-value')
    expect(answer.text).not.toContain('sometimes-secret')
  })

  it('name the place of a mistake inside', async () => {
    const signals = [
      { name: 'p', type: 'float' },
      { name: '', type: 'number', unti: 'bar' },
    ]
    const answer = await api.put('/api/v1/datasets/press', { title: 'Press', signals })
    expect([...answer.body.problems].sort()).toEqual([
      '"signals[0].type" must be one of number, integer, string, boolean.',
      '"signals[1].name" must not be empty.',
      'signals[1]: "unti" is not known here. Known: name, type, unit, description, identifies.',
    ])
    expect(api.store.dataset('press')).toBeUndefined()
  })

  it('are refused with an unknown query parameter or one that is given twice', async () => {
    const unknown = await api.get('/api/v1/negotiations?sate=REQUESTED')
    expect(unknown.body.message).toBe('"sate" is not known here. Known: state.')
    const twice = await api.get('/api/v1/negotiations?state=REQUESTED&state=AGREED')
    expect(twice.status).toBe(400)
    const value = await api.get('/api/v1/negotiations?state=requested')
    expect(value.body.message).toMatch(/^"state" must be one of NEW, REQUESTED,/)
    expect((await api.get('/api/v1/partners?x=1')).body.message).toBe(
      '"x" is not known here. Known: nothing.',
    )
  })

  const raw = (body: string, type = 'application/json') =>
    api
      .bare()
      .post('/api/v1/partners')
      .set('Authorization', `Bearer ${api.token}`)
      .set('Content-Type', type)
      .send(body)

  it('are refused when the body is not JSON', async () => {
    const answer = await raw('{"did": ')
    expect([answer.status, answer.body.code]).toEqual([400, 'InvalidMessage'])
    expect(answer.body.message).toBe('The body is not JSON: it ends too early.')
  })

  it('are refused when a key stands in the body twice', async () => {
    const answer = await raw('{"did": "a", "did": "b"}')
    expect(answer.body.message).toBe('The key "did" appears twice.')
  })

  it('are refused as another type, which a foreign page could send without asking', async () => {
    const answer = await raw('{"did": "did:web:x", "address": "https://x"}', 'text/plain')
    expect([answer.status, answer.body.code]).toEqual([415, 'MediaTypeUnsupported'])
  })

  it('are refused beyond one megabyte', async () => {
    const answer = await raw(JSON.stringify({ did: 'x'.repeat(1024 * 1024) }))
    expect([answer.status, answer.body.code]).toEqual([413, 'MessageTooLarge'])
    expect(answer.body.message).toContain('1 MB')
  })

  it('are asked for a token before their body is read', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = httpRequest(`${api.url}/api/v1/partners`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Length': '1000000' },
      })
      sent.on('response', (answer) => {
        resolve(answer.statusCode)
        sent.destroy()
      })
      sent.on('error', reject)
      // Not one byte of the announced body is sent.
      sent.flushHeaders()
    })
    expect(status).toBe(401)
  })
})

describe('the setup code', () => {
  const redeem = (fresh: Api, code: string, name = 'first') =>
    fresh.bare().post('/api/v1/setup').send({ code, name })

  it('makes one token, which works, and is gone then', async () => {
    await using fresh = await openApi()
    const made = await redeem(fresh, SETUP_CODE)
    expect(made.status).toBe(200)
    const status = await fresh.bare().get('/api/v1/status').set('Authorization', `Bearer ${made.body.token}`)
    expect(status.status).toBe(200)
    const again = await redeem(fresh, SETUP_CODE, 'second')
    expect([again.status, again.body.code]).toEqual([401, 'Unauthenticated'])
    expect(fresh.store.audit('token:first').map((e) => e.detail)).toEqual([{ by: 'setup' }])
  })

  it('makes one token only when it comes twice at the same time', async () => {
    await using fresh = await openApi()
    const answers = await Promise.all([redeem(fresh, SETUP_CODE, 'a'), redeem(fresh, SETUP_CODE, 'b')])
    expect(answers.map((a) => a.status).sort()).toEqual([200, 401])
  })

  it('is gone after five wrong ones', async () => {
    await using fresh = await openApi()
    const messages = []
    for (let i = 0; i < 5; i++) messages.push((await redeem(fresh, `guess ${i}`)).body.message)
    expect(messages[3]).toBe('The setup code is wrong. 1 try is left.')
    expect(messages[4]).toContain('cannot be used any more')
    expect((await redeem(fresh, SETUP_CODE)).status).toBe(401)
  })

  it('is gone after thirty minutes', async () => {
    await using fresh = await openApi()
    fresh.world.now += 30 * 60_000
    expect((await redeem(fresh, SETUP_CODE)).body.message).toContain('older than 30 minutes')
    fresh.world.now -= 1
    expect((await redeem(fresh, SETUP_CODE)).status).toBe(200)
  })

  it('survives a name that cannot be used', async () => {
    await using fresh = await openApi()
    expect((await redeem(fresh, SETUP_CODE, 'admin')).body.code).toBe('Conflict')
    expect((await redeem(fresh, SETUP_CODE, '../x')).body.code).toBe('InvalidInput')
    expect((await redeem(fresh, SETUP_CODE)).status).toBe(200)
  })

  it('is explained where its link leads', async () => {
    const answer = await api.bare().get('/setup').set('Host', 'localhost:8485')
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('http://localhost:8485/api/v1/setup')
    expect(answer.text).toContain('Erster Besuch')
  })
})

it('counts failures anew when the clock was set back', () => {
  let now = START as number
  const limit = createFailureLimit(() => now as EpochMs)
  for (let i = 0; i < 30; i++) limit.allows('a')
  now -= 24 * 3600_000
  expect(limit.allows('a')).toBe(true)
})
