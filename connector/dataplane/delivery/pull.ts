/**
 * Pull: one answer with what there is now, as NDJSON, CSV or a JSON array. With a limit a page is collected first,
 * so that every refusal has its status; without one the answer is streamed in flat memory, and a failure in the
 * middle breaks the connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { err, ok, type Problem, type Result } from '../../core/result.js'
import type { Shape } from '../pipeline.js'
import { openReading, POSITION_GONE, type Reading } from '../reading.js'
import type { DataRecord } from '../record.js'
import type { Counted } from '../stages/count.js'
import { acceptsGzip, CSV, type Format, JSON_ARRAY, NDJSON } from './accept.js'
import { sendProblem } from './answer.js'
import type { RecordDelivery } from './delivery.js'
import { csvEncoder, csvHeader, jsonEncoder } from './encode.js'
import { openOutlet, SLICE } from './outlet.js'
import type { PullQuery } from './query.js'

/** Pages smaller than this are sent as they are, bytes. */
const WORTH_PACKING = 1024

/** Longer pages are read in turns, so that nobody else in the program waits for one. */
const TAKEN_AT_ONCE = 512

const NOTHING: Counted = { granted: 0 }

export type Frame = {
  readonly headers: Headers
  readonly head: string
  readonly between: string
  readonly tail: string
  readonly encode: (record: DataRecord) => string
}

export async function servePull(
  delivery: RecordDelivery,
  req: IncomingMessage,
  res: ServerResponse,
  query: PullQuery,
  frame: Frame,
): Promise<void> {
  const { flow, source, shape, clock } = delivery
  flow.onEnd((reason) => {
    if (res.headersSent) res.destroy()
    else sendProblem(req, res, reason, { stopped: true })
  })
  if (req.method === 'HEAD') {
    res.writeHead(200, frame.headers).end()
    return
  }
  if (query.limit === undefined && req.httpVersionMinor === 0) {
    // Without chunks an answer that breaks off looks like a complete one.
    return sendProblem(req, res, {
      code: 'InvalidInput',
      message: 'A pull without "limit" needs HTTP/1.1. Give a limit, or use a newer client.',
      messageDe:
        'Ohne „limit“ braucht das Abholen HTTP/1.1. Geben Sie limit an, oder verwenden Sie ein neueres Programm.',
    })
  }
  const reading = await openReading(source, shape, query, clock(), flow)
  if (flow.ended()) return
  if (!reading.ok) return sendProblem(req, res, reading.error)

  const gzip = acceptsGzip(req.headers['accept-encoding'])
  if (query.limit === undefined) return streamAll(delivery, req, res, reading.value, frame, gzip)
  return sendPage(delivery, req, res, reading.value, frame, gzip, query, query.limit)
}

/** Frames by shape and format, each made once: making one takes as long as a third of the records of a small page. */
export function createFrames(): (shape: Shape, format: Format) => Frame {
  const known = new WeakMap<Shape, Map<Format, Frame>>()
  return (shape, format) => {
    const frames = known.get(shape) ?? new Map<Format, Frame>()
    const frame = frames.get(format) ?? frameOf(format, shape.columns)
    known.set(shape, frames.set(format, frame))
    return frame
  }
}

function frameOf(format: Format, columns: readonly string[]): Frame {
  const headers = {
    'Content-Type': format === NDJSON ? NDJSON : `${format}; charset=utf-8`,
    Vary: 'Accept, Accept-Encoding',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  }
  if (format === CSV) {
    return { headers, head: csvHeader(columns), between: '', tail: '', encode: csvEncoder(columns) }
  }
  const encode = jsonEncoder(columns)
  if (format === JSON_ARRAY) return { headers, head: '[', between: ',\n', tail: ']\n', encode }
  return { headers, head: '', between: '', tail: '', encode: (record) => `${encode(record)}\n` }
}

/** The records of a shaped batch that may leave now; `ended` when one that is not due holds back the rest. */
function dueNow(delivery: RecordDelivery, batch: readonly DataRecord[]) {
  const { shape, clock, droppedAhead } = delivery
  if (shape.delayMs <= 0) return { due: batch, ended: false }
  const due: DataRecord[] = []
  const now = clock()
  for (const record of batch) {
    const verdict = shape.due(record, now)
    if (verdict.is === 'wait') return { due, ended: true }
    if (verdict.is === 'due') due.push(record)
    else droppedAhead()
  }
  return { due, ended: false }
}

type Headers = Readonly<Record<string, string>>

async function streamAll(
  delivery: RecordDelivery,
  req: IncomingMessage,
  res: ServerResponse,
  reading: Reading,
  frame: Frame,
  gzip: boolean,
): Promise<void> {
  const { flow, shape, clock, counter, ledger } = delivery
  const { signal } = flow
  const open = () => {
    res.writeHead(200, gzip ? { ...frame.headers, 'Content-Encoding': 'gzip' } : frame.headers)
    return openOutlet(res, gzip)
  }
  let outlet: ReturnType<typeof open> | undefined
  let between = ''
  const fail = async (reason: Problem): Promise<void> => {
    delivery.stopped(reason)
    if (outlet === undefined) sendProblem(req, res, reason)
    else await outlet.breakOff()
  }

  const batches = reading.read(signal)
  try {
    for await (const batch of batches) {
      const refused = shape.gate(clock())
      if (refused !== undefined) return await fail(refused)
      const { due, ended } = dueNow(delivery, batch)
      const { granted, short } =
        due.length === 0 ? NOTHING : await counter.book(counter.asked(due, 0, due.length))
      for (let at = 0; at < granted; ) {
        if (signal.aborted) return
        const end = Math.min(at + SLICE, granted)
        let text = ''
        if (outlet === undefined) {
          outlet = open()
          text = frame.head
        }
        for (let i = at; i < end; i++) {
          const record = due[i]
          if (record === undefined) break
          text += between + frame.encode(record)
          between = frame.between
        }
        ledger.add(due, at, end, Buffer.byteLength(text))
        await outlet.write(text, signal)
        at = end
      }
      if (signal.aborted) return
      if (short !== undefined) return await fail(short.problem)
      if (ended) break
    }
  } catch (cause) {
    if (outlet === undefined) throw cause
    delivery.stopped(sourceFailed(cause))
    return outlet.breakOff()
  }
  if (signal.aborted) return
  if (reading.lost()) return sendProblem(req, res, POSITION_GONE)
  const rest = outlet === undefined ? frame.head + frame.tail : frame.tail
  outlet ??= open()
  if (rest !== '') await outlet.write(rest, signal)
  if (!signal.aborted) outlet.end()
}

async function sendPage(
  delivery: RecordDelivery,
  req: IncomingMessage,
  res: ServerResponse,
  reading: Reading,
  frame: Frame,
  gzip: boolean,
  query: PullQuery,
  limit: number,
): Promise<void> {
  const { flow, counter, ledger } = delivery
  const { headers } = frame
  const page = await collect(delivery, reading, limit)
  if (flow.ended()) return
  if (!page.ok) return sendProblem(req, res, page.error)
  const { records, more } = page.value
  const { granted, short } =
    records.length === 0 ? NOTHING : await counter.book(counter.asked(records, 0, records.length))
  if (flow.ended()) return
  if (short !== undefined) {
    delivery.stopped(short.problem)
    if (granted === 0) return sendProblem(req, res, short.problem)
  }

  let text = frame.head
  for (let i = 0; i < granted; i++) {
    const record = records[i]
    if (record !== undefined) text += (i === 0 ? '' : frame.between) + frame.encode(record)
  }
  text += frame.tail
  const bytes = Buffer.byteLength(text)
  ledger.add(records, 0, granted, bytes)
  const last = records[granted - 1]
  // A page cut short by the quota names a next one too: asking for it tells the reason.
  const next = last !== undefined && (more || granted < records.length) ? { Link: nextLink(query, last) } : {}
  if (gzip && bytes >= WORTH_PACKING) {
    res.writeHead(200, { ...headers, ...next, 'Content-Encoding': 'gzip' })
    const outlet = openOutlet(res, true)
    await outlet.write(text, flow.signal)
    if (!flow.ended()) outlet.end()
    return
  }
  res.writeHead(200, { ...headers, ...next, 'Content-Length': String(bytes) }).end(text)
}

/** Up to `limit` records that may leave now, and whether there is one more. */
async function collect(
  delivery: RecordDelivery,
  reading: Reading,
  limit: number,
): Promise<Result<{ readonly records: readonly DataRecord[]; readonly more: boolean }>> {
  const { flow, shape, clock } = delivery
  const records: DataRecord[] = []
  let more = false
  /** True when nothing behind this batch belongs on the page. */
  const add = (batch: readonly DataRecord[]): Result<boolean> => {
    const refused = shape.gate(clock())
    if (refused !== undefined) return err(refused)
    const { due, ended } = dueNow(delivery, batch)
    for (const record of due) {
      more = records.length === limit
      if (more) break
      records.push(record)
    }
    return ok(more || ended)
  }

  const taken = limit < TAKEN_AT_ONCE ? reading.take?.(limit + 1) : undefined
  const begun = taken === undefined ? ok(false) : add(taken.shaped)
  if (!begun.ok) return begun
  if (!begun.value && taken?.ended !== true) {
    for await (const batch of reading.read(flow.signal, limit + 1)) {
      const complete = add(batch)
      if (!complete.ok) return complete
      if (complete.value || flow.ended()) break
    }
  }
  return reading.lost() ? err(POSITION_GONE) : ok({ records, more })
}

/** RFC 8288, relative to the address that was asked, whatever stands in front of us. */
function nextLink({ from, to, limit }: PullQuery, last: DataRecord): string {
  const range = `${from === undefined ? '' : `&from=${from}`}${to === undefined ? '' : `&to=${to}`}`
  return `<?after=${encodeURIComponent(last.position)}&limit=${limit}${range}>; rel="next"`
}

/** The Problem of a failure while reading; anything that is not a SourceError stays as its detail. */
export function sourceFailed(cause: unknown): Problem {
  const carried = cause instanceof Error && 'problem' in cause ? (cause.problem as Problem) : undefined
  if (carried !== undefined) return carried
  return {
    code: 'SourceUnavailable',
    message: 'The data source failed while it was read.',
    messageDe: 'Die Datenquelle ist beim Lesen ausgefallen.',
    detail: cause,
  }
}
