import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { message, problem } from '../../connector/core/result.js'
import type { EpochMs } from '../../connector/core/types.js'
import { inLanguage, languageOf, namesOf } from '../../connector/management/language.js'
import { openApi, PARTNER, path, remoteDataset, remoteOffer, START } from './support.js'

describe('the language of an answer', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['en;q=0.5, de;q=0.8', 'de'],
    ['en, de', 'en'],
    ['de;q=0', 'en'],
    ['fr, de;q=0.2', 'de'],
    ['*', 'en'],
  ])('that is asked for with %j is %s', (header, lang) => {
    expect(languageOf(header)).toBe(lang)
  })

  it('puts the German sentence in the place of the English one, wherever it stands', () => {
    const told = {
      reason: 'Refused.',
      reasonDe: 'Abgelehnt.',
      timeline: [{ words: { en: 'x', de: 'y' }, detail: { reason: 'Late.', reasonDe: 'Zu spät.' } }],
    }
    expect(inLanguage(told, 'de')).toEqual({
      reason: 'Abgelehnt.',
      timeline: [{ words: { en: 'x', de: 'y' }, detail: { reason: 'Zu spät.' } }],
    })
    expect(inLanguage(told, 'en')).toEqual({
      reason: 'Refused.',
      timeline: [{ words: { en: 'x', de: 'y' }, detail: { reason: 'Late.' } }],
    })
  })

  it('leaves the words of people as they are, and names that only look like ours', () => {
    const told = { reason: 'Pumpe 7 wird stillgelegt.', node: 1, nodeDe: 2, messageDe: 'allein' }
    expect(inLanguage(told, 'de')).toEqual(told)
    expect(inLanguage(told, 'en')).toEqual(told)
  })

  it('knows the German of reasons that the program gives in fixed words, also from a partner', () => {
    expect(inLanguage({ reason: 'The contract has expired.' }, 'de')).toEqual({
      reason: 'Der Vertrag ist abgelaufen.',
    })
  })
})

describe('participants in a text', () => {
  const names = namesOf('did:web:maker.example', (did) =>
    did === 'did:web:buyer.example' ? 'Käufer GmbH' : undefined,
  )
  const read = (en: string, de: string) => inLanguage({ clauses: [{ text: { en, de } }] }, 'de', names)

  it('are called as the operator knows them, with the identifier behind', () => {
    const clause = [
      'Only did:web:buyer.example may receive the data.',
      'Nur did:web:buyer.example darf.',
    ] as const
    expect(read(...clause)).toEqual({
      clauses: [
        {
          text: {
            en: 'Only Käufer GmbH (did:web:buyer.example) may receive the data.',
            de: 'Nur Käufer GmbH (did:web:buyer.example) darf.',
          },
        },
      ],
    })
  })

  it('are you, when it is the reader', () => {
    expect(read('Only did:web:maker.example.', 'Nur „did:web:maker.example“.')).toEqual({
      clauses: [
        { text: { en: 'Only did:web:maker.example (you).', de: 'Nur did:web:maker.example (Sie).' } },
      ],
    })
  })

  it('stay as they have to be typed in a command', () => {
    const text = 'For did:web:buyer.example: handschlag partner trust did:web:buyer.example'
    const told = 'For Käufer GmbH (did:web:buyer.example): handschlag partner trust did:web:buyer.example'
    expect(read(text, text)).toEqual({ clauses: [{ text: { en: told, de: told } }] })
  })

  it('stay as written when nobody knows them, also where a known one begins alike', () => {
    const text = 'did:web:buyer.example.org, did:web:buyer.example:plant and did:web:other.example'
    expect(read(text, text)).toEqual({ clauses: [{ text: { en: text, de: text } }] })
  })

  it('are left alone in what is not a text for people, such as a policy', () => {
    const policy = { assignee: 'did:web:buyer.example', values: ['did:web:buyer.example'] }
    expect(inLanguage({ policy }, 'de', names)).toEqual({ policy })
  })
})

describe('over the API', () => {
  let api: Awaited<ReturnType<typeof openApi>>
  beforeEach(async () => {
    api = await openApi()
  })
  afterEach(() => api[Symbol.asyncDispose]())

  it('a refusal is in English, or in German for whoever asks so', async () => {
    const refused = problem('GrantEnded', { en: 'It is over.', de: 'Es ist vorbei.' })
    api.world.openData = async () => refused
    const english = await api.get(path`/api/v1/transfers/${'urn:uuid:x'}/data`)
    expect(english.body).toEqual({ code: 'GrantEnded', message: 'It is over.' })
    const german = await api.inGerman(path`/api/v1/transfers/${'urn:uuid:x'}/data`)
    expect(german.body).toEqual({ code: 'GrantEnded', message: 'Es ist vorbei.' })
    expect(german.headers['content-language']).toBe('de')
    expect(german.headers.vary).toContain('Accept-Language')
  })

  it('the last failure of a delivery comes in the language of the reader', async () => {
    api.world.datasets = [remoteDataset('press', [remoteOffer('dated')])]
    await api.trustedPartner()
    const begun = await api.post('/api/v1/negotiations', { partner: PARTNER, dataset: 'press' })
    const [owed] = api.store.owedFor(begun.body.pid)
    const why = { en: 'Nobody answers there.', de: 'Dort antwortet niemand.' }
    await api.store.attemptFailed(owed?.id ?? 0, why, (START + 60_000) as EpochMs, START)
    const german = await api.inGerman(path`/api/v1/negotiations/${begun.body.pid}`)
    expect(german.body.lastError).toBe(why.de)
    expect(german.body.owed[0].lastError).toBe(why.de)
    expect(JSON.stringify(german.body)).not.toContain('lastErrorDe')
    const told = german.body.timeline.find((one: { result: string }) => one.result === 'attempt failed')
    expect(told.words).toEqual({
      en: `request not delivered, attempt 1: ${why.en}`,
      de: `Anfrage nicht zugestellt, 1. Versuch: ${why.de}`,
    })
  })
})

it('a sentence in one language stays one', () => {
  expect(message('As it is.')).toEqual({ message: 'As it is.' })
})
