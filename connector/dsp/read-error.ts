/**
 * Code and sentence out of whatever a partner answers instead of what was asked for: an error of DSP in any spelling, the
 * lists that EDC's own API answers, or plain text. Bounded, and without anything that could move a cursor.
 */
import { parseJson } from '../core/json.js'
import type { Because } from '../core/result.js'
import type { Json, JsonObject } from '../core/types.js'
import { REASON_DE } from './messages.js'
import { normalise } from './normalise.js'

const MAX_CODE = 100
const MAX_REASON = 1000
/** A page for people is no sentence. */
const MARKUP = /^\s*</

export type PartnerError = { readonly code?: string } & Partial<Because>

export function readError(body: Uint8Array): PartnerError {
  const json = parseJson(body)
  if (!json.ok) return said(undefined, plainText(body))
  const plain = normalise(json.value)
  if (!plain.ok) return {}
  const error = Array.isArray(plain.value) ? plain.value[0] : plain.value
  if (typeof error === 'string') return said(undefined, error)
  if (!isObject(error)) return {}
  return said(error.code, textOf(error.reason ?? error.message), textOf(error[REASON_DE]))
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function plainText(body: Uint8Array): string | undefined {
  const text = Buffer.from(body).toString('utf8').trim()
  // What looks like JSON and is none would only confuse.
  return text === '' || MARKUP.test(text) || /^[[{]/.test(text) ? undefined : text
}

/** The first readable part of a reason. */
function textOf(reason: Json | undefined): string | undefined {
  for (const part of [reason].flat()) {
    if (typeof part === 'string' && part !== '') return part
    if (isObject(part)) {
      const inner = part['@value'] ?? part.message
      if (typeof inner === 'string' && inner !== '') return inner
    }
  }
  return undefined
}

const said = (code: Json | undefined, reason: string | undefined, reasonDe?: string): PartnerError => ({
  ...(typeof code === 'string' ? { code: code.slice(0, MAX_CODE) } : {}),
  ...(reason === undefined ? {} : { reason: shown(reason) }),
  ...(reason === undefined || reasonDe === undefined ? {} : { reasonDe: shown(reasonDe) }),
})

const shown = (words: string): string => words.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_REASON)
