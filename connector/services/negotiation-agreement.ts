/**
 * What turns terms into a contract: the provider's draft and seal, the consumer's check and countersignature, and the
 * provider's receipt. Prepares only; nothing here writes.
 */
import { ok, type Problem, problem, type Result } from '../core/result.js'
import type { JsonObject, Pid } from '../core/types.js'
import { type Agreement, readableForm } from '../domain/agreement.js'
import { approvalOf, type Dataset, type Offer } from '../domain/dataset.js'
import type { Negotiation } from '../domain/negotiation.js'
import { ownIdFor, type Partner, peerOf } from '../domain/partner.js'
import { type Difference, differenceClause, differences } from '../policy/compare.js'
import { needsKey, type Plan } from '../policy/plan.js'
import { type ShapeLookup, shapeHash, shapeText } from '../policy/shape.js'
import type { Tier } from '../policy/tier.js'
import { factsFor } from './confirmed.js'
import {
  acceptedFrom,
  agreementHash,
  allows,
  draftAgreement,
  isApproved,
  peerAsConsumer,
  planOf,
  promisedTo,
  sameAsOffered,
  samePromises,
  takesWithoutTerms,
  understood,
} from './contract.js'
import { type NegotiationDeps, pidsOf } from './negotiation.js'
import { playedOff } from './played-off.js'
import type { Outgoing } from './ports.js'
import { lookupIn, shapesFor, takeShapes } from './shapes.js'
import { termsRelation } from './terms-comparison.js'

/** An agreement as it is stored, and the message that carries our part of it. */
export type Sealed = { readonly agreement: Agreement; readonly message: Outgoing }

export type Asked = {
  readonly dataset: Dataset
  /** The published offer with this id; absent for terms of a person's own. */
  readonly published?: Offer
  readonly differs?: Problem
  /** It differs, certainly allows no more than the published offer, and that is enough for this offer and partner. */
  readonly atMostPublished?: boolean
}

const unknown = problem('OfferUnknown', {
  en: 'There is no such offer for you. Ask for the catalog again.',
  de: 'Dieses Angebot gibt es für Sie nicht. Rufen Sie den Katalog noch einmal ab.',
})

/** Provider: what an offer on the table refers to. Refuses what this partner could not have seen in our catalog. */
export function askedFor(deps: NegotiationDeps, partner: Partner, asked: JsonObject): Result<Asked> {
  const published = deps.store.offer(String(asked['@id']))
  const dataset = published === undefined ? undefined : deps.store.dataset(published.datasetId)
  if (published === undefined || dataset?.published !== true) return unknown
  const policy = understood(published.policy, acceptedFrom(partner, published))
  if (!policy.ok) return unknown
  const seen = factsFor(deps, { partner: partner.did, datasetId: published.datasetId })
  if (!allows(policy.value, 'catalog', seen).ok) return unknown
  if (asked.target !== undefined && asked.target !== published.datasetId) {
    return problem('OfferDiffers', {
      en: 'The target of the offer is not the dataset that it was published for.',
      de: 'Das Angebot bezieht sich auf einen anderen Datensatz als den, für den es veröffentlicht ist.',
    })
  }
  const [difference] = differences(published.policy, asked).filter((one) => !leavesOutProfile(one))
  if (difference === undefined) return ok({ dataset, published })
  const { en, de } = differenceClause(difference)
  const differs = {
    code: 'OfferDiffers',
    message: `The requested offer differs from the one in the catalog: ${en}.`,
    messageDe: `Das angefragte Angebot weicht von dem im Katalog ab: ${de}.`,
  } as const
  const isRule = approvalOf(published.approval, partner.approval) === 'stricter-or-equal'
  return ok({
    dataset,
    published,
    differs,
    ...(isRule && { atMostPublished: allowsAtMost(asked, published, lookupIn(deps.store)) }),
  })
}

/** Certain verdicts only: what cannot be told is not enough. Other promises than the published ones are for a person. */
function allowsAtMost(asked: JsonObject, { policy }: Offer, shapes: ShapeLookup): boolean {
  if (!samePromises(asked, policy)) return false
  const relation = termsRelation(asked, policy, shapes)
  return relation === 'equal' || relation === 'stricter'
}

/** Left out, a profile claims less than it says: all terms are absolute names and mean the same without it. */
const leavesOutProfile = ({ path, agreed }: Difference): boolean => path === 'profile' && agreed === undefined

/** Up to which tier promises are accepted: a person who approved exactly these terms has read which of them are some. */
type Accepted = { readonly terms: JsonObject; readonly upTo: Tier }

/** Provider: the terms that would be agreed. Unpublished terms need the approval of a person. */
function agreeable(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  known: Asked | undefined,
): Result<Accepted> {
  if (isApproved(n)) return ok({ terms: n.offer, upTo: 3 })
  const asked = known === undefined ? askedFor(deps, partner, n.offer) : ok(known)
  if (!asked.ok) return asked
  const { published, differs, atMostPublished } = asked.value
  if (differs !== undefined && atMostPublished !== true) return { ok: false, error: differs }
  // The same terms in the consumer's own words: some compare the agreement with their request word by word.
  return published === undefined ? unknown : ok({ terms: n.offer, upTo: acceptedFrom(partner, published) })
}

/** Provider: whether terms can be kept for this partner, as far as that can be known before it has agreed. */
export function offerable(
  deps: NegotiationDeps,
  partner: Partner,
  datasetId: string,
  terms: JsonObject,
  upTo: Tier,
): Result<Plan> {
  if (deps.store.dataset(datasetId) === undefined) {
    return problem('NotFound', {
      en: `There is no dataset ${datasetId}. See: handschlag dataset list`,
      de: `Es gibt keinen Datensatz ${datasetId}. Siehe: handschlag dataset list`,
    })
  }
  const about = { datasetId, terms, offer: terms, negotiationPid: '' as Pid }
  const kept = keepable(deps, partner, draftOf(deps, partner, about), upTo)
  return kept.ok ? ok(kept.value.plan) : kept
}

/** `facts`: ids of what the operator confirmed and it rests on. */
type Kept = { readonly plan: Plan; readonly facts: readonly string[] }

function keepable(deps: NegotiationDeps, partner: Partner, draft: Agreement, upTo: Tier): Result<Kept> {
  const policy = understood(readableForm(draft), upTo)
  if (!policy.ok) return policy
  const known = { partner: partner.did, datasetId: draft.datasetId }
  const allowed = allows(policy.value, 'negotiation', factsFor(deps, known, draft.agreedAt))
  if (!allowed.ok) return allowed
  const plan = planOf(draft)
  if (!plan.ok) return plan
  const servable = deps.dataPlane.canServe(draft.datasetId, plan.value)
  if (!servable.ok) return servable
  const both = playedOff({ store: deps.store, now: draft.agreedAt }, draft, plan.value)
  if (both !== undefined) return both
  return needsKey(plan.value) && deps.pseudonyms === undefined
    ? NO_PSEUDONYMS
    : ok({ plan: plan.value, facts: allowed.value.facts })
}

const NO_PSEUDONYMS = problem('PolicyUnsupported', {
  en: 'This connector has no keys for pseudonyms and deviations.',
  de: 'Dieser Connector hat keine Schlüssel für Pseudonyme und Abweichungen.',
})

function draftOf(
  deps: NegotiationDeps,
  partner: Partner,
  m: {
    readonly datasetId: string
    readonly terms: JsonObject
    readonly offer: JsonObject
    readonly negotiationPid: Pid
  },
): Agreement {
  const at = deps.clock()
  const body = draftAgreement({
    id: deps.newPid(),
    offer: m.terms,
    datasetId: m.datasetId,
    assigner: ownIdFor(partner, deps.ownDid),
    assignee: partner.did,
    at,
  })
  const shapes = shapesFor(deps.store, m.terms)
  return {
    id: String(body['@id']),
    role: 'provider',
    partner: partner.did,
    negotiationPid: m.negotiationPid,
    datasetId: m.datasetId,
    body,
    offer: m.offer,
    hash: agreementHash(body),
    ...(shapes.length > 0 && { shapes }),
    agreedAt: at,
    ...promisedTo(peerOf(partner), body),
    status: 'pending',
  }
}

/** Provider: drafts and seals the agreement on the offer on the table. */
export async function agree(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  /** What `askedFor` has just said about it. */
  known?: Asked,
): Promise<Result<Sealed>> {
  const accepted = agreeable(deps, partner, n, known)
  if (!accepted.ok) return accepted
  const { terms, upTo } = accepted.value
  const about = { datasetId: n.datasetId, terms, offer: n.offer, negotiationPid: n.pid }
  const draft = draftOf(deps, partner, about)
  const kept = keepable(deps, partner, draft, upTo)
  if (!kept.ok) return kept
  const { plan, facts } = kept.value
  const pids = pidsOf(n)
  const text = { ...pids, ...signedText(draft) }
  const seal =
    partner.seal === 'off' ? undefined : await deps.seals.sign({ ...text, role: 'provider', covers: [] })
  return ok({
    agreement: {
      ...draft,
      planHash: plan.hash,
      ...(facts.length === 0 ? {} : { facts }),
      ...(seal === undefined ? {} : { providerSeal: seal }),
      ...(needsKey(plan) &&
        deps.pseudonyms !== undefined && { pseudonymKey: deps.pseudonyms.create(draft.id) }),
    },
    message: deps.wire.contractAgreement({
      ...pids,
      agreement: draft.body,
      seal,
      shapes: (draft.shapes ?? []).map(shapeText),
    }),
  })
}

/** Consumer: the provider's agreement must say what the offer said, and be signed as this partner has to. */
export async function checkAgreement(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  m: {
    readonly agreement: JsonObject
    readonly text?: JsonObject
    /** Texts of the shape documents that came with it. */
    readonly shapes?: readonly string[]
    readonly seal?: string
  },
): Promise<Result<Agreement>> {
  // What is kept, hashed and signed is what the provider wrote; what is judged is its plain form.
  const body = m.text ?? m.agreement
  const same = sameAsOffered(m.agreement, {
    offer: n.offer,
    datasetId: n.datasetId,
    assigner: partner.did,
    assignee: ownIdFor(partner, deps.ownDid),
  })
  if (!same.ok) return same
  if (isTaken(deps, { id: same.value.id, negotiationPid: n.pid })) {
    return problem('AgreementDiffers', {
      en: 'The agreement has the @id of another contract, so the two could not be told apart. The provider must give each agreement an @id of its own.',
      de: 'Die Vereinbarung hat die @id eines anderen Vertrags; beide ließen sich nicht unterscheiden. Der Anbieter muss jeder Vereinbarung eine eigene @id geben.',
    })
  }
  const taken = await takeShapes(deps, partner.did, m.agreement, m.shapes)
  if (!taken.ok) return taken
  const shapes = shapesFor(deps.store, m.agreement)
  if (m.seal !== undefined && partner.seal !== 'off') {
    const text = { ...pidsOf(n), ...signedText({ body, offer: n.offer, shapes }) }
    const verified = await deps.seals.verify(m.seal, partner.did, { ...text, role: 'provider', covers: [] })
    if (!verified.ok) return verified
  }
  const seal = partner.seal === 'off' ? undefined : m.seal
  if (seal === undefined && partner.seal === 'require') {
    return problem('SignatureMissing', {
      en: 'The agreement is not signed, and we accept signed contracts only.',
      de: 'Die Vereinbarung ist nicht signiert; angenommen werden nur signierte Verträge.',
    })
  }
  const draft: Agreement = {
    id: same.value.id,
    role: 'consumer',
    partner: partner.did,
    negotiationPid: n.pid,
    datasetId: n.datasetId,
    body,
    ...(body === m.agreement ? {} : { terms: m.agreement }),
    offer: n.offer,
    hash: agreementHash(body),
    ...(shapes.length > 0 && { shapes }),
    agreedAt: same.value.agreedAt,
    // Our own connector is the one that carries out the duties.
    ...promisedTo(peerAsConsumer(n), m.agreement),
    status: 'pending',
    ...(seal === undefined ? {} : { providerSeal: seal }),
  }
  // Without terms there is nothing to carry out.
  if (takesWithoutTerms(partner, readableForm(draft))) return ok(draft)
  const plan = planOf(draft)
  return plan.ok ? ok({ ...draft, planHash: plan.value.hash }) : plan
}

/** Whether an agreement of another negotiation has the same `@id`, with whomever it is. */
export function isTaken(
  deps: Pick<NegotiationDeps, 'store'>,
  m: Pick<Agreement, 'id' | 'negotiationPid'>,
): boolean {
  const taken = deps.store.agreement(m.id)
  return taken !== undefined && taken.negotiationPid !== m.negotiationPid
}

/** Consumer: countersigns the checked agreement. */
export async function countersign(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  agreement: Agreement,
): Promise<Sealed> {
  const pids = pidsOf(n)
  const own =
    partner.seal === 'off'
      ? undefined
      : await deps.seals.sign({
          ...pids,
          role: 'consumer',
          ...signedText(agreement),
          covers: present(agreement.providerSeal),
        })
  return {
    agreement: { ...agreement, ...(own === undefined ? {} : { consumerSeal: own }) },
    message: deps.wire.agreementVerification({ ...pids, seal: own }),
  }
}

/** Provider: the consumer's verification must be countersigned as this partner has to. */
export async function checkVerification(
  deps: NegotiationDeps,
  partner: Partner,
  n: Negotiation,
  m: { readonly seal?: string },
): Promise<Result<Agreement>> {
  const agreement = n.agreementId === undefined ? undefined : deps.store.agreement(n.agreementId)
  if (agreement === undefined) {
    return problem('InvalidTransition', {
      en: 'There is no agreement to verify in this negotiation yet.',
      de: 'In dieser Verhandlung gibt es noch keine Vereinbarung, die zu bestätigen wäre.',
    })
  }
  const seal = partner.seal === 'off' ? undefined : m.seal
  if (seal !== undefined) {
    const verified = await deps.seals.verify(seal, partner.did, {
      ...pidsOf(n),
      role: 'consumer',
      ...signedText(agreement),
      covers: present(agreement.providerSeal),
    })
    if (!verified.ok) return verified
  } else if (partner.seal === 'require') {
    return problem('SignatureMissing', {
      en: 'The verification is not countersigned, and we accept signed contracts only.',
      de: 'Die Bestätigung ist nicht gegengezeichnet; angenommen werden nur signierte Verträge.',
    })
  }
  return ok({ ...agreement, ...(seal === undefined ? {} : { consumerSeal: seal }) })
}

/** Provider: closes the chain of signatures. A consumer that did not countersign gets no receipt. */
export async function receipt(deps: NegotiationDeps, n: Negotiation, agreement: Agreement): Promise<Sealed> {
  const pids = pidsOf(n)
  const signed =
    agreement.consumerSeal === undefined
      ? undefined
      : await deps.seals.sign({
          ...pids,
          role: 'receipt',
          ...signedText(agreement),
          covers: present(agreement.providerSeal, agreement.consumerSeal),
        })
  return {
    agreement: { ...agreement, ...(signed === undefined ? {} : { receipt: signed }) },
    message: deps.wire.finalized({ ...pids, receipt: signed }),
  }
}

/** What the seals of a contract are made over, apart from the pids. */
export const signedText = ({ body, offer, shapes = [] }: Pick<Agreement, 'body' | 'offer' | 'shapes'>) => ({
  agreement: body,
  offer,
  shapes: shapes.map(shapeHash).sort(),
})

const present = (...seals: readonly (string | undefined)[]): readonly string[] =>
  seals.filter((seal) => seal !== undefined)
