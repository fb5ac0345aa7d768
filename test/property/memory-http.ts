/** HTTP without sockets: Node's own parser on both ends of a pair of streams, so that nothing waits for a network. */
import http from 'node:http'
import { duplexPair } from 'node:stream'
import type { PublicServer } from '../../connector/dsp/listen.js'

export type Question = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export type Reply = {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** Asks a server as `listen` would be given it. Rejects when the connection breaks before the answer is complete. */
export type Ask = (question: Question) => Promise<Reply>

export function askOf(served: PublicServer): Ask {
  const { app, onData } = served
  const server = http.createServer((req, res) => {
    if (onData !== undefined && req.url?.startsWith(`${served.dataPath}/`) === true) {
      onData(req, res).catch(() => res.destroy())
    } else app(req, res)
  })
  return ({ method = 'GET', path, headers, body }) =>
    new Promise((resolve, reject) => {
      const [near, far] = duplexPair()
      far.on('error', () => far.destroy())
      // A socket tells its other end; a pair of streams does not. After an answer that is complete it changes nothing.
      far.on('close', () => near.destroy(new Error('the connection was closed')))
      server.emit('connection', far)
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const asking = http.request(
        {
          method,
          path,
          headers: { host: 'localhost', ...headers, ...length, connection: 'close' },
          createConnection: () => near as never,
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              body: Buffer.concat(chunks),
            }),
          )
        },
      )
      asking.on('error', reject)
      asking.end(body)
    })
}
