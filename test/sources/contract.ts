/** What every record source promises, run against each implementation. */
import { expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { type RecordSource, SourceError } from '../../connector/dataplane/ports.js'
import { waitFor } from '../support/wait-for.js'
import { readAll } from './support.js'

export type World = {
  readonly source: RecordSource
  /** Makes a record with signal `n` at START + n seconds of series "m" readable for each number, in this order. */
  add(numbers: readonly number[]): Promise<void>
  /** Numbers of readable records, to wait for. */
  count(): Promise<number>
}

export const START = Date.parse('2023-11-14T22:13:20Z')

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
const timeOf = (n: number) => (START + n * 1_000) as EpochMs

export function recordSourceContract(
  inWorld: (test: (world: World) => Promise<void>) => Promise<void>,
): void {
  const test = (title: string, body: (world: World) => Promise<void>) => it(title, () => inWorld(body))
  const fill = async (world: World, count: number, from = 0) => {
    await world.add(upTo(count).map((n) => n + from))
    await waitFor(async () => (await world.count()) >= from + count, { what: 'the records to be readable' })
  }

  test('says that all its records are of one series when its configuration makes them so', async ({
    source,
  }) => {
    expect(source.oneSeries).toBe(true)
  })

  test('ends at once when there is nothing', async ({ source }) => {
    expect(await readAll(source)).toEqual([])
  })

  test('gives all records in order, in bounded batches, with positions of the agreed form', async (world) => {
    await fill(world, 1_300)
    const sizes: number[] = []
    const records = []
    for await (const batch of world.source.read({ signal: new AbortController().signal })) {
      sizes.push(batch.length)
      records.push(...batch)
    }
    expect(records.map(({ position: _, ...one }) => one)).toEqual(
      upTo(1_300).map((n) => ({ time: timeOf(n), series: 'm', values: { n } })),
    )
    expect(Math.max(...sizes)).toBeLessThanOrEqual(512)
    expect(Math.min(...sizes)).toBeGreaterThan(0)
    expect(new Set(records.map(({ position }) => position)).size).toBe(1_300)
    expect(records.every(({ position }) => /^[A-Za-z0-9._~-]{1,64}$/.test(position))).toBe(true)
  })

  test('goes on right behind a position, and ends behind the last', async (world) => {
    await fill(world, 600)
    const all = await readAll(world.source)
    for (const at of [0, 510, 511, 512, 598]) {
      const rest = await readAll(world.source, { after: all[at]?.position ?? '' })
      expect(rest).toEqual(all.slice(at + 1))
    }
    expect(await readAll(world.source, { after: all[599]?.position ?? '' })).toEqual([])
  })

  test('gives the beginning of a read at once, if it can, and less than asked for at the end only', async (world) => {
    const { source } = world
    if (source.take === undefined) return
    expect(source.take({ about: 5 })).toEqual([])
    await fill(world, 20)
    const all = await readAll(source)
    expect(source.take({ about: 5 })).toEqual(all.slice(0, 5))
    expect(source.take({ about: 5, after: all[16]?.position ?? '' })).toEqual(all.slice(17))
    expect(source.take({ about: 5, from: timeOf(10) }).map(({ values }) => values.n)).toEqual([
      10, 11, 12, 13, 14,
    ])
    expect(source.take({ about: 5, from: timeOf(20) })).toEqual([])
    expect(() => source.take?.({ about: 5, after: 'no such thing' })).toThrow(SourceError)
  })

  test('leaves out no record at or after `from`', async (world) => {
    await world.add([0, 1, 5, 2, 3, 4])
    await waitFor(async () => (await world.count()) === 6)
    const all = await readAll(world.source)
    const wanted = async (from: number, after?: string) =>
      (await readAll(world.source, { from: timeOf(from), ...(after === undefined ? {} : { after }) }))
        .map(({ values }) => values.n)
        .filter((n) => Number(n) >= from)
    expect(await wanted(3)).toEqual([5, 3, 4])
    expect(await wanted(0)).toEqual([0, 1, 5, 2, 3, 4])
    expect(await wanted(3, all[2]?.position)).toEqual([3, 4])
    expect(await wanted(6)).toEqual([])
  })

  test('knows the time at a position, and refuses one that is not there', async (world) => {
    await fill(world, 3)
    const all = await readAll(world.source)
    for (const { position, time } of all)
      expect(await world.source.timeOf(position)).toEqual({ ok: true, value: time })
    for (const position of ['no', '99-99', '999999']) {
      const answer = await world.source.timeOf(position)
      expect(answer.ok ? answer : answer.error.code).toBe('RangeInvalid')
    }
  })

  test('refuses to read behind something that is no position', async (world) => {
    await fill(world, 1)
    const cause = await readAll(world.source, { after: 'no such thing' }).catch((thrown: unknown) => thrown)
    expect(cause instanceof SourceError && cause.problem.code).toBe('RangeInvalid')
  })

  test('wakes every waiting reader when records come, and none before', async (world) => {
    await fill(world, 1)
    const readers = [new AbortController(), new AbortController()]
    let woken = 0
    const waits = []
    for (const { signal } of readers) {
      await readAll(world.source, { signal })
      waits.push(
        world.source.changed(signal).then(() => {
          woken += 1
        }),
      )
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(woken).toBe(0)
    await world.add([1])
    await Promise.all(waits)
    expect((await readAll(world.source)).map(({ values }) => values.n)).toEqual([0, 1])
  })

  test('loses no wake-up between the end of a read and the wait', async (world) => {
    await fill(world, 1)
    const { signal } = new AbortController()
    await readAll(world.source, { signal })
    await fill(world, 1, 1)
    await world.source.changed(signal)
  })

  test('ends reads and waits when the signal aborts', async (world) => {
    await fill(world, 600)
    const abort = new AbortController()
    const seen = []
    for await (const batch of world.source.read({ signal: abort.signal })) {
      seen.push(...batch)
      abort.abort()
    }
    expect(seen.length).toBeLessThan(600)
    await world.source.changed(abort.signal)
    const later = new AbortController()
    await readAll(world.source, { signal: later.signal })
    const waiting = world.source.changed(later.signal)
    later.abort()
    await waiting
  })
}
