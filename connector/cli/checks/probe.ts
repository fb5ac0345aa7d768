/** One careful GET: time limit by signal, size limit, no redirects. On node:https, because it asks before anything else runs. */
import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { Config } from '../../config/load.js'

export type Probed = {
  readonly status: number
  readonly body: string
  /** Of the answer, milliseconds since the epoch; undefined when it carries none. */
  readonly date?: number
}

export type Probe = (
  url: string,
  signal: AbortSignal,
  options?: {
    /** Anybody's certificate will do: only to see who sits on a port of this machine. */
    readonly anyCertificate?: true
  },
) => Promise<Probed>

/** Largest answer looked at, bytes. */
const MAX_BODY = 64 * 1024

/** Rejects with the error of Node, whose `code` says what went wrong. */
export const createProbe =
  (config: Pick<Config, 'trustedCa'>): Probe =>
  (url, signal, options = {}) =>
    new Promise<Probed>((resolve, reject) => {
      const extra = config.trustedCa === undefined ? [] : [readFileSync(config.trustedCa, 'utf8')]
      const answered = (answer: IncomingMessage): void => {
        read(answer).then(resolve, reject)
      }
      const common = {
        signal,
        agent: false,
        headers: { accept: 'application/json, application/did+json' },
      } as const
      const request = url.startsWith('https:')
        ? httpsRequest(
            url,
            {
              ...common,
              ca: [...rootCertificates, ...extra],
              rejectUnauthorized: options.anyCertificate !== true,
            },
            answered,
          )
        : httpRequest(url, common, answered)
      request.on('error', reject)
      request.end()
    })

async function read(answer: IncomingMessage): Promise<Probed> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_BODY) {
      answer.destroy()
      break
    }
    chunks.push(bytes)
  }
  const date = Date.parse(answer.headers.date ?? '')
  return {
    status: answer.statusCode ?? 0,
    body: Buffer.concat(chunks).toString('utf8'),
    ...(Number.isNaN(date) ? {} : { date }),
  }
}

/** A member of a JSON text, or undefined when it is no JSON object or has no such member. */
export function memberOf(body: string, name: string): unknown {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null
      ? Object.entries(value).find(([key]) => key === name)?.[1]
      : undefined
  } catch {
    return undefined
  }
}
