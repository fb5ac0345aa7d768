/** Does what a story says: operators through their management API, accidents to whole machines. */
import type { JsonObject, Role } from '../../connector/core/types.js'
import { DID, type Member, type OperatorAnswer } from './member.js'
import { pull } from './pull.js'
import type { Deed, Story } from './story.js'
import type { World } from './world.js'

/** How long clocks stay wrong after the last deed: longer than any message waits for its next attempt. */
const CLOCKS_WRONG_FOR = 3_600_000

/** Puts the deeds into the world's time. */
export function schedule(world: World, story: Story): void {
  let moment = 0
  for (const deed of story.deeds) {
    moment += deed.wait
    world.at(moment, () => perform(world, deed))
  }
  if (!story.deeds.some((deed) => deed.does === 'set clock')) return
  world.at(moment + CLOCKS_WRONG_FOR, () => {
    world.tell('all clocks are set right')
    for (const member of Object.values(world.members)) member.skewMs = 0
  })
}

async function perform(world: World, deed: Deed): Promise<void> {
  const member = world.members[deed.side]
  if (member.life() === undefined) return
  const { tell } = world
  const wish = deed.does === 'approve' ? await approval(member, deed.which) : operatorWish(member, deed)
  if (wish !== undefined) {
    const answer = await member.operate('POST', wish.path, wish.body)
    return tell(`${deed.side} ${wish.words}${outcomeOf(answer)}`)
  }
  switch (deed.does) {
    case 'pull':
      return pull(world, chosen(member, 'transfer', deed.which)?.pid)
    case 'restart':
      tell(`${deed.side} is stopped for ${deed.down / 1000} s`)
      await member.stop()
      return void world.at(world.now() + deed.down, async () => {
        await member.start()
        tell(`${deed.side} is back`)
      })
    case 'lose power': {
      const when = deed.kept ? 'after' : 'before'
      tell(`${deed.side} will lose power at write ${deed.writes + 1} from here, ${when} it is on the disk`)
      member.downMs = deed.down
      return member.arm({ writes: deed.writes, kept: deed.kept })
    }
    case 'block':
      return block(world, deed.side)
    case 'set clock':
      tell(`${deed.side}'s clock goes wrong by ${deed.ahead / 1000} s`)
      member.skewMs = deed.ahead
  }
}

/** Well below the hour for which a partner that does not know us is tried. */
const BLOCKED_FOR = 1_200_000
const AGAIN = 60_000

/** A partner is blocked by mistake, and trusted again as soon as that can be. */
async function block(world: World, side: Role): Promise<void> {
  const member = world.members[side]
  const partner = side === 'consumer' ? 'provider' : 'consumer'
  const path = `/partners/${encodeURIComponent(DID[partner])}`
  const answer = await member.operate('POST', `${path}/block`)
  world.tell(`${side} blocks the ${partner}${outcomeOf(answer)}`)
  const trust = async (): Promise<void> => {
    const trusted = await member.operate('POST', `${path}/trust`)
    if (trusted?.status === 200) return world.tell(`${side} trusts the ${partner} again`)
    world.at(world.now() + AGAIN, trust)
  }
  world.at(world.now() + BLOCKED_FOR, trust)
}

/** A person reads the terms, and approves them. */
async function approval(member: Member, which: number): Promise<Wish | undefined> {
  const wish = about(member, 'negotiation', which, 'approve', 'approves')
  const read = wish && (await member.operate('GET', wish.path.replace(/\/approve$/, '')))
  return wish && read && { ...wish, body: { offerHash: read.body.offerHash } }
}

type Wish = { readonly words: string; readonly path: string; readonly body?: object }

/** What the operator asks of the management API; undefined when there is nothing to ask it about, or it is no wish. */
function operatorWish(member: Member, deed: Deed): Wish | undefined {
  const { side } = deed
  switch (deed.does) {
    case 'ask':
      return {
        words: `asks for a contract on "${deed.offer}"`,
        path: '/negotiations',
        body: { partner: DID.provider, dataset: 'readings', offer: deed.offer },
      }
    case 'offer':
      return {
        words: `offers a contract on ${deed.count} records`,
        path: '/negotiations/offers',
        body: { partner: DID.consumer, dataset: 'readings', terms: { count: deed.count } },
      }
    case 'counter': {
      const what = { terms: { count: deed.count } }
      return about(
        member,
        'negotiation',
        deed.which,
        'counter',
        `wants ${deed.count} records instead in`,
        what,
      )
    }
    case 'accept':
      return about(member, 'negotiation', deed.which, 'accept', 'accepts')
    case 'refuse':
      return about(member, 'negotiation', deed.which, 'refuse', 'refuses', { reason: `${side} refuses` })
    case 'end negotiation':
      return about(member, 'negotiation', deed.which, 'terminate', 'ends', {
        reason: `${side} wants no more`,
      })
    case 'hurry negotiation':
      return about(member, 'negotiation', deed.which, 'retry', 'hurries')
    case 'suspend':
    case 'resume':
    case 'complete':
      return about(member, 'transfer', deed.which, deed.does, `${deed.does}s`)
    case 'end transfer':
      return about(member, 'transfer', deed.which, 'terminate', 'ends', { reason: `${side} wants no more` })
    case 'hurry transfer':
      return about(member, 'transfer', deed.which, 'retry', 'hurries')
    case 'transfer': {
      const contract = contractOf(member, deed.which)
      if (contract === undefined) return undefined
      return { words: `asks for the data of ${contract}`, path: '/transfers', body: { contract } }
    }
    case 'revoke': {
      const contract = contractOf(member, deed.which)
      if (contract === undefined) return undefined
      const path = `/contracts/${encodeURIComponent(contract)}/revoke`
      return { words: `revokes ${contract}`, path, body: { reason: `${side} is not content` } }
    }
    default:
      return undefined
  }
}

const outcomeOf = (answer: OperatorAnswer | undefined): string => {
  if (answer === undefined) return ' and gets no answer'
  if (answer.status < 300) return ''
  return `, in vain: ${String((answer.body as JsonObject).message ?? answer.status)}`
}

const FINAL = new Set(['FINALIZED', 'TERMINATED', 'COMPLETED'])

/** Open ones come first: there is little to do with the others. */
function chosen(member: Member, kind: 'negotiation' | 'transfer', which: number) {
  const all = member.life()?.connector.store.list(kind) ?? []
  const open = all.filter((p) => !FINAL.has(p.state))
  const some = open.length > 0 ? open : all
  return some[which % Math.max(1, some.length)]
}

function about(
  member: Member,
  kind: 'negotiation' | 'transfer',
  which: number,
  action: string,
  words: string,
  body?: object,
): Wish | undefined {
  const pid = chosen(member, kind, which)?.pid
  if (pid === undefined) return undefined
  const path = `/${kind}s/${encodeURIComponent(pid)}/${action}`
  return { words: `${words} ${kind} ${pid}`, path, ...(body === undefined ? {} : { body }) }
}

function contractOf(member: Member, which: number): string | undefined {
  const contracts = (member.life()?.connector.store.agreements() ?? []).filter((a) => a.status === 'active')
  return contracts[which % Math.max(1, contracts.length)]?.id
}
