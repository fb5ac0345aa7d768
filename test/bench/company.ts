/**
 * Connectors for benchmarks: a folder with keys, certificates, configuration and stored partners, datasets and offers.
 * What is measured starts afterwards from what lies there, as after any restart.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeDevelopmentCertificates } from '../../certs-dev/generate.js'
import { type EpochMs, type JsonObject, type ParticipantId, systemClock } from '../../connector/core/types.js'
import { createKeys } from '../../connector/crypto/keys.js'
import { createSecretKey } from '../../connector/crypto/secret-box.js'
import { freePorts } from '../../connector/demo/world.js'
import type { SignalDeclaration } from '../../connector/domain/dataset.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import { demand } from './report.js'

export type Place = AsyncDisposable & {
  readonly folder: string
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string }
}

/** A temporary folder with a certificate for `localhost`. */
export async function openPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'handschlag-bench-'))
  const files = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const server = files.servers.localhost
  if (server === undefined) throw new Error('no certificate for localhost')
  return {
    folder,
    tls: { ...server, ca: files.ca },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

export type Company = {
  readonly did: ParticipantId
  readonly publicUrl: string
  readonly address: string
  readonly dataDir: string
  readonly managementPort: number
  /** Complete configuration, as environment. */
  readonly env: Readonly<Record<string, string>>
}

/** Two companies with keys, not yet acquainted. */
export async function foundCompanies(place: Place, names: readonly string[]): Promise<readonly Company[]> {
  const ports = await freePorts(names.length * 2)
  return Promise.all(
    names.map(async (name, index) => {
      const port = ports[index * 2] ?? 0
      const managementPort = ports[index * 2 + 1] ?? 0
      const dataDir = join(place.folder, name)
      demand(await createSecretKey(join(dataDir, 'keys')))
      demand(await createKeys(join(dataDir, 'keys'), systemClock))
      const publicUrl = `https://localhost:${port}`
      return {
        did: `did:web:localhost%3A${port}` as ParticipantId,
        publicUrl,
        address: `${publicUrl}/dsp`,
        dataDir,
        managementPort,
        env: {
          HANDSCHLAG_NAME: name,
          HANDSCHLAG_PUBLIC_URL: publicUrl,
          HANDSCHLAG_HOST: '127.0.0.1',
          HANDSCHLAG_PORT: String(port),
          HANDSCHLAG_MANAGEMENT_PORT: String(managementPort),
          HANDSCHLAG_DATA_DIR: dataDir,
          HANDSCHLAG_TLS_CERT: place.tls.cert,
          HANDSCHLAG_TLS_KEY: place.tls.key,
          HANDSCHLAG_TRUSTED_CA: place.tls.ca,
          HANDSCHLAG_ALLOW_PRIVATE_ADDRESSES: 'localhost,127.0.0.0/8,::1/128',
          HANDSCHLAG_LOG_LEVEL: 'info',
        },
      }
    }),
  )
}

export type Goods = {
  readonly id: string
  readonly kind: string
  readonly config: JsonObject
  readonly signals: readonly SignalDeclaration[]
  readonly terms: Terms
}

/** Writes partner and goods into the company's store; answers the offers by dataset, as a catalog would show them. */
export async function furnish(
  company: Company,
  partner: Company,
  goods: readonly Goods[] = [],
): Promise<Readonly<Record<string, JsonObject>>> {
  await using store = openStore(join(company.dataDir, 'handschlag.db'))
  const at = Date.now() as EpochMs
  await store.putPartner({
    did: partner.did,
    name: 'partner',
    address: partner.address,
    trust: 'trusted',
    seal: 'require',
    addedAt: at,
  })
  const offers: Record<string, JsonObject> = {}
  for (const { id, kind, config, signals, terms } of goods) {
    const policy = demand(policyFromTerms(terms))
    await store.putSource({ id, kind, config, sealedSecrets: {}, createdAt: at })
    await store.putDataset({
      id,
      title: id,
      keywords: [],
      signals,
      sourceId: id,
      published: true,
      createdAt: at,
      updatedAt: at,
    })
    await store.putOffer({ id: `${id}-offer`, datasetId: id, policy, createdAt: at })
    offers[id] = { ...policy, '@id': `${id}-offer`, '@type': 'Offer', target: id }
  }
  return offers
}
