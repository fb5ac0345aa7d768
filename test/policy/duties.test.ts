import { describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { type Demand, demandsOf, dueAt, isExecuted } from '../../connector/policy/duties.js'
import { parsePolicy } from '../../connector/policy/parse.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'
const ODRL = 'http://www.w3.org/ns/odrl/2/'
const atomic = (leftOperand: string, operator: string, rightOperand: unknown) => ({
  leftOperand,
  operator,
  rightOperand,
})
const at = (text: string): EpochMs => Date.parse(text) as EpochMs

function policyWith(obligation: readonly object[]) {
  const policy = parsePolicy({ permission: [{ action: 'use' }], obligation })
  if (!policy.ok) throw new Error(policy.error.message)
  return policy.value
}
const demands = (...obligation: readonly object[]): readonly Demand[] => demandsOf(policyWith(obligation))

const RETENTION_90 = { action: 'odrl:delete', constraint: [atomic(`${MDP}retention`, 'lteq', 'P90D')] }

describe('what obligations ask of the recipient', () => {
  it('reads deletion after a time, by a date, and at the end of the contract', () => {
    expect(
      demands(
        RETENTION_90,
        { action: 'odrl:delete', constraint: [atomic('odrl:dateTime', 'lteq', '2027-03-31')] },
        { action: 'odrl:delete' },
      ),
    ).toEqual([
      {
        path: 'obligation[0]',
        action: `${ODRL}delete`,
        kind: 'delete',
        limits: { retention: { months: 0, ms: 90 * 86_400_000 } },
      },
      {
        path: 'obligation[1]',
        action: `${ODRL}delete`,
        kind: 'delete',
        limits: { until: at('2027-04-01T00:00:00Z') },
      },
      { path: 'obligation[2]', action: `${ODRL}delete`, kind: 'delete', limits: {} },
    ])
  })

  it('reads the log of use with its detail, and the notice with its event', () => {
    expect(
      demands(
        { action: `${MDP}logUsage`, constraint: [atomic(`${MDP}logLevel`, 'eq', 'per-batch')] },
        { action: 'odrl:inform', constraint: [atomic('odrl:event', 'eq', `${MDP}SecurityIncident`)] },
      ),
    ).toMatchObject([
      { kind: 'log', level: 'per-batch' },
      { kind: 'inform', event: `${MDP}SecurityIncident` },
    ])
  })

  it('leaves to people a log of what is done with each record, which no connector sees', () => {
    const level = (value: string) =>
      demands({ action: `${MDP}logUsage`, constraint: [atomic(`${MDP}logLevel`, 'eq', value)] })
    expect([level('per-record'), level('per-day'), demands({ action: `${MDP}logUsage` })]).toMatchObject([
      [{ kind: 'other' }],
      [{ kind: 'log', level: 'per-day' }],
      [{ kind: 'log' }],
    ])
  })

  it('takes the earliest of several dates, and the earlier of a date and a time', () => {
    const [demand] = demands({
      action: 'odrl:delete',
      constraint: [
        atomic('odrl:dateTime', 'lteq', '2027-06-01T00:00:00Z'),
        atomic('odrl:dateTime', 'lt', '2027-03-01T00:00:00Z'),
        atomic(`${MDP}retention`, 'lteq', 'P1M'),
      ],
    })
    if (demand?.kind !== 'delete') throw new Error('no deletion')
    expect(dueAt(demand.limits, at('2027-01-31T10:00:00Z'), undefined)).toBe(at('2027-02-28T10:00:00Z'))
    expect(dueAt(demand.limits, at('2027-02-15T10:00:00Z'), undefined)).toBe(at('2027-03-01T00:00:00Z'))
  })

  it('leaves to people whatever has a condition that it does not understand', () => {
    for (const constraint of [
      [atomic(`${MDP}retention`, 'gteq', 'P90D')],
      [atomic(`${MDP}retention`, 'lteq', 'soon')],
      [atomic('odrl:purpose', 'eq', 'x')],
      [{ or: [atomic(`${MDP}retention`, 'lteq', 'P1D'), atomic(`${MDP}retention`, 'lteq', 'P2D')] }],
      [atomic(`${MDP}retention`, 'lteq', 'P1M'), atomic(`${MDP}retention`, 'lteq', 'P30D')],
    ]) {
      const policy = policyWith([{ action: 'odrl:delete', constraint }])
      expect(demandsOf(policy)).toMatchObject([{ kind: 'other' }])
      expect(policy.obligations.map(isExecuted)).toEqual([false])
    }
    expect(policyWith([RETENTION_90, { action: 'odrl:attribute' }]).obligations.map(isExecuted)).toEqual([
      true,
      false,
    ])
  })
})

describe('when data is due', () => {
  it('counts a retention from the receipt, whatever becomes of the contract', () => {
    const limits = { retention: { months: 0, ms: 3_600_000 } }
    expect(dueAt(limits, at('2027-01-01T00:00:00Z'), at('2027-01-01T00:10:00Z'))).toBe(
      at('2027-01-01T01:00:00Z'),
    )
  })
  it('takes the end of the contract where nothing else is said', () => {
    expect(dueAt({}, at('2027-01-01T00:00:00Z'), undefined)).toBeUndefined()
    expect(dueAt({}, at('2027-01-01T00:00:00Z'), at('2027-02-01T00:00:00Z'))).toBe(at('2027-02-01T00:00:00Z'))
  })
})
