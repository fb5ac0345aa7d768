import { expect, it } from 'vitest'
import { processDeps, untilInterrupted } from '../../connector/cli/commands/deps.js'

it.each([
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
] as const)('%s ends the watching, and is heard by nobody afterwards', async (signal) => {
  const before = process.listenerCount(signal)
  const aborted = await untilInterrupted(processDeps, async (stop) => {
    process.emit(signal, signal)
    // A second one is left to the system, so that nobody is held against their will.
    expect(process.listenerCount(signal)).toBe(before)
    return stop.aborted
  })
  expect(aborted).toBe(true)
  expect(process.listenerCount(signal)).toBe(before)
})
