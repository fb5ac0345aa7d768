/**
 * Contract negotiation as provider: what a consumer sends. Each message is checked and our turn prepared outside the step,
 * then both are decided purely inside it. DSP 2025-1, Contract Negotiation Protocol.
 */
import { because, ok, type Problem, problem, type Result } from '../core/result.js'
import type { JsonObject, Pid } from '../core/types.js'
import { NEGOTIATION, type Negotiation } from '../domain/negotiation.js'
import type { Partner } from '../domain/partner.js'
import { receive } from '../domain/process.js'
import type { Step } from '../domain/step.js'
import { mayOpen } from './crowd.js'
import {
  deciding,
  endStep,
  entry,
  type Incoming,
  isPassing,
  type NegotiationDeps,
  sameOffer,
  tabled,
} from './negotiation.js'
import { askedFor, checkVerification } from './negotiation-agreement.js'
import { decided, takeTurn } from './negotiation-moves.js'

/** Provider: a partner asks for a new contract. */
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
  const room = mayOpen(deps, 'negotiation', partner.did)
  if (!room.ok) return room
  const asked = askedFor(deps, partner, m.offer)
  if (!asked.ok) return refused(deps, m, asked.error)
  const at = deps.clock()
  const requested: Negotiation = {
    kind: 'negotiation',
    pid: deps.newPid(),
    role: 'provider',
    partner: partner.did,
    partnerPid: m.consumerPid,
    partnerAddress: m.callbackAddress,
    state: 'REQUESTED',
    turn: 1,
    offer: m.offer,
    datasetId: asked.value.dataset.id,
    openingDigest: m.digest,
    lastDigest: m.digest,
    createdAt: at,
    updatedAt: at,
  }
  const turn = await takeTurn(deps, partner, requested, { asked: asked.value })
  // Nothing exists yet: what cannot be agreed is refused instead of being ended.
  if (!turn.readied.ok && turn.move.move === 'agree') return refused(deps, m, turn.readied.error)
  const audit = [entry(requested, 'in', 'request', { offer: String(m.offer['@id']) })]
  const decision = decided(deps, { next: requested, audit }, turn)
  if (!decision.ok) return refused(deps, m, decision.error)
  const { created, process } = await deps.store.create(decision.value.step)
  // A twin of this request was faster: it owns the process.
  return created ? ok(process) : repeatedRequest(process, m.digest)
}

/** DSP 2025-1, 7.2.1: one negotiation per consumerPid; only the very same request may come again. */
const repeatedRequest = (existing: Negotiation, digest: string): Result<Negotiation> =>
  existing.openingDigest === digest
    ? ok(existing)
    : problem('InvalidTransition', {
        en: 'There is already another negotiation with this consumerPid.',
        de: 'Es gibt schon eine andere Verhandlung mit dieser consumerPid.',
      })

async function refused(
  deps: NegotiationDeps,
  m: Incoming & { readonly offer: JsonObject },
  why: Problem,
): Promise<Result<never>> {
  const refusal = {
    subject: m.sender,
    at: deps.clock(),
    direction: 'in',
    event: 'request refused',
    detail: { code: why.code, ...because(why), offer: String(m.offer['@id']) },
  } as const
  // A partner that asks without end must not fill our disk.
  await deps.store.note(refusal, why.code)
  return { ok: false, error: why }
}

/** Provider: the consumer accepts the offer that we sent. */
export async function receiveAccepted(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly pid: Pid; readonly consumerPid: string },
): Promise<Result<Negotiation>> {
  return inConversation(deps, partner, 'accept', m, (found) => found.offer)
}

/** Provider: the consumer asks again within a negotiation, for terms of its own. */
export async function receiveCounterRequest(
  deps: NegotiationDeps,
  partner: Partner,
  m: Incoming & { readonly pid: Pid; readonly consumerPid: string; readonly offer: JsonObject },
): Promise<Result<Negotiation>> {
  return inConversation(deps, partner, 'request', m, () => m.offer)
}

async function inConversation(
  deps: NegotiationDeps,
  partner: Partner,
  event: 'accept' | 'request',
  m: Incoming & { readonly pid: Pid; readonly consumerPid: string },
  offerOf: (n: Negotiation) => JsonObject,
): Promise<Result<Negotiation>> {
  const ref = { kind: 'negotiation', pid: m.pid, partner: m.sender, role: 'provider' } as const
  const found = deps.store.find(ref)
  if (found === undefined)
    return problem('NotFound', {
      en: 'There is no such negotiation.',
      de: 'Diese Verhandlung gibt es nicht.',
    })
  const offer = offerOf(found)
  const step = (current: Negotiation): Result<Step<Negotiation> & { readonly repeated: boolean }> => {
    const received = receive(NEGOTIATION, current, event, {
      ...m,
      at: deps.clock(),
      partnerPid: m.consumerPid,
    })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ next: current, repeated: true })
    if (offer.target !== undefined && offer.target !== current.datasetId) {
      return problem('OfferDiffers', {
        en: 'The target of the offer is not the dataset that this negotiation is about.',
        de: 'Das Angebot bezieht sich auf einen anderen Datensatz als den dieser Verhandlung.',
      })
    }
    const next = tabled(received.value.next, offer)
    const detail = event === 'request' ? { offer: String(offer['@id']) } : undefined
    const audit = [entry(next, 'in', event, detail)]
    return ok({ next, audit, settle: received.value.settlesPending, repeated: false })
  }
  const foreseen = step(found)
  const mayAct = foreseen.ok && !foreseen.value.repeated && foreseen.value.next.pending === undefined
  const turn = mayAct ? await takeTurn(deps, partner, foreseen.value.next) : undefined
  return deciding(deps, ref, (current) => {
    const received = step(current)
    if (!received.ok) return received
    const { repeated, ...taken } = received.value
    if (repeated) return ok({ step: taken })
    if (event === 'accept' && !sameOffer(current, found)) {
      return problem('InvalidTransition', {
        en: 'Another message was faster and changed what this one is about.',
        de: 'Eine andere Nachricht war schneller und hat geändert, worum es in dieser geht.',
      })
    }
    return decided(deps, taken, turn)
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
  if (found === undefined)
    return problem('NotFound', {
      en: 'There is no such negotiation.',
      de: 'Diese Verhandlung gibt es nicht.',
    })
  const message = () => ({ ...m, at: deps.clock(), partnerPid: m.consumerPid })
  const checked = await checkVerification(deps, partner, found, m)
  const foreseen = receive(NEGOTIATION, found, 'verify', message())
  const mayAct = checked.ok && foreseen.ok && !foreseen.value.repeated
  const turn = mayAct
    ? await takeTurn(deps, partner, foreseen.value.next, { agreement: checked.value })
    : undefined
  return deciding(deps, ref, (current) => {
    const received = receive(NEGOTIATION, current, 'verify', message())
    if (!received.ok) return received
    if (received.value.repeated) return ok({ step: { next: current } })
    if (!checked.ok && isPassing(checked.error)) return checked
    if (!checked.ok) return ok({ step: endStep(deps, current, checked.error), refusal: checked.error })
    const { next } = received.value
    const audit = [entry(next, 'in', 'verify', { sealed: m.seal !== undefined })]
    return decided(deps, { next, settle: true, agreement: checked.value, audit }, turn)
  })
}
