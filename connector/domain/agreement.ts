/** A contract as both sides keep it: the exact text, who signed it, and whether it is still in force. */
import type { EpochMs, JsonObject, ParticipantId, Pid, Role } from '../core/types.js'
import type { ShapeDocument } from '../policy/shape.js'
import type { Tier } from '../policy/tier.js'

/** `pending` until the negotiation is FINALIZED; only `active` ones allow anything. */
export type AgreementStatus = 'pending' | 'active' | 'revoked'

export type Agreement = {
  /** The `@id` in the agreement. */
  readonly id: string
  readonly role: Role
  readonly partner: ParticipantId
  readonly negotiationPid: Pid
  readonly datasetId: string
  /** The agreement object exactly as it was sent or received. */
  readonly body: JsonObject
  /** `body` in plain form, when the partner spelled it in another way. What is judged and enforced, never what is signed. */
  readonly terms?: JsonObject
  /** The offer it was made from. */
  readonly offer: JsonObject
  /** SHA-256 of the canonical JSON of `body`. */
  readonly hash: string
  readonly agreedAt: EpochMs
  /** Detached JWS over the canonical JSON of `body`; absent when that side did not sign. */
  readonly providerSeal?: string
  readonly consumerSeal?: string
  readonly receipt?: string
  readonly status: AgreementStatus
  readonly statusReason?: string
  readonly statusBy?: 'us' | 'partner'
  readonly statusAt?: EpochMs
  /** Up to which tier of offers its terms were accepted as promises of the consumer, as it stood then. Absent: 1, none. */
  readonly tier?: Tier
  /** The consumer's connector had proved that it carries out duties of our profile. */
  readonly dutiesProven?: boolean
  /** Consumer: a person accepted as promises of ours, in exactly these terms, also what this connector does not understand. */
  readonly notUnderstood?: true
  /** SHA-256 of the compiled plan, so that evidence names what was enforced. */
  readonly planHash?: string
  /** Provider: facts that the operator had confirmed and the agreement rests on, by id. */
  readonly facts?: readonly string[]
  /** The shape documents that the terms name: without them nobody could tell what was agreed. */
  readonly shapes?: readonly ShapeDocument[]
  /** Provider: key of the pseudonyms and deviations delivered under it, sealed with the key of this machine; gone with the contract. */
  readonly pseudonymKey?: string
}

/** A shape document with its hash, by which terms name it. */
export type StoredShape = {
  readonly hash: string
  readonly document: ShapeDocument
  readonly addedAt: EpochMs
  /** The partner that handed it over; absent for our own. */
  readonly from?: string
}

/** The contract without the means to tell whom a pseudonym meant, or how a value deviates. */
export function withoutPseudonymKey({ pseudonymKey: _destroyed, ...agreement }: Agreement): Agreement {
  return agreement
}

/** The agreement as this program reads it. */
export const readableForm = ({ body, terms }: Pick<Agreement, 'body' | 'terms'>): JsonObject => terms ?? body
