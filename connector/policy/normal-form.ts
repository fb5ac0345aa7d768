/**
 * One JSON text for all spellings of the same policy member: prefixes, JSON-LD wrappings, datatypes written beside values,
 * lists of one and the order of sets are gone, and values are typed by their left operand. For comparing only.
 */
import { leftOperandIri, operandOf } from './registry.js'
import {
  ACTIONS,
  asList,
  expandTerm,
  isMap,
  isOwnClass,
  type JsonMap,
  keyName,
  literalOf,
  literalsOf,
  operatorName,
  termOf,
} from './spelling.js'

/** Lists of rules and constraints mean the same in any order. */
export const RULE_LISTS: ReadonlySet<string> = new Set(['permission', 'prohibition', 'obligation', 'duty'])
export const CONSTRAINT_LISTS: ReadonlySet<string> = new Set(['constraint', 'and', 'or', 'xone'])

/** Members by bare name; those in two spellings are one list, as JSON-LD reads them. Absent and empty lists are alike. */
export function membersOf(object: JsonMap): ReadonlyMap<string, unknown> {
  const members = new Map<string, unknown>()
  for (const [key, value] of Object.entries(object)) {
    const name = keyName(key)
    if (name === '@type' && (isOwnClass(value, 'rule') || isOwnClass(value, 'constraint'))) continue
    if (Array.isArray(value) && value.length === 0 && (RULE_LISTS.has(name) || name === 'constraint'))
      continue
    members.set(name, members.has(name) ? [...asList(members.get(name)), ...asList(value)] : value)
  }
  return members
}

/** The normal form of one member of an object with the given members. Equal texts mean the same. */
export function normalMember(name: string, value: unknown, of: ReadonlyMap<string, unknown>): string {
  if (RULE_LISTS.has(name) || CONSTRAINT_LISTS.has(name)) return sorted(asList(value).map(normalObject))
  if (name === 'andSequence') return JSON.stringify(asList(value).map(normalObject))
  if (name === 'profile') return sorted(asList(value).map((item) => JSON.stringify(anything(item))))
  if (name === 'rightOperand') return normalValues(value, of.get('leftOperand'))
  const term = termOf(value)
  if (term === undefined) return JSON.stringify(anything(value))
  if (name === 'action') return JSON.stringify(expandTerm(term, ACTIONS))
  if (name === 'leftOperand') return JSON.stringify(leftOperandIri(term))
  return JSON.stringify(name === 'operator' ? operatorName(term) : term)
}

/** The normal form of a rule or constraint. */
export function normalObject(value: unknown): string {
  if (!isMap(value)) return JSON.stringify(anything(value))
  const members = membersOf(value)
  return sorted(
    [...members].map(([name, inner]) => `${JSON.stringify(name)}:${normalMember(name, inner, members)}`),
  )
}

const sorted = (texts: readonly string[]): string => `[${[...texts].sort().join(',')}]`

function normalValues(value: unknown, leftOperand: unknown): string {
  const values = literalsOf(value)
  if (values === undefined) return JSON.stringify(anything(value))
  const term = termOf(leftOperand)
  const operand = term === undefined ? undefined : operandOf(leftOperandIri(term))
  const normal = values.map((literal) => JSON.stringify(operand?.normal(literal) ?? literal))
  return sorted([...new Set(normal)])
}

/** A value nothing is known about: only the JSON-LD wrappings of plain values are undone. */
function anything(value: unknown): unknown {
  const literal = literalOf(value)
  if (literal !== undefined) return literal
  if (Array.isArray(value)) return value.length === 1 ? anything(value[0]) : value.map(anything)
  if (!isMap(value)) return value
  const entries = Object.entries(value).map(([key, inner]) => [keyName(key), anything(inner)] as const)
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}
