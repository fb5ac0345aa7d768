/**
 * Contract negotiation as consumer: asks, compares the agreement with the offer it meant, countersigns, and takes the
 * receipt. Prepares (policy, signatures), then decides purely inside one step. DSP 2025-1, Contract Negotiation Protocol.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject, Pid } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import { NEGOTIATION, type Negotiation } from '../domain/negotiation.js'
import type { Partner } from '../domain/partner.js'
import { receive, send } from '../domain/process.js'
import { agreementHash, allows, planOf, sameAsOffered, understood } from './contract.js'
import {
  closeNegotiation,
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

/** Consumer: the provider sends its agreement. It must say what the offer said; then we countersign. */
export async function receiveAgreement(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & {
    readonly pid: Pid
    readonly providerPid: string
    readonly agreement: JsonObject
    readonly seal?: string
  },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'consumer' } as const
  const found = deps.store.find(ref)
  if (found === undefined) return problem('NotFound', 'There is no such negotiation.')
  const prepared = await prepareVerification(deps, partner, found, m)
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'agree', {
      ...m,
      at: deps.clock(),
      partnerPid: m.providerPid,
    })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (current.closing !== undefined) {
      const step = closeNegotiation(deps, received.value.next)
      return step.ok ? ok({ step: step.value }) : step
    }
    if (!prepared.ok && isPassing(prepared.error)) return prepared
    if (!prepared.ok) {
      const known = { ...current, partnerPid: m.providerPid }
      return ok({ step: endStep(deps, known, prepared.error), refusal: prepared.error })
    }
    const { agreement, message } = prepared.value
    // Looked at again inside the step: a signature that takes long to check must not slip past another message.
    if (!sameOffer(current, found) || isTaken(deps, agreement)) {
      return problem('InvalidTransition', 'Another message was faster and changed what this one is about.')
    }
    const verifying = send(NEGOTIATION, received.value.next, 'verify', deps.clock())
    if (!verifying.ok) return verifying
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
  if (isTaken(deps, { id: same.value.id, negotiationPid: current.pid })) {
    return problem(
      'AgreementDiffers',
      'The agreement has the @id of another contract, so the two could not be told apart. The provider must give each agreement an @id of its own.',
    )
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

/** Whether an agreement of another negotiation has the same `@id`, with whomever it is. */
function isTaken(deps: NegotiationDeps, m: Pick<Agreement, 'id' | 'negotiationPid'>): boolean {
  const taken = deps.store.agreement(m.id)
  return taken !== undefined && taken.negotiationPid !== m.negotiationPid
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
      verdict = problem(
        'SignatureMissing',
        'The finalisation has no signed receipt, and we accept signed contracts only.',
      )
    }
  }
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'finalize', {
      ...m,
      at: deps.clock(),
      partnerPid: m.providerPid,
    })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (!verdict.ok && isPassing(verdict.error)) return verdict
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

/** Consumer: the provider makes an offer of its own in a running negotiation. A person decides about it. */
export function receiveOffer(
  deps: NegotiationDeps,
  m: Incoming & { readonly pid: Pid; readonly providerPid: string; readonly offer: JsonObject },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'consumer' } as const
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'offer', {
      ...m,
      at: deps.clock(),
      partnerPid: m.providerPid,
    })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (current.closing !== undefined) {
      const step = closeNegotiation(deps, received.value.next)
      return step.ok ? ok({ step: step.value }) : step
    }
    const next: Negotiation = { ...received.value.next, offer: m.offer }
    return ok({
      step: {
        next,
        settle: received.value.settlesPending,
        audit: [entry(next, 'in', 'offer', { offer: String(m.offer['@id']) })],
      },
    })
  })
}

/** Consumer: the provider opens a negotiation with an offer. DSP 2025-1, 7.2.2. */
export async function receiveInitialOffer(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & {
    readonly providerPid: string
    readonly offer: JsonObject
    readonly callbackAddress: string
  },
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
    datasetId: String(m.offer.target),
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
      step: {
        next,
        owe: oweTo(next, 'accept', deps.wire.accepted(pidsOf(next))),
        audit: [entry(next, 'out', 'accept')],
      },
    })
  })
}
