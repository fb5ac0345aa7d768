/** Yardsticks without a proxy: one fixed body over plain HTTP (behind the bare proxy), and a file over HTTPS. */
import { createReadStream, readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { answerParent, childInput } from './child.js'

export type ServerInput =
  | { readonly body: string }
  | { readonly file: string; readonly tls: { readonly cert: string; readonly key: string } }

const input = childInput<ServerInput>()
const server =
  'body' in input
    ? http.createServer((_req, res) => {
        res
          .writeHead(200, { 'content-type': 'application/x-ndjson', 'content-length': input.body.length })
          .end(input.body)
      })
    : https.createServer(
        { cert: readFileSync(input.tls.cert), key: readFileSync(input.tls.key) },
        (_req, res) => {
          createReadStream(input.file, { highWaterMark: 256 * 1024 }).pipe(res)
        },
      )
await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
const scheme = 'body' in input ? 'http' : 'https'

answerParent({ url: () => `${scheme}://localhost:${(server.address() as AddressInfo).port}` }, async () =>
  server.closeAllConnections(),
)
