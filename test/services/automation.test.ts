/** The rules of an operator, or of a test bench: what is done by itself when a process enters a state. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Transfer } from '../../connector/domain/transfer.js'
import { operatorRules } from '../../connector/services/automation.js'
import { askRulesAgain } from '../../connector/services/delivery.js'
import type { Automation, NegotiationMove, TransferMove } from '../../connector/services/ports.js'
import { requestTransfer } from '../../connector/services/transfer.js'
import { waitFor } from '../support/wait-for.js'
import { begin, createWorld, type Side, type World } from './world.js'

let world: World
afterEach(() => world[Symbol.asyncDispose]())

const usual = operatorRules()
const STOP = { move: 'terminate', code: 'Script', reason: 'enough' } as const
const STAY = { move: 'wait', for: 'partner' } as const

/** Moves by state; a list is one move per visit of the state, the last one for all that follow. */
type Script<M> = { readonly [state: string]: M | readonly M[] | ((n: Negotiation) => M) }

const visits = new Map<string, number[]>()

function scripted(negotiations: Script<NegotiationMove>, transfers: Script<TransferMove> = {}): Automation {
  const pick = <M>(script: Script<M>, p: Negotiation | Transfer): M | undefined => {
    const found = script[p.state]
    if (found === undefined || typeof found === 'function')
      return (found as ((n: unknown) => M) | undefined)?.(p)
    if (!Array.isArray(found)) return found as M
    const key = `${p.pid} ${p.state}`
    const turns = visits.get(key) ?? []
    if (!turns.includes(p.turn ?? 0)) visits.set(key, [...turns, p.turn ?? 0])
    const visit = (visits.get(key) ?? []).indexOf(p.turn ?? 0)
    return (found as readonly M[])[Math.min(visit, found.length - 1)]
  }
  return {
    negotiation: (n, context) => pick(negotiations, n) ?? usual.negotiation(n, context),
    transfer: (t) => pick(transfers, t) ?? usual.transfer(t),
  }
}

const open = async (rules: { provider?: Automation; consumer?: Automation }): Promise<World> => {
  world = await createWorld({ rules })
  return world
}
const states = () => [world.provider.negotiation().state, world.consumer.negotiation().state]
const story = (side: Side): readonly string[] =>
  side
    .store()
    .audit((side.store().list('negotiation')[0] ?? side.transfer()).pid)
    .filter((e) => e.direction !== 'own' && !e.event.endsWith('acknowledged'))
    .map((e) => `${e.direction} ${e.event}`)

const again = { move: 'offer' } as const
const sameOffer = (n: Negotiation): NegotiationMove => ({ ...again, offer: n.offer })

describe('as provider', () => {
  it('offers, and terminates what the consumer asks for then', async () => {
    const counter = { move: 'request' } as const
    await open({
      provider: scripted({ REQUESTED: (n) => (n.turn === 1 ? sameOffer(n) : STOP) }),
      consumer: scripted({ OFFERED: (n) => ({ ...counter, offer: n.offer }) }),
    })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
    expect(story(world.provider)).toEqual(['in request', 'out offer', 'in request', 'out terminate'])
    expect(world.consumer.negotiation().reason).toBe('enough')
  })

  it('offers, agrees to the acceptance, and finalises: both sides have the contract', async () => {
    await open({
      provider: scripted({ REQUESTED: sameOffer }),
      consumer: scripted({ OFFERED: { move: 'accept' } }),
    })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    expect([world.provider.agreement().status, world.consumer.agreement().status]).toEqual([
      'active',
      'active',
    ])
    expect(world.consumer.agreement().receipt).toMatch(/^seal:/)
    expect(story(world.provider)).toEqual([
      'in request',
      'out offer',
      'in accept',
      'out agree',
      'in verify',
      'out finalize',
    ])
  })

  it.each([
    ['terminates a request', { REQUESTED: STOP }, {}],
    ['terminates what it has offered', { REQUESTED: sameOffer, OFFERED: STOP }, { OFFERED: STAY }],
    ['terminates an acceptance', { REQUESTED: sameOffer, ACCEPTED: STOP }, { OFFERED: { move: 'accept' } }],
    ['terminates a verification instead of finalising', { VERIFIED: STOP }, {}],
  ] as const)('%s', async (_, provider, consumer) => {
    await open({ provider: scripted(provider), consumer: scripted(consumer as Script<NegotiationMove>) })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
    expect(world.consumer.negotiation()).toMatchObject({ reason: 'enough', endedBy: 'partner' })
    expect(
      world.provider
        .store()
        .agreements()
        .map((a) => a.status),
    ).not.toContain('active')
  })

  it('does nothing at all when the rules say so', async () => {
    await open({ provider: scripted({ REQUESTED: STAY }) })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['REQUESTED', 'REQUESTED'])
    expect(world.provider.owed()).toEqual([])
  })

  it('owes the usual answer in the same step that takes the request', async () => {
    const { provider, consumer } = await open({})
    await begin(world)
    let commits = 0
    provider.store().onProcess(() => commits++)
    await world.carry(consumer, consumer.next('request'))
    expect(provider.next('agree').event).toBe('agree')
    expect(commits).toBe(1)
  })

  it('waits as long as the rules say, and is asked again after a restart', async () => {
    const { provider, consumer } = await open({
      provider: scripted({ REQUESTED: { move: 'agree', afterMs: 30 } }),
    })
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    expect(provider.owed()).toEqual([])
    await provider.restart()
    await waitFor(() => provider.owed().length > 0)
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
  })

  it('forgets a delayed move when the partner was faster', async () => {
    const { provider, consumer } = await open({
      provider: scripted({ REQUESTED: { move: 'agree', afterMs: 1000 } }),
      consumer: scripted({ REQUESTED: STOP }),
    })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await begin(world)
      await world.exchange(consumer, consumer.next('request'))
      await consumer.turns().idle()
      await world.exchange(consumer, consumer.next('terminate'))
      vi.advanceTimersByTime(5000)
      await provider.turns().idle()
    } finally {
      vi.useRealTimers()
    }
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
    expect(story(provider)).toEqual(['in request', 'in terminate'])
  })
})

describe('as consumer', () => {
  it.each([
    [
      'asks for the same again',
      { OFFERED: (n: Negotiation) => ({ move: 'request', offer: n.offer }) },
      'FINALIZED',
    ],
    ['terminates an offer', { OFFERED: STOP }, 'TERMINATED'],
  ] as const)('%s', async (_, consumer, end) => {
    await open({
      provider: scripted({ REQUESTED: (n) => (n.turn === 1 ? sameOffer(n) : { move: 'agree' }) }),
      consumer: scripted(consumer as Script<NegotiationMove>),
    })
    await begin(world)
    await world.settle()
    expect(states()).toEqual([end, end])
  })

  it('leaves an offer to a person unless the rules accept it', async () => {
    const { consumer } = await open({ provider: scripted({ REQUESTED: sameOffer }) })
    await begin(world)
    await world.settle()
    expect(consumer.negotiation()).toMatchObject({ state: 'OFFERED', awaiting: { because: 'offer' } })
  })

  it('terminates an agreement, or leaves it: the signature of the provider is checked all the same', async () => {
    const { consumer } = await open({ consumer: scripted({ AGREED: STAY }) })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['AGREED', 'AGREED'])
    expect(consumer.agreement()).toMatchObject({
      status: 'pending',
      providerSeal: expect.stringMatching(/^seal:/),
    })
    expect(consumer.agreement()).not.toHaveProperty('consumerSeal')
  })

  it('verifies later what it has checked at once', async () => {
    const { consumer } = await open({ consumer: scripted({ AGREED: { move: 'verify', afterMs: 5 } }) })
    await begin(world)
    await world.settle()
    await waitFor(() => consumer.owed().length > 0)
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    expect(consumer.agreement().consumerSeal).toBe(world.provider.agreement().consumerSeal)
  })

  it('terminates an agreement', async () => {
    await open({ consumer: scripted({ AGREED: STOP }) })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
  })
})

describe('rules that fail', () => {
  const broken: Automation = {
    ...usual,
    negotiation: () => {
      throw new Error('no such rule')
    },
  }
  it.each([
    ['throw', broken, 'The rules failed: no such rule'],
    [
      'want what is not allowed',
      scripted({ REQUESTED: { move: 'finalize' } }),
      'The rules wanted something that is not allowed. The message "finalize" is not allowed in the state REQUESTED.',
    ],
    [
      'offer what is not published',
      scripted({
        REQUESTED: {
          move: 'offer',
          offer: { '@id': 'x', '@type': 'Offer', target: 'press-7', permission: [{ action: 'use' }] },
        },
      }),
      'There is no such offer for you. Ask for the catalog again.',
    ],
  ])('that %s leave the request to a person, with a note', async (_, provider, detail) => {
    await open({ provider })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['REQUESTED', 'REQUESTED'])
    expect(world.provider.negotiation().awaiting).toMatchObject({ because: 'rules', detail })
    const notes = world.provider.store().audit(world.provider.negotiation().pid)
    expect(notes.filter((e) => e.event === 'waits for a person')).toMatchObject([
      { direction: 'own', detail: { because: 'rules', reason: detail } },
    ])
    await world.provider.restart()
    await world.settle()
    expect(world.provider.store().audit(world.provider.negotiation().pid)).toHaveLength(notes.length)
  })

  it('are asked again when a person says so, also about a transfer', async () => {
    let working = false
    const flaky: Automation = {
      negotiation: (n, context) => (working ? usual : broken).negotiation(n, context),
      transfer: (t) => (working ? usual.transfer(t) : { move: 'complete' }),
    }
    const { provider, consumer } = await open({ provider: flaky })
    await begin(world)
    await world.settle()
    const again = async (process: Negotiation | Transfer) => {
      working = true
      expect((await askRulesAgain(provider.deps, process)).ok).toBe(true)
      await world.settle()
      working = false
    }
    await again(provider.negotiation())
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    const agreement = consumer.agreement()
    await requestTransfer(consumer.deps, { agreement, partner: consumer.partner(), format: 'HttpData-PULL' })
    await world.settle()
    expect(provider.transfer().awaiting?.because).toBe('rules')
    await again(provider.transfer())
    expect([provider.transfer().state, consumer.transfer().state]).toEqual(['STARTED', 'STARTED'])
    expect((await askRulesAgain(provider.deps, provider.transfer())).ok).toBe(false)
  })

  it('cannot agree to terms that are not ours: the request is refused with the difference', async () => {
    await open({ provider: scripted({ REQUESTED: { move: 'agree' } }) })
    await begin(world, { permission: [{ action: 'use' }] })
    await world.settle()
    expect(world.provider.store().list('negotiation')).toEqual([])
    expect(world.consumer.negotiation().reason).toContain('differs from the one in the catalog')
  })
})

describe('a transfer', () => {
  const transferStates = () => [world.provider.transfer().state, world.consumer.transfer().state]
  const begun = async () => {
    const agreement = await world.finalized()
    const partner = world.consumer.partner()
    const asked = await requestTransfer(world.consumer.deps, { agreement, partner, format: 'HttpData-PULL' })
    if (!asked.ok) throw new Error(asked.error.message)
    await world.settle()
  }
  const suspend = { ...STOP, move: 'suspend' } as const
  const only = (provider: Script<TransferMove>, consumer: Script<TransferMove> = {}) =>
    open({ provider: scripted({}, provider), consumer: scripted({}, consumer) })

  it.each([
    ['start, terminate', { STARTED: STOP }, {}, 'TERMINATED'],
    ['start, complete', { STARTED: { move: 'complete' } }, {}, 'COMPLETED'],
    ['start, suspend, terminate', { STARTED: suspend, SUSPENDED: STOP }, {}, 'TERMINATED'],
    [
      'start, suspend, start, complete',
      { STARTED: [suspend, { move: 'complete' }], SUSPENDED: { move: 'start' } },
      {},
      'COMPLETED',
    ],
    ['terminate', { REQUESTED: STOP }, {}, 'TERMINATED'],
    ['start', {}, {}, 'STARTED'],
    ['nothing', { REQUESTED: STAY }, {}, 'REQUESTED'],
    ['a late start', { REQUESTED: { move: 'start', afterMs: 1 } }, {}, 'STARTED'],
    ['a consumer that terminates', {}, { STARTED: STOP }, 'TERMINATED'],
    ['a consumer that completes', {}, { STARTED: { move: 'complete' } }, 'COMPLETED'],
    [
      'a consumer that suspends, starts and completes',
      {},
      { STARTED: [suspend, { move: 'complete' }], SUSPENDED: { move: 'start' } },
      'COMPLETED',
    ],
    ['a consumer that terminates what it asked for', { REQUESTED: STAY }, { REQUESTED: STOP }, 'TERMINATED'],
  ] as readonly (readonly [
    string,
    Script<TransferMove>,
    Script<TransferMove>,
    string,
  ])[])('%s', async (_, provider, consumer, end) => {
    await only(provider, consumer)
    await begun()
    await waitFor(async () => {
      await world.settle()
      return transferStates().every((state) => state === end)
    })
    const flow = world.provider.flows.get(world.provider.transfer().pid)
    expect(flow?.grant !== undefined && flow.stopped === undefined).toBe(end === 'STARTED')
  })

  it('that its rules cannot start waits for a person, with a note', async () => {
    await only({ REQUESTED: { move: 'complete' } })
    await begun()
    expect(world.provider.transfer()).toMatchObject({
      state: 'REQUESTED',
      awaiting: {
        because: 'rules',
        detail:
          'The rules wanted something that is not allowed. The message "complete" is not allowed in the state REQUESTED.',
      },
    })
  })
})
