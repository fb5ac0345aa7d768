/**
 * Two whole connectors whose messages are lost, repeated, delayed and reordered, and who lose their power in the middle
 * of anything: when it is over, both see the same, nothing acknowledged is undone and nothing was applied twice.
 */
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
  `agrees at the end of ${SHARE} stories, whatever happens to messages and machines`,
  () => tellStories(0),
  LONGEST_MS,
)
