/** On the wire: offers that we make of our own accord, counter-offers and counter-requests in both roles, approval by people. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { type Answer, type Dataspace, enc, ended, type Member, startDataspace } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { asConsumer, asProvider, offering, type Pids, PUMP_OFFER, stateOf } from './parties.js'
import { introduce, message, type Peer, pidAtPeer, startPeer } from './peer.js'
import { publishTank } from './tank.js'

let space: Dataspace
let member: Member
let peer: Peer
let consumer: ReturnType<typeof asConsumer>
let provider: ReturnType<typeof asProvider>

beforeAll(async () => {
  space = await startDataspace([{ name: 'member', answerTimeoutMs: 2000 }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder, { open: {}, watched: { until: '2099-12-31' } })
  await member.api.patch('/api/v1/offers/watched', { approval: 'manual' })
  peer = await startPeer(space)
  await introduce(member, peer)
  consumer = asConsumer(peer, member)
  provider = asProvider(peer, member)
})
afterAll(async () => {
  expect(peer.violations).toEqual([])
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const stateAt = (pid: string) => stateOf(peer, member, pid)
const pathOf = (pid: string) => `/api/v1/negotiations/${enc(pid)}`
const show = (pid: string) => member.get(pathOf(pid))
const accepting = ({ providerPid, consumerPid }: Pids) =>
  peer.send(
    member,
    `/negotiations/${providerPid}/events`,
    message('ContractNegotiationEventMessage', { providerPid, consumerPid, eventType: 'ACCEPTED' }),
  )
const asking = ({ providerPid, consumerPid }: Pids, offer: JsonObject) =>
  peer.send(
    member,
    `/negotiations/${providerPid}/request`,
    message('ContractRequestMessage', { providerPid, consumerPid, offer }),
  )

/** Our offer, answered by the peer. */
async function offered(proposal: object = { offer: 'open' }): Promise<Pids & { readonly offer: JsonObject }> {
  const begun = await member.post('/api/v1/negotiations/offers', {
    partner: peer.did,
    dataset: 'tank',
    ...proposal,
  })
  const providerPid = String(begun.pid)
  const arrived = await peer.message('ContractOfferMessage', { providerPid })
  await ended(member, pathOf(providerPid), ['OFFERED'])
  return { providerPid, consumerPid: pidAtPeer(providerPid), offer: arrived.body.offer as JsonObject }
}

const limited = (offer: JsonObject, until: string): JsonObject => ({
  ...offer,
  permission: [
    {
      action: 'use',
      constraint: [{ leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: `${until}T00:00:00Z` }],
    },
  ],
})

const decided = async (pid: string, decision: string, body: object = {}): Promise<Answer> =>
  member.post(`${pathOf(pid)}/${decision}`, body)

const whole = async (pids: Pids): Promise<void> => {
  await peer.message('ContractAgreementMessage', { consumerPid: pids.consumerPid })
  expect((await consumer.verify(pids)).status).toBe(200)
  await peer.message('ContractNegotiationEventMessage', {
    consumerPid: pids.consumerPid,
    eventType: 'FINALIZED',
  })
  await waitFor(async () => (await stateAt(pids.providerPid)) === 'FINALIZED')
}

describe('an offer that we make', () => {
  it('goes to /negotiations/offers with a callbackAddress, and becomes a contract when it is accepted', async () => {
    const pids = await offered()
    const [arrived] = peer.messages('ContractOfferMessage', { providerPid: pids.providerPid })
    expect(arrived?.path).toBe('/partner/v1/dsp/negotiations/offers')
    expect(arrived?.body).toMatchObject({ callbackAddress: `${member.config.publicUrl}/dsp` })
    expect(arrived?.body).not.toHaveProperty('consumerPid')
    expect(pids.offer).toMatchObject({ '@type': 'Offer', '@id': 'open', target: 'tank' })
    expect(await stateAt(pids.providerPid)).toBe('OFFERED')
    expect(await show(pids.providerPid)).toMatchObject({
      waitingFor: 'partner',
      partnerPid: pids.consumerPid,
    })
    expect((await accepting(pids)).status).toBe(200)
    await whole(pids)
  })

  it('is accepted before its answer has come', async () => {
    peer.script((m) => (m.type === 'ContractOfferMessage' ? { instead: 'silence' } : undefined))
    const begun = await member.post('/api/v1/negotiations/offers', {
      partner: peer.did,
      dataset: 'tank',
      offer: 'open',
    })
    const providerPid = String(begun.pid)
    await peer.message('ContractOfferMessage', { providerPid })
    const pids = { providerPid, consumerPid: pidAtPeer(providerPid) }
    expect((await accepting(pids)).status).toBe(200)
    peer.script(() => undefined)
    await whole(pids)
    expect(peer.messages('ContractOfferMessage', { providerPid })).toHaveLength(1)
  })

  it('ends with the words of a partner that wants no offers', async () => {
    peer.script((m) =>
      m.type === 'ContractOfferMessage'
        ? {
            status: 400,
            body: message('ContractNegotiationError', {
              providerPid: '',
              consumerPid: '',
              code: 'No',
              reason: ['Ask us first.'],
            }),
          }
        : undefined,
    )
    const begun = await member.post('/api/v1/negotiations/offers', {
      partner: peer.did,
      dataset: 'tank',
      offer: 'open',
    })
    const end = await ended(member, pathOf(String(begun.pid)), ['TERMINATED'])
    peer.script(() => undefined)
    expect(end.reason).toBe('The partner answered 400: Ask us first. (No)')
  })

  it('cannot be verified or requested by somebody who does not own it', async () => {
    const pids = await offered()
    const stranger = await startPeer(space)
    await introduce(member, stranger)
    const body = message('ContractNegotiationEventMessage', {
      ...pids,
      offer: undefined,
      eventType: 'ACCEPTED',
    })
    const answer = await stranger.send(member, `/negotiations/${pids.providerPid}/events`, body)
    expect([answer.status, answer.json.code]).toEqual([404, 'NotFound'])
    await stranger[Symbol.asyncDispose]()
    expect(await stateAt(pids.providerPid)).toBe('OFFERED')
  })
})

describe('as provider, counter-requests', () => {
  it('for other terms wait for a person, who counters; the partner accepts', async () => {
    const pids = await offered({ terms: { until: '2030-12-31' } })
    expect((await asking(pids, limited(pids.offer, '2040-01-01'))).status).toBe(200)
    expect(await stateAt(pids.providerPid)).toBe('REQUESTED')
    expect(await show(pids.providerPid)).toMatchObject({ waitingFor: 'person', waitingBecause: 'terms' })
    // CN:03-04: a second one in REQUESTED is an error.
    const second = await asking(pids, limited(pids.offer, '2050-01-01'))
    expect([second.status, second.json['@type']]).toEqual([400, 'ContractNegotiationError'])

    await decided(pids.providerPid, 'counter', { terms: { until: '2035-12-31' } })
    const counter = await waitFor(() =>
      peer
        .messages('ContractOfferMessage', { consumerPid: pids.consumerPid })
        .find((one) => one.path.endsWith(`/negotiations/${pids.consumerPid}/offers`)),
    )
    expect(counter.body).not.toHaveProperty('callbackAddress')
    expect(counter.body.providerPid).toBe(pids.providerPid)
    await ended(member, pathOf(pids.providerPid), ['OFFERED'])
    expect((await accepting(pids)).status).toBe(200)
    await whole(pids)
    const [agreed] = peer.messages('ContractAgreementMessage', { consumerPid: pids.consumerPid })
    expect(JSON.stringify(agreed?.body.agreement)).toContain('2036-01-01T00:00:00Z')
  })

  it('statement 49: accepting what the consumer itself asked for is 400 with an error', async () => {
    const pids = await offered({ terms: { until: '2030-12-31' } })
    await asking(pids, limited(pids.offer, '2040-01-01'))
    const answer = await accepting(pids)
    expect([answer.status, answer.json['@type'], answer.json.code]).toEqual([
      400,
      'ContractNegotiationError',
      'InvalidTransition',
    ])
    expect(await stateAt(pids.providerPid)).toBe('REQUESTED')
  })

  it('that come twice are acknowledged twice and asked about once, also after a restart', async () => {
    const pids = await offered({ terms: { until: '2030-12-31' } })
    const body = limited(pids.offer, '2040-01-01')
    expect((await asking(pids, body)).status).toBe(200)
    await member.stop()
    await member.start()
    expect((await asking(pids, body)).status).toBe(200)
    const { timeline } = await show(pids.providerPid)
    const notes = (timeline as unknown as readonly { event: string }[]).filter(
      (one) => one.event === 'waits for a person',
    )
    expect(notes).toHaveLength(1)
    await decided(pids.providerPid, 'refuse', { reason: 'Until 2030 only.' })
    const ending = await peer.message('ContractNegotiationTerminationMessage', {
      consumerPid: pids.consumerPid,
    })
    expect([ending.body.code, ending.body.reason]).toEqual(['Refused', ['Until 2030 only.']])
  })
})

describe('manual approval of an offer', () => {
  it('leaves a request in REQUESTED until a person approves exactly it', async () => {
    const begun = await consumer.request(await consumer.offerFrom('tank', 'watched'))
    expect([begun.status, begun.json.state]).toEqual([201, 'REQUESTED'])
    expect(await stateAt(begun.providerPid)).toBe('REQUESTED')
    const shown = await show(begun.providerPid)
    expect(shown).toMatchObject({ waitingFor: 'person', waitingBecause: 'approval' })
    expect(await member.get('/api/v1/status')).toMatchObject({ waitingForPerson: expect.any(Number) })
    await decided(begun.providerPid, 'approve', { offerHash: shown.offerHash })
    await whole(begun)
  })
})

describe('as consumer', () => {
  it('asks for other terms than offered, with the pid of the provider and without a callbackAddress', async () => {
    peer.script(offering())
    const asked = await provider.asked()
    await ended(member, asked.path, ['REQUESTED'])
    const changed = limited(asked.offer, '2031-01-01')
    const offerMessage = message('ContractOfferMessage', {
      providerPid: asked.providerPid,
      consumerPid: asked.consumerPid,
      offer: changed,
    })
    expect((await peer.send(member, `/negotiations/${asked.consumerPid}/offers`, offerMessage)).status).toBe(
      200,
    )
    const waiting = await show(asked.consumerPid)
    expect(waiting).toMatchObject({ waitingFor: 'person', waitingBecause: 'offer' })
    expect((waiting.changes as unknown as readonly { en: string }[]).map(({ en }) => en)).toContain(
      'New: Use is allowed until the end of 31 December 2030 (UTC).',
    )
    expect(waiting.comparison).toMatchObject({ against: 'asked' })
    await decided(asked.consumerPid, 'counter', { terms: { until: '2032-12-31' } })
    const counter = await waitFor(() =>
      peer
        .messages('ContractRequestMessage', { consumerPid: asked.consumerPid })
        .find((one) => 'providerPid' in one.body),
    )
    expect(counter.path).toBe(`/partner/v1/dsp/negotiations/${asked.providerPid}/request`)
    expect(counter.body).not.toHaveProperty('callbackAddress')
    const offer = counter.body.offer as JsonObject
    expect(offer['@id']).toBe(PUMP_OFFER['@id'])
    await ended(member, asked.path, ['REQUESTED'])
    expect((await provider.agree(asked, provider.agreementOn(offer))).status).toBe(200)
    await peer.message('ContractAgreementVerificationMessage', { consumerPid: asked.consumerPid })
    expect((await provider.finalize(asked)).status).toBe(200)
    expect(await stateAt(asked.consumerPid)).toBe('FINALIZED')
  })
})
