/**
 * The data plane as the rest of the connector sees it: transfers are started and stopped, requests come in below
 * one path. Uses node:http only, so that it runs under any server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { err, ok, type Problem, problem, type Result } from '../../core/result.js'
import type { Clock, EpochMs } from '../../core/types.js'
import type { Plan } from '../../policy/plan.js'
import type { DeliveryLog, Grant, PushState, Source, SourceOf, UsageMeter } from '../ports.js'
import type { Wanted } from '../reading.js'
import type { Signal } from '../record.js'
import { realSchedule, type Schedule } from '../schedule.js'
import { canKeep } from '../serviceable.js'
import { counterFor } from '../stages/count.js'
import type { Standing } from '../stages/gate.js'
import { chooseFormat, EVENT_STREAM } from './accept.js'
import { refuseUpgrade, sendProblem } from './answer.js'
import { serveBytes } from './bytes.js'
import type { Delivery } from './delivery.js'
import { openLedger } from './ledger.js'
import { createFrames, servePull, sourceFailed } from './pull.js'
import { createPusher, type PushDeps } from './pusher.js'
import { isPosition, parsePullQuery, parseStreamQuery, refuseQuery } from './query.js'
import { serveSse } from './sse.js'
import { createTransfers, type Flow, type Transfer, type Via } from './transfers.js'
import { createSocketServer, serveSocket } from './websocket.js'

export type DataPlaneLimits = {
  /** Requests that may run at the same time under one transfer. */
  readonly maxFlowsPerTransfer: number
  /** Between two signs of life on a stream, milliseconds. */
  readonly heartbeatMs: number
  /** What running pulls are given to finish when the connector stops, milliseconds. */
  readonly drainMs: number
}

export const DEFAULT_LIMITS: DataPlaneLimits = { maxFlowsPerTransfer: 8, heartbeatMs: 15_000, drainMs: 5_000 }

export type DataPlaneDeps = {
  readonly sourceOf: SourceOf
  readonly signalsOf: (datasetId: string) => readonly Signal[]
  readonly usage: UsageMeter
  /** Judges the conditions of a plan; without it nothing is delivered under one that has some. */
  readonly standingOf?: (grant: Grant) => Standing
  readonly log: DeliveryLog
  readonly clock: Clock
  readonly schedule?: Schedule
  readonly publicPath?: string
  /** Whether the recipient may have this connection as well. */
  readonly admit?: (recipient: string, connection: Duplex) => Result<void>
  readonly limits?: Partial<DataPlaneLimits>
  /** Without it nothing is pushed. */
  readonly push?: PushDeps
}

export type DataPlane = AsyncDisposable & {
  /** Serves the transfer from now on, to whoever holds its token. Also resumes a stopped one. */
  start(grant: Grant): void
  /** How far the push of a transfer has come; undefined when this data plane does not push. */
  pushed(transferPid: string): PushState | undefined
  /** Ends its running flows at the next record; later requests are answered with the problem. */
  stop(transferPid: string, reason: Problem): void
  /** Ends its flows and knows nothing of it any more. */
  forget(transferPid: string): void
  /** The dataset is described otherwise, or has another source: nothing flows any more as it was before. */
  refresh(datasetId: string): void
  /** Whether the plan can be kept on the source of the dataset; asked before a transfer is started. */
  canServe(datasetId: string, plan: Plan): Result<void>
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>
  /** Running flows by kind, and records left out because they are stamped too far in the future. */
  active(): Readonly<Record<Via | 'droppedAhead', number>>
}

const STOPPING: Problem = {
  code: 'Stopping',
  message: 'The connector is shutting down. Connect again later.',
  messageDe: 'Der Connector fährt herunter. Verbinden Sie sich später noch einmal.',
}
/** What would go on for ever. A push ends in the middle of a batch as well, and repeats that after the restart. */
const ENDLESS: readonly Via[] = ['sse', 'ws', 'push']

export function createDataPlane(deps: DataPlaneDeps): DataPlane {
  const { clock, sourceOf, log, usage, schedule = realSchedule, publicPath = '/data' } = deps
  const { admit = () => ok(undefined) } = deps
  const limits = { ...DEFAULT_LIMITS, ...deps.limits }
  const transfers = createTransfers({ ...deps, schedule, maxFlowsPerTransfer: limits.maxFlowsPerTransfer })
  const sockets = createSocketServer()
  const frames = createFrames()
  let stopping = false
  let droppedAhead = 0

  const authorize = (req: IncomingMessage): Result<Transfer> =>
    stopping ? err(STOPPING) : transfers.authorize(pidOf(req, publicPath), tokenOf(req))

  const deliveryOf = ({ grant, shape }: Transfer, flow: Flow): Delivery & { close(): void } => {
    const ledger = openLedger(log, grant, flow.via, clock)
    return {
      grant,
      shape,
      flow,
      counter: counterFor(usage, grant, shape.columns, clock),
      ledger,
      clock,
      schedule,
      heartbeatMs: limits.heartbeatMs,
      stopped: (reason) => log.stopped(grant.transferPid, reason),
      paused: (reason, until) => log.paused?.(grant.transferPid, reason, until),
      droppedAhead: () => {
        droppedAhead += 1
      },
      close: () => ledger.close(),
    }
  }

  /** Opens a flow and runs the delivery in it; whatever fails ends the flow, never passes. */
  async function run(
    transfer: Transfer,
    via: Via,
    req: IncomingMessage,
    res: ServerResponse,
    serve: (delivery: Delivery) => Promise<void>,
  ): Promise<void> {
    const flow = transfers.open(transfer, via)
    if (!flow.ok) return sendProblem(req, res, flow.error)
    const delivery = deliveryOf(transfer, flow.value)
    res.once('close', () => flow.value.close())
    if (res.destroyed) flow.value.close()
    try {
      await serve(delivery)
    } catch (cause) {
      if (flow.value.ended()) return
      const reason = sourceFailed(cause)
      delivery.stopped(reason)
      if (via === 'sse' && res.headersSent) flow.value.end(reason, 'finish')
      else if (res.headersSent) res.destroy()
      else sendProblem(req, res, reason)
    } finally {
      delivery.close()
    }
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const authorized = authorize(req)
    if (!authorized.ok) return sendProblem(req, res, authorized.error)
    const transfer = authorized.value
    const admitted = admit(transfer.grant.recipient, req.socket)
    if (!admitted.ok) return sendProblem(req, res, admitted.error, { headers: { Connection: 'close' } })
    if (transfer.stopped !== undefined) return sendProblem(req, res, transfer.stopped, { stopped: true })
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      const reason: Problem = {
        code: 'InvalidInput',
        message: 'Data is read with GET or HEAD.',
        messageDe: 'Daten werden mit GET oder HEAD gelesen.',
      }
      return sendProblem(req, res, reason, { status: 405, headers: { Allow: 'GET, HEAD' } })
    }
    const refused = transfer.shape.gate(clock())
    const waiting = refused === undefined ? undefined : transfer.shape.waiting(clock())
    // A stream may wait for the time of delivery; an answer may not.
    const waits = waiting !== undefined && chooseFormat(req.headers.accept) === EVENT_STREAM
    if (refused !== undefined && !waits) {
      return sendProblem(req, res, refused, { headers: laterIn(waiting?.until, clock()) })
    }
    const source = sourceOf(transfer.grant.datasetId)
    if (!source.ok) return sendProblem(req, res, source.error)
    return source.value.kind === 'bytes'
      ? bytes(transfer, source.value, req, res)
      : records(transfer, source.value, req, res)
  }

  async function bytes(
    transfer: Transfer,
    source: Extract<Source, { kind: 'bytes' }>,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    const query = refuseQuery(searchOf(req))
    if (!query.ok) return sendProblem(req, res, query.error)
    if (chooseFormat(req.headers.accept) === EVENT_STREAM) return sendProblem(req, res, FILE_NOT_STREAM)
    return run(transfer, 'bytes', req, res, (delivery) => serveBytes(delivery, source, req, res))
  }

  async function records(
    transfer: Transfer,
    source: Extract<Source, { kind: 'records' }>,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    const format = chooseFormat(req.headers.accept)
    if (format === undefined) return sendProblem(req, res, NOT_ACCEPTABLE)
    if (format === EVENT_STREAM) {
      const wanted = streamWanted(req)
      if (!wanted.ok) return sendProblem(req, res, wanted.error)
      return run(transfer, 'sse', req, res, (delivery) =>
        serveSse({ ...delivery, source }, req, res, wanted.value),
      )
    }
    const query = parsePullQuery(searchOf(req))
    if (!query.ok) return sendProblem(req, res, query.error)
    return run(transfer, 'pull', req, res, (delivery) =>
      servePull({ ...delivery, source }, req, res, query.value, frames(transfer.shape, format)),
    )
  }

  async function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // A broken connection has nobody to be told; its close ends the flow.
    socket.on('error', () => socket.destroy())
    const authorized = authorize(req)
    if (!authorized.ok) return refuseUpgrade(socket, authorized.error)
    const transfer = authorized.value
    const admitted = admit(transfer.grant.recipient, socket)
    if (!admitted.ok) return refuseUpgrade(socket, admitted.error)
    if (transfer.stopped !== undefined) return refuseUpgrade(socket, transfer.stopped, true)
    const refused = transfer.shape.gate(clock())
    if (refused !== undefined && transfer.shape.waiting(clock()) === undefined) {
      return refuseUpgrade(socket, refused)
    }
    const source = sourceOf(transfer.grant.datasetId)
    if (!source.ok) return refuseUpgrade(socket, source.error)
    if (source.value.kind === 'bytes') return refuseUpgrade(socket, FILE_NOT_STREAM)
    const wanted = streamWanted(req)
    if (!wanted.ok) return refuseUpgrade(socket, wanted.error)
    const flow = transfers.open(transfer, 'ws')
    if (!flow.ok) return refuseUpgrade(socket, flow.error)
    const delivery = deliveryOf(transfer, flow.value)
    try {
      await serveSocket({ ...delivery, source: source.value }, sockets, req, socket, head, wanted.value)
    } catch (cause) {
      delivery.stopped(sourceFailed(cause))
      refuseUpgrade(socket, sourceFailed(cause))
    } finally {
      delivery.close()
    }
  }

  const pusher =
    deps.push === undefined
      ? undefined
      : createPusher({ push: deps.push, transfers, deliveryOf, sourceOf, clock, schedule })

  return {
    start: (grant) => {
      transfers.start(grant)
      if (!stopping) pusher?.start(grant)
    },
    pushed: (transferPid) => pusher?.state(transferPid),
    stop: transfers.stop,
    forget: transfers.forget,
    refresh: (datasetId) => {
      for (const grant of transfers.refresh(datasetId)) if (!stopping) pusher?.start(grant)
    },
    canServe: (datasetId, plan) => {
      const source = sourceOf(datasetId)
      return source.ok ? canKeep(plan, source.value, deps.signalsOf(datasetId)) : source
    },
    handle,
    upgrade,
    active: () => ({ ...transfers.active(), droppedAhead }),
    async [Symbol.asyncDispose]() {
      stopping = true
      transfers.endAll(STOPPING, 'finish', ENDLESS)
      let cancel = (): void => {}
      const patience = new Promise<void>((resolve) => {
        cancel = schedule(limits.drainMs, resolve)
      })
      await Promise.race([Promise.all([transfers.settled(), pusher?.settled()]), patience])
      cancel()
      transfers.endAll(STOPPING, 'cut', ['pull', 'bytes'])
    },
  }
}

/** RFC 9110, "Retry-After". */
const laterIn = (at: EpochMs | undefined, now: EpochMs): Record<string, string> =>
  at === undefined ? {} : { 'Retry-After': String(Math.ceil((at - now) / 1000)) }

const NOT_ACCEPTABLE: Problem = {
  code: 'NotAcceptable',
  message: 'Records come as application/x-ndjson, text/csv, application/json or text/event-stream.',
  messageDe: 'Einträge gibt es als application/x-ndjson, text/csv, application/json oder text/event-stream.',
}
const FILE_NOT_STREAM: Problem = {
  code: 'NotAcceptable',
  message: 'This dataset is a file; it can be pulled, but not streamed.',
  messageDe: 'Dieser Datensatz ist eine Datei; sie lässt sich abholen, aber nicht als Datenstrom verfolgen.',
}

/** RFC 9112: the target as sent. A server that mounts us below the public path may have cut it off. */
function pidOf(req: IncomingMessage, publicPath: string): string {
  const [path = ''] = (req.url ?? '').split('?', 1)
  const below = path.startsWith(`${publicPath}/`)
    ? path.slice(publicPath.length + 1)
    : path.replace(/^\//, '')
  try {
    return decodeURIComponent(below)
  } catch {
    // Broken percent-encoding names no transfer, and is answered as any other unknown one.
    return ''
  }
}

const searchOf = (req: IncomingMessage): string => {
  const at = (req.url ?? '').indexOf('?')
  return at < 0 ? '' : (req.url ?? '').slice(at + 1)
}

/** The token with or without its scheme: connectors in the field send both. */
const tokenOf = (req: IncomingMessage): string | undefined =>
  req.headers.authorization?.trim().replace(/^bearer\s+/i, '')

/** A browser sends Last-Event-ID with the old address, so the header wins. */
function streamWanted(req: IncomingMessage): Result<Wanted> {
  const query = parseStreamQuery(searchOf(req))
  if (!query.ok) return query
  const last = req.headers['last-event-id']
  if (typeof last === 'string' && last !== '') {
    if (!isPosition(last)) {
      return problem('InvalidInput', {
        en: 'The header Last-Event-ID has to be the id of a record that you received.',
        de: 'Der Kopf Last-Event-ID muss die id eines Eintrags sein, den Sie empfangen haben.',
      })
    }
    return ok({ ...query.value, after: last })
  }
  return query.value.after === undefined && query.value.from === undefined ? ok({ fresh: true }) : query
}
