/**
 * Consumer: what this connector does not understand in an offer, and how a person accepts it as a promise of ours. The
 * acceptance names exactly the terms that were read, and reaches no further.
 */
import type { Result } from '../core/result.js'
import { ok, problem, textOf } from '../core/result.js'
import { shellWord } from '../core/shell-word.js'
import type { JsonObject, Lang, Pid, Text } from '../core/types.js'
import type { Partner } from '../domain/partner.js'
import type { Facts } from '../policy/evaluate.js'
import type { UnknownTerm } from '../policy/model.js'
import { parsePolicy } from '../policy/parse.js'
import { pathWords } from '../policy/path-words.js'
import type { ShapeLookup } from '../policy/shape.js'
import { notUnderstoodIn } from '../policy/tier.js'
import { quoted } from '../policy/words.js'
import {
  allows,
  hasNoTerms,
  missingShape,
  offerHash,
  peerAsConsumer,
  takesWithoutTerms,
  understood,
} from './contract.js'

/** Enough of the hash of the terms to name them. */
const SHORT_HASH = 12
const MAX_NAMED = 20

/** Where the offer stands: in a negotiation of ours, or in the catalog of a partner. */
export type Standing = {
  readonly partner: string
  readonly pid?: Pid
  /** Hash of the offer that a person approved with all that is not understood. */
  readonly approved?: string
}

/** The terms that a person may answer for; none when all is understood, or when that would not be enough. */
export function answerableTerms(offer: JsonObject): readonly UnknownTerm[] {
  const parsed = parsePolicy(offer)
  if (!parsed.ok || understood(offer, 3, 'ourselves').ok || !understood(offer, 3, 'answerable').ok) return []
  return notUnderstoodIn(parsed.value)
}

/** Every term is understood, or a person answers for exactly these terms; the refusal says how a person does that. */
export function acceptedByUs(
  offer: JsonObject,
  { approved, ...where }: Standing,
): ReturnType<typeof understood> {
  const policy = understood(offer, 3, peerAsConsumer({ offer, ...(approved !== undefined && { approved }) }))
  const terms = policy.ok ? [] : answerableTerms(offer)
  return terms.length === 0 ? policy : problem('PolicyUnsupported', howToAccept(offer, terms, where))
}

/** Consumer: every term can be kept here or be promised by us, and allows us to agree now. */
export function mayHold(
  partner: Partner,
  offer: JsonObject,
  facts: Facts,
  shapes: ShapeLookup,
  /** Where a person can accept what is not understood; absent for terms of our own. */
  standing?: Omit<Standing, 'partner'>,
): Result<void> {
  if (takesWithoutTerms(partner, offer)) return ok(undefined)
  const policy =
    standing === undefined
      ? understood(offer, 3, 'ourselves')
      : acceptedByUs(offer, { ...standing, partner: partner.did })
  if (policy.ok) {
    const missing = missingShape(policy.value, shapes)
    if (missing !== undefined) return missing
    const allowed = allows(policy.value, 'negotiation', { ...facts, asRecipient: true })
    return allowed.ok ? ok(undefined) : allowed
  }
  const said = textOf(policy.error)
  return hasNoTerms(offer)
    ? problem(policy.error.code, {
        en: `${said.en} To take contracts without terms from this partner: handschlag partner set ${partner.did} --empty-policies accept`,
        de: `${said.de} Um Verträge ohne Bedingungen von diesem Partner anzunehmen: handschlag partner set ${partner.did} --empty-policies accept`,
      })
    : policy
}

function howToAccept(
  offer: JsonObject,
  terms: readonly UnknownTerm[],
  { partner, pid }: Pick<Standing, 'partner' | 'pid'>,
): Text {
  const subject =
    pid === undefined
      ? `negotiate ${shellWord(partner)} ${shellWord(String(offer.target))}`
      : `negotiation accept ${shellWord(pid)}`
  const command = `handschlag ${subject} ${offerHash(offer).slice(0, SHORT_HASH)} --accept-not-understood`
  const { en, de } = namedTerms(terms)
  return {
    en: `The policy has terms that cannot be kept here, because this connector does not understand them: ${en}. You can accept them as promises of yours, by contract only: no connector checks them, and you answer for keeping them. To accept exactly these terms: ${command} (in the API offerHash with acceptNotUnderstood: true).`,
    de: `Die Bedingungen enthalten etwas, das hier nicht eingehalten werden kann, weil dieser Connector es nicht versteht: ${de}. Sie können es als Ihr Versprechen annehmen, nur vertraglich: Kein Connector prüft es, und Sie stehen dafür ein, dass es eingehalten wird. Um genau diese Bedingungen anzunehmen: ${command} (im API offerHash mit acceptNotUnderstood: true).`,
  }
}

/** "permission 1, condition 2 [https://example.com/ns#humidity]" */
function namedTerms(terms: readonly UnknownTerm[]): Text {
  const named = (lang: Lang): string =>
    terms
      .slice(0, MAX_NAMED)
      .map(({ path, term }) => `${pathWords(path)[lang]} [${quoted(term).en.slice(1, -1)}]`)
      .join('; ')
  const rest = terms.length - MAX_NAMED
  return {
    en: `${named('en')}${rest > 0 ? ` (and ${rest} more)` : ''}`,
    de: `${named('de')}${rest > 0 ? ` (und ${rest} weitere)` : ''}`,
  }
}

/** What a person is told about an offer that waits; undefined when all of it is understood, or it can never be accepted. */
export function notUnderstoodWords(offer: JsonObject): Text | undefined {
  const terms = answerableTerms(offer)
  if (terms.length === 0) return undefined
  const { en, de } = namedTerms(terms)
  return {
    en: `This connector does not understand all of it: ${en}.`,
    de: `Dieser Connector versteht nicht alles darin: ${de}.`,
  }
}

/** The one offer whose terms a person has read; a part of the hash names it. */
export function offerRead(offers: readonly JsonObject[], read: string): Result<JsonObject> {
  const [offer] = offers.filter((one) => offerHash(one).startsWith(read))
  return offer === undefined
    ? problem('Conflict', {
        en: 'The partner has no offer with the terms that you have read. Look at the catalog again.',
        de: 'Der Partner hat kein Angebot mit den Bedingungen, die Sie gelesen haben. Sehen Sie den Katalog noch einmal an.',
      })
    : ok(offer)
}
