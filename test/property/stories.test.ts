/** Stories that once ended badly, each as short as it gets. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createStage, type Stage } from './stage.js'
import type { Deed, Fate } from './story.js'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage?.[Symbol.asyncDispose]())

type Fates = { readonly consumer?: readonly Partial<Fate>[]; readonly provider?: readonly Partial<Fate>[] }

const PROMPT: Fate = { request: 'arrives', answer: 'arrives', out: 0, back: 0 }
const ASK: Deed = { wait: 0, side: 'consumer', does: 'ask', offer: 'open' }

async function ends(deeds: readonly Deed[], fates: Fates): Promise<void> {
  const whole = (some: readonly Partial<Fate>[] = []) => some.map((fate) => ({ ...PROMPT, ...fate }))
  const story = { deeds, fates: { consumer: whole(fates.consumer), provider: whole(fates.provider) } }
  const { findings, told } = await stage.play(story)
  expect([...findings, ...(findings.length > 0 ? told : [])]).toEqual([])
}

it('lets a contract come about although the sender of a message is away while its identity is looked up', () =>
  ends([ASK, { wait: 1000, side: 'provider', does: 'restart', down: 0 }], {
    provider: [{ out: 1000, back: 10 }],
  }))

it('shows the end of a negotiation in the timelines of both sides, also when it was wanted before it began', () =>
  ends([ASK, { wait: 0, side: 'consumer', does: 'end negotiation', which: 0 }], {
    consumer: [{ answer: 'lost' }],
    provider: [{ out: 120 }],
  }))

it('shows the end that a refused message brings in the timelines of both sides', () =>
  ends(
    [
      ASK,
      { wait: 20, side: 'provider', does: 'end negotiation', which: 0 },
      { wait: 0, side: 'consumer', does: 'end negotiation', which: 0 },
    ],
    { consumer: [{}, { out: 14_000 }, { out: 120 }], provider: [{}, { out: 1000 }] },
  ))

const TRANSFER: Deed = { wait: 0, side: 'consumer', does: 'transfer', which: 0 }
const LATE = 20_000

it('does not start a transfer again by a late copy of its first start', () =>
  ends([ASK, { ...TRANSFER, wait: 1000 }, { wait: 16_000, side: 'provider', does: 'suspend', which: 0 }], {
    provider: [{}, {}, { out: LATE }],
  }))

it('does not suspend a transfer again by a late copy of a suspension in the same words', () =>
  ends(
    [
      ASK,
      { ...TRANSFER, wait: 1000 },
      { wait: 1000, side: 'consumer', does: 'suspend', which: 0 },
      { wait: 16_000, side: 'consumer', does: 'resume', which: 0 },
    ],
    { consumer: [{}, {}, {}, { out: LATE }] },
  ))

it('does not resume a transfer again by a late copy of a resumption in the same words', () =>
  ends(
    [
      ASK,
      { ...TRANSFER, wait: 1000 },
      { wait: 1000, side: 'consumer', does: 'suspend', which: 0 },
      { wait: 1000, side: 'consumer', does: 'resume', which: 0 },
      { wait: 16_000, side: 'consumer', does: 'suspend', which: 0 },
    ],
    { consumer: [{}, {}, {}, {}, { out: LATE }] },
  ))
