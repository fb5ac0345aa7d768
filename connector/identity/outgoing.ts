/**
 * The only way out over HTTP for DSP messages and DID documents: verified TLS, checked addresses, no redirects, and a limit
 * on time and size. Every failure is a Problem that an operator can act on.
 */
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { err, ok, problem, type Result } from '../core/result.js'
import { Agent, errors, request } from '../core/undici.js'
import { createDial, type Dial, type DialOptions } from './dial.js'
import { AnswerTooLargeError, describeFailure, isDamaged } from './outgoing-failure.js'

export type OutgoingRequest = {
  readonly url: string
  /** GET when absent. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** From the first packet to the last byte of the answer. */
  readonly timeoutMs?: number
  /** Of the answer's body, packed and unpacked. */
  readonly maxBytes?: number
  /** The partner is one that may be called without encryption. */
  readonly plainHttp?: boolean
  /** What exceeds `maxBytes` is left out instead of making the answer invalid. */
  readonly truncate?: boolean
}

export type OutgoingAnswer = {
  /** Any status, redirects included: they are never followed. */
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Unpacked when it came as gzip. */
  readonly body: Buffer
}

/**
 * @returns `AddressRefused`, `PartnerUnreachable`, `PartnerCertificate` or `PartnerAnswerInvalid`. An abort by the
 *   caller's signal is `Stopping`.
 */
export type OutgoingFetch = (request: OutgoingRequest) => Promise<Result<OutgoingAnswer>>

export type OutgoingOptions = Pick<DialOptions, 'allowPrivate' | 'ca' | 'lookup'> & {
  /** Plain http, for development only. */
  readonly allowHttp?: boolean | ((host: string) => boolean)
  /** Default 15 s. */
  readonly timeoutMs?: number
  /** Default 1 MB. */
  readonly maxBytes?: number
  /** Connections per partner for messages; default 32, as many as are sent to one partner at a time. */
  readonly connections?: number
}

export type UrlRules = { readonly schemes?: readonly string[]; readonly plainHttp?: boolean }

export type Outgoing = AsyncDisposable & {
  readonly fetch: OutgoingFetch
  /**
   * For data pulls that stream: the same checks of address and certificate, connections of its own so that long
   * transfers never keep messages waiting. Time and size are for its user to limit. Check the URL with `checkUrl` first.
   */
  readonly dispatcher: Dispatcher
  /** For clients that dial themselves, such as `ws`. */
  readonly dial: Dial
  /** Scheme and host of a URL before it is used: `AddressRefused` or `InvalidInput`. */
  checkUrl(url: string, m?: UrlRules): Result<URL>
}

const CONNECT_TIMEOUT = 5_000
const KEEP_ALIVE = 30_000

export function createOutgoing(options: OutgoingOptions): Outgoing {
  const { allowHttp = false, timeoutMs = 15_000, maxBytes = 1024 * 1024, connections = 32 } = options
  const dial = createDial({ ...options, connectTimeoutMs: Math.min(CONNECT_TIMEOUT, timeoutMs) })
  const pool = { connect: dial.connector, keepAliveTimeout: KEEP_ALIVE }
  const messages = new Agent({ ...pool, connections })
  const data = new Agent(pool)
  const mayUseHttp = (host: string) => (typeof allowHttp === 'function' ? allowHttp(host) : allowHttp)

  const checkUrl = (text: string, m: UrlRules = {}): Result<URL> => {
    const { schemes = ['https:', 'http:'], plainHttp = false } = m
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || !schemes.includes(url.protocol)) {
      return problem('InvalidInput', {
        en: `"${text.slice(0, 200)}" is not an address that can be called.`,
        de: `„${text.slice(0, 200)}“ ist keine Adresse, die sich aufrufen lässt.`,
      })
    }
    if (url.username !== '' || url.password !== '') {
      return problem('InvalidInput', {
        en: `The address of ${url.host} contains a user name or password; leave them out.`,
        de: `Die Adresse von ${url.host} enthält einen Benutzernamen oder ein Passwort; lassen Sie beides weg.`,
      })
    }
    if ((url.protocol === 'http:' || url.protocol === 'ws:') && !plainHttp && !mayUseHttp(url.hostname)) {
      return problem('AddressRefused', {
        en: `${url.origin} is not encrypted, so nothing is sent there. Use an https address.`,
        de: `${url.origin} ist nicht verschlüsselt; deshalb wird nichts dorthin gesendet. Verwenden Sie eine https-Adresse.`,
      })
    }
    const refused = dial.checkHost(url.hostname)
    return refused === undefined ? ok(url) : err(describeFailure(refused, url.host, timeoutMs))
  }

  const fetch: OutgoingFetch = async (outgoing) => {
    const url = checkUrl(outgoing.url, { plainHttp: outgoing.plainHttp === true })
    if (!url.ok) return url
    const limit = outgoing.timeoutMs ?? timeoutMs
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(new Error('total timeout')), limit)
    const onAbort = () => deadline.abort(outgoing.signal?.reason)
    if (outgoing.signal?.aborted === true) onAbort()
    outgoing.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const answer = await request(url.value, {
        dispatcher: messages,
        method: outgoing.method ?? 'GET',
        headers: outgoing.headers ?? {},
        body: outgoing.body ?? null,
        signal: deadline.signal,
      })
      const read = outgoing.truncate === true ? readBeginning : readBody
      const most = outgoing.maxBytes ?? maxBytes
      const body = await read(unpacked(answer, most, url.value.host), most, url.value.host)
      return ok({ status: answer.statusCode, headers: answer.headers, body })
    } catch (cause) {
      if (outgoing.signal?.aborted === true) {
        return problem(
          'Stopping',
          {
            en: 'The request was given up because this connector no longer needs it.',
            de: 'Die Anfrage wurde abgebrochen, weil dieser Connector sie nicht mehr braucht.',
          },
          cause,
        )
      }
      // A header or method that undici refuses is ours to mend, not the partner's.
      if (cause instanceof errors.InvalidArgumentError) throw cause
      return err(describeFailure(deadline.signal.aborted ? 'timeout' : cause, url.value.host, limit))
    } finally {
      clearTimeout(timer)
      outgoing.signal?.removeEventListener('abort', onAbort)
    }
  }

  return {
    fetch,
    dispatcher: data,
    dial,
    checkUrl,
    // Whoever disposes has stopped what used it; nothing is waited for.
    [Symbol.asyncDispose]: async () => {
      await Promise.all([messages.destroy(), data.destroy()])
    },
  }
}

/** The body without gzip. What it grows to is limited by its reader, and what comes in here, so that neither is endless. */
function unpacked(
  { headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
  host: string,
): AsyncIterable<Buffer> {
  if (!/^\s*(x-)?gzip\s*$/i.test(String(headers['content-encoding'] ?? ''))) return body
  const limited = async function* (chunks: AsyncIterable<Buffer>) {
    let size = 0
    for await (const chunk of chunks) {
      size += chunk.byteLength
      if (size > maxBytes) throw new AnswerTooLargeError(host, maxBytes)
      yield chunk
    }
  }
  // Its reader gets the failure as well, and ends the rest when it has enough.
  return pipeline(body, limited, createGunzip(), () => undefined)
}

/** The first `maxBytes`; the rest is not read. Nobody depends on it, so what cannot be unpacked is left out too. */
async function readBeginning(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk.subarray(0, maxBytes - size))
      size += chunk.byteLength
      if (size >= maxBytes) break
    }
  } catch (cause) {
    if (!(cause instanceof AnswerTooLargeError) && !isDamaged(cause)) throw cause
  }
  return Buffer.concat(chunks)
}

async function readBody(body: AsyncIterable<Buffer>, maxBytes: number, host: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  // Leaving the loop early destroys the stream and with it the connection.
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) throw new AnswerTooLargeError(host, maxBytes)
    chunks.push(chunk)
  }
  const [only] = chunks
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size)
}
