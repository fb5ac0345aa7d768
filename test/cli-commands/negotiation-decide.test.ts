/** What a person reads about a negotiation, and decides: in words, in both languages, and exactly as the API is asked. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CLAUSES, type Desk, DID, inTurn, openDesk, PARTNER, problem } from './support.js'

process.env.TZ = 'Europe/Berlin'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  desk.routes['GET /partners'] = { partners: [PARTNER] }
  desk.routes['GET /negotiations'] = { negotiations: [WAITING] }
  desk.routes[SHOW] = WAITING
})
afterEach(() => desk[Symbol.asyncDispose]())

const PID = 'urn:uuid:11111111-0000-4000-8000-000000000001'
const SHOW = `GET /negotiations/${PID}`
const HASH = 'a8f5f167f44f4964e6c998dee827110ca8f5f167f44f4964e6c998dee827110c'
const ID = '11111111'

const negotiation = (state: string, more: object = {}) => ({
  pid: PID,
  role: 'provider',
  partner: DID,
  state,
  dataset: 'pump-7',
  offer: 'o-1',
  offerHash: HASH,
  createdAt: '2026-11-23T10:06:00.000Z',
  updatedAt: '2026-11-23T10:06:09.000Z',
  owed: [],
  timeline: [],
  terms: { id: 'o-1', clauses: CLAUSES, acceptable: true },
  changes: [],
  ...more,
})
const WAITING = negotiation('REQUESTED', {
  waitingFor: 'person',
  waitingSince: '2026-11-23T10:06:09.000Z',
  waitingBecause: 'terms',
  waitingDetail: 'The requested offer differs from the one that you made: it is "P30D", offered was "P7D".',
  changes: [{ en: 'It is P30D, it was P7D.', de: 'Es ist P30D, es war P7D.' }],
  comparison: {
    against: 'published',
    relation: 'looser',
    text: { en: 'They allow more.', de: 'Sie erlauben mehr.' },
    clauses: [{ relation: 'unknown', clauses: [2], text: { en: 'Unknown in 2.', de: 'Unklar in 2.' } }],
  },
})

describe('negotiation list', () => {
  it('says which ones wait for the reader, and leads there', async () => {
    const { out, err } = await desk.run(['negotiation', 'list'])
    expect(out).toMatch(/11111111 +REQUESTED +YOU +we provide/)
    expect(err).toContain('Next: handschlag negotiation show 11111111')
    const german = await desk.run(['negotiation', 'list', '--lang', 'de'])
    expect(german.out).toMatch(/11111111 +REQUESTED +SIE +wir liefern/)
  })

  it('lists only those with --waiting', async () => {
    desk.routes['GET /negotiations'] = {
      negotiations: [
        WAITING,
        negotiation('AGREED', {
          pid: 'urn:uuid:22222222-0000-4000-8000-000000000002',
          waitingFor: 'partner',
        }),
      ],
    }
    const { out } = await desk.run(['negotiation', 'list', '--waiting'])
    expect(out).toContain('11111111')
    expect(out).not.toContain('22222222')
    desk.routes['GET /negotiations'] = { negotiations: [] }
    expect((await desk.run(['negotiation', 'list', '--waiting'])).out).toBe('No negotiation waits for you.\n')
  })
})

describe('negotiation show', () => {
  it('shows terms with their name, what was changed, for whom it waits and why, and what can be decided', async () => {
    const { code, out, err } = await desk.run(['negotiation', 'show', ID])
    expect(code).toBe(0)
    expect(out).toMatch(
      /Waits for +YOU, since .*11:06:09 CET\. The partner asks for other terms than yours\.\n/,
    )
    expect(out).toContain('Terms a8f5f167f44f:\n 1. The recipient may use the data.')
    expect(out).toContain('Changed by the partner:\n  It is P30D, it was P7D.')
    expect(out).toContain('\nIn comparison: They allow more.\n  Unknown in 2.\n')
    expect(err).toContain(
      [
        'Next: handschlag negotiation approve 11111111 a8f5f167f44f',
        '      handschlag negotiation counter 11111111 --for-days 30',
        '      handschlag negotiation refuse 11111111 --reason "..."',
      ].join('\n'),
    )
  })

  it('speaks German', async () => {
    const { out } = await desk.run(['negotiation', 'show', ID, '--lang', 'de'])
    expect(out).toMatch(
      /Wartet auf +SIE, seit .*11:06:09 MEZ\. Der Partner möchte andere Bedingungen als Ihre\./,
    )
    expect(out).toContain('Bedingungen a8f5f167f44f:\n 1. Der Empfänger darf die Daten nutzen.')
    expect(out).toContain('Vom Partner geändert:\n  Es ist P30D, es war P7D.')
    expect(out).toContain('\nIm Vergleich: Sie erlauben mehr.\n  Unklar in 2.\n')
  })

  it('says what cannot be kept here', async () => {
    desk.routes[SHOW] = negotiation('OFFERED', {
      role: 'consumer',
      waitingFor: 'person',
      waitingBecause: 'offer',
      terms: {
        id: 'o-1',
        clauses: [],
        acceptable: false,
        problem: 'The policy has terms that cannot be kept here.',
      },
    })
    const { out, err } = await desk.run(['negotiation', 'show', ID])
    expect(out).toContain('Cannot be kept here: The policy has terms that cannot be kept here.')
    expect(err).toContain('handschlag negotiation accept 11111111 a8f5f167f44f')
  })
})

describe('negotiation approve', () => {
  it('without the name of the terms shows them and decides nothing', async () => {
    const { code, out, err } = await desk.run(['negotiation', 'approve', ID])
    expect(code).toBe(1)
    expect(err).toContain('Nothing is approved yet.')
    expect(out).toContain('Terms a8f5f167f44f')
    expect(err).toContain('Next: handschlag negotiation approve 11111111 a8f5f167f44f')
    expect(desk.requests()).not.toContain(`POST /negotiations/${PID}/approve`)
  })

  it('says when there is nothing to approve', async () => {
    desk.routes[SHOW] = negotiation('OFFERED', { waitingFor: 'partner' })
    const { code, err } = await desk.run(['negotiation', 'approve', ID])
    expect(code).toBe(1)
    expect(err).toContain('\nThere is nothing to approve in the state OFFERED.\n')
    expect(err).toContain('Next: handschlag negotiation terminate')
  })

  it('approves exactly the named terms and watches until the contract is made', async () => {
    desk.routes[`POST /negotiations/${PID}/approve`] = negotiation('REQUESTED', { pending: 'agree' })
    desk.routes[SHOW] = inTurn(
      WAITING,
      negotiation('FINALIZED', { contract: 'urn:uuid:3f2a91c4-0000-4000-8000-000000000001' }),
    )
    const { code, out } = await desk.run(['negotiation', 'approve', ID, 'a8f5f167f44f'])
    expect([code, out]).toEqual([0, expect.stringContaining('the contract is in force')])
    expect(desk.asked.find((one) => one.path.endsWith('/approve'))?.body).toEqual({ offerHash: HASH })
  })

  it('decides nothing about terms that have changed meanwhile', async () => {
    const { code, err } = await desk.run(['negotiation', 'approve', ID, 'bbbbbbbbbbbb'])
    expect(code).toBe(1)
    expect(err).toContain('The terms on the table are a8f5f167f44f, not bbbbbbbbbbbb.')
    expect(desk.requests()).not.toContain(`POST /negotiations/${PID}/approve`)
  })
})

describe('negotiation accept', () => {
  it('without the name of the terms shows them and accepts nothing', async () => {
    desk.routes[SHOW] = negotiation('OFFERED', { role: 'consumer', waitingFor: 'person' })
    const { code, out, err } = await desk.run(['negotiation', 'accept', ID])
    expect(code).toBe(1)
    expect(err).toContain(
      '\nNothing is accepted yet. Read the terms, then name them, so that nothing else is accepted.\n',
    )
    expect(out).toContain('Terms a8f5f167f44f')
    expect(err).toContain('Next: handschlag negotiation accept 11111111 a8f5f167f44f')
    expect(desk.requests()).not.toContain(`POST /negotiations/${PID}/accept`)
    const german = await desk.run(['negotiation', 'accept', ID, '--lang', 'de'])
    expect(german.err).toContain(
      '\nNoch ist nichts angenommen. Lesen Sie die Bedingungen und nennen Sie sie dann, damit nichts anderes angenommen wird.\n',
    )
  })

  it('says when there is nothing to accept', async () => {
    desk.routes[SHOW] = negotiation('REQUESTED', { role: 'consumer', waitingFor: 'partner' })
    const { code, err } = await desk.run(['negotiation', 'accept', ID])
    expect(code).toBe(1)
    expect(err).toContain('\nThere is nothing to accept in the state REQUESTED.\n')
  })

  it('names the terms that it accepts', async () => {
    desk.routes[`POST /negotiations/${PID}/accept`] = problem(409, 'Conflict', 'The terms have changed.')
    desk.routes[SHOW] = negotiation('OFFERED', { role: 'consumer' })
    const { code, err } = await desk.run(['negotiation', 'accept', ID, 'a8f5f167'])
    expect([code, err]).toEqual([1, expect.stringContaining('The terms have changed.')])
    expect(desk.asked.at(-1)?.body).toEqual({ offerHash: HASH })
  })
})

describe('terms that this connector does not understand', () => {
  const unread = negotiation('OFFERED', {
    role: 'consumer',
    waitingFor: 'person',
    waitingBecause: 'offer',
    terms: { id: 'o-1', clauses: CLAUSES, acceptable: false, problem: 'No.', notUnderstood: ['urn:x'] },
  })

  it('are accepted by the command that the hint names, and only when the person says so', async () => {
    desk.routes[SHOW] = unread
    desk.routes[`POST /negotiations/${PID}/accept`] = problem(422, 'PolicyUnsupported', 'Not understood.')
    expect((await desk.run(['negotiation', 'show', ID])).err).toContain(
      'Next: handschlag negotiation accept 11111111 a8f5f167f44f --accept-not-understood\n',
    )
    await desk.run(['negotiation', 'accept', ID, 'a8f5f167f44f'])
    expect(desk.asked.at(-1)?.body).toEqual({ offerHash: HASH })
    await desk.run(['negotiation', 'accept', ID, 'a8f5f167f44f', '--accept-not-understood'])
    expect(desk.asked.at(-1)?.body).toEqual({ offerHash: HASH, acceptNotUnderstood: true })
  })

  it('are no matter for the provider', async () => {
    const { code, err } = await desk.run([
      'negotiation',
      'approve',
      ID,
      'a8f5f167',
      '--accept-not-understood',
    ])
    expect([code, err]).toEqual([2, expect.stringContaining('--accept-not-understood')])
  })

  it('are taken on in a negotiation of our own by naming the terms', async () => {
    desk.routes['POST /negotiations'] = problem(422, 'PolicyUnsupported', 'Not understood.')
    await desk.run(['negotiate', 'Maker', 'pump-7', 'a8f5f167f44f', '--accept-not-understood'])
    const asked = desk.asked.find((one) => one.path.endsWith('/negotiations') && one.body !== undefined)
    expect(asked?.body).toEqual({
      partner: DID,
      dataset: 'pump-7',
      offerHash: 'a8f5f167f44f',
      acceptNotUnderstood: true,
    })
  })
})

describe('negotiation offer and counter', () => {
  it('offers terms to a partner that has not asked', async () => {
    desk.routes['POST /negotiations/offers'] = negotiation('NEW', { pending: 'offer' })
    const { code, out, err } = await desk.run([
      'negotiation',
      'offer',
      'Maker',
      'pump-7',
      '--for-days',
      '30',
      '--every',
      '10s',
    ])
    expect(code).toBe(0)
    expect(out).toBe(`Negotiation ${PID}: the offer is on its way; the partner decides about it.\n`)
    expect(err).toBe('\nNext: handschlag negotiation show 11111111\n')
    expect(desk.asked.at(-1)?.body).toEqual({
      partner: DID,
      dataset: 'pump-7',
      terms: { agreementAge: 'P30D', samplingInterval: 'PT10S' },
    })
  })

  it('offers what is published', async () => {
    desk.routes['POST /negotiations/offers'] = negotiation('NEW')
    await desk.run(['negotiation', 'offer', 'Maker', 'pump-7', '--offer', 'o-1'])
    expect(desk.asked.at(-1)?.body).toEqual({ partner: DID, dataset: 'pump-7', offer: 'o-1' })
  })

  it.each([
    [['offer', 'Maker', 'pump-7'], 'Name the terms: --offer'],
    [['offer', 'Maker', 'pump-7', '--offer', 'o-1', '--for-days', '3'], 'Name the terms: --offer'],
    [['counter', ID], 'Name the terms: --offer'],
    [['counter', ID, '--for-days', 'many'], '--for-days takes a number of days'],
  ])('negotiation %j is no proposal', async (line, sentence) => {
    const { code, err } = await desk.run(['negotiation', ...line])
    expect([code, err]).toEqual([2, expect.stringContaining(sentence)])
    expect(desk.requests().filter((one) => one.startsWith('POST'))).toEqual([])
  })

  it('counters with other terms', async () => {
    desk.routes[`POST /negotiations/${PID}/counter`] = negotiation('REQUESTED', { pending: 'offer' })
    const { out } = await desk.run(['negotiation', 'counter', ID, '--for-days', '14', '--lang', 'de'])
    expect(out).toContain('Ihre Bedingungen sind unterwegs; der Partner entscheidet darüber.')
    expect(desk.asked.at(-1)?.body).toEqual({ terms: { agreementAge: 'P14D' } })
  })
})

describe.each([
  ['refuse', 'Refused; the partner is told why.'],
  ['give-up', 'Given up: it is ended here.'],
])('negotiation %s', (name, sentence) => {
  it('tells the partner the reason, and needs one', async () => {
    desk.routes[`POST /negotiations/${PID}/${name}`] = negotiation('TERMINATED')
    const { out } = await desk.run(['negotiation', name, ID, '--reason', 'Too long.'])
    expect(out).toContain(sentence)
    expect(desk.asked.at(-1)?.body).toEqual({ reason: 'Too long.' })
    const without = await desk.run(['negotiation', name, ID])
    expect([without.code, without.err]).toEqual([2, expect.stringContaining('--reason is missing')])
  })
})

describe('approval', () => {
  it('is set for an offer, and shown with it', async () => {
    const offer = { id: 'o-1', datasetId: 'pump-7', clauses: CLAUSES, approval: 'manual' }
    desk.routes['GET /datasets'] = { datasets: [{ id: 'pump-7', offers: [offer] }] }
    desk.routes['PATCH /offers/o-1'] = offer
    const { out } = await desk.run(['offer', 'set', 'o-1', '--approval', 'manual'])
    expect(out).toContain('o-1 (a person approves every request)')
    expect(desk.asked.at(-1)?.body).toEqual({ approval: 'manual' })
    desk.routes['GET /datasets/pump-7/offers'] = { offers: [offer] }
    expect((await desk.run(['offer', 'list', 'pump-7', '--lang', 'de'])).out).toContain(
      'o-1 (ein Mensch gibt jede Anfrage frei)',
    )
  })

  it('may be left to the comparison, and says so', async () => {
    desk.routes[`PATCH /partners/${DID}`] = { ...PARTNER, approval: 'stricter-or-equal' }
    const line = ['partner', 'set', 'Maker', '--approval', 'stricter-or-equal']
    const { out } = await desk.run(line)
    expect(out).toContain('trusted (other terms are agreed if they allow no more; else a person decides)')
    expect(desk.asked.at(-1)?.body).toEqual({ approval: 'stricter-or-equal' })
    expect((await desk.run([...line, '--lang', 'de'])).out).toContain(
      '(andere Bedingungen werden vereinbart, wenn sie nicht mehr erlauben; sonst entscheidet ein Mensch)',
    )
  })

  it('is set for a partner, and shown with it', async () => {
    desk.routes[`PATCH /partners/${DID}`] = { ...PARTNER, approval: 'manual' }
    const { out } = await desk.run(['partner', 'set', 'Maker', '--approval', 'manual'])
    expect(out).toMatch(/Trust +trusted \(a person approves every request\)/)
    expect(desk.asked.at(-1)?.body).toEqual({ approval: 'manual' })
  })

  it.each([
    ['offer', 'set', 'o-1', '--approval', 'perhaps'],
    ['offer', 'set', 'o-1'],
    ['offer', 'add', 'pump-7', '--for-days', '3', '--approval', 'perhaps'],
    ['partner', 'set', 'Maker', '--approval', 'perhaps'],
    ['partner', 'add', 'did:web:a.example', 'https://a.example', '--approval', 'perhaps'],
  ])('%s %s refuses what is neither', async (...line) => {
    const { code, err } = await desk.run(line)
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('--approval takes automatic, stricter-or-equal or manual.'),
    ])
  })
})
