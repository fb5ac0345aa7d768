/** The program is killed while it delivers values with deviations: no budget is exceeded, and a record keeps its deviation. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { writeDevelopmentCertificates } from '../../certs-dev/generate.js'
import type { Json } from '../../connector/core/types.js'
import { type Company, type CompanyPlace, freePorts, runCompany, settle } from '../../connector/demo/world.js'
import { waitFor } from '../support/wait-for.js'

type Answer = { readonly [key: string]: Json }

const KILLS = 3
/** Records that the budget is enough for, of epsilon 0.5 each. */
const MOST = 120
const ROWS = 40
const DOCUMENT = {
  type: 'https://w3id.org/machine-data-policy/v1#Shape',
  version: '1',
  fields: { value: { valueStep: '1', noise: { mechanism: 'laplace', epsilon: '0.5', sensitivity: '10' } } },
  noiseBudget: '60',
}

it(`keeps budget and deviations over ${KILLS} kills`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'handschlag-budget-'))
  const [p1 = 0, m1 = 0, p2 = 0, m2 = 0] = await freePorts(4)
  const files = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const server = files.servers.localhost
  if (server === undefined) throw new Error('no certificate')
  const program = join(import.meta.dirname, '../../dist/connector/main.js')
  const place = (name: string, port: number, managementPort: number): CompanyPlace => ({
    name,
    folder: join(folder, name),
    port,
    managementPort,
    tls: { ...server, ca: files.ca },
    program,
  })
  const [here, there] = [place('provider', p1, m1), place('consumer', p2, m2)]
  await settle(here)
  await settle(there)
  let provider: Company = await runCompany(here)
  const consumer = await runCompany(there)
  const sure = async (answer: Promise<{ ok: boolean; value?: Json; error?: unknown }>): Promise<Answer> => {
    const outcome = await answer
    if (!outcome.ok) throw new Error(JSON.stringify(outcome))
    return (outcome.value ?? {}) as Answer
  }
  try {
    for (const [from, to] of [
      [provider, consumer],
      [consumer, provider],
    ] as const) {
      await sure(from.api.post('/api/v1/partners', { did: to.did, address: to.publicUrl, seal: 'require' }))
      await sure(from.api.post(`/api/v1/partners/${encodeURIComponent(to.did)}/trust`))
    }
    const rows = [...Array(ROWS).keys()].map(
      (n) => `2026-01-01T00:00:${String(n).padStart(2, '0')}Z,${500 + n}`,
    )
    await writeFile(join(folder, 'readings.csv'), `time,value\n${rows.join('\n')}\n`)
    const { api } = provider
    await sure(
      api.put('/api/v1/sources/readings', {
        kind: 'files',
        config: {
          file: join(folder, 'readings.csv'),
          format: 'csv',
          time: { column: 'time', format: 'iso' },
          signals: { value: 'value' },
        },
      }),
    )
    const signals = [{ name: 'value', type: 'integer' }]
    await sure(api.put('/api/v1/datasets/readings', { title: 'Readings', signals, sourceId: 'readings' }))
    const { hash = '' } = await sure(api.post('/api/v1/shapes', { document: DOCUMENT }))
    await sure(api.post('/api/v1/datasets/readings/offers', { terms: { shape: hash } }))
    await sure(api.post('/api/v1/datasets/readings/publish'))

    const reach = (path: string, state: string) =>
      waitFor(
        async () => {
          const answer = await consumer.api.get(path)
          return answer.ok && (answer.value as Answer).state === state ? (answer.value as Answer) : undefined
        },
        { what: `${path} to be ${state}`, timeoutMs: 30_000 },
      )
    const begun = await sure(
      consumer.api.post('/api/v1/negotiations', { partner: provider.did, dataset: 'readings' }),
    )
    const { contract = '' } = await reach(
      `/api/v1/negotiations/${encodeURIComponent(String(begun.pid))}`,
      'FINALIZED',
    )
    const asked = await sure(consumer.api.post('/api/v1/transfers', { contract }))
    const transfer = `/api/v1/transfers/${encodeURIComponent(String(asked.pid))}`
    await reach(transfer, 'STARTED')

    /** By id of the record. */
    const values = new Map<string, number>()
    let lines = 0
    let stop = false
    /** Whatever arrives counts, also of an answer that breaks off. */
    const reader = async (): Promise<void> => {
      while (!stop) {
        let text = ''
        try {
          const answer = await consumer.api.stream(`${transfer}/data?limit=3`)
          if (answer.ok && answer.value.status === 200) {
            for await (const chunk of answer.value.body) text += String(chunk)
          }
        } catch {
          // Killed in the middle: what had come is in `text`.
        }
        for (const line of text.split('\n').slice(0, -1)) {
          const { id, value } = JSON.parse(line) as { id: string; value: number }
          lines += 1
          expect([id, values.get(id) ?? value]).toEqual([id, value])
          values.set(id, value)
        }
        await pause(10)
      }
    }
    const reading = Promise.all([reader(), reader()])
    for (let kill = 0; kill < KILLS; kill++) {
      const before = lines
      await waitFor(() => (lines > before + 2 || lines >= MOST - 10 ? true : undefined), {
        what: 'records between two kills',
        timeoutMs: 30_000,
      })
      await provider.end('SIGKILL')
      provider = await runCompany(here)
    }
    const used = await waitFor(
      async () => {
        const shown = await provider.api.get(`/api/v1/contracts/${encodeURIComponent(String(contract))}`)
        return shown.ok && (shown.value as Answer).used === MOST ? MOST : undefined
      },
      { what: 'the budget to be spent', timeoutMs: 60_000 },
    )
    stop = true
    await reading
    expect(lines).toBeGreaterThan(0)
    expect(lines).toBeLessThanOrEqual(used)
    expect(values.size).toBe(3)
    const over = await consumer.api.stream(`${transfer}/data?limit=3`)
    expect(over.ok).toBe(false)
  } finally {
    await Promise.all([provider.end('SIGKILL'), consumer.end('SIGKILL')])
    await rm(folder, { recursive: true, force: true })
  }
}, 240_000)
