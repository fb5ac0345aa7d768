/**
 * Checks messages against the JSON Schemas in `schemas/dsp` and says in words what is wrong with them.
 * The schemas say what we send. What partners send is read a little more generously: RELAXED lists every difference.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Ajv2019, type ErrorObject, type ValidateFunction } from 'ajv/dist/2019.js'
import { ok, problem, type Result } from '../core/result.js'
import type { MessageName, Messages } from './messages.js'

/** `lenient`: incoming, from a partner whose policies may be empty. */
export type Direction = 'incoming' | 'lenient' | 'outgoing'

export type Validate = <K extends MessageName>(
  name: K,
  body: unknown,
  direction?: Direction,
) => Result<Messages[K]>

type Relaxation = {
  readonly schema: MessageName | 'definitions'
  /** Where in the schema, key by key. */
  readonly at: readonly string[]
  /** What stands there instead for incoming messages; absent: nothing. */
  readonly to?: unknown
  readonly because: string
  /** Only for partners that this was decided for. */
  readonly lenient?: true
}

// biome-ignore format: a table reads best aligned
export const RELAXED: readonly Relaxation[] = [
  { schema: 'definitions', at: ['$defs', 'context'],
    to: { $ref: '#/$defs/contextOrUrl' },
    because: 'a bare context URL is the same context' },
  { schema: 'definitions', at: ['$defs', 'rightOperand', 'type'], to: ['string', 'object', 'array', 'number', 'boolean'],
    because: 'EDC emits bare numbers' },
  { schema: 'definitions', at: ['$defs', 'rightOperand', 'items', 'type'], to: ['string', 'object', 'number', 'boolean'],
    because: 'EDC emits bare numbers' },
  { schema: 'definitions', at: ['$defs', 'timestamp'], to: { $ref: '#/$defs/localDateTime' },
    because: 'xsd:dateTime allows a time without an offset' },
  { schema: 'definitions', at: ['$defs', 'catalogOffer', 'required'], to: ['@id'],
    because: 'below hasPolicy nothing but an Offer can stand' },
  { schema: 'definitions', at: ['$defs', 'catalogOffer', 'allOf'], to: [{ $ref: '#/$defs/policyRules' }],
    because: 'one empty offer, which EDC shows, must not hide the rest of a catalog; as a message it is refused' },
  { schema: 'definitions', at: ['$defs', 'distribution', 'required'], to: ['format', 'accessService'],
    because: 'below distribution nothing but a Distribution can stand' },
  { schema: 'definitions', at: ['$defs', 'dataAddress', 'properties', 'endpointProperties', 'minItems'],
    because: 'no properties and an empty list of them are the same' },
  { schema: 'definitions', at: ['$defs', 'hasRule'], to: {}, lenient: true,
    because: 'EDC leaves an empty policy without any key; taken only from partners of whom the operator wants it' },
  { schema: 'Catalog', at: ['required'], to: ['@context', 'participantId'],
    because: 'only the text of the specification asks for a data service, not its schema' },
  { schema: 'ContractNegotiationError', at: ['required'], to: ['@context', '@type'],
    because: 'EDC leaves the pids out' },
  { schema: 'TransferError', at: ['required'], to: ['@context', '@type'],
    because: 'EDC leaves the pids out' },
  { schema: 'VersionResponse', at: ['$defs', 'version', 'properties', 'binding'], to: { type: 'string' },
    because: 'a partner may speak other bindings as well' },
]

/** Deepest nesting that is looked into. The deepest legitimate policy needs about a dozen levels. */
const MAX_DEPTH = 64
/** Values in a message up to which every mistake is searched for; beyond it the first one has to do. */
const MAX_EXPLAINED = 1_000
/** Mistakes that a sentence names. */
const MAX_NAMED = 3
/** Longest value that is repeated to the sender, characters. */
const MAX_ECHO = 80

/** Compiles a schema when a message of its name is first met. Throws when the installation has no schemas. */
export function createValidator(folder = findSchemas(import.meta.dirname)): Validate {
  const compilers = {
    outgoing: compiler(folder, 'outgoing'),
    incoming: compiler(folder, 'incoming'),
    lenient: compiler(folder, 'lenient'),
  }
  return <K extends MessageName>(name: K, body: unknown, direction: Direction = 'incoming') => {
    const walk = { left: MAX_EXPLAINED, unfit: '' }
    inspect(body, MAX_DEPTH, walk)
    if (walk.unfit !== '') return problem('InvalidMessage', `${name} is not valid: ${walk.unfit}.`)
    const compile = compilers[direction]
    const check = compile(name, 'first')
    if (check(body)) return ok(body as Messages[K])
    const thorough = walk.left > 0 ? compile(name, 'all') : check
    if (thorough !== check) thorough(body)
    const wrong = explain(thorough.errors ?? [])
    if (wrong.length === 0) throw new Error(`The schema of ${name} refuses without a reason.`)
    const more = wrong.length > MAX_NAMED ? `; and ${wrong.length - MAX_NAMED} more` : ''
    return problem('InvalidMessage', `${name} is not valid: ${wrong.slice(0, MAX_NAMED).join('; ')}${more}.`)
  }
}

/** The folder `schemas/dsp` of this package, which is above the source, above `dist` and above an installed copy. */
export function findSchemas(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'handschlag') {
      return join(folder, 'schemas', 'dsp')
    }
    if (folder === dirname(folder)) {
      throw new Error(
        `The schemas of Handschlag were not found above ${from}: the installation is incomplete. Install the package again.`,
      )
    }
  }
}

type Mode = 'first' | 'all'

function compiler(folder: string, direction: Direction): (name: MessageName, mode: Mode) => ValidateFunction {
  const compiled = new Map<string, ValidateFunction>()
  const engines = new Map<Mode, Ajv2019>()
  const engine = (mode: Mode): Ajv2019 => {
    const ready = engines.get(mode)
    if (ready !== undefined) return ready
    const ajv = new Ajv2019({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      allErrors: mode === 'all',
      // The error then carries the schema it comes from, and with it our own words for it.
      verbose: true,
      // A test checks the schemas against their meta-schema; doing it again would cost every start.
      meta: false,
      validateSchema: false,
    })
    ajv.addVocabulary(['x-expected'])
    ajv.addSchema(load(folder, 'definitions', direction), 'definitions.schema.json')
    engines.set(mode, ajv)
    return ajv
  }
  return (name, mode) => {
    const key = `${mode} ${name}`
    const ready = compiled.get(key)
    if (ready !== undefined) return ready
    const check = engine(mode).compile(load(folder, name, direction))
    compiled.set(key, check)
    return check
  }
}

type SchemaNode = { [key: string]: unknown }

function load(folder: string, name: string, direction: Direction): SchemaNode {
  const { $schema: _, ...schema }: SchemaNode = JSON.parse(
    readFileSync(join(folder, `${name}.schema.json`), 'utf8'),
  )
  if (direction === 'outgoing') return schema
  for (const { schema: of, at, to, lenient } of RELAXED) {
    if (of !== name || (lenient === true && direction !== 'lenient')) continue
    const key = at.at(-1) ?? ''
    const node = at.slice(0, -1).reduce((inner, step) => inner[step] as SchemaNode, schema)
    if (to === undefined) delete node[key]
    else node[key] = to
  }
  return schema
}

/** What a schema cannot say: depth, numbers that JSON cannot carry on, and text that cannot be signed (RFC 8785). */
function inspect(value: unknown, depth: number, walk: { left: number; unfit: string }): void {
  walk.left--
  if (typeof value === 'string') {
    if (!value.isWellFormed()) walk.unfit = 'it contains text that is not well-formed Unicode'
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) walk.unfit = 'it contains a number that is too large'
  } else if (typeof value === 'object' && value !== null) {
    if (depth === 0) walk.unfit = `it is nested deeper than ${MAX_DEPTH} levels`
    else if (Array.isArray(value)) for (const item of value) inspect(item, depth - 1, walk)
    else
      for (const key in value) {
        inspect(key, depth, walk)
        inspect((value as SchemaNode)[key], depth - 1, walk)
      }
  }
}

/** One phrase for each mistake, without the errors that only repeat that a part of a composite failed. */
function explain(errors: readonly ErrorObject[]): readonly string[] {
  const composites = errors.filter(
    (e) => e.keyword === 'anyOf' || e.keyword === 'oneOf' || e.keyword === 'contains',
  )
  const phrases = errors
    .filter((e) => e.keyword !== 'if')
    .filter((e) => !composites.some((c) => e.schemaPath.startsWith(`${c.schemaPath}/`)))
    .map(phrase)
  return [...new Set(phrases)]
}

function phrase(error: ErrorObject): string {
  const place = placeOf(error.instancePath)
  const expected: unknown = error.parentSchema?.['x-expected']
  const subject = place === '' ? 'it' : place
  switch (error.keyword) {
    case 'required':
      return `${place === '' ? '' : `${place}.`}${error.params.missingProperty} is missing`
    case 'minItems':
    case 'minLength':
      return `${subject} must not be empty`
    case 'type':
      return `${subject} must be ${[error.params.type].flat().map(typeWord).join(' or ')}`
    case 'const':
      return `${subject} ${echo(error.data)}, expected "${error.params.allowedValue}"`
    case 'enum':
      return `${subject} ${echo(error.data)}, expected one of ${error.params.allowedValues.join(', ')}`
    case 'pattern':
      return `${subject} ${echo(error.data)}, expected ${expected}`
    default:
      return `${subject} ${expected ?? 'is wrong'}`
  }
}

const TYPE_WORDS: { readonly [type: string]: string } = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
}
const typeWord = (type: string): string => TYPE_WORDS[type] ?? type

/** `/offer/permission/0/action` as people write it: `offer.permission[0].action`. */
const placeOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '')

function echo(value: unknown): string {
  if (value === null) return 'is null'
  if (Array.isArray(value)) return 'is a list'
  if (typeof value !== 'string') return `is ${TYPE_WORDS[typeof value]}`
  return value.length <= MAX_ECHO ? `is ${JSON.stringify(value)}` : `is a text of ${value.length} characters`
}
