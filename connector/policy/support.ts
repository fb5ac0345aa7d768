/**
 * What this connector does not understand or cannot enforce in a policy. An offer with any such term is not published,
 * and an incoming one is never accepted without a person.
 */
import type { EpochMs, Text } from '../core/types.js'
import { demandWords } from './action-words.js'
import { eitherHours } from './hours.js'
import type { AtomicConstraint, Constraint, Policy, Rule } from './model.js'
import { ODRL, shortName } from './model.js'
import { nodesOf, type PolicyNode, type RuleKind } from './nodes.js'
import { localTime } from './operands/hours.js'
import type { Operand } from './operands/operand.js'
import { leavesNothing, type PlanTerms, strictest } from './plan-terms.js'
import { supportOf } from './registry.js'
import { quoted, text } from './words.js'

export type UnsupportedTerm = { readonly path: string; readonly term: string; readonly why: Text }

/**
 * Every term that stands against publishing or accepting, in document order; empty when all that is not promised can be
 * enforced.
 */
export function unsupportedTerms(policy: Policy): readonly UnsupportedTerm[] {
  const terms = nodesOf(policy).flatMap((node) =>
    policy.promised?.has(node.path) === true ? [] : (unsupportedNode(node) ?? []),
  )
  const all = [...permissionCount(policy), ...terms]
  return all.length > 0 ? all : contradictions(policy)
}

/** Why a constraint by itself cannot be enforced; undefined for one that can. */
export function unsupportedConstraint(constraint: AtomicConstraint): UnsupportedTerm | undefined {
  const { path } = constraint
  const support = supportOf(constraint)
  if ('why' in support) return { path, term: support.term, why: support.why }
  const term = shortName(constraint.leftOperand)
  const why = support.operand.wrong(constraint)
  if (why !== undefined) return { path, term, why }
  return support.operand.enforcedHere ? undefined : { path, term, why: carriedOnly(support.operand) }
}

/** Understood, but nothing here makes it true. */
const carriedOnly = ({ label, enforcedBy }: Operand): Text =>
  enforcedBy === 'provider'
    ? text(
        `This connector understands the condition ${quoted(label.en).en} and cannot check it. It says what the provider has to see to, so it cannot be a mere promise of the recipient.`,
        `Dieser Connector versteht die Bedingung ${quoted(label.de).de}, kann sie aber nicht prüfen. Für sie hat der Anbieter zu sorgen, darum kann sie kein bloßes Versprechen des Empfängers sein.`,
      )
    : text(
        `This connector understands the condition ${quoted(label.en).en} and cannot enforce it: it would be agreed by contract only.`,
        `Dieser Connector versteht die Bedingung ${quoted(label.de).de}, kann sie aber nicht durchsetzen: Sie wäre nur vertraglich vereinbart.`,
      )

/** A condition that contributes to a plan by itself. */
type Contribution = { readonly constraint: Constraint; readonly terms: PlanTerms }

/** What the conditions of the permission ask of the data plane, in document order. What is not promised must be supported. */
export const contributionsOf = (
  { permissions, promised }: Policy,
  agreedAt: EpochMs | undefined,
): readonly Contribution[] => contributions(permissions[0]?.constraints ?? [], agreedAt, promised)

function contributions(
  constraints: readonly Constraint[],
  agreedAt: EpochMs | undefined,
  promised?: ReadonlySet<string>,
): readonly Contribution[] {
  return constraints.flatMap((constraint) => {
    if (promised?.has(constraint.path) === true) return []
    if (constraint.kind === 'atomic') return [{ constraint, terms: termsOf(constraint, agreedAt) }]
    if (!isChoiceOfHours(constraint)) return contributions(constraint.operands, agreedAt, promised)
    const hours = contributions(constraint.operands, agreedAt).map(({ terms }) => terms.hours ?? [])
    return [{ constraint, terms: { hours: hours.reduce(eitherHours, []) } }]
  })
}

/** Times of the day joined by `or`: how a window over midnight is said. The one alternative that can be enforced. */
export const isChoiceOfHours = (constraint: Constraint): boolean =>
  constraint.kind === 'or' &&
  constraint.operands.length > 0 &&
  constraint.operands.every((operand) => operand.kind === 'atomic' && operand.leftOperand === localTime.iri)

/** What one supported constraint asks of the data plane. */
function termsOf(constraint: AtomicConstraint, agreedAt: EpochMs | undefined): PlanTerms {
  const support = supportOf(constraint)
  if ('why' in support) throw new TypeError(`${constraint.path} must be checked before it is used`)
  return support.operand.contribute(constraint, agreedAt)
}

function permissionCount({ permissions }: Policy): readonly UnsupportedTerm[] {
  const [, second] = permissions
  if (permissions.length === 0) {
    const why = text(
      'The policy contains no permission, so nothing could be delivered under it.',
      'Die Policy enthält keine Erlaubnis, unter ihr könnte nichts geliefert werden.',
    )
    return [{ path: 'permission', term: 'permission', why }]
  }
  if (second === undefined) return []
  const why = text(
    'The policy contains several permissions; this connector enforces exactly one.',
    'Die Policy enthält mehrere Erlaubnisse; dieser Connector setzt genau eine durch.',
  )
  return [{ path: second.path, term: 'permission', why }]
}

function unsupportedNode(node: PolicyNode): UnsupportedTerm | undefined {
  if (node.kind === 'unknown') {
    const { path, term } = node.unknown
    const why = text(
      `This connector does not understand ${quoted(term).en}.`,
      `Dieser Connector versteht ${quoted(term).de} nicht.`,
    )
    return { path, term, why }
  }
  return node.kind === 'constraint'
    ? unsupportedInside(node.constraint)
    : unsupportedRule(node.kind, node.rule)
}

function unsupportedInside(constraint: Constraint): UnsupportedTerm | undefined {
  if (constraint.kind === 'atomic') return unsupportedConstraint(constraint)
  // A choice between one thing is no choice.
  const isAlone = constraint.operands.length === 1 && constraint.kind !== 'andSequence'
  if (constraint.kind === 'and' || isAlone || isChoiceOfHours(constraint)) return undefined
  const why = text(
    `Conditions joined by ${quoted(constraint.kind).en} cannot be enforced by this connector.`,
    `Mit ${quoted(constraint.kind).de} verknüpfte Bedingungen kann dieser Connector nicht durchsetzen.`,
  )
  return { path: constraint.path, term: constraint.kind, why }
}

function ruleText(kind: RuleKind, action: string): Text {
  const { en, de } = demandWords(kind, action)
  return kind === 'permission'
    ? text(
        `This connector knows permissions to use the data in general only, not that the recipient ${en}.`,
        `Dieser Connector kennt nur die Erlaubnis, die Daten im Allgemeinen zu nutzen, nicht, dass der Empfänger ${de}.`,
      )
    : text(
        `This connector cannot enforce that the recipient ${en}.`,
        `Dieser Connector kann nicht durchsetzen, dass der Empfänger ${de}.`,
      )
}

function unsupportedRule(kind: RuleKind, rule: Rule): UnsupportedTerm | undefined {
  if (kind === 'permission' && rule.action === `${ODRL}use`) return undefined
  const term = shortName(rule.action)
  const path = kind === 'permission' ? `${rule.path}.action` : rule.path
  return { path, term, why: ruleText(kind, rule.action) }
}

/** Terms that leave nothing to deliver together: enforceable, but nobody can mean them. */
function contradictions(policy: Policy): readonly UnsupportedTerm[] {
  const found: UnsupportedTerm[] = []
  let before: PlanTerms = {}
  for (const { constraint, terms } of contributionsOf(policy, undefined)) {
    const together = strictest(before, terms)
    if (leavesNothing(together) && !leavesNothing(before)) {
      const why = text(
        'Together with the conditions before it, this condition allows nothing at all.',
        'Zusammen mit den Bedingungen davor lässt diese Bedingung überhaupt nichts zu.',
      )
      const term = constraint.kind === 'atomic' ? shortName(constraint.leftOperand) : constraint.kind
      found.push({ path: constraint.path, term, why })
    }
    before = together
  }
  const incomplete = aggregationFault(before) ?? noiseFault(before)
  if (incomplete !== undefined) {
    found.push({
      path: policy.permissions[0]?.path ?? 'permission',
      term: incomplete.term,
      why: incomplete.why,
    })
  }
  return found
}

/** How much is added to what stands in a shape document only. */
function noiseFault(terms: PlanTerms): { readonly term: string; readonly why: Text } | undefined {
  if (terms.mechanisms === undefined || terms.shapes !== undefined) return undefined
  const why = text(
    'Noise is agreed, but the shape document that says on which values and how much is missing (shape).',
    'Rauschen ist vereinbart, aber das Aufbereitungsdokument fehlt, in dem steht, auf welchen Werten und wie viel (shape).',
  )
  return { term: 'noise', why }
}

/** Functions that show what single machines contributed. */
const REVEALING: readonly string[] = ['min', 'max', 'sum']

/** Terms of aggregation that promise what could not be kept without another one. */
function aggregationFault(terms: PlanTerms): { readonly term: string; readonly why: Text } | undefined {
  const { aggregationWindowMs, aggregations, minGroup } = terms
  if (aggregationWindowMs === undefined && (aggregations !== undefined || minGroup !== undefined)) {
    const why = text(
      'Values are to be combined, but the length of the time windows is missing (aggregationWindow).',
      'Werte sollen zusammengefasst werden, aber die Länge der Zeitfenster fehlt (aggregationWindow).',
    )
    return { term: aggregations === undefined ? 'minGroup' : 'aggregation', why }
  }
  const revealing = aggregations?.find((name) => REVEALING.includes(name))
  if (minGroup === undefined || revealing === undefined) return undefined
  const why = text(
    `Over a group of machines only mean and count are delivered; ${quoted(revealing).en} would show single machines.`,
    `Über eine Gruppe von Maschinen werden nur mean und count geliefert; ${quoted(revealing).de} würde einzelne Maschinen zeigen.`,
  )
  return { term: 'aggregation', why }
}
