/**
 * What holds for every stream: a stricter contract gives nothing that a looser one does not give, what was removed is
 * nowhere in the bytes, a quota is never exceeded over any restart, and what is combined over windows is a function of the
 * source alone, wherever somebody begins or goes on.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bookInto, NOTHING_USED, type Used } from '../../../connector/core/quota.js'
import type { EpochMs } from '../../../connector/core/types.js'
import { csvEncoder, csvHeader, jsonEncoder } from '../../../connector/dataplane/delivery/encode.js'
import { compileShape } from '../../../connector/dataplane/pipeline.js'
import { openReading, type Wanted } from '../../../connector/dataplane/reading.js'
import type { DataRecord, Signal } from '../../../connector/dataplane/record.js'
import { stepFor, windowFor } from '../../../connector/policy/ladder.js'
import type { Plan } from '../../../connector/policy/plan.js'
import { plan, RECIPIENT } from '../support/data-plane-server.js'
import { memorySource, record } from '../support/memory-source.js'

const SIGNALS: readonly Signal[] = [
  { name: 'a', type: 'number' },
  { name: 'b', type: 'number' },
  { name: 'c', type: 'integer' },
]
const NAMES = SIGNALS.map(({ name }) => name)
const SERIES = ['m1', 'm2', 'm3']
const MINUTE = 60_000

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true })
const dense = fc
  .array(
    fc.record({
      step: fc.integer({ min: 0, max: 90_000 }),
      series: fc.constantFrom(...SERIES),
      a: number,
      b: number,
      c: fc.integer(),
    }),
    {
      maxLength: 60,
    },
  )
  .map((steps) => {
    let time = 0
    return steps.map(({ step, series, ...values }, n): DataRecord => {
      time += step
      return record(n, time, values, series)
    })
  })

const shapeAll = (terms: Partial<Plan>, records: readonly DataRecord[]) =>
  compileShape(plan(terms), SIGNALS, RECIPIENT).run({}).shape(records)

const subsetOf = (names: readonly string[]) => fc.subarray([...names], { minLength: 1 })
const steps = fc.constantFrom(0.1, 0.5, 1, 5, 10, 50, 1000)

describe('(a) a stricter contract', () => {
  it('gives what can be made of the output of the looser one', () => {
    fc.assert(
      fc.property(
        dense,
        subsetOf(NAMES).chain((loose) => fc.tuple(fc.constant(loose), subsetOf(loose))),
        subsetOf(SERIES).chain((loose) => fc.tuple(fc.constant(loose), subsetOf(loose))),
        fc.tuple(steps, steps),
        fc.option(fc.constantFrom(60_000, 600_000), { nil: undefined }),
        (records, [looseFields, strictFields], [looseRows, strictRows], [one, other], interval) => {
          const [looseStep, strictStep] = one <= other ? [one, other] : [other, one]
          const sampled = interval === undefined ? {} : { samplingIntervalMs: interval }
          const terms = (fields: readonly string[], only: readonly string[], valueStep: number) => ({
            fields,
            rows: { machineId: { only } },
            valueStep,
            ...sampled,
          })
          const strict = shapeAll(terms(strictFields, strictRows, strictStep), records)
          const loose = shapeAll(terms(looseFields, looseRows, looseStep), records)
          // Nothing but the delivered records of the looser contract goes in here.
          const derived = loose
            .filter(({ series }) => strictRows.includes(series))
            .map((delivered) => ({
              ...delivered,
              values: Object.fromEntries(
                Object.entries(delivered.values)
                  .filter(([name]) => strictFields.includes(name))
                  .map(([name, value]) => [name, cut(Number(value), strictStep)]),
              ),
            }))
          expect(plain(strict)).toEqual(plain(derived))
        },
      ),
      { numRuns: 150 },
    )
  })
})

/** Written from the definition: the largest multiple of the step that is not above the value, of a decimal as shown. */
function cut(value: number, step: number): number {
  const digits = Math.max(0, Math.ceil(-Math.log10(step)))
  const quotient = value / step
  const whole =
    Math.abs(quotient - Math.round(quotient)) < 1e-14 * Math.abs(quotient)
      ? Math.round(quotient)
      : Math.floor(quotient)
  return Number((whole * step).toFixed(digits))
}

/** Without the sign of zero, which is not delivered either. */
const plain = (records: readonly DataRecord[]): unknown => JSON.parse(JSON.stringify(records))

describe('(b) a value that was removed', () => {
  it('is nowhere in the bytes, in no format', () => {
    const texts: readonly Signal[] = ['x', 'y', 'line'].map((name) => ({ name, type: 'string' }))
    const rows = fc.array(
      fc.record({
        x: fc.constantFrom('1', '2'),
        y: fc.constantFrom('1', '2'),
        line: fc.constantFrom('A', 'B'),
      }),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(rows, subsetOf(['x', 'y', 'line']), fc.boolean(), (values, kept, byName) => {
        const removed = ['x', 'y', 'line'].filter((name) => !kept.includes(name))
        const records = values.map((value, n) =>
          record(n, n * 1000, {
            x: `<x${value.x}>`,
            y: `<y${value.y}>`,
            line: `<line${value.line}>`,
            hidden: '<hidden>',
          }),
        )
        const terms = byName ? { fields: kept } : { withheld: removed }
        const shape = compileShape(
          plan({ ...terms, rows: { line: { only: ['<lineA>'] } } }),
          texts,
          RECIPIENT,
        )
        const shaped = shape.run({}).shape(records)
        const [json, csv] = [jsonEncoder(shape.columns), csvEncoder(shape.columns)]
        const bytes = csvHeader(shape.columns) + shaped.map((one) => json(one) + csv(one)).join('')
        for (const name of [...removed, 'hidden']) expect(bytes).not.toContain(`<${name}`)
        expect(bytes).not.toContain('<lineB>')
        for (const name of removed) expect(csvHeader(shape.columns).trim().split(',')).not.toContain(name)
      }),
      { numRuns: 150 },
    )
  })
})

describe('(c) a quota', () => {
  it('is never exceeded, whatever is asked for, however often the connector dies between booking and delivery', () => {
    const step = fc.record({
      sizes: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }),
      day: fc.integer({ min: 0, max: 3 }),
      dies: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (all) => {
        const [most, records, bytes] = [25, 7, 90]
        let total = 0
        const days = new Map<number, Used['day']>()
        const delivered = { total: 0, days: new Map<number, { records: number; bytes: number }>() }
        for (const { sizes, day, dies } of all) {
          const used = { total, day: days.get(day) ?? NOTHING_USED.day }
          const asked = { records: sizes.length, sizes }
          const booked = bookInto(used, asked, { total: most, day: { number: day, records, bytes } })
          total = booked.used.total
          days.set(day, booked.used.day)
          if (dies) continue
          const given = sizes.slice(0, booked.granted)
          delivered.total += given.length
          const on = delivered.days.get(day) ?? { records: 0, bytes: 0 }
          on.records += given.length
          on.bytes += given.reduce((sum, size) => sum + size, 0)
          delivered.days.set(day, on)
        }
        expect(delivered.total).toBeLessThanOrEqual(most)
        for (const on of delivered.days.values()) {
          expect(on.records).toBeLessThanOrEqual(records)
          expect(on.bytes).toBeLessThanOrEqual(bytes)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('(d) two contracts of one consumer', () => {
  it('with different steps: the coarser value follows from the finer one', () => {
    fc.assert(
      fc.property(
        number,
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        (value, p, q) => {
          const [fine = 1, coarse = 1] = [stepFor('gteq', Math.min(p, q)), stepFor('gteq', Math.max(p, q))]
          const of = (valueStep: number, a: number) =>
            shapeAll({ valueStep, fields: ['a'] }, [record(1, 0, { a })])[0]?.values.a
          const finer = of(fine, value)
          expect(Number(of(coarse, Number(finer))) + 0).toBe(Number(of(coarse, value)) + 0)
          expect(coarse / fine).toBeCloseTo(Math.round(coarse / fine), 6)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('with different windows: sum and count of the longer follow from those of the shorter', () => {
    const lengths = fc.integer({ min: 1_000, max: 20 * MINUTE })
    fc.assert(
      fc.property(
        lengths,
        lengths,
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 50, maxLength: 200 }),
        (p, q, values) => {
          const [fine = 0, coarse = 0] = [Math.min(p, q), Math.max(p, q)].map(
            (ms) => windowFor('gteq', ms)?.ms,
          )
          expect(coarse % fine).toBe(0)
          // Four values in each of the shorter windows, in order.
          const records = values.map((a, n) => record(n, (n * fine) / 4, { a }))
          const over = (aggregationWindowMs: number) =>
            shapeAll({ aggregationWindowMs, aggregations: ['sum', 'count'], fields: ['a'] }, records)
          const sums = new Map<number, { sum: number; count: number }>()
          for (const { time, values: of } of over(fine)) {
            const start = Math.floor(time / coarse) * coarse
            const { sum, count } = sums.get(start) ?? { sum: 0, count: 0 }
            sums.set(start, { sum: sum + Number(of['a.sum']), count: count + Number(of['a.count']) })
          }
          for (const { time, values: of } of over(coarse)) {
            expect(sums.get(time)).toEqual({ sum: of['a.sum'], count: of['a.count'] })
          }
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('windows', () => {
  const shape = compileShape(
    plan({ aggregationWindowMs: MINUTE, aggregations: ['mean', 'count'], samplingIntervalMs: 1_000 }),
    SIGNALS,
    RECIPIENT,
  )
  const NOW = 1e9 as EpochMs
  const unruly = fc
    .array(
      fc.record({
        step: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 0, max: 30_000 }) },
          { weight: 2, arbitrary: fc.integer({ min: -150_000, max: 0 }) },
          { weight: 1, arbitrary: fc.integer({ min: -600_000, max: 600_000 }) },
        ),
        series: fc.constantFrom(...SERIES),
      }),
      { minLength: 1, maxLength: 150 },
    )
    .map((all) => {
      let time = 3_600_000
      return all.map(({ step, series }, n): DataRecord => {
        time = Math.max(0, time + step)
        return record(n, time, { a: n, b: -n }, series)
      })
    })

  async function readAll(records: readonly DataRecord[], wanted: Wanted, batch = 7) {
    const signal = new AbortController().signal
    const reading = await openReading(
      memorySource(records, { batch, leavesOut: 'some' }),
      shape,
      wanted,
      NOW,
      { signal },
    )
    if (!reading.ok) throw new Error(reading.error.message)
    const all: DataRecord[] = []
    for await (const part of reading.value.read(signal)) all.push(...part)
    expect(reading.value.lost()).toBe(false)
    return all
  }

  it('are the same for everybody who goes on behind any of them', async () => {
    await fc.assert(
      fc.asyncProperty(unruly, fc.nat(), async (records, at) => {
        const all = await readAll(records, {})
        expect(new Set(all.map(({ position }) => position)).size).toBe(all.length)
        if (all.length === 0) return
        const n = at % all.length
        expect(await readAll(records, { after: all[n]?.position ?? '' }, 3)).toEqual(all.slice(n + 1))
      }),
      { numRuns: 150 },
    )
  })

  it('are the same for everybody who begins at any time', async () => {
    await fc.assert(
      fc.asyncProperty(unruly, fc.integer({ min: 0, max: 6_000_000 }), async (records, from) => {
        const all = await readAll(records, {})
        const late = await readAll(records, { from: from as EpochMs })
        expect(late).toEqual(all.filter(({ time }) => time >= from))
      }),
      { numRuns: 150 },
    )
  })

  it('that lost records are not delivered by halves', () => {
    const run = shape.run({})
    const rows = [0, 10, 20, 60, 70, 80, 120, 180].map((second, n) => record(n, second * 1000, { a: n }))
    // Everything up to second 5 was removed before the first look: the first window is not whole any more.
    const shaped = compileShape(plan({ aggregationWindowMs: MINUTE }), SIGNALS, RECIPIENT)
      .run({})
      .shape(rows.slice(1), 5_000 as EpochMs)
    expect(shaped.map(({ time }) => time)).toEqual([60_000])
    expect(run.shape(rows).map(({ time }) => time)).toEqual([0, 60_000])
  })
})
