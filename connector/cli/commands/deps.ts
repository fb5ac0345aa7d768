/** What the commands that follow something need besides the connector: the time, and to hear that they should stop. */
import { type Clock, systemClock } from '../../core/types.js'

export type FollowDeps = {
  readonly clock: Clock
  /** Calls `react` when somebody presses Ctrl-C, or the program is told to end. Answers how to stop listening. */
  readonly onInterrupt: (react: () => void) => () => void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export const processDeps: FollowDeps = {
  clock: systemClock,
  onInterrupt: (react) => {
    for (const signal of SIGNALS) process.on(signal, react)
    return () => {
      for (const signal of SIGNALS) process.off(signal, react)
    }
  },
}

/** Runs `work` with a signal that aborts at the first interruption; a second one finds the defaults of the system. */
export async function untilInterrupted<T>(
  deps: FollowDeps,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stop = deps.onInterrupt(() => {
    controller.abort()
    stop()
  })
  try {
    return await work(controller.signal)
  } finally {
    stop()
  }
}
