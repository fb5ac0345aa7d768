/**
 * Reads shape documents strictly: what is not understood is refused, so that a document means the same to everybody who has it.
 * `schemas/shape.schema.json` says the same for those who write one.
 */
import { parseJson } from '../core/json.js'
import { ok, problem, type Result, textOf } from '../core/result.js'
import type { Text } from '../core/types.js'
import { stepFor, stepsWithin } from './ladder.js'
import { plainDecimal } from './operands/domain.js'
import { MOST_SHAPE_BYTES, MOST_SHAPE_FIELDS, SHAPE_TYPE, type ShapeDocument, shapeText } from './shape.js'
import { text } from './words.js'

/** A document as it stands in a file, catalog or message. `InvalidInput` names the first thing that is wrong. */
export function readShape(written: string | Uint8Array): Result<ShapeDocument> {
  const bytes = typeof written === 'string' ? Buffer.from(written, 'utf8') : written
  const json = parseJson(bytes, { maxBytes: 2 * MOST_SHAPE_BYTES, maxDepth: 5 })
  return json.ok ? checkShape(json.value) : wrong(textOf(json.error))
}

/** The same of JSON that has been parsed strictly. */
export function checkShape(json: unknown): Result<ShapeDocument> {
  const fault = faultOf(json)
  if (fault !== undefined) return wrong(fault)
  const canonical = shapeText(json as ShapeDocument)
  const bytes = Buffer.byteLength(canonical)
  // In canonical order, so that both sides put it into the same words.
  return bytes > MOST_SHAPE_BYTES
    ? wrong(
        text(
          `It has ${bytes} bytes; at most ${MOST_SHAPE_BYTES} are accepted.`,
          `Es hat ${bytes} Bytes; höchstens ${MOST_SHAPE_BYTES} werden angenommen.`,
        ),
      )
    : ok(JSON.parse(canonical) as ShapeDocument)
}

const wrong = (why: Text): Result<never> =>
  problem(
    'InvalidInput',
    text(
      `This is no shape document that can be used. ${why.en}`,
      `Das ist kein brauchbares Aufbereitungsdokument. ${why.de}`,
    ),
  )

type Members = { readonly [name: string]: unknown }

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const strange = (value: Members, known: readonly string[], at: string): Text | undefined => {
  const name = Object.keys(value).find((member) => !known.includes(member))
  return name === undefined
    ? undefined
    : text(
        `It has the unknown member ${at}${JSON.stringify(name.slice(0, 60))}.`,
        `Es hat das unbekannte Element ${at}${JSON.stringify(name.slice(0, 60))}.`,
      )
}

function faultOf(json: unknown): Text | undefined {
  if (!isObject(json)) return text('It must be a JSON object.', 'Es muss ein JSON-Objekt sein.')
  const { type, version, fields, pseudonyms, noiseBudget } = json
  const unknown = strange(json, ['type', 'version', 'fields', 'pseudonyms', 'noiseBudget'], '')
  if (unknown !== undefined) return unknown
  if (type !== SHAPE_TYPE) return text(`"type" must be "${SHAPE_TYPE}".`, `„type“ muss „${SHAPE_TYPE}“ sein.`)
  if (version !== '1') return text('"version" must be "1".', '„version“ muss „1“ sein.')
  if (fields === undefined && pseudonyms === undefined)
    return text(
      'It says nothing: give "fields" or "pseudonyms".',
      'Es sagt nichts: Geben Sie „fields“ oder „pseudonyms“ an.',
    )
  return fieldsFault(fields) ?? pseudonymsFault(pseudonyms) ?? budgetFault(fields, noiseBudget)
}

function fieldsFault(fields: unknown): Text | undefined {
  if (fields === undefined) return undefined
  if (!isObject(fields) || Object.keys(fields).length === 0)
    return text('"fields" must name at least one signal.', '„fields“ muss mindestens ein Signal nennen.')
  if (Object.keys(fields).length > MOST_SHAPE_FIELDS) {
    return text(
      `"fields" names more than ${MOST_SHAPE_FIELDS} signals.`,
      `„fields“ nennt mehr als ${MOST_SHAPE_FIELDS} Signale.`,
    )
  }
  for (const [name, field] of Object.entries(fields)) {
    const at = `fields.${JSON.stringify(name.slice(0, 60))}`
    const fault = nameFault(name, at) ?? fieldFault(field, at)
    if (fault !== undefined) return fault
  }
  return undefined
}

const nameFault = (name: unknown, at: string): Text | undefined =>
  typeof name === 'string' &&
  name !== '' &&
  name.length <= 128 &&
  name.isWellFormed() &&
  name === name.normalize('NFC')
    ? undefined
    : text(
        `${at}: a signal has a name of 1 to 128 characters in Unicode normal form C.`,
        `${at}: Ein Signal hat einen Namen von 1 bis 128 Zeichen in der Unicode-Normalform C.`,
      )

function fieldFault(field: unknown, at: string): Text | undefined {
  if (!isObject(field) || Object.keys(field).length === 0) {
    return text(
      `${at} must be an object with "valueStep", or with "valueStep" and "noise".`,
      `${at} muss ein Objekt mit „valueStep“ sein, oder mit „valueStep“ und „noise“.`,
    )
  }
  const unknown = strange(field, ['valueStep', 'noise'], `${at}.`)
  if (unknown !== undefined) return unknown
  const step = decimal(field.valueStep)
  if (step === undefined || stepFor('eq', step) === undefined) {
    return text(
      `${at}.valueStep must be a step such as "0.1", "0.5", "1" or "5", written as a text.`,
      `${at}.valueStep muss eine Schrittweite wie 0.1, 0.5, 1 oder 5 sein, als Text geschrieben.`,
    )
  }
  return field.noise === undefined ? undefined : noiseFault(field.noise, step, `${at}.noise`)
}

/** Of epsilon. Above the upper bound nothing is hidden any more. */
const EPSILON = { least: 0.001, most: 100 } as const
/** Typical deviation in steps up to which doubles draw it faithfully. */
const MOST_STEPS = 1_000_000

function noiseFault(noise: unknown, step: number, at: string): Text | undefined {
  if (!isObject(noise)) return text(`${at} must be an object.`, `${at} muss ein Objekt sein.`)
  const unknown = strange(noise, ['mechanism', 'epsilon', 'sensitivity'], `${at}.`)
  if (unknown !== undefined) return unknown
  if (noise.mechanism !== 'laplace')
    return text(
      `${at}.mechanism must be "laplace"; others are not known here.`,
      `${at}.mechanism muss „laplace“ sein; andere sind hier nicht bekannt.`,
    )
  const epsilon = decimal(noise.epsilon)
  if (epsilon === undefined || epsilon < EPSILON.least || epsilon > EPSILON.most) {
    return text(
      `${at}.epsilon must be a number from ${EPSILON.least} to ${EPSILON.most}, written as a text.`,
      `${at}.epsilon muss eine Zahl von ${EPSILON.least} bis ${EPSILON.most} sein, als Text geschrieben.`,
    )
  }
  const sensitivity = decimal(noise.sensitivity)
  if (sensitivity === undefined) {
    return text(
      `${at}.sensitivity must be a number above 0, written as a text.`,
      `${at}.sensitivity muss eine Zahl über 0 sein, als Text geschrieben.`,
    )
  }
  return stepsWithin(sensitivity, step) / epsilon > MOST_STEPS
    ? text(
        `${at}: the deviation would be more than ${MOST_STEPS} steps of ${written(step)}. Choose a coarser valueStep.`,
        `${at}: Die Abweichung betrüge mehr als ${MOST_STEPS} Schritte von ${written(step)}. Wählen Sie einen gröberen valueStep.`,
      )
    : undefined
}

const written = (step: number): string => plainDecimal(step.toFixed(12)) ?? String(step)

function pseudonymsFault(names: unknown): Text | undefined {
  if (names === undefined) return undefined
  if (!Array.isArray(names) || names.length === 0 || names.length > MOST_SHAPE_FIELDS) {
    return text(
      `"pseudonyms" must be a list of 1 to ${MOST_SHAPE_FIELDS} signals.`,
      `„pseudonyms“ muss eine Liste von 1 bis ${MOST_SHAPE_FIELDS} Signalen sein.`,
    )
  }
  if (new Set(names).size !== names.length) {
    return text('"pseudonyms" names a signal twice.', '„pseudonyms“ nennt ein Signal zweimal.')
  }
  return names.map((name, at) => nameFault(name, `pseudonyms[${at}]`)).find((fault) => fault !== undefined)
}

/** Without a budget nothing would ever stop the deviations from being averaged over more and more records. */
function budgetFault(fields: unknown, budget: unknown): Text | undefined {
  const isNoisy = isObject(fields) && Object.values(fields).some((one) => isObject(one) && 'noise' in one)
  if (!isNoisy) {
    return budget === undefined
      ? undefined
      : text(
          '"noiseBudget" is for documents with noise.',
          '„noiseBudget“ ist für Dokumente mit Rauschen bestimmt.',
        )
  }
  const value = decimal(budget)
  return value === undefined
    ? text(
        '"noiseBudget" must be a number above 0, written as a text: the sum of epsilon of all values that may be delivered under one contract.',
        '„noiseBudget“ muss eine Zahl über 0 sein, als Text geschrieben: die Summe der Epsilons aller Werte, die unter einem Vertrag geliefert werden dürfen.',
      )
    : undefined
}

/** A positive decimal that is written out, with at most twelve digits on each side of the point. */
function decimal(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^(?:0|[1-9]\d{0,11})(?:\.\d{1,12})?$/.test(value)) return undefined
  const number = Number(value)
  return number > 0 ? number : undefined
}
