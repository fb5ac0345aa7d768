/**
 * Reads ODRL 2.2 from JSON-LD in any of its forms: compact or expanded, prefixed or bare, single values or lists, nested
 * or as a graph of nodes. What is not understood is kept with its place and never dropped.
 */
import { ok, problem, type Result } from '../../core/result.js'
import { ODRL, PROFILE } from '../model.js'
import { leftOperandIri, listedValues } from '../registry.js'
import { ACTIONS, classNames, operatorName } from '../spelling.js'
import { type Document, isAnnotation, type Node, nameIn, nodeAt, readDocument } from './json-ld.js'
import type {
  Action,
  Condition,
  Connective,
  OdrlPolicy,
  OdrlRule,
  RuleKind,
  Strategy,
  Thing,
  Value,
} from './policy.js'
import { readValues, typedValue } from './read-values.js'

const POLICY_TYPES = ['Policy', 'Set', 'Offer', 'Agreement', 'Request', 'Assertion', 'Privacy', 'Ticket']
const RULES = ['permission', 'prohibition', 'obligation'] as const
/** Their general forms, "relation" and "function", are left out: in which role somebody stands there is not said. */
const FOR_RULES = ['target', 'assignee', 'assigner', 'action'] as const
const POLICY_KEYS = new Set<string>([
  ...RULES,
  ...FOR_RULES,
  'profile',
  'conflict',
  'inheritFrom',
  'timestamp',
  'undefined',
])
const RULE_KEYS = new Set<string>([...FOR_RULES, 'constraint', 'duty', 'remedy', 'consequence', 'failure'])
const ATOM_KEYS = new Set(['leftOperand', 'operator', 'rightOperand', 'unit', 'dataType'])
const CONNECTIVES: readonly Connective[] = ['and', 'or', 'xone', 'andSequence']
const CONNECTIVE_KEYS = new Set<string>(CONNECTIVES)
const MAX_NESTING = 32
/** Constraints in one policy: beyond it nobody means it. */
const MAX_CONSTRAINTS = 20_000

/** What one reading carries along. */
type Course = {
  readonly document: Document
  readonly profiles: ReadonlySet<string>
  constraints: number
}

class TooLarge extends Error {}

/**
 * One policy; several in one document are read as one, whose rules are those of all of them. `profiles` are those that
 * the caller knows besides the profile of this program; `prefix` stands before every path, to tell documents apart.
 */
export function readPolicy(json: unknown, profiles: readonly string[] = [], prefix = ''): Result<OdrlPolicy> {
  const document = readDocument(json)
  const nodes = document.nodes.flatMap((node) => (isPolicy(node) ? [node] : assignedTo(node, document)))
  const found = withInherited(
    nodes.length > 0 ? nodes : document.nodes.length === 1 ? document.nodes : [],
    document,
  )
  if (found.length === 0)
    return problem('InvalidMessage', {
      en: 'There is no ODRL policy in this.',
      de: 'Darin steht keine ODRL-Policy.',
    })
  const course: Course = { document, profiles: new Set([PROFILE, ...profiles]), constraints: 0 }
  try {
    return ok(
      found
        .map((node) => policyOf(node, course, found.length > 1 ? `${prefix}${node.id ?? 'policy'}/` : prefix))
        .reduce(joined),
    )
  } catch (cause) {
    if (!(cause instanceof TooLarge)) throw cause
    return problem('InvalidMessage', cause.message)
  }
}

const isPolicy = ({ types, members }: Node): boolean =>
  RULES.some((name) => members.has(name)) || types.some((type) => POLICY_TYPES.includes(type))

/** ODRL 2.2 Information Model, "Asset Class": an asset that has a policy is the target of its rules. */
const assignedTo = (asset: Node, document: Document): readonly Node[] =>
  (asset.members.get('hasPolicy') ?? []).flatMap((value) => {
    const policy = nodeAt(document, value, asset.context)
    if (policy === undefined || !isPolicy(policy)) return []
    if (asset.id === undefined || policy.members.has('target')) return [policy]
    return [{ ...policy, members: new Map([...policy.members, ['target', [{ '@id': asset.id }]]]) }]
  })

/**
 * ODRL 2.2 Information Model, "Policy Inheritance": what a policy inherits stands in it too. Only what is in the same document
 * can be read.
 */
function withInherited(nodes: readonly Node[], document: Document): readonly Node[] {
  const all = [...nodes]
  for (const node of all) {
    for (const value of node.members.get('inheritFrom') ?? []) {
      const parent = nodeAt(document, value, node.context)
      const isThere = all.some(
        ({ id, source }) => source === parent?.source || (id !== undefined && id === parent?.id),
      )
      if (parent !== undefined && isPolicy(parent) && !isThere) all.push(parent)
    }
  }
  return all
}

/** ODRL 2.2 Information Model, "Policy Conflict Strategy": different strategies after a merge make the policy invalid. */
const joined = (a: OdrlPolicy, b: OdrlPolicy): OdrlPolicy => ({
  id: a.id,
  profiles: [...a.profiles, ...b.profiles],
  conflict: a.conflict === b.conflict ? a.conflict : 'invalid',
  permissions: [...a.permissions, ...b.permissions],
  prohibitions: [...a.prohibitions, ...b.prohibitions],
  obligations: [...a.obligations, ...b.obligations],
  unknown: [...a.unknown, ...b.unknown],
})

const all = (node: Node, name: string): readonly unknown[] => node.members.get(name) ?? []

const unknownIn = (node: Node, known: ReadonlySet<string>): readonly string[] =>
  [...node.members.keys()]
    .filter((name) => !known.has(name) && !isAnnotation(name))
    .map((name) => name.slice(0, 120))

/** Vocabularies whose classes say how something is modelled, not what it means. */
const MODELLING = ['http://www.w3.org/2002/07/owl#', 'http://www.w3.org/1999/02/22-rdf-syntax-ns#']

/** Classes that are none of the known ones: a special kind of rule may permit less than a rule in general. */
const strangeClasses = ({ types }: Node, known: readonly string[]): readonly string[] =>
  types
    .filter((type) => !known.includes(type) && !isAnnotation(type))
    .filter((type) => !MODELLING.some((prefix) => type.startsWith(prefix)))
    .map((type) => `class ${type}`.slice(0, 120))

function policyOf(node: Node, course: Course, prefix: string): OdrlPolicy {
  const profiles = all(node, 'profile').flatMap((value) => nameIn(value, node.context) ?? [])
  const strange = profiles.filter((profile) => !course.profiles.has(profile))
  const conflict = conflictOf(node)
  const rules = (kind: (typeof RULES)[number]): readonly OdrlRule[] =>
    all(node, kind).map((value, index) =>
      ruleAt(value, node, kind, `${prefix}${kind}[${index}]`, node, course, 0),
    )
  return {
    id: node.id,
    profiles,
    conflict: conflict ?? 'invalid',
    permissions: rules('permission'),
    prohibitions: rules('prohibition'),
    obligations: rules('obligation'),
    unknown: [
      ...unknownIn(node, POLICY_KEYS),
      ...strangeClasses(node, POLICY_TYPES),
      ...strange.map((profile) => `profile ${profile}`),
      ...foreignParents(node, course),
      ...(all(node, 'inheritFrom').every((value) => isInherited(value, node, course)) ? [] : ['inheritFrom']),
      ...(profiles.length < all(node, 'profile').length ? ['profile'] : []),
      ...(all(node, 'conflict').length > 0 && conflict === undefined ? ['conflict'] : []),
    ],
  }
}

/** Policies of one document count together, so that a parent beside its child needs nothing more; others are not fetched. */
const foreignParents = (node: Node, { document }: Course): readonly string[] =>
  all(node, 'inheritFrom').flatMap((value) => {
    const parent = nameIn(value, node.context)
    const isHere = document.nodes.some((other) => other.id === parent && other !== node && isPolicy(other))
    return parent !== undefined && isHere ? [] : ['inheritFrom']
  })

const isInherited = (value: unknown, node: Node, { document }: Course): boolean => {
  const parent = nodeAt(document, value, node.context)
  return parent !== undefined && isPolicy(parent)
}

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  perm: 'perm',
  prohibit: 'prohibit',
  invalid: 'invalid',
}

function conflictOf(node: Node): Strategy | undefined {
  const [value, second] = all(node, 'conflict')
  const name = value === undefined || second !== undefined ? undefined : nameIn(value, node.context)
  const bare = name?.startsWith(ODRL) === true ? name.slice(ODRL.length) : name
  return bare !== undefined && Object.hasOwn(STRATEGIES, bare) ? STRATEGIES[bare] : undefined
}

const NOTHING = {
  id: undefined,
  actions: [],
  targets: [],
  assignees: [],
  constraints: [],
  duties: [],
  followUps: [],
}

function ruleAt(
  value: unknown,
  parent: Node,
  kind: RuleKind,
  path: string,
  policy: Node,
  course: Course,
  depth: number,
): OdrlRule {
  const node = nodeAt(course.document, value, parent.context)
  if (node === undefined || depth > MAX_NESTING) return { ...NOTHING, kind, path, unknown: [kind] }
  const inner = (name: 'duty' | 'remedy' | 'consequence'): readonly OdrlRule[] =>
    all(node, name).map((duty, index) =>
      ruleAt(duty, node, 'duty', `${path}.${name}[${index}]`, policy, course, depth + 1),
    )
  /** What stands at the policy counts for each of its rules; a duty speaks for itself. */
  const own = (name: string): { readonly values: readonly unknown[]; readonly from: Node } =>
    node.members.has(name) || kind === 'duty'
      ? { values: all(node, name), from: node }
      : { values: all(policy, name), from: policy }
  const things = (name: 'target' | 'assignee'): readonly Thing[] => {
    const { values, from } = own(name)
    return values.map((thing, index) => thingAt(thing, from, `${path}.${name}[${index}]`, course))
  }
  const action = own('action')
  const actions = action.values.map((one, index) =>
    actionAt(one, action.from, `${path}.action[${index}]`, course),
  )
  return {
    id: node.id,
    kind,
    path,
    actions,
    targets: things('target'),
    assignees: things('assignee'),
    constraints: conditions(all(node, 'constraint'), node, `${path}.constraint`, course, 0),
    duties: kind === 'permission' ? inner('duty') : [],
    followUps: [...inner('remedy'), ...inner('consequence')],
    unknown: [
      ...unknownIn(node, RULE_KEYS),
      ...strangeClasses(node, classNames(kind)),
      // An absent action restricts as little as an absent target; a duty to do nothing in particular is none.
      ...(actions.length === 0 && kind === 'duty' ? ['action'] : []),
      ...(kind !== 'permission' && node.members.has('duty') ? ['duty'] : []),
      ...(node.members.has('failure') ? ['failure'] : []),
    ],
  }
}

const RDF_VALUE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#value'
const ACTION_KEYS = new Set(['refinement', 'includedIn', 'implies', RDF_VALUE])

function actionAt(value: unknown, parent: Node, path: string, course: Course): Action {
  const node = typeof value === 'string' ? undefined : nodeAt(course.document, value, parent.context)
  const named = node === undefined ? undefined : all(node, RDF_VALUE)[0]
  const name = named === undefined ? nameIn(value, parent.context) : nameIn(named, parent.context)
  const iri = name === undefined ? '' : ACTIONS.has(name) ? ODRL + name : name
  return {
    id: node?.id,
    path,
    iri,
    refinements:
      node === undefined ? [] : conditions(all(node, 'refinement'), node, `${path}.refinement`, course, 0),
    unknown: [...(node === undefined ? [] : unknownIn(node, ACTION_KEYS)), ...(iri === '' ? ['action'] : [])],
  }
}

const COLLECTIONS = new Set(['AssetCollection', 'PartyCollection'])
const THING_KEYS = new Set(['refinement', 'source', 'partOf', 'hasPolicy'])

function thingAt(value: unknown, parent: Node, path: string, course: Course): Thing {
  const node = nodeAt(course.document, value, parent.context)
  const id = node?.id ?? nameIn(value, parent.context)
  const source = node === undefined ? undefined : all(node, 'source')[0]
  const sourceId = source === undefined || node === undefined ? undefined : nameIn(source, node.context)
  return {
    id: id ?? sourceId,
    partOf: node === undefined ? [] : all(node, 'partOf').flatMap((one) => nameIn(one, node.context) ?? []),
    collection: source !== undefined || (node?.types.some((type) => COLLECTIONS.has(type)) ?? false),
    path,
    refinements:
      node === undefined ? [] : conditions(all(node, 'refinement'), node, `${path}.refinement`, course, 0),
    // A description of a party or asset says nothing about the rule; one without a name could be anybody.
    unknown: [
      ...((id ?? sourceId) === undefined ? ['target'] : []),
      ...(node === undefined ? [] : unknownIn(node, THING_KEYS).filter((name) => name === 'constraint')),
    ],
  }
}

const conditions = (
  values: readonly unknown[],
  parent: Node,
  path: string,
  course: Course,
  depth: number,
): readonly Condition[] =>
  values.map((value, index) => conditionAt(value, parent, `${path}[${index}]`, course, depth))

const opaque = (path: string): Condition => ({
  kind: 'atom',
  id: undefined,
  path,
  leftOperand: '',
  operator: '',
  values: [],
  unit: undefined,
  unknown: ['constraint'],
})

function conditionAt(value: unknown, parent: Node, path: string, course: Course, depth: number): Condition {
  course.constraints += 1
  if (course.constraints > MAX_CONSTRAINTS) {
    throw new TooLarge(`The policy has more than ${MAX_CONSTRAINTS} constraints.`)
  }
  const node = nodeAt(course.document, value, parent.context)
  if (node === undefined || depth > MAX_NESTING) return opaque(path)
  const kind = CONNECTIVES.find((name) => node.members.has(name))
  if (kind === undefined) return atomAt(node, path)
  const operands = conditions(all(node, kind), node, `${path}.${kind}`, course, depth + 1)
  const others = CONNECTIVES.filter((name) => name !== kind && node.members.has(name))
  return {
    kind,
    id: node.id,
    path,
    operands,
    unknown: [
      ...unknownIn(node, CONNECTIVE_KEYS),
      ...strangeClasses(node, classNames('constraint')),
      ...others,
      ...(operands.length === 0 ? [kind] : []),
    ],
  }
}

function atomAt(node: Node, path: string): Condition {
  const one = (name: string): string | undefined => {
    const [value, second] = all(node, name)
    return value === undefined || second !== undefined ? undefined : nameIn(value, node.context)
  }
  const [leftOperand, operator] = [one('leftOperand'), one('operator')]
  const left = leftOperand === undefined ? '' : leftOperandIri(leftOperand)
  const comparison = operator === undefined ? '' : operatorName(operator)
  const written = readValues(all(node, 'rightOperand'), left, one('dataType'), node.context)
  const values = written && listed(left, comparison, written)
  return {
    kind: 'atom',
    id: node.id,
    path,
    leftOperand: left,
    operator: comparison,
    values: values ?? [],
    unit: one('unit'),
    unknown: [
      ...unknownIn(node, ATOM_KEYS),
      ...strangeClasses(node, classNames('constraint')),
      ...(left === '' ? ['leftOperand'] : []),
      ...(comparison === '' ? ['operator'] : []),
      ...(values === undefined || !node.members.has('rightOperand') ? ['rightOperand'] : []),
      ...(node.members.has('unit') && one('unit') === undefined ? ['unit'] : []),
    ],
  }
}

/** The values with lists in one text taken apart, where the left operand has such. */
function listed(left: string, operator: string, values: readonly Value[]): readonly Value[] | undefined {
  const texts = listedValues(
    left,
    operator,
    values.map(({ text }) => text),
  )
  return texts?.length === values.length ? values : texts?.map((text) => typedValue(text, undefined, left))
}
