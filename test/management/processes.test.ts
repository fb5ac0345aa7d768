import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMs, JsonObject, Pid } from '../../connector/core/types.js'
import type { Agreement } from '../../connector/domain/agreement.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Transfer } from '../../connector/domain/transfer.js'
import {
  type Api,
  OWN,
  openApi,
  PARTNER,
  path,
  remoteDataset,
  remoteOffer,
  START,
  UNKNOWN_TERM,
} from './support.js'

let api: Api
beforeEach(async () => {
  api = await openApi()
  await api.trustedPartner()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const negotiate = (body: object = {}) =>
  api.post('/api/v1/negotiations', { partner: PARTNER, dataset: 'press', ...body })

const PID = 'urn:uuid:9b3c0000-0000-4000-8000-000000000001' as Pid

const negotiation = (more: Partial<Negotiation> = {}): Negotiation => ({
  kind: 'negotiation',
  pid: PID,
  role: 'consumer',
  partner: PARTNER,
  partnerPid: 'urn:theirs',
  partnerAddress: 'https://buyer.example.com/dsp',
  state: 'REQUESTED',
  offer: { ...remoteOffer('o1'), target: 'press' },
  datasetId: 'press',
  createdAt: START,
  updatedAt: START,
  ...more,
})

const transfer = (more: Partial<Transfer> = {}): Transfer => ({
  kind: 'transfer',
  pid: PID,
  role: 'consumer',
  partner: PARTNER,
  partnerPid: 'urn:theirs',
  partnerAddress: 'https://buyer.example.com/dsp',
  state: 'STARTED',
  agreementId: 'urn:contract',
  datasetId: 'press',
  format: 'HttpData-PULL',
  generation: 0,
  endpoint: 'https://buyer.example.com/data/1',
  sealedToken: 'v1.sealed',
  createdAt: START,
  updatedAt: START,
  ...more,
})

const agreement = (more: Partial<Agreement> = {}): Agreement => {
  const body: JsonObject = {
    '@id': 'urn:contract',
    '@type': 'Agreement',
    assigner: PARTNER,
    assignee: OWN,
    target: 'press',
    timestamp: '2026-11-02T08:00:00.000Z',
    permission: [{ action: 'use' }],
  }
  return {
    id: 'urn:contract',
    role: 'consumer',
    partner: PARTNER,
    negotiationPid: PID,
    datasetId: 'press',
    body,
    offer: remoteOffer('o1'),
    hash: 'x',
    agreedAt: START,
    status: 'active',
    providerSeal: 'theirs',
    consumerSeal: 'ours',
    ...more,
  }
}

const storeContract = (more: Partial<Agreement> = {}) =>
  api.store.create({
    next: negotiation({ state: 'FINALIZED', agreementId: 'urn:contract' }),
    agreement: agreement(more),
  })

describe('starting a negotiation', () => {
  it('takes the only acceptable offer, names the dataset as its target, and says for whom it waits', async () => {
    api.world.datasets = [
      remoteDataset('press', [remoteOffer('spatial', UNKNOWN_TERM), remoteOffer('dated')]),
    ]
    const answer = await negotiate()
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      pid: answer.body.pid,
      role: 'consumer',
      partner: PARTNER,
      state: 'NEW',
      pending: 'request',
      dataset: 'press',
      offer: 'dated',
      createdAt: '2026-11-02T08:00:00.000Z',
      updatedAt: '2026-11-02T08:00:00.000Z',
      waitingFor: 'partner',
      waitingSince: '2026-11-02T08:00:00.000Z',
      attempts: 0,
      nextAttemptAt: '2026-11-02T08:00:00.000Z',
      offerHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const stored = api.store.find({ kind: 'negotiation', pid: answer.body.pid })
    expect(stored?.offer).toEqual({ ...remoteOffer('dated'), target: 'press' })
  })

  it('asks which one is meant when several can be accepted, and shows their clauses', async () => {
    api.world.datasets = [remoteDataset('press', [remoteOffer('a'), remoteOffer('b')])]
    const answer = await negotiate()
    expect([answer.status, answer.body.code]).toEqual([400, 'InvalidInput'])
    expect(answer.body.message).toContain('has 2 offers that can be accepted. Name the one you want: a, b.')
    expect(answer.body.problems).toHaveLength(2)
    expect(answer.body.problems[0]).toMatch(/^a: 1\. .*2\. .*2026/)
    expect(api.store.list('negotiation')).toEqual([])
    const named = await negotiate({ offer: 'b' })
    expect(named.body.offer).toBe('b')
  })

  it('says why when no offer can be kept here', async () => {
    api.world.datasets = [remoteDataset('press', [remoteOffer('spatial', UNKNOWN_TERM)])]
    const answer = await negotiate()
    expect([answer.status, answer.body.code]).toEqual([422, 'PolicyUnsupported'])
    expect(answer.body.message).toContain('spatial: ')
    expect((await negotiate({ offer: 'spatial' })).body.code).toBe('PolicyUnsupported')
    expect((await negotiate({ offer: 'other' })).body.message).toContain('Offers: spatial.')
  })

  it('is refused with a partner that is not trusted, and for a dataset that is not there', async () => {
    expect((await negotiate()).status).toBe(404)
    await api.post(path`/api/v1/partners/${PARTNER}/block`)
    expect((await negotiate()).body.code).toBe('NotTrusted')
  })
})

describe('a negotiation', () => {
  it('tells its history, what is owed and why it waits, without the messages', async () => {
    api.world.datasets = [remoteDataset('press', [remoteOffer('dated')])]
    const { pid } = (await negotiate()).body
    const [owed] = api.store.owedFor(pid)
    await api.store.attemptFailed(owed?.id ?? 0, 'Nobody answers there.', (START + 60_000) as EpochMs, START)
    const answer = await api.get(path`/api/v1/negotiations/${pid}`)
    expect(answer.body).toMatchObject({ waitingFor: 'partner', lastError: 'Nobody answers there.' })
    expect(answer.body.owed).toEqual([
      {
        event: 'request',
        since: '2026-11-02T08:00:00.000Z',
        attempts: 1,
        lastError: 'Nobody answers there.',
        nextAttemptAt: '2026-11-02T08:01:00.000Z',
      },
    ])
    expect(
      answer.body.timeline.map((e: { direction: string; event: string }) => [e.direction, e.event]),
    ).toEqual([
      ['out', 'request'],
      ['own', 'negotiation started'],
      ['out', 'request attempt failed'],
    ])
    expect(answer.body.timeline.at(-1)).toMatchObject({
      message: 'request',
      result: 'attempt failed',
      words: {
        en: 'request not delivered, attempt 1: Nobody answers there.',
        de: 'Anfrage nicht zugestellt, 1. Versuch: Nobody answers there.',
      },
      detail: { times: 1, nextAttemptAt: '2026-11-02T08:01:00.000Z' },
    })
    expect(answer.text).not.toContain('secret body')
    expect((await api.get('/api/v1/status')).body.owed).toEqual({
      count: 1,
      oldest: '2026-11-02T08:00:00.000Z',
    })

    const retried = await api.post(path`/api/v1/negotiations/${pid}/retry`)
    expect(retried.status).toBe(200)
    expect(api.store.due(START, 10).map((o) => o.pid)).toEqual([pid])
  })

  it.each([
    ['consumer', 'REQUESTED', 'partner'],
    ['provider', 'REQUESTED', 'us'],
    ['consumer', 'OFFERED', 'us'],
    ['provider', 'VERIFIED', 'us'],
    ['consumer', 'VERIFIED', 'partner'],
    ['consumer', 'FINALIZED', undefined],
    ['provider', 'TERMINATED', undefined],
  ] as const)('as %s in %s waits for %s', async (role, state, waitingFor) => {
    await api.store.create({ next: negotiation({ role, state }) })
    expect((await api.get(path`/api/v1/negotiations/${PID}`)).body.waitingFor).toBe(waitingFor)
  })

  it('is listed by state', async () => {
    await api.store.create({ next: negotiation() })
    const count = async (state: string) =>
      (await api.get(`/api/v1/negotiations?state=${state}`)).body.negotiations.length
    expect([await count('REQUESTED'), await count('AGREED')]).toEqual([1, 0])
    expect((await api.get('/api/v1/negotiations')).body.negotiations).toHaveLength(1)
  })

  it('is accepted where the partner has offered, and only there', async () => {
    await api.store.create({ next: negotiation({ state: 'OFFERED' }) })
    const accepted = await api.post(path`/api/v1/negotiations/${PID}/accept`)
    expect(accepted.body).toMatchObject({ state: 'OFFERED', pending: 'accept', waitingFor: 'partner' })
    const again = await api.post(path`/api/v1/negotiations/${PID}/accept`)
    expect([again.status, again.body.code]).toEqual([409, 'InvalidTransition'])
  })

  it('is ended with a reason, which is noted with who gave it', async () => {
    await api.store.create({ next: negotiation() })
    const bare = await api.post(path`/api/v1/negotiations/${PID}/terminate`)
    expect(bare.body.message).toBe('"reason" is missing.')
    const ended = await api.post(path`/api/v1/negotiations/${PID}/terminate`, { reason: 'Too expensive.' })
    expect(ended.body).toMatchObject({ pending: 'terminate', reason: 'Too expensive.' })
    expect(api.store.audit(PID).at(-1)).toMatchObject({
      direction: 'own',
      event: 'negotiation ended',
      detail: { by: 'admin', reason: 'Too expensive.' },
    })
  })

  it('has nothing to try again when nothing is owed', async () => {
    await api.store.create({ next: negotiation() })
    const answer = await api.post(path`/api/v1/negotiations/${PID}/retry`)
    expect([answer.status, answer.body.message]).toEqual([
      409,
      'There is nothing to deliver: this negotiation owes the partner no message.',
    ])
  })

  it('that is a transfer, or nothing, is not there', async () => {
    await api.store.create({ next: transfer() })
    expect((await api.get(path`/api/v1/negotiations/${PID}`)).status).toBe(404)
    expect((await api.post('/api/v1/negotiations/none/retry')).status).toBe(404)
    expect((await api.post('/api/v1/negotiations/none/accept')).status).toBe(404)
  })
})

describe('a contract', () => {
  it('is shown in words and exactly, with who signed', async () => {
    await storeContract()
    const { body } = await api.get('/api/v1/contracts/urn:contract')
    expect(body).toMatchObject({
      id: 'urn:contract',
      role: 'consumer',
      partnerName: 'Buyer',
      dataset: 'press',
      status: 'active',
      negotiation: PID,
      signed: 'both',
      agreement: agreement().body,
    })
    expect(body.clauses).toHaveLength(1)
    expect((await api.get('/api/v1/contracts')).body.contracts[0].id).toBe('urn:contract')
  })

  it.each([
    [{ consumerSeal: undefined }, 'partner'],
    [{ providerSeal: undefined }, 'us'],
    [{ providerSeal: undefined, consumerSeal: undefined }, 'none'],
  ])('without %o is signed by %s', async (without, signed) => {
    const next = Object.fromEntries(
      Object.entries({ ...agreement(), ...without }).filter(([, value]) => value !== undefined),
    ) as Agreement
    await api.store.create({ next: negotiation(), agreement: next })
    expect((await api.get('/api/v1/contracts/urn:contract')).body.signed).toBe(signed)
  })

  it('is verified: a changed text is not intact, a missing receipt is missing', async () => {
    await storeContract()
    const { body } = await api.get('/api/v1/contracts/urn:contract/verify')
    expect(body).toEqual({
      intact: false,
      signatures: [
        { by: PARTNER, as: 'provider', verdict: 'valid' },
        { by: OWN, as: 'consumer', verdict: 'valid' },
        { by: PARTNER, as: 'receipt', verdict: 'missing' },
      ],
    })
  })

  it('is revoked once, with a reason, and ends what runs under it', async () => {
    await storeContract({ role: 'provider' })
    await api.store.create({
      next: transfer({ pid: 'urn:uuid:flow' as Pid, partnerPid: 'urn:other', role: 'provider' }),
    })
    const revoked = await api.post('/api/v1/contracts/urn:contract/revoke', { reason: 'Misuse.' })
    expect(revoked.body).toMatchObject({ status: 'revoked', statusReason: 'Misuse.', statusBy: 'us' })
    // Before its end is written, and with it.
    expect(new Set(api.world.stopped)).toEqual(new Set(['urn:uuid:flow']))
    const again = await api.post('/api/v1/contracts/urn:contract/revoke', { reason: 'Misuse.' })
    expect(again.status).toBe(409)
    const { timeline } = (await api.get('/api/v1/contracts/urn:contract')).body
    expect(timeline.map((e: { event: string }) => e.event)).toEqual(['revoked', 'contract revoked'])
    expect(timeline[1].detail).toEqual({ by: 'admin', reason: 'Misuse.' })
  })

  it('that does not exist is not there', async () => {
    expect((await api.get('/api/v1/contracts/none')).status).toBe(404)
    expect((await api.get('/api/v1/contracts/none/verify')).status).toBe(404)
    expect((await api.post('/api/v1/contracts/none/revoke', { reason: 'x' })).status).toBe(404)
    expect((await api.post('/api/v1/transfers', { contract: 'none' })).status).toBe(404)
  })
})

describe('a transfer', () => {
  it('is started under a contract, and never shows its address or token', async () => {
    await storeContract()
    const started = await api.post('/api/v1/transfers', { contract: 'urn:contract' })
    expect(started.status).toBe(201)
    expect(started.body).toMatchObject({
      role: 'consumer',
      contract: 'urn:contract',
      format: 'HttpData-PULL',
      state: 'NEW',
      pending: 'request',
      waitingFor: 'partner',
    })
    const pid = 'urn:uuid:flow' as Pid
    await api.store.create({ next: transfer({ pid }) })
    const answers = [await api.get(path`/api/v1/transfers/${pid}`), await api.get('/api/v1/transfers')]
    for (const { text } of answers) {
      expect(text).not.toContain('v1.sealed')
      expect(text).not.toContain('/data/1')
    }
  })

  it('is not started by the provider', async () => {
    await storeContract({ role: 'provider' })
    expect((await api.post('/api/v1/transfers', { contract: 'urn:contract' })).body.code).toBe('InvalidInput')
  })

  it('is not started under a revoked contract', async () => {
    await storeContract()
    await api.post('/api/v1/contracts/urn:contract/revoke', { reason: 'Misuse.' })
    const refused = await api.post('/api/v1/transfers', { contract: 'urn:contract' })
    expect([refused.status, refused.body.code]).toEqual([403, 'GrantEnded'])
    expect(refused.body.message).toContain('Misuse.')
  })

  it('is suspended, and then waits for whoever suspended it', async () => {
    await api.store.create({ next: transfer() })
    const suspended = await api.post(path`/api/v1/transfers/${PID}/suspend`, { reason: 'Maintenance.' })
    expect(suspended.body).toMatchObject({ pending: 'suspend', reason: 'Maintenance.', suspendedBy: 'us' })
    expect(api.store.audit(PID).at(-1)).toMatchObject({
      event: 'transfer suspended',
      detail: { by: 'admin', reason: 'Maintenance.' },
    })
  })

  it.each(['us', 'partner'] as const)('suspended by %s says so', async (suspendedBy) => {
    await api.store.create({ next: transfer({ state: 'SUSPENDED', suspendedBy }) })
    expect((await api.get(path`/api/v1/transfers/${PID}`)).body.waitingFor).toBe(suspendedBy)
  })

  it('is resumed, completed and terminated where its state allows it', async () => {
    await api.store.create({ next: transfer({ state: 'SUSPENDED', suspendedBy: 'us' }) })
    const at = (move: string) => path`/api/v1/transfers/${PID}/` + move
    expect((await api.post(at('complete'))).status).toBe(409)
    expect((await api.post(at('resume'))).body.pending).toBe('start')
    expect((await api.post(at('suspend'))).status).toBe(409)
    const ended = await api.post(at('terminate'))
    expect(ended.body).toMatchObject({ pending: 'terminate', reason: 'The operator ended the transfer.' })
    expect((await api.post(at('retry'))).status).toBe(200)
  })

  it('that runs keeps nobody waiting', async () => {
    await api.store.create({ next: transfer() })
    const { body } = await api.get(path`/api/v1/transfers/${PID}`)
    expect(body.waitingFor).toBeUndefined()
    expect(body.owed).toEqual([])
    expect((await api.get('/api/v1/transfers?state=STARTED')).body.transfers).toHaveLength(1)
    expect((await api.post(path`/api/v1/transfers/${PID}/retry`)).status).toBe(409)
  })
})
