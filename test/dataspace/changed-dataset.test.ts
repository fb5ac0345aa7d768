/** What an operator changes about a dataset holds for contracts that run: at once, not with the next restart. */
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { contractOn, enc, type Member, pullLines, startPair, transferUnder } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

let space: Awaited<ReturnType<typeof startPair>>
let provider: Member
let consumer: Member

beforeAll(async () => {
  space = await startPair()
  ;({ provider, consumer } = space)
})
afterAll(() => space[Symbol.asyncDispose]())

const row = (second: number, force: number, recipe: string): string =>
  `2026-01-01T00:00:${String(second).padStart(2, '0')}Z,${force},${recipe}\n`

const describeSource = (file: string, signals: Record<string, string>) =>
  provider.put('/api/v1/sources/press', {
    kind: 'files',
    config: { file, format: 'csv', time: { column: 'time', format: 'iso' }, signals },
  })
const describeDataset = (names: readonly string[]) =>
  provider.put('/api/v1/datasets/press', {
    title: 'Press',
    signals: names.map((name) => ({ name, type: name === 'force' ? 'integer' : 'string' })),
    sourceId: 'press',
  })

/** What a stream brings over all its connections, until the provider has nothing more behind the last record. */
function follow(transfer: string, query: string) {
  let text = ''
  const run = async () => {
    for (let connections = 0; connections < 100; connections++) {
      const after = [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1]
      const headers = after === undefined ? {} : { headers: { 'last-event-id': after } }
      const answer = await consumer.api.stream(`/api/v1/transfers/${enc(transfer)}/stream${query}`, headers)
      // Between the old source and the new one there is none.
      if (!answer.ok && answer.error.code === 'SourceUnavailable') continue
      if (!answer.ok) return answer.error.code
      for await (const chunk of answer.value.body) text += String(chunk)
    }
    return 'never'
  }
  return { text: () => text, ended: run() }
}

it('delivers nothing more of a signal or a file that the operator has taken away, in a stream that runs too', async () => {
  const [one, other] = [join(space.folder, 'one.csv'), join(space.folder, 'other.csv')]
  await writeFile(one, `time,force,recipe\n${row(0, 100, 'secret-a')}`)
  await writeFile(other, `time,force,recipe\n${row(10, 200, 'secret-b')}`)
  await describeSource(one, { force: 'force', recipe: 'recipe' })
  await describeDataset(['force', 'recipe'])
  await provider.post('/api/v1/datasets/press/offers', { terms: { until: '2099-12-31' } })
  await provider.post('/api/v1/datasets/press/publish')
  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'press'))
  const stream = follow(transfer, '?from=0')
  await waitFor(() => stream.text().includes('secret-a'))

  await describeSource(one, { force: 'force' })
  await describeDataset(['force'])
  await appendFile(one, row(1, 101, 'secret-c'))
  await waitFor(() => stream.text().includes('101'))
  expect(stream.text()).not.toContain('secret-c')
  expect((await pullLines(consumer, transfer)).lines.join('')).not.toContain('secret')

  await describeSource(other, { force: 'force' })
  await appendFile(one, row(2, 102, 'secret-d'))
  expect(await stream.ended).toBe('RangeInvalid')
  expect(stream.text()).not.toContain('102')
  expect((await pullLines(consumer, transfer)).lines.map((line) => JSON.parse(line).force)).toEqual([200])
})
