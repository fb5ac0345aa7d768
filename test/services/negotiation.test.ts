/** The handshake between two sides: what is refused and in which words, and what happens when messages go astray. */
import { afterEach, describe, expect, it } from 'vitest'

import type { Json, JsonObject } from '../../connector/core/types.js'
import { AGREEMENT_SIGNATURE, COUNTERSIGNATURE, RECEIPT } from '../../connector/crypto/agreement-seal.js'
import type { Partner } from '../../connector/domain/partner.js'
import { delivered, undeliverable } from '../../connector/services/delivery.js'
import { terminateNegotiation } from '../../connector/services/negotiation.js'
import { acceptOffer } from '../../connector/services/negotiation-person.js'
import {
  arrive,
  begin,
  CONSUMER,
  createWorld,
  NOW,
  PROVIDER,
  refusal,
  STRANGER,
  type World,
} from './world.js'

let world: World
const open = async (m?: Parameters<typeof createWorld>[0]): Promise<World> => {
  world = await createWorld(m)
  return world
}
afterEach(() => world[Symbol.asyncDispose]())

const DAY = 24 * 3600_000
const unanswered = { code: 'PartnerUnreachable', message: 'away' } as const

describe('the handshake', () => {
  it('ends with the same text and the same chain of signatures on both sides', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.settle()
    const [ours, theirs] = [provider.agreement(), consumer.agreement()]
    expect([provider.negotiation().state, consumer.negotiation().state]).toEqual(['FINALIZED', 'FINALIZED'])
    expect([ours.status, theirs.status]).toEqual(['active', 'active'])
    expect(theirs.body).toEqual(ours.body)
    expect(theirs.hash).toBe(ours.hash)
    expect(theirs.planHash).toBe(ours.planHash)
    for (const seal of ['providerSeal', 'consumerSeal', 'receipt'] as const) {
      expect(theirs[seal]).toMatch(/^seal:/)
      expect(theirs[seal]).toBe(ours[seal])
    }
    expect(ours.body).toMatchObject({
      '@type': 'Agreement',
      target: 'press-7',
      assigner: PROVIDER,
      assignee: CONSUMER,
      timestamp: '2027-01-04T12:00:00.000Z',
    })
  })

  it('survives a restart of both sides behind every message', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    for (const [side, event] of [
      [consumer, 'request'],
      [provider, 'agree'],
      [consumer, 'verify'],
      [provider, 'finalize'],
    ] as const) {
      await Promise.all([provider.restart(), consumer.restart()])
      const owed = side.next(event)
      // The answer is lost with the program; after the restart the same bytes are sent again.
      expect((await world.carry(side, owed)).ok).toBe(true)
      await Promise.all([provider.restart(), consumer.restart()])
      expect((await world.exchange(side, owed)).ok).toBe(true)
    }
    expect([provider.negotiation().state, consumer.negotiation().state]).toEqual(['FINALIZED', 'FINALIZED'])
    expect([provider.owed(), consumer.owed()]).toEqual([[], []])
    expect([provider.agreement().status, consumer.agreement().status]).toEqual(['active', 'active'])
  })

  it('needs no answer of the other side when its next message arrives instead', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.carry(consumer, consumer.next('request'))
    await world.carry(provider, provider.next('agree'))
    await world.carry(consumer, consumer.next('verify'))
    await world.carry(provider, provider.next('finalize'))
    expect(consumer.negotiation()).toMatchObject({ state: 'FINALIZED' })
    expect(consumer.owed()).toEqual([])
    await world.settle()
    expect(provider.negotiation().state).toBe('FINALIZED')
    expect(provider.agreement().status).toBe('active')
  })
})

describe('a request', () => {
  const asked = async (more: JsonObject = {}) => {
    await begin(world, more)
    return world.carry(world.consumer, world.consumer.next('request'))
  }
  const UNKNOWN = {
    code: 'OfferUnknown',
    message: 'There is no such offer for you. Ask for the catalog again.',
  }

  it('for an offer that does not exist is refused', async () => {
    await open()
    expect(refusal(await asked({ '@id': 'offer-2' }))).toMatchObject(UNKNOWN)
    expect(world.provider.store().list('negotiation')).toEqual([])
    expect(world.provider.store().audit(CONSUMER)).toMatchObject([
      { event: 'request refused', detail: { code: 'OfferUnknown', offer: 'offer-2' } },
    ])
  })

  it('that is refused again and again is written down as the first and the latest, with how many there were', async () => {
    const { provider } = await open()
    for (let i = 0; i < 5; i++) {
      const body = {
        consumerPid: `urn:uuid:${i}`,
        offer: { ...world.offer, '@id': `offer-x${i}` },
        callbackAddress: 'https://consumer.example/dsp',
      }
      refusal(await arrive(provider, CONSUMER, '/dsp/negotiations/request', body, String(i)))
    }
    expect(provider.store().audit(CONSUMER)).toMatchObject([
      { event: 'request refused', detail: { code: 'OfferUnknown', offer: 'offer-x0', times: 1 } },
      { event: 'request refused', detail: { code: 'OfferUnknown', offer: 'offer-x4', times: 5 } },
    ])
  })

  it('for an offer of a dataset that is not published is refused in the same words', async () => {
    const { provider } = await open()
    const dataset = provider.store().dataset('press-7')
    if (dataset !== undefined) await provider.store().putDataset({ ...dataset, published: false })
    expect(refusal(await asked())).toMatchObject(UNKNOWN)
  })

  it('for an offer to somebody else is refused in the same words', async () => {
    await open({ terms: { recipients: [STRANGER] } })
    // The consumer would not ask; its message is made as a hostile one would be.
    const message = {
      consumerPid: 'urn:uuid:x',
      offer: world.offer,
      callbackAddress: 'https://consumer.example/dsp',
    }
    expect(
      refusal(await arrive(world.provider, CONSUMER, '/dsp/negotiations/request', message, 'd')),
    ).toMatchObject(UNKNOWN)
  })

  it.each<[string, JsonObject, string]>([
    [
      'another term',
      { permission: [{ action: 'use' }] },
      'The requested offer differs from the one in the catalog: permission[0].constraint',
    ],
    [
      'another target',
      { target: 'press-8' },
      'The target of the offer is not the dataset that it was published for.',
    ],
    [
      'a duty that was not offered',
      { obligation: [{ action: 'delete' }] },
      'The requested offer differs from the one in the catalog: obligation[0] is',
    ],
  ])('with %s is refused, and the difference is named', async (_, change, sentence) => {
    await open()
    const message = {
      consumerPid: 'urn:uuid:x',
      offer: { ...world.offer, ...change },
      callbackAddress: 'https://consumer.example/dsp',
    }
    const why = refusal(await arrive(world.provider, CONSUMER, '/dsp/negotiations/request', message, 'd'))
    expect(why.code).toBe('OfferDiffers')
    expect(why.message.startsWith(sentence)).toBe(true)
    expect(world.provider.store().list('negotiation')).toEqual([])
  })

  it('for an offer that has expired is refused', async () => {
    await open({ terms: { until: '2027-01-31' } })
    await begin(world)
    world.forward(60 * DAY)
    const why = refusal(await world.carry(world.consumer, world.consumer.next('request')))
    expect(['PolicyDenied', 'OfferUnknown']).toContain(why.code)
    expect(world.provider.store().agreements()).toEqual([])
  })

  it('is not even sent when our own connector cannot keep the terms', async () => {
    await open()
    const unknown = { obligation: [{ action: 'https://other.example/settle' }] }
    await expect(begin(world, unknown)).rejects.toThrow('cannot be kept here')
    expect(world.consumer.store().list('negotiation')).toEqual([])
  })

  it('that is refused ends the negotiation of the consumer with the words of the provider', async () => {
    const { consumer } = await open()
    await begin(world, { '@id': 'offer-2' })
    await world.settle()
    expect(consumer.negotiation()).toMatchObject({
      state: 'TERMINATED',
      endedBy: 'us',
      reason:
        'The partner answered 400: There is no such offer for you. Ask for the catalog again. (OfferUnknown)',
    })
    expect(consumer.owed()).toEqual([])
  })

  it('that comes again gets the same negotiation, also twice at the same time', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    const owed = consumer.next('request')
    const answers = await Promise.all([1, 2, 3].map(() => world.carry(consumer, owed)))
    const again = await world.carry(consumer, owed)
    const pids = [...answers, again].map((answer) => (answer.ok ? answer.value.pid : answer.error.code))
    expect(new Set(pids)).toEqual(new Set([provider.negotiation().pid]))
    expect(provider.store().agreements()).toHaveLength(1)
    expect(provider.owed()).toHaveLength(1)
  })

  it('with a pid that is in use for something else is refused', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    const owed = consumer.next('request')
    await world.carry(consumer, owed)
    const other = await world.carry(consumer, owed, (body) => {
      body.callbackAddress = 'https://elsewhere.example/dsp'
    })
    expect(refusal(other)).toMatchObject({ code: 'InvalidTransition' })
    expect(provider.negotiation().partnerAddress).toBe('https://consumer.example/dsp')
  })
})

describe('an agreement', () => {
  const agreed = async (m?: Parameters<typeof createWorld>[0]): Promise<void> => {
    await open(m)
    await begin(world)
    await world.carry(world.consumer, world.consumer.next('request'))
  }
  const changed = (change: (agreement: Record<string, Json>) => unknown) =>
    world.carry(world.provider, world.provider.next('agree'), (body) => {
      change(body.agreement as Record<string, Json>)
    })

  it.each<[string, (agreement: Record<string, Json>) => void, string]>([
    [
      'target',
      (a) => {
        a.target = 'press-8'
      },
      'The agreement differs from the offer you asked for: target is "press-8", expected was "press-7".',
    ],
    [
      'assigner',
      (a) => {
        a.assigner = STRANGER
      },
      `The agreement differs from the offer you asked for: assigner is "${STRANGER}", expected was "${PROVIDER}".`,
    ],
    [
      'assignee',
      (a) => {
        delete a.assignee
      },
      `The agreement differs from the offer you asked for: assignee is null, expected was "${CONSUMER}".`,
    ],
    [
      'the end of use',
      (a) => {
        a.permission = JSON.parse(JSON.stringify(a.permission).replace('2028-01-01', '2027-06-01'))
      },
      'The agreement differs from the offer you asked for: permission[0].constraint[0].rightOperand is ' +
        '"2027-06-01T00:00:00Z", offered was "2028-01-01T00:00:00Z".',
    ],
    [
      'a missing permission',
      (a) => {
        a.permission = []
      },
      'The agreement differs from the offer you asked for: permission',
    ],
    [
      'a duty that was not offered',
      (a) => {
        a.obligation = [{ action: 'delete' }]
      },
      'The agreement differs from the offer you asked for: obligation[0] is {"action":"delete"}, offered was nothing.',
    ],
    [
      'the time',
      (a) => {
        a.timestamp = 'soon'
      },
      'The agreement has no timestamp with date, time and offset, such as 2026-11-02T08:00:00Z, so its duration cannot be kept.',
    ],
  ])('that differs in %s is refused in words, and nothing is signed', async (_, change, sentence) => {
    await agreed()
    const why = refusal(await changed(change))
    expect(why.code).toBe('AgreementDiffers')
    expect(why.message.startsWith(sentence)).toBe(true)
    const { consumer } = world
    expect(consumer.negotiation()).toMatchObject({ state: 'TERMINATED', reason: why.message })
    expect(consumer.store().agreements()).toEqual([])
    const told = JSON.parse(consumer.next('terminate').body) as { code: string; reason: string[] }
    expect(told).toMatchObject({ code: 'AgreementDiffers', reason: [why.message] })
  })

  it('that the consumer refuses ends on both sides, and nothing is in force', async () => {
    await agreed()
    const { provider, consumer } = world
    const owed = provider.next('agree')
    const why = refusal(await changed((a) => Object.assign(a, { target: 'press-8' })))
    await undeliverable(provider.deps, owed, { code: 'PartnerRefused', message: why.message })
    await world.settle()
    expect([provider.negotiation().state, consumer.negotiation().state]).toEqual(['TERMINATED', 'TERMINATED'])
    expect(provider.agreement().status).toBe('pending')
  })

  it('with the @id of another contract is refused', async () => {
    await open()
    const first = await world.finalized()
    const { provider, consumer } = world
    const second = await begin(world)
    await world.carry(consumer, consumer.next('request'))
    const outcome = await changed((a) => Object.assign(a, { '@id': first.id }))
    expect(refusal(outcome).message).toBe(
      'The agreement has the @id of another contract, so the two could not be told apart. The provider must give each agreement an @id of its own.',
    )
    expect(consumer.store().agreement(first.id)).toEqual(first)
    expect(consumer.store().find({ kind: 'negotiation', pid: second.pid })?.state).toBe('TERMINATED')
    expect(provider.store().agreements()).toHaveLength(2)
  })

  it('with the @id of another one that arrives in the same moment does not take its place', async () => {
    await open({ seal: 'offer' })
    const { provider, consumer } = world
    await begin(world)
    await begin(world)
    for (const owed of consumer.owed()) await world.carry(consumer, owed)
    const outcomes = await Promise.all(
      provider.owed().map((owed) =>
        world.carry(provider, owed, (body) => {
          // Without its signature, which would not fit the changed text.
          delete body[AGREEMENT_SIGNATURE]
          ;(body.agreement as Record<string, Json>)['@id'] = 'urn:uuid:the-same'
        }),
      ),
    )
    expect(outcomes.map((outcome) => outcome.ok)).toEqual([true, false])
    expect(consumer.store().agreements()).toHaveLength(1)
    const [winner] = outcomes
    if (winner?.ok === true) expect(consumer.agreement().negotiationPid).toBe(winner.value.pid)
  })

  it('that comes again is acknowledged again and makes no second signature', async () => {
    await agreed()
    const { provider, consumer } = world
    const owed = provider.next('agree')
    await world.carry(provider, owed)
    const signed = consumer.agreement()
    expect((await world.carry(provider, owed)).ok).toBe(true)
    expect(consumer.agreement()).toEqual(signed)
    expect(consumer.owed()).toHaveLength(1)
  })

  it('is refused without ending anything when the key of the partner cannot be fetched just now', async () => {
    await agreed()
    const { provider, consumer } = world
    const away = { code: 'IdentityUnresolvable', message: 'The DID document cannot be fetched.' } as const
    const { verify } = consumer.deps.seals
    Object.assign(consumer.deps.seals, { verify: async () => ({ ok: false, error: away }) })
    const owed = provider.next('agree')
    expect(refusal(await world.carry(provider, owed))).toEqual(away)
    expect(consumer.negotiation().state).not.toBe('TERMINATED')
    Object.assign(consumer.deps.seals, { verify })
    expect((await world.carry(provider, owed)).ok).toBe(true)
  })

  it('is not countersigned when the offer on the table changed while its signature was checked', async () => {
    await agreed()
    const { provider, consumer } = world
    const { verify } = consumer.deps.seals
    let release: () => void = () => {}
    Object.assign(consumer.deps.seals, {
      verify: async (...args: Parameters<typeof verify>) => {
        await new Promise<void>((resolve) => {
          release = resolve
        })
        return verify(...args)
      },
    })
    const { pid, partnerPid } = provider.negotiation()
    const slow = world.carry(provider, provider.next('agree'))
    const better = { ...world.offer, '@id': 'offer-2', permission: [{ action: 'use' }] }
    const offered = { providerPid: pid, consumerPid: partnerPid ?? '', offer: better }
    const path = `/dsp/negotiations/${partnerPid}/offers`
    expect((await arrive(consumer, PROVIDER, path, offered, 'offer')).ok).toBe(true)
    await acceptOffer(consumer.deps, consumer.negotiation().pid)
    release()
    expect(refusal(await slow).code).toBe('InvalidTransition')
    expect(consumer.negotiation()).toMatchObject({ state: 'OFFERED', pending: 'accept' })
    expect(consumer.store().agreements()).toEqual([])
  })
})

describe('signatures', () => {
  type Mode = Partner['seal']
  const KEYS = { agree: AGREEMENT_SIGNATURE, verify: COUNTERSIGNATURE, finalize: RECEIPT } as const
  const STEPS = ['request', 'agree', 'verify', 'finalize'] as const

  /** Goes up to the message, tampers with its seal, and answers the outcome. */
  async function sealed(event: keyof typeof KEYS, seal: 'missing' | 'wrong') {
    const { provider, consumer } = world
    await begin(world)
    for (const step of STEPS) {
      const from = step === 'request' || step === 'verify' ? consumer : provider
      const owed = from.next(step)
      if (step !== event) {
        await world.exchange(from, owed)
        continue
      }
      return world.carry(from, owed, (body) => {
        if (seal === 'missing') delete body[KEYS[event]]
        else body[KEYS[event]] = 'seal:forged'
      })
    }
    throw new Error('not reached')
  }
  const receiver = (event: keyof typeof KEYS) => (event === 'verify' ? world.provider : world.consumer)

  it.each<[keyof typeof KEYS, string]>([
    ['agree', 'The agreement is not signed, and we accept signed contracts only.'],
    ['verify', 'The verification is not countersigned, and we accept signed contracts only.'],
    ['finalize', 'The finalisation has no signed receipt, and we accept signed contracts only.'],
  ])('required: a missing one in "%s" ends the negotiation', async (event, sentence) => {
    await open({ seal: 'require' })
    expect(refusal(await sealed(event, 'missing'))).toMatchObject({
      code: 'SignatureMissing',
      message: sentence,
    })
    expect(receiver(event).negotiation()).toMatchObject({ state: 'TERMINATED', reason: sentence })
    expect(
      receiver(event)
        .store()
        .agreements()
        .some((a) => a.status === 'active'),
    ).toBe(false)
  })

  it.each<[Mode, keyof typeof KEYS]>([
    ['require', 'agree'],
    ['require', 'verify'],
    ['require', 'finalize'],
    ['offer', 'agree'],
    ['offer', 'verify'],
    ['offer', 'finalize'],
  ])('%s: a wrong one in "%s" ends the negotiation', async (seal, event) => {
    await open({ seal })
    expect(refusal(await sealed(event, 'wrong')).code).toBe('SignatureInvalid')
    expect(receiver(event).negotiation().state).toBe('TERMINATED')
  })

  it.each<keyof typeof KEYS>([
    'agree',
    'verify',
    'finalize',
  ])('offered: "%s" may come without', async (event) => {
    await open({ seal: 'offer' })
    expect((await sealed(event, 'missing')).ok).toBe(true)
    expect(receiver(event).negotiation().state).not.toBe('TERMINATED')
  })

  it('off: nothing is signed and nothing is checked', async () => {
    await open({ seal: 'off' })
    expect((await sealed('agree', 'wrong')).ok).toBe(true)
    await world.settle()
    const agreement = world.consumer.agreement()
    expect(agreement.status).toBe('active')
    expect([agreement.providerSeal, agreement.consumerSeal, agreement.receipt]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('messages out of order', () => {
  it('an agreement for a finished negotiation is refused and changes nothing', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    const agree = provider.next('agree')
    await world.exchange(provider, agree)
    await world.settle()
    const before = consumer.negotiation()
    const late = await world.carry(provider, agree, (body) => {
      body['https://example.com/attempt'] = 2
    })
    expect(refusal(late).code).toBe('InvalidTransition')
    expect(consumer.negotiation()).toEqual(before)
  })

  it('FINALIZED before the agreement is refused', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    const { pid, partnerPid } = provider.negotiation()
    const body = { providerPid: pid, consumerPid: partnerPid ?? '', eventType: 'FINALIZED' }
    const outcome = await arrive(consumer, PROVIDER, `/dsp/negotiations/${partnerPid}/events`, body, 'd')
    expect(refusal(outcome).code).toBe('InvalidTransition')
    expect(consumer.negotiation().state).toBe('REQUESTED')
  })

  it('messages of a stranger and of the wrong role find no process', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    await consumer.store().putPartner({ ...consumer.partner(), did: STRANGER })
    await provider.store().putPartner({ ...provider.partner(), did: STRANGER })
    const { pid, partnerPid } = provider.negotiation()
    const body = { providerPid: pid, consumerPid: partnerPid ?? '', reason: ['no'] }
    for (const [side, path] of [
      [consumer, `/dsp/negotiations/${partnerPid}/agreement`],
      [consumer, `/dsp/negotiations/${partnerPid}/termination`],
      [provider, `/dsp/negotiations/${pid}/agreement/verification`],
      [provider, `/dsp/negotiations/${pid}/termination`],
    ] as const) {
      expect(refusal(await arrive(side, STRANGER, path, { ...body, agreement: {} }, 'd')).code).toBe(
        'NotFound',
      )
    }
    // The provider's own process is no consumer process, whoever asks.
    const wrongRole = await arrive(
      provider,
      CONSUMER,
      `/dsp/negotiations/${pid}/agreement`,
      { ...body, agreement: {} },
      'd',
    )
    expect(refusal(wrongRole).code).toBe('NotFound')
    expect(provider.negotiation().state).toBe('REQUESTED')
  })

  it('an answer with the pid of another negotiation of the partner ends the new one, and leaves the other alone', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.settle()
    const first = consumer.negotiation()
    const second = await begin(world)
    const owed = consumer.next('request')
    const twice = JSON.stringify({
      '@context': ['https://w3id.org/dspace/2025/1/context.jsonld'],
      '@type': 'ContractNegotiation',
      providerPid: provider.negotiation().pid,
      consumerPid: second.pid,
      state: 'REQUESTED',
    })
    await delivered(consumer.deps, owed, Buffer.from(twice))
    expect(consumer.store().find({ kind: 'negotiation', pid: first.pid })).toEqual(first)
    expect(consumer.store().find({ kind: 'negotiation', pid: second.pid })).toMatchObject({
      state: 'TERMINATED',
    })
    expect(consumer.owed()).toEqual([])
  })

  it('an answer that is none ends the negotiation with a reason', async () => {
    const { consumer } = await open()
    await begin(world)
    await delivered(consumer.deps, consumer.next('request'), Buffer.from('<html>'))
    expect(consumer.negotiation().state).toBe('TERMINATED')
    expect(consumer.negotiation().reason).toMatch(/^The partner's answer cannot be used/)
  })

  it('a refusal of a message that was settled otherwise changes nothing', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    const agree = provider.next('agree')
    await world.carry(provider, agree)
    await world.carry(consumer, consumer.next('verify'))
    const before = provider.negotiation()
    expect(before).toMatchObject({ state: 'VERIFIED', pending: 'finalize' })
    await undeliverable(provider.deps, agree, { code: 'PartnerRefused', message: 'The partner answered 400' })
    await delivered(provider.deps, agree, Buffer.from(''))
    expect(provider.negotiation()).toEqual(before)
    expect(provider.owed()).toHaveLength(1)
  })
})

describe('an operator who ends it', () => {
  it('before the partner has answered: the wish is kept, and carried out with the answer', async () => {
    const { provider, consumer } = await open()
    const { pid } = await begin(world)
    const outcome = await terminateNegotiation(consumer.deps, pid, 'changed our mind')
    expect(outcome).toMatchObject({ ok: true, value: { state: 'NEW', closing: 'changed our mind' } })
    await world.exchange(consumer, consumer.next('request'))
    expect(consumer.negotiation()).toMatchObject({ state: 'REQUESTED', pending: 'terminate' })
    await world.settle()
    expect(consumer.negotiation()).toMatchObject({
      state: 'TERMINATED',
      endedBy: 'us',
      reason: 'changed our mind',
    })
    expect(provider.negotiation()).toMatchObject({
      state: 'TERMINATED',
      endedBy: 'partner',
      reason: 'changed our mind',
    })
  })

  it('before the partner has answered, and the agreement overtakes the answer: nothing is signed', async () => {
    const { provider, consumer } = await open()
    const { pid } = await begin(world)
    await terminateNegotiation(consumer.deps, pid, 'changed our mind')
    await world.carry(consumer, consumer.next('request'))
    expect((await world.carry(provider, provider.next('agree'))).ok).toBe(true)
    expect(consumer.store().agreements()).toEqual([])
    expect(consumer.owed().map((o) => o.event)).toEqual(['terminate'])
    await world.settle()
    expect([provider.negotiation().state, consumer.negotiation().state]).toEqual(['TERMINATED', 'TERMINATED'])
  })

  it('and the partner never answers: it ends all the same', async () => {
    const { consumer } = await open()
    const { pid } = await begin(world)
    await terminateNegotiation(consumer.deps, pid, 'changed our mind')
    await undeliverable(consumer.deps, consumer.next('request'), unanswered)
    expect(consumer.negotiation()).toMatchObject({ state: 'TERMINATED', reason: 'away' })
    expect(consumer.negotiation()).not.toHaveProperty('closing')
    expect(consumer.owed()).toEqual([])
  })

  it.each([
    'provider',
    'consumer',
  ] as const)('as %s, while a message of the partner comes: nothing is concluded', async (who) => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    if (who === 'provider') await world.carry(provider, provider.next('agree'))
    const side = world[who]
    await terminateNegotiation(side.deps, side.negotiation().pid, 'no')
    const [from, event] =
      who === 'provider' ? ([consumer, 'verify'] as const) : ([provider, 'agree'] as const)
    const outcome = await world.carry(from, from.next(event))
    expect(refusal(outcome).message).toBe(`The process is being terminated; "${event}" comes too late.`)
    expect(side.negotiation().pending).toBe('terminate')
    await world.settle()
    expect([provider.negotiation().state, consumer.negotiation().state]).toEqual(['TERMINATED', 'TERMINATED'])
    const active = [provider, consumer]
      .flatMap((s) => s.store().agreements())
      .filter((a) => a.status === 'active')
    expect(active).toEqual([])
  })

  it('cannot take FINALIZED back, because the contract may be in force there', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    await world.exchange(provider, provider.next('agree'))
    await world.exchange(consumer, consumer.next('verify'))
    await world.carry(provider, provider.next('finalize'))
    const outcome = await terminateNegotiation(provider.deps, provider.negotiation().pid, 'no')
    expect(refusal(outcome).message).toBe(
      'The partner has not answered the message "finalize" yet; "terminate" has to wait for that.',
    )
    await world.settle()
    expect([provider.agreement().status, consumer.agreement().status]).toEqual(['active', 'active'])
  })

  it('keeps the own reason also when the partner refuses to hear of it', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    await terminateNegotiation(provider.deps, provider.negotiation().pid, 'we sold the machine')
    const refused = { code: 'PartnerRefused', message: 'The partner answered 404' } as const
    await undeliverable(provider.deps, provider.next('terminate'), refused)
    expect(provider.negotiation()).toMatchObject({ state: 'TERMINATED', reason: 'we sold the machine' })
    expect(provider.owed()).toEqual([])
  })
})

describe('an offer of the provider', () => {
  const offered = (consumerPid: string, offer: JsonObject, digest: string) =>
    arrive(
      world.consumer,
      PROVIDER,
      `/dsp/negotiations/${consumerPid}/offers`,
      { providerPid: world.provider.negotiation().pid, consumerPid, offer },
      digest,
    )

  it('stays on the table until the operator accepts it', async () => {
    const { consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    const { pid } = consumer.negotiation()
    const other = { ...world.offer, '@id': 'offer-2' }
    expect((await offered(pid, other, 'offer')).ok).toBe(true)
    expect((await offered(pid, other, 'offer')).ok).toBe(true)
    expect(consumer.negotiation()).toMatchObject({ state: 'OFFERED', offer: other })
    expect(consumer.owed()).toEqual([])
    expect(refusal(await offered(pid, other, 'another')).code).toBe('InvalidTransition')
    const accepted = await acceptOffer(consumer.deps, pid)
    expect(accepted).toMatchObject({ ok: true, value: { state: 'OFFERED', pending: 'accept' } })
    expect(JSON.parse(consumer.next('accept').body)).toMatchObject({ eventType: 'ACCEPTED' })
  })

  it('opens a negotiation once per pid of the provider', async () => {
    const { consumer } = await open()
    const message = (callbackAddress: string) => ({
      providerPid: 'urn:uuid:p',
      offer: world.offer,
      callbackAddress,
    })
    const send = (callback: string, digest: string) =>
      arrive(consumer, PROVIDER, '/dsp/negotiations/offers', message(callback), digest)
    const twins = await Promise.all([
      send('https://provider.example/dsp', 'd'),
      send('https://provider.example/dsp', 'd'),
    ])
    expect(new Set(twins.map((t) => (t.ok ? t.value.pid : '')))).toEqual(
      new Set([consumer.negotiation().pid]),
    )
    expect(refusal(await send('https://elsewhere.example/dsp', 'e')).code).toBe('InvalidTransition')
    expect(consumer.negotiation()).toMatchObject({
      state: 'OFFERED',
      partnerAddress: 'https://provider.example/dsp',
    })
  })
})

it('writes the whole story of a negotiation down on each side', async () => {
  const { provider, consumer } = await open()
  await world.finalized()
  const story = (side: typeof provider) =>
    side
      .store()
      .audit(side.negotiation().pid)
      .map((e) => `${e.direction} ${e.event}`)
  expect(story(consumer)).toEqual([
    'out request',
    'out request acknowledged',
    'in agree',
    'out verify',
    'out verify acknowledged',
    'in finalize',
  ])
  expect(story(provider)).toEqual([
    'in request',
    'out agree',
    'out agree acknowledged',
    'in verify',
    'out finalize',
    'out finalize acknowledged',
  ])
  expect(consumer.negotiation().createdAt).toBe(NOW)
})
