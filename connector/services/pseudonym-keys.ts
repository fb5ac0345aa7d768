/**
 * Destroys the keys of pseudonyms when their contracts expire, by one timer for the next expiry. A revocation destroys its
 * key in the step that revokes.
 */
import { ok } from '../core/result.js'
import type { EpochMs } from '../core/types.js'
import { type Agreement, withoutPseudonymKey } from '../domain/agreement.js'
import { planOf } from './contract.js'
import type { TransferDeps } from './transfer.js'

/** Longest delay a Node timer can take. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function watchPseudonymKeys(deps: Pick<TransferDeps, 'store' | 'clock' | 'log'>): Disposable {
  const { store, clock, log } = deps
  const ends = new Map<string, EpochMs>()
  let timer: NodeJS.Timeout | undefined

  const note = (agreement: Agreement | undefined): void => {
    if (agreement?.pseudonymKey === undefined) return
    const plan = planOf(agreement)
    const end = plan.ok ? plan.value.notAfter : undefined
    if (end !== undefined) ends.set(agreement.id, end)
  }
  const arm = (): void => {
    clearTimeout(timer)
    if (ends.size === 0) return
    const next = Math.min(...ends.values())
    timer = setTimeout(destroy, Math.min(MAX_TIMER_MS, Math.max(0, next - clock())))
    timer.unref()
  }
  const destroy = (): void => {
    const now = clock()
    for (const [id, end] of [...ends]) {
      if (end > now) continue
      ends.delete(id)
      store
        .changeAgreement(id, (current) => ok({ next: withoutPseudonymKey(current) }))
        .catch((cause: unknown) => {
          ends.set(id, end)
          log.error({ err: cause, agreement: id }, 'key of pseudonyms not destroyed')
        })
    }
    arm()
  }

  for (const agreement of store.agreements()) note(agreement)
  arm()
  const unsubscribe = store.onProcess((process) => {
    if (process.kind !== 'negotiation' || process.role !== 'provider' || process.state !== 'FINALIZED') return
    if (process.agreementId === undefined) return
    note(store.agreement(process.agreementId))
    arm()
  })
  return {
    [Symbol.dispose]: () => {
      unsubscribe()
      clearTimeout(timer)
    },
  }
}
