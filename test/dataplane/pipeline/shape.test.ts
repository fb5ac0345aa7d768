import { describe, expect, it } from 'vitest'
import type { EpochMs } from '../../../connector/core/types.js'
import { compileShape } from '../../../connector/dataplane/pipeline.js'
import type { DataRecord, Signal } from '../../../connector/dataplane/record.js'
import { delayOf } from '../../../connector/dataplane/stages/delay.js'
import { openGate } from '../../../connector/dataplane/stages/gate.js'
import { blockLength, blockStart, createSampler } from '../../../connector/dataplane/stages/sample.js'
import { plan, RECIPIENT, SIGNALS } from '../support/data-plane-server.js'
import { record } from '../support/memory-source.js'

const at = (time: number): EpochMs => time as EpochMs
const shapeAll = (
  terms: Parameters<typeof plan>[0],
  records: readonly DataRecord[],
  signals: readonly Signal[] = SIGNALS,
) => compileShape(plan(terms), signals, RECIPIENT).run({}).shape(records)

describe('gate', () => {
  it('opens at notBefore and closes at notAfter, to the millisecond', () => {
    const gate = openGate(plan({ notBefore: at(1_000), notAfter: at(2_000) }), RECIPIENT)
    expect([999, 1_000, 1_999, 2_000].map((now) => gate(at(now))?.code)).toEqual([
      'PolicyDenied',
      undefined,
      undefined,
      'PolicyDenied',
    ])
    expect(gate(at(2_000))?.message).toBe(
      'The contract allowed delivery until 1 January 1970, 00:00:02 UTC; that time has passed.',
    )
  })

  it('lets nobody through who is not among the recipients', () => {
    expect(openGate(plan({ recipients: ['did:web:other'] }), RECIPIENT)(at(0))?.code).toBe('PolicyDenied')
    expect(openGate(plan({ recipients: ['did:web:other', RECIPIENT] }), RECIPIENT)(at(0))).toBeUndefined()
    expect(openGate(plan({ recipients: [] }), RECIPIENT)(at(0))?.code).toBe('PolicyDenied')
  })

  it('stays closed under a limit when the clock answers nonsense', () => {
    expect(openGate(plan({ notAfter: at(1) }), RECIPIENT)(at(Number.NaN))?.code).toBe('PolicyDenied')
  })
})

describe('project', () => {
  it('delivers declared signals that the plan names, and drops a record with none of them', () => {
    const shaped = shapeAll({ fields: ['temp', 'undeclared'] }, [
      record(1, 0, { temp: 1, load: 2, undeclared: 3 }),
      record(2, 1, { load: 2 }),
      record(3, 2, { temp: null }),
    ])
    expect(shaped).toEqual([record(1, 0, { temp: 1 }), record(3, 2, { temp: null })])
  })

  it('delivers no undeclared signal when the plan names no fields', () => {
    expect(shapeAll({}, [record(1, 0, { temp: 1, secret: 2 })])).toEqual([record(1, 0, { temp: 1 })])
  })

  it('takes neither inherited members nor reserved names for signals', () => {
    const signals: Signal[] = ['constructor', '__proto__', 'toString', 'id', 'ts', 'series', 'temp'].map(
      (name) => ({
        name,
        type: 'string',
      }),
    )
    expect(shapeAll({}, [record(1, 0, {}), record(2, 1, { temp: 5, id: 'x' })], signals)).toEqual([
      record(2, 1, { temp: 5 }),
    ])
  })

  it('keeps removed records away from the sampler: they neither take a place nor block one', () => {
    const shaped = shapeAll({ fields: ['temp'], samplingIntervalMs: 10 }, [
      record(1, 0, { load: 1 }),
      record(2, 5, { temp: 1 }),
      record(3, 12, { temp: 1 }),
      record(4, 15, { temp: 1 }),
    ])
    expect(shaped.map((one) => one.position)).toEqual(['p2', 'p4'])
  })
})

describe('sample', () => {
  it('cuts blocks of at least an hour and at least 16 intervals, in whole intervals', () => {
    expect(blockLength(10_000)).toBe(3_600_000)
    expect(blockLength(7_000)).toBe(3_605_000)
    expect(blockLength(600_000)).toBe(16 * 600_000)
    expect(blockStart(10_000, at(3_600_001))).toBe(3_600_000)
    expect(blockStart(10_000, at(-1))).toBe(-3_600_000)
  })

  it('takes the first record in source order and then the next that is an interval later, per series', () => {
    const sampler = createSampler(10)
    const offered: [string, number][] = [
      ['a', 5],
      ['b', 6],
      ['a', 14],
      ['a', 15],
      ['a', 3],
      ['b', 15],
      ['b', 16],
    ]
    expect(offered.map(([series, time]) => sampler.take(series, at(time)))).toEqual([
      true,
      true,
      false,
      true,
      false,
      false,
      true,
    ])
  })

  it('takes nothing in the last interval of a block, so that the next block can begin at once', () => {
    const sampler = createSampler(10_000)
    expect(sampler.take('', at(3_590_001))).toBe(false)
    expect(sampler.take('', at(3_590_000))).toBe(true)
    expect(sampler.take('', at(3_600_000))).toBe(true)
  })

  it('goes on with a series after one record from the far future', () => {
    const sampler = createSampler(10_000)
    expect(sampler.take('', at(0))).toBe(true)
    expect(sampler.take('', at(4e12))).toBe(true)
    expect(sampler.take('', at(10_000))).toBe(true)
    expect(sampler.take('', at(19_999))).toBe(false)
  })

  it('drops records of a block that is older than the eight newest', () => {
    const sampler = createSampler(10_000)
    for (let block = 1; block <= 8; block++) expect(sampler.take('', at(block * 3_600_000))).toBe(true)
    expect(sampler.take('', at(0))).toBe(false)
    expect(sampler.take('', at(3_600_000 + 10_000))).toBe(true)
    expect(sampler.take('', at(9 * 3_600_000))).toBe(true)
    expect(sampler.take('', at(3_600_000 + 20_000))).toBe(false)
  })
})

describe('delay', () => {
  it('lets a record leave at time + delay, and waits for none that is stamped over ten minutes ahead', () => {
    const due = delayOf(60_000)
    expect(due(record(1, 0), at(59_999))).toEqual({ is: 'wait', at: 60_000 })
    expect(due(record(1, 0), at(60_000))).toEqual({ is: 'due' })
    expect(due(record(1, 600_000), at(0))).toEqual({ is: 'wait', at: 660_000 })
    expect(due(record(1, 600_001), at(0))).toEqual({ is: 'ahead' })
  })

  it('holds nothing back when the plan has no delay', () => {
    expect(delayOf(undefined)(record(1, 9e12), at(0))).toEqual({ is: 'due' })
  })
})
