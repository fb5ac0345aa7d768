/**
 * Two sides that know each other by messages only, driven as the services drive the decisions, over a channel that loses,
 * repeats and delays: the world for the convergence properties.
 */
import type { Result } from '../../connector/core/result.js'
import type { EpochMs, Role } from '../../connector/core/types.js'
import { NEGOTIATION, type Negotiation, type NegotiationEvent } from '../../connector/domain/negotiation.js'
import { acknowledged, broken, isFinal, receive, send } from '../../connector/domain/process.js'
import { TRANSFER, type Transfer, type TransferEvent } from '../../connector/domain/transfer.js'
import { NOW, negotiation, transfer, unanswered } from './processes.js'

type Message = { readonly id: number; readonly event: string; readonly digest: string }
type Answer = { readonly to: Message; readonly accepted: boolean }

/** What a side does with a message or a wish: its next process and what it owes then. */
type Outcome<P> = { readonly process: P; readonly owe?: string; readonly settle: boolean }

export type Protocol<P> = {
  readonly opened: P
  /** The other side's process, made by the first message. */
  readonly answering: (digest: string) => { readonly process: P; readonly owe?: string }
  readonly receive: (
    current: P,
    m: Message,
    bad: boolean,
  ) => Result<Outcome<P>> | { readonly refusedWith: Outcome<P> }
  readonly wish: (current: P, event: string) => Outcome<P> | undefined
  readonly acknowledged: (current: P, event: string) => Outcome<P>
  readonly refused: (current: P, event: string) => Outcome<P>
  readonly isFinal: (current: P) => boolean
  /** Equal bytes for equal words, as on the wire. */
  readonly digest: (current: P, event: string, count: number) => string
}

type Side<P> = {
  process: P | undefined
  owed: Message | undefined
  /** Copies of one message under way; the next message waits until they are gone, as the dispatcher waits. */
  copies: Message[]
  answers: Answer[]
}

export type Act =
  | { readonly do: 'wish'; readonly side: Role; readonly event: string }
  | { readonly do: 'send' | 'lose' | 'answer' | 'loseAnswer'; readonly side: Role }
  | { readonly do: 'arrive'; readonly side: Role; readonly again: boolean; readonly bad: boolean }

const other = (role: Role): Role => (role === 'consumer' ? 'provider' : 'consumer')

export function createWorld<P extends Negotiation | Transfer>(protocol: Protocol<P>) {
  let count = 0
  const made = (current: P, event: string): Message => {
    count += 1
    return { id: count, event, digest: protocol.digest(current, event, count) }
  }
  const side = (process: P | undefined): Side<P> => ({ process, owed: undefined, copies: [], answers: [] })
  const sides: Record<Role, Side<P>> = { consumer: side(protocol.opened), provider: side(undefined) }
  sides.consumer.owed = made(protocol.opened, 'request')

  const apply = (at: Side<P>, outcome: Outcome<P>): void => {
    at.process = outcome.process
    if (outcome.settle) at.owed = undefined
    if (outcome.owe !== undefined) at.owed = made(outcome.process, outcome.owe)
  }

  /** A message comes in; the answer says whether it was accepted. */
  const take = (at: Side<P>, m: Message, bad: boolean): boolean => {
    if (at.process === undefined) {
      const opened = protocol.answering(m.digest)
      // A request that is refused once and let in later finds a consumer that has ended; it hears of that with our message.
      if (m.event !== 'request' || (bad && opened.owe !== undefined)) return false
      apply(at, { ...opened, settle: false })
      return true
    }
    if (m.event === 'request' && at.process.openingDigest === m.digest) return true
    const outcome = protocol.receive(at.process, m, bad)
    if ('refusedWith' in outcome) {
      apply(at, outcome.refusedWith)
      return false
    }
    if (outcome.ok) apply(at, outcome.value)
    return outcome.ok
  }

  const hear = (at: Side<P>, answer: Answer): void => {
    if (at.process === undefined || at.owed?.id !== answer.to.id) return
    const { event } = answer.to
    apply(
      at,
      answer.accepted ? protocol.acknowledged(at.process, event) : protocol.refused(at.process, event),
    )
  }

  const arrive = (from: Role, again: boolean, bad: boolean): void => {
    const m = again ? sides[from].copies[0] : sides[from].copies.shift()
    if (m === undefined) return
    sides[from].answers.push({ to: m, accepted: take(sides[other(from)], m, bad) })
  }

  return {
    sides,
    act(act: Act): void {
      const at = sides[act.side]
      switch (act.do) {
        case 'wish': {
          const outcome = at.process === undefined ? undefined : protocol.wish(at.process, act.event)
          if (outcome !== undefined) apply(at, outcome)
          return
        }
        case 'send':
          if (at.owed === undefined || at.copies.some((copy) => copy.id !== at.owed?.id)) return
          at.copies.push(at.owed)
          return
        case 'lose':
          at.copies.shift()
          return
        case 'arrive':
          arrive(act.side, act.again, act.bad)
          return
        case 'answer': {
          const answer = at.answers.shift()
          if (answer !== undefined) hear(at, answer)
          return
        }
        case 'loseAnswer':
          at.answers.shift()
      }
    },
    /** No more wishes and no more losses: everything under way arrives, and everything owed is delivered or refused. */
    drain(): void {
      for (let round = 0; round < 50; round++) {
        for (const role of ['consumer', 'provider'] as const) {
          const at = sides[role]
          while (at.copies.length > 0) arrive(role, false, false)
          while (at.answers.length > 0) hear(at, at.answers.shift() as Answer)
          if (at.owed !== undefined) at.copies.push(at.owed)
        }
        const { consumer, provider } = sides
        if ([consumer, provider].every((s) => s.owed === undefined && s.copies.length === 0)) return
      }
      throw new Error('messages are exchanged without end')
    },
  }
}

const at: EpochMs = NOW
const kept = <P>(process: P): Outcome<P> => ({ process, settle: false })

export const NEGOTIATING: Protocol<Negotiation> = {
  opened: unanswered(negotiation('consumer', 'NEW')),
  answering: (digest) => ({
    process: negotiation('provider', 'REQUESTED', {
      pending: 'agree',
      openingDigest: digest,
      lastDigest: digest,
    }),
    owe: 'agree',
  }),
  receive(current, m, bad) {
    const event = m.event as NegotiationEvent
    const received = receive(NEGOTIATION, current, event, {
      digest: m.digest,
      at,
      partnerPid: 'urn:uuid:theirs',
    })
    if (!received.ok) return received
    if (received.value.repeated) return { ok: true, value: kept(current) }
    const { next, settlesPending } = received.value
    const reply = ({ agree: 'verify', verify: 'finalize', accept: 'agree', request: 'agree' } as const)[
      event as 'agree'
    ]
    if (next.closing !== undefined && !isFinal(NEGOTIATION, next.state)) {
      const { closing: _, ...open } = next
      const sending = send(NEGOTIATION, open as Negotiation, 'terminate', at)
      return sending.ok
        ? { ok: true, value: { process: sending.value, owe: 'terminate', settle: true } }
        : sending
    }
    if (bad && reply !== undefined) {
      const ended = broken(
        NEGOTIATION,
        { ...current, partnerPid: 'urn:uuid:theirs' },
        'TERMINATED',
        { reason: 'bad' },
        at,
      )
      return { refusedWith: { process: ended, owe: 'terminate', settle: true } }
    }
    if (reply === undefined) return { ok: true, value: { process: next, settle: settlesPending } }
    const sending = send(NEGOTIATION, next, reply, at)
    return sending.ok ? { ok: true, value: { process: sending.value, owe: reply, settle: true } } : sending
  },
  wish(current, event) {
    if (current.state === 'NEW') {
      return event === 'terminate' ? kept({ ...current, closing: 'the operator' }) : undefined
    }
    const replacesPending = event === 'terminate'
    const sending = send(NEGOTIATION, current, event as NegotiationEvent, at, { replacesPending })
    return sending.ok ? { process: sending.value, owe: event, settle: replacesPending } : undefined
  },
  acknowledged(current, event) {
    const next = acknowledged(NEGOTIATION, current, event as NegotiationEvent, at, 'urn:uuid:theirs')
    if (current.closing === undefined || current.state !== 'NEW') return { process: next, settle: true }
    const { closing: _, ...open } = next
    const sending = send(NEGOTIATION, open as Negotiation, 'terminate', at)
    if (!sending.ok) throw new Error(sending.error.message)
    return { process: sending.value, owe: 'terminate', settle: true }
  },
  refused(current, event) {
    const tell =
      event !== 'terminate' && current.partnerPid !== undefined && !isFinal(NEGOTIATION, current.state)
    const process = broken(NEGOTIATION, current, 'TERMINATED', { reason: 'refused' }, at)
    return { process, settle: true, ...(tell ? { owe: 'terminate' } : {}) }
  },
  isFinal: (current) => isFinal(NEGOTIATION, current.state),
  // Offers and counter-requests differ in their terms; the other messages have nothing but the pids to say.
  digest: ({ role }, event, count) =>
    ['request', 'offer', 'agree'].includes(event) ? `${role} ${event} ${count}` : `${role} ${event}`,
}

/** A provider that decides by hand what to answer to the first request. */
export const NEGOTIATING_BY_HAND: Protocol<Negotiation> = {
  ...NEGOTIATING,
  answering: (digest) => ({
    process: negotiation('provider', 'REQUESTED', { openingDigest: digest, lastDigest: digest }),
  }),
}

export const TRANSFERRING: Protocol<Transfer> = {
  opened: unanswered(transfer('consumer', 'NEW')),
  answering: (digest) => ({
    process: transfer('provider', 'REQUESTED', {
      pending: 'start',
      generation: 1,
      openingDigest: digest,
      lastDigest: digest,
    }),
    owe: 'start',
  }),
  receive(current, m) {
    const event = m.event as TransferEvent
    const received = receive(TRANSFER, current, event, {
      digest: m.digest,
      at,
      partnerPid: 'urn:uuid:theirs',
      recurs: event === 'suspend',
    })
    if (!received.ok) return received
    if (received.value.repeated) return { ok: true, value: kept(current) }
    const { next, settlesPending: settle } = received.value
    if (next.closing !== undefined && !isFinal(TRANSFER, next.state)) {
      const { closing: _, ...open } = next
      const sending = send(TRANSFER, open as Transfer, 'terminate', at)
      return sending.ok
        ? { ok: true, value: { process: sending.value, owe: 'terminate', settle: true } }
        : sending
    }
    if (event === 'start' && current.role === 'provider') {
      if (current.pending === 'start' || current.suspendedBy === 'us') {
        return { ok: false, error: { code: 'InvalidTransition', message: 'not now' } }
      }
    }
    const { suspendedBy: _, ...rest } = next
    if (event === 'start') return { ok: true, value: { process: rest as Transfer, settle } }
    if (event === 'suspend')
      return { ok: true, value: { process: { ...rest, suspendedBy: 'partner' }, settle } }
    return { ok: true, value: { process: next, settle } }
  },
  wish(current, event) {
    if (current.state === 'NEW') {
      return event === 'terminate' ? kept({ ...current, closing: 'the operator' }) : undefined
    }
    if (event === 'start') {
      if (current.state !== 'SUSPENDED') return undefined
      // A provider may resume what the consumer suspended; with a late copy of that suspension under way, equal bytes
      // cannot tell it from a new one. messages.test.ts says what happens then; here it is left out.
      if (current.suspendedBy === 'partner') return undefined
    }
    const replacesPending = event === 'terminate'
    const sending = send(TRANSFER, current, event as TransferEvent, at, { replacesPending })
    if (!sending.ok) return undefined
    const { suspendedBy: _, ...rest } = sending.value
    const process: Transfer =
      event === 'suspend'
        ? { ...rest, suspendedBy: 'us' }
        : event === 'start' && current.role === 'provider'
          ? { ...rest, generation: current.generation + 1 }
          : sending.value
    return { process, owe: event, settle: replacesPending }
  },
  acknowledged(current, event) {
    const next = acknowledged(TRANSFER, current, event as TransferEvent, at, 'urn:uuid:theirs')
    if (current.closing === undefined || current.state !== 'NEW') return { process: next, settle: true }
    const { closing: _, ...open } = next
    const sending = send(TRANSFER, open as Transfer, 'terminate', at)
    if (!sending.ok) throw new Error(sending.error.message)
    return { process: sending.value, owe: 'terminate', settle: true }
  },
  refused(current, event) {
    if (event === 'start' && current.role === 'consumer' && current.state === 'SUSPENDED') {
      const { pending: _, ...rest } = current
      return { process: { ...rest, suspendedBy: 'partner' }, settle: true }
    }
    const tell =
      event !== 'terminate' && current.partnerPid !== undefined && !isFinal(TRANSFER, current.state)
    const process = broken(TRANSFER, current, 'TERMINATED', { reason: 'refused' }, at)
    return { process, settle: true, ...(tell ? { owe: 'terminate' } : {}) }
  },
  isFinal: (current) => isFinal(TRANSFER, current.state),
  // A provider's start carries a new token each time.
  digest: ({ role, generation }, event, count) =>
    event === 'request'
      ? `request ${count}`
      : `${role} ${event}${event === 'start' && role === 'provider' ? generation : ''}`,
}
