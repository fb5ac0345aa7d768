/**
 * ODRL-Test-Suite (SolidLab, Ghent University), 68 cases, under its two comparators that are in use: the states of rules,
 * and the states of rules and of everything they rest on. Skipped, visibly, where the suite is absent.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Quad } from 'n3'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { decide } from '../../connector/policy/odrl/decide.js'
import { readPolicy } from '../../connector/policy/odrl/read.js'
import { readRequests, readWorld } from '../../connector/policy/odrl/read-world.js'
import { complianceReport } from '../../connector/policy/odrl/report.js'
import { sharedPath, titled } from '../support/shared-data.js'
import { graphOf, quadsOf } from './rdf.js'

const SUITE = 'policy/odrl-test-suite'
const folder = sharedPath(SUITE)
const EX = 'http://example.org/'
const REPORT = 'https://w3id.org/force/compliance-report#'
const TYPE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type'

/** The files of a folder by the name of the thing that they are about. */
const byName = (kind: string, type: RegExp): ReadonlyMap<string, readonly Quad[]> =>
  new Map(
    readdirSync(join(folder ?? '', kind)).flatMap((file) => {
      const quads = quadsOf(join(folder ?? '', kind, file))
      const about = quads.find((quad) => quad.predicate.value === TYPE && type.test(quad.object.value))
      return about === undefined ? [] : [[about.subject.value, quads] as const]
    }),
  )

const objectOf = (quads: readonly Quad[], predicate: string, subject?: string): string =>
  quads.find(
    (quad) => quad.predicate.value === predicate && (subject === undefined || quad.subject.value === subject),
  )?.object.value ?? ''

type Comparable = {
  readonly activation: string
  readonly attempt: string
  readonly rule: string
  readonly request: string
  /** Type and, for constraints, name of every report below the rule, with its state. */
  readonly states: readonly string[]
}

const PREMISES = ['TargetReport', 'PartyReport', 'ActionReport', 'ConstraintReport']

function expected(quads: readonly Quad[]): Comparable {
  const rule = objectOf(quads, `${REPORT}ruleReport`)
  const states = quads
    .filter(
      ({ predicate, object }) =>
        predicate.value === TYPE && PREMISES.includes(object.value.slice(REPORT.length)),
    )
    .map(({ subject, object }) => {
      const about = objectOf(quads, `${REPORT}constraint`, subject.value)
      const state = objectOf(quads, `${REPORT}satisfactionState`, subject.value)
      return `${object.value.slice(REPORT.length)} ${about} ${state.slice(REPORT.length)}`
    })
  return {
    activation: objectOf(quads, `${REPORT}activationState`, rule).slice(REPORT.length),
    attempt: objectOf(quads, `${REPORT}attemptState`, rule).slice(REPORT.length),
    rule: objectOf(quads, `${REPORT}rule`, rule),
    request: objectOf(quads, `${REPORT}ruleRequest`, rule),
    states: states.sort(),
  }
}

const id = (value: unknown): string => String((value as JsonObject)['@id']).replace('report:', '')
const list = (value: unknown): readonly JsonObject[] =>
  value === undefined ? [] : ((Array.isArray(value) ? value : [value]) as readonly JsonObject[])

function statesBelow(report: JsonObject): readonly string[] {
  return list(report['report:premiseReport']).flatMap((premise) => {
    const about = premise['report:constraint'] === undefined ? '' : id(premise['report:constraint'])
    const type = String(premise['@type']).replace('report:', '')
    return [`${type} ${about} ${id(premise['report:satisfactionState'])}`, ...statesBelow(premise)]
  })
}

function reported(report: JsonObject): Comparable {
  const [rule = {}, ...more] = list(report['report:ruleReport'])
  expect(more).toEqual([])
  return {
    activation: id(rule['report:activationState']),
    attempt: id(rule['report:attemptState']),
    rule: id(rule['report:rule']),
    request: id(rule['report:ruleRequest']),
    states: [...statesBelow(rule)].sort(),
  }
}

describe.skipIf(folder === undefined)(titled('ODRL-Test-Suite', SUITE), () => {
  if (folder === undefined) return
  const policies = byName('policies', /Set$/)
  const requests = byName('requests', /Request$/)
  const states = byName('sotw', /Sotw$/)
  const cases = readdirSync(join(folder, 'test_cases')).sort()

  it('has 68 cases', () => expect(cases).toHaveLength(68))

  it.each(cases)('%s', (file) => {
    const quads = quadsOf(join(folder, 'test_cases', file))
    const of = (map: ReadonlyMap<string, readonly Quad[]>, role: string) =>
      graphOf(map.get(objectOf(quads, `${EX}${role}`)) ?? [])
    const policy = readPolicy(of(policies, 'policy'))
    if (!policy.ok) throw new Error(policy.error.message)
    const [request, ...more] = readRequests(of(requests, 'request'))
    if (request === undefined) throw new Error('no request')
    expect(more).toEqual([])
    const decision = decide(policy.value, request, readWorld(of(states, 'sotw')), 'eventual')
    const [wanted, got] = [expected(quads), reported(complianceReport(decision))]
    const { states: wantedStates, ...wantedRule } = wanted
    const { states: gotStates, ...gotRule } = got
    expect(gotRule, 'Rule-Activation-similarity').toEqual(wantedRule)
    expect(gotStates, 'Rule-Activation-Constraint-satisfaction-similarity').toEqual(wantedStates)
    const isPermission = decision.rules[0]?.rule.kind === 'permission'
    expect(decision.allowed).toBe(isPermission && wanted.activation === 'Active')
  })
})
