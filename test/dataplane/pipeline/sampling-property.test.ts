/**
 * No sequence of queries puts finer data together than one full reading gives. The oracle is the definition: gaps
 * of the union of everything ever delivered, and the full run as its superset.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { EpochMs } from '../../../connector/core/types.js'
import { compileShape } from '../../../connector/dataplane/pipeline.js'
import { openReading, type Wanted } from '../../../connector/dataplane/reading.js'
import type { DataRecord } from '../../../connector/dataplane/record.js'
import { plan, RECIPIENT, SIGNALS } from '../support/data-plane-server.js'
import { memorySource, record } from '../support/memory-source.js'

const INTERVAL = 600_000
const BLOCK = 16 * INTERVAL
const NOW = (6 * BLOCK) as EpochMs
const shape = compileShape(plan({ fields: ['temp'], samplingIntervalMs: INTERVAL }), SIGNALS, RECIPIENT)

const dataOf = fc
  .array(
    fc.record({
      // Mostly forward with steps around the interval, sometimes late, sometimes far ahead.
      step: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 2 * INTERVAL }) },
        { weight: 2, arbitrary: fc.integer({ min: -3 * INTERVAL, max: 0 }) },
        { weight: 1, arbitrary: fc.integer({ min: -2 * BLOCK, max: 2 * BLOCK }) },
      ),
      series: fc.constantFrom('a', 'b'),
      bare: fc.boolean(),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((steps) => {
    let time = BLOCK
    return steps.map(({ step, series, bare }, n): DataRecord => {
      time = Math.max(0, time + step)
      return record(n, time, bare ? { load: 1 } : { temp: n }, series)
    })
  })

const queryOf = fc.record({
  from: fc.option(fc.integer({ min: 0, max: 5 * BLOCK }), { nil: undefined }),
  length: fc.option(fc.integer({ min: 1, max: 2 * BLOCK }), { nil: undefined }),
  after: fc.option(fc.nat(130), { nil: undefined }),
  limit: fc.integer({ min: 1, max: 40 }),
})

function expectDistances(records: readonly DataRecord[]): void {
  for (const series of ['a', 'b']) {
    const times = records.filter((one) => one.series === series).map((one) => one.time)
    times.sort((x, y) => x - y)
    for (let i = 1; i < times.length; i++) {
      expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(INTERVAL)
    }
  }
}

type LeavesOut = 'all' | 'some' | 'none'

/** Where the limit is even the beginning is taken at once. */
async function pull(records: readonly DataRecord[], wanted: Wanted, limit: number, leavesOut: LeavesOut) {
  const source = memorySource(records, { batch: 7, leavesOut, takes: limit % 2 === 0 })
  const { signal } = new AbortController()
  const reading = await openReading(source, shape, wanted, NOW, { signal })
  if (!reading.ok) return []
  const begun = reading.value.take?.(5)
  const found: DataRecord[] = [...(begun?.shaped ?? [])]
  if (begun?.ended === true) return found.slice(0, limit)
  for await (const batch of reading.value.read(signal)) found.push(...batch)
  return found.slice(0, limit)
}

it('delivers, over any set of queries together, a subset of one full run with gaps of at least the interval', async () => {
  await fc.assert(
    fc.asyncProperty(
      dataOf,
      fc.array(queryOf, { minLength: 1, maxLength: 12 }),
      fc.constantFrom<LeavesOut>('all', 'some', 'none'),
      async (data, queries, hint) => {
        const full = new Set(
          (await pull(data, {}, Number.POSITIVE_INFINITY, hint)).map((one) => one.position),
        )
        const union = new Map<string, DataRecord>()
        for (const { from, length, after, limit } of queries) {
          const wanted: Wanted = {
            ...(from !== undefined && { from: from as EpochMs }),
            ...(length !== undefined && { to: ((from ?? 0) + length) as EpochMs }),
            ...(after !== undefined && { after: `p${after}` }),
          }
          for (const one of await pull(data, wanted, limit, hint)) {
            expect(full.has(one.position)).toBe(true)
            if (from !== undefined) expect(one.time).toBeGreaterThanOrEqual(from)
            if (after !== undefined) expect(Number(one.position.slice(1))).toBeGreaterThan(after)
            expect(one.values).not.toHaveProperty('load')
            union.set(one.position, one)
          }
        }
        expectDistances([...union.values()])
      },
    ),
    { numRuns: 300 },
  )
})

it('pages to exactly what one full run gives when records are at most a block late', async () => {
  await fc.assert(
    fc.asyncProperty(dataOf, fc.integer({ min: 1, max: 9 }), async (data, limit) => {
      // Sorting by block keeps records late within a block, and late by less than one across.
      const ordered = data
        .map((one) => ({ one, key: Math.floor(one.time / BLOCK) }))
        .sort((x, y) => x.key - y.key)
        .map(({ one }, n) => ({ ...one, position: `p${n}` }))
      const full = await pull(ordered, {}, Number.POSITIVE_INFINITY, 'all')
      const paged: DataRecord[] = []
      for (;;) {
        const last = paged.at(-1)?.position
        const page = await pull(ordered, last === undefined ? {} : { after: last }, limit, 'all')
        if (page.length === 0) break
        paged.push(...page)
      }
      expect(paged).toEqual(full)
    }),
    { numRuns: 100 },
  )
})

it('goes on behind a record from the far future with everything that came after it', async () => {
  const data = [
    record(0, BLOCK),
    record(1, 9e12),
    record(2, BLOCK + INTERVAL),
    record(3, BLOCK + 2 * INTERVAL),
  ]
  expect((await pull(data, { after: 'p1' }, 9, 'all')).map((one) => one.position)).toEqual(['p2', 'p3'])
})

it('takes nothing from a block of which the source may have left out a part', async () => {
  // The full run takes p1 and therefore never p3; a source that leaves out p1 must not bring p3 out.
  const data = [
    record(1, BLOCK),
    record(2, 4 * BLOCK),
    record(3, BLOCK + INTERVAL / 2),
    record(4, 4 * BLOCK + INTERVAL),
  ]
  expect((await pull(data, {}, 9, 'all')).map((one) => one.position)).toEqual(['p1', 'p2', 'p4'])
  expect((await pull(data, { after: 'p2' }, 9, 'some')).map((one) => one.position)).toEqual(['p4'])
})

it('keeps the distance over readings between which the oldest records are removed', async () => {
  await fc.assert(
    fc.asyncProperty(
      dataOf,
      fc.array(fc.nat(120), { minLength: 1, maxLength: 12 }),
      async (data, removals) => {
        const union = new Map<string, DataRecord>()
        for (const removed of removals.toSorted((a, b) => a - b)) {
          const gone = data.slice(0, removed)
          const source = {
            ...memorySource(data.slice(removed), { batch: 7 }),
            removedUntil: () =>
              gone.length === 0 ? undefined : (Math.max(...gone.map((r) => r.time)) as EpochMs),
          }
          const { signal } = new AbortController()
          const reading = await openReading(source, shape, {}, NOW, { signal })
          if (!reading.ok) throw new Error(reading.error.message)
          for await (const batch of reading.value.read(signal))
            for (const one of batch) union.set(one.position, one)
        }
        expectDistances([...union.values()])
      },
    ),
    { numRuns: 300 },
  )
})

it('goes on without a gap when only records are removed that were read already', async () => {
  const data = Array.from({ length: 40 }, (_, n) => record(n, BLOCK + n * INTERVAL, { temp: n }, 'a'))
  const run = shape.run({})
  const before = run.shape(data.slice(0, 20))
  const after = run.shape(data.slice(20), data[10]?.time)
  expect(before.length + after.length).toBe(40)
})
