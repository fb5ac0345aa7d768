/** How a refusal looks over HTTP: one table from Problem code to status, one body. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { message, type Problem, type ProblemCode } from '../../core/result.js'
import type { Text } from '../../core/types.js'

const STATUS: Partial<Record<ProblemCode, number>> = {
  GrantInvalid: 401,
  GrantEnded: 403,
  PolicyDenied: 403,
  NotConfirmed: 403,
  QuotaExhausted: 403,
  InvalidInput: 400,
  NotFound: 404,
  NotAcceptable: 406,
  RangeInvalid: 416,
  TooManyConnections: 429,
  TooManyRequests: 429,
  TooManyFlows: 429,
  SourceUnavailable: 503,
  SinkUnavailable: 503,
  Stopping: 503,
}

/** Seconds after which trying again makes sense. */
const RETRY_AFTER: Partial<Record<ProblemCode, number>> = {
  TooManyConnections: 5,
  TooManyRequests: 1,
  TooManyFlows: 5,
  SourceUnavailable: 10,
  SinkUnavailable: 10,
  Stopping: 5,
}

/** What the partner reads. A source problem is written for the operator and stays with the operator. */
export function forPartner(problem: Problem): {
  readonly code: ProblemCode
  readonly reason: readonly string[]
  readonly reasonDe?: string
} {
  const { code, message: en, messageDe: reasonDe } = spoken(problem)
  return { code, reason: [en], ...(reasonDe === undefined ? {} : { reasonDe }) }
}

const spoken = (problem: Problem): Problem =>
  problem.code === 'SourceUnavailable' ? { code: problem.code, ...message(NOT_NOW) } : problem

const NOT_NOW: Text = {
  en: 'The data source cannot be read now. Try again later.',
  de: 'Die Datenquelle ist im Augenblick nicht lesbar. Versuchen Sie es später noch einmal.',
}

/** Ends of a flow behind which the transfer goes on: the same request has a chance later. */
const PASSING: readonly ProblemCode[] = ['Stopping', 'SourceUnavailable', 'SinkUnavailable']

/** @param stopped the transfer is known and stopped: then any reason that does not pass by itself is a 403. */
export function answer(problem: Problem, stopped: boolean) {
  const { code } = problem
  const body = JSON.stringify(forPartner(problem))
  const ended = stopped && !PASSING.includes(code)
  const retryAfter = ended ? undefined : RETRY_AFTER[code]
  return {
    status: ended ? 403 : (STATUS[code] ?? 403),
    body,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      ...(code === 'GrantInvalid' && { 'WWW-Authenticate': 'Bearer' }),
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    },
  }
}

const REPRESENTATION = [
  'Content-Disposition',
  'Content-Encoding',
  'Content-Range',
  'ETag',
  'Accept-Ranges',
  'Link',
]

export function sendProblem(
  req: IncomingMessage,
  res: ServerResponse,
  problem: Problem,
  more: {
    readonly status?: number
    readonly stopped?: boolean
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): void {
  if (res.headersSent || res.destroyed) return
  const { status, body, headers } = answer(problem, more.stopped === true)
  // A representation that was begun and then refused leaves its headers behind.
  for (const name of REPRESENTATION) res.removeHeader(name)
  res.writeHead(more.status ?? status, { ...headers, ...more.headers })
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** The same refusal on a connection that asked for an upgrade. */
export function refuseUpgrade(socket: Duplex, problem: Problem, stopped = false): void {
  if (socket.destroyed) return
  const { status, body, headers } = answer(problem, stopped)
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  // The other side may keep its half of the connection open for as long as it likes; ours is over.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}
