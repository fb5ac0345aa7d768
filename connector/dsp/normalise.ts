/**
 * Brings a message into the plain form of DSP 2025-1: partners that process JSON-LD may write terms with a prefix or as full
 * IRIs, wrap values in `@id` and `@value`, and lists of one as they like. A message in plain form comes back as it is,
 * the very same object. No context is ever fetched; what is not of the protocol stays untouched.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { Json, JsonObject } from '../core/types.js'
import { DESCRIPTION, DSP_CONTEXT, type MessageName, type Messages } from './messages.js'
import type { Validate } from './validate.js'

const DSPACE = 'https://w3id.org/dspace/2025/1/'
const ODRL = 'http://www.w3.org/ns/odrl/2/'
const DCAT = 'http://www.w3.org/ns/dcat#'
const DCT = 'http://purl.org/dc/terms/'

/** Prefixes as everybody uses them; a context of the message may say otherwise. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  ['dspace', DSPACE],
  ['odrl', ODRL],
  ['dcat', DCAT],
  ['dct', DCT],
  ['dcterms', DCT],
])

/** What a value of a term may be, and so how it is unwrapped. */
type Kind =
  /** One text. */
  | 'text'
  /** One term of a vocabulary, bare. */
  | 'term'
  /** An ODRL action: bare only where the context of DSP has the bare word. */
  | 'action'
  /** An ODRL left operand: it keeps its prefix, as everybody writes it. */
  | 'operand'
  /** One object. */
  | 'object'
  /** One object, or only its id. */
  | 'reference'
  /** A list of objects, even when there is one only. */
  | 'objects'
  /** A list of anything. */
  | 'list'
  /** One text or a list of them. */
  | 'texts'
  /** Values of a constraint. */
  | 'values'

type Term = { readonly in: readonly string[]; readonly kind: Kind }

const terms = (namespace: string, kind: Kind, names: string): readonly (readonly [string, Term])[] =>
  names.split(/\s+/).map((name) => [name, { in: [namespace], kind }])

const TERMS: ReadonlyMap<string, Term> = new Map([
  ...terms(
    DSPACE,
    'text',
    'consumerPid providerPid callbackAddress code agreementId participantId timestamp',
  ),
  ...terms(DSPACE, 'text', 'endpointType endpoint name value'),
  ...terms(DSPACE, 'term', 'state eventType'),
  ...terms(DSPACE, 'object', 'offer agreement dataAddress'),
  ...terms(DSPACE, 'objects', 'endpointProperties'),
  ...terms(DSPACE, 'list', 'reason filter'),
  ...terms(ODRL, 'text', 'target assigner assignee'),
  ...terms(ODRL, 'action', 'action'),
  ...terms(ODRL, 'term', 'operator'),
  ...terms(ODRL, 'operand', 'leftOperand'),
  ...terms(ODRL, 'values', 'rightOperand'),
  ...terms(ODRL, 'texts', 'profile'),
  ...terms(ODRL, 'objects', 'hasPolicy permission prohibition obligation duty constraint'),
  ...terms(ODRL, 'objects', 'and or xone andSequence'),
  ...terms(DCAT, 'text', 'endpointURL'),
  ...terms(DCAT, 'reference', 'accessService'),
  ...terms(DCAT, 'objects', 'distribution service catalog'),
  ...terms(DCT, 'text', 'format'),
  // DatasetRequestMessage has one by its id, Catalog has a list of them.
  ['dataset', { in: [DSPACE, DCAT], kind: 'objects' }],
])

/** Terms that have no plain name in DSP, by their IRI: the prefix of its context is the normal form. */
const DESCRIBED: ReadonlyMap<string, string> = new Map([
  [`${DCT}title`, DESCRIPTION.title],
  [`${DCT}description`, DESCRIPTION.description],
  [`${DCAT}keyword`, DESCRIPTION.keyword],
])
/** What describes a dataset is text, whatever it is wrapped in. */
const DESCRIPTIONS: ReadonlySet<string> = new Set(Object.values(DESCRIPTION))

/**
 * @returns `InvalidMessage` when a term is there in two spellings, because two readers could then see two messages
 */
export function normalise(message: Json): Result<Json> {
  // JSON-LD, "Expanded Document Form": a list of nodes, here always one.
  const node = Array.isArray(message) && message.length === 1 ? message[0] : message
  if (!isObject(node)) return ok(message)
  const reader = readerOf(node)
  const plain = object(node, reader)
  if (reader.twice !== undefined) {
    return problem('InvalidMessage', {
      en: `The term "${reader.twice}" is there twice, in two spellings.`,
      de: `Der Begriff „${reader.twice}“ steht zweimal da, in zwei Schreibweisen.`,
    })
  }
  return ok(withContext(plain, node, reader))
}

/** A message in whatever spelling, in plain form and checked. */
export function readMessage<K extends MessageName>(
  validate: Validate,
  name: K,
  json: Json,
): Result<Messages[K]> {
  const plain = normalise(json)
  return plain.ok ? validate(name, plain.value) : plain
}

/** A member of a message exactly as it was received, under whatever name it has there. */
export function asReceived(message: Json, name: string): Json | undefined {
  const node = Array.isArray(message) && message.length === 1 ? message[0] : message
  if (!isObject(node)) return undefined
  const reader = readerOf(node)
  const key = Object.keys(node).find((written) => plainName(written, reader) === name)
  const value = key === undefined ? undefined : node[key]
  return Array.isArray(value) && value.length === 1 ? value[0] : value
}

type Reader = {
  readonly prefixes: ReadonlyMap<string, string>
  /** Without a context every value is wrapped, also those that are not of the protocol. */
  readonly expanded: boolean
  twice: string | undefined
}

const readerOf = (node: JsonObject): Reader => ({
  prefixes: prefixesOf(node['@context']),
  expanded: node['@context'] === undefined,
  twice: undefined,
})

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Inline contexts may name namespaces; everything else in them is not looked at. */
function prefixesOf(context: Json | undefined): ReadonlyMap<string, string> {
  const inline = [context].flat().filter(isObject)
  if (inline.length === 0) return PREFIXES
  const named = inline
    .flatMap((one) => Object.entries(one))
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && /[/#]$/.test(entry[1]))
  return new Map([...PREFIXES, ...named])
}

/** The absolute IRI of a key or term; undefined for a bare word. */
function iriOf(written: string, { prefixes }: Reader): string | undefined {
  const colon = written.indexOf(':')
  if (colon === -1) return undefined
  const namespace = written.startsWith('//', colon + 1) ? undefined : prefixes.get(written.slice(0, colon))
  return namespace === undefined ? written : namespace + written.slice(colon + 1)
}

/** The plain name of a key; a key that is not of the protocol stays as it is. */
function plainName(key: string, reader: Reader): string {
  const iri = iriOf(key, reader)
  if (iri === undefined) return key
  const described = DESCRIBED.get(iri)
  if (described !== undefined) return described
  const [namespace, name] = split(iri)
  return TERMS.get(name)?.in.includes(namespace) === true ? name : key
}

const split = (iri: string): readonly [namespace: string, name: string] => {
  const end = Math.max(iri.lastIndexOf('/'), iri.lastIndexOf('#')) + 1
  return [iri.slice(0, end), iri.slice(end)]
}

/** Copies only when something is another way than it should be. */
function object(node: JsonObject, reader: Reader): JsonObject {
  const entries = Object.entries(node)
  const names = new Set<string>()
  let changed = false
  const plain = entries.map(([key, value]): [string, Json] => {
    const name = plainName(key, reader)
    if (names.has(name)) reader.twice ??= name
    names.add(name)
    const read = member(name, value, reader)
    changed ||= name !== key || read !== value
    return [name, read]
  })
  return changed ? Object.fromEntries(plain) : node
}

function member(name: string, value: Json, reader: Reader): Json {
  if (name === '@type') return vocabularyTerm(value, reader, CLASSES)
  if (DESCRIPTIONS.has(name)) return UNWRAP.texts(value, reader)
  const kind = TERMS.get(name)?.kind
  if (kind !== undefined) return UNWRAP[kind](value, reader)
  return reader.expanded && name.includes(':') ? foreign(value, reader) : value
}

const UNWRAP: Readonly<Record<Kind, (value: Json, reader: Reader) => Json>> = {
  text: (value) => scalar(value),
  term: (value, reader) => vocabularyTerm(value, reader, [DSPACE, ODRL]),
  action: (value, reader) => {
    const written = operand(value, reader)
    return written === 'odrl:use' ? 'use' : written
  },
  operand: (value, reader) => operand(value, reader),
  object: (value, reader) => {
    const one = only(value)
    return isObject(one) ? object(one, reader) : one
  },
  reference: (value, reader) => {
    const one = only(value)
    return isObject(one) ? idAlone(object(one, reader)) : one
  },
  objects: (value, reader) => {
    const list = listOf(value)
    if (!Array.isArray(list)) return scalar(list)
    const [first] = list
    // The id of what the list would hold, expanded.
    if (list.length === 1 && isObject(first) && '@value' in first) return valueIn(first)
    return each(list, (one) => (isObject(one) ? object(one, reader) : one))
  },
  list: (value) => {
    const list = listOf(value)
    return Array.isArray(list) ? each(list, scalar) : [scalar(list)]
  },
  texts: (value) => {
    const list = isObject(value) && '@list' in value ? listOf(value) : value
    if (!Array.isArray(list)) return scalar(list)
    const [one] = list
    return list.length === 1 && isObject(one) ? scalar(one) : each(list, scalar)
  },
  values: (value) => {
    const list = isObject(value) && '@list' in value ? listOf(value) : value
    if (!Array.isArray(list)) return untyped(list)
    const [one] = list
    return list.length === 1 && isObject(one) ? untyped(one) : each(list, untyped)
  },
}

/** Members that are not of the protocol, such as signatures: the values, and objects as deep as they go. */
function foreign(value: Json, reader: Reader): Json {
  if (Array.isArray(value)) {
    const [one] = value
    return value.length === 1 && one !== undefined
      ? foreign(one, reader)
      : each(value, (item) => foreign(item, reader))
  }
  if (!isObject(value)) return value
  const plain = valueIn(value)
  return isObject(plain) ? object(plain, reader) : plain
}

const CLASSES = [DSPACE, ODRL, DCAT]

/** The same list when every item stays the same. */
function each(list: readonly Json[], change: (item: Json) => Json): readonly Json[] {
  const changed = list.map(change)
  return changed.every((item, i) => item === list[i]) ? list : changed
}

/** JSON-LD reads one value and a list of one alike. */
const only = (value: Json): Json =>
  Array.isArray(value) && value.length === 1 && value[0] !== undefined ? value[0] : value

/** A list for what is one; a bare text stays, because it may be the id of what the list would hold. */
function listOf(value: Json): Json {
  if (isObject(value)) {
    const inner = value['@list'] ?? value['@set']
    return Array.isArray(inner) ? inner : [value]
  }
  return value
}

/** The text in `{"@id"}` or `{"@value"}`, also in a list of one; anything else stays. */
function scalar(value: Json): Json {
  const one = only(value)
  return isObject(one) ? valueIn(one) : one
}

function valueIn(wrapped: JsonObject): Json {
  const plain = wrapped['@value'] ?? wrapped['@id']
  const others = Object.keys(wrapped).filter((key) => key !== '@value' && key !== '@id' && key !== '@type')
  const alone = others.length === 0 && plain !== undefined
  return alone && (wrapped['@value'] !== undefined || wrapped['@type'] === undefined) ? plain : wrapped
}

/** A value of a constraint keeps a type that stands beside it: its meaning is for the policy to judge. */
const untyped = (value: Json): Json =>
  isObject(value) && value['@type'] === undefined ? valueIn(value) : value

/** An object that only names something is its name. */
const idAlone = (value: JsonObject): Json => {
  const keys = Object.keys(value)
  const id = value['@id']
  return keys.length === 1 && id !== undefined ? id : value
}

function vocabularyTerm(value: Json, reader: Reader, namespaces: readonly string[]): Json {
  const one = scalar(value)
  if (typeof one !== 'string') return one
  const iri = iriOf(one, reader)
  if (iri === undefined) return one
  const [namespace, name] = split(iri)
  return namespaces.includes(namespace) ? name : one
}

function operand(value: Json, reader: Reader): Json {
  const one = scalar(value)
  if (typeof one !== 'string' || one.startsWith('odrl:')) return one
  const iri = iriOf(one, reader)
  return iri?.startsWith(ODRL) === true ? `odrl:${iri.slice(ODRL.length)}` : one
}

/** Contexts that are not addresses have been read. A type of our namespace says what the context of DSP would say. */
function withContext(plain: JsonObject, received: JsonObject, reader: Reader): JsonObject {
  const context = plain['@context']
  const inline = [context].flat().some(isObject)
  const type = scalar(received['@type'] ?? null)
  const spelledOut = typeof type === 'string' && iriOf(type, reader) !== undefined && plain['@type'] !== type
  if (!inline && !spelledOut) return plain
  const urls = [context].flat().filter((one): one is string => typeof one === 'string')
  const missing = spelledOut && !urls.includes(DSP_CONTEXT) ? [DSP_CONTEXT] : []
  return { ...plain, '@context': [...missing, ...urls] }
}
