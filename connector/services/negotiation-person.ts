/**
 * What people decide in negotiations: offer, counter, accept, approve and refuse. A person approves exactly the terms that
 * were read; when the partner was faster, nothing is done and the person looks again.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { Json, JsonObject, Pid } from '../core/types.js'
import { NEGOTIATION, type Negotiation } from '../domain/negotiation.js'
import { ownIdFor, type Partner, peerOf, reachedBy } from '../domain/partner.js'
import { transition } from '../domain/process.js'
import { wireForm } from '../policy/wire-form.js'
import { policyFromTerms, type Terms } from '../policy/write.js'
import { offerHash, termsOf, wantedByContract } from './contract.js'
import { checkTerms } from './datasets.js'
import { deciding, entry, type NegotiationDeps, oweTo, terminateNegotiation } from './negotiation.js'
import { offerable } from './negotiation-agreement.js'
import { ready } from './negotiation-moves.js'
import { trustedPartner } from './partners.js'
import type { NegotiationMove } from './ports.js'
import { shapeTextsFor } from './shapes.js'

/** Terms of a proposal: a published offer as it is, terms in our words, or an ODRL policy. Exactly one of them. */
export type Proposal = {
  readonly offer?: string
  readonly terms?: Terms
  readonly policy?: JsonObject
  /** Terms of our own are offered although some of them are kept by contract only. */
  readonly contractOnly?: boolean
}

/** The offer of a message. Terms of our own get the id they replace, or a new one. */
function written(
  deps: NegotiationDeps,
  m: {
    readonly proposal: Proposal
    readonly datasetId: string
    readonly id: string
    readonly ours: boolean
    /** The provider, named in the offer: EDC compares it with the one in the agreement. */
    readonly assigner: Json | undefined
  },
): Result<JsonObject> {
  const { offer: named, terms, policy } = m.proposal
  if ([named, terms, policy].filter((given) => given !== undefined).length !== 1) {
    return problem('InvalidInput', {
      en: 'Give one of these: the id of a published offer, terms, or a policy.',
      de: 'Geben Sie eines davon an: die Kennung eines veröffentlichten Angebots, Bedingungen oder eine Policy.',
    })
  }
  const parties = m.assigner === undefined ? {} : { assigner: m.assigner }
  const head = { '@type': 'Offer', target: m.datasetId, ...parties }
  if (named !== undefined) {
    const published = m.ours ? deps.store.offer(named) : undefined
    return published?.datasetId === m.datasetId
      ? ok({ '@id': published.id, ...head, ...published.policy })
      : problem('OfferUnknown', {
          en: `The dataset ${m.datasetId} has no offer ${named}.`,
          de: `Der Datensatz ${m.datasetId} hat kein Angebot ${named}.`,
        })
  }
  const made = terms === undefined ? wireForm(policy ?? {}, m.datasetId) : policyFromTerms(terms)
  if (!made.ok) return made
  const dataset = m.ours ? deps.store.dataset(m.datasetId) : undefined
  if (dataset !== undefined) {
    const fitting = checkTerms(deps, dataset, { policy: made.value, contractOnly: true })
    if (!fitting.ok) return fitting
  }
  return ok({ '@id': m.id, ...head, ...termsOf(made.value) })
}

/** Provider: what this partner would only promise has to be wanted, for a published offer as well as for this one. */
function wantedFrom(
  deps: NegotiationDeps,
  partner: Partner,
  { offer: named, contractOnly }: Proposal,
  offer: JsonObject,
): Result<void> {
  const published = named === undefined ? undefined : deps.store.offer(named)
  return wantedByContract(offer, contractOnly ?? published?.contractOnly, peerOf(partner))
}

/** Provider: opens a negotiation with an offer to one partner. What a person offers is approved by that. */
export async function offerContract(
  deps: NegotiationDeps,
  m: { readonly partner: Partner; readonly datasetId: string; readonly proposal: Proposal },
): Promise<Result<Negotiation>> {
  const { partner, datasetId, proposal } = m
  const assigner = ownIdFor(partner, deps.ownDid)
  const offer = written(deps, { proposal, datasetId, id: deps.newPid(), ours: true, assigner })
  if (!offer.ok) return offer
  const wanted = wantedFrom(deps, partner, proposal, offer.value)
  if (!wanted.ok) return wanted
  const fit = offerable(deps, partner, datasetId, offer.value, 3)
  if (!fit.ok) return fit
  const at = deps.clock()
  const next: Negotiation = {
    kind: 'negotiation',
    pid: deps.newPid(),
    role: 'provider',
    partner: partner.did,
    partnerAddress: partner.address,
    state: 'NEW',
    pending: 'offer',
    offer: offer.value,
    approved: offerHash(offer.value),
    datasetId,
    createdAt: at,
    updatedAt: at,
  }
  const message = deps.wire.contractOffer({
    providerPid: next.pid,
    offer: offer.value,
    shapes: shapeTextsFor(deps.store, offer.value),
    callbackAddress: reachedBy(partner, deps.callbackAddress),
  })
  const { process } = await deps.store.create({
    next,
    owe: oweTo(next, 'offer', message),
    audit: [entry(next, 'out', 'offer', { offer: String(offer.value['@id']) })],
  })
  return ok(process)
}

/** Either role: other terms than the partner's. The provider's are an offer, the consumer's a request. */
export function counter(deps: NegotiationDeps, pid: Pid, proposal: Proposal): Promise<Result<Negotiation>> {
  return onTable(deps, pid, (n, partner) => {
    const ours = n.role === 'provider'
    // DSP 2025-1, 7.2.1: the id of a requested offer refers to the one that was offered.
    const id = ours ? deps.newPid() : String(n.offer['@id'])
    const assigner = ours ? ownIdFor(partner, deps.ownDid) : n.offer.assigner
    const offer = written(deps, { proposal, datasetId: n.datasetId, id, ours, assigner })
    if (!offer.ok) return offer
    const wanted = ours ? wantedFrom(deps, partner, proposal, offer.value) : ok(undefined)
    if (!wanted.ok) return wanted
    return ok(
      ours
        ? { move: { move: 'offer', offer: offer.value }, approved: offerHash(offer.value) }
        : { move: { move: 'request', offer: offer.value } },
    )
  })
}

/**
 * Consumer: accepts the offer on the table. Terms that are not understood here are accepted as promises of ours only when
 * the person says so, and named the terms.
 */
export function acceptOffer(
  deps: NegotiationDeps,
  pid: Pid,
  read?: string,
  notUnderstood = false,
): Promise<Result<Negotiation>> {
  return onTable(deps, pid, (n) => {
    if (n.role === 'provider') {
      return problem('InvalidTransition', {
        en: 'The consumer accepts an offer. As provider: handschlag negotiation approve',
        de: 'Ein Angebot nimmt der Empfänger an. Als Anbieter: handschlag negotiation approve',
      })
    }
    const mark = notUnderstood && read !== undefined ? { approved: read } : {}
    return unchanged(n, read, { move: { move: 'accept' }, ...mark })
  })
}

/** Provider: agrees to exactly the terms that were read, also when they are not the published ones. */
export function approve(deps: NegotiationDeps, pid: Pid, read: string): Promise<Result<Negotiation>> {
  return onTable(deps, pid, (n) => {
    if (n.role === 'consumer') {
      return problem('InvalidTransition', {
        en: 'The provider approves a request. As consumer: handschlag negotiation accept',
        de: 'Eine Anfrage gibt der Anbieter frei. Als Empfänger: handschlag negotiation accept',
      })
    }
    return unchanged(n, read, { move: { move: 'agree' }, approved: read })
  })
}

/** Either role: no contract on these terms. */
export const refuse = (deps: NegotiationDeps, pid: Pid, reason: string): Promise<Result<Negotiation>> =>
  terminateNegotiation(deps, pid, reason, 'Refused')

type Decided = { readonly move: NegotiationMove; readonly approved?: string }

const unchanged = (n: Negotiation, read: string | undefined, decided: Decided): Result<Decided> =>
  read === undefined || read === offerHash(n.offer)
    ? ok(decided)
    : problem('Conflict', {
        en: 'The terms on the table are not the ones that you have read. Look at them again.',
        de: 'Die vorliegenden Bedingungen sind nicht die, die Sie gelesen haben. Sehen Sie sie noch einmal an.',
      })

async function onTable(
  deps: NegotiationDeps,
  pid: Pid,
  decide: (n: Negotiation, partner: Partner) => Result<Decided>,
): Promise<Result<Negotiation>> {
  const n = deps.store.find({ kind: 'negotiation', pid })
  if (n === undefined)
    return problem('NotFound', {
      en: `There is no negotiation ${pid}.`,
      de: `Es gibt keine Verhandlung ${pid}.`,
    })
  const partner = trustedPartner(deps.store, n.partner)
  if (!partner.ok) return partner
  const decided = decide(n, partner.value)
  if (!decided.ok) return decided
  const { move, approved } = decided.value
  const mark = approved === undefined ? {} : { approved }
  if (move.move !== 'wait') {
    const legal = transition(NEGOTIATION, n.state, move.move, n.role)
    if (!legal.ok) return legal
  }
  const readied = await ready(deps, partner.value, { ...n, ...mark }, move)
  if (!readied.ok) return readied
  return deciding(deps, { kind: 'negotiation', pid }, (current) => {
    if ((current.turn ?? 0) !== (n.turn ?? 0)) {
      return problem('Conflict', {
        en: 'The partner was faster: the negotiation is no longer where you saw it. Look again.',
        de: 'Der Partner war schneller: Die Verhandlung steht nicht mehr dort, wo Sie sie gesehen haben. Sehen Sie noch einmal nach.',
      })
    }
    const step = readied.value({ ...current, ...mark })
    return step.ok ? ok({ step: step.value }) : step
  })
}
