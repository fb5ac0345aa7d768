/**
 * Shape documents: parameters for single signals that no scalar condition can hold. A document is immutable and named by the
 * SHA-256 of its canonical JSON (RFC 8785); `mdp:shape` refers to it by that name. Numbers are texts, so that no reader rounds them.
 */
import { canonicalize, sha256Hex } from '../core/canonical.js'
import { parseJson } from '../core/json.js'
import { ok, problem, type Result } from '../core/result.js'
import type { JsonObject } from '../core/types.js'
import { stepFor, stepsWithin } from './ladder.js'
import { type AtomicConstraint, MDP, type Policy } from './model.js'
import { nodesOf } from './nodes.js'
import { plainDecimal } from './operands/domain.js'

export const SHAPE_TYPE = `${MDP}Shape`
/** Longest document, bytes of its canonical JSON: it stands in catalogs and messages. */
export const MOST_SHAPE_BYTES = 16_384
export const MOST_SHAPE_FIELDS = 200
export const MECHANISMS = ['laplace'] as const
export type Mechanism = (typeof MECHANISMS)[number]

export type FieldNoise = {
  readonly mechanism: Mechanism
  /** How well one delivered value may tell two true values apart that lie up to `sensitivity` from each other. */
  readonly epsilon: string
  readonly sensitivity: string
}

export type FieldShape = {
  /** A step of the ladder. */
  readonly valueStep?: string
  readonly noise?: FieldNoise
}

export type ShapeDocument = {
  readonly type: typeof SHAPE_TYPE
  readonly version: '1'
  readonly fields?: { readonly [name: string]: FieldShape }
  /** Signals that are replaced by pseudonyms, beside those that identify anyway. */
  readonly pseudonyms?: readonly string[]
  /** Sum of epsilon over all values that are ever delivered under one contract. */
  readonly noiseBudget?: string
}

/** Finds a document by its name, `urn:sha256:...`; undefined when it is not at hand. */
export type ShapeLookup = (name: string) => ShapeDocument | undefined

export const shapeText = (shape: ShapeDocument): string => canonicalize(shape as unknown as JsonObject)
export const shapeHash = (shape: ShapeDocument): string => sha256Hex(shapeText(shape))
export const shapeName = (hash: string): string => `urn:sha256:${hash}`

/** The hash in a name; undefined for what is no name of a shape document. */
export const hashInName = (name: string): string | undefined => /^urn:sha256:([0-9a-f]{64})$/.exec(name)?.[1]

/** The document that a constraint names; undefined for any other constraint. */
export function shapeNamed({ leftOperand, operator, rightOperand }: AtomicConstraint): string | undefined {
  if (leftOperand !== `${MDP}shape` || operator !== 'eq') return undefined
  const [only, more] = typeof rightOperand === 'string' ? [rightOperand] : rightOperand
  return only !== undefined && more === undefined && hashInName(only) !== undefined ? only : undefined
}

/** Every document that a policy names, wherever it does, each once and sorted. */
export function shapesNamed(policy: Policy): readonly string[] {
  const names = nodesOf(policy).flatMap((node) =>
    node.kind === 'constraint' && node.constraint.kind === 'atomic'
      ? (shapeNamed(node.constraint) ?? [])
      : [],
  )
  return [...new Set(names)].sort()
}

/** Documents by name, for a lookup. */
export function shapesByName(shapes: readonly ShapeDocument[] = []): ShapeLookup {
  const known = new Map(shapes.map((shape) => [shapeName(shapeHash(shape)), shape]))
  return (name) => known.get(name)
}

/** A document as it stands in a file, catalog or message. `InvalidInput` names the first thing that is wrong. */
export function readShape(text: string | Uint8Array): Result<ShapeDocument> {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
  const json = parseJson(bytes, { maxBytes: 2 * MOST_SHAPE_BYTES, maxDepth: 5 })
  return json.ok ? checkShape(json.value) : wrong(json.error.message)
}

/** The same of JSON that has been parsed strictly. */
export function checkShape(json: unknown): Result<ShapeDocument> {
  const fault = faultOf(json)
  if (fault !== undefined) return wrong(fault)
  const text = shapeText(json as ShapeDocument)
  const bytes = Buffer.byteLength(text)
  // In canonical order, so that both sides put it into the same words.
  return bytes > MOST_SHAPE_BYTES
    ? wrong(`It has ${bytes} bytes; at most ${MOST_SHAPE_BYTES} are accepted.`)
    : ok(JSON.parse(text) as ShapeDocument)
}

const wrong = (why: string): Result<never> =>
  problem('InvalidInput', `This is no shape document that can be used. ${why}`)

type Members = { readonly [name: string]: unknown }

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const strange = (value: Members, known: readonly string[], at: string): string | undefined => {
  const name = Object.keys(value).find((member) => !known.includes(member))
  return name === undefined
    ? undefined
    : `It has the unknown member ${at}${JSON.stringify(name.slice(0, 60))}.`
}

function faultOf(json: unknown): string | undefined {
  if (!isObject(json)) return 'It must be a JSON object.'
  const { type, version, fields, pseudonyms, noiseBudget } = json
  const unknown = strange(json, ['type', 'version', 'fields', 'pseudonyms', 'noiseBudget'], '')
  if (unknown !== undefined) return unknown
  if (type !== SHAPE_TYPE) return `"type" must be "${SHAPE_TYPE}".`
  if (version !== '1') return '"version" must be "1".'
  if (fields === undefined && pseudonyms === undefined)
    return 'It says nothing: give "fields" or "pseudonyms".'
  return fieldsFault(fields) ?? pseudonymsFault(pseudonyms) ?? budgetFault(fields, noiseBudget)
}

function fieldsFault(fields: unknown): string | undefined {
  if (fields === undefined) return undefined
  if (!isObject(fields) || Object.keys(fields).length === 0) return '"fields" must name at least one signal.'
  if (Object.keys(fields).length > MOST_SHAPE_FIELDS) {
    return `"fields" names more than ${MOST_SHAPE_FIELDS} signals.`
  }
  for (const [name, field] of Object.entries(fields)) {
    const at = `fields.${JSON.stringify(name.slice(0, 60))}`
    const fault = nameFault(name, at) ?? fieldFault(field, at)
    if (fault !== undefined) return fault
  }
  return undefined
}

const nameFault = (name: unknown, at: string): string | undefined =>
  typeof name === 'string' &&
  name !== '' &&
  name.length <= 128 &&
  name.isWellFormed() &&
  name === name.normalize('NFC')
    ? undefined
    : `${at}: a signal has a name of 1 to 128 characters in Unicode normal form C.`

function fieldFault(field: unknown, at: string): string | undefined {
  if (!isObject(field) || Object.keys(field).length === 0) {
    return `${at} must be an object with "valueStep", or with "valueStep" and "noise".`
  }
  const unknown = strange(field, ['valueStep', 'noise'], `${at}.`)
  if (unknown !== undefined) return unknown
  const step = decimal(field.valueStep)
  if (step === undefined || stepFor('eq', step) === undefined) {
    return `${at}.valueStep must be a step such as "0.1", "0.5", "1" or "5", written as a text.`
  }
  return field.noise === undefined ? undefined : noiseFault(field.noise, step, `${at}.noise`)
}

/** Of epsilon. Above the upper bound nothing is hidden any more. */
const EPSILON = { least: 0.001, most: 100 } as const
/** Typical deviation in steps up to which doubles draw it faithfully. */
const MOST_STEPS = 1_000_000

function noiseFault(noise: unknown, step: number, at: string): string | undefined {
  if (!isObject(noise)) return `${at} must be an object.`
  const unknown = strange(noise, ['mechanism', 'epsilon', 'sensitivity'], `${at}.`)
  if (unknown !== undefined) return unknown
  if (noise.mechanism !== 'laplace') return `${at}.mechanism must be "laplace"; others are not known here.`
  const epsilon = decimal(noise.epsilon)
  if (epsilon === undefined || epsilon < EPSILON.least || epsilon > EPSILON.most) {
    return `${at}.epsilon must be a number from ${EPSILON.least} to ${EPSILON.most}, written as a text.`
  }
  const sensitivity = decimal(noise.sensitivity)
  if (sensitivity === undefined) return `${at}.sensitivity must be a number above 0, written as a text.`
  return stepsWithin(sensitivity, step) / epsilon > MOST_STEPS
    ? `${at}: the deviation would be more than ${MOST_STEPS} steps of ${field(step)}. Choose a coarser valueStep.`
    : undefined
}

const field = (step: number): string => plainDecimal(step.toFixed(12)) ?? String(step)

function pseudonymsFault(names: unknown): string | undefined {
  if (names === undefined) return undefined
  if (!Array.isArray(names) || names.length === 0 || names.length > MOST_SHAPE_FIELDS) {
    return `"pseudonyms" must be a list of 1 to ${MOST_SHAPE_FIELDS} signals.`
  }
  if (new Set(names).size !== names.length) return '"pseudonyms" names a signal twice.'
  return names.map((name, at) => nameFault(name, `pseudonyms[${at}]`)).find((fault) => fault !== undefined)
}

/** Without a budget nothing would ever stop the deviations from being averaged over more and more records. */
function budgetFault(fields: unknown, budget: unknown): string | undefined {
  const isNoisy = isObject(fields) && Object.values(fields).some((one) => isObject(one) && 'noise' in one)
  if (!isNoisy) return budget === undefined ? undefined : '"noiseBudget" is for documents with noise.'
  const value = decimal(budget)
  return value === undefined
    ? '"noiseBudget" must be a number above 0, written as a text: the sum of epsilon of all values that may be delivered under one contract.'
    : undefined
}

/** A positive decimal that is written out, with at most twelve digits on each side of the point. */
function decimal(written: unknown): number | undefined {
  if (typeof written !== 'string' || !/^(?:0|[1-9]\d{0,11})(?:\.\d{1,12})?$/.test(written)) return undefined
  const value = Number(written)
  return value > 0 ? value : undefined
}
