/** Offers, counter-offers and counter-requests: what people decide on both sides, and what they cannot. */
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject, Pid } from '../../connector/core/types.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import { offerHash } from '../../connector/services/contract.js'
import { undeliverable } from '../../connector/services/delivery.js'
import { terminateNegotiation } from '../../connector/services/negotiation.js'
import {
  acceptOffer,
  approve,
  counter,
  offerContract,
  type Proposal,
  refuse,
} from '../../connector/services/negotiation-person.js'
import {
  arrive,
  begin,
  CONSUMER,
  createWorld,
  NOW,
  PROVIDER,
  refusal,
  STRANGER,
  type World,
} from './world.js'

let world: World
const open = async (m?: Parameters<typeof createWorld>[0]): Promise<World> => {
  world = await createWorld(m)
  return world
}
afterEach(() => world[Symbol.asyncDispose]())

const states = () => [world.provider.negotiation().state, world.consumer.negotiation().state]
const offered = (proposal: Proposal = { offer: 'offer-1' }, datasetId = 'press-7') =>
  offerContract(world.provider.deps, { partner: world.provider.partner(), datasetId, proposal })
const must = <T>(outcome: { ok: true; value: T } | { ok: false; error: { message: string } }): T => {
  if (!outcome.ok) throw new Error(outcome.error.message)
  return outcome.value
}
const hash = (n: Negotiation): string => offerHash(n.offer)
const pidOf = (side: 'provider' | 'consumer'): Pid => world[side].negotiation().pid
const countered = async (side: 'provider' | 'consumer', proposal: Proposal) =>
  must(await counter(world[side].deps, pidOf(side), proposal))

const WEEK = { terms: { agreementAge: 'P7D' } } as const
const MONTH = { terms: { agreementAge: 'P30D' } } as const
const ageOf = (body: JsonObject): unknown => JSON.stringify(body.permission).match(/P\d+D/)?.[0]

describe('an offer that the provider makes of its own accord', () => {
  it('opens a negotiation, is accepted by a person, and becomes a contract on both sides', async () => {
    const { provider, consumer } = await open()
    must(await offered())
    expect(provider.negotiation()).toMatchObject({ state: 'NEW', pending: 'offer', role: 'provider' })
    const owed = provider.next('offer')
    expect(owed.url).toBe('https://consumer.example/dsp/negotiations/offers')
    expect(JSON.parse(owed.body)).toEqual({
      '@context': ['https://w3id.org/dspace/2025/1/context.jsonld'],
      '@type': 'ContractOfferMessage',
      '@id': `${pidOf('provider')}#0-${NOW}`,
      providerPid: pidOf('provider'),
      callbackAddress: 'https://provider.example/dsp',
      offer: { ...world.offer, assigner: PROVIDER },
    })
    await world.exchange(provider, owed)
    expect(states()).toEqual(['OFFERED', 'OFFERED'])
    expect(provider.negotiation().partnerPid).toBe(pidOf('consumer'))
    expect(consumer.negotiation()).toMatchObject({ role: 'consumer', awaiting: { because: 'offer' } })
    must(await acceptOffer(consumer.deps, pidOf('consumer'), hash(consumer.negotiation())))
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    expect([provider.agreement().status, consumer.agreement().status]).toEqual(['active', 'active'])
  })

  it('may have terms for this partner alone, of a dataset that nobody sees in the catalog', async () => {
    const { provider, consumer } = await open()
    const dataset = provider.store().dataset('press-7')
    if (dataset !== undefined) await provider.store().putDataset({ ...dataset, published: false })
    must(await offered(WEEK))
    await world.settle()
    must(await acceptOffer(consumer.deps, pidOf('consumer')))
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    expect(ageOf(consumer.agreement().body)).toBe('P7D')
  })

  it.each([
    ['a dataset that is not there', { offer: 'offer-1' }, 'nothing', 'OfferUnknown'],
    ['terms for a dataset that is not there', WEEK, 'nothing', 'NotFound'],
    ['an offer that is not there', { offer: 'offer-2' }, 'press-7', 'OfferUnknown'],
    ['a signal that is not there', { terms: { fields: ['speed'] } }, 'press-7', 'InvalidInput'],
    ['nothing', {}, 'press-7', 'InvalidInput'],
    ['two things', { ...WEEK, offer: 'offer-1' }, 'press-7', 'InvalidInput'],
    [
      'a term that cannot be kept',
      {
        policy: {
          permission: [
            {
              action: 'use',
              constraint: [
                { leftOperand: 'https://example.com/unheard-of', operator: 'eq', rightOperand: 'DE' },
              ],
            },
          ],
        },
      },
      'press-7',
      'PolicyUnsupported',
    ],
    ['terms for somebody else', { terms: { recipients: [STRANGER] } }, 'press-7', 'PolicyDenied'],
  ] as readonly (readonly [
    string,
    Proposal,
    string,
    string,
  ])[])('is not made with %s', async (_, proposal, dataset, code) => {
    const { provider } = await open()
    expect(refusal(await offered(proposal, dataset)).code).toBe(code)
    expect(provider.store().list('negotiation')).toEqual([])
  })

  it('survives a restart of both sides, a lost answer, and an acceptance that overtakes it', async () => {
    const { provider, consumer } = await open()
    must(await offered())
    await provider.restart()
    await world.carry(provider, provider.next('offer'))
    await consumer.restart()
    await world.carry(provider, provider.next('offer'))
    must(await acceptOffer(consumer.deps, pidOf('consumer')))
    await world.carry(consumer, consumer.next('accept'))
    expect(provider.negotiation()).toMatchObject({ state: 'ACCEPTED', partnerPid: pidOf('consumer') })
    await provider.restart()
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
  })

  it('is taken back before the partner has answered: the wish is carried out with the answer', async () => {
    const { provider } = await open()
    const { pid } = must(await offered())
    must(await terminateNegotiation(provider.deps, pid, 'a mistake'))
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
    expect(world.consumer.negotiation().reason).toBe('a mistake')
  })

  it('ends when the partner refuses it, with its words', async () => {
    const { provider } = await open()
    must(await offered())
    const why = { code: 'PartnerRefused', message: 'The partner answered 400: no offers, please' } as const
    await undeliverable(provider.deps, provider.next('offer'), why)
    expect(provider.negotiation()).toMatchObject({ state: 'TERMINATED', reason: why.message })
    expect(provider.owed()).toEqual([])
  })
})

describe('haggling', () => {
  it('goes to and fro until a person accepts: the contract has the last terms', async () => {
    const { provider, consumer } = await open()
    must(await offered(WEEK))
    await world.settle()
    await countered('consumer', MONTH)
    const request = consumer.next('request')
    expect(request.url).toBe(`https://provider.example/dsp/negotiations/${pidOf('provider')}/request`)
    const body = JSON.parse(request.body)
    expect(body).toMatchObject({ providerPid: pidOf('provider'), consumerPid: pidOf('consumer') })
    expect(body).not.toHaveProperty('callbackAddress')
    await world.settle()
    expect(states()).toEqual(['REQUESTED', 'REQUESTED'])
    expect(provider.negotiation().awaiting).toMatchObject({
      because: 'terms',
      detail: expect.stringContaining('P30D'),
      detailDe: expect.stringContaining('P30D'),
    })

    await countered('provider', { terms: { agreementAge: 'P14D' } })
    const offer = provider.next('offer')
    expect(offer.url).toBe(`https://consumer.example/dsp/negotiations/${pidOf('consumer')}/offers`)
    expect(JSON.parse(offer.body)).not.toHaveProperty('callbackAddress')
    await Promise.all([provider.restart(), consumer.restart()])
    await world.settle()
    expect(states()).toEqual(['OFFERED', 'OFFERED'])
    expect(ageOf(consumer.negotiation().previous ?? {})).toBe('P30D')
    must(await acceptOffer(consumer.deps, pidOf('consumer')))
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    expect([ageOf(provider.agreement().body), ageOf(consumer.agreement().body)]).toEqual(['P14D', 'P14D'])
  })

  it('ends with what the consumer asked for when a person of the provider approves exactly that', async () => {
    const { provider } = await open()
    must(await offered(WEEK))
    await world.settle()
    await countered('consumer', MONTH)
    await world.settle()
    must(await approve(provider.deps, pidOf('provider'), hash(provider.negotiation())))
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    expect(ageOf(provider.agreement().body)).toBe('P30D')
  })

  it('needs no person when the consumer asks for what the provider has offered already', async () => {
    await open()
    must(await offered(WEEK))
    await world.settle()
    await countered('consumer', { policy: world.consumer.negotiation().offer })
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
  })

  it('needs no person when the consumer asks for what is published', async () => {
    const { provider, consumer } = await open()
    must(await offered())
    await world.settle()
    await countered('consumer', { policy: world.offer })
    await provider.store().putPartner(provider.partner())
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    expect(consumer.agreement().status).toBe('active')
  })

  it('approves no other terms than those that were read', async () => {
    const { provider } = await open()
    must(await offered(WEEK))
    await world.settle()
    const read = hash(provider.negotiation())
    await countered('consumer', MONTH)
    await world.settle()
    expect(refusal(await approve(provider.deps, pidOf('provider'), read))).toMatchObject({ code: 'Conflict' })
    expect(provider.negotiation()).toMatchObject({ state: 'REQUESTED', awaiting: { because: 'terms' } })
    expect(provider.owed()).toEqual([])
  })

  it('forgets an approval when the consumer changes its request afterwards', async () => {
    const { provider, consumer } = await open()
    must(await offered(WEEK))
    await world.settle()
    await countered('consumer', MONTH)
    await world.settle()
    await countered('provider', WEEK)
    await world.settle()
    await countered('consumer', { terms: { agreementAge: 'P31D' } })
    await world.settle()
    expect(provider.negotiation().awaiting?.because).toBe('terms')
    expect(consumer.owed()).toEqual([])
  })

  it('is no way to terms that our connector cannot keep, whoever approves them', async () => {
    const { provider, consumer } = await open()
    must(await offered(WEEK))
    await world.settle()
    const strange = {
      ...world.offer,
      permission: [
        {
          action: 'use',
          constraint: [{ leftOperand: 'https://example.com/unheard-of', operator: 'eq', rightOperand: 'DE' }],
        },
      ],
    }
    const body = { providerPid: pidOf('provider'), consumerPid: pidOf('consumer'), offer: strange }
    const path = `/dsp/negotiations/${pidOf('provider')}/request`
    expect((await arrive(provider, CONSUMER, path, body, 'strange')).ok).toBe(true)
    expect(provider.negotiation()).toMatchObject({ state: 'REQUESTED', awaiting: { because: 'terms' } })
    const outcome = await approve(provider.deps, pidOf('provider'), hash(provider.negotiation()))
    expect(refusal(outcome).code).toBe('PolicyUnsupported')
    expect(provider.store().agreements()).toEqual([])
    expect(consumer.store().agreements()).toEqual([])
  })

  it('stays with its dataset', async () => {
    const { provider, consumer } = await open()
    must(await offered(WEEK))
    await world.settle()
    const body = {
      providerPid: pidOf('provider'),
      consumerPid: pidOf('consumer'),
      offer: { ...world.offer, target: 'other' },
    }
    const asked = await arrive(
      provider,
      CONSUMER,
      `/dsp/negotiations/${pidOf('provider')}/request`,
      body,
      'x',
    )
    expect(refusal(asked)).toMatchObject({
      code: 'OfferDiffers',
      message: 'The target of the offer is not the dataset that this negotiation is about.',
    })
    await countered('consumer', MONTH)
    await world.settle()
    const other = await arrive(consumer, PROVIDER, `/dsp/negotiations/${pidOf('consumer')}/offers`, body, 'y')
    expect(refusal(other).code).toBe('OfferDiffers')
    expect(states()).toEqual(['REQUESTED', 'REQUESTED'])
  })

  it('ends with a reason when either side refuses', async () => {
    const { provider } = await open()
    must(await offered(WEEK))
    await world.settle()
    await countered('consumer', MONTH)
    await world.settle()
    must(await refuse(provider.deps, pidOf('provider'), 'a week is all we give'))
    expect(JSON.parse(provider.next('terminate').body)).toMatchObject({
      code: 'Refused',
      reason: ['a week is all we give'],
    })
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
    expect(world.consumer.negotiation()).toMatchObject({
      endedBy: 'partner',
      reason: 'a week is all we give',
    })
  })

  it('does not get confused when a counter-request and a termination cross', async () => {
    const { provider, consumer } = await open()
    must(await offered(WEEK))
    await world.settle()
    await countered('consumer', MONTH)
    must(await refuse(provider.deps, pidOf('provider'), 'changed our mind'))
    const [ours, theirs] = [provider.next('terminate'), consumer.next('request')]
    await Promise.all([world.exchange(provider, ours), world.exchange(consumer, theirs)])
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
  })
})

describe('what is not allowed', () => {
  it('accepting what the consumer itself has asked for is refused', async () => {
    const { provider } = await open()
    must(await offered(WEEK))
    await world.settle()
    await countered('consumer', MONTH)
    await world.settle()
    const body = { providerPid: pidOf('provider'), consumerPid: pidOf('consumer') }
    const path = `/dsp/negotiations/${pidOf('provider')}/events`
    expect(refusal(await arrive(provider, CONSUMER, path, body, 'accept'))).toMatchObject({
      code: 'InvalidTransition',
      message: 'The message "accept" is not allowed in the state REQUESTED.',
    })
    expect(refusal(await acceptOffer(world.consumer.deps, pidOf('consumer'))).code).toBe('InvalidTransition')
  })

  it('each side has its own words: a provider does not accept, a consumer does not approve', async () => {
    const { provider, consumer } = await open()
    must(await offered(WEEK))
    await world.settle()
    expect(refusal(await acceptOffer(provider.deps, pidOf('provider'))).message).toContain(
      'negotiation approve',
    )
    const read = hash(consumer.negotiation())
    expect(refusal(await approve(consumer.deps, pidOf('consumer'), read)).message).toContain(
      'negotiation accept',
    )
    expect(refusal(await counter(provider.deps, pidOf('provider'), MONTH)).code).toBe('InvalidTransition')
  })

  it('a stranger cannot counter, accept or offer anything in a negotiation of others', async () => {
    const { provider, consumer } = await open()
    must(await offered(WEEK))
    await world.settle()
    for (const side of [provider, consumer])
      await side.store().putPartner({ ...side.partner(), did: STRANGER })
    const body = { providerPid: pidOf('provider'), consumerPid: pidOf('consumer'), offer: world.offer }
    for (const [side, path] of [
      [provider, `/dsp/negotiations/${pidOf('provider')}/request`],
      [provider, `/dsp/negotiations/${pidOf('provider')}/events`],
      [consumer, `/dsp/negotiations/${pidOf('consumer')}/offers`],
    ] as const) {
      expect(refusal(await arrive(side, STRANGER, path, body, path)).code).toBe('NotFound')
    }
    expect(states()).toEqual(['OFFERED', 'OFFERED'])
  })

  it('nothing is decided for a partner that is not trusted any more', async () => {
    const { consumer } = await open()
    must(await offered(WEEK))
    await world.settle()
    await consumer.put({ trust: 'known' })
    expect(refusal(await acceptOffer(consumer.deps, pidOf('consumer'))).code).toBe('NotTrusted')
  })
})

describe('manual approval', () => {
  it.each([
    'offer',
    'partner',
  ] as const)('of the %s: a request waits for a person, who approves it', async (what) => {
    const { provider } = await open()
    if (what === 'partner') await provider.put({ approval: 'manual' })
    const offer = provider.store().offer('offer-1')
    if (what === 'offer' && offer !== undefined)
      await provider.store().putOffer({ ...offer, approval: 'manual' })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['REQUESTED', 'REQUESTED'])
    expect(provider.negotiation().awaiting).toMatchObject({ because: 'approval' })
    await provider.restart()
    await world.settle()
    expect(provider.store().agreements()).toEqual([])
    must(await approve(provider.deps, pidOf('provider'), hash(provider.negotiation())))
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
  })

  it('lets a consumer ask for other terms: the person reads what differs', async () => {
    const { provider } = await open()
    await provider.put({ approval: 'manual' })
    await begin(world, { permission: [{ action: 'use' }] })
    await world.settle()
    expect(provider.negotiation().awaiting).toMatchObject({
      because: 'terms',
      detail: expect.stringContaining('permission[0].constraint'),
    })
    must(await refuse(provider.deps, pidOf('provider'), 'No.'))
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
  })

  it('does not tell of offers that are for others', async () => {
    const { provider } = await open({ terms: { recipients: [STRANGER] } })
    await provider.put({ approval: 'manual' })
    const body = {
      consumerPid: 'urn:uuid:c',
      callbackAddress: 'https://consumer.example/dsp',
      offer: world.offer,
    }
    const asked = await arrive(provider, CONSUMER, '/dsp/negotiations/request', body, 'd')
    expect(refusal(asked).code).toBe('OfferUnknown')
  })
})
