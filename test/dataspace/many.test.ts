import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startPair } from '../support/dataspace.js'
import { recordingLog } from '../support/recording-log.js'
import { waitFor } from '../support/wait-for.js'

const MANY = 200

it('brings 200 negotiations that begin at once to their end, every message at the first attempt', {
  timeout: 60_000,
}, async () => {
  const logs = { provider: recordingLog(), consumer: recordingLog() }
  await using space = await startPair({ log: logs.provider.log }, { log: logs.consumer.log })
  const { provider, consumer } = space
  const file = join(space.folder, 'report.bin')
  writeFileSync(file, 'report')
  await provider.put('/api/v1/sources/report', { kind: 'bytes', config: { file } })
  await provider.put('/api/v1/datasets/report', { title: 'Report', sourceId: 'report' })
  await provider.post('/api/v1/datasets/report/offers', { id: 'open', terms: { until: '2099-12-31' } })
  await provider.post('/api/v1/datasets/report/publish')

  const wish = { partner: provider.did, dataset: 'report' }
  const begun = await Promise.all(
    Array.from({ length: MANY }, () => consumer.post('/api/v1/negotiations', wish)),
  )
  expect(new Set(begun.map(({ pid }) => pid)).size).toBe(MANY)
  const sides = [provider, consumer].map((member) => member.connector().store)
  await waitFor(() => sides.every((store) => finalized(store) === MANY && store.owedCount().count === 0), {
    what: 'all negotiations to be finalised on both sides',
    timeoutMs: 50_000,
  })

  for (const store of sides) {
    const entries = store.list('negotiation', { limit: 2 * MANY }).flatMap(({ pid }) => store.audit(pid))
    const attempts = entries.flatMap(({ detail }) =>
      typeof detail?.attempts === 'number' ? [detail.attempts] : [],
    )
    expect(attempts.length).toBeGreaterThanOrEqual(MANY)
    expect(new Set(attempts)).toEqual(new Set([1]))
    expect(entries.filter(({ event }) => event.endsWith('failed'))).toEqual([])
  }
  for (const event of ['message not delivered, will retry', 'message refused', 'request refused']) {
    expect([event, ...logs.provider.entries(event), ...logs.consumer.entries(event)]).toEqual([event])
  }
})

const finalized = (store: {
  countByState(kind: 'negotiation'): readonly { state: string; count: number }[]
}) => store.countByState('negotiation').find(({ state }) => state === 'FINALIZED')?.count ?? 0
