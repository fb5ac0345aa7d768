/** A company we know: how to reach it, whether it is trusted, how it proves who it is, and how it signs. */
import type { EpochMs, ParticipantId } from '../core/types.js'
import type { Peer } from '../policy/tier.js'
import type { Approval } from './dataset.js'

/** Nobody but a `trusted` partner gets anything; a `known` one has been added and not decided yet. */
export type Trust = 'known' | 'trusted' | 'blocked'

/** `off`: no seals. `offer`: we seal, and accept a partner that does not. `require`: no contract without its seal. */
export type SealMode = 'off' | 'offer' | 'require'

/**
 * How requests prove who sends them. `did`: tokens signed with the key of the DID. `bearer`: one fixed secret each way.
 * `lab`: the mock identity of EDC laboratories, which proves nothing at all.
 */
export type Access =
  | { readonly kind: 'did' }
  | {
      readonly kind: 'bearer'
      /** What we send, sealed for this partner. */
      readonly sealedToken: string
      /** Hash of what the partner sends. */
      readonly tokenHash: string
    }
  | { readonly kind: 'lab' }

export type AccessKind = Access['kind']

/** `edc`: a consumer that resumes a transfer waits for the provider's own start, with a new token. */
export type Dialect = 'edc'

export type Partner = {
  /** Id of the participant: a did:web, or whatever a laboratory calls it. */
  readonly did: ParticipantId
  readonly name: string
  /** DSP base address without trailing slash, such as `https://connector.example.com/dsp`. */
  readonly address: string
  readonly trust: Trust
  readonly seal: SealMode
  /** Without it the partner has a DID and signs its tokens. */
  readonly access?: Access
  /** Our own id as this partner knows us, when that is not our DID. */
  readonly ownId?: ParticipantId
  /** Our own public address as this partner reaches us, when it is another one; origin only. */
  readonly ownAddress?: string
  /** Where it departs from the specification, as far as we have to know; absent: nowhere. */
  readonly dialect?: Dialect
  /** Our requests for its data say `Bearer` in front of the token, which otherwise goes out as it was given. */
  readonly bearerForData?: boolean
  /** Offers and agreements of it may hold no terms at all. */
  readonly takesEmptyPolicies?: boolean
  /** Fingerprint of the partner's keys as the operator saw it when deciding about trust. */
  readonly fingerprint?: string
  /** When a token that it signed said last that its connector carries out the duties of our profile; absent: it does not. */
  readonly dutiesProvenAt?: EpochMs
  /** For every request of this partner. Absent: automatic. */
  readonly approval?: Approval
  readonly addedAt: EpochMs
}

/** What is known about the partner's connector as the recipient of data. */
export const peerOf = (partner: Partner | undefined): Peer =>
  partner?.dutiesProvenAt === undefined ? 'unproven' : 'proven'

export const accessKind = (partner: Partner): AccessKind => partner.access?.kind ?? 'did'

/** Plain http leads to laboratories only. */
export const mayUsePlainHttp = (partner: Partner | undefined): boolean => partner?.access?.kind === 'lab'

/** Our id in messages and contracts with this partner. */
export const ownIdFor = (partner: Partner | undefined, ownDid: ParticipantId): ParticipantId =>
  partner?.ownId ?? ownDid

/** One of our addresses as this partner reaches it. */
export const reachedBy = (partner: Partner | undefined, url: string): string =>
  partner?.ownAddress === undefined ? url : partner.ownAddress + url.slice(new URL(url).origin.length)
