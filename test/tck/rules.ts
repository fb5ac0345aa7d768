/**
 * The rules of the operator of the connector under test: what the case that a process belongs to asks for, and nothing else.
 * They stand where the product's own rules stand, and are bound by the same checks.
 */
import type { JsonObject } from '../../connector/core/types.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Transfer } from '../../connector/domain/transfer.js'
import type { Automation, NegotiationMove, TransferMove } from '../../connector/services/ports.js'
import { CASES, type Move, type ScriptStep } from './cases.js'
import { TERMS } from './seed.js'

const SCRIPTS: ReadonlyMap<string, readonly ScriptStep[]> = new Map(
  CASES.map(({ key, script }) => [key, script]),
)

const PARTNER = { move: 'wait', for: 'partner' } as const

/**
 * Before each message. The kit takes a message for wrong, and never listens for it again, when it comes before the kit has
 * worked off the answer to its own one.
 */
const PAUSE = { afterMs: 250 } as const

const END = { code: 'scripted', reason: 'The case asks for it.' } as const

/** The move of the script in this visit of the state. */
function moveOf(key: string, { state, turn = 0 }: Negotiation | Transfer): Move | undefined {
  const steps = SCRIPTS.get(key) ?? []
  return steps.find((step) => step.state === state && (step.turn === undefined || step.turn === turn))?.move
}

const offerOf = (n: Negotiation): JsonObject => ({
  ...TERMS,
  '@id': String(n.offer['@id']),
  '@type': 'Offer',
  target: n.datasetId,
})

function negotiation(n: Negotiation): NegotiationMove {
  const move = moveOf(n.datasetId, n)
  switch (move) {
    case 'offer':
    case 'request':
      return { ...PAUSE, move, offer: offerOf(n) }
    case 'accept':
    case 'agree':
    case 'verify':
    case 'finalize':
      return { ...PAUSE, move }
    case 'terminate':
      return { ...PAUSE, move, ...END }
    case 'start':
    case 'suspend':
    case 'complete':
      throw new Error(`${move} is no move of a negotiation`)
    case undefined:
      return PARTNER
  }
}

function transfer(t: Transfer): TransferMove {
  const move = moveOf(t.agreementId, t)
  switch (move) {
    case 'start':
    case 'complete':
      return { ...PAUSE, move }
    case 'suspend':
    case 'terminate':
      return { ...PAUSE, move, ...END }
    case 'offer':
    case 'request':
    case 'accept':
    case 'agree':
    case 'verify':
    case 'finalize':
      throw new Error(`${move} is no move of a transfer`)
    case undefined:
      return PARTNER
  }
}

export const scriptedRules: Automation = { negotiation, transfer }
