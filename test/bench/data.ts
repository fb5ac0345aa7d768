/**
 * How fast data flows under a contract: small pulls against a bare proxy, large ones against a bare file server, from
 * the connector's real data plane, with a real token under a real agreement.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type EpochMs, systemClock } from '../../connector/core/types.js'
import { freePorts, openBroker } from '../../connector/demo/world.js'
import { openRecordLog } from '../../connector/store/sqlite/record-log.js'
import type { ProxyInput } from './bare-proxy.js'
import type { ServerInput } from './bare-server.js'
import { type Child, memoryOf, startChild, watchMemory } from './child.js'
import { foundCompanies, furnish, openPlace } from './company.js'
import { type Answered, openLoad, type Target } from './load.js'
import type { MemberInput, TransferAnswer, TransferInput } from './member.js'
import { aim, figure, megabytes, note, perSecond, section, times, title, us } from './report.js'

const SMALL_REQUESTS = 20_000
const WARM_UP = 2_000
/** Fewer than the data plane serves at a time under one transfer. */
const CONNECTIONS = 4
const PAGE_RECORDS = 8
const GIGABYTE = 1_000_000_000
const CSV_ROWS = 1_500_000
const SIGNALS = ['temperature', 'vibration', 'pressure', 'flow', 'speed'] as const
const START = Date.UTC(2026, 0, 1)

title(
  'Data: pulls under a contract',
  `HTTPS with verified certificates, keep-alive, ${CONNECTIONS} connections. CPU is that of the serving process alone.`,
)

await using place = await openPlace()
const [provider, consumer] = await foundCompanies(place, ['provider', 'consumer'])
if (provider === undefined || consumer === undefined) throw new Error('no companies')
const [brokerPort = 0] = await freePorts(1)
const path = (name: string): string => join(place.folder, name)

section('Preparing: history, a 1 KB file, a 1 GB file, a CSV file')
await writeFile(path('small.bin'), Buffer.alloc(1024, 'x'))
await writeFile(path('large.bin'), '')
await truncate(path('large.bin'), GIGABYTE)
await pipeline(Readable.from(csvText()), createWriteStream(path('pump.csv')))
await writeHistory()

const signals = SIGNALS.map((name) => ({ name, type: 'number' as const }))
const offers = await furnish(provider, consumer, [
  {
    id: 'history',
    kind: 'mqtt',
    config: {
      url: `mqtt://127.0.0.1:${brokerPort}`,
      topics: ['pump/state'],
      mapping: {
        time: { path: 'time', format: 'epoch-ms' },
        signals: Object.fromEntries(SIGNALS.map((name) => [name, name])),
      },
    },
    signals,
    terms: { until: '2099-12-31', fields: [...SIGNALS] },
  },
  {
    id: 'small',
    kind: 'bytes',
    config: { file: path('small.bin') },
    signals: [],
    terms: { until: '2099-12-31' },
  },
  {
    id: 'large',
    kind: 'bytes',
    config: { file: path('large.bin') },
    signals: [],
    terms: { until: '2099-12-31' },
  },
  {
    id: 'csv',
    kind: 'files',
    config: {
      file: path('pump.csv'),
      format: 'csv',
      time: { column: 'time', format: 'epoch-ms' },
      signals: Object.fromEntries(SIGNALS.map((name) => [name, name])),
    },
    signals,
    terms: { until: '2099-12-31', fields: [...SIGNALS] },
  },
])
await furnish(consumer, provider)

await using _broker = await openBroker(undefined, brokerPort)
await using seller = startChild(
  'member',
  { env: provider.env } satisfies MemberInput,
  join(provider.dataDir, 'log'),
)
await using buyer = startChild(
  'member',
  { env: consumer.env } satisfies MemberInput,
  join(consumer.dataDir, 'log'),
)
await seller.cpu()

async function targetOf(dataset: string, query = ''): Promise<Target> {
  const offer = offers[dataset]
  if (offer === undefined || provider === undefined) throw new Error(`no offer for ${dataset}`)
  const { endpoint, token } = await buyer.ask<TransferAnswer>('transfer', {
    partner: provider.did,
    offer,
  } satisfies TransferInput)
  return { url: endpoint + query, headers: { authorization: `Bearer ${token}` } }
}

type Measured = Answered & { readonly cpu: number }

/** One load against one process, after a warm-up that is not counted. */
async function small(server: Child, target: Target): Promise<Measured> {
  await using load = openLoad(place.tls.ca, CONNECTIONS)
  await load.run(target, WARM_UP)
  const before = await server.cpu()
  const answered = await load.run(target, SMALL_REQUESTS)
  return { ...answered, cpu: (await server.cpu()) - before }
}

function showSmall(name: string, { ms, requests, bytes, cpu }: Measured): void {
  figure(`${name}: pulls`, perSecond((requests / ms) * 1000), `${Math.round(bytes / requests)} bytes each`)
  figure(`${name}: CPU per pull`, us(cpu / requests))
}

section(`${SMALL_REQUESTS.toLocaleString('en')} small pulls each`)
const page = await small(seller, await targetOf('history', `?limit=${PAGE_RECORDS}`))
showSmall('page of records from history', page)
const file = await small(seller, await targetOf('small'))
showSmall('file of 1 KB', file)
const bare = await bareProxy()
showSmall('yardstick: bare undici proxy', bare)
const cpuOf = ({ cpu, requests }: Measured): number => cpu / requests
const rateOf = ({ ms, requests }: Measured): number => requests / ms
figure('page of records against the yardstick, rate', times(rateOf(page) / rateOf(bare)))
figure('page of records against the yardstick, CPU', times(cpuOf(page) / cpuOf(bare)))
figure('file of 1 KB against the yardstick, rate', times(rateOf(file) / rateOf(bare)))
figure('file of 1 KB against the yardstick, CPU', times(cpuOf(file) / cpuOf(bare)))

type Large = Measured & { readonly before: number; readonly peak: number; readonly growth: number }

async function large(server: Child, target: Target): Promise<Large> {
  await using load = openLoad(place.tls.ca, 1)
  const before = memoryOf(server.pid) ?? 0
  const cpuBefore = await server.cpu()
  const stop = watchMemory(server.pid)
  const answered = await load.run(target, 1)
  return { ...answered, cpu: (await server.cpu()) - cpuBefore, before, ...stop() }
}

function showLarge(name: string, { ms, bytes, cpu, before, peak, growth }: Large): void {
  figure(`${name}: throughput`, `${(bytes / ms / 1000).toFixed(0)} MB/s`, `${megabytes(bytes)}`)
  figure(`${name}: CPU per GB`, `${((cpu / 1000) * (GIGABYTE / bytes)).toFixed(0)} ms`)
  figure(
    `${name}: memory at most`,
    megabytes(peak),
    `before ${megabytes(before)}, second half above first half ${megabytes(growth)}`,
  )
}

section('Large pulls')
// Read once right before: filling the page cache is not the business of whoever comes first.
for await (const _ of createReadStream(path('large.bin'), { highWaterMark: 1 << 20 }));
const gigabyte = await large(seller, await targetOf('large'))
showLarge('file of 1 GB', gigabyte)
const rows = await large(seller, await targetOf('csv'))
showLarge('CSV file as NDJSON', rows)
figure('CSV file as NDJSON: records', perSecond((CSV_ROWS / rows.ms) * 1000))
const bareFile = await bareLarge()
showLarge('yardstick: file over node:https', bareFile)
figure(
  'file of 1 GB against the yardstick',
  times(gigabyte.bytes / gigabyte.ms / (bareFile.bytes / bareFile.ms)),
)

section('Aims')
const growth = Math.max(gigabyte.growth, rows.growth)
aim(`a 1 KB page for under 120 us of the provider's CPU: ${us(cpuOf(page))}`, cpuOf(page) < 120)
aim(`a 1 KB file for under 120 us of the provider's CPU: ${us(cpuOf(file))}`, cpuOf(file) < 120)
aim(
  `page within 1.5 times of the bare proxy, rate: ${times(rateOf(bare) / rateOf(page))}`,
  rateOf(bare) / rateOf(page) <= 1.5,
)
aim(`flat memory in large pulls: the second half took ${megabytes(growth)} more`, growth < 20e6)
note('For reference, stock EDC on such a machine: 1317 pulls/s of 1 KB at 1240 us of CPU each.')
note(
  'What limits it: a small pull is bound by TLS and HTTP of one thread, then by reading and encoding the page; the load',
)
note(
  'generator takes the other core. A large file is bound by TLS; a CSV file by parsing its text into checked records.',
)

async function bareProxy(): Promise<Measured> {
  const body = 'x'.repeat(1024)
  await using backend = startChild('bare-server', { body } satisfies ServerInput)
  const origin = await backend.ask<string>('url')
  await using proxy = startChild('bare-proxy', { tls: place.tls, backend: origin } satisfies ProxyInput)
  return await small(proxy, { url: `${await proxy.ask<string>('url')}/`, headers: {} })
}

async function bareLarge(): Promise<Large> {
  await using server = startChild('bare-server', {
    file: path('large.bin'),
    tls: place.tls,
  } satisfies ServerInput)
  return await large(server, { url: `${await server.ask<string>('url')}/`, headers: {} })
}

function valuesAt(index: number): number[] {
  return SIGNALS.map((_, signal) => Number((50 + 10 * Math.sin(index / (20 + signal))).toFixed(3)))
}

function* csvText(): Generator<string> {
  yield `time,${SIGNALS.join(',')}\n`
  let text = ''
  for (let index = 0; index < CSV_ROWS; index++) {
    text += `${START + index * 100},${valuesAt(index).join(',')}\n`
    if (text.length < 1 << 20) continue
    yield text
    text = ''
  }
  yield text
}

/** What a machine has sent before, as the connector keeps it. */
async function writeHistory(): Promise<void> {
  await using log = openRecordLog(join(provider?.dataDir ?? '', 'history.db'), { clock: systemClock })
  const records = Array.from({ length: 10_000 }, (_, index) => ({
    time: (START + index * 1000) as EpochMs,
    series: '',
    values: Object.fromEntries(SIGNALS.map((name, at) => [name, valuesAt(index)[at] ?? 0])),
  }))
  await log.append('history', records)
}
