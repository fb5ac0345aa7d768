import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { createValidator } from '../../connector/dsp/validate.js'
import {
  type Answer,
  applied,
  type Dataspace,
  enc,
  ended,
  type Member,
  startDataspace,
} from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { type Asked, asProvider, newPid, offering, type Pids, PUMP_OFFER, stateOf } from './parties.js'
import { introduce, message, type Peer, type Sent, startPeer } from './peer.js'

const validate = createValidator()
let space: Dataspace
let consumer: Member
let peer: Peer
let provider: ReturnType<typeof asProvider>

beforeAll(async () => {
  space = await startDataspace([{ name: 'consumer' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  consumer = first
  peer = await startPeer(space)
  await introduce(consumer, peer)
  provider = asProvider(peer, consumer)
  peer.script(offering())
})
afterAll(async () => {
  expect(peer.violations).toEqual([])
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

function refused(answer: Sent, status: number, code: string, pids: Partial<Pids> = {}): string {
  expect([answer.status, answer.json.code, answer.text]).toEqual([status, code, answer.text])
  expect(validate('ContractNegotiationError', answer.json, 'outgoing')).toMatchObject({ ok: true })
  expect(answer.json).toMatchObject(pids)
  return (answer.json.reason as readonly string[]).join(' ')
}

const stateAt = (pid: string) => stateOf(peer, consumer, pid)
const reached = (pid: string, state: string) =>
  waitFor(async () => (await stateAt(pid)) === state, { what: `${pid} to be ${state}` })

const offerMessage = (pids: Pids, offer: object) =>
  message('ContractOfferMessage', { providerPid: pids.providerPid, consumerPid: pids.consumerPid, offer })
const offer = (pids: Pids, text: JsonObject) =>
  peer.send(consumer, `/negotiations/${pids.consumerPid}/offers`, offerMessage(pids, text))
const event = (pids: Pids, eventType: string) =>
  peer.send(consumer, `/negotiations/${pids.consumerPid}/events`, provider.event(pids, eventType))
const terminate = (pids: Pids, more: object = {}) =>
  peer.send(
    consumer,
    `/negotiations/${pids.consumerPid}/termination`,
    message('ContractNegotiationTerminationMessage', {
      providerPid: pids.providerPid,
      consumerPid: pids.consumerPid,
      ...more,
    }),
  )
/** The first request has been answered, so that callbacks overtake nothing. */
const requested = async (): Promise<Asked> => {
  const asked = await provider.asked()
  await ended(consumer, asked.path, ['REQUESTED'])
  return asked
}
const counterOffer = (asked: Asked): JsonObject => ({
  ...asked.offer,
  '@id': 'counter-offer',
  permission: [
    {
      action: 'use',
      constraint: [{ leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2099-01-01T00:00:00Z' }],
    },
  ],
})
const accepted = (consumerPid: string) =>
  peer.message('ContractNegotiationEventMessage', { consumerPid, eventType: 'ACCEPTED' })

describe('the ways to the end', () => {
  it('CN_C:01-04 request, agreement, verification, finalization', async () => {
    const asked = await provider.asked()
    const { consumerPid, providerPid } = asked
    const sent = await peer.message('ContractRequestMessage', { consumerPid })
    expect(sent.path).toBe('/partner/v1/dsp/negotiations/request')
    expect(sent.body).toMatchObject({ callbackAddress: `${consumer.config.publicUrl}/dsp` })
    expect(sent.body).not.toHaveProperty('providerPid')
    expect(asked.offer).toEqual({ ...PUMP_OFFER, target: 'pump' })
    await reached(consumerPid, 'REQUESTED')

    const agreed = await provider.agree(asked, provider.agreementOn(asked.offer))
    expect([agreed.status, agreed.text]).toEqual([200, ''])
    const verified = await peer.message('ContractAgreementVerificationMessage', { consumerPid })
    expect(verified.path).toBe(`/partner/v1/dsp/negotiations/${providerPid}/agreement/verification`)
    expect(verified.body.providerPid).toBe(providerPid)
    await reached(consumerPid, 'VERIFIED')
    expect((await provider.finalize(asked)).status).toBe(200)
    expect(await stateAt(consumerPid)).toBe('FINALIZED')
    const shown = await peer.send(consumer, `/negotiations/${consumerPid}`)
    expect(validate('ContractNegotiation', shown.json, 'outgoing').ok).toBe(true)
    expect((await consumer.get(asked.path)).state).toBe('FINALIZED')
  })

  it('takes a timestamp of any precision, as xsd:dateTime allows, and keeps the milliseconds of it', async () => {
    const asked = await requested()
    const timestamp = '2026-11-02T08:00:00.559123456+01:00'
    const agreement = provider.agreementOn(asked.offer, { timestamp })
    const agreed = await provider.agree(asked, agreement)
    expect([agreed.status, agreed.text]).toEqual([200, ''])
    const contract = await consumer.get(`/api/v1/contracts/${enc(String(agreement['@id']))}`)
    expect(contract.agreedAt).toBe('2026-11-02T07:00:00.559Z')
  })

  it('CN_C:01-01 request, offer, acceptance by the operator, agreement on the new offer, finalization', async () => {
    const asked = await requested()
    const { consumerPid } = asked
    const changed = counterOffer(asked)
    expect((await offer(asked, changed)).status).toBe(200)
    expect(await stateAt(consumerPid)).toBe('OFFERED')
    expect(await consumer.get(asked.path)).toMatchObject({ offer: 'counter-offer', waitingFor: 'person' })
    await consumer.post(`${asked.path}/accept`)
    await accepted(consumerPid)
    await ended(consumer, asked.path, ['ACCEPTED'])
    expect((await provider.agree(asked, provider.agreementOn(changed))).status).toBe(200)
    await reached(consumerPid, 'VERIFIED')
    expect((await provider.finalize(asked)).status).toBe(200)
    expect(await stateAt(consumerPid)).toBe('FINALIZED')
  })

  it('CN_C:01-03 request, offer, termination by the operator', async () => {
    const asked = await requested()
    await offer(asked, counterOffer(asked))
    await consumer.post(`${asked.path}/terminate`, { reason: 'Too expensive.' })
    const { consumerPid } = asked
    const ending = await peer.message('ContractNegotiationTerminationMessage', { consumerPid })
    expect(ending.body.reason).toEqual(['Too expensive.'])
    await reached(consumerPid, 'TERMINATED')
  })

  it('CN_C:02-01 request, termination by the provider', async () => {
    const asked = await requested()
    expect((await terminate(asked, { code: 'NotForYou' })).status).toBe(200)
    expect(await stateAt(asked.consumerPid)).toBe('TERMINATED')
    expect(await consumer.get(asked.path)).toMatchObject({ reason: 'NotForYou', endedBy: 'partner' })
  })

  it('CN_C:02-02 request, termination by the operator', async () => {
    const asked = await requested()
    await consumer.post(`${asked.path}/terminate`, { reason: 'Changed our mind.' })
    await peer.message('ContractNegotiationTerminationMessage', { consumerPid: asked.consumerPid })
    await reached(asked.consumerPid, 'TERMINATED')
  })

  it('CN_C:02-04 request, offer, no acceptance by itself, termination by the provider', async () => {
    const asked = await requested()
    await offer(asked, counterOffer(asked))
    await consumer.connector().dispatcher.idle()
    expect(await stateAt(asked.consumerPid)).toBe('OFFERED')
    expect((await terminate(asked)).status).toBe(200)
    expect(await stateAt(asked.consumerPid)).toBe('TERMINATED')
    const shown = await consumer.get(asked.path)
    expect(shown.reason).toBe('The partner gave no reason.')
  })

  it('CN_C:02-05 request, offer, acceptance, termination by the provider', async () => {
    const asked = await requested()
    await offer(asked, counterOffer(asked))
    await consumer.post(`${asked.path}/accept`)
    await accepted(asked.consumerPid)
    expect((await terminate(asked)).status).toBe(200)
    expect(await stateAt(asked.consumerPid)).toBe('TERMINATED')
  })

  it('CN_C:02-06 request, agreement, verification, termination by the provider', async () => {
    const asked = await requested()
    const agreement = provider.agreementOn(asked.offer)
    await provider.agree(asked, agreement)
    await peer.message('ContractAgreementVerificationMessage', { consumerPid: asked.consumerPid })
    expect((await terminate(asked)).status).toBe(200)
    expect(await stateAt(asked.consumerPid)).toBe('TERMINATED')
    const contract = await consumer.get(`/api/v1/contracts/${enc(String(agreement['@id']))}`)
    expect(contract.status).toBe('pending')
    const refusal = await consumer.refused(
      consumer.api.post('/api/v1/transfers', { contract: agreement['@id'] }),
    )
    expect(refusal).toMatchObject({ code: 'GrantEnded', message: 'The contract is not finalised.' })
  })
})

describe('an offer that the provider begins with', () => {
  const initial = (providerPid = newPid(), more: object = {}) => ({
    providerPid,
    body: message('ContractOfferMessage', {
      providerPid,
      callbackAddress: `${peer.address}/`,
      offer: { ...PUMP_OFFER, '@id': 'for-you', target: 'pump' },
      ...more,
    }),
  })
  const offers = (body: object) => peer.send(consumer, '/negotiations/offers', body)

  it('waits for the operator, and leads to a contract when it is accepted', async () => {
    const { providerPid, body } = initial()
    const begun = await offers(body)
    expect(begun.status).toBe(201)
    expect(validate('ContractNegotiation', begun.json, 'outgoing').ok).toBe(true)
    expect(begun.json).toMatchObject({ providerPid, state: 'OFFERED' })
    const consumerPid = String(begun.json.consumerPid)
    const again = await offers(body)
    expect([again.status, again.json.consumerPid]).toEqual([201, consumerPid])
    const path = `/api/v1/negotiations/${enc(consumerPid)}`
    expect(await consumer.get(path)).toMatchObject({
      role: 'consumer',
      state: 'OFFERED',
      waitingFor: 'person',
      waitingBecause: 'offer',
      offer: 'for-you',
      dataset: 'pump',
    })
    await consumer.post(`${path}/accept`)
    const event = await accepted(consumerPid)
    // The trailing slash of the callbackAddress makes no difference.
    expect(event.path).toBe(`/partner/v1/dsp/negotiations/${providerPid}/events`)
    const pids = { providerPid, consumerPid }
    const agreement = provider.agreementOn({ ...PUMP_OFFER, '@id': 'for-you', target: 'pump' })
    expect((await provider.agree(pids, agreement)).status).toBe(200)
    await reached(consumerPid, 'VERIFIED')
    expect((await provider.finalize(pids)).status).toBe(200)
    expect((await consumer.get(path)).state).toBe('FINALIZED')
  })

  it('binds the provider: an agreement on other terms than the accepted ones is refused', async () => {
    const { providerPid, body } = initial()
    const consumerPid = String((await offers(body)).json.consumerPid)
    await consumer.post(`/api/v1/negotiations/${enc(consumerPid)}/accept`)
    await accepted(consumerPid)
    const other = { ...PUMP_OFFER, '@id': 'for-you', target: 'pump', prohibition: [{ action: 'use' }] }
    const answer = await provider.agree({ providerPid, consumerPid }, provider.agreementOn(other))
    expect(refused(answer, 400, 'AgreementDiffers')).toContain('prohibition[0]')
  })

  it('cannot be accepted when it has a term that is not understood', async () => {
    const strange = {
      ...PUMP_OFFER,
      target: 'pump',
      permission: [
        {
          action: 'use',
          constraint: [{ leftOperand: 'https://example.com/unheard-of', operator: 'eq', rightOperand: 'DE' }],
        },
      ],
    }
    const { body } = initial(newPid(), { offer: strange })
    const begun = await offers(body)
    expect(begun.status).toBe(201)
    const path = `/api/v1/negotiations/${enc(String(begun.json.consumerPid))}`
    const refusal = await consumer.refused(consumer.api.post(`${path}/accept`))
    expect(refusal.code).toBe('PolicyUnsupported')
    expect(refusal.message).toContain('permission 1, condition 1 [https://example.com/unheard-of]')
    expect((await consumer.get(path)).state).toBe('OFFERED')
  })

  it('needs a callbackAddress that can be called, and a providerPid that is not in use', async () => {
    for (const callbackAddress of ['nowhere', 'http://localhost:1/', 'https://me:secret@localhost/']) {
      const answer = await offers(initial(newPid(), { callbackAddress }).body)
      expect(refused(answer, 400, 'CallbackRefused')).toMatch(/^The callbackAddress cannot be used: /)
      expect(answer.text).not.toContain('secret')
    }
    const without = await offers(initial(newPid(), { callbackAddress: undefined }).body)
    expect(refused(without, 400, 'InvalidMessage')).toContain('callbackAddress')
    const first = initial()
    await offers(first.body)
    const twin = initial(first.providerPid, { offer: { ...PUMP_OFFER, target: 'other' } })
    expect(refused(await offers(twin.body), 400, 'InvalidTransition')).toBe(
      'There is already another negotiation with this providerPid.',
    )
  })
})

describe('messages that do not fit', () => {
  const attempts = (asked: Asked) => ({
    'CN_C:03-05 offer': () => offer(asked, { ...counterOffer(asked), '@id': newPid() }),
    'CN_C:03-02 agreement': () => provider.agree(asked, provider.agreementOn(counterOffer(asked))),
    'CN_C:03-01 FINALIZED': () => event(asked, 'FINALIZED'),
    'ACCEPTED, which only a consumer sends': () => event(asked, 'ACCEPTED'),
    termination: () => terminate(asked, { code: 'late' }),
  })
  type Attempt = keyof ReturnType<typeof attempts>
  const all: readonly Attempt[] = [
    'CN_C:03-05 offer',
    'CN_C:03-02 agreement',
    'CN_C:03-01 FINALIZED',
    'ACCEPTED, which only a consumer sends',
    'termination',
  ]
  const without = (...legal: readonly Attempt[]) => all.filter((name) => !legal.includes(name))

  const verifiedNow = async (): Promise<Asked> => {
    const asked = await requested()
    await provider.agree(asked, provider.agreementOn(asked.offer))
    await reached(asked.consumerPid, 'VERIFIED')
    return asked
  }
  const situations: readonly {
    readonly state: string
    readonly illegal: readonly Attempt[]
    readonly reach: () => Promise<Asked>
  }[] = [
    {
      state: 'REQUESTED',
      illegal: without('CN_C:03-05 offer', 'CN_C:03-02 agreement', 'termination'),
      reach: requested,
    },
    {
      state: 'OFFERED',
      illegal: without('termination'),
      reach: async () => {
        const asked = await requested()
        await offer(asked, counterOffer(asked))
        return asked
      },
    },
    {
      state: 'ACCEPTED',
      illegal: without('CN_C:03-02 agreement', 'termination'),
      reach: async () => {
        const asked = await requested()
        await offer(asked, counterOffer(asked))
        await consumer.post(`${asked.path}/accept`)
        await ended(consumer, asked.path, ['ACCEPTED'])
        return asked
      },
    },
    {
      state: 'AGREED',
      illegal: without('termination', 'CN_C:03-01 FINALIZED'),
      reach: async () => {
        peer.script(
          offering(undefined, (m) =>
            m.type === 'ContractAgreementVerificationMessage' ? { status: 503 } : undefined,
          ),
        )
        const asked = await requested()
        await provider.agree(asked, provider.agreementOn(asked.offer))
        await reached(asked.consumerPid, 'AGREED')
        return asked
      },
    },
    { state: 'VERIFIED', illegal: without('CN_C:03-01 FINALIZED', 'termination'), reach: verifiedNow },
    {
      state: 'FINALIZED',
      illegal: without('CN_C:03-01 FINALIZED'),
      reach: async () => {
        const asked = await verifiedNow()
        await provider.finalize(asked)
        return asked
      },
    },
    {
      state: 'TERMINATED',
      illegal: all,
      reach: async () => {
        const asked = await requested()
        await terminate(asked)
        return asked
      },
    },
  ]
  for (const { state, illegal, reach } of situations) {
    it(`answers 400 with an error in ${state} and changes nothing: ${illegal.join('; ')}`, async () => {
      const asked = await reach()
      await reached(asked.consumerPid, state)
      const before = await consumer.get(asked.path)
      for (const name of illegal) {
        refused(await attempts(asked)[name](), 400, 'InvalidTransition', {
          providerPid: asked.providerPid,
          consumerPid: asked.consumerPid,
        })
        expect([name, await stateAt(asked.consumerPid)]).toEqual([name, state])
      }
      const after = await consumer.get(asked.path)
      expect([applied(after), after.offer, after.contract]).toEqual([
        applied(before),
        before.offer,
        before.contract,
      ])
      peer.script(offering())
      if (state === 'AGREED') await terminate(asked)
    })
  }

  it('keeps its own side out of reach: what only a consumer receives or sends is not found or refused', async () => {
    const asked = await requested()
    const { consumerPid, providerPid } = asked
    const asProviderPath = message('ContractAgreementVerificationMessage', {
      providerPid: consumerPid,
      consumerPid: providerPid,
    })
    const answer = await peer.send(
      consumer,
      `/negotiations/${consumerPid}/agreement/verification`,
      asProviderPath,
    )
    refused(answer, 404, 'NotFound')
    expect(refused(await event(asked, 'ACCEPTED'), 400, 'InvalidTransition')).toBe(
      'The provider may not send the event ACCEPTED.',
    )
    expect(await stateAt(consumerPid)).toBe('REQUESTED')
  })

  it('answers 400 when the pid in the body is not the one in the path, or the providerPid is another one', async () => {
    const asked = await requested()
    const other = await requested()
    const crossed = await peer.send(
      consumer,
      `/negotiations/${asked.consumerPid}/offers`,
      offerMessage(other, counterOffer(other)),
    )
    expect(refused(crossed, 400, 'InvalidMessage')).toBe(
      'The consumerPid in the body differs from the one in the path.',
    )
    const foreign = { ...asked, providerPid: other.providerPid }
    for (const answer of [
      await offer(foreign, counterOffer(asked)),
      await provider.agree(foreign, provider.agreementOn(asked.offer)),
      await terminate(foreign),
    ]) {
      expect(refused(answer, 400, 'InvalidMessage')).toBe(
        'The message names another process of yours than the one we know.',
      )
    }
    expect(await stateAt(asked.consumerPid)).toBe('REQUESTED')
  })
})

describe('messages that come again or too early', () => {
  it('acknowledges each redelivered message like the first time and answers nothing twice', async () => {
    const asked = await requested()
    const { consumerPid } = asked
    const text = offerMessage(asked, counterOffer(asked))
    const path = `/negotiations/${consumerPid}`
    for (const _ of [1, 2]) expect((await peer.send(consumer, `${path}/offers`, text)).status).toBe(200)
    await consumer.post(`${asked.path}/accept`)
    await ended(consumer, asked.path, ['ACCEPTED'])
    expect((await peer.send(consumer, `${path}/offers`, text)).status).toBe(200)
    const agreement = provider.agreementMessage(asked, provider.agreementOn(counterOffer(asked)))
    for (const _ of [1, 2]) {
      expect((await peer.send(consumer, `${path}/agreement`, agreement)).status).toBe(200)
    }
    await reached(consumerPid, 'VERIFIED')
    expect((await peer.send(consumer, `${path}/agreement`, agreement)).status).toBe(200)
    for (const _ of [1, 2, 3]) expect((await provider.finalize(asked)).status).toBe(200)
    expect(await stateAt(consumerPid)).toBe('FINALIZED')
    expect(peer.messages('ContractAgreementVerificationMessage', { consumerPid })).toHaveLength(1)
    expect(peer.messages('ContractNegotiationEventMessage', { consumerPid })).toHaveLength(1)
  })

  it('takes an agreement that overtakes the answer to its own request, and the answer afterwards', async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    peer.script(async (m) => {
      if (m.type === 'ContractRequestMessage') await held
      return offering()(m)
    })
    const asked = await provider.asked()
    const { consumerPid } = asked
    expect((await consumer.get(asked.path)).state).toBe('NEW')
    expect(await stateAt(consumerPid)).toBe('REQUESTED')
    expect((await provider.agree(asked, provider.agreementOn(asked.offer))).status).toBe(200)
    expect(await stateAt(consumerPid)).toBe('AGREED')
    release?.()
    await peer.message('ContractAgreementVerificationMessage', { consumerPid })
    expect((await provider.finalize(asked)).status).toBe(200)
    await consumer.connector().dispatcher.idle()
    expect(await stateAt(consumerPid)).toBe('FINALIZED')
    expect(peer.messages('ContractRequestMessage', { consumerPid })).toHaveLength(1)
    peer.script(offering())
  })

  it('takes a termination that overtakes the answer to its own request', async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    peer.script(async (m) => {
      if (m.type === 'ContractRequestMessage') await held
      return offering()(m)
    })
    const asked = await provider.asked()
    expect((await terminate(asked, { reason: ['Sold out.'] })).status).toBe(200)
    release?.()
    await consumer.connector().dispatcher.idle()
    const shown: Answer = await consumer.get(asked.path)
    expect(shown).toMatchObject({ state: 'TERMINATED', reason: 'Sold out.', endedBy: 'partner' })
    peer.script(offering())
  })
})
