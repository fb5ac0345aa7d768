/**
 * Transfer processes, both roles: the only place that moves a transfer and tells the data plane who may have what.
 * DSP 2025-1, Transfer Process Protocol.
 */
import type { Log } from '../core/log.js'
import { OPERATOR_REASONS } from '../core/operator-reasons.js'
import { type Because, ok, problem, type Result } from '../core/result.js'
import type { Clock, ParticipantId, Pid } from '../core/types.js'
import type { Agreement } from '../domain/agreement.js'
import { type Partner, reachedBy } from '../domain/partner.js'
import { isFinal, receive, send, told } from '../domain/process.js'
import type { Step } from '../domain/step.js'
import { FORMATS, TRANSFER, type Transfer, type TransferEvent } from '../domain/transfer.js'
import type { Store } from '../store/store.js'
import { mayOpen } from './crowd.js'
import { inactive, mayRun, reflect } from './flow.js'
import { type Incoming, oweTo, pidsOf } from './negotiation.js'
import type {
  Automation,
  DataPlanePort,
  NewPid,
  PseudonymKeys,
  PushDestination,
  PushRange,
  Wire,
} from './ports.js'
import { finalized } from './transfer-agreement.js'
import { closeTransfer, entry, revokedByPartner, suspended } from './transfer-end.js'
import { wantedOf } from './transfer-moves.js'
import { chosenSink, type PushDeps, requestedPush, type SinkWish } from './transfer-push.js'
import { mayStart, renewal, startStep } from './transfer-start.js'

export type TransferDeps = PushDeps & {
  readonly store: Store
  readonly clock: Clock
  readonly newPid: NewPid
  readonly ownDid: ParticipantId
  readonly callbackAddress: string
  /** Public address of the data plane for a transfer. */
  readonly dataEndpoint: (transferPid: string) => string
  readonly wire: Wire
  readonly dataPlane: DataPlanePort
  /** The operator's rules: what to do when a process enters a state. */
  readonly automation: Automation
  /** The bearer token of a start, and its hash: derived, so that it is stored nowhere. */
  readonly dataToken: (
    transferPid: string,
    generation: number,
  ) => { readonly token: string; readonly hash: string }
  readonly log: Log
  readonly pseudonyms?: PseudonymKeys
}

/** Consumer: asks for a transfer under an active agreement. */
export async function requestTransfer(
  deps: TransferDeps,
  m: {
    readonly agreement: Agreement
    readonly partner: Partner
    readonly format: string
    /** Only for push. */
    readonly sink?: SinkWish
    readonly range?: PushRange
  },
): Promise<Result<Transfer>> {
  if (m.agreement.role !== 'consumer') {
    return problem('InvalidInput', {
      en: 'Under this contract you are the provider: the partner asks for the transfer.',
      de: 'In diesem Vertrag sind Sie der Anbieter: Die Übertragung fragt der Partner an.',
    })
  }
  if (m.agreement.status !== 'active') return inactive(m.agreement)
  const at = deps.clock()
  const pid = deps.newPid()
  const sink = await chosenSink(deps, m, pid)
  if (!sink.ok) return sink
  const next: Transfer = {
    kind: 'transfer',
    pid,
    role: 'consumer',
    partner: m.partner.did,
    partnerAddress: m.partner.address,
    state: 'NEW',
    pending: 'request',
    agreementId: m.agreement.id,
    datasetId: m.agreement.datasetId,
    format: m.format,
    generation: 0,
    ...(sink.value === undefined ? {} : { sink: sink.value }),
    createdAt: at,
    updatedAt: at,
  }
  const message = deps.wire.transferRequest({
    consumerPid: pid,
    agreementId: m.agreement.id,
    format: m.format,
    callbackAddress: reachedBy(m.partner, deps.callbackAddress),
    ...(sink.value === undefined
      ? {}
      : {
          data: {
            endpoint: reachedBy(m.partner, deps.pushEndpoint(pid)),
            token: deps.dataToken(pid, 0).token,
            ...m.range,
          },
        }),
  })
  const { process } = await deps.store.create({
    next,
    owe: oweTo(next, 'request', message),
    audit: [entry(next, 'out', 'request', { agreement: m.agreement.id })],
  })
  return ok(process)
}

/** Provider: a partner asks for a transfer. A repeated request gets the existing process. */
export async function receiveTransferRequest(
  deps: TransferDeps,
  m: Incoming & {
    readonly consumerPid: string
    readonly agreementId: string
    readonly format: string
    readonly callbackAddress: string
    readonly data?: PushDestination
  },
): Promise<Result<Transfer>> {
  const existing = deps.store.findByPartnerPid('transfer', 'provider', m.sender, m.consumerPid)
  if (existing !== undefined) return repeated(existing, m)
  const room = mayOpen(deps, 'transfer', m.sender)
  if (!room.ok) return room
  const agreement = await finalized(deps, m.agreementId, m.sender)
  if (!agreement.ok) return agreement
  if (!FORMATS.includes(m.format)) {
    return problem('FormatUnsupported', {
      en: `The format ${m.format} is not offered for this dataset. Offered: ${FORMATS.join(', ')}.`,
      de: `Das Format ${m.format} wird für diesen Datensatz nicht angeboten. Angeboten: ${FORMATS.join(', ')}.`,
    })
  }
  const pid = deps.newPid()
  const pushTo = requestedPush(deps, m.format, m.data, { pid, partner: deps.store.partner(m.sender) })
  if (!pushTo.ok) return pushTo
  const grantable = mayRun(deps, agreement.value, pushTo.value?.endpoint)
  if (!grantable.ok) return grantable
  const at = deps.clock()
  const requested: Transfer = {
    kind: 'transfer',
    pid,
    role: 'provider',
    partner: m.sender,
    partnerPid: m.consumerPid,
    partnerAddress: m.callbackAddress,
    state: 'REQUESTED',
    turn: 1,
    agreementId: agreement.value.id,
    datasetId: agreement.value.datasetId,
    format: m.format,
    generation: 0,
    ...(pushTo.value === undefined ? {} : { pushTo: pushTo.value }),
    openingDigest: m.digest,
    lastDigest: m.digest,
    createdAt: at,
    updatedAt: at,
  }
  // Whatever else the rules want is done once the request is written.
  const move = wantedOf(deps, requested)
  const atOnce = move.move === 'start' && (move.afterMs ?? 0) === 0
  const starting: Result<Step<Transfer>> = atOnce
    ? startStep(deps, requested, grantable.value.facts)
    : ok({ next: requested })
  if (!starting.ok) return starting
  const { created, process } = await deps.store.create({
    ...starting.value,
    audit: [
      entry(requested, 'in', 'request', { agreement: agreement.value.id }),
      ...(starting.value.audit ?? []),
    ],
  })
  return created ? reflect(deps, undefined, process) : repeated(process, m)
}

const repeated = (
  existing: Transfer,
  m: { readonly agreementId: string; readonly format: string; readonly data?: PushDestination },
): Result<Transfer> =>
  existing.agreementId === m.agreementId &&
  existing.format === m.format &&
  // Data never goes anywhere else than the partner was told.
  (existing.pushTo === undefined || existing.pushTo.endpoint === m.data?.endpoint)
    ? ok(existing)
    : problem('InvalidTransition', {
        en: 'There is already another transfer with this consumerPid.',
        de: 'Es gibt schon eine andere Übertragung mit dieser consumerPid.',
      })

/** Either role: the partner starts or restarts. Only a provider's start carries the data address. */
export function receiveStart(
  deps: TransferDeps,
  m: Incoming & {
    readonly pid: Pid
    readonly partnerPid: string
    readonly data?: { readonly endpoint: string; readonly token: string }
  },
): Promise<Result<Transfer>> {
  return deciding(deps, m, (current) => {
    const renewed = renewal(deps, current, m)
    if (renewed !== undefined) return ok(renewed)
    const received = receive(TRANSFER, current, 'start', { ...m, at: deps.clock() })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ next: current })
    if (current.closing !== undefined) return closeTransfer(deps, received.value.next, 'start')
    if (current.role === 'provider') {
      // Ours carries a new data token and has to reach the consumer; its own start is not needed then.
      if (current.pending === 'start') {
        return problem('InvalidTransition', {
          en: 'The provider is starting this transfer again already.',
          de: 'Der Anbieter startet diese Übertragung schon wieder.',
        })
      }
      if (current.suspendedBy === 'us') {
        return problem('InvalidTransition', {
          en: 'The provider suspended this transfer; only the provider can start it again.',
          de: 'Der Anbieter hat diese Übertragung angehalten; nur er kann sie fortsetzen.',
        })
      }
      const agreement = deps.store.agreement(current.agreementId, {
        partner: current.partner,
        role: 'provider',
      })
      if (agreement?.status !== 'active')
        return problem('GrantEnded', {
          en: 'The contract is no longer in force.',
          de: 'Der Vertrag gilt nicht mehr.',
        })
      const allowed = mayRun(deps, agreement, current.pushTo?.endpoint)
      if (!allowed.ok) return allowed
      // EDC goes on only after a start of ours, which has a token of its own.
      if (deps.store.partner(current.partner)?.dialect === 'edc') {
        const starting = startStep(deps, { ...current, lastDigest: m.digest }, allowed.value.facts)
        if (!starting.ok) return starting
        const wanted = entry(starting.value.next, 'in', 'start')
        return ok({ ...starting.value, audit: [wanted, ...(starting.value.audit ?? [])] })
      }
    }
    const {
      suspendedBy: _,
      suspendedFor: __,
      reason: ___,
      reasonDe: ____,
      resumed: _____,
      ...rest
    } = received.value.next
    const next: Transfer = {
      ...rest,
      ...(m.data === undefined
        ? {}
        : { endpoint: m.data.endpoint, sealedToken: deps.sealToken(m.data.token, current.pid) }),
    }
    return ok({ next, settle: received.value.settlesPending, audit: [entry(next, 'in', 'start')] })
  })
}

/** Either role: the partner suspends, completes or terminates. */
export async function receiveEnd(
  deps: TransferDeps,
  event: 'suspend' | 'complete' | 'terminate',
  m: Incoming & {
    readonly pid: Pid
    readonly partnerPid: string
    readonly code?: string
  } & Partial<Because>,
): Promise<Result<Transfer>> {
  let revoked: Agreement | undefined
  const outcome = await deciding(deps, m, (current) => {
    const why = told(m.code === undefined ? {} : { reason: m.code }, m)
    const received = receive(TRANSFER, current, event, {
      ...m,
      at: deps.clock(),
      ...why,
      // A consumer may suspend in the same words what the provider has resumed; every start of a provider has its token.
      recurs: event === 'suspend',
    })
    if (!received.ok) return received
    if (received.value.repeated) return ok({ next: current })
    const next = event === 'suspend' ? suspended(current, received.value.next) : received.value.next
    const note = entry(next, 'in', event, why)
    revoked =
      event === 'terminate' && m.code === 'AgreementRevoked'
        ? revokedByPartner(deps, next, why.reason)
        : undefined
    const step = { next, settle: received.value.settlesPending }
    if (revoked === undefined) return ok({ ...step, audit: [note] })
    const end = { ...note, subject: revoked.id, event: 'revoked' }
    return ok({ ...step, agreement: revoked, audit: [note, end] })
  })
  if (outcome.ok && revoked !== undefined) {
    const reason = revoked.statusReason ?? OPERATOR_REASONS.revoked.en
    await endTransfersUnder(deps, revoked, { code: 'AgreementRevoked', reason })
  }
  return outcome
}

/** Terminates everything that runs under a contract. */
export async function endTransfersUnder(
  deps: TransferDeps,
  agreement: Agreement,
  why: { readonly code: string } & Because,
): Promise<void> {
  const running = deps.store
    .transfersUnder(agreement.id, agreement.partner)
    .filter((t) => t.role === agreement.role && !isFinal(TRANSFER, t.state) && t.pending !== 'terminate')
  await Promise.all(running.map((t) => moveTransfer(deps, t.pid, 'terminate', why)))
}

/** Either role: the operator (or the end of a contract) suspends, resumes, completes or terminates. */
export function moveTransfer(
  deps: TransferDeps,
  pid: Pid,
  event: Exclude<TransferEvent, 'request'>,
  why: { readonly code: string } & Because,
  /** Nothing is done once the process has moved on from this turn. */
  onlyInTurn?: number,
): Promise<Result<Transfer>> {
  return deciding(deps, { pid }, (current) => {
    const at = deps.clock()
    if (onlyInTurn !== undefined && (current.turn ?? 0) !== onlyInTurn) {
      return problem('InvalidTransition', {
        en: 'Another message was faster.',
        de: 'Eine andere Nachricht war schneller.',
      })
    }
    if (current.state === 'NEW' && event === 'terminate') {
      const next: Transfer = { ...current, closing: why.reason, updatedAt: at }
      return ok({ next, audit: [entry(next, 'own', 'terminate wanted', { reason: why.reason })] })
    }
    if (event === 'start') {
      const begins = current.state === 'REQUESTED' && current.role === 'provider'
      if (current.state !== 'SUSPENDED' && !begins) {
        return problem('InvalidTransition', {
          en: `Only a suspended transfer can be resumed; this one is ${current.state}.`,
          de: `Nur eine angehaltene Übertragung lässt sich fortsetzen; diese ist ${current.state}.`,
        })
      }
      if (current.role === 'provider') {
        const allowed = mayStart(deps, current)
        return allowed.ok ? startStep(deps, current, allowed.value.facts) : allowed
      }
      if (current.suspendedBy === 'partner') {
        return problem('InvalidTransition', {
          en: 'The partner suspended this transfer; only the partner can start it again.',
          de: 'Der Partner hat diese Übertragung angehalten; nur er kann sie fortsetzen.',
        })
      }
    }
    const sending = send(TRANSFER, current, event, at, {
      ...(event === 'start' ? {} : told({}, why)),
      replacesPending: event === 'terminate',
    })
    if (!sending.ok) return sending
    const next: Transfer = {
      ...sending.value,
      ...(event === 'suspend' ? { suspendedBy: 'us' } : {}),
      ...(event === 'suspend' && why.code === 'NotConfirmed' ? { suspendedFor: 'conditions' } : {}),
      ...(event === 'start' ? { resumed: true } : {}),
    }
    const head = { ...pidsOf(next), from: next.role }
    const message = {
      start: () => deps.wire.transferStart(head),
      suspend: () => deps.wire.transferSuspension({ ...head, ...why }),
      complete: () => deps.wire.transferCompletion(head),
      terminate: () => deps.wire.transferTermination({ ...head, ...why }),
    }[event]()
    return ok({
      next,
      settle: event === 'terminate',
      owe: oweTo(next, event, message),
      audit: [entry(next, 'out', event, told({}, why))],
    })
  })
}

async function deciding(
  deps: TransferDeps,
  m: { readonly pid: Pid; readonly sender?: ParticipantId },
  decide: (current: Transfer) => Result<Step<Transfer>>,
): Promise<Result<Transfer>> {
  let before: Transfer | undefined
  const ref = {
    kind: 'transfer',
    pid: m.pid,
    ...(m.sender === undefined ? {} : { partner: m.sender }),
  } as const
  const outcome = await deps.store.change(ref, (current) => {
    before = current
    return decide(current)
  })
  if (!outcome.ok) return outcome
  deps.log.info({ pid: m.pid, state: outcome.value.state, pending: outcome.value.pending }, 'transfer')
  return reflect(deps, before, outcome.value)
}
