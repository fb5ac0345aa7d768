/**
 * Takes what providers deliver: one body after the other per transfer, from whoever holds its token, into the sink that was
 * chosen with the transfer. A body is acknowledged when the sink has it for good. Strangers learn nothing.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ok, type Problem, type Result } from '../../core/result.js'
import { NDJSON } from '../delivery/accept.js'
import { GRANT_INVALID } from '../delivery/transfers.js'
import { BodyRefused, type BodySink } from '../sinks/body-sink.js'
import { SinkError } from '../sinks/sink.js'
import {
  acknowledge,
  BUSY,
  batchOf,
  bounded,
  drained,
  isRepeated,
  type More,
  NO_ROOM,
  pidOf,
  refuseBody,
  Stopped,
  TooLarge,
  tooLarge,
  unfitHead,
} from './push-exchange.js'

/** A transfer that data may be delivered under, as it is at this moment. */
export type Intake = {
  /** SHA-256 of the bearer token, lower-case hex. */
  readonly tokenHash: string
  /** Who delivers. */
  readonly sender: string
  /** Why nothing is taken now; `passing` when trying again later makes sense. */
  readonly barred?: { readonly problem: Problem; readonly passing: boolean }
}

export type ReceiveLog = {
  received(entry: { readonly transferPid: string; readonly records: number; readonly bytes: number }): void
  repeated(transferPid: string, batch: string): void
  failed(transferPid: string, problem: Problem): void
}

export type ReceiverDeps = {
  /** Path of all receiving addresses; the transfer's pid follows. */
  readonly publicPath: string
  /** Whether the sender may have this connection as well. */
  readonly admit?: (sender: string, connection: Socket) => Result<void>
  readonly intakeOf: (transferPid: string) => Intake | undefined
  readonly openSink: (transferPid: string) => Promise<Result<BodySink>>
  /** Of one body. */
  readonly maxBytes: number
  readonly log: ReceiveLog
  /** Longest silence of a sender in the middle of a body, milliseconds. */
  readonly silenceMs?: number
}

export type PushReceiver = AsyncDisposable & {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>
  /** Ends what is being received, and lets go of the sink; a later body opens it again, if it may. */
  stop(transferPid: string, problem: Problem): void
  /** Runs between two bodies of a transfer, with its sink closed; a later body opens it again. */
  between<T>(transferPid: string, work: () => Promise<T>): Promise<T>
}

type Place = {
  /** Bodies of one transfer come one after the other. */
  turn: Promise<void>
  waiting: number
  sink: BodySink | undefined
  /** Of the body whose turn it is. */
  current: AbortController | undefined
  why: Problem | undefined
}

/** Bodies that are under way or wait under one transfer; EDC sends the parts of a transfer five at a time. */
const MAX_WAITING = 16
const SILENCE = 60_000
const STOPPING: Problem = {
  code: 'Stopping',
  message: 'The connector is shutting down. Try again later.',
  messageDe: 'Der Connector fährt herunter. Versuchen Sie es später noch einmal.',
}

export function createPushReceiver(deps: ReceiverDeps): PushReceiver {
  const {
    publicPath,
    intakeOf,
    admit = () => ok(undefined),
    openSink,
    maxBytes,
    log,
    silenceMs = SILENCE,
  } = deps
  const places = new Map<string, Place>()
  let stopping = false

  const placeOf = (transferPid: string): Place => {
    const known = places.get(transferPid)
    if (known !== undefined) return known
    const place: Place = {
      turn: Promise.resolve(),
      waiting: 0,
      sink: undefined,
      current: undefined,
      why: undefined,
    }
    places.set(transferPid, place)
    return place
  }

  function authorize(
    req: IncomingMessage,
  ): Result<{ readonly transferPid: string; readonly sender: string }> {
    const transferPid = pidOf(req, publicPath)
    const intake = intakeOf(transferPid)
    const token = req.headers.authorization?.trim().replace(/^bearer\s+/i, '') ?? ''
    const wanted = Buffer.from(intake?.tokenHash ?? '', 'hex')
    const expected = wanted.length === 32 ? wanted : Buffer.alloc(32)
    const equal = timingSafeEqual(hash('sha256', token, 'buffer'), expected)
    if (!equal || intake === undefined || token === '') return GRANT_INVALID
    return ok({ transferPid, sender: intake.sender })
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const refuse = (problem: Problem, more: More = {}): void => refuseBody(req, res, problem, more)
    if (stopping) return refuse(STOPPING)
    const authorized = authorize(req)
    if (!authorized.ok) return refuse(authorized.error)
    const { transferPid, sender } = authorized.value
    const admitted = admit(sender, req.socket)
    if (!admitted.ok) return refuse(admitted.error, { headers: { Connection: 'close' } })
    const unfit = unfitHead(req, maxBytes)
    if (unfit !== undefined) return refuse(unfit.problem, unfit.more)
    const place = placeOf(transferPid)
    if (place.waiting >= MAX_WAITING) return refuse(BUSY)
    place.waiting += 1
    const before = place.turn
    let done: () => void = () => {}
    place.turn = new Promise((resolve) => {
      done = resolve
    })
    try {
      await before
      if (req.destroyed && !req.complete) return
      const current = new AbortController()
      place.current = current
      const barred = intakeOf(transferPid)?.barred
      if (stopping) return refuse(STOPPING)
      if (barred !== undefined) {
        return refuse(barred.problem, {
          status: barred.passing ? 503 : 403,
          ...(barred.passing && { headers: { 'Retry-After': '10' } }),
        })
      }
      await take(transferPid, place, current.signal, req, res)
    } finally {
      place.current = undefined
      place.waiting -= 1
      done()
    }
  }

  async function take(
    transferPid: string,
    place: Place,
    stopped: AbortSignal,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    const refuse = (problem: Problem, more: More = {}): void => refuseBody(req, res, problem, more)
    const failed = (problem: Problem): void => log.failed(transferPid, problem)
    const opened = place.sink === undefined ? await openSink(transferPid) : ok(place.sink)
    if (!opened.ok) {
      failed(opened.error)
      return refuse(NO_ROOM)
    }
    const sink = opened.value
    place.sink = sink
    if (stopped.aborted) return refuse(place.why ?? STOPPING, { stopped: true })
    const batch = batchOf(req)
    const before = sink.pushed()
    if (batch !== undefined && isRepeated(batch, before)) {
      log.repeated(transferPid, batch)
      await drained(req)
      return acknowledge(req, res, before)
    }
    try {
      const body = bounded(req, { maxBytes, silenceMs, stopped })
      const isRecords = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase() === NDJSON
      const after = await sink.take(body, { ...(batch === undefined ? {} : { batch }), isRecords })
      log.received({
        transferPid,
        records: after.records - before.records,
        bytes: after.bytes - before.bytes,
      })
      acknowledge(req, res, after)
    } catch (cause) {
      if (cause instanceof Stopped) return refuse(place.why ?? STOPPING, { stopped: true })
      if (cause instanceof TooLarge) {
        const problem = tooLarge(maxBytes)
        failed(problem)
        return refuse(problem, { status: 413 })
      }
      if (cause instanceof BodyRefused) {
        failed(cause.problem)
        return refuse(cause.problem, { status: cause.problem.code === 'MediaTypeUnsupported' ? 415 : 400 })
      }
      if (cause instanceof SinkError) {
        failed({ code: 'InvalidInput', message: cause.message, detail: cause.cause })
        // Opened anew the next time: what it knows of itself may be wrong now.
        place.sink = undefined
        await closeQuietly(sink)
        return refuse(NO_ROOM)
      }
      // The sender has gone in the middle, or was silent for too long: it will send the body again.
      failed({
        code: 'PartnerUnreachable',
        message: 'A delivery broke off before its end.',
        messageDe: 'Eine Lieferung brach vor dem Ende ab.',
        detail: cause,
      })
      res.destroy()
    }
  }

  /** In turn, so that nobody opens a sink that is still being closed. */
  const letGo = (transferPid: string, place: Place): Promise<void> => {
    place.turn = place.turn.then(async () => {
      const { sink } = place
      place.sink = undefined
      if (sink !== undefined) await closeQuietly(sink)
      if (place.waiting === 0) places.delete(transferPid)
    })
    return place.turn
  }

  const stop = (transferPid: string, place: Place, problem: Problem): Promise<void> => {
    place.why = problem
    place.current?.abort()
    return letGo(transferPid, place)
  }

  return {
    handle,
    stop(transferPid, problem) {
      const place = places.get(transferPid)
      if (place !== undefined) void stop(transferPid, place, problem)
    },
    async between(transferPid, work) {
      const place = placeOf(transferPid)
      place.waiting += 1
      const before = place.turn
      let done: () => void = () => {}
      place.turn = new Promise((resolve) => {
        done = resolve
      })
      try {
        await before
        const { sink } = place
        place.sink = undefined
        if (sink !== undefined) await closeQuietly(sink)
        return await work()
      } finally {
        place.waiting -= 1
        if (place.waiting === 0 && place.sink === undefined) places.delete(transferPid)
        done()
      }
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      await Promise.all([...places].map(([pid, place]) => stop(pid, place, STOPPING)))
    },
  }
}

async function closeQuietly(sink: BodySink): Promise<void> {
  try {
    await sink[Symbol.asyncDispose]()
  } catch {
    // A sink that is given up has nothing that is not either safe or delivered again.
  }
}
