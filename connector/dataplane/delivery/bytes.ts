/** A file as it is: RFC 9110 conditional requests and one byte range, with the source's own backpressure. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { shapesRecords } from '../../policy/plan.js'
import type { ByteRange, ByteSource } from '../ports.js'
import { sendProblem } from './answer.js'
import type { Delivery } from './delivery.js'
import { sourceFailed } from './pull.js'

export async function serveBytes(
  delivery: Delivery,
  source: ByteSource,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { grant, flow, counter, ledger } = delivery
  flow.onEnd((reason) => {
    if (res.headersSent) res.destroy()
    else sendProblem(req, res, reason, { stopped: true })
  })
  if (shapesRecords(grant.plan)) {
    // Bytes cannot be thinned out: what cannot be enforced is refused.
    return sendProblem(req, res, {
      code: 'PolicyDenied',
      message: 'The contract shapes records, but this dataset is a file that can only be delivered as it is.',
      messageDe:
        'Der Vertrag verändert einzelne Einträge; dieser Datensatz ist aber eine Datei, die nur unverändert geliefert werden kann.',
    })
  }
  const described = await source.describe()
  if (flow.ended()) return
  if (!described.ok) return sendProblem(req, res, described.error)
  const { size, mediaType, fileName } = described.value
  const etag = entityTag(described.value.etag)

  const common = { ETag: etag, 'Cache-Control': 'no-cache', 'Accept-Ranges': 'bytes' }
  if (matchesAny(req.headers['if-none-match'], etag)) {
    res.writeHead(304, common).end()
    return
  }
  const range = rangeOf(req, etag, size)
  if (range === 'unsatisfiable') {
    return sendProblem(
      req,
      res,
      {
        code: 'RangeInvalid',
        message: `The file has ${size} bytes; the range asked for is not in it.`,
        messageDe: `Die Datei hat ${size} Byte; der verlangte Bereich liegt nicht darin.`,
      },
      { headers: { 'Content-Range': `bytes */${size}` } },
    )
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  const send = req.method !== 'HEAD'
  const booked = send ? await counter.book({ records: 1, sizes: [Math.max(0, end - start + 1)] }) : undefined
  if (booked?.short !== undefined) {
    delivery.stopped(booked.short.problem)
    return sendProblem(req, res, booked.short.problem)
  }
  const version = { start, end, etag: described.value.etag }
  const whole = send && size > 0 ? await source.take?.(version) : undefined
  if (flow.ended()) return

  const status = range === undefined ? 200 : 206
  const headers = {
    ...common,
    'Content-Type': mediaType,
    'Content-Disposition': disposition(fileName),
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': String(end - start + 1),
    ...(range === undefined ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` }),
  }
  if (whole !== undefined || !send || size === 0) {
    if (send) ledger.addBytes(1, whole?.length ?? 0)
    res.writeHead(status, headers).end(whole)
    return
  }
  // Not written yet: while the file cannot be opened, a refusal can still take their place.
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  return copy(delivery, source, req, res, version)
}

async function copy(
  { flow, ledger, stopped }: Delivery,
  source: ByteSource,
  req: IncomingMessage,
  res: ServerResponse,
  range: ByteRange & { readonly etag: string },
): Promise<void> {
  const wanted = range.end - range.start + 1
  let sent = 0
  const body = source.open(range)
  body.on('data', (chunk: Buffer) => {
    sent += chunk.length
  })
  body.pause()
  try {
    await pipeline(body, res, { signal: flow.signal, end: false })
    // A file that shrank underneath gives too little: the announced length has to stay unfulfilled, visibly.
    if (sent === wanted) res.end()
    else res.destroy()
  } catch (cause) {
    if (flow.ended()) return
    const reason = sourceFailed(cause)
    stopped(reason)
    if (res.headersSent) res.destroy()
    else {
      res.removeHeader('Content-Length')
      sendProblem(req, res, reason)
    }
  } finally {
    body.destroy()
    ledger.addBytes(1, sent)
  }
}

/** undefined: send the whole. RFC 9110, "Range": a unit we do not know, and several ranges, are answered whole. */
function rangeOf(req: IncomingMessage, etag: string, size: number): ByteRange | undefined | 'unsatisfiable' {
  const header = req.headers.range?.trim()
  if (header === undefined || !/^bytes\s*=/i.test(header)) return undefined
  const condition = req.headers['if-range']
  // Only a strong tag proves that the part fits to what the receiver has.
  if (condition !== undefined && (condition !== etag || etag.startsWith('W/'))) return undefined
  const set = header.slice(header.indexOf('=') + 1)
  if (set.includes(',')) return undefined
  const [, from, to] = /^\s*(\d*)-(\d*)\s*$/.exec(set) ?? []
  if (from === undefined || to === undefined || from + to === '') return 'unsatisfiable'
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  const sound = Number.isSafeInteger(start) && Number.isSafeInteger(end)
  return sound && start <= end && start < size && (to === '' || from === '' || Number(to) >= start)
    ? { start, end }
    : 'unsatisfiable'
}

const entityTag = (etag: string): string =>
  /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(etag) ? etag : `"${etag.replace(/[^\x21\x23-\x7e]/g, '_')}"`

/** Weak comparison, as RFC 9110 wants it for If-None-Match. */
function matchesAny(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  const opaque = etag.replace(/^W\//, '')
  return [...header.matchAll(/"[^"]*"/g)].some(([tag]) => tag === opaque)
}

/** RFC 6266: an ASCII name for everybody, the exact one beside it. No path and no control character survives. */
function disposition(fileName: string): string {
  const name = (fileName.split(/[/\\]/).at(-1) ?? '').replace(/\p{Cc}/gu, '').trim() || 'data'
  const plain = name.replace(/[^\x20-\x7e]|["%]/g, '_')
  const exact = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`
}
