import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writeDevelopmentCertificates } from '../../certs-dev/generate.js'
import { startConnector } from '../../connector/app.js'
import { resolveConfig } from '../../connector/config/load.js'
import { createLog } from '../../connector/core/log.js'
import { type EpochMs, systemClock } from '../../connector/core/types.js'
import { createKeys } from '../../connector/crypto/keys.js'
import { createSecretKey } from '../../connector/crypto/secret-box.js'
import { freePorts } from '../../connector/demo/world.js'
import { requestContract } from '../../connector/services/negotiation-consumer.js'
import { waitFor } from '../support/wait-for.js'

it('works', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hs-'))
  const files = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const tls = files.servers['localhost']!
  const [p1, p2, m1, m2] = await freePorts(4)
  const mk = async (name: string, port: number, mp: number) => {
    const r = resolveConfig({
      cwd: folder,
      env: {
        HANDSCHLAG_NAME: name,
        HANDSCHLAG_PUBLIC_URL: `https://localhost:${port}`,
        HANDSCHLAG_HOST: '127.0.0.1',
        HANDSCHLAG_PORT: String(port),
        HANDSCHLAG_MANAGEMENT_PORT: String(mp),
        HANDSCHLAG_DATA_DIR: join(folder, name),
        HANDSCHLAG_TLS_CERT: tls.cert,
        HANDSCHLAG_TLS_KEY: tls.key,
        HANDSCHLAG_TRUSTED_CA: files.ca,
        HANDSCHLAG_ALLOW_PRIVATE_ADDRESSES: 'localhost,127.0.0.0/8',
        HANDSCHLAG_LOG_LEVEL: 'info',
      },
    })
    if (!r.ok) throw new Error(JSON.stringify(r.error))
    await createSecretKey(join(folder, name, 'keys'))
    await createKeys(join(folder, name, 'keys'), systemClock)
    const c = await startConnector(r.value.config, { clock: systemClock, log: createLog('info'), dev: true })
    if (!c.ok) throw new Error(c.error.message)
    return c.value
  }
  await using a = await mk('a', p1!, m1!)
  await using b = await mk('b', p2!, m2!)
  const now = Date.now() as EpochMs
  for (const [x, y] of [
    [a, b],
    [b, a],
  ] as const)
    await x.store.putPartner({
      did: y.did,
      name: y.did,
      address: y.dspAddress,
      trust: 'trusted',
      seal: 'require',
      addedAt: now,
    })
  await writeFile(
    join(folder, 'x.csv'),
    'timestamp,value\n2013-12-02 21:15:00,73.9\n2013-12-02 21:20:00,74.9\n',
  )
  const deps = a.deps
  const { putSource, putDataset, addOffer, publish } = await import('../../connector/services/datasets.js')
  const ok = <T>(r: any): T => {
    if (!r.ok) throw new Error(r.error.message)
    return r.value
  }
  ok(
    await putSource(deps, {
      id: 's',
      kind: 'files',
      config: {
        file: join(folder, 'x.csv'),
        format: 'csv',
        time: { column: 'timestamp', format: 'iso-local', timeZone: 'UTC' },
        signals: { value: 'value' },
      } as any,
    }),
  )
  ok(
    await putDataset(deps, {
      id: 'd',
      title: 't',
      signals: [{ name: 'value', type: 'number' }],
      sourceId: 's',
    }),
  )
  ok(await addOffer(deps, { datasetId: 'd', id: 'o', terms: { count: '10' } as any }))
  ok(await publish(deps, 'd', true))
  const partner = b.store.partner(a.did)!
  const ds: any = ok(await b.client.dataset(partner, 'd'))
  console.log(JSON.stringify(ds))
  const times: number[] = []
  for (let i = 0; i < 20; i++) {
    const t = performance.now()
    const n: any = ok(
      await requestContract(b.deps, { partner, datasetId: 'd', offer: { ...ds.offers[0], target: 'd' } }),
    )
    await waitFor(() => b.store.find({ kind: 'negotiation', pid: n.pid })?.state === 'FINALIZED')
    times.push(performance.now() - t)
  }
  console.log(times.map((t) => t.toFixed(1)).join(' '))
  console.log(b.store.agreements()[0])
  expect(b.store.agreements().length).toBe(20)
})
