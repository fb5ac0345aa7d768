/** Conditions of other vocabularies, said in the terms that the rest of this folder reckons with. */
import { operandOf } from '../registry.js'
import type { Atom } from './policy.js'
import { typedValue } from './read-values.js'

/** The condition that means the same; itself where it is in our own terms, undefined where it means nothing. */
export function inOwnTerms(atom: Atom): Atom | undefined {
  const means = operandOf(atom.leftOperand)?.means
  if (means === undefined) return atom
  const [only, second] = atom.values
  const own = only === undefined || second !== undefined ? undefined : means(atom.operator, only.text)
  if (own === undefined) return undefined
  const { leftOperand, operator, rightOperand } = own
  return { ...atom, leftOperand, operator, values: [typedValue(rightOperand, undefined, leftOperand)] }
}
