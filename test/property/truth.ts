/**
 * What must be true of two connectors, written down from the specification and from what operators are promised; nothing
 * here asks the connectors' own rules. Collects findings in words.
 */
import type { JsonObject, Role } from '../../connector/core/types.js'
import { QUOTA, read, receivedUnder } from './pull.js'
import type { Answered, World } from './world.js'

type Kind = 'negotiation' | 'transfer'

/** DSP 2025-1, "Contract Negotiation Protocol" and "Transfer Process Protocol", state diagrams: what may come next. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  'negotiation NEW': ['REQUESTED', 'OFFERED', 'TERMINATED'],
  'negotiation REQUESTED': ['OFFERED', 'AGREED', 'TERMINATED'],
  'negotiation OFFERED': ['REQUESTED', 'ACCEPTED', 'TERMINATED'],
  'negotiation ACCEPTED': ['AGREED', 'TERMINATED'],
  'negotiation AGREED': ['VERIFIED', 'TERMINATED'],
  'negotiation VERIFIED': ['FINALIZED', 'TERMINATED'],
  'negotiation FINALIZED': [],
  'negotiation TERMINATED': [],
  'transfer NEW': ['REQUESTED', 'TERMINATED'],
  'transfer REQUESTED': ['STARTED', 'TERMINATED'],
  'transfer STARTED': ['SUSPENDED', 'COMPLETED', 'TERMINATED'],
  'transfer SUSPENDED': ['STARTED', 'TERMINATED'],
  'transfer COMPLETED': [],
  'transfer TERMINATED': [],
}

/** What the receiver has promised with a 2xx answer: it is in this state or in one that may come later. */
const PROMISED: Readonly<Record<string, string>> = {
  'negotiation ContractRequestMessage': 'REQUESTED',
  'negotiation ContractOfferMessage': 'OFFERED',
  'negotiation ContractAgreementMessage': 'AGREED',
  'negotiation ContractAgreementVerificationMessage': 'VERIFIED',
  'negotiation ACCEPTED': 'ACCEPTED',
  'negotiation FINALIZED': 'FINALIZED',
  'negotiation ContractNegotiationTerminationMessage': 'TERMINATED',
  'transfer TransferRequestMessage': 'REQUESTED',
  'transfer TransferStartMessage': 'STARTED',
  'transfer TransferSuspensionMessage': 'SUSPENDED',
  'transfer TransferCompletionMessage': 'COMPLETED',
  'transfer TransferTerminationMessage': 'TERMINATED',
}

/** States in which two sides may rest when nobody wishes anything: ends, running transfers, and those where a person decides. */
const RESTING: Readonly<Record<Kind, ReadonlySet<string>>> = {
  negotiation: new Set(['REQUESTED', 'OFFERED', 'FINALIZED', 'TERMINATED']),
  transfer: new Set(['STARTED', 'SUSPENDED', 'COMPLETED', 'TERMINATED']),
}
/** Who decides then. */
const DECIDES: Readonly<Record<string, Role>> = { REQUESTED: 'provider', OFFERED: 'consumer' }
const FINAL = new Set(['FINALIZED', 'TERMINATED', 'COMPLETED'])

function leadsTo(kind: Kind, from: string, to: string): boolean {
  const seen = new Set([from])
  for (const state of seen) for (const next of NEXT[`${kind} ${state}`] ?? []) seen.add(next)
  return seen.has(to)
}

const SIDES = ['consumer', 'provider'] as const
const KINDS = ['negotiation', 'transfer'] as const
const other = (role: Role): Role => (role === 'consumer' ? 'provider' : 'consumer')

export type Witness = {
  /** After the end of the story. */
  verdict(): Promise<readonly string[]>
}

/** Watches a world while its story runs. */
export function watch(world: World): Witness {
  const findings: string[] = []
  const find = (what: string): void => {
    if (findings.includes(what)) return
    findings.push(what)
    world.tell(`!! ${what}`)
  }
  /** Last seen state, and what was promised, by side, kind and pid. */
  const seen = new Map<string, string>()
  const promises = new Map<string, { readonly by: string; readonly state: string }[]>()

  world.onAnswer.push((m: Answered) => {
    if (m.status >= 300) return
    const kind: Kind = m.path.includes('/transfers/') ? 'transfer' : 'negotiation'
    const type = String(m.message.eventType ?? m.message['@type'])
    const state = PROMISED[`${kind} ${type}`]
    if (state === undefined) return find(`a message of the type ${type} was accepted`)
    const pid = String(m.message[`${m.to}Pid`])
    const theirs = String(m.message[`${other(m.to)}Pid`])
    // An opening message names the sender's process alone.
    const key =
      m.message[`${m.to}Pid`] === undefined ? `${m.to} ${kind} of ${theirs}` : `${m.to} ${kind} ${pid}`
    promises.set(key, [...(promises.get(key) ?? []), { by: type, state }])
  })

  world.onRest.push(() => {
    for (const role of SIDES) {
      const store = world.members[role].life()?.connector.store
      if (store === undefined) continue
      for (const kind of KINDS) {
        for (const p of store.list(kind)) {
          const key = `${role} ${kind} ${p.pid}`
          const before = seen.get(key)
          if (before !== undefined && before !== p.state) {
            if (!leadsTo(kind, before, p.state)) find(`${key} went from ${before} to ${p.state}`)
          }
          seen.set(key, p.state)
          const promised = [
            ...(promises.get(key) ?? []),
            ...(promises.get(`${role} ${kind} of ${p.partnerPid}`) ?? []),
          ]
          for (const { by, state } of promised) {
            if (!leadsTo(kind, state, p.state))
              find(`${key} accepted ${by} and is ${p.state}, as if it had never come`)
          }
        }
      }
      for (const key of seen.keys()) {
        const [side, kind, pid] = key.split(' ')
        if (side !== role || pid === undefined) continue
        const present = store.find({ kind: kind as Kind, pid: pid as never })
        if (present === undefined) find(`${key} is gone`)
      }
    }
  })

  const show = async (role: Role, path: string): Promise<JsonObject> => {
    const answer = await world.members[role].operate('GET', path)
    if (answer?.status !== 200) throw new Error(`${role} ${path}: ${JSON.stringify(answer)}`)
    return answer.body
  }

  return {
    async verdict() {
      for (const role of SIDES) {
        const status = await show(role, '/status')
        const { count } = status.owed as { readonly count: number }
        if (count > 0) find(`${role} still owes ${count} messages`)
        for (const complaint of world.members[role].complaints) find(complaint)
      }
      for (const kind of KINDS) await compare(kind)
      await contracts()
      return findings
    },
  }

  async function compare(kind: Kind): Promise<void> {
    const views = { consumer: await all('consumer', kind), provider: await all('provider', kind) }
    for (const mine of views.consumer) {
      const opened = views.provider.find((p) => p.pid === mine.partnerPid)
      const twins = views.provider.filter((p) => p.partnerPid === mine.pid || p === opened)
      const name = `${kind} ${mine.pid}`
      if (twins.length > 1) find(`the provider has ${twins.length} processes for ${name}`)
      const [theirs] = twins
      if (theirs === undefined) {
        if (mine.state !== 'TERMINATED' || mine.reason === undefined)
          find(`${name} is ${mine.state} and unknown to the provider`)
        continue
      }
      if (mine.partnerPid !== undefined && mine.partnerPid !== theirs.pid)
        find(`${name} is bound to ${mine.partnerPid} instead of ${theirs.pid}`)
      if (mine.state !== theirs.state)
        find(`${name} is ${mine.state} for the consumer and ${theirs.state} for the provider`)
      for (const [role, view] of [
        ['consumer', mine],
        ['provider', theirs],
      ] as const) {
        if (!RESTING[kind].has(view.state)) find(`${name} came to rest as ${view.state} at the ${role}`)
        if (view.pending !== undefined)
          find(`${name} still waits for the answer to "${view.pending}" at the ${role}`)
        if (view.state === 'TERMINATED' && (view.reason ?? '') === '')
          find(`${name} was terminated without a reason for the ${role}`)
        const decides = DECIDES[view.state]
        if (decides !== undefined && (view.waitingFor === 'person') !== (decides === role))
          find(`${name} is ${view.state} and waits for ${view.waitingFor} at the ${role}`)
        if (FINAL.has(view.state) && view.endedBy === undefined)
          find(`${name} was ended by nobody for the ${role}`)
      }
      if (kind === 'transfer') await flow(name, mine, theirs)
      timelines(name, mine.timeline, theirs.timeline)
      timelines(name, theirs.timeline, mine.timeline)
    }
    for (const theirs of views.provider) {
      if (views.consumer.some((p) => p.pid === theirs.partnerPid || p.partnerPid === theirs.pid)) continue
      // What the provider wanted to open and the consumer never took in.
      if (theirs.partnerPid === undefined && theirs.state === 'TERMINATED' && theirs.reason !== undefined)
        continue
      find(`${kind} ${theirs.pid} of the provider is ${theirs.state} and nobody's`)
    }
  }

  /** Data comes while both say so and the contract is in force, and never otherwise. */
  async function flow(name: string, mine: View, theirs: View): Promise<void> {
    const statuses = SIDES.map((role) => contractOf(role, mine.contract)?.status)
    if (statuses.includes('revoked') && !(FINAL.has(mine.state) && FINAL.has(theirs.state)))
      find(`${name} is ${mine.state} although its contract was revoked`)
    const answer = await read(world, mine.pid)
    const booked = world.members.provider.life()?.connector.store.booked(mine.contract ?? '') ?? 0
    const limited = contractOf('provider', mine.contract)?.offer['@id'] === 'limited' && booked >= QUOTA
    if (mine.state === 'STARTED' && theirs.state === 'STARTED' && answer?.status !== 200 && !limited)
      find(`${name} is STARTED on both sides, and its data cannot be read: ${answer?.status}`)
    if (mine.state !== 'STARTED' && answer?.status === 200)
      find(`${name} is ${mine.state}, and its data can be read`)
  }

  function contractOf(role: Role, id: string | undefined) {
    return world.members[role].life()?.connector.store.agreement(id ?? '')
  }

  /** Each message that was decided is shown once where it was sent, and not more often where it arrived. */
  function timelines(name: string, sender: Timeline, receiver: Timeline): void {
    const count = (timeline: Timeline, message: string, result: string): number =>
      timeline.filter((entry) => entry.message === message && entry.result === result).length
    for (const message of new Set([...sender, ...receiver].flatMap((entry) => entry.message ?? []))) {
      const sent = count(sender, message, 'sent')
      const received = count(receiver, message, 'received')
      const acknowledged = count(sender, message, 'acknowledged')
      if (received > sent) find(`${name}: "${message}" was sent ${sent} times and applied ${received} times`)
      if (acknowledged > sent)
        find(`${name}: "${message}" was sent ${sent} times and acknowledged ${acknowledged} times`)
      if (acknowledged > received)
        find(`${name}: "${message}" was acknowledged ${acknowledged} times and applied ${received} times`)
    }
  }

  async function all(role: Role, kind: Kind): Promise<readonly View[]> {
    const { [`${kind}s`]: list } = await show(role, `/${kind}s`)
    const views: View[] = []
    for (const { pid } of list as unknown as readonly View[]) {
      views.push((await show(role, `/${kind}s/${encodeURIComponent(pid)}`)) as unknown as View)
    }
    return views
  }

  async function contracts(): Promise<void> {
    const texts = new Map<string, string>()
    for (const role of SIDES) {
      const { contracts: list } = await show(role, '/contracts')
      const byNegotiation = new Map<string, string>()
      for (const c of list as unknown as readonly Contract[]) {
        const name = `contract ${c.id} at the ${role}`
        if (byNegotiation.has(c.negotiation)) find(`${name} is the second one of its negotiation`)
        byNegotiation.set(c.negotiation, c.id)
        const state = seen.get(`${role} negotiation ${c.negotiation}`)
        if ((state === 'FINALIZED') !== (c.status !== 'pending'))
          find(`${name} is ${c.status} and its negotiation ${state}`)
        if (state !== 'FINALIZED') continue
        const booked = world.members.provider.life()?.connector.store.booked(c.id) ?? 0
        const got = receivedUnder(world, c.id)
        const limit = contractOf('provider', c.id)?.offer['@id'] === 'limited' ? QUOTA : undefined
        if (limit !== undefined && (booked > limit || got > booked))
          find(`${name} allows ${limit} records, ${booked} are booked and ${got} were received`)
        const path = `/contracts/${encodeURIComponent(c.id)}`
        const { hash } = await show(role, path)
        const known = texts.get(c.id)
        if (known !== undefined && known !== String(hash))
          find(`${name} has another text than at the consumer`)
        if (known === undefined && role === 'provider') find(`${name} is in force for the provider only`)
        texts.set(c.id, String(hash))
        const verified = (await show(role, `${path}/verify`)) as unknown as Verified
        if (!verified.intact || verified.signatures.some((s) => s.verdict !== 'valid'))
          find(`${name} does not verify: ${JSON.stringify(verified)}`)
      }
      for (const [key, state] of seen) {
        const [side, kind, pid = ''] = key.split(' ')
        if (side !== role || kind !== 'negotiation' || state !== 'FINALIZED') continue
        if (!byNegotiation.has(pid)) find(`${key} is FINALIZED without a contract`)
      }
    }
  }
}

type Timeline = readonly { readonly message?: string; readonly result?: string }[]
type View = {
  readonly pid: string
  readonly partnerPid?: string
  readonly state: string
  readonly pending?: string
  readonly reason?: string
  readonly endedBy?: string
  readonly waitingFor?: string
  readonly contract?: string
  readonly timeline: Timeline
}
type Contract = { readonly id: string; readonly negotiation: string; readonly status: string }
type Verified = { readonly intact: boolean; readonly signatures: readonly { readonly verdict: string }[] }
