/** A refused decision as the sentence that people read, with the clause that it rests on by number and name. */
import type { Text } from '../core/types.js'
import { labelOf, ruleName } from './difference-words.js'
import type { Refusal } from './evaluate.js'
import { text } from './words.js'

/** "Refused: the contract allows use until ..., today is .... (clause 2, time of use)" */
export function refusalText({ because }: Refusal): Text {
  const { en, de } = because.text()
  const place = placeWords(because)
  return text(
    `Refused: ${lowered(en)}${place.en === '' ? '' : ` (${place.en})`}`,
    `Abgelehnt: ${de}${place.de === '' ? '' : ` (${place.de})`}`,
  )
}

const lowered = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1)

function placeWords({ clause, path, operand }: Refusal['because']): Text {
  if (clause === undefined) return text('', '')
  const name = ruleName(/(\w+)(?:\[\d+\])?$/.exec(path)?.[1] ?? '') ?? labelOf(operand)
  return name === undefined
    ? text(`clause ${clause}`, `Klausel ${clause}`)
    : text(`clause ${clause}, ${lowered(name.en)}`, `Klausel ${clause}, ${name.de}`)
}
