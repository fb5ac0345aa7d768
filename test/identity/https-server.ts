/** A real HTTPS server on 127.0.0.1 for the tests of this folder, and the fake DNS that leads to it. */
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import type { ServerCertificate } from '../../certs-dev/generate.js'

export type TestServer = AsyncDisposable & {
  readonly port: number
  /** Connections that were opened so far. */
  readonly connections: () => number
}

export async function serve(listener: RequestListener, tls?: ServerCertificate): Promise<TestServer> {
  const server: HttpServer = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener)
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A name service that knows these names only. */
export const fakeDns =
  (names: Readonly<Record<string, readonly string[] | Error>>): LookupFunction =>
  (hostname, options, callback) => {
    const found = names[hostname] ?? Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    if (found instanceof Error) return process.nextTick(callback, found, [])
    const addresses = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    const [first] = addresses
    process.nextTick(() =>
      options.all === true ? callback(null, addresses) : callback(null, first?.address ?? '', first?.family),
    )
  }
