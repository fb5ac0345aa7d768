/** The pushing side of the data plane, with a clock set by hand and a receiver that is a function. */
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { bookInto, NOTHING_USED, type Used } from '../../../connector/core/quota.js'
import { ok, type Problem, problem, type Result } from '../../../connector/core/result.js'
import type { EpochMs } from '../../../connector/core/types.js'
import { createDataPlane, type DataPlane } from '../../../connector/dataplane/delivery/data-plane.js'
import type { PushJournal, PushState, Source } from '../../../connector/dataplane/ports.js'
import type { Plan } from '../../../connector/policy/plan.js'
import { grant, linesOf, PID, SIGNALS } from '../support/data-plane-server.js'
import { type MemorySource, memorySource, record } from '../support/memory-source.js'
import { handTime, waitFor } from '../support/time.js'

const T0 = Date.parse('2026-01-01T00:00:00Z')
const GIVE_UP = 600_000
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => record(from + i, T0 + (from + i) * 1000))

type Post = { readonly number: string; readonly body: string; readonly signal: AbortSignal }
type Answer = Result<{ readonly status: number; readonly retryAfterMs?: number }>

/** What survives a restart, and how much of the quota was booked. */
function memoryJournal() {
  let kept: { state: PushState; body?: Uint8Array } | undefined
  let total = 0
  const days = new Map<number | undefined, Used['day']>()
  const journal: PushJournal = {
    read: () => kept,
    write: async (_pid, state) => {
      kept = { state }
    },
    book: async (_grant, asked, quota, pending) => {
      const day = quota?.day?.number
      const before = { total, day: days.get(day) ?? NOTHING_USED.day }
      const { used, ...booking } = bookInto(before, asked, quota ?? {})
      total = used.total
      days.set(day, used.day)
      if (booking.granted > 0) kept = pending(booking.granted)
      return booking
    },
  }
  return { journal, state: () => kept?.state, booked: () => total }
}

const planes: DataPlane[] = []
afterEach(async () => {
  for (const plane of planes.splice(0)) await plane[Symbol.asyncDispose]()
})

function openPlane(
  source: Source | (() => Result<Source>),
  kept = memoryJournal(),
  signalsOf: () => typeof SIGNALS = () => SIGNALS,
) {
  const time = handTime(T0 + 86_400_000)
  const posts: Post[] = []
  const seen = {
    failed: [] as { message: string; retryInMs: number }[],
    halted: [] as Problem[],
    stopped: [] as Problem[],
    completed: 0,
  }
  let answer: (post: Post) => Answer | Promise<Answer> = () => ok({ status: 200 })
  const plane = createDataPlane({
    sourceOf: () => (typeof source === 'function' ? source() : ok(source)),
    signalsOf,
    usage: { book: async () => ({ granted: 0 }) },
    log: { delivered: () => {}, stopped: (_pid, why) => seen.stopped.push(why) },
    clock: time.clock,
    schedule: time.schedule,
    limits: { drainMs: 0 },
    push: {
      journal: kept.journal,
      random: () => 0.999_999,
      retries: { giveUpAfterMs: GIVE_UP },
      log: {
        acknowledged: () => {},
        failed: (_pid, { message }, retryInMs) => seen.failed.push({ message, retryInMs }),
        halted: (_pid, why) => seen.halted.push(why),
        completed: () => {
          seen.completed += 1
        },
      },
      post: async ({ headers, body, signal }) => {
        const text = body instanceof Uint8Array ? Buffer.from(body).toString() : ''
        const post = { number: headers['idempotency-key'] ?? '', body: text, signal }
        posts.push(post)
        let leave = (): void => {}
        const ended = new Promise<Answer>((resolve) => {
          leave = () => resolve(problem('Stopping', 'aborted'))
          signal.addEventListener('abort', leave)
        })
        try {
          return await Promise.race([answer(post), ended])
        } finally {
          signal.removeEventListener('abort', leave)
        }
      },
    },
  })
  planes.push(plane)
  return {
    plane,
    time,
    posts,
    seen,
    kept,
    answer: (next: typeof answer) => {
      answer = next
    },
    start: (terms: Partial<Plan> = {}, tokenHash = 'a'.repeat(64), to?: number) =>
      plane.start(
        grant(terms, {
          tokenHash,
          push: { endpoint: 'https://sink.example/x', ...(to === undefined ? {} : { to: to as EpochMs }) },
        }),
      ),
    ids: () => posts.flatMap(({ body }) => linesOf(body).map(({ id }) => id)),
  }
}

const idsOf = (from: number, to: number) => records(from, to).map(({ position }) => position)
const until = waitFor

/** Lets everything run that waits for nothing but its turn. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('a batch', () => {
  it('goes out when it is full, and otherwise a second after its first record', async () => {
    const source = memorySource(records(0, 1003))
    const push = openPlane(source)
    push.start()
    await until(() => push.posts.length === 1, 'the full batch')
    await turns()
    push.time.advance(999)
    await turns()
    source.append(...records(1003, 1005))
    await turns()
    expect(push.posts).toHaveLength(1)
    push.time.advance(1)
    await until(() => push.posts.length === 2, 'the rest')
    expect(push.posts.map(({ number }) => number)).toEqual(['"1"', '"2"'])
    expect(push.ids()).toEqual(idsOf(0, 1005))
  })

  it('is at most a mebibyte, and a record that is longer goes alone', async () => {
    const long = (n: number, size: number) => record(n, T0 + n, { note: 'x'.repeat(size) })
    const push = openPlane(memorySource([long(0, 600_000), long(1, 600_000), long(2, 2_000_000), long(3, 1)]))
    push.start()
    await until(() => push.posts.length === 3, 'the long ones')
    await turns()
    push.time.advance(1000)
    await until(() => push.posts.length === 4, 'the short one')
    expect(push.posts.map(({ body }) => linesOf(body).map(({ id }) => id))).toEqual([
      ['p0'],
      ['p1'],
      ['p2'],
      ['p3'],
    ])
  })

  it('is sent only when the one before has been acknowledged, and little is read ahead meanwhile', async () => {
    const source: MemorySource = memorySource(records(0, 100_000))
    const push = openPlane(source)
    let release: (answer: Answer) => void = () => {}
    push.answer(
      () =>
        new Promise((resolve) => {
          release = resolve
        }),
    )
    push.start()
    await until(() => push.posts.length === 1, 'the first batch')
    await turns()
    expect(push.posts).toHaveLength(1)
    expect(source.handed()).toBeLessThanOrEqual(1100)
    release(ok({ status: 204 }))
    await until(() => push.posts.length === 2, 'the second batch')
    expect(source.handed()).toBeLessThanOrEqual(2100)
  })

  it('holds no record before it is due', async () => {
    const push = openPlane(
      memorySource([record(0, T0 + 86_400_000 - 5000), record(1, T0 + 86_400_000 - 1000)]),
    )
    push.start({ deliveryDelayMs: 5000 })
    await turns()
    push.time.advance(3999)
    await turns()
    expect(push.ids()).toEqual(['p0'])
    push.time.advance(1)
    await turns()
    push.time.advance(1000)
    await until(() => push.ids().length === 2, 'the second record')
    expect(push.ids()).toEqual(['p0', 'p1'])
  })
})

describe('a failure of the receiver', () => {
  it('is tried again ever more slowly up to a minute, and in the end somebody has to look at it', async () => {
    const push = openPlane(memorySource(records(0, 1000)))
    push.answer(() => ok({ status: 500 }))
    push.start()
    await until(() => push.seen.failed.length === 1, 'the first failure')
    while (push.seen.halted.length === 0 && push.posts.length < 100) {
      const { length } = push.posts
      await turns()
      push.time.advance(60_000)
      await until(() => push.posts.length > length || push.seen.halted.length > 0, 'another try')
      await turns()
    }
    expect(push.seen.failed.slice(0, 8).map(({ retryInMs }) => retryInMs)).toEqual([
      500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000,
    ])
    expect(new Set(push.posts.map(({ number, body }) => number + body)).size).toBe(1)
    expect(push.seen.halted).toEqual([
      {
        code: 'PartnerRefused',
        message: 'The receiver answered 500.',
        messageDe: 'Der Empfänger antwortete mit 500.',
      },
    ])
    expect(push.time.clock() - (T0 + 86_400_000)).toBeGreaterThanOrEqual(GIVE_UP)
  })

  it('waits as long as the receiver asks for', async () => {
    const push = openPlane(memorySource(records(0, 1000)))
    push.answer(() => ok({ status: 429, retryAfterMs: 30_000 }))
    push.start()
    await until(() => push.seen.failed.length === 1, 'the failure')
    expect(push.seen.failed).toEqual([{ message: 'The receiver answered 429.', retryInMs: 30_000 }])
  })

  it.each([
    [
      '{"code":"SinkUnavailable","reason":["The disk is full.","Try later."]}',
      'The disk is full. Try later.',
    ],
    ['{"code":"SinkUnavailable"}', '{"code":"SinkUnavailable"}'],
    ['{"code":"E42","reason":["Call us."]}', '{"code":"E42","reason":["Call us."]}'],
    ['<h1>Busy</h1>', '<h1>Busy</h1>'],
  ])('is told by the sentence of a receiver of our make, and by what any other says: %s', async (said, words) => {
    const push = openPlane(memorySource(records(0, 1000)))
    push.answer(() => ok({ status: 503, said }))
    push.start()
    await until(() => push.seen.failed.length === 1, 'the failure')
    expect(push.seen.failed[0]?.message).toBe(`The receiver answered 503: ${words}`)
  })

  it.each([
    ['a refusal', ok({ status: 404 }), 'PartnerRefused'],
    ['a redirect, which is never followed', ok({ status: 302 }), 'PartnerRefused'],
    ['an address that may not be called', problem('AddressRefused', 'leads inside'), 'AddressRefused'],
  ] as const)('is the end at once when it is %s', async (_, answer, code) => {
    const push = openPlane(memorySource(records(0, 1000)))
    push.answer(() => answer)
    push.start()
    await until(() => push.seen.halted.length === 1, 'the halt')
    expect(push.posts).toHaveLength(1)
    expect(push.seen.halted[0]?.code).toBe(code)
    expect(push.plane.active().push).toBe(0)
  })
})

describe('an end in the middle', () => {
  it('takes the delivery under way back, and the same bytes come again under their number', async () => {
    const push = openPlane(memorySource(records(0, 1000)))
    push.answer(() => new Promise(() => {}))
    push.start()
    await until(() => push.posts.length === 1, 'the delivery')
    push.plane.stop(PID, { code: 'GrantEnded', message: 'The transfer is suspended.' })
    expect(push.posts[0]?.signal.aborted).toBe(true)
    push.answer(() => ok({ status: 200 }))
    push.start({}, 'b'.repeat(64))
    await until(() => push.kept.state()?.batches === 1, 'the acknowledgement')
    expect(push.posts).toHaveLength(2)
    expect(push.posts[1]?.body).toBe(push.posts[0]?.body)
    expect(push.posts[1]?.number).toBe('"1"')
    expect(push.seen).toMatchObject({ failed: [], halted: [], stopped: [] })
  })

  it('by a restart repeats what was not acknowledged and books it only once', async () => {
    const kept = memoryJournal()
    const source = memorySource(records(0, 1500))
    const before = openPlane(source, kept)
    before.answer(() => new Promise(() => {}))
    before.start({ countLimit: 1500 })
    await until(() => before.posts.length === 1, 'the delivery')
    const after = openPlane(source, kept)
    after.start({ countLimit: 1500 })
    await until(() => after.posts.length === 1, 'the repeated delivery')
    await turns()
    after.time.advance(1000)
    await until(() => after.posts.length === 2, 'the rest')
    expect(after.posts[0]?.body).toBe(before.posts[0]?.body)
    expect(after.ids()).toEqual(idsOf(0, 1500))
    expect(kept.booked()).toBe(1500)
  })

  it('by the contract ends the push with the reason, also while it waits', async () => {
    const push = openPlane(memorySource(records(0, 1000)))
    push.start({ notAfter: (T0 + 86_400_000 + 60_000) as EpochMs })
    await until(() => push.kept.state()?.batches === 1, 'the acknowledgement')
    await turns()
    push.time.advance(60_000)
    await until(() => push.seen.stopped.length === 1, 'the end')
    expect(push.seen.stopped[0]?.code).toBe('PolicyDenied')
    expect(push.plane.active().push).toBe(0)
  })

  it('by the quota comes behind the last record that was agreed', async () => {
    const push = openPlane(memorySource(records(0, 2000)))
    push.start({ countLimit: 1200 })
    await until(() => push.seen.stopped.length === 1, 'the end')
    expect(push.ids()).toEqual(idsOf(0, 1200))
    expect(push.seen.stopped[0]?.code).toBe('QuotaExhausted')
  })
})

describe('a source', () => {
  it('that cannot be read is tried again behind the last acknowledged record', async () => {
    const source = memorySource(records(0, 2000))
    source.failAt(1500)
    const push = openPlane(source)
    push.start()
    await until(() => push.seen.failed.length === 1, 'the failure')
    source.failAt(Number.POSITIVE_INFINITY)
    push.time.advance(500)
    await until(() => push.posts.length === 2, 'the second batch')
    expect(push.ids()).toEqual(idsOf(0, 2000))
    expect(push.seen).toMatchObject({ halted: [], stopped: [] })
  })

  it('that was replaced by another one is left within moments, and that one is gone on with', async () => {
    const first = memorySource(records(0, 1000))
    const second = memorySource(records(0, 2000))
    let source = first
    const push = openPlane(() => ok(source))
    push.start()
    await until(() => push.kept.state()?.batches === 1, 'the first delivery')
    await turns()
    source = second
    push.time.advance(15_000)
    await until(() => push.posts.length === 2, 'the second delivery')
    expect(push.ids()).toEqual(idsOf(0, 2000))
    expect(push.seen.failed).toEqual([])
  })

  it('that has lost the last acknowledged record is delivered as it is, and the gap is told', async () => {
    const kept = memoryJournal()
    await kept.journal.write(PID, { batches: 4, records: 10, bytes: 100, position: 'p9' })
    const push = openPlane(memorySource(records(20, 1020)), kept)
    push.start()
    await until(() => push.posts.length === 1, 'the delivery')
    expect(push.posts[0]?.number).toBe('"5"')
    expect(push.ids()).toEqual(idsOf(20, 1020))
    expect(push.seen.failed[0]?.message).toContain('everything that is there now is delivered')
  })

  it('is read up to the end of the time that is wanted, and the push is complete when that has passed', async () => {
    const source = memorySource(records(86_400, 86_403))
    const push = openPlane(source)
    push.start({}, undefined, T0 + 86_410_000)
    await turns()
    source.append(record(86_405, T0 + 86_405_000), record(86_410, T0 + 86_410_000))
    await turns()
    push.time.advance(1000)
    await until(() => push.posts.length === 1, 'the delivery')
    await turns()
    expect(push.seen.completed).toBe(0)
    push.time.advance(9000)
    await until(() => push.seen.completed === 1, 'the end')
    expect(push.ids()).toEqual(['p86400', 'p86401', 'p86402', 'p86405'])
    push.start({}, 'c'.repeat(64), T0 + 86_410_000)
    await until(() => push.seen.completed === 2, 'the end again')
    expect(push.posts).toHaveLength(1)
  })
})

describe('a file', () => {
  const file = () => {
    let version = 0
    const source: Source = {
      kind: 'bytes',
      describe: async () =>
        ok({ size: 9, mediaType: 'text/plain', etag: `"v${version}"`, fileName: 'report.txt' }),
      open: ({ etag }) => Readable.from([Buffer.from(`content ${etag?.slice(2, 3)}`)]),
    }
    return {
      source,
      renew: () => {
        version += 1
      },
    }
  }
  /** Refuses for the time being, and lets the file become another one each time. */
  const refusing = (push: ReturnType<typeof openPlane>, renew: () => void) => {
    push.answer(() => {
      renew()
      return ok({ status: 503 })
    })
  }

  it('that became another one after a failed delivery is counted as another one', async () => {
    const { source, renew } = file()
    const push = openPlane(source)
    refusing(push, renew)
    push.start({ countLimit: 2 })
    await until(() => push.seen.failed.length === 1, 'the first failure')
    push.time.advance(1000)
    await until(() => push.seen.failed.length === 2, 'the second failure')
    push.time.advance(2000)
    await until(() => push.seen.stopped.length === 1, 'the end')
    expect(push.seen.stopped[0]?.code).toBe('QuotaExhausted')
    expect([push.posts.length, push.kept.booked()]).toEqual([2, 2])
  })

  it('that is the same after a failed delivery is counted once, also over a restart', async () => {
    const { source } = file()
    const kept = memoryJournal()
    const before = openPlane(source, kept)
    refusing(before, () => {})
    before.start({ countLimit: 1 })
    await until(() => before.seen.failed.length === 1, 'the failure')
    before.plane.stop(PID, { code: 'GrantEnded', message: 'The transfer is suspended.' })
    const after = openPlane(source, kept)
    after.start({ countLimit: 1 })
    await until(() => after.seen.completed === 1, 'the delivery')
    expect(kept.booked()).toBe(1)
  })
})

describe('a dataset that is described otherwise', () => {
  it('is pushed as it is from then on, behind the last acknowledged record', async () => {
    const source = memorySource(records(0, 1000))
    let signals = SIGNALS
    const push = openPlane(source, undefined, () => signals)
    push.start()
    await until(() => push.kept.state()?.batches === 1, 'the first delivery')
    expect(push.posts[0]?.body).toContain('"temp"')
    signals = SIGNALS.filter(({ name }) => name !== 'temp')
    push.plane.refresh('dataset')
    source.append(record(1000, T0 + 1_000_000, { temp: 1, load: 2 }))
    await turns()
    push.time.advance(1000)
    await until(() => push.posts.length === 2, 'the second delivery')
    expect(linesOf(push.posts[1]?.body ?? '')).toEqual([
      { id: 'p1000', ts: '2026-01-01T00:16:40.000Z', load: 2 },
    ])
    expect(push.seen).toMatchObject({ halted: [], stopped: [] })
  })
})

describe('a push under a contract with times and days', () => {
  const HOUR = 3_600_000

  it('waits for the next day when the quota of the day is used up, over a restart as well', async () => {
    const source = memorySource(records(0, 5))
    const kept = memoryJournal()
    const terms = { recordsPerDay: 2 }
    const first = openPlane(source, kept)
    first.start(terms)
    await turns()
    first.time.advance(1000)
    await until(() => first.ids().length === 2, 'the first day')
    await turns()
    first.time.advance(23 * HOUR)
    await turns()
    expect(first.ids()).toEqual(idsOf(0, 2))
    expect(first.seen.stopped).toEqual([])
    await first.plane[Symbol.asyncDispose]()

    // The second program begins on the same day: what was used stays used.
    const second = openPlane(source, kept)
    second.start(terms)
    await turns()
    second.time.advance(1000)
    await turns()
    expect(second.posts).toEqual([])
    second.time.advance(24 * HOUR)
    await until(() => second.ids().length === 2, 'the second day')
    await turns()
    second.time.advance(24 * HOUR)
    await until(() => second.ids().length === 3, 'the third day')
    expect(second.ids()).toEqual(idsOf(2, 5))
    expect(second.seen.halted).toEqual([])
  })

  it('waits for the time of day, and books nothing before', async () => {
    // It is midnight.
    const push = openPlane(memorySource(records(0, 3)))
    push.start({ hours: [[6 * HOUR, 22 * HOUR]], countLimit: 10 })
    await turns()
    push.time.advance(1000)
    await turns()
    push.time.advance(6 * HOUR - 1001)
    await turns()
    expect([push.posts.length, push.kept.booked()]).toEqual([0, 0])
    push.time.advance(1)
    await until(() => push.posts.length === 1, 'the morning')
    expect(push.ids()).toEqual(idsOf(0, 3))
    expect(push.kept.booked()).toBe(3)
  })
})
