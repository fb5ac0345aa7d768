import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CLAUSES, type Desk, DID, openDesk, PARTNER } from './support.js'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  desk.routes['POST /datasets/pump-7/offers'] = {
    id: 'o-1',
    datasetId: 'pump-7',
    policy: {},
    clauses: CLAUSES,
  }
  desk.routes['GET /partners'] = { partners: [PARTNER] }
})
afterEach(() => desk[Symbol.asyncDispose]())

describe('offer add --template', () => {
  it('sends the template and the values, partners by their DID', async () => {
    const settings = ['term=7d', `recipients=${PARTNER.name},did:web:other.example`, 'records=500']
    const { code } = await desk.run([
      ...['offer', 'add', 'pump-7', '--template', 'trial'],
      ...settings.flatMap((setting) => ['--set', setting]),
    ])
    expect(code).toBe(0)
    expect(desk.asked.find(({ path }) => path.endsWith('/offers'))?.body).toEqual({
      template: {
        id: 'trial',
        values: { term: '7d', recipients: [DID, 'did:web:other.example'], records: '500' },
      },
    })
  })

  it('asks the connector for nothing while a decision is missing', async () => {
    const { code, err } = await desk.run([
      'offer',
      'add',
      'pump-7',
      '--template',
      'affiliates',
      '--lang',
      'de',
    ])
    expect(code).toBe(1)
    expect(err).toContain('recipients: Wählen Sie einen Wert')
    expect(desk.asked.map(({ method }) => method)).not.toContain('POST')
  })

  it.each([
    [['--template', 'trial', '--count', '5'], '--template says everything'],
    [['--set', 'term=7d'], '--set belongs to --template.'],
    [['--template', 'trial', '--set', 'term'], '--set takes NAME=VALUE'],
  ])('%j is refused', async (flags, sentence) => {
    const { code, err } = await desk.run(['offer', 'add', 'pump-7', ...flags])
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })
})
