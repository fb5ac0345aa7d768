/** Writing data to a stream of the program at the pace of its reader. */
import type { Writable } from 'node:stream'

/** The reader has gone, as in `| head`. */
export class ReaderGone extends Error {}

export function writeAll(stream: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed) return reject(new ReaderGone())
    const gone = (): void => reject(new ReaderGone())
    stream.once('error', gone)
    stream.write(bytes, (cause) => {
      stream.off('error', gone)
      if (cause) reject(new ReaderGone())
      else resolve()
    })
  })
}
