/** `policy who`: what a person reads, and what the connector is asked. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Desk, DID, openDesk, PARTNER } from './support.js'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
  desk.routes['GET /partners'] = { partners: [PARTNER] }
  desk.routes['GET /policy-decisions'] = ANSWER
})
afterEach(() => desk[Symbol.asyncDispose]())

const base = { partner: DID, partnerName: 'Maker', dataset: 'pump-7' }
const ANSWER = {
  at: '2026-11-23T10:06:00.000Z',
  complete: true,
  entries: [
    { ...base, offer: 'o-1', allowed: true, trace: [] },
    {
      ...base,
      contract: 'c-1',
      allowed: false,
      step: 'transfer',
      because: { en: 'It ended.', de: 'Er ist beendet.' },
      change: { en: 'A new one.', de: 'Ein neuer.' },
      trace: [
        { clause: 2, term: 'dateTime', verdict: 'false', text: { en: 'Until then.', de: 'Bis dann.' } },
      ],
    },
  ],
}

it('says for each offer and contract whether it is allowed, why not, and what it would take', async () => {
  const { code, out } = await desk.run(['policy', 'who'])
  expect(code).toBe(0)
  expect(out).toContain('\nMaker, pump-7, offer o-1: ALLOWED\n')
  expect(out).toContain(
    '\nMaker, pump-7, contract c-1: NOT ALLOWED\n  It ended.\n  To change it: A new one.\n',
  )
  expect(out).not.toContain('Until then.')
})

it('speaks German, with every clause when that is asked for', async () => {
  const { out } = await desk.run(['policy', 'who', '--trace', '--lang', 'de'])
  expect(out).toContain('Maker, pump-7, Vertrag c-1: NICHT ERLAUBT\n  Er ist beendet.\n')
  expect(out).toContain('  Was sich ändern müsste: Ein neuer.\n    2 nicht erfüllt: Bis dann.\n')
})

it('asks for one partner by name, a dataset and a time', async () => {
  await desk.run([
    'policy',
    'who',
    '--partner',
    'Maker',
    '--dataset',
    'pump-7',
    '--at',
    '2027-01-31T08:00:00Z',
  ])
  expect(desk.asked.at(-1)?.query).toEqual({
    partner: DID,
    dataset: 'pump-7',
    at: '2027-01-31T08:00:00.000Z',
  })
})

it('refuses a time that is none, without asking anybody', async () => {
  const { code, err } = await desk.run(['policy', 'who', '--at', 'tomorrow'])
  expect([code, err]).toEqual([2, expect.stringContaining('--at takes a day or a time')])
  expect(desk.asked).toEqual([])
})

it('gives programs the answer as it is', async () => {
  const { out } = await desk.run(['policy', 'who', '--json'])
  expect(JSON.parse(out)).toEqual(ANSWER)
})
