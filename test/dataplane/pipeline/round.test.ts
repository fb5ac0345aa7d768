import fc from 'fast-check'
import { expect, it } from 'vitest'
import { roundingOf } from '../../../connector/dataplane/stages/round.js'

const cut = (value: number, valueStep: number) => roundingOf({ version: 1, hash: '', valueStep })?.(value)

it.each([
  [0.3, 0.1, 0.3],
  [0.29, 0.1, 0.2],
  [-0.05, 0.1, -0.1],
  [-0.3, 0.1, -0.3],
  [7.49, 0.5, 7],
  [7.5, 0.5, 7.5],
  [-1, 5, -5],
  [1e-300, 0.1, 0],
  [-1e-300, 0.1, -0.1],
  // Nearly the next multiple, and still below it.
  [999_999.9999999991, 0.001, 999_999.999],
  [999_999.9999999991, 1, 999_999],
  [123_456_789.123456, 1e-9, 123_456_789.123456],
  [1e22, 0.5, 1e22],
  [-1e22, 50, -1e22],
])('cuts %d by %d to %d', (value, step, expected) => {
  expect(cut(value, step)).toBe(expected)
})

it('is never above the value, and never a whole step below it', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e12, max: 1e12, noNaN: true }),
      fc.constantFrom(0.001, 0.005, 0.1, 0.5, 1, 5, 10, 500),
      (value, step) => {
        const result = cut(value, step) ?? Number.NaN
        expect(result).toBeLessThanOrEqual(value)
        expect(value - result).toBeLessThan(step * (1 + 1e-9) + Math.abs(value) * 1e-15)
      },
    ),
    { numRuns: 2000 },
  )
})
