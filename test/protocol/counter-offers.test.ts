/** Offers that a provider begins with and offers that are countered, on the wire, in both roles. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { type Answer, enc, ended } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { newPid, offering, type Pids, PUMP_OFFER, stateOf } from './parties.js'
import { message, pidAtPeer, type Received, type Reply } from './peer.js'
import { openScene, type Scene } from './scene.js'

let scene: Scene
let member: Scene['member']
let peer: Scene['peer']
let consumer: Scene['consumer']
let provider: Scene['provider']

beforeAll(async () => {
  scene = await openScene({ open: {} }, offering(undefined, opened))
  ;({ member, peer, consumer, provider } = scene)
})
afterAll(() => scene[Symbol.asyncDispose]())

/** DSP 2025-1, Contract Negotiation HTTPS Binding: a first offer is answered 201 with the negotiation. */
function opened({ type, path, body }: Received): Reply | undefined {
  if (type !== 'ContractOfferMessage' || !path.endsWith('/negotiations/offers')) return undefined
  const pids = { providerPid: body.providerPid, consumerPid: pidAtPeer(body.providerPid) }
  return { status: 201, body: message('ContractNegotiation', { ...pids, state: 'OFFERED' }) }
}

/** The same, until a day: terms that nobody has published. */
const dated = (offer: JsonObject, day = '2099-01-01'): JsonObject => ({
  ...offer,
  '@id': newPid(),
  permission: [
    {
      action: 'use',
      constraint: [{ leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: `${day}T00:00:00Z` }],
    },
  ],
})
const both = ({ providerPid, consumerPid }: Pids) => ({ providerPid, consumerPid })
const view = (pid: string): Promise<Answer> => member.get(`/api/v1/negotiations/${enc(pid)}`)
const reached = (pid: string, state: string) =>
  waitFor(
    async () => (await stateOf(peer, member, pid)) === state && (await view(pid)).pending === undefined,
    { what: `${pid} to be ${state}` },
  )

describe('as provider', () => {
  /** Our connector offers the tank; the peer has acknowledged. */
  const offered = async (): Promise<Pids & { readonly first: Received; readonly offer: JsonObject }> => {
    const begun = await member.post('/api/v1/negotiations/offers', {
      partner: peer.did,
      dataset: 'tank',
      offer: 'open',
    })
    const providerPid = String(begun.pid)
    const first = await peer.message('ContractOfferMessage', { providerPid })
    await reached(providerPid, 'OFFERED')
    return { providerPid, consumerPid: pidAtPeer(providerPid), first, offer: first.body.offer as JsonObject }
  }
  const counterRequest = (pids: Pids, offer: JsonObject) =>
    peer.send(
      member,
      `/negotiations/${pids.providerPid}/request`,
      message('ContractRequestMessage', { ...both(pids), offer }),
    )
  const accept = (pids: Pids) =>
    peer.send(
      member,
      `/negotiations/${pids.providerPid}/events`,
      message('ContractNegotiationEventMessage', { ...both(pids), eventType: 'ACCEPTED' }),
    )

  it('opens a negotiation with an offer that brings its pid and its callbackAddress, and is accepted', async () => {
    const { first, ...pids } = await offered()
    const { providerPid, consumerPid } = pids
    expect(first.path).toBe('/partner/v1/dsp/negotiations/offers')
    expect(first.body).toMatchObject({ callbackAddress: `${member.config.publicUrl}/dsp` })
    expect(first.body).not.toHaveProperty('consumerPid')
    expect(pids.offer).toMatchObject({ '@id': 'open', '@type': 'Offer', target: 'tank' })
    const accepted = await accept(pids)
    expect([accepted.status, accepted.text]).toEqual([200, ''])
    const { body } = await peer.message('ContractAgreementMessage', { providerPid, consumerPid })
    const { target, assigner, assignee } = body.agreement as JsonObject
    expect([target, assigner, assignee]).toEqual(['tank', member.did, peer.did])
    expect((await consumer.verify(pids)).status).toBe(200)
    await peer.message('ContractNegotiationEventMessage', { consumerPid, eventType: 'FINALIZED' })
    await reached(providerPid, 'FINALIZED')
  })

  it('agrees when the consumer answers the offer with a request for what is published', async () => {
    const { offer, ...pids } = await offered()
    const answer = await counterRequest(pids, offer)
    expect([answer.status, answer.text]).toEqual([200, ''])
    await peer.message('ContractAgreementMessage', both(pids))
    await reached(pids.providerPid, 'AGREED')
  })

  it('refuses that a consumer accepts what it has asked for itself, with 400 and nothing changed', async () => {
    const { offer, ...pids } = await offered()
    expect((await counterRequest(pids, dated(offer))).status).toBe(200)
    await reached(pids.providerPid, 'REQUESTED')
    const { timeline: _, ...before } = await view(pids.providerPid)
    const answer = await accept(pids)
    expect([answer.status, answer.json]).toMatchObject([
      400,
      { '@type': 'ContractNegotiationError', code: 'InvalidTransition', ...both(pids) },
    ])
    const { timeline, ...after } = await view(pids.providerPid)
    expect(after).toEqual(before)
    expect((timeline as unknown as readonly Answer[]).at(-1)).toMatchObject({ result: 'refused' })
    expect(peer.messages('ContractAgreementMessage', both(pids))).toEqual([])
  })

  it('refuses a request for another dataset than the negotiation is about, and stays where it was', async () => {
    const { offer, ...pids } = await offered()
    const answer = await counterRequest(pids, { ...offer, target: 'other' })
    expect([answer.status, answer.json]).toMatchObject([
      400,
      {
        '@type': 'ContractNegotiationError',
        code: 'OfferDiffers',
        reason: ['The target of the offer is not the dataset that this negotiation is about.'],
      },
    ])
    expect(await stateOf(peer, member, pids.providerPid)).toBe('OFFERED')
  })

  it('counters with an offer in the same negotiation, which is accepted or asked about again', async () => {
    const { offer, ...pids } = await offered()
    await counterRequest(pids, dated(offer))
    await reached(pids.providerPid, 'REQUESTED')
    const path = `/api/v1/negotiations/${enc(pids.providerPid)}`
    await member.post(`${path}/counter`, { terms: { until: '2098-12-31' } })
    const second = await peer.message('ContractOfferMessage', both(pids))
    expect(second.path).toBe(`/partner/v1/dsp/negotiations/${pids.consumerPid}/offers`)
    expect(second.body).not.toHaveProperty('callbackAddress')
    const countered = second.body.offer as JsonObject
    expect(countered).toMatchObject({ target: 'tank' })
    expect(countered['@id']).not.toBe(offer['@id'])
    expect(JSON.stringify(countered.permission)).toContain('2099-01-01')
    await reached(pids.providerPid, 'OFFERED')
    expect((await accept(pids)).status).toBe(200)
    const agreed = await peer.message('ContractAgreementMessage', both(pids))
    expect((agreed.body.agreement as JsonObject).permission).toEqual(countered.permission)
  })
})

describe('as consumer', () => {
  it('refuses an offer of another dataset than the negotiation is about, and stays where it was', async () => {
    const asked = await provider.asked()
    await ended(member, asked.path, ['REQUESTED'])
    const offer = { ...dated(asked.offer), target: 'other' }
    const answer = await peer.send(
      member,
      `/negotiations/${asked.consumerPid}/offers`,
      message('ContractOfferMessage', { ...both(asked), offer }),
    )
    expect([answer.status, answer.json.code]).toEqual([400, 'OfferDiffers'])
    expect(await stateOf(peer, member, asked.consumerPid)).toBe('REQUESTED')
  })

  it('counters with a request in the same negotiation, and is bound to it alone', async () => {
    const asked = await provider.asked()
    await ended(member, asked.path, ['REQUESTED'])
    const theirs = dated(asked.offer)
    const countering = message('ContractOfferMessage', { ...both(asked), offer: theirs })
    expect((await peer.send(member, `/negotiations/${asked.consumerPid}/offers`, countering)).status).toBe(
      200,
    )
    await member.post(`${asked.path}/counter`, { terms: { until: '2098-12-31' } })
    const countered = await waitFor(
      () => peer.messages('ContractRequestMessage', { consumerPid: asked.consumerPid })[1],
    )
    expect(countered.path).toBe(`/partner/v1/dsp/negotiations/${asked.providerPid}/request`)
    expect(countered.body).toMatchObject(both(asked))
    expect(countered.body).not.toHaveProperty('callbackAddress')
    const ours = countered.body.offer as JsonObject
    expect(ours.target).toBe('pump')
    await reached(asked.consumerPid, 'REQUESTED')

    const old = await provider.agree(asked, provider.agreementOn(theirs))
    expect([old.status, old.json.code]).toEqual([400, 'AgreementDiffers'])
  })

  it('takes an agreement on the terms that it has countered with', async () => {
    const asked = await provider.asked()
    await ended(member, asked.path, ['REQUESTED'])
    const offer = dated({ ...PUMP_OFFER, target: 'pump' })
    await peer.send(
      member,
      `/negotiations/${asked.consumerPid}/offers`,
      message('ContractOfferMessage', { ...both(asked), offer }),
    )
    await member.post(`${asked.path}/counter`, { terms: { until: '2098-12-31' } })
    const countered = await waitFor(
      () => peer.messages('ContractRequestMessage', { consumerPid: asked.consumerPid })[1],
    )
    await reached(asked.consumerPid, 'REQUESTED')
    const agreement = provider.agreementOn(countered.body.offer as JsonObject)
    expect((await provider.agree(asked, agreement)).status).toBe(200)
    await peer.message('ContractAgreementVerificationMessage', { consumerPid: asked.consumerPid })
    expect((await provider.finalize(asked)).status).toBe(200)
    expect((await view(asked.consumerPid)).state).toBe('FINALIZED')
  })
})
