/**
 * Transfer process: record and state table.
 * DSP 2025-1, Transfer Process Protocol, "States" and "State Machine".
 */
import type { EpochMs } from '../core/types.js'
import type { ProcessCore, StateTable } from './process.js'

/** One address serves everything that is fetched: what the consumer asks for there decides. */
export const PULL = 'HttpData-PULL'
/** The provider delivers to the address that the consumer names in its request. */
export const PUSH = 'HttpData-PUSH'
export const FORMATS: readonly string[] = [PULL, PUSH]

export type TransferState = 'REQUESTED' | 'STARTED' | 'SUSPENDED' | 'COMPLETED' | 'TERMINATED'

export type TransferEvent = 'request' | 'start' | 'suspend' | 'complete' | 'terminate'

export type Transfer = ProcessCore<'transfer', TransferState, TransferEvent> & {
  readonly agreementId: string
  readonly datasetId: string
  readonly format: string
  /** Provider: counts the starts, so that every start has its own data token. */
  readonly generation: number
  /** Consumer: where the data is. The token is sealed with the key of this machine. */
  readonly endpoint?: string
  readonly sealedToken?: string
  readonly suspendedBy?: 'us' | 'partner'
  /** Provider: it goes on by itself once the conditions of the contract are met again. */
  readonly suspendedFor?: 'conditions'
  /** Consumer: we resumed it last, and the provider has not sent a start since. */
  readonly resumed?: boolean
  /** Provider: where the consumer wants the data delivered. */
  readonly pushTo?: PushAddress
  /** Consumer: where delivered data is put. */
  readonly sink?: SinkAddress
}

export type PushAddress = {
  readonly endpoint: string
  /** What the receiver wants to see; the value is sealed with the key of this machine. */
  readonly credential?: { readonly header: string; readonly sealedValue: string }
  /** Event time; the end is exclusive. */
  readonly from?: EpochMs
  readonly to?: EpochMs
}

/** A file below the folder for received data, or a topic of a broker. */
export type SinkAddress =
  | { readonly kind: 'file'; readonly name: string }
  | {
      readonly kind: 'mqtt'
      readonly url: string
      readonly topic: string
      readonly username?: string
      readonly sealedPassword?: string
    }

// biome-ignore format: a table reads best aligned
export const TRANSFER: StateTable<TransferState, TransferEvent> = {
  NEW:        { request: { to: 'REQUESTED', by: 'consumer' } },
  REQUESTED:  { start: { to: 'STARTED', by: 'provider' }, terminate: { to: 'TERMINATED', by: 'either' } },
  STARTED:    { suspend: { to: 'SUSPENDED', by: 'either' }, complete: { to: 'COMPLETED', by: 'either' },
                terminate: { to: 'TERMINATED', by: 'either' } },
  SUSPENDED:  { start: { to: 'STARTED', by: 'either' }, terminate: { to: 'TERMINATED', by: 'either' } },
  COMPLETED:  {},
  TERMINATED: {},
}
