/**
 * Brings owed messages to partners: the only caller of a partner with process messages. Woken by commits and by a timer
 * for the next retry; sends the stored bytes, unchanged on every attempt, one message per process at a time.
 */
import type { Log } from '../core/log.js'
import type { Problem, Result } from '../core/result.js'
import type { Clock, EpochMs } from '../core/types.js'
import type { Owed, Process } from '../domain/step.js'
import type { Store } from '../store/store.js'

export type Answer = { readonly status: number; readonly body: Uint8Array }

export type DispatcherDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Sends one message, authenticated for the partner. A Problem means that no answer came. */
  readonly post: (owed: Owed, signal: AbortSignal) => Promise<Result<Answer>>
  readonly delivered: (owed: Owed, answer: Uint8Array) => Promise<Result<Process>>
  readonly undeliverable: (owed: Owed, why: Problem) => Promise<Result<Process>>
  /** Code and sentence out of an error body. */
  readonly readError: (body: Uint8Array) => { readonly code?: string; readonly reason?: string }
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
  /** Tries against a partner that answers 404: a process it has not stored yet shows up within moments. */
  notFoundAttempts: 5,
  /** How long an unreachable partner is tried. */
  giveUpAfterMs: 3 * 24 * 3600_000,
}

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
  const idleWaiters: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let scheduled = false

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
    if (stop.signal.aborted) return
    clearTimeout(timer)
    const now = deps.clock()
    if (busy.size < limits.concurrency) {
      for (const owed of deps.store.due(now, limits.concurrency * 4)) {
        if (busy.size >= limits.concurrency) break
        const load = perPartner.get(owed.partner) ?? 0
        if (busy.has(owed.pid) || load >= limits.perPartner) continue
        busy.set(owed.pid, owed.partner)
        perPartner.set(owed.partner, load + 1)
        attempt(owed)
          .catch((cause: unknown) =>
            deps.log.error({ err: cause, pid: owed.pid, event: owed.event }, 'dispatch'),
          )
          .finally(() => {
            busy.delete(owed.pid)
            const left = (perPartner.get(owed.partner) ?? 1) - 1
            if (left === 0) perPartner.delete(owed.partner)
            else perPartner.set(owed.partner, left)
            wake()
          })
      }
    }
    if (busy.size > 0) return
    const { nextAttemptAt } = deps.store.owedCount()
    if (nextAttemptAt === undefined || nextAttemptAt > now) {
      for (const waiter of idleWaiters.splice(0)) waiter()
    }
    arm(nextAttemptAt, now)
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
      await deps.delivered(owed, answer.value.body)
      return
    }
    const why = answer.ok ? refusal(answer.value) : answer.error
    const again = answer.ok ? mayRetry(answer.value.status, owed.attempts + 1) : isPassing(answer.error)
    const now = deps.clock()
    if (again && now - owed.createdAt < limits.giveUpAfterMs) {
      const delay = Math.min(limits.longestRetryMs, limits.firstRetryMs * 2 ** Math.min(owed.attempts, 20))
      const nextAttemptAt = (now + Math.round(delay * (0.75 + deps.random() / 2))) as EpochMs
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
      await deps.store.attemptFailed(owed.id, why.message, nextAttemptAt)
      return
    }
    deps.log.error(
      { pid: owed.pid, partner: owed.partner, event: owed.event, why: why.message },
      'message refused',
    )
    await deps.undeliverable(owed, why)
  }

  const mayRetry = (status: number, attempts: number): boolean =>
    status >= 500 || RETRY.has(status) || (status === 404 && attempts < limits.notFoundAttempts)

  const refusal = (answer: Answer): Problem => {
    const { code, reason } = deps.readError(answer.body)
    const said = reason === undefined ? '' : `: ${reason}`
    return {
      code: 'PartnerRefused',
      message: `The partner answered ${answer.status}${said}${code === undefined ? '' : ` (${code})`}`,
    }
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
      // What is under way is either recorded as acknowledged or stays owed and is sent again after the restart.
      while (busy.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    },
  }
}

/** Faults that may heal by themselves or by the operator's hand, so that trying again makes sense. */
const isPassing = (why: Problem): boolean =>
  why.code === 'PartnerUnreachable' ||
  why.code === 'PartnerCertificate' ||
  why.code === 'IdentityUnresolvable'
