/** What a story is made of: the wishes of operators, the accidents of machines, and the fate of each message. */
import fc from 'fast-check'
import type { Role } from '../../connector/core/types.js'

/** What the network does with one message; milliseconds. */
export type Fate = {
  readonly request: 'arrives' | 'lost' | 'refused'
  readonly answer: 'arrives' | 'lost'
  readonly out: number
  readonly back: number
  /** The same bytes arrive once more, so much later. */
  readonly again?: number
}

type At = { readonly wait: number; readonly side: Role }
/** Which of the things of a kind is meant: the newest is 0. */
type Which = { readonly which: number }

export type Deed = At &
  (
    | { readonly does: 'ask'; readonly offer: 'open' | 'limited' }
    | { readonly does: 'offer'; readonly count: number }
    | (Which & { readonly does: 'counter'; readonly count: number })
    | (Which & { readonly does: 'accept' | 'approve' | 'refuse' | 'end negotiation' | 'hurry negotiation' })
    | (Which & { readonly does: 'transfer' | 'revoke' })
    | (Which & {
        readonly does: 'suspend' | 'resume' | 'complete' | 'end transfer' | 'hurry transfer' | 'pull'
      })
    | { readonly does: 'restart'; readonly down: number }
    | { readonly does: 'lose power'; readonly writes: number; readonly kept: boolean; readonly down: number }
    | { readonly does: 'set clock'; readonly ahead: number }
    | { readonly does: 'block' }
  )

export type Story = {
  readonly deeds: readonly Deed[]
  readonly fates: Readonly<Record<Role, readonly Fate[]>>
}

const side = fc.constantFrom<Role>('consumer', 'provider')
/** Shorter and longer than first retries, a sender's patience, and an hour of absence. */
const wait = fc.constantFrom(0, 0, 0, 20, 20, 110, 1_000, 16_000, 120_000, 3_600_000)
const delay = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.constantFrom(10, 120, 1_000, 14_000, 20_000, 120_000) },
)
/** On the way to the receiver, often longer than the sender waits: then it comes as a late copy of what was sent again. */
const journey = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(10, 120, 1_000) },
  { weight: 3, arbitrary: fc.constantFrom(20_000, 40_000, 120_000) },
)
const which = fc.nat({ max: 3 })

const fate: fc.Arbitrary<Fate> = fc
  .record({
    request: fc.oneof(
      { weight: 6, arbitrary: fc.constant('arrives' as const) },
      { weight: 2, arbitrary: fc.constantFrom('lost' as const, 'refused' as const) },
    ),
    answer: fc.oneof(
      { weight: 3, arbitrary: fc.constant('arrives' as const) },
      { weight: 2, arbitrary: fc.constant('lost' as const) },
    ),
    out: journey,
    back: delay,
    again: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(0, 50, 5_000, 60_000) },
    ),
  })
  .map(({ again, ...rest }) => (again === undefined ? rest : { ...rest, again }))

const CONSUMER = fc.constant<Role>('consumer')
const PROVIDER = fc.constant<Role>('provider')
const count = fc.constantFrom(1000, 2000)
/** `more` must hold what the deed needs beside its time and its doer. */
const doing = (
  weight: number,
  by: fc.Arbitrary<Role>,
  does: Deed['does'] | readonly Deed['does'][],
  more: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): { readonly weight: number; readonly arbitrary: fc.Arbitrary<Deed> } => {
  const arbitrary: fc.Arbitrary<unknown> = fc.record({
    wait,
    side: by,
    does: fc.constantFrom(...[does].flat()),
    ...more,
  })
  return { weight, arbitrary: arbitrary as fc.Arbitrary<Deed> }
}

/** What machines and clocks do, and what people do by mistake, in every kind of story. */
const accidents = [
  doing(2, side, 'restart', { down: wait }),
  doing(4, side, 'lose power', { writes: fc.nat({ max: 5 }), kept: fc.boolean(), down: wait }),
  doing(1, side, 'block', {}),
  doing(1, side, 'set clock', {
    ahead: fc.constantFrom(-600_000, -45_000, -20_000, 20_000, 45_000, 600_000),
  }),
]
const conversation = [
  doing(3, CONSUMER, 'ask', { offer: fc.constantFrom('open', 'limited') }),
  doing(3, PROVIDER, 'offer', { count }),
  doing(6, side, 'counter', { which, count }),
  doing(4, CONSUMER, 'accept', { which }),
  doing(4, PROVIDER, 'approve', { which }),
  doing(4, side, 'end negotiation', { which }),
  doing(2, side, ['refuse', 'hurry negotiation'], { which }),
]
const flows = [
  doing(4, CONSUMER, 'transfer', { which }),
  doing(6, side, 'suspend', { which }),
  doing(8, side, 'resume', { which }),
  doing(4, side, ['complete', 'end transfer', 'hurry transfer'], { which }),
  doing(3, CONSUMER, 'pull', { which }),
  doing(2, side, 'revoke', { which }),
]

/** Within the time that a message may be late. */
const soon = fc.constantFrom(110, 1_000, 16_000)
const comingAndGoing = [
  doing(4, side, 'suspend', { which: fc.constant(0), wait: soon }),
  doing(5, side, 'resume', { which: fc.constant(0), wait: soon }),
]

const story = (
  opening: readonly fc.Arbitrary<Deed>[],
  goesOn: readonly ReturnType<typeof doing>[],
): fc.Arbitrary<readonly Deed[]> =>
  fc
    .tuple(fc.tuple(...opening), fc.array(fc.oneof({}, ...goesOn), { maxLength: 12, size: 'max' }))
    .map(([first, rest]) => [...first, ...rest])

const at = (deed: Deed): fc.Arbitrary<Deed> => fc.constant(deed)
const later = (deed: Deed): fc.Arbitrary<Deed> => wait.map((ms) => ({ ...deed, wait: ms }))
const ASK: Deed = { wait: 0, side: 'consumer', does: 'ask', offer: 'open' }
const LIMITED: Deed = { ...ASK, offer: 'limited' }
const OFFER: Deed = { wait: 0, side: 'provider', does: 'offer', count: 1000 }
const TRANSFER: Deed = { wait: 20, side: 'consumer', does: 'transfer', which: 0 }

const deeds = fc.oneof(
  story([fc.constantFrom(ASK, OFFER)], [...conversation, ...accidents]),
  story([fc.constantFrom(ASK, LIMITED), later(TRANSFER)], [...flows, ...accidents]),
  story([at(ASK), at(TRANSFER)], comingAndGoing),
  story([at(ASK)], [...conversation, ...flows, ...accidents]),
)

const fates = fc.array(fate, { maxLength: 10 })

export const stories: fc.Arbitrary<Story> = fc.record({
  deeds,
  fates: fc.record({ consumer: fates, provider: fates }),
})
