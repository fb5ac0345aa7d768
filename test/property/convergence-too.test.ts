/** The other half of the stories of convergence.test.ts, which run at the same time. */
import { it, vi } from 'vitest'
import { LONGEST_MS, SHARE, tellStories } from './tell.js'

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

it(
  `agrees at the end of ${SHARE} more stories, whatever happens to messages and machines`,
  () => tellStories(1),
  LONGEST_MS,
)
