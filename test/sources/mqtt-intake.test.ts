import { expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { createMalformedTally } from '../../connector/dataplane/sources/managed.js'
import { createMapMessage, type NewRecord } from '../../connector/dataplane/sources/mapping.js'
import type { Received } from '../../connector/dataplane/sources/mqtt-connection.js'
import { createIntake } from '../../connector/dataplane/sources/mqtt-intake.js'
import { listen, number } from './support.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const settled = async () => {
  for (let round = 0; round < 4; round += 1) await turn()
}

const message = (packetId: number, n: number, extra: Partial<Received> = {}): Received => ({
  topic: 'a',
  payload: Buffer.from(JSON.stringify({ t: 1_000 + n, n })),
  packetId,
  dup: false,
  retain: false,
  ...extra,
})

/** An intake over a log whose appends end when the test says so. */
function setUp(before: readonly NewRecord[] = []) {
  const appends: { numbers: unknown[]; resolve: () => void; reject: (cause: unknown) => void }[] = []
  const failures: unknown[] = []
  const signals = [number('n')]
  const clock = () => 1e12 as EpochMs
  const intake = createIntake({
    log: {
      append: (_stream, records) =>
        new Promise((resolve, reject) => {
          appends.push({ numbers: records.map(({ values }) => values.n), resolve, reject })
        }),
      read: () => [],
      timeOf: () => undefined,
      removedUntil: () => undefined,
      prune: async () => 0,
      onAppend: () => () => {},
      tail: () => before.map((record, index) => ({ ...record, position: String(index + 1) })),
    },
    stream: 's',
    clock,
    map: createMapMessage(
      { time: { path: 't', format: 'epoch-ms' }, series: { constant: '' }, signals: { n: 'n' } },
      signals,
    ),
    wanted: (topic) => topic !== 'unsubscribed',
    tally: createMalformedTally(listen().report, clock),
    onAppendFailed: (cause) => failures.push(cause),
  })
  const connection = () => {
    const acknowledged: number[] = []
    const acknowledge = (ids: readonly number[]) => void acknowledged.push(...ids)
    let room = 0
    const take = (one: Received) => {
      intake.take(one, acknowledge, () => {
        room += 1
      })
    }
    return { acknowledged, take, room: () => room }
  }
  return { intake, appends, failures, connection }
}

it('puts what arrives together into one append and acknowledges it after that, in order', async () => {
  const { appends, connection } = setUp()
  const { take, acknowledged } = connection()
  for (const n of [1, 2, 3]) take(message(n, n))
  take(message(0, 4))
  await settled()
  expect(appends.map(({ numbers }) => numbers)).toEqual([[1, 2, 3, 4]])
  expect(acknowledged).toEqual([])
  appends[0]?.resolve()
  await settled()
  expect(acknowledged).toEqual([1, 2, 3])
})

it('has several appends under way and acknowledges in the order of receipt even when a later one ends first', async () => {
  const { appends, connection } = setUp()
  const { take, acknowledged } = connection()
  for (const n of [1, 2]) {
    take(message(n, n))
    await settled()
  }
  expect(appends).toHaveLength(2)
  appends[1]?.resolve()
  await settled()
  expect(acknowledged).toEqual([])
  appends[0]?.resolve()
  await settled()
  expect(acknowledged).toEqual([1, 2])
})

it('acknowledges a malformed and an unwanted message too, so that they do not come again', async () => {
  const { appends, connection } = setUp()
  const { take, acknowledged } = connection()
  take(message(1, 1, { payload: Buffer.from('{') }))
  take(message(2, 2, { topic: 'unsubscribed' }))
  await settled()
  expect([appends, acknowledged]).toEqual([[], [1, 2]])
})

it('drops a redelivery only with DUP flag, packet id and content all the same', async () => {
  const { appends, connection, intake } = setUp()
  const { take } = connection()
  const deliver = async (one: Received) => {
    take(one)
    await settled()
    appends.at(-1)?.resolve()
    await settled()
  }
  await deliver(message(7, 1))
  await deliver(message(7, 1, { dup: true }))
  await deliver(message(7, 2, { dup: true }))
  await deliver(message(7, 2))
  await deliver(message(8, 2, { dup: true }))
  intake.forgetSession()
  await deliver(message(8, 2, { dup: true }))
  expect(appends.map(({ numbers }) => numbers)).toEqual([[1], [2], [2], [2], [2]])
  expect(intake.counters()).toEqual({ received: 6, logged: 5, duplicates: 1 })
})

it('does not acknowledge the redelivery of a message whose append then fails, and takes it the next time', async () => {
  const { appends, failures, connection } = setUp()
  const first = connection()
  first.take(message(1, 1))
  await settled()
  const second = connection()
  second.take(message(1, 1, { dup: true }))
  await settled()
  appends[0]?.reject(new Error('disk full'))
  await settled()
  expect([first.acknowledged, second.acknowledged, failures.length]).toEqual([[], [], 1])
  const third = connection()
  third.take(message(1, 1, { dup: true }))
  await settled()
  appends[1]?.resolve()
  await settled()
  expect(appends[1]?.numbers).toEqual([1])
  expect(third.acknowledged).toEqual([1])
})

it('recognises after a restart what is in the log, once each', async () => {
  const { appends, connection } = setUp([{ time: 1_001 as EpochMs, series: '', values: { n: 1 } }])
  const { take } = connection()
  take(message(1, 1))
  take(message(2, 1))
  take(message(3, 2))
  await settled()
  expect(appends.map(({ numbers }) => numbers)).toEqual([[1, 2]])
})

it('stops reading from the broker while ten thousand messages wait to be written', async () => {
  const { appends, connection } = setUp()
  const { take, room } = connection()
  for (let n = 1; n <= 10_000; n += 1) take(message(n, n))
  expect(room()).toBe(9_999)
  await settled()
  appends[0]?.resolve()
  await settled()
  expect(room()).toBe(10_000)
})

it('takes in nothing after it is closed, and settles what it has', async () => {
  const { intake, appends, connection } = setUp()
  const { take, acknowledged } = connection()
  take(message(1, 1))
  const closed = intake.close()
  take(message(2, 2))
  appends[0]?.resolve()
  await closed
  expect(acknowledged).toEqual([1])
  expect(appends.map(({ numbers }) => numbers)).toEqual([[1]])
})
