/** Contracts after the handshake: what they say in words, whether their signatures hold, and their end. */
import { OPERATOR_REASONS } from '../core/operator-reasons.js'
import { type Because, because, message, ok, problem, problemOf, type Result } from '../core/result.js'
import type { Clock, EpochMs, JsonObject, ParticipantId, Pid, Text } from '../core/types.js'
import { type Agreement, withoutPseudonymKey } from '../domain/agreement.js'
import { isFinal } from '../domain/process.js'
import { TRANSFER, type Transfer } from '../domain/transfer.js'
import { clauseLabel, type Enforcement, explain, type Known } from '../policy/explain.js'
import { parsePolicy } from '../policy/parse.js'
import type { Tier } from '../policy/tier.js'
import type { Store } from '../store/store.js'
import { agreementHash, hasNoTerms, planOf } from './contract.js'
import { barredBy, revokedWords, runningTransfers } from './flow.js'
import { signedText } from './negotiation-agreement.js'
import type { Seals } from './ports.js'
import { endTransfersUnder, moveTransfer, type TransferDeps } from './transfer.js'

export type AgreementDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly ownDid: ParticipantId
  readonly seals: Seals
}

export type ClauseInWords = {
  readonly number: number
  readonly text: Text
  readonly enforcedBy: Enforcement
  readonly enforcement: Text
}

export type TierInWords = { readonly number: Tier; readonly text: Text }

const WITHOUT_TERMS: ClauseInWords = {
  number: 1,
  text: {
    en: 'There are no terms: nothing is said about what is allowed or forbidden.',
    de: 'Es gibt keine Bedingungen: Was erlaubt oder verboten ist, steht nirgends.',
  },
  enforcedBy: 'contract',
  enforcement: { en: 'nothing to carry out', de: 'nichts umzusetzen' },
}

/**
 * The terms of an offer or agreement as sentences; an unreadable policy has none.
 */
export function inWords(policy: unknown, known: Known = {}): readonly ClauseInWords[] {
  const parsed = parsePolicy(policy)
  if (!parsed.ok) return []
  if (hasNoTerms(policy as JsonObject)) return [WITHOUT_TERMS]
  return explain(parsed.value, known).map((clause) => ({
    number: clause.number,
    text: clause.text,
    enforcedBy: clause.enforcedBy,
    enforcement: clauseLabel(clause),
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
      ...signedText(agreement),
      covers,
    })
    signatures.push(
      outcome.ok ? { by, as, verdict: 'valid' } : { by, as, verdict: 'invalid', ...problemOf(outcome.error) },
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
    return problem('InvalidInput', {
      en: 'A revocation needs a reason; the partner is told.',
      de: 'Ein Widerruf braucht einen Grund; der Partner erfährt ihn.',
    })
  const at = deps.clock()
  // Before anything is written: on a full disk the data stops all the same.
  stopFlows(deps, id, reason)
  const outcome = await deps.store.changeAgreement(id, (current) => {
    if (current.status === 'revoked')
      return problem('InvalidTransition', {
        en: 'This contract is revoked already.',
        de: 'Dieser Vertrag ist schon widerrufen.',
      })
    if (current.status === 'pending') {
      return problem('InvalidTransition', {
        en: 'This contract is still being negotiated; end the negotiation instead.',
        de: 'Dieser Vertrag wird noch verhandelt; beenden Sie stattdessen die Verhandlung.',
      })
    }
    const next: Agreement = {
      ...withoutPseudonymKey(current),
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

/** Nothing more leaves under the contract, whether or not its end can be written. */
function stopFlows(deps: TransferDeps, id: string, reason: string): void {
  const agreement = deps.store.agreement(id)
  if (agreement?.role !== 'provider' || agreement.status !== 'active') return
  const why = { code: 'GrantEnded', ...message(revokedWords(reason)) } as const
  for (const transfer of deps.store.transfersUnder(id, agreement.partner)) {
    if (transfer.role === 'provider') deps.dataPlane.stop(transfer.pid, why)
  }
}

/** Longest delay a Node timer can take. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Ends transfers with their contract: when it expires, with one timer for the next boundary, and at the start those that
 * a stop of the program left running under a revoked contract or for a partner without trust. The data plane stops by
 * itself at the same instant; this tells the partner.
 */
export function watchExpiry(deps: TransferDeps): Disposable {
  /** End of the contract, by pid of the provider's transfers that run. */
  const ends = new Map<Pid, EpochMs>()
  let timer: NodeJS.Timeout | undefined
  let armedFor: EpochMs | undefined

  const note = (t: Transfer): void => {
    if (t.role !== 'provider') return
    const over = isFinal(TRANSFER, t.state) || t.pending === 'terminate' || t.pending === 'complete'
    const at = over ? undefined : (ends.get(t.pid) ?? expiryOf(deps, t))
    if (at === undefined) ends.delete(t.pid)
    else ends.set(t.pid, at)
  }
  const arm = (): void => {
    let next: EpochMs | undefined
    for (const at of ends.values()) if (next === undefined || at < next) next = at
    if (next === armedFor) return
    clearTimeout(timer)
    armedFor = next
    if (next === undefined) return
    timer = setTimeout(expire, Math.min(MAX_TIMER_MS, Math.max(0, next - deps.clock())))
    timer.unref()
  }
  const expire = (): void => {
    armedFor = undefined
    const now = deps.clock()
    const due = [...ends].filter(([, at]) => at <= now).map(([pid]) => pid)
    for (const pid of due) ends.delete(pid)
    end(deps, due, { code: 'AgreementExpired', reason: OPERATOR_REASONS.expired.en }).finally(arm)
  }

  for (const transfer of runningTransfers(deps)) {
    const why = orphaned(deps, transfer)
    if (why === undefined) note(transfer)
    else void end(deps, [transfer.pid], why)
  }
  arm()
  const unsubscribe = deps.store.onProcess((process) => {
    if (process.kind !== 'transfer') return
    note(process)
    arm()
  })
  return {
    [Symbol.dispose]: () => {
      unsubscribe()
      clearTimeout(timer)
    },
  }
}

type Why = { readonly code: string } & Because

async function end(deps: TransferDeps, pids: readonly Pid[], why: Why): Promise<void> {
  const outcomes = await Promise.allSettled(pids.map((pid) => moveTransfer(deps, pid, 'terminate', why)))
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') deps.log.error({ err: outcome.reason }, 'transfer could not be ended')
  }
}

/** Why a transfer must not go on although nobody has ended it yet. */
function orphaned(deps: TransferDeps, t: Transfer): Why | undefined {
  if (t.pending === 'terminate' || t.closing !== undefined) return undefined
  const agreement = deps.store.agreement(t.agreementId, { partner: t.partner, role: t.role })
  const barred = agreement === undefined ? undefined : barredBy(deps, agreement)
  if (barred === undefined) return undefined
  return agreement?.status === 'revoked'
    ? { code: 'AgreementRevoked', reason: agreement.statusReason ?? barred.message }
    : { code: barred.code, ...because(barred) }
}

function expiryOf(deps: TransferDeps, t: Transfer): EpochMs | undefined {
  const agreement = deps.store.agreement(t.agreementId, { partner: t.partner, role: 'provider' })
  const plan = agreement === undefined ? undefined : planOf(agreement)
  return plan?.ok === true ? plan.value.notAfter : undefined
}
