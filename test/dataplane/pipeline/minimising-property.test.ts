/**
 * What holds for the measures that make data coarser: the stricter contract follows from the looser one, nothing that was
 * removed or replaced is in the bytes, and two contracts together tell no more than they may.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvEncoder, csvHeader, jsonEncoder } from '../../../connector/dataplane/delivery/encode.js'
import { compileShape } from '../../../connector/dataplane/pipeline.js'
import type { DataRecord, Signal } from '../../../connector/dataplane/record.js'
import type { Plan } from '../../../connector/policy/plan.js'
import { plan, RECIPIENT } from '../support/data-plane-server.js'
import { record } from '../support/memory-source.js'

const SIGNALS: readonly Signal[] = [
  { name: 'a', type: 'number' },
  { name: 'b', type: 'number' },
]
const keyOf = (byte: number) => new Uint8Array(32).fill(byte)
const shapeAll = (terms: Partial<Plan>, records: readonly DataRecord[], key = keyOf(1), signals = SIGNALS) =>
  compileShape(plan(terms), signals, RECIPIENT, key).run({}).shape(records)
const plain = (records: readonly DataRecord[]): unknown => JSON.parse(JSON.stringify(records))

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true })
/** Lengths of the ladder of windows, milliseconds. */
const LADDER = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000] as const
const two = fc
  .tuple(fc.constantFrom(...LADDER), fc.constantFrom(...LADDER))
  .map(([p, q]) => [Math.min(p, q), Math.max(p, q)] as const)

/** Records that come unevenly, some late. */
const uneven = (unit: number) =>
  fc
    .array(
      fc.record({ step: fc.integer({ min: -unit, max: 2 * unit }), a: fc.integer({ min: -99, max: 99 }) }),
      {
        minLength: 20,
        maxLength: 150,
      },
    )
    .map((steps) => {
      let time = 10 * unit
      return steps.map(({ step, a }, n) => {
        time = Math.max(0, time + step)
        return record(n, time, { a }, n % 3 === 0 ? 'm1' : 'm2')
      })
    })

describe('(a) of a stricter contract', () => {
  it('the steps of single signals follow from finer ones', () => {
    const steps = [0.1, 0.5, 1, 5, 10, 50]
    fc.assert(
      fc.property(
        fc.array(fc.record({ a: number, b: number }), { maxLength: 20 }),
        fc.nat(5),
        fc.nat(5),
        fc.nat(5),
        (values, fine, coarser, common) => {
          const records = values.map((value, n) => record(n, n * 1000, value))
          const [p, q] = [steps[Math.min(fine, coarser)] ?? 1, steps[Math.max(fine, coarser)] ?? 1]
          const loose = shapeAll({ valueSteps: { a: p } }, records)
          const strict = { valueSteps: { a: Math.max(q, steps[common] ?? 1) }, valueStep: steps[common] ?? 1 }
          expect(plain(shapeAll(strict, loose))).toEqual(plain(shapeAll(strict, records)))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('a sample of records that come evenly is part of a denser one', () => {
    fc.assert(
      fc.property(two, fc.constantFrom(100, 500, 1_000), fc.nat(50), ([fine, coarse], period, start) => {
        fc.pre(fine % period === 0)
        const records = [...Array(400).keys()].map((n) => record(n, (start * 60 + n) * period, { a: n }))
        const taken = (samplingIntervalMs: number) =>
          shapeAll({ samplingIntervalMs }, records).map(({ position }) => position)
        const dense = new Set(taken(fine))
        // Both begin cold at the first record; from the next common block on they are aligned.
        const from = Math.ceil((start * 60 * period) / 3_600_000) * 3_600_000
        const later = new Set(records.filter(({ time }) => time >= from).map(({ position }) => position))
        for (const position of taken(coarse))
          if (later.has(position) && coarse <= 60_000) expect(dense.has(position)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  it('a sample of any records is never denser than its own distance', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LADDER.slice(0, 6)), uneven(20_000), (samplingIntervalMs, records) => {
        for (const series of ['m1', 'm2']) {
          const times = shapeAll({ samplingIntervalMs }, records)
            .filter((one) => one.series === series)
            .map(({ time }) => Number(time))
            .sort((x, y) => x - y)
          times.slice(1).forEach((time, n) => {
            expect(time - (times[n] ?? 0)).toBeGreaterThanOrEqual(samplingIntervalMs)
          })
        }
      }),
      { numRuns: 200 },
    )
  })

  it('what longer windows say follows from shorter ones, wherever none of these was withheld', () => {
    fc.assert(
      fc.property(
        two.filter(([fine, coarse]) => fine < coarse),
        fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 40, maxLength: 200 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 200, maxLength: 200 }),
        ([fine, coarse], values, gaps) => {
          let at = 0
          const records = values.map((a, n) => {
            at += ((gaps[n] ?? 0) * fine) / 4
            return record(n, at, { a })
          })
          const over = (aggregationWindowMs: number) =>
            shapeAll({ aggregationWindowMs, aggregations: ['mean', 'min', 'max', 'sum', 'count'] }, records)
          const parts = new Map<number, readonly DataRecord[]>()
          for (const one of over(fine)) {
            const start = Math.floor(one.time / coarse) * coarse
            parts.set(start, [...(parts.get(start) ?? []), one])
          }
          for (const { time, values: whole } of over(coarse)) {
            const all = (name: string) =>
              (parts.get(time) ?? []).map(({ values: of }) => Number(of[`a.${name}`]))
            const total = (name: string) => all(name).reduce((sum, one) => sum + one, 0)
            // A shorter window of one or two values is withheld: its values are in the longer one only.
            if (total('count') !== whole['a.count']) continue
            expect(total('sum')).toBe(whole['a.sum'])
            expect(Math.min(...all('min'))).toBe(whole['a.min'])
            expect(Math.max(...all('max'))).toBe(whole['a.max'])
            expect(total('sum') / total('count')).toBe(whole['a.mean'])
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('(b) in no format and under no name', () => {
  const NAMES: readonly Signal[] = [
    { name: 'machineId', type: 'string' },
    { name: 'worker', type: 'string' },
    { name: 'order', type: 'string', identifies: true },
    { name: 'recipe', type: 'string' },
    { name: 'temp', type: 'number' },
    { name: 'load', type: 'number' },
  ]
  const rows = fc.array(
    fc.record({
      who: fc.nat(9),
      temp: fc.double({ min: -100, max: 100, noNaN: true }),
      load: fc.double({ min: 0.111, max: 0.999, noNaN: true }),
    }),
    { minLength: 4, maxLength: 30 },
  )
  const bytesOf = (terms: Partial<Plan>, records: readonly DataRecord[]) => {
    const shape = compileShape(plan(terms), NAMES, RECIPIENT, keyOf(7))
    const [json, csv] = [jsonEncoder(shape.columns), csvEncoder(shape.columns)]
    const shaped = shape.run({}).shape(records)
    return csvHeader(shape.columns) + shaped.map((one) => json(one) + csv(one)).join('\n')
  }

  it('do a name behind a pseudonym, a value before its deviation, or a removed value appear', () => {
    fc.assert(
      fc.property(rows, fc.option(fc.constantFrom(1_000, 60_000), { nil: undefined }), (values, window) => {
        const records = values.map(({ who, temp, load }, n) =>
          record(
            n,
            n * 400,
            {
              machineId: `<m${who}>`,
              worker: `<w${who}>`,
              order: `<o${who}>`,
              recipe: `<r${who}>`,
              temp,
              load,
            },
            `<m${who}>`,
          ),
        )
        const bytes = bytesOf(
          {
            shapes: ['urn:sha256:0'],
            pseudonym: 'agreement',
            identifying: ['worker'],
            withheld: ['recipe'],
            valueSteps: { temp: 0.5, load: 0.1 },
            noise: { load: { epsilon: 0.5, sensitivity: 1 } },
            ...(window !== undefined && { aggregationWindowMs: window, aggregations: ['mean', 'max'] }),
          },
          records,
        )
        expect(bytes).not.toMatch(/<[mwor]\d>/)
        expect(bytes).not.toContain('recipe')
        for (const { temp, load } of values) {
          for (const exact of [temp, load]) {
            if (String(exact).length > 6) expect(bytes).not.toContain(String(exact))
          }
        }
      }),
      { numRuns: 150 },
    )
  })
})

describe('(d) two contracts with deviations', () => {
  const amount = { epsilon: 0.5, sensitivity: 10 }
  const terms = { valueSteps: { a: 1 }, noise: { a: amount } }
  const deviations = (key: number) =>
    shapeAll(
      terms,
      [...Array(20_000).keys()].map((n) => record(n, n, { a: 50 })),
      keyOf(key),
    ).map(({ values }) => Number(values.a) - 50)
  const spread = (of: readonly number[]) => Math.sqrt(of.reduce((sum, x) => sum + x * x, 0) / of.length)

  it('deviate independently: neither their difference nor their mean tells the value', () => {
    const [first, second] = [deviations(1), deviations(2)]
    // The variance is 2q/(1-q)^2 with q = e^-0.05: 28.3 squared. Of a difference it is twice, of a mean half of that.
    expect(spread(first)).toBeGreaterThan(27)
    expect(spread(first)).toBeLessThan(29.5)
    expect(spread(first.map((x, n) => x - (second[n] ?? 0)))).toBeGreaterThan(38.5)
    expect(spread(first.map((x, n) => (x + (second[n] ?? 0)) / 2))).toBeGreaterThan(19)
  })

  it('agree no more often than chance has it', () => {
    const [first, second] = [deviations(3), deviations(4)]
    const equal = first.filter((x, n) => x === second[n]).length / first.length
    // The chance that two such deviations are equal: (1-q)/(1+q)^3 * (1+q^2), 1.25 percent.
    expect(equal).toBeGreaterThan(0.009)
    expect(equal).toBeLessThan(0.016)
  })

  it('give one who asks again under one of them nothing new', () => {
    expect(deviations(5)).toEqual(deviations(5))
  })
})
