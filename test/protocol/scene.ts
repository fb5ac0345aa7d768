/** One connector of ours and scripted partners that it knows: where most of the conversations here begin. */
import { expect } from 'vitest'
import { type Dataspace, type Member, startDataspace } from '../support/dataspace.js'
import { asConsumer, asProvider, offering } from './parties.js'
import { introduce, type Peer, startPeer } from './peer.js'
import { publishTank, type Terms } from './tank.js'

export type Scene = AsyncDisposable & {
  readonly space: Dataspace
  readonly member: Member
  /** Trusted, and offers a pump. */
  readonly peer: Peer
  /** Trusted as well; has nothing to do with what `peer` does. */
  readonly rival: Peer
  /** The peer as consumer of the member's tank. */
  readonly consumer: ReturnType<typeof asConsumer>
  /** The peer as provider of a pump to the member. */
  readonly provider: ReturnType<typeof asProvider>
}

/** Publishes the tank with the given offers. Disposing fails the test when a message to a partner broke the protocol. */
export async function openScene(
  offers?: Readonly<Record<string, Terms>>,
  script: Parameters<Peer['script']>[0] = offering(),
): Promise<Scene> {
  const space = await startDataspace([{ name: 'member' }])
  const [member] = space.members
  if (member === undefined) throw new Error('no member')
  await publishTank(member, space.folder, offers)
  const peer = await startPeer(space)
  const rival = await startPeer(space)
  peer.script(script)
  await introduce(member, peer)
  await introduce(member, rival)
  return {
    space,
    member,
    peer,
    rival,
    consumer: asConsumer(peer, member),
    provider: asProvider(peer, member),
    async [Symbol.asyncDispose]() {
      for (const one of [peer, rival]) await one[Symbol.asyncDispose]()
      await space[Symbol.asyncDispose]()
      expect([...peer.violations, ...rival.violations]).toEqual([])
    },
  }
}
