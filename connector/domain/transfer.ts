/**
 * Transfer process: record and state table.
 * DSP 2025-1, Transfer Process Protocol, "States" and "State Machine".
 */
import type { ProcessCore, StateTable } from './process.js'

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
