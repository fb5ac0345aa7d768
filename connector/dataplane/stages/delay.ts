/**
 * Stage 7, delay: a record may leave when it is at least as old as agreed. Order is kept: a record that is not due
 * holds back everything behind it, so that a receiver can go on from its last record and miss nothing.
 */
import type { EpochMs } from '../../core/types.js'
import type { DataRecord } from '../record.js'

/**
 * How far in the future a record may be stamped, milliseconds. Beyond it the stamp is an error of the machine's
 * clock; waiting for it would stop the flow for everything else.
 */
export const MAX_AHEAD = 600_000

/** due: may leave. wait: not yet, at `at`. ahead: stamped too far in the future, never leaves in this reading. */
export type Due = { readonly is: 'due' | 'ahead' } | { readonly is: 'wait'; readonly at: EpochMs }

const DUE: Due = { is: 'due' }
const AHEAD: Due = { is: 'ahead' }

export type Delay = (record: DataRecord, now: EpochMs) => Due

/** Without a delay everything is due, whatever its stamp. */
export const delayOf = (delayMs: number | undefined, windowMs = 0): Delay => {
  if (delayMs === undefined || delayMs <= 0) return () => DUE
  // What is combined over a window is as old as the youngest that can be in it.
  const wait = windowMs + delayMs
  return (record, now) => {
    if (now >= record.time + wait) return DUE
    return record.time > now + MAX_AHEAD ? AHEAD : { is: 'wait', at: (record.time + wait) as EpochMs }
  }
}
