/**
 * Examples of the formal semantics of the W3C ODRL community group: 9 pairs of policy and evaluation request. Skipped,
 * visibly, where they are absent.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decide } from '../../connector/policy/odrl/decide.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'
import { readRequests, readWorld } from '../../connector/policy/odrl/read-world.js'
import { sharedPath, titled } from '../support/shared-data.js'

const EXAMPLES = 'policy/cg-examples'
const folder = sharedPath(EXAMPLES)
const NAMES = ['A11', 'A12', 'B11', 'B12', 'C11', 'C12', 'C21', 'C22', 'C23']

/** The third set asks for ".../billie1" under a policy for ".../billie", who also pays: a slip in the requests. */
const withoutSlip = (text: string): string => text.replaceAll('/party/billie1"', '/party/billie"')

const read = (...path: readonly string[]): unknown =>
  JSON.parse(withoutSlip(readFileSync(join(folder ?? '', ...path), 'utf8')))

function statesOf(name: string): readonly [activation: string, control: string, duty: string | undefined] {
  const file = ['A12', 'B11', 'B12'].includes(name)
    ? `compliancereport${name}.json`
    : `compliancereport.${name}.json`
  const report = read(name, file) as Record<string, Record<string, string>>
  const part = (type: string): Record<string, string> | undefined =>
    Object.values(report).find((value) => value['@type'] === type)
  const rule = part('report:ruleReport') ?? {}
  const bare = (value: string | undefined): string => String(value).replace('report:', '')
  const deontic = part('report:ConditionReport')?.['report:deonticState']
  return [
    bare(rule['report:activationState']),
    bare(rule['report:controlState']),
    deontic === undefined ? undefined : bare(deontic),
  ]
}

describe.skipIf(folder === undefined)(titled('examples of the W3C community group', EXAMPLES), () => {
  it.each(NAMES)('%s', (name) => {
    const policy = readPolicy(read(`policy${name.slice(0, 2)}.json`))
    if (!policy.ok) throw new Error(policy.error.message)
    const [request, ...more] = readRequests(read(name, `evaluationrequest${name}.json`))
    if (request === undefined) throw new Error('no request')
    expect(more).toEqual([])
    const state = existsSync(join(folder ?? '', name, `state${name}.json`))
      ? read(name, `state${name}.json`)
      : {}
    const decision = decide(policy.value, request, readWorld(state), 'before')
    const [rule] = decision.rules
    const [activation, control, duty] = statesOf(name)
    expect(rule?.active === true ? 'Active' : 'Inactive').toBe(activation)
    expect(decision.allowed ? 'Permit' : 'Deny').toBe(control)
    if (duty !== undefined)
      expect(rule?.duties[0]?.state === 'fulfilled' ? 'Fulfilled' : 'Not-set').toBe(duty)
  })
})
