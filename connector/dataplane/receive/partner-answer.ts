/** Calling a partner's data endpoint, and what its refusals and failures mean. */

import type { Dispatcher } from 'undici'
import { err, ok, PROBLEMS, type Problem, type ProblemCode, problem, type Result } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import { type Body, get, type Headers } from './body.js'
import { parseObject } from './received.js'

export type Access = {
  /** The address of the transfer, as the partner gave it. */
  readonly endpoint: string
  readonly token: string
  /** `raw` sends the token as given, which every connector in the field takes. */
  readonly scheme?: 'raw' | 'bearer'
  readonly dispatcher?: Dispatcher
  readonly signal: AbortSignal
}

export type Answer = { readonly headers: Headers; readonly body: Body }

/** `transient`: the same request can succeed later. */
export type Refusal = { readonly problem: Problem; readonly transient: boolean }

/** Longest silence before the connection counts as dead, milliseconds: four heartbeats. */
export const MAX_SILENCE = 60_000
const MAX_ERROR_BODY = 65_536

export const authorizationOf = ({ token, scheme = 'raw' }: Pick<Access, 'token' | 'scheme'>): string =>
  scheme === 'bearer' ? `Bearer ${token}` : token

export function addressOf(
  endpoint: string,
  query: Readonly<Record<string, string | undefined>>,
): Result<URL> {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return problem('InvalidInput', {
      en: 'The data address is not an http or https URL.',
      de: 'Die Datenadresse ist keine http- oder https-URL.',
    })
  }
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value)
  return ok(url)
}

/** The answer when its status is 200; everything else is a refusal with the partner's reason. */
export async function call(
  access: Access,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<Result<Answer, Refusal>> {
  try {
    const { status, body, ...answer } = await get({
      url,
      headers: { authorization: authorizationOf(access), ...headers },
      dispatcher: access.dispatcher,
      signal: access.signal,
      silenceMs: MAX_SILENCE,
    })
    return status === 200 ? ok({ headers: answer.headers, body }) : err(await refusalOf(status, body))
  } catch (cause) {
    return err({ problem: unreachable(cause), transient: true })
  }
}

/** Reads at most a small error body. Also used on a refused WebSocket handshake. */
export async function refusalOf(status: number, body: AsyncIterable<Uint8Array>): Promise<Refusal> {
  const transient = status >= 500 || [408, 425, 429].includes(status)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.length
      if (size > MAX_ERROR_BODY) break
      chunks.push(chunk)
    }
  } catch {
    // The status alone says enough.
  }
  const stated = statedProblem(parseObject(Buffer.concat(chunks).toString('utf8')))
  return {
    problem: stated ?? {
      code: 'PartnerRefused',
      message: `The partner answered ${status} without a reason.`,
      messageDe: `Der Partner antwortete mit ${status} und ohne Begründung.`,
    },
    transient,
  }
}

/** The partner's `{code, reason}`, made safe to show; undefined when it is not one. */
export function statedProblem(value: Record<string, unknown> | undefined): Problem | undefined {
  if (value === undefined || typeof value.code !== 'string') return undefined
  const reason = reasonOf(value)
  const german = germanOf(value)
  const code: ProblemCode = Object.hasOwn(PROBLEMS, value.code)
    ? (value.code as ProblemCode)
    : 'PartnerRefused'
  if (reason !== '') return { code, message: reason, ...(german === undefined ? {} : { messageDe: german }) }
  const named = value.code.slice(0, 60)
  return {
    code,
    message: `The partner answered "${named}".`,
    messageDe: `Der Partner antwortete mit „${named}“.`,
  }
}

/** The sentence of an error body with a code of ours; undefined when it is not one. */
export function statedReason(value: Record<string, unknown> | undefined): Text | undefined {
  const isOurs = typeof value?.code === 'string' && Object.hasOwn(PROBLEMS, value.code)
  const reason = isOurs ? reasonOf(value) : ''
  if (value === undefined || reason === '') return undefined
  return { en: reason, de: germanOf(value) ?? `„${reason}“` }
}

function reasonOf({ reason }: Record<string, unknown>): string {
  const reasons = (Array.isArray(reason) ? reason : [reason]).filter((one) => typeof one === 'string')
  return shown(reasons.join(' '))
}

const germanOf = ({ reasonDe }: Record<string, unknown>): string | undefined =>
  typeof reasonDe === 'string' && reasonDe !== '' ? shown(reasonDe) : undefined

const shown = (words: string): string => words.replace(/\p{Cc}+/gu, ' ').slice(0, 500)

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|HOSTNAME_MISMATCH|ERR_TLS/

export function unreachable(cause: unknown): Problem {
  const code = codeOf(cause)
  return CERTIFICATE.test(code)
    ? {
        code: 'PartnerCertificate',
        message: `The TLS certificate of the data endpoint could not be verified (${code}).`,
        messageDe: `Das TLS-Zertifikat des Datenendpunkts ließ sich nicht prüfen (${code}).`,
        detail: cause,
      }
    : {
        code: 'PartnerUnreachable',
        message: `The data endpoint could not be reached, or broke off (${code}).`,
        messageDe: `Der Datenendpunkt war nicht erreichbar, oder die Verbindung brach ab (${code}).`,
        detail: cause,
      }
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown'
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  return cause.cause === undefined ? cause.name : codeOf(cause.cause)
}
