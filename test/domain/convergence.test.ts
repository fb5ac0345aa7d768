/**
 * Whatever is lost, repeated or overtaken, and whatever both operators want at the same time: once everything owed has been
 * delivered or refused, both sides see the same state.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Role } from '../../connector/core/types.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Transfer } from '../../connector/domain/transfer.js'
import {
  type Act,
  createWorld,
  NEGOTIATING,
  NEGOTIATING_BY_HAND,
  type Protocol,
  TRANSFERRING,
} from './two-sides.js'

const role = fc.constantFrom<Role>('consumer', 'provider')

/** An operator's wish now and then; most of the time messages travel. */
const acts = (wishes: readonly string[]): fc.Arbitrary<Act[]> => {
  const moving = (act: 'send' | 'answer' | 'lose' | 'loseAnswer') =>
    fc.record({ do: fc.constant(act), side: role })
  const arriving = fc.record({
    do: fc.constant('arrive' as const),
    side: role,
    again: fc.boolean(),
    bad: fc.integer({ min: 0, max: 29 }).map((n) => n === 0),
  })
  const wishing = fc.record({
    do: fc.constant('wish' as const),
    side: role,
    event: fc.constantFrom(...wishes),
  })
  const act = fc.oneof(
    { weight: 6, arbitrary: moving('send') },
    { weight: 6, arbitrary: arriving },
    { weight: 4, arbitrary: moving('answer') },
    { weight: 1, arbitrary: moving('lose') },
    { weight: 1, arbitrary: moving('loseAnswer') },
    { weight: 2, arbitrary: wishing },
  )
  return fc.array(act, { minLength: 20, maxLength: 80 })
}

function converges<P extends Negotiation | Transfer>(protocol: Protocol<P>, script: readonly Act[]): void {
  const world = createWorld(protocol)
  for (const act of script) world.act(act)
  world.drain()
  const { consumer, provider } = world.sides
  if (provider.process === undefined) {
    // The request was refused: the provider knows nothing of it.
    expect(consumer.process?.state).toBe('TERMINATED')
    return
  }
  expect(consumer.process?.state).toBe(provider.process.state)
  expect([consumer.process?.pending, provider.process.pending]).toEqual([undefined, undefined])
}

const RUNS = { numRuns: 1500 }

it('both sides of a negotiation end in the same state', () => {
  fc.assert(
    fc.property(acts(['terminate', 'offer', 'accept', 'accept']), (script) => converges(NEGOTIATING, script)),
    RUNS,
  )
})

it('both sides of a negotiation with offers in between end in the same state', () => {
  fc.assert(
    fc.property(acts(['terminate', 'offer', 'offer', 'accept', 'agree']), (script) =>
      converges(NEGOTIATING_BY_HAND, script),
    ),
    RUNS,
  )
})

it('both sides of a transfer end in the same state', () => {
  fc.assert(
    fc.property(acts(['suspend', 'suspend', 'start', 'start', 'complete', 'terminate']), (script) =>
      converges(TRANSFERRING, script),
    ),
    RUNS,
  )
})

it('without operators and losses a negotiation is finalised and a transfer starts', () => {
  const negotiating = createWorld(NEGOTIATING)
  negotiating.drain()
  expect(negotiating.sides.consumer.process?.state).toBe('FINALIZED')
  const transferring = createWorld(TRANSFERRING)
  transferring.drain()
  expect(transferring.sides.provider.process?.state).toBe('STARTED')
})
