/** The end is the end: every message in every terminal state, in both roles, whoever brought it about. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createValidator } from '../../connector/dsp/validate.js'
import { type Answer, enc } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { newPid, type Pids, PUMP_OFFER, stateOf } from './parties.js'
import { message, type Sent } from './peer.js'
import { openScene, type Scene } from './scene.js'

const validate = createValidator()
let tankContract: string
let pumpContract: string
let scene: Scene
let member: Scene['member']
let peer: Scene['peer']
let consumer: Scene['consumer']
let provider: Scene['provider']

beforeAll(async () => {
  scene = await openScene()
  ;({ member, peer, consumer, provider } = scene)
  tankContract = await consumer.contract()
  pumpContract = await provider.contract()
})
afterAll(() => scene[Symbol.asyncDispose]())

type Kind = 'negotiations' | 'transfers'
type Process = Pids & { readonly own: string }

const both = ({ providerPid, consumerPid }: Pids) => ({ providerPid, consumerPid })
/** No two messages are the same bytes, so that none is taken for one that comes again. */
const fresh = () => ({ 'https://example.com/ns#nonce': newPid() })
const post = (kind: Kind, path: string, type: string, fields: object): Promise<Sent> =>
  peer.send(member, `/${kind}/${path}`, message(type, { ...fresh(), ...fields }))

/** Wrong in itself: the state is what is looked at first. */
const offer = { ...PUMP_OFFER, '@id': 'another', target: 'elsewhere' }
const negotiation = (own: string, path: string, type: string, fields: object) =>
  post('negotiations', `${own}/${path}`, type, fields)
const transfer = (own: string, path: string, type: string, fields: object) =>
  post('transfers', `${own}/${path}`, type, fields)

/** Every message about a negotiation that exists. Those of the other side's paths are not found at all. */
const NEGOTIATION: Readonly<Record<string, (p: Process) => Promise<Sent>>> = {
  'counter-request': (p) => negotiation(p.own, 'request', 'ContractRequestMessage', { ...both(p), offer }),
  'counter-offer': (p) => negotiation(p.own, 'offers', 'ContractOfferMessage', { ...both(p), offer }),
  agreement: (p) =>
    negotiation(p.own, 'agreement', 'ContractAgreementMessage', {
      ...both(p),
      agreement: provider.agreementOn(offer),
    }),
  verification: (p) =>
    negotiation(p.own, 'agreement/verification', 'ContractAgreementVerificationMessage', both(p)),
  ACCEPTED: (p) =>
    negotiation(p.own, 'events', 'ContractNegotiationEventMessage', { ...both(p), eventType: 'ACCEPTED' }),
  FINALIZED: (p) =>
    negotiation(p.own, 'events', 'ContractNegotiationEventMessage', { ...both(p), eventType: 'FINALIZED' }),
  termination: (p) => negotiation(p.own, 'termination', 'ContractNegotiationTerminationMessage', both(p)),
}
const TO_PROVIDER = ['counter-request', 'verification', 'ACCEPTED', 'FINALIZED', 'termination']
const TO_CONSUMER = ['counter-offer', 'agreement', 'ACCEPTED', 'FINALIZED', 'termination']

const TRANSFER: Readonly<Record<string, (p: Process) => Promise<Sent>>> = {
  start: (p) => transfer(p.own, 'start', 'TransferStartMessage', both(p)),
  suspension: (p) => transfer(p.own, 'suspension', 'TransferSuspensionMessage', both(p)),
  completion: (p) => transfer(p.own, 'completion', 'TransferCompletionMessage', both(p)),
  termination: (p) => transfer(p.own, 'termination', 'TransferTerminationMessage', both(p)),
}

const viewOf = (kind: Kind, own: string): Promise<Answer> => member.get(`/api/v1/${kind}/${enc(own)}`)
const reached = async (kind: Kind, own: string, state: string): Promise<void> => {
  await waitFor(async () => (await stateOf(peer, member, own, kind)) === state, { what: `${own} ${state}` })
  await waitFor(async () => (await viewOf(kind, own)).pending === undefined, { what: `${own} to be settled` })
}

/** Everything but what the timeline says about refused messages. */
const apart = ({ timeline, ...rest }: Answer): object => ({
  ...rest,
  timeline: (timeline as unknown as readonly Answer[]).filter(({ result }) => result !== 'refused'),
})

/** Each message is refused with the error and both pids, and nothing at all has changed. */
async function refusesAll(
  kind: Kind,
  state: string,
  process: Process,
  messages: Readonly<Record<string, (p: Process) => Promise<Sent>>>,
  names: readonly string[],
): Promise<void> {
  await reached(kind, process.own, state)
  const before = await viewOf(kind, process.own)
  const sent = peer.received.length
  const error = kind === 'transfers' ? 'TransferError' : 'ContractNegotiationError'
  for (const name of names) {
    const answer = await messages[name]?.(process)
    expect([name, answer?.status, answer?.json.code]).toEqual([name, 400, 'InvalidTransition'])
    expect([name, validate(error, answer?.json, 'outgoing')]).toMatchObject([name, { ok: true }])
    expect(answer?.json).toMatchObject(both(process))
  }
  expect(apart(await viewOf(kind, process.own))).toEqual(apart(before))
  expect(peer.received.slice(sent)).toEqual([])
}

const operator = (kind: Kind, own: string, move: string) =>
  member.post(`/api/v1/${kind}/${enc(own)}/${move}`, { reason: 'It is over.' })
const sold = async (): Promise<Process> => {
  const agreed = await consumer.agreed()
  await waitFor(async () => (await stateOf(peer, member, agreed.providerPid)) === 'AGREED')
  return { ...both(agreed), own: agreed.providerPid }
}
const bought = async (): Promise<Process> => {
  const asked = await provider.asked()
  await waitFor(async () => (await viewOf('negotiations', asked.consumerPid)).pending === undefined)
  return { ...both(asked), own: asked.consumerPid }
}

describe('a negotiation as provider takes no message any more', () => {
  it('when it is FINALIZED', async () => {
    const process = await sold()
    await consumer.verify(process)
    await refusesAll('negotiations', 'FINALIZED', process, NEGOTIATION, TO_PROVIDER)
  })
  it('when the consumer has terminated it', async () => {
    const process = await sold()
    expect((await NEGOTIATION.termination?.(process))?.status).toBe(200)
    await refusesAll('negotiations', 'TERMINATED', process, NEGOTIATION, TO_PROVIDER)
  })
  it('when we have terminated it', async () => {
    const process = await sold()
    await operator('negotiations', process.own, 'terminate')
    await refusesAll('negotiations', 'TERMINATED', process, NEGOTIATION, TO_PROVIDER)
  })
})

describe('a negotiation as consumer takes no message any more', () => {
  it('when it is FINALIZED', async () => {
    const asked = await provider.asked()
    await provider.agree(asked, provider.agreementOn(asked.offer))
    await peer.message('ContractAgreementVerificationMessage', { consumerPid: asked.consumerPid })
    await provider.finalize(asked)
    const process = { ...both(asked), own: asked.consumerPid }
    await refusesAll('negotiations', 'FINALIZED', process, NEGOTIATION, TO_CONSUMER)
  })
  it('when the provider has terminated it', async () => {
    const process = await bought()
    expect((await NEGOTIATION.termination?.(process))?.status).toBe(200)
    await refusesAll('negotiations', 'TERMINATED', process, NEGOTIATION, TO_CONSUMER)
  })
  it('when we have terminated it', async () => {
    const process = await bought()
    await operator('negotiations', process.own, 'terminate')
    await refusesAll('negotiations', 'TERMINATED', process, NEGOTIATION, TO_CONSUMER)
  })
})

const given = async (): Promise<Process> => {
  const started = await consumer.started(tankContract)
  await reached('transfers', started.providerPid, 'STARTED')
  return { ...both(started), own: started.providerPid }
}
const taken = async (): Promise<Process> => {
  const asked = await provider.transferAsked(pumpContract)
  const process = { ...both(asked), own: asked.consumerPid }
  await reached('transfers', process.own, 'REQUESTED')
  expect((await TRANSFER.start?.(process))?.status).toBe(200)
  return process
}

describe.each([
  ['provider', given],
  ['consumer', taken],
] as const)('a transfer as %s takes no message any more', (_role, begun) => {
  it.each([
    ['COMPLETED', 'completion'],
    ['TERMINATED', 'termination'],
  ] as const)('when the partner has made it %s', async (state, last) => {
    const process = await begun()
    expect((await TRANSFER[last]?.(process))?.status).toBe(200)
    await refusesAll('transfers', state, process, TRANSFER, Object.keys(TRANSFER))
  })
  it.each([
    ['COMPLETED', 'complete'],
    ['TERMINATED', 'terminate'],
  ] as const)('when we have made it %s', async (state, move) => {
    const process = await begun()
    await operator('transfers', process.own, move)
    await refusesAll('transfers', state, process, TRANSFER, Object.keys(TRANSFER))
  })
})

describe('a pid', () => {
  it('of ours is an IRI that was never used before, for negotiations, agreements, transfers and offers alike', async () => {
    const seen: string[] = []
    for (let i = 0; i < 5; i++) {
      const agreed = await consumer.agreed()
      const asked = await provider.asked()
      seen.push(agreed.providerPid, String(agreed.agreement['@id']), asked.consumerPid)
      seen.push((await consumer.requestTransfer(tankContract)).providerPid)
      seen.push((await provider.transferAsked(pumpContract)).consumerPid)
      const added = await member.post('/api/v1/datasets/tank/offers', { terms: {} })
      seen.push(String(added.id))
    }
    for (const id of seen) expect(id).toMatch(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(new Set(seen).size).toBe(30)
  })

  it('of a consumer names the same negotiation for ever, also after its end: nothing begins anew', async () => {
    const asked = await consumer.offerFrom()
    const consumerPid = newPid()
    const first = await consumer.request(asked, consumerPid)
    await peer.message('ContractAgreementMessage', { consumerPid })
    const process = { ...both(first), own: first.providerPid }
    expect((await NEGOTIATION.termination?.(process))?.status).toBe(200)
    const again = await consumer.request(asked, consumerPid, fresh())
    expect([again.status, again.json.code]).toEqual([400, 'InvalidTransition'])
    expect(validate('ContractNegotiationError', again.json, 'outgoing').ok).toBe(true)
    const redelivered = await peer.send(member, '/negotiations/request', first.body)
    expect([redelivered.status, redelivered.json]).toMatchObject([
      201,
      { ...both(first), state: 'TERMINATED' },
    ])
    expect(peer.messages('ContractAgreementMessage', { consumerPid })).toHaveLength(1)
  })

  it('of a provider names the same negotiation for ever, also after its end', async () => {
    const providerPid = newPid()
    const begin = () =>
      post('negotiations', 'offers', 'ContractOfferMessage', {
        providerPid,
        offer,
        callbackAddress: peer.address,
      })
    const consumerPid = String((await begin()).json.consumerPid)
    expect((await NEGOTIATION.termination?.({ providerPid, consumerPid, own: consumerPid }))?.status).toBe(
      200,
    )
    const again = await begin()
    expect([again.status, again.json.code]).toEqual([400, 'InvalidTransition'])
  })

  it('of a consumer names the same transfer for ever, also after its end', async () => {
    const process = await given()
    expect((await TRANSFER.completion?.(process))?.status).toBe(200)
    const again = await consumer.requestTransfer(tankContract, process.consumerPid, fresh())
    expect([again.status, again.json]).toMatchObject([201, { ...both(process), state: 'COMPLETED' }])
    expect(peer.messages('TransferStartMessage', { consumerPid: process.consumerPid })).toHaveLength(1)
  })
})
