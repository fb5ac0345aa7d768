/**
 * The contract itself: what an agreement is made of, whether it says what the offer said, and what it allows now.
 * Pure functions over JSON and policy; used by both roles.
 */

import { isDeepStrictEqual } from 'node:util'
import { canonicalize, sha256Hex } from '../core/canonical.js'
import { ok, problem, type Result } from '../core/result.js'
import {
  type EpochMs,
  iso,
  type JsonObject,
  type Lang,
  type ParticipantId,
  type Text,
} from '../core/types.js'
import { type Agreement, readableForm } from '../domain/agreement.js'
import type { Offer } from '../domain/dataset.js'
import type { Negotiation } from '../domain/negotiation.js'
import { type Partner, peerOf } from '../domain/partner.js'
import type { Relation } from '../policy/analysis/relate.js'
import { differences, differenceText } from '../policy/compare.js'
import { compilePlan } from '../policy/compile.js'
import { evaluate, type Facts, reliedOn } from '../policy/evaluate.js'
import { parseTimestamp } from '../policy/instant.js'
import type { Phase, Policy } from '../policy/model.js'
import { parsePolicy } from '../policy/parse.js'
import { pathWords } from '../policy/path-words.js'
import type { Plan } from '../policy/plan.js'
import { refusalText } from '../policy/refusal-words.js'
import { type ShapeLookup, shapesByName, shapesNamed } from '../policy/shape.js'
import { unsupportedTerms } from '../policy/support.js'
import { accepting, type Peer, promisedTerms, type Tier, tiersOf } from '../policy/tier.js'
import { contractOnlyWords } from '../policy/tier-words.js'
import { termsRelation } from './terms-comparison.js'

/** The keys of an offer that are terms of the contract; the rest names parties and things. */
const TERMS = ['profile', 'permission', 'prohibition', 'obligation'] as const

/** The policy part of an offer or agreement, exactly as it stands there. */
export function termsOf(policy: JsonObject): JsonObject {
  return Object.fromEntries(TERMS.flatMap((key) => (policy[key] === undefined ? [] : [[key, policy[key]]])))
}

/** Hash of the offer as both sides can compute it: its terms, its id and its target. */
export const offerHash = (offer: JsonObject): string =>
  sha256Hex(canonicalize({ ...termsOf(offer), '@id': offer['@id'] ?? '', target: offer.target ?? '' }))

export const agreementHash = (agreement: JsonObject): string => sha256Hex(canonicalize(agreement))

/** The agreement text the provider proposes: the offered terms, unchanged, with parties and time. */
export function draftAgreement(m: {
  readonly id: string
  readonly offer: JsonObject
  readonly datasetId: string
  readonly assigner: ParticipantId
  readonly assignee: ParticipantId
  readonly at: EpochMs
}): JsonObject {
  return {
    '@id': m.id,
    '@type': 'Agreement',
    target: m.datasetId,
    assigner: m.assigner,
    assignee: m.assignee,
    timestamp: iso(m.at),
    ...termsOf(m.offer),
  }
}

/**
 * Parses terms and refuses everything that this connector does not understand, or cannot enforce and does not accept as a
 * promise in an offer up to that tier, naming each term.
 */
export function understood(policy: JsonObject, upTo: Tier = 1, peer?: Peer): Result<Policy> {
  const parsed = parsePolicy(policy)
  if (!parsed.ok) return parsed
  const accepted = accepting(parsed.value, upTo, peer)
  const unsupported = unsupportedTerms(accepted)
  if (unsupported.length === 0) return ok(accepted)
  const named = (lang: Lang): string =>
    unsupported
      .slice(0, 3)
      .map((t) => `${pathWords(t.path)[lang]}: ${t.why[lang]}`)
      .join(' ')
  const rest = unsupported.length - 3
  return problem('PolicyUnsupported', {
    en: `The policy has terms that cannot be kept here. ${named('en')}${rest > 0 ? ` (and ${rest} more)` : ''}`,
    de: `Die Bedingungen enthalten etwas, das hier nicht eingehalten werden kann. ${named('de')}${rest > 0 ? ` (und ${rest} weitere)` : ''}`,
  })
}

/**
 * Up to which tier the promises in an offer are accepted from a partner: all when the operator said so for this offer, duties
 * from a partner whose connector has proved that it carries them out. What goes beyond is not there for the partner.
 */
export function acceptedFrom(partner: Partner | undefined, offer: Pick<Offer, 'contractOnly'>): Tier {
  if (offer.contractOnly === true) return 3
  return peerOf(partner) === 'proven' ? 2 : 1
}

/** Who receives under an agreement. */
export function peerUnder({
  role,
  dutiesProven,
  notUnderstood,
}: Pick<Agreement, 'role' | 'dutiesProven' | 'notUnderstood'>): Peer {
  if (role === 'consumer') return notUnderstood === true ? 'answerable' : 'ourselves'
  return dutiesProven === true ? 'proven' : 'unproven'
}

/** Whether a person of ours approved exactly the offer on the table. */
export const isApproved = ({ approved, offer }: Pick<Negotiation, 'approved' | 'offer'>): boolean =>
  approved !== undefined && approved === offerHash(offer)

/** Consumer: our connector by itself, or with a person who answers for exactly the offer on the table. */
export const peerAsConsumer = (n: Pick<Negotiation, 'approved' | 'offer'>): Peer =>
  isApproved(n) ? 'answerable' : 'ourselves'

/** What the record says about promises: the tier of the terms, and who carries out or answers for which of them. */
export const promisedTo = (
  peer: Peer,
  terms: JsonObject,
): Pick<Agreement, 'tier' | 'dutiesProven' | 'notUnderstood'> => ({
  tier: tierWith(peer, terms),
  ...(peer === 'proven' && { dutiesProven: true }),
  ...(peer === 'answerable' && !understood(terms, 3, 'ourselves').ok && { notUnderstood: true }),
})

/** Refuses terms that are kept by contract only, unless the operator wants to offer them so. */
export function wantedByContract(
  policy: JsonObject,
  contractOnly: boolean | undefined,
  peer?: Peer,
): Result<void> {
  const parsed = parsePolicy(policy)
  if (!parsed.ok || contractOnly === true) return ok(undefined)
  const why = contractOnlyWords(parsed.value, peer)
  return why === undefined ? ok(undefined) : problem('ContractOnly', why)
}

/** Whether both ask the same promises of the recipient. */
export function samePromises(a: JsonObject, b: JsonObject): boolean {
  const [one, other] = [parsePolicy(a), parsePolicy(b)]
  return one.ok && other.ok && isDeepStrictEqual(promisedTerms(one.value), promisedTerms(other.value))
}

/** The tier of terms between us and a partner: to one that has not proved otherwise, duties are by contract. */
export function tierWith(peer: Peer, policy: JsonObject): Tier {
  const parsed = parsePolicy(policy)
  return parsed.ok ? tiersOf(parsed.value, peer).tier : 3
}

const RULES = ['permission', 'prohibition', 'obligation'] as const

/** Nothing is allowed and nothing forbidden. */
export const hasNoTerms = (policy: JsonObject): boolean =>
  RULES.every((key) => policy[key] === undefined || (Array.isArray(policy[key]) && policy[key].length === 0))

/** Consumer: this partner may give us contracts without any terms. */
export const takesWithoutTerms = (partner: Partner | undefined, policy: JsonObject): boolean =>
  partner?.takesEmptyPolicies === true && hasNoTerms(policy)

export const shapeMissing = (name: string): Text => ({
  en: `The terms are shaped by the document ${name}, and the partner did not hand it over.`,
  de: `Die Bedingungen verweisen auf das Aufbereitungsdokument ${name}, und der Partner hat es nicht übergeben.`,
})

/** Terms that name a document which is not here cannot be judged by anybody. */
export function missingShape(policy: Policy, shapes: ShapeLookup): Result<never> | undefined {
  const name = shapesNamed(policy).find((one) => shapes(one) === undefined)
  return name === undefined ? undefined : problem('PolicyUnsupported', shapeMissing(name))
}

/**
 * Whether the policy allows it now, in this phase, and on which confirmed facts that rests; the refusal is the sentence
 * people see.
 */
export function allows(
  policy: Policy,
  phase: Phase,
  facts: Facts,
): Result<{ readonly facts: readonly string[] }> {
  const decision = evaluate(policy, phase, facts)
  return decision.allowed ? ok({ facts: reliedOn(decision) }) : problem('PolicyDenied', refusalText(decision))
}

/** What is added where the comparison leaves no doubt. */
const CERTAIN: Partial<Readonly<Record<Relation, Text>>> = {
  stricter: {
    en: ' It is stricter: it allows less than that offer.',
    de: ' Sie ist strenger: Sie erlaubt weniger als dieses Angebot.',
  },
  looser: {
    en: ' It is looser: it allows more than that offer.',
    de: ' Sie ist weiter gefasst: Sie erlaubt mehr als dieses Angebot.',
  },
}

/** Compares an agreement with the offer that was meant. The first difference is named. */
export function sameAsOffered(
  agreement: JsonObject,
  m: {
    readonly offer: JsonObject
    readonly datasetId: string
    readonly assigner: ParticipantId
    readonly assignee: ParticipantId
  },
): Result<{ readonly id: string; readonly agreedAt: EpochMs }> {
  const named: readonly (readonly [string, string])[] = [
    ['target', m.datasetId],
    ['assigner', m.assigner],
    ['assignee', m.assignee],
  ]
  for (const [key, expected] of named) {
    if (agreement[key] !== expected) {
      const found = JSON.stringify(agreement[key] ?? null)
      return problem('AgreementDiffers', {
        en: `The agreement differs from the offer you asked for: ${key} is ${found}, expected was "${expected}".`,
        de: `Die Vereinbarung weicht von dem Angebot ab, das Sie angefragt haben: ${key} ist ${found}, erwartet war "${expected}".`,
      })
    }
  }
  const [difference] = differences(m.offer, agreement)
  if (difference !== undefined) {
    const { en, de } = differenceText(difference)
    const certain = CERTAIN[termsRelation(agreement, m.offer)]
    return problem('AgreementDiffers', { en: en + (certain?.en ?? ''), de: de + (certain?.de ?? '') })
  }
  const agreedAt = parseTimestamp(String(agreement.timestamp))
  if (agreedAt === undefined) {
    return problem('AgreementDiffers', {
      en: 'The agreement has no timestamp with date, time and offset, such as 2026-11-02T08:00:00Z, so its duration cannot be kept.',
      de: 'Die Vereinbarung hat keinen timestamp mit Datum, Uhrzeit und Zeitversatz, etwa 2026-11-02T08:00:00Z; ihre Dauer ließe sich deshalb nicht einhalten.',
    })
  }
  return ok({ id: String(agreement['@id']), agreedAt })
}

/** The plan the data plane enforces for an agreement. */
export function planOf(agreement: Agreement): Result<Plan> {
  const plain = readableForm(agreement)
  const policy = understood(plain, agreement.tier, peerUnder(agreement))
  if (!policy.ok) return policy
  const assignee = String(plain.assignee)
  const shapes = shapesByName(agreement.shapes)
  return compilePlan(policy.value, { agreedAt: agreement.agreedAt, assignee, shapes })
}
