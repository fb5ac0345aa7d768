/**
 * From a move that the rules or a person want to what a step writes. Readied outside the step, where signatures can be
 * made; applied inside it, to the process as it is then. No move skips a check.
 */
import { ok, type Problem, problem, type Result, textOf } from '../core/result.js'
import type { JsonObject } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import { NEGOTIATION, type Negotiation, type NegotiationEvent } from '../domain/negotiation.js'
import { ownIdFor, type Partner } from '../domain/partner.js'
import { type Awaiting, awaitPerson, detailOf, reasonOf, send, transition } from '../domain/process.js'
import type { Step } from '../domain/step.js'
import { differenceClause, differences } from '../policy/compare.js'
import { acceptedFrom, isApproved, offerHash } from './contract.js'
import {
  type Decision,
  endStep,
  entry,
  isPassing,
  type NegotiationDeps,
  oweTo,
  pidsOf,
  terminating,
} from './negotiation.js'
import { type Asked, agree, askedFor, countersign, offerable, receipt } from './negotiation-agreement.js'
import { mayHold, notUnderstoodWords } from './not-understood.js'
import type { NegotiationContext, NegotiationMove, Outgoing } from './ports.js'
import { lookupIn, shapeTextsFor } from './shapes.js'

/** What we do in a state, ready to be applied to the process in that state. */
export type Readied = (current: Negotiation) => Result<Step<Negotiation>>

const MAX_DETAIL = 500

/** Stops here until a person decides. */
export function personNeeded(current: Negotiation, awaiting: Awaiting): Step<Negotiation> {
  const { because: why, since } = awaiting
  const shown = detailOf(awaiting.detail?.slice(0, MAX_DETAIL), awaiting.detailDe?.slice(0, MAX_DETAIL))
  const next = awaitPerson(current, { because: why, since, ...shown })
  const note = entry(next, 'own', 'waits for a person', { because: why, ...reasonOf(shown) })
  return { next, audit: [{ ...note, at: awaiting.since }] }
}

/** What the rules say about a process in its present state; a failure of theirs, or an illegal wish, needs a person. */
export function wanted(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  known?: Asked,
): NegotiationMove {
  const failed = (detail: string, detailDe: string) =>
    ({ move: 'wait', for: 'person', because: 'rules', detail, detailDe }) as const
  let move: NegotiationMove
  try {
    move = deps.automation.negotiation(n, contextOf(deps, partner, n, known))
  } catch (cause) {
    deps.log.error({ err: cause, pid: n.pid }, 'the rules failed')
    const what = cause instanceof Error ? cause.message : String(cause)
    return failed(`The rules failed: ${what}`, `Die Regeln sind gescheitert: ${what}`)
  }
  if (move.move === 'wait') return move
  const legal = transition(NEGOTIATION, n.state, move.move, n.role)
  if (legal.ok) return move
  const { en, de } = textOf(legal.error)
  return failed(
    `The rules wanted something that is not allowed. ${en}`,
    `Die Regeln wollten etwas, das nicht erlaubt ist. ${de}`,
  )
}

function contextOf(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  known: Asked | undefined,
): NegotiationContext {
  const approved = isApproved(n)
  if (n.role === 'consumer') return { partner, approved }
  const asked = known === undefined ? askedFor(deps, partner, n.offer) : ok(known)
  if (!asked.ok) {
    const differs = approved ? {} : { differs: otherThanBefore(n) ?? asked.error }
    return { partner, approved, ...differs }
  }
  const { published, differs, atMostPublished } = asked.value
  return {
    partner,
    approved,
    ...(atMostPublished === undefined ? {} : { atMostPublished }),
    ...(published === undefined ? {} : { published }),
    ...(differs === undefined || approved ? {} : { differs }),
  }
}

/** Provider: what the consumer changed in an offer that is not a published one. */
function otherThanBefore(n: Negotiation): Problem | undefined {
  const [difference] = n.previous === undefined ? [] : differences(n.previous, n.offer)
  if (difference === undefined) return undefined
  const { en, de } = differenceClause(difference)
  return {
    code: 'OfferDiffers',
    message: `The requested offer differs from the one that you made: ${en}.`,
    messageDe: `Das angefragte Angebot weicht von Ihrem Vorschlag ab: ${de}.`,
  }
}

/** What is known already: an agreement that comes with the same step, and what an offer has just been found to ask for. */
export type Known = { readonly agreement?: Agreement; readonly asked?: Asked }

/** Does what cannot be done inside a step. */
export async function ready(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  move: NegotiationMove,
  known: Known = {},
): Promise<Result<Readied>> {
  switch (move.move) {
    case 'agree': {
      const sealed = await agree(deps, partner, n, known.asked)
      if (!sealed.ok) return sealed
      return ok((current) =>
        sending(deps, { ...current, agreementId: sealed.value.agreement.id }, 'agree', sealed.value.message, {
          agreement: sealed.value.agreement,
          detail: { agreement: sealed.value.agreement.id },
        }),
      )
    }
    case 'verify':
    case 'finalize': {
      const agreement = known.agreement ?? storedAgreement(deps, n)
      if (agreement === undefined)
        return problem('InvalidTransition', {
          en: 'There is no agreement in this negotiation yet.',
          de: 'In dieser Verhandlung gibt es noch keine Vereinbarung.',
        })
      const sealed =
        move.move === 'verify'
          ? await countersign(deps, partner, n, agreement)
          : await receipt(deps, n, agreement)
      const signed = move.move === 'verify' ? sealed.agreement.consumerSeal : sealed.agreement.receipt
      return ok((current) =>
        sending(deps, current, move.move, sealed.message, {
          agreement: sealed.agreement,
          detail: { sealed: signed !== undefined },
        }),
      )
    }
    case 'accept': {
      const fit = mayHold(partner, n.offer, factsFor(deps, partner), lookupIn(deps.store), n)
      if (!fit.ok) return fit
      return ok((current) => sending(deps, current, 'accept', deps.wire.accepted(pidsOf(current))))
    }
    case 'offer':
    case 'request': {
      const fit =
        move.move === 'offer'
          ? mayOffer(deps, partner, n, move.offer)
          : mayRequest(deps, partner, n, move.offer)
      if (!fit.ok) return fit
      const { offer } = move
      return ok((current) => {
        const m = { ...pidsOf(current), offer }
        const message =
          move.move === 'offer'
            ? deps.wire.counterOffer({ ...m, shapes: shapeTextsFor(deps.store, offer) })
            : deps.wire.counterRequest(m)
        return sending(deps, { ...current, offer }, move.move, message, {
          detail: { offer: String(offer['@id']) },
        })
      })
    }
    case 'terminate':
      return ok((current) => terminating(deps, current, move))
    case 'wait':
      if (move.for === 'partner') return ok((current) => ok({ next: current }))
      return ok((current) => ok(personNeeded(current, { ...waitOf(move, current), since: deps.clock() })))
  }
}

/** Where the rules say nothing more, a person is told what is not understood in an offer. */
function waitOf(
  { because, detail, detailDe }: Extract<NegotiationMove, { for: 'person' }>,
  { offer }: Negotiation,
): Omit<Awaiting, 'since'> {
  if (detail !== undefined) return { because, ...detailOf(detail, detailDe) }
  const unread = because === 'offer' ? notUnderstoodWords(offer) : undefined
  return { because, ...(unread !== undefined && detailOf(unread.en, unread.de)) }
}

const storedAgreement = (deps: NegotiationDeps, n: Negotiation): Agreement | undefined =>
  n.agreementId === undefined
    ? undefined
    : deps.store.agreement(n.agreementId, { partner: n.partner, role: n.role })

function sending(
  deps: NegotiationDeps,
  current: Negotiation,
  event: NegotiationEvent,
  message: Outgoing,
  more: { readonly agreement?: Agreement; readonly detail?: JsonObject } = {},
): Result<Step<Negotiation>> {
  const sent = send(NEGOTIATION, current, event, deps.clock())
  if (!sent.ok) return sent
  return ok({
    next: sent.value,
    settle: true,
    owe: oweTo(sent.value, event, message),
    ...(more.agreement === undefined ? {} : { agreement: more.agreement }),
    audit: [entry(sent.value, 'out', event, more.detail)],
  })
}

/** Terms that we did not publish are offered when a person approved exactly them. */
function mayOffer(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  offer: JsonObject,
): Result<unknown> {
  if (offer.target !== n.datasetId) return sameTarget(n)
  if (n.approved === offerHash(offer)) return offerable(deps, partner, n.datasetId, offer, 3)
  const asked = askedFor(deps, partner, offer)
  if (!asked.ok) return asked
  if (asked.value.differs !== undefined) return { ok: false, error: asked.value.differs }
  const upTo = acceptedFrom(partner, asked.value.published ?? {})
  return offerable(deps, partner, n.datasetId, offer, upTo)
}

function mayRequest(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  offer: JsonObject,
): Result<unknown> {
  return offer.target === n.datasetId
    ? mayHold(partner, offer, factsFor(deps, partner), lookupIn(deps.store))
    : sameTarget(n)
}

const factsFor = (deps: NegotiationDeps, partner: Partner) => ({
  at: deps.clock(),
  recipient: ownIdFor(partner, deps.ownDid),
})

const sameTarget = (n: Negotiation) =>
  problem('InvalidInput', {
    en: `A negotiation stays with its dataset; here that is ${n.datasetId}.`,
    de: `Eine Verhandlung bleibt bei ihrem Datensatz; hier ist das ${n.datasetId}.`,
  })

/** The partner's message and what we do about it, written as one step. Ours may hold nothing but a wait. */
function together(received: Step<Negotiation>, readied: Readied): Result<Step<Negotiation>> {
  const own = readied(received.next)
  if (!own.ok) return own
  const agreement = own.value.agreement ?? received.agreement
  const settle = received.settle === true || own.value.settle === true
  return ok({
    next: own.value.next,
    ...(settle ? { settle } : {}),
    ...(own.value.owe === undefined ? {} : { owe: own.value.owe }),
    ...(agreement === undefined ? {} : { agreement }),
    audit: [...(received.audit ?? []), ...(own.value.audit ?? [])],
  })
}

/** What is done in the very step that takes the partner's message; a delayed move is left to the rules' timer. */
export type Turn = { readonly move: NegotiationMove; readonly readied: Result<Readied> }

export async function takeTurn(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  known: Known = {},
): Promise<Turn> {
  const move = wanted(deps, partner, n, known.asked)
  if ((move.afterMs ?? 0) > 0) return { move, readied: ok((current) => ok({ next: current })) }
  return { move, readied: await ready(deps, partner, n, move, known) }
}

/**
 * The partner's message as a decision, together with our turn. A passing trouble refuses the message, so that it comes
 * again; a contract that cannot be made ends the negotiation; whatever else the rules cannot have is for a person.
 */
export function decided(
  deps: NegotiationDeps,
  received: Step<Negotiation>,
  turn: Turn | undefined,
): Result<Decision> {
  if (turn === undefined) return ok({ step: received })
  const { move, readied } = turn
  if (!readied.ok) {
    if (isPassing(readied.error)) return readied
    if (move.move === 'agree') return ok({ step: ended(deps, received, readied.error) })
    const detail = detailOf(readied.error.message, readied.error.messageDe)
    const waiting = personNeeded(received.next, { because: 'rules', since: deps.clock(), ...detail })
    return ok({
      step: { ...received, next: waiting.next, audit: [...(received.audit ?? []), ...(waiting.audit ?? [])] },
    })
  }
  const step = together(received, readied.value)
  // Something else became pending in between: the rules are asked again once the step is written.
  return ok({ step: step.ok ? step.value : received })
}

function ended(deps: NegotiationDeps, received: Step<Negotiation>, why: Problem): Step<Negotiation> {
  const end = endStep(deps, received.next, why)
  return { ...end, audit: [...(received.audit ?? []), ...(end.audit ?? [])] }
}
