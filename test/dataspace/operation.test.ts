import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { followEvents } from '../../connector/demo/reading.js'
import {
  contractOn,
  enc,
  ended,
  list,
  negotiate,
  pullLines,
  startPair,
  transferUnder,
} from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

let space: Awaited<ReturnType<typeof startPair>>
let file: string

beforeAll(async () => {
  space = await startPair()
  const { provider } = space
  file = join(space.folder, 'readings.csv')
  writeFileSync(
    file,
    `time,level,secret\n${[0, 1, 2, 3, 4].map((s) => `2026-01-01T00:00:0${s}Z,${s},9${s}9`).join('\n')}\n`,
  )
  await provider.put('/api/v1/sources/tank', {
    kind: 'files',
    config: {
      file,
      growing: true,
      format: 'csv',
      time: { column: 'time', format: 'iso' },
      signals: { level: 'level', secret: 'secret' },
    },
  })
  await provider.put('/api/v1/datasets/tank', {
    title: 'Tank',
    signals: [
      { name: 'level', type: 'number', unit: 'mm' },
      { name: 'secret', type: 'number' },
    ],
    sourceId: 'tank',
  })
  await provider.post('/api/v1/datasets/tank/offers', { id: 'open', terms: { fields: ['level'] } })
  await provider.post('/api/v1/datasets/tank/publish')
})
afterAll(() => space[Symbol.asyncDispose]())

it('continues everything after an orderly restart: contracts, transfers, their tokens and live streams', async () => {
  const { provider, consumer } = space
  const contract = await contractOn(consumer, provider, 'tank')
  const transfer = await transferUnder(consumer, contract)
  const path = `/api/v1/transfers/${enc(transfer)}`
  const before = await pullLines(consumer, transfer)
  expect(before.lines.map((line) => JSON.parse(line).level)).toEqual([0, 1, 2, 3, 4])
  const live = followEvents(consumer.api, `${path}/stream`)
  await waitFor(() => provider.connector().activeFlows().sse === 1)

  await provider.stop()
  const end = await live.ended(5000)
  expect(end.reason).toBe('The connector is shutting down. Connect again later.')
  await live[Symbol.asyncDispose]()
  await provider.start()

  expect((await pullLines(consumer, transfer)).lines).toEqual(before.lines)
  await using again = followEvents(
    consumer.api,
    `${path}/stream?after=${JSON.parse(before.lines.at(-1) ?? '').id}`,
  )
  await waitFor(() => provider.connector().activeFlows().sse === 1)
  writeFileSync(file, '2026-01-01T00:00:09Z,9,999\n', { flag: 'a' })
  await again.records(1, 10_000)
  expect(again.seen().map((line) => JSON.parse(line).level)).toEqual([9])
  expect((await provider.get(`/api/v1/contracts/${enc(contract)}/verify`)).intact).toBe(true)
})

it('delivers what it owes after a restart of the sender', async () => {
  const { provider, consumer } = space
  await provider.stop()
  // The answer to this request can only be owed: nobody listens at the provider.
  const refused = await consumer.refused(
    consumer.api.post('/api/v1/negotiations', { partner: provider.did, dataset: 'tank' }),
  )
  expect(refused.code).toBe('PartnerUnreachable')
  await provider.start()

  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'tank'))
  await provider.stop()
  await consumer.post(`/api/v1/transfers/${enc(transfer)}/suspend`, { reason: 'Weekend' })
  await waitFor(async () => {
    const shown = await consumer.get(`/api/v1/transfers/${enc(transfer)}`)
    return list(shown, 'owed').some((owed) => Number(owed.attempts) > 0)
  })
  const waiting = await consumer.get(`/api/v1/transfers/${enc(transfer)}`)
  expect(waiting).toMatchObject({ state: 'STARTED', pending: 'suspend', waitingFor: 'partner' })
  await consumer.stop()
  await provider.start()
  await consumer.start()
  await ended(consumer, `/api/v1/transfers/${enc(transfer)}`, ['SUSPENDED'])
  const theirs = list(await provider.get('/api/v1/transfers'), 'transfers').find(
    (t) => t.state === 'SUSPENDED',
  )
  expect(theirs).toMatchObject({ reason: 'Weekend', suspendedBy: 'partner' })
})

it('suspends, resumes, completes and terminates from both sides, and data follows at once', async () => {
  const { provider, consumer } = space
  const contract = await contractOn(consumer, provider, 'tank')
  const transfer = await transferUnder(consumer, contract)
  const mine = `/api/v1/transfers/${enc(transfer)}`
  const providerTransfers = list(await provider.get('/api/v1/transfers'), 'transfers')
  const theirs = `/api/v1/transfers/${enc(String(providerTransfers.find((t) => t.contract === contract)?.pid))}`

  await provider.post(`${theirs}/suspend`, { reason: 'Maintenance' })
  expect((await pullLines(consumer, transfer)).lines).toEqual(['The transfer is suspended: Maintenance'])
  await ended(consumer, mine, ['SUSPENDED'])
  const refused = await consumer.refused(consumer.api.post(`${mine}/resume`))
  expect(refused.message).toBe('The partner suspended this transfer; only the partner can start it again.')
  await provider.post(`${theirs}/resume`)
  await ended(consumer, mine, ['STARTED'])
  expect((await pullLines(consumer, transfer)).status).toBe(200)

  await consumer.post(`${mine}/suspend`, { reason: 'Disk full' })
  await ended(provider, theirs, ['SUSPENDED'])
  await consumer.post(`${mine}/resume`)
  await ended(provider, theirs, ['STARTED'])
  expect((await pullLines(consumer, transfer)).status).toBe(200)

  await consumer.post(`${mine}/complete`)
  await ended(provider, theirs, ['COMPLETED'])
  expect((await pullLines(consumer, transfer)).lines).toEqual(['The transfer is completed'])

  const second = await transferUnder(consumer, contract)
  await consumer.post(`/api/v1/transfers/${enc(second)}/terminate`, { reason: 'No longer needed' })
  await ended(consumer, `/api/v1/transfers/${enc(second)}`, ['TERMINATED'])
  const late = await consumer.refused(consumer.api.post(`/api/v1/transfers/${enc(second)}/resume`))
  expect(late.code).toBe('InvalidTransition')
})

it('ends a running stream when the contract expires, and tells the partner why', async () => {
  const { provider, consumer } = space
  await provider.post('/api/v1/datasets/tank/offers', { id: 'short', terms: { agreementAge: 'PT2S' } })
  const contract = await contractOn(consumer, provider, 'tank', 'short')
  const transfer = await transferUnder(consumer, contract)
  await using live = followEvents(consumer.api, `/api/v1/transfers/${enc(transfer)}/stream`)
  const agreedAt = Date.parse(String((await consumer.get(`/api/v1/contracts/${enc(contract)}`)).agreedAt))
  const end = await live.ended(8000)
  expect(end.at - agreedAt).toBeGreaterThanOrEqual(2000)
  expect(end.reason).toMatch(/contract/i)
  const done = await ended(consumer, `/api/v1/transfers/${enc(transfer)}`, ['TERMINATED'])
  expect(done.reason).toMatch(/expired|allows use/)
  const again = await consumer.post('/api/v1/transfers', { contract })
  const refused = await ended(consumer, `/api/v1/transfers/${enc(String(again.pid))}`, ['TERMINATED'])
  expect(refused.reason).toContain('the contract allows use for 2 seconds from its conclusion')
})

it('gives a blocked partner nothing more', async () => {
  const { provider, consumer } = space
  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'tank', 'open'))
  await provider.post(`/api/v1/partners/${enc(consumer.did)}/block`)
  expect((await pullLines(consumer, transfer)).lines[0]).toContain('blocked')
  const refused = await consumer.refused(consumer.api.get(`/api/v1/partners/${enc(provider.did)}/catalog`))
  expect(refused.message).toContain('answered 404')
  await provider.post(`/api/v1/partners/${enc(consumer.did)}/trust`)
  expect((await negotiate(consumer, provider, 'tank', 'open')).state).toBe('FINALIZED')
})

it('asks a blocked partner for nothing, also under a transfer that has its address and token', async () => {
  const { provider, consumer } = space
  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'tank', 'open'))
  await consumer.post(`/api/v1/partners/${enc(provider.did)}/block`)
  expect((await pullLines(consumer, transfer)).lines).toEqual([
    `provider is blocked. Compare its fingerprint, then: handschlag partner trust ${provider.did}`,
  ])
  await consumer.post(`/api/v1/partners/${enc(provider.did)}/trust`)
})

it('keeps secrets to its owner: files 0600, tokens hashed, passwords sealed and never shown again', async () => {
  const { provider } = space
  const { dataDir } = provider.config
  for (const name of ['handschlag.db', 'history.db', 'cli.token', 'keys/secret.key']) {
    expect([name, statSync(join(dataDir, name)).mode & 0o777]).toEqual([name, 0o600])
  }
  await provider.put('/api/v1/sources/line', {
    kind: 'mqtt',
    config: {
      url: 'mqtt://127.0.0.1:1',
      topics: ['a'],
      username: 'u',
      password: 'correct horse battery',
      mapping: { time: 'arrival', signals: { level: 'level' } },
    },
  })
  const shown = JSON.stringify(await provider.get('/api/v1/sources/line'))
  expect(shown).not.toContain('correct horse')
  await provider.stop()
  const stored = ['handschlag.db', 'handschlag.db-wal'].map((name) => {
    try {
      return readFileSync(join(dataDir, name), 'latin1')
    } catch {
      return ''
    }
  })
  await provider.start()
  expect(stored.join('')).toContain('sealedSecrets')
  expect(stored.join('')).not.toContain('correct horse')
})

it('answers health and metrics without a token on the management port', async () => {
  const { provider } = space
  const url = provider.connector().managementUrl
  const live = await fetch(`${url}/health/live`)
  expect([live.status, await live.json()]).toEqual([200, { live: true, participantId: provider.did }])
  expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  for (const name of [
    'handschlag_dsp_messages_total',
    'handschlag_records_delivered_total',
    'handschlag_owed_messages 0',
    'handschlag_negotiations{state="FINALIZED"}',
  ]) {
    expect(metrics).toContain(name)
  }
})
