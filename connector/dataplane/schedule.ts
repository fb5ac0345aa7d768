/** Timers as a parameter: real ones here, hand-driven ones in tests. */
import type { Clock, EpochMs } from '../core/types.js'

/** Calls `fire` once after `delayMs`, unless cancelled. */
export type Schedule = (delayMs: number, fire: () => void) => Cancel
export type Cancel = () => void

/** setTimeout fires at once for anything longer, milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1

export const realSchedule: Schedule = (delayMs, fire) => {
  const timer = setTimeout(fire, delayMs)
  return () => clearTimeout(timer)
}

/** Calls `fire` once when the clock has reached `at`, however far away it is. */
export function scheduleAt(schedule: Schedule, clock: Clock, at: EpochMs, fire: () => void): Cancel {
  let cancel: Cancel = () => {}
  const arm = (): void => {
    const left = at - clock()
    if (left <= 0) fire()
    else cancel = schedule(Math.min(left, MAX_TIMEOUT), arm)
  }
  // Never fires inside this call: whoever schedules has not finished yet.
  cancel = schedule(Math.min(Math.max(at - clock(), 0), MAX_TIMEOUT), arm)
  return () => cancel()
}

/** Resolves when the clock has reached `at`, or when the signal aborts. */
export function waitUntil(schedule: Schedule, clock: Clock, at: EpochMs, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = scheduleAt(schedule, clock, at, done)
    signal.addEventListener('abort', done)
  })
}

/** Calls `tick` every `everyMs` until cancelled. */
export function scheduleEvery(schedule: Schedule, everyMs: number, tick: () => void): Cancel {
  let cancel: Cancel = () => {}
  const arm = (): void => {
    cancel = schedule(everyMs, () => {
      arm()
      tick()
    })
  }
  arm()
  return () => cancel()
}
