/** A policy in words for the people who answer for it: every node is one numbered clause, in both languages. */
import type { Text } from '../core/types.js'
import { actionWords, denied } from './action-words.js'
import { conditionWords } from './condition-words.js'
import type { AtomicConstraint, Constraint, LogicalConstraint, Policy, Rule } from './model.js'
import { ODRL, shortName } from './model.js'
import { nodesOf, type PolicyNode, type RuleKind } from './nodes.js'
import { domainFault } from './operands/domain.js'
import type { Enforcer, Operand } from './operands/operand.js'
import { supportOf } from './registry.js'
import { type ShapeLookup, shapeNamed } from './shape.js'
import { shapeClause } from './shape-words.js'
import { isChoiceOfHours, unsupportedConstraint } from './support.js'
import { isNotUnderstood, isOurselves, type Peer, promiseOf } from './tier.js'
import { listWords, quoted, text } from './words.js'

/** `capable`: by the connector of a recipient that is not known yet, if it is one that can, and by contract otherwise. */
export type Enforcement = Enforcer | 'capable'

export type Clause = {
  readonly number: number
  readonly path: string
  readonly text: Text
  readonly enforcedBy: Enforcement
  /** For us as recipients: agreed by contract only, because nothing here knows what it means. */
  readonly notUnderstood?: true
}

/** What is known beside the policy itself. */
export type Known = {
  /** Shape documents at hand: a clause that names one says what stands in it. */
  readonly shapes?: ShapeLookup
  /** What the recipient has proved; absent, nobody in particular is the recipient. */
  readonly peer?: Peer | undefined
}

/** Every node of the policy exactly once, in the order and with the numbers that refusals use. */
export function explain(policy: Policy, { shapes = () => undefined, peer }: Known = {}): readonly Clause[] {
  const nodes = nodesOf(policy)
  const numbers = new Map(
    nodes.flatMap((node) => ('unknown' in node ? [] : [[node.path, node.number] as const])),
  )
  return nodes.map((node) => ({
    number: node.number,
    path: node.path,
    text: textOf(node, numbers, shapes),
    enforcedBy: enforcerOf(node, peer),
    ...(isOurselves(peer) && isNotUnderstood(node) && { notUnderstood: true as const }),
  }))
}

const LABELS: Readonly<Record<Enforcement, Text>> = {
  provider: text("enforced by the provider's connector", 'vom Connector des Anbieters durchgesetzt'),
  consumer: text("enforced by the recipient's connector", 'vom Connector des Empfängers durchgesetzt'),
  contract: text(
    'agreed by contract only, not enforced technically',
    'nur vertraglich vereinbart, technisch nicht durchgesetzt',
  ),
  capable: text(
    "enforced by the recipient's connector if it has proved that it can, otherwise agreed by contract only",
    'vom Connector des Empfängers durchgesetzt, wenn er nachgewiesen hat, dass er es kann; sonst nur vertraglich vereinbart',
  ),
}

const NOT_UNDERSTOOD = text(
  'not understood by this connector; agreed by contract only',
  'von diesem Connector nicht verstanden; nur vertraglich vereinbart',
)

export const enforcementLabel = (enforcedBy: Enforcement): Text => LABELS[enforcedBy]

export const clauseLabel = ({
  enforcedBy,
  notUnderstood,
}: Pick<Clause, 'enforcedBy' | 'notUnderstood'>): Text =>
  notUnderstood === true ? NOT_UNDERSTOOD : LABELS[enforcedBy]

type Numbers = ReadonlyMap<string, number>

function textOf(node: PolicyNode, numbers: Numbers, shapes: ShapeLookup): Text {
  if (node.kind === 'unknown') {
    const { path, term } = node.unknown
    return text(
      `The contract contains a term that this connector does not understand: ${quoted(term).en} (${path}).`,
      `Der Vertrag enthält etwas, das dieser Connector nicht versteht: ${quoted(term).de} (${path}).`,
    )
  }
  if (node.kind === 'constraint') {
    return node.constraint.kind === 'atomic'
      ? atomicText(node.constraint, node.of, shapes)
      : logicalText(node.constraint, numbers)
  }
  return ruleText(node.kind, node.rule, numbers)
}

/** Whoever makes a clause true. What cannot be compiled is enforced by nobody, whatever its operand promises. */
function enforcerOf(node: PolicyNode, peer: Peer | undefined): Enforcement {
  if (promiseOf(node, peer) === 'consumer') return DUTY_KEPT_BY[peer ?? 'unknown']
  if (node.kind === 'permission') return node.rule.action === `${ODRL}use` ? 'provider' : 'contract'
  if (node.kind !== 'constraint') return 'contract'
  const joined = node.inside.every((outer) => outer.kind === 'and' || isChoiceOfHours(outer))
  return node.of === 'permission' && joined ? constraintEnforcer(node.constraint) : 'contract'
}

const DUTY_KEPT_BY: Readonly<Record<Peer | 'unknown', Enforcement>> = {
  proven: 'consumer',
  ourselves: 'consumer',
  answerable: 'consumer',
  unproven: 'contract',
  unknown: 'capable',
}

function constraintEnforcer(constraint: Constraint): Enforcer {
  if (constraint.kind === 'and' || (constraint.kind === 'or' && isChoiceOfHours(constraint))) {
    const enforcers = new Set(constraint.operands.map(constraintEnforcer))
    const [only] = enforcers
    return only !== undefined && enforcers.size === 1 ? only : 'contract'
  }
  if (constraint.kind !== 'atomic') return 'contract'
  const support = supportOf(constraint)
  return 'operand' in support && unsupportedConstraint(constraint) === undefined
    ? support.operand.enforcedBy
    : 'contract'
}

/** "clauses 2 to 4", and whether it is one. */
function clauseWords(constraints: readonly { readonly path: string }[], numbers: Numbers): Text {
  const list = constraints.map(({ path }) => numbers.get(path) ?? 0)
  const [first = 0, last = 0] = [list[0], list.at(-1)]
  if (list.length === 1) return text(`clause ${first}`, `Klausel ${first}`)
  if (list.length > 2 && last - first === list.length - 1) {
    return text(`clauses ${first} to ${last}`, `die Klauseln ${first} bis ${last}`)
  }
  const named = listWords(list.map(String))
  return text(`clauses ${named.en}`, `die Klauseln ${named.de}`)
}

function ruleText(kind: RuleKind, rule: Rule, numbers: Numbers): Text {
  const words = actionWords(rule.action)
  const { en, deObject, deVerb } = words
  const { inside, behind } = conditionsOf(kind, rule, numbers)
  const [may, darf] = {
    permission: [`may ${en}`, `darf ${deObject} ${deVerb}`],
    prohibition: [`must not ${en}`, `darf ${denied(words)} ${deVerb}`],
    obligation: [`must ${en}`, `muss ${deObject} ${inside}${deVerb}`],
    duty: [`must ${en} before any use`, `muss vor jeder Nutzung ${deObject} ${inside}${deVerb}`],
  }[kind]
  return text(`The recipient ${may}${behind.en}.`, `Der Empfänger ${darf}${behind.de}.`)
}

/** A condition of a permission or prohibition says when it holds, one of a duty how it is done. */
function conditionsOf(
  kind: RuleKind,
  rule: Rule,
  numbers: Numbers,
): { readonly inside: string; readonly behind: Text } {
  const parts = [...rule.constraints, ...rule.duties]
  if (parts.length === 0) {
    const plain = text(' without further conditions', '; weitere Bedingungen gelten nicht')
    return { inside: '', behind: kind === 'permission' ? plain : text('', '') }
  }
  const clauses = clauseWords(parts, numbers)
  const one = parts.length === 1
  if (kind === 'obligation' || kind === 'duty') {
    const measure = one ? `von ${clauses.de}` : clauses.de.replace(/^die /, 'der ')
    return { inside: `nach Maßgabe ${measure} `, behind: text(` as laid down in ${clauses.en}`, '') }
  }
  const german = `${clauses.de} erfüllt ${one ? 'ist' : 'sind'}`
  return {
    inside: '',
    behind:
      kind === 'permission'
        ? text(`, provided that ${clauses.en} ${one ? 'is' : 'are'} met`, `, sofern ${german}`)
        : text(` where ${clauses.en} ${one ? 'is' : 'are'} met`, `, soweit ${german}`),
  }
}

const LOGICAL_WORDS: Readonly<Record<LogicalConstraint['kind'], readonly [string, string]>> = {
  and: ['All of these must be met', 'Alle diese Klauseln müssen erfüllt sein'],
  or: ['At least one of these must be met', 'Mindestens eine dieser Klauseln muss erfüllt sein'],
  xone: ['Exactly one of these must be met', 'Genau eine dieser Klauseln muss erfüllt sein'],
  andSequence: [
    'All of these must be met, in this order',
    'Alle diese Klauseln müssen in dieser Reihenfolge erfüllt sein',
  ],
}

function logicalText(constraint: LogicalConstraint, numbers: Numbers): Text {
  const [en, de] = LOGICAL_WORDS[constraint.kind]
  const list = listWords(constraint.operands.map(({ path }) => String(numbers.get(path) ?? 0)))
  return text(
    `${en}: ${constraint.operands.length === 1 ? 'clause' : 'clauses'} ${list.en}.`,
    `${de}: ${list.de}.`,
  )
}

const OPERATOR_WORDS: Readonly<Record<string, readonly [string, string]>> = {
  eq: ['is', 'ist'],
  neq: ['is not', 'ist nicht'],
  lt: ['is less than', 'ist kleiner als'],
  lteq: ['is at most', 'ist höchstens'],
  gt: ['is more than', 'ist größer als'],
  gteq: ['is at least', 'ist mindestens'],
  isA: ['is a kind of', 'ist eine Art von'],
  hasPart: ['contains', 'enthält'],
  isPartOf: ['is part of', 'ist Teil von'],
  isAllOf: ['is all of', 'umfasst alle aus'],
  isAnyOf: ['is one of', 'ist eines aus'],
  isNoneOf: ['is none of', 'ist keines aus'],
}

/**
 * The operand describes its condition. One of a duty or prohibition is put more plainly, because descriptions speak of
 * what is allowed; one without such an operand is shown as it stands, so that a person can judge it.
 */
function atomicText(constraint: AtomicConstraint, of: RuleKind, shapes: ShapeLookup): Text {
  const support = supportOf(constraint)
  if ('operand' in support && support.operand.wrong(constraint) === undefined) {
    const name = of === 'permission' ? shapeNamed(constraint) : undefined
    if (name !== undefined) return shapeClause(name, shapes(name))
    return of === 'permission'
      ? support.operand.describe(constraint)
      : conditionWords(support.operand, constraint)
  }
  const raw = 'operand' in support ? valuesOf(support.operand, constraint) : undefined
  if (raw !== undefined) {
    return text(
      `A condition applies that this connector cannot check. ${raw.en}`,
      `Es gilt eine Bedingung, die dieser Connector nicht prüfen kann. ${raw.de}`,
    )
  }
  return unreadText(rawText(constraint))
}

/** What the condition says where its values are of the right kind, though this connector cannot do what it asks. */
function valuesOf(operand: Operand, constraint: AtomicConstraint): Text | undefined {
  const { rightOperand } = constraint
  const values = typeof rightOperand === 'string' ? [rightOperand] : rightOperand
  return domainFault(operand.domain, values, true) === undefined
    ? conditionWords(operand, constraint)
    : undefined
}

function unreadText(raw: Text): Text {
  return text(
    `A condition that this connector cannot check applies: ${raw.en}.`,
    `Es gilt eine Bedingung, die dieser Connector nicht prüfen kann: ${raw.de}.`,
  )
}

function rawText({ leftOperand, operator, rightOperand }: AtomicConstraint): Text {
  const name = quoted(shortName(leftOperand))
  const values = (typeof rightOperand === 'string' ? [rightOperand] : rightOperand).map(quoted)
  const known = Object.hasOwn(OPERATOR_WORDS, operator) ? OPERATOR_WORDS[operator] : undefined
  const [en, de] = known ?? [quoted(operator).en, quoted(operator).de]
  return text(
    `${name.en} ${en} ${listWords(values.map((value) => value.en)).en}`,
    `${name.de} ${de} ${listWords(values.map((value) => value.de)).de}`,
  )
}
