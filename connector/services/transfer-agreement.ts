/** The agreement under which a partner asks for data. */
import { ok, problem, type Result } from '../core/result.js'
import type { ParticipantId } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import { NEGOTIATION } from '../domain/negotiation.js'
import { acknowledged } from '../domain/process.js'
import { inactive } from './flow.js'
import type { TransferDeps } from './transfer.js'

/** The sender's agreement with us as provider, once it is final. */
export async function finalized(
  deps: Pick<TransferDeps, 'store' | 'clock'>,
  agreementId: string,
  partner: ParticipantId,
): Promise<Result<Agreement>> {
  const unknown = problem('NotFound', {
    en: 'There is no such agreement with you.',
    de: 'Eine solche Vereinbarung mit Ihnen gibt es nicht.',
  })
  const agreement = deps.store.agreement(agreementId, { partner, role: 'provider' })
  if (agreement === undefined) return unknown
  if (agreement.status === 'pending') {
    // The request overtook the answer to our FINALIZED event: it proves that the event arrived.
    await deps.store.change({ kind: 'negotiation', pid: agreement.negotiationPid, partner }, (current) => {
      // Read inside the step: the countersignature may have come since the first look.
      const latest = deps.store.agreement(agreementId, { partner, role: 'provider' })
      if (current.pending !== 'finalize' || latest === undefined) return unknown
      const next = acknowledged(NEGOTIATION, current, 'finalize', deps.clock())
      return ok({ next, settle: true, agreement: { ...latest, status: 'active' as const } })
    })
    // Looked at again also when the step was refused: the answer to FINALIZED may have been faster.
    const now = deps.store.agreement(agreementId, { partner, role: 'provider' })
    if (now === undefined || now.status === 'pending') return unknown
    return now.status === 'active' ? ok(now) : inactive(now)
  }
  return agreement.status === 'active' ? ok(agreement) : inactive(agreement)
}
