/** What a comparison or a check found, in words: the clause that it is about, and the use that shows it. */
import type { Text } from '../core/types.js'
import { KNOWN_ACTIONS } from './action-terms.js'
import { actionWords } from './action-words.js'
import { valueWords } from './condition-words.js'
import { MDP, shortName } from './model.js'
import type { Operand } from './operands/operand.js'
import { leftOperandIri, operandOf } from './registry.js'
import { quoted, text } from './words.js'

/** An operand by the short name that findings use. */
const operandNamed = (name: string): Operand | undefined =>
  operandOf(leftOperandIri(name)) ?? operandOf(MDP + name)

/** What an operand is called; undefined for what is none. */
export const labelOf = (name: string): Text | undefined => operandNamed(name)?.label

/** An action by its short name or its IRI. */
const actionNamed = (name: string): string => KNOWN_ACTIONS.find((iri) => shortName(iri) === name) ?? name

/** A comparison says `within X` where it means whatever is part of a concept. */
function valueSaid({ domain }: Operand, value: string): Text {
  if (!value.startsWith('within ')) return valueWords(domain, value)
  const whole = valueWords(domain, value.slice(7))
  return text(`something within ${whole.en}`, `etwas aus ${whole.de}`)
}

function example(name: string, value: string): Text {
  if (name === 'action') {
    const { en, deObject, deVerb } = actionWords(actionNamed(value))
    return text(en, `${deObject} ${deVerb}`)
  }
  const operand = operandNamed(name)
  const said =
    operand === undefined
      ? quoted(value)
      : value === 'other'
        ? text('another one', 'eine andere Angabe')
        : valueSaid(operand, value)
  const label = labelOf(name) ?? quoted(name)
  return text(`${label.en}: ${said.en}`, `${label.de}: ${said.de}`)
}

/** "Time of use: 1 January 2027; use the data"; undefined when nothing was found. */
export function exampleWords(witness: Readonly<Record<string, string>> | undefined): Text | undefined {
  const parts = Object.entries(witness ?? {}).map(([name, value]) => example(name, value))
  if (parts.length === 0) return undefined
  return text(parts.map(({ en }) => en).join('; '), parts.map(({ de }) => de).join('; '))
}

const RULES: Readonly<Record<string, Text>> = {
  permission: text('permission', 'Erlaubnis'),
  prohibition: text('prohibition', 'Verbot'),
  obligation: text('obligation', 'Verpflichtung'),
  duty: text('duty', 'Pflicht'),
}

export const ruleName = (kind: string): Text | undefined =>
  Object.hasOwn(RULES, kind) ? RULES[kind] : undefined

/** `permission use: dateTime` as "permission (use the data), Time of use"; anything else as it was written. */
export function clauseName(clause: string): Text {
  const [, kind = '', actions = '', of] =
    /^(permission|prohibition|obligation|duty) ([^:]+)(?:: (.+))?$/.exec(clause) ?? []
  const rule = RULES[kind]
  if (rule === undefined) return text(clause, clause)
  const doing = actions.split(', ').map((action) => actionWords(actionNamed(action)))
  const [en, de] = [
    `${rule.en} (${doing.map((one) => one.en).join(', ')})`,
    `${rule.de} (${doing.map((one) => `${one.deObject} ${one.deVerb}`).join(', ')})`,
  ]
  if (of === undefined) return text(en, de)
  const label = labelOf(of) ?? quoted(of)
  return text(`${en}, ${label.en}`, `${de}, ${label.de}`)
}
