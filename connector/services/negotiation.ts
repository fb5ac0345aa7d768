/**
 * Contract negotiation, both roles: the only place that moves a negotiation. Prepares (policy, signatures), then decides
 * purely inside `store.change`. DSP 2025-1, Contract Negotiation Protocol.
 */
import type { Log } from '../core/log.js'
import { ok, type Problem, problem, type Result } from '../core/result.js'
import type { Clock, JsonObject, ParticipantId, Pid } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import { NEGOTIATION, type Negotiation, type NegotiationEvent } from '../domain/negotiation.js'
import type { Partner } from '../domain/partner.js'
import { broken, receive, send } from '../domain/process.js'
import type { AuditEntry, OwedMessage, Step } from '../domain/step.js'
import { differences, differenceText } from '../policy/compare.js'
import type { Store } from '../store/store.js'
import { agreementHash, allows, draftAgreement, planOf, sameAsOffered, understood } from './contract.js'
import type { DataPlanePort, NewPid, Outgoing, Pids, Seals, Wire } from './ports.js'

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
  readonly log: Log
}

/** What a route knows about an incoming message. */
export type Incoming = { readonly sender: ParticipantId; readonly digest: string }

/** The pids of a process in the order of the wire. */
export const pidsOf = (p: { role: string; pid: string; partnerPid?: string }): Pids =>
  p.role === 'provider'
    ? { providerPid: p.pid, consumerPid: p.partnerPid ?? '' }
    : { providerPid: p.partnerPid ?? '', consumerPid: p.pid }

export const oweTo = (
  process: { partnerAddress: string },
  event: string,
  message: Outgoing,
): OwedMessage => ({
  event,
  url: process.partnerAddress + message.path,
  body: message.body,
})

const entry = (n: Negotiation, direction: AuditEntry['direction'], event: string, detail?: JsonObject): AuditEntry => ({
  subject: n.pid,
  at: n.updatedAt,
  direction,
  event,
  ...(detail === undefined ? {} : { detail }),
})

/** A step that ends the negotiation here and tells the partner why. */
function endStep(deps: NegotiationDeps, current: Negotiation, why: Problem): Step<Negotiation> {
  const next = broken(NEGOTIATION, current, 'TERMINATED', why.message, deps.clock())
  const message = deps.wire.negotiationTermination({
    ...pidsOf(current),
    from: current.role,
    code: why.code,
    reason: why.message,
  })
  return {
    next,
    settle: true,
    ...(current.partnerPid === undefined ? {} : { owe: oweTo(current, 'terminate', message) }),
    audit: [entry(next, 'own', 'terminated', { code: why.code, reason: why.message })],
  }
}

/** Consumer: asks for a contract on an offer from the partner's catalog. The offer carries its `target`. */
export async function requestContract(
  deps: NegotiationDeps,
  m: { readonly partner: Partner; readonly datasetId: string; readonly offer: JsonObject },
): Promise<Result<Negotiation>> {
  const policy = understood(m.offer)
  if (!policy.ok) return policy
  const at = deps.clock()
  const allowed = allows(policy.value, 'negotiation', { at, recipient: deps.ownDid })
  if (!allowed.ok) return allowed
  const pid = deps.newPid()
  const next: Negotiation = {
    kind: 'negotiation',
    pid,
    role: 'consumer',
    partner: m.partner.did,
    partnerAddress: m.partner.address,
    state: 'NEW',
    pending: 'request',
    offer: m.offer,
    datasetId: m.datasetId,
    createdAt: at,
    updatedAt: at,
  }
  const message = deps.wire.contractRequest({
    consumerPid: pid,
    offer: m.offer,
    callbackAddress: deps.callbackAddress,
  })
  const created = await deps.store.create({
    next,
    owe: oweTo(next, 'request', message),
    audit: [entry(next, 'out', 'request', { offer: String(m.offer['@id']) })],
  })
  return ok(created.process)
}

/** Provider: a partner asks for a new contract. `known` says whether the negotiation existed already. */
export async function receiveRequest(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly consumerPid: string; readonly offer: JsonObject; readonly callbackAddress: string },
): Promise<Result<Negotiation>> {
  const existing = deps.store.findByPartnerPid('negotiation', 'provider', partner.did, m.consumerPid)
  if (existing !== undefined) return repeatedRequest(existing, m.digest)
  const prepared = await prepareAgreement(deps, partner, m.offer, m.consumerPid)
  if (!prepared.ok) {
    await deps.store.note({
      subject: partner.did,
      at: deps.clock(),
      direction: 'in',
      event: 'request refused',
      detail: { code: prepared.error.code, reason: prepared.error.message, offer: String(m.offer['@id']) },
    })
    return prepared
  }
  const { pid, agreement, message } = prepared.value
  const at = deps.clock()
  const next: Negotiation = {
    kind: 'negotiation',
    pid,
    role: 'provider',
    partner: partner.did,
    partnerPid: m.consumerPid,
    partnerAddress: m.callbackAddress,
    state: 'REQUESTED',
    pending: 'agree',
    offer: m.offer,
    datasetId: agreement.datasetId,
    agreementId: agreement.id,
    openingDigest: m.digest,
    lastDigest: m.digest,
    createdAt: at,
    updatedAt: at,
  }
  const { created, process } = await deps.store.create({
    next,
    agreement,
    owe: oweTo(next, 'agree', message),
    audit: [
      entry(next, 'in', 'request', { offer: String(m.offer['@id']) }),
      entry(next, 'out', 'agree', { agreement: agreement.id }),
    ],
  })
  // A twin of this request was faster: it owns the process.
  return created ? ok(process) : repeatedRequest(process, m.digest)
}

/** DSP 2025-1, 7.2.1: one negotiation per consumerPid; only the very same request may come again. */
const repeatedRequest = (existing: Negotiation, digest: string): Result<Negotiation> =>
  existing.openingDigest === digest
    ? ok(existing)
    : problem('InvalidTransition', 'There is already another negotiation with this consumerPid.')

/** Checks the offer against our own and drafts and seals the agreement. Nothing is written. */
async function prepareAgreement(
  deps: NegotiationDeps,
  partner: Partner,
  asked: JsonObject,
  consumerPid: string,
  providerPid: Pid = deps.newPid(),
): Promise<Result<{ pid: Pid; agreement: Agreement; message: Outgoing }>> {
  const at = deps.clock()
  const offer = deps.store.offer(String(asked['@id']))
  const dataset = offer === undefined ? undefined : deps.store.dataset(offer.datasetId)
  const unknown = problem('OfferUnknown', 'There is no such offer for you. Ask for the catalog again.')
  if (offer === undefined || dataset?.published !== true) return unknown
  const policy = understood(offer.policy)
  if (!policy.ok) return unknown
  if (!allows(policy.value, 'catalog', { at, recipient: partner.did }).ok) return unknown
  if (asked['target'] !== undefined && asked['target'] !== offer.datasetId) {
    return problem('OfferDiffers', 'The target of the offer is not the dataset that it was published for.')
  }
  const [difference] = differences(offer.policy, asked)
  if (difference !== undefined) {
    return problem('OfferDiffers', differenceText(difference, 'en').replace('The agreement', 'The requested offer').replace('you asked for', 'in the catalog'))
  }
  const allowed = allows(policy.value, 'negotiation', { at, recipient: partner.did })
  if (!allowed.ok) return allowed

  const body = draftAgreement({
    id: deps.newPid(),
    offer: offer.policy,
    datasetId: offer.datasetId,
    assigner: deps.ownDid,
    assignee: partner.did,
    at,
  })
  const draft: Agreement = {
    id: String(body['@id']),
    role: 'provider',
    partner: partner.did,
    negotiationPid: providerPid,
    datasetId: offer.datasetId,
    body,
    offer: asked,
    hash: agreementHash(body),
    agreedAt: at,
    status: 'pending',
  }
  const plan = planOf(draft)
  if (!plan.ok) return plan
  const servable = deps.dataPlane.canServe(offer.datasetId, plan.value)
  if (!servable.ok) return servable
  const seal =
    partner.seal === 'off'
      ? undefined
      : await deps.seals.sign({ role: 'provider', agreement: body, offer: asked, covers: [], providerPid, consumerPid })
  return ok({
    pid: providerPid,
    agreement: { ...draft, planHash: plan.value.hash, ...(seal === undefined ? {} : { providerSeal: seal }) },
    message: deps.wire.contractAgreement({ providerPid, consumerPid, agreement: body, seal }),
  })
}

/** Consumer: the provider sends its agreement. It must say what the offer said; then we countersign. */
export async function receiveAgreement(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly pid: Pid; readonly providerPid: string; readonly agreement: JsonObject; readonly seal?: string },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'consumer' } as const
  const found = deps.store.find(ref)
  if (found === undefined) return problem('NotFound', 'There is no such negotiation.')
  const prepared = await prepareVerification(deps, partner, found, m)
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'agree', { ...m, at: deps.clock(), partnerPid: m.providerPid })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (!prepared.ok) {
      const known = { ...current, partnerPid: m.providerPid }
      return ok({ step: endStep(deps, known, prepared.error), refusal: prepared.error })
    }
    const verifying = send(NEGOTIATION, received.value.next, 'verify', deps.clock(), { replacesPending: true })
    if (!verifying.ok) return verifying
    const { agreement, message } = prepared.value
    const next: Negotiation = { ...verifying.value, agreementId: agreement.id }
    return ok({
      step: {
        next,
        agreement,
        settle: true,
        owe: oweTo(next, 'verify', message),
        audit: [
          entry(next, 'in', 'agree', { agreement: agreement.id, sealed: m.seal !== undefined }),
          entry(next, 'out', 'verify', { sealed: agreement.consumerSeal !== undefined }),
        ],
      },
    })
  })
}

async function prepareVerification(
  deps: NegotiationDeps,
  partner: Partner,
  current: Negotiation,
  m: { readonly providerPid: string; readonly agreement: JsonObject; readonly seal?: string },
): Promise<Result<{ agreement: Agreement; message: Outgoing }>> {
  const same = sameAsOffered(m.agreement, {
    offer: current.offer,
    datasetId: current.datasetId,
    assigner: partner.did,
    assignee: deps.ownDid,
  })
  if (!same.ok) return same
  const taken = deps.store.agreement(same.value.id)
  if (taken !== undefined && taken.negotiationPid !== current.pid) {
    return problem('AgreementDiffers', 'The agreement has the @id of another contract.')
  }
  const pids = { providerPid: m.providerPid, consumerPid: current.pid }
  const text = { ...pids, agreement: m.agreement, offer: current.offer }
  if (m.seal !== undefined && partner.seal !== 'off') {
    const verified = await deps.seals.verify(m.seal, partner.did, { ...text, role: 'provider', covers: [] })
    if (!verified.ok) return verified
  }
  const seal = partner.seal === 'off' ? undefined : m.seal
  if (seal === undefined && partner.seal === 'require') {
    return problem('SignatureMissing', 'The agreement is not signed, and we accept signed contracts only.')
  }
  const draft: Agreement = {
    id: same.value.id,
    role: 'consumer',
    partner: partner.did,
    negotiationPid: current.pid,
    datasetId: current.datasetId,
    body: m.agreement,
    offer: current.offer,
    hash: agreementHash(m.agreement),
    agreedAt: same.value.agreedAt,
    status: 'pending',
    ...(seal === undefined ? {} : { providerSeal: seal }),
  }
  const plan = planOf(draft)
  if (!plan.ok) return plan
  const own =
    partner.seal === 'off'
      ? undefined
      : await deps.seals.sign({ ...text, role: 'consumer', covers: seal === undefined ? [] : [seal] })
  return ok({
    agreement: { ...draft, planHash: plan.value.hash, ...(own === undefined ? {} : { consumerSeal: own }) },
    message: deps.wire.agreementVerification({ ...pids, seal: own }),
  })
}

/** Provider: the consumer has verified and countersigned; we answer with the receipt and finalise. */
export async function receiveVerification(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly pid: Pid; readonly consumerPid: string; readonly seal?: string },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'provider' } as const
  const found = deps.store.find(ref)
  if (found === undefined) return problem('NotFound', 'There is no such negotiation.')
  const prepared = await prepareFinalization(deps, partner, found, m)
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'verify', { ...m, at: deps.clock(), partnerPid: m.consumerPid })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (!prepared.ok) return ok({ step: endStep(deps, current, prepared.error), refusal: prepared.error })
    const finalizing = send(NEGOTIATION, received.value.next, 'finalize', deps.clock(), { replacesPending: true })
    if (!finalizing.ok) return finalizing
    const next = finalizing.value
    return ok({
      step: {
        next,
        agreement: prepared.value.agreement,
        settle: true,
        owe: oweTo(next, 'finalize', prepared.value.message),
        audit: [
          entry(next, 'in', 'verify', { sealed: m.seal !== undefined }),
          entry(next, 'out', 'finalize', { sealed: prepared.value.agreement.receipt !== undefined }),
        ],
      },
    })
  })
}

async function prepareFinalization(
  deps: NegotiationDeps,
  partner: Partner,
  current: Negotiation,
  m: { readonly seal?: string },
): Promise<Result<{ agreement: Agreement; message: Outgoing }>> {
  const agreement = current.agreementId === undefined ? undefined : deps.store.agreement(current.agreementId)
  if (agreement === undefined) {
    return problem('InvalidTransition', 'There is no agreement to verify in this negotiation yet.')
  }
  const pids = pidsOf(current)
  const text = { ...pids, agreement: agreement.body, offer: agreement.offer }
  const own = agreement.providerSeal === undefined ? [] : [agreement.providerSeal]
  const seal = partner.seal === 'off' ? undefined : m.seal
  if (seal !== undefined) {
    const verified = await deps.seals.verify(seal, partner.did, { ...text, role: 'consumer', covers: own })
    if (!verified.ok) return verified
  } else if (partner.seal === 'require') {
    return problem('SignatureMissing', 'The verification is not countersigned, and we accept signed contracts only.')
  }
  const receipt =
    seal === undefined
      ? undefined
      : await deps.seals.sign({ ...text, role: 'receipt', covers: [...own, seal] })
  return ok({
    agreement: {
      ...agreement,
      ...(seal === undefined ? {} : { consumerSeal: seal }),
      ...(receipt === undefined ? {} : { receipt }),
    },
    message: deps.wire.finalized({ ...pids, receipt }),
  })
}

/** Consumer: the provider finalises. Its receipt closes the chain of signatures. */
export async function receiveFinalized(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly pid: Pid; readonly providerPid: string; readonly receipt?: string },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'consumer' } as const
  const found = deps.store.find(ref)
  if (found === undefined) return problem('NotFound', 'There is no such negotiation.')
  const agreement = found.agreementId === undefined ? undefined : deps.store.agreement(found.agreementId)
  let verdict: Result<void> = ok(undefined)
  if (agreement !== undefined && partner.seal !== 'off') {
    const covers = [agreement.providerSeal, agreement.consumerSeal].filter((s) => s !== undefined)
    if (m.receipt !== undefined) {
      verdict = await deps.seals.verify(m.receipt, partner.did, {
        ...pidsOf({ ...found, partnerPid: m.providerPid }),
        role: 'receipt',
        agreement: agreement.body,
        offer: agreement.offer,
        covers,
      })
    } else if (partner.seal === 'require') {
      verdict = problem('SignatureMissing', 'The finalisation has no signed receipt, and we accept signed contracts only.')
    }
  }
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'finalize', { ...m, at: deps.clock(), partnerPid: m.providerPid })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (!verdict.ok) return ok({ step: endStep(deps, current, verdict.error), refusal: verdict.error })
    if (agreement === undefined) return problem('InvalidTransition', 'There is no agreement to finalise.')
    const { next } = received.value
    const receipt = partner.seal === 'off' ? undefined : m.receipt
    return ok({
      step: {
        next,
        settle: true,
        agreement: { ...agreement, status: 'active', ...(receipt === undefined ? {} : { receipt }) },
        audit: [entry(next, 'in', 'finalize', { sealed: receipt !== undefined })],
      },
    })
  })
}

/** Either role: the partner ends the negotiation. */
export function receiveTermination(
  deps: NegotiationDeps,
  m: Incoming & { readonly pid: Pid; readonly partnerPid?: string; readonly code?: string; readonly reason?: string },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender } as const
  return deciding(deps, ref, (current) => {
    const reason = m.reason ?? m.code ?? 'The partner gave no reason.'
    const received = receive(NEGOTIATION, current, 'terminate', { ...m, at: deps.clock(), reason })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    const { next } = received.value
    return ok({ step: { next, settle: true, audit: [entry(next, 'in', 'terminate', { reason })] } })
  })
}

/** Provider: the consumer accepts the offer that we sent. */
export async function receiveAccepted(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly pid: Pid; readonly consumerPid: string },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'provider' } as const
  const found = deps.store.find(ref)
  if (found === undefined) return problem('NotFound', 'There is no such negotiation.')
  const prepared = await prepareAgreement(deps, partner, found.offer, m.consumerPid, found.pid)
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'accept', { ...m, at: deps.clock(), partnerPid: m.consumerPid })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (!prepared.ok) return ok({ step: endStep(deps, received.value.next, prepared.error), refusal: undefined })
    return agreeing(deps, received.value.next, 'accept', prepared.value)
  })
}

/** Provider: the consumer asks again within a negotiation. The same terms are agreed; others end it, with the difference. */
export async function receiveCounterRequest(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly pid: Pid; readonly consumerPid: string; readonly offer: JsonObject },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'provider' } as const
  const found = deps.store.find(ref)
  if (found === undefined) return problem('NotFound', 'There is no such negotiation.')
  const prepared = await prepareAgreement(deps, partner, m.offer, m.consumerPid, found.pid)
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'request', { ...m, at: deps.clock(), partnerPid: m.consumerPid })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    const requested: Negotiation = { ...received.value.next, offer: m.offer }
    if (!prepared.ok) return ok({ step: endStep(deps, requested, prepared.error) })
    return agreeing(deps, requested, 'request', prepared.value)
  })
}

function agreeing(
  deps: NegotiationDeps,
  received: Negotiation,
  because: NegotiationEvent,
  prepared: { readonly agreement: Agreement; readonly message: Outgoing },
): Result<Decision> {
  const sending = send(NEGOTIATION, received, 'agree', deps.clock(), { replacesPending: true })
  if (!sending.ok) return sending
  const next: Negotiation = { ...sending.value, agreementId: prepared.agreement.id }
  return ok({
    step: {
      next,
      agreement: prepared.agreement,
      settle: true,
      owe: oweTo(next, 'agree', prepared.message),
      audit: [entry(next, 'in', because), entry(next, 'out', 'agree', { agreement: prepared.agreement.id })],
    },
  })
}

/** Consumer: the provider makes an offer of its own in a running negotiation. A person decides about it. */
export function receiveOffer(
  deps: NegotiationDeps,
  m: Incoming & { readonly pid: Pid; readonly providerPid: string; readonly offer: JsonObject },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'consumer' } as const
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'offer', { ...m, at: deps.clock(), partnerPid: m.providerPid })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    const next: Negotiation = { ...received.value.next, offer: m.offer }
    return ok({
      step: { next, settle: received.value.settlesPending, audit: [entry(next, 'in', 'offer', { offer: String(m.offer['@id']) })] },
    })
  })
}

/** Consumer: the provider opens a negotiation with an offer. DSP 2025-1, 7.2.2. */
export async function receiveInitialOffer(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly providerPid: string; readonly offer: JsonObject; readonly callbackAddress: string },
): Promise<Result<Negotiation>> {
  const at = deps.clock()
  const next: Negotiation = {
    kind: 'negotiation',
    pid: deps.newPid(),
    role: 'consumer',
    partner: partner.did,
    partnerPid: m.providerPid,
    partnerAddress: m.callbackAddress,
    state: 'OFFERED',
    offer: m.offer,
    datasetId: String(m.offer['target']),
    openingDigest: m.digest,
    lastDigest: m.digest,
    createdAt: at,
    updatedAt: at,
  }
  const { created, process } = await deps.store.create({ next, audit: [entry(next, 'in', 'offer')] })
  return created || process.openingDigest === m.digest
    ? ok(process)
    : problem('InvalidTransition', 'There is already another negotiation with this providerPid.')
}

/** Consumer: the operator accepts the offer on the table. */
export function acceptOffer(deps: NegotiationDeps, pid: Pid): Promise<Result<Negotiation>> {
  return deciding(deps, { kind: 'negotiation', pid, role: 'consumer' }, (current) => {
    const policy = understood(current.offer)
    if (!policy.ok) return policy
    const sending = send(NEGOTIATION, current, 'accept', deps.clock())
    if (!sending.ok) return sending
    const next = sending.value
    return ok({
      step: { next, owe: oweTo(next, 'accept', deps.wire.accepted(pidsOf(next))), audit: [entry(next, 'out', 'accept')] },
    })
  })
}

/** Either role: the operator ends the negotiation. */
export function terminateNegotiation(deps: NegotiationDeps, pid: Pid, reason: string): Promise<Result<Negotiation>> {
  return deciding(deps, { kind: 'negotiation', pid }, (current) => {
    if (current.state === 'NEW') {
      // The partner's pid is not known before it answers: the wish is kept and carried out then.
      const next: Negotiation = { ...current, closing: reason, updatedAt: deps.clock() }
      return ok({ step: { next, audit: [entry(next, 'own', 'terminate wanted', { reason })] } })
    }
    const sending = send(NEGOTIATION, current, 'terminate', deps.clock(), { reason, replacesPending: true })
    if (!sending.ok) return sending
    const next = sending.value
    const message = deps.wire.negotiationTermination({ ...pidsOf(next), from: next.role, code: 'OperatorDecision', reason })
    return ok({
      step: { next, settle: true, owe: oweTo(next, 'terminate', message), audit: [entry(next, 'out', 'terminate', { reason })] },
    })
  })
}

/** A decision, and the problem the partner is told about although the step is written. */
type Decision = { readonly step: Step<Negotiation>; readonly refusal?: Problem | undefined }

async function deciding(
  deps: NegotiationDeps,
  ref: { readonly kind: 'negotiation'; readonly pid: Pid; readonly partner?: string; readonly role?: 'consumer' | 'provider' },
  decide: (current: Negotiation) => Result<Decision>,
): Promise<Result<Negotiation>> {
  let refusal: Problem | undefined
  const outcome = await deps.store.change(ref, (current) => {
    const decision = decide(current)
    if (!decision.ok) return decision
    refusal = decision.value.refusal
    return ok(decision.value.step)
  })
  if (outcome.ok) deps.log.info({ pid: ref.pid, state: outcome.value.state, pending: outcome.value.pending }, 'negotiation')
  return refusal === undefined ? outcome : { ok: false, error: refusal }
}
