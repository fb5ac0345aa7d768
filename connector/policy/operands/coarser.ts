/** Coarser data: values combined over windows of time, and rounded. The effective step is one of a ladder. */
import type { Text } from '../../core/types.js'
import { stepFor, windowFor } from '../ladder.js'
import { MDP } from '../model.js'
import { durationWords, listWords, text } from '../words.js'
import { plainDecimal } from './domain.js'
import { defineOperand, type Operand } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { normalDuration, readFixedDuration, readOne } from './values.js'

const LARGER = {
  eq: shapingRule('subset'),
  gt: shapingRule('larger'),
  gteq: shapingRule('larger'),
} as const

type Window = NonNullable<ReturnType<typeof windowFor>>

const overWindow = ({ duration }: Window): Text => {
  const { en, de } = durationWords(duration)
  return text(
    `Values are delivered combined over time windows of ${en} only, not one by one.`,
    `Werte werden nur über Zeitfenster von ${de} zusammengefasst geliefert, nicht einzeln.`,
  )
}

const aggregationWindow = defineOperand<Window>({
  iri: `${MDP}aggregationWindow`,
  aliases: ['mdp:aggregationWindow'],
  datatype: 'xsd:duration',
  domain: { kind: 'duration', least: 0 },
  label: text('Length of the windows of aggregation', 'Länge der Zeitfenster bei der Verdichtung'),
  classes: [14, 16],
  operators: LARGER,
  enforcedBy: 'provider',
  temporal: false,
  read: (values, operator) => {
    const read = readFixedDuration(values)
    if ('wrong' in read) return read
    const window = windowFor(operator, read.value.ms)
    if (window !== undefined) return { value: window }
    return {
      wrong: text(
        'No window fits; possible are 1, 5, 10 and 30 seconds or minutes, 1, 3, 6 and 12 hours, and 1, 7 and 28 days.',
        'Kein Zeitfenster passt; möglich sind 1, 5, 10 und 30 Sekunden oder Minuten, 1, 3, 6 und 12 Stunden sowie 1, 7 und 28 Tage.',
      ),
    }
  },
  evaluate: (window) => madeTrue(() => overWindow(window)),
  describe: overWindow,
  contribute: ({ ms }) => ({ aggregationWindowMs: ms }),
  normal: normalDuration,
})

/** In the order in which they are delivered. */
export const FUNCTIONS: Readonly<Record<string, Text>> = {
  mean: text('the mean', 'der Mittelwert'),
  min: text('the smallest value', 'der kleinste Wert'),
  max: text('the largest value', 'der größte Wert'),
  sum: text('the sum', 'die Summe'),
  count: text('the number of values', 'die Anzahl der Werte'),
}

const byFunctions = (names: readonly string[]): Text => {
  const words = names.flatMap((name) => FUNCTIONS[name] ?? [])
  const [en, de] = [listWords(words.map((word) => word.en)).en, listWords(words.map((word) => word.de)).de]
  return text(
    `Of the values in a time window only this is delivered: ${en}.`,
    `Von den Werten eines Zeitfensters wird nur geliefert: ${de}.`,
  )
}

const aggregation = defineOperand<readonly string[]>({
  iri: `${MDP}aggregation`,
  aliases: ['mdp:aggregation'],
  datatype: 'name',
  domain: { kind: 'name' },
  label: text('Functions of aggregation', 'Funktionen der Verdichtung'),
  classes: [14, 16],
  operators: {
    eq: shapingRule('subset'),
    isPartOf: shapingRule('subset'),
    isAnyOf: shapingRule('subset'),
  },
  enforcedBy: 'provider',
  temporal: false,
  read: (values, operator) => {
    const known = (value: string): string | undefined => (Object.hasOwn(FUNCTIONS, value) ? value : undefined)
    const expected = text(
      `one of ${Object.keys(FUNCTIONS).join(', ')}`,
      `eines von ${Object.keys(FUNCTIONS).join(', ')}`,
    )
    if (operator === 'eq' || values.length === 0) {
      const one = readOne(values, known, expected)
      return 'wrong' in one ? one : { value: [one.value] }
    }
    for (const value of values) {
      const one = readOne([value], known, expected)
      if ('wrong' in one) return one
    }
    return { value: Object.keys(FUNCTIONS).filter((name) => values.includes(name)) }
  },
  evaluate: (names) => madeTrue(() => byFunctions(names)),
  describe: byFunctions,
  contribute: (names) => ({ aggregations: names }),
  normal: (value) => value,
})

const inSteps = (step: number): Text => {
  const [en, de] = [
    plainDecimal(step.toFixed(12)) ?? '',
    (plainDecimal(step.toFixed(12)) ?? '').replace('.', ','),
  ]
  return text(
    `Numbers are delivered rounded down to multiples of ${en}.`,
    `Zahlen werden auf Vielfache von ${de} abgerundet geliefert.`,
  )
}

const valueStep = defineOperand<number>({
  iri: `${MDP}valueStep`,
  aliases: ['mdp:valueStep'],
  datatype: 'xsd:decimal',
  domain: { kind: 'decimal', least: 0 },
  label: text('Step to which values are rounded', 'Schrittweite, auf die Werte gerundet werden'),
  classes: [14, 16],
  operators: LARGER,
  enforcedBy: 'provider',
  temporal: false,
  read: (values, operator) =>
    readOne(
      values,
      (value) => {
        const plain = plainDecimal(value)
        return plain === undefined ? undefined : stepFor(operator, plain)
      },
      text(
        'a step such as 0.1, 0.5, 1, 5 or 10; anything between is rounded to the next larger of these',
        'eine Schrittweite wie 0.1, 0.5, 1, 5 oder 10; was dazwischen liegt, gilt als die nächstgrößere davon',
      ),
    ),
  evaluate: (step) => madeTrue(() => inSteps(step)),
  describe: inSteps,
  contribute: (step) => ({ valueStep: step }),
  normal: (value) => plainDecimal(value) ?? value,
})

/** Fewer machines than this are no group, whatever was agreed. */
const LEAST_GROUP = 3

const ofGroup = (machines: number): Text =>
  text(
    `Values are delivered as means over at least ${machines} machines only, each of which counts the same.`,
    `Werte werden nur als Mittel über mindestens ${machines} Maschinen geliefert, von denen jede gleich zählt.`,
  )

const minGroup = defineOperand<number>({
  iri: `${MDP}minGroup`,
  aliases: ['mdp:minGroup'],
  datatype: 'xsd:nonNegativeInteger',
  domain: { kind: 'integer', least: 0 },
  label: text('Least number of machines in a group', 'Mindestzahl von Maschinen in einer Gruppe'),
  classes: [14, 16],
  operators: { gt: shapingRule('larger'), gteq: shapingRule('larger') },
  enforcedBy: 'provider',
  temporal: false,
  read: (values, operator) =>
    readOne(
      values,
      (value) => {
        if (!/^\+?\d{1,6}$/.test(value)) return undefined
        return Math.max(LEAST_GROUP, Number(value) + (operator === 'gt' ? 1 : 0))
      },
      text('a whole number such as 5', 'eine ganze Zahl wie 5'),
    ),
  evaluate: (machines) => madeTrue(() => ofGroup(machines)),
  describe: ofGroup,
  contribute: (machines) => ({ minGroup: machines }),
  normal: (value) => plainDecimal(value) ?? value,
})

export const coarser: readonly Operand[] = [aggregationWindow, aggregation, minGroup, valueStep]
