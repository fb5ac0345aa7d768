/**
 * The operator's rules: what this connector does by itself, and where a person decides. Pure; a rule looks at the process
 * and its context, and nothing else.
 */

import { approvalOf } from '../domain/dataset.js'
import type { Negotiation } from '../domain/negotiation.js'
import { detailOf } from '../domain/process.js'
import type { Transfer } from '../domain/transfer.js'
import type { Automation, NegotiationContext, NegotiationMove, TransferMove } from './ports.js'

const PARTNER = { move: 'wait', for: 'partner' } as const

/**
 * What is published is agreed at once, unless manual approval is set for the offer or the partner; so is what certainly
 * allows no more, where that is enough for them. Anything else is agreed when a person approved exactly it, and what a
 * partner offers is accepted by a person only.
 */
export const operatorRules = (): Automation => ({ negotiation, transfer })

function negotiation(n: Negotiation, context: NegotiationContext): NegotiationMove {
  if (n.role === 'provider') {
    if (n.state === 'VERIFIED') return { move: 'finalize' }
    return n.state === 'REQUESTED' || n.state === 'ACCEPTED' ? agreeing(n, context) : PARTNER
  }
  if (n.state === 'OFFERED') return { move: 'wait', for: 'person', because: 'offer' }
  return n.state === 'AGREED' ? { move: 'verify' } : PARTNER
}

function agreeing(
  n: Negotiation,
  { approved, differs, atMostPublished, published, partner }: NegotiationContext,
): NegotiationMove {
  if (approved) return { move: 'agree' }
  const approval = approvalOf(published?.approval, partner.approval)
  const manual = approval === 'manual'
  if (approval === 'stricter-or-equal' && atMostPublished === true) return { move: 'agree' }
  // A first request for other terms is refused with the difference; in a conversation a person looks at it.
  if (differs !== undefined && (approval !== 'automatic' || (n.turn ?? 0) > 1)) {
    return { move: 'wait', for: 'person', because: 'terms', ...detailOf(differs.message, differs.messageDe) }
  }
  return manual ? { move: 'wait', for: 'person', because: 'approval' } : { move: 'agree' }
}

const transfer = (t: Transfer): TransferMove =>
  t.role === 'provider' && t.state === 'REQUESTED' ? { move: 'start' } : PARTNER
