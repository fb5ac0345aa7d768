/**
 * Every policy template, from its form to the data: filled in, offered by one connector, agreed by another of this make, read
 * on both sides, and delivered under.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { templates } from '../../connector/policy/templates/shelf.js'
import {
  type Answer,
  contractOn,
  enc,
  list,
  pullLines,
  startPair,
  transferUnder,
} from '../support/dataspace.js'

/** A Wednesday, 11 o'clock in Berlin. */
const NOW = Date.parse('2026-11-25T10:00:00Z')
const HOUR = 3_600_000

type Fact = { readonly condition: string; readonly value: string; readonly not?: true }
type Expected = {
  /** Beside the recipients, signals and machines that all templates share. */
  readonly set: Answer
  readonly tier: 1 | 2 | 3
  /** Clauses kept by contract only, and those kept by the connector of the recipient. */
  readonly contract: number
  readonly consumer: number
  /** Of all the data there is more than the contract allows at once. */
  readonly from?: string
  /** What the operator has to confirm, without which the same offer or contract gives nothing. */
  readonly confirmed?: readonly Fact[]
}

const OF_MACHINE = { machines: 'M-1' }
const KEPT = { retention: '90d' }
const END = { until: '2027-06-30' }
const USER_REQUEST = 'urn:uuid:0e6d0b1c-6b3f-4c57-9a1e-5b6a4d1f0001'
const DAILY = { window: 'P1D' }

// biome-ignore format: a table reads best aligned
const EXPECTED: Readonly<Record<string, Expected>> = {
  affiliates: { set: END, tier: 3, contract: 1, consumer: 0, confirmed: [{ condition: 'group', value: 'affiliates' }] },
  authority: { set: { ...KEPT, ...END, from: '2026-11-01', request: 'AZ 7/26' }, tier: 3, contract: 2, consumer: 3 },
  'benchmarking-pool': { set: KEPT, tier: 3, contract: 4, consumer: 2 },
  'capacity-status': { set: { ...KEPT, ...END, ...DAILY, step: '1' }, tier: 3, contract: 2, consumer: 2 },
  'carbon-footprint': { set: { ...KEPT, ...END }, tier: 3, contract: 3, consumer: 2 },
  'energy-flexibility': { set: { ...KEPT, ...DAILY }, tier: 3, contract: 3, consumer: 2 },
  'machinery-insurance': { set: { ...KEPT, ...DAILY, ...OF_MACHINE, policyNumber: 'MV-1' }, tier: 3, contract: 4, consumer: 2 },
  'pay-per-use': { set: { ...KEPT, ...END, ...OF_MACHINE, leasingContract: 'LV-9' }, tier: 3, contract: 4, consumer: 2 },
  'predictive-maintenance': { set: { ...KEPT, ...OF_MACHINE }, tier: 3, contract: 3, consumer: 2 },
  'product-improvement': { set: { ...KEPT, ...DAILY }, tier: 3, contract: 4, consumer: 2 },
  'quality-per-lot': { set: { ...KEPT, ...END, lots: 'L-1' }, tier: 3, contract: 3, consumer: 2 },
  'remote-service': {
    set: { retention: '30d', ...OF_MACHINE, ticket: 'S-2026-118' },
    tier: 3, contract: 2, consumer: 4, confirmed: [{ condition: 'event', value: 'S-2026-118' }],
  },
  research: { set: { ...KEPT, ...END }, tier: 3, contract: 4, consumer: 2 },
  'spare-parts': { set: { ...KEPT, ...OF_MACHINE }, tier: 3, contract: 3, consumer: 2, from: '2026-11-20T00:00:00Z' },
  'third-party-on-request': {
    set: { ...KEPT, ...OF_MACHINE, purpose: 'Maintenance', request: USER_REQUEST },
    tier: 3, contract: 4, consumer: 2, 
    confirmed: [
      { condition: 'group', value: 'gatekeepers', not: true },
      { condition: 'userRequest', value: USER_REQUEST },
    ],
  },
  trial: { set: {}, tier: 1, contract: 0, consumer: 0, from: '2026-11-20T00:00:00Z' },
  'user-access': { set: OF_MACHINE, tier: 3, contract: 1, consumer: 0 },
  'warranty-evidence': { set: { ...KEPT, ...END, ...OF_MACHINE, from: '2026-11-01', claim: 'C-77' }, tier: 3, contract: 4, consumer: 2 },
}

const folder = mkdtempSync(join(tmpdir(), 'handschlag-templates-'))
let pair: Awaited<ReturnType<typeof startPair>>

beforeAll(async () => {
  const clock = () => NOW as EpochMs
  pair = await startPair({ clock }, { clock })
  const file = join(folder, 'plant.csv')
  writeFileSync(file, `time,machine,lot,machineState,load\n${rows().join('\n')}\n`)
  await pair.provider.put('/api/v1/sources/plant', {
    kind: 'files',
    config: {
      file,
      format: 'csv',
      time: { column: 'time', format: 'iso' },
      series: { column: 'machine' },
      signals: { load: 'load', lot: 'lot', machineState: 'machineState' },
    },
  })
})
afterAll(async () => {
  await pair[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Six machines that were read every four hours for 46 days, the last time an hour ago. */
function rows(): readonly string[] {
  const made: string[] = []
  for (let hour = 46 * 24; hour >= 1; hour -= 4) {
    for (let machine = 1; machine <= 6; machine++) {
      const time = new Date(NOW - hour * HOUR).toISOString()
      made.push(
        `${time},M-${machine},L-${1 + (hour % 3)},${hour % 8 === 0 ? 'fault' : 'running'},${hour % 97}`,
      )
    }
  }
  return made
}

const chosen = (id: string, { set }: Expected): Answer => {
  const asked =
    templates()
      .find((template) => template.id === id)
      ?.parameters.map(({ name }) => name) ?? []
  const shared = {
    recipients: pair.consumer.did,
    fields: 'load',
    tradeSecretFields: 'none',
    personalFields: 'none',
    commercialFields: 'none',
  }
  return {
    ...Object.fromEntries(Object.entries(shared).filter(([name]) => asked.includes(name))),
    ...set,
  }
}

it('knows all eighteen', () => {
  expect(templates().map(({ id }) => id)).toEqual(Object.keys(EXPECTED).sort())
  expect(Object.keys(EXPECTED)).toHaveLength(18)
})

it.each(Object.entries(EXPECTED))('%s', async (id, expected) => {
  const { provider, consumer } = pair
  await provider.put(`/api/v1/datasets/${id}`, {
    title: id,
    signals: [
      { name: 'load', type: 'number' },
      { name: 'lot', type: 'string' },
      { name: 'machineState', type: 'string' },
    ],
    sourceId: 'plant',
  })
  const template = { id, values: chosen(id, expected) }
  const filled = await provider.post(`/api/v1/policy-templates/${id}/policy`, { values: template.values })
  const offers = `/api/v1/datasets/${id}/offers`
  expect([filled.publishable, filled.tier]).toEqual([true, expected.tier])
  if (expected.tier === 3) {
    const why = await provider.refused(provider.api.post(offers, { template }))
    expect(why.code).toBe('ContractOnly')
  }
  await provider.post(offers, { template, ...(expected.tier === 3 && { contractOnly: true }) })
  await provider.post(`/api/v1/datasets/${id}/publish`)

  const { confirmed = [] } = expected
  if (confirmed.some(({ condition }) => condition !== 'event')) {
    const asked = `partner=${enc(consumer.did)}&dataset=${id}`
    const [decision] = list(await provider.get(`/api/v1/policy-decisions?${asked}`), 'entries')
    expect(decision?.allowed).toBe(false)
    expect((await consumer.api.get(`/api/v1/partners/${enc(provider.did)}/catalog/${id}`)).ok).toBe(false)
  }
  for (const { condition, ...fact } of confirmed) {
    const about = condition === 'event' ? {} : { partner: consumer.did }
    await provider.post('/api/v1/facts', { condition, ...fact, ...about, dataset: id })
  }
  const contract = await contractOn(consumer, provider, id)
  for (const member of [provider, consumer]) {
    const shown = await member.get(`/api/v1/contracts/${enc(contract)}`)
    const by = list(shown, 'clauses').map(({ enforcedBy }) => enforcedBy)
    const count = (keeper: string) => by.filter((one) => one === keeper).length
    expect([member.name, shown.tier]).toMatchObject([member.name, { number: expected.tier }])
    expect([member.name, count('contract'), count('consumer'), count('capable')]).toEqual([
      member.name,
      expected.contract,
      expected.consumer,
      0,
    ])
  }
  const query = expected.from === undefined ? '' : `?from=${expected.from}`
  const pulled = await pullLines(consumer, await transferUnder(consumer, contract), query)
  expect([pulled.status, pulled.lines.length > 0]).toEqual([200, true])
  const [first] = pulled.lines
  expect(Object.keys(JSON.parse(first ?? '{}') as object)).toContain('ts')
})
