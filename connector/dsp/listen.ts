/**
 * The public socket: HTTPS (or HTTP behind a reverse proxy), DSP through Express, the data plane directly.
 * Requests and responses are created with Express's own prototypes, because switching the prototype of every request
 * afterwards costs Node 20 more than the rest of its work. A test holds that Express's features are there.
 */
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Express } from 'express'

export type Listening = AsyncDisposable & {
  readonly port: number
  readonly address: string
  /** Open connections now. */
  connections(): number
  /** Connections closed at once so far, because too many were open. */
  refused(): number
  /** Shows another certificate from the next connection on; absent without TLS. Throws when key and certificate do not fit. */
  readonly renew?: (tls: ServerTls) => void
}

/** PEM texts. */
export type ServerTls = { readonly cert: string; readonly key: string; readonly passphrase?: string }

export type PublicServer = {
  readonly app: Express
  readonly host: string
  readonly port: number
  /** Absent: plain HTTP, for a reverse proxy on the same machine. */
  readonly tls?: ServerTls
  /** Requests below this path go to the data plane. */
  readonly dataPath?: string
  readonly onData?: (req: http.IncomingMessage, res: http.ServerResponse) => Promise<void>
  /** Below this path bodies may take as long as they come at all; whoever answers there watches for silence. */
  readonly longBodies?: string
  /** What every other body is given to be complete, milliseconds. */
  readonly bodyTimeoutMs?: number
  readonly onUpgrade?: (req: http.IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>
  readonly onError: (cause: unknown) => void
  /** Open connections, all callers together; without it there is no limit. */
  readonly maxConnections?: number
  /** What open connections are given to finish on shutdown, milliseconds. */
  readonly drainMs?: number
}

/** Longer than the idle time of usual partners' clients, so that they never meet a closing connection. */
const KEEP_ALIVE_MS = 65_000
const HEADERS_TIMEOUT_MS = 10_000
const HANDSHAKE_TIMEOUT_MS = 10_000
/** How often the two limits above are looked at; Node's own thirty seconds would triple the first one. */
const TIMEOUT_CHECK_MS = 2_000
/** Share of all connections that one address may hold, so that nobody alone can keep everybody else out. */
const SHARE_OF_ONE_ADDRESS = 0.5
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
    // Every body has its time below; Node knows only one limit for all of them.
    requestTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  }
  const dataPrefix = server.dataPath === undefined ? undefined : `${server.dataPath}/`
  const isData = (url: string | undefined): boolean =>
    dataPrefix !== undefined && url?.startsWith(dataPrefix) === true
  const { longBodies } = server
  const onRequest = (req: http.IncomingMessage, res: http.ServerResponse): void => {
    if (longBodies === undefined || req.url?.startsWith(`${longBodies}/`) !== true)
      limitBodyTime(req, server.bodyTimeoutMs ?? REQUEST_TIMEOUT_MS)
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
      : https.createServer(
          { ...options, ...server.tls, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
          onRequest,
        )
  // Behind a reverse proxy everybody comes from one address.
  const crowd = limitCrowd(
    socketServer,
    server.maxConnections,
    server.tls === undefined ? 1 : SHARE_OF_ONE_ADDRESS,
  )
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
    ...crowd,
    ...(socketServer instanceof https.Server
      ? { renew: (tls: ServerTls) => socketServer.setSecureContext({ ...tls, minVersion: 'TLSv1.2' }) }
      : {}),
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

/** A body that is not complete in time is answered as Node does it: 408, and the end of the connection. */
function limitBodyTime(req: http.IncomingMessage, timeoutMs: number): void {
  if (req.headers['content-length'] === undefined && req.headers['transfer-encoding'] === undefined) return
  const timer = setTimeout(() => {
    if (req.complete || req.socket.destroyed) return
    req.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    req.destroy()
  }, timeoutMs)
  timer.unref()
  req.once('close', () => clearTimeout(timer))
}

/** Closes connections beyond the limit before a byte is read from them, and counts. */
function limitCrowd(
  server: Server,
  most = Number.POSITIVE_INFINITY,
  share: number,
): { connections(): number; refused(): number } {
  const byAddress = new Map<string, number>()
  const mostOfOne = Math.ceil(most * share)
  let open = 0
  let refused = 0
  server.on('connection', (socket: Socket) => {
    const from = networkOf(socket.remoteAddress ?? '')
    const ofOne = byAddress.get(from) ?? 0
    if (open >= most || ofOne >= mostOfOne) {
      refused += 1
      socket.destroy()
      return
    }
    open += 1
    byAddress.set(from, ofOne + 1)
    socket.once('close', () => {
      open -= 1
      const left = (byAddress.get(from) ?? 1) - 1
      if (left === 0) byAddress.delete(from)
      else byAddress.set(from, left)
    })
  })
  return { connections: () => open, refused: () => refused }
}

/** One subscriber has a whole /64 of IPv6. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail = ''] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const behind = tail.split(':').filter((group) => group !== '')
  while (address.includes('::') && groups.length + behind.length < 8) groups.push('0')
  return [...groups, ...behind].slice(0, 4).join(':')
}
