/** Shape documents between whole connectors: offered, handed over, signed, kept on both sides, and carried out. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Answer,
  contractOn,
  type Dataspace,
  enc,
  list,
  type Member,
  pullLines,
  startDataspace,
  transferUnder,
} from '../support/dataspace.js'

const DOCUMENT = {
  type: 'https://w3id.org/machine-data-policy/v1#Shape',
  version: '1',
  fields: {
    temp: { valueStep: '0.5' },
    load: { valueStep: '1', noise: { mechanism: 'laplace', epsilon: '0.5', sensitivity: '10' } },
  },
  pseudonyms: ['worker'],
  // Forty records of epsilon 0.5 each.
  noiseBudget: '20',
}
const RECORDS = 12

let space: Dataspace
let provider: Member
let consumer: Member
let other: Member
let hash: string
let contract: string

beforeAll(async () => {
  space = await startDataspace(['provider', 'consumer', 'other'].map((name) => ({ name })))
  const [first, second, third] = space.members
  if (first === undefined || second === undefined || third === undefined) throw new Error('no members')
  ;[provider, consumer, other] = [first, second, third]
  const file = join(space.folder, 'press.csv')
  const rows = [...Array(RECORDS).keys()].map(
    (n) => `2026-01-01T00:00:${String(n).padStart(2, '0')}Z,${20 + n / 10},${1000 + n},worker-${n % 2}`,
  )
  await writeFile(file, `time,temp,load,worker\n${rows.join('\n')}\n`)
  await provider.put('/api/v1/sources/press', {
    kind: 'files',
    config: {
      file,
      format: 'csv',
      growing: true,
      time: { column: 'time', format: 'iso' },
      signals: { temp: 'temp', load: 'load', worker: 'worker' },
    },
  })
  await provider.put('/api/v1/datasets/press', {
    title: 'Press',
    sourceId: 'press',
    signals: [
      { name: 'temp', type: 'number' },
      { name: 'load', type: 'number' },
      { name: 'worker', type: 'string' },
    ],
  })
  hash = String((await provider.post('/api/v1/shapes', { document: DOCUMENT })).hash)
  await provider.post('/api/v1/datasets/press/offers', {
    terms: { shape: hash, recipients: [consumer.did] },
  })
  await provider.post('/api/v1/datasets/press/publish')
  contract = await contractOn(consumer, provider, 'press')
})
afterAll(() => space[Symbol.asyncDispose]())

const english = (answer: Answer, key = 'text'): string =>
  (answer[key] as unknown as { readonly en: string }).en
const contractOf = (member: Member) => member.get(`/api/v1/contracts/${enc(contract)}`)

describe('before the contract', () => {
  it('a partner that may see the offer reads in its catalog what the document asks for', async () => {
    const seen = await consumer.get(`/api/v1/partners/${enc(provider.did)}/catalog/press`)
    const clauses = list(list(seen, 'offers')[0] ?? {}, 'clauses').map((clause) => english(clause))
    expect(clauses.join(' ')).toContain(
      '"load" is rounded down to multiples of 1 and changed by a random deviation of typically ±20',
    )
  })

  it('a partner that may not see it finds neither dataset nor document', async () => {
    const error = await other.refused(other.api.get(`/api/v1/partners/${enc(provider.did)}/catalog/press`))
    expect(error.code).toBe('NotFound')
    const catalog = await other.get(`/api/v1/partners/${enc(provider.did)}/catalog`)
    expect(JSON.stringify(catalog)).not.toContain(hash)
    expect((await other.get('/api/v1/shapes')).shapes).toEqual([])
  })

  it.each([
    [
      'a signal that there is not',
      { ...DOCUMENT, pseudonyms: ['shift'] },
      'names "shift", which is not a signal of press',
    ],
    [
      'numbers of a text',
      { ...DOCUMENT, fields: { ...DOCUMENT.fields, worker: { valueStep: '1' } } },
      'rounds "worker", which is declared as string',
    ],
  ])('an offer is refused whose document wants %s', async (_what, document, sentence) => {
    const added = await provider.post('/api/v1/shapes', { document })
    const offer = { terms: { shape: String(added.hash) } }
    const error = await provider.refused(provider.api.post('/api/v1/datasets/press/offers', offer))
    expect(error.message).toContain(sentence)
    await provider.api.delete(`/api/v1/shapes/${String(added.hash)}`)
  })

  it('an offer is refused whose document is not here', async () => {
    const offer = { terms: { shape: '0'.repeat(64) } }
    const error = await provider.refused(provider.api.post('/api/v1/datasets/press/offers', offer))
    expect(error.message).toContain(`The shape document urn:sha256:${'0'.repeat(64)} is not here`)
  })
})

describe('the contract', () => {
  it('holds the document on both sides, says what it asks for, and is signed over it', async () => {
    for (const member of [provider, consumer]) {
      const shown = await contractOf(member)
      expect(list(shown, 'shapes')).toEqual([{ hash, document: DOCUMENT }])
      expect(
        list(shown, 'clauses')
          .map((clause) => english(clause))
          .join(' '),
      ).toContain('"temp" is rounded down')
      const verified = await member.get(`/api/v1/contracts/${enc(contract)}/verify`)
      expect(list(verified, 'signatures').map(({ verdict }) => verdict)).toEqual(['valid', 'valid', 'valid'])
    }
    const [ours, theirs] = [await contractOf(provider), await contractOf(consumer)]
    expect(ours.planHash).toBe(theirs.planHash)
  })

  it('still has it after both sides were started again', async () => {
    for (const member of [provider, consumer]) {
      await member.stop()
      await member.start()
      expect(list(await contractOf(member), 'shapes')).toHaveLength(1)
      expect((await member.get(`/api/v1/shapes/${hash}`)).name).toBe(`urn:sha256:${hash}`)
    }
  })

  it('lets nobody delete it, on either side', async () => {
    for (const member of [provider, consumer]) {
      const error = await member.refused(member.api.delete(`/api/v1/shapes/${hash}`))
      expect(error.code).toBe('Conflict')
      expect(error.message).toContain(member === provider ? 'the offer ' : `the contract ${contract}`)
    }
  })
})

describe('the data', () => {
  const values = (lines: readonly string[]) =>
    lines.map((line) => JSON.parse(line) as { temp: number; load: number; worker: string })

  it('is what the document says, the same each time it is asked for and in a stream, until the budget is spent', async () => {
    const transfer = await transferUnder(consumer, contract)
    const first = await pullLines(consumer, transfer)
    const records = values(first.lines)
    expect(records.map(({ temp }) => temp)).toEqual(
      [...Array(RECORDS).keys()].map((n) => (n < 5 ? 20 : n < 10 ? 20.5 : 21)),
    )
    expect(records.every(({ load }) => Number.isInteger(load))).toBe(true)
    expect(records.filter(({ load }, n) => load !== 1000 + n).length).toBeGreaterThan(RECORDS / 2)
    expect(new Set(records.map(({ worker }) => worker)).size).toBe(2)
    expect(first.lines.join('')).not.toContain('worker-')

    const again = await pullLines(consumer, transfer)
    expect(again.lines).toEqual(first.lines)

    const stream = await consumer.api.stream(`/api/v1/transfers/${enc(transfer)}/stream?from=0`)
    if (!stream.ok) throw new Error(stream.error.message)
    const streamed: string[] = []
    for await (const chunk of stream.value.body) {
      streamed.push(...[...String(chunk).matchAll(/^data: (.*)$/gm)].map(([, data = '']) => data))
      if (streamed.length >= RECORDS) break
    }
    expect(values(streamed)).toEqual(records)

    // Forty records were allowed, not one more: the answer breaks off behind the last of them.
    await pullLines(consumer, transfer).catch(() => undefined)
    const over = await pullLines(consumer, transfer)
    expect(over.status).toBe(0)
    expect(over.lines[0]).toContain('used up')
    expect((await contractOf(provider)).used).toBe(40)
  })
})
