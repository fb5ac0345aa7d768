/** A dataset of readings to push, a receiver that does what a test tells it, and what arrives there. */

import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { issueServerCertificate } from '../../certs-dev/generate.js'
import { type Answer, type Dataspace, enc, ended, type Member } from '../support/dataspace.js'

export type Delivery = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Receiver = AsyncDisposable & {
  readonly url: string
  readonly deliveries: readonly Delivery[]
  /** Records that were acknowledged, in order. */
  records(): readonly Answer[]
  /** What to answer from now on; `undefined` never answers, `close` breaks the connection. */
  answer(status: (delivery: Delivery) => number | 'close' | undefined): void
}

/** HTTPS, with a certificate of the dataspace's authority. */
export async function startReceiver(space: Dataspace): Promise<Receiver> {
  const ca = {
    cert: readFileSync(space.ca, 'utf8'),
    key: readFileSync(join(space.folder, 'certs', 'ca.key'), 'utf8'),
  }
  const tls = await issueServerCertificate(ca, { dnsNames: ['localhost'] })
  const deliveries: Delivery[] = []
  const taken: Delivery[] = []
  let decide: (delivery: Delivery) => number | 'close' | undefined = () => 200
  const server = createServer(tls, async (req, res): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const delivery = {
      path: req.url ?? '',
      headers: req.headers,
      body: Buffer.concat(chunks).toString(),
    }
    deliveries.push(delivery)
    const status = decide(delivery)
    if (status === 'close') return void req.socket.destroy()
    if (status === undefined) return
    if (status < 300) taken.push(delivery)
    res.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/sink`,
    deliveries,
    records: () => taken.flatMap(({ body }) => linesOf(body)),
    answer(status) {
      decide = status
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const linesOf = (text: string): readonly Answer[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer)

/** Readings value 0, 1, 2, ... one second apart, published under `terms`. */
export async function offerReadings(
  space: Dataspace,
  provider: Member,
  count: number,
  terms: object = { until: '2099-12-31' },
): Promise<string> {
  const file = join(space.folder, 'readings.csv')
  await writeFile(file, `time,value\n${rows(0, count)}`)
  await provider.put('/api/v1/sources/readings', {
    kind: 'files',
    config: {
      file,
      format: 'csv',
      time: { column: 'time', format: 'iso' },
      signals: { value: 'value' },
    },
  })
  await provider.put('/api/v1/datasets/readings', {
    title: 'Readings',
    signals: [{ name: 'value', type: 'integer' }],
    sourceId: 'readings',
  })
  await provider.post('/api/v1/datasets/readings/offers', { terms })
  await provider.post('/api/v1/datasets/readings/publish')
  return file
}

export const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `${instant(from + i)},${from + i}\n`).join('')

export const instant = (second: number): string =>
  new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString()

export const values = (records: readonly Answer[]): readonly unknown[] => records.map(({ value }) => value)
export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

export const pathOf = (transfer: string): string => `/api/v1/transfers/${enc(transfer)}`

/** Asks for a push and waits until it has started. */
export async function pushUnder(consumer: Member, contract: string, more: object = {}): Promise<string> {
  const begun = await consumer.post('/api/v1/transfers', { contract, format: 'HttpData-PUSH', ...more })
  const done = await ended(consumer, pathOf(String(begun.pid)), ['STARTED', 'COMPLETED', 'TERMINATED'])
  if (done.state === 'TERMINATED') throw new Error(String(done.reason))
  return String(done.pid)
}
