/** Where received records go on the consumer's side. */
import type { Received } from '../receive/received.js'

export interface Sink extends AsyncDisposable {
  /** The last record that is safely there, from this or an earlier run: go on behind it. */
  lastId(): string | undefined
  /** Resolves when the sink takes more. A failure is a SinkError and leaves `lastId` where it is. */
  write(batch: readonly Received[]): Promise<void>
  /** Resolves when everything written is safe; `lastId` then names the last of it. */
  flush(): Promise<void>
  /** Flushes and lets go. */
  close(): Promise<void>
}

/** Thrown by a sink that cannot go on; the message is for the operator. */
export class SinkError extends Error {}

/** Writes each batch and makes it safe before the next one is read. */
export const into =
  (sink: Sink) =>
  async (batch: readonly Received[]): Promise<void> => {
    await sink.write(batch)
    await sink.flush()
  }
