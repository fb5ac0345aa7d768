import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createManagementClient, findToken, type ManagementClient } from '../../connector/cli/client.js'
import type { EpochMs } from '../../connector/core/types.js'
import { type Answer, contractOn, enc, ended, startPair, transferUnder } from '../support/dataspace.js'

let space: Awaited<ReturnType<typeof startPair>>
let german: ManagementClient
let now = Date.parse('2027-03-04T10:00:00Z')
const clock = () => now as EpochMs

beforeAll(async () => {
  space = await startPair({ clock }, { clock })
  const { provider, consumer, folder } = space
  const file = join(folder, 'readings.csv')
  writeFileSync(file, 'time,level\n2027-03-04T09:00:00Z,1\n2027-03-04T09:00:01Z,2\n')
  await provider.put('/api/v1/sources/tank', {
    kind: 'files',
    config: {
      file,
      growing: true,
      format: 'csv',
      time: { column: 'time', format: 'iso' },
      signals: { level: 'level' },
    },
  })
  await provider.put('/api/v1/datasets/tank', {
    title: 'Tank',
    signals: [{ name: 'level', type: 'number', unit: 'mm' }],
    sourceId: 'tank',
  })
  await provider.post('/api/v1/datasets/tank/offers', {
    id: 'trial',
    terms: { count: 1, agreementAge: 'PT1H' },
  })
  await provider.post('/api/v1/datasets/tank/publish')
  const token = findToken({}, consumer.config.dataDir, 'de')
  if (!token.ok) throw new Error(token.error.message)
  german = createManagementClient({ url: consumer.api.url, token: token.value, lang: 'de' })
})
afterAll(() => space[Symbol.asyncDispose]())

const answered = async (path: string, api: ManagementClient): Promise<Answer> => {
  const answer = await api.get(path)
  if (!answer.ok) throw new Error(answer.error.message)
  return answer.value as Answer
}

it('a partner of our make refuses in both languages, and the reader sees their own', async () => {
  const { provider, consumer } = space
  const contract = await contractOn(consumer, provider, 'tank', 'trial')
  const transfer = await transferUnder(consumer, contract)
  const data = `/api/v1/transfers/${enc(transfer)}/data`
  const first = await consumer.api.stream(`${data}?limit=1`)
  if (first.ok) for await (const _ of first.value.body);
  // The first of the two ends the transfer, so the second may hear that it has ended, and why.
  const [english, deutsch] = [await consumer.api.stream(data), await german.stream(data)]
  expect(english.ok ? '' : english.error.message).toContain('The agreed quota of 1 delivery is used up.')
  expect(deutsch.ok ? '' : deutsch.error.message).toContain(
    'Die vereinbarte Menge von 1 Lieferung ist verbraucht.',
  )

  now += 2 * 3600_000
  const begun = await consumer.post('/api/v1/transfers', { contract })
  const path = `/api/v1/transfers/${enc(String(begun.pid))}`
  const done = await ended(consumer, path, ['TERMINATED'])
  expect(done.reason).toBe(
    'The partner answered 400: Refused: the contract allows use for 1 hour from its conclusion, that is until 4 March 2027, 11:00 UTC; it is now 4 March 2027, 12:00 UTC. (clause 2, time since the conclusion of the contract)',
  )
  expect((await answered(path, german)).reason).toBe(
    'Der Partner antwortete mit 400: Abgelehnt: Der Vertrag erlaubt die Nutzung 1 Stunde lang ab Vertragsschluss, also bis zum 4. März 2027, 11:00 Uhr UTC; jetzt ist der 4. März 2027, 12:00 Uhr UTC. (Klausel 2, Zeit seit Vertragsschluss)',
  )
})

it('what a person wrote reaches the partner as it was written, in either language', async () => {
  const { provider, consumer } = space
  now = Date.parse('2027-03-05T10:00:00Z')
  const contract = await contractOn(consumer, provider, 'tank', 'trial')
  const transfer = await transferUnder(consumer, contract)
  await provider.post(`/api/v1/contracts/${enc(contract)}/revoke`, { reason: 'Sold, in parts' })
  const path = `/api/v1/transfers/${enc(transfer)}`
  await ended(consumer, path, ['TERMINATED'])
  expect((await answered(path, german)).reason).toBe('Sold, in parts')
  const refused = await german.post('/api/v1/transfers', { contract })
  expect(refused).toMatchObject({
    ok: false,
    error: { message: 'Der Vertrag wurde widerrufen: Sold, in parts' },
  })
})
