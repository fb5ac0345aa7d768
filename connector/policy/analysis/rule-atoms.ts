/** Every condition of a rule with the respect in which it speaks: of the use, of its target or assignee, or of a duty. */
import { MDP, ODRL } from '../model.js'
import type { Atom, Condition, OdrlRule } from '../odrl/policy.js'
import { operandOf } from '../registry.js'
import type { Scope } from './axis-plan.js'
import { isZoneName } from './canonical.js'

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
  !isStrange(duty) &&
  duty.actions.length === 1 &&
  duty.targets.length === 0 &&
  duty.assignees.length === 0 &&
  conditionsOfDuty(duty)
    .flatMap(atomsOf)
    .every(({ leftOperand }) => MANNER.has(leftOperand) && operandOf(leftOperand) !== undefined)

/** What is not understood is the same only as itself, so its place belongs to what it says. */
const contentOf = (condition: Condition): unknown => {
  const place = condition.unknown.length > 0 ? condition.path : ''
  return condition.kind === 'atom'
    ? [
        condition.leftOperand,
        condition.operator,
        condition.unit,
        condition.values.map(({ text, datatype }) => [text, datatype]),
        place,
      ]
    : [condition.kind, condition.operands.map(contentOf), place]
}

const isStrange = ({ unknown, actions, targets, assignees }: OdrlRule): boolean =>
  unknown.length > 0 || [...actions, ...targets, ...assignees].some((part) => part.unknown.length > 0)

/** A duty that is done in a manner shares its axes with others of its action; any other duty is only like itself. */
export const dutyKey = (duty: OdrlRule): Scope =>
  isManner(duty)
    ? `duty ${duty.actions[0]?.iri ?? ''}`
    : `duty ${JSON.stringify([
        duty.actions.map(({ iri, refinements }) => [iri, refinements.map(contentOf)]),
        duty.targets.map(({ id }) => id),
        duty.assignees.map(({ id }) => id),
        duty.constraints.map(contentOf),
        isStrange(duty) ? duty.path : '',
      ])}`

/** Every atom of a rule with the scope in which it speaks, and the duties themselves. */
export function scopedAtoms(rule: OdrlRule): readonly {
  readonly atom: Atom | undefined
  readonly scope: Scope
  readonly duty: readonly string[] | undefined
}[] {
  const of = (conditions: readonly Condition[], scope: Scope) =>
    conditions
      .flatMap(atomsOf)
      .filter((atom) => !isZoneName(atom))
      .map((atom) => ({ atom, scope, duty: undefined }))
  const duties = dutiesOf(rule).flatMap((duty) => {
    const key = dutyKey(duty)
    return [
      { atom: undefined, scope: key, duty: duty.actions.map(({ iri }) => iri) },
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
