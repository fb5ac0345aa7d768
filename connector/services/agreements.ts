/** Contracts after the handshake: what they say in words, whether their signatures hold, and their end. */
import { ok, problem, type Result } from '../core/result.js'
import type { Clock, EpochMs, ParticipantId, Text } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import { isFinal } from '../domain/process.js'
import { TRANSFER } from '../domain/transfer.js'
import { enforcementLabel, explain } from '../policy/explain.js'
import { parsePolicy } from '../policy/parse.js'
import type { Store } from '../store/store.js'
import { agreementHash, planOf } from './contract.js'
import type { Seals } from './ports.js'
import { moveTransfer, type TransferDeps } from './transfer.js'

export type AgreementDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly ownDid: ParticipantId
  readonly seals: Seals
}

export type ClauseInWords = { readonly number: number; readonly text: Text; readonly enforcement: Text }

/** The terms of an offer or agreement as sentences; an unreadable policy has none. */
export function inWords(policy: unknown): readonly ClauseInWords[] {
  const parsed = parsePolicy(policy)
  if (!parsed.ok) return []
  return explain(parsed.value).map((clause) => ({
    number: clause.number,
    text: clause.text,
    enforcement: enforcementLabel(clause.enforcedBy),
  }))
}

export type Signature = {
  readonly by: ParticipantId
  readonly as: 'provider' | 'consumer' | 'receipt'
  readonly verdict: 'valid' | 'missing' | 'invalid'
  readonly problem?: string
}

/** Checks everything again from what is stored: the text against its hash, and each seal against its signer's key. */
export async function verifyAgreement(
  deps: AgreementDeps,
  agreement: Agreement,
): Promise<{ readonly intact: boolean; readonly signatures: readonly Signature[] }> {
  const negotiation = deps.store.find({ kind: 'negotiation', pid: agreement.negotiationPid })
  const partnerPid = negotiation?.partnerPid ?? ''
  const own = agreement.negotiationPid
  const pids =
    agreement.role === 'provider'
      ? { providerPid: own, consumerPid: partnerPid }
      : { providerPid: partnerPid, consumerPid: own }
  const provider = agreement.role === 'provider' ? deps.ownDid : agreement.partner
  const consumer = agreement.role === 'provider' ? agreement.partner : deps.ownDid
  const { providerSeal, consumerSeal, receipt } = agreement
  const present = (...seals: readonly (string | undefined)[]) => seals.filter((s) => s !== undefined)
  const chain = [
    { as: 'provider', by: provider, seal: providerSeal, covers: [] },
    { as: 'consumer', by: consumer, seal: consumerSeal, covers: present(providerSeal) },
    { as: 'receipt', by: provider, seal: receipt, covers: present(providerSeal, consumerSeal) },
  ] as const
  const signatures: Signature[] = []
  for (const { as, by, seal, covers } of chain) {
    if (seal === undefined) {
      signatures.push({ by, as, verdict: 'missing' })
      continue
    }
    const outcome = await deps.seals.verify(seal, by, {
      ...pids,
      role: as,
      agreement: agreement.body,
      offer: agreement.offer,
      covers,
    })
    signatures.push(
      outcome.ok
        ? { by, as, verdict: 'valid' }
        : { by, as, verdict: 'invalid', problem: outcome.error.message },
    )
  }
  return { intact: agreementHash(agreement.body) === agreement.hash, signatures }
}

/** Ends a contract early: it allows nothing more at once, running transfers end, and the partner is told why. */
export async function revokeAgreement(
  deps: AgreementDeps & TransferDeps,
  id: string,
  reason: string,
): Promise<Result<Agreement>> {
  if (reason.trim() === '')
    return problem('InvalidInput', 'A revocation needs a reason; the partner is told.')
  const at = deps.clock()
  const outcome = await deps.store.changeAgreement(id, (current) => {
    if (current.status === 'revoked') return problem('InvalidTransition', 'This contract is revoked already.')
    if (current.status === 'pending') {
      return problem(
        'InvalidTransition',
        'This contract is still being negotiated; end the negotiation instead.',
      )
    }
    const next: Agreement = {
      ...current,
      status: 'revoked',
      statusReason: reason,
      statusBy: 'us',
      statusAt: at,
    }
    return ok({ next, audit: [{ subject: id, at, direction: 'own', event: 'revoked', detail: { reason } }] })
  })
  if (!outcome.ok) return outcome
  await endTransfersUnder(deps, outcome.value, { code: 'AgreementRevoked', reason })
  return outcome
}

/** Terminates everything that runs under a contract. */
export async function endTransfersUnder(
  deps: TransferDeps,
  agreement: Agreement,
  why: { readonly code: string; readonly reason: string },
): Promise<void> {
  const running = deps.store
    .transfersUnder(agreement.id, agreement.partner)
    .filter((t) => t.role === agreement.role && !isFinal(TRANSFER, t.state) && t.pending !== 'terminate')
  await Promise.all(running.map((t) => moveTransfer(deps, t.pid, 'terminate', why)))
}

/** Longest delay a Node timer can take. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Ends transfers when their contract expires: one timer for the next boundary, set again whenever a transfer changes.
 * The data plane stops by itself at the same instant; this tells the partner.
 */
export function watchExpiry(deps: TransferDeps): Disposable {
  let timer: NodeJS.Timeout | undefined
  const boundaries = (): readonly { readonly at: EpochMs; readonly agreement: Agreement }[] =>
    deps.store
      .list('transfer', {})
      .filter((t) => t.role === 'provider' && !isFinal(TRANSFER, t.state) && t.pending !== 'terminate')
      .flatMap((t) => {
        const agreement = deps.store.agreement(t.agreementId, { partner: t.partner, role: 'provider' })
        const plan = agreement === undefined ? undefined : planOf(agreement)
        return agreement !== undefined && plan?.ok === true && plan.value.notAfter !== undefined
          ? [{ at: plan.value.notAfter, agreement }]
          : []
      })
  const rearm = (): void => {
    clearTimeout(timer)
    const [next] = boundaries().toSorted((a, b) => a.at - b.at)
    if (next === undefined) return
    timer = setTimeout(
      () => {
        const now = deps.clock()
        const due = boundaries().filter((b) => b.at <= now)
        const why = { code: 'AgreementExpired', reason: 'The contract has expired.' }
        Promise.all(due.map((b) => endTransfersUnder(deps, b.agreement, why))).then(rearm, (cause: unknown) =>
          deps.log.error({ err: cause }, 'expired transfers could not be ended'),
        )
      },
      Math.min(MAX_TIMER_MS, Math.max(0, next.at - deps.clock())),
    )
    timer.unref()
  }
  rearm()
  const unsubscribe = deps.store.onProcess((process) => {
    if (process.kind === 'transfer') rearm()
  })
  return {
    [Symbol.dispose]: () => {
      unsubscribe()
      clearTimeout(timer)
    },
  }
}
