import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileShape } from '../../../connector/dataplane/pipeline.js'
import type { DataRecord, Signal } from '../../../connector/dataplane/record.js'
import { exponential } from '../../../connector/dataplane/stages/noise.js'
import type { Plan } from '../../../connector/policy/plan.js'
import { plan, RECIPIENT } from '../support/data-plane-server.js'
import { record } from '../support/memory-source.js'

const SIGNALS: readonly Signal[] = [
  { name: 'temp', type: 'number' },
  { name: 'load', type: 'number' },
]
const KEY = Uint8Array.from({ length: 32 }, (_, n) => n)
const OTHER_KEY = Uint8Array.from({ length: 32 }, (_, n) => n + 1)

const shape = (terms: Partial<Plan>, key: Uint8Array | undefined = KEY) =>
  compileShape(plan(terms), SIGNALS, RECIPIENT, key)
const shaped = (terms: Partial<Plan>, records: readonly DataRecord[], key = KEY) =>
  shape(terms, key).run({}).shape(records)

/** Half a degree per step, twenty steps to hide: typically 40 steps of deviation. */
const NOISY = { valueSteps: { temp: 0.5 }, noise: { temp: { epsilon: 0.5, sensitivity: 10 } } } as const

describe('what is drawn', () => {
  // From an implementation of its own: the part is the largest whole number not above ln u / ln q, in 60 decimal digits.
  it.each([
    ['press-1', 1_780_000_000_000, 71.7, 71.5],
    ['press-1', 1_780_000_001_000, 71.7, 71.5 - 59 * 0.5],
    ['press-2', 1_780_000_000_000, 71.7, 71.5 - 0.5],
    ['press-1', 1_780_000_000_000, 72.4, 72 + 86 * 0.5],
    ['press-1', -5, 0.2, 13.5],
  ])('for %s at %d with %d is always the same: %d', (series, time, temp, expected) => {
    expect(shaped(NOISY, [record(1, time, { temp }, series)])[0]?.values).toEqual({ temp: expected })
  })

  it('goes by the result of a window where values are combined, and leaves the number of values alone', () => {
    const records = [...Array(4).keys()].map((n) => record(n, n * 1000, { load: -6.9 }, ''))
    const terms = {
      aggregationWindowMs: 60_000,
      aggregations: ['mean', 'count'],
      valueSteps: { load: 1 },
      noise: { load: { epsilon: 0.01, sensitivity: 1000 } },
    }
    const [first] = shaped(terms, [
      ...records,
      record(8, 60_000, { load: 0 }, ''),
      record(9, 120_000, { load: 0 }, ''),
      record(10, 180_000, { load: 0 }, ''),
    ])
    // The oracle draws -8598 for this window and -7 steps.
    expect(first?.values).toEqual({ 'load.mean': -7 - 8598, 'load.count': 4 })
  })

  it('is the same in a batch, one by one, and in any order of asking', () => {
    const records = [...Array(50).keys()].map((n) => record(n, n * 1000, { temp: n }, n % 2 ? 'a' : 'b'))
    const whole = shaped(NOISY, records)
    const single = records.flatMap((one) => shaped(NOISY, [one]))
    expect(single).toEqual(whole)
    expect(new Set(whole.map(({ values }, n) => Number(values.temp) - n)).size).toBeGreaterThan(20)
  })

  it('differs under another agreement, and for a record that was corrected', () => {
    const of = (temp: number, key = KEY) =>
      [...Array(200).keys()].map((n) => Number(shaped(NOISY, [record(1, n, { temp })], key)[0]?.values.temp))
    const [ours, theirs, corrected] = [of(20), of(20, OTHER_KEY), of(20.5)]
    expect(ours.filter((value, n) => value === theirs[n]).length).toBeLessThan(20)
    expect(ours.filter((value, n) => value + 0.5 === corrected[n]).length).toBeLessThan(20)
  })
})

describe('the deviation', () => {
  const drawn = (temp: number, count: number, terms: Partial<Plan> = NOISY) => {
    const run = shape(terms).run({})
    return run
      .shape([...Array(count).keys()].map((n) => record(n, n, { temp })))
      .map(({ values }) => Number(values.temp))
  }

  it('is centred on the rounded value and as wide as agreed', () => {
    const steps = drawn(20.3, 40_000).map((value) => (value - 20) / 0.5)
    const mean = steps.reduce((sum, x) => sum + x, 0) / steps.length
    const spread = steps.reduce((sum, x) => sum + Math.abs(x), 0) / steps.length
    // 1 / sinh(0.5 / 20) = 39.996 steps; five standard errors of the sample.
    expect(Math.abs(mean)).toBeLessThan(1.5)
    expect(Math.abs(spread - 39.996)).toBeLessThan(1)
  })

  it('lets no result be more than e^epsilon times as likely for one of two values within the sensitivity', () => {
    // Three steps apart at most, epsilon 1: e = 2.718.
    const terms = { valueSteps: { temp: 1 }, noise: { temp: { epsilon: 1, sensitivity: 3 } } }
    const count = 60_000
    const histogram = (temp: number) => {
      const seen = new Map<number, number>()
      for (const value of drawn(temp, count, terms)) seen.set(value, (seen.get(value) ?? 0) + 1)
      return seen
    }
    const [a, b] = [histogram(10), histogram(13)]
    const ratios = [...a].flatMap(([value, times]) => {
      const other = b.get(value) ?? 0
      return times > 1500 && other > 0 ? [times / other] : []
    })
    expect(ratios.length).toBeGreaterThan(3)
    // Up to chance in the sample; and the bound is reached, so that it is not merely more noise than agreed.
    expect(Math.max(...ratios)).toBeLessThan(Math.E * 1.12)
    expect(Math.max(...ratios)).toBeGreaterThan(Math.E * 0.88)
  })

  it('is in whole steps, so that nothing of the rounding is undone', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.nat(1e9), (temp, time) => {
        const value = Number(shaped(NOISY, [record(1, time, { temp })])[0]?.values.temp)
        expect(Number.isInteger(value * 2)).toBe(true)
      }),
    )
  })

  it('leaves other signals alone', () => {
    expect(shaped(NOISY, [record(1, 0, { temp: 1, load: 0.123 })])[0]?.values.load).toBe(0.123)
  })
})

describe('a value that gets no deviation', () => {
  it.each([
    ['a number as a text', '71.7'],
    ['a text', 'hot'],
    ['nothing', null],
    ['a truth value', true],
    ['a number out of reach', 1e300],
    ['a number of which no half can be told any more', 2 ** 50],
  ])('is not delivered at all: %s', (_what, temp) => {
    expect(shaped(NOISY, [record(1, 0, { temp, load: 1 })])[0]?.values).toEqual({ load: 1 })
  })

  it('has no way out when the key is missing', () => {
    expect(() => compileShape(plan(NOISY), SIGNALS, RECIPIENT)).toThrow(
      'the key of the deviations is missing',
    )
    expect(() => shape(NOISY, new Uint8Array(31))).toThrow('the key of the deviations is missing')
  })
})

it('rounds single signals by their own steps and all others by the common one', () => {
  const terms = { valueSteps: { temp: 5 }, valueStep: 0.5 }
  expect(shaped(terms, [record(1, 0, { temp: 13.7, load: 13.7 })])[0]?.values).toEqual({
    temp: 10,
    load: 13.5,
  })
})

it('raises e to a power as the textbook does, without asking the engine', () => {
  // From a table of the exponential function, 16 digits.
  expect(exponential(0)).toBe(1)
  expect(exponential(-1)).toBeCloseTo(0.3678794411714423, 13)
  expect(exponential(-0.025)).toBeCloseTo(0.9753099120283326, 15)
  expect(exponential(-20) / 2.061153622438558e-9).toBeCloseTo(1, 11)
  expect(exponential(-1e9)).toBe(0)
})
