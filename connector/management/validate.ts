/** Checks requests against their schemas and names every mistake at once, in words. Values are never quoted: one may be a secret. */

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { err, message, ok, type Problem, type Result } from '../core/result.js'
import type { Text } from '../core/types.js'
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
      return validate(value) ? ok(value) : err(mistakes(validate.errors ?? [], BODY))
    },
    query(parameters) {
      const validator = lazy(() =>
        queries().compile({ type: 'object', properties: parameters, additionalProperties: false }),
      )
      return (query) => {
        if (Object.keys(query).length === 0) return ok(undefined)
        const validate = validator()
        return validate({ ...query }) ? ok(undefined) : err(mistakes(validate.errors ?? [], QUERY))
      }
    },
  }
}

const BODY: Text = { en: 'The body of the request', de: 'Der Inhalt der Anfrage' }
const QUERY: Text = { en: 'The query of the address', de: 'Die Abfrage in der Adresse' }

function mistakes(errors: readonly ErrorObject[], where: Text): Problem {
  const told = errors.map((error) => sentence(error, where))
  const sentences = [...new Map(told.map((one) => [one.en, one])).values()]
  const named = sentences.slice(0, MAX_NAMED)
  const [first] = named
  if (first !== undefined && sentences.length === 1) return { code: 'InvalidInput', ...message(first) }
  const [problems, problemsDe] = [named.map(({ en }) => en), named.map(({ de }) => de)]
  return {
    code: 'InvalidInput',
    message: `${where.en} has ${sentences.length} mistakes. ${problems.join(' ')}`,
    messageDe: `${where.de} hat ${sentences.length} Fehler. ${problemsDe.join(' ')}`,
    problems,
    problemsDe,
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

const text = (en: string, de: string): Text => ({ en, de })

const TYPES: Readonly<Record<string, Text>> = {
  string: text('text', 'Text'),
  number: text('a number', 'eine Zahl'),
  integer: text('a whole number', 'eine ganze Zahl'),
  boolean: text('true or false', 'true oder false'),
  array: text('a list', 'eine Liste'),
  object: text('an object', 'ein Objekt'),
  null: text('null', 'null'),
}

const typeOf = (value: unknown): Text => {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return TYPES[kind] ?? text('something else', 'etwas anderes')
}

type Told = (error: ErrorObject, subject: Text) => Text

const within = (error: ErrorObject): string => {
  const place = placeOf(error.instancePath)
  return place === '' ? '' : `${place}: `
}

const limited =
  (en: string, de: string): Told =>
  (error, subject) =>
    text(
      `${subject.en} ${en.replace('…', error.params.limit)}.`,
      `${subject.de} ${de.replace('…', error.params.limit)}.`,
    )

const TOLD: Readonly<Record<string, Told>> = {
  additionalProperties: (error) => {
    const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {}).join(', ')
    const name = String(error.params.additionalProperty).slice(0, 100)
    return text(
      `${within(error)}"${name}" is not known here. Known: ${known || 'nothing'}.`,
      `${within(error)}„${name}“ ist hier nicht bekannt. Bekannt: ${known || 'nichts'}.`,
    )
  },
  required: (error) =>
    text(
      `${within(error)}"${error.params.missingProperty}" is missing.`,
      `${within(error)}„${error.params.missingProperty}“ fehlt.`,
    ),
  type: (error, subject) => {
    const types: readonly string[] = [error.params.type].flat()
    const expected = types.map((type) => TYPES[type] ?? text(type, type))
    const found = typeOf(error.data)
    return text(
      `${subject.en} must be ${expected.map(({ en }) => en).join(' or ')}, not ${found.en}.`,
      `${subject.de} muss ${expected.map(({ de }) => de).join(' oder ')} sein, nicht ${found.de}.`,
    )
  },
  enum: (error, subject) => {
    const values = (error.params.allowedValues as unknown[]).join(', ')
    return text(`${subject.en} must be one of ${values}.`, `${subject.de} muss eines davon sein: ${values}.`)
  },
  minLength: limited('must not be empty', 'darf nicht leer sein'),
  maxLength: limited('must have at most … characters', 'darf höchstens … Zeichen haben'),
  maxItems: limited('must have at most … entries', 'darf höchstens … Einträge haben'),
  minimum: limited('must be at least …', 'muss mindestens … sein'),
  maximum: limited('must be at most …', 'darf höchstens … sein'),
}

function sentence(error: ErrorObject, where: Text): Text {
  const place = placeOf(error.instancePath)
  const subject = place === '' ? where : text(`"${place}"`, `„${place}“`)
  const told = TOLD[error.keyword]
  return told === undefined
    ? text(`${subject.en} ${error.message ?? 'is not valid'}.`, `${subject.de} ist nicht gültig.`)
    : told(error, subject)
}
