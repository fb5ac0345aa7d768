/**
 * One GET whose body can be read to the very last byte that arrived, even when the connection breaks: a stream that is
 * destroyed by an error throws away what it holds, and here that may be records that were counted against a quota.
 */
import { constants, createGunzip } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { getGlobalDispatcher } from '../../core/undici.js'

export type Body = AsyncIterable<Uint8Array> & {
  /** Leaves an unread or half-read body. */
  close(): void
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>

export type RawAnswer = { readonly status: number; readonly headers: Headers; readonly body: Body }

export type Get = {
  readonly url: URL
  readonly headers: Record<string, string>
  readonly dispatcher?: Dispatcher | undefined
  readonly signal: AbortSignal
  /** Longest wait for the headers, and for the next byte while we read, milliseconds. */
  readonly silenceMs: number
}

/** Bytes held before the connection is paused. */
const HIGH_WATER = 64 * 1024

/** Rejects when no answer came; a later failure is thrown by the body, behind everything that arrived. */
export function get({ url, headers, dispatcher, signal, silenceMs }: Get): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const queue: Uint8Array[] = []
    let held = 0
    let paused = false
    let failure: unknown
    let done = false
    let control: Dispatcher.DispatchController | undefined
    let wake = (): void => {}

    const close = (): void => {
      if (!done) control?.abort(new Error('The receiver has left.'))
    }
    const finish = (): void => {
      done = true
      signal.removeEventListener('abort', close)
      wake()
    }
    async function* chunks(): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) {
          const chunk = queue.shift()
          if (chunk !== undefined) {
            held -= chunk.length
            yield chunk
            continue
          }
          if (failure !== undefined) throw failure
          if (done) return
          const more = new Promise<void>((next) => {
            wake = next
          })
          if (paused) {
            paused = false
            control?.resume()
          }
          await more
        }
      } finally {
        close()
      }
    }

    signal.addEventListener('abort', close)
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => {
        control = controller
        if (signal.aborted) close()
      },
      onResponseStart: (_controller, status, answered) => {
        // RFC 9110, "Informational 1xx": the answer proper follows.
        if (status < 200) return
        const body = { [Symbol.asyncIterator]: chunks, close }
        resolve({ status, headers: answered as Headers, body })
      },
      onResponseData: (controller, chunk) => {
        queue.push(chunk)
        held += chunk.length
        if (held > HIGH_WATER && !paused) {
          paused = true
          controller.pause()
        }
        wake()
      },
      onResponseEnd: finish,
      onResponseError: (_controller, cause) => {
        failure = cause
        reject(cause)
        finish()
      },
    }
    const options: Dispatcher.DispatchOptions = {
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
    }
    try {
      const through = dispatcher ?? getGlobalDispatcher()
      through.dispatch(options, handler)
    } catch (cause) {
      // A dispatcher that was closed throws instead of reporting.
      finish()
      reject(cause)
    }
  })
}

/** The unpacked body, also up to the last byte that arrived; the failure of the packed one comes behind it. */
export function gunzipped(body: Body): Body {
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    // HTTP's own framing tells whether the body is whole, so a broken one may be unpacked as far as it goes.
    const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
    let failure: unknown
    const feed = async (): Promise<void> => {
      try {
        for await (const chunk of body) {
          if (gunzip.destroyed) return
          if (!gunzip.write(chunk)) {
            await new Promise<void>((resolve) => {
              gunzip.once('drain', resolve).once('close', resolve)
            })
          }
        }
      } catch (cause) {
        failure = cause
      }
      gunzip.end()
    }
    const fed = feed()
    try {
      yield* gunzip as AsyncIterable<Uint8Array>
      if (failure !== undefined) throw failure
    } finally {
      gunzip.destroy()
      body.close()
      await fed
    }
  }
  return { [Symbol.asyncIterator]: chunks, close: body.close }
}
