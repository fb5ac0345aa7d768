/** Yardstick for pulls: an HTTPS server that hands every request on to a plain HTTP server with undici, and nothing else. */
import { readFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { answerParent, childInput } from './child.js'

export type ProxyInput = {
  readonly tls: { readonly cert: string; readonly key: string }
  /** Origin behind the proxy. */
  readonly backend: string
}

const { tls, backend } = childInput<ProxyInput>()
const pool = new Pool(backend, { connections: 16 })

const server = https.createServer(
  { cert: readFileSync(tls.cert), key: readFileSync(tls.key) },
  (req, res) => {
    pool.dispatch(
      { path: req.url ?? '/', method: 'GET', headers: { accept: '*/*' } },
      {
        onRequestStart(controller) {
          res.on('drain', () => controller.resume())
          res.on('close', () => {
            if (!res.writableFinished) controller.abort(new Error('the receiver went away'))
          })
        },
        onResponseStart(_controller, status, headers) {
          res.writeHead(status, headers)
        },
        onResponseData(controller, chunk) {
          if (!res.write(chunk)) controller.pause()
        },
        onResponseEnd: () => void res.end(),
        onResponseError: () => void res.destroy(),
      },
    )
  },
)
await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))

answerParent({ url: () => `https://localhost:${(server.address() as AddressInfo).port}` }, async () => {
  server.closeAllConnections()
  await pool.destroy()
})
