/** A log that keeps what it is told, for tests of what operators read. */
import type { Log } from '../../connector/core/log.js'

export type Entry = { readonly event: string; readonly [field: string]: unknown }

export function recordingLog(): {
  readonly log: Log
  entries(event: string): readonly Entry[]
  clear(): void
} {
  const kept: Entry[] = []
  const keep = (fields: object, event: string) => void kept.push({ ...fields, event })
  const log: Log = { info: keep, warn: keep, error: keep, debug: keep, child: () => log }
  return {
    log,
    entries: (event) => kept.filter((entry) => entry.event === event),
    clear: () => void kept.splice(0),
  }
}
