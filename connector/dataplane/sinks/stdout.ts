/** Prints records as NDJSON to a stream of the program, at the pace of whoever reads it. */
import type { Writable } from 'node:stream'
import type { Received } from '../receive/received.js'
import { type Sink, SinkError } from './sink.js'

export function openStreamSink(stream: Writable): Sink {
  let lastId: string | undefined
  let broken: Error | undefined
  stream.on('error', (cause) => {
    broken = cause
  })
  const sink: Sink = {
    lastId: () => lastId,
    write: (batch: readonly Received[]) =>
      new Promise((resolve, reject) => {
        const fail = (cause: unknown): void =>
          reject(new SinkError('The output was closed by its reader.', { cause }))
        if (broken !== undefined || stream.destroyed) return fail(broken)
        if (batch.length === 0) return resolve()
        stream.write(batch.map(({ json }) => `${json}\n`).join(''), (cause) => {
          if (cause) return fail(cause)
          lastId = batch.at(-1)?.id ?? lastId
          resolve()
        })
      }),
    // A write resolves when the stream has handed it on; there is nothing more to make safe.
    flush: async () => {},
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
  return sink
}
