/**
 * Who keeps the terms of a policy, and what follows for offering it: the three tiers of offers. A term that says what the
 * provider has to see to is kept here or refused; only what the recipient has to do or to leave can be promised.
 */
import { ACTION_TERMS, isKnownAction } from './action-terms.js'
import { isExecuted } from './duties.js'
import type { Constraint, Policy, Rule, UnknownTerm } from './model.js'
import { ODRL } from './model.js'
import { nodesOf, type PolicyNode, type RuleKind } from './nodes.js'
import { isReadable, supportOf } from './registry.js'
import { type UnsupportedTerm, unsupportedTerms } from './support.js'

/**
 * 1: all is kept by this connector, so that any partner may have it. 2: beside that, duties that the connector of the
 * recipient carries out when it is one that can. 3: at least one term is agreed by contract only.
 */
export type Tier = 1 | 2 | 3

/**
 * Who the recipient is: a connector that has proved that it carries out such duties, one that has not, or ourselves. What the
 * provider has to see to is not for us to check then, and only narrows what we may do. `answerable`: ourselves, and a person
 * answers for what is not understood too.
 */
export type Peer = 'proven' | 'unproven' | 'ourselves' | 'answerable'

export const isOurselves = (peer: Peer | undefined): boolean => peer === 'ourselves' || peer === 'answerable'

/** `consumer`: a duty that a connector of this make carries out. `contract`: nobody but the parties themselves. */
type Keeper = 'consumer' | 'contract'

export type Promised = { readonly path: string; readonly number: number; readonly by: Keeper }

/** Who keeps a term that this connector does not keep; undefined for one that it keeps, and for one that nobody may promise. */
export function promiseOf(node: PolicyNode, peer?: Peer): Keeper | undefined {
  if (node.kind === 'unknown') return peer === 'answerable' && isNotUnderstood(node) ? 'contract' : undefined
  if (node.kind !== 'constraint') return ofRule(node.kind, node.rule, peer)
  const { constraint, of, rule, inside } = node
  if (of !== 'permission') return ofRule(of, rule, peer)
  // Conditions of which all have to be met count one by one, an alternative as a whole.
  const whole = [...inside, constraint].find(({ kind }) => kind !== 'and')
  if (whole === undefined) return undefined
  const isUnread = peer === 'answerable' && !isReadable(whole)
  return isUnread || isForRecipient(whole, peer) ? 'contract' : undefined
}

/**
 * A term whose place and form are clear and whose name or value is not: a person can read it as it stands and answer for it.
 * Not what cannot be read at all, nor an action that is permitted: nothing would be.
 */
export function isNotUnderstood(node: PolicyNode): boolean {
  if (node.kind === 'unknown') return node.unknown.path === 'profile' && node.unknown.term !== 'profile'
  if (node.kind === 'constraint') return !isReadable(node.constraint)
  return node.kind !== 'permission' && !isKnownAction(node.rule.action)
}

/** What is not understood, neither an action nor a condition of it, is promised only where a person answers for it. */
function ofRule(kind: RuleKind, rule: Rule, peer: Peer | undefined): Keeper | undefined {
  const { action, constraints } = rule
  if (kind === 'permission') return undefined
  if (!isKnownAction(action) || !constraints.every(isReadable)) {
    return peer === 'answerable' ? 'contract' : undefined
  }
  // A prohibition of the use itself stands against delivering at all.
  if (kind === 'prohibition') return action === `${ODRL}use` ? undefined : 'contract'
  if (kind === 'obligation') return isExecuted(rule) ? 'consumer' : 'contract'
  // Before any use, the recipient can promise what it does by itself, not what the provider has to find done.
  return KEPT_BY.get(action) === 'provider' && !isOurselves(peer) ? undefined : 'contract'
}

const KEPT_BY: ReadonlyMap<string, string> = new Map(
  ACTION_TERMS.map(({ iri, enforcedBy }) => [iri, enforcedBy]),
)

/** Speaks of nothing but what the recipient does with the data; or of what is not ours to check as recipient. */
function isForRecipient(constraint: Constraint, peer: Peer | undefined): boolean {
  if (constraint.kind !== 'atomic') {
    return constraint.operands.length > 0 && constraint.operands.every((one) => isForRecipient(one, peer))
  }
  const support = supportOf(constraint)
  if (!('operand' in support) || support.operand.wrong(constraint) !== undefined) return false
  const { enforcedHere, enforcedBy } = support.operand
  return !enforcedHere && (enforcedBy !== 'provider' || isOurselves(peer))
}

const promises = (policy: Policy, peer: Peer | undefined): readonly Promised[] =>
  nodesOf(policy).flatMap((node) => {
    const by = promiseOf(node, peer)
    return by === undefined ? [] : [{ path: node.path, number: node.number, by }]
  })

/** The policy with what is accepted as a promise in an offer up to this tier. */
export function accepting(policy: Policy, upTo: Tier, peer?: Peer): Policy {
  if (upTo === 1) return policy
  const accepted = promises(policy, peer).filter(({ by }) => upTo === 3 || by === 'consumer')
  if (accepted.length === 0) return policy
  const promised = new Set(accepted.map(({ path }) => path))
  // Several profiles share one place: all of them are accepted there, or none.
  const unread = nodesOf(policy).filter((node) => node.kind === 'unknown' && !isNotUnderstood(node))
  for (const { path } of unread) promised.delete(path)
  return { ...policy, promised }
}

/** The names of the terms that a person may answer for, as they are written, each with its place and in their order. */
export const notUnderstoodIn = (policy: Policy): readonly UnknownTerm[] =>
  nodesOf(policy)
    .filter(isNotUnderstood)
    .flatMap((node) => {
      if (node.kind === 'unknown') return [node.unknown]
      if (node.kind !== 'constraint') return [{ path: node.path, term: node.rule.action }]
      const { constraint } = node
      return constraint.kind === 'atomic' ? [{ path: node.path, term: constraint.leftOperand }] : []
    })

export type Tiers = {
  readonly tier: Tier
  readonly promises: readonly Promised[]
  /** What no tier allows: not understood, or a condition of the provider's that nothing here checks. */
  readonly refused: readonly UnsupportedTerm[]
}

/** Which tier an offer with these terms belongs to. To a recipient that has not proved that it can, duties are by contract. */
export function tiersOf(policy: Policy, peer: Peer = 'proven'): Tiers {
  const list = promises(policy, peer)
  const isContract = list.some(({ by }) => by === 'contract' || peer === 'unproven')
  const tier = isContract ? 3 : list.length > 0 ? 2 : 1
  return { tier, promises: list, refused: unsupportedTerms(accepting(policy, 3, peer)) }
}

/** What the recipient promises, apart from where it stands, so that two policies can be seen to ask for the same. */
export const promisedTerms = (policy: Policy): ReadonlySet<string> =>
  new Set(
    nodesOf(policy).flatMap((node) => {
      if (promiseOf(node) === undefined || node.kind === 'unknown') return []
      return JSON.stringify([node.kind, node.kind === 'constraint' ? node.constraint : node.rule], unplaced)
    }),
  )

/** A place says nothing about the meaning, and a set has no order. */
const unplaced = (key: string, value: unknown): unknown => {
  if (key === 'path') return undefined
  return key === 'rightOperand' && Array.isArray(value) ? [...value].sort() : value
}
