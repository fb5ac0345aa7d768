/** What the operator would have to confirm so that the conditions of a policy are met, as commands to type. */
import type { Text } from '../core/types.js'
import type { Partner } from '../domain/partner.js'
import type { AtomicConstraint, Constraint, Facts, Policy } from '../policy/model.js'
import { shortName } from '../policy/model.js'
import { operandOf } from '../policy/registry.js'

/** Flags of `fact add`, by the condition that they confirm. */
const FLAGS: Readonly<Record<string, string>> = {
  group: 'group',
  credentialType: 'credential',
  connectorAssurance: 'assurance',
  partySeat: 'seat',
  spatial: 'place',
  userRequest: 'user-request',
  event: 'event',
}

const NEGATIVE: ReadonlySet<string> = new Set(['neq', 'isNoneOf'])
/** Each of the values has to be confirmed; of the others one is enough. */
const ALL: ReadonlySet<string> = new Set([...NEGATIVE, 'isAllOf'])

const atoms = (constraint: Constraint): readonly AtomicConstraint[] =>
  constraint.kind === 'atomic' ? [constraint] : constraint.operands.flatMap(atoms)

const word = (value: string): string => (/^[\w@%+=:,./-]+$/.test(value) ? value : JSON.stringify(value))

/** undefined when nothing that could be confirmed is missing. */
export function missingFacts(
  policy: Policy,
  facts: Facts,
  about: { readonly partner: Partner; readonly dataset: string },
): Text | undefined {
  const commands = policy.permissions
    .flatMap(({ constraints }) => constraints.flatMap(atoms))
    .flatMap((constraint) => commandsFor(constraint, facts, about))
  if (commands.length === 0) return undefined
  const list = [...new Set(commands)].join('; ')
  return {
    en: `You would have to confirm what the terms demand, if it is so: ${list}`,
    de: `Sie müssten bestätigen, was die Bedingungen verlangen, wenn es so ist: ${list}`,
  }
}

function commandsFor(
  constraint: AtomicConstraint,
  facts: Facts,
  { partner, dataset }: { readonly partner: Partner; readonly dataset: string },
): readonly string[] {
  const operand = operandOf(constraint.leftOperand)
  if (operand?.confirmed === undefined || operand.wrong(constraint) !== undefined) return []
  if (operand.evaluate(constraint, facts).verdict === 'true') return []
  const { operator, rightOperand } = constraint
  const values = typeof rightOperand === 'string' ? [rightOperand] : rightOperand
  const flag = FLAGS[shortName(operand.iri)] ?? ''
  const isNot = NEGATIVE.has(operator)
  // An event that must not be under way is over when its fact is ended; a place is known by where it is, not by where not.
  if (isNot && operand.confirmed.of === 'event') return ['handschlag fact end ID']
  const isPlace = operand.domain.kind === 'tree'
  // No wider than what was asked about: an event without a dataset would be under way for all of them.
  const about =
    operand.confirmed.of === 'event' ? ` --dataset ${word(dataset)}` : ` --partner ${word(partner.did)}`
  if (isPlace || (operand.confirmed.single && isNot)) {
    return [`handschlag fact add${about} --${flag} ${isPlace ? 'PLACE' : 'LEVEL'}`]
  }
  return (ALL.has(operator) ? values : values.slice(0, 1)).map(
    (value) => `handschlag fact add${about} --${flag} ${word(value)}${isNot ? ' --not' : ''}`,
  )
}
