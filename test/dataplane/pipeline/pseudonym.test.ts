import { describe, expect, it } from 'vitest'
import { compileShape } from '../../../connector/dataplane/pipeline.js'
import type { Signal } from '../../../connector/dataplane/record.js'
import { plan, RECIPIENT } from '../support/data-plane-server.js'
import { record } from '../support/memory-source.js'

const SIGNALS: readonly Signal[] = [
  { name: 'machineId', type: 'string' },
  { name: 'order', type: 'integer', identifies: true },
  { name: 'temp', type: 'number' },
]
const key = (byte: number) => new Uint8Array(32).fill(byte)
const RECORDS = ['m1', 'm2', 'm1'].map((machine, n) =>
  record(n, n * 1000, { machineId: machine, order: 4711, temp: n }, machine),
)
const shaped = (bytes: Uint8Array | undefined, more = {}) =>
  compileShape(plan({ pseudonym: 'agreement', ...more }), SIGNALS, RECIPIENT, bytes)
    .run({})
    .shape(RECORDS)

describe('pseudonyms', () => {
  it('are the same for the same machine under one agreement, whichever field names it', () => {
    const [first, second, third] = shaped(key(1))
    expect(first?.series).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(first?.series).toBe(third?.series)
    expect(first?.series).not.toBe(second?.series)
    expect(first?.values.machineId).toBe(first?.series)
    expect(first?.values.order).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(first?.values.temp).toBe(0)
  })

  it('of two agreements have none in common', () => {
    const names = (byte: number) => shaped(key(byte)).flatMap(({ series, values }) => [series, values.order])
    const other = new Set(names(2))
    expect(names(1).filter((name) => other.has(name))).toEqual([])
  })

  it('stand in what is combined over windows as well', () => {
    const many = Array.from({ length: 12 }, (_, n) => record(n, n * 1000, { temp: n }, 'm1'))
    const windows = compileShape(
      plan({ pseudonym: 'agreement', aggregationWindowMs: 5_000 }),
      SIGNALS,
      RECIPIENT,
      key(1),
    )
    const [only] = windows.run({}).shape(many)
    expect(only?.series).toBe(shaped(key(1))[0]?.series)
  })

  it('are not delivered without their key, and nothing else is either', () => {
    expect(() => shaped(undefined)).toThrow('the key of the pseudonyms is missing')
    expect(() => shaped(new Uint8Array(8))).toThrow('the key of the pseudonyms is missing')
  })
})
