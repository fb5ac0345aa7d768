import { expect, it } from 'vitest'
import { deliveriesCheck } from '../../connector/assembly/doctor-deliveries.js'

process.env.TZ = 'Europe/Berlin'

const failing = { since: '2026-11-23T10:06:19.000Z', lastError: 'The broker refuses connections.' }
const received = { pid: 'urn:a', role: 'consumer', partner: 'did:web:maker.example', failing } as const
const sent = { pid: 'urn:b', role: 'provider', partner: 'did:web:buyer.example', failing } as const

const found = (...transfers: Parameters<typeof deliveriesCheck>[0]) =>
  deliveriesCheck(transfers).run(new AbortController().signal)

it('is well as long as no delivery fails', async () => {
  const { failing: _, ...well } = received
  expect(await found(well)).toEqual({ status: 'ok', what: { en: 'none fails', de: 'keine schlägt fehl' } })
})

it('says which deliveries fail, since when, why, and what to do on our side and on the other', async () => {
  const inLocalTime =
    /^1 schlägt fehl, von did:web:maker\.example seit 23\. Nov\. 2026, 11:06:19 MEZ: The broker/
  expect(await found(received)).toMatchObject({
    status: 'warning',
    what: {
      en: expect.stringContaining('from did:web:maker.example'),
      de: expect.stringMatching(inLocalTime),
    },
    fix: {
      en: 'Check the broker or folder the data is stored in here. handschlag transfer show urn:a',
      de: 'Prüfen Sie hier den Broker oder Ordner, der die Daten aufnimmt. handschlag transfer show urn:a',
    },
  })
  expect(await found(sent)).toMatchObject({
    fix: {
      en: 'Ask the partner whether its receiver runs and can store. handschlag transfer show urn:b',
      de: 'Fragen Sie den Partner, ob sein Empfänger läuft und speichern kann. handschlag transfer show urn:b',
    },
  })
  expect(await found(received, sent)).toMatchObject({
    what: { en: expect.stringMatching(/^2 failing, /), de: expect.stringMatching(/^2 schlagen fehl, /) },
    fix: { en: expect.stringContaining('transfer show urn:a; handschlag transfer show urn:b') },
  })
})
