import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startAedes } from '../sources/brokers.js'
import { contractOn, enc, ended, list, pullLines, startPair, transferUnder } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

let space: Awaited<ReturnType<typeof startPair>>
beforeAll(async () => {
  space = await startPair()
})
afterAll(() => space[Symbol.asyncDispose]())

const csv = (file: string) => ({
  kind: 'files',
  config: {
    file,
    format: 'csv',
    time: { column: 'time', format: 'iso' },
    signals: { level: 'level' },
  },
})
const publish = async (id: string, sourceId = id) => {
  const { provider } = space
  await provider.put(`/api/v1/datasets/${id}`, {
    title: id,
    signals: [{ name: 'level', type: 'number' }],
    sourceId,
  })
  await provider.post(`/api/v1/datasets/${id}/offers`, { id: `${id}-offer`, terms: {} })
  await provider.post(`/api/v1/datasets/${id}/publish`)
}
const levels = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).level)

it('says which source does not exist and which there are', async () => {
  const { provider } = space
  await provider.put('/api/v1/sources/present', csv(join(space.folder, 'present.csv')))
  const put = provider.api.put('/api/v1/datasets/tank', { title: 'Tank', sourceId: 'absent' })
  expect(await provider.refused(put)).toEqual({
    code: 'InvalidInput',
    message: 'There is no source "absent". Known: present.',
  })
  expect(await provider.refused(provider.api.get('/api/v1/sources/absent'))).toEqual({
    code: 'NotFound',
    message: 'There is no source absent. See: handschlag source list',
  })
  const kind = provider.api.put('/api/v1/sources/other', { kind: 'opcua', config: {} })
  expect(await provider.refused(kind)).toMatchObject({
    code: 'InvalidInput',
    message: 'There is no kind of source called "opcua". Known: mqtt, files, bytes.',
  })
  expect(list(await provider.get('/api/v1/datasets'), 'datasets')).toEqual([])
})

it('says what of the source does not fit the dataset, instead of publishing what cannot be delivered', async () => {
  const { provider } = space
  await provider.put('/api/v1/sources/shared', csv(join(space.folder, 'shared.csv')))
  await provider.put('/api/v1/datasets/narrow', {
    title: 'Narrow',
    signals: [{ name: 'pressure', type: 'number' }],
    sourceId: 'shared',
  })
  await provider.post('/api/v1/datasets/narrow/offers', { terms: {} })
  expect(await provider.refused(provider.api.post('/api/v1/datasets/narrow/publish'))).toMatchObject({
    message: expect.stringContaining('level'),
  })
})

it('says that the file of a source does not exist, to the operator in full and to the partner without its name', async () => {
  const { provider, consumer } = space
  const file = join(space.folder, 'nowhere.csv')
  await provider.put('/api/v1/sources/lost', csv(file))
  expect(await provider.post('/api/v1/sources/lost/check')).toEqual({
    ok: false,
    message: `The file ${file} does not exist. Create it, or correct file in the source.`,
  })
  await publish('lost')
  const [status] = list(await provider.get('/api/v1/sources/lost'), 'status')
  expect(status).toMatchObject({
    dataset: 'lost',
    problem: `The file ${file} does not exist. Create it, or correct file in the source.`,
  })
  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'lost'))
  expect((await pullLines(consumer, transfer)).lines).toEqual([
    'The data source cannot be read now. Try again later.',
  ])
})

it('counts and reports a malformed row in the middle of a file, and the rest flows', async () => {
  const { provider, consumer } = space
  const file = join(space.folder, 'damaged.csv')
  writeFileSync(
    file,
    'time,level\n2026-01-01T00:00:00Z,0\n2026-01-01T00:00:01Z,high\nyesterday,2\n2026-01-01T00:00:03Z,3\n2026-01-01T00:00:04Z,4\n',
  )
  await provider.put('/api/v1/sources/damaged', csv(file))
  await publish('damaged')
  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'damaged'))
  const { status, lines } = await pullLines(consumer, transfer)
  expect([status, levels(lines)]).toEqual([200, [0, 3, 4]])
  const [shown] = list(await provider.get('/api/v1/sources/damaged'), 'status')
  expect(shown).toMatchObject({
    malformed: 2,
    lastMalformed:
      'Line 4 of damaged.csv was left out: its time "yesterday" is not a date and time with an offset.',
  })
})

it('counts and reports a malformed message in the middle of a stream, and the rest flows', async () => {
  const { provider, consumer } = space
  await using broker = await startAedes()
  await provider.put('/api/v1/sources/line', {
    kind: 'mqtt',
    config: {
      url: `mqtt://127.0.0.1:${broker.port}`,
      topics: ['plant/+/state'],
      mapping: { time: { path: 'time', format: 'iso' }, signals: { level: 'level' } },
    },
  })
  await publish('line')
  const status = async () => list(await provider.get('/api/v1/sources/line'), 'status')[0]
  await waitFor(async () => (await status())?.state === 'connected', { what: 'the source to be connected' })
  const machine = await connectAsync(`mqtt://127.0.0.1:${broker.port}`)
  const payloads = [
    '{"time":"2026-01-01T00:00:00Z","level":0}',
    '{"time":"2026-01-01T00:00:01Z","level":',
    '{"time":"2026-01-01T00:00:02Z","level":"high"}',
    '{"time":"2026-01-01T00:00:03Z","level":3}',
  ]
  for (const payload of payloads) await machine.publishAsync('plant/7/state', payload, { qos: 1 })
  await waitFor(async () => (await status())?.records === 2, { what: 'the good records' })
  expect(await status()).toMatchObject({
    received: 4,
    records: 2,
    malformed: 2,
    lastMalformed: 'Message on topic plant/7/state was left out: it is not JSON.',
  })
  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'line'))
  const { lines } = await pullLines(consumer, transfer)
  expect(levels(lines)).toEqual([0, 3])
  const metrics = await (await fetch(`${provider.connector().managementUrl}/metrics`)).text()
  expect(metrics).toContain('handschlag_source_malformed_total{dataset="line"} 2')
  await machine.endAsync()
  await ended(consumer, `/api/v1/transfers/${enc(transfer)}`, ['STARTED'])
})
