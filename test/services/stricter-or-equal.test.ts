/** Counter-requests that are agreed by comparison: certainly stricter or equal, and nothing else. */
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import type { Approval } from '../../connector/domain/dataset.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import { arrive, begin, CONSUMER, createWorld, refusal, type World } from './world.js'

let world: World
afterEach(() => world[Symbol.asyncDispose]())

const of = (terms: Terms): JsonObject => {
  const made = policyFromTerms(terms)
  if (!made.ok) throw new Error(made.error.message)
  return made.value
}

async function open(set: { readonly offer?: Approval; readonly partner?: Approval }): Promise<World> {
  world = await createWorld({ terms: { agreementAge: 'P30D', count: 10 } })
  const { provider } = world
  const offer = provider.store().offer('offer-1')
  if (offer !== undefined && set.offer !== undefined) {
    await provider.store().putOffer({ ...offer, approval: set.offer })
  }
  if (set.partner !== undefined) await provider.put({ approval: set.partner })
  return world
}
const states = () => [world.provider.negotiation().state, world.consumer.negotiation().state]
const ask = async (terms: Terms) => {
  await begin(world, of(terms))
  await world.settle()
}

describe('stricter or equal is enough', () => {
  it.each([
    ['of the offer', { offer: 'stricter-or-equal' }],
    ['of the partner', { partner: 'stricter-or-equal' }],
  ] as const)('%s: stricter terms are agreed without a person, and they are the contract', async (_, set) => {
    const { provider, consumer } = await open(set)
    await ask({ agreementAge: 'P7D', count: 10 })
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    for (const side of [provider, consumer]) {
      expect(JSON.stringify(side.agreement().body.permission)).toContain('P7D')
      expect(side.agreement().status).toBe('active')
    }
  })

  it('agrees to what is published, as ever', async () => {
    await open({ offer: 'stricter-or-equal' })
    await begin(world)
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
  })

  it.each<[string, Terms]>([
    ['looser', { agreementAge: 'P60D', count: 10 }],
    ['stricter in one term and looser in another', { agreementAge: 'P7D', count: 20 }],
    ['a term less', { count: 10 }],
    // A month of the calendar has 28 to 31 days.
    ['unknown', { agreementAge: 'P1M', count: 10 }],
  ])('leaves terms to a person that are %s, also after a restart', async (_, terms) => {
    const { provider } = await open({ offer: 'stricter-or-equal' })
    await ask(terms)
    const waits = { state: 'REQUESTED', awaiting: { because: 'terms' } }
    expect(provider.negotiation()).toMatchObject(waits)
    await provider.restart()
    await world.settle()
    expect(provider.negotiation()).toMatchObject(waits)
    expect(provider.store().agreements()).toEqual([])
  })

  it.each([
    ['the offer', { offer: 'manual', partner: 'stricter-or-equal' }],
    ['the partner', { offer: 'stricter-or-equal', partner: 'manual' }],
  ] as const)('counts for nothing where %s wants a person', async (_, set) => {
    const { provider } = await open(set)
    await ask({ agreementAge: 'P7D', count: 10 })
    expect(provider.negotiation()).toMatchObject({ state: 'REQUESTED', awaiting: { because: 'terms' } })
  })

  it('is no way past what this connector cannot keep, however strict it is', async () => {
    const { provider } = await open({ offer: 'stricter-or-equal' })
    const [permission] = world.offer.permission as readonly JsonObject[]
    const constraint = [
      ...(permission?.constraint as readonly JsonObject[]),
      { leftOperand: 'https://example.com/mood', operator: 'eq', rightOperand: 'good' },
    ]
    const body = {
      consumerPid: 'urn:uuid:c',
      callbackAddress: 'https://consumer.example/dsp',
      offer: { ...world.offer, permission: [{ action: 'use', constraint }] },
    }
    const asked = await arrive(provider, CONSUMER, '/dsp/negotiations/request', body, 'd')
    expect(refusal(asked).code).toBe('PolicyUnsupported')
    expect(provider.store().agreements()).toEqual([])
  })

  it('does not hold where nobody set it: a first request for stricter terms is refused', async () => {
    const { provider } = await open({})
    await ask({ agreementAge: 'P7D', count: 10 })
    expect(world.consumer.negotiation().state).toBe('TERMINATED')
    expect(provider.store().agreements()).toEqual([])
    expect(provider.store().list('negotiation')).toEqual([])
  })
})
