/**
 * One JSON text for all spellings of the same policy member: prefixes, JSON-LD wrappings, datatypes written beside values,
 * lists of one and the order of sets are gone, and values are typed by their left operand. For comparing only.
 */
import type { RuleKind } from './nodes.js'
import { leftOperandIri, listedValues, operandOf } from './registry.js'
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
  type Standing,
  termOf,
} from './spelling.js'

/** Lists of rules and constraints mean the same in any order. */
export const RULE_LISTS: ReadonlySet<string> = new Set(['permission', 'prohibition', 'obligation', 'duty'])
export const CONSTRAINT_LISTS: ReadonlySet<string> = new Set(['constraint', 'and', 'or', 'xone'])

/** Where the object in a list stands; undefined for the policy itself. */
const standingIn = (list: string): Standing | undefined => {
  if (CONSTRAINT_LISTS.has(list) || list === 'andSequence') return 'constraint'
  return RULE_LISTS.has(list) ? (list as RuleKind) : undefined
}

/**
 * Members by bare name; those in two spellings are one list, as JSON-LD reads them. Absent and empty lists are alike, and
 * so is a class that says no more than the list that the object stands in.
 */
export function membersOf(object: JsonMap, list: string): ReadonlyMap<string, unknown> {
  const standing = standingIn(list)
  const members = new Map<string, unknown>()
  for (const [key, value] of Object.entries(object)) {
    const name = keyName(key)
    if (name === '@type' && standing !== undefined && isOwnClass(value, standing)) continue
    if (Array.isArray(value) && value.length === 0 && (RULE_LISTS.has(name) || name === 'constraint'))
      continue
    members.set(name, members.has(name) ? [...asList(members.get(name)), ...asList(value)] : value)
  }
  return members
}

/** The normal form of one member of an object with the given members. Equal texts mean the same. */
export function normalMember(name: string, value: unknown, of: ReadonlyMap<string, unknown>): string {
  const each = (): readonly string[] => unnested(asList(value), name).map((one) => normalObject(one, name))
  if (RULE_LISTS.has(name) || CONSTRAINT_LISTS.has(name)) return sorted(each())
  if (name === 'andSequence') return JSON.stringify(each())
  if (name === 'profile') return sorted(asList(value).map((item) => JSON.stringify(anything(item))))
  if (name === 'rightOperand') return normalValues(value, of)
  const term = termOf(value)
  if (term === undefined) return JSON.stringify(anything(value))
  if (name === 'action') return JSON.stringify(expandTerm(term, ACTIONS))
  if (name === 'leftOperand') return JSON.stringify(leftOperandIri(term))
  return JSON.stringify(name === 'operator' ? operatorName(term) : term)
}

/** Conditions of a list with those in it that are joined as the list joins them anyway, or that are joined with nothing. */
function unnested(items: readonly unknown[], list: string): readonly unknown[] {
  if (!CONSTRAINT_LISTS.has(list)) return items
  return items.flatMap((item) => {
    const members = isMap(item) ? [...membersOf(item, list)] : []
    const [only, second] = members
    if (only === undefined || second !== undefined) return [item]
    const [kind, inner] = only
    const operands = asList(inner)
    const isSame = kind === 'and' ? list === 'constraint' || list === 'and' : kind === 'or' && list === 'or'
    const isAlone = operands.length === 1 && CONSTRAINT_LISTS.has(kind)
    return operands.length > 0 && (isSame || isAlone) ? unnested(operands, list) : [item]
  })
}

/** The normal form of a rule or constraint in a list of the given name. */
export function normalObject(value: unknown, list: string): string {
  if (!isMap(value)) return JSON.stringify(anything(value))
  const members = membersOf(value, list)
  return sorted(
    [...members].map(([name, inner]) => `${JSON.stringify(name)}:${normalMember(name, inner, members)}`),
  )
}

const sorted = (texts: readonly string[]): string => `[${[...texts].sort().join(',')}]`

function normalValues(value: unknown, of: ReadonlyMap<string, unknown>): string {
  const written = literalsOf(value)
  if (written === undefined) return JSON.stringify(anything(value))
  const [term, operator] = [termOf(of.get('leftOperand')), termOf(of.get('operator'))]
  const left = term === undefined ? '' : leftOperandIri(term)
  const values = listedValues(left, operatorName(operator ?? ''), written) ?? written
  const operand = operandOf(left)
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
