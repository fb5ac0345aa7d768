/**
 * The chunks of a body up to the last one that arrived. A stream that is destroyed by an error throws away what it
 * holds, and here that may be records that were counted against a quota.
 */
import type { Readable } from 'node:stream'

/** Held before the body is paused, bytes. */
const HIGH_WATER = 1024 * 1024

/** Throws the failure of the body behind everything that came before it. Leaving early destroys the body. */
export async function* chunksOf(body: Readable): AsyncGenerator<Buffer, void> {
  const queue: Buffer[] = []
  let held = 0
  let done = false
  let failure: Error | undefined
  let wake = (): void => {}

  body.on('data', (chunk: Buffer) => {
    queue.push(chunk)
    held += chunk.length
    if (held > HIGH_WATER) body.pause()
    wake()
  })
  body.on('end', () => {
    done = true
    wake()
  })
  body.on('error', (cause) => {
    failure = cause
    wake()
  })
  body.on('close', () => {
    if (!done) failure ??= new Error('The connection was closed before the end of the answer.')
    wake()
  })
  try {
    for (;;) {
      const chunk = queue.shift()
      if (chunk !== undefined) {
        held -= chunk.length
        yield chunk
      } else if (failure !== undefined) {
        throw failure
      } else if (done) {
        return
      } else {
        const more = new Promise<void>((resolve) => {
          wake = resolve
        })
        if (body.isPaused()) body.resume()
        await more
      }
    }
  } finally {
    body.destroy()
  }
}

/** Leaves a body that nobody reads; what its connection says to that is no news. */
export function leave(body: Readable): void {
  body.on('error', () => {})
  body.destroy()
}
