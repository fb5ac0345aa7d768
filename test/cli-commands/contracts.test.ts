import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.js'
import {
  CLAUSES,
  CONTRACT,
  CONTRACT_ID,
  type Desk,
  DID,
  inTurn,
  openDesk,
  PARTNER,
  problem,
  TRANSFER,
  TRANSFER_PID,
} from './support.js'

process.env.TZ = 'Europe/Berlin'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk[Symbol.asyncDispose]())

const PID = 'urn:uuid:11111111-0000-4000-8000-000000000001'
const at = (second: number): string => `2026-11-23T10:06:${String(second).padStart(2, '0')}.000Z`

const negotiation = (state: string, more: object = {}) => ({
  pid: PID,
  role: 'consumer',
  partner: DID,
  state,
  dataset: 'pump-7',
  offer: 'o-1',
  createdAt: at(0),
  updatedAt: at(9),
  owed: [],
  ...more,
})

const entry = (direction: string, event: string, second: number) => ({ direction, event, at: at(second) })
const ASKED = [entry('out', 'request', 1)]
const WHOLE = [...ASKED, entry('in', 'agree', 2), entry('out', 'verify', 3), entry('in', 'finalize', 4)]

const SIGNATURES = {
  intact: true,
  signatures: [
    { by: DID, as: 'provider', verdict: 'valid' },
    { by: 'did:web:connector.example.com', as: 'consumer', verdict: 'valid' },
    { by: DID, as: 'receipt', verdict: 'missing' },
  ],
}

describe('negotiate', () => {
  const show = `GET /negotiations/${PID}`
  beforeEach(() => {
    desk.routes['GET /partners'] = { partners: [PARTNER] }
    desk.routes['POST /negotiations'] = negotiation('NEW', { pending: 'request' })
    desk.routes[`GET /contracts/${CONTRACT_ID}/verify`] = SIGNATURES
  })

  const untilFinal = (): void => {
    desk.routes[show] = inTurn(
      negotiation('NEW', { pending: 'request', timeline: ASKED }),
      negotiation('REQUESTED', { timeline: ASKED }),
      negotiation('FINALIZED', { timeline: WHOLE, contract: CONTRACT_ID }),
    )
  }

  it('says before anything else what we take on with the terms', async () => {
    const clause = (number: number, enforcedBy: string, en: string, de: string) => ({
      number,
      enforcedBy,
      text: { en, de },
      enforcement: { en: `by ${enforcedBy}`, de: `durch ${enforcedBy}` },
    })
    const clauses = [
      clause(1, 'provider', 'The recipient may use the data.', 'Der Empfänger darf die Daten nutzen.'),
      clause(
        2,
        'contract',
        'The recipient must not pass them on.',
        'Der Empfänger darf sie nicht weitergeben.',
      ),
      clause(3, 'consumer', 'The recipient must delete them.', 'Der Empfänger muss sie löschen.'),
    ]
    const done = negotiation('FINALIZED', { timeline: WHOLE, contract: CONTRACT_ID, terms: { clauses } })
    desk.routes[show] = done
    const { out } = await desk.run(['negotiate', 'Maker', 'pump-7', '--lang', 'de'])
    expect(out.split('\n').slice(1, 6)).toEqual([
      'Mit diesem Vertrag übernehmen Sie:',
      ' 2. Der Empfänger darf sie nicht weitergeben.',
      '    (durch contract)',
      ' 3. Der Empfänger muss sie löschen.',
      '    (durch consumer)',
    ])
  })

  it('prints each state once, also those it did not see itself, then the contract and who signed it', async () => {
    untilFinal()
    const { code, out, err } = await desk.run(['negotiate', 'Maker', 'pump-7'])
    expect(code).toBe(0)
    expect(err).toBe(
      [
        '',
        'Next: handschlag contract show 3f2a91c4',
        '      handschlag pull 3f2a91c4 --out data.ndjson',
        '      handschlag stream 3f2a91c4',
        '',
      ].join('\n'),
    )
    expect(out).toBe(
      [
        `Negotiation ${PID} with ${DID}`,
        '11:06:01  REQUESTED   the contract is asked for',
        '11:06:02  AGREED      the provider agrees and has sent the contract',
        '11:06:03  VERIFIED    the contract is checked and confirmed',
        '11:06:04  FINALIZED   the contract is in force',
        `Contract ${CONTRACT_ID}`,
        `  provider ${DID}: valid signature`,
        '  consumer did:web:connector.example.com: valid signature',
        `  receipt of the provider ${DID}: not signed`,
        '',
      ].join('\n'),
    )
    expect(desk.asked[1]?.body).toEqual({ partner: DID, dataset: 'pump-7' })
  })

  it('speaks German', async () => {
    untilFinal()
    const { out, err } = await desk.run(['negotiate', 'Maker', 'pump-7', '--lang', 'de'])
    expect(out).toContain('11:06:04  FINALIZED   der Vertrag gilt\n')
    expect(out).toContain(`  Anbieter ${DID}: Signatur gültig\n`)
    expect(err).toContain('Weiter: handschlag contract show 3f2a91c4')
  })

  it('prints one document for programs', async () => {
    untilFinal()
    const { code, out, err } = await desk.run(['negotiate', 'Maker', 'pump-7', '--json'])
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject({
      negotiation: { state: 'FINALIZED', updatedAt: at(9) },
      contract: CONTRACT_ID,
      verification: SIGNATURES,
    })
  })

  it('follows the states of a connector that tells no timeline', async () => {
    desk.routes[show] = inTurn(
      // The first look is for the terms.
      negotiation('NEW'),
      negotiation('REQUESTED'),
      negotiation('AGREED'),
      negotiation('FINALIZED', { contract: CONTRACT_ID }),
    )
    const { out } = await desk.run(['negotiate', 'Maker', 'pump-7'])
    expect(out.match(/REQUESTED|AGREED|FINALIZED/g)).toEqual(['REQUESTED', 'AGREED', 'FINALIZED'])
  })

  it('says why a negotiation ended and whose decision it was', async () => {
    desk.routes[show] = negotiation('TERMINATED', {
      reason: 'The offer is not for you.',
      endedBy: 'partner',
      timeline: [...ASKED, entry('in', 'terminate', 2)],
    })
    const { code, err } = await desk.run(['negotiate', 'Maker', 'pump-7'])
    expect(code).toBe(1)
    expect(err).toBe(
      `No contract: ended by the partner: The offer is not for you.\nTry: handschlag catalog ${DID} pump-7\n`,
    )
  })

  it('says what is owed and why when the partner does not answer in time', async () => {
    desk.routes[show] = negotiation('NEW', {
      pending: 'request',
      timeline: ASKED,
      owed: [
        {
          event: 'request',
          since: at(1),
          attempts: 3,
          lastError: 'maker.example.com does not answer.',
          nextAttemptAt: at(30),
        },
      ],
    })
    const { code, out, err } = await desk.run(['negotiate', 'Maker', 'pump-7', '--wait', '80ms'])
    expect(code).toBe(1)
    expect(out).toBe(`Negotiation ${PID} with ${DID}\n`)
    expect(err).toContain('The connector keeps trying; you need not wait.')
    expect(err).toContain('Not delivered yet: "request", since 23 Nov 2026, 11:06:01')
    expect(err).toContain(
      '3 attempts.\n  Last error: maker.example.com does not answer.\n  Next attempt: 23 Nov',
    )
    expect(err).toContain('Next: handschlag negotiation show 11111111\n      handschlag doctor\n')
  })

  it('leaves the negotiation running on Ctrl-C and says so', async () => {
    desk.routes[show] = negotiation('REQUESTED', { timeline: ASKED })
    const running = desk.run(['negotiate', 'Maker', 'pump-7', '--lang', 'de'])
    await waitFor(() => desk.printed().includes('REQUESTED'))
    desk.interrupt()
    const { code, err } = await running
    expect(code).toBe(1)
    expect(err).toContain('Im Connector läuft es von selbst weiter; es geht nichts verloren.')
    expect(desk.requests().filter((request) => request.includes('terminate'))).toEqual([])
  })

  it('stops at an offer of the partner, which is for a person to decide', async () => {
    desk.routes[show] = negotiation('OFFERED', { timeline: [...ASKED, entry('in', 'offer', 2)] })
    const { code, out, err } = await desk.run(['negotiate', 'Maker', 'pump-7'])
    expect(code).toBe(1)
    expect(out).toContain('The partner offers other terms than you asked for.')
    // What accepts is named where the terms are read.
    expect(err).toContain('Next: handschlag negotiation show 11111111\n')
    expect(out).not.toContain('negotiation accept')
  })

  it('takes a part of an offer id and sends the whole one', async () => {
    const id = 'urn:uuid:aaaa1111-0000-4000-8000-000000000001'
    untilFinal()
    desk.routes[`GET /partners/${DID}/catalog/pump-7`] = { id: 'pump-7', offers: [{ id }, { id: 'other' }] }
    await desk.run(['negotiate', 'Maker', 'pump-7', '--offer', 'aaaa1111'])
    expect(desk.asked.find(({ method }) => method === 'POST')?.body).toMatchObject({ offer: id })
    const wrong = await desk.run(['negotiate', 'Maker', 'pump-7', '--offer', 'bbbb2222'])
    expect([wrong.code, wrong.err]).toEqual([
      1,
      `"bbbb2222" is no offer of pump-7.\nTry: handschlag catalog ${DID} pump-7\n`,
    ])
  })

  it('leads to the catalog when the dataset has several offers', async () => {
    desk.routes['POST /negotiations'] = problem(400, 'InvalidInput', 'Name one of the offers.')
    expect(await desk.run(['negotiate', 'Maker', 'pump-7'])).toEqual({
      code: 1,
      out: '',
      err: `Name one of the offers.\nTry: handschlag catalog ${DID} pump-7\n`,
    })
  })

  it('refuses a wrong --wait before it asks for anything', async () => {
    const { code, err } = await desk.run(['negotiate', 'Maker', 'pump-7', '--wait', 'long'])
    expect([code, desk.asked]).toEqual([2, []])
    expect(err).toContain('--wait takes a duration such as 60s, 5m or PT1M.')
  })
})

describe('negotiation', () => {
  beforeEach(() => {
    desk.routes['GET /negotiations'] = { negotiations: [negotiation('REQUESTED')] }
    desk.routes[`GET /negotiations/${PID}`] = negotiation('REQUESTED', { timeline: ASKED })
  })

  it.each(['11111111', '11111111-0000', '000000000001', PID])('is found as %s', async (given) => {
    const { code, out } = await desk.run(['negotiation', 'show', given])
    expect(code).toBe(0)
    expect(out).toContain(PID)
  })

  it('is not found by fewer than six characters', async () => {
    const { code, err } = await desk.run(['negotiation', 'show', '11111'])
    expect(code).toBe(1)
    expect(err).toContain('"11111" is too short for an id. Give at least 6 characters of it.')
  })

  it('is not guessed when several fit', async () => {
    const other = 'urn:uuid:11111111-0000-4000-8000-000000000002'
    desk.routes['GET /negotiations'] = {
      negotiations: [negotiation('REQUESTED'), { ...negotiation('REQUESTED'), pid: other }],
    }
    const { code, err } = await desk.run(['negotiation', 'terminate', '11111111', '--reason', 'x'])
    expect(code).toBe(1)
    expect(err).toContain(`"11111111" fits several. Give more of the id:\n  ${PID}\n  ${other}\n`)
    expect(desk.requests()).toEqual(['GET /negotiations'])
  })

  it('is listed by state, with local times', async () => {
    const { out } = await desk.run(['negotiation', 'list', '--state', 'requested'])
    expect(desk.asked[0]?.query).toEqual({ state: 'REQUESTED' })
    expect(out).toMatch(
      /^11111111 +REQUESTED +we receive +did:web:maker\.example\.com +pump-7 +23 Nov 2026, 11:06:09 /m,
    )
  })

  it('is ended with a reason only', async () => {
    expect((await desk.run(['negotiation', 'terminate', '11111111'])).code).toBe(2)
    expect(desk.asked).toEqual([])
    desk.routes[`POST /negotiations/${PID}/terminate`] = negotiation('REQUESTED')
    await desk.run(['negotiation', 'terminate', '11111111', '--reason', 'Too dear.'])
    expect(desk.asked.at(-1)?.body).toEqual({ reason: 'Too dear.' })
  })

  it('goes on to the contract when an offer is accepted', async () => {
    desk.routes[`POST /negotiations/${PID}/accept`] = negotiation('OFFERED', { pending: 'accept' })
    desk.routes[`GET /negotiations/${PID}`] = inTurn(
      negotiation('OFFERED', { offerHash: 'a8f5f167f44f4964' }),
      negotiation('OFFERED', { pending: 'accept' }),
      negotiation('FINALIZED', { contract: CONTRACT_ID }),
    )
    desk.routes[`GET /contracts/${CONTRACT_ID}/verify`] = SIGNATURES
    const { code, out } = await desk.run(['negotiation', 'accept', '11111111', 'a8f5f167f44f'])
    expect(code).toBe(0)
    expect(out).toContain(`Contract ${CONTRACT_ID}`)
  })
})

describe('contract', () => {
  beforeEach(() => {
    desk.routes['GET /contracts'] = { contracts: [CONTRACT] }
    desk.routes[`GET /contracts/${CONTRACT_ID}`] = {
      ...CONTRACT,
      clauses: CLAUSES,
      hash: 'abc',
      agreement: {},
    }
    desk.routes[`GET /contracts/${CONTRACT_ID}/verify`] = SIGNATURES
  })

  it('is listed in words', async () => {
    const { out } = await desk.run(['contract', 'list', '--lang', 'de'])
    expect(out).toMatch(/^ID +ZUSTAND +ROLLE +PARTNER +DATENSATZ +SIGNIERT +GESCHLOSSEN$/m)
    expect(out).toMatch(
      /^3f2a91c4 +gültig +wir beziehen +Maker +pump-7 +von beiden +20\. Nov\. 2026, 11:00:00 MEZ$/m,
    )
  })

  it('is shown with clauses, status and signatures', async () => {
    const { out, err } = await desk.run(['contract', 'show', '3f2a91c4'])
    expect(out).toMatch(/^Status +in force$/m)
    expect(out).toContain(' 2. Until 31 December 2026.\n    (agreed by contract only)\n')
    expect(out).toContain(`Signatures:\n  provider ${DID}: valid signature\n`)
    expect(err).toContain('Next: handschlag pull 3f2a91c4 --out data.ndjson\n')
  })

  it('shows who revoked it and why, and suggests nothing that would fail', async () => {
    const revoked = {
      ...CONTRACT,
      status: 'revoked',
      statusBy: 'partner',
      statusReason: 'Machine sold.',
      clauses: CLAUSES,
    }
    desk.routes[`GET /contracts/${CONTRACT_ID}`] = revoked
    const { out, err } = await desk.run(['contract', 'show', '3f2a91c4', '--lang', 'de'])
    expect(out).toMatch(/^Zustand +widerrufen vom Partner: Machine sold\.$/m)
    expect(err).not.toContain('Weiter:')
  })

  it('is verified with exit code 0 only when nothing is wrong', async () => {
    expect((await desk.run(['contract', 'verify', '3f2a91c4'])).code).toBe(0)
    desk.routes[`GET /contracts/${CONTRACT_ID}/verify`] = {
      intact: true,
      signatures: [{ by: DID, as: 'provider', verdict: 'invalid', problem: 'Another key signed.' }],
    }
    const forged = await desk.run(['contract', 'verify', '3f2a91c4'])
    expect(forged.code).toBe(1)
    expect(forged.out).toContain('INVALID SIGNATURE (Another key signed.)')
    desk.routes[`GET /contracts/${CONTRACT_ID}/verify`] = { intact: false, signatures: [] }
    const changed = await desk.run(['contract', 'verify', '3f2a91c4', '--json'])
    expect([changed.code, JSON.parse(changed.out)]).toEqual([1, { intact: false, signatures: [] }])
  })

  it('is revoked with a reason only', async () => {
    const without = await desk.run(['contract', 'revoke', '3f2a91c4', '--lang', 'de'])
    expect(without.code).toBe(2)
    expect(without.err).toContain('--reason fehlt: Der Partner erfährt den Grund.')
    desk.routes[`POST /contracts/${CONTRACT_ID}/revoke`] = { ...CONTRACT, status: 'revoked' }
    const { out } = await desk.run(['contract', 'revoke', '3f2a91c4', '--reason', 'Machine sold.'])
    expect(desk.asked.at(-1)?.body).toEqual({ reason: 'Machine sold.' })
    expect(out).toContain('The contract 3f2a91c4 is revoked.')
  })
})

describe('transfer', () => {
  const show = `GET /transfers/${TRANSFER_PID}`
  beforeEach(() => {
    desk.routes['GET /contracts'] = { contracts: [CONTRACT] }
    desk.routes['GET /transfers'] = { transfers: [TRANSFER] }
  })

  it('is started and watched until data can flow', async () => {
    desk.routes['POST /transfers'] = { ...TRANSFER, state: 'NEW' }
    desk.routes[show] = inTurn({ ...TRANSFER, state: 'REQUESTED' }, TRANSFER)
    const { code, out, err } = await desk.run(['transfer', 'start', '3f2a91c4'])
    expect(code).toBe(0)
    expect(desk.asked.find(({ method }) => method === 'POST')?.body).toEqual({ contract: CONTRACT_ID })
    expect(out.match(/REQUESTED|STARTED/g)).toEqual(['REQUESTED', 'STARTED'])
    expect(err).toContain('Next: handschlag pull 77aa0000 --out data.ndjson\n')
  })

  it('says why no data will flow', async () => {
    desk.routes['POST /transfers'] = { ...TRANSFER, state: 'NEW' }
    desk.routes[show] = {
      ...TRANSFER,
      state: 'TERMINATED',
      endedBy: 'partner',
      reason: 'The contract has expired.',
    }
    const { code, err } = await desk.run(['transfer', 'start', '3f2a91c4'])
    expect(code).toBe(1)
    expect(err).toContain('No data: the transfer ended by the partner: The contract has expired.\n')
  })

  it.each(['suspend', 'resume', 'complete', 'terminate', 'retry'])('can %s', async (change) => {
    desk.routes[`POST /transfers/${TRANSFER_PID}/${change}`] = TRANSFER
    const { code } = await desk.run(['transfer', change, '77aa0000'])
    expect(code).toBe(0)
    expect(desk.asked.at(-1)).toMatchObject({ path: `/transfers/${TRANSFER_PID}/${change}`, body: {} })
  })

  it('carries the reason of a pause', async () => {
    desk.routes[`POST /transfers/${TRANSFER_PID}/suspend`] = TRANSFER
    await desk.run(['transfer', 'suspend', '77aa0000', '--reason', 'Maintenance.'])
    expect(desk.asked.at(-1)?.body).toEqual({ reason: 'Maintenance.' })
  })

  it('shows who paused it and how to go on', async () => {
    desk.routes[show] = { ...TRANSFER, state: 'SUSPENDED', suspendedBy: 'us', reason: 'Maintenance.' }
    const { out, err } = await desk.run(['transfer', 'show', '77aa0000'])
    expect(out).toMatch(/^State +SUSPENDED by us: Maintenance\.$/m)
    expect(err).toContain('Next: handschlag transfer resume 77aa0000\n')
  })
})
