/** Waits for a condition instead of a time: polls, and fails with the last reason at the deadline. */
import { setTimeout as pause } from 'node:timers/promises'

/** Between two looks, milliseconds. */
const STEP = 10

/** The first answer of `look` that is neither undefined nor false. What it throws counts as "not yet". */
export async function waitFor<T>(
  look: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly what?: string } = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000)
  let reason: unknown
  while (performance.now() < deadline) {
    try {
      const seen = await look()
      if (seen !== undefined && seen !== false) return seen as Exclude<T, false | undefined>
      reason = undefined
    } catch (cause) {
      reason = cause
    }
    await pause(STEP)
  }
  throw new Error(`waited in vain for ${options.what ?? 'a condition'}`, { cause: reason })
}
