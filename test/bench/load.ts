/** Load from the outside: keep-alive requests over verified HTTPS that count answers and bytes and keep nothing. */
import { readFileSync } from 'node:fs'
import { Agent, type Dispatcher } from 'undici'

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
