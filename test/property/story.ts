/** What a story is made of: the wishes of operators, the accidents of machines, and the fate of each message. */
import fc from 'fast-check'
import type { JsonObject, Role } from '../../connector/core/types.js'
import { DID, type Member, type OperatorAnswer } from './member.js'
import type { World } from './world.js'

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

export type Deed = At &
  (
    | { readonly does: 'ask' }
    | { readonly does: 'end negotiation'; readonly which: number }
    | { readonly does: 'hurry'; readonly which: number }
    | { readonly does: 'restart'; readonly down: number }
    | { readonly does: 'lose power'; readonly writes: number; readonly kept: boolean; readonly down: number }
  )

export type Story = {
  readonly deeds: readonly Deed[]
  readonly fates: Readonly<Record<Role, readonly Fate[]>>
}

const side = fc.constantFrom<Role>('consumer', 'provider')
/** Shorter and longer than first retries, a sender's patience, and an hour of absence. */
const wait = fc.constantFrom(0, 0, 0, 20, 110, 1_000, 16_000, 120_000, 3_600_000)
const delay = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.constantFrom(10, 120, 1_000, 14_000, 20_000, 120_000) },
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
    out: delay,
    back: delay,
    again: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(0, 50, 5_000, 60_000) },
    ),
  })
  .map(({ again, ...rest }) => (again === undefined ? rest : { ...rest, again }))

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ wait, side: fc.constant<Role>('consumer'), does: fc.constant('ask' as const) }),
  },
  { weight: 2, arbitrary: fc.record({ wait, side, does: fc.constant('end negotiation' as const), which }) },
  { weight: 1, arbitrary: fc.record({ wait, side, does: fc.constant('hurry' as const), which }) },
  { weight: 2, arbitrary: fc.record({ wait, side, does: fc.constant('restart' as const), down: wait }) },
  {
    weight: 3,
    arbitrary: fc.record({
      wait,
      side,
      does: fc.constant('lose power' as const),
      writes: fc.nat({ max: 5 }),
      kept: fc.boolean(),
      down: wait,
    }),
  },
)

const fates = fc.array(fate, { maxLength: 10 })

export const stories: fc.Arbitrary<Story> = fc.record({
  // A story without a contract would be none.
  deeds: fc
    .array(deed, { maxLength: 10 })
    .map((deeds): readonly Deed[] => [{ wait: 0, side: 'consumer', does: 'ask' }, ...deeds]),
  fates: fc.record({ consumer: fates, provider: fates }),
})

/** Puts the deeds into the world's time. */
export function schedule(world: World, story: Story): void {
  let moment = 0
  for (const deed of story.deeds) {
    moment += deed.wait
    world.at(moment, () => perform(world, deed))
  }
}

async function perform(world: World, deed: Deed): Promise<void> {
  const member = world.members[deed.side]
  if (member.life() === undefined) return
  const wished = async (
    words: string,
    wish: Promise<OperatorAnswer | undefined> | undefined,
  ): Promise<void> => {
    if (wish === undefined) return
    const answer = await wish
    world.tell(`${deed.side} ${words}${outcomeOf(answer)}`)
  }
  switch (deed.does) {
    case 'ask':
      return wished(
        'asks for a contract',
        member.operate('POST', '/negotiations', {
          partner: DID.provider,
          dataset: 'readings',
          offer: 'open',
        }),
      )
    case 'end negotiation':
      return wished(
        'ends a negotiation',
        onOne(member, 'negotiation', deed.which, (path) =>
          member.operate('POST', `${path}/terminate`, { reason: `${deed.side} wants no more` }),
        ),
      )
    case 'hurry':
      return wished(
        'hurries a negotiation',
        onOne(member, 'negotiation', deed.which, (path) => member.operate('POST', `${path}/retry`)),
      )
    case 'restart':
      world.tell(`${deed.side} is stopped for ${deed.down / 1000} s`)
      await member.stop()
      world.at(world.now() + deed.down, async () => {
        await member.start()
        world.tell(`${deed.side} is back`)
      })
      return
    case 'lose power':
      world.tell(
        `${deed.side} will lose power at write ${deed.writes + 1} from here, ${deed.kept ? 'after' : 'before'} it is on the disk`,
      )
      member.downMs = deed.down
      member.arm({ writes: deed.writes, kept: deed.kept })
  }
}

const outcomeOf = (answer: OperatorAnswer | undefined): string => {
  if (answer === undefined) return ' and gets no answer'
  if (answer.status < 300) return ''
  return `, in vain: ${String((answer.body as JsonObject).message ?? answer.status)}`
}

function onOne(
  member: Member,
  kind: 'negotiation' | 'transfer',
  which: number,
  act: (path: string) => Promise<OperatorAnswer | undefined>,
): Promise<OperatorAnswer | undefined> | undefined {
  const all = member.life()?.connector.store.list(kind) ?? []
  const chosen = all.at(-1 - (which % Math.max(1, all.length)))
  return chosen === undefined ? undefined : act(`/${kind}s/${encodeURIComponent(chosen.pid)}`)
}
