/**
 * Suspends or ends transfers whose contract demands what is not confirmed any more, and lets the suspended ones go on when it
 * is: when a fact is recorded or ended, and by one timer at the next instant at which one begins or runs out. The data plane
 * stops by itself at the same moment; this tells the partner.
 */
import { type Because, because } from '../core/result.js'
import type { EpochMs, Pid } from '../core/types.js'
import { isFinal } from '../domain/process.js'
import { TRANSFER, type Transfer } from '../domain/transfer.js'
import type { Plan } from '../policy/plan.js'
import { nextChange } from './confirmed.js'
import { planOf } from './contract.js'
import { runningTransfers, transferFacts } from './flow.js'
import { unmetCondition } from './standing.js'
import { moveTransfer, type TransferDeps } from './transfer.js'

/** Longest delay a Node timer can take. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function watchConditions(deps: TransferDeps): Disposable {
  const { store, clock, log } = deps
  /** Transfers of ours under contracts with such conditions, as they are now. */
  const watched = new Map<Pid, { readonly transfer: Transfer; readonly plan: Plan }>()
  /** Moves on their way: one at a time for each transfer. */
  const moving = new Set<Pid>()
  let timer: NodeJS.Timeout | undefined

  const note = (transfer: Transfer): void => {
    if (transfer.role !== 'provider') return
    const known = watched.get(transfer.pid)
    if (isFinal(TRANSFER, transfer.state) || transfer.pending === 'terminate') {
      watched.delete(transfer.pid)
      return
    }
    const plan = known?.plan ?? planWithConditions(deps, transfer)
    if (plan !== undefined) watched.set(transfer.pid, { transfer, plan })
  }

  const look = (pid: Pid): void => {
    const entry = watched.get(pid)
    if (entry === undefined || moving.has(pid)) return
    const move = wanted(deps, entry.transfer, entry.plan)
    if (move === undefined) return
    moving.add(pid)
    moveTransfer(deps, pid, move.event, move.why)
      .then((moved) => {
        if (!moved.ok) log.warn({ pid, why: moved.error.message }, 'transfer stays as it is')
      })
      .catch((cause: unknown) => log.error({ err: cause, pid }, 'transfer could not be moved'))
      .finally(() => moving.delete(pid))
  }

  const arm = (): void => {
    clearTimeout(timer)
    const now = clock()
    let next: EpochMs | undefined
    for (const { transfer } of watched.values()) {
      const at = nextChange(store, transfer, now)
      if (at !== undefined && (next === undefined || at < next)) next = at
    }
    if (next === undefined) return
    timer = setTimeout(lookAtAll, Math.min(MAX_TIMER_MS, Math.max(0, next - now)))
    timer.unref()
  }
  const lookAtAll = (): void => {
    for (const pid of watched.keys()) look(pid)
    arm()
  }

  for (const transfer of runningTransfers(deps)) note(transfer)
  lookAtAll()
  const stopFacts = store.onFacts(lookAtAll)
  const stopProcesses = store.onProcess((process) => {
    if (process.kind !== 'transfer') return
    note(process)
    look(process.pid)
    arm()
  })
  return {
    [Symbol.dispose]: () => {
      stopFacts()
      stopProcesses()
      clearTimeout(timer)
    },
  }
}

function planWithConditions(deps: TransferDeps, transfer: Transfer): Plan | undefined {
  const { agreementId, partner } = transfer
  const agreement = deps.store.agreement(agreementId, { partner, role: 'provider' })
  const plan = agreement === undefined ? undefined : planOf(agreement)
  return plan?.ok === true && plan.value.conditions !== undefined ? plan.value : undefined
}

type Move = {
  readonly event: 'start' | 'suspend' | 'terminate'
  readonly why: { readonly code: string } & Because
}

function wanted(deps: TransferDeps, transfer: Transfer, plan: Plan): Move | undefined {
  const agreement = deps.store.agreement(transfer.agreementId, {
    partner: transfer.partner,
    role: 'provider',
  })
  if (agreement?.status !== 'active' || transfer.pending !== undefined) return undefined
  const unmet = unmetCondition(plan, transferFacts(deps, agreement, transfer.pushTo?.endpoint))
  const why = { code: 'NotConfirmed', ...(unmet === undefined ? { reason: '' } : because(unmet.problem)) }
  if (unmet?.lapse === 'end') return { event: 'terminate', why }
  if (unmet?.lapse === 'suspend') return transfer.state === 'STARTED' ? { event: 'suspend', why } : undefined
  return transfer.state === 'SUSPENDED' && transfer.suspendedFor === 'conditions'
    ? { event: 'start', why }
    : undefined
}
