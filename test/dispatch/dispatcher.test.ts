/** Owed messages on their way: a real store, a hand-set clock, and a partner that answers what the test says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Log, silentLog } from '../../connector/core/log.js'
import { err, ok, type Problem, type ProblemCode, type Result } from '../../connector/core/result.js'
import type { EpochMs, ParticipantId, Pid } from '../../connector/core/types.js'
import {
  type Answer,
  createDispatcher,
  type Dispatcher,
  type DispatcherDeps,
  refusalWords,
} from '../../connector/dispatch/dispatcher.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Owed } from '../../connector/domain/step.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import type { Store } from '../../connector/store/store.js'
import { waitFor } from '../support/wait-for.js'

const folder = mkdtempSync(join(tmpdir(), 'handschlag-dispatch-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Post = {
  readonly owed: Owed
  readonly signal: AbortSignal
  answer(answer: Result<Answer> | number | Error): void
}

const START = 1_800_000_000_000
let files = 0
let now: EpochMs
let store: Store
let dispatcher: Dispatcher
/** Everything sent, in order; a post hangs until the test answers it. */
let posts: Post[]
let delivered: Owed[]
let undeliverable: { readonly owed: Owed; readonly why: Problem }[]

const forward = (ms: number): void => {
  now = (now + ms) as EpochMs
}

const settled = (pid: Pid, state: Negotiation['state'] = 'AGREED') =>
  store.change({ kind: 'negotiation', pid }, (current) => ok({ next: { ...current, state }, settle: true }))

function start(more: Partial<DispatcherDeps> = {}): void {
  dispatcher = createDispatcher({
    store,
    clock: () => now,
    log: silentLog,
    post: (owed, signal) =>
      new Promise((resolve, reject) => {
        posts.push({
          owed,
          signal,
          answer(answer) {
            if (answer instanceof Error) reject(answer)
            else if (typeof answer === 'number') resolve(ok({ status: answer, body: Buffer.from('{}') }))
            else resolve(answer)
          },
        })
      }),
    delivered: async (owed) => {
      delivered.push(owed)
      return settled(owed.pid)
    },
    undeliverable: async (owed, why) => {
      undeliverable.push({ owed, why })
      return settled(owed.pid, 'TERMINATED')
    },
    readError: () => ({}),
    random: () => 0.5,
    ...more,
  })
}

beforeEach(() => {
  now = START as EpochMs
  posts = []
  delivered = []
  undeliverable = []
  store = openStore(join(folder, `${++files}.db`))
})
afterEach(async () => {
  const ending = dispatcher[Symbol.asyncDispose]()
  for (const post of posts) post.answer(err({ code: 'PartnerUnreachable', message: 'the test is over' }))
  await ending
  await store[Symbol.asyncDispose]()
})

async function owe(name: string, partner = 'did:web:alpha.example', event = 'request'): Promise<Pid> {
  const pid = `urn:uuid:${name}` as Pid
  const next: Negotiation = {
    kind: 'negotiation',
    pid,
    role: 'consumer',
    partner: partner as ParticipantId,
    partnerAddress: 'https://partner.example/dsp',
    state: 'NEW',
    pending: 'request',
    offer: {},
    datasetId: 'd',
    createdAt: now,
    updatedAt: now,
  }
  await store.create({
    next,
    owe: { event, url: `https://partner.example/${name}`, body: `{"name":"${name}"}` },
  })
  return pid
}

const oweMore = (pid: Pid, event: string) =>
  store.change({ kind: 'negotiation', pid }, (current) =>
    ok({
      next: { ...current, updatedAt: now },
      owe: { event, url: 'https://partner.example/x', body: event },
    }),
  )

/** The n-th post, once it has been sent. */
const post = (n: number): Promise<Post> => waitFor(() => posts[n], { what: `post ${n}`, timeoutMs: 3000 })

const unreachable = (code: ProblemCode = 'PartnerUnreachable'): Result<never> =>
  err({ code, message: `because of ${code}` })

/** Answers the n-th post and waits until the failure is written. */
async function failing(n: number, answer: Result<Answer> | number): Promise<Owed> {
  const { owed, answer: reply } = await post(n)
  reply(answer)
  return waitFor(() => store.owedFor(owed.pid).find((o) => o.id === owed.id && o.attempts > owed.attempts))
}

describe('sending', () => {
  it('sends what is owed at the start and what a commit adds, and tells of the acknowledgement', async () => {
    await owe('a')
    start()
    ;(await post(0)).answer(200)
    await waitFor(() => delivered.length === 1)
    await owe('b')
    ;(await post(1)).answer(201)
    await waitFor(() => delivered.length === 2)
    expect(delivered.map((o) => o.pid)).toEqual(['urn:uuid:a', 'urn:uuid:b'])
    await dispatcher.idle()
    expect(dispatcher.inFlight()).toBe(0)
    expect(store.owedCount().count).toBe(0)
  })

  it('sends the same bytes to the same address on every attempt', async () => {
    start()
    await owe('a')
    for (let n = 0; n < 4; n++) {
      await failing(n, 503)
      forward(60_000)
      dispatcher.wake()
    }
    await post(4)
    const sent = new Set(posts.map(({ owed }) => `${owed.url} ${owed.body}`))
    expect([...sent]).toEqual(['https://partner.example/a {"name":"a"}'])
  })

  it('sends one message of a process at a time, in order', async () => {
    start()
    const pid = await owe('a', undefined, 'first')
    await post(0)
    await oweMore(pid, 'second')
    await owe('b', undefined, 'other')
    await post(1)
    expect(posts.map((p) => p.owed.event)).toEqual(['first', 'other'])
    // The first fails: the second one waits behind it.
    await failing(0, 503)
    dispatcher.wake()
    ;(await post(1)).answer(200)
    await waitFor(() => delivered.length === 1)
    expect(posts).toHaveLength(2)
    forward(1000)
    dispatcher.wake()
    expect((await post(2)).owed.event).toBe('first')
  })

  it('does not start the next message while one that is no longer owed is still under way', async () => {
    start()
    const pid = await owe('a', undefined, 'first')
    await post(0)
    await store.change({ kind: 'negotiation', pid }, (current) =>
      ok({
        next: current,
        settle: true,
        owe: { event: 'terminate', url: 'https://partner.example/t', body: 't' },
      }),
    )
    await owe('b')
    await post(1)
    expect(posts.map((p) => p.owed.event)).toEqual(['first', 'request'])
    ;(await post(0)).answer(unreachable())
    expect((await post(2)).owed.event).toBe('terminate')
  })
})

describe('after a failure', () => {
  it.each([401, 408, 409, 425, 429, 500, 502, 503, 504])('tries again on %i', async (status) => {
    start()
    const pid = await owe('a')
    expect(await failing(0, status)).toMatchObject({
      attempts: 1,
      lastError: `The partner answered ${status}`,
    })
    expect(undeliverable).toEqual([])
    forward(1000)
    dispatcher.wake()
    ;(await post(1)).answer(200)
    await waitFor(() => store.owedFor(pid).length === 0)
  })

  it.each([
    'PartnerUnreachable',
    'PartnerCertificate',
    'IdentityUnresolvable',
  ] as const)('tries again on %s', async (code) => {
    start()
    await owe('a')
    expect(await failing(0, unreachable(code))).toMatchObject({
      attempts: 1,
      lastError: `because of ${code}`,
    })
    expect(undeliverable).toEqual([])
  })

  it.each([400, 403, 405, 413, 301])('gives up at once on %i, with what the partner said', async (status) => {
    start({ readError: () => ({ code: 'OfferUnknown', reason: 'No such offer.' }) })
    await owe('a')
    ;(await post(0)).answer(status)
    const [{ why }] = (await waitFor(
      () => undeliverable.length === 1 && undeliverable,
    )) as typeof undeliverable & [{ why: Problem }]
    expect(why).toEqual({
      code: 'PartnerRefused',
      message: `The partner answered ${status}: No such offer.`,
      messageDe: `Der Partner antwortete mit ${status}: „No such offer.“`,
    })
  })

  it('repeats a partner of our make in both languages, and quotes all others', () => {
    const said = { code: 'OfferUnknown', reason: 'No such offer.' }
    expect(refusalWords(400, { ...said, reasonDe: 'Dieses Angebot gibt es nicht.' })).toEqual({
      en: 'The partner answered 400: No such offer.',
      de: 'Der Partner antwortete mit 400: Dieses Angebot gibt es nicht.',
    })
    expect(refusalWords(400, { ...said, code: 'E-17' })).toEqual({
      en: 'The partner answered 400: No such offer. (E-17)',
      de: 'Der Partner antwortete mit 400: „No such offer.“ (E-17)',
    })
    expect(refusalWords(503, {})).toEqual({
      en: 'The partner answered 503',
      de: 'Der Partner antwortete mit 503',
    })
  })

  it.each(['AddressRefused', 'PartnerAnswerInvalid'] as const)('gives up at once on %s', async (code) => {
    start()
    await owe('a')
    ;(await post(0)).answer(unreachable(code))
    await waitFor(() => undeliverable.length === 1)
    expect(undeliverable[0]?.why.code).toBe(code)
  })

  it('tries a 404 with a reason five times: the partner may not have stored the process yet', async () => {
    start({ readError: () => ({ code: 'NotFound', reason: 'There is no such negotiation.' }) })
    await owe('a')
    for (let n = 0; n < 4; n++) {
      await failing(n, 404)
      forward(60_000)
      dispatcher.wake()
    }
    ;(await post(4)).answer(404)
    await waitFor(() => undeliverable.length === 1)
    expect(posts).toHaveLength(5)
    expect(undeliverable[0]?.why.message).toBe('The partner answered 404: There is no such negotiation.')
  })

  it('tries a 404 without a word much longer: the partner cannot tell yet who we are', async () => {
    start({ limits: { strangerForMs: 600_000 } })
    await owe('a')
    await failing(0, unreachable())
    forward(3_000_000)
    dispatcher.wake()
    for (let n = 1; n < 11; n++) {
      await failing(n, 404)
      forward(60_000)
      dispatcher.wake()
    }
    ;(await post(11)).answer(404)
    await waitFor(() => undeliverable.length === 1)
    expect(undeliverable[0]?.why.message).toBe('The partner answered 404')
  })

  it('counts only answers of 404 against that: a partner that was away for long gets its five tries too', async () => {
    start()
    await owe('a')
    for (let n = 0; n < 7; n++) {
      await failing(n, unreachable())
      forward(60_000)
      dispatcher.wake()
    }
    await failing(7, 404)
    expect(undeliverable).toEqual([])
  })

  it.each([
    [0, 75],
    [0.5, 100],
    [0.999999, 125],
  ])('waits longer each time, up to a minute, spread by a quarter (random %d)', async (random, first) => {
    start({ random: () => random })
    await owe('a')
    const waits: number[] = []
    for (let n = 0; n < 12; n++) {
      const { nextAttemptAt } = await failing(n, 503)
      waits.push(nextAttemptAt - now)
      forward(120_000)
      dispatcher.wake()
    }
    expect(waits.slice(0, 4)).toEqual([first, first * 2, first * 4, first * 8])
    expect(waits[11]).toBe(first * 600)
  })

  it('gives up when the partner was away for as long as we try, with the reason of the last attempt', async () => {
    start({ limits: { giveUpAfterMs: 3600_000 } })
    await owe('a')
    await failing(0, unreachable())
    forward(3599_000)
    dispatcher.wake()
    await failing(1, unreachable())
    expect(undeliverable).toEqual([])
    forward(60_000)
    dispatcher.wake()
    ;(await post(2)).answer(unreachable())
    await waitFor(() => undeliverable.length === 1)
    expect(undeliverable[0]?.why).toEqual({
      code: 'PartnerUnreachable',
      message: 'because of PartnerUnreachable',
    })
  })

  it('sends nothing before the time of the next attempt', async () => {
    start()
    await owe('a')
    await failing(0, 503)
    forward(99)
    dispatcher.wake()
    await dispatcher.idle()
    expect(posts).toHaveLength(1)
    forward(1)
    dispatcher.wake()
    await post(1)
  })

  it('is woken by its own timer', async () => {
    start({ clock: () => Date.now() as EpochMs, limits: { firstRetryMs: 20 } })
    now = Date.now() as EpochMs
    await owe('a')
    await failing(0, 503)
    await post(1)
  })

  it('is woken by its timer for one partner while another one hangs', async () => {
    start({ clock: () => Date.now() as EpochMs, limits: { firstRetryMs: 20 } })
    now = Date.now() as EpochMs
    await owe('slow', 'did:web:slow.example')
    await post(0)
    await owe('a')
    await failing(1, 503)
    expect((await post(2)).owed.pid).toBe('urn:uuid:a')
    expect(dispatcher.inFlight()).toBe(2)
  })
})

describe('limits', () => {
  it('reads about as many messages as it can send, however many are waiting', async () => {
    for (let i = 0; i < 40; i++) await owe(`waiting-${i}`)
    let read = 0
    const counting: Store = {
      ...store,
      due: (...asked) => {
        const found = store.due(...asked)
        read += found.length
        return found
      },
    }
    start({ store: counting, limits: { concurrency: 32, perPartner: 8 } })
    await post(7)
    expect([posts.length, read]).toEqual([8, 8])
    ;(await post(0)).answer(ok({ status: 200, body: Buffer.alloc(0) }))
    await post(8)
    expect(posts.length).toBe(9)
    expect(read).toBeLessThanOrEqual(12)
  })

  it('keeps so many messages under way at once, and goes on as they end', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await owe(name, `did:web:${name}.example`)
    start({ limits: { concurrency: 2 } })
    await post(1)
    expect(dispatcher.inFlight()).toBe(2)
    ;(await post(0)).answer(200)
    await post(2)
    expect(dispatcher.inFlight()).toBe(2)
    ;(await post(1)).answer(200)
    ;(await post(2)).answer(200)
    ;(await post(3)).answer(200)
    await dispatcher.idle()
    expect(delivered).toHaveLength(4)
  })

  it('lets no partner take all places, however much is owed to it', async () => {
    // More than the dispatcher looks at in one go, all older than what is owed to the other partner.
    for (let n = 0; n < 30; n++) await owe(`slow-${n}`, 'did:web:slow.example')
    forward(10)
    await owe('other', 'did:web:other.example')
    start({ limits: { concurrency: 4, perPartner: 2 } })
    await waitFor(() => posts.some((p) => p.owed.pid === 'urn:uuid:other'))
    expect(posts.filter((p) => p.owed.partner === 'did:web:slow.example')).toHaveLength(2)
  })
})

describe('when something goes wrong in here', () => {
  const failingLog = (): { log: Log; errors: string[] } => {
    const errors: string[] = []
    return { errors, log: { ...silentLog, error: (_, event) => errors.push(event) } }
  }

  it('treats an exception as a failed attempt, with the usual pause', async () => {
    const { log, errors } = failingLog()
    start({ log })
    await owe('a')
    ;(await post(0)).answer(new Error('a bug'))
    const owed = await waitFor(() => store.owedFor('urn:uuid:a').find((o) => o.attempts === 1))
    expect(owed).toMatchObject({ nextAttemptAt: START + 100 })
    expect(owed.lastError).toMatch(/^The connector failed/)
    expect(errors).toEqual(['dispatch'])
    await dispatcher.idle()
    expect(posts).toHaveLength(1)
  })

  it('pauses when the acknowledgement cannot be written, and sends again later', async () => {
    const { log, errors } = failingLog()
    const full = new Error('database or disk is full')
    const failed = vi.spyOn(store, 'attemptFailed').mockRejectedValue(full)
    let broken = true
    start({
      log,
      limits: { troubleMs: 60 },
      delivered: async (owed) => {
        if (broken) throw full
        delivered.push(owed)
        return settled(owed.pid)
      },
    })
    const startedAt = performance.now()
    await owe('a')
    ;(await post(0)).answer(200)
    ;(await post(1)).answer(200)
    expect(performance.now() - startedAt).toBeGreaterThan(50)
    await waitFor(() => errors.length === 4)
    expect(errors.slice(0, 2)).toEqual(['dispatch', 'attempt not recorded'])
    broken = false
    ;(await post(2)).answer(200)
    await waitFor(() => delivered.length === 1)
    failed.mockRestore()
  })
})

describe('the end', () => {
  it('leaves a message owed whose answer had not come', async () => {
    start()
    const pid = await owe('a')
    const { signal, answer } = await post(0)
    const ending = dispatcher[Symbol.asyncDispose]()
    expect(signal.aborted).toBe(true)
    answer(unreachable())
    await ending
    expect(store.owedFor(pid)).toMatchObject([{ attempts: 0 }])
    expect([delivered, undeliverable]).toEqual([[], []])
    start()
    expect((await post(1)).owed.body).toBe('{"name":"a"}')
  })

  it('waits for what is being written', async () => {
    let finish: () => void = () => {}
    start({
      delivered: async (owed) => {
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        delivered.push(owed)
        return settled(owed.pid)
      },
    })
    await owe('a')
    ;(await post(0)).answer(200)
    await waitFor(() => dispatcher.inFlight() === 1 && finish !== undefined)
    const ending = dispatcher[Symbol.asyncDispose]()
    await new Promise((resolve) => setImmediate(resolve))
    finish()
    await ending
    expect(store.owedCount().count).toBe(0)
  })

  it('starts nothing new, and keeps nobody waiting', async () => {
    start()
    await owe('a')
    const { answer } = await post(0)
    const idle = dispatcher.idle()
    const ending = dispatcher[Symbol.asyncDispose]()
    await owe('b')
    dispatcher.wake()
    answer(200)
    await Promise.all([ending, idle])
    expect(posts).toHaveLength(1)
  })
})
