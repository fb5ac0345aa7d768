/** How soon nothing more is delivered: streams that run at full speed, from the stop of a transfer to the last byte. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type EpochMs, systemClock } from '../../connector/core/types.js'
import { createDataPlane } from '../../connector/dataplane/delivery/data-plane.js'
import type { RecordSource } from '../../connector/dataplane/ports.js'
import { machineRecords, plan, SIGNALS } from './machine.js'
import { aim, figure, note, section, title } from './report.js'

const STREAMS = 8
const ROUNDS = 10
const BATCH = 512
const AIM_MS = 100
const TOKEN = 'bench'

title(
  'Stop: from the end of a contract to the last byte that arrives',
  `${STREAMS} streams by Server-Sent Events at full speed, provider and receivers in one process; ${ROUNDS} rounds each.`,
)

/** Never ends, and answers as fast as it is asked. */
const endless: RecordSource = {
  kind: 'records',
  async *read({ signal }) {
    for (let at = 0; !signal.aborted; at += BATCH) {
      yield machineRecords(at, BATCH).map((record, n) => ({ ...record, position: String(at + n) }))
    }
  },
  changed: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  timeOf: async () => ({ ok: true, value: 0 as EpochMs }),
}

const plane = createDataPlane({
  clock: systemClock,
  sourceOf: () => ({ ok: true, value: endless }),
  signalsOf: () => SIGNALS,
  usage: { book: async (_agreement, { records: granted }) => ({ granted }) },
  log: { delivered: () => {}, stopped: () => {} },
})
const server = createServer((req, res) => void plane.handle(req, res))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

type Heard = { last: number; bytes: number; readonly closed: Promise<void> }

function listen(pid: string): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: TOKEN, accept: 'text/event-stream' }
    const asked = request({ port, path: `/data/${pid}?from=0`, headers }, (res: IncomingMessage) => {
      const heard: Heard = {
        last: 0,
        bytes: 0,
        closed: new Promise((done) => res.once('close', () => done())),
      }
      res.on('data', (chunk: Buffer) => {
        heard.last = performance.now()
        heard.bytes += chunk.length
      })
      res.on('error', () => {})
      resolve(heard)
    })
    asked.on('error', reject).end()
  })
}

/** The latest byte after the end, over all streams, milliseconds. */
async function round(
  pid: string,
  notAfter: EpochMs | undefined,
  end: () => Promise<number>,
): Promise<number> {
  plane.start({
    transferPid: pid,
    agreementId: pid,
    datasetId: 'machine',
    recipient: 'did:web:consumer.example',
    plan: { ...plan, ...(notAfter !== undefined && { notAfter }) },
    tokenHash: createHash('sha256').update(TOKEN).digest('hex'),
  })
  const streams = await Promise.all(Array.from({ length: STREAMS }, () => listen(pid)))
  // Until all have begun; a contract that ends before that is measured as well.
  let over = false
  void Promise.all(streams.map(({ closed }) => closed)).then(() => {
    over = true
  })
  while (!over && streams.some(({ bytes }) => bytes < 100_000))
    await new Promise((resolve) => setTimeout(resolve, 5))
  const ended = await end()
  await Promise.all(streams.map(({ closed }) => closed))
  plane.forget(pid)
  return Math.max(0, ...streams.map(({ last }) => last - ended))
}

async function measure(name: string, run: (n: number) => Promise<number>): Promise<number> {
  const results: number[] = []
  for (let n = 0; n < ROUNDS; n++) results.push(await run(n))
  const [worst, middle] = [Math.max(...results), results.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0]
  figure(name, `${worst.toFixed(1)} ms`, `median ${middle.toFixed(1)} ms`)
  return worst
}

section('The last byte after the end, worst of all streams and rounds')
const revoked = await measure('a revoked contract', (n) =>
  round(`revoked-${n}`, undefined, async () => {
    const now = performance.now()
    plane.stop(`revoked-${n}`, { code: 'GrantEnded', message: 'The contract was revoked.' })
    return now
  }),
)
const expired = await measure('an expired contract', (n) => {
  const notAfter = (systemClock() + 1_500) as EpochMs
  const offset = performance.now() - Date.now()
  return round(`expired-${n}`, notAfter, async () => notAfter + offset)
})

section('Aims')
aim(`nothing more ${AIM_MS} ms after a revocation: ${revoked.toFixed(1)} ms`, revoked < AIM_MS)
aim(`nothing more ${AIM_MS} ms after an expiry: ${expired.toFixed(1)} ms`, expired < AIM_MS)
note(
  'What limits it: the turn of the event loop that the stop has to wait for, and bytes already in the kernel.',
)
server.closeAllConnections()
server.close()
await plane[Symbol.asyncDispose]()
