/**
 * A decision as a compliance report in the FORCE vocabulary (https://w3id.org/force/compliance-report#), as JSON-LD:
 * one report per rule, with a report for each premise and condition it rests on.
 */
import type { JsonObject } from '../../core/types.js'
import { MDP, ODRL } from '../model.js'
import type { DutyJudged, OdrlDecision, RuleJudged } from './decide.js'
import type { Judged } from './judge.js'
import type { Value } from './policy.js'
import { scalarText, type Tri } from './scalar.js'
import { TAXONOMY_VERSION } from './taxonomy.js'

const XSD = 'http://www.w3.org/2001/XMLSchema#'

const CONTEXT: JsonObject = {
  report: 'https://w3id.org/force/compliance-report#',
  odrl: ODRL,
  xsd: XSD,
  dct: 'http://purl.org/dc/terms/',
}

const ref = (id: string): JsonObject => ({ '@id': id })
const named = (id: string | undefined, path: string): JsonObject => ref(id ?? `#${path}`)

const satisfied = (holds: Tri): JsonObject =>
  ref(holds === true ? 'report:Satisfied' : holds === false ? 'report:Unsatisfied' : 'report:Unknown')

/** @param created ISO 8601, the time of the report */
export function complianceReport(decision: OdrlDecision, created?: string): JsonObject {
  const { policy, request, rules, obligations, allowed } = decision
  return {
    '@context': CONTEXT,
    '@type': 'report:PolicyReport',
    ...(created !== undefined && { 'dct:created': { '@value': created, '@type': 'xsd:dateTime' } }),
    'report:policy': named(policy.id, 'policy'),
    'report:policyRequest': named(request.id, 'request'),
    [`${MDP}taxonomyVersion`]: TAXONOMY_VERSION,
    'report:decision': ref(allowed ? 'report:Permit' : 'report:Deny'),
    'report:ruleReport': [
      ...rules.map((rule) => ruleReport(rule, decision)),
      ...obligations.map((duty) => dutyReport(duty)),
    ],
  }
}

function ruleReport(judged: RuleJudged, { request }: OdrlDecision): JsonObject {
  const { rule, target, party, action, constraints, refinements, duties, active, applies } = judged
  const premise = (type: string, part: { readonly holds: Tri } | undefined): readonly JsonObject[] =>
    part === undefined
      ? []
      : [{ '@type': `report:${type}`, 'report:satisfactionState': satisfied(part.holds) }]
  const control = rule.kind === 'permission' ? 'report:Permit' : 'report:Deny'
  return {
    '@type': rule.kind === 'permission' ? 'report:PermissionReport' : 'report:ProhibitionReport',
    'report:attemptState': ref('report:Attempted'),
    'report:rule': named(rule.id, rule.path),
    'report:ruleRequest': named(request.id, 'request'),
    'report:premiseReport': [
      ...premise('TargetReport', target),
      ...premise('PartyReport', party),
      ...premise('ActionReport', action),
      ...[...constraints, ...refinements].map((part) => constraintReport(part)),
    ],
    ...(duties.length > 0 && { 'report:conditionReport': duties.map(dutyReport) }),
    'report:activationState': ref(active === true ? 'report:Active' : 'report:Inactive'),
    'report:controlState': ref(
      applies === true || (rule.kind === 'prohibition' && applies === undefined)
        ? control
        : rule.kind === 'permission'
          ? 'report:Deny'
          : 'report:Unset',
    ),
  }
}

const literal = ({ text, datatype, scalar }: Value): JsonObject => ({
  '@value': text === '' && scalar !== undefined ? scalarText(scalar) : text,
  ...(datatype !== undefined && { '@type': datatype }),
})

function constraintReport({ condition, holds, actual, parts }: Judged): JsonObject {
  const common = {
    '@type': 'report:ConstraintReport',
    'report:constraint': named(condition.id, condition.path),
    'report:satisfactionState': satisfied(holds),
  }
  if (condition.kind !== 'atom') {
    return {
      ...common,
      'report:constraintLogicalOperand': ref(ODRL + condition.kind),
      'report:premiseReport': parts.map((part) => constraintReport(part)),
    }
  }
  return {
    ...common,
    ...(actual !== undefined && { 'report:constraintLeftOperand': actual.map(literal) }),
    'report:constraintOperator': ref(ODRL + condition.operator),
    'report:constraintRightOperand': condition.values.map(literal),
  }
}

const DEONTIC = { fulfilled: 'report:Fulfilled', violated: 'report:Violated', open: 'report:NonSet' } as const

function dutyReport({ rule, inForce, performed, state, constraints }: DutyJudged): JsonObject {
  return {
    '@type': 'report:DutyReport',
    'report:rule': named(rule.id, rule.path),
    'report:attemptState': ref('report:Attempted'),
    'report:activationState': ref(inForce === false ? 'report:Inactive' : 'report:Active'),
    'report:performanceState': ref(
      performed === true ? 'report:Performed' : performed === false ? 'report:Unperformed' : 'report:Unknown',
    ),
    'report:deonticState': ref(DEONTIC[state]),
    ...(constraints.length > 0 && {
      'report:premiseReport': constraints.map((part) => constraintReport(part)),
    }),
  }
}
