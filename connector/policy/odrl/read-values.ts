/** Right operands and facts: literals and names, typed by their left operand where it is known, by themselves otherwise. */
import { operandOf } from '../registry.js'
import { isMap } from '../spelling.js'
import { type Context, expandIri } from './json-ld.js'
import type { Value } from './policy.js'
import {
  parseExactDuration,
  parseInstantOrDate,
  parseNumber,
  parseTime,
  parseWeekday,
  type Scalar,
  scalarOf,
} from './scalar.js'

/** What a number of JSON is where nothing else is said. */
const NUMBER = 'http://www.w3.org/2001/XMLSchema#decimal'

const BY_DOMAIN: Readonly<Record<string, (text: string) => Scalar | undefined>> = {
  instant: parseInstantOrDate,
  duration: parseExactDuration,
  integer: parseNumber,
  decimal: parseNumber,
  time: parseTime,
  weekday: parseWeekday,
}

const KNOWN_DATATYPES = ['http://www.w3.org/2001/XMLSchema#', 'http://www.w3.org/1999/02/22-rdf-syntax-ns#']

/** Equality and order of a datatype nobody knows cannot be told, unless the left operand says how its values are read. */
const isStrange = ({ datatype }: Value, leftOperand: string): boolean =>
  datatype?.includes(':') === true &&
  !KNOWN_DATATYPES.some((known) => datatype.startsWith(known)) &&
  operandOf(leftOperand) === undefined

/** The value as its left operand reads it: datatypes get lost on the way between connectors, names and trees have none. */
export function typedValue(text: string, datatype: string | undefined, leftOperand: string): Value {
  const normal = text.normalize('NFC')
  const domain = operandOf(leftOperand)?.domain.kind
  const scalar = domain === undefined ? scalarOf(normal.trim(), datatype) : BY_DOMAIN[domain]?.(normal.trim())
  return { text: normal, ...(datatype !== undefined && { datatype }), scalar }
}

function readValue(
  value: unknown,
  leftOperand: string,
  datatype: string | undefined,
  context: Context,
): Value | undefined {
  if (typeof value === 'string') return typedValue(expandIri(context, value), datatype, leftOperand)
  if (typeof value === 'number') return typedValue(String(value), datatype ?? NUMBER, leftOperand)
  if (typeof value === 'boolean') return typedValue(String(value), datatype, leftOperand)
  if (!isMap(value)) return undefined
  const type = typeof value['@type'] === 'string' ? expandIri(context, value['@type']) : datatype
  const inner = value['@value'] ?? value['@id'] ?? value.uid
  if (typeof inner === 'number' || typeof inner === 'boolean')
    return typedValue(String(inner), type, leftOperand)
  if (typeof inner !== 'string') return undefined
  return typedValue('@value' in value ? inner : expandIri(context, inner), type, leftOperand)
}

/** Undefined when one of the values is no plain value, or is of a kind nobody knows. */
export function readValues(
  values: readonly unknown[],
  leftOperand: string,
  datatype: string | undefined,
  context: Context,
): readonly Value[] | undefined {
  const read = values.map((value) => readValue(value, leftOperand, datatype, context))
  const whole = read.flatMap((value) => (value === undefined || isStrange(value, leftOperand) ? [] : [value]))
  return whole.length === read.length && read.length > 0 ? whole : undefined
}
