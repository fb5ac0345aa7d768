/** A policy in words for the people who answer for it: every node is one numbered clause, in both languages. */
import type { Text } from '../core/types.js'
import { isKnownAction } from './action-terms.js'
import type { AtomicConstraint, Constraint, LogicalConstraint, Policy, Rule } from './model.js'
import { ODRL, shortName } from './model.js'
import { nodesOf, type PolicyNode, type RuleKind } from './nodes.js'
import type { Enforcer } from './operands/operand.js'
import { supportOf } from './registry.js'
import { isChoiceOfHours, unsupportedConstraint } from './support.js'
import { listWords, quoted, text } from './words.js'

export type Clause = {
  readonly number: number
  readonly path: string
  readonly text: Text
  readonly enforcedBy: Enforcer
}

/** Every node of the policy exactly once, in the order and with the numbers that refusals use. */
export function explain(policy: Policy): readonly Clause[] {
  const nodes = nodesOf(policy)
  const numbers = new Map(
    nodes.flatMap((node) => ('unknown' in node ? [] : [[node.path, node.number] as const])),
  )
  return nodes.map((node) => ({
    number: node.number,
    path: node.path,
    text: textOf(node, numbers),
    enforcedBy: enforcerOf(node),
  }))
}

const LABELS: Readonly<Record<Enforcer, Text>> = {
  provider: text("enforced by the provider's connector", 'vom Connector des Anbieters durchgesetzt'),
  consumer: text("enforced by the recipient's connector", 'vom Connector des Empfängers durchgesetzt'),
  contract: text(
    'agreed by contract only, not enforced technically',
    'nur vertraglich vereinbart, technisch nicht durchgesetzt',
  ),
}

export const enforcementLabel = (enforcedBy: Enforcer): Text => LABELS[enforcedBy]

type Numbers = ReadonlyMap<string, number>

function textOf(node: PolicyNode, numbers: Numbers): Text {
  if (node.kind === 'unknown') {
    const { path, term } = node.unknown
    return text(
      `The contract contains a term that this connector does not understand: ${quoted(term).en} (${path}).`,
      `Der Vertrag enthält etwas, das dieser Connector nicht versteht: ${quoted(term).de} (${path}).`,
    )
  }
  if (node.kind === 'constraint') {
    return node.constraint.kind === 'atomic'
      ? atomicText(node.constraint, node.of)
      : logicalText(node.constraint, numbers)
  }
  return ruleText(node.kind, node.rule, numbers)
}

/** Whoever makes a clause true. What cannot be compiled is enforced by nobody, whatever its operand promises. */
function enforcerOf(node: PolicyNode): Enforcer {
  if (node.kind === 'permission') return node.rule.action === `${ODRL}use` ? 'provider' : 'contract'
  if (node.kind !== 'constraint') return 'contract'
  const joined = node.inside.every((outer) => outer.kind === 'and' || isChoiceOfHours(outer))
  return node.of === 'permission' && joined ? constraintEnforcer(node.constraint) : 'contract'
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

type ActionWords = {
  /** Stands behind may, must and must not. */
  readonly en: string
  readonly deObject: string
  readonly deVerb: string
}

const words = (en: string, deObject: string, deVerb: string): ActionWords => ({ en, deObject, deVerb })

/** Actions of the ODRL Common Vocabulary that occur in contracts about machine data. */
const ACTION_WORDS: Readonly<Record<string, ActionWords>> = {
  use: words('use the data', 'die Daten', 'nutzen'),
  distribute: words('pass the data on', 'die Daten', 'weitergeben'),
  transfer: words('transfer the data to others', 'die Daten', 'auf andere übertragen'),
  sell: words('sell the data', 'die Daten', 'verkaufen'),
  delete: words('delete the data', 'die Daten', 'löschen'),
  anonymize: words('anonymize the data', 'die Daten', 'anonymisieren'),
  aggregate: words('aggregate the data', 'die Daten', 'zusammenfassen'),
  derive: words('derive new data from the data', 'die Daten', 'zu neuen Daten verarbeiten'),
  modify: words('modify the data', 'die Daten', 'verändern'),
  read: words('read the data', 'die Daten', 'lesen'),
  reproduce: words('copy the data', 'die Daten', 'vervielfältigen'),
  attribute: words('name the source of the data', 'die Quelle der Daten', 'nennen'),
  inform: words('inform the provider', 'den Anbieter', 'unterrichten'),
  compensate: words('pay for the data', 'die Daten', 'vergüten'),
  obtainConsent: words('obtain consent', 'eine Einwilligung', 'einholen'),
  logUsage: words('keep a log of the use', 'die Nutzung', 'protokollieren'),
  developCompetingProduct: words('develop a competing product', 'ein Konkurrenzprodukt', 'entwickeln'),
  deriveBusinessInsight: words(
    "draw conclusions about the provider's business",
    'Rückschlüsse auf das Geschäft des Anbieters',
    'ziehen',
  ),
  reverseEngineer: words('reverse-engineer the machine', 'die Maschine', 'nachkonstruieren'),
  reidentify: words('re-identify machines or persons', 'Maschinen oder Personen', 'wiedererkennen'),
  trainModelForOthers: words(
    'train models for others with the data',
    'mit den Daten Modelle für andere',
    'trainieren',
  ),
  watermark: words('mark the data', 'die Daten', 'kennzeichnen'),
}

function actionWords(action: string): ActionWords {
  const name = shortName(action)
  const known = isKnownAction(action) && Object.hasOwn(ACTION_WORDS, name) ? ACTION_WORDS[name] : undefined
  if (known !== undefined) return known
  return words(`carry out the action ${quoted(name).en}`, `die Handlung ${quoted(name).de}`, 'ausführen')
}

function ruleText(kind: RuleKind, rule: Rule, numbers: Numbers): Text {
  const { en, deObject, deVerb } = actionWords(rule.action)
  const condition = conditionWords(kind, rule, numbers)
  const [may, darf] = {
    permission: [`may ${en}`, `darf ${deObject} ${deVerb}`],
    prohibition: [`must not ${en}`, `darf ${deObject} nicht ${deVerb}`],
    obligation: [`must ${en}`, `muss ${deObject} ${deVerb}`],
    duty: [`must ${en} before any use`, `muss vor jeder Nutzung ${deObject} ${deVerb}`],
  }[kind]
  return text(`The recipient ${may}${condition.en}.`, `Der Empfänger ${darf}${condition.de}.`)
}

function conditionWords(kind: RuleKind, rule: Rule, numbers: Numbers): Text {
  const parts = [...rule.constraints, ...rule.duties]
  if (parts.length === 0)
    return kind === 'permission'
      ? text(' without further conditions', '; weitere Bedingungen gelten nicht')
      : text('', '')
  const clauses = clauseWords(parts, numbers)
  const one = parts.length === 1
  const german = `${clauses.de} erfüllt ${one ? 'ist' : 'sind'}`
  return kind === 'permission'
    ? text(`, provided that ${clauses.en} ${one ? 'is' : 'are'} met`, `, sofern ${german}`)
    : text(` where ${clauses.en} ${one ? 'is' : 'are'} met`, `, soweit ${german}`)
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
 * The operand describes its condition. A condition without such an operand is shown as it stands, so that a person can
 * judge it; so is one of a duty or prohibition, because descriptions speak of what is allowed.
 */
function atomicText(constraint: AtomicConstraint, of: RuleKind): Text {
  const support = supportOf(constraint)
  const isRead = 'operand' in support && support.operand.wrong(constraint) === undefined
  if (isRead && of === 'permission') return support.operand.describe(constraint)
  const raw = rawText(constraint)
  return isRead && support.operand.enforcedHere
    ? text(`Condition: ${raw.en}.`, `Bedingung: ${raw.de}.`)
    : text(
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
