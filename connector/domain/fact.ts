/** What the operator confirms: that a condition about a recipient or an event is met, from when until when, and on what evidence. */
import type { EpochMs, ParticipantId } from '../core/types.js'

export type Fact = {
  readonly id: string
  /** All that is named has to fit; without any it is about everything that is offered. */
  readonly about: {
    readonly partner?: ParticipantId
    readonly dataset?: string
    readonly machine?: string
  }
  /** Absolute IRI of the left operand that it is a value of. */
  readonly operand: string
  readonly value: string
  /** It confirms that the value does not apply. */
  readonly not?: true
  readonly from: EpochMs
  /** Exclusive; absent: until it is ended. */
  readonly until?: EpochMs
  readonly note?: string
  readonly evidence?: Evidence
  /** Name of the token that signed in. */
  readonly by: string
  readonly at: EpochMs
  readonly ended?: FactEnd
}

export type Evidence =
  /** A document that the operator keeps. */
  | { readonly kind: 'document'; readonly sha256: string; readonly name?: string }
  /** A statement that a participant signed with the key of its DID; checked when it was recorded. */
  | { readonly kind: 'signed'; readonly signer: ParticipantId; readonly statement: string }

export type FactEnd = { readonly at: EpochMs; readonly by: string; readonly reason: string }

/** A fact that was ended counts at no time any more, whatever the clock says. A clock that is no number confirms nothing. */
export const inForce = ({ from, until, ended }: Fact, at: EpochMs): boolean =>
  ended === undefined && at >= from && (until === undefined || at < until)
