/** Messages that come twice, too early, too late, or at the same time as ours. */
import { describe, expect, it } from 'vitest'
import type { Result } from '../../connector/core/result.js'
import { NEGOTIATION } from '../../connector/domain/negotiation.js'
import { acknowledged, type Received, receive, send } from '../../connector/domain/process.js'
import { TRANSFER, type Transfer } from '../../connector/domain/transfer.js'
import { LATER, message, negotiation, transfer, unanswered } from './processes.js'

const taken = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}
const applied = <P>(result: Result<Received<P>>) => {
  const received = taken(result)
  if (received.repeated) throw new Error('counted as repeated')
  return received
}

describe('a message that comes again', () => {
  it('is acknowledged again and changes nothing', () => {
    const current = negotiation('consumer', 'AGREED', { lastDigest: 'agreement', pending: 'verify' })
    const again = taken(receive(NEGOTIATION, current, 'agree', message('agreement')))
    expect(again).toEqual({ repeated: true, next: current })
    expect(again.next).toBe(current)
  })

  it('is acknowledged again in a final state too', () => {
    const current = negotiation('consumer', 'FINALIZED', { lastDigest: 'finalized' })
    expect(taken(receive(NEGOTIATION, current, 'finalize', message('finalized'))).repeated).toBe(true)
  })

  it('is an error when its bytes differ and the state does not allow it', () => {
    const current = negotiation('provider', 'REQUESTED', { lastDigest: 'first counter-request' })
    const second = receive(NEGOTIATION, current, 'request', message('second counter-request'))
    expect(second).toMatchObject({ ok: false, error: { code: 'InvalidTransition' } })
  })

  it('is recognised after our own next message was acknowledged, as long as it is not allowed anew', () => {
    const agreed = negotiation('consumer', 'AGREED', { lastDigest: 'agreement', pending: 'verify' })
    const verified = acknowledged(NEGOTIATION, agreed, 'verify', LATER)
    expect(verified.state).toBe('VERIFIED')
    expect(taken(receive(NEGOTIATION, verified, 'agree', message('agreement'))).repeated).toBe(true)
  })

  it('is recognised when it comes after our next message and would be allowed: a start with its own token', () => {
    const started = transfer('consumer', 'STARTED', { lastDigest: 'start 1', pending: 'suspend' })
    const suspended = acknowledged(TRANSFER, started, 'suspend', LATER)
    expect(suspended.state).toBe('SUSPENDED')
    expect(taken(receive(TRANSFER, suspended, 'start', message('start 1'))).repeated).toBe(true)
    expect(applied(receive(TRANSFER, suspended, 'start', message('start 2'))).next.state).toBe('STARTED')
  })

  it('is a new one where bytes recur and it is allowed again: the consumer suspends twice in the same words', () => {
    const suspension = message('suspension', { recurs: true })
    const suspended = applied(receive(TRANSFER, transfer('provider', 'STARTED'), 'suspend', suspension)).next
    const resuming = taken(send(TRANSFER, suspended, 'start', LATER))
    expect(taken(receive(TRANSFER, resuming, 'suspend', suspension)).repeated).toBe(true)
    const resumed = acknowledged(TRANSFER, resuming, 'start', LATER)
    expect(resumed.state).toBe('STARTED')
    const second = applied(receive(TRANSFER, resumed, 'suspend', suspension))
    expect(second.next.state).toBe('SUSPENDED')
    expect(taken(receive(TRANSFER, second.next, 'suspend', suspension)).repeated).toBe(true)
  })
})

describe('a message with an @id of its own', () => {
  const identified = (digest: string) => message(digest, { identified: true })

  it('is a copy however late it comes, and a new one in the same words is none', () => {
    const first = identified('suspension, number 1')
    const suspended = applied(receive(TRANSFER, transfer('provider', 'STARTED'), 'suspend', first)).next
    const resumed = applied(receive(TRANSFER, suspended, 'start', identified('start, number 2'))).next
    expect(taken(receive(TRANSFER, resumed, 'suspend', first)).repeated).toBe(true)
    const again = receive(TRANSFER, resumed, 'suspend', identified('suspension, number 3'))
    expect(applied(again).next.state).toBe('SUSPENDED')
  })

  it('is remembered until twenty others have come', () => {
    let current = transfer('provider', 'STARTED')
    for (let n = 1; n <= 20; n++) {
      const event = n % 2 === 1 ? 'suspend' : 'start'
      current = applied(receive(TRANSFER, current, event, identified(`number ${n}`))).next
    }
    expect(current.applied).toHaveLength(20)
    expect(taken(receive(TRANSFER, current, 'suspend', identified('number 1'))).repeated).toBe(true)
    const suspended = applied(receive(TRANSFER, current, 'suspend', identified('number 21'))).next
    expect(suspended.applied).toHaveLength(20)
    expect(suspended.applied).not.toContain('number 1')
  })
})

describe('a message that later ones of the same sender have overtaken', () => {
  const said = (digest: string, turn: number, at: number) =>
    message(digest, { identified: true, sent: { turn, at } })
  const resumed = () => {
    const suspended = transfer('consumer', 'SUSPENDED')
    return applied(receive(TRANSFER, suspended, 'start', said('start', 4, 400))).next
  }

  it('is acknowledged and changes nothing: a suspension that arrives behind the start it was made before', () => {
    const current = resumed()
    const late = taken(receive(TRANSFER, current, 'suspend', said('suspension', 3, 300)))
    expect(late).toEqual({ repeated: true, next: current })
  })
  it.each([
    ['in a later turn, by a clock that was set back', 5, 300],
    ['later, in an earlier turn, as after a restored backup', 3, 500],
    ['in the same turn', 4, 300],
  ])('is none when it was made %s', (_what, turn, at) => {
    const received = applied(receive(TRANSFER, resumed(), 'suspend', said('suspension', turn, at)))
    expect(received.next.state).toBe('SUSPENDED')
  })
  it('is none when it does not say when it was made', () => {
    const received = applied(receive(TRANSFER, resumed(), 'suspend', message('suspension')))
    expect(received.next.state).toBe('SUSPENDED')
  })
  it('still ends the process: an end is never too late', () => {
    const received = applied(receive(TRANSFER, resumed(), 'terminate', said('termination', 3, 300)))
    expect(received.next.state).toBe('TERMINATED')
  })
})

describe('a message that overtakes the answer to ours', () => {
  it('the agreement comes before the answer to the request: the request has arrived', () => {
    const current = unanswered(negotiation('consumer', 'NEW'))
    const received = applied(
      receive(NEGOTIATION, current, 'agree', message('agreement', { partnerPid: 'urn:uuid:new' })),
    )
    expect(received.settlesPending).toBe(true)
    expect(received.next).toMatchObject({
      state: 'AGREED',
      partnerPid: 'urn:uuid:new',
      lastDigest: 'agreement',
    })
    expect(received.next.pending).toBeUndefined()
  })

  it('the start comes before the answer to the transfer request', () => {
    const received = applied(
      receive(TRANSFER, unanswered(transfer('consumer', 'NEW')), 'start', message('start')),
    )
    expect(received).toMatchObject({ settlesPending: true, next: { state: 'STARTED' } })
  })

  it.each([
    ['provider', 'REQUESTED', 'agree', 'verify', 'VERIFIED'],
    ['provider', 'REQUESTED', 'offer', 'accept', 'ACCEPTED'],
    ['provider', 'REQUESTED', 'offer', 'request', 'REQUESTED'],
    ['consumer', 'OFFERED', 'accept', 'agree', 'AGREED'],
    ['consumer', 'AGREED', 'verify', 'finalize', 'FINALIZED'],
  ] as const)('as %s in %s with "%s" unanswered, "%s" leads to %s', (role, state, pending, event, to) => {
    const received = applied(receive(NEGOTIATION, negotiation(role, state, { pending }), event, message('m')))
    expect(received).toMatchObject({ settlesPending: true, next: { state: to } })
    expect(received.next.pending).toBeUndefined()
  })

  it('an offer comes before the answer to the request: it answers the request, it does not open a negotiation', () => {
    const current = unanswered(negotiation('consumer', 'NEW'))
    const received = applied(
      receive(NEGOTIATION, current, 'offer', message('m', { partnerPid: 'urn:uuid:p' })),
    )
    expect(received).toMatchObject({ settlesPending: true, next: { state: 'OFFERED' } })
    expect(received.next.pending).toBeUndefined()
    expect(acknowledged(NEGOTIATION, received.next, 'request', LATER).state).toBe('OFFERED')
  })

  it('does not skip two messages', () => {
    const current = unanswered(negotiation('consumer', 'NEW'))
    expect(receive(NEGOTIATION, current, 'finalize', message('m')).ok).toBe(false)
  })

  it('leaves the late answer without effect', () => {
    const current = unanswered(negotiation('consumer', 'NEW'))
    const { next } = applied(
      receive(NEGOTIATION, current, 'agree', message('m', { partnerPid: 'urn:uuid:p' })),
    )
    expect(acknowledged(NEGOTIATION, next, 'request', LATER, 'urn:uuid:other')).toBe(next)
  })
})

describe('messages that cross', () => {
  it('both suspend: one suspension is enough, and ours is not owed any more', () => {
    const received = applied(
      receive(TRANSFER, transfer('provider', 'STARTED', { pending: 'suspend' }), 'suspend', message('m')),
    )
    expect(received).toMatchObject({ settlesPending: true, next: { state: 'SUSPENDED' } })
    expect(received.next.pending).toBeUndefined()
  })

  it('both terminate: it is over', () => {
    const received = applied(
      receive(
        NEGOTIATION,
        negotiation('consumer', 'AGREED', { pending: 'terminate' }),
        'terminate',
        message('m'),
      ),
    )
    expect(received).toMatchObject({
      settlesPending: true,
      next: { state: 'TERMINATED', endedBy: 'partner' },
    })
  })

  it('they complete while we suspend: it is complete', () => {
    const received = applied(
      receive(TRANSFER, transfer('provider', 'STARTED', { pending: 'suspend' }), 'complete', message('m')),
    )
    expect(received).toMatchObject({ settlesPending: true, next: { state: 'COMPLETED' } })
    expect(received.next.pending).toBeUndefined()
  })

  it('they suspend while we complete: our completion stays owed, and ends the transfer when it is acknowledged', () => {
    const received = applied(
      receive(TRANSFER, transfer('consumer', 'STARTED', { pending: 'complete' }), 'suspend', message('m')),
    )
    expect(received).toMatchObject({
      settlesPending: false,
      next: { state: 'SUSPENDED', pending: 'complete' },
    })
    const done = acknowledged(TRANSFER, received.next, 'complete', LATER)
    expect(done).toMatchObject({ state: 'COMPLETED', endedBy: 'us' })
    expect(done.pending).toBeUndefined()
  })

  it('their end wins over anything of ours that is pending and no end', () => {
    const received = applied(
      receive(TRANSFER, transfer('provider', 'SUSPENDED', { pending: 'start' }), 'terminate', message('m')),
    )
    expect(received).toMatchObject({ settlesPending: true, next: { state: 'TERMINATED' } })
  })

  it.each([
    ['provider', 'AGREED', 'verify'],
    ['provider', 'OFFERED', 'accept'],
    ['consumer', 'REQUESTED', 'agree'],
    ['consumer', 'VERIFIED', 'finalize'],
  ] as const)('as %s in %s we terminate: "%s" comes too late and concludes nothing', (role, state, event) => {
    const current = negotiation(role, state, { pending: 'terminate' })
    const received = receive(NEGOTIATION, current, event, message('m'))
    expect(received).toMatchObject({
      ok: false,
      error: {
        code: 'InvalidTransition',
        message: `The process is being terminated; "${event}" comes too late.`,
      },
    })
  })

  it('we terminate a transfer: their completion comes too late, so that both sides see the same end', () => {
    const current = transfer('provider', 'STARTED', { pending: 'terminate' })
    expect(receive(TRANSFER, current, 'complete', message('m')).ok).toBe(false)
  })

  it('an end of theirs wins over the completion of ours', () => {
    const current = transfer('consumer', 'STARTED', { pending: 'complete' })
    expect(applied(receive(TRANSFER, current, 'terminate', message('m'))).next.state).toBe('TERMINATED')
  })
})

describe('sending', () => {
  it('waits for the answer to the last message', () => {
    const current = transfer('provider', 'STARTED', { pending: 'suspend' })
    expect(send(TRANSFER, current, 'complete', LATER)).toMatchObject({
      ok: false,
      error: {
        code: 'InvalidTransition',
        message: 'The partner has not answered the message "suspend" yet; "complete" has to wait for that.',
      },
    })
  })

  it('may put a termination in the place of a message that moves the process on', () => {
    const current = negotiation('provider', 'REQUESTED', { pending: 'agree' })
    const sending = send(NEGOTIATION, current, 'terminate', LATER, { reason: 'no', replacesPending: true })
    expect(taken(sending)).toMatchObject({ state: 'REQUESTED', pending: 'terminate', reason: 'no' })
  })

  it.each([
    ['finalize', negotiation('provider', 'VERIFIED', { pending: 'finalize' })],
    ['terminate', negotiation('provider', 'VERIFIED', { pending: 'terminate' })],
  ] as const)('takes no "%s" of a negotiation back: the partner may have got it', (_, current) => {
    const sending = send(NEGOTIATION, current, 'terminate', LATER, { replacesPending: true })
    expect(sending).toMatchObject({ ok: false, error: { code: 'InvalidTransition' } })
  })

  it('takes no completion of a transfer back', () => {
    const current: Transfer = transfer('provider', 'STARTED', { pending: 'complete' })
    expect(send(TRANSFER, current, 'terminate', LATER, { replacesPending: true }).ok).toBe(false)
  })
})

describe('acknowledgements', () => {
  it('tell the pid of the partner once, and only when it was not known', () => {
    const fresh = unanswered(negotiation('consumer', 'NEW'))
    expect(acknowledged(NEGOTIATION, fresh, 'request', LATER, 'urn:uuid:p')).toMatchObject({
      state: 'REQUESTED',
      partnerPid: 'urn:uuid:p',
      updatedAt: LATER,
    })
    const known = negotiation('consumer', 'OFFERED', { pending: 'accept' })
    expect(acknowledged(NEGOTIATION, known, 'accept', LATER, 'urn:uuid:x').partnerPid).toBe('urn:uuid:theirs')
  })

  it('of another message than the pending one change nothing', () => {
    const current = negotiation('provider', 'VERIFIED', { pending: 'finalize' })
    expect(acknowledged(NEGOTIATION, current, 'agree', LATER)).toBe(current)
  })

  it('of an end say that it was ours', () => {
    const current = negotiation('provider', 'VERIFIED', { pending: 'finalize' })
    expect(acknowledged(NEGOTIATION, current, 'finalize', LATER)).toMatchObject({
      state: 'FINALIZED',
      endedBy: 'us',
    })
  })
})

describe('pids', () => {
  it('refuses a message that names another process of the partner', () => {
    const current = negotiation('provider', 'AGREED')
    const received = receive(NEGOTIATION, current, 'verify', message('m', { partnerPid: 'urn:uuid:another' }))
    expect(received).toMatchObject({ ok: false, error: { code: 'InvalidMessage' } })
  })

  it('learns the pid of the partner from its first message', () => {
    const current = unanswered(transfer('consumer', 'NEW'))
    const received = applied(receive(TRANSFER, current, 'start', message('m', { partnerPid: 'urn:uuid:p' })))
    expect(received.next.partnerPid).toBe('urn:uuid:p')
  })
})
