/**
 * The pushes of this data plane: one worker per transfer, begun when the transfer starts and ended with its flow. A
 * source that cannot be read is tried again; every other end is told to whoever decides about transfers.
 */
import type { Problem } from '../../core/result.js'
import type { Clock, EpochMs } from '../../core/types.js'
import type { Grant, PushJournal, PushLog, PushPost, PushState, SourceOf } from '../ports.js'
import { backoffMs } from '../receive/backoff.js'
import { type Schedule, waitUntil } from '../schedule.js'
import type { Delivery } from './delivery.js'
import { sourceFailed } from './pull.js'
import { NOTHING_YET, type Push, type PushOutcome, pushBytes, pushRecords } from './push.js'
import { type BatchBounds, DEFAULT_BOUNDS } from './push-batch.js'
import { DEFAULT_RETRIES, type Retries } from './push-send.js'
import type { createTransfers, Flow, Transfer } from './transfers.js'

/** What pushes need beside everything else; without it this data plane does not push. */
export type PushDeps = {
  readonly post: PushPost
  readonly journal: PushJournal
  readonly log: PushLog
  readonly random?: () => number
  readonly bounds?: Partial<BatchBounds>
  readonly retries?: Partial<Retries>
}

export type PusherDeps = {
  readonly push: PushDeps
  readonly transfers: ReturnType<typeof createTransfers>
  readonly deliveryOf: (transfer: Transfer, flow: Flow) => Delivery & { close(): void }
  readonly sourceOf: SourceOf
  readonly clock: Clock
  readonly schedule: Schedule
}

export type Pusher = {
  /** Begins or goes on; a push that runs under the same start is left alone. */
  start(grant: Grant): void
  state(transferPid: string): PushState
  /** Resolves when every worker has ended. */
  settled(): Promise<void>
}

/** What is told to whoever decides about transfers. */
type Told = Exclude<PushOutcome, undefined | { readonly is: 'again' }>

export function createPusher({ push, transfers, deliveryOf, sourceOf, clock, schedule }: PusherDeps): Pusher {
  const retries = { ...DEFAULT_RETRIES, ...push.retries }
  const bounds = { ...DEFAULT_BOUNDS, ...push.bounds }
  const random = push.random ?? Math.random
  const running = new Map<string, { readonly flow: Flow; readonly tokenHash: string }>()
  const workers = new Map<string, Promise<void>>()

  async function work(transferPid: string): Promise<void> {
    const transfer = transfers.find(transferPid)
    const target = transfer?.grant.push
    if (transfer === undefined || transfer.stopped !== undefined || target === undefined) return
    const opened = transfers.open(transfer, 'push')
    if (!opened.ok) return push.log.halted(transferPid, opened.error)
    const flow = opened.value
    running.set(transferPid, { flow, tokenHash: transfer.grant.tokenHash })
    const delivery = deliveryOf(transfer, flow)
    const { post, log, journal } = push
    try {
      const outcome = await deliver(transfer, delivery, {
        target,
        post,
        log,
        journal,
        retries,
        bounds,
        random,
        isCurrent: (source) => {
          const now = sourceOf(transfer.grant.datasetId)
          return now.ok && now.value === source
        },
      })
      if (outcome !== undefined && !flow.signal.aborted) tell(delivery, outcome)
      else if (flow.problem()?.code === 'PolicyDenied') {
        // The contract's time ran out while nothing was on its way.
        tell(delivery, { is: 'stop', problem: flow.problem() as Problem })
      }
    } catch (cause) {
      const problem: Problem = {
        code: 'InternalError',
        message: 'The push failed for a reason of ours; the log says more.',
        messageDe: 'Die Zustellung ist auf unserer Seite gescheitert; das Protokoll sagt mehr.',
        detail: cause,
      }
      if (!flow.signal.aborted) push.log.halted(transferPid, problem)
    } finally {
      running.delete(transferPid)
      flow.close()
      delivery.close()
    }
  }

  /** Until it ends, whatever the source does meanwhile. */
  async function deliver(transfer: Transfer, delivery: Delivery, ways: Push): Promise<Told | undefined> {
    const { flow } = delivery
    for (let failures = 1; !flow.signal.aborted; failures++) {
      const before = ways.journal.read(transfer.grant.transferPid)?.state.batches
      let reason: Problem
      try {
        const source = sourceOf(transfer.grant.datasetId)
        if (source.ok) {
          const { value } = source
          const outcome =
            value.kind === 'records'
              ? await pushRecords({ ...delivery, source: value }, ways)
              : await pushBytes(delivery, value, ways)
          if (outcome?.is !== 'again') return outcome
          failures = 0
          continue
        }
        reason = source.error
      } catch (cause) {
        reason = sourceFailed(cause)
      }
      if (flow.signal.aborted) return undefined
      if (ways.journal.read(transfer.grant.transferPid)?.state.batches !== before) failures = 1
      const pause = backoffMs(retries, failures, random)
      ways.log.failed(transfer.grant.transferPid, reason, pause)
      await waitUntil(schedule, clock, (clock() + pause) as EpochMs, flow.signal)
    }
    return undefined
  }

  function tell({ grant, stopped }: Delivery, outcome: Told): void {
    if (outcome.is === 'complete') push.log.completed(grant.transferPid)
    else if (outcome.is === 'halt') push.log.halted(grant.transferPid, outcome.problem)
    else stopped(outcome.problem)
  }

  return {
    start(grant) {
      if (grant.push === undefined) return
      const { transferPid, tokenHash } = grant
      const present = running.get(transferPid)
      if (present?.tokenHash === tokenHash && !present.flow.signal.aborted) return
      // The one before may still be putting down its pen; two must never write under one transfer.
      const worker = (workers.get(transferPid) ?? Promise.resolve())
        .then(() => work(transferPid))
        .finally(() => {
          if (workers.get(transferPid) === worker) workers.delete(transferPid)
        })
      workers.set(transferPid, worker)
    },
    state: (transferPid) => push.journal.read(transferPid)?.state ?? NOTHING_YET,
    settled: async () => {
      await Promise.all(workers.values())
    },
  }
}
