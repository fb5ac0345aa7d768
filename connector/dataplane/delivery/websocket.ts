/** Live stream over WebSocket: one JSON text message per record; the last message says why it ends. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import type { Problem } from '../../core/result.js'
import { openReading, type Wanted } from '../reading.js'
import { scheduleEvery } from '../schedule.js'
import { forPartner, refuseUpgrade } from './answer.js'
import type { RecordDelivery } from './delivery.js'
import { jsonEncoder } from './encode.js'
import { follow, type Send } from './follow.js'
import { SLICE } from './outlet.js'
import { sourceFailed } from './pull.js'
import type { Ending } from './transfers.js'

/** Close codes: RFC 6455 "Going Away", and one from the private range for an end by contract. */
export const GOING_AWAY = 1001
export const ENDED = 4403

/** Unsent bytes at which reading waits. */
const HIGH_WATER = 64 * 1024
/** Heartbeats without an answer after which the receiver counts as gone. */
const MISSED_HEARTBEATS = 4
const FAREWELL = 5_000

/** Receivers have nothing to say; whatever they send is small and ignored. */
export const createSocketServer = (): WebSocketServer =>
  new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024, clientTracking: false })

export async function serveSocket(
  delivery: RecordDelivery,
  server: WebSocketServer,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  wanted: Wanted,
): Promise<void> {
  const { flow, source, shape, clock } = delivery
  socket.once('close', () => flow.close())
  flow.onEnd((reason) => refuseUpgrade(socket, reason, true))
  const reading = await openReading(source, shape, wanted, clock(), flow)
  if (flow.signal.aborted) return
  if (!reading.ok) return refuseUpgrade(socket, reading.error)

  const ws = accept(server, req, socket, head, reading.value.begunAfter)
  if (ws === undefined) return
  prepare(delivery, ws)
  try {
    const reason = await follow(delivery, reading.value, sender(delivery, ws, socket))
    if (reason === undefined) return
    delivery.stopped(reason)
    flow.end(reason, 'finish')
  } catch (cause) {
    if (flow.signal.aborted) return
    const reason = sourceFailed(cause)
    delivery.stopped(reason)
    flow.end(reason, 'finish')
  }
}

/**
 * Answers within the call; a handshake that is not one is refused by ws, and the close of the socket ends the flow.
 * The answer names the resume point, so that a break before the first record loses nothing.
 */
function accept(
  server: WebSocketServer,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  begunAfter: string | undefined,
): WebSocket | undefined {
  let ws: WebSocket | undefined
  const name = (headers: string[]): void => {
    if (begunAfter !== undefined) headers.push(`Last-Event-ID: ${begunAfter}`)
  }
  server.on('headers', name)
  server.handleUpgrade(req, socket, head, (accepted) => {
    ws = accepted
  })
  server.off('headers', name)
  return ws
}

/** The end, the heartbeat, and the tidying up. */
function prepare({ flow, schedule, heartbeatMs }: RecordDelivery, ws: WebSocket): void {
  flow.onEnd((reason: Problem, ending: Ending) => {
    // What waits here are records: they must not leave any more. The next request is told the reason.
    if (ending === 'cut' && ws.bufferedAmount > 0) return ws.terminate()
    ws.send(JSON.stringify({ end: forPartner(reason) }))
    ws.close(reason.code === 'Stopping' ? GOING_AWAY : ENDED, reason.code)
    const cancel = schedule(FAREWELL, () => ws.terminate())
    ws.once('close', cancel)
  })
  let unanswered = 0
  ws.on('pong', () => {
    unanswered = 0
  })
  const stopHeartbeat = scheduleEvery(schedule, heartbeatMs, () => {
    // A full connection has nothing to prove: its receiver is slow, not gone.
    if (ws.readyState !== WebSocket.OPEN || ws.bufferedAmount > 0) return
    if (unanswered >= MISSED_HEARTBEATS) return ws.terminate()
    unanswered += 1
    ws.ping()
  })
  flow.signal.addEventListener('abort', stopHeartbeat)
  // A broken connection closes right after; there is nothing to add to it.
  ws.on('error', () => ws.terminate())
  ws.on('close', () => flow.close())
}

function sender({ flow, shape, ledger }: RecordDelivery, ws: WebSocket, socket: Duplex): Send {
  const { signal } = flow
  const encode = jsonEncoder(shape.columns)
  return async (records, start, end) => {
    for (let at = start; at < end; at += SLICE) {
      if (signal.aborted) return
      const stop = Math.min(at + SLICE, end)
      let bytes = 0
      socket.cork()
      for (let i = at; i < stop; i++) {
        const record = records[i]
        if (record === undefined) continue
        const text = encode(record)
        bytes += text.length
        ws.send(text, sent)
      }
      socket.uncork()
      ledger.add(records, at, stop, bytes)
      if (ws.bufferedAmount > HIGH_WATER) await room(ws, socket, signal)
    }
  }
}

/** The connection's own error event reports a failure; a callback keeps ws from throwing on a closed one. */
const sent = (): void => {}

/** Resolves when the socket has handed on what waits, has closed, or the flow has ended. */
function room(ws: WebSocket, socket: Duplex, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ws.readyState !== WebSocket.OPEN) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
    signal.addEventListener('abort', done)
  })
}
