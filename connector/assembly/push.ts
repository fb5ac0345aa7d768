/** Wires push in both directions: the way out to receivers, the address at which we receive, and what is told about both. */
import type { Readable } from 'node:stream'
import type { Log } from '../core/log.js'
import type { Counter, Registry } from '../core/metrics.js'
import type { PartnerLimits } from '../core/partner-limits.js'
import { because, err, message, ok, type Problem, type Result, textOf } from '../core/result.js'
import { type Clock, iso, type JsonObject, type Pid } from '../core/types.js'
import { request } from '../core/undici.js'
import type { PushDeps as PlanePushDeps } from '../dataplane/delivery/pusher.js'
import type { PushLog, PushPost, PushState } from '../dataplane/ports.js'
import { createPushReceiver, type Intake, type PushReceiver } from '../dataplane/receive/push-receiver.js'
import { mayUsePlainHttp } from '../domain/partner.js'
import { isFinal } from '../domain/process.js'
import { TRANSFER, type Transfer } from '../domain/transfer.js'
import type { Outgoing } from '../identity/outgoing.js'
import { describeFailure } from '../identity/outgoing-failure.js'
import { barredBy, whyStopped } from '../services/flow.js'
import { moveTransfer, type TransferDeps } from '../services/transfer.js'
import type { PushFailing, PushProgress } from '../services/transfer-push.js'
import type { Store } from '../store/store.js'
import type { Sinks } from './sinks.js'

/** Longest wait for a receiver that takes nothing or answers nothing, milliseconds. */
const SILENCE = 60_000
/** What is read of a refusal. */
const MAX_SAID = 2_000

export type PushSide = {
  /** For the data plane. */
  readonly plane: PlanePushDeps
  readonly receiver: PushReceiver
  /** Lets the ends of pushes move their transfers. */
  connect(transfers: TransferDeps): void
  progress(transfer: Transfer): PushProgress | undefined
  failing(transfer: Transfer): PushFailing | undefined
}

export function assemblePush(deps: {
  readonly clock: Clock
  readonly outgoing: Outgoing
  readonly store: Store
  readonly log: Log
  readonly metrics: Registry
  readonly sinks: Sinks
  readonly publicPath: string
  readonly maxBytes: number
  readonly limits: PartnerLimits
}): PushSide {
  const { store, log, sinks } = deps
  let transfers: TransferDeps | undefined
  const failing = new Map<string, PushFailing>()
  const failed = (transferPid: string, { message: lastError, messageDe }: Problem): void => {
    const since = failing.get(transferPid)?.since ?? iso(deps.clock())
    const german = messageDe === undefined ? {} : { lastErrorDe: messageDe }
    failing.set(transferPid, { since, lastError, ...german })
  }
  const count = counters(deps.metrics)

  const move = (transferPid: string, event: 'suspend' | 'complete', why: Problem): void => {
    if (transfers === undefined) return
    moveTransfer(transfers, transferPid as Pid, event, { code: why.code, ...because(why) })
      .then((moved) => {
        if (!moved.ok) log.warn({ transfer: transferPid, event, why: moved.error.message }, 'push ended')
      })
      .catch((cause: unknown) => log.error({ err: cause, transfer: transferPid }, 'push could not be ended'))
  }
  const pushLog: PushLog = {
    acknowledged(transferPid) {
      failing.delete(transferPid)
      count.batches.inc({ direction: 'sent' })
    },
    failed(transferPid, why, retryInMs) {
      failed(transferPid, why)
      count.failures.inc({ direction: 'sent' })
      log.warn({ transfer: transferPid, why: why.message, retryInMs }, 'push not delivered')
    },
    halted(transferPid, why) {
      failed(transferPid, why)
      count.failures.inc({ direction: 'sent' })
      log.error({ transfer: transferPid, why: why.message, detail: why.detail }, 'push halted')
      move(transferPid, 'suspend', forPartner(why))
    },
    completed: (transferPid) =>
      move(transferPid, 'complete', {
        code: 'GrantEnded',
        ...message({ en: 'Everything has been delivered.', de: 'Es wurde alles geliefert.' }),
      }),
  }

  const receiver = createPushReceiver({
    publicPath: deps.publicPath,
    maxBytes: deps.maxBytes,
    admit: deps.limits.connect,
    intakeOf: (transferPid) => (transfers === undefined ? undefined : intakeOf(transfers, transferPid)),
    openSink: async (transferPid) => {
      const sink = receiving(store, transferPid)?.sink
      return sink === undefined
        ? err({
            code: 'NotFound',
            message: `The transfer ${transferPid} has no sink.`,
            messageDe: `Die Übertragung ${transferPid} hat kein Ziel.`,
          })
        : sinks.open(sink, transferPid)
    },
    log: {
      received({ transferPid, records, bytes }) {
        failing.delete(transferPid)
        count.batches.inc({ direction: 'received' })
        count.recordsReceived.inc({}, records)
        count.bytesReceived.inc({}, bytes)
        log.debug({ transfer: transferPid, records, bytes }, 'data received')
      },
      repeated: (transferPid, batch) => log.info({ transfer: transferPid, batch }, 'repeated batch left out'),
      failed(transferPid, why) {
        failed(transferPid, why)
        count.failures.inc({ direction: 'received' })
        log.warn({ transfer: transferPid, why: why.message, detail: why.detail }, 'delivery not taken')
      },
    },
  })

  return {
    plane: {
      post: postThrough(deps.outgoing, store),
      journal: {
        read(transferPid) {
          const kept = store.pushOf(transferPid)
          return kept as { readonly state: PushState; readonly body?: Uint8Array } | undefined
        },
        write: (transferPid, state) => store.putPush(transferPid, state as JsonObject),
        book: ({ transferPid, agreementId }, asked, quota, pending) =>
          store.bookPush(transferPid, {
            agreementId,
            asked,
            ...(quota === undefined ? {} : { quota }),
            write: (granted) => pending(granted) as ReturnType<typeof pending> & { state: JsonObject },
          }),
      },
      log: pushLog,
    },
    receiver,
    connect(given) {
      transfers = given
    },
    progress(transfer) {
      const { pid, pushTo, sink } = transfer
      if (pushTo !== undefined) {
        const state = (store.pushOf(pid)?.state ?? { batches: 0, records: 0, bytes: 0 }) as PushState
        return view(pushTo.endpoint, state, failing.get(pid), state.lastAt)
      }
      if (sink === undefined) return undefined
      const pushed = sinks.pushed(sink, pid) ?? { batches: 0, records: 0, bytes: 0 }
      return view(sinks.nameOf(sink), pushed, failing.get(pid))
    },
    // What is paused or over is tried no longer, whatever happened before.
    failing: ({ pid, state }) => (state === 'STARTED' ? failing.get(pid) : undefined),
  }
}

const view = (
  to: string,
  { batches, records, bytes }: Pick<PushProgress, 'batches' | 'records' | 'bytes'>,
  { since: _, ...failure }: Partial<PushFailing> = {},
  lastAt?: PushState['lastAt'],
): PushProgress => ({
  to,
  batches,
  records,
  bytes,
  ...(lastAt === undefined ? {} : { lastAt: iso(lastAt) }),
  ...failure,
})

function counters(metrics: Registry) {
  const both = (counter: Counter): Counter => {
    for (const direction of ['sent', 'received']) counter.inc({ direction }, 0)
    return counter
  }
  return {
    batches: both(metrics.counter('handschlag_push_batches_total', 'Batches acknowledged.', ['direction'])),
    failures: both(
      metrics.counter('handschlag_push_failures_total', 'Deliveries that failed.', ['direction']),
    ),
    recordsReceived: metrics.counter('handschlag_records_received_total', 'Records delivered to us.'),
    bytesReceived: metrics.counter('handschlag_bytes_received_total', 'Bytes of data delivered to us.'),
  }
}

/** How our network looks from inside, and what its machines answer, is nobody's business. */
const forPartner = (why: Problem): Problem =>
  why.code === 'PartnerRefused'
    ? { code: why.code, ...message({ en: statusOnly(why.message), de: statusOnly(textOf(why).de) }) }
    : {
        code: why.code,
        message: 'The data could not be delivered to the endpoint of the dataAddress.',
        messageDe: 'Die Daten ließen sich an die Adresse aus der dataAddress nicht zustellen.',
      }

const statusOnly = (sentence: string): string => sentence.replace(/:[\s\S]*/, '.')

const receiving = (store: Store, transferPid: string): Transfer | undefined =>
  store.find({ kind: 'transfer', pid: transferPid as Pid, role: 'consumer' })

/** Data may come before the start message that announces it, and right after our own wish to go on. */
function intakeOf(deps: TransferDeps, transferPid: string): Intake | undefined {
  const transfer = receiving(deps.store, transferPid)
  if (transfer?.sink === undefined) return undefined
  const known = { tokenHash: deps.dataToken(transferPid, 0).hash, sender: transfer.partner }
  if (isFinal(TRANSFER, transfer.state)) {
    return { ...known, barred: { problem: whyStopped(deps, transfer), passing: false } }
  }
  const { agreementId, partner, role } = transfer
  const agreement = deps.store.agreement(agreementId, { partner, role })
  const barred = agreement === undefined ? undefined : barredBy(deps, agreement)
  if (barred !== undefined) return { ...known, barred: { problem: barred, passing: false } }
  return transfer.state === 'SUSPENDED' && transfer.pending !== 'start'
    ? { ...known, barred: { problem: whyStopped(deps, transfer), passing: true } }
    : known
}

/** One body to one address: checked as every address that a partner chooses, without redirects. */
function postThrough(outgoing: Outgoing, store: Store): PushPost {
  return async ({ recipient, url: address, headers, body, signal }) => {
    const url = outgoing.checkUrl(address, { plainHttp: mayUsePlainHttp(store.partner(recipient)) })
    if (!url.ok) return url
    try {
      const answer = await request(url.value, {
        dispatcher: outgoing.dispatcher,
        method: 'POST',
        headers,
        body: body as Uint8Array | Readable,
        signal,
        headersTimeout: SILENCE,
        bodyTimeout: SILENCE,
      })
      const { statusCode: status } = answer
      const retryAfterMs = retryAfter(answer.headers['retry-after'])
      const said = status >= 300 ? await beginning(answer.body) : undefined
      if (status < 300) await answer.body.dump({ limit: MAX_SAID })
      return ok({
        status,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(said === undefined || said === '' ? {} : { said }),
      })
    } catch (cause) {
      if (signal.aborted)
        return err({
          code: 'Stopping',
          message: 'The push has ended.',
          messageDe: 'Die Zustellung ist beendet.',
          detail: cause,
        })
      return failure(cause, url.value.host)
    } finally {
      if (!(body instanceof Uint8Array)) body.destroy()
    }
  }
}

/** A source that fails while it is sent looks like a failing connection, but carries its own problem. */
function failure(cause: unknown, host: string): Result<never> {
  return cause instanceof Error && 'problem' in cause
    ? err(cause.problem as Problem)
    : err(describeFailure(cause, host, SILENCE))
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) : undefined
  return seconds === undefined ? undefined : seconds * 1000
}

/** The first words of a refusal, on one line. */
async function beginning(body: AsyncIterable<Uint8Array> & { destroy(): unknown }): Promise<string> {
  let text = ''
  try {
    for await (const chunk of body) {
      text += Buffer.from(chunk).toString('utf8')
      if (text.length >= MAX_SAID) break
    }
  } catch {
    // A refusal that breaks off is told by its status alone.
  }
  return text
    .slice(0, MAX_SAID)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
}
