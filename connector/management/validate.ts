/** Checks requests against their schemas and names every mistake at once, in words. Values are never quoted: one may be a secret. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { err, ok, type Problem, type Result } from '../core/result.js'
import type { Schema } from './schema.js'
import { SCHEMAS } from './schemas.js'
import type { RequestName } from './schemas-requests.js'

const ROOT = 'urn:handschlag:management'
/** Mistakes named in one answer. */
const MAX_NAMED = 20

const OPTIONS = { allErrors: true, verbose: true, validateFormats: false, allowUnionTypes: true } as const

export type Checks = {
  body(name: RequestName, value: unknown): Result<unknown>
  /** A check of the query of one route, made once. */
  query(parameters: Readonly<Record<string, Schema>>): (query: object) => Result<void>
}

/** Made by `make` when it is first asked for: a connector starts without the checks that nobody needs yet. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

export function createChecks(): Checks {
  const bodies = lazy(() => {
    const ajv = new Ajv2020(OPTIONS)
    ajv.addVocabulary(['components'])
    return ajv.addSchema({ $id: ROOT, components: { schemas: SCHEMAS } })
  })
  // A query is text; numbers in it are read as such.
  const queries = lazy(() => new Ajv2020({ ...OPTIONS, coerceTypes: true }))
  const compiled = new Map<RequestName, ValidateFunction>()

  return {
    body(name, value) {
      let validate = compiled.get(name)
      if (validate === undefined) {
        validate = bodies().compile({ $ref: `${ROOT}#/components/schemas/${name}` })
        compiled.set(name, validate)
      }
      return validate(value) ? ok(value) : err(mistakes(validate.errors ?? [], 'The body of the request'))
    },
    query(parameters) {
      const validator = lazy(() =>
        queries().compile({ type: 'object', properties: parameters, additionalProperties: false }),
      )
      return (query) => {
        if (Object.keys(query).length === 0) return ok(undefined)
        const validate = validator()
        return validate({ ...query })
          ? ok(undefined)
          : err(mistakes(validate.errors ?? [], 'The query of the address'))
      }
    },
  }
}

function mistakes(errors: readonly ErrorObject[], where: string): Problem {
  const sentences = [...new Set(errors.map((error) => sentence(error, where)))]
  const problems = sentences.slice(0, MAX_NAMED)
  const [first = ''] = problems
  if (sentences.length === 1) return { code: 'InvalidInput', message: first }
  return {
    code: 'InvalidInput',
    message: `${where} has ${sentences.length} mistakes. ${problems.join(' ')}`,
    problems,
  }
}

/** `signals[0].type` for `/signals/0/type`. */
const placeOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~').slice(0, 100))
    .reduce(
      (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
      '',
    )

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

const typeOf = (value: unknown): string => {
  if (value === null) return 'null'
  return (Array.isArray(value) ? TYPES.array : TYPES[typeof value]) ?? 'something else'
}

type Told = (error: ErrorObject, subject: string) => string

const within = (error: ErrorObject): string => {
  const place = placeOf(error.instancePath)
  return place === '' ? '' : `${place}: `
}

const TOLD: Readonly<Record<string, Told>> = {
  additionalProperties: (error) => {
    const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {})
    const name = String(error.params.additionalProperty).slice(0, 100)
    return `${within(error)}"${name}" is not known here. Known: ${known.join(', ') || 'nothing'}.`
  },
  required: (error) => `${within(error)}"${error.params.missingProperty}" is missing.`,
  type: (error, subject) => {
    const types: readonly string[] = [error.params.type].flat()
    const expected = types.map((type) => TYPES[type] ?? type).join(' or ')
    return `${subject} must be ${expected}, not ${typeOf(error.data)}.`
  },
  enum: (error, subject) =>
    `${subject} must be one of ${(error.params.allowedValues as unknown[]).join(', ')}.`,
  minLength: (_error, subject) => `${subject} must not be empty.`,
  maxLength: (error, subject) => `${subject} must have at most ${error.params.limit} characters.`,
  maxItems: (error, subject) => `${subject} must have at most ${error.params.limit} entries.`,
  minimum: (error, subject) => `${subject} must be at least ${error.params.limit}.`,
  maximum: (error, subject) => `${subject} must be at most ${error.params.limit}.`,
}

function sentence(error: ErrorObject, where: string): string {
  const place = placeOf(error.instancePath)
  const subject = place === '' ? where : `"${place}"`
  const told = TOLD[error.keyword]
  return told === undefined ? `${subject} ${error.message ?? 'is not valid'}.` : told(error, subject)
}
