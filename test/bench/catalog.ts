/**
 * What a catalog costs when much is offered: the first and the last page for a partner that may see everything and for
 * one that may see ten datasets, over HTTPS with an identity token, against the same bytes without any of that.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { type EpochMs, type ParticipantId, systemClock } from '../../connector/core/types.js'
import { loadKeys } from '../../connector/crypto/keys.js'
import { catalogRequest } from '../../connector/dsp/build-catalog.js'
import { didDocument } from '../../connector/identity/did-web.js'
import { createTokenIssuer } from '../../connector/identity/token.js'
import { policyFromTerms } from '../../connector/policy/write.js'
import { offerAudience } from '../../connector/services/catalog.js'
import { allows, understood } from '../../connector/services/contract.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import { startChild } from './child.js'
import { type Company, foundCompanies, openPlace, type Place } from './company.js'
import type { MemberInput } from './member.js'
import { aim, demand, figure, median, ms, note, section, times, title, us } from './report.js'

const SCALES = [1_000, 10_000, 100_000] as const
/** Datasets that the second partner may see. */
const FEW = 10
const WARM_UP = 60
const ROUNDS = 5
const REQUESTS = 20
const ADDED = 200

title(
  'Catalog: one page of 100 datasets over HTTPS',
  `Each dataset has an offer of its own for named recipients: one partner may see all, another ${FEW} of them.`,
)
await using place = await openPlace()
const ca = readFileSync(place.tls.ca, 'utf8')

type Figures = { readonly p50: number; readonly cpu: number; readonly bytes: number; readonly body: Buffer }

/** A partner that only asks for catalogs: its DID document, served, and tokens by its key. */
async function openAsker(company: Company, provider: Company) {
  const keys = demand(await loadKeys(join(company.dataDir, 'keys')))
  const document = JSON.stringify(
    didDocument({
      did: company.did,
      keys,
      dspBase: company.address,
      versionUrl: `${company.publicUrl}/.well-known/dspace-version`,
    }),
  )
  const server = https.createServer(
    { cert: readFileSync(place.tls.cert), key: readFileSync(place.tls.key) },
    (_req, res) => res.writeHead(200, { 'content-type': 'application/did+json' }).end(document),
  )
  await new Promise<void>((resolve) =>
    server.listen(Number(new URL(company.publicUrl).port), 'localhost', resolve),
  )
  const agent = new Agent({ connections: 1, connect: { ca } })
  const issuer = createTokenIssuer({ did: company.did, authKey: keys.auth, clock: systemClock })
  return {
    /** One page; `after` is a place in the catalog. */
    async page(after?: string): Promise<{ readonly ms: number; readonly body: Buffer }> {
      const headers = {
        authorization: `Bearer ${issuer.tokenFor(provider.did)}`,
        'content-type': 'application/json',
      }
      const body = JSON.stringify(catalogRequest())
      const url = `${provider.address}/catalog/request${after === undefined ? '' : `?after=${after}`}`
      const began = performance.now()
      const answer = await request(url, { dispatcher: agent, method: 'POST', headers, body })
      const bytes = Buffer.from(await answer.body.arrayBuffer())
      if (answer.statusCode !== 200) throw new Error(`the catalog was answered with ${answer.statusCode}`)
      return { ms: performance.now() - began, body: bytes }
    },
    [Symbol.asyncDispose]: async () => {
      await agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const idOf = (index: number): string => `dataset-${String(index).padStart(6, '0')}`

/** What a machine of this kind has; the offers deliver two of them. */
const SIGNALS = ['pressure', 'flow', 'temperature', 'speed'].map((name) => ({
  name,
  type: 'number' as const,
  unit: '1',
}))

/** Fills the store as publishing would; answers what evaluating every offer costs, and what one more offer costs. */
async function fill(provider: Company, all: Company, few: Company, count: number) {
  await using store = openStore(join(provider.dataDir, 'handschlag.db'), {
    audience: { version: 'bench', of: offerAudience },
  })
  const at = Date.now() as EpochMs
  for (const { did, address } of [all, few]) {
    await store.putPartner({ did, name: did, address, trust: 'trusted', seal: 'off', addedAt: at })
  }
  const put = async (index: number, recipients: readonly ParticipantId[]): Promise<void> => {
    const id = idOf(index)
    const policy = demand(policyFromTerms({ recipients, until: '2099-12-31', fields: ['pressure', 'flow'] }))
    await Promise.all([
      store.putDataset({
        id,
        title: `Machine ${index}`,
        description: 'Pressure, flow and temperature of one machine, once per second.',
        keywords: ['pump', 'pressure'],
        machineId: id,
        signals: SIGNALS,
        published: true,
        createdAt: at,
        updatedAt: at,
      }),
      store.putOffer({ id: `${id}-offer`, datasetId: id, policy, createdAt: at }),
    ])
  }
  const step = Math.floor(count / FEW)
  for (let from = 0; from < count; from += 1000) {
    await Promise.all(
      Array.from({ length: Math.min(1000, count - from) }, (_, i) =>
        put(from + i, (from + i) % step === 0 ? [all.did, few.did] : [all.did]),
      ),
    )
  }
  const cpu = process.cpuUsage()
  for (let i = 0; i < ADDED; i++) await put(count + i, [all.did])
  const { user, system } = process.cpuUsage(cpu)

  const began = performance.now()
  const facts = { at, recipient: few.did }
  const found = store.datasets().filter((dataset) =>
    store.offersOf(dataset.id).some((offer) => {
      const policy = understood(offer.policy)
      return policy.ok && allows(policy.value, 'catalog', facts).ok
    }),
  )
  if (found.length !== FEW) throw new Error(`${found.length} datasets for the partner that may see ${FEW}`)
  return { naiveMs: performance.now() - began, addingUs: (user + system) / ADDED }
}

async function measure(
  child: { cpu(): Promise<number> },
  page: () => Promise<{ readonly ms: number; readonly body: Buffer }>,
): Promise<Figures> {
  for (let i = 0; i < WARM_UP; i++) await page()
  const latencies: number[] = []
  const cpu: number[] = []
  let body: Buffer = Buffer.alloc(0)
  for (let round = 0; round < ROUNDS; round++) {
    const before = await child.cpu()
    for (let i = 0; i < REQUESTS; i++) {
      const answered = await page()
      latencies.push(answered.ms)
      body = answered.body
    }
    cpu.push(((await child.cpu()) - before) / REQUESTS)
  }
  return { p50: median(latencies), cpu: median(cpu), bytes: body.length, body }
}

/** The same bytes out of a file over HTTPS. */
async function yardstick(place: Place, body: Buffer): Promise<Figures> {
  const file = join(place.folder, 'page.json')
  writeFileSync(file, body)
  await using server = startChild('bare-server', { file, tls: place.tls })
  const url = await server.ask<string>('url')
  const agent = new Agent({ connections: 1, connect: { ca } })
  const figures = await measure(server, async () => {
    const began = performance.now()
    const answer = await request(url, { dispatcher: agent })
    return { body: Buffer.from(await answer.body.arrayBuffer()), ms: performance.now() - began }
  })
  await agent.destroy()
  return figures
}

const PAGES = ['all, first page', 'all, last page', `${FEW} of them`] as const
const results: { readonly count: number; readonly of: ReadonlyMap<string, Figures> }[] = []
for (const count of SCALES) {
  const names = ['provider', 'all', 'few'].map((name) => `${name}-${count}`)
  const [provider, all, few] = await foundCompanies(place, names)
  if (provider === undefined || all === undefined || few === undefined) throw new Error('no companies')
  const { naiveMs, addingUs } = await fill(provider, all, few, count)
  await using everything = await openAsker(all, provider)
  await using little = await openAsker(few, provider)
  const began = performance.now()
  await using child = startChild(
    'member',
    { env: provider.env } satisfies MemberInput,
    join(provider.dataDir, 'log'),
  )
  await child.cpu()
  const startedMs = performance.now() - began

  section(`${count.toLocaleString('en')} offers`)
  const last = idOf(count + ADDED - 101)
  const asked = [() => everything.page(), () => everything.page(last), () => little.page()]
  const figures = new Map<string, Figures>()
  for (const [index, name] of PAGES.entries()) {
    const page = asked[index]
    if (page === undefined) continue
    const measured = await measure(child, page)
    figures.set(name, measured)
    const datasets = (JSON.parse(measured.body.toString()) as { dataset: unknown[] }).dataset.length
    figure(
      name,
      ms(measured.p50),
      `${us(measured.cpu)} of CPU, ${datasets} datasets, ${measured.bytes} bytes`,
    )
  }
  figure('evaluating every offer once', ms(naiveMs), 'what the index saves, without HTTP')
  figure('CPU of adding one more dataset and offer', us(addingUs))
  figure('start of the connector', ms(startedMs))
  results.push({ count, of: figures })
}

const [smallest, middle] = results
const largest = results.at(-1)
const first = PAGES[0]
const page = middle?.of.get(first)
if (page === undefined) throw new Error('nothing was measured')
section('Yardstick: the bytes of a first page out of a file over HTTPS')
const bare = await yardstick(place, page.body)
figure('latency p50', ms(bare.p50), `ours ${times(page.p50 / bare.p50)}`)
figure('CPU', us(bare.cpu), `ours ${times(page.cpu / bare.cpu)}`)

section('Aims')
aim(`first page of 10,000 offers in less than 20 ms: ${ms(page.p50)}`, page.p50 < 20)
const growth = Math.max(
  ...PAGES.map((name) => (largest?.of.get(name)?.cpu ?? 0) / (smallest?.of.get(name)?.cpu ?? 1)),
)
aim(`flat from 1,000 to 100,000 offers, in CPU: ${times(growth)}`, growth < 1.5)
note(
  'What limits it: reading, judging and writing the 100 offers of a page, one after another on one thread; how many',
)
note('there are besides makes no difference, because the store knows for each offer who can possibly see it.')
