/**
 * Blanks behind a message, so that no two messages of a process have the same bytes: a late copy of an old one can then be
 * told from a new one in the same words. JSON allows them, and only a connector of this make looks at them.
 */
import type { EpochMs } from '../core/types.js'

/** As many as the number has binary digits; nobody ends a message with so many by accident. */
const NUMBER = /[ \t]{40,}$/
/** Bytes that hold the number. */
const LONGEST = 128

/** The body with the moment and the turn of the process in binary: a space is 0, a tab is 1. */
export function numbered(
  body: string,
  { updatedAt, turn = 0 }: { readonly updatedAt: EpochMs; readonly turn?: number },
): string {
  const digits = updatedAt.toString(2) + turn.toString(2)
  return body + digits.replaceAll('0', ' ').replaceAll('1', '\t')
}

export const isNumbered = (body: Buffer): boolean => NUMBER.test(body.subarray(-LONGEST).toString('latin1'))
