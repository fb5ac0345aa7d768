import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CONTRACT, CONTRACT_ID, type Desk, DID, openDesk, problem } from './support.js'

process.env.TZ = 'Europe/Berlin'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk[Symbol.asyncDispose]())

const ID = '8fac3833a26f5ad0'
const OURS = {
  id: ID,
  contract: CONTRACT_ID,
  role: 'consumer',
  whose: 'ours',
  partner: DID,
  partnerName: 'Maker',
  dataset: 'pump-7',
  path: 'obligation[0]',
  kind: 'delete',
  words: {
    en: 'delete the data at the latest 90 days after it came',
    de: 'die Daten löschen, spätestens 90 Tage nach dem Empfang',
  },
  state: 'due soon',
  dueAt: '2026-11-25T11:00:00.000Z',
  outstandingSince: '2026-08-27T10:00:00.000Z',
  note: { en: 'The connector deletes it by itself.', de: 'Der Connector löscht es selbst.' },
}
const THEIRS = { ...OURS, id: '1234567890abcdef', whose: 'theirs', role: 'provider', state: 'overdue' }
const RECEIPT = {
  id: 'urn:uuid:1',
  kind: 'deletion',
  direction: 'out',
  at: '2026-11-25T10:00:00.000Z',
  until: '2026-08-27T10:00:00.000Z',
  delivery: 'owed',
  content: { by: 'connector', text: 'Deleted.', data: { records: 12, bytes: 345 } },
  jws: 'a.b.c',
  proof: { files: [{ name: '/data/pump.ndjson', sha256: 'ffee' }] },
}

const both = (): void => {
  desk.routes['GET /duties'] = { duties: [OURS, THEIRS] }
}

describe('duty list', () => {
  it('says that there is none', async () => {
    desk.routes['GET /duties'] = { duties: [] }
    expect((await desk.run(['duty', 'list'])).out).toBe('No contract asks for anything after the delivery.\n')
    expect((await desk.run(['duty', 'list', '--lang', 'de'])).out).toBe(
      'Kein Vertrag verlangt etwas nach der Lieferung.\n',
    )
  })

  it('shows whose each one is, how it stands and when it is due, in both languages', async () => {
    both()
    expect((await desk.run(['duty', 'list'])).out).toBe(
      [
        'ID        WHOSE   STATE     DUE                        PARTNER  DATASET  WHAT',
        '8fac3833  ours    DUE SOON  25 Nov 2026, 12:00:00 CET  Maker    pump-7   delete the data at the latest 90 days after it came',
        '12345678  theirs  OVERDUE   25 Nov 2026, 12:00:00 CET  Maker    pump-7   delete the data at the latest 90 days after it came',
        '',
      ].join('\n'),
    )
    const german = (await desk.run(['duty', 'list', '--lang', 'de'])).out
    expect(german).toContain('BALD FÄLLIG')
    expect(german).toContain('des Partners')
    expect(german).toContain('die Daten löschen, spätestens 90 Tage nach dem Empfang')
  })
})

describe('duty show', () => {
  it('shows what was declared, what was deleted, and where the receipt is', async () => {
    both()
    desk.routes[`GET /duties/${ID}`] = { ...OURS, statements: [RECEIPT] }
    const { out, err, code } = await desk.run(['duty', 'show', '8fac'])
    expect(err).toContain('Next: handschlag duty confirm 8fac3833 --text "..."')
    expect(code).toBe(0)
    for (const text of [
      'The connector deletes it by itself.',
      'receipt of deletion (ours, signed)',
      'covers what came until 27 Aug 2026, 12:00:00 CEST',
      '12 records, 345 bytes',
      '/data/pump.ndjson: SHA-256 ffee',
      '"Deleted."',
      'on its way to the partner',
    ])
      expect(out).toContain(text)
    expect(JSON.parse((await desk.run(['duty', 'show', ID, '--json'])).out)).toMatchObject({
      statements: [{ jws: 'a.b.c' }],
    })
  })

  it('shows at the provider when what was deleted had come, and its hash', async () => {
    both()
    const sha256 = 'ab'.repeat(32)
    const data = {
      records: 2,
      bytes: 230,
      firstReceived: '2026-08-27T10:00:00.000Z',
      lastReceived: '2026-08-27T11:00:00.000Z',
      sha256: [sha256],
    }
    const received = {
      ...RECEIPT,
      direction: 'in',
      delivery: undefined,
      proof: undefined,
      content: { by: 'connector', data },
    }
    desk.routes[`GET /duties/${THEIRS.id}`] = { ...THEIRS, statements: [received] }
    const { out } = await desk.run(['duty', 'show', '1234'])
    expect(out).toContain('came between 27 Aug 2026, 12:00:00 CEST and 27 Aug 2026, 13:00:00 CEST')
    expect(out).toContain(`SHA-256 ${sha256}`)
    expect((await desk.run(['duty', 'show', '1234', '--lang', 'de'])).out).toContain(
      'eingegangen zwischen 27. Aug. 2026, 12:00:00',
    )
  })

  it('tells the word of a person from what a connector has done', async () => {
    both()
    const word = { ...RECEIPT, proof: undefined, content: { by: 'person', text: 'All gone.' } }
    desk.routes[`GET /duties/${ID}`] = { ...OURS, statements: [word] }
    const { out } = await desk.run(['duty', 'show', ID])
    expect(out).toContain('declaration of a person that it is deleted (ours, signed)')
    expect(out).not.toContain('receipt of deletion')
    expect((await desk.run(['duty', 'show', ID, '--lang', 'de'])).out).toContain(
      'Erklärung eines Menschen, dass gelöscht ist',
    )
  })

  it('does not ask to confirm what the connector deletes by itself', async () => {
    both()
    desk.routes[`GET /duties/${ID}`] = { ...OURS, state: 'open', statements: [] }
    expect((await desk.run(['duty', 'show', ID])).err).not.toContain('duty confirm')
  })

  it('leads from an overdue duty of a partner to a reminder', async () => {
    both()
    desk.routes[`GET /duties/${THEIRS.id}`] = { ...THEIRS, statements: [] }
    expect((await desk.run(['duty', 'show', '1234'])).err).toContain(
      'handschlag duty remind 12345678 --text "..."',
    )
  })

  it('knows no duty that is not there', async () => {
    both()
    const { code, err } = await desk.run(['duty', 'show', 'ffff'])
    expect(code).toBe(1)
    expect(err).toBe('There is no duty "ffff".\nTry: handschlag duty list\n')
  })
})

describe('what a person does about a duty', () => {
  it.each([
    ['confirm', { text: 'Done.' }, ['--text', 'Done.']],
    ['report', { text: 'Stolen.', event: 'urn:event' }, ['--text', 'Stolen.', '--event', 'urn:event']],
    ['remind', { text: 'Where is it?' }, ['--text', 'Where is it?']],
    ['waive', { text: 'Warranty.' }, ['--text', 'Warranty.']],
  ])('%s sends the words', async (act, body, line) => {
    both()
    desk.routes[`POST /duties/${ID}/${act}`] = OURS
    expect((await desk.run(['duty', act, ID, ...line])).code).toBe(0)
    expect(desk.asked.at(-1)).toMatchObject({ path: `/duties/${ID}/${act}`, body })
  })

  it('needs words', async () => {
    const { code, err } = await desk.run(['duty', 'confirm', ID, '--lang', 'de'])
    expect(code).toBe(2)
    expect(err).toContain('--text fehlt: Es muss in Worten gesagt werden.')
    expect(desk.asked).toEqual([])
  })

  it('is told when it cannot be', async () => {
    both()
    desk.routes[`POST /duties/${ID}/waive`] = problem(
      409,
      'InvalidTransition',
      'Only the provider can waive a duty.',
    )
    expect(await desk.run(['duty', 'waive', ID, '--text', 'x'])).toMatchObject({
      code: 1,
      err: 'Only the provider can waive a duty.\nTry: handschlag duty show 8fac3833\n',
    })
  })
})

it('is part of the contract that is shown, and of the status', async () => {
  desk.routes['GET /contracts'] = { contracts: [CONTRACT] }
  desk.routes[`GET /contracts/${CONTRACT_ID}`] = { ...CONTRACT, clauses: [], duties: [OURS] }
  expect((await desk.run(['contract', 'show', '3f2a91c4'])).out).toContain(
    'Duties:\n  8fac3833  ours, DUE SOON: delete the data at the latest 90 days after it came\n',
  )
  desk.routes['GET /status'] = { duties: { open: 2, dueSoon: 1, overdue: 1, theirsOverdue: 3 } }
  const { out, err } = await desk.run(['status'])
  expect(out).toContain('2 open, 1 DUE SOON, 1 OVERDUE; of partners 3 OVERDUE')
  expect(err).toContain('Next: handschlag duty list')
})
