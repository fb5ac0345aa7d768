/** The steps that begin a flow: our start as provider, and as consumer the start by which EDC answers our resumption. Pure. */
import { ok, problem, type Result } from '../core/result.js'
import { reachedBy } from '../domain/partner.js'
import { send } from '../domain/process.js'
import type { Step } from '../domain/step.js'
import { PUSH, TRANSFER, type Transfer } from '../domain/transfer.js'
import { inactive, mayRun } from './flow.js'
import { oweTo, pidsOf } from './negotiation.js'
import type { TransferDeps } from './transfer.js'
import { entry } from './transfer-end.js'

/** Provider: our start message, with a new address token for every start. `facts`: what the operator confirmed and it rests on. */
export function startStep(
  deps: TransferDeps,
  current: Transfer,
  facts: readonly string[] = [],
): Result<Step<Transfer>> {
  const sending = send(TRANSFER, current, 'start', deps.clock())
  if (!sending.ok) return sending
  const { suspendedBy: _, suspendedFor: __, reason: ___, reasonDe: ____, ...rest } = sending.value
  const next: Transfer = { ...rest, generation: current.generation + 1 }
  const data = {
    endpoint: reachedBy(deps.store.partner(next.partner), deps.dataEndpoint(next.pid)),
    token: deps.dataToken(next.pid, next.generation).token,
  }
  const message = deps.wire.transferStart({
    ...pidsOf(next),
    from: 'provider',
    // DSP 2025-1, "Transfer Start Message": a dataAddress only where the consumer fetches the data.
    ...(next.format === PUSH ? {} : { data }),
  })
  return ok({
    next,
    owe: oweTo(next, 'start', message),
    audit: [entry(next, 'out', 'start', facts.length === 0 ? undefined : { facts })],
  })
}

/** Provider: whether a transfer of ours may go on, and on which confirmed facts that rests. */
export function mayStart(
  deps: TransferDeps,
  { agreementId, partner, pushTo }: Transfer,
): Result<{ readonly facts: readonly string[] }> {
  const agreement = deps.store.agreement(agreementId, { partner, role: 'provider' })
  if (agreement === undefined)
    return problem('NotFound', {
      en: 'The agreement of the transfer is gone.',
      de: 'Die Vereinbarung dieser Übertragung gibt es nicht mehr.',
    })
  return agreement.status === 'active' ? mayRun(deps, agreement, pushTo?.endpoint) : inactive(agreement)
}

/** Consumer: EDC answers our resumption with a start of its own, which brings the token that counts from then on. */
export function renewal(
  deps: TransferDeps,
  { resumed, ...current }: Transfer,
  m: {
    readonly digest: string
    readonly partnerPid: string
    readonly data?: { readonly endpoint: string; readonly token: string }
  },
): Step<Transfer> | undefined {
  const answers = resumed === true && current.state === 'STARTED' && current.partnerPid === m.partnerPid
  const isCopy = current.lastDigest === m.digest || current.applied?.includes(m.digest) === true
  if (!answers || m.data === undefined || isCopy) return undefined
  const next: Transfer = {
    ...current,
    endpoint: m.data.endpoint,
    sealedToken: deps.sealToken(m.data.token, current.pid),
    lastDigest: m.digest,
    updatedAt: deps.clock(),
  }
  return { next, audit: [entry(next, 'in', 'start')] }
}
