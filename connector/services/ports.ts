/**
 * What the use cases need from the rooms they must not know: the wire format of a partner protocol, the data plane,
 * and the way out to partners. app.ts hands in the implementations.
 */
import type { Because, Problem, Result } from '../core/result.js'
import type { EpochMs, JsonObject, ParticipantId, Pid, Role } from '../core/types.js'
import type { Offer } from '../domain/dataset.js'
import type { Negotiation } from '../domain/negotiation.js'
import type { Partner } from '../domain/partner.js'
import type { AwaitingReason } from '../domain/process.js'
import type { Transfer } from '../domain/transfer.js'
import type { Plan } from '../policy/plan.js'

/** A message ready to be owed: the path extends the partner's base address, the body is final. */
export type Outgoing = { readonly path: string; readonly body: string }

export type Pids = { readonly providerPid: string; readonly consumerPid: string }

/** Canonical JSON of the shape documents that the terms name. */
type WithShapes = { readonly shapes?: readonly string[] }

/** Builds and reads the messages of one partner protocol. Pure. `from` is our role in the process. */
export interface Wire {
  contractRequest(m: { consumerPid: string; offer: JsonObject; callbackAddress: string }): Outgoing
  /** Consumer, within a negotiation: other terms than the provider offered. */
  counterRequest(m: Pids & { offer: JsonObject }): Outgoing
  /** Provider: opens a negotiation. */
  contractOffer(m: { providerPid: string; offer: JsonObject; callbackAddress: string } & WithShapes): Outgoing
  /** Provider, within a negotiation. */
  counterOffer(m: Pids & { offer: JsonObject } & WithShapes): Outgoing
  contractAgreement(m: Pids & { agreement: JsonObject; seal?: string | undefined } & WithShapes): Outgoing
  agreementVerification(m: Pids & { seal?: string | undefined }): Outgoing
  accepted(m: Pids): Outgoing
  finalized(m: Pids & { receipt?: string | undefined }): Outgoing
  negotiationTermination(m: Pids & { from: Role; code: string } & Because): Outgoing
  transferRequest(m: {
    consumerPid: string
    agreementId: string
    format: string
    callbackAddress: string
    /** Only for push: where the data is wanted, and which. */
    data?: { readonly endpoint: string; readonly token: string } & PushRange
  }): Outgoing
  transferStart(
    m: Pids & { from: Role; data?: { readonly endpoint: string; readonly token: string } },
  ): Outgoing
  transferSuspension(m: Pids & { from: Role; code: string } & Because): Outgoing
  transferCompletion(m: Pids & { from: Role }): Outgoing
  transferTermination(m: Pids & { from: Role; code: string } & Because): Outgoing
  /** The partner's pid and state in the answer to an initial request, which must be about our process `ownPid`. */
  readAnswer(
    kind: 'negotiation' | 'transfer',
    body: Uint8Array,
    ownRole: Role,
    ownPid: string,
  ): Result<{ readonly partnerPid: string; readonly state: string }>
  /** Code and sentence out of a partner's error body, as far as it has any. */
  readError(body: Uint8Array): { readonly code?: string } & Partial<Because>
}

/** A wait for the partner needs nothing of us; a wait for a person ends with that person's decision only. */
type Wait =
  | { readonly move: 'wait'; readonly for: 'partner' }
  | {
      readonly move: 'wait'
      readonly for: 'person'
      readonly because: AwaitingReason
      readonly detail?: string
      readonly detailDe?: string
    }

type End = { readonly move: 'terminate'; readonly code: string } & Because

/** `afterMs`: not at once; the rules are not asked again in between unless the program restarts. */
type Delayed = { readonly afterMs?: number }

export type NegotiationMove = Delayed &
  (
    | { readonly move: 'agree' | 'accept' | 'verify' | 'finalize' }
    /** Provider: a (counter-)offer. Consumer: a counter-request. The offer carries its `target`. */
    | { readonly move: 'offer' | 'request'; readonly offer: JsonObject }
    | End
    | Wait
  )

export type TransferMove = Delayed &
  (
    | { readonly move: 'start' | 'complete' }
    | (Omit<End, 'move'> & { readonly move: 'suspend' | 'terminate' })
    | Wait
  )

/** What the rules may look at beside the process itself. */
export type NegotiationContext = {
  readonly partner: Partner
  /** Provider: our published offer with the id of the one on the table. */
  readonly published?: Offer
  /** Provider: why the offer on the table is not the published one; absent when it is. */
  readonly differs?: Problem
  /** Provider: the terms differ and certainly allow no more than the published ones. Looked at where that is a rule only. */
  readonly atMostPublished?: boolean
  /** Whether a person approved exactly the offer on the table. */
  readonly approved: boolean
}

/**
 * The rules of the operator: what we do when a process enters a state. Asked before the step is written, so that the usual
 * answer is owed in the same step, and again for a state that is entered otherwise or found after a restart. Answers from
 * its arguments alone: `turn` counts the state changes. A move skips no check; one that fails or is illegal makes the
 * process wait for a person.
 */
export interface Automation {
  negotiation(negotiation: Negotiation, context: NegotiationContext): NegotiationMove
  transfer(transfer: Transfer): TransferMove
}

/** A running transfer, as the data plane is told about it. */
export type DataGrant = {
  readonly transferPid: string
  readonly agreementId: string
  readonly datasetId: string
  readonly recipient: string
  readonly plan: Plan
  readonly tokenHash: string
  readonly pseudonymKey?: Uint8Array
  readonly push?: PushDestination
}

/** Keys of pseudonyms and deviations, one for each agreement that promises them. */
export interface PseudonymKeys {
  /** A new key, sealed for this agreement. */
  create(agreementId: string): string
  open(sealed: string, agreementId: string): Result<Uint8Array>
}

/** Where a partner wants data delivered. */
export type PushDestination = {
  readonly endpoint: string
  /** A header with its value; a secret. */
  readonly credential?: { readonly header: string; readonly value: string }
} & PushRange

/** Event time of the records that a push is to deliver; the end is exclusive. */
export type PushRange = { readonly from?: EpochMs; readonly to?: EpochMs }

export interface DataPlanePort {
  start(grant: DataGrant): void
  /** Ends running flows at the next record; later calls are answered with the problem. */
  stop(transferPid: string, problem: Problem): void
  /** Whether the dataset's source can serve under this plan; the reason when it cannot. */
  canServe(datasetId: string, plan: Plan): Result<void>
}

/** Makes and checks contract seals; see crypto/agreement-seal.ts for the format. */
export interface Seals {
  sign(m: SealInput): Promise<string>
  /** Checks a seal against the key in the signer's DID document. */
  verify(seal: string, signer: ParticipantId, m: SealInput): Promise<Result<void>>
}

export type SealInput = Pids & {
  readonly role: 'provider' | 'consumer' | 'receipt'
  readonly agreement: JsonObject
  readonly offer: JsonObject
  /** SHA-256 of each shape document that the agreement names, sorted. */
  readonly shapes?: readonly string[]
  /** Seals that this one covers, in order. */
  readonly covers: readonly string[]
}

export type NewPid = () => Pid
