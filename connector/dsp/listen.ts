/**
 * The public socket: HTTPS (or HTTP behind a reverse proxy), DSP through Express, the data plane directly.
 * Requests and responses are created with Express's own prototypes, because switching the prototype of every request
 * afterwards costs Node 20 more than the rest of its work. A test holds that Express's features are there.
 */
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Express } from 'express'

export type Listening = AsyncDisposable & { readonly port: number; readonly address: string }

export type PublicServer = {
  readonly app: Express
  readonly host: string
  readonly port: number
  /** Absent: plain HTTP, for a reverse proxy on the same machine. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly passphrase?: string }
  /** Requests below this path go to the data plane. */
  readonly dataPath?: string
  readonly onData?: (req: http.IncomingMessage, res: http.ServerResponse) => Promise<void>
  readonly onUpgrade?: (req: http.IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>
  readonly onError: (cause: unknown) => void
  /** What open connections are given to finish on shutdown, milliseconds. */
  readonly drainMs?: number
}

/** Longer than the idle time of usual partners' clients, so that they never meet a closing connection. */
const KEEP_ALIVE_MS = 65_000
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const MAX_HEADER_BYTES = 16 * 1024

/** Rejects with the system's error when the port cannot be had. */
export async function listen(server: PublicServer): Promise<Listening> {
  const { app } = server
  function Request(this: http.IncomingMessage, socket: Socket) {
    Reflect.apply(http.IncomingMessage, this, [socket])
  }
  Request.prototype = app.request
  function Response(this: http.ServerResponse, req: http.IncomingMessage, options?: object) {
    Reflect.apply(http.ServerResponse, this, [req, options])
  }
  Response.prototype = app.response

  const options = {
    IncomingMessage: Request as unknown as typeof http.IncomingMessage,
    ServerResponse: Response as unknown as typeof http.ServerResponse<http.IncomingMessage>,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  }
  const dataPrefix = server.dataPath === undefined ? undefined : `${server.dataPath}/`
  const isData = (url: string | undefined): boolean =>
    dataPrefix !== undefined && url?.startsWith(dataPrefix) === true
  const onRequest = (req: http.IncomingMessage, res: http.ServerResponse): void => {
    if (server.onData !== undefined && isData(req.url)) {
      server.onData(req, res).catch((cause: unknown) => {
        server.onError(cause)
        res.destroy()
      })
    } else app(req, res)
  }
  const socketServer =
    server.tls === undefined
      ? http.createServer(options, onRequest)
      : https.createServer({ ...options, ...server.tls, minVersion: 'TLSv1.2' }, onRequest)
  socketServer.on('upgrade', (req: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (server.onUpgrade === undefined || !isData(req.url)) socket.destroy()
    else {
      server.onUpgrade(req, socket, head).catch((cause: unknown) => {
        server.onError(cause)
        socket.destroy()
      })
    }
  })
  await new Promise<void>((resolve, reject) => {
    socketServer.once('error', reject)
    socketServer.listen(server.port, server.host, () => {
      socketServer.off('error', reject)
      resolve()
    })
  })
  const { port, address } = socketServer.address() as AddressInfo
  return {
    port,
    address,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => socketServer.closeAllConnections(), server.drainMs ?? 5000)
        socketServer.close(() => {
          clearTimeout(force)
          resolve()
        })
        socketServer.closeIdleConnections()
      }),
  }
}
