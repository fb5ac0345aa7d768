/**
 * Passes the data of a transfer from the provider to whoever asked here: status, representation and bytes unchanged, at
 * the speed of the slower side, and ended on both sides when one of them goes.
 */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import type { Log } from '../core/log.js'
import {
  type Because,
  message,
  PROBLEMS,
  type Problem,
  type ProblemCode,
  type Result,
} from '../core/result.js'
import { sendProblem } from './errors.js'

export type DataRequest = {
  readonly as: 'pull' | 'stream'
  /** The query for the provider, checked; empty or beginning with a question mark. */
  readonly search: string
  /** What the caller wants of the representation; never its own token. */
  readonly headers: Readonly<Record<string, string>>
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal
}

export type DataAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Readable
}

/** Asks the provider of a transfer for its data. The token and the address stay behind it. */
export type OpenData = (pid: string, request: DataRequest) => Promise<Result<DataAnswer>>

const ASKED = ['accept', 'accept-encoding', 'range', 'if-range', 'if-none-match', 'last-event-id']
const ANSWERED = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'vary',
  'retry-after',
]
/** Largest refusal of a provider that is read, bytes. */
const MAX_REFUSAL = 64 * 1024
const MAX_REASON = 1_000

export async function passData(
  m: { readonly as: 'pull' | 'stream'; readonly pid: string; readonly openData: OpenData; readonly log: Log },
  req: Request,
  res: Response,
): Promise<void> {
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  const headers = Object.fromEntries(
    ASKED.flatMap((name) => {
      const value = req.headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
  const search = new URL(req.originalUrl, 'http://localhost').search
  const opened = await m.openData(m.pid, {
    as: m.as,
    search,
    headers: m.as === 'stream' ? { ...headers, accept: 'text/event-stream' } : headers,
    signal: gone.signal,
  })
  if (gone.signal.aborted) {
    if (opened.ok) opened.value.body.destroy()
    return
  }
  if (!opened.ok) return sendProblem(res, opened.error)
  const answer = opened.value
  for (const name of ANSWERED) {
    const value = answer.headers[name]
    if (typeof value === 'string') res.setHeader(name, value)
  }
  if (answer.status >= 300 && answer.status !== 304) return refuse(res, answer)
  const links = nextLinks(answer.headers.link, req.path)
  if (links !== '') res.setHeader('Link', links)
  res.status(answer.status)
  res.flushHeaders()
  try {
    await pipeline(answer.body, res)
  } catch (cause) {
    // Whoever reads sees the connection break instead of a complete answer.
    if (!gone.signal.aborted) m.log.warn({ transfer: m.pid, err: cause }, 'data from the provider broke off')
    res.destroy()
  }
}

/** The provider's refusal in the words of this API. */
async function refuse(res: Response, answer: DataAnswer): Promise<void> {
  for (const name of ANSWERED) if (!['content-range', 'retry-after'].includes(name)) res.removeHeader(name)
  const text = await readSome(answer.body)
  sendProblem(res, refusal(answer.status, text))
}

function refusal(status: number, text: string): Problem {
  const { code, reason, reasonDe } = parseRefusal(text)
  if (code !== undefined && reason !== undefined && status >= 400)
    return { code, ...message(reasonDe === undefined ? reason : { en: reason, de: reasonDe }) }
  if (status < 400) {
    const en = `The provider answered ${status}, which is no data.`
    const de = `Der Anbieter antwortete mit ${status}; das sind keine Daten.`
    return { code: 'PartnerAnswerInvalid', ...message({ en, de }) }
  }
  const said = reason === undefined ? '' : `: ${reason}`
  const gesagt = reason === undefined ? '' : `: ${reasonDe ?? `„${reason}“`}`
  return {
    code: 'PartnerRefused',
    ...message({
      en: `The provider answered ${status}${said}`,
      de: `Der Anbieter antwortete mit ${status}${gesagt}`,
    }),
  }
}

function parseRefusal(text: string): { readonly code?: ProblemCode } & Partial<Because> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return {}
  }
  if (typeof body !== 'object' || body === null) return {}
  const { code, reason, reasonDe } = body as { code?: unknown; reason?: unknown; reasonDe?: unknown }
  const words = (Array.isArray(reason) ? reason : [reason])
    .filter((word) => typeof word === 'string')
    .join(' ')
  return {
    ...(typeof code === 'string' && Object.hasOwn(PROBLEMS, code) ? { code: code as ProblemCode } : {}),
    ...(words === '' ? {} : { reason: shown(words) }),
    ...(words === '' || typeof reasonDe !== 'string' ? {} : { reasonDe: shown(reasonDe) }),
  }
}

const shown = (words: string): string => words.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_REASON)

async function readSome(body: Readable): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk)
      chunks.push(bytes)
      size += bytes.length
      if (size > MAX_REFUSAL) break
    }
  } catch {
    // A refusal that breaks off is told by its status alone.
    return ''
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** RFC 8288. Where the provider's next page is, as an address of this API; other links lead elsewhere and are left out. */
export function nextLinks(link: string | readonly string[] | undefined, path: string): string {
  const text = typeof link === 'string' ? link : (link ?? []).join(', ')
  return [...text.matchAll(/<([^>]*)>([^,<]*)/g)]
    .filter(([, , parameters = '']) => /;\s*rel\s*=\s*"?next"?(\s|;|$)/i.test(parameters))
    .flatMap(([, target = '']) => {
      const url = URL.canParse(target, 'http://provider.invalid')
        ? new URL(target, 'http://provider.invalid')
        : undefined
      return url === undefined ? [] : [`<${path}${url.search}>; rel="next"`]
    })
    .join(', ')
}
