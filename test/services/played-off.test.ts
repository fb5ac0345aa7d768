/** Two contracts of one partner on one dataset: which pairs are refused because they tell more together than each alone. */
import { afterEach, describe, expect, it } from 'vitest'
import type { EpochMs, JsonObject } from '../../connector/core/types.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import { mayRun } from '../../connector/services/flow.js'
import { begin, createWorld, refusal, type World } from './world.js'

let world: World
afterEach(() => world[Symbol.asyncDispose]())

const policyOf = (terms: Terms): JsonObject => {
  const policy = policyFromTerms(terms)
  if (!policy.ok) throw new Error(policy.error.message)
  return policy.value
}

/** A contract on the first terms, then a request for one on the second. */
async function both(first: Terms, second: Terms, after?: (world: World) => Promise<void>) {
  world = await createWorld({ terms: first })
  const { provider, consumer } = world
  const dataset = provider.store().dataset('press-7')
  if (dataset === undefined) throw new Error('no dataset')
  await provider.store().putDataset({
    ...dataset,
    signals: ['force', 'speed'].map((name) => ({ name, type: 'number' })),
  })
  await world.finalized()
  await after?.(world)
  const policy = policyOf(second)
  await provider.store().putOffer({ id: 'offer-2', datasetId: 'press-7', policy, createdAt: 0 as EpochMs })
  world.forward(1000)
  await begin({ ...world, offer: { '@id': 'offer-2', '@type': 'Offer', target: 'press-7', ...policy } })
  await world.settle()
  const [newest] = consumer.store().list('negotiation')
  return newest
}

describe('a second contract is refused while the first is in force', () => {
  it.each([
    ['other distances between records', { samplingInterval: 'PT10S' }, { samplingInterval: 'PT15S' }],
    [
      'distances that divide each other, because records are not regular',
      { samplingInterval: 'PT10S' },
      { samplingInterval: 'PT30S' },
    ],
    ['longer windows', { aggregationWindow: 'PT5M' }, { aggregationWindow: 'PT1H' }],
    ['windows beside samples', { samplingInterval: 'PT10S' }, { aggregationWindow: 'PT5M' }],
    [
      'a group of other machines',
      { aggregationWindow: 'PT5M', minGroup: 3, machines: ['a', 'b', 'c', 'd'] },
      { aggregationWindow: 'PT5M', minGroup: 3, machines: ['a', 'b', 'c'] },
    ],
    ['a group, and each machine', { aggregationWindow: 'PT5M', minGroup: 3 }, { aggregationWindow: 'PT5M' }],
    [
      'windows over other records',
      { aggregationWindow: 'PT5M' },
      { aggregationWindow: 'PT5M', machineStates: ['fault'] },
    ],
    [
      'samples of records with other signals',
      { samplingInterval: 'PT10S', fields: ['force'] },
      { samplingInterval: 'PT10S' },
    ],
  ] as const)('on %s', async (_what, first, second) => {
    const refused = await both(first as Terms, second as Terms)
    expect(refused?.state).toBe('TERMINATED')
    expect(refused?.reason).toContain('the two together would tell more than either of them')
    expect(world.provider.store().agreements()).toHaveLength(1)
  })
})

describe('a second contract is made', () => {
  it.each([
    ['on the same terms', { samplingInterval: 'PT10S' }, { samplingInterval: 'PT10S', count: 10 }],
    ['on every record', { samplingInterval: 'PT10S' }, { count: 10 }],
    [
      'on other signals',
      { aggregationWindow: 'PT5M', fields: ['force'] },
      { aggregationWindow: 'PT1H', fields: ['speed'] },
    ],
    [
      'on other machines, each by itself',
      { samplingInterval: 'PT10S', machines: ['a'] },
      { samplingInterval: 'PT10S', machines: ['b'] },
    ],
    [
      'on a larger group of the same machines',
      { aggregationWindow: 'PT5M', minGroup: 3 },
      { aggregationWindow: 'PT5M', minGroup: 5 },
    ],
    [
      'on coarser steps',
      { samplingInterval: 'PT10S', valueStep: '1' },
      { samplingInterval: 'PT10S', valueStep: '5' },
    ],
  ] as const)('%s', async (_what, first, second) => {
    expect((await both(first as Terms, second as Terms))?.state).toBe('FINALIZED')
  })

  it('when the first has been revoked, or its time is over', async () => {
    const revoked = await both(
      { samplingInterval: 'PT10S' },
      { samplingInterval: 'PT1M' },
      async ({ provider }) => {
        await provider.store().changeAgreement(provider.agreement().id, (current) => ({
          ok: true,
          value: { next: { ...current, status: 'revoked' } },
        }))
      },
    )
    expect(revoked?.state).toBe('FINALIZED')
    await world[Symbol.asyncDispose]()
    const over = await both(
      { samplingInterval: 'PT10S', agreementAge: 'PT1H' },
      { samplingInterval: 'PT1M' },
      async (w) => w.forward(3_600_000),
    )
    expect(over?.state).toBe('FINALIZED')
  })
})

it('gives no data under the later of two contracts that were made in the same moment', async () => {
  await both({ samplingInterval: 'PT10S' }, { samplingInterval: 'PT10S' })
  const { provider } = world
  const [later, earlier] = provider.store().agreements()
  if (later === undefined || earlier === undefined) throw new Error('two contracts were expected')
  // As if both had been prepared before either was written.
  await provider.store().changeAgreement(later.id, (current) => ({
    ok: true,
    value: { next: { ...current, body: { ...current.body, ...policyOf({ samplingInterval: 'PT15S' }) } } },
  }))
  const changed = provider.store().agreement(later.id)
  if (changed === undefined) throw new Error('the contract is gone')
  expect(refusal(mayRun(provider.deps, changed)).message).toContain(earlier.id)
  expect(mayRun(provider.deps, earlier).ok).toBe(true)
})
