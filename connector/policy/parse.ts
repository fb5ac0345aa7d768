/**
 * Reads the policy of an Offer or Agreement from DSP JSON. Whatever is not part of the language is named in
 * `unknownTerms`, with its place; nothing is dropped in silence and no JSON makes it throw.
 */
import { ok, problem, type Result } from '../core/result.js'
import { exceededLimit, MAX_DEPTH, MAX_NODES } from './limits.js'
import type { Constraint, LogicalConstraint, Policy, Rule, UnknownTerm } from './model.js'
import { PROFILE } from './model.js'
import type { RuleKind } from './nodes.js'
import { leftOperandIri, listedValues } from './registry.js'
import {
  ACTIONS,
  asList,
  expandTerm,
  isMap,
  isOwnClass,
  type JsonMap,
  keyName,
  literalsOf,
  operatorName,
  type Standing,
  termOf,
} from './spelling.js'

const POLICY_KEYS: ReadonlySet<string> = new Set([
  '@id',
  '@type',
  '@context',
  'target',
  'assigner',
  'assignee',
  'timestamp',
  'profile',
  'permission',
  'prohibition',
  'obligation',
])
const RULE_KEYS: ReadonlySet<string> = new Set(['@type', 'action', 'constraint'])
const PERMISSION_KEYS: ReadonlySet<string> = new Set([...RULE_KEYS, 'duty'])
const ATOMIC_KEYS: ReadonlySet<string> = new Set(['@type', 'leftOperand', 'operator', 'rightOperand'])
const LOGICAL_KINDS = ['and', 'or', 'xone', 'andSequence'] as const
const LOGICAL_KEYS: ReadonlySet<string> = new Set(['@type', ...LOGICAL_KINDS])

/** Takes note of a term that is not understood. */
type Note = (path: string, term: string) => void

/** A stranger chooses the keys, so their length in messages is bounded. */
const cut = (written: string): string => (written.length > 120 ? `${written.slice(0, 119)}…` : written)

/**
 * The policy with all terms as absolute IRIs. `InvalidMessage` only for what is not an object or is too large; anything
 * that is merely not understood is in `unknownTerms`.
 */
export function parsePolicy(json: unknown): Result<Policy> {
  if (!isMap(json))
    return problem('InvalidMessage', {
      en: 'The policy is not a JSON object.',
      de: 'Die Policy ist kein JSON-Objekt.',
    })
  const excess = exceededLimit(json)
  if (excess === 'depth') {
    return problem('InvalidMessage', {
      en: `The policy is nested deeper than ${MAX_DEPTH} levels.`,
      de: `Die Policy ist tiefer als ${MAX_DEPTH} Ebenen verschachtelt.`,
    })
  }
  if (excess === 'nodes') {
    return problem('InvalidMessage', {
      en: `The policy has more than ${MAX_NODES} values.`,
      de: `Die Policy hat mehr als ${MAX_NODES} Werte.`,
    })
  }

  const unknownTerms: UnknownTerm[] = []
  const note: Note = (path, term) => unknownTerms.push({ path: cut(path), term: cut(term) })
  const members = readMembers(json, '', POLICY_KEYS, note)
  noteForeignClass(members, '', 'policy', note)
  for (const party of ['target', 'assigner', 'assignee']) {
    // A refined party or target collection means fewer than its identifier says.
    const value = members.get(party)
    if (value !== undefined && termOf(value) === undefined) note(party, party)
  }
  return ok({
    profiles: readProfiles(members.get('profile'), note),
    permissions: readRules(members, '', 'permission', note),
    prohibitions: readRules(members, '', 'prohibition', note),
    obligations: readRules(members, '', 'obligation', note),
    unknownTerms,
  })
}

const below = (path: string, member: string): string => (path === '' ? member : `${path}.${member}`)

/** Members by bare name. Notes what is not known, is there in two spellings, or is null. */
function readMembers(
  object: JsonMap,
  path: string,
  known: ReadonlySet<string>,
  note: Note,
): ReadonlyMap<string, unknown> {
  const members = new Map<string, unknown>()
  for (const [key, value] of Object.entries(object)) {
    const name = keyName(key)
    if (!known.has(name) || members.has(name) || value === null) note(below(path, key), key)
    else members.set(name, value)
  }
  return members
}

function noteForeignClass(
  members: ReadonlyMap<string, unknown>,
  path: string,
  of: Standing,
  note: Note,
): void {
  const type = members.get('@type')
  if (type !== undefined && !isOwnClass(type, of)) note(below(path, '@type'), termOf(type) ?? '@type')
}

function readProfiles(value: unknown, note: Note): readonly string[] {
  const profiles: string[] = []
  for (const item of asList(value)) {
    const profile = termOf(item)
    if (profile !== undefined) profiles.push(profile)
    // ODRL 2.2 Information Model, "ODRL Profiles": who does not recognise a profile must not process the policy.
    if (profile !== PROFILE) note('profile', profile ?? 'profile')
  }
  return profiles
}

function readRules(
  members: ReadonlyMap<string, unknown>,
  path: string,
  member: RuleKind,
  note: Note,
): readonly Rule[] {
  return asList(members.get(member)).flatMap((item, index) => {
    const at = `${below(path, member)}[${index}]`
    if (isMap(item)) return readRule(item, at, member, note)
    note(at, member)
    return []
  })
}

function readRule(object: JsonMap, path: string, kind: RuleKind, note: Note): readonly Rule[] {
  const members = readMembers(object, path, kind === 'permission' ? PERMISSION_KEYS : RULE_KEYS, note)
  noteForeignClass(members, path, kind, note)
  const constraints = readConstraints(members.get('constraint'), below(path, 'constraint'), note)
  const duties = readRules(members, path, 'duty', note)
  const action = readAction(members.get('action'), below(path, 'action'), note)
  return action === undefined ? [] : [{ action, constraints, duties, path }]
}

function readAction(value: unknown, path: string, note: Note): string | undefined {
  const written = termOf(value)
  if (written !== undefined) return expandTerm(written, ACTIONS)
  const [only, second] = asList(value)
  if (!isMap(only) || second !== undefined) {
    note(path, 'action')
    return undefined
  }
  // A refined action is only part of the action, so its name alone would say too much.
  for (const key of Object.keys(only)) {
    if (key !== '@id' && key !== '@value') note(below(path, key), keyName(key))
  }
  const name = only['@id'] ?? only['rdf:value']
  const action = termOf(name)
  if (action === undefined) note(path, 'action')
  return action === undefined ? undefined : expandTerm(action, ACTIONS)
}

const readConstraints = (value: unknown, path: string, note: Note): readonly Constraint[] =>
  asList(value).flatMap((item, index) => {
    const at = `${path}[${index}]`
    if (isMap(item)) return readConstraint(item, at, note)
    note(at, 'constraint')
    return []
  })

function readConstraint(object: JsonMap, path: string, note: Note): readonly Constraint[] {
  const kinds = Object.keys(object).map(keyName)
  const kind = LOGICAL_KINDS.find((name) => kinds.includes(name))
  return kind === undefined ? readAtomic(object, path, note) : readLogical(object, kind, path, note)
}

function readLogical(
  object: JsonMap,
  kind: LogicalConstraint['kind'],
  path: string,
  note: Note,
): readonly Constraint[] {
  const members = readMembers(object, path, LOGICAL_KEYS, note)
  noteForeignClass(members, path, 'constraint', note)
  for (const other of LOGICAL_KINDS) {
    if (other !== kind && members.has(other)) note(below(path, other), other)
  }
  const operands = readConstraints(members.get(kind), below(path, kind), note)
  if (operands.length === 0) note(below(path, kind), kind)
  return [{ kind, operands, path }]
}

function readAtomic(object: JsonMap, path: string, note: Note): readonly Constraint[] {
  const members = readMembers(object, path, ATOMIC_KEYS, note)
  noteForeignClass(members, path, 'constraint', note)
  const leftOperand = termOf(members.get('leftOperand'))
  const operator = termOf(members.get('operator'))
  const written = members.has('rightOperand') ? literalsOf(members.get('rightOperand')) : undefined
  const left = leftOperandIri(leftOperand ?? '')
  const values = written && listedValues(left, operatorName(operator ?? ''), written)
  if (leftOperand === undefined) note(below(path, 'leftOperand'), 'leftOperand')
  if (operator === undefined) note(below(path, 'operator'), 'operator')
  if (values === undefined) note(below(path, 'rightOperand'), 'rightOperand')
  if (leftOperand === undefined || operator === undefined || values === undefined) return []
  const [first] = values
  return [
    {
      kind: 'atomic',
      leftOperand: left,
      operator: operatorName(operator),
      rightOperand: first !== undefined && values.length === 1 ? first : values,
      path,
    },
  ]
}
