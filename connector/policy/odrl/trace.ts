/** A decision in sentences, in the order in which the rules stand: what was looked at, what was found, what follows. */

import type { Lang, Text } from '../../core/types.js'
import { actionWords } from '../action-words.js'
import { conditionWords, valueWords } from '../condition-words.js'
import { shortName } from '../model.js'
import type { Operand } from '../operands/operand.js'
import { operandOf } from '../registry.js'
import { listNames, listWords, quoted, text } from '../words.js'
import type { DutyJudged, OdrlDecision, RuleJudged } from './decide.js'
import type { Judged } from './judge.js'
import type { Atom, Condition, OdrlRule, Value } from './policy.js'
import { scalarText, type Tri } from './scalar.js'

export type TraceLine = {
  readonly path: string
  readonly verdict: 'true' | 'false' | 'unknown'
  readonly text: Text
}

export const verdictName = (holds: Tri): TraceLine['verdict'] =>
  holds === undefined ? 'unknown' : holds ? 'true' : 'false'

const OPERATORS: Readonly<Record<string, Text>> = {
  eq: text('equal to', 'gleich'),
  neq: text('other than', 'ungleich'),
  lt: text('less than', 'kleiner als'),
  lteq: text('at most', 'höchstens'),
  gt: text('more than', 'größer als'),
  gteq: text('at least', 'mindestens'),
  isA: text('a kind of', 'eine Art von'),
  hasPart: text('something that contains', 'etwas, das enthält:'),
  isPartOf: text('part of', 'Teil von'),
  isAllOf: text('all of', 'alle von'),
  isAnyOf: text('one of', 'eines von'),
  isNoneOf: text('none of', 'keines von'),
}

const OUTCOME: Readonly<Record<TraceLine['verdict'], Text>> = {
  true: text('met', 'erfüllt'),
  false: text('not met', 'nicht erfüllt'),
  unknown: text('cannot be told', 'nicht feststellbar'),
}

const written = ({ text, scalar }: Value): string =>
  text === '' && scalar !== undefined ? scalarText(scalar) : text

const joined = (words: readonly Text[]): Text =>
  text(words.map(({ en }) => en).join(', '), words.map(({ de }) => de).join(', '))

const shown = (values: readonly Value[]): Text => joined(values.map((value) => quoted(written(value))))

/** Nothing for a condition that is told from the clock and the agreement instead of a value of its own. */
function foundWords({ actual, holds }: Judged): Text {
  if (actual === undefined && holds !== undefined) return text('', '')
  if (actual === undefined || actual.length === 0) return text('; no value is known', '; kein Wert bekannt')
  const found = shown(actual)
  return text(`; it is ${found.en}`, `; es ist ${found.de}`)
}

/** What is known of an operand that has words of its own. */
function knownWords({ domain }: Operand, { actual, holds }: Judged): Text {
  if (actual === undefined && holds !== undefined) return text('', '')
  if (actual === undefined || actual.length === 0) return text('; no value is known', '; kein Wert bekannt')
  const found = joined(actual.map((value) => valueWords(domain, written(value))))
  return text(`; found: ${found.en}`, `; festgestellt: ${found.de}`)
}

/** "delete the data" and "die Daten löschen" */
const actionsOf = ({ actions }: OdrlRule): Text => {
  if (actions.length === 0) return text('do anything', 'alles tun')
  const words = actions.map(({ iri }) => actionWords(iri))
  return text(
    listWords(words.map(({ en }) => en)).en,
    listWords(words.map(({ deObject, deVerb }) => `${deObject} ${deVerb}`)).de,
  )
}

function atomText(atom: Atom, judged: Judged): Text {
  const outcome = OUTCOME[verdictName(judged.holds)]
  if (atom.unknown.length > 0) {
    const names = listNames(atom.unknown)
    return text(
      `A condition with ${names.en}, which is not understood: ${outcome.en}.`,
      `Eine Bedingung mit ${names.de}, was nicht verstanden wird: ${outcome.de}.`,
    )
  }
  const known = Object.hasOwn(OPERATORS, atom.operator) ? OPERATORS[atom.operator] : undefined
  const unit = atom.unit === undefined ? '' : ` (${shortName(atom.unit)})`
  const operand = known === undefined ? undefined : operandOf(atom.leftOperand)
  if (operand !== undefined) {
    const asked = conditionWords(operand, {
      kind: 'atomic',
      leftOperand: atom.leftOperand,
      operator: atom.operator,
      rightOperand: atom.values.map(written),
      path: atom.path,
    })
    const found = knownWords(operand, judged)
    return text(
      `${asked.en.replace(/\.$/, '')}${unit}${found.en} – ${outcome.en}.`,
      `${asked.de.replace(/\.$/, '')}${unit}${found.de} – ${outcome.de}.`,
    )
  }
  const operator = known ?? text(`"${atom.operator}"`, `„${atom.operator}“`)
  const found = foundWords(judged)
  return text(
    `${quoted(shortName(atom.leftOperand)).en} must be ${operator.en} ${shown(atom.values).en}${unit}${found.en}: ${outcome.en}.`,
    `${quoted(shortName(atom.leftOperand)).de} muss ${operator.de} ${shown(atom.values).de}${unit} sein${found.de}: ${outcome.de}.`,
  )
}

const CONNECTIVES: Readonly<Record<Exclude<Condition['kind'], 'atom'>, Text>> = {
  and: text('All of these conditions', 'Alle diese Bedingungen'),
  or: text('At least one of these conditions', 'Mindestens eine dieser Bedingungen'),
  xone: text('Exactly one of these conditions', 'Genau eine dieser Bedingungen'),
  andSequence: text('These conditions in this order', 'Diese Bedingungen in dieser Reihenfolge'),
}

export function conditionLines(judged: Judged): readonly TraceLine[] {
  const { condition, holds, parts } = judged
  const verdict = verdictName(holds)
  if (condition.kind === 'atom') return [{ path: condition.path, verdict, text: atomText(condition, judged) }]
  const outcome = OUTCOME[verdict]
  const what = CONNECTIVES[condition.kind]
  return [
    { path: condition.path, verdict, text: text(`${what.en}: ${outcome.en}.`, `${what.de}: ${outcome.de}.`) },
    ...parts.flatMap(conditionLines),
  ]
}

const PREMISES = {
  target: text('The data asked for', 'Die angefragten Daten'),
  party: text('The party that asks', 'Die anfragende Partei'),
  action: text('The action asked for', 'Die angefragte Handlung'),
} as const

const FITS: Readonly<Record<TraceLine['verdict'], Text>> = {
  true: text('is covered by the rule', 'fällt unter die Regel'),
  false: text('is not covered by the rule', 'fällt nicht unter die Regel'),
  unknown: text('may or may not be covered by the rule', 'fällt vielleicht unter die Regel'),
}

function dutyLines(duty: DutyJudged): readonly TraceLine[] {
  const does = actionsOf(duty.rule)
  const state = {
    fulfilled: text('is fulfilled', 'ist erfüllt'),
    violated: text('is violated', 'ist verletzt'),
    open: text('is not shown to be fulfilled', 'ist nicht nachweislich erfüllt'),
  }[duty.state]
  const now = duty.inForce === false ? text(' and does not apply now', ' und gilt jetzt nicht') : text('', '')
  return [
    {
      path: duty.rule.path,
      verdict: verdictName(duty.performed),
      text: text(
        `The duty to ${does.en} ${state.en}${now.en}.`,
        `Die Pflicht „${does.de}“ ${state.de}${now.de}.`,
      ),
    },
    ...duty.constraints.flatMap(conditionLines),
  ]
}

function ruleLines(judged: RuleJudged): readonly TraceLine[] {
  const { rule, applies } = judged
  const verdict = verdictName(applies)
  const outcome = {
    true: text('applies', 'gilt'),
    false: text('does not apply', 'gilt nicht'),
    unknown: text('may or may not apply', 'gilt vielleicht'),
  }[verdict]
  const does = actionsOf(rule)
  const what =
    rule.kind === 'permission'
      ? text(`The permission to ${does.en} ${outcome.en}.`, `Die Erlaubnis „${does.de}“ ${outcome.de}.`)
      : text(`The prohibition "${does.en}" ${outcome.en}.`, `Das Verbot „${does.de}“ ${outcome.de}.`)
  const premises = (['target', 'party', 'action'] as const).flatMap((name) => {
    const premise = judged[name]
    if (premise === undefined) return []
    const fits = FITS[verdictName(premise.holds)]
    const subject = PREMISES[name]
    return [
      {
        path: `${rule.path}.${name === 'party' ? 'assignee' : name}`,
        verdict: verdictName(premise.holds),
        text: text(
          `${subject.en} ${fits.en}.`,
          `${subject.de} ${name === 'target' ? fits.de.replace('fällt', 'fallen') : fits.de}.`,
        ),
      },
    ]
  })
  const strange: readonly TraceLine[] = rule.unknown.map((name) => ({
    path: rule.path,
    verdict: 'unknown',
    text: text(
      `The rule contains ${quoted(name).en}, which is not understood.`,
      `Die Regel enthält ${quoted(name).de}, was nicht verstanden wird.`,
    ),
  }))
  return [
    { path: rule.path, verdict, text: what },
    ...premises,
    ...strange,
    ...[...judged.constraints, ...judged.refinements].flatMap(conditionLines),
    ...judged.duties.flatMap(dutyLines),
  ]
}

/** The same for people: each line behind its number, which tells what belongs to what. */
export function numberedTrace(decision: OdrlDecision, lang: Lang): readonly string[] {
  const counts: number[] = []
  return traceOf(decision).map(({ path, text }) => {
    if (path === '') return text[lang]
    const depth = path.split('.').length
    counts.length = Math.min(counts.length, depth)
    while (counts.length < depth - 1) counts.push(1)
    counts[depth - 1] = (counts[depth - 1] ?? 0) + 1
    return `${'   '.repeat(depth - 1)}${counts.join('.')}. ${text[lang]}`
  })
}

const WHY: Readonly<Record<OdrlDecision['why'], Text>> = {
  permitted: text('Allowed: a permission applies.', 'Erlaubt: Eine Erlaubnis gilt.'),
  'no permission': text('Refused: no permission applies.', 'Abgelehnt: Keine Erlaubnis gilt.'),
  prohibited: text(
    'Refused: a prohibition applies, or cannot be ruled out.',
    'Abgelehnt: Ein Verbot gilt oder ist nicht auszuschließen.',
  ),
  conflict: text(
    'Refused: a permission and a prohibition contradict each other, which makes the policy invalid here.',
    'Abgelehnt: Erlaubnis und Verbot widersprechen sich; dadurch ist die Policy hier ungültig.',
  ),
  'not understood': text(
    'Refused: the policy contains something that is not understood.',
    'Abgelehnt: Die Policy enthält etwas, das nicht verstanden wird.',
  ),
}

export function traceOf(decision: OdrlDecision): readonly TraceLine[] {
  const { policy, rules, obligations, allowed, why } = decision
  return [
    { path: '', verdict: verdictName(allowed), text: WHY[why] },
    ...policy.unknown.map(
      (name): TraceLine => ({
        path: '',
        verdict: 'unknown',
        text: text(
          `The policy contains ${quoted(name).en}, which is not understood.`,
          `Die Policy enthält ${quoted(name).de}, was nicht verstanden wird.`,
        ),
      }),
    ),
    ...rules.flatMap(ruleLines),
    ...obligations.flatMap(dutyLines),
  ]
}
