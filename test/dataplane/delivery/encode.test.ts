import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { EpochMs } from '../../../connector/core/types.js'
import { instantWriter } from '../../../connector/dataplane/delivery/encode.js'

it('writes instants as ISO 8601 in UTC with milliseconds, over the ends of minutes, days and years', () => {
  const write = instantWriter()
  const texts = [
    '2026-12-31T23:59:59.999Z',
    '2027-01-01T00:00:00.000Z',
    '2027-01-01T00:00:07.005Z',
    '2027-01-01T00:01:00.000Z',
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00.000Z',
    '+010000-01-01T00:00:00.000Z',
  ]
  expect(texts.map((text) => write(Date.parse(text) as EpochMs))).toEqual(texts)
})

it('writes what Date writes, whatever came before', () => {
  const times = fc.array(fc.integer({ min: -8.64e15, max: 8.64e15 }), { maxLength: 5 })
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 120_000 }), (starts, step) => {
      const write = instantWriter()
      for (const start of starts) {
        for (const at of [start, Math.min(start + step, 8.64e15)]) {
          expect(write(at as EpochMs)).toBe(new Date(at).toISOString())
        }
      }
    }),
  )
})
