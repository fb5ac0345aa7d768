/** Plays many stories and fails with the shortest one that ends badly, told line by line, and how to repeat it. */
import fc from 'fast-check'
import { createStage } from './stage.js'
import { stories } from './story.js'

/** All files of stories together. */
const RUNS = Number(process.env.HANDSCHLAG_RUNS ?? 2000)
const SEED = Number(process.env.HANDSCHLAG_SEED ?? Date.now() % 1_000_000_000)
/** Of a failure, as fast-check prints it: begins with that story. */
const PATH = process.env.HANDSCHLAG_PATH ?? ''

/** Stories are split over files, which run at the same time. */
const FILES = 2

export const SHARE = Math.ceil(RUNS / FILES)
/** A second for each is far more than it takes. */
export const LONGEST_MS = 60_000 + SHARE * 1_000

/** The stories of the file with this number, counted from 0. */
export async function tellStories(file: number): Promise<void> {
  const seed = SEED + file
  console.log(
    `stories: ${SHARE} with the seed ${seed}; one that fails is repeated with HANDSCHLAG_SEED=${seed} HANDSCHLAG_PATH=<path> npx vitest run test/property/convergence.test.ts`,
  )
  await using stage = await createStage()
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      const { findings, told } = await stage.play(story)
      if (findings.length > 0) throw new Error(`${findings.join('\n')}\n\nThe story:\n${told.join('\n')}`)
    }),
    { numRuns: SHARE, seed, ...(PATH === '' || file > 0 ? {} : { path: PATH }) },
  )
}
