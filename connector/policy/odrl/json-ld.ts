/**
 * JSON-LD as ODRL documents use it: inline contexts with prefixes and terms, keywords, graphs whose nodes refer to each
 * other. Contexts are never fetched; a bare name means the ODRL term of that name. No JSON makes it throw.
 */
import { MDP, ODRL } from '../model.js'
import { isMap, type JsonMap } from '../spelling.js'

const PREFIXES: Readonly<Record<string, string>> = {
  odrl: ODRL,
  mdp: MDP,
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
  owl: 'http://www.w3.org/2002/07/owl#',
  skos: 'http://www.w3.org/2004/02/skos/core#',
  dct: 'http://purl.org/dc/terms/',
  dcterms: 'http://purl.org/dc/terms/',
  dc: 'http://purl.org/dc/elements/1.1/',
  foaf: 'http://xmlns.com/foaf/0.1/',
  schema: 'http://schema.org/',
  prov: 'http://www.w3.org/ns/prov#',
  vcard: 'http://www.w3.org/2006/vcard/ns#',
  edc: 'https://w3id.org/edc/v0.0.1/ns/',
  'cx-policy': 'https://w3id.org/catenax/policy/',
  report: 'https://w3id.org/force/compliance-report#',
}

/** Vocabularies that describe a document and change nothing about what it allows. */
const ANNOTATIONS: readonly string[] = [
  PREFIXES.dct ?? '',
  PREFIXES.dc ?? '',
  PREFIXES.rdfs ?? '',
  PREFIXES.skos ?? '',
  PREFIXES.schema ?? '',
  'https://schema.org/',
  PREFIXES.foaf ?? '',
  PREFIXES.prov ?? '',
  PREFIXES.vcard ?? '',
]

export const isAnnotation = (iri: string): boolean => ANNOTATIONS.some((prefix) => iri.startsWith(prefix))

export type Context = {
  readonly prefixes: ReadonlyMap<string, string>
  readonly terms: ReadonlyMap<string, string>
  readonly vocab: string | undefined
}

const EMPTY: Context = { prefixes: new Map(Object.entries(PREFIXES)), terms: new Map(), vocab: undefined }

const KEYWORDS: Readonly<Record<string, string>> = { uid: '@id', id: '@id', type: '@type' }

/** The context with everything that an `@context` member declares inline; addresses of contexts are not followed. */
function extended(context: Context, declared: unknown): Context {
  if (Array.isArray(declared)) return declared.reduce<Context>(extended, context)
  if (!isMap(declared)) return context
  const prefixes = new Map(context.prefixes)
  const terms = new Map(context.terms)
  let { vocab } = context
  for (const [name, value] of Object.entries(declared)) {
    const id = isMap(value) ? value['@id'] : value
    if (name === '@vocab') vocab = typeof id === 'string' ? id : undefined
    if (typeof id !== 'string' || name.startsWith('@')) continue
    if (/[#/:?=]$/.test(id) && !id.startsWith('@')) prefixes.set(name, id)
    terms.set(name, id)
  }
  return { prefixes, terms, vocab }
}

/** The absolute IRI of a compact one; anything else stays as it is. */
export function expandIri(context: Context, written: string): string {
  const colon = written.indexOf(':')
  if (colon < 1 || written.startsWith('//', colon + 1)) return written
  const prefix = context.prefixes.get(written.slice(0, colon))
  return prefix === undefined ? written : prefix + written.slice(colon + 1)
}

/** A property name: the bare name for the ODRL vocabulary, the absolute IRI or keyword for everything else. */
function expandKey(context: Context, key: string): string {
  const term = context.terms.get(key)
  const meant = term ?? (Object.hasOwn(KEYWORDS, key) ? (KEYWORDS[key] ?? key) : key)
  const iri = expandIri(context, meant)
  if (iri.startsWith(ODRL)) {
    const name = iri.slice(ODRL.length)
    return name === 'uid' ? '@id' : name
  }
  if (iri === 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type') return '@type'
  return iri
}

/** A node with expanded names; what stands in it is expanded when it is looked at. */
export type Node = {
  readonly id: string | undefined
  readonly types: readonly string[]
  readonly members: ReadonlyMap<string, readonly unknown[]>
  readonly context: Context
  /** Members written more than once under different spellings are joined; this one is the text as it was. */
  readonly source: JsonMap
}

export type Document = {
  readonly nodes: readonly Node[]
  readonly byId: ReadonlyMap<string, Node>
}

const listOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value.flatMap(listOf)
  if (isMap(value) && Object.keys(value).length === 1) {
    const inner = value['@list'] ?? value['@set']
    if (inner !== undefined) return listOf(inner)
  }
  // Null stays: who wrote it meant something, and nobody knows what.
  return value === undefined ? [] : [value]
}

function nodeOf(object: JsonMap, outer: Context): Node {
  const context = object['@context'] === undefined ? outer : extended(outer, object['@context'])
  const members = new Map<string, readonly unknown[]>()
  let id: string | undefined
  const types: string[] = []
  for (const [key, value] of Object.entries(object)) {
    if (key === '@context') continue
    const name = expandKey(context, key)
    if (name === '@id') {
      const [only] = listOf(value)
      const text = isMap(only) ? only['@id'] : only
      if (typeof text === 'string') id = expandIri(context, text)
    } else if (name === '@type') {
      for (const type of listOf(value)) {
        const text = isMap(type) ? type['@id'] : type
        if (typeof text === 'string')
          types.push(shortType(expandIri(context, context.terms.get(text) ?? text)))
      }
    } else {
      members.set(name, [...(members.get(name) ?? []), ...listOf(value)])
    }
  }
  return { id, types, members, context, source: object }
}

const shortType = (iri: string): string => (iri.startsWith(ODRL) ? iri.slice(ODRL.length) : iri)

/** All nodes of a document at its top, and every node that has a name, wherever it stands. */
export function readDocument(json: unknown): Document {
  const byId = new Map<string, Node>()
  const collect = (value: unknown, context: Context, into: Node[] | undefined): void => {
    if (Array.isArray(value)) {
      for (const inner of value) collect(inner, context, into)
      return
    }
    if (!isMap(value) || '@value' in value) return
    if (value['@set'] !== undefined && Object.keys(value).length === 1) {
      collect(value['@set'], context, into)
      return
    }
    const node = nodeOf(value, context)
    const graph = value['@graph']
    if (graph !== undefined) collect(graph, node.context, into)
    else into?.push(node)
    if (node.id !== undefined && node.members.size > 0 && !byId.has(node.id)) byId.set(node.id, node)
    for (const values of node.members.values()) collect(values, node.context, undefined)
  }
  const nodes: Node[] = []
  collect(json, EMPTY, nodes)
  return { nodes, byId }
}

/** The node behind a value: the object itself, or the one it refers to by its name. */
export function nodeAt(document: Document, value: unknown, context: Context): Node | undefined {
  if (typeof value === 'string') return document.byId.get(expandIri(context, value))
  if (!isMap(value) || '@value' in value) return undefined
  const node = nodeOf(value, context)
  const isReference = node.id !== undefined && node.members.size === 0
  return isReference ? (document.byId.get(node.id ?? '') ?? node) : node
}

/** The name in a value: a string, or an object that has an `@id`. */
export function nameIn(value: unknown, context: Context): string | undefined {
  if (typeof value === 'string') return expandIri(context, value)
  if (!isMap(value)) return undefined
  const text = value['@id'] ?? value['@value'] ?? value.uid ?? value.id
  return typeof text === 'string' ? expandIri(context, text) : undefined
}
