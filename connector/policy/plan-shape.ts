/** What the shape document of a contract adds to its plan, and what stands against carrying it out. */
import { ok, problem, type Result } from '../core/result.js'
import { decimalUnits } from './ladder.js'
import { delivers, type Noise, type Plan } from './plan.js'
import type { PlanTerms } from './plan-terms.js'
import type { FieldShape, ShapeDocument, ShapeLookup } from './shape.js'
import { quoted, text } from './words.js'

export type ShapedTerms = Omit<Plan, 'version' | 'hash'>

const unsupported = (en: string, de: string): Result<never> => problem('PolicyUnsupported', text(en, de))

/** `PolicyUnsupported` when the document is not at hand or asks for what cannot be kept together with the other terms. */
export function withShape(terms: PlanTerms, lookup: ShapeLookup): Result<ShapedTerms> {
  const [name] = terms.shapes ?? []
  if (name === undefined) return ok(terms)
  const shape = lookup(name)
  if (shape === undefined) {
    return unsupported(
      `The shape document ${name} is not here, so nobody can tell what it asks for. Its provider has to hand it over.`,
      `Das Aufbereitungsdokument ${name} liegt hier nicht vor, also lässt sich nicht sagen, was es verlangt. Sein Anbieter muss es übergeben.`,
    )
  }
  const fields = Object.entries(shape.fields ?? {})
  const noisy = fields.filter(([, { noise }]) => noise !== undefined)
  if (terms.mechanisms !== undefined && noisy.length === 0) {
    return unsupported(
      `Noise is agreed, but the shape document ${name} adds none to any signal.`,
      `Rauschen ist vereinbart, aber das Aufbereitungsdokument ${name} fügt keinem Signal welches hinzu.`,
    )
  }
  const delivered = noisy.filter(([field]) => delivers(terms, field))
  const [first] = delivered
  if (first !== undefined && terms.aggregations?.includes('sum') === true) {
    return unsupported(
      `The sum of ${quoted(first[0]).en} cannot be delivered with noise: it would need more noise the more values a time window has. Possible are mean, min and max.`,
      `Die Summe von ${quoted(first[0]).de} lässt sich nicht mit Rauschen liefern: Sie bräuchte umso mehr davon, je mehr Werte ein Zeitfenster hat. Möglich sind mean, min und max.`,
    )
  }
  const limit = recordsWithin(shape, delivered, terms)
  if (limit === 0) {
    return unsupported(
      `The noiseBudget of the shape document ${name} is smaller than what one record costs, so nothing could be delivered.`,
      `Das noiseBudget des Aufbereitungsdokuments ${name} ist kleiner als das, was ein Eintrag kostet; es könnte also nichts geliefert werden.`,
    )
  }
  return ok({
    ...terms,
    ...(fields.length > 0 && { valueSteps: stepsOf(fields, terms.valueStep) }),
    ...(delivered.length > 0 && { noise: noiseOf(delivered) }),
    ...(shape.pseudonyms !== undefined && {
      pseudonym: 'agreement',
      identifying: [...shape.pseudonyms].sort(),
    }),
    ...(limit !== undefined && { countLimit: Math.min(limit, terms.countLimit ?? limit) }),
  })
}

type Fields = readonly (readonly [string, FieldShape])[]

const byName = <T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))

/** A step for all signals holds as well: the coarser of the two is a multiple of the other. */
const stepsOf = (fields: Fields, common = 0): Readonly<Record<string, number>> =>
  byName(fields.map(([name, { valueStep }]) => [name, Math.max(Number(valueStep), common)]))

const noiseOf = (fields: Fields): Readonly<Record<string, Noise>> =>
  byName(
    fields.flatMap(([name, { noise }]) =>
      noise === undefined
        ? []
        : [[name, { epsilon: Number(noise.epsilon), sensitivity: Number(noise.sensitivity) }] as const],
    ),
  )

/** Of each combined signal every function costs, apart from the number of values, which gets no noise. */
const valuesPerSignal = ({ aggregationWindowMs, aggregations = ['mean'] }: PlanTerms): number =>
  aggregationWindowMs === undefined ? 1 : aggregations.filter((name) => name !== 'count').length

/**
 * Records after which the budget is spent, whole ones only: every value of every record costs its epsilon, and what is
 * delivered again is counted again. undefined when none costs anything.
 */
function recordsWithin(shape: ShapeDocument, noisy: Fields, terms: PlanTerms): number | undefined {
  const each = noisy.reduce((sum, [, { noise }]) => sum + decimalUnits(noise?.epsilon ?? '0'), 0n)
  const cost = each * BigInt(valuesPerSignal(terms))
  return cost === 0n ? undefined : Number(decimalUnits(shape.noiseBudget ?? '0') / cost)
}
