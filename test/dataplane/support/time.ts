/** A clock set by hand, with the timers that hang on it. */
import type { EpochMs } from '../../../connector/core/types.js'
import type { Schedule } from '../../../connector/dataplane/schedule.js'

export function handTime(start: number) {
  let now = start
  let timers: { at: number; fire: () => void }[] = []
  const schedule: Schedule = (delayMs, fire) => {
    const timer = { at: now + delayMs, fire }
    timers.push(timer)
    return () => {
      timers = timers.filter((other) => other !== timer)
    }
  }
  return {
    clock: () => now as EpochMs,
    schedule,
    pending: () => timers.length,
    delays: () => timers.map((timer) => timer.at - now),
    /** Moves the clock and fires, in order, everything that is due on the way. */
    advance(byMs: number): void {
      const end = now + byMs
      for (;;) {
        const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers = timers.filter((timer) => timer !== next)
        now = Math.max(now, next.at)
        next.fire()
      }
      now = end
    },
  }
}

/** Polls until the condition holds; fails after the deadline. */
export async function waitFor(condition: () => boolean, what: string, deadlineMs = 5_000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
