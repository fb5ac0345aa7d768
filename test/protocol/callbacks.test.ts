/** Where our messages go: below whatever address a partner gives, in both roles and for every kind of message. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enc } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { newPid, PUMP_OFFER, stateOf } from './parties.js'
import { message } from './peer.js'
import { openScene, type Scene } from './scene.js'

let scene: Scene
let member: Scene['member']
let peer: Scene['peer']
let consumer: Scene['consumer']
let provider: Scene['provider']

beforeAll(async () => {
  scene = await openScene()
  ;({ member, peer, consumer, provider } = scene)
})
afterAll(() => scene[Symbol.asyncDispose]())

const pathsOf = (pid: string): readonly string[] =>
  peer.received.filter(({ path, method }) => method === 'POST' && path.includes(pid)).map(({ path }) => path)
const operator = (kind: 'negotiations' | 'transfers', pid: string, move: string) =>
  member.post(`/api/v1/${kind}/${enc(pid)}/${move}`, { reason: 'The operator wants it so.' })

describe.each([
  ['without a path', '', ''],
  ['with a slash at its end', '/', ''],
  ['with a path', '/a/b', '/a/b'],
  ['with a path and slashes at its end', '/dsp/of%20the%20plant//', '/dsp/of%20the%20plant'],
])('a callbackAddress %s', (_what, given, prefix) => {
  const callbackAddress = () => `${peer.publicUrl}${given}`

  it('is where a consumer gets everything about its negotiation', async () => {
    const consumerPid = newPid()
    const offer = await consumer.offerFrom()
    const begun = await consumer.request(offer, consumerPid, { callbackAddress: callbackAddress() })
    await peer.message('ContractAgreementMessage', { consumerPid })
    await consumer.verify(begun)
    await peer.message('ContractNegotiationEventMessage', { consumerPid })
    expect(pathsOf(consumerPid)).toEqual([
      `${prefix}/negotiations/${consumerPid}/agreement`,
      `${prefix}/negotiations/${consumerPid}/events`,
    ])
    const other = newPid()
    const ending = await consumer.request(offer, other, { callbackAddress: callbackAddress() })
    await waitFor(async () => (await stateOf(peer, member, ending.providerPid)) === 'AGREED')
    await operator('negotiations', ending.providerPid, 'terminate')
    const ended = await peer.message('ContractNegotiationTerminationMessage', { consumerPid: other })
    expect(ended.path).toBe(`${prefix}/negotiations/${other}/termination`)
  })

  it('is where a provider gets everything about the negotiation that it began', async () => {
    const providerPid = newPid()
    const offer = { ...PUMP_OFFER, target: 'pump' }
    const begun = await peer.send(
      member,
      '/negotiations/offers',
      message('ContractOfferMessage', { providerPid, offer, callbackAddress: callbackAddress() }),
    )
    const consumerPid = String(begun.json.consumerPid)
    await member.post(`/api/v1/negotiations/${enc(consumerPid)}/accept`)
    await peer.message('ContractNegotiationEventMessage', { providerPid, eventType: 'ACCEPTED' })
    await provider.agree({ providerPid, consumerPid }, provider.agreementOn(offer))
    await peer.message('ContractAgreementVerificationMessage', { providerPid })
    await waitFor(async () => (await stateOf(peer, member, consumerPid)) === 'VERIFIED')
    await operator('negotiations', consumerPid, 'terminate')
    await peer.message('ContractNegotiationTerminationMessage', { providerPid })
    expect(pathsOf(providerPid)).toEqual([
      `${prefix}/negotiations/${providerPid}/events`,
      `${prefix}/negotiations/${providerPid}/agreement/verification`,
      `${prefix}/negotiations/${providerPid}/termination`,
    ])
  })

  it('is where a consumer gets everything about its transfer', async () => {
    const consumerPid = newPid()
    const agreementId = await consumer.contract()
    const more = { callbackAddress: callbackAddress() }
    const begun = await consumer.requestTransfer(agreementId, consumerPid, more)
    const reached = (state: string) =>
      waitFor(async () => (await stateOf(peer, member, begun.providerPid, 'transfers')) === state)
    await reached('STARTED')
    await operator('transfers', begun.providerPid, 'suspend')
    await reached('SUSPENDED')
    await operator('transfers', begun.providerPid, 'resume')
    await reached('STARTED')
    await operator('transfers', begun.providerPid, 'complete')
    await reached('COMPLETED')
    expect(pathsOf(consumerPid)).toEqual(
      ['start', 'suspension', 'start', 'completion'].map(
        (end) => `${prefix}/transfers/${consumerPid}/${end}`,
      ),
    )
  })
})

it('refuses a callbackAddress that it does not understand, for each message that brings one, and begins nothing', async () => {
  const agreementId = await consumer.contract()
  const offer = await consumer.offerFrom()
  const before = [
    (await member.get('/api/v1/negotiations')).negotiations,
    (await member.get('/api/v1/transfers')).transfers,
  ]
  const cases: readonly (readonly [string, string])[] = [
    ['nowhere', 'it is not an absolute URL'],
    ['/dsp', 'it is not an absolute URL'],
    ['//partner.example.com/dsp', 'it is not an absolute URL'],
    ['http://partner.example.com/dsp', 'it must begin with https://'],
    ['mqtts://partner.example.com/dsp', 'it must begin with https://'],
    ['file:///etc/passwd', 'it must begin with https://'],
    ['urn:uuid:partner', 'it must begin with https://'],
    ['https://me:secret@partner.example.com/', 'it must not contain a user name or password'],
    ['https://partner.example.com/dsp?tenant=1', 'it must not contain a query or a fragment'],
    ['https://partner.example.com/dsp#top', 'it must not contain a query or a fragment'],
  ]
  for (const [callbackAddress, why] of cases) {
    const opening: readonly (readonly [string, string, object])[] = [
      ['/negotiations/request', 'ContractRequestMessage', { consumerPid: newPid(), offer }],
      ['/negotiations/offers', 'ContractOfferMessage', { providerPid: newPid(), offer }],
      [
        '/transfers/request',
        'TransferRequestMessage',
        { consumerPid: newPid(), agreementId, format: 'HttpData-PULL' },
      ],
    ]
    for (const [path, type, fields] of opening) {
      const answer = await peer.send(member, path, message(type, { ...fields, callbackAddress }))
      expect([path, answer.status, answer.json.code, answer.json.reason]).toEqual([
        path,
        400,
        'CallbackRefused',
        [`The callbackAddress cannot be used: ${why}.`],
      ])
    }
  }
  const after = [
    (await member.get('/api/v1/negotiations')).negotiations,
    (await member.get('/api/v1/transfers')).transfers,
  ]
  expect(after).toEqual(before)
})

it('gives an https address below which its own callbacks are found, for each message that brings one', async () => {
  await provider.transferAsked(await provider.contract())
  const brought = peer.received.map(({ body }) => body.callbackAddress).filter((one) => one !== undefined)
  expect(brought.length).toBeGreaterThan(1)
  expect(new Set(brought)).toEqual(new Set([`${member.config.publicUrl}/dsp`]))
  expect(member.config.publicUrl).toMatch(/^https:/)
})
