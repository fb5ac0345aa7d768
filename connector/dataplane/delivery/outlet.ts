/** Writing to a connection that may be slower than we are, may be cut at any moment, and must never end silently. */
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { createGzip, type Gzip } from 'node:zlib'

/** Records that are encoded and written in one go; between two slices the flow is looked at again. */
export const SLICE = 256

/** Resolves when the stream takes more, is closed, or the signal aborts. */
export function drained(stream: Writable, signal: AbortSignal): Promise<void> {
  if (signal.aborted || stream.destroyed || !stream.writableNeedDrain) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
    signal.addEventListener('abort', done)
  })
}

export type Outlet = {
  /** Resolves when there is room for more. */
  write(text: string, signal: AbortSignal): Promise<void>
  end(): void
  /** Lets go out what was written, then breaks the connection so that the receiver sees an incomplete body. */
  breakOff(): Promise<void>
}

export function openOutlet(res: ServerResponse, gzip: boolean): Outlet {
  const packer: Gzip | undefined = gzip ? createGzip() : undefined
  if (packer !== undefined) {
    packer.pipe(res)
    packer.on('error', () => res.destroy())
    res.on('close', () => packer.destroy())
  }
  const target: Writable = packer ?? res
  return {
    write: async (text, signal) => {
      if (!target.write(text)) await drained(target, signal)
    },
    end: () => target.end(),
    breakOff: async () => {
      if (packer !== undefined && !packer.destroyed)
        await new Promise<void>((resolve) => packer.flush(resolve))
      // A response hands its chunks to the socket in the next tick.
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (res.socket === null) res.destroy()
      else res.socket.destroySoon()
    },
  }
}
