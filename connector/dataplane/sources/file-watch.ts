/**
 * Tells waiters when something may have changed in a directory: by the operating system's notice, and at the latest
 * after the poll interval, because network shares give no notice. Watches only while somebody waits.
 */
import { type FSWatcher, watch } from 'node:fs'

export type FileWatch = {
  /** Resolves at the next sign of a change, at the next poll, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void>
}

export function createFileWatch(directory: string, pollMs: number): FileWatch {
  const waiting = new Set<() => void>()
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined

  const wakeAll = () => {
    for (const wake of [...waiting]) wake()
  }
  const begin = () => {
    timer ??= setInterval(wakeAll, pollMs)
    try {
      watcher ??= watch(directory, wakeAll).on('error', wakeAll)
    } catch {
      // No notices here (missing directory, too many watches): the poll alone finds changes.
    }
  }
  const end = () => {
    clearInterval(timer)
    watcher?.close()
    timer = undefined
    watcher = undefined
  }
  return {
    next(signal) {
      if (signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          // Most waiters come back at once: the watcher is kept for them.
          setImmediate(() => {
            if (waiting.size === 0) end()
          })
          resolve()
        }
        waiting.add(wake)
        signal.addEventListener('abort', wake)
        begin()
      })
    },
  }
}
