/**
 * Waiting for new records without losing a wake-up: what arrives between the end of a read and the call of
 * `changed` must wake the reader. Readers are told apart by the signal that they pass to both calls.
 */
export type ChangeNotice = {
  bump(): void
  /** The version to hand to `readEnded`, taken before the last look at the data. */
  version(): number
  readEnded(signal: AbortSignal, seen: number): void
  changed(signal: AbortSignal): Promise<void>
}

export function createChangeNotice(): ChangeNotice {
  let version = 0
  /** Version at the end of the newest read of anybody; stands in for readers that use another signal to wait. */
  let lastSeen = 0
  const seenBy = new WeakMap<AbortSignal, number>()
  const waiting = new Set<() => void>()
  return {
    bump() {
      version += 1
      for (const wake of [...waiting]) wake()
    },
    version: () => version,
    readEnded(signal, seen) {
      seenBy.set(signal, seen)
      lastSeen = Math.max(lastSeen, seen)
    },
    changed(signal) {
      if (signal.aborted || (seenBy.get(signal) ?? lastSeen) < version) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        waiting.add(wake)
        signal.addEventListener('abort', wake)
      })
    },
  }
}
