/**
 * Two whole connectors whose messages are lost, repeated, delayed and reordered, and who lose their power in the middle
 * of anything: when it is over, both see the same, nothing acknowledged is undone and nothing was applied twice.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createStage, type Stage } from './stage.js'
import { stories } from './story.js'

// Schemas say the same in every life; compiling them anew for thousands of lives would take most of the time.
vi.mock('../../connector/dsp/validate.js', async (original) => {
  const real = await original<typeof import('../../connector/dsp/validate.js')>()
  const once = real.createValidator()
  return { ...real, createValidator: () => once }
})
vi.mock('../../connector/management/validate.js', async (original) => {
  const real = await original<typeof import('../../connector/management/validate.js')>()
  const once = real.createChecks()
  return { ...real, createChecks: () => once }
})

const RUNS = Number(process.env.HANDSCHLAG_RUNS ?? 2000)
const SEED = Number(process.env.HANDSCHLAG_SEED ?? Date.now() % 1_000_000_000)
const PATH = process.env.HANDSCHLAG_PATH

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage?.[Symbol.asyncDispose]())

it(`agrees at the end of ${RUNS} stories, whatever happens to messages and machines`, async () => {
  console.log(`stories: seed ${SEED}, repeat with HANDSCHLAG_SEED=${SEED}`)
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      const { findings, told } = await stage.play(story)
      if (findings.length > 0) throw new Error(`${findings.join('\n')}\n\nThe story:\n${told.join('\n')}`)
    }),
    { numRuns: RUNS, seed: SEED, ...(PATH === undefined || PATH === '' ? {} : { path: PATH }) },
  )
  expect(RUNS).toBeGreaterThan(0)
}, 600_000)
