import { expect, it } from 'vitest'
import { dutiesCheck } from '../../connector/assembly/doctor-duties.js'

process.env.TZ = 'Europe/Berlin'

const duty = {
  id: '8fac3833a26f5ad0',
  whose: 'ours',
  state: 'open',
  partner: 'did:web:maker.example',
  partnerName: 'Maker',
  words: { en: 'delete the data', de: 'die Daten löschen' },
  dueAt: '2026-11-25T11:00:00.000Z',
} as const

const found = (...duties: Parameters<typeof dutiesCheck>[0]) =>
  dutiesCheck(duties).run(new AbortController().signal)

it('is well while nothing of ours is soon due and nothing overdue', async () => {
  expect(await found(duty, { ...duty, whose: 'theirs', state: 'due soon' })).toEqual({
    status: 'ok',
    what: { en: '2 under contracts, none overdue', de: '2 aus Verträgen, keine überfällig' },
  })
})

it('warns of ours before the deadline, with the reason why nothing was deleted', async () => {
  expect(
    await found({
      ...duty,
      state: 'due soon',
      failing: { en: 'The disk is full.', de: 'Der Datenträger ist voll.' },
    }),
  ).toEqual({
    status: 'warning',
    what: {
      en: '1 due soon: we towards Maker: delete the data (25 Nov 2026, 12:00:00 CET): The disk is full.',
      de: '1 bald fällig: wir gegenüber Maker: die Daten löschen (25. Nov. 2026, 12:00:00 MEZ): Der Datenträger ist voll.',
    },
    impact: {
      en: 'A contract of yours is broken, or will be.',
      de: 'Sie verletzen einen Vertrag oder werden es bald tun.',
    },
    fix: {
      en: 'handschlag duty show 8fac3833a26f5ad0',
      de: 'handschlag duty show 8fac3833a26f5ad0',
    },
  })
})

it('says how to remind a partner, and how to look at its new requests until it has settled', async () => {
  expect(await found({ ...duty, whose: 'theirs', state: 'overdue' })).toMatchObject({
    status: 'warning',
    what: { en: '1 overdue: the partner Maker: delete the data (25 Nov 2026, 12:00:00 CET)' },
    fix: {
      en: 'handschlag duty remind 8fac3833a26f5ad0 --text "..."; To look at new requests yourself until then: handschlag partner set did:web:maker.example --approval manual',
      de: expect.stringContaining('Um neue Anfragen bis dahin selbst zu prüfen:'),
    },
  })
})
