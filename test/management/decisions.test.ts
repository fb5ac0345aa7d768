/** What a person decides through the management API, and the manual approval that asks for it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMs, JsonObject, Pid } from '../../connector/core/types.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Transfer } from '../../connector/domain/transfer.js'
import { type Api, openApi, PARTNER, path, START } from './support.js'

let api: Api
beforeEach(async () => {
  api = await openApi()
  await api.trustedPartner()
})
afterEach(() => api[Symbol.asyncDispose]())

const PID = 'urn:uuid:9b3c0000-0000-4000-8000-000000000001' as Pid
const at = path`/api/v1/negotiations/${PID}`

const offer = (constraint?: JsonObject): JsonObject => ({
  '@id': 'o1',
  '@type': 'Offer',
  target: 'press',
  permission: [{ action: 'use', ...(constraint === undefined ? {} : { constraint: [constraint] }) }],
})
const until = (day: string) =>
  offer({ leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: `${day}T00:00:00Z` })

const put = (more: Partial<Negotiation> = {}) =>
  api.store.create({
    next: {
      kind: 'negotiation',
      pid: PID,
      role: 'provider',
      partner: PARTNER,
      partnerPid: 'urn:theirs',
      partnerAddress: 'https://buyer.example.com/dsp',
      state: 'REQUESTED',
      offer: until('2027-06-01'),
      datasetId: 'press',
      createdAt: START,
      updatedAt: START,
      ...more,
    },
  })

const dataset = () =>
  api.store.putDataset({
    id: 'press',
    title: 'Press',
    keywords: [],
    signals: [],
    published: true,
    createdAt: START,
    updatedAt: START,
  })

describe('a request that waits for a person', () => {
  const awaiting = { because: 'terms', since: START, detail: 'another day' } as const

  it('says so, since when and why, with the terms in words and what was changed', async () => {
    await put({ awaiting, previous: until('2027-01-01') })
    const { body } = await api.get(at)
    expect(body).toMatchObject({
      waitingFor: 'person',
      waitingSince: '2026-11-02T08:00:00.000Z',
      waitingBecause: 'terms',
      waitingDetail: 'another day',
      terms: { id: 'o1', acceptable: true, clauses: [{ number: 1 }, { number: 2 }] },
    })
    expect(body.changes.map(({ en }: { en: string }) => en)).toEqual([
      'No longer: Use is allowed until the end of 31 December 2026 (UTC).',
      'New: Use is allowed until the end of 31 May 2027 (UTC).',
    ])
    expect(body.comparison).toEqual({
      against: 'before',
      relation: 'looser',
      text: {
        en: 'The terms on the table allow more than what you proposed before. Allowed in addition, for example: use at the moment 1 January 2027, 00:00 UTC.',
        de: 'Die vorliegenden Bedingungen erlauben mehr als das, was Sie zuvor vorgeschlagen haben. Zusätzlich erlaubt ist zum Beispiel: Nutzung im Zeitpunkt 1. Januar 2027, 00:00 Uhr UTC.',
      },
      clauses: [{ relation: 'looser', clauses: [2], text: expect.anything() }],
    })
    expect((await api.get('/api/v1/status')).body.waitingForPerson).toBe(1)
  })

  it('is approved by the hash of its terms, and by no other', async () => {
    await dataset()
    await put({ awaiting })
    const { offerHash } = (await api.get(at)).body
    const bare = await api.post(`${at}/approve`)
    expect([bare.status, bare.body.message]).toEqual([400, '"offerHash" is missing.'])
    const other = await api.post(`${at}/approve`, { offerHash: 'a'.repeat(64) })
    expect([other.status, other.body.code]).toEqual([409, 'Conflict'])
    expect(api.store.owedFor(PID)).toEqual([])
    const approved = await api.post(`${at}/approve`, { offerHash })
    expect(approved.body).toMatchObject({ pending: 'agree', waitingFor: 'partner' })
    expect(api.store.audit(PID).at(-1)).toMatchObject({
      event: 'request approved',
      detail: { by: 'admin', offerHash },
    })
  })

  it('is countered, or refused with a reason', async () => {
    await dataset()
    await put({ awaiting })
    const none = await api.post(`${at}/counter`, {})
    expect([none.status, none.body.code]).toEqual([400, 'InvalidInput'])
    const countered = await api.post(`${at}/counter`, { terms: { until: '2027-03-31' } })
    expect(countered.body).toMatchObject({ pending: 'offer', state: 'REQUESTED' })
    expect(api.store.find({ kind: 'negotiation', pid: PID })?.approved).toBe(countered.body.offerHash)
    const refused = await api.post(`${at}/refuse`, { reason: 'No.' })
    expect(refused.body).toMatchObject({ pending: 'terminate', reason: 'No.' })
    expect(api.store.owedFor(PID).map((owed) => owed.event)).toEqual(['terminate'])
  })
})

describe('an offer of our own accord', () => {
  it('is owed to the partner, also of a dataset that is not published', async () => {
    await dataset()
    const offered = await api.post('/api/v1/negotiations/offers', {
      partner: PARTNER,
      dataset: 'press',
      terms: { until: '2027-03-31' },
    })
    expect([offered.status, offered.body]).toMatchObject([
      201,
      { role: 'provider', state: 'NEW', pending: 'offer' },
    ])
    expect(api.store.owedFor(String(offered.body.pid)).map((owed) => owed.event)).toEqual(['offer'])
  })

  it('is not made to a partner without trust', async () => {
    await dataset()
    await api.post(path`/api/v1/partners/${PARTNER}/block`)
    const body = { partner: PARTNER, dataset: 'press', terms: { until: '2027-03-31' } }
    expect((await api.post('/api/v1/negotiations/offers', body)).body.code).toBe('NotTrusted')
  })
})

describe('giving up', () => {
  const owed = (event: 'agree' | 'finalize' | 'terminate') =>
    api.store.change({ kind: 'negotiation', pid: PID }, (current) => ({
      ok: true,
      value: {
        next: { ...current, pending: event, updatedAt: (START + 1) as EpochMs },
        owe: { event, url: 'https://buyer.example.com/dsp/x', body: '{}' },
      },
    }))

  it('ends the negotiation with the reason and tells the partner', async () => {
    await put()
    await owed('agree')
    const ended = await api.post(`${at}/give-up`, { reason: 'They have closed.' })
    expect(ended.body).toMatchObject({ state: 'TERMINATED', reason: 'They have closed.', endedBy: 'us' })
    expect(api.store.owedFor(PID).map((message) => message.event)).toEqual(['terminate'])
    expect(api.store.audit(PID).map((entry) => entry.event)).toEqual([
      'agree given up',
      'terminate',
      'delivery given up',
    ])
    const again = await api.post(`${at}/give-up`, { reason: 'They have closed.' })
    expect(again.body).toMatchObject({ state: 'TERMINATED' })
    expect(api.store.owedFor(PID)).toEqual([])
  })

  it('is refused for what may have made the contract already', async () => {
    await put({ state: 'VERIFIED' })
    await owed('finalize')
    const answer = await api.post(`${at}/give-up`, { reason: 'They have closed.' })
    expect([answer.status, answer.body.message]).toEqual([
      409,
      'The message "finalize" may have arrived already, so it cannot be given up: the two sides would end differently. It is tried on.',
    ])
    expect(api.store.owedFor(PID)).toHaveLength(1)
  })

  it('ends a transfer as well', async () => {
    const transfer: Transfer = {
      kind: 'transfer',
      pid: PID,
      role: 'consumer',
      partner: PARTNER,
      partnerPid: 'urn:theirs',
      partnerAddress: 'https://buyer.example.com/dsp',
      state: 'STARTED',
      pending: 'suspend',
      agreementId: 'urn:contract',
      datasetId: 'press',
      format: 'HttpData-PULL',
      generation: 0,
      createdAt: START,
      updatedAt: START,
    }
    const owe = { event: 'suspend', url: 'https://buyer.example.com/dsp/x', body: '{}' }
    await api.store.create({ next: transfer, owe })
    const path = at.replace('negotiations', 'transfers')
    expect((await api.post(`${path}/give-up`)).body.message).toBe('"reason" is missing.')
    const ended = await api.post(`${path}/give-up`, { reason: 'They have closed.' })
    expect(ended.body).toMatchObject({ state: 'TERMINATED', reason: 'They have closed.', endedBy: 'us' })
    expect(api.store.owedFor(PID).map((message) => message.event)).toEqual(['terminate'])
    const { timeline } = (await api.get(path)).body
    expect(timeline.map((one: { words: { en: string } }) => one.words.en)).toEqual([
      'suspension given up: They have closed.',
      'termination sent: They have closed.',
      'delivery given up (admin): They have closed.',
    ])
  })

  it('needs something that is owed', async () => {
    await put()
    expect((await api.post(`${at}/give-up`, { reason: 'x' })).body.message).toBe(
      'There is nothing to deliver: this negotiation owes the partner no message.',
    )
  })
})

describe('manual approval', () => {
  it('is a setting of an offer, which can be changed while its terms stay', async () => {
    await dataset()
    const made = await api.post('/api/v1/datasets/press/offers', {
      id: 'o1',
      terms: { until: '2027-03-31' },
      approval: 'manual',
    })
    expect(made.body).toMatchObject({ id: 'o1', approval: 'manual' })
    const changed = await api.patch('/api/v1/offers/o1', { approval: 'automatic' })
    expect(changed.body).toEqual({ ...made.body, approval: 'automatic' })
    const compared = await api.patch('/api/v1/offers/o1', { approval: 'stricter-or-equal' })
    expect(compared.body).toEqual({ ...made.body, approval: 'stricter-or-equal' })
    expect(api.store.offer('o1')?.approval).toBe('stricter-or-equal')
    expect((await api.patch('/api/v1/offers/o1', { approval: 'never' })).status).toBe(400)
    expect((await api.patch('/api/v1/offers/o2', { approval: 'manual' })).status).toBe(404)
    expect(api.store.audit('press').at(-1)).toMatchObject({
      event: 'approval changed',
      detail: { offer: 'o1' },
    })
  })

  it('is a setting of a partner', async () => {
    const changed = await api.patch(path`/api/v1/partners/${PARTNER}`, { approval: 'manual' })
    expect(changed.body).toMatchObject({ did: PARTNER, approval: 'manual' })
    expect(api.store.partner(PARTNER)?.approval).toBe('manual')
  })
})
