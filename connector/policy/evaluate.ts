/**
 * Decides whether a policy allows use in one phase. Three-valued and fail closed: a permission needs true, a prohibition
 * applies on true and on unknown, and what is not understood denies.
 */
import type { Text } from '../core/types.js'
import { demandWords } from './action-words.js'
import type { AtomicConstraint, Constraint, Facts, LogicalConstraint, Phase, Policy, Rule } from './model.js'
import { ODRL, shortName } from './model.js'
import { operandOf, supportOf } from './registry.js'
import { quoted, text } from './words.js'

export type { Facts } from './model.js'

/** `deferred`: understood, and looked at in a later phase. */
export type Verdict = 'true' | 'false' | 'unknown' | 'deferred'

export type Reason = {
  /** Number of the clause in the explanation; undefined when the policy lacks the clause. */
  readonly clause: number | undefined
  readonly path: string
  /** Short name of the operand, connective, action or term. */
  readonly operand: string
  readonly verdict: Verdict
  /** A sentence of its own. Made on demand: nobody reads why most uses are allowed. */
  readonly text: () => Text
  /** Ids of the confirmations that the verdict rests on. */
  readonly facts?: readonly string[]
}

export type Refusal = {
  readonly allowed: false
  readonly phase: Phase
  readonly reasons: readonly Reason[]
  /** The reason to tell first. */
  readonly because: Reason
}

export type Decision =
  | { readonly allowed: true; readonly phase: Phase; readonly reasons: readonly Reason[] }
  | Refusal

type Polarity = 'permission' | 'prohibition'

/** What one evaluation carries along: reasons so far and the clause number, counted as nodesOf does. */
type Course = {
  readonly phase: Phase
  readonly facts: Facts
  readonly promised: ReadonlySet<string>
  readonly reasons: Reason[]
  clause: number
}

const NOTHING: ReadonlySet<string> = new Set()

/** Decides about `odrl:use`, the one action this connector makes possible. */
export function evaluate(policy: Policy, phase: Phase, facts: Facts): Decision {
  const course: Course = { phase, facts, promised: policy.promised ?? NOTHING, reasons: [], clause: 0 }
  const inactive: Reason[] = []
  let permitted = false
  for (const permission of policy.permissions) {
    const obstacle = judgePermission(permission, course)
    if (obstacle === undefined) permitted = true
    else inactive.push(obstacle)
  }
  const prohibited = policy.prohibitions.flatMap((rule) => judgeProhibition(rule, course) ?? [])
  const owed = policy.obligations.flatMap((rule) => judgeDuty(rule, 'obligation', course) ?? [])
  const notUnderstood = policy.unknownTerms.flatMap(
    ({ path, term }) => judgeUnknown(path, term, course) ?? [],
  )

  const { reasons } = course
  const because =
    notUnderstood[0] ??
    prohibited[0] ??
    (permitted ? undefined : (mostTelling(inactive) ?? lackOfPermission(course))) ??
    owed[0]
  return because === undefined
    ? { allowed: true, phase, reasons }
    : { allowed: false, phase, reasons, because }
}

/** Ids of the confirmations that a decision rests on, each once. */
export const reliedOn = ({ reasons }: Decision): readonly string[] =>
  [...new Set(reasons.flatMap(({ verdict, facts = [] }) => (verdict === 'true' ? facts : [])))].sort()

/** A condition that is broken says more than one that cannot be told. */
const mostTelling = (reasons: readonly Reason[]): Reason | undefined =>
  reasons.find((reason) => reason.verdict === 'false') ?? reasons[0]

function reason(
  course: Course,
  clause: number | undefined,
  path: string,
  operand: string,
  verdict: Verdict,
  text: () => Text,
  facts?: readonly string[],
): Reason {
  const made: Reason = { clause, path, operand, verdict, text, ...(facts !== undefined && { facts }) }
  course.reasons.push(made)
  return made
}

/** What keeps the permission from being active, if anything. */
function judgePermission(rule: Rule, course: Course): Reason | undefined {
  const clause = ++course.clause
  const obstacles: Reason[] = []
  if (rule.action !== `${ODRL}use`) {
    const name = shortName(rule.action)
    obstacles.push(
      reason(course, clause, rule.path, name, 'false', () =>
        text(
          `The contract says that the recipient ${demandWords('permission', rule.action).en}, which is not the use of the data in general.`,
          `Der Vertrag besagt, dass der Empfänger ${demandWords('permission', rule.action).de}; das ist nicht die Nutzung der Daten im Allgemeinen.`,
        ),
      ),
    )
  }
  for (const constraint of rule.constraints) {
    const judged = judge(constraint, 'permission', course)
    if (judged.verdict === 'false' || judged.verdict === 'unknown') obstacles.push(judged)
  }
  for (const duty of rule.duties) {
    const open = judgeDuty(duty, 'duty', course)
    if (open !== undefined) obstacles.push(open)
  }
  return mostTelling(obstacles)
}

/** The reason why the prohibition applies, if it does. Which other actions include use is not known, so any action counts. */
function judgeProhibition(rule: Rule, course: Course): Reason | undefined {
  const clause = ++course.clause
  if (course.promised.has(rule.path)) return promisedRule(rule, 'prohibition', clause, course)
  const verdicts = rule.constraints.map((constraint) => judge(constraint, 'prohibition', course).verdict)
  if (verdicts.includes('false') || verdicts.includes('deferred')) return undefined
  const name = shortName(rule.action)
  const demanded = (): Text => demandWords('prohibition', rule.action)
  return reason(course, clause, rule.path, name, verdicts.includes('unknown') ? 'unknown' : 'true', () =>
    text(
      `The contract says that the recipient ${demanded().en}, and this connector cannot make sure of that.`,
      `Der Vertrag besagt, dass der Empfänger ${demanded().de}, und dieser Connector kann das nicht sicherstellen.`,
    ),
  )
}

/** What the recipient promises is not for this decision. */
function promisedRule(
  rule: Rule,
  kind: 'prohibition' | 'obligation' | 'duty',
  clause: number,
  course: Course,
): undefined {
  course.clause += conditionsIn(rule)
  const demanded = (): Text => demandWords(kind, rule.action)
  reason(course, clause, rule.path, shortName(rule.action), 'deferred', () =>
    text(
      `The contract says that the recipient ${demanded().en}; the recipient answers for that.`,
      `Der Vertrag besagt, dass der Empfänger ${demanded().de}; dafür steht der Empfänger ein.`,
    ),
  )
}

const conditionsIn = (rule: Rule): number =>
  rule.constraints.reduce((sum, constraint) => sum + countNodes(constraint), 0)

/** Only evidence fulfils a duty, and there is none here. */
function judgeDuty(rule: Rule, kind: 'obligation' | 'duty', course: Course): Reason | undefined {
  const clause = ++course.clause
  if (course.promised.has(rule.path)) return promisedRule(rule, kind, clause, course)
  course.clause += conditionsIn(rule)
  const name = shortName(rule.action)
  const demanded = (): Text => demandWords(kind, rule.action)
  return reason(course, clause, rule.path, name, 'unknown', () =>
    text(
      `The contract says that the recipient ${demanded().en}, and there is no evidence that this has been done.`,
      `Der Vertrag besagt, dass der Empfänger ${demanded().de}, und es gibt keinen Nachweis, dass das geschehen ist.`,
    ),
  )
}

const countNodes = (constraint: Constraint): number =>
  constraint.kind === 'atomic'
    ? 1
    : constraint.operands.reduce((sum, operand) => sum + countNodes(operand), 1)

/** The reason against any use, unless the recipient answers for the term. */
function judgeUnknown(path: string, term: string, course: Course): Reason | undefined {
  if (course.promised.has(path)) {
    reason(course, ++course.clause, path, term, 'deferred', () => PROMISED)
    return undefined
  }
  return reason(course, ++course.clause, path, term, 'unknown', () =>
    text(
      `The contract contains ${quoted(term).en}, which this connector does not understand.`,
      `Der Vertrag enthält ${quoted(term).de}, was dieser Connector nicht versteht.`,
    ),
  )
}

const lackOfPermission = (course: Course): Reason =>
  reason(course, undefined, 'permission', 'permission', 'false', () =>
    text(
      'The contract contains no permission to use the data.',
      'Der Vertrag enthält keine Erlaubnis, die Daten zu nutzen.',
    ),
  )

/** The reason that decides a constraint; its verdict is the verdict of the constraint. */
const judge = (constraint: Constraint, polarity: Polarity, course: Course): Reason =>
  course.promised.has(constraint.path)
    ? promisedCondition(constraint, course)
    : constraint.kind === 'atomic'
      ? judgeAtomic(constraint, course)
      : judgeLogical(constraint, polarity, course)

/** Counts as what a later phase decides: nothing here waits for it. */
function promisedCondition(constraint: Constraint, course: Course): Reason {
  const clause = course.clause + 1
  course.clause += countNodes(constraint)
  const name = constraint.kind === 'atomic' ? shortName(constraint.leftOperand) : constraint.kind
  return reason(course, clause, constraint.path, name, 'deferred', () => PROMISED)
}

const PROMISED = text(
  'The contract sets a condition for the use of the data; the recipient answers for it.',
  'Der Vertrag stellt eine Bedingung an die Nutzung der Daten; für sie steht der Empfänger ein.',
)

function judgeAtomic(constraint: AtomicConstraint, course: Course): Reason {
  const clause = ++course.clause
  const { path } = constraint
  const support = supportOf(constraint)
  if ('why' in support) {
    return reason(course, clause, path, shortName(constraint.leftOperand), 'unknown', () => support.why)
  }
  const { operand, rule } = support
  const name = shortName(operand.iri)
  // A constraint of another phase is still read: a value that is none must not wait for delivery to be noticed.
  // One that is only carried waits for nothing: no later phase here decides about it.
  // What has to be confirmed about us is for the provider to judge, and only narrows what we may do.
  const isOthers = operand.confirmed !== undefined && course.facts.asRecipient === true
  if (operand.enforcedHere && (isOthers || !rule.phases.includes(course.phase))) {
    const wrong = operand.wrong(constraint)
    return wrong === undefined
      ? reason(course, clause, path, name, 'deferred', () => operand.describe(constraint))
      : reason(course, clause, path, name, 'unknown', () => wrong)
  }
  const { verdict, text, facts } = operand.evaluate(constraint, course.facts)
  return reason(course, clause, path, name, verdict, text, facts)
}

/**
 * Kleene tables as orders of precedence: the first verdict that occurs among the operands is the verdict of the whole.
 * A deferred operand counts as what lets the rule pass for now, because a later phase decides about it: as true below a
 * permission, as false below a prohibition.
 */
const PRECEDENCE: Readonly<Record<'and' | 'or', Readonly<Record<Polarity, readonly Verdict[]>>>> = {
  and: {
    permission: ['false', 'unknown', 'deferred', 'true'],
    prohibition: ['false', 'deferred', 'unknown', 'true'],
  },
  or: {
    permission: ['true', 'deferred', 'unknown', 'false'],
    prohibition: ['true', 'unknown', 'deferred', 'false'],
  },
}

function judgeLogical(constraint: LogicalConstraint, polarity: Polarity, course: Course): Reason {
  const clause = ++course.clause
  const operands = constraint.operands.map((operand) => judge(operand, polarity, course))
  const own = (verdict: Verdict): Reason =>
    reason(course, clause, constraint.path, constraint.kind, verdict, () => LOGICAL_TEXT[constraint.kind])
  const first = (precedence: readonly Verdict[]): Reason | undefined => {
    for (const verdict of precedence) {
      const found = operands.find((operand) => operand.verdict === verdict)
      if (found !== undefined) return found
    }
    return undefined
  }
  // A connective without operands is noted by the parser as not understood.
  if (operands.length === 0) return own('unknown')
  if (constraint.kind === 'xone') return judgeXone(operands, polarity, own, first)
  if (constraint.kind === 'andSequence' && isTemporal(constraint)) return own('unknown')
  const decisive = first(PRECEDENCE[constraint.kind === 'or' ? 'or' : 'and'][polarity])
  const verdict = decisive?.verdict ?? 'unknown'
  const whole = own(verdict)
  return decisive ?? whole
}

/** True if exactly one is true and none unknown; false if several are true or all are false. */
function judgeXone(
  operands: readonly Reason[],
  polarity: Polarity,
  own: (verdict: Verdict) => Reason,
  first: (precedence: readonly Verdict[]) => Reason | undefined,
): Reason {
  const holding = operands.filter((operand) => operand.verdict === 'true').length
  if (holding > 1) return own('false')
  const open: readonly Verdict[] =
    polarity === 'permission' ? ['deferred', 'unknown'] : ['unknown', 'deferred']
  const decisive = first([...open, 'true', 'false'])
  const whole = own(decisive?.verdict ?? 'unknown')
  return decisive ?? whole
}

const isTemporal = (constraint: Constraint): boolean =>
  constraint.kind === 'atomic'
    ? (operandOf(constraint.leftOperand)?.temporal ?? true)
    : constraint.operands.some(isTemporal)

const LOGICAL_TEXT: Readonly<Record<LogicalConstraint['kind'], Text>> = {
  and: text(
    'The contract demands several conditions together.',
    'Der Vertrag verlangt mehrere Bedingungen zugleich.',
  ),
  or: text(
    'The contract demands at least one of several conditions.',
    'Der Vertrag verlangt mindestens eine von mehreren Bedingungen.',
  ),
  xone: text(
    'The contract demands exactly one of several conditions, and more than one holds.',
    'Der Vertrag verlangt genau eine von mehreren Bedingungen, und mehr als eine ist erfüllt.',
  ),
  andSequence: text(
    'The contract demands several conditions in a given order, and in which order they came true is not known.',
    'Der Vertrag verlangt mehrere Bedingungen in einer bestimmten Reihenfolge, und in welcher sie eingetreten sind, ist nicht bekannt.',
  ),
}
