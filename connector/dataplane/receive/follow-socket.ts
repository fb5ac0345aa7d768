/** A live stream over WebSocket. */
import type { ClientRequestArgs, IncomingMessage } from 'node:http'
import type { ConnectionOptions } from 'node:tls'
import { WebSocket } from 'ws'
import { err, type Result } from '../../core/result.js'
import { realSchedule } from '../schedule.js'
import { type Connected, type FollowOptions, followWith, isPassing, NOT_THE_PROTOCOL } from './follow.js'
import {
  addressOf,
  authorizationOf,
  MAX_SILENCE,
  type Refusal,
  refusalOf,
  statedProblem,
  unreachable,
} from './partner-answer.js'
import { MAX_RECORD, parseObject, parseReceived, type Received } from './received.js'

export type FollowSocketOptions = Omit<FollowOptions, 'dispatcher'> & {
  /** Trust, client certificate and address checks of the connection. */
  readonly connection?: Pick<
    ClientRequestArgs & ConnectionOptions,
    'agent' | 'ca' | 'cert' | 'key' | 'lookup' | 'servername'
  >
}

export async function followSocket(
  options: FollowSocketOptions,
): Promise<Result<{ readonly lastId?: string }>> {
  const checked = addressOf(options.endpoint, {})
  if (!checked.ok) return err(checked.error)
  return followWith(options, async (after, told) => {
    const url = addressOf(options.endpoint, { from: options.from, after })
    if (!url.ok) return { problem: url.error, transient: false }
    url.value.protocol = url.value.protocol === 'https:' ? 'wss:' : 'ws:'
    const ws = new WebSocket(url.value, {
      ...options.connection,
      headers: { authorization: authorizationOf(options) },
      handshakeTimeout: MAX_SILENCE,
      perMessageDeflate: false,
      maxPayload: MAX_RECORD,
      followRedirects: false,
    })
    return listen(ws, told, options)
  })
}

type Bounds = Pick<FollowOptions, 'signal' | 'schedule'>

/** Rejects with what the sink throws. */
function listen(
  ws: WebSocket,
  told: Connected,
  { signal, schedule = realSchedule }: Bounds,
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    let waiting: Received[] = []
    let taking: Promise<void> | undefined
    let outcome: Refusal | undefined
    const leave = (): void => ws.terminate()
    signal.addEventListener('abort', leave)

    let quiet = schedule(MAX_SILENCE, leave)
    const heard = (): void => {
      quiet()
      quiet = schedule(MAX_SILENCE, leave)
    }
    const end = (refusal: Refusal): void => {
      outcome ??= refusal
      ws.terminate()
    }
    /** The sink sets the pace: while it works, the socket is not read. */
    const take = async (): Promise<void> => {
      while (waiting.length > 0) {
        const batch = waiting
        waiting = []
        await told.records(batch)
      }
      taking = undefined
      if (ws.readyState === WebSocket.OPEN) ws.resume()
    }

    ws.on('upgrade', (answer: IncomingMessage) => {
      const begin = answer.headers['last-event-id']
      if (typeof begin === 'string' && begin !== '') told.begins(begin)
    })
    ws.on('open', () => told.opened())
    ws.on('ping', heard)
    ws.on('message', (data, isBinary) => {
      heard()
      if (outcome !== undefined) return
      const text = isBinary ? '' : String(data)
      const record = parseReceived(text)
      if (record === undefined) {
        const stated = statedProblem(endOf(text))
        outcome = stated === undefined ? NOT_THE_PROTOCOL : { problem: stated, transient: isPassing(stated) }
        if (stated === undefined) ws.terminate()
        return
      }
      waiting.push(record)
      if (taking !== undefined) return
      ws.pause()
      taking = take()
      // Met again when the connection has closed; until then it must not count as unhandled.
      taking.catch(leave)
    })
    ws.on('unexpected-response', (request, response) => {
      void refusalOf(response.statusCode ?? 0, response).then((refusal) => {
        end(refusal)
        request.destroy()
      })
    })
    ws.on('error', (cause) => {
      outcome ??= { problem: unreachable(cause), transient: true }
    })
    ws.on('close', () => {
      quiet()
      signal.removeEventListener('abort', leave)
      Promise.resolve(taking).then(() => resolve(outcome ?? BROKEN_OFF), reject)
    })
  })
}

function endOf(text: string): Record<string, unknown> | undefined {
  const end = parseObject(text)?.end
  return typeof end === 'object' && end !== null ? (end as Record<string, unknown>) : undefined
}

const BROKEN_OFF: Refusal = {
  problem: {
    code: 'PartnerUnreachable',
    message: 'The stream broke off without a reason.',
    messageDe: 'Der Datenstrom brach ohne Begründung ab.',
  },
  transient: true,
}
