/** Offers and agreements as they stand in messages: what they name, once and at the top, and what must not be missing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { enc } from '../support/dataspace.js'
import { newPid, offering, PUMP_OFFER, pumpDataset, stateOf } from './parties.js'
import { message, type Sent } from './peer.js'
import { openScene, type Scene } from './scene.js'

const validate = createValidator()
let scene: Scene
let member: Scene['member']
let peer: Scene['peer']
let consumer: Scene['consumer']
let provider: Scene['provider']

beforeAll(async () => {
  scene = await openScene({ until: { until: '2099-12-31', samplingInterval: 'PT10S' } })
  ;({ member, peer, consumer, provider } = scene)
})
afterAll(() => scene[Symbol.asyncDispose]())

function refused(answer: Sent): readonly [code: unknown, reason: string] {
  expect([answer.status, answer.text]).toEqual([400, answer.text])
  expect(validate('ContractNegotiationError', answer.json, 'outgoing')).toMatchObject({ ok: true })
  return [answer.json.code, (answer.json.reason as readonly string[]).join(' ')]
}
/** The policy with a target in its first rule. */
const withTargetInside = (policy: JsonObject, target: string): JsonObject => {
  const [rule, ...rules] = policy.permission as readonly JsonObject[]
  return { ...policy, permission: [{ ...rule, target }, ...rules] }
}
const without = (policy: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(policy).filter(([name]) => name !== key))

describe('an offer', () => {
  it('of ours names the dataset as its target, and no rule in it names one', async () => {
    const rules: JsonObject = {
      ...PUMP_OFFER,
      permission: [
        {
          action: 'use',
          constraint: [
            { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2099-01-01T00:00:00Z' },
          ],
        },
      ],
    }
    peer.script(offering(pumpDataset([rules])))
    const { offer } = await provider.asked()
    expect(offer).toEqual({ ...rules, target: 'pump' })
    expect(JSON.stringify(offer).match(/"target"/g)).toHaveLength(1)
    peer.script(offering())
  })

  it('without a target is refused, in a request and in an offer message', async () => {
    const asked = await consumer.request(without(await consumer.offerFrom(), 'target'))
    expect(refused(asked)).toEqual([
      'InvalidMessage',
      'ContractRequestMessage is not valid: offer.target is missing.',
    ])
    const fields = { providerPid: newPid(), callbackAddress: peer.address, offer: PUMP_OFFER }
    const offered = await peer.send(member, '/negotiations/offers', message('ContractOfferMessage', fields))
    expect(refused(offered)).toEqual([
      'InvalidMessage',
      'ContractOfferMessage is not valid: offer.target is missing.',
    ])
  })

  it('with a target in a rule is refused', async () => {
    const offer = await consumer.offerFrom()
    for (const target of ['tank', 'other']) {
      expect(refused(await consumer.request(withTargetInside(offer, target)))).toEqual([
        'InvalidMessage',
        'ContractRequestMessage is not valid: offer.permission[0].target must not be given: the target stands at the policy.',
      ])
    }
    expect(peer.messages('ContractAgreementMessage')).toEqual([])
  })

  it('gets an id that is an IRI of its own unless the operator gives it one', async () => {
    const added = await member.post('/api/v1/datasets/tank/offers', { terms: {} })
    expect(added.id).toMatch(/^urn:uuid:[0-9a-f-]{36}$/)
    await member.api.delete(`/api/v1/offers/${enc(String(added.id))}`)
  })
})

describe('an agreement', () => {
  it('of ours names both processes, itself, one dataset, both parties and the time of its conclusion', async () => {
    const before = Date.now()
    const { arrived, agreement, offer, providerPid, consumerPid } = await consumer.agreed()
    expect(arrived.body).toMatchObject({ '@type': 'ContractAgreementMessage', providerPid, consumerPid })
    const { '@id': id, timestamp, ...rest } = agreement
    expect(id).toMatch(/^urn:uuid:[0-9a-f-]{36}$/)
    expect(id).not.toBe(offer['@id'])
    // xsd:dateTime, with an offset so that nobody has to guess.
    expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
    const at = Date.parse(String(timestamp))
    expect(at).toBeGreaterThanOrEqual(before - 1000)
    expect(at).toBeLessThanOrEqual(Date.now())
    expect(rest).toEqual({
      '@type': 'Agreement',
      target: 'tank',
      assigner: member.did,
      assignee: peer.did,
      profile: offer.profile,
      permission: offer.permission,
    })
    expect(JSON.stringify(agreement).match(/"target"/g)).toHaveLength(1)
  })

  it.each([
    '@id',
    '@type',
    'target',
    'timestamp',
    'assigner',
    'assignee',
  ])('without %s is refused as no valid message, and nothing has changed', async (key) => {
    const asked = await provider.asked()
    const whole = provider.agreementOn(asked.offer)
    const answer = await provider.agree(asked, without(whole, key))
    expect(refused(answer)).toEqual([
      'InvalidMessage',
      `ContractAgreementMessage is not valid: agreement.${key} is missing.`,
    ])
    expect((await provider.agree(asked, whole)).status).toBe(200)
    await peer.message('ContractAgreementVerificationMessage', { consumerPid: asked.consumerPid })
  })

  it('about two datasets, or with a time that is none, is refused as no valid message', async () => {
    const asked = await provider.asked()
    for (const changes of [{ target: ['pump', 'other'] }, { timestamp: 'yesterday' }, { timestamp: 0 }]) {
      const answer = await provider.agree(asked, provider.agreementOn(asked.offer, changes as JsonObject))
      expect(refused(answer)[0]).toBe('InvalidMessage')
    }
    expect(await stateOf(peer, member, asked.consumerPid)).toBe('REQUESTED')
  })

  it('with a target in a rule is refused', async () => {
    const asked = await provider.asked()
    const answer = await provider.agree(asked, withTargetInside(provider.agreementOn(asked.offer), 'other'))
    expect(refused(answer)).toEqual([
      'InvalidMessage',
      'ContractAgreementMessage is not valid: agreement.permission[0].target must not be given: the target stands at the policy.',
    ])
  })
})
