import { describe, expect, it } from 'vitest'
import { differences } from '../../connector/policy/compare.js'
import { compilePlan } from '../../connector/policy/compile.js'
import { PROFILE } from '../../connector/policy/model.js'
import { unsupportedTerms } from '../../connector/policy/support.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import { BUYER, instant, MDP, policy } from './policies.js'

const written = (terms: Terms) => {
  const result = policyFromTerms(terms)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}
const wrong = (terms: object) => {
  const result = policyFromTerms(terms)
  return result.ok ? 'written' : `${result.error.code}: ${result.error.message}`
}

it('writes lots as a choice of records', () => {
  const json = written({ lots: ['L-1', 'L-2'] })
  const lots = { leftOperand: `${MDP}lot`, operator: 'isAnyOf', rightOperand: ['L-1', 'L-2'] }
  expect(json).toEqual({ profile: PROFILE, permission: [{ action: 'use', constraint: [lots] }] })
  expect(unsupportedTerms(policy(json))).toEqual([])
})

it('writes every term as an atomic constraint that DSP peers can carry', () => {
  const terms: Terms = {
    deliveryDelay: 'PT1H',
    recipients: [BUYER],
    from: '2027-01-01',
    until: '2027-12-31',
    agreementAge: 'P365D',
    count: 1000,
    fields: ['temperature', 'load'],
    samplingInterval: 'PT10S',
  }
  const json = written(terms)
  expect(json).toEqual({
    profile: PROFILE,
    permission: [
      {
        action: 'use',
        constraint: [
          { leftOperand: 'odrl:recipient', operator: 'isAnyOf', rightOperand: BUYER },
          { leftOperand: 'odrl:dateTime', operator: 'gteq', rightOperand: '2027-01-01T00:00:00Z' },
          { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2028-01-01T00:00:00Z' },
          { leftOperand: `${MDP}agreementAge`, operator: 'lteq', rightOperand: 'P365D' },
          { leftOperand: 'odrl:count', operator: 'lteq', rightOperand: '1000' },
          { leftOperand: `${MDP}fields`, operator: 'isPartOf', rightOperand: ['temperature', 'load'] },
          { leftOperand: `${MDP}samplingInterval`, operator: 'gteq', rightOperand: 'PT10S' },
          { leftOperand: `${MDP}deliveryDelay`, operator: 'gteq', rightOperand: 'PT1H' },
        ],
      },
    ],
  })
  expect(unsupportedTerms(policy(json))).toEqual([])
  expect(
    compilePlan(policy(json), { agreedAt: instant('2027-02-01T00:00:00Z'), assignee: BUYER }),
  ).toMatchObject({
    ok: true,
    value: {
      notBefore: instant('2027-01-01T00:00:00Z'),
      notAfter: instant('2028-01-01T00:00:00Z'),
      recipients: [BUYER],
      fields: ['load', 'temperature'],
      countLimit: 1000,
      samplingIntervalMs: 10_000,
      deliveryDelayMs: 3_600_000,
    },
  })
})

it('writes the same policy for terms in any order', () => {
  const a = written({ until: '2027-12-31', count: 5 })
  const b = written({ count: '5', until: '2027-12-31' })
  expect(JSON.stringify(a)).toBe(JSON.stringify(b))
  expect(differences(a, b)).toEqual([])
})

it('writes a plain permission to use when there are no terms', () => {
  expect(written({})).toEqual({ profile: PROFILE, permission: [{ action: 'use' }] })
})

it('takes exact times as they are', () => {
  expect(written({ from: '2027-01-01T06:00:00+01:00', until: ' 2027-02-28T18:00:00Z ' })).toMatchObject({
    permission: [
      {
        constraint: [{ rightOperand: '2027-01-01T06:00:00+01:00' }, { rightOperand: '2027-02-28T18:00:00Z' }],
      },
    ],
  })
})

describe('wrong terms', () => {
  const DATE =
    'expected is a day such as 2026-12-31 or a date and time with offset such as 2026-12-31T18:00:00Z.'
  it.each<[object, string]>([
    [{ until: '2027-02-29' }, `until: The value "2027-02-29" is not valid; ${DATE}`],
    [{ until: '31.12.2027' }, `until: The value "31.12.2027" is not valid; ${DATE}`],
    [{ from: '2027-01-01T00:00:00' }, `from: The value "2027-01-01T00:00:00" is not valid; ${DATE}`],
    [
      { agreementAge: '30 days' },
      'agreementAge: The value "30 days" is not valid; expected is a duration such as P30D or P1Y.',
    ],
    [
      { samplingInterval: 'P1M' },
      'samplingInterval: The value "P1M" is not valid; expected is a duration of fixed length such as PT10S or P1D.',
    ],
    [
      { deliveryDelay: ['PT1H'] },
      'deliveryDelay: The value "[\\"PT1H\\"]" is not valid; expected is a duration such as PT10S.',
    ],
    [{ count: -1 }, 'count: The value "-1" is not valid; expected is a whole number such as 1000.'],
    [{ count: 1.5 }, 'count: The value "1.5" is not valid; expected is a whole number such as 1000.'],
    [{ count: Number.NaN }, 'count: The value "NaN" is not valid; expected is a whole number such as 1000.'],
    [{ fields: [] }, 'fields: The condition needs at least one value.'],
    [{ fields: ['a', 5] }, 'fields: The value "[\\"a\\",5]" is not valid; expected is a list of names.'],
    [{ recipients: [''] }, 'recipients: An empty or damaged name is not a valid value.'],
    [
      { purpose: 'x' },
      '"purpose" is not a term; known are recipients, from, until, agreementAge, count, recordsPerDay, bytesPerDay, weekdays, timeZone, machines, lines, lots, machineStates, signalRows, pseudonym, fields, withoutFields, samplingInterval, aggregationWindow, aggregation, minGroup, places, valueStep, shape, deliveryDelay, hours.',
    ],
    [
      { from: '2027-06-01', until: '2027-05-31' },
      'until: The end "2027-05-31" is not after the beginning "2027-06-01".',
    ],
  ])('%j', (terms, message) => {
    expect(wrong(terms)).toBe(`InvalidInput: The terms are not valid. ${message}`)
  })
  it('are all named at once', () => {
    expect(wrong({ count: 'x', until: 'y', color: 1 })).toMatch(/"color" is not a term.*until: .*count: /)
  })
  it('a single day is a valid term of use', () => {
    expect(wrong({ from: '2027-06-01', until: '2027-06-01' })).toBe('written')
  })
})
