/** `fact ...`: what a person types and reads, and what the connector is asked. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Asked, type Desk, DID, openDesk, PARTNER } from './support.js'

const ID = 'urn:uuid:01980000-0000-7000-8000-00000000abcd'
const FACT = {
  id: ID,
  partner: DID,
  partnerName: 'Maker',
  condition: 'group',
  value: 'affiliates',
  text: { en: 'Group of the recipient: "affiliates".', de: 'Gruppe des Empfängers: „affiliates“.' },
  from: '2026-11-23T10:06:00.000Z',
  status: 'in-force',
  note: 'register',
  by: 'admin',
  at: '2026-11-23T10:06:00.000Z',
}

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  desk.routes['GET /partners'] = { partners: [PARTNER] }
  desk.routes['GET /facts'] = { facts: [FACT] }
  desk.routes['POST /facts'] = FACT
  desk.routes[`POST /facts/${ID}/end`] = { ...FACT, status: 'ended' }
})
afterEach(() => desk[Symbol.asyncDispose]())

const sent = (): readonly Asked[] => desk.asked.filter(({ method }) => method === 'POST')

it('records a membership with a last day, a note and the hash of a document', async () => {
  const file = join(desk.folder, 'register.pdf')
  writeFileSync(file, 'extract')
  const line = ['fact', 'add', '--partner', 'Maker', '--group', 'affiliates', '--until', '2027-12-31']
  const { code, out } = await desk.run([...line, '--note', 'register', '--evidence', file, '--lang', 'de'])
  expect([code, out]).toEqual([
    0,
    expect.stringContaining('Festgehalten für Maker: Gruppe des Empfängers: „affiliates“.'),
  ])
  expect(sent().map(({ body }) => body)).toEqual([
    {
      partner: DID,
      condition: 'group',
      value: 'affiliates',
      // The last day counts.
      until: new Date(2028, 0, 1).toISOString(),
      note: 'register',
      document: { name: 'register.pdf', sha256: createHash('sha256').update('extract').digest('hex') },
    },
  ])
})

it('opens a ticket for several machines for a time from now', async () => {
  const line = [
    'fact',
    'add',
    '--event',
    'urn:ticket:1',
    '--until',
    '+8h',
    '--machine',
    'a',
    '--machine',
    'b',
  ]
  const before = Date.now()
  expect((await desk.run(line)).code).toBe(0)
  const bodies = sent().map(({ body }) => body as { machine: string; until: string; condition: string })
  expect(bodies.map(({ machine, condition }) => [machine, condition])).toEqual([
    ['a', 'event'],
    ['b', 'event'],
  ])
  for (const { until } of bodies) {
    expect(Date.parse(until) - before).toBeGreaterThanOrEqual(8 * 3_600_000)
    expect(Date.parse(until) - Date.now()).toBeLessThanOrEqual(8 * 3_600_000)
  }
})

it('says what is missing instead of guessing', async () => {
  expect((await desk.run(['fact', 'add', '--partner', 'Maker'])).err).toContain('Name exactly one of --group')
  const two = await desk.run(['fact', 'add', '--group', 'a', '--seat', 'DE'])
  expect([two.code, two.err]).toEqual([2, expect.stringContaining('Name exactly one of')])
  const when = await desk.run(['fact', 'add', '--group', 'a', '--until', 'soon'])
  expect([when.code, when.err]).toEqual([2, expect.stringContaining('--from and --until take a day')])
  expect((await desk.run(['fact', 'end', 'abcdef'])).err).toContain('The end of a fact needs --reason.')
  expect(sent()).toEqual([])
})

it('lists what is confirmed, and ends it by a part of its id', async () => {
  const { out } = await desk.run(['fact', 'list', '--partner', 'Maker'])
  expect(out).toContain('0000abcd')
  expect(out).toContain('in force')
  expect(desk.asked.at(-1)?.query).toEqual({ all: 'false', partner: DID })
  const ended = await desk.run(['fact', 'end', '0000abcd', '--reason', 'sold'])
  expect([ended.code, ended.out]).toEqual([0, expect.stringContaining('Ended for Maker')])
  expect(sent().map(({ path, body }) => [path, body])).toEqual([[`/facts/${ID}/end`, { reason: 'sold' }]])
  expect((await desk.run(['fact', 'end', 'nothing-like-it', '--reason', 'x'])).err).toContain(
    'There is no fact',
  )
})

it('prints a signed request alone, for the holder, and hands a signed one in', async () => {
  desk.routes['POST /user-requests'] = { id: 'urn:uuid:r', statement: 'a.b.c' }
  const signed = await desk.run(['fact', 'sign-request', '--holder', 'Maker', '--recipient', 'did:web:third'])
  expect([signed.code, signed.out, signed.err]).toEqual([0, 'a.b.c\n', expect.stringContaining('urn:uuid:r')])
  const file = join(desk.folder, 'request.jws')
  writeFileSync(file, signed.out)
  await desk.run(['fact', 'add', '--partner', 'Maker', '--user-request', 'urn:uuid:r', '--signed', file])
  expect(sent().at(-1)?.body).toMatchObject({
    condition: 'userRequest',
    value: 'urn:uuid:r',
    signed: 'a.b.c',
  })
})
