/** Delivers the same records under the same terms in each of the ways there are: what arrives has to be the same. */
import { createHash } from 'node:crypto'
import { ok } from '../../../connector/core/result.js'
import type { EpochMs } from '../../../connector/core/types.js'
import { createDataPlane } from '../../../connector/dataplane/delivery/data-plane.js'
import type { PushState } from '../../../connector/dataplane/ports.js'
import type { DataRecord, Signal } from '../../../connector/dataplane/record.js'
import type { Plan } from '../../../connector/policy/plan.js'
import { grant, linesOf, plan, type Served, serveDataPlane } from './data-plane-server.js'
import { type Kind, openLive } from './live-client.js'
import { memorySource } from './memory-source.js'
import { handTime, waitFor } from './time.js'

export const WAYS = ['pull', 'pages', 'pages at once', 'sse', 'ws', 'push', 'push after a restart'] as const
export type Way = (typeof WAYS)[number]

export type Delivered = {
  readonly lines: readonly Record<string, unknown>[]
  /** Everything that went over the wire as content. */
  readonly raw: string
}

export type Case = {
  readonly terms: Partial<Plan>
  readonly records: readonly DataRecord[]
  readonly signals: readonly Signal[]
  readonly pseudonymKey?: Uint8Array
  /** How many lines have to arrive; more than that is waited for as well, and fails the comparison. */
  readonly expected: number
}

export function deliver(way: Way, given: Case): Promise<Delivered> {
  if (way === 'sse' || way === 'ws') return live(way, given)
  if (way === 'pull' || way === 'pages' || way === 'pages at once') return pulled(way, given)
  return pushed(given, way === 'push' ? undefined : 1)
}

const serve = async ({ terms, records, signals, pseudonymKey }: Case, takes = false): Promise<Served> => {
  const source = memorySource(records, { batch: 3, takes })
  const served = await serveDataPlane(source, { signalsOf: () => signals })
  served.plane.start({ ...grant(), plan: plan(terms), ...(pseudonymKey && { pseudonymKey }) })
  return served
}

async function pulled(way: 'pull' | 'pages' | 'pages at once', given: Case): Promise<Delivered> {
  await using served = await serve(given, way === 'pages at once')
  if (way === 'pull') {
    const raw = await (await served.get()).text()
    return { raw, lines: linesOf(raw) }
  }
  let raw = ''
  let query: string | undefined = '?limit=1'
  while (query !== undefined) {
    const page: Response = await served.get(query)
    raw += await page.text()
    query = /<([^>]*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
  }
  return { raw, lines: linesOf(raw) }
}

async function live(kind: Kind, given: Case): Promise<Delivered> {
  await using served = await serve(given)
  const client = await openLive(kind, served, '?from=0')
  const { records } = client
  await waitFor(() => records.length >= given.expected, `${given.expected} records, have ${records.length}`)
  // Whatever is too much has been shaped in the same turn of the pipeline.
  await new Promise<void>((resolve) => setImmediate(resolve))
  client.close()
  return { raw: client.raw(), lines: records }
}

/** @param stopAfter batches after which the connector is stopped and started anew. */
async function pushed(
  { terms, records, signals, expected, pseudonymKey }: Case,
  stopAfter?: number,
): Promise<Delivered> {
  let kept: { state: PushState; body?: Uint8Array } | undefined
  const bodies = new Map<string, string>()
  const source = memorySource(records, { batch: 3 })
  const time = handTime(Math.max(0, ...records.map((record) => record.time)) + 400 * 86_400_000)
  const open = () => {
    const plane = createDataPlane({
      sourceOf: () => ok(source),
      signalsOf: () => signals,
      usage: { book: async () => ({ granted: 0 }) },
      log: { delivered: () => {}, stopped: () => {} },
      clock: time.clock,
      schedule: time.schedule,
      limits: { drainMs: 0 },
      push: {
        journal: {
          read: () => kept,
          write: async (_pid, state) => {
            kept = { state }
          },
          book: async (_grant, { records: granted }, _quota, pending) => {
            kept = pending(granted)
            return { granted }
          },
        },
        bounds: { maxRecords: 1 },
        log: { acknowledged: () => {}, failed: () => {}, halted: () => {}, completed: () => {} },
        post: async ({ headers, body }) => {
          bodies.set(headers['idempotency-key'] ?? '', Buffer.from(body as Uint8Array).toString())
          return ok({ status: 200 })
        },
      },
    })
    plane.start({
      ...grant(),
      tokenHash: createHash('sha256').update('push').digest('hex'),
      plan: plan(terms),
      ...(pseudonymKey && { pseudonymKey }),
      push: { endpoint: 'https://sink.example/x', from: 0 as EpochMs },
    })
    return plane
  }
  let plane = open()
  const lines = () => linesOf([...bodies.values()].join(''))
  if (stopAfter !== undefined && expected > stopAfter) {
    await waitFor(() => bodies.size >= stopAfter, `${stopAfter} batches`)
    await plane[Symbol.asyncDispose]()
    plane = open()
  }
  await waitFor(() => lines().length >= expected, `${expected} records, have ${lines().length}`)
  await new Promise<void>((resolve) => setImmediate(resolve))
  await plane[Symbol.asyncDispose]()
  return { raw: [...bodies.values()].join(''), lines: lines() }
}
