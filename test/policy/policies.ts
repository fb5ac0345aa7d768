/** Policies and facts in the shortest form the tests can read. */
import type { EpochMs } from '../../connector/core/types.js'
import type { Confirmed, Facts, Policy } from '../../connector/policy/model.js'
import { parsePolicy } from '../../connector/policy/parse.js'

export const MDP = 'https://w3id.org/machine-data-policy/v1#'
export const BUYER = 'did:web:buyer.example'

/** Instant of a text that Date.parse reads without doubt. */
export const instant = (text: string): EpochMs => Date.parse(text) as EpochMs

/** The parsed policy; a test that hands over no policy is wrong. */
export function policy(json: unknown): Policy {
  const parsed = parsePolicy(json)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.value
}

export const constraint = (leftOperand: string, operator: string, rightOperand: unknown) => ({
  leftOperand,
  operator,
  rightOperand,
})

/** One permission to use under the given constraints. */
export const permit = (...constraints: readonly unknown[]): Policy =>
  policy({ permission: [{ action: 'use', constraint: constraints }] })

export function facts({
  at = '2026-06-01T12:00:00Z',
  recipient = BUYER,
  agreedAt,
  counted,
  confirmed,
  deliveredTo,
}: {
  readonly at?: string
  readonly recipient?: string
  readonly agreedAt?: string
  readonly counted?: number
  readonly confirmed?: readonly Confirmed[]
  readonly deliveredTo?: string
} = {}): Facts {
  return {
    at: instant(at),
    recipient,
    ...(agreedAt !== undefined && { agreedAt: instant(agreedAt) }),
    ...(counted !== undefined && { counted }),
    ...(confirmed !== undefined && { confirmed }),
    ...(deliveredTo !== undefined && { deliveredTo }),
  }
}
