/**
 * What a decision costs: an ordinary one, and one under a policy of 787 constraints. Reading a policy is measured apart,
 * because it happens once and decisions happen often. Also a comparison of two ordinary policies.
 */

import type { EpochMs } from '../../connector/core/types.js'
import { comparePolicies } from '../../connector/policy/analysis/compare-policies.js'
import { evaluateLine } from '../../connector/policy/batch.js'
import { evaluate } from '../../connector/policy/evaluate.js'
import { decide } from '../../connector/policy/odrl/decide.js'
import type { OdrlPolicy } from '../../connector/policy/odrl/policy.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'
import { readRequests, readWorld } from '../../connector/policy/odrl/read-world.js'
import { parsePolicy } from '../../connector/policy/parse.js'
import { aim, figure, median, percentile, section, times, title } from './report.js'

const between = (from: string, to: string): object => ({
  and: [
    { leftOperand: 'dateTime', operator: 'gt', rightOperand: from },
    { leftOperand: 'dateTime', operator: 'lt', rightOperand: to },
  ],
})

const ORDINARY = {
  permission: [
    {
      action: 'use',
      target: 'urn:x:1',
      assignee: 'urn:p:1',
      constraint: [
        { leftOperand: 'dateTime', operator: 'lt', rightOperand: '2027-01-01T00:00:00Z' },
        { leftOperand: 'count', operator: 'lteq', rightOperand: '1000' },
        {
          leftOperand: 'purpose',
          operator: 'isAnyOf',
          rightOperand: ['mdp:PredictiveMaintenance', 'mdp:Research'],
        },
      ],
    },
  ],
  prohibition: [{ action: 'distribute' }],
}

const day = (offset: number): string => new Date(Date.UTC(2024, 0, 1 + offset)).toISOString().slice(0, 10)
/** 262 stretches of time of two conditions each and what joins them: 787 constraints. */
const LARGE = {
  permission: [
    {
      action: 'read',
      constraint: [
        { or: Array.from({ length: 262 }, (_, i) => between(`${day(i)}T09:00:00Z`, `${day(i)}T17:00:00Z`)) },
      ],
    },
  ],
}

const STATE = readWorld({ at: '2024-06-03T11:20:10.999Z', facts: { count: '3', purpose: 'mdp:Research' } })

const read = (json: unknown): OdrlPolicy => {
  const policy = readPolicy(json)
  if (!policy.ok) throw new Error(policy.error.message)
  return policy.value
}

/** Median of single calls, microseconds; those of the warm-up do not count. */
function measure(name: string, rounds: number, call: () => boolean): number {
  for (let i = 0; i < rounds / 5; i += 1) call()
  const spent: number[] = []
  for (let i = 0; i < rounds; i += 1) {
    const began = performance.now()
    if (!call()) throw new Error(`${name} did not answer as expected`)
    spent.push((performance.now() - began) * 1000)
  }
  const middle = median(spent)
  const ratio = times(middle / check)
  figure(name, `${middle.toFixed(1)} us`, `${ratio}, 99 of 100 within ${percentile(spent, 99).toFixed(0)} us`)
  return middle
}

const [ordinary, large] = [read(ORDINARY), read(LARGE)]
const [use] = readRequests({ action: 'use', target: 'urn:x:1', assignee: 'urn:p:1' })
const [reading] = readRequests({ action: 'read' })
if (use === undefined || reading === undefined) throw new Error('no request')
const offer = parsePolicy({
  permission: [{ action: 'use', constraint: ORDINARY.permission[0]?.constraint.slice(0, 2) }],
})
if (!offer.ok) throw new Error(offer.error.message)
const facts = { at: Date.UTC(2026, 5, 1) as EpochMs, recipient: 'did:web:buyer.example', counted: 3 }

const check = title(
  'Policies: decisions and comparisons',
  'One call at a time, on one thread; medians of single calls, and how many ES256 checks each is worth.',
)
section('Decisions')
// The request is for use in general, and distributing is part of that: the two rules contradict each other.
const plain = measure('ordinary policy, refused', 20_000, () => !decide(ordinary, use, STATE).allowed)
measure(
  'without its prohibition, allowed',
  20_000,
  () => decide({ ...ordinary, prohibitions: [] }, use, STATE).allowed,
)
measure('in the connector, two conditions', 20_000, () => evaluate(offer.value, 'transfer', facts).allowed)
const big = measure('787 constraints', 2_000, () => decide(large, reading, STATE).allowed)
section('Reading and comparing')
const line = JSON.stringify({
  policy: { ...ORDINARY, prohibition: [] },
  request: { action: 'use', target: 'urn:x:1', assignee: 'urn:p:1' },
  state: { at: '2024-06-03T11:20:10.999Z', facts: { count: '3', purpose: 'mdp:Research' } },
})
const OPTIONS = { lang: 'en', profiles: [], duties: 'before', report: false } as const
measure(
  'a line of a batch, from text to answer',
  5_000,
  () => evaluateLine(line, OPTIONS).decision === 'permit',
)
measure('reading an ordinary policy', 5_000, () => read(ORDINARY).permissions.length === 1)
measure('reading 787 constraints', 200, () => read(LARGE).permissions.length === 1)
measure(
  'comparing two ordinary policies',
  1_000,
  () => comparePolicies(ordinary, ordinary).relation === 'equal',
)
measure(
  'comparing 787 constraints with themselves',
  5,
  () => comparePolicies(large, large).relation === 'equal',
)
section('Aims')
aim(`an ordinary decision within 20 us: ${plain.toFixed(1)} us`, plain < 20)
aim(`787 constraints within 2 ms: ${(big / 1000).toFixed(2)} ms`, big < 2000)
