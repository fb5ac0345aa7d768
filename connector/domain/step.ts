/** What one atomic step may write. A decision returns it as data; the store writes exactly this, or nothing. */
import type { EpochMs, JsonObject, Pid } from '../core/types.js'
import type { Agreement } from './agreement.js'
import type { Negotiation } from './negotiation.js'
import type { ProcessKind } from './process.js'
import type { Transfer } from './transfer.js'

export type Process = Negotiation | Transfer

/** A message that must reach the partner. The bytes are built once and never change on a retry. */
export type OwedMessage = {
  readonly event: string
  /** Absolute address. */
  readonly url: string
  /** The exact body. */
  readonly body: string
}

export type AuditEntry = {
  /** What it is about: a pid, an agreement id, a DID or a dataset id. */
  readonly subject: string
  readonly at: EpochMs
  /** `in` and `out` are messages; `own` is a decision or an operator's action. */
  readonly direction: 'in' | 'out' | 'own'
  readonly event: string
  readonly detail?: JsonObject
}

export type Step<P extends Process> = {
  readonly next: P
  readonly owe?: OwedMessage
  /** Drops everything still owed for this process before `owe` is added. */
  readonly settle?: boolean
  readonly agreement?: Agreement
  readonly audit?: readonly AuditEntry[]
}

/**
 * Which process. With `partner` it is read as owned by that participant: anybody else's process does not exist.
 */
export type ProcessRef<Kind extends ProcessKind = ProcessKind> = {
  readonly kind: Kind
  readonly pid: Pid
  readonly partner?: string
  readonly role?: 'consumer' | 'provider'
}

/** A message in the out-tray, with the history of its delivery. */
export type Owed = OwedMessage & {
  readonly id: number
  readonly kind: ProcessKind
  readonly pid: Pid
  readonly partner: string
  readonly createdAt: EpochMs
  readonly attempts: number
  readonly nextAttemptAt: EpochMs
  readonly lastError?: string
  readonly lastErrorDe?: string
}
