import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
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
  UNTIL_2027,
} from './support.js'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

/** What the audit log says about a subject: event and who did it. */
const notes = (subject: string) =>
  api.store.audit(subject).map(({ direction, event, detail }) => [direction, event, detail?.by ?? '-'])

const partnerPath = path`/api/v1/partners/${PARTNER}`

describe('status', () => {
  it('says who this is, what there is, and what is owed', async () => {
    const answer = await api.get('/api/v1/status')
    expect(answer.body).toEqual({
      name: 'Maker',
      did: OWN,
      version: '0.1.0',
      publicUrl: 'https://maker.example.com',
      dspAddress: 'https://maker.example.com/dsp',
      dataDir: '/var/lib/handschlag',
      fingerprint: 'CC:DD',
      keyName: '2026-11-a',
      schema: api.store.schemaVersion(),
      datasets: 0,
      partners: 0,
      laboratories: [],
      contracts: 0,
      owed: { count: 0 },
      failingDeliveries: { count: 0 },
      duties: { open: 0, dueSoon: 0, overdue: 0, theirsOverdue: 0 },
      waitingForPerson: 0,
      startedAt: '2026-11-02T08:00:00.000Z',
    })
  })
})

describe('partners', () => {
  it('are added without being trusted, trusted, changed, blocked and removed, with a note of who did it', async () => {
    const added = await api.post('/api/v1/partners', {
      did: PARTNER,
      address: 'https://buyer.example.com',
      name: 'Buyer',
    })
    expect(added.body).toEqual({
      did: PARTNER,
      name: 'Buyer',
      address: 'https://buyer.example.com/dsp',
      trust: 'known',
      seal: 'offer',
      access: 'did',
      dialect: 'dsp',
      dataToken: 'as-given',
      emptyPolicies: 'refuse',
      fingerprint: 'AA:BB',
      addedAt: '2026-11-02T08:00:00.000Z',
    })
    expect((await api.get('/api/v1/partners')).body.partners).toEqual([added.body])
    expect((await api.post(`${partnerPath}/trust`)).body.trust).toBe('trusted')
    expect((await api.patch(partnerPath, { seal: 'require' })).body).toMatchObject({
      seal: 'require',
      name: 'Buyer',
    })
    expect((await api.post(`${partnerPath}/block`, {})).body.trust).toBe('blocked')
    expect((await api.get(partnerPath)).body.trust).toBe('blocked')
    expect((await api.delete(partnerPath)).status).toBe(204)
    expect((await api.get(partnerPath)).status).toBe(404)
    const by = notes(PARTNER).filter(([, , who]) => who === 'admin')
    expect(by).toEqual([
      ['own', 'partner added', 'admin'],
      ['own', 'partner trusted', 'admin'],
      ['own', 'partner changed', 'admin'],
      ['own', 'partner blocked', 'admin'],
      ['own', 'partner removed', 'admin'],
    ])
  })

  it('leave no note when the action is refused', async () => {
    const before = notes(OWN).length
    expect((await api.post('/api/v1/partners', { did: OWN, address: 'https://x' })).body.code).toBe(
      'InvalidInput',
    )
    const unreachable = await api.post('/api/v1/partners', {
      did: 'did:web:nowhere',
      address: 'https://nowhere',
    })
    expect([unreachable.status, unreachable.body.code]).toEqual([504, 'PartnerUnreachable'])
    expect(notes(OWN)).toHaveLength(before)
    expect(notes('did:web:nowhere')).toEqual([])
    expect((await api.patch(path`/api/v1/partners/${'did:web:nobody'}`, { name: 'x' })).status).toBe(404)
  })

  it('cannot be changed into nothing, and not removed while a contract is in force', async () => {
    await api.trustedPartner()
    expect((await api.patch(partnerPath, {})).body.message).toBe(
      'Nothing to change. Give name, seal or address.',
    )
    await api.store.create({
      next: {
        kind: 'negotiation',
        pid: 'urn:uuid:running' as never,
        role: 'consumer',
        partner: PARTNER,
        partnerAddress: 'https://buyer.example.com/dsp',
        state: 'REQUESTED',
        offer: { '@id': 'o' },
        datasetId: 'd',
        createdAt: START,
        updatedAt: START,
      },
    })
    const refused = await api.delete(partnerPath)
    expect([refused.status, refused.body.code]).toEqual([409, 'Conflict'])
    expect(refused.body.message).toContain('the negotiation urn:uuid:running')
    expect(api.store.partner(PARTNER)).toBeDefined()
  })

  it('show their catalog in words, with what can be accepted and why not', async () => {
    await api.trustedPartner()
    api.world.datasets = [
      remoteDataset('press', [remoteOffer('dated'), remoteOffer('spatial', UNKNOWN_TERM)]),
    ]
    const { body } = await api.get(`${partnerPath}/catalog`)
    const [dated, spatial] = body.datasets[0].offers
    expect(dated).toMatchObject({ id: 'dated', acceptable: true })
    expect(dated.problem).toBeUndefined()
    expect(dated.clauses.map((c: { number: number }) => c.number)).toEqual([1, 2])
    expect(dated.clauses[1].text.en).toContain('2026')
    expect(dated.clauses[1].text.de).toMatch(/2026/)
    expect(spatial.acceptable).toBe(false)
    expect(spatial.problem).toContain('permission 1, condition 1')
    const one = await api.get(`${partnerPath}/catalog/press`)
    expect(one.body).toEqual(body.datasets[0])
    expect((await api.get(`${partnerPath}/catalog/other`)).status).toBe(404)
  })

  it('show of their catalog what is looked for', async () => {
    await api.trustedPartner()
    api.world.datasets = [
      { ...remoteDataset('press-1', [remoteOffer('one')]), title: 'Große Presse', keywords: ['Press', 'Öl'] },
      {
        ...remoteDataset('pump-2', [remoteOffer('two')]),
        description: 'Pressure and temperature',
        keywords: ['pump'],
        formats: ['HttpData-PULL', 'HttpData-PUSH'],
      },
    ]
    const found = async (query: string) => {
      const { status, body } = await api.get(`${partnerPath}/catalog?${query}`)
      return status === 200 ? body.datasets.map((d: { id: string }) => d.id).join(' ') : status
    }
    expect(await found('text=press')).toBe('press-1 pump-2')
    expect(await found('text=PRESS%20gro%C3%9Fe')).toBe('press-1')
    expect(await found('text=temperature%20%20pressure')).toBe('pump-2')
    expect(await found('text=pump%20nothing')).toBe('')
    // Two ways to write the same letter.
    expect(await found('keyword=o%CC%88l')).toBe('press-1')
    expect(await found('keyword=pre')).toBe('')
    expect(await found('format=httpdata-push')).toBe('pump-2')
    expect(await found('format=HttpData-PULL&text=press&keyword=press')).toBe('press-1')
    expect(await found('text=')).toBe(400)
    expect(await found('words=press')).toBe(400)
  })

  it('are asked for a catalog only when they are trusted', async () => {
    await api.trustedPartner()
    await api.post(`${partnerPath}/block`)
    const refused = await api.get(`${partnerPath}/catalog`)
    expect([refused.status, refused.body.code]).toEqual([403, 'NotTrusted'])
  })
})

describe('sources', () => {
  const config = { url: 'mqtt://broker', password: 'pass-word-in-clear' }

  it('never give a secret back, in any answer, note or stored text', async () => {
    const answers = [
      await api.put('/api/v1/sources/floor', { kind: 'mqtt', config }),
      await api.get('/api/v1/sources/floor'),
      await api.get('/api/v1/sources'),
      await api.post('/api/v1/sources/floor/check'),
    ]
    expect(answers[0]?.body).toEqual({
      id: 'floor',
      kind: 'mqtt',
      config: { url: 'mqtt://broker', password: '***' },
      createdAt: '2026-11-02T08:00:00.000Z',
    })
    for (const answer of answers) {
      expect(answer.text).not.toContain('pass-word-in-clear')
      expect(answer.text).not.toContain('v1.')
    }
    expect(JSON.stringify(api.store.source('floor'))).not.toContain('pass-word-in-clear')
    expect(JSON.stringify(api.store.audit('floor'))).not.toContain('pass-word-in-clear')
    expect(notes('floor')).toEqual([['own', 'source written', 'admin']])
  })

  it('refuse the mask as a secret, because it would be stored as one', async () => {
    const answer = await api.put('/api/v1/sources/floor', {
      kind: 'mqtt',
      config: { ...config, password: '***' },
    })
    expect(answer.body.message).toBe(
      '"***" only stands for a stored secret. Write the secret itself: password.',
    )
  })

  it('answer a check with what is wrong', async () => {
    api.world.sourceWorks = false
    const answer = await api.post('/api/v1/sources/floor/check')
    expect([answer.status, answer.body]).toEqual([200, { ok: false, message: 'The broker refuses us.' }])
    expect((await api.post('/api/v1/sources/none/check')).status).toBe(404)
  })

  it('show how they fare for each dataset', async () => {
    const report = {
      datasetId: 'press',
      sourceId: 'floor',
      state: 'connected',
      since: START,
      counters: { received: 5, logged: 4, malformed: 1, duplicates: 0 },
    }
    const { datasetOperations } = await import('../../connector/services/operator-datasets.js')
    const operations = datasetOperations({ ...api.deps, sourceStatus: () => [report] })
    const shown = operations.source('floor')
    expect(shown.ok && shown.value.status).toEqual([
      {
        dataset: 'press',
        state: 'connected',
        since: '2026-11-02T08:00:00.000Z',
        received: 5,
        records: 4,
        malformed: 1,
        duplicates: 0,
      },
    ])
  })

  it('of an unknown kind are refused by the data plane’s own words', async () => {
    const answer = await api.put('/api/v1/sources/x', { kind: 'telex', config: {} })
    expect(answer.body.message).toBe('There is no kind of source called "telex". Known: mqtt.')
    expect((await api.delete('/api/v1/sources/x')).status).toBe(404)
  })
})

describe('datasets and offers', () => {
  const signals = [{ name: 'pressure', type: 'number', unit: 'bar' }]

  it('are described, offered, published, taken back and removed, with a note of who did it', async () => {
    await api.put('/api/v1/sources/feed', { kind: 'mqtt', config: {} })
    const put = await api.put('/api/v1/datasets/press', { title: 'Press 7', signals, sourceId: 'feed' })
    expect(put.body).toEqual({
      id: 'press',
      title: 'Press 7',
      keywords: [],
      signals,
      sourceId: 'feed',
      published: false,
      createdAt: '2026-11-02T08:00:00.000Z',
      updatedAt: '2026-11-02T08:00:00.000Z',
      offers: [],
    })
    const early = await api.post('/api/v1/datasets/press/publish')
    expect(early.body.message).toContain('has no offer')
    const offer = await api.post('/api/v1/datasets/press/offers', {
      id: 'o1',
      terms: { until: '2026-12-31', fields: ['pressure'] },
    })
    expect(offer.body).toMatchObject({ id: 'o1', datasetId: 'press' })
    expect(offer.body.policy.permission).toHaveLength(1)
    expect(offer.body.clauses.length).toBe(3)
    expect((await api.get('/api/v1/datasets/press/offers')).body.offers).toEqual([offer.body])
    expect((await api.post('/api/v1/datasets/press/publish')).body.published).toBe(true)
    expect((await api.get('/api/v1/datasets')).body.datasets[0].offers).toEqual([offer.body])
    const only = await api.delete('/api/v1/offers/o1')
    expect([only.status, only.body.code]).toEqual([409, 'Conflict'])
    const used = await api.delete('/api/v1/sources/feed')
    expect(used.body.code).toBe('Conflict')
    expect((await api.post('/api/v1/datasets/press/unpublish')).body.published).toBe(false)
    expect((await api.delete('/api/v1/offers/o1')).status).toBe(204)
    expect((await api.delete('/api/v1/datasets/press')).status).toBe(204)
    expect((await api.delete('/api/v1/sources/feed')).status).toBe(204)
    expect(notes('press').map(([, event]) => event)).toEqual([
      'dataset written',
      'offer added',
      'dataset published',
      'dataset unpublished',
      'offer removed',
      'dataset removed',
    ])
  })

  it('refuse an offer with a term that cannot be enforced, and store nothing', async () => {
    await api.put('/api/v1/datasets/lathe', { title: 'Lathe' })
    const policy = { permission: [{ action: 'use', constraint: [UNKNOWN_TERM] }] }
    const answer = await api.post('/api/v1/datasets/lathe/offers', { policy })
    expect([answer.status, answer.body.code]).toEqual([422, 'PolicyUnsupported'])
    expect(api.store.offersOf('lathe')).toEqual([])
    const both = await api.post('/api/v1/datasets/lathe/offers', {
      policy: { permission: [{ action: 'use' }] },
      terms: {},
    })
    expect(both.body.message).toBe('Give either terms, or a policy, or a template.')
    const unknown = await api.post('/api/v1/datasets/lathe/offers', { terms: { untill: '2026-12-31' } })
    expect(unknown.body.message).toContain(
      'terms: "untill" is not known here. Known: recipients, from, until',
    )
  })

  it('go out in the plain form of DSP with the profile, and not for one participant alone', async () => {
    await api.put('/api/v1/datasets/mill', { title: 'Mill' })
    const policy = {
      '@id': 'urn:mine',
      'odrl:permission': {
        action: 'odrl:use',
        constraint: { leftOperand: 'count', operator: 'LEQ', rightOperand: 5 },
      },
    }
    const added = await api.post('/api/v1/datasets/mill/offers', { id: 'plain', policy })
    expect([added.status, added.body.policy]).toEqual([
      201,
      {
        profile: 'https://w3id.org/machine-data-policy/v1',
        permission: [
          {
            action: 'use',
            constraint: [{ leftOperand: 'odrl:count', operator: 'lteq', rightOperand: '5' }],
          },
        ],
      },
    ])
    const forOne = { ...policy, assignee: 'did:web:buyer.example' }
    const refused = await api.post('/api/v1/datasets/mill/offers', { policy: forOne })
    expect([refused.status, refused.body.code]).toEqual([400, 'InvalidInput'])
    expect(refused.body.message).toContain('Name the participants by the condition "recipient" instead.')
  })

  it('are refused when no use could ever meet their conditions, in both languages', async () => {
    const term = (name: string, operator: string, rightOperand: string | readonly string[]) => ({
      leftOperand: `https://w3id.org/machine-data-policy/v1#${name}`,
      operator,
      rightOperand,
    })
    const until = (operator: string, rightOperand: string) => ({
      leftOperand: 'odrl:dateTime',
      operator,
      rightOperand,
    })
    // From Tuesday to Thursday, but on Mondays only.
    const constraint = [
      until('gteq', '2026-12-01T00:00:00+01:00'),
      until('lt', '2026-12-04T00:00:00+01:00'),
      term('dayOfWeek', 'isAnyOf', ['1']),
      term('timeZone', 'eq', 'Europe/Berlin'),
    ]
    const policy = { permission: [{ action: 'use', constraint }] }
    const answer = await api.post('/api/v1/datasets/lathe/offers', { policy })
    expect([answer.status, answer.body.message]).toEqual([
      400,
      'The offer contradicts itself: permission[0].constraint[2]: The conditions of this rule can never be met together.',
    ])
    const german = await api.post('/api/v1/datasets/lathe/offers', { policy }, 'de')
    expect(german.body.message).toContain('Das Angebot widerspricht sich: ')
    expect(api.store.offersOf('lathe')).toEqual([])
  })

  it('come with a warning about what changes nothing in them', async () => {
    const policy = {
      permission: [
        {
          action: 'use',
          constraint: [
            UNTIL_2027,
            { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2029-01-01T00:00:00Z' },
          ],
        },
      ],
    }
    const answer = await api.post('/api/v1/datasets/lathe/offers', { id: 'twice', policy })
    expect(answer.status).toBe(201)
    expect(answer.body.warnings).toEqual([
      {
        en: 'permission[0].constraint[1]: This condition changes nothing: the other conditions of its rule imply it.',
        de: 'permission[0].constraint[1]: Diese Bedingung ändert nichts: Sie folgt aus den anderen Bedingungen ihrer Regel.',
      },
    ])
    expect((await api.get('/api/v1/datasets/lathe/offers')).body.offers[0].warnings).toBe(undefined)
    expect((await api.delete(path`/api/v1/offers/${'twice'}`)).status).toBe(204)
  })

  it('take an ODRL policy as it is', async () => {
    const policy = {
      profile: 'https://w3id.org/machine-data-policy/v1',
      permission: [{ action: 'use', constraint: [UNTIL_2027] }],
    }
    const answer = await api.post('/api/v1/datasets/lathe/offers', { id: 'urn:offer/1', policy })
    expect(answer.body.policy).toEqual(policy)
    expect((await api.delete(path`/api/v1/offers/${'urn:offer/1'}`)).status).toBe(204)
  })

  it('are refused when their end has passed, so that nobody could ever use them', async () => {
    await api.put('/api/v1/datasets/saw', { title: 'Saw' })
    const offer = (more: object) => api.post('/api/v1/datasets/saw/offers', more)
    const past = await offer({ terms: { until: '2020-01-01' } })
    expect([past.status, past.body.message]).toEqual([
      400,
      'Nobody could ever use this offer: its terms end at 2020-01-02T00:00:00Z, and it is 2026-11-02T08:00:00Z now. Give an end that lies ahead.',
    ])
    const policy = {
      permission: [
        {
          action: 'use',
          constraint: [
            { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2026-11-02T08:00:00Z' },
          ],
        },
      ],
    }
    expect((await offer({ policy })).status).toBe(400)
    const noTime = await offer({ terms: { agreementAge: 'PT0S' } })
    expect(noTime.status).toBe(400)
    expect(noTime.body.message).toContain('ends in the moment in which it is made')
    expect(api.store.offersOf('saw')).toEqual([])
    expect((await offer({ terms: { until: '2026-11-02' } })).status).toBe(201)
  })
})

describe('tokens', () => {
  it('are shown once, listed without themselves, and refused as soon as they are deleted', async () => {
    const made = await api.post('/api/v1/tokens', { name: 'monitoring' })
    expect(made.body.token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    const list = await api.get('/api/v1/tokens')
    expect(list.body.tokens.map((t: { name: string }) => t.name)).toEqual(['admin', 'monitoring'])
    expect(list.text).not.toContain(made.body.token)
    expect(JSON.stringify(api.store.apiTokens())).not.toContain(made.body.token)
    const use = () => api.bare().get('/api/v1/status').set('Authorization', `Bearer ${made.body.token}`)
    expect((await use()).status).toBe(200)
    expect((await api.post('/api/v1/tokens', { name: 'monitoring' })).body.code).toBe('Conflict')
    expect((await use()).status).toBe(200)
    expect((await api.delete('/api/v1/tokens/monitoring')).status).toBe(204)
    expect((await use()).status).toBe(401)
    expect((await api.delete('/api/v1/tokens/monitoring')).status).toBe(404)
    expect(notes('token:monitoring')).toEqual([
      ['own', 'token created', 'admin'],
      ['own', 'token deleted', 'admin'],
    ])
  })

  it('made twice at the same time under one name exist once, and the first one works', async () => {
    const both = await Promise.all([1, 2].map(() => api.operations.tokens.create('twin', 'test')))
    const made = both.filter((t) => t.ok)
    expect(made).toHaveLength(1)
    expect(api.operations.tokens.authenticate(made[0]?.ok === true ? made[0].value.token : '')).toEqual({
      name: 'twin',
    })
  })

  it('cannot all be deleted', async () => {
    await using fresh = await openApi()
    const answer = await fresh.delete('/api/v1/tokens/admin')
    expect([answer.status, answer.body.code]).toEqual([409, 'Conflict'])
    expect((await fresh.get('/api/v1/status')).status).toBe(200)
  })
})

it('gives times in UTC with milliseconds', async () => {
  api.world.now = Date.parse('2027-01-04T05:06:07.089+02:00') as EpochMs
  const put = await api.put('/api/v1/datasets/late', { title: 'Late' })
  expect(put.body.createdAt).toBe('2027-01-04T03:06:07.089Z')
})
