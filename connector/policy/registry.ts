/** Every left operand this connector understands. A new one is a file in operands/ and a line here. */
import type { Text } from '../core/types.js'
import type { AtomicConstraint, Constraint, Operator } from './model.js'
import { shortName } from './model.js'
import { agreementAge } from './operands/agreement-age.js'
import { catenaX } from './operands/catena-x.js'
import { coarser } from './operands/coarser.js'
import { confirmed } from './operands/confirmed.js'
import { count } from './operands/count.js'
import { daily } from './operands/daily.js'
import { dateTime } from './operands/date-time.js'
import { deliveryDelay } from './operands/delivery-delay.js'
import { inForceDate } from './operands/edc.js'

import { fields } from './operands/fields.js'
import { hours } from './operands/hours.js'
import { obligations, vocabulary } from './operands/obligations.js'
import type { Operand, OperatorRule } from './operands/operand.js'
import { parties } from './operands/parties.js'
import { pseudonym } from './operands/pseudonym.js'
import { recipient } from './operands/recipient.js'
import { rows } from './operands/rows.js'
import { samplingInterval } from './operands/sampling-interval.js'
import { shaped } from './operands/shape.js'
import { virtualLocation } from './operands/virtual-location.js'
import { windows } from './operands/windows.js'
import { expandTerm, LEFT_OPERANDS, takesList } from './spelling.js'
import { quoted, text } from './words.js'

export const OPERANDS: readonly Operand[] = [
  recipient,
  dateTime,
  agreementAge,
  count,
  fields,
  samplingInterval,
  deliveryDelay,
  ...rows,
  ...hours,
  ...daily,
  ...coarser,
  pseudonym,
  ...shaped,
  ...confirmed,
  virtualLocation,
  ...parties,
  ...windows,
  ...obligations,
  ...vocabulary,
  inForceDate,
  ...catenaX,
]

const BY_IRI: ReadonlyMap<string, Operand> = new Map(OPERANDS.map((operand) => [operand.iri, operand]))
const IRI_OF: ReadonlyMap<string, string> = new Map(
  OPERANDS.flatMap(({ aliases, iri }) => aliases.map((alias) => [alias, iri] as const)),
)

/** The absolute IRI of a left operand in any spelling; a name nobody knows stays as it is. */
export const leftOperandIri = (written: string): string =>
  IRI_OF.get(written) ?? expandTerm(written, LEFT_OPERANDS)

export const operandOf = (iri: string): Operand | undefined => BY_IRI.get(iri)

/**
 * The values of a right operand of a known left operand: a text with commas is a list where no value can have one.
 * Undefined where that leaves two readings, because the operator compares with one value.
 */
export function listedValues(
  leftOperand: string,
  operator: string,
  values: readonly string[],
): readonly string[] | undefined {
  if (operandOf(leftOperand)?.commaLists !== true || !values.some((value) => value.includes(',')))
    return values
  return takesList(operator)
    ? values.flatMap((value) => value.split(',').map((one) => one.trim()))
    : undefined
}

/** Whether every name and value in it is understood. */
export const isReadable = (constraint: Constraint): boolean => {
  if (constraint.kind !== 'atomic') return constraint.operands.every(isReadable)
  const support = supportOf(constraint)
  return 'operand' in support && support.operand.wrong(constraint) === undefined
}

export type Support =
  | { readonly operand: Operand; readonly rule: OperatorRule }
  | { readonly term: string; readonly why: Text }

const isAllowed = (operand: Operand, operator: string): operator is Operator =>
  Object.hasOwn(operand.operators, operator)

/** The operand and operator of a constraint, or which of the two is not understood and why. The value is not looked at. */
export function supportOf({ leftOperand, operator }: AtomicConstraint): Support {
  const operand = BY_IRI.get(leftOperand)
  if (operand === undefined) {
    return {
      term: shortName(leftOperand),
      why: text(
        `This connector does not know the condition ${quoted(shortName(leftOperand)).en}.`,
        `Dieser Connector kennt die Bedingung ${quoted(shortName(leftOperand)).de} nicht.`,
      ),
    }
  }
  const rule = isAllowed(operand, operator) ? operand.operators[operator] : undefined
  if (rule !== undefined) return { operand, rule }
  const name = shortName(operand.iri)
  return {
    term: operator,
    why: text(
      `This connector does not know the operator ${quoted(operator).en} for ${name}, only ${Object.keys(operand.operators).join(', ')}.`,
      `Dieser Connector kennt für ${name} nicht den Operator ${quoted(operator).de}, sondern nur ${Object.keys(operand.operators).join(', ')}.`,
    ),
  }
}
