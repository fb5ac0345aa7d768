/** Who may have what, at any time: told by the management API as catalogs, negotiations and transfers decide it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMs, JsonObject, ParticipantId, Pid } from '../../connector/core/types.js'
import type { Agreement } from '../../connector/domain/agreement.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import { agreementHash } from '../../connector/services/contract.js'
import { OWN, openApi, PARTNER, START } from './support.js'

let api: Awaited<ReturnType<typeof openApi>>
const OTHER = 'did:web:other.example.com' as ParticipantId

const partner = (did: ParticipantId, name: string, trust: 'trusted' | 'known' | 'blocked') =>
  api.store.putPartner({
    did,
    name,
    address: 'https://buyer.example.com/dsp',
    trust,
    seal: 'offer',
    addedAt: START,
  })
const dataset = (published = true) =>
  api.store.putDataset({
    id: 'press',
    title: 'Press',
    keywords: [],
    signals: [{ name: 'force', type: 'number' }],
    published,
    createdAt: START,
    updatedAt: START,
  })
const policy = (terms: Terms): JsonObject => {
  const made = policyFromTerms(terms)
  if (!made.ok) throw new Error(made.error.message)
  return made.value
}
const offer = (terms: Terms | JsonObject, isPolicy = false) =>
  api.store.putOffer({
    id: 'o1',
    datasetId: 'press',
    policy: isPolicy ? (terms as JsonObject) : policy(terms as Terms),
    createdAt: START,
  })

/** An active contract of ours, concluded on 2 November 2026 at 8:00. */
async function contract(terms: Terms, more: Partial<Agreement> = {}): Promise<void> {
  const body = {
    '@id': 'c1',
    '@type': 'Agreement',
    target: 'press',
    assigner: OWN,
    assignee: PARTNER,
    timestamp: '2026-11-02T08:00:00.000Z',
    ...policy(terms),
  }
  const pid = 'urn:uuid:99999999-0000-4000-8000-000000000001' as Pid
  await api.store.create({
    next: {
      kind: 'negotiation',
      pid,
      role: 'provider',
      partner: PARTNER,
      partnerPid: 'urn:theirs',
      partnerAddress: 'https://buyer.example.com/dsp',
      state: 'FINALIZED',
      offer: { '@id': 'o9', target: 'press', ...policy(terms) },
      datasetId: 'press',
      agreementId: 'c1',
      createdAt: START,
      updatedAt: START,
    },
    agreement: {
      id: 'c1',
      role: 'provider',
      partner: PARTNER,
      negotiationPid: pid,
      datasetId: 'press',
      body,
      offer: {},
      hash: agreementHash(body),
      agreedAt: START as EpochMs,
      status: 'active',
      ...more,
    },
  })
}

const ask = async (query = '') => {
  const { body, status } = await api.get(`/api/v1/policy-decisions${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const only = async (query = '') => {
  const { entries } = await ask(query)
  expect(entries).toHaveLength(1)
  return entries[0]
}

beforeEach(async () => {
  api = await openApi()
  await partner(PARTNER, 'Buyer', 'trusted')
})
afterEach(() => api[Symbol.asyncDispose]())

describe('an offer', () => {
  it('is open to a trusted partner, and the trace says which clauses are met', async () => {
    await dataset()
    await offer({ until: '2026-12-31' })
    const entry = await only()
    expect(entry).toMatchObject({ partner: PARTNER, dataset: 'press', offer: 'o1', allowed: true })
    expect(entry.trace).toMatchObject([{ clause: 2, term: 'dateTime', verdict: 'true' }])
    expect(entry).not.toHaveProperty('because')
  })

  it('is closed at a later time, which is asked for, and says what it would take', async () => {
    await dataset()
    await offer({ until: '2026-12-31' })
    const entry = await only('?at=2027-01-01T00:00:00Z')
    expect(entry).toMatchObject({ allowed: false, step: 'negotiation' })
    expect(entry.because.en).toContain('31 December 2026')
    expect(entry.because.de).toMatch(/^Abgelehnt: .*31\. Dezember 2026/)
    expect(entry.change).toEqual({
      en: 'It would take an offer with another period of use.',
      de: 'Nötig wäre ein Angebot, in dem ein anderer Zeitraum steht.',
    })
    // The last moment of the old year is still inside.
    expect((await only('?at=2026-12-31T23:59:59.999Z')).allowed).toBe(true)
  })

  it('for others is closed, and the trace does not hide why', async () => {
    await dataset()
    await offer({ recipients: [OTHER] })
    const entry = await only()
    expect(entry).toMatchObject({
      allowed: false,
      step: 'catalog',
      change: { en: 'It would take an offer that names this partner as recipient.' },
    })
    expect(entry.trace).toMatchObject([{ term: 'recipient', verdict: 'false' }])
  })

  it.each(['known', 'blocked'] as const)('is closed to a partner that is %s', async (trust) => {
    await dataset()
    await offer({})
    await partner(PARTNER, 'Buyer', trust)
    const entry = await only()
    expect(entry).toMatchObject({
      allowed: false,
      step: 'trust',
      because: { en: trust === 'blocked' ? 'Buyer is blocked.' : 'Buyer is not trusted yet.' },
    })
    expect(entry.change.en).toContain(`handschlag partner trust ${PARTNER}`)
  })

  it('of a dataset that is not published is closed', async () => {
    await dataset(false)
    await offer({})
    expect(await only()).toMatchObject({
      allowed: false,
      step: 'published',
      because: { de: 'Der Datensatz ist nicht veröffentlicht.' },
      change: { en: 'You would have to publish the dataset: handschlag dataset publish press' },
    })
  })

  it('with a term that nobody here understands is closed, and the trace says unknown', async () => {
    await dataset()
    const mood = { leftOperand: 'https://example.com/mood', operator: 'eq', rightOperand: 'good' }
    await offer({ permission: [{ action: 'use', constraint: [mood] }] }, true)
    const entry = await only()
    expect(entry).toMatchObject({ allowed: false, step: 'catalog' })
    expect(entry.trace).toMatchObject([{ verdict: 'unknown' }])
  })
})

describe('a contract', () => {
  beforeEach(() => dataset())

  it('is open within its term, and closed behind it', async () => {
    await contract({ agreementAge: 'P30D' })
    expect(await only()).toMatchObject({ contract: 'c1', allowed: true })
    expect((await only('?at=2026-12-02T07:59:59Z')).allowed).toBe(true)
    expect(await only('?at=2026-12-02T08:00:01Z')).toMatchObject({
      allowed: false,
      step: 'transfer',
      change: { en: 'It would take a new contract with a longer term.' },
    })
  })

  it('that begins later says from when', async () => {
    await contract({ from: '2026-12-01' })
    const { step, change } = await only()
    expect([step, change.en, change.de]).toEqual([
      'transfer',
      'Nothing: it is allowed from 1 December 2026, 00:00 UTC.',
      'Nichts: erlaubt ist es ab 1. Dezember 2026, 00:00 Uhr UTC.',
    ])
    expect((await only('?at=2026-12-01T00:00:00Z')).allowed).toBe(true)
  })

  it('is closed outside the hours of delivery, and says to the second when they begin', async () => {
    await contract({ hours: '06:10-22:00', timeZone: 'Europe/Berlin' })
    expect((await only()).allowed).toBe(true)
    const night = await only('?at=2026-11-03T02:00:00Z')
    expect(night).toMatchObject({ allowed: false, step: 'delivery' })
    // 06:10 in Berlin in winter.
    expect(night.change.en).toBe('Nothing: it is allowed from 3 November 2026, 05:10 UTC.')
  })

  it('with no deliveries left is closed', async () => {
    await contract({ count: 0 })
    expect(await only()).toMatchObject({
      allowed: false,
      change: {
        en: 'It would take a new contract with more deliveries.',
        de: 'Nötig wäre ein neuer Vertrag, in dem mehr Lieferungen stehen.',
      },
    })
  })

  it('that was revoked is closed', async () => {
    await contract({}, { status: 'revoked', statusReason: 'broken promise', statusBy: 'us', statusAt: START })
    const entry = await only()
    expect(entry).toMatchObject({ allowed: false, step: 'contract' })
    expect(entry.because.en).toBe('The contract was revoked: broken promise')
  })
})

describe('the question', () => {
  it('may be about one partner or one dataset, and answers at the time asked for', async () => {
    await dataset()
    await offer({})
    await partner(OTHER, 'Other', 'known')
    expect((await ask()).entries).toHaveLength(2)
    const { at, entries, complete } = await ask(
      `?partner=${encodeURIComponent(OTHER)}&dataset=press&at=2027-05-01T00:00:00Z`,
    )
    expect([at, complete]).toEqual(['2027-05-01T00:00:00.000Z', true])
    expect(entries).toMatchObject([{ partner: OTHER, partnerName: 'Other' }])
  })

  it('is refused when it is about nobody, nothing or no time', async () => {
    const status = async (query: string) => (await api.get(`/api/v1/policy-decisions?${query}`)).status
    expect(await status('partner=did:web:nobody.example')).toBe(404)
    expect(await status('dataset=nothing')).toBe(404)
    expect(await status('at=tomorrow')).toBe(400)
  })

  it('changes nothing', async () => {
    await dataset()
    await offer({})
    const before = api.store.audit('press').length
    await ask()
    expect(api.store.audit('press')).toHaveLength(before)
    expect(api.store.list('negotiation')).toEqual([])
  })

  it('names the facts that are missing, with the commands that record them, and when one begins', async () => {
    await partner(PARTNER, 'Buyer', 'trusted')
    await dataset()
    const demands = {
      permission: [
        {
          action: 'use',
          constraint: [
            { leftOperand: 'mdp:group', operator: 'isNoneOf', rightOperand: ['gatekeepers'] },
            { leftOperand: 'mdp:partySeat', operator: 'isPartOf', rightOperand: 'EU' },
          ],
        },
      ],
    }
    await offer(demands, true)
    const hidden = await api.get('/api/v1/policy-decisions')
    const [entry] = hidden.body.entries
    expect([entry.allowed, entry.step]).toEqual([false, 'catalog'])
    expect(entry.because.de).toContain('Der Anbieter hat nicht bestätigt, dass sie erfüllt ist.')
    expect(entry.change.en).toBe(
      `You would have to confirm what the terms demand, if it is so: handschlag fact add --partner ${PARTNER} --group gatekeepers --not; handschlag fact add --partner ${PARTNER} --seat PLACE`,
    )

    const fact = (more: object) => api.post('/api/v1/facts', { partner: PARTNER, ...more })
    expect((await fact({ condition: 'partySeat', value: 'Atlantis' })).status).toBe(400)
    expect((await fact({ condition: 'partySeat', value: 'FR' })).status).toBe(201)
    const other = await fact({ condition: 'partySeat', value: 'DE' })
    expect([other.status, other.body.message]).toEqual([
      409,
      expect.stringContaining('partySeat "FR". End it first: handschlag fact end urn:uuid:'),
    ])
    const from = '2026-12-24T00:00:00.000Z'
    await fact({ condition: 'group', value: 'gatekeepers', not: true, from })
    const later = await api.get('/api/v1/policy-decisions')
    expect(later.body.entries[0].change.en).toBe('Nothing: it is allowed from 24 December 2026, 00:00 UTC.')
    const then = await api.get(`/api/v1/policy-decisions?at=${from}`)
    expect(then.body.entries[0].allowed).toBe(true)
  })
})
