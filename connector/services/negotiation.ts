/**
 * Contract negotiation, what both roles share: the way a decision becomes one durable step, and the end by either side.
 * negotiation-consumer.ts and negotiation-provider.ts hold the messages of each role.
 */
import { canonicalize } from '../core/canonical.js'
import type { Log } from '../core/log.js'
import { OPERATOR_REASONS } from '../core/operator-reasons.js'
import { type Because, because, ok, type Problem, type Result } from '../core/result.js'
import type { Clock, EpochMs, JsonObject, ParticipantId, Pid } from '../core/types.js'
import { NEGOTIATION, type Negotiation, type NegotiationEvent } from '../domain/negotiation.js'
import { broken, receive, type Sent, send, told } from '../domain/process.js'
import type { AuditEntry, OwedMessage, Step } from '../domain/step.js'
import type { Store } from '../store/store.js'
import { identified } from './message-id.js'
import type {
  Automation,
  DataPlanePort,
  NewPid,
  Outgoing,
  Pids,
  PseudonymKeys,
  Seals,
  Wire,
} from './ports.js'

export type NegotiationDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly newPid: NewPid
  readonly ownDid: ParticipantId
  /** Our own DSP base address, where partners call back. */
  readonly callbackAddress: string
  readonly wire: Wire
  readonly seals: Seals
  readonly dataPlane: Pick<DataPlanePort, 'canServe'>
  /** The operator's rules: what to do when a process enters a state. */
  readonly automation: Automation
  readonly log: Log
  /** Without them nothing is agreed that promises pseudonyms. */
  readonly pseudonyms?: PseudonymKeys
}

/** What a route knows about an incoming message. */
export type Incoming = {
  readonly sender: ParticipantId
  readonly digest: string
  /** It has an `@id` of its own: no other message of the process has the same bytes. */
  readonly identified?: boolean
  readonly sent?: Sent
}

/** The pids of a process in the order of the wire. */
export const pidsOf = (p: { role: string; pid: string; partnerPid?: string }): Pids =>
  p.role === 'provider'
    ? { providerPid: p.pid, consumerPid: p.partnerPid ?? '' }
    : { providerPid: p.partnerPid ?? '', consumerPid: p.pid }

export const oweTo = (
  process: {
    readonly pid: Pid
    readonly partnerAddress: string
    readonly updatedAt: EpochMs
    readonly turn?: number
  },
  event: string,
  message: Outgoing,
): OwedMessage => ({
  event,
  url: process.partnerAddress + message.path,
  body: identified(message.body, process),
})

export const entry = (
  n: Negotiation,
  direction: AuditEntry['direction'],
  event: string,
  detail?: JsonObject,
): AuditEntry => ({
  subject: n.pid,
  at: n.updatedAt,
  direction,
  event,
  ...(detail === undefined ? {} : { detail }),
})

/** A step that ends the negotiation here and tells the partner why. */
export function endStep(deps: NegotiationDeps, current: Negotiation, why: Problem): Step<Negotiation> {
  const next = broken(NEGOTIATION, current, 'TERMINATED', because(why), deps.clock())
  const message = deps.wire.negotiationTermination({
    ...pidsOf(current),
    from: current.role,
    code: why.code,
    ...because(why),
  })
  const detail = { code: why.code, ...because(why) }
  const ended = entry(next, 'own', 'terminated', detail)
  if (current.partnerPid === undefined) return { next, settle: true, audit: [ended] }
  return {
    next,
    settle: true,
    owe: oweTo(current, 'terminate', message),
    audit: [ended, entry(next, 'out', 'terminate', detail)],
  }
}

/** What ends a negotiation needs less than what makes a contract. */
export type EndDeps = Pick<NegotiationDeps, 'store' | 'clock' | 'wire' | 'log'>

/**
 * The operator wanted to end it while the first message was unanswered: now there is somebody to tell. `because` is the
 * message that overtook the answer.
 */
export function closeNegotiation(
  deps: Pick<EndDeps, 'clock' | 'wire'>,
  { closing: reason = '', ...open }: Negotiation,
  because?: NegotiationEvent,
): Result<Step<Negotiation>> {
  const current: Negotiation = open
  const step = terminating(deps, current, { code: 'OperatorDecision', reason })
  if (!step.ok || because === undefined) return step
  return ok({ ...step.value, audit: [entry(step.value.next, 'in', because), ...(step.value.audit ?? [])] })
}

/** Our termination of a process whose partner's pid is known. */
export function terminating(
  deps: Pick<EndDeps, 'clock' | 'wire'>,
  current: Negotiation,
  { code, ...why }: { readonly code: string } & Because,
): Result<Step<Negotiation>> {
  const sending = send(NEGOTIATION, current, 'terminate', deps.clock(), { ...why, replacesPending: true })
  if (!sending.ok) return sending
  const next = sending.value
  const message = deps.wire.negotiationTermination({ ...pidsOf(next), from: next.role, code, ...why })
  return ok({
    next,
    settle: true,
    owe: oweTo(next, 'terminate', message),
    audit: [entry(next, 'out', 'terminate', why)],
  })
}

/** Either role: the partner ends the negotiation. */
export function receiveTermination(
  deps: EndDeps,
  m: Incoming & {
    readonly pid: Pid
    readonly partnerPid?: string
    readonly code?: string
  } & Partial<Because>,
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender } as const
  return deciding(deps, ref, (current) => {
    const why = told({ reason: m.code ?? OPERATOR_REASONS.none.en }, m)
    const received = receive(NEGOTIATION, current, 'terminate', { ...m, at: deps.clock(), ...why })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    const { next } = received.value
    return ok({ step: { next, settle: true, audit: [entry(next, 'in', 'terminate', why)] } })
  })
}

/** Either role: the operator ends the negotiation. */
export function terminateNegotiation(
  deps: EndDeps,
  pid: Pid,
  reason: string,
  code = 'OperatorDecision',
): Promise<Result<Negotiation>> {
  return deciding(deps, { kind: 'negotiation', pid }, (current) => {
    if (current.state === 'NEW') {
      // The partner's pid is not known before it answers: the wish is kept and carried out then.
      const next: Negotiation = { ...current, closing: reason, updatedAt: deps.clock() }
      return ok({ step: { next, audit: [entry(next, 'own', 'terminate wanted', { reason })] } })
    }
    const step = terminating(deps, current, { code, reason })
    return step.ok ? ok({ step: step.value }) : step
  })
}

/**
 * Problems that say nothing about the message itself: it is refused without ending anything, so that the partner can
 * bring it again.
 */
const PASSING: ReadonlySet<string> = new Set([
  'PartnerUnreachable',
  'PartnerCertificate',
  'IdentityUnresolvable',
  'SourceUnavailable',
])
export const isPassing = (why: Problem): boolean => PASSING.has(why.code)

/** Whether the offer on the table is still the one that was looked at before the step. */
export const sameOffer = (a: Negotiation, b: Negotiation): boolean =>
  canonicalize(a.offer) === canonicalize(b.offer)

/** The partner's offer on the table, and beside it the one that it takes the place of. */
export function tabled(n: Negotiation, offer: JsonObject): Negotiation {
  const { previous: _, ...rest } = n
  return canonicalize(offer) === canonicalize(n.offer)
    ? { ...rest, offer }
    : { ...rest, offer, previous: n.offer }
}

/** A decision, and the problem the partner is told about although the step is written. */
export type Decision = { readonly step: Step<Negotiation>; readonly refusal?: Problem | undefined }

export async function deciding(
  deps: Pick<EndDeps, 'store' | 'log'>,
  ref: {
    readonly kind: 'negotiation'
    readonly pid: Pid
    readonly partner?: string
    readonly role?: 'consumer' | 'provider'
  },
  decide: (current: Negotiation) => Result<Decision>,
): Promise<Result<Negotiation>> {
  let refusal: Problem | undefined
  const outcome = await deps.store.change(ref, (current) => {
    const decision = decide(current)
    if (!decision.ok) return decision
    refusal = decision.value.refusal
    return ok(decision.value.step)
  })
  if (outcome.ok)
    deps.log.info({ pid: ref.pid, state: outcome.value.state, pending: outcome.value.pending }, 'negotiation')
  return refusal === undefined ? outcome : { ok: false, error: refusal }
}
