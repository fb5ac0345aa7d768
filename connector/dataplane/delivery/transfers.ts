/**
 * The transfers that this data plane may serve, and the flows running under each. Owns the verdict on a token.
 * A stop reaches every flow in the same tick, whether its receiver reads or not.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { err, ok, type Problem, problem, type Result } from '../../core/result.js'
import type { Clock } from '../../core/types.js'
import { compileShape, type Shape } from '../pipeline.js'
import type { Grant } from '../ports.js'
import type { Signal } from '../record.js'
import { type Cancel, type Schedule, scheduleAt } from '../schedule.js'
import type { Standing } from '../stages/gate.js'

export type Via = 'pull' | 'sse' | 'ws' | 'bytes' | 'push'

/** How a flow ends: `cut` drops what has not left yet, `finish` lets it go out first. */
export type Ending = 'cut' | 'finish'

/** One answer in progress. */
export type Flow = {
  readonly via: Via
  /** Aborts when the flow has ended for whatever reason. Check it, or `ended`, right before every byte of a record. */
  readonly signal: AbortSignal
  /** Whether it has ended: for answers that are over before anybody could listen to the signal. */
  ended(): boolean
  /** Why we ended it; undefined while it runs, and when the receiver went away. */
  problem(): Problem | undefined
  end(problem: Problem, ending: Ending): void
  /** Called at most once, in the tick of the end. */
  onEnd(react: (problem: Problem, ending: Ending) => void): void
  /** The connection is gone; gives the place back. */
  close(): void
}

export type Transfer = { readonly grant: Grant; readonly shape: Shape; readonly stopped: Problem | undefined }

type Entry = {
  grant: Grant
  shape: Shape
  token: Buffer
  stopped: Problem | undefined
  readonly flows: Set<Flow>
}

export type TransfersDeps = {
  readonly standingOf?: (grant: Grant) => Standing
  readonly signalsOf: (datasetId: string) => readonly Signal[]
  readonly clock: Clock
  readonly schedule: Schedule
  readonly maxFlowsPerTransfer: number
}

const NO_TOKEN = Buffer.alloc(32)

export function createTransfers({
  signalsOf,
  standingOf,
  clock,
  schedule,
  maxFlowsPerTransfer,
}: TransfersDeps) {
  const entries = new Map<string, Entry>()
  let open = 0
  let idle: (() => void)[] = []
  const endFlows = (entry: Entry, reason: Problem, ending: Ending): void => {
    for (const flow of [...entry.flows]) flow.end(reason, ending)
  }

  return {
    /** Serves the transfer from now on. A grant that differs from the running one ends the flows under that. */
    start(grant: Grant): void {
      const known = entries.get(grant.transferPid)
      const same =
        known?.grant.tokenHash === grant.tokenHash &&
        known.grant.plan.hash === grant.plan.hash &&
        known.grant.recipient === grant.recipient
      const entry = known ?? {
        grant,
        flows: new Set<Flow>(),
        token: NO_TOKEN,
        stopped: undefined,
        shape: shapeOf(grant),
      }
      if (known !== undefined && !same) {
        endFlows(
          known,
          {
            code: 'GrantEnded',
            message: 'The transfer was started anew; use the new token.',
            messageDe: 'Die Übertragung wurde neu gestartet; verwenden Sie das neue Token.',
          },
          'cut',
        )
      }
      entry.grant = grant
      entry.shape = shapeOf(grant)
      entry.token = hashOf(grant.tokenHash)
      entry.stopped = undefined
      entries.set(grant.transferPid, entry)
    },

    stop(transferPid: string, reason: Problem): void {
      const entry = entries.get(transferPid)
      if (entry === undefined) return
      entry.stopped = reason
      endFlows(entry, reason, 'cut')
    },

    forget(transferPid: string): void {
      const entry = entries.get(transferPid)
      if (entry === undefined) return
      entries.delete(transferPid)
      endFlows(
        entry,
        {
          code: 'GrantEnded',
          message: 'The transfer is not running any more.',
          messageDe: 'Die Übertragung läuft nicht mehr.',
        },
        'cut',
      )
    },

    /**
     * The signals or the source of a dataset are others now: what runs ends, and whoever comes next gets it as it is then.
     * Answers the grants that are served.
     */
    refresh(datasetId: string): readonly Grant[] {
      const concerned = [...entries.values()].filter(({ grant }) => grant.datasetId === datasetId)
      for (const entry of concerned) {
        entry.shape = shapeOf(entry.grant)
        endFlows(entry, DATASET_CHANGED, 'cut')
      }
      return concerned.filter(({ stopped }) => stopped === undefined).map(({ grant }) => grant)
    },

    endAll(reason: Problem, ending: Ending, via: readonly Via[]): void {
      for (const entry of entries.values()) {
        for (const flow of [...entry.flows]) if (via.includes(flow.via)) flow.end(reason, ending)
      }
    },

    /** The transfer that this token opens. One answer for everything else: nobody learns which transfers exist. */
    authorize(transferPid: string, token: string | undefined): Result<Transfer> {
      const entry = entries.get(transferPid)
      const given = hash('sha256', token ?? '', 'buffer')
      const equal = timingSafeEqual(given, entry?.token ?? NO_TOKEN)
      if (!equal || entry === undefined || token === undefined || token === '') return GRANT_INVALID
      return ok({ grant: entry.grant, shape: entry.shape, stopped: entry.stopped })
    },

    /** For flows that we begin ourselves. */
    find(transferPid: string): Transfer | undefined {
      const entry = entries.get(transferPid)
      return entry === undefined
        ? undefined
        : { grant: entry.grant, shape: entry.shape, stopped: entry.stopped }
    },

    open(transfer: Transfer, via: Via): Result<Flow> {
      const entry = entries.get(transfer.grant.transferPid)
      // The grant may have ended between the look at the token and here.
      if (entry === undefined || entry.grant !== transfer.grant) return GRANT_INVALID
      if (entry.stopped !== undefined) return err(entry.stopped)
      if (entry.flows.size >= maxFlowsPerTransfer) {
        return problem('TooManyFlows', {
          en: `There are ${maxFlowsPerTransfer} requests running under this transfer already. End one of them, or try again later.`,
          de: `Unter dieser Übertragung laufen schon ${maxFlowsPerTransfer} Anfragen. Beenden Sie eine davon, oder versuchen Sie es später noch einmal.`,
        })
      }
      const flow = new OpenFlow(via, () => {
        entry.flows.delete(flow)
        cancelExpiry()
        open -= 1
        if (open > 0) return
        for (const tell of idle) tell()
        idle = []
      })
      entry.flows.add(flow)
      open += 1
      const { shape } = transfer
      // What goes on for ever waits for the next time of delivery; an answer ends with this one.
      const isPatient = via === 'sse' || via === 'ws' || via === 'push'
      const { notAfter } = transfer.grant.plan
      const closing = isPatient ? undefined : shape.opening?.nextChange(clock())
      const ends = [notAfter, closing].flatMap((at) => at ?? [])
      const expire = (): void => {
        const now = clock()
        const reason = shape.gate(now)
        if (reason !== undefined && !(isPatient && shape.waiting(now) !== undefined)) flow.end(reason, 'cut')
      }
      const cancels = [
        ...ends.map((at) => scheduleAt(schedule, clock, at, expire)),
        ...(shape.standing === undefined ? [] : [watchStanding(shape.standing, expire)]),
      ]
      const cancelExpiry = (): void => {
        for (const cancel of cancels) cancel()
      }
      return ok(flow)
    },

    /** Resolves when no flow is open. */
    settled(): Promise<void> {
      return open === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))
    },

    active(): Record<Via, number> {
      const counts = { pull: 0, sse: 0, ws: 0, bytes: 0, push: 0 }
      for (const { flows } of entries.values()) for (const { via } of flows) counts[via] += 1
      return counts
    },
  }

  /** Looks at the gate whenever the conditions may have changed, and at each instant at which they do by themselves. */
  function watchStanding(standing: Standing, look: () => void): Cancel {
    let cancel: Cancel = () => {}
    const again = (): void => {
      cancel()
      arm()
      look()
    }
    const arm = (): void => {
      const next = standing.nextChange(clock())
      cancel = next === undefined ? () => {} : scheduleAt(schedule, clock, next, again)
    }
    arm()
    const unsubscribe = standing.onChange(again)
    return () => {
      cancel()
      unsubscribe()
    }
  }

  function shapeOf(grant: Grant): Shape {
    const { plan, datasetId, recipient, pseudonymKey } = grant
    return compileShape(plan, signalsOf(datasetId), recipient, pseudonymKey, standingOf?.(grant))
  }
}

export const GRANT_INVALID = problem('GrantInvalid', {
  en: 'The data token is missing, wrong, or belongs to another transfer. Use the address and the token of one transfer together.',
  de: 'Das Datentoken fehlt, ist falsch oder gehört zu einer anderen Übertragung. Adresse und Token müssen von derselben Übertragung stammen.',
})

/** Passing: the receiver connects again and goes on. */
const DATASET_CHANGED: Problem = {
  code: 'SourceUnavailable',
  message: 'The dataset or its source was changed. Connect again.',
  messageDe: 'Der Datensatz oder seine Quelle wurde geändert. Verbinden Sie sich noch einmal.',
}

/** A hash that is not one opens nothing. */
function hashOf(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex')
  return bytes.length === 32 ? bytes : NO_TOKEN
}

/** Nobody reads why a flow's signal aborted; an error of its own for each request would cost more than the request. */
const CLOSED = new Error('the flow has ended')

/** A class, because an object with a getter of its own is slow to make and to use, and there is one for each request. */
class OpenFlow implements Flow {
  readonly via: Via
  readonly #onClose: () => void
  /** Made when somebody asks for the signal: that costs as much as looking a small file up. */
  #controller: AbortController | undefined
  #ended = false
  #problem: Problem | undefined
  #react: ((problem: Problem, ending: Ending) => void) | undefined
  #closed = false

  constructor(via: Via, onClose: () => void) {
    this.via = via
    this.#onClose = onClose
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#ended && !this.#controller.signal.aborted) this.#controller.abort(CLOSED)
    return this.#controller.signal
  }

  ended(): boolean {
    return this.#ended
  }

  problem(): Problem | undefined {
    return this.#problem
  }

  end(problem: Problem, ending: Ending): void {
    if (this.#ended) return
    this.#problem = problem
    this.#abort()
    this.#react?.(problem, ending)
  }

  onEnd(react: (problem: Problem, ending: Ending) => void): void {
    this.#react = react
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#abort()
    this.#onClose()
  }

  #abort(): void {
    this.#ended = true
    this.#controller?.abort(CLOSED)
  }
}
