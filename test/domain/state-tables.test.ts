/**
 * The state machines as matrices, copied by hand from DSP 2025-1 ("State Machine" of both protocols) and the cases of the
 * conformance kit: every message in every state, from each sender, as received and as sent.
 */
import { describe, expect, it } from 'vitest'
import type { Role } from '../../connector/core/types.js'
import { NEGOTIATION, type NegotiationEvent } from '../../connector/domain/negotiation.js'
import { acknowledged, broken, isFinal, receive, send } from '../../connector/domain/process.js'
import { TRANSFER, type TransferEvent } from '../../connector/domain/transfer.js'
import { LATER, message, negotiation, transfer } from './processes.js'

/** `C` and `P` may send it, `B` both; then the state it leads to. A dash is a violation of the protocol. */
type Cell = '-' | `${'C' | 'P' | 'B'} ${string}`

const NEGOTIATION_EVENTS = ['request', 'offer', 'accept', 'agree', 'verify', 'finalize', 'terminate'] as const

// Checklist 28 with 7.2.6: both sides may terminate what has not ended (CN:01-01, 02-01 to 02-07, CN_C:01-03, 02-01 to 02-06).
// biome-ignore format: a matrix reads best aligned
const NEGOTIATION_MATRIX = {
  //           request        offer        accept        agree       verify        finalize       terminate
  NEW:        ['C REQUESTED', 'P OFFERED', '-',          '-',        '-',          '-',           '-'],
  REQUESTED:  ['-',           'P OFFERED', '-',          'P AGREED', '-',          '-',           'B TERMINATED'],
  OFFERED:    ['C REQUESTED', '-',         'C ACCEPTED', '-',        '-',          '-',           'B TERMINATED'],
  ACCEPTED:   ['-',           '-',         '-',          'P AGREED', '-',          '-',           'B TERMINATED'],
  AGREED:     ['-',           '-',         '-',          '-',        'C VERIFIED', '-',           'B TERMINATED'],
  VERIFIED:   ['-',           '-',         '-',          '-',        '-',          'P FINALIZED', 'B TERMINATED'],
  FINALIZED:  ['-',           '-',         '-',          '-',        '-',          '-',           '-'],
  TERMINATED: ['-',           '-',         '-',          '-',        '-',          '-',           '-'],
} as const satisfies Record<string, readonly Cell[]>

const TRANSFER_EVENTS = ['request', 'start', 'suspend', 'complete', 'terminate'] as const

// Checklist 61 and 62: a consumer may start only what was suspended (TP:03-01 to 03-06, TP_C:03-01 to 03-06).
// biome-ignore format: a matrix reads best aligned
const TRANSFER_MATRIX = {
  //           request        start        suspend        complete       terminate
  NEW:        ['C REQUESTED', '-',         '-',           '-',           '-'],
  REQUESTED:  ['-',           'P STARTED', '-',           '-',           'B TERMINATED'],
  STARTED:    ['-',           '-',         'B SUSPENDED', 'B COMPLETED', 'B TERMINATED'],
  SUSPENDED:  ['-',           'B STARTED', '-',           '-',           'B TERMINATED'],
  COMPLETED:  ['-',           '-',         '-',           '-',           '-'],
  TERMINATED: ['-',           '-',         '-',           '-',           '-'],
} as const satisfies Record<string, readonly Cell[]>

const LETTER = { consumer: 'C', provider: 'P' } as const
const ROLES: readonly Role[] = ['consumer', 'provider']
const other = (role: Role): Role => (role === 'consumer' ? 'provider' : 'consumer')

/** Where a cell leads for a sender; undefined is a refusal. */
function target(cell: Cell, sender: Role): string | undefined {
  const [who, to] = cell.split(' ')
  return who === 'B' || who === LETTER[sender] ? to : undefined
}

type Row = {
  readonly state: string
  readonly event: string
  readonly sender: Role
  readonly to: string | undefined
}

const rowsOf = (matrix: Record<string, readonly Cell[]>, events: readonly string[]): readonly Row[] =>
  Object.entries(matrix).flatMap(([state, cells]) =>
    cells.flatMap((cell, i) =>
      ROLES.map((sender) => ({ state, event: events[i] ?? '', sender, to: target(cell, sender) })),
    ),
  )

const title = 'in $state "$event" by the $sender: $to'

describe('contract negotiation', () => {
  const rows = rowsOf(NEGOTIATION_MATRIX, NEGOTIATION_EVENTS)

  it('has every state and every message in the matrix', () => {
    expect(Object.keys(NEGOTIATION_MATRIX)).toEqual(Object.keys(NEGOTIATION))
    expect(rows).toHaveLength(8 * 7 * 2)
  })

  it.each(rows)(`received ${title}`, ({ state, event, sender, to }) => {
    const current = negotiation(other(sender), state as 'REQUESTED')
    const received = receive(NEGOTIATION, current, event as NegotiationEvent, message('m'))
    if (to === undefined) {
      expect(received).toMatchObject({ ok: false, error: { code: 'InvalidTransition' } })
    } else {
      expect(received).toMatchObject({ ok: true, value: { repeated: false, next: { state: to } } })
    }
  })

  it.each(rows)(`sent ${title}`, ({ state, event, sender, to }) => {
    const current = negotiation(sender, state as 'REQUESTED')
    const sending = send(NEGOTIATION, current, event as NegotiationEvent, LATER)
    if (!sending.ok) {
      expect(to).toBeUndefined()
      expect(sending.error.code).toBe('InvalidTransition')
      return
    }
    // The state moves when the partner acknowledges, not before.
    expect(sending.value).toMatchObject({ state, pending: event })
    const done = acknowledged(NEGOTIATION, sending.value, event as NegotiationEvent, LATER)
    expect(done.state).toBe(to)
    expect(done.pending).toBeUndefined()
  })
})

describe('transfer process', () => {
  const rows = rowsOf(TRANSFER_MATRIX, TRANSFER_EVENTS)

  it('has every state and every message in the matrix', () => {
    expect(Object.keys(TRANSFER_MATRIX)).toEqual(Object.keys(TRANSFER))
    expect(rows).toHaveLength(6 * 5 * 2)
  })

  it.each(rows)(`received ${title}`, ({ state, event, sender, to }) => {
    const current = transfer(other(sender), state as 'STARTED')
    const received = receive(TRANSFER, current, event as TransferEvent, message('m'))
    if (to === undefined) {
      expect(received).toMatchObject({ ok: false, error: { code: 'InvalidTransition' } })
    } else {
      expect(received).toMatchObject({ ok: true, value: { repeated: false, next: { state: to } } })
    }
  })

  it.each(rows)(`sent ${title}`, ({ state, event, sender, to }) => {
    const current = transfer(sender, state as 'STARTED')
    const sending = send(TRANSFER, current, event as TransferEvent, LATER)
    if (!sending.ok) {
      expect(to).toBeUndefined()
      expect(sending.error.code).toBe('InvalidTransition')
      return
    }
    expect(sending.value).toMatchObject({ state, pending: event })
    const done = acknowledged(TRANSFER, sending.value, event as TransferEvent, LATER)
    expect(done.state).toBe(to)
    expect(done.pending).toBeUndefined()
  })
})

describe('final states', () => {
  it.each(['FINALIZED', 'TERMINATED'] as const)('a negotiation stays %s whatever breaks', (state) => {
    const current = negotiation('provider', state, { reason: 'as agreed', endedBy: 'partner' })
    expect(isFinal(NEGOTIATION, state)).toBe(true)
    expect(broken(NEGOTIATION, current, 'TERMINATED', { reason: 'another reason' }, LATER)).toBe(current)
  })

  it.each(['COMPLETED', 'TERMINATED'] as const)('a transfer stays %s whatever breaks', (state) => {
    const current = transfer('consumer', state, { reason: 'done', endedBy: 'us' })
    expect(isFinal(TRANSFER, state)).toBe(true)
    expect(broken(TRANSFER, current, 'TERMINATED', { reason: 'another reason' }, LATER)).toBe(current)
  })

  it.each([
    'NEW',
    'REQUESTED',
    'OFFERED',
    'ACCEPTED',
    'AGREED',
    'VERIFIED',
  ] as const)('a negotiation in %s that cannot go on ends with the reason, and nothing is pending', (state) => {
    const current = negotiation('consumer', state, { pending: 'terminate', closing: 'wanted' })
    const ended = broken(NEGOTIATION, current, 'TERMINATED', { reason: 'the partner is gone' }, LATER)
    expect(ended).toMatchObject({
      state: 'TERMINATED',
      reason: 'the partner is gone',
      endedBy: 'us',
      updatedAt: LATER,
    })
    expect(ended.pending).toBeUndefined()
    expect(ended.closing).toBeUndefined()
  })
})
