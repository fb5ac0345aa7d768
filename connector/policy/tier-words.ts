/** The tier of an offer in words, and which of its clauses make it so. */
import type { Text } from '../core/types.js'
import { explain } from './explain.js'
import type { Policy } from './model.js'
import { type Peer, type Promised, type Tier, tiersOf } from './tier.js'
import { text } from './words.js'

const TIERS: Readonly<Record<Tier, Text>> = {
  1: text(
    "All of it is enforced by the provider's connector.",
    'Alles wird vom Connector des Anbieters durchgesetzt.',
  ),
  2: text(
    "Beside what the provider's connector enforces, there are duties for the recipient's connector.",
    'Neben dem, was der Connector des Anbieters durchsetzt, gibt es Pflichten für den Connector des Empfängers.',
  ),
  3: text(
    'Some of it is agreed by contract only; nobody can enforce it technically.',
    'Manches ist nur vertraglich vereinbart; technisch kann es niemand durchsetzen.',
  ),
}

export const tierWords = (tier: Tier): Text => TIERS[tier]

/** The tier of an offer of ours, and who sees it for that. */
export function offerTierWords(tier: Tier, contractOnly: boolean): Text {
  const { en, de } = TIERS[tier]
  if (tier === 1) return TIERS[1]
  if (contractOnly) {
    return text(
      `${en} You chose to offer it to partners whose connector does not carry it out, too.`,
      `${de} Sie haben entschieden, es auch Partnern anzubieten, deren Connector es nicht umsetzt.`,
    )
  }
  return tier === 2
    ? text(
        `${en} Only partners whose connector has proved that it carries them out see this offer.`,
        `${de} Nur Partner, deren Connector nachgewiesen hat, dass er sie erfüllt, sehen dieses Angebot.`,
      )
    : TIERS[3]
}

/** A rule and its conditions are one promise. */
const isPart = (one: Promised, of: Promised): boolean => one !== of && one.path.startsWith(`${of.path}.`)

/** The clauses by which an offer belongs to a tier above the first, each as "Clause 3: ...". */
export function tierClauses(policy: Policy, peer?: Peer): readonly Text[] {
  const { tier, promises } = tiersOf(policy, peer)
  const texts = new Map(explain(policy, { peer }).map(({ number, text: words }) => [number, words]))
  return promises
    .filter(({ by }) => tier === 2 || by === 'contract' || peer === 'unproven')
    .filter((one) => !promises.some((other) => isPart(one, other)))
    .map(({ number }) => {
      const words = texts.get(number)
      return text(`Clause ${number}: ${words?.en ?? ''}`, `Klausel ${number}: ${words?.de ?? ''}`)
    })
}

/** Why an offer of the third tier is not made by itself, and how it is made; undefined for any other. */
export function contractOnlyWords(policy: Policy, peer?: Peer): Text | undefined {
  const { tier, promises, refused } = tiersOf(policy, peer)
  if (tier !== 3 || refused.length > 0) return undefined
  const clauses = tierClauses(policy, peer)
  const isDuty = promises.every(({ by }) => by === 'consumer')
  const [en, de] = [clauses.map((one) => one.en).join(' '), clauses.map((one) => one.de).join(' ')]
  const [because, weil] = isDuty
    ? [
        "because the partner's connector has not proved that it carries out such duties",
        'weil der Connector des Partners nicht nachgewiesen hat, dass er solche Pflichten erfüllt',
      ]
    : ['because no connector can enforce it', 'weil kein Connector es durchsetzen kann']
  return text(
    `Part of these terms would be agreed by contract only, ${because}. ${en} If you want to offer that, say so: --contract-only (in the API contractOnly: true).`,
    `Ein Teil dieser Bedingungen wäre nur vertraglich vereinbart, ${weil}. ${de} Wenn Sie das anbieten wollen, sagen Sie es: --contract-only (im API contractOnly: true).`,
  )
}
