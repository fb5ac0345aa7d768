/**
 * What flows: brings the data plane in line with the state of transfers, at once and also after a restart. Decides nothing
 * about the states themselves.
 */
import { reasonIn } from '../core/operator-reasons.js'
import { err, message, ok, type Problem, problem, type Result } from '../core/result.js'
import type { Text } from '../core/types.js'
import { type Agreement, readableForm } from '../domain/agreement.js'
import { isFinal } from '../domain/process.js'
import { TRANSFER, type Transfer } from '../domain/transfer.js'
import type { Facts } from '../policy/model.js'
import { needsKey, type Plan } from '../policy/plan.js'
import { factsFor } from './confirmed.js'
import { allows, planOf, understood } from './contract.js'
import { playedOff } from './played-off.js'
import type { TransferDeps } from './transfer.js'
import { pushGrant } from './transfer-push.js'

/** Why an agreement that is not active allows nothing. */
export function inactive(agreement: Agreement): { readonly ok: false; readonly error: Problem } {
  return { ok: false, error: { code: 'GrantEnded', ...message(whyInactive(agreement)) } }
}

const whyInactive = ({ status, statusReason }: Agreement): Text =>
  status === 'revoked'
    ? revokedWords(statusReason)
    : { en: 'The contract is not finalised.', de: 'Der Vertrag ist noch nicht geschlossen.' }

/** What a person gave as the reason stands behind it as it is. */
export function revokedWords(reason: string | undefined): Text {
  if (reason === undefined) return { en: 'The contract was revoked', de: 'Der Vertrag wurde widerrufen' }
  return {
    en: `The contract was revoked: ${reason}`,
    de: `Der Vertrag wurde widerrufen: ${reasonIn(reason, 'de')}`,
  }
}

/** What forbids every flow under the agreement, whatever the state of its transfers. */
export function barredBy(deps: Pick<TransferDeps, 'store'>, agreement: Agreement): Problem | undefined {
  if (agreement.status !== 'active') return inactive(agreement).error
  return deps.store.partner(agreement.partner)?.trust === 'trusted'
    ? undefined
    : {
        code: 'NotTrusted',
        ...message({
          en: 'The partner is not trusted.',
          de: 'Der Partner gilt nicht als vertrauenswürdig.',
        }),
      }
}

/** What is known about the use under an agreement at this moment. `endpoint`: where it is to be pushed. */
export const transferFacts = (
  deps: Pick<TransferDeps, 'store' | 'clock'>,
  { id, partner, datasetId, agreedAt }: Agreement,
  endpoint?: string,
): Facts => ({
  ...factsFor(deps, { partner, datasetId, ...(endpoint === undefined ? {} : { endpoint }) }),
  agreedAt,
  counted: deps.store.booked(id),
})

/** Whether a flow under the agreement may run now: policy at the transfer phase, a plan, and a source that can keep it. */
export function mayRun(
  deps: TransferDeps,
  agreement: Agreement,
  endpoint?: string,
): Result<{ readonly facts: readonly string[] }> {
  const barred = barredBy(deps, agreement)
  if (barred !== undefined) return err(barred)
  const policy = understood(readableForm(agreement), agreement.tier)
  if (!policy.ok) return policy
  const allowed = allows(policy.value, 'transfer', transferFacts(deps, agreement, endpoint))
  if (!allowed.ok) return allowed
  const plan = planOf(agreement)
  if (!plan.ok) return plan
  const both = playedOff({ store: deps.store, now: deps.clock() }, agreement, plan.value)
  if (both !== undefined) return both
  const served = deps.dataPlane.canServe(agreement.datasetId, plan.value)
  return served.ok ? allowed : served
}

/** Hands a started provider transfer to the data plane. Also used after a restart. */
export function grant(deps: TransferDeps, transfer: Transfer): Result<Transfer> {
  const agreement = deps.store.agreement(transfer.agreementId, {
    partner: transfer.partner,
    role: 'provider',
  })
  if (agreement === undefined)
    return problem('NotFound', {
      en: 'The agreement of the transfer is gone.',
      de: 'Die Vereinbarung dieser Übertragung gibt es nicht mehr.',
    })
  const barred = barredBy(deps, agreement)
  if (barred !== undefined) {
    deps.dataPlane.stop(transfer.pid, barred)
    return err(barred)
  }
  const plan = planOf(agreement)
  if (!plan.ok) return plan
  const push = pushGrant(deps, transfer)
  if (!push.ok) return push
  const key = pseudonymKeyOf(deps, agreement, plan.value)
  if (!key.ok) {
    deps.dataPlane.stop(transfer.pid, key.error)
    return key
  }
  deps.dataPlane.start({
    transferPid: transfer.pid,
    agreementId: agreement.id,
    datasetId: transfer.datasetId,
    recipient: transfer.partner,
    plan: plan.value,
    tokenHash: deps.dataToken(transfer.pid, transfer.generation).hash,
    ...(key.value === undefined ? {} : { pseudonymKey: key.value }),
    ...(push.value === undefined ? {} : { push: push.value }),
  })
  return ok(transfer)
}

/** The key of an agreement with pseudonyms or noise; undefined for any other. Without it nothing of that agreement may flow. */
function pseudonymKeyOf(
  { pseudonyms }: TransferDeps,
  { id, pseudonymKey }: Agreement,
  plan: Plan,
): Result<Uint8Array | undefined> {
  if (!needsKey(plan)) return ok(undefined)
  if (pseudonymKey === undefined || pseudonyms === undefined) {
    return problem('GrantEnded', {
      en: 'The key of this contract, from which its pseudonyms and deviations come, has been destroyed.',
      de: 'Der Schlüssel dieses Vertrags, aus dem seine Pseudonyme und Abweichungen entstehen, wurde vernichtet.',
    })
  }
  return pseudonyms.open(pseudonymKey, id)
}

/**
 * Whether data may flow in this state; a start that is on its way counts, a suspension that is on its way as well. Only a
 * push waits until the consumer has heard of the start.
 */
export const isFlowing = (t: Transfer): boolean =>
  t.role === 'provider' &&
  ((t.pending === 'start' && t.pushTo === undefined) || (t.state === 'STARTED' && t.pending === undefined))

/** The problem that the data plane answers with for a transfer that is not flowing. */
export function whyStopped(deps: Pick<TransferDeps, 'store'>, t: Transfer): Problem {
  const agreement = deps.store.agreement(t.agreementId, { partner: t.partner, role: t.role })
  if (agreement?.status === 'revoked') {
    const { statusReason } = agreement
    const words =
      statusReason === undefined
        ? {
            en: 'The contract was revoked: no reason given',
            de: 'Der Vertrag wurde ohne Angabe von Gründen widerrufen',
          }
        : revokedWords(statusReason)
    return { code: 'GrantEnded', ...message(words) }
  }
  const word =
    t.state === 'SUSPENDED' || t.pending === 'suspend'
      ? 'suspended'
      : t.state === 'COMPLETED' || t.pending === 'complete'
        ? 'completed'
        : 'terminated'
  const { reason } = t
  const [en, de] =
    reason === undefined ? ['', ''] : [`: ${reason}`, `: ${t.reasonDe ?? reasonIn(reason, 'de')}`]
  return {
    code: 'GrantEnded',
    message: `The transfer is ${word}${en}`,
    messageDe: `Die Übertragung ist ${STOPPED[word]}${de}`,
  }
}

const STOPPED = { suspended: 'angehalten', completed: 'abgeschlossen', terminated: 'beendet' } as const

/** Brings the data plane in line with the process, at once and before the partner has answered. */
export function reflect(deps: TransferDeps, before: Transfer | undefined, after: Transfer): Result<Transfer> {
  if (after.role !== 'provider') {
    // What is being delivered to us ends as well.
    if (after.sink !== undefined && (isFinal(TRANSFER, after.state) || after.state === 'SUSPENDED'))
      deps.dataPlane.stop(after.pid, whyStopped(deps, after))
    return ok(after)
  }
  if (isFlowing(after)) {
    const fresh = before === undefined || !isFlowing(before) || before.generation !== after.generation
    return fresh ? grant(deps, after) : ok(after)
  }
  if (isFinal(TRANSFER, after.state) || after.state === 'SUSPENDED' || after.pending !== undefined) {
    deps.dataPlane.stop(after.pid, whyStopped(deps, after))
  }
  return ok(after)
}

/** Beyond any number of transfers that one file can hold. */
const EVERY = { limit: 10_000_000 }

/** Transfers that have not ended, whatever their number and age. */
export const runningTransfers = (deps: Pick<TransferDeps, 'store'>): readonly Transfer[] =>
  ['NEW', 'REQUESTED', 'STARTED', 'SUSPENDED'].flatMap((state) =>
    deps.store.list('transfer', { state, ...EVERY }),
  )

/** After a restart: the data plane learns again what may flow, and why the rest may not. */
export function restoreFlows(deps: TransferDeps): void {
  for (const transfer of runningTransfers(deps)) {
    if (transfer.role !== 'provider') continue
    // The data plane can say why a transfer is suspended only when it knows the transfer.
    const known =
      transfer.state === 'SUSPENDED' && !isFlowing(transfer) ? grant(deps, transfer) : ok(transfer)
    const reflected = known.ok ? reflect(deps, undefined, transfer) : known
    if (!reflected.ok)
      deps.log.error({ pid: transfer.pid, why: reflected.error.message }, 'transfer not restored')
  }
}
