/** What a shape document asks for, in words: every parameter once, in both languages. */
import type { Text } from '../core/types.js'
import { stepsWithin } from './ladder.js'
import type { FieldNoise, FieldShape, ShapeDocument } from './shape.js'
import { listWords, quoted, text } from './words.js'

/** Long enough to tell documents apart at a glance; the whole name stands in the contract. */
const SHOWN_DIGITS = 12

/** A document in a sentence, by the beginning of its hash. */
export const shapeMention = (name: string): Text => {
  const digits = quoted(`${name.replace(/^urn:sha256:/, '').slice(0, SHOWN_DIGITS)}…`)
  return text(`the shape document ${digits.en}`, `das Aufbereitungsdokument ${digits.de}`)
}

const german = (written: string): string => written.replace('.', ',')

/** Two digits that count: nobody can use more of a typical value. */
const rough = (value: number): string => String(Number(value.toPrecision(2)))

/** The mean of the absolute deviation of the two-sided geometric distribution. */
function typicalDeviation({ epsilon, sensitivity }: FieldNoise, step: number): number {
  const perStep = Number(epsilon) / stepsWithin(Number(sensitivity), step)
  return step / Math.sinh(perStep)
}

function fieldWords([name, { valueStep = '', noise }]: readonly [string, FieldShape]): Text {
  const of = quoted(name)
  const rounded = text(
    `${of.en} is rounded down to multiples of ${valueStep}`,
    `${of.de} wird auf Vielfache von ${german(valueStep)} abgerundet`,
  )
  if (noise === undefined) return rounded
  const deviation = rough(typicalDeviation(noise, Number(valueStep)))
  const { epsilon, sensitivity } = noise
  return text(
    `${rounded.en} and changed by a random deviation of typically ±${deviation} (Laplace, epsilon ${epsilon} for values up to ${sensitivity} apart)`,
    `${rounded.de} und um eine zufällige Abweichung von typischerweise ±${german(deviation)} verändert (Laplace, Epsilon ${german(epsilon)} für Werte, die bis zu ${german(sensitivity)} auseinanderliegen)`,
  )
}

/** The clauses of a document, without a full stop. */
function partsOf({ fields = {}, pseudonyms = [] }: ShapeDocument): readonly Text[] {
  const hidden = pseudonyms.map(quoted)
  const [en, de] = [listWords(hidden.map((one) => one.en)).en, listWords(hidden.map((one) => one.de)).de]
  return [
    ...Object.entries(fields).map(fieldWords),
    ...(hidden.length === 0
      ? []
      : [
          text(
            `machines, lines, and also ${en}, get pseudonyms that hold for this contract alone`,
            `Maschinen und Linien sowie ${de} erhalten Pseudonyme, die nur für diesen Vertrag gelten`,
          ),
        ]),
  ]
}

/** Everything the document asks for as one text of whole sentences. */
export function shapeWords(shape: ShapeDocument): Text {
  const parts = partsOf(shape)
  const { noiseBudget } = shape
  const budget =
    noiseBudget === undefined
      ? text('', '')
      : text(
          ` As soon as the epsilons of all delivered values add up to ${noiseBudget}, nothing more is delivered under this contract.`,
          ` Sobald die Epsilons aller gelieferten Werte zusammen ${german(noiseBudget)} erreichen, wird unter diesem Vertrag nichts mehr geliefert.`,
        )
  return text(
    `${parts.map(({ en }) => en).join('; ')}.${budget.en}`,
    `${parts.map(({ de }) => de).join('; ')}.${budget.de}`,
  )
}

/** The clause of a contract that names the document; with the document at hand it says what that asks for. */
export function shapeClause(name: string, shape: ShapeDocument | undefined): Text {
  const { en, de } = shapeMention(name)
  if (shape === undefined) {
    return text(
      `Data is delivered only as ${en} prescribes.`,
      `Daten werden nur so geliefert, wie ${de} es vorschreibt.`,
    )
  }
  const words = shapeWords(shape)
  return text(
    `Data is delivered only as ${en} prescribes: ${words.en}`,
    `Daten werden nur so geliefert, wie ${de} es vorschreibt: ${words.de}`,
  )
}
