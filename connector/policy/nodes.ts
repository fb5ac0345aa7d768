/**
 * The nodes of a policy in the order in which people read them. Clause numbers come from here, so that an explanation
 * and a refusal speak of the same clause.
 */
import type { Constraint, Policy, Rule, UnknownTerm } from './model.js'

export type RuleKind = 'permission' | 'prohibition' | 'obligation' | 'duty'

export type PolicyNode = { readonly number: number; readonly path: string } & (
  | { readonly kind: RuleKind; readonly rule: Rule }
  | {
      readonly kind: 'constraint'
      readonly constraint: Constraint
      readonly of: RuleKind
      /** The rule that it belongs to. */
      readonly rule: Rule
      readonly inside: readonly Constraint[]
    }
  | { readonly kind: 'unknown'; readonly unknown: UnknownTerm }
)

/** Every node once, numbered from 1: rules with their constraints and duties, then what is not understood. */
export function nodesOf(policy: Policy): readonly PolicyNode[] {
  const nodes: PolicyNode[] = []
  const number = (): number => nodes.length + 1

  const visitConstraint = (
    constraint: Constraint,
    of: RuleKind,
    rule: Rule,
    inside: readonly Constraint[],
  ): void => {
    nodes.push({ number: number(), path: constraint.path, kind: 'constraint', constraint, of, rule, inside })
    if (constraint.kind === 'atomic') return
    for (const operand of constraint.operands) visitConstraint(operand, of, rule, [...inside, constraint])
  }
  const visitRule = (rule: Rule, kind: RuleKind): void => {
    nodes.push({ number: number(), path: rule.path, kind, rule })
    for (const constraint of rule.constraints) visitConstraint(constraint, kind, rule, [])
    for (const duty of rule.duties) visitRule(duty, 'duty')
  }

  for (const rule of policy.permissions) visitRule(rule, 'permission')
  for (const rule of policy.prohibitions) visitRule(rule, 'prohibition')
  for (const rule of policy.obligations) visitRule(rule, 'obligation')
  for (const unknown of policy.unknownTerms) {
    nodes.push({ number: number(), path: unknown.path, kind: 'unknown', unknown })
  }
  return nodes
}
