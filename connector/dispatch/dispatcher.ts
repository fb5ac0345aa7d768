/**
 * Brings owed messages to partners: the only caller of a partner with process messages. Woken by commits and by a timer
 * for the next retry; sends the stored bytes, unchanged on every attempt, one message per process at a time.
 */
import { setMaxListeners } from 'node:events'
import type { Log } from '../core/log.js'
import { type Because, message, PROBLEMS, type Problem, type Result, textOf } from '../core/result.js'
import type { Clock, EpochMs, Text } from '../core/types.js'
import type { Owed } from '../domain/step.js'
import type { Store } from '../store/store.js'

export type Answer = { readonly status: number; readonly body: Uint8Array }

export type DispatcherDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Sends one message, authenticated for the partner. A Problem means that no answer came. */
  readonly post: (owed: Owed, signal: AbortSignal) => Promise<Result<Answer>>
  readonly delivered: (owed: Owed, answer: Uint8Array, status: number) => Promise<Result<unknown>>
  readonly undeliverable: (owed: Owed, why: Problem) => Promise<Result<unknown>>
  /** Code and sentence out of an error body. */
  readonly readError: (body: Uint8Array) => { readonly code?: string } & Partial<Because>
  /** 0 <= x < 1; spreads retries. */
  readonly random: () => number
  readonly limits?: Partial<typeof LIMITS>
}

const LIMITS = {
  /** Messages under way at once, over all partners. */
  concurrency: 64,
  /** Messages under way at once to one partner. */
  perPartner: 32,
  firstRetryMs: 100,
  longestRetryMs: 60_000,
  /** Tries against a partner that says it has no such process: one it has not stored yet shows up within moments. */
  notFoundAttempts: 5,
  /**
   * How long a 404 without a word is tried, from the first one on: the partner does not know who we are, perhaps because
   * it cannot reach our DID document, or something before it answers while it starts.
   */
  strangerForMs: 3600_000,
  /** How long an unreachable partner is tried. */
  giveUpAfterMs: 3 * 24 * 3600_000,
  /** Pause of everything while not even a failed attempt can be recorded, such as on a full disk. */
  troubleMs: 1000,
}

/** Messages that one look asks for, however little room is left for a partner. */
const READ_AT_LEAST = 4

const RETRY = new Set([401, 408, 409, 425, 429])

export type Dispatcher = AsyncDisposable & {
  /** Looks for due messages now. */
  wake(): void
  /** Resolves when nothing due is left and nothing is under way. */
  idle(): Promise<void>
  inFlight(): number
}

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const limits = { ...LIMITS, ...deps.limits }
  const busy = new Map<string, string>()
  const perPartner = new Map<string, number>()
  const stop = new AbortController()
  // One listener for each message under way is meant, no leak.
  setMaxListeners(0, stop.signal)
  const idleWaiters: (() => void)[] = []
  /** How often the partner answered 404, and since when, by message. */
  const unknownTo = new Map<number, { readonly times: number; readonly since: EpochMs }>()
  let timer: NodeJS.Timeout | undefined
  let scheduled = false
  let paused = false

  const wake = (): void => {
    if (scheduled || stop.signal.aborted) return
    scheduled = true
    // After the answers that the same commit allows: a partner should hear our 200 before our next message.
    setImmediate(() => {
      scheduled = false
      pump()
    })
  }

  const pump = (): void => {
    if (stop.signal.aborted || paused) return
    clearTimeout(timer)
    const now = deps.clock()
    startDue(now)
    if (busy.size === 0) for (const waiter of idleWaiters.splice(0)) waiter()
    // Also while something is under way: a partner that hangs must not hold up the retry to another one.
    arm(deps.store.nextDue(now), now)
  }

  const startDue = (now: EpochMs): void => {
    while (busy.size < limits.concurrency) {
      // A partner at its limit is left out, so that its queue does not hide what is owed to others.
      const loads = [...perPartner]
      const full = loads.filter(([, load]) => load >= limits.perPartner).map(([did]) => did)
      const highest = Math.max(0, ...loads.map(([, load]) => load).filter((load) => load < limits.perPartner))
      // Messages are read with their bodies: not many more than can be sent, even if all are for one partner.
      const room = Math.max(limits.perPartner - highest, READ_AT_LEAST)
      const before = busy.size
      const wanted = Math.min(limits.concurrency - before, room)
      const due = deps.store.due(now, wanted, full, [...busy.keys()])
      for (const owed of due) start(owed)
      if (busy.size === before || due.length < wanted) return
    }
  }

  const start = (owed: Owed): void => {
    const load = perPartner.get(owed.partner) ?? 0
    if (busy.has(owed.pid) || load >= limits.perPartner) return
    busy.set(owed.pid, owed.partner)
    perPartner.set(owed.partner, load + 1)
    attempt(owed)
      .catch((cause: unknown) => {
        deps.log.error({ err: cause, pid: owed.pid, event: owed.event }, 'dispatch')
        return stop.signal.aborted ? undefined : postpone(owed, FAILED_HERE)
      })
      .catch((cause: unknown) => {
        deps.log.error({ err: cause, pid: owed.pid, event: owed.event }, 'attempt not recorded')
        pause()
      })
      .finally(() => {
        busy.delete(owed.pid)
        const left = (perPartner.get(owed.partner) ?? 1) - 1
        if (left === 0) perPartner.delete(owed.partner)
        else perPartner.set(owed.partner, left)
        wake()
      })
  }

  const pause = (): void => {
    if (paused || stop.signal.aborted) return
    paused = true
    clearTimeout(timer)
    timer = setTimeout(() => {
      paused = false
      wake()
    }, limits.troubleMs)
    timer.unref()
  }

  const arm = (nextAttemptAt: EpochMs | undefined, now: EpochMs): void => {
    if (nextAttemptAt === undefined) return
    timer = setTimeout(pump, Math.max(10, Math.min(nextAttemptAt - now, 3600_000)))
    timer.unref()
  }

  const attempt = async (owed: Owed): Promise<void> => {
    const answer = await deps.post(owed, stop.signal)
    if (stop.signal.aborted) return
    if (answer.ok && answer.value.status >= 200 && answer.value.status < 300) {
      unknownTo.delete(owed.id)
      await deps.delivered(owed, answer.value.body, answer.value.status)
      return
    }
    const why = answer.ok ? refusal(answer.value) : answer.error
    const again = answer.ok ? mayRetry(answer.value, owed) : isPassing(answer.error)
    if (again && deps.clock() - owed.createdAt < limits.giveUpAfterMs) {
      deps.log.warn(
        {
          pid: owed.pid,
          partner: owed.partner,
          event: owed.event,
          attempts: owed.attempts + 1,
          why: why.message,
        },
        'message not delivered, will retry',
      )
      await postpone(owed, textOf(why))
      return
    }
    unknownTo.delete(owed.id)
    deps.log.error(
      { pid: owed.pid, partner: owed.partner, event: owed.event, why: why.message },
      'message refused',
    )
    await deps.undeliverable(owed, why)
  }

  const postpone = (owed: Owed, why: Text): Promise<void> => {
    const delay = Math.min(limits.longestRetryMs, limits.firstRetryMs * 2 ** Math.min(owed.attempts, 20))
    const now = deps.clock()
    const nextAttemptAt = now + Math.round(delay * (0.75 + deps.random() / 2))
    return deps.store.attemptFailed(owed.id, why, nextAttemptAt as EpochMs, now)
  }

  /** Only answers of 404 count against their limits: a partner may have been unreachable for long before. */
  const mayRetry = ({ status, body }: Answer, owed: Owed): boolean => {
    if (status !== 404) return status >= 500 || RETRY.has(status)
    const known = unknownTo.get(owed.id) ?? { times: 0, since: deps.clock() }
    const times = known.times + 1
    unknownTo.set(owed.id, { ...known, times })
    if (times < limits.notFoundAttempts) return true
    const { code, reason } = deps.readError(body)
    return code === undefined && reason === undefined && deps.clock() - known.since < limits.strangerForMs
  }

  const refusal = (answer: Answer): Problem => {
    const told = deps.readError(answer.body)
    return { code: 'PartnerRefused', ...message(refusalWords(answer.status, told)) }
  }

  deps.store.onOwed(wake)
  wake()
  return {
    wake,
    inFlight: () => busy.size,
    idle: () =>
      new Promise((resolve) => {
        idleWaiters.push(resolve)
        wake()
      }),
    async [Symbol.asyncDispose]() {
      stop.abort()
      clearTimeout(timer)
      for (const waiter of idleWaiters.splice(0)) waiter()
      // What is under way is either recorded as acknowledged or stays owed and is sent again after the restart.
      while (busy.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    },
  }
}

const FAILED_HERE: Text = {
  en: PROBLEMS.InternalError,
  de: 'Im Connector ist beim Senden ein Fehler aufgetreten; sein Protokoll sagt mehr.',
}

/** A code of ours says nothing beyond its sentence. What there is in one language only is quoted in the other. */
export function refusalWords(status: number, told: ReturnType<DispatcherDeps['readError']>): Text {
  const { code, reason, reasonDe } = told
  const known = reason !== undefined && code !== undefined && Object.hasOwn(PROBLEMS, code)
  const named = code === undefined || known ? '' : ` (${code})`
  if (reason === undefined) {
    return {
      en: `The partner answered ${status}${named}`,
      de: `Der Partner antwortete mit ${status}${named}`,
    }
  }
  return {
    en: `The partner answered ${status}: ${reason}${named}`,
    de: `Der Partner antwortete mit ${status}: ${reasonDe ?? `„${reason}“`}${named}`,
  }
}

/** Faults that may heal by themselves or by the operator's hand, so that trying again makes sense. */
const isPassing = (why: Problem): boolean =>
  why.code === 'PartnerUnreachable' ||
  why.code === 'PartnerCertificate' ||
  why.code === 'IdentityUnresolvable'
