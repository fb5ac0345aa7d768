/**
 * Our turn in states that were entered otherwise than by a partner's message: an acknowledgement, a delay of the rules, a
 * restart. Every process whose commit leaves nothing pending is looked at; what the rules want is done in a step of its own.
 */
import { OPERATOR_REASONS } from '../core/operator-reasons.js'
import type { Problem, Result } from '../core/result.js'
import { NEGOTIATION, type Negotiation } from '../domain/negotiation.js'
import {
  type Awaiting,
  awaitPerson,
  detailOf,
  isFinal,
  type ProcessKind,
  reasonOf,
} from '../domain/process.js'
import type { Process } from '../domain/step.js'
import { TRANSFER, type Transfer } from '../domain/transfer.js'
import type { DeliveryDeps } from './delivery.js'
import { deciding, isPassing } from './negotiation.js'
import { personNeeded, ready, wanted } from './negotiation-moves.js'
import type { NegotiationMove, TransferMove } from './ports.js'
import { openProcesses } from './processes.js'
import { moveTransfer } from './transfer.js'
import { entry as transferEntry } from './transfer-end.js'
import { wantedOf } from './transfer-moves.js'

/** Until a trouble that may pass by itself is tried again, milliseconds. */
const AGAIN_MS = 30_000

type Move = NegotiationMove | TransferMove

export type Turns = AsyncDisposable & {
  /** Resolves when nothing is under way; delayed moves are not waited for. */
  idle(): Promise<void>
}

/** Looks at every open process once, and from then on at each that a commit changes. */
export function watchTurns(deps: DeliveryDeps): Turns {
  const busy = new Map<string, Promise<void>>()
  const timers = new Map<string, { readonly turn: number; readonly timer: NodeJS.Timeout }>()
  let stopped = false

  const look = (process: Process): void => {
    const { pid, turn = 0 } = process
    const timer = timers.get(pid)
    if (timer !== undefined && (timer.turn !== turn || !mayAct(process))) {
      clearTimeout(timer.timer)
      timers.delete(pid)
    }
    if (stopped || busy.has(pid) || timers.has(pid) || !mayAct(process)) return
    const move = wish(deps, process)
    if (move === undefined || (move.move === 'wait' && move.for === 'partner')) return
    if ((move.afterMs ?? 0) > 0) later(process, move.afterMs ?? 0, move)
    else act(process, move)
  }

  const later = (process: Process, ms: number, move: Move | undefined): void => {
    const { pid, turn = 0 } = process
    const timer = setTimeout(() => {
      timers.delete(pid)
      const now = find(process)
      if (now === undefined || (now.turn ?? 0) !== turn || !mayAct(now)) return
      const due = move ?? wish(deps, now)
      if (due !== undefined) act(now, due)
    }, ms)
    timer.unref()
    timers.set(pid, { turn, timer })
  }

  const act = (process: Process, move: Move): void => {
    const { pid, turn = 0 } = process
    const acting = perform(deps, process, move)
      .then(async (outcome) => {
        if (outcome.ok) return
        if (isPassing(outcome.error)) return later(process, AGAIN_MS, undefined)
        await giveToPerson(deps, process, outcome.error)
      })
      .catch((cause: unknown) => {
        if (!stopped) deps.log.error({ err: cause, pid }, 'turn not taken')
      })
      .finally(() => {
        busy.delete(pid)
        // A commit that came meanwhile was left out.
        const now = stopped ? undefined : find(process)
        if (now !== undefined && (now.turn ?? 0) !== turn) look(now)
      })
    busy.set(pid, acting)
  }

  const find = ({ kind, pid }: Process): Process | undefined => deps.store.find<ProcessKind>({ kind, pid })

  const unsubscribe = deps.store.onProcess(look)
  for (const process of openProcesses(deps.store)) look(process)
  return {
    async idle() {
      while (busy.size > 0) await Promise.all(busy.values())
    },
    async [Symbol.asyncDispose]() {
      stopped = true
      unsubscribe()
      for (const { timer } of timers.values()) clearTimeout(timer)
      timers.clear()
      await Promise.all(busy.values())
    },
  }
}

/** Nothing of ours is under way, no person is asked, and it has not ended. */
const mayAct = (process: Process): boolean =>
  process.state !== 'NEW' &&
  process.pending === undefined &&
  process.awaiting === undefined &&
  process.closing === undefined &&
  !(process.kind === 'negotiation' ? isFinal(NEGOTIATION, process.state) : isFinal(TRANSFER, process.state))

function wish(deps: DeliveryDeps, process: Process): Move | undefined {
  if (process.kind === 'transfer') return wantedOf(deps, process)
  const partner = deps.store.partner(process.partner)
  return partner?.trust === 'trusted' ? wanted(deps, partner, process) : undefined
}

const perform = (deps: DeliveryDeps, process: Process, move: Move): Promise<Result<Process>> =>
  process.kind === 'negotiation'
    ? negotiate(deps, process, move as NegotiationMove)
    : transfer(deps, process, move as TransferMove)

async function negotiate(
  deps: DeliveryDeps,
  n: Negotiation,
  move: NegotiationMove,
): Promise<Result<Process>> {
  const partner = deps.store.partner(n.partner)
  if (partner === undefined) return { ok: true, value: n }
  const readied = await ready(deps, partner, n, move)
  if (!readied.ok) return readied
  return deciding(deps, { kind: 'negotiation', pid: n.pid }, (current) => {
    if (!sameTurn(current, n)) return { ok: true, value: { step: { next: current } } }
    const step = readied.value(current)
    return step.ok ? { ok: true, value: { step: step.value } } : step
  })
}

async function transfer(deps: DeliveryDeps, t: Transfer, move: TransferMove): Promise<Result<Process>> {
  if (move.move === 'wait') {
    if (move.for === 'partner') return { ok: true, value: t }
    const { because, detail, detailDe } = move
    const awaiting = { because, since: deps.clock(), ...detailOf(detail, detailDe) }
    return waitingTransfer(deps, t, awaiting)
  }
  const why = 'reason' in move ? move : { code: 'Automation', reason: OPERATOR_REASONS.rules.en }
  const moved = await moveTransfer(deps, t.pid, move.move, why, t.turn ?? 0)
  const now = deps.store.find({ kind: 'transfer', pid: t.pid })
  return moved.ok || now === undefined || sameTurn(now, t) ? moved : { ok: true, value: now }
}

/** Whether the process still stands where it was when its turn was thought about. */
const sameTurn = (current: Process, then: Process): boolean =>
  (current.turn ?? 0) === (then.turn ?? 0) && current.pending === undefined && current.awaiting === undefined

async function giveToPerson(deps: DeliveryDeps, process: Process, why: Problem): Promise<void> {
  const awaiting = { because: 'rules', since: deps.clock(), ...detailOf(why.message, why.messageDe) } as const
  if (process.kind === 'transfer') return void (await waitingTransfer(deps, process, awaiting))
  await deps.store.change({ kind: 'negotiation', pid: process.pid }, (current) => ({
    ok: true,
    value: sameTurn(current, process) ? personNeeded(current, awaiting) : { next: current },
  }))
}

const waitingTransfer = (deps: DeliveryDeps, t: Transfer, awaiting: Awaiting): Promise<Result<Transfer>> =>
  deps.store.change({ kind: 'transfer', pid: t.pid }, (current) => {
    if (!sameTurn(current, t)) return { ok: true, value: { next: current } }
    const next = awaitPerson(current, awaiting)
    const detail = { because: awaiting.because, ...reasonOf(awaiting) }
    const note = { ...transferEntry(next, 'own', 'waits for a person', detail), at: awaiting.since }
    return { ok: true, value: { next, audit: [note] } }
  })
