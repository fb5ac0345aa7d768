/** A company we know: how to reach it, whether it is trusted, and how it signs. */
import type { EpochMs, ParticipantId } from '../core/types.js'
import type { Approval } from './dataset.js'

/** Nobody but a `trusted` partner gets anything; a `known` one has been added and not decided yet. */
export type Trust = 'known' | 'trusted' | 'blocked'

/** `off`: no seals. `offer`: we seal, and accept a partner that does not. `require`: no contract without its seal. */
export type SealMode = 'off' | 'offer' | 'require'

export type Partner = {
  readonly did: ParticipantId
  readonly name: string
  /** DSP base address without trailing slash, such as `https://connector.example.com/dsp`. */
  readonly address: string
  readonly trust: Trust
  readonly seal: SealMode
  /** Fingerprint of the partner's keys as the operator saw it when deciding about trust. */
  readonly fingerprint?: string
  /** `manual`: a person approves every request of this partner. Absent: automatic. */
  readonly approval?: Approval
  readonly addedAt: EpochMs
}
