/**
 * What flows: brings the data plane in line with the state of transfers, at once and also after a restart. Decides nothing
 * about the states themselves.
 */
import { ok, type Problem, problem, type Result } from '../core/result.js'
import { isFinal } from '../domain/process.js'
import { TRANSFER, type Transfer } from '../domain/transfer.js'
import { planOf } from './contract.js'
import type { TransferDeps } from './transfer.js'

/** Hands a started provider transfer to the data plane. Also used after a restart. */
export function grant(deps: TransferDeps, transfer: Transfer): Result<Transfer> {
  const agreement = deps.store.agreement(transfer.agreementId, {
    partner: transfer.partner,
    role: 'provider',
  })
  if (agreement === undefined) return problem('NotFound', 'The agreement of the transfer is gone.')
  const plan = planOf(agreement)
  if (!plan.ok) return plan
  deps.dataPlane.start({
    transferPid: transfer.pid,
    agreementId: agreement.id,
    datasetId: transfer.datasetId,
    recipient: transfer.partner,
    plan: plan.value,
    tokenHash: deps.dataToken(transfer.pid, transfer.generation).hash,
  })
  return ok(transfer)
}

/** Whether data may flow in this state; a start that is on its way counts, a suspension that is on its way as well. */
export const isFlowing = (t: Transfer): boolean =>
  t.role === 'provider' && (t.pending === 'start' || (t.state === 'STARTED' && t.pending === undefined))

/** The problem that the data plane answers with for a transfer that is not flowing. */
export function whyStopped(deps: Pick<TransferDeps, 'store'>, t: Transfer): Problem {
  const agreement = deps.store.agreement(t.agreementId, { partner: t.partner, role: t.role })
  if (agreement?.status === 'revoked') {
    return {
      code: 'GrantEnded',
      message: `The contract was revoked: ${agreement.statusReason ?? 'no reason given'}`,
    }
  }
  const because = t.reason === undefined ? '' : `: ${t.reason}`
  const word =
    t.state === 'SUSPENDED' || t.pending === 'suspend'
      ? 'suspended'
      : t.state === 'COMPLETED' || t.pending === 'complete'
        ? 'completed'
        : 'terminated'
  return { code: 'GrantEnded', message: `The transfer is ${word}${because}` }
}

/** Brings the data plane in line with the process, at once and before the partner has answered. */
export function reflect(deps: TransferDeps, before: Transfer | undefined, after: Transfer): Result<Transfer> {
  if (after.role !== 'provider') return ok(after)
  if (isFlowing(after)) {
    const fresh = before === undefined || !isFlowing(before) || before.generation !== after.generation
    return fresh ? grant(deps, after) : ok(after)
  }
  if (isFinal(TRANSFER, after.state) || after.state === 'SUSPENDED' || after.pending !== undefined) {
    deps.dataPlane.stop(after.pid, whyStopped(deps, after))
  }
  return ok(after)
}

/** After a restart: the data plane learns again what may flow, and why the rest may not. */
export function restoreFlows(deps: TransferDeps): void {
  for (const transfer of deps.store.list('transfer', { limit: 100_000 })) {
    const reflected = reflect(deps, undefined, transfer)
    if (!reflected.ok)
      deps.log.error({ pid: transfer.pid, why: reflected.error.message }, 'transfer not restored')
  }
}
