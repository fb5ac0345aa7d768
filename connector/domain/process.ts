/**
 * What negotiation and transfer have in common: a process with a partner that changes state when a message is
 * acknowledged, on both sides. Pure: no clock, no I/O. The state tables stand in negotiation.ts and transfer.ts.
 */
import { type Because, ok, problem, type Result } from '../core/result.js'
import type { EpochMs, ParticipantId, Pid, Role } from '../core/types.js'

export type ProcessKind = 'negotiation' | 'transfer'

/** Why a process waits for a person. */
export type AwaitingReason =
  /** Manual approval is set for the offer or the partner. */
  | 'approval'
  /** The terms on the table are not those that we published. */
  | 'terms'
  /** The partner made an offer; only a person accepts it. */
  | 'offer'
  /** The rules failed, or wanted something that is not allowed. */
  | 'rules'

export type Awaiting = {
  readonly because: AwaitingReason
  readonly since: EpochMs
  /** A sentence that belongs to the reason, such as which term differs. */
  readonly detail?: string
  readonly detailDe?: string
}

export type ProcessCore<Kind extends ProcessKind, State extends string, Event extends string> = {
  readonly kind: Kind
  /** Our own identifier of the process. */
  readonly pid: Pid
  readonly role: Role
  readonly partner: ParticipantId
  /** The partner's identifier; unknown until its first answer or message. */
  readonly partnerPid?: string
  /** Base address that the paths of our messages extend; no trailing slash. */
  readonly partnerAddress: string
  /** NEW: our first message is owed and not yet acknowledged. Never shown on the wire. */
  readonly state: 'NEW' | State
  /** Our message that the partner has not acknowledged yet. */
  readonly pending?: Event
  /** State changes so far: tells two visits of the same state apart. Absent: none yet. */
  readonly turn?: number
  /** It goes on when a person decides, and not before. */
  readonly awaiting?: Awaiting
  /** Operator's wish to end a process whose first message is still unanswered. */
  readonly closing?: string
  /** SHA-256 of the body of the partner's message that opened the process; only the same bytes may open it again. */
  readonly openingDigest?: string
  /** SHA-256 of the body of the last message of the partner that was applied. */
  readonly lastDigest?: string
  /** The same, once the partner has acknowledged a later message of ours. */
  readonly pastDigest?: string
  /** Digests of the partner's identified messages that were applied, the latest ones. */
  readonly applied?: readonly string[]
  /** Of the partner's messages that were applied, the one it made last; see `Sent`. */
  readonly heard?: Sent
  /** Why it ended or was suspended, in words, and who did it. */
  readonly reason?: string
  readonly reasonDe?: string
  readonly endedBy?: 'us' | 'partner'
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
}

/** Row: current state. Cell: what each message leads to and who may send it. An absent cell is a violation. */
export type StateTable<State extends string, Event extends string> = {
  readonly [From in 'NEW' | State]: {
    readonly [E in Event]?: { readonly to: State; readonly by: Role | 'either' }
  }
}

type AnyCore<State extends string, Event extends string> = ProcessCore<ProcessKind, State, Event>

const otherRole = (role: Role): Role => (role === 'consumer' ? 'provider' : 'consumer')

/** Where `event`, sent by `sentBy`, leads from `from`. */
export function transition<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  from: 'NEW' | State,
  event: NoInfer<Event>,
  sentBy: Role,
): Result<State> {
  const cell = table[from][event]
  if (cell === undefined) {
    return problem('InvalidTransition', {
      en: `The message "${event}" is not allowed in the state ${from}.`,
      de: `Die Nachricht „${event}“ ist im Zustand ${from} nicht erlaubt.`,
    })
  }
  if (cell.by !== 'either' && cell.by !== sentBy) {
    return problem('InvalidTransition', {
      en: `The ${sentBy} may not send "${event}" in the state ${from}.`,
      de: `Der ${sentBy === 'provider' ? 'Anbieter' : 'Empfänger'} darf „${event}“ im Zustand ${from} nicht senden.`,
    })
  }
  return ok(cell.to)
}

export const isFinal = <State extends string, Event extends string>(
  table: StateTable<State, Event>,
  state: 'NEW' | State,
): boolean => Object.keys(table[state]).length === 0

/** When the sender made a message, as it says itself: the turn of its process and the moment, epoch milliseconds. */
export type Sent = { readonly turn: number; readonly at: number }

/** Made before what was applied already: whoever sent it has moved on since. Neither of the two alone proves it. */
const isOvertaken = (sent: Sent | undefined, heard: Sent | undefined): boolean =>
  sent !== undefined && heard !== undefined && heard.turn > sent.turn && heard.at > sent.at

export type Received<P> =
  /** The same bytes as before, or a message that later ones have overtaken: acknowledge, change nothing. */
  | { readonly repeated: true; readonly next: P }
  /** `settlesPending`: the message proves that our pending one arrived, so it is no longer owed. */
  | { readonly repeated: false; readonly next: P; readonly settlesPending: boolean }

/** Identified messages that are remembered; a copy that is later than so many others does not come. */
const MAX_APPLIED = 20

/** Both protocols call it so. Once we have sent it, nothing but the end of the process is accepted. */
const TERMINATE = 'terminate'

/**
 * A message of the partner. When it is not allowed in the present state but would be after our own pending message,
 * it has overtaken the answer to that one: the pending message is taken as acknowledged first.
 */
export function receive<State extends string, Event extends string, P extends AnyCore<State, Event>>(
  table: StateTable<State, Event>,
  current: P,
  event: NoInfer<Event>,
  message: {
    readonly digest: string
    readonly at: EpochMs
    readonly partnerPid?: string
    readonly reason?: string
    readonly reasonDe?: string
    /** Nothing in it is unique: equal bytes are a new message once we have moved on and it is allowed again. */
    readonly recurs?: boolean
    /** No other message of the process has the same bytes: equal ones are always a copy, however late. */
    readonly identified?: boolean
    readonly sent?: Sent
  },
): Result<Received<P>> {
  const sender = otherRole(current.role)
  // A message about a process whose opening is unanswered has always overtaken that answer, never opened anything.
  const unheard = current.state === 'NEW' && current.pending !== undefined
  let target = unheard ? overtaking(table, current, event) : transition(table, current.state, event, sender)
  const identified = message.identified === true
  const mayRecur = message.recurs === true && !identified && target.ok
  const isPast = current.pastDigest === message.digest && !mayRecur
  const isCopy = identified && current.applied?.includes(message.digest) === true
  const isLate = target.ok && !isFinal(table, target.value) && isOvertaken(message.sent, current.heard)
  if (current.lastDigest === message.digest || isPast || isCopy || isLate) {
    return ok({ repeated: true, next: current })
  }
  if (
    message.partnerPid !== undefined &&
    current.partnerPid !== undefined &&
    message.partnerPid !== current.partnerPid
  ) {
    return problem('InvalidMessage', {
      en: 'The message names another process of yours than the one we know.',
      de: 'Die Nachricht nennt einen anderen Ihrer Vorgänge als den, den wir kennen.',
    })
  }
  // Otherwise one side could complete or finalise what the other one terminates at the same time.
  if (current.pending !== undefined && current.pending === TERMINATE && event !== current.pending) {
    return problem('InvalidTransition', {
      en: `The process is being terminated; "${event}" comes too late.`,
      de: `Der Vorgang wird gerade beendet; „${event}“ kommt zu spät.`,
    })
  }
  let settlesPending = unheard && target.ok
  if (!target.ok && !unheard && current.pending !== undefined) {
    const retried = overtaking(table, current, event)
    if (retried.ok) {
      target = retried
      settlesPending = true
    }
  }
  if (!target.ok) return target
  const { pending, pastDigest: _, awaiting: __, reason: ___, reasonDe: ____, ...rest } = current
  const implied = settlesPending
  const final = isFinal(table, target.value)
  if (pending !== undefined && !settlesPending) {
    // Both sides wanted the same at the same time: the messages cross, and one of them is enough.
    const ours = transition(table, current.state, pending, current.role)
    settlesPending = ours.ok && ours.value === target.value
  }
  const next = {
    ...rest,
    ...(pending !== undefined && !settlesPending && !final ? { pending } : {}),
    ...(message.partnerPid !== undefined ? { partnerPid: message.partnerPid } : {}),
    ...told(current, message),
    ...(final ? { endedBy: 'partner' as const } : {}),
    state: target.value,
    turn: (current.turn ?? 0) + (implied ? 2 : 1),
    lastDigest: message.digest,
    ...(message.sent === undefined ? {} : { heard: message.sent }),
    ...(identified ? { applied: [...(current.applied ?? []), message.digest].slice(-MAX_APPLIED) } : {}),
    updatedAt: message.at,
  } as unknown as P
  return ok({ repeated: false, next, settlesPending: settlesPending || (final && pending !== undefined) })
}

/** The new reason in the languages that it has, otherwise the one so far. */
export function told(before: Partial<Because>, now: Partial<Because>): Partial<Because> {
  const { reason, reasonDe } = now.reason === undefined ? before : now
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(reason === undefined || reasonDe === undefined ? {} : { reasonDe }),
  }
}

/** The sentence that belongs to a wait, in the languages that it has. */
export const detailOf = (
  detail: string | undefined,
  detailDe: string | undefined,
): Pick<Awaiting, 'detail' | 'detailDe'> => ({
  ...(detail === undefined ? {} : { detail }),
  ...(detail === undefined || detailDe === undefined ? {} : { detailDe }),
})

/** The same sentence as the history of a process keeps it. */
export const reasonOf = ({ detail, detailDe }: Pick<Awaiting, 'detail' | 'detailDe'>): Partial<Because> => ({
  ...(detail === undefined ? {} : { reason: detail }),
  ...(detail === undefined || detailDe === undefined ? {} : { reasonDe: detailDe }),
})

/** Where a message of the partner leads once our pending one is taken as acknowledged. */
function overtaking<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  current: AnyCore<State, Event>,
  event: Event,
): Result<State> {
  if (current.pending === undefined)
    return problem('InvalidTransition', {
      en: 'Nothing of ours is unanswered.',
      de: 'Von uns ist nichts unbeantwortet.',
    })
  const implied = transition(table, current.state, current.pending, current.role)
  return implied.ok ? transition(table, implied.value, event, otherRole(current.role)) : implied
}

/**
 * We decide to send `event`: it must be legal for us now, and nothing else of ours may be unanswered. Even
 * `replacesPending` takes nothing back that ends the process: the partner may have reached that end already.
 */
export function send<State extends string, Event extends string, P extends AnyCore<State, Event>>(
  table: StateTable<State, Event>,
  current: P,
  event: NoInfer<Event>,
  at: EpochMs,
  note: Partial<Because> & { readonly replacesPending?: boolean } = {},
): Result<P> {
  const replaceable = note.replacesPending === true && !endsProcess(table, current)
  if (current.pending !== undefined && !replaceable) {
    return problem('InvalidTransition', {
      en: `The partner has not answered the message "${current.pending}" yet; "${event}" has to wait for that.`,
      de: `Der Partner hat die Nachricht „${current.pending}“ noch nicht beantwortet; „${event}“ muss darauf warten.`,
    })
  }
  const target = transition(table, current.state, event, current.role)
  if (!target.ok) return target
  const { awaiting: _, reason: __, reasonDe: ___, ...rest } = current
  return ok({ ...rest, pending: event, ...told(current, note), updatedAt: at } as unknown as P)
}

/** Whether our pending message leads to a final state. */
function endsProcess<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  current: AnyCore<State, Event>,
): boolean {
  return current.pending !== undefined && finalTarget(table, current.pending) !== undefined
}

/** The final state that a message leads to, wherever it is sent from. */
function finalTarget<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  event: Event,
): State | undefined {
  const rows = Object.values<StateTable<State, Event>['NEW' | State]>(table)
  return rows.map((row) => row[event]?.to).find((to) => to !== undefined && isFinal(table, to))
}

/**
 * The partner acknowledged `event`. A late answer to a message that was settled otherwise changes nothing. An
 * acknowledged end is the end, even when a crossing message has moved us meanwhile.
 */
export function acknowledged<State extends string, Event extends string, P extends AnyCore<State, Event>>(
  table: StateTable<State, Event>,
  current: P,
  event: NoInfer<Event>,
  at: EpochMs,
  partnerPid?: string,
): P {
  if (current.pending !== event) return current
  const regular = transition(table, current.state, event, current.role)
  const target = regular.ok ? regular.value : finalTarget(table, event)
  const { pending: _, awaiting: __, lastDigest, ...rest } = current
  const past = lastDigest === undefined ? {} : { pastDigest: lastDigest }
  if (target === undefined) return { ...rest, ...past } as unknown as P
  return {
    ...rest,
    ...past,
    ...(partnerPid !== undefined && current.partnerPid === undefined ? { partnerPid } : {}),
    ...(isFinal(table, target) ? { endedBy: 'us' as const } : {}),
    state: target,
    turn: (current.turn ?? 0) + 1,
    updatedAt: at,
  } as unknown as P
}

/** The process cannot go on: it ends here with a reason a person understands. Final processes stay as they are. */
export function broken<State extends string, Event extends string, P extends AnyCore<State, Event>>(
  table: StateTable<State, Event>,
  current: P,
  terminated: NoInfer<State>,
  why: Because,
  at: EpochMs,
): P {
  if (isFinal(table, current.state)) return current
  const { pending: _, closing: __, awaiting: ___, reason: ____, reasonDe: _____, ...rest } = current
  const turn = (current.turn ?? 0) + 1
  return { ...rest, state: terminated, turn, ...told({}, why), endedBy: 'us', updatedAt: at } as unknown as P
}

/** Nothing is done by itself until a person decides. Written once per visit of a state. */
export function awaitPerson<P extends AnyCore<string, string>>(current: P, awaiting: Awaiting): P {
  return { ...current, awaiting }
}
