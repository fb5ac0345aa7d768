/**
 * Contract negotiation as consumer: asks, compares the agreement with the offer it meant, countersigns, and takes the
 * receipt. Prepares (policy, signatures), then decides purely inside one step. DSP 2025-1, Contract Negotiation Protocol.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject, Pid } from '../core/types.js'
import { NEGOTIATION, type Negotiation } from '../domain/negotiation.js'
import { ownIdFor, type Partner, reachedBy } from '../domain/partner.js'
import { receive } from '../domain/process.js'
import { mayOpen } from './crowd.js'
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
  tabled,
} from './negotiation.js'
import { checkAgreement, isTaken, signedText } from './negotiation-agreement.js'
import { decided, takeTurn } from './negotiation-moves.js'
import { mayHold } from './not-understood.js'
import { lookupIn, takeShapes } from './shapes.js'

/** Consumer: asks for a contract on an offer from the partner's catalog. The offer carries its `target`. */
export async function requestContract(
  deps: Pick<NegotiationDeps, 'store' | 'clock' | 'newPid' | 'ownDid' | 'callbackAddress' | 'wire'>,
  m: {
    readonly partner: Partner
    readonly datasetId: string
    readonly offer: JsonObject
    /** Texts of the shape documents that stand beside the offer. */
    readonly shapes?: readonly string[]
    /** Hash of the offer, where a person accepts what is not understood in it. */
    readonly approved?: string
  },
): Promise<Result<Negotiation>> {
  const at = deps.clock()
  const facts = { at, recipient: ownIdFor(m.partner, deps.ownDid) }
  const taken = await takeShapes(deps, m.partner.did, m.offer, m.shapes)
  if (!taken.ok) return taken
  const mark = m.approved === undefined ? {} : { approved: m.approved }
  const allowed = mayHold(m.partner, m.offer, facts, lookupIn(deps.store), mark)
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
    ...mark,
    datasetId: m.datasetId,
    createdAt: at,
    updatedAt: at,
  }
  const message = deps.wire.contractRequest({
    consumerPid: pid,
    offer: m.offer,
    callbackAddress: reachedBy(m.partner, deps.callbackAddress),
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
    /** The agreement as it was received, when that is another spelling. */
    readonly text?: JsonObject
    readonly shapes?: readonly string[]
    readonly seal?: string
  },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'consumer' } as const
  const found = deps.store.find(ref)
  if (found === undefined)
    return problem('NotFound', {
      en: 'There is no such negotiation.',
      de: 'Diese Verhandlung gibt es nicht.',
    })
  const known: Negotiation = { ...found, partnerPid: m.providerPid }
  const message = () => ({ ...m, at: deps.clock(), partnerPid: m.providerPid })
  const checked = await checkAgreement(deps, partner, known, m)
  const foreseen = receive(NEGOTIATION, found, 'agree', message())
  const mayAct = checked.ok && foreseen.ok && !foreseen.value.repeated && found.closing === undefined
  const agreed = mayAct ? { ...foreseen.value.next, agreementId: checked.value.id } : undefined
  const turn =
    agreed !== undefined && checked.ok
      ? await takeTurn(deps, partner, agreed, { agreement: checked.value })
      : undefined
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'agree', message())
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (current.closing !== undefined) {
      const step = closeNegotiation(deps, received.value.next, 'agree')
      return step.ok ? ok({ step: step.value }) : step
    }
    if (!checked.ok && isPassing(checked.error)) return checked
    if (!checked.ok) {
      const step = endStep(deps, { ...current, partnerPid: m.providerPid }, checked.error)
      return ok({ step, refusal: checked.error })
    }
    const agreement = checked.value
    // Looked at again inside the step: a signature that takes long to check must not slip past another message.
    if (!sameOffer(current, found) || isTaken(deps, agreement)) {
      return problem('InvalidTransition', {
        en: 'Another message was faster and changed what this one is about.',
        de: 'Eine andere Nachricht war schneller und hat geändert, worum es in dieser geht.',
      })
    }
    const next: Negotiation = { ...received.value.next, agreementId: agreement.id }
    const audit = [entry(next, 'in', 'agree', { agreement: agreement.id, sealed: m.seal !== undefined })]
    return decided(deps, { next, settle: true, agreement, audit }, turn)
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
  if (found === undefined)
    return problem('NotFound', {
      en: 'There is no such negotiation.',
      de: 'Diese Verhandlung gibt es nicht.',
    })
  const agreement = found.agreementId === undefined ? undefined : deps.store.agreement(found.agreementId)
  let verdict: Result<void> = ok(undefined)
  if (agreement !== undefined && partner.seal !== 'off') {
    const covers = [agreement.providerSeal, agreement.consumerSeal].filter((s) => s !== undefined)
    if (m.receipt !== undefined) {
      verdict = await deps.seals.verify(m.receipt, partner.did, {
        ...pidsOf({ ...found, partnerPid: m.providerPid }),
        role: 'receipt',
        ...signedText(agreement),
        covers,
      })
    } else if (partner.seal === 'require') {
      verdict = problem('SignatureMissing', {
        en: 'The finalisation has no signed receipt, and we accept signed contracts only.',
        de: 'Dem Abschluss fehlt die signierte Quittung; angenommen werden nur signierte Verträge.',
      })
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
    if (agreement === undefined)
      return problem('InvalidTransition', {
        en: 'There is no agreement to finalise.',
        de: 'Es gibt keine Vereinbarung, die abgeschlossen werden könnte.',
      })
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

/** Consumer: the provider makes an offer of its own in a running negotiation. */
export async function receiveOffer(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & {
    readonly pid: Pid
    readonly providerPid: string
    readonly offer: JsonObject
    readonly shapes?: readonly string[]
  },
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'consumer' } as const
  const found = deps.store.find(ref)
  if (found === undefined)
    return problem('NotFound', {
      en: 'There is no such negotiation.',
      de: 'Diese Verhandlung gibt es nicht.',
    })
  const message = () => ({ ...m, at: deps.clock(), partnerPid: m.providerPid })
  const foreseen = receive(NEGOTIATION, found, 'offer', message())
  const fits = m.offer.target === found.datasetId
  const mayAct = foreseen.ok && !foreseen.value.repeated && found.closing === undefined && fits
  // What is missing is told when somebody wants to accept.
  if (mayAct) await takeShapes(deps, partner.did, m.offer, m.shapes)
  const turn = mayAct ? await takeTurn(deps, partner, tabled(foreseen.value.next, m.offer)) : undefined
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'offer', message())
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (current.closing !== undefined) {
      const step = closeNegotiation(deps, received.value.next, 'offer')
      return step.ok ? ok({ step: step.value }) : step
    }
    if (!fits) {
      return problem('OfferDiffers', {
        en: 'The target of the offer is not the dataset that this negotiation is about.',
        de: 'Das Angebot bezieht sich auf einen anderen Datensatz als den dieser Verhandlung.',
      })
    }
    const next = tabled(received.value.next, m.offer)
    const audit = [entry(next, 'in', 'offer', { offer: String(m.offer['@id']) })]
    return decided(deps, { next, settle: received.value.settlesPending, audit }, turn)
  })
}

/** Consumer: the provider opens a negotiation with an offer. DSP 2025-1, 7.2.2. */
export async function receiveInitialOffer(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & {
    readonly providerPid: string
    readonly offer: JsonObject
    readonly shapes?: readonly string[]
    readonly callbackAddress: string
  },
): Promise<Result<Negotiation>> {
  const other = problem('InvalidTransition', {
    en: 'There is already another negotiation with this providerPid.',
    de: 'Es gibt schon eine andere Verhandlung mit dieser providerPid.',
  })
  const existing = deps.store.findByPartnerPid('negotiation', 'consumer', partner.did, m.providerPid)
  if (existing !== undefined) return existing.openingDigest === m.digest ? ok(existing) : other
  const room = mayOpen(deps, 'negotiation', partner.did)
  if (!room.ok) return room
  const at = deps.clock()
  const offered: Negotiation = {
    kind: 'negotiation',
    pid: deps.newPid(),
    role: 'consumer',
    partner: partner.did,
    partnerPid: m.providerPid,
    partnerAddress: m.callbackAddress,
    state: 'OFFERED',
    turn: 1,
    offer: m.offer,
    datasetId: String(m.offer.target),
    openingDigest: m.digest,
    lastDigest: m.digest,
    createdAt: at,
    updatedAt: at,
  }
  await takeShapes(deps, partner.did, m.offer, m.shapes)
  const turn = await takeTurn(deps, partner, offered)
  const audit = [entry(offered, 'in', 'offer', { offer: String(m.offer['@id']) })]
  const decision = decided(deps, { next: offered, audit }, turn)
  if (!decision.ok) return decision
  const { created, process } = await deps.store.create(decision.value.step)
  return created || process.openingDigest === m.digest ? ok(process) : other
}
