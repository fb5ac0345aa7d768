import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createValidator } from '../../connector/dsp/validate.js'
import { applied, type Dataspace, enc, list, type Member, startDataspace } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { asConsumer, newPid, type Pids, stateOf } from './parties.js'
import { introduce, message, type Peer, type Sent, startPeer } from './peer.js'
import { publishTank } from './tank.js'

const validate = createValidator()
let space: Dataspace
let provider: Member
let peer: Peer
let consumer: ReturnType<typeof asConsumer>

beforeAll(async () => {
  space = await startDataspace([{ name: 'provider', answerTimeoutMs: 2000 }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  provider = first
  await publishTank(provider, space.folder, {
    open: {},
    sampled: { samplingInterval: 'PT10S', until: '2099-12-31' },
    others: { recipients: ['did:web:somebody.example.com'] },
  })
  peer = await startPeer(space)
  await introduce(provider, peer)
  consumer = asConsumer(peer, provider)
})
afterAll(async () => {
  expect(peer.violations).toEqual([])
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

/** The error is in the shape of the specification, with both pids where they are known. */
function refused(answer: Sent, status: number, code: string, pids: Partial<Pids> = {}): string {
  expect([answer.status, answer.json.code, answer.text]).toEqual([status, code, answer.text])
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  expect(validate('ContractNegotiationError', answer.json, 'outgoing')).toMatchObject({ ok: true })
  expect(answer.json).toMatchObject(pids)
  return (answer.json.reason as readonly string[]).join(' ')
}

const stateAt = (pid: string) => stateOf(peer, provider, pid)
const event = (pids: Pids, eventType: string) =>
  peer.send(
    provider,
    `/negotiations/${pids.providerPid}/events`,
    message('ContractNegotiationEventMessage', {
      providerPid: pids.providerPid,
      consumerPid: pids.consumerPid,
      eventType,
    }),
  )
const terminate = (pids: Pids, more: object = {}) =>
  peer.send(
    provider,
    `/negotiations/${pids.providerPid}/termination`,
    message('ContractNegotiationTerminationMessage', {
      providerPid: pids.providerPid,
      consumerPid: pids.consumerPid,
      ...more,
    }),
  )

describe('the ways to the end', () => {
  it('CN:01-04 request, agreement, verification, finalization', async () => {
    const offer = await consumer.offerFrom('tank', 'sampled')
    const begun = await consumer.request(offer)
    expect(begun.status).toBe(201)
    expect(validate('ContractNegotiation', begun.json, 'outgoing').ok).toBe(true)
    expect(begun.json).toMatchObject({ consumerPid: begun.consumerPid, state: 'REQUESTED' })

    const { body } = await peer.message('ContractAgreementMessage', { consumerPid: begun.consumerPid })
    const agreement = body.agreement as Record<string, unknown>
    expect(body.providerPid).toBe(begun.providerPid)
    expect(agreement).toMatchObject({ target: 'tank', assigner: provider.did, assignee: peer.did })
    expect(agreement.permission).toEqual(offer.permission)
    expect(Math.abs(Date.parse(String(agreement.timestamp)) - Date.now())).toBeLessThan(10_000)
    await waitFor(async () => (await stateAt(begun.providerPid)) === 'AGREED')

    const verified = await consumer.verify(begun)
    expect([verified.status, verified.text]).toEqual([200, ''])
    await peer.message('ContractNegotiationEventMessage', {
      providerPid: begun.providerPid,
      consumerPid: begun.consumerPid,
      eventType: 'FINALIZED',
    })
    await waitFor(async () => (await stateAt(begun.providerPid)) === 'FINALIZED')
    const shown = await peer.send(provider, `/negotiations/${begun.providerPid}`)
    expect(validate('ContractNegotiation', shown.json, 'outgoing').ok).toBe(true)
    expect(shown.json).toMatchObject({ providerPid: begun.providerPid, consumerPid: begun.consumerPid })
  })

  it('CN:02-02 request, termination', async () => {
    peer.script((m) => (m.type === 'ContractAgreementMessage' ? { status: 500 } : undefined))
    const begun = await consumer.request(await consumer.offerFrom())
    expect(await stateAt(begun.providerPid)).toBe('REQUESTED')
    expect((await terminate(begun, { code: '1' })).status).toBe(200)
    expect(await stateAt(begun.providerPid)).toBe('TERMINATED')
    const shown = await provider.get(`/api/v1/negotiations/${enc(begun.providerPid)}`)
    expect(shown).toMatchObject({ state: 'TERMINATED', reason: '1', endedBy: 'partner', owed: [] })
    peer.script(() => undefined)
  })

  it('CN:02-03 request, agreement, termination', async () => {
    const agreed = await consumer.agreed()
    expect((await terminate(agreed, { reason: ['We need it', 'no longer.'] })).status).toBe(200)
    expect(await stateAt(agreed.providerPid)).toBe('TERMINATED')
    const shown = await provider.get(`/api/v1/negotiations/${enc(agreed.providerPid)}`)
    expect(shown.reason).toBe('We need it no longer.')
    const contract = await provider.get(`/api/v1/contracts/${enc(String(agreed.agreement['@id']))}`)
    expect(contract.status).toBe('pending')
  })

  it('ends with the reason of the operator after the agreement', async () => {
    const agreed = await consumer.agreed()
    await waitFor(async () => (await stateAt(agreed.providerPid)) === 'AGREED')
    await provider.post(`/api/v1/negotiations/${enc(agreed.providerPid)}/terminate`, {
      reason: 'The machine was sold.',
    })
    const { consumerPid } = agreed
    const ended = await peer.message('ContractNegotiationTerminationMessage', { consumerPid })
    expect(ended.path).toBe(`/partner/v1/dsp/negotiations/${consumerPid}/termination`)
    expect([ended.body.code, ended.body.reason]).toEqual(['OperatorDecision', ['The machine was sold.']])
    await waitFor(async () => (await stateAt(agreed.providerPid)) === 'TERMINATED')
  })

  it('CN:03-01 refuses to terminate what is finalized', async () => {
    const agreed = await consumer.agreed()
    await consumer.verify(agreed)
    await waitFor(async () => (await stateAt(agreed.providerPid)) === 'FINALIZED')
    const sentence = refused(await terminate(agreed), 400, 'InvalidTransition', {
      providerPid: agreed.providerPid,
      consumerPid: agreed.consumerPid,
    })
    expect(sentence).toBe('The message "terminate" is not allowed in the state FINALIZED.')
    expect(await stateAt(agreed.providerPid)).toBe('FINALIZED')
  })
})

describe('messages that do not fit', () => {
  /** Every message a consumer could send, and two that only a provider may send. */
  const attempts = (pids: Pids, offer: object) => ({
    'CN:03-04 counter request': () =>
      peer.send(
        provider,
        `/negotiations/${pids.providerPid}/request`,
        message('ContractRequestMessage', {
          providerPid: pids.providerPid,
          consumerPid: pids.consumerPid,
          offer,
        }),
      ),
    'CN:03-03 ACCEPTED': () => event(pids, 'ACCEPTED'),
    'FINALIZED, which only a provider sends': () => event(pids, 'FINALIZED'),
    'CN:03-02 verification': () => consumer.verify(pids, 'different from the first'),
    termination: () => terminate(pids, { reason: ['late'] }),
  })
  type Attempt = keyof ReturnType<typeof attempts>

  const all: readonly Attempt[] = [
    'CN:03-04 counter request',
    'CN:03-03 ACCEPTED',
    'FINALIZED, which only a provider sends',
    'CN:03-02 verification',
    'termination',
  ]
  const without = (...legal: readonly Attempt[]) => all.filter((name) => !legal.includes(name))

  const situations: readonly {
    readonly state: string
    readonly illegal: readonly Attempt[]
    readonly reach: () => Promise<Pids & { readonly offer: object }>
  }[] = [
    {
      state: 'REQUESTED',
      // The agreement is on its way: a verification proves that it arrived.
      illegal: without('termination', 'CN:03-02 verification'),
      reach: async () => {
        peer.script((m) => (m.type === 'ContractAgreementMessage' ? { status: 503 } : undefined))
        const offer = await consumer.offerFrom()
        return { ...(await consumer.request(offer)), offer }
      },
    },
    {
      state: 'AGREED',
      illegal: without('termination', 'CN:03-02 verification'),
      reach: () => consumer.agreed(),
    },
    {
      state: 'VERIFIED',
      illegal: without('termination'),
      reach: async () => {
        peer.script((m) => (m.type === 'ContractNegotiationEventMessage' ? { status: 503 } : undefined))
        const agreed = await consumer.agreed()
        await consumer.verify(agreed)
        return agreed
      },
    },
    {
      state: 'FINALIZED',
      illegal: all,
      reach: async () => {
        const agreed = await consumer.agreed()
        await consumer.verify(agreed)
        return agreed
      },
    },
    {
      state: 'TERMINATED',
      illegal: all,
      reach: async () => {
        const agreed = await consumer.agreed()
        await terminate(agreed)
        return agreed
      },
    },
  ]
  for (const { state, illegal, reach } of situations) {
    it(`answers 400 with an error in ${state} and changes nothing: ${illegal.join('; ')}`, async () => {
      const pids = await reach()
      await waitFor(async () => (await stateAt(pids.providerPid)) === state)
      const before = await provider.get(`/api/v1/negotiations/${enc(pids.providerPid)}`)
      for (const name of illegal) {
        refused(await attempts(pids, pids.offer)[name](), 400, 'InvalidTransition', {
          providerPid: pids.providerPid,
          consumerPid: pids.consumerPid,
        })
        expect([name, await stateAt(pids.providerPid)]).toEqual([name, state])
      }
      const after = await provider.get(`/api/v1/negotiations/${enc(pids.providerPid)}`)
      expect(applied(after)).toEqual(applied(before))
      // The history says what was refused, once for each kind of message.
      const refusals = list(after, 'timeline').filter((one) => one.result === 'refused')
      expect(refusals).toHaveLength(illegal.length)
      peer.script(() => undefined)
      if (state !== 'FINALIZED' && state !== 'TERMINATED') await terminate(pids)
    })
  }

  it('says which role may not send an event, and which state forbids a message', async () => {
    const agreed = await consumer.agreed()
    expect(refused(await event(agreed, 'FINALIZED'), 400, 'InvalidTransition')).toBe(
      'The consumer may not send the event FINALIZED.',
    )
    await waitFor(async () => (await stateAt(agreed.providerPid)) === 'AGREED')
    expect(refused(await event(agreed, 'ACCEPTED'), 400, 'InvalidTransition')).toBe(
      'The message "accept" is not allowed in the state AGREED.',
    )
  })

  it('answers 404 with an error for a negotiation that does not exist, on every path', async () => {
    const pids = { providerPid: newPid(), consumerPid: newPid() }
    for (const send of Object.values(attempts(pids, await consumer.offerFrom()))) {
      expect(refused(await send(), 404, 'NotFound')).toBe('There is no such negotiation.')
    }
    refused(await peer.send(provider, `/negotiations/${pids.providerPid}`), 404, 'NotFound')
  })

  it('answers 400 when the pid in the body is not the one in the path, or the other pid is another one', async () => {
    const agreed = await consumer.agreed()
    const other = await consumer.agreed()
    await waitFor(async () => (await stateAt(agreed.providerPid)) === 'AGREED')
    const crossed = await peer.send(
      provider,
      `/negotiations/${agreed.providerPid}/agreement/verification`,
      consumer.verification(other),
    )
    expect(refused(crossed, 400, 'InvalidMessage')).toBe(
      'The providerPid in the body differs from the one in the path.',
    )
    const foreign = await consumer.verify({ ...agreed, consumerPid: other.consumerPid })
    expect(refused(foreign, 400, 'InvalidMessage')).toBe(
      'The message names another process of yours than the one we know.',
    )
    for (const { providerPid } of [agreed, other]) expect(await stateAt(providerPid)).toBe('AGREED')
  })
})

describe('messages that come again', () => {
  it('acknowledges each redelivered message like the first time and sends nothing twice', async () => {
    const offer = await consumer.offerFrom()
    const begun = await consumer.request(offer)
    const { providerPid, consumerPid } = begun
    const again = () => peer.send(provider, '/negotiations/request', begun.body)
    expect((await again()).json).toMatchObject({ providerPid, consumerPid })
    await peer.message('ContractAgreementMessage', { consumerPid })
    await waitFor(async () => (await stateAt(providerPid)) === 'AGREED')
    const requested = await again()
    expect([requested.status, requested.json.providerPid]).toEqual([201, providerPid])

    expect((await consumer.verify(begun)).status).toBe(200)
    expect((await consumer.verify(begun)).status).toBe(200)
    await waitFor(async () => (await stateAt(providerPid)) === 'FINALIZED')
    expect((await consumer.verify(begun)).status).toBe(200)
    expect([(await again()).status, await stateAt(providerPid)]).toEqual([201, 'FINALIZED'])

    const ended = await consumer.agreed()
    for (const _ of [1, 2, 3]) expect((await terminate(ended)).status).toBe(200)
    await provider.connector().dispatcher.idle()
    expect(peer.messages('ContractAgreementMessage', { consumerPid })).toHaveLength(1)
    expect(peer.messages('ContractNegotiationEventMessage', { consumerPid })).toHaveLength(1)
    const { timeline } = await provider.get(`/api/v1/negotiations/${enc(ended.providerPid)}`)
    const terminations = (timeline as unknown as readonly { readonly event: string }[]).filter(
      (entry) => entry.event === 'terminate',
    )
    expect(terminations).toHaveLength(1)
  })

  it('takes a verification that overtakes the answer to its agreement, and sends that no more', async () => {
    peer.script((m) => (m.type === 'ContractAgreementMessage' ? { instead: 'silence' } : undefined))
    const begun = await consumer.request(await consumer.offerFrom())
    const { providerPid, consumerPid } = begun
    await peer.message('ContractAgreementMessage', { consumerPid })
    expect(await stateAt(providerPid)).toBe('REQUESTED')
    expect((await consumer.verify(begun)).status).toBe(200)
    expect(await stateAt(providerPid)).toBe('VERIFIED')
    peer.script(() => undefined)
    await peer.message('ContractNegotiationEventMessage', { consumerPid, eventType: 'FINALIZED' })
    await waitFor(async () => (await stateAt(providerPid)) === 'FINALIZED')
    expect(peer.messages('ContractAgreementMessage', { consumerPid })).toHaveLength(1)
  })

  it('makes one negotiation of requests that arrive at the same time', async () => {
    const offer = await consumer.offerFrom()
    const consumerPid = newPid()
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => consumer.request(offer, consumerPid)))
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201, 201, 201])
    expect(new Set(answers.map((answer) => answer.providerPid)).size).toBe(1)
    await provider.connector().dispatcher.idle()
    expect(peer.messages('ContractAgreementMessage', { consumerPid })).toHaveLength(1)
  })

  it('refuses another request with a consumerPid that is in use', async () => {
    const first = await consumer.request(await consumer.offerFrom('tank', 'open'))
    const other = await consumer.request(await consumer.offerFrom('tank', 'sampled'), first.consumerPid)
    expect(refused(other, 400, 'InvalidTransition')).toBe(
      'There is already another negotiation with this consumerPid.',
    )
  })
})

describe('what is asked for', () => {
  it('refuses an offer that does not exist, that is for others, or that was changed', async () => {
    const offer = await consumer.offerFrom('tank', 'sampled')
    const unknown = 'There is no such offer for you. Ask for the catalog again.'
    const ask = async (changed: object) => consumer.request({ ...offer, ...changed })
    expect(refused(await ask({ '@id': 'nothing' }), 400, 'OfferUnknown')).toBe(unknown)
    expect(refused(await ask({ '@id': 'others' }), 400, 'OfferUnknown')).toBe(unknown)
    expect(refused(await ask({ target: 'other' }), 400, 'OfferDiffers')).toBe(
      'The target of the offer is not the dataset that it was published for.',
    )
    const [permission] = offer.permission as unknown as readonly { readonly constraint: readonly object[] }[]
    const faster = [
      {
        ...permission,
        constraint: (permission?.constraint ?? []).map((c) =>
          'rightOperand' in c && c.rightOperand === 'PT10S' ? { ...c, rightOperand: 'PT1S' } : c,
        ),
      },
    ]
    expect(refused(await ask({ permission: faster }), 400, 'OfferDiffers')).toBe(
      'The requested offer differs from the one in the catalog: permission[0].constraint[1].rightOperand is "PT1S", offered was "PT10S".',
    )
    expect(refused(await ask({ permission: [{ action: 'use' }] }), 400, 'OfferDiffers')).toContain(
      'permission[0].constraint',
    )
    expect(refused(await ask({ prohibition: [{ action: 'use' }] }), 400, 'OfferDiffers')).toContain(
      'prohibition',
    )
  })

  it('refuses a callbackAddress that it could not or must not call, and says why', async () => {
    const offer = await consumer.offerFrom()
    const cases: readonly (readonly [unknown, string])[] = [
      ['partner', 'it is not an absolute URL'],
      ['http://localhost:1/dsp', 'it must begin with https://'],
      ['ftp://localhost/dsp', 'it must begin with https://'],
      ['javascript:alert(1)', 'it must begin with https://'],
      ['https://user:word@localhost:1/dsp', 'it must not contain a user name or password'],
      ['https://localhost:1/dsp?a=b', 'it must not contain a query or a fragment'],
      [`https://localhost:1/${'a'.repeat(2000)}`, 'it is too long'],
    ]
    for (const [callbackAddress, why] of cases) {
      const answer = await consumer.request(offer, newPid(), { callbackAddress })
      expect(refused(answer, 400, 'CallbackRefused')).toBe(`The callbackAddress cannot be used: ${why}.`)
    }
    const number = await consumer.request(offer, newPid(), { callbackAddress: 42 })
    expect(refused(number, 400, 'InvalidMessage')).toContain('callbackAddress must be a text')
    const missing = await consumer.request(offer, newPid(), { callbackAddress: undefined })
    expect(refused(missing, 400, 'InvalidMessage')).toContain('callbackAddress')
  })

  it('calls back below any path prefix, with or without a trailing slash', async () => {
    const offer = await consumer.offerFrom()
    for (const ending of ['', '/', '//']) {
      const callbackAddress = `${peer.publicUrl}/some/where/deep${ending}`
      const { consumerPid } = await consumer.request(offer, newPid(), { callbackAddress })
      const arrived = await peer.message('ContractAgreementMessage', { consumerPid })
      expect(arrived.path).toBe(`/some/where/deep/negotiations/${consumerPid}/agreement`)
    }
  })

  it('accepts unknown properties, further contexts, the context as one text, and trailing slashes', async () => {
    const offer = await consumer.offerFrom()
    const more = {
      '@id': newPid(),
      'https://example.com/ns#note': { text: ['anything'] },
      extra: 1,
      '@context': ['https://w3id.org/dspace/2025/1/context.jsonld', 'https://example.com/context.jsonld'],
    }
    const begun = await consumer.request({ ...offer, 'https://example.com/ns#colour': 'red' }, newPid(), more)
    // A term that the catalog does not have is a difference; one beside the offer is none of our business.
    expect(refused(begun, 400, 'OfferDiffers')).toContain('https://example.com/ns#colour')
    const consumerPid = newPid()
    const body = message('ContractRequestMessage', {
      consumerPid,
      offer,
      callbackAddress: peer.address,
      ...more,
    })
    const accepted = await peer.send(provider, '/negotiations/request/', body)
    expect(accepted.status).toBe(201)
    const providerPid = String(accepted.json.providerPid)
    await peer.message('ContractAgreementMessage', { consumerPid })
    const verified = await peer.send(provider, `/negotiations/${providerPid}/agreement/verification/`, {
      ...consumer.verification({ providerPid, consumerPid }),
      '@context': 'https://w3id.org/dspace/2025/1/context.jsonld',
    })
    expect(verified.status).toBe(200)
    expect((await peer.send(provider, `/negotiations/${providerPid}/`)).status).toBe(200)
  })
})
