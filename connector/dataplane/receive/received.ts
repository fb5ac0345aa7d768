/** A record as it arrives at the consumer, with the exact text in which it came. */
import type { Scalar } from '../record.js'

export type Received = {
  /** Position to go on from; also what tells a record from a repeated one. */
  readonly id: string
  readonly ts: string
  readonly series: string
  readonly values: Readonly<Record<string, Scalar>>
  /** The JSON object as delivered, without a line end. */
  readonly json: string
}

/** Longest text of one record, characters. */
export const MAX_RECORD = 1_048_576

/** undefined when the text is not a record. */
export function parseReceived(json: string): Received | undefined {
  const parsed = parseObject(json)
  if (parsed === undefined) return undefined
  const { id, ts, series = '', ...values } = parsed
  if (typeof id !== 'string' || id === '' || typeof ts !== 'string' || typeof series !== 'string')
    return undefined
  if (!Object.values(values).every(isScalar)) return undefined
  return { id, ts, series, values: values as Record<string, Scalar>, json }
}

export function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Not JSON is the same finding as not an object; the caller names it.
    return undefined
  }
}

const isScalar = (value: unknown): boolean =>
  value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
