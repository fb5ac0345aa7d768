/** What one reading keeps in memory is bounded, and measured here against what connector/dataplane/stages/bounds.ts says. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { compileShape, type Run } from '../../../connector/dataplane/pipeline.js'
import { SourceError } from '../../../connector/dataplane/ports.js'
import type { Signal } from '../../../connector/dataplane/record.js'
import type { Plan } from '../../../connector/policy/plan.js'
import { plan, RECIPIENT } from '../support/data-plane-server.js'
import { record } from '../support/memory-source.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const MB = 2 ** 20

const signalsOf = (count: number): readonly Signal[] =>
  [...Array(count).keys()].map((n) => ({ name: `s${n}`, type: 'number' }))
const runOf = (terms: Partial<Plan>, signals = 1): Run =>
  compileShape(plan(terms), signalsOf(signals), RECIPIENT, new Uint8Array(32)).run({})

/** Growth of the heap by what `run` keeps, bytes. */
function kept(run: Run, fill: (run: Run) => void): number {
  collect()
  const before = process.memoryUsage().heapUsed
  fill(run)
  collect()
  const after = process.memoryUsage().heapUsed
  // Still in use, so that it was not collected.
  expect(run.passed()).toBe(true)
  return after - before
}

const valuesOf = (signals: number) =>
  Object.fromEntries([...Array(signals).keys()].map((n) => [`s${n}`, n + 0.5]))

describe('of a reading', () => {
  it('samples of ten thousand series take at most 8 MB, however many blocks go by', () => {
    const grown = kept(runOf({ samplingIntervalMs: 1_000 }), (run) => {
      for (let block = 0; block < 12; block++) {
        for (let series = 0; series < 10_000; series++) {
          run.shape([record(1, block * 3_600_000, { s0: 1 }, `machine-${series}`)])
        }
      }
    })
    expect(grown).toBeLessThan(8 * MB)
  })

  it('tallies take at most 50 MB, however many windows go by', () => {
    const values = valuesOf(20)
    const grown = kept(runOf({ aggregationWindowMs: 60_000 }, 20), (run) => {
      for (let window = 0; window < 4; window++) {
        for (let series = 0; series < 10_000; series++) {
          run.shape([record(1, window * 60_000, values, `machine-${series}`)])
        }
      }
    })
    expect(grown).toBeLessThan(50 * MB)
    expect(grown).toBeGreaterThan(5 * MB)
  })

  it('rounding, noise and pseudonyms keep at most 4 MB', () => {
    const terms: Partial<Plan> = {
      pseudonym: 'agreement',
      valueSteps: { s0: 1 },
      noise: { s0: { epsilon: 1, sensitivity: 10 } },
    }
    const grown = kept(runOf(terms), (run) => {
      for (let n = 0; n < 60_000; n++) run.shape([record(1, n, { s0: n }, `machine-${n}`)])
    })
    expect(grown).toBeLessThan(4 * MB)
  })

  it.each([
    ['sampled', { samplingIntervalMs: 1_000 }, 1, 10_000],
    ['combined', { aggregationWindowMs: 60_000 }, 1, 10_000],
    ['combined, of many signals', { aggregationWindowMs: 60_000 }, 100, 2_000],
  ] as const)('more series than that end it with a sentence: %s', (_how, terms, signals, most) => {
    const run = runOf(terms, signals)
    const values = valuesOf(signals)
    for (let series = 0; series < most; series++) run.shape([record(1, 0, values, `m${series}`)])
    // A series that is known goes on.
    run.shape([record(2, 1, values, 'm0')])
    let thrown: unknown
    try {
      run.shape([record(3, 2, values, 'one too many')])
    } catch (cause) {
      thrown = cause
    }
    expect(thrown).toBeInstanceOf(SourceError)
    expect((thrown as SourceError).problem.message).toContain(`more than ${most} series`)
  })
})
