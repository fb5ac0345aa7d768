/** A foreign provider whose offer this connector does not fully understand: a person answers for it, or there is no contract. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { enc, ended, pullLines } from '../support/dataspace.js'
import { dataAddress, newPid, offering, pumpDataset } from './parties.js'
import { message, pidAtPeer } from './peer.js'
import { openScene, type Scene } from './scene.js'

const NS = 'https://foreign.example/ns#'
const HUMID = { leftOperand: `${NS}humidity`, operator: 'lteq', rightOperand: '40' }
const STRANGE: JsonObject = {
  '@id': 'strange-offer',
  '@type': 'Offer',
  permission: [{ action: 'use', constraint: [HUMID] }],
  obligation: [{ action: `${NS}settle` }],
}

let scene: Scene
beforeAll(async () => {
  scene = await openScene(undefined, offering(pumpDataset([STRANGE])))
})
afterAll(() => scene[Symbol.asyncDispose]())

const start = (more: object) => ({ partner: scene.peer.did, dataset: 'pump', ...more })
const termsRead = async (): Promise<string> => {
  const { offers } = (await scene.member.get(
    `/api/v1/partners/${enc(scene.peer.did)}/catalog/pump`,
  )) as unknown as { readonly offers: readonly Record<string, unknown>[] }
  expect(offers).toMatchObject([
    { acceptable: false, notUnderstood: [`${NS}humidity`, `${NS}settle`], offerHash: expect.any(String) },
  ])
  return String(offers[0]?.offerHash)
}
const accepted = async () => {
  const offerHash = (await termsRead()).slice(0, 12)
  const begun = await scene.member.post(
    '/api/v1/negotiations',
    start({ offerHash, acceptNotUnderstood: true }),
  )
  const consumerPid = String(begun.pid)
  const arrived = await scene.peer.message('ContractRequestMessage', { consumerPid })
  const path = `/api/v1/negotiations/${enc(consumerPid)}`
  await ended(scene.member, path, ['REQUESTED'])
  return { consumerPid, providerPid: pidAtPeer(consumerPid), offer: arrived.body.offer as JsonObject, path }
}

it('is refused unless a person accepts exactly the terms that were read', async () => {
  const { member } = scene
  const hash = await termsRead()
  for (const more of [{}, { acceptNotUnderstood: true }, { offerHash: hash }, { offer: 'strange-offer' }]) {
    const why = await member.refused(member.api.post('/api/v1/negotiations', start(more)))
    expect(why.code).toBe('PolicyUnsupported')
    expect(why.message).toContain(`[${NS}humidity]`)
    expect(why.message).toContain(`[${NS}settle]`)
    expect(why.message).toContain(`${hash.slice(0, 12)} --accept-not-understood`)
  }
  const other = start({ offerHash: '0'.repeat(12), acceptNotUnderstood: true })
  expect((await member.refused(member.api.post('/api/v1/negotiations', other))).code).toBe('Conflict')
  expect(scene.peer.messages('ContractRequestMessage')).toEqual([])
})

it('becomes a contract that a person accepted, over a restart; it says so, and its data flows', async () => {
  const { member, peer, provider } = scene
  const pids = await accepted()
  await member.stop()
  await member.start()
  const agreement = provider.agreementOn(pids.offer)
  expect((await provider.agree(pids, agreement)).status).toBe(200)
  await peer.message('ContractAgreementVerificationMessage', { consumerPid: pids.consumerPid })
  expect((await provider.finalize(pids)).status).toBe(200)
  expect((await member.get(pids.path)).state).toBe('FINALIZED')
  const id = String(agreement['@id'])
  const contract = await member.get(`/api/v1/contracts/${enc(id)}`)
  expect(contract).toMatchObject({ status: 'active', tier: { number: 3 } })
  const unread = { en: 'not understood by this connector; agreed by contract only' }
  expect(contract.clauses).toMatchObject([{}, { enforcement: unread }, { enforcement: unread }])
  expect(JSON.stringify(contract.clauses)).toContain(`${NS}humidity`)

  const transfer = await provider.transferAsked(id)
  await ended(member, transfer.path, ['REQUESTED'])
  const begins = message('TransferStartMessage', {
    providerPid: transfer.providerPid,
    consumerPid: transfer.consumerPid,
    dataAddress: dataAddress(`${peer.publicUrl}/data/1`),
  })
  expect((await peer.send(member, `/transfers/${transfer.consumerPid}/start`, begins)).status).toBe(200)
  const before = offering(pumpDataset([STRANGE]))
  peer.script((m) =>
    m.path.startsWith('/data/')
      ? { body: '{"id":"1","level":1}\n', headers: { 'content-type': 'application/x-ndjson' } }
      : before(m),
  )
  expect((await pullLines(member, transfer.consumerPid)).lines).toEqual(['{"id":"1","level":1}'])
})

it('binds the provider: one more term that is not understood ends the negotiation', async () => {
  const { member, peer, provider } = scene
  const pids = await accepted()
  const more = { obligation: [{ action: `${NS}settle` }, { action: `${NS}bow` }] }
  const answer = await provider.agree(pids, provider.agreementOn(pids.offer, more))
  expect([answer.status, answer.json.code]).toEqual([400, 'AgreementDiffers'])
  await peer.message('ContractNegotiationTerminationMessage', { consumerPid: pids.consumerPid })
  expect((await member.get(pids.path)).state).toBe('TERMINATED')
})

it('waits for a person and says so when the provider begins', async () => {
  const { member, peer, provider } = scene
  const providerPid = newPid()
  const body = message('ContractOfferMessage', {
    providerPid,
    callbackAddress: peer.address,
    offer: { ...STRANGE, '@id': 'for-you', target: 'pump' },
  })
  const consumerPid = String((await peer.send(member, '/negotiations/offers', body)).json.consumerPid)
  const path = `/api/v1/negotiations/${enc(consumerPid)}`
  const shown = await member.get(path)
  expect(shown).toMatchObject({
    waitingFor: 'person',
    waitingBecause: 'offer',
    waitingDetail: expect.stringContaining(`[${NS}humidity]`),
    terms: { acceptable: false, problem: expect.stringContaining('negotiation accept') },
  })
  const { offerHash } = shown
  const why = await member.refused(member.api.post(`${path}/accept`, { offerHash }))
  expect(why.code).toBe('PolicyUnsupported')
  expect((await member.get(path)).state).toBe('OFFERED')
  await member.post(`${path}/accept`, { offerHash, acceptNotUnderstood: true })
  await peer.message('ContractNegotiationEventMessage', { providerPid, eventType: 'ACCEPTED' })
  const agreement = provider.agreementOn({ ...STRANGE, '@id': 'for-you', target: 'pump' })
  expect((await provider.agree({ providerPid, consumerPid }, agreement)).status).toBe(200)
  await peer.message('ContractAgreementVerificationMessage', { consumerPid })
})
