/**
 * A policy as it goes to partners, whatever spelling an operator wrote it in: the plain names of DSP, absolute names for all
 * others, values as texts, because the schema of DSP takes no bare number and EDC loses datatypes.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { Json, JsonObject } from '../core/types.js'
import type { Constraint, Policy, Rule } from './model.js'
import { ODRL } from './model.js'
import { parsePolicy } from './parse.js'
import { termOf } from './spelling.js'

/**
 * The terms alone, without identifier, parties and target. A policy with something that is not understood comes back as it
 * is, for the check of its terms to name. `InvalidInput` when it is for one participant or for other data.
 */
export function wireForm(json: JsonObject, datasetId: string): Result<JsonObject> {
  const parsed = parsePolicy(json)
  if (!parsed.ok) return parsed
  if (parsed.value.unknownTerms.length > 0) return ok(json)
  const named = (member: string): string | undefined =>
    termOf(json[member] ?? json[`odrl:${member}`] ?? json[ODRL + member])
  if (named('assignee') !== undefined) {
    return problem('InvalidInput', {
      en: 'The policy names an assignee, and an offer is for everybody who meets its terms. Name the participants by the condition "recipient" instead.',
      de: 'Die Policy nennt einen „assignee“; ein Angebot gilt aber für alle, die seine Bedingungen erfüllen. Nennen Sie die Teilnehmer stattdessen in der Bedingung „recipient“.',
    })
  }
  const target = named('target')
  if (target !== undefined && target !== datasetId) {
    return problem('InvalidInput', {
      en: `The policy is for the data "${target}", not for ${datasetId}. Leave its target out.`,
      de: `Die Policy gilt für die Daten „${target}“, nicht für ${datasetId}. Lassen Sie „target“ weg.`,
    })
  }
  return ok(written(parsed.value))
}

function written({ profiles, permissions, prohibitions, obligations }: Policy): JsonObject {
  const [profile] = profiles
  return {
    ...(profile !== undefined && { profile }),
    ...listed('permission', permissions.map(ruleOf)),
    ...listed('prohibition', prohibitions.map(ruleOf)),
    ...listed('obligation', obligations.map(ruleOf)),
  }
}

const listed = (name: string, items: readonly Json[]): JsonObject =>
  items.length === 0 ? {} : { [name]: items }

const shortened = (iri: string): string => (iri.startsWith(ODRL) ? `odrl:${iri.slice(ODRL.length)}` : iri)

const ruleOf = ({ action, constraints, duties }: Rule): JsonObject => ({
  action: action === `${ODRL}use` ? 'use' : shortened(action),
  ...listed('constraint', constraints.map(constraintOf)),
  ...listed('duty', duties.map(ruleOf)),
})

function constraintOf(constraint: Constraint): JsonObject {
  if (constraint.kind !== 'atomic') return { [constraint.kind]: constraint.operands.map(constraintOf) }
  const { leftOperand, operator, rightOperand } = constraint
  return { leftOperand: shortened(leftOperand), operator, rightOperand }
}
