import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { compilePlan } from '../../connector/policy/compile.js'
import { explain } from '../../connector/policy/explain.js'
import { parsePolicy } from '../../connector/policy/parse.js'
import { unsupportedTerms } from '../../connector/policy/support.js'

const read = (file: string) => {
  const parsed = parsePolicy(JSON.parse(readFileSync(join('policies', file), 'utf8')))
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.value
}
const AGREED_AT = Date.UTC(2026, 0, 1) as EpochMs
const DAY = 86_400_000
/** The last instant of `lteq` is allowed, the end of a plan is not. */
const endOf = (days: number): number => AGREED_AT + days * DAY + 1
const FILES = readdirSync('policies').filter((file) => file.endsWith('.json'))

it.each(FILES)('%s is understood wholly and kept by the provider alone', (file) => {
  const policy = read(file)
  expect(unsupportedTerms(policy)).toEqual([])
  expect(new Set(explain(policy).map((clause) => clause.enforcedBy))).toEqual(new Set(['provider']))
})

it.each([
  [
    'condition-monitoring.json',
    { notAfter: Date.UTC(2031, 0, 1), fields: ['temperature', 'vibration'], samplingIntervalMs: 60_000 },
  ],
  ['trial.json', { notAfter: endOf(14), countLimit: 1000 }],
  ['delayed-report.json', { notAfter: endOf(365), samplingIntervalMs: 900_000, deliveryDelayMs: DAY }],
])('%s asks of the data plane what its description says', (file, expected) => {
  const plan = compilePlan(read(file), { agreedAt: AGREED_AT, assignee: 'did:web:anybody.example' })
  expect(plan.ok && plan.value).toMatchObject(expected)
})

it('describes every policy', () => {
  const readme = readFileSync('policies/README.md', 'utf8')
  expect(FILES.filter((file) => !readme.includes(`(${file})`))).toEqual([])
})
