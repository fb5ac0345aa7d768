/**
 * What follows when the partner has answered one of our messages, or never will. The dispatcher sends; this decides.
 */
import {
  type Because,
  because,
  message,
  ok,
  type Problem,
  problem,
  type Result,
  textOf,
} from '../core/result.js'
import type { JsonObject, Text } from '../core/types.js'
import { NEGOTIATION, type Negotiation, type NegotiationEvent } from '../domain/negotiation.js'
import { acknowledged, broken, isFinal, type ProcessKind } from '../domain/process.js'
import type { AuditEntry, Owed, Process, Step } from '../domain/step.js'
import { TRANSFER, type Transfer, type TransferEvent } from '../domain/transfer.js'
import { STATEMENT_EVENT } from './duty-statements.js'
import { reflect } from './flow.js'
import { closeNegotiation, type NegotiationDeps, oweTo, pidsOf } from './negotiation.js'
import type { TransferDeps } from './transfer.js'
import { closeTransfer } from './transfer-end.js'

export type DeliveryDeps = NegotiationDeps & TransferDeps

/**
 * The partner acknowledged. `answer` is read only where the protocol puts something into it. The answer to a message that
 * is not owed any more changes nothing: what settled it knew more.
 */
export async function delivered(
  deps: DeliveryDeps,
  owed: Owed,
  answer: Uint8Array,
  /** HTTP status of the answer, for the history. */
  status?: number,
): Promise<Result<Process>> {
  let partnerPid: string | undefined
  let before: Transfer | undefined
  const opening = deps.store.find<ProcessKind>({ kind: owed.kind, pid: owed.pid })
  if (opening?.state === 'NEW') {
    const read = deps.wire.readAnswer(owed.kind, answer, opening.role, owed.pid)
    if (!read.ok) return undeliverable(deps, owed, read.error)
    partnerPid = read.value.partnerPid
    const apart = statesDiffer(owed, read.value.state)
    if (apart !== undefined) {
      // Whoever has ended it already is not told once more.
      const told = read.value.state === 'TERMINATED' ? undefined : partnerPid
      const outcome = await undeliverable(deps, owed, apart, told)
      return outcome.ok ? outcome : undeliverable(deps, owed, apart)
    }
  }
  const outcome =
    owed.kind === 'negotiation'
      ? await deps.store.change({ kind: 'negotiation', pid: owed.pid }, (current) => {
          if (!deps.store.isOwed(owed.id)) return ok({ next: current })
          const next = acknowledged(
            NEGOTIATION,
            current,
            owed.event as NegotiationEvent,
            deps.clock(),
            partnerPid,
          )
          if (current.closing !== undefined && current.state === 'NEW') return closeNegotiation(deps, next)
          return ok({ ...settled(deps, current, next, owed, status), ...activation(deps, current, next) })
        })
      : await deps.store.change({ kind: 'transfer', pid: owed.pid }, (current) => {
          before = current
          if (!deps.store.isOwed(owed.id)) return ok({ next: current })
          const next = acknowledged(TRANSFER, current, owed.event as TransferEvent, deps.clock(), partnerPid)
          if (current.closing !== undefined && current.state === 'NEW') return closeTransfer(deps, next)
          return ok(settled(deps, current, next, owed, status))
        })
  // A providerPid that belongs to another of our processes: the partner's answer cannot be used.
  if (outcome.ok) {
    const { value } = outcome
    return value.kind === 'transfer' && before !== undefined ? reflect(deps, before, value) : outcome
  }
  const { en, de } = textOf(outcome.error)
  const why = {
    code: 'PartnerAnswerInvalid',
    message: `The partner's answer cannot be used. ${en}`,
    messageDe: `Die Antwort des Partners ist nicht verwendbar. ${de}`,
  } as const
  return undeliverable(deps, owed, why)
}

/** Where the partner may be when it answers our opening: there, or ahead by messages that are on their way to us. */
const POSSIBLE: { readonly [opening: string]: readonly string[] } = {
  'negotiation request': ['REQUESTED', 'OFFERED', 'AGREED'],
  'negotiation offer': ['OFFERED', 'REQUESTED', 'ACCEPTED'],
  'transfer request': ['REQUESTED', 'STARTED', 'SUSPENDED'],
}

/** DSP 2025-1, Contract Negotiation Protocol: when the states of the two sides differ, the negotiation is terminated. */
function statesDiffer({ kind, event }: Owed, state: string): Problem | undefined {
  if (POSSIBLE[`${kind} ${event}`]?.includes(state) === true) return undefined
  const what = kind === 'negotiation' ? 'Verhandlung' : 'Übertragung'
  const said: Text =
    state === 'TERMINATED'
      ? {
          en: `The partner answered our ${event} with a ${kind} that is TERMINATED already.`,
          de: `Der Partner antwortete auf unsere Nachricht „${event}“ mit einer ${what}, die schon beendet ist (TERMINATED).`,
        }
      : {
          en: `The partner answered our ${event} with a ${kind} in the state ${state}, in which it cannot be. It was ended here, because the two sides differ.`,
          de: `Der Partner antwortete auf unsere Nachricht „${event}“ mit einer ${what} im Zustand ${state}, in dem sie nicht sein kann. Sie wurde hier beendet, weil beide Seiten verschieden stehen.`,
        }
  return { code: 'PartnerAnswerInvalid', ...message(said) }
}

function settled<P extends Process>(
  deps: Pick<DeliveryDeps, 'clock'>,
  before: P,
  next: P,
  owed: Owed,
  status: number | undefined,
): Step<P> {
  const audit: readonly AuditEntry[] =
    before === next
      ? []
      : [
          {
            subject: owed.pid,
            at: deps.clock(),
            direction: 'out',
            event: `${owed.event} acknowledged`,
            detail: {
              state: next.state,
              attempts: owed.attempts + 1,
              ...(status === undefined ? {} : { status }),
            },
          },
        ]
  return { next, settle: true, audit }
}

/** FINALIZED, acknowledged by the consumer: the contract is in force for us too. */
function activation(
  deps: DeliveryDeps,
  before: Negotiation,
  next: Negotiation,
): Pick<Step<Negotiation>, 'agreement'> {
  if (next.state !== 'FINALIZED' || before.state === 'FINALIZED' || next.agreementId === undefined) return {}
  const agreement = deps.store.agreement(next.agreementId, { partner: next.partner, role: next.role })
  return agreement === undefined ? {} : { agreement: { ...agreement, status: 'active' } }
}

/**
 * The partner refused for good, or could not be reached for as long as we try. The process ends here with the reason;
 * a partner that knows the process is told, once more through the same out-tray.
 */
export async function undeliverable(
  deps: DeliveryDeps,
  owed: Owed,
  why: Problem,
  partnerPid?: string,
): Promise<Result<Process>> {
  // The pid of an answer that leads no further than to the end: it is needed to tell the partner.
  const known = partnerPid === undefined ? {} : { partnerPid }
  const gone = problem('NotFound', {
    en: 'The message is no longer owed.',
    de: 'Die Nachricht steht nicht mehr aus.',
  })
  if (owed.kind === 'negotiation') {
    return deps.store.change({ kind: 'negotiation', pid: owed.pid }, (stored) => {
      if (!deps.store.isOwed(owed.id)) return gone
      const current: Negotiation = { ...stored, ...known }
      const next = broken(NEGOTIATION, current, 'TERMINATED', reasonFor(current, owed, why), deps.clock())
      const message = deps.wire.negotiationTermination({
        ...pidsOf(current),
        from: current.role,
        code: why.code,
        ...because(why),
      })
      return ok(
        ending(
          current,
          next,
          owed,
          why,
          isFinal(NEGOTIATION, current.state),
          oweTo(current, 'terminate', message),
        ),
      )
    })
  }
  let before: Transfer | undefined
  const outcome = await deps.store.change({ kind: 'transfer', pid: owed.pid }, (stored) => {
    if (!deps.store.isOwed(owed.id)) return gone
    before = stored
    const current: Transfer = { ...stored, ...known }
    if (isRefusedResume(current, owed, why)) return ok(stillSuspended(deps, current, owed, why))
    const next = broken(TRANSFER, current, 'TERMINATED', reasonFor(current, owed, why), deps.clock())
    const message = deps.wire.transferTermination({
      ...pidsOf(current),
      from: current.role,
      code: why.code,
      ...because(why),
    })
    return ok(
      ending(
        current,
        next,
        owed,
        why,
        isFinal(TRANSFER, current.state),
        oweTo(current, 'terminate', message),
      ),
    )
  })
  return outcome.ok ? reflect(deps, before, outcome.value) : outcome
}

/** Messages that a partner may have received already, and that end the process well there: nothing takes them back. */
const LASTING: readonly string[] = ['finalize', 'complete', STATEMENT_EVENT]

/** A person stops trying to deliver what is owed: the process ends here, and the partner is told as far as it can be. */
export async function giveUp(deps: DeliveryDeps, process: Process, reason: string): Promise<Result<Process>> {
  const [owed] = deps.store.owedFor(process.pid)
  if (owed === undefined) return nothingOwed(process.kind)
  if (LASTING.includes(owed.event)) {
    return problem('InvalidTransition', {
      en: `The message "${owed.event}" may have arrived already, so it cannot be given up: the two sides would end differently. It is tried on.`,
      de: `Die Nachricht „${owed.event}“ ist vielleicht schon angekommen und kann deshalb nicht aufgegeben werden: Beide Seiten würden verschieden enden. Es wird weiter versucht.`,
    })
  }
  return undeliverable(deps, owed, { code: 'GivenUp', message: reason })
}

/** What the rules could not do may be possible now: without its note the process is looked at again after the commit. */
export function askRulesAgain(
  deps: Pick<DeliveryDeps, 'store'>,
  { kind, pid }: Process,
): Promise<Result<Process>> {
  const again = <P extends Process>({ awaiting, ...rest }: P): Result<Step<P>> =>
    awaiting?.because === 'rules'
      ? ok({ next: rest as unknown as P })
      : problem('InvalidTransition', {
          en: 'It does not wait because of the rules any more. Look at it again.',
          de: 'Es wartet nicht mehr wegen der Regeln. Sehen Sie noch einmal nach.',
        })
  return kind === 'negotiation'
    ? deps.store.change({ kind, pid }, (current) => again(current))
    : deps.store.change({ kind, pid }, (current) => again(current))
}

export const nothingOwed = (what: string): Result<never> =>
  problem('InvalidTransition', {
    en: `There is nothing to deliver: this ${what} owes the partner no message.`,
    de: `Es gibt nichts zuzustellen: Dem Partner ist hier keine Nachricht geschuldet.`,
  })

/** An end that we wanted keeps our reason, even when the partner refuses to hear of it. */
const reasonFor = ({ reason, reasonDe }: Process, owed: Owed, why: Problem): Because =>
  owed.event === 'terminate' && reason !== undefined
    ? { reason, ...(reasonDe === undefined ? {} : { reasonDe }) }
    : because(why)

/** The provider decides when a suspended transfer goes on; its refusal leaves everything as it was. */
const isRefusedResume = (current: Transfer, owed: Owed, why: Problem): boolean =>
  owed.event === 'start' &&
  current.role === 'consumer' &&
  current.state === 'SUSPENDED' &&
  why.code === 'PartnerRefused'

function stillSuspended(
  deps: DeliveryDeps,
  { pending: _, reason: __, reasonDe: ___, ...current }: Transfer,
  owed: Owed,
  why: Problem,
): Step<Transfer> {
  const next: Transfer = {
    ...current,
    suspendedBy: 'partner',
    ...because(why),
    updatedAt: deps.clock(),
  }
  return { next, settle: true, audit: [failed(owed, next, why)] }
}

const out = (next: Process, event: string, detail: JsonObject): AuditEntry => ({
  subject: next.pid,
  at: next.updatedAt,
  direction: 'out',
  event,
  detail,
})

const failed = (owed: Owed, next: Process, why: Problem): AuditEntry =>
  out(next, `${owed.event} ${why.code === 'GivenUp' ? 'given up' : 'failed'}`, {
    code: why.code,
    ...because(why),
    attempts: owed.attempts + 1,
  })

function ending<P extends Process>(
  current: P,
  next: P,
  owed: Owed,
  why: Problem,
  wasFinal: boolean,
  termination: Step<P>['owe'],
): Step<P> {
  // The refusal of a termination may be ignored: the process is over either way. DSP 2025-1, 7.2.6.
  const tell = owed.event !== 'terminate' && current.partnerPid !== undefined && !wasFinal
  const audit = [failed(owed, next, why)]
  if (!tell || termination === undefined) return { next, settle: true, audit }
  const told = { code: why.code, ...because(why) }
  return { next, settle: true, owe: termination, audit: [...audit, out(next, 'terminate', told)] }
}
