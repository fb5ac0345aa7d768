/** Contracts with terms that the recipient promises: wanted by the operator, or carried out by a connector that can. */
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import type { Offer } from '../../connector/domain/dataset.js'
import { inWords } from '../../connector/services/agreements.js'
import { catalogEntry } from '../../connector/services/catalog.js'
import { offerHash, peerUnder } from '../../connector/services/contract.js'
import { addOffer, publish } from '../../connector/services/datasets.js'
import { approve, counter, offerContract } from '../../connector/services/negotiation-person.js'
import { noteProof } from '../../connector/services/partners.js'
import { arrive, begin, CONSUMER, createWorld, NOW, refusal, type World } from './world.js'

let world: World
afterEach(() => world[Symbol.asyncDispose]())

const UNTIL = { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2028-01-01T00:00:00Z' }
const RETENTION = 'https://w3id.org/machine-data-policy/v1#retention'
const DELETE = {
  action: 'odrl:delete',
  constraint: [{ leftOperand: RETENTION, operator: 'lteq', rightOperand: 'P90D' }],
}
const DUTY: JsonObject = { permission: [{ action: 'use', constraint: [UNTIL] }], obligation: [DELETE] }
const PROMISE: JsonObject = { ...DUTY, prohibition: [{ action: 'odrl:distribute' }] }

type Opening = { readonly policy: JsonObject; readonly contractOnly?: boolean; readonly proven?: boolean }
async function open({ policy, contractOnly = false, proven = false }: Opening): Promise<World> {
  world = await createWorld({ policy, contractOnly })
  if (proven) await world.provider.put({ dutiesProvenAt: NOW })
  return world
}
const states = () => [world.provider.negotiation().state, world.consumer.negotiation().state]
const labels = (side: 'provider' | 'consumer') => {
  const agreement = world[side].agreement()
  return inWords(agreement.body, { peer: peerUnder(agreement) }).map(({ enforcedBy }) => enforcedBy)
}
const isShown = () => catalogEntry(world.provider.deps, world.provider.partner(), 'press-7').ok

describe('an offer that the operator wants in spite of promises', () => {
  it('becomes a contract, says on both sides who keeps which clause, and delivers', async () => {
    await open({ policy: PROMISE, contractOnly: true })
    expect(isShown()).toBe(true)
    expect((await world.started()).state).toBe('STARTED')
    const [{ grant } = {}] = [...world.provider.flows.values()]
    expect(grant?.plan).toMatchObject({ notAfter: Date.parse('2028-01-01T00:00:00Z') })
    expect(labels('provider')).toEqual(['provider', 'provider', 'contract', 'contract', 'contract'])
    expect(labels('consumer')).toEqual(['provider', 'provider', 'contract', 'consumer', 'consumer'])
    expect([world.provider.agreement().tier, world.consumer.agreement().tier]).toEqual([3, 3])
  })

  it('says that duties are carried out by a connector that has proved it', async () => {
    await open({ policy: PROMISE, contractOnly: true, proven: true })
    await world.finalized()
    expect(labels('provider')).toEqual(['provider', 'provider', 'contract', 'consumer', 'consumer'])
    expect(world.provider.agreement()).toMatchObject({ tier: 3, dutiesProven: true })
  })

  it('keeps what was agreed when the proof is lost afterwards, also after a restart', async () => {
    await open({ policy: DUTY, proven: true })
    await world.finalized()
    const { dutiesProvenAt: _, ...without } = world.provider.partner()
    await world.provider.store().putPartner(without)
    await world.provider.restart()
    expect(world.provider.agreement()).toMatchObject({ tier: 2, dutiesProven: true, status: 'active' })
    expect(labels('provider')).toEqual(['provider', 'provider', 'consumer', 'consumer'])
  })
})

describe('conditions that a foreign provider checks about us', () => {
  it('are asked for and agreed to by us as recipient, and never offered by us', async () => {
    const member = { leftOperand: 'cx-policy:Membership', operator: 'eq', rightOperand: 'active' }
    const policy: JsonObject = { permission: [{ action: 'use', constraint: [UNTIL, member] }] }
    await open({ policy, contractOnly: true })
    const { pid } = await begin(world)
    const { consumer, provider } = world
    expect(consumer.negotiation().state).toBe('NEW')
    // Our own make as provider refuses what it cannot check; a provider that can agrees.
    const why = refusal(await world.carry(consumer, consumer.next('request')))
    expect(why.code).toBe('OfferUnknown')
    const agreement = {
      '@id': 'urn:uuid:agreement',
      '@type': 'Agreement',
      target: 'press-7',
      assigner: provider.did,
      assignee: consumer.did,
      timestamp: '2027-01-04T12:00:00Z',
      ...policy,
    }
    await consumer.store().putPartner({ ...consumer.partner(), seal: 'offer' })
    const body = {
      '@type': 'ContractAgreementMessage',
      providerPid: 'urn:uuid:theirs',
      consumerPid: pid,
      agreement,
    }
    const path = `/dsp/negotiations/${encodeURIComponent(pid)}/agreement`
    const taken = await arrive(consumer, provider.did, path, body, 'agreement')
    expect(taken).toMatchObject({ ok: true, value: { agreementId: 'urn:uuid:agreement' } })
    expect(consumer.agreement().tier).toBe(3)
    expect(labels('consumer')).toEqual(['provider', 'provider', 'contract'])
  })
})

describe('an offer with duties for the connector of the recipient', () => {
  it('is there for a partner whose connector has proved that it carries them out', async () => {
    await open({ policy: DUTY, proven: true })
    expect(isShown()).toBe(true)
    await world.finalized()
    expect(world.provider.agreement().tier).toBe(2)
    expect(world.consumer.agreement().tier).toBe(2)
  })

  it('is not there for any other, who is answered as if it did not exist', async () => {
    await open({ policy: DUTY })
    expect(isShown()).toBe(false)
    await begin(world)
    const hidden = refusal(await world.carry(world.consumer, world.consumer.next('request')))
    const { provider, consumer } = world
    const unknown = { ...world.offer, '@id': 'offer-2' }
    const body = {
      '@type': 'ContractRequestMessage',
      consumerPid: 'urn:uuid:other',
      offer: unknown,
      callbackAddress: 'https://consumer.example/dsp',
    }
    const none = refusal(await arrive(provider, CONSUMER, '/dsp/negotiations/request', body, 'other'))
    expect([hidden.code, hidden.message]).toEqual([none.code, none.message])
    expect(hidden.code).toBe('OfferUnknown')
    expect(provider.store().agreements()).toEqual([])
    expect(consumer.store().agreements()).toEqual([])
  })
})

describe('an offer with promises that nobody wanted', () => {
  it('is neither shown nor agreed, however it came into the store', async () => {
    await open({ policy: PROMISE, proven: true })
    expect(isShown()).toBe(false)
    await begin(world)
    const why = refusal(await world.carry(world.consumer, world.consumer.next('request')))
    expect(why.code).toBe('OfferUnknown')
  })

  it('is refused when it is added or published', async () => {
    await open({ policy: DUTY })
    const deps = { ...world.provider.deps, sources: { fault: () => undefined } as never }
    const added = await addOffer(deps, { datasetId: 'press-7', policy: PROMISE })
    expect(added).toMatchObject({ ok: false, error: { code: 'ContractOnly' } })
    const wanted = await addOffer(deps, { datasetId: 'press-7', policy: PROMISE, contractOnly: true })
    expect(wanted).toMatchObject({ ok: true, value: { contractOnly: true } })
    const stray: Offer = { id: 'stray', datasetId: 'press-7', policy: PROMISE, createdAt: NOW }
    await world.provider.store().putOffer(stray)
    expect(await publish(deps, 'press-7', true)).toMatchObject({ ok: false, error: { code: 'ContractOnly' } })
  })
})

describe('other promises than the published ones', () => {
  const shorter = { ...DELETE, constraint: [{ ...DELETE.constraint[0], rightOperand: 'P30D' }] }
  const earlier = { ...UNTIL, rightOperand: '2027-06-01T00:00:00Z' }

  it.each<[string, JsonObject, string]>([
    [
      'a shorter time of use is agreed by comparison',
      { permission: [{ action: 'use', constraint: [earlier] }] },
      'FINALIZED',
    ],
    [
      'a promise more is for a person',
      { prohibition: [{ action: 'odrl:distribute' }, { action: 'odrl:derive' }] },
      'REQUESTED',
    ],
    ['a shorter retention is for a person', { obligation: [shorter] }, 'REQUESTED'],
  ])('%s', async (_name, more, state) => {
    await open({ policy: PROMISE, contractOnly: true })
    const offer = world.provider.store().offer('offer-1')
    if (offer !== undefined)
      await world.provider.store().putOffer({ ...offer, approval: 'stricter-or-equal' })
    await begin(world, more)
    await world.settle()
    expect(states()).toEqual([state, state])
    if (state === 'FINALIZED') return
    const { pid, awaiting, offer: table } = world.provider.negotiation()
    expect(awaiting?.because).toBe('terms')
    expect(await approve(world.provider.deps, pid, offerHash(table))).toMatchObject({ ok: true })
    await world.settle()
    expect(states()).toEqual(['FINALIZED', 'FINALIZED'])
    expect(world.provider.agreement().tier).toBe(3)
  })
})

describe('an offer that the provider makes to one partner', () => {
  const offered = (policy: JsonObject, contractOnly?: boolean) =>
    offerContract(world.provider.deps, {
      partner: world.provider.partner(),
      datasetId: 'press-7',
      proposal: { policy, ...(contractOnly === undefined ? {} : { contractOnly }) },
    })

  it('needs the wish for promises, and waits at the recipient for a person', async () => {
    await open({ policy: DUTY })
    expect(await offered(PROMISE)).toMatchObject({ ok: false, error: { code: 'ContractOnly' } })
    expect(await offered(PROMISE, true)).toMatchObject({ ok: true })
    await world.settle()
    expect(world.consumer.negotiation()).toMatchObject({ state: 'OFFERED', awaiting: { because: 'offer' } })
  })

  it('needs it for duties too, while the connector of this partner has not proved that it carries them out', async () => {
    await open({ policy: DUTY })
    const refused = await offered(DUTY)
    expect(refused).toMatchObject({ ok: false, error: { code: 'ContractOnly' } })
    await world.provider.put({ dutiesProvenAt: NOW })
    expect(await offered(DUTY)).toMatchObject({ ok: true })
  })

  it('needs it in the midst of a negotiation as well', async () => {
    await open({ policy: DUTY, proven: true })
    const offer = world.provider.store().offer('offer-1')
    if (offer !== undefined) await world.provider.store().putOffer({ ...offer, approval: 'manual' })
    await begin(world)
    await world.settle()
    const { pid } = world.provider.negotiation()
    expect(await counter(world.provider.deps, pid, { policy: PROMISE })).toMatchObject({
      ok: false,
      error: { code: 'ContractOnly' },
    })
    expect(await counter(world.provider.deps, pid, { policy: PROMISE, contractOnly: true })).toMatchObject({
      ok: true,
    })
  })
})

describe('the proof of a partner', () => {
  const PROFILE = 'https://w3id.org/machine-data-policy/v1'
  const hour = 3_600_000

  it('never undoes what the operator decides at the same time', async () => {
    await open({ policy: DUTY })
    const { provider } = world
    const before = provider.partner()
    const blocking = provider.store().putPartner({ ...before, trust: 'blocked' })
    await Promise.all([blocking, noteProof(provider.deps, before, [PROFILE])])
    expect(provider.partner()).toMatchObject({ trust: 'blocked', dutiesProvenAt: NOW })
    await provider.store().removePartner(before.did)
    await noteProof(provider.deps, before, [PROFILE])
    expect(provider.store().partner(before.did)).toBeUndefined()
  })

  it('is written down when it changes and once an hour, not with each request', async () => {
    await open({ policy: DUTY })
    const { provider } = world
    const prove = async (profiles: readonly string[]) => {
      await noteProof(provider.deps, provider.partner(), profiles)
      return provider.partner().dutiesProvenAt
    }
    expect(await prove([])).toBeUndefined()
    expect(await prove([PROFILE])).toBe(NOW)
    world.forward(hour - 1)
    expect(await prove(['https://other.example/profile', PROFILE])).toBe(NOW)
    world.forward(1)
    expect(await prove([PROFILE])).toBe(NOW + hour)
    expect(await prove(['https://other.example/profile'])).toBeUndefined()
  })
})
