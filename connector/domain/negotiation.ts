/**
 * Contract negotiation: record and state table.
 * DSP 2025-1, Contract Negotiation Protocol, "States" and "State Machine".
 */
import type { JsonObject } from '../core/types.js'
import type { ProcessCore, StateTable } from './process.js'

export type NegotiationState =
  | 'REQUESTED'
  | 'OFFERED'
  | 'ACCEPTED'
  | 'AGREED'
  | 'VERIFIED'
  | 'FINALIZED'
  | 'TERMINATED'

export type NegotiationEvent = 'request' | 'offer' | 'accept' | 'agree' | 'verify' | 'finalize' | 'terminate'

export type Negotiation = ProcessCore<'negotiation', NegotiationState, NegotiationEvent> & {
  /** The offer on the table, as it stood in the last request or offer message. */
  readonly offer: JsonObject
  /** The offer that stood there before the partner changed it. */
  readonly previous?: JsonObject
  readonly datasetId: string
  readonly agreementId?: string
  /**
   * Hash of the offer that a person of ours approved word by word; as consumer with all in it that is not understood. Another
   * offer needs another approval.
   */
  readonly approved?: string
}

const by = <By extends 'consumer' | 'provider' | 'either'>(sender: By) => ({
  to: <To extends NegotiationState>(state: To) => ({ to: state, by: sender }) as const,
})
const consumer = by('consumer')
const provider = by('provider')
const end = by('either').to('TERMINATED')

// biome-ignore format: a table reads best aligned
export const NEGOTIATION: StateTable<NegotiationState, NegotiationEvent> = {
  NEW:        { request: consumer.to('REQUESTED'), offer: provider.to('OFFERED') },
  REQUESTED:  { offer: provider.to('OFFERED'), agree: provider.to('AGREED'), terminate: end },
  OFFERED:    { request: consumer.to('REQUESTED'), accept: consumer.to('ACCEPTED'), terminate: end },
  ACCEPTED:   { agree: provider.to('AGREED'), terminate: end },
  AGREED:     { verify: consumer.to('VERIFIED'), terminate: end },
  VERIFIED:   { finalize: provider.to('FINALIZED'), terminate: end },
  FINALIZED:  {},
  TERMINATED: {},
}
