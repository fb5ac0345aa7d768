/** Both programs as processes of their own, ended without a word in the middle of a push. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writeDevelopmentCertificates } from '../../certs-dev/generate.js'
import type { Result } from '../../connector/core/result.js'
import type { Json } from '../../connector/core/types.js'
import { type Company, type CompanyPlace, freePorts, runCompany, settle } from '../../connector/demo/world.js'
import { type Answer, enc } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { rows } from './support.js'

const COUNT = 60_000
type Side = 'provider' | 'consumer'

it('loses and repeats no record when either program, or both, are killed in the middle', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'handschlag-push-kill-'))
  const [p1 = 0, m1 = 0, p2 = 0, m2 = 0] = await freePorts(4)
  const files = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const server = files.servers.localhost
  if (server === undefined) throw new Error('no certificate')
  const place = (name: Side, port: number, managementPort: number): CompanyPlace => ({
    name,
    folder: join(folder, name),
    port,
    managementPort,
    tls: { ...server, ca: files.ca },
    program: join(import.meta.dirname, '../../dist/connector/main.js'),
  })
  const places = { provider: place('provider', p1, m1), consumer: place('consumer', p2, m2) }
  await settle(places.provider)
  await settle(places.consumer)
  const running: Record<Side, Company> = {
    provider: await runCompany(places.provider),
    consumer: await runCompany(places.consumer),
  }
  const sure = async (answer: Promise<Result<Json>>): Promise<Answer> => {
    const outcome = await answer
    if (!outcome.ok) throw new Error(JSON.stringify(outcome))
    return (outcome.value ?? {}) as Answer
  }
  try {
    for (const [from, to] of [
      ['provider', 'consumer'],
      ['consumer', 'provider'],
    ] as const) {
      const { did, publicUrl } = running[to]
      await sure(running[from].api.post('/api/v1/partners', { did, address: publicUrl, seal: 'require' }))
      await sure(running[from].api.post(`/api/v1/partners/${enc(did)}/trust`))
    }
    const source = join(folder, 'readings.csv')
    await writeFile(source, `time,value\n${rows(0, COUNT)}`)
    const { api } = running.provider
    const config = {
      file: source,
      format: 'csv',
      time: { column: 'time', format: 'iso' },
      signals: { value: 'value' },
    }
    await sure(api.put('/api/v1/sources/readings', { kind: 'files', config }))
    const signals = [{ name: 'value', type: 'integer' }]
    await sure(api.put('/api/v1/datasets/readings', { title: 'Readings', signals, sourceId: 'readings' }))
    // A quota that is just enough: whatever is booked twice would be missing at the end.
    await sure(api.post('/api/v1/datasets/readings/offers', { terms: { count: COUNT } }))
    await sure(api.post('/api/v1/datasets/readings/publish'))
    const begun = await sure(
      running.consumer.api.post('/api/v1/negotiations', {
        partner: running.provider.did,
        dataset: 'readings',
      }),
    )
    const agreed = await waitFor(async () => {
      const seen = await sure(running.consumer.api.get(`/api/v1/negotiations/${enc(String(begun.pid))}`))
      return seen.state === 'FINALIZED' ? seen : undefined
    })
    await sure(
      running.consumer.api.post('/api/v1/transfers', {
        contract: String(agreed.contract),
        sink: { to: 'file:readings.ndjson' },
      }),
    )
    const file = join(places.consumer.folder, 'data', 'received', 'readings.ndjson')
    const sizeNow = (): number => (existsSync(file) ? statSync(file).size : 0)
    let kills = 0
    for (const sides of [['provider'], ['consumer'], ['provider', 'consumer'], ['provider']] as const) {
      const before = sizeNow()
      await waitFor(() => sizeNow() > before + 200_000, { timeoutMs: 30_000, what: 'more data' })
      await Promise.all(sides.map((side) => running[side].end('SIGKILL')))
      kills += sides.length
      for (const side of sides) running[side] = await runCompany(places[side])
    }
    expect(kills).toBe(5)
    const lines = (): readonly string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1)
    await waitFor(() => lines().length >= COUNT, { timeoutMs: 60_000, what: 'all records' })
    expect(lines()).toHaveLength(COUNT)
    const wrong = lines().findIndex((line, n) => (JSON.parse(line) as Answer).value !== n)
    expect(wrong).toBe(-1)
  } finally {
    await Promise.all([running.provider.end('SIGKILL'), running.consumer.end('SIGKILL')])
    await rm(folder, { recursive: true, force: true })
  }
}, 180_000)
