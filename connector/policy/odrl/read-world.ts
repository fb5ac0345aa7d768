/**
 * Reads requests and states from JSON: the short form of this program, ODRL requests, evaluation requests of the W3C
 * community group, and graphs of facts. What is not recognised is no fact, and so can only make things unknown.
 */
import { ODRL } from '../model.js'
import { leftOperandIri, operandOf } from '../registry.js'
import { ACTIONS, isMap, type JsonMap } from '../spelling.js'
import { type Context, expandIri, type Node, nameIn, readDocument } from './json-ld.js'
import type { Value } from './policy.js'
import { readPolicy } from './read.js'
import { readValues } from './read-values.js'
import { parseInstantOrDate, type Scalar } from './scalar.js'
import type { DutyState, Performed, Request, World } from './world.js'

const DATE_TIME = `${ODRL}dateTime`

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

const actionIri = (name: string | undefined): string | undefined =>
  name === undefined ? undefined : ACTIONS.has(name) ? ODRL + name : name

/** Adds the values of one left operand in whatever spelling; values that are none are left out. */
function addFact(facts: Map<string, readonly Value[]>, name: string, value: unknown, context: Context): void {
  const iri = leftOperandIri(expandIri(context, name))
  const values = readValues(listOf(value), iri, undefined, context)
  if (values !== undefined) facts.set(iri, [...(facts.get(iri) ?? []), ...values])
}

/** The single uses that a request asks for; none when it names nothing. */
export function readRequests(json: unknown): readonly Request[] {
  const nodes = readDocument(json).nodes
  const evaluation = nodes.find(
    ({ members }) => members.has('evaluatedAction') || members.has('evaluatedTarget'),
  )
  if (evaluation !== undefined) return [evaluationRequest(evaluation)]
  if (nodes.some(({ members }) => members.has('permission'))) return odrlRequests(json)
  return nodes.map(shortRequest)
}

/** ODRL Requests: every rule asked for is one use for each of its actions. */
function odrlRequests(json: unknown): readonly Request[] {
  const read = readPolicy(json)
  if (!read.ok) return []
  return read.value.permissions.flatMap((rule) =>
    rule.actions.map((action) => ({
      id: rule.id,
      action: action.iri,
      party: rule.assignees[0]?.id,
      target: rule.targets[0]?.id,
      facts: new Map(
        rule.constraints.flatMap((constraint) =>
          constraint.kind === 'atom' && constraint.operator === 'eq'
            ? [[constraint.leftOperand, constraint.values] as const]
            : [],
        ),
      ),
    })),
  )
}

const FEATURE_TIME = /(?:^|[:/#])CurrentXSDDateTime$/

function evaluationRequest(node: Node): Request {
  const one = (name: string): string | undefined => {
    const value = node.members.get(name)?.[0]
    return value === undefined ? undefined : nameIn(value, node.context)
  }
  const facts = new Map<string, readonly Value[]>()
  for (const parameter of node.members.get('requestParameters') ?? []) {
    if (!isMap(parameter)) continue
    const feature = nameIn(parameter.describesFeature, node.context)
    const value = parameter.value
    if (feature === undefined) continue
    addFact(facts, FEATURE_TIME.test(feature) ? DATE_TIME : feature, value, node.context)
  }
  return {
    id: node.id,
    action: actionIri(one('evaluatedAction')),
    party: one('evaluatedParty'),
    target: one('evaluatedTarget'),
    facts,
  }
}

const PARTY_KEYS = ['assignee', 'party', 'recipient']
const TARGET_KEYS = ['target', 'asset']

function shortRequest(node: Node): Request {
  const named = (names: readonly string[]): string | undefined => {
    const value = names.flatMap((name) => node.members.get(name) ?? [])[0]
    return value === undefined ? undefined : nameIn(value, node.context)
  }
  const facts = new Map<string, readonly Value[]>()
  for (const [name, values] of node.members) {
    if ([...PARTY_KEYS, ...TARGET_KEYS, 'action', 'facts'].includes(name)) continue
    addFact(facts, name, values, node.context)
  }
  for (const given of node.members.get('facts') ?? []) {
    if (!isMap(given)) continue
    for (const [name, value] of Object.entries(given)) addFact(facts, name, value, node.context)
  }
  return {
    id: node.id,
    action: actionIri(named(['action'])),
    party: named(PARTY_KEYS),
    target: named(TARGET_KEYS),
    facts,
  }
}

type Draft = {
  at: Scalar | undefined
  agreedAt: Scalar | undefined
  zone: string | undefined
  readonly facts: Map<string, readonly Value[]>
  readonly partOf: Map<string, readonly string[]>
  readonly duties: Map<string, DutyState>
  readonly performed: Performed[]
}

const instantIn = (value: unknown, context: Context): Scalar | undefined => {
  const text = nameIn(value, context)
  return text === undefined ? undefined : parseInstantOrDate(text)
}

type Reader = (draft: Draft, value: unknown, context: Context) => void

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  listOf(value).flatMap((one) => (isMap(one) ? Object.entries(one) : []))

const asTime: Reader = (draft, value, context) => {
  draft.at = instantIn(listOf(value)[0], context)
}

/** The members of the short form of a state, by name. */
const STATE: Readonly<Record<string, Reader>> = {
  at: asTime,
  time: asTime,
  now: asTime,
  currentTime: asTime,
  dateTime: asTime,
  agreedAt: (draft, value, context) => {
    draft.agreedAt = instantIn(listOf(value)[0], context)
  },
  timeZone: (draft, value, context) => {
    draft.zone = nameIn(listOf(value)[0], context)
  },
  facts: (draft, value, context) => {
    for (const [name, inner] of entriesOf(value)) {
      const key = leftOperandIri(expandIri(context, name))
      if (key === DATE_TIME) asTime(draft, inner, context)
      else addFact(draft.facts, name, inner, context)
    }
  },
  memberships: (draft, value, context) => {
    for (const [name, collections] of entriesOf(value))
      join(draft, expandIri(context, name), listOf(collections), context)
  },
  duties: (draft, value, context) => {
    for (const [name, state] of entriesOf(value)) {
      const read = dutyState(nameIn(state, context))
      const key = expandIri(context, name)
      if (read !== undefined) draft.duties.set(actionIri(key) ?? key, read)
    }
  },
  performed: (draft, value, context) => {
    for (const one of listOf(value)) if (isMap(one)) draft.performed.push(performedIn(one, context))
  },
}

function join(draft: Draft, member: string, collections: readonly unknown[], context: Context): void {
  const names = collections.flatMap((one) => nameIn(one, context) ?? [])
  draft.partOf.set(member, [...(draft.partOf.get(member) ?? []), ...names])
}

const DUTY_STATES: Readonly<Record<string, DutyState>> = {
  fulfilled: 'fulfilled',
  violated: 'violated',
  nonset: 'open',
  notset: 'open',
  open: 'open',
}

const dutyState = (name: string | undefined): DutyState | undefined => {
  const bare = (name ?? '')
    .replace(/^.*[#/:]/, '')
    .replace('-', '')
    .toLowerCase()
  return Object.hasOwn(DUTY_STATES, bare) ? DUTY_STATES[bare] : undefined
}

const PERFORMED_KEYS = new Set(['duty', 'action', 'at', 'unit', '@id', '@type', 'id', 'type'])

function performedIn(one: JsonMap, context: Context): Performed {
  const facts = new Map<string, readonly Value[]>()
  for (const [name, value] of Object.entries(one)) {
    if (!PERFORMED_KEYS.has(name)) addFact(facts, name, value, context)
  }
  return {
    duty: nameIn(one.duty, context),
    action: actionIri(nameIn(one.action, context)),
    at: instantIn(one.at, context),
    facts,
    unit: nameIn(one.unit, context),
  }
}

const ISSUED = 'http://purl.org/dc/terms/issued'
const REPORT = 'https://w3id.org/force/compliance-report#'
const PAYMENTS = 'https://www.epimorphics.com/guide-to-the-payments-ontology/'

/** Facts that stand in a graph of named nodes. */
function readGraphNode(node: Node, draft: Draft): void {
  const one = (name: string): string | undefined => {
    const value = node.members.get(name)?.[0]
    return value === undefined ? undefined : nameIn(value, node.context)
  }
  if (node.id !== undefined && node.members.has('partOf')) {
    join(draft, node.id, node.members.get('partOf') ?? [], node.context)
  }
  const issued = one(ISSUED)
  if (issued !== undefined && node.id?.endsWith('currentTime') === true) draft.at = parseInstantOrDate(issued)
  const [rule, state] = [one(`${REPORT}rule`), dutyState(one(`${REPORT}deonticState`))]
  if (rule !== undefined && state !== undefined) draft.duties.set(rule, state)
  const condition = one('conditionId')
  if (condition !== undefined) draft.performed.push(payment(node, condition, one))
}

function payment(node: Node, duty: string, one: (name: string) => string | undefined): Performed {
  const facts = new Map<string, readonly Value[]>()
  const amount = node.members.get(`${PAYMENTS}netAmount`)
  if (amount !== undefined) addFact(facts, `${ODRL}payAmount`, amount, node.context)
  const date = one(`${PAYMENTS}paymentDate`)
  return {
    duty,
    action: amount === undefined ? undefined : `${ODRL}compensate`,
    at: date === undefined ? undefined : parseInstantOrDate(date),
    facts,
    unit: one(`${PAYMENTS}currency`),
  }
}

/** A state of the world; an absent one is a world about which nothing is known. */
export function readWorld(json: unknown): World {
  const draft: Draft = {
    at: undefined,
    agreedAt: undefined,
    zone: undefined,
    facts: new Map(),
    partOf: new Map(),
    duties: new Map(),
    performed: [],
  }
  const document = readDocument(json)
  for (const node of document.nodes) {
    for (const [name, values] of node.members) {
      const read = Object.hasOwn(STATE, name) ? STATE[name] : undefined
      if (read !== undefined) read(draft, values, node.context)
      else if (operandOf(leftOperandIri(name)) !== undefined || name.includes(':')) {
        addFact(draft.facts, name, values, node.context)
      }
    }
  }
  for (const node of new Set([...document.nodes, ...document.byId.values()])) readGraphNode(node, draft)
  return draft
}

/** The facts of the state and those of the request together; the state is believed where both speak. */
export function withRequest(world: World, request: Request): World {
  if (request.facts.size === 0) return world
  const facts = new Map([...request.facts, ...world.facts])
  const at = world.at ?? facts.get(DATE_TIME)?.[0]?.scalar
  facts.delete(DATE_TIME)
  return { ...world, at, facts }
}
