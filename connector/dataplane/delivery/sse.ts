/** Live stream as Server-Sent Events: one event per record, its position as the event's id, `event: end` as the last. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '../../core/result.js'
import { openReading, type Wanted } from '../reading.js'
import { scheduleEvery } from '../schedule.js'
import { EVENT_STREAM } from './accept.js'
import { forPartner, sendProblem } from './answer.js'
import type { RecordDelivery } from './delivery.js'
import { jsonEncoder } from './encode.js'
import { follow, type Send } from './follow.js'
import { drained, SLICE } from './outlet.js'
import type { Ending } from './transfers.js'

/** What a receiver waits before it connects again when the connection breaks, milliseconds. */
const RETRY = 2_000
/** How long a receiver may take to read the end, milliseconds. */
const FAREWELL = 5_000

export async function serveSse(
  delivery: RecordDelivery,
  req: IncomingMessage,
  res: ServerResponse,
  wanted: Wanted,
): Promise<void> {
  const { flow, source, shape, clock, schedule, ledger } = delivery
  const { signal } = flow
  const unsent = (): number => res.writableLength + (res.socket?.writableLength ?? 0)

  flow.onEnd((reason: Problem, ending: Ending) => {
    if (!res.headersSent) return sendProblem(req, res, reason, { stopped: true })
    // What waits here are records: they must not leave any more. The next request is told the reason.
    if (ending === 'cut' && unsent() > 0) return void res.destroy()
    res.end(`event: end\ndata: ${JSON.stringify(forPartner(reason))}\n\n`)
    const cancel = schedule(FAREWELL, () => res.destroy())
    res.once('close', cancel)
  })

  const headers = {
    'Content-Type': EVENT_STREAM,
    'Cache-Control': 'no-store',
    Connection: 'close',
    'X-Accel-Buffering': 'no',
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Accept',
  }
  if (req.method === 'HEAD') {
    res.writeHead(200, headers).end()
    return
  }
  const reading = await openReading(source, shape, wanted, clock(), flow)
  if (signal.aborted) return
  if (!reading.ok) return sendProblem(req, res, reading.error)
  res.writeHead(200, headers)
  // An id without data sets the resume point without an event: a break before the first record loses nothing.
  const { begunAfter } = reading.value
  res.write(`retry: ${RETRY}\n${begunAfter === undefined ? '' : `id: ${begunAfter}\n`}\n`)

  const stopHeartbeat = scheduleEvery(schedule, delivery.heartbeatMs, () => {
    if (!signal.aborted && unsent() === 0) res.write(':\n\n')
  })
  signal.addEventListener('abort', stopHeartbeat)

  const encode = jsonEncoder(shape.columns)
  const send: Send = async (records, start, end) => {
    for (let at = start; at < end; at += SLICE) {
      const stop = Math.min(at + SLICE, end)
      let text = ''
      for (let i = at; i < stop; i++) {
        const record = records[i]
        if (record !== undefined) text += `id: ${record.position}\ndata: ${encode(record)}\n\n`
      }
      if (signal.aborted) return
      ledger.add(records, at, stop, Buffer.byteLength(text))
      if (!res.write(text)) await drained(res, signal)
    }
  }
  const reason = await follow(delivery, reading.value, send)
  if (reason === undefined) return
  delivery.stopped(reason)
  flow.end(reason, 'finish')
}
