import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CLAUSES, type Desk, DID, openDesk, PARTNER, problem } from './support.js'

process.env.TZ = 'Europe/Berlin'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk[Symbol.asyncDispose]())

const STATUS = {
  name: 'Example',
  did: 'did:web:connector.example.com',
  version: '0.1.0',
  publicUrl: 'https://connector.example.com',
  dspAddress: 'https://connector.example.com/dsp',
  dataDir: '/var/lib/handschlag',
  fingerprint: '99aa bb00',
  keyName: '2026-11-a',
  schema: 4,
  datasets: 3,
  partners: 1,
  contracts: 1,
  owed: { count: 2, oldest: '2026-11-23T10:06:19.000Z' },
  startedAt: '2026-07-01T06:00:00.000Z',
}

describe('status', () => {
  it('shows identity and what is owed, with local times', async () => {
    desk.routes['GET /status'] = STATUS
    const { code, out, err } = await desk.run(['status'])
    expect(code).toBe(0)
    expect(out).toMatch(/^Identity +did:web:connector\.example\.com$/m)
    expect(out).toMatch(/^Partners reach us at +https:\/\/connector\.example\.com$/m)
    expect(out).toMatch(/^Fingerprint +99aa bb00 \(key 2026-11-a\)$/m)
    expect(out).toMatch(/^Running since +1 Jul 2026, 08:00:00 (CEST|GMT\+2)$/m)
    expect(out).toMatch(/^Messages owed +2, the oldest since 23 Nov 2026, 11:06:19 (CET|GMT\+1)$/m)
    expect(err).toContain('\nNext: handschlag doctor\n')
  })

  it('speaks German', async () => {
    desk.routes['GET /status'] = STATUS
    const { out, err } = await desk.run(['status', '--lang', 'de'])
    expect(out).toMatch(/^Zuzustellen +2, die älteste seit 23\. Nov\. 2026, 11:06:19 MEZ$/m)
    expect(err).toContain('\nWeiter: handschlag doctor\n')
  })

  it('counts the deliveries that fail, and sends to the doctor', async () => {
    const failingDeliveries = { count: 1, oldest: '2026-11-23T10:06:19.000Z' }
    desk.routes['GET /status'] = { ...STATUS, owed: { count: 0 }, failingDeliveries }
    const { out, err } = await desk.run(['status'])
    expect(out).toMatch(/^Failing deliveries +1, the oldest since 23 Nov 2026, 11:06:19 (CET|GMT\+1)$/m)
    expect(err).toContain('\nNext: handschlag doctor\n')
    const { out: german } = await desk.run(['status', '--lang', 'de'])
    expect(german).toMatch(
      /^Fehlschlagende Zustellungen +1, die älteste seit 23\. Nov\. 2026, 11:06:19 MEZ$/m,
    )
  })

  it('prints the answer as it is for programs, with times in ISO 8601', async () => {
    desk.routes['GET /status'] = STATUS
    const { out, err } = await desk.run(['status', '--json'])
    expect(JSON.parse(out)).toEqual(STATUS)
    expect(err).toBe('')
  })

  it('says how to start a connector that does not run', async () => {
    const { code, out, err } = await desk.run(['status', '--json'], {
      env: { HANDSCHLAG_MANAGEMENT_PORT: '1' },
    })
    expect([code, out]).toEqual([1, ''])
    expect(err).toBe('No connector answers at http://127.0.0.1:1. Start it: handschlag serve\n')
  })
})

describe('partner show', () => {
  it.each([
    [{}, 'en', /^Duties +its connector has not proved that it carries them out$/m],
    [
      { dutiesProvenAt: '2026-11-20T10:00:00.000Z' },
      'de',
      /^Pflichten +sein Connector erfüllt sie \(nachgewiesen .*20.*\)$/m,
    ],
  ])('says what the partner has proved about duties: %j', async (proof, lang, words) => {
    desk.routes['GET /partners'] = { partners: [PARTNER] }
    desk.routes[`GET /partners/${DID}`] = { ...PARTNER, ...proof }
    const { out } = await desk.run(['partner', 'show', DID, '--lang', lang])
    expect(out).toMatch(words)
  })
})

describe('partner add', () => {
  it('prints the fingerprint and asks to compare it before trusting', async () => {
    desk.routes['POST /partners'] = { ...PARTNER, trust: 'known' }
    const { code, out, err } = await desk.run([
      'partner',
      'add',
      DID,
      PARTNER.address,
      '--name',
      'Maker',
      '--seal',
      'require',
    ])
    expect(code).toBe(0)
    expect(desk.asked[0]?.body).toEqual({
      did: DID,
      address: PARTNER.address,
      name: 'Maker',
      seal: 'require',
    })
    expect(out).toMatch(/^Fingerprint +ab12 cd34$/m)
    expect(out).toContain('Call your partner and compare this fingerprint')
    expect(err).toContain(`Next: handschlag partner trust ${DID}\n`)
  })

  it('speaks German', async () => {
    desk.routes['POST /partners'] = { ...PARTNER, trust: 'known' }
    const { out, err } = await desk.run(['partner', 'add', DID, PARTNER.address, '--lang', 'de'])
    expect(out).toContain('Rufen Sie Ihren Partner an und vergleichen Sie diesen Fingerabdruck')
    expect(err).toContain(`Weiter: handschlag partner trust ${DID}\n`)
  })

  it('does not suggest to trust a partner whose keys are not known', async () => {
    const { fingerprint: _, ...unseen } = PARTNER
    desk.routes['POST /partners'] = { ...unseen, trust: 'known' }
    const { out } = await desk.run(['partner', 'add', DID, PARTNER.address])
    expect(out).toContain('there is no fingerprint to compare')
    expect(out).not.toContain('partner trust')
  })

  it('refuses an unknown way of signing before it asks the connector', async () => {
    const { code, err } = await desk.run(['partner', 'add', DID, PARTNER.address, '--seal', 'maybe'])
    expect([code, desk.asked]).toEqual([2, []])
    expect(err).toContain('--seal takes off, offer or require.')
  })

  it('passes on why the connector refused', async () => {
    desk.routes['POST /partners'] = problem(409, 'Conflict', 'There is a partner with this DID already.')
    const { code, out, err } = await desk.run(['partner', 'add', DID, PARTNER.address])
    expect([code, out, err]).toEqual([1, '', 'There is a partner with this DID already.\n'])
  })
})

describe('a partner', () => {
  beforeEach(() => {
    desk.routes['GET /partners'] = {
      partners: [PARTNER, { ...PARTNER, did: 'did:web:other.example', name: 'Other' }],
    }
  })

  it.each(['Maker', 'maker', DID, 'maker.example.com', 'mak'])('is found as %s', async (given) => {
    desk.routes[`POST /partners/${DID}/trust`] = PARTNER
    const { code, out, err } = await desk.run(['partner', 'trust', given])
    expect(code).toBe(0)
    expect(out).toContain('Maker is trusted. Fingerprint: ab12 cd34')
    expect(err).toContain(`Next: handschlag catalog ${DID}`)
  })

  it('is named with those that are known when it is not', async () => {
    const { code, err } = await desk.run(['partner', 'block', 'Nobody'])
    expect(code).toBe(1)
    expect(err).toBe('There is no partner "Nobody". Known: Maker, Other.\nTry: handschlag partner list\n')
  })

  it('is to be added first when there is none', async () => {
    desk.routes['GET /partners'] = { partners: [] }
    const { err } = await desk.run(['catalog', 'Maker', '--lang', 'de'])
    expect(err).toBe('Es gibt noch keinen Partner.\nVersuchen Sie: handschlag partner add DID ADDRESS\n')
  })

  it('is changed only when something is named', async () => {
    expect((await desk.run(['partner', 'set', 'Maker'])).code).toBe(2)
    desk.routes[`PATCH /partners/${DID}`] = { ...PARTNER, seal: 'off' }
    expect((await desk.run(['partner', 'set', 'Maker', '--seal', 'off'])).code).toBe(0)
    expect(desk.asked.at(-1)).toMatchObject({ method: 'PATCH', body: { seal: 'off' } })
  })

  it('is listed', async () => {
    const { out } = await desk.run(['partner', 'list', '--lang', 'de'])
    expect(out.split('\n')[0]).toMatch(/^NAME +DID +VERTRAUEN +IDENTITÄT +SIGNATUREN$/)
    expect(out).toMatch(/^Maker +did:web:maker\.example\.com +vertraut +signierte Token +offer$/m)
  })

  it('that is a laboratory is listed with a warning in red, which only a terminal gets as a colour', async () => {
    const LAB = { ...PARTNER, did: 'edc', name: 'EDC', access: 'lab', seal: 'off' }
    desk.routes['GET /partners'] = { partners: [LAB] }
    const { out } = await desk.run(['partner', 'list'])
    expect(out).toMatch(/^EDC +edc +trusted +NOBODY \(laboratory\) +off$/m)
    expect(out).toContain("EDC is a laboratory: nobody's identity is proven.")
    expect(out).not.toContain('\u001b')
  })

  it('of a laboratory is added only on demand, with our own id and address', async () => {
    const LAB = { did: 'edc', name: 'EDC', address: 'http://x/2025-1', access: 'lab', trust: 'known' }
    desk.routes['POST /partners'] = { ...LAB, seal: 'off', addedAt: '2026-11-23T10:00:00.000Z' }
    const line = ['partner', 'add', 'edc', 'http://x/2025-1', '--lab', '--own-id', 'us']
    const { code, out, err } = await desk.run([...line, '--own-address', 'http://us:8484'])
    expect(code).toBe(0)
    expect(desk.asked.at(-1)?.body).toEqual({
      did: 'edc',
      address: 'http://x/2025-1',
      lab: true,
      ownId: 'us',
      ownAddress: 'http://us:8484',
    })
    expect(out).toContain("EDC is a laboratory: nobody's identity is proven.")
    expect(err).toContain('Next: handschlag partner trust edc')
  })

  it('with tokens gets both from standard input, never from the command line', async () => {
    desk.routes['POST /partners'] = { ...PARTNER, access: 'bearer' }
    const line = ['partner', 'add', DID, 'https://maker.example.com', '--tokens-stdin']
    await desk.run(line, { stdin: 'ours-1\ntheirs-2\n' })
    expect(desk.asked.at(-1)?.body).toMatchObject({ outgoingToken: 'ours-1', incomingToken: 'theirs-2' })
    const short = await desk.run(line, { stdin: 'only-one\n' })
    expect([short.code, short.err]).toEqual([1, expect.stringContaining('2 lines are expected')])
    expect(short.err).not.toContain('only-one')
  })

  it('cannot move the cursor with its name', async () => {
    desk.routes['GET /partners'] = { partners: [{ ...PARTNER, name: 'Ma\u001b[2Jker' }] }
    const { out } = await desk.run(['partner', 'list'])
    expect(out).not.toContain('\u001b')
  })
})

describe('catalog', () => {
  const OFFER = { id: 'urn:uuid:aaaa1111-0000-4000-8000-000000000001', clauses: CLAUSES, acceptable: true }
  const SECOND = {
    ...OFFER,
    id: 'urn:uuid:bbbb2222-0000-4000-8000-000000000002',
    acceptable: false,
    problem: 'The term "x" is not understood.',
  }
  beforeEach(() => {
    desk.routes['GET /partners'] = { partners: [PARTNER] }
    desk.routes[`GET /partners/${DID}/catalog`] = {
      datasets: [{ id: 'pump-7', title: 'Pump 7', keywords: ['pump'], formats: [], offers: [OFFER, SECOND] }],
    }
  })

  it('tells the offers in numbered clauses with who enforces them', async () => {
    const { code, out, err } = await desk.run(['catalog', 'Maker'])
    expect(code).toBe(0)
    expect(out).toContain('pump-7  Pump 7\n  Keywords: pump\n  Offer 1 (aaaa1111)\n')
    expect(out).toContain(
      "   1. The recipient may use the data.\n      (enforced by the provider's connector)\n",
    )
    expect(out).toContain('Cannot be accepted here: The term "x" is not understood.')
    expect(err).toContain(`Next: handschlag negotiate ${DID} pump-7\n`)
  })

  it('speaks German', async () => {
    const { out } = await desk.run(['catalog', 'Maker', '--lang', 'de'])
    expect(out).toContain('Angebot 1 (aaaa1111)')
    expect(out).toContain('(vom Connector des Anbieters durchgesetzt)')
    expect(out).toContain('Hier nicht annehmbar')
  })

  it('shows machine and signals as a table, without columns in which nothing is said', async () => {
    const machine = { id: 'pump-7', machineId: 'P7', formats: [], offers: [OFFER] }
    desk.routes[`GET /partners/${DID}/catalog/pump-7`] = {
      ...machine,
      signals: [
        { name: 'temperature', type: 'number', unit: '°C' },
        { name: 'running', type: 'boolean' },
      ],
    }
    const { out } = await desk.run(['catalog', 'Maker', 'pump-7'])
    expect(out).toContain(
      'pump-7\n  Machine: P7\n' +
        '  SIGNAL       TYPE     UNIT\n' +
        '  temperature  number   °C\n' +
        '  running      boolean\n' +
        '  Offer 1 (aaaa1111)\n',
    )
    desk.routes[`GET /partners/${DID}/catalog/pump-7`] = {
      ...machine,
      signals: [{ name: 'temperature', description: 'Of the oil' }],
    }
    expect((await desk.run(['catalog', 'Maker', 'pump-7', '--lang', 'de'])).out).toContain(
      '  Maschine: P7\n  SIGNAL       BESCHREIBUNG\n  temperature  Of the oil\n',
    )
  })

  it('names the offer in the hint when there is a choice', async () => {
    desk.routes[`GET /partners/${DID}/catalog/pump-7`] = {
      id: 'pump-7',
      offers: [OFFER, { ...SECOND, acceptable: true }],
    }
    const { err } = await desk.run(['catalog', 'Maker', 'pump-7'])
    expect(err).toContain(`Next: handschlag negotiate ${DID} pump-7 --offer aaaa1111\n`)
  })

  it('tells in which formats a dataset comes', async () => {
    desk.routes[`GET /partners/${DID}/catalog`] = {
      datasets: [
        { id: 'pump-7', keywords: [], formats: ['HttpData-PULL', 'HttpData-PUSH'], offers: [OFFER] },
      ],
    }
    expect((await desk.run(['catalog', 'Maker'])).out).toContain('  Formats: HttpData-PULL, HttpData-PUSH\n')
    expect((await desk.run(['catalog', 'Maker', '--lang', 'de'])).out).toContain('  Formate: HttpData-PULL')
  })

  it('says when the catalog is longer than what was read of it', async () => {
    expect((await desk.run(['catalog', 'Maker'])).err).not.toContain('longer')
    desk.routes[`GET /partners/${DID}/catalog`] = { datasets: [], complete: false }
    expect((await desk.run(['catalog', 'Maker'])).err).toMatch(/^The catalog of this partner is longer /)
    expect((await desk.run(['catalog', 'Maker', '--lang', 'de'])).err).toMatch(/^Der Katalog /)
  })

  it('searches: passes on what is looked for, and says when nothing fits', async () => {
    const line = [
      'catalog',
      'Maker',
      '--search',
      'Pumpe & Öl',
      '--keyword',
      'oil',
      '--format',
      'HttpData-PULL',
    ]
    expect((await desk.run(line)).out).toContain('pump-7')
    expect(desk.asked.at(-1)?.query).toEqual({ text: 'Pumpe & Öl', keyword: 'oil', format: 'HttpData-PULL' })
    desk.routes[`GET /partners/${DID}/catalog`] = { datasets: [] }
    expect(await desk.run(line)).toMatchObject({
      out: 'Nothing that this partner offers you now fits.\n',
      err: `\nNext: handschlag catalog ${DID}\n`,
    })
    expect((await desk.run([...line, '--lang', 'de'])).out).toContain('passt dazu.')
    const both = await desk.run(['catalog', 'Maker', 'pump-7', '--keyword', 'oil'])
    expect([both.code, both.err]).toEqual([
      2,
      'Either name the dataset, or search among all of them.\nSee: handschlag help catalog\n',
    ])
  })

  it('leads to the whole catalog when there is no such dataset', async () => {
    const { code, err } = await desk.run(['catalog', 'Maker', 'pump-8'])
    expect([code, err]).toEqual([1, `There is no such thing.\nTry: handschlag catalog ${DID}\n`])
  })
})

describe('source add', () => {
  beforeEach(() => {
    desk.routes['PUT /sources/pump'] = { id: 'pump', kind: 'mqtt', config: {} }
  })

  it('turns flags into the configuration of an MQTT source', async () => {
    const { code, err } = await desk.run([
      ...[
        'source',
        'add',
        'pump',
        '--kind',
        'mqtt',
        '--url',
        'mqtts://broker:8883',
        '--topic',
        'plant/+/state',
      ],
      ...[
        '--map',
        'temperature=machine.temp',
        '--map',
        'pressure=p',
        '--time',
        'ts',
        '--time-format',
        'epoch-ms',
      ],
      ...['--series', 'topic:2', '--username', 'reader', '--ca', 'ca.pem', '--qos', '1'],
    ])
    expect(code).toBe(0)
    expect(desk.asked[0]?.body).toEqual({
      kind: 'mqtt',
      config: {
        url: 'mqtts://broker:8883',
        topics: ['plant/+/state'],
        qos: 1,
        username: 'reader',
        ca: join(desk.folder, 'ca.pem'),
        mapping: {
          time: { path: 'ts', format: 'epoch-ms' },
          series: 'topic:2',
          signals: { temperature: 'machine.temp', pressure: 'p' },
        },
      },
    })
    expect(err).toContain('Next: handschlag source check pump\n')
  })

  it('turns flags into the configuration of a CSV file', async () => {
    await desk.run([
      ...[
        'source',
        'add',
        'pump',
        '--kind',
        'files',
        '--file',
        'a.csv',
        '--separator',
        ';',
        '--decimal',
        ',',
      ],
      ...['--time', 'when', '--time-zone', 'Europe/Berlin', '--series-from', 'machine', '--map', 't=Temp'],
    ])
    expect(desk.asked[0]?.body).toEqual({
      kind: 'files',
      config: {
        file: join(desk.folder, 'a.csv'),
        format: 'csv',
        separator: ';',
        decimal: ',',
        time: { column: 'when', format: 'iso-local', timeZone: 'Europe/Berlin' },
        series: { column: 'machine' },
        signals: { t: 'Temp' },
      },
    })
  })

  it('takes the password from standard input and shows it nowhere', async () => {
    const { out, err } = await desk.run(
      ['source', 'add', 'pump', '--kind', 'mqtt', '--url', 'mqtt://b', '--username', 'u', '--password-stdin'],
      { stdin: 's3cret\n' },
    )
    expect(desk.asked[0]?.body).toMatchObject({ config: { username: 'u', password: 's3cret' } })
    expect(out + err).not.toContain('s3cret')
  })

  it('takes the password from the environment', async () => {
    await desk.run(['source', 'add', 'pump', '--kind', 'mqtt', '--url', 'mqtt://b', '--username', 'u'], {
      env: { HANDSCHLAG_SOURCE_PASSWORD: 's3cret' },
    })
    expect(desk.asked[0]?.body).toMatchObject({ config: { password: 's3cret' } })
  })

  it('stores nothing when standard input holds no password', async () => {
    const { code, err } = await desk.run(['source', 'add', 'pump', '--kind', 'mqtt', '--password-stdin'])
    expect([code, desk.asked]).toEqual([1, []])
    expect(err).toContain('Standard input held no password')
  })

  it('takes a whole configuration from a file', async () => {
    writeFileSync(
      join(desk.folder, 's.yaml'),
      'url: mqtt://b\ntopics: [a/b]\nmapping:\n  time: arrival\n  signals: {t: t}\n',
    )
    await desk.run(['source', 'add', 'pump', '--kind', 'mqtt', '--settings', 's.yaml'])
    expect(desk.asked[0]?.body).toEqual({
      kind: 'mqtt',
      config: { url: 'mqtt://b', topics: ['a/b'], mapping: { time: 'arrival', signals: { t: 't' } } },
    })
  })

  it('names the line of a mistake in the file and quotes nothing of it', async () => {
    writeFileSync(join(desk.folder, 's.yaml'), 'url: mqtt://b\npassword: "s3cret\n')
    const { code, err } = await desk.run(['source', 'add', 'pump', '--kind', 'mqtt', '--settings', 's.yaml'])
    expect([code, desk.asked]).toEqual([1, []])
    expect(err).toContain('is not valid YAML or JSON')
    expect(err).not.toContain('s3cret')
  })

  it.each([
    [['--kind', 'opc'], 2, 'There is no kind of source "opc". Known: mqtt, files, bytes.'],
    [[], 2, '--kind is missing: mqtt, files, bytes.'],
    [
      ['--kind', 'mqtt', '--settings', 'x', '--url', 'mqtt://b'],
      2,
      '--settings says everything; leave out --url.',
    ],
    [['--kind', 'bytes', '--topic', 'a'], 1, 'A source of the kind bytes does not take --topic.'],
    [['--kind', 'mqtt', '--map', 'temperature'], 1, '--map takes SIGNAL=PLACE'],
    [['--kind', 'mqtt', '--map', 'a=b', '--map', 'a=c'], 1, '--map takes SIGNAL=PLACE'],
  ])('refuses %j', async (flags, code, sentence) => {
    const ran = await desk.run(['source', 'add', 'pump', ...flags])
    expect([ran.code, desk.asked]).toEqual([code, []])
    expect(ran.err).toContain(sentence)
  })
})

describe('source check', () => {
  it('fails when the source does', async () => {
    desk.routes['POST /sources/pump/check'] = { ok: false, message: 'The broker does not answer.' }
    const ran = await desk.run(['source', 'check', 'pump'])
    expect(ran).toEqual({
      code: 1,
      out: '',
      err: 'The broker does not answer.\nTry: handschlag source show pump\n',
    })
    expect((await desk.run(['source', 'check', 'pump', '--json'])).code).toBe(1)
  })

  it('says what was found', async () => {
    desk.routes['POST /sources/pump/check'] = { ok: true, message: 'Connected.' }
    expect(await desk.run(['source', 'check', 'pump'])).toEqual({ code: 0, out: 'Connected.\n', err: '' })
  })
})

describe('dataset add', () => {
  it('describes a new dataset', async () => {
    desk.routes['PUT /datasets/pump-7'] = { id: 'pump-7', published: false }
    const { code, err } = await desk.run([
      ...['dataset', 'add', 'pump-7', '--title', 'Pump 7', '--signal', 'temperature:number:Cel'],
      ...['--signal', 'running:boolean', '--source', 'pump', '--machine', 'm7', '--keyword', 'pump'],
    ])
    expect(code).toBe(0)
    expect(desk.asked.at(-1)?.body).toEqual({
      title: 'Pump 7',
      machineId: 'm7',
      sourceId: 'pump',
      keywords: ['pump'],
      signals: [
        { name: 'temperature', type: 'number', unit: 'Cel' },
        { name: 'running', type: 'boolean' },
      ],
    })
    expect(err).toContain('Next: handschlag offer add pump-7')
  })

  it('changes only what is given when it exists', async () => {
    const before = {
      title: 'Pump 7',
      keywords: ['pump'],
      signals: [{ name: 'a', type: 'number' }],
      sourceId: 'pump',
    }
    desk.routes['GET /datasets/pump-7'] = {
      id: 'pump-7',
      published: true,
      offers: [],
      createdAt: 'x',
      ...before,
    }
    desk.routes['PUT /datasets/pump-7'] = { id: 'pump-7', published: true }
    await desk.run(['dataset', 'add', 'pump-7', '--title', 'Pump seven'])
    expect(desk.asked.at(-1)?.body).toEqual({ ...before, title: 'Pump seven' })
  })

  it('marks signals that tell machines or people apart, and never forgets the mark by itself', async () => {
    const stored = { id: 'pump-7', title: 'Pump 7', published: true }
    desk.routes['GET /datasets/pump-7'] = {
      ...stored,
      signals: [
        { name: 'a', type: 'number' },
        { name: 'operator', type: 'string', identifies: true },
      ],
    }
    desk.routes['PUT /datasets/pump-7'] = stored
    await desk.run(['dataset', 'add', 'pump-7', '--identifies', 'a'])
    const marked = (name: string, type: string) => ({ name, type, identifies: true })
    expect(desk.asked.at(-1)?.body).toMatchObject({
      signals: [marked('a', 'number'), marked('operator', 'string')],
    })
    await desk.run(['dataset', 'add', 'pump-7', '--signal', 'operator:string', '--signal', 'b:number'])
    expect(desk.asked.at(-1)?.body).toMatchObject({
      signals: [marked('operator', 'string'), { name: 'b', type: 'number' }],
    })
    const { err } = await desk.run(['dataset', 'add', 'pump-7', '--identifies', 'c'])
    expect(err).toContain('--identifies names c, which is no signal of the dataset.')
  })

  it.each([
    [['--signal', 'temperature:numbr'], 'Did you mean temperature:number?'],
    [['--signal', 'temperature'], 'Types: number, integer, string, boolean.'],
    [[], 'A new dataset needs a --title.'],
  ])('refuses %j and stores nothing', async (flags, sentence) => {
    const { code, err } = await desk.run(['dataset', 'add', 'pump-7', ...flags])
    expect(code).toBe(1)
    expect(err).toContain(sentence)
    expect(desk.requests().filter((request) => request.startsWith('PUT'))).toEqual([])
  })

  it('takes a whole description from a file', async () => {
    writeFileSync(
      join(desk.folder, 'd.json'),
      JSON.stringify({ id: 'pump-7', title: 'Pump 7', sourceId: 'pump' }),
    )
    desk.routes['PUT /datasets/pump-7'] = { id: 'pump-7', published: false }
    await desk.run(['dataset', 'add', 'pump-7', '--file', 'd.json'])
    expect(desk.asked[0]?.body).toEqual({ title: 'Pump 7', sourceId: 'pump' })
    const other = await desk.run(['dataset', 'add', 'pump-8', '--file', 'd.json'])
    expect([other.code, other.err.split('\n')[0]]).toEqual([
      1,
      'The file describes another dataset than pump-8.',
    ])
  })
})

describe('dataset', () => {
  it('is published with what that means, in German too', async () => {
    desk.routes['POST /datasets/pump-7/publish'] = { id: 'pump-7', published: true }
    const { out } = await desk.run(['dataset', 'publish', 'pump-7', '--lang', 'de'])
    expect(out).toContain('Der Datensatz pump-7 ist veröffentlicht: Vertraute Partner sehen ihn')
  })

  it('is not published when the connector says no', async () => {
    desk.routes['POST /datasets/pump-7/publish'] = problem(
      400,
      'InvalidInput',
      'The dataset pump-7 has no offer.',
    )
    expect(await desk.run(['dataset', 'publish', 'pump-7'])).toEqual({
      code: 1,
      out: '',
      err: 'The dataset pump-7 has no offer.\nTry: handschlag dataset show pump-7\n',
    })
  })

  it('is shown with signals and offers in words', async () => {
    desk.routes['GET /datasets/pump-7'] = {
      id: 'pump-7',
      title: 'Pump 7',
      keywords: [],
      published: true,
      signals: [{ name: 'temperature', type: 'number', unit: 'Cel' }],
      offers: [{ id: 'until-2026', clauses: CLAUSES }],
    }
    const { out } = await desk.run(['dataset', 'show', 'pump-7'])
    expect(out).toMatch(/^Signals +temperature \(number, Cel\)$/m)
    expect(out).toContain('Offer until-2026\n 1. The recipient may use the data.')
  })
})

describe('offer add', () => {
  const MADE = { id: 'o-1', datasetId: 'pump-7', policy: {}, clauses: CLAUSES }
  beforeEach(() => {
    desk.routes['POST /datasets/pump-7/offers'] = MADE
    desk.routes['GET /partners'] = { partners: [PARTNER] }
  })

  it('offers what is by contract only when it is told to, and says so', async () => {
    const tier = { number: 3, text: { en: 'Some of it is a promise.', de: 'Manches ist ein Versprechen.' } }
    desk.routes['POST /datasets/pump-7/offers'] = { ...MADE, contractOnly: true, tier }
    const { code, out } = await desk.run([
      ...['offer', 'add', 'pump-7', '--count', '5', '--contract-only', '--lang', 'de'],
    ])
    expect(code).toBe(0)
    expect(desk.asked.find(({ path }) => path.endsWith('/offers'))?.body).toEqual({
      terms: { count: '5' },
      contractOnly: true,
    })
    expect(out).toContain('\nManches ist ein Versprechen.\n')
  })

  it('sends the terms and prints the clauses with who enforces them', async () => {
    const { code, out, err } = await desk.run([
      ...[
        'offer',
        'add',
        'pump-7',
        '--fields',
        'temperature, pressure',
        '--every',
        '10s',
        '--until',
        '2026-12-31',
      ],
      ...[
        '--from',
        '2026-01-01',
        '--for-days',
        '30',
        '--count',
        '1000',
        '--delay',
        'PT1H',
        '--only-for',
        'Maker',
      ],
    ])
    expect(code).toBe(0)
    expect(desk.asked.find(({ path }) => path.endsWith('/offers'))?.body).toEqual({
      terms: {
        recipients: [DID],
        from: '2026-01-01',
        until: '2026-12-31',
        agreementAge: 'P30D',
        count: '1000',
        fields: ['temperature', 'pressure'],
        samplingInterval: 'PT10S',
        deliveryDelay: 'PT1H',
      },
    })
    expect(out).toContain(' 2. Until 31 December 2026.\n    (agreed by contract only)\n')
    expect(err).toContain('Next: handschlag dataset publish pump-7\n')
  })

  it('sends every measure of data minimisation that an operator can choose', async () => {
    const { code } = await desk.run(
      [
        'offer add pump-7 --machines a,b --lines L1 --states run,idle --signal-rows x --without serial,order',
        '--pseudonyms --places Ulm --window 5m --min-group 5 --functions mean,max --value-step 0.5 --hours 22:00-06:00 --weekdays 6-2',
        '--time-zone Europe/Berlin --records-per-day 86400 --bytes-per-day 5000000',
      ].flatMap((line) => line.split(' ')),
    )
    expect(code).toBe(0)
    expect(desk.asked.find(({ path }) => path.endsWith('/offers'))?.body).toEqual({
      terms: {
        machines: ['a', 'b'],
        lines: ['L1'],
        machineStates: ['run', 'idle'],
        signalRows: ['x'],
        withoutFields: ['serial', 'order'],
        pseudonym: 'agreement',
        aggregationWindow: 'PT5M',
        aggregation: ['mean', 'max'],
        minGroup: '5',
        places: ['Ulm'],
        valueStep: '0.5',
        hours: '22:00-06:00',
        weekdays: ['6', '7', '1', '2'],
        timeZone: 'Europe/Berlin',
        recordsPerDay: '86400',
        bytesPerDay: '5000000',
      },
    })
  })

  it('speaks German', async () => {
    const { out } = await desk.run(['offer', 'add', 'pump-7', '--for-days', '3', '--lang', 'de'])
    expect(out).toContain('Angebot o-1 für pump-7:\n 1. Der Empfänger darf die Daten nutzen.\n')
  })

  it('warns of what changes nothing in the offer', async () => {
    const warnings = [{ en: 'A condition changes nothing.', de: 'Eine Bedingung ändert nichts.' }]
    desk.routes['POST /datasets/pump-7/offers'] = { ...MADE, warnings }
    const { out } = await desk.run(['offer', 'add', 'pump-7', '--for-days', '3', '--lang', 'de'])
    expect(out).toContain('\nWarnung: Eine Bedingung ändert nichts.\n')
  })

  it('says that partners see it at once when the dataset is published', async () => {
    desk.routes['GET /datasets/pump-7'] = { id: 'pump-7', published: true }
    const { out } = await desk.run(['offer', 'add', 'pump-7', '--for-days', '3'])
    expect(out).toContain('pump-7 is published: the partners whom this offer is for see it from now on.')
    expect(out).not.toContain('dataset publish')
  })

  it('sends a policy from a file', async () => {
    writeFileSync(join(desk.folder, 'p.json'), '{"permission":[{"action":"use"}]}')
    await desk.run(['offer', 'add', 'pump-7', '--policy', 'p.json', '--id', 'mine'])
    expect(desk.asked[0]?.body).toEqual({ id: 'mine', policy: { permission: [{ action: 'use' }] } })
  })

  it.each([
    [['--policy', 'p.json', '--count', '3'], '--policy says everything; leave out --count.'],
    [['--for-days', '30', '--agreement-age', 'P1M'], '--for-days and --agreement-age say the same thing.'],
    [[], 'Name the terms'],
    [['--approval', 'manual'], 'Name the terms'],
    [['--for-days', 'soon'], '--for-days takes a number of days, such as 30.'],
  ])('refuses %j', async (flags, sentence) => {
    const { code, err } = await desk.run(['offer', 'add', 'pump-7', ...flags])
    expect([code, desk.asked]).toEqual([2, []])
    expect(err).toContain(sentence)
  })

  it('prints the bare answer for programs', async () => {
    const { out, err } = await desk.run(['offer', 'add', 'pump-7', '--for-days', '3', '--json'])
    expect([JSON.parse(out), err]).toEqual([MADE, ''])
  })
})

describe('offer remove', () => {
  it('finds an offer by a part of its id', async () => {
    const id = 'urn:uuid:aaaa1111-0000-4000-8000-000000000001'
    desk.routes['GET /datasets'] = { datasets: [{ id: 'pump-7', offers: [{ id }] }] }
    desk.routes[`DELETE /offers/${id}`] = {}
    expect((await desk.run(['offer', 'remove', 'aaaa1111'])).code).toBe(0)
    expect(desk.requests()).toContain(`DELETE /offers/${id}`)
  })
})

describe('token create', () => {
  it('prints the token alone on stdout, and the warning beside it', async () => {
    desk.routes['POST /tokens'] = { name: 'ci', token: 'hs_abc' }
    const { out, err } = await desk.run(['token', 'create', 'ci'])
    expect(out).toBe('hs_abc\n')
    expect(err).toContain('it is shown only this once')
  })
})

it('shows every finding when the connector has several', async () => {
  desk.routes['POST /partners'] = (_, response) => {
    response.writeHead(400).end(
      JSON.stringify({
        code: 'InvalidInput',
        message: 'Two values are wrong.',
        problems: ['did: no.', 'address: no.'],
      }),
    )
  }
  const { err } = await desk.run(['partner', 'add', 'x', 'y'])
  expect(err).toBe('Two values are wrong.\n- did: no.\n- address: no.\n')
})

it('repeats the configuration file in the hints', async () => {
  writeFileSync(join(desk.folder, 'a b.yaml'), '')
  desk.routes['GET /partners'] = { partners: [] }
  const { err } = await desk.run(['partner', 'list', '--config', 'a b.yaml'])
  expect(err).toContain(`Next: handschlag partner add DID ADDRESS --config 'a b.yaml'`)
})

it('leads a newcomer on from an empty list', async () => {
  desk.routes['GET /sources'] = { sources: [] }
  expect(await desk.run(['source', 'list'])).toMatchObject({
    out: 'There is no source yet.\n',
    err: '\nNext: handschlag help source add\n',
  })
  // What programs read is the answer and nothing else, on either stream.
  expect(await desk.run(['source', 'list', '--json'])).toMatchObject({ err: '' })
})

it('names the state of a source in German too', async () => {
  const status = [
    {
      dataset: 'pump-7',
      state: 'disconnected',
      since: '2026-11-23T10:00:00.000Z',
      records: 5,
      malformed: 0,
    },
  ]
  const source = { id: 'pump', kind: 'mqtt', config: { url: 'mqtt://127.0.0.1' }, status }
  desk.routes['GET /sources'] = { sources: [source] }
  desk.routes['GET /sources/pump'] = source
  const list = await desk.run(['source', 'list', '--lang', 'de'])
  expect(list.out).toMatch(/^pump +mqtt +mqtt:\/\/127\.0\.0\.1 +nicht verbunden$/m)
  const shown = await desk.run(['source', 'show', 'pump', '--lang', 'de'])
  expect(shown.out).toContain('pump-7: nicht verbunden seit ')
})
