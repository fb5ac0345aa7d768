/**
 * Contract negotiation as provider: checks what is asked for against its own offer, drafts and seals the agreement, and
 * finalises with a receipt. Prepares, then decides purely inside one step. DSP 2025-1, Contract Negotiation Protocol.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject, Pid } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import { NEGOTIATION, type Negotiation, type NegotiationEvent } from '../domain/negotiation.js'
import type { Partner } from '../domain/partner.js'
import { receive, send } from '../domain/process.js'
import { differenceClause, differences } from '../policy/compare.js'
import { agreementHash, allows, draftAgreement, planOf, understood } from './contract.js'
import {
  type Decision,
  deciding,
  endStep,
  entry,
  type Incoming,
  isPassing,
  type NegotiationDeps,
  oweTo,
  pidsOf,
  sameOffer,
} from './negotiation.js'
import type { Outgoing } from './ports.js'

/** Provider: a partner asks for a new contract. `known` says whether the negotiation existed already. */
export async function receiveRequest(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & {
    readonly consumerPid: string
    readonly offer: JsonObject
    readonly callbackAddress: string
  },
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
  if (asked.target !== undefined && asked.target !== offer.datasetId) {
    return problem('OfferDiffers', 'The target of the offer is not the dataset that it was published for.')
  }
  const [difference] = differences(offer.policy, asked)
  if (difference !== undefined) {
    const clause = differenceClause(difference, 'en')
    return problem('OfferDiffers', `The requested offer differs from the one in the catalog: ${clause}.`)
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
      : await deps.seals.sign({
          role: 'provider',
          agreement: body,
          offer: asked,
          covers: [],
          providerPid,
          consumerPid,
        })
  return ok({
    pid: providerPid,
    agreement: { ...draft, planHash: plan.value.hash, ...(seal === undefined ? {} : { providerSeal: seal }) },
    message: deps.wire.contractAgreement({ providerPid, consumerPid, agreement: body, seal }),
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
    const received = receive(NEGOTIATION, current, 'accept', {
      ...m,
      at: deps.clock(),
      partnerPid: m.consumerPid,
    })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (!prepared.ok && isPassing(prepared.error)) return prepared
    if (!prepared.ok) return ok({ step: endStep(deps, received.value.next, prepared.error) })
    if (!sameOffer(current, found)) {
      return problem('InvalidTransition', 'Another message was faster and changed what this one is about.')
    }
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
    const received = receive(NEGOTIATION, current, 'request', {
      ...m,
      at: deps.clock(),
      partnerPid: m.consumerPid,
    })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    const requested: Negotiation = { ...received.value.next, offer: m.offer }
    if (!prepared.ok && isPassing(prepared.error)) return prepared
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
  const sending = send(NEGOTIATION, received, 'agree', deps.clock())
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
    const received = receive(NEGOTIATION, current, 'verify', {
      ...m,
      at: deps.clock(),
      partnerPid: m.consumerPid,
    })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (!prepared.ok && isPassing(prepared.error)) return prepared
    if (!prepared.ok) return ok({ step: endStep(deps, current, prepared.error), refusal: prepared.error })
    const finalizing = send(NEGOTIATION, received.value.next, 'finalize', deps.clock())
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
    return problem(
      'SignatureMissing',
      'The verification is not countersigned, and we accept signed contracts only.',
    )
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
