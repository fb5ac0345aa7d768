/** Load from the outside: keep-alive requests over verified HTTPS that count answers and bytes and keep nothing. */
import { readFileSync } from 'node:fs'
import { Agent, type Dispatcher, request } from 'undici'

export type Target = { readonly url: string; readonly headers: Readonly<Record<string, string>> }

export type Answered = { readonly ms: number; readonly requests: number; readonly bytes: number }

export function openLoad(
  ca: string,
  connections: number,
): AsyncDisposable & {
  /** `requests` requests, `connections` at a time. Throws on the first answer that is not 200. */
  run(target: Target, requests: number): Promise<Answered>
} {
  const agent = new Agent({
    connections,
    connect: { ca: readFileSync(ca, 'utf8') },
    bodyTimeout: 60_000,
  })
  return {
    async run({ url, headers }, requests) {
      const { origin, pathname, search } = new URL(url)
      const request = { origin, path: pathname + search, method: 'GET', headers } as const
      let left = requests
      let bytes = 0
      const began = performance.now()
      const worker = async (): Promise<void> => {
        while (left > 0) {
          left -= 1
          const taken = await once(agent, request)
          bytes += taken
        }
      }
      await Promise.all(Array.from({ length: Math.min(connections, requests) }, worker))
      return { ms: performance.now() - began, requests, bytes }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}

function once(agent: Agent, request: Dispatcher.DispatchOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    agent.dispatch(request, {
      onRequestStart() {},
      onResponseStart(_controller, status) {
        if (status !== 200) reject(new Error(`${request.path} was answered with ${status}`))
      },
      onResponseData(_controller, chunk) {
        bytes += chunk.length
      },
      onResponseEnd: () => resolve(bytes),
      onResponseError: (_controller, cause) => reject(cause),
    })
  })
}

export type Follower = AsyncDisposable & {
  events(): number
  /** Resolves when so many events have arrived since the beginning. */
  reached(count: number): Promise<void>
}

/** Follows a stream of Server-Sent Events and counts its data lines. */
export async function openFollower(ca: string, { url, headers }: Target): Promise<Follower> {
  const agent = new Agent({ connect: { ca: readFileSync(ca, 'utf8') }, bodyTimeout: 0 })
  const { statusCode, body } = await request(url, { dispatcher: agent, headers })
  if (statusCode !== 200) throw new Error(`the stream was answered with ${statusCode}`)
  let events = 0
  let waiting: { readonly count: number; readonly resolve: () => void }[] = []
  let rest: Buffer = Buffer.alloc(0)
  body.on('data', (chunk: Buffer) => {
    const bytes = Buffer.concat([rest, chunk])
    let from = 0
    for (let at = bytes.indexOf(EVENT_END); at !== -1; at = bytes.indexOf(EVENT_END, from)) {
      if (bytes.subarray(from, at).includes('data: ')) events += 1
      from = at + EVENT_END.length
    }
    rest = bytes.subarray(from)
    for (const { count, resolve } of waiting) if (events >= count) resolve()
    waiting = waiting.filter(({ count }) => events < count)
  })
  // The end of the benchmark breaks the stream.
  body.on('error', () => {})
  return {
    events: () => events,
    reached: (count) =>
      new Promise((resolve, reject) => {
        if (events >= count) return resolve()
        const timer = setTimeout(
          () => reject(new Error(`${events} of ${count} events arrived in time`)),
          PATIENCE,
        )
        const done = (): void => {
          clearTimeout(timer)
          resolve()
        }
        waiting.push({ count, resolve: done })
      }),
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}

/** Longest time for events to arrive, milliseconds. */
const PATIENCE = 30_000
const EVENT_END = Buffer.from('\n\n')
