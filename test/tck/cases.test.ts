import { describe, expect, it } from 'vitest'
import type { ParticipantId, Pid } from '../../connector/core/types.js'
import { NEGOTIATION, type Negotiation } from '../../connector/domain/negotiation.js'
import { transition } from '../../connector/domain/process.js'
import { TRANSFER, type Transfer } from '../../connector/domain/transfer.js'
import { CASES } from './cases.js'
import { scriptedRules } from './rules.js'

it('wants nothing that the specification forbids in the state', () => {
  const illegal = CASES.flatMap(({ id, group, script }) => {
    const role = group === 'CN_C' || group === 'TP_C' ? 'consumer' : 'provider'
    return script
      .filter(({ state, move }) =>
        group.startsWith('CN')
          ? !transition(NEGOTIATION, state as 'REQUESTED', move as 'offer', role).ok
          : !transition(TRANSFER, state as 'REQUESTED', move as 'start', role).ok,
      )
      .map(({ state, move }) => `${id}: ${move} in ${state}`)
  })
  expect(illegal).toEqual([])
})

const core = {
  pid: 'urn:uuid:1' as Pid,
  role: 'provider',
  partner: 'TCK_PARTICIPANT' as ParticipantId,
  partnerPid: 'theirs',
  partnerAddress: 'http://localhost:8083',
  createdAt: 0,
  updatedAt: 0,
} as const
const negotiation = (datasetId: string, state: Negotiation['state'], turn: number) => {
  const n = { ...core, kind: 'negotiation', datasetId, state, turn, offer: { '@id': 'the-offer' } } as unknown
  return scriptedRules.negotiation(n as Negotiation, { approved: false } as never)
}
const transfer = (agreementId: string, state: Transfer['state'], turn: number) => {
  const t = {
    ...core,
    kind: 'transfer',
    agreementId,
    datasetId: 'ATP',
    state,
    turn,
    generation: 0,
  } as unknown
  return scriptedRules.transfer(t as Transfer)
}

describe('the rules', () => {
  it('offer what was asked for, and terminate when the partner asks again', () => {
    expect(negotiation('ACN0102', 'REQUESTED', 1)).toMatchObject({
      move: 'offer',
      offer: { '@id': 'the-offer', '@type': 'Offer', target: 'ACN0102', permission: [{ action: 'use' }] },
    })
    expect(negotiation('ACN0102', 'OFFERED', 2)).toMatchObject({ move: 'wait', for: 'partner' })
    expect(negotiation('ACN0102', 'REQUESTED', 3)).toMatchObject({ move: 'terminate' })
  })

  it('wait for the partner where the case asks for nothing, and for whatever is in no case', () => {
    expect(negotiation('ACN0304', 'REQUESTED', 3)).toEqual({ move: 'wait', for: 'partner' })
    expect(negotiation('ACN0202', 'REQUESTED', 1)).toEqual({ move: 'wait', for: 'partner' })
    expect(negotiation('else', 'REQUESTED', 1)).toEqual({ move: 'wait', for: 'partner' })
    expect(transfer('ATP0205', 'REQUESTED', 1)).toEqual({ move: 'wait', for: 'partner' })
  })

  it('start, suspend, start again and complete one transfer', () => {
    const moves = (['REQUESTED', 'STARTED', 'SUSPENDED', 'STARTED'] as const).map(
      (state, index) => transfer('ATP0104', state, index + 1).move,
    )
    expect(moves).toEqual(['start', 'suspend', 'start', 'complete'])
  })
})
