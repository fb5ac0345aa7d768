/** Every condition of a rule with the respect in which it speaks: of the use, of its target or assignee, or of a duty. */
import { MDP, ODRL } from '../model.js'
import type { Atom, Condition, OdrlRule } from '../odrl/policy.js'
import { operandOf } from '../registry.js'
import type { Scope } from './axis-plan.js'

/** Conditions of a duty that say how it is done rather than when it applies: a narrower one is a stricter duty. */
const MANNER: ReadonlySet<string> = new Set([
  `${MDP}retention`,
  `${MDP}logLevel`,
  `${ODRL}payAmount`,
  `${ODRL}timeInterval`,
  `${ODRL}percentage`,
  `${ODRL}unitOfCount`,
])

const dutiesOf = (rule: OdrlRule): readonly OdrlRule[] => (rule.kind === 'obligation' ? [rule] : rule.duties)

const conditionsOfDuty = (duty: OdrlRule): readonly Condition[] => [
  ...duty.constraints,
  ...duty.actions.flatMap(({ refinements }) => refinements),
]

const atomsOf = (condition: Condition): readonly Atom[] =>
  condition.kind === 'atom' ? [condition] : condition.operands.flatMap(atomsOf)

/** Whether everything a duty says is what is done and how; who, to what and when make it a statement of its own. */
export const isManner = (duty: OdrlRule): boolean =>
  duty.actions.length === 1 &&
  duty.targets.length === 0 &&
  duty.assignees.length === 0 &&
  conditionsOfDuty(duty)
    .flatMap(atomsOf)
    .every(({ leftOperand }) => MANNER.has(leftOperand) && operandOf(leftOperand) !== undefined)

const contentOf = (condition: Condition): unknown =>
  condition.kind === 'atom'
    ? [
        condition.leftOperand,
        condition.operator,
        condition.unit,
        condition.values.map(({ text }) => text),
        condition.unknown,
      ]
    : [condition.kind, condition.operands.map(contentOf), condition.unknown]

/** A duty that is done in a manner shares its axes with others of its action; any other duty is only like itself. */
export const dutyKey = (duty: OdrlRule): Scope =>
  isManner(duty)
    ? `duty ${duty.actions[0]?.iri ?? ''}`
    : `duty ${JSON.stringify([
        duty.actions.map(({ iri, refinements }) => [iri, refinements.map(contentOf)]),
        duty.targets.map(({ id }) => id),
        duty.assignees.map(({ id }) => id),
        duty.constraints.map(contentOf),
        duty.unknown,
      ])}`

/** Every atom of a rule with the scope in which it speaks, and the duties themselves. */
export function scopedAtoms(
  rule: OdrlRule,
): readonly { readonly atom: Atom | undefined; readonly scope: Scope; readonly duty: boolean }[] {
  const of = (conditions: readonly Condition[], scope: Scope) =>
    conditions.flatMap(atomsOf).map((atom) => ({ atom, scope, duty: false }))
  const duties = dutiesOf(rule).flatMap((duty) => {
    const key = dutyKey(duty)
    return [
      { atom: undefined, scope: key, duty: true },
      ...(isManner(duty) ? of(conditionsOfDuty(duty), `${key}:`) : []),
    ]
  })
  if (rule.kind === 'obligation') return duties
  return [
    ...of(rule.constraints, ''),
    ...of(
      rule.actions.flatMap(({ refinements }) => refinements),
      '',
    ),
    ...of(
      rule.targets.flatMap(({ refinements }) => refinements),
      'target:',
    ),
    ...of(
      rule.assignees.flatMap(({ refinements }) => refinements),
      'assignee:',
    ),
    ...duties,
  ]
}
