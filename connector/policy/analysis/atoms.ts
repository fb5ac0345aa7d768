/** The same policy with every simple condition replaced, wherever it stands. */
import type { Action, Atom, Condition, OdrlPolicy, OdrlRule, Thing } from '../odrl/policy.js'

type Change = (atom: Atom, rule: OdrlRule) => Atom

function changedRule(rule: OdrlRule, change: Change): OdrlRule {
  const one = (condition: Condition): Condition =>
    condition.kind === 'atom'
      ? change(condition, rule)
      : { ...condition, operands: condition.operands.map(one) }
  const refined = <T extends Thing | Action>(part: T): T => ({
    ...part,
    refinements: part.refinements.map(one),
  })
  return {
    ...rule,
    actions: rule.actions.map(refined),
    targets: rule.targets.map(refined),
    assignees: rule.assignees.map(refined),
    constraints: rule.constraints.map(one),
    duties: rule.duties.map((duty) => changedRule(duty, change)),
  }
}

/** @param change gets the atom and the rule in which it stands */
export const mapAtoms = (policy: OdrlPolicy, change: Change): OdrlPolicy => ({
  ...policy,
  permissions: policy.permissions.map((rule) => changedRule(rule, change)),
  prohibitions: policy.prohibitions.map((rule) => changedRule(rule, change)),
  obligations: policy.obligations.map((rule) => changedRule(rule, change)),
})
