import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Api, openApi } from './support.js'

let api: Api
beforeEach(async () => {
  api = await openApi()
})
afterEach(() => api[Symbol.asyncDispose]())

it('lists the templates with their parameters, and no inner parts', async () => {
  const { status, body } = await api.get('/api/v1/policy-templates')
  expect(status).toBe(200)
  const trial = body.templates.find(({ id }: { id: string }) => id === 'trial')
  expect(trial).toMatchObject({ title: { de: 'Probebetrieb' }, dataAct: { articles: [] } })
  expect(trial.parameters.map(({ name }: { name: string }) => name)).toContain('records')
  expect(Object.keys(trial)).not.toContain('vectors')
  expect((await api.get('/api/v1/policy-templates/trial')).body).toEqual(trial)
  expect((await api.get('/api/v1/policy-templates/none')).status).toBe(404)
})

it('fills in a template and says who keeps which clause', async () => {
  const { body } = await api.post('/api/v1/policy-templates/trial/policy', { values: { records: 5 } })
  expect(body.publishable).toBe(true)
  expect(body.policy.permission[0].constraint).toContainEqual({
    leftOperand: 'odrl:count',
    operator: 'lteq',
    rightOperand: '5',
  })
  expect(body.clauses.map(({ enforcedBy }: { enforcedBy: string }) => enforcedBy)).toEqual([
    'provider',
    'provider',
    'provider',
    'provider',
  ])
})

it('publishes clauses that are kept by contract only when the operator says so, and not before', async () => {
  const values = {
    recipients: ['did:web:a.example'],
    fields: ['pressure'],
    tradeSecretFields: [],
    personalFields: 'none',
    until: '2027-12-31',
  }
  const { body } = await api.post('/api/v1/policy-templates/affiliates/policy', { values })
  expect([body.publishable, body.tier]).toEqual([true, 3])
  // The membership is confirmed and looked at all the time; it is no promise.
  const [, , membership] = body.clauses
  expect([membership.path, membership.enforcedBy]).toEqual(['permission[0].constraint[1]', 'provider'])
  const promised = body.clauses.filter(({ enforcedBy }: { enforcedBy: string }) => enforcedBy === 'contract')
  expect(promised.map(({ path }: { path: string }) => path)).toEqual(['prohibition[0]'])
  expect(promised[0].remark.de).toBe(
    'Auch Unternehmen der Gruppe, die der Vertrag nicht nennt, gelten als Dritte.',
  )
  await api.put('/api/v1/datasets/press', {
    title: 'Press',
    signals: [{ name: 'pressure', type: 'number' }],
  })
  const offer = await api.post('/api/v1/datasets/press/offers', { template: { id: 'affiliates', values } })
  expect([offer.status, offer.body.code]).toEqual([422, 'ContractOnly'])
  expect(offer.body.message).toBe(
    'Part of these terms would be agreed by contract only, because no connector can enforce it. Clause 6: The recipient must not pass the data on. If you want to offer that, say so: --contract-only (in the API contractOnly: true).',
  )
  const wanted = { template: { id: 'affiliates', values }, contractOnly: true }
  const made = await api.post('/api/v1/datasets/press/offers', wanted)
  expect([made.status, made.body.contractOnly, made.body.tier.number]).toEqual([201, true, 3])
  const { body: listed } = await api.get('/api/v1/datasets/press/offers')
  expect(listed.offers[0].tier.text.de).toContain('Sie haben entschieden, es auch Partnern anzubieten')
})

it('makes an offer of a template', async () => {
  await api.put('/api/v1/datasets/press', { title: 'Press', signals: [{ name: 'pressure', type: 'number' }] })
  const offer = await api.post('/api/v1/datasets/press/offers', {
    template: { id: 'trial', values: { term: '7d', fields: 'pressure' } },
  })
  expect(offer.status).toBe(201)
  expect(
    offer.body.policy.permission[0].constraint.map((c: { rightOperand: string }) => c.rightOperand),
  ).toEqual(['P7D', '1000', 'P1D', 'pressure'])
})

it('names every wrong value', async () => {
  const { status, body } = await api.post('/api/v1/policy-templates/trial/policy', {
    values: { records: 0, term: 'never' },
  })
  expect(status).toBe(400)
  expect(body.problems).toEqual([
    'term: the value "never" is not valid; expected is a duration such as 90d or PT10S.',
    'records: the least value is 1.',
  ])
})

it('takes terms, a policy or a template, and only one of them', async () => {
  await api.put('/api/v1/datasets/press', { title: 'Press' })
  const answer = await api.post('/api/v1/datasets/press/offers', { terms: {}, template: { id: 'trial' } })
  expect(answer.body.message).toBe('Give either terms, or a policy, or a template.')
})
