import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { expect, it } from 'vitest'
import { followEvents } from '../../connector/demo/reading.js'
import { mosquittoPath, startMosquitto } from '../sources/brokers.js'
import { contractOn, enc, ended, pullLines, startPair, transferUnder } from '../support/dataspace.js'
import { sharedPath } from '../support/shared-data.js'
import { waitFor } from '../support/wait-for.js'
import { everyAtLeast, PUMP_SIGNALS, readPump } from './machines.js'

const recording = sharedPath('data/pump_valve1_0.csv')
const missing =
  recording === undefined
    ? 'data/pump_valve1_0.csv is not beside the repository'
    : mosquittoPath === undefined
      ? 'mosquitto is not installed'
      : undefined
const title =
  'delivers of a real pump exactly what the contract allows, live, and nothing after the revocation'

it.skipIf(missing !== undefined)(
  missing === undefined ? title : `${title} (skipped: ${missing})`,
  async () => {
    const rows = readPump(recording ?? '')
    expect(rows).toHaveLength(1147)
    const folder = await mkdtemp(join(tmpdir(), 'handschlag-pump-'))
    await using broker = await startMosquitto(folder)
    await using space = await startPair()
    const { provider, consumer } = space
    const names = Object.values(PUMP_SIGNALS)
    await provider.put('/api/v1/sources/pump', {
      kind: 'mqtt',
      config: {
        url: `mqtt://127.0.0.1:${broker.port}`,
        protocolVersion: 5,
        topics: ['plant/+/state'],
        mapping: {
          time: { path: 'time', format: 'iso' },
          signals: Object.fromEntries(names.map((name) => [name, `values.${name}`])),
        },
      },
    })
    await provider.put('/api/v1/datasets/pump', {
      title: 'Pump',
      signals: names.map((name) => ({ name, type: 'number' })),
      sourceId: 'pump',
    })
    const shared = ['pressure', 'temperature', 'flow']
    await provider.post('/api/v1/datasets/pump/offers', {
      id: 'pump-offer',
      terms: { fields: shared, samplingInterval: 'PT10S', until: '2099-12-31' },
    })
    await provider.post('/api/v1/datasets/pump/publish')
    const contract = await contractOn(consumer, provider, 'pump')
    const transfer = await transferUnder(consumer, contract)
    await using live = followEvents(consumer.api, `/api/v1/transfers/${enc(transfer)}/stream`)
    await waitFor(() => provider.connector().activeFlows().sse === 1, { what: 'the stream to be open' })
    const machine = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 5 })
    const publish = (row: (typeof rows)[number]) =>
      machine.publishAsync('plant/7/state', JSON.stringify(row), { qos: 1 })
    for (const row of rows) await publish(row)

    // By hand: rows at least ten seconds apart, three named signals each, values as recorded.
    const expected = everyAtLeast(rows, 10_000).map((row) => ({
      ts: row.time,
      ...Object.fromEntries(shared.map((name) => [name, row.values[name]])),
    }))
    expect(expected.length).toBeGreaterThan(100)
    await waitFor(() => live.seen().length >= expected.length, { what: 'all records', timeoutMs: 15_000 })
    const arrived = live.seen().map((line) => {
      const { id: _, ...record } = JSON.parse(line)
      return record
    })
    expect(arrived).toEqual(expected)

    // History gives the very same records, and no byte of any other signal.
    const history = await pullLines(consumer, transfer)
    expect(history.lines).toEqual(live.seen())
    const bytes = [...live.seen(), ...history.lines].join('\n')
    for (const name of names.filter((n) => !shared.includes(n))) expect(bytes).not.toContain(name)
    for (const row of rows) expect(bytes).not.toContain(String(row.values.voltage))

    const count = live.seen().length
    await provider.post(`/api/v1/contracts/${enc(contract)}/revoke`, { reason: 'The pump was sold.' })
    const end = await live.ended(5000)
    expect(end.reason).toContain('The pump was sold.')
    const later = '2030-01-01T00:00:00.000Z'
    await publish({ time: later, values: rows[0]?.values ?? {} })
    const after = await pullLines(consumer, transfer)
    expect(after).toMatchObject({ status: 0, lines: ['The contract was revoked: The pump was sold.'] })
    expect(live.seen()).toHaveLength(count)
    await ended(consumer, `/api/v1/transfers/${enc(transfer)}`, ['TERMINATED'])
    for (const side of [provider, consumer]) {
      const shown = await side.get(`/api/v1/contracts/${enc(contract)}`)
      expect([shown.status, shown.statusReason]).toEqual(['revoked', 'The pump was sold.'])
    }
    await machine.endAsync()
    await rm(folder, { recursive: true, force: true })
  },
  60_000,
)
