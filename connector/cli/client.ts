/**
 * Client of the management API of the connector on this machine. Every failure is a sentence that says what to do;
 * the token never appears in one.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Config } from '../config/load.js'
import { err, ok, PROBLEMS, type Problem, type ProblemCode, problem, type Result } from '../core/result.js'
import type { Json, Lang, Text } from '../core/types.js'

export const TOKEN_FILE = 'cli.token'

/** Longest wait for the beginning of an answer, milliseconds. */
const ANSWER_MS = 60_000
const CONNECT_MS = 3_000
/** Largest answer read into memory, bytes. */
const MAX_ANSWER = 64 * 1024 * 1024

export type RequestOptions = { readonly signal?: AbortSignal; readonly timeoutMs?: number }

export type StreamAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readable
}

export type ManagementClient = {
  readonly url: string
  get(path: string, options?: RequestOptions): Promise<Result<Json>>
  post(path: string, body?: unknown, options?: RequestOptions): Promise<Result<Json>>
  put(path: string, body?: unknown, options?: RequestOptions): Promise<Result<Json>>
  patch(path: string, body?: unknown, options?: RequestOptions): Promise<Result<Json>>
  delete(path: string, options?: RequestOptions): Promise<Result<Json>>
  /** An answer of any length, read by the caller. No time limit once it has begun. */
  stream(
    path: string,
    options?: { readonly signal?: AbortSignal; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Result<StreamAnswer>>
}

/** Where the management API is reached from this machine: a wildcard address is asked on loopback. */
export function managementUrl(config: Pick<Config, 'managementHost' | 'managementPort'>): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[config.managementHost] ?? config.managementHost
  return `http://${host.includes(':') ? `[${host}]` : host}:${config.managementPort}`
}

/** HANDSCHLAG_TOKEN, or the token that the connector wrote for the commands of its own user. */
export function findToken(
  env: Readonly<Record<string, string | undefined>>,
  dataDir: string,
  lang: Lang,
): Result<string> {
  if (env.HANDSCHLAG_TOKEN !== undefined && env.HANDSCHLAG_TOKEN !== '')
    return ok(env.HANDSCHLAG_TOKEN.trim())
  const file = join(dataDir, TOKEN_FILE)
  try {
    return ok(readFileSync(file, 'utf8').trim())
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const sentence: Text =
      code === 'EACCES'
        ? {
            en: `The access token ${file} may not be read by this user. Run the command as the user of the connector, or set HANDSCHLAG_TOKEN.`,
            de: `Das Zugangstoken ${file} darf dieser Benutzer nicht lesen. Führen Sie den Befehl als Benutzer des Connectors aus, oder setzen Sie HANDSCHLAG_TOKEN.`,
          }
        : {
            en: `There is no access token at ${file}. The connector writes it at its first start: handschlag serve. For a connector on another data directory, name its --config or set HANDSCHLAG_TOKEN.`,
            de: `Es gibt kein Zugangstoken unter ${file}. Der Connector schreibt es beim ersten Start: handschlag serve. Für einen Connector mit anderem Datenverzeichnis nennen Sie dessen --config, oder setzen Sie HANDSCHLAG_TOKEN.`,
          }
    return problem('Unauthenticated', sentence[lang])
  }
}

export function createManagementClient(settings: {
  readonly url: string
  readonly token: string
  readonly lang: Lang
}): ManagementClient {
  const { url, lang } = settings
  const { said, unreadable } = sentences(url)

  type Send = {
    readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
    readonly path: string
    readonly body?: unknown
    readonly headers?: Readonly<Record<string, string>>
    readonly signal?: AbortSignal
    readonly timeoutMs?: number
  }

  async function send(request: Send): Promise<Result<StreamAnswer>> {
    // Loaded with the first request, so that commands that send none start without it.
    const { request: fetchOnce, Agent } = await import('undici')
    const timeoutMs = request.timeoutMs ?? ANSWER_MS
    const dispatcher = new Agent({
      connect: { timeout: CONNECT_MS },
      headersTimeout: timeoutMs,
      bodyTimeout: 0,
      keepAliveTimeout: 1,
    })
    try {
      const answer = await fetchOnce(new URL(request.path, url), {
        method: request.method,
        dispatcher,
        headers: {
          authorization: `Bearer ${settings.token}`,
          'accept-language': lang,
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      })
      return ok({ status: answer.statusCode, headers: answer.headers, body: answer.body })
    } catch (cause) {
      request.signal?.throwIfAborted()
      return err(said(cause, timeoutMs)[lang])
    }
  }

  async function exchange(request: Send): Promise<Result<Json>> {
    const answer = await send(request)
    if (!answer.ok) return answer
    const text = await readAll(answer.value.body)
    if (text === undefined) return err(unreadable[lang])
    if (answer.value.status >= 400) return err(refusal(answer.value.status, text, url)[lang])
    if (text === '') return ok(null)
    const value = parse(text)
    return value === undefined ? err(unreadable[lang]) : ok(value)
  }

  return {
    url,
    get: (path, options) => exchange({ method: 'GET', path, ...options }),
    post: (path, body = {}, options) => exchange({ method: 'POST', path, body, ...options }),
    put: (path, body = {}, options) => exchange({ method: 'PUT', path, body, ...options }),
    patch: (path, body = {}, options) => exchange({ method: 'PATCH', path, body, ...options }),
    delete: (path, options) => exchange({ method: 'DELETE', path, ...options }),
    async stream(path, options = {}) {
      const answer = await send({ method: 'GET', path, ...options })
      if (!answer.ok || answer.value.status < 400) return answer
      const text = (await readAll(answer.value.body)) ?? ''
      return err(refusal(answer.value.status, text, url)[lang])
    },
  }
}

type ProblemText = Readonly<Record<Lang, Problem>>

const inBoth = (code: ProblemCode, text: Text, detail?: unknown): ProblemText => ({
  en: { code, message: text.en, detail },
  de: { code, message: text.de, detail },
})

function sentences(url: string): {
  readonly said: (cause: unknown, timeoutMs: number) => ProblemText
  readonly unreadable: ProblemText
} {
  return {
    unreadable: inBoth('PartnerAnswerInvalid', {
      en: `What answers at ${url} is not this connector, or not its version. Check managementHost and managementPort.`,
      de: `Was unter ${url} antwortet, ist nicht dieser Connector oder nicht seine Version. Prüfen Sie managementHost und managementPort.`,
    }),
    said: (cause, timeoutMs) => {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
      if (code === 'UND_ERR_HEADERS_TIMEOUT') {
        return inBoth('NotRunning', {
          en: `The connector at ${url} has not answered for ${timeoutMs / 1000} s. See its log, then: handschlag doctor`,
          de: `Der Connector unter ${url} hat seit ${timeoutMs / 1000} s nicht geantwortet. Sehen Sie in sein Protokoll, dann: handschlag doctor`,
        })
      }
      return inBoth(
        'NotRunning',
        {
          en: `No connector answers at ${url}. Start it: handschlag serve`,
          de: `Unter ${url} antwortet kein Connector. Starten Sie ihn: handschlag serve`,
        },
        cause,
      )
    },
  }
}

/** The API answers a failure with `{code, message, problems?}`; whatever else comes is told by its status. */
function refusal(status: number, text: string, url: string): ProblemText {
  if (status === 401) {
    return inBoth('Unauthenticated', {
      en: `The connector at ${url} refused the access token. It belongs to another connector, or was withdrawn. Unset HANDSCHLAG_TOKEN, or name the --config of this connector.`,
      de: `Der Connector unter ${url} hat das Zugangstoken abgelehnt. Es gehört zu einem anderen Connector oder wurde zurückgezogen. Entfernen Sie HANDSCHLAG_TOKEN, oder nennen Sie die --config dieses Connectors.`,
    })
  }
  const told = statement(parse(text))
  if (told !== undefined) return inBoth(told.code, { en: told.message, de: told.message })
  return inBoth('PartnerAnswerInvalid', {
    en: `The connector at ${url} answered with status ${status} and no explanation. See its log.`,
    de: `Der Connector unter ${url} antwortete mit Status ${status} ohne Erklärung. Sehen Sie in sein Protokoll.`,
  })
}

function statement(answer: Json | undefined): Pick<Problem, 'code' | 'message'> | undefined {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return undefined
  const { code, message, problems } = answer as { readonly [key: string]: Json }
  if (typeof message !== 'string') return undefined
  const findings = [problems].flat().filter((one) => typeof one === 'string' && !message.includes(one))
  return {
    code: isProblemCode(code) ? code : 'InvalidInput',
    message: [message, ...findings.map((finding) => `- ${finding}`)].join('\n'),
  }
}

const isProblemCode = (code: unknown): code is ProblemCode =>
  typeof code === 'string' && Object.hasOwn(PROBLEMS, code)

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function readAll(body: Readable): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.length
      if (size > MAX_ANSWER) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks).toString('utf8')
}
