/** A data plane behind a real node:http server on loopback. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { bookInto, NOTHING_USED, type Used } from '../../../connector/core/quota.js'
import { ok, type Problem, problem } from '../../../connector/core/result.js'
import { systemClock } from '../../../connector/core/types.js'
import {
  createDataPlane,
  type DataPlane,
  type DataPlaneDeps,
} from '../../../connector/dataplane/delivery/data-plane.js'
import type { DeliveryLog, Grant, Source, UsageMeter } from '../../../connector/dataplane/ports.js'
import type { Signal } from '../../../connector/dataplane/record.js'
import type { Plan } from '../../../connector/policy/plan.js'

export const PID = 'urn:uuid:0e6d0b1c-6b3f-4c57-9a1e-5b6a4d1f0001'
export const TOKEN = 'token-of-the-first-transfer'
export const RECIPIENT = 'did:web:partner.example'
export const SIGNALS: readonly Signal[] = [
  { name: 'temp', type: 'number' },
  { name: 'load', type: 'number' },
  { name: 'note', type: 'string' },
]

export const plan = (terms: Partial<Plan> = {}): Plan => ({ version: 1, hash: 'a'.repeat(64), ...terms })

export const grant = (terms: Partial<Plan> = {}, more: Partial<Grant> = {}): Grant => ({
  transferPid: PID,
  agreementId: 'urn:uuid:agreement',
  datasetId: 'dataset',
  recipient: RECIPIENT,
  plan: plan(terms),
  tokenHash: createHash('sha256').update(TOKEN).digest('hex'),
  ...more,
})

/** Counts in memory; the real one is durable. */
export function memoryMeter() {
  let total = 0
  const days = new Map<number | undefined, Used['day']>()
  const meter: UsageMeter = {
    book: async (_agreement, asked, quota) => {
      const day = quota.day?.number
      const { used, ...booking } = bookInto({ total, day: days.get(day) ?? NOTHING_USED.day }, asked, quota)
      total = used.total
      days.set(day, used.day)
      return booking
    },
  }
  return { meter, used: () => total, today: () => [...days.values()].at(-1) ?? NOTHING_USED.day }
}

export type Served = AsyncDisposable & {
  readonly plane: DataPlane
  readonly origin: string
  readonly url: string
  readonly sockets: ReadonlySet<Socket>
  readonly delivered: Parameters<DeliveryLog['delivered']>[0][]
  readonly stopped: Problem[]
  get(query?: string, headers?: Record<string, string>, method?: string): Promise<Response>
}

export async function serveDataPlane(
  source: Source | undefined,
  more: Partial<DataPlaneDeps> = {},
): Promise<Served> {
  const delivered: Served['delivered'] = []
  const stopped: Problem[] = []
  const plane = createDataPlane({
    sourceOf: () => (source === undefined ? problem('NotFound', 'There is no such dataset.') : ok(source)),
    signalsOf: () => SIGNALS,
    usage: memoryMeter().meter,
    log: { delivered: (entry) => delivered.push(entry), stopped: (_pid, reason) => stopped.push(reason) },
    clock: systemClock,
    ...more,
  })
  const server = createServer((req, res) => void plane.handle(req, res))
  server.on('upgrade', (req, socket, head) => void plane.upgrade(req, socket, head))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `${origin}/data/${encodeURIComponent(PID)}`
  return {
    plane,
    origin,
    url,
    sockets,
    delivered,
    stopped,
    get: (query = '', headers = {}, method = 'GET') =>
      fetch(`${url}${query}`, { method, headers: { authorization: `Bearer ${TOKEN}`, ...headers } }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
