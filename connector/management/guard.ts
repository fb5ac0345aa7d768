/**
 * What stands before every route: the host name the request was sent to, headers that keep browsers from misusing an
 * answer, and a limit on failed sign-ins. All of it works without looking at the body.
 */
import { isIP } from 'node:net'
import type { Request, RequestHandler } from 'express'
import { problem, type Result } from '../core/result.js'
import type { Clock } from '../core/types.js'
import { sendProblem } from './errors.js'

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]']
/** Addresses to listen on, under which nobody reaches anything on purpose. */
const WILDCARDS = ['0.0.0.0', '[::]']

/** `[::1]` for `[::1]:8485`, `localhost` for `LocalHost:8485`; undefined for anything that is no host and port. */
const hostName = (header: string): string | undefined =>
  /^(\[[0-9a-f:.]+\]|[^:/@\s]+)(:\d{1,5})?$/.exec(header.toLowerCase())?.[1]

const asHost = (address: string): string => (isIP(address) === 6 ? `[${address}]` : address).toLowerCase()

/**
 * A web page can make a browser resolve its own name to this machine and then send requests here (DNS rebinding);
 * it cannot make the browser send another host name.
 */
export function refuseForeignHosts(hosts: readonly string[]): RequestHandler {
  const allowed = new Set([
    ...LOOPBACK_HOSTS,
    ...hosts.map(asHost).filter((host) => !WILDCARDS.includes(host)),
  ])
  return (req, res, next) => {
    const name = hostName(req.headers.host ?? '')
    if (name !== undefined && allowed.has(name)) return next()
    sendProblem(res, {
      code: 'HostRefused',
      message:
        'The management API does not answer under this host name. Use http://127.0.0.1 with its port, or set managementHost to the name you use.',
      messageDe:
        'Unter diesem Namen antwortet die Verwaltungs-API nicht. Verwenden Sie http://127.0.0.1 mit ihrem Port, oder setzen Sie managementHost auf den Namen, den Sie verwenden.',
    })
  }
}

/** Nothing here is a page: it must not be framed, cached, sniffed or run, also when a partner wrote it. */
export const secureHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  })
  next()
}

const WINDOW_MS = 60_000
const MAX_FAILURES = 20
/** Addresses remembered at once; the oldest is forgotten for a new one. */
const MAX_ADDRESSES = 1_000

export type FailureLimit = {
  /** Counts one more failure; false when there were too many of late. */
  allows(address: string): boolean
}

/**
 * Counts failed sign-ins by address. A right token is never refused: all programs of this machine share one address,
 * and one of them with an old token must not lock out the others. Tokens are too long to be guessed; the limit keeps
 * guessing cheap for us and visible in the log.
 */
export function createFailureLimit(clock: Clock): FailureLimit {
  const failures = new Map<string, { since: number; count: number }>()
  return {
    allows(address) {
      const now = clock()
      const known = failures.get(address)
      const current =
        known !== undefined && Math.abs(now - known.since) < WINDOW_MS ? known : { since: now, count: 0 }
      current.count += 1
      failures.delete(address)
      failures.set(address, current)
      const [oldest] = failures.keys()
      if (failures.size > MAX_ADDRESSES && oldest !== undefined) failures.delete(oldest)
      return current.count <= MAX_FAILURES
    },
  }
}

export const isLocal = (req: Request): boolean => {
  const address = req.socket.remoteAddress ?? ''
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

const BEARER = /^bearer ([A-Za-z0-9._~+/=-]{1,512})$/i

/** Who calls, by the token in the Authorization header. The token itself goes nowhere. */
export function signedIn(
  header: string | undefined,
  authenticate: (token: string) => { readonly name: string } | undefined,
): Result<string> {
  const token = BEARER.exec(header ?? '')?.[1]
  const found = token === undefined ? undefined : authenticate(token)
  if (found !== undefined) return { ok: true, value: found.name }
  return problem(
    'Unauthenticated',
    token === undefined
      ? {
          en: 'An access token is needed: Authorization: Bearer <token>.',
          de: 'Es wird ein Zugangstoken gebraucht: Authorization: Bearer <token>.',
        }
      : {
          en: 'The access token is not known here. It belongs to another connector, or was deleted.',
          de: 'Das Zugangstoken ist hier nicht bekannt. Es gehört zu einem anderen Connector oder wurde gelöscht.',
        },
  )
}
