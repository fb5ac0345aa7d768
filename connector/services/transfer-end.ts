/**
 * Parts of a transfer's end that are decided in several places: the operator's wish to end what the partner has not
 * answered yet, and the revocation of a contract by the partner.
 */
import { ok, type Result } from '../core/result.js'
import type { JsonObject } from '../core/types.js'
import { type Agreement, withoutPseudonymKey } from '../domain/agreement.js'
import { send, told } from '../domain/process.js'
import type { AuditEntry, Step } from '../domain/step.js'
import { TRANSFER, type Transfer, type TransferEvent } from '../domain/transfer.js'
import { oweTo, pidsOf } from './negotiation.js'
import type { TransferDeps } from './transfer.js'

export const entry = (
  t: Transfer,
  direction: AuditEntry['direction'],
  event: string,
  detail?: JsonObject,
): AuditEntry => ({
  subject: t.pid,
  at: t.updatedAt,
  direction,
  event,
  ...(detail === undefined ? {} : { detail }),
})

/**
 * The operator wanted to end it while the first message was unanswered: now there is somebody to tell. `because` is the
 * message that overtook the answer.
 */
export function closeTransfer(
  deps: Pick<TransferDeps, 'clock' | 'wire'>,
  { closing: reason = '', ...open }: Transfer,
  because?: TransferEvent,
): Result<Step<Transfer>> {
  const current: Transfer = open
  const sending = send(TRANSFER, current, 'terminate', deps.clock(), { reason })
  if (!sending.ok) return sending
  const next = sending.value
  const head = { ...pidsOf(next), from: next.role }
  const message = deps.wire.transferTermination({ ...head, code: 'OperatorDecision', reason })
  return ok({
    next,
    settle: true,
    owe: oweTo(next, 'terminate', message),
    audit: [
      ...(because === undefined ? [] : [entry(next, 'in', because)]),
      entry(next, 'out', 'terminate', { reason }),
    ],
  })
}

/**
 * The transfer behind a suspension by the partner. One that crosses the provider's own does not take its place: the consumer
 * could start again what the provider has stopped.
 */
export function suspended(before: Transfer, after: Transfer): Transfer {
  if (before.role !== 'provider' || before.pending !== 'suspend') return { ...after, suspendedBy: 'partner' }
  return { ...after, suspendedBy: 'us', ...told(after, before) }
}

/** The active agreement of a transfer as the partner's revocation leaves it. */
export function revokedByPartner(
  deps: Pick<TransferDeps, 'store'>,
  transfer: Transfer,
  reason: string | undefined,
): Agreement | undefined {
  const { partner, role } = transfer
  const agreement = deps.store.agreement(transfer.agreementId, { partner, role })
  if (agreement?.status !== 'active') return undefined
  return {
    ...withoutPseudonymKey(agreement),
    status: 'revoked',
    statusBy: 'partner',
    statusAt: transfer.updatedAt,
    ...(reason === undefined ? {} : { statusReason: reason }),
  }
}
