/**
 * Shape documents as both sides keep them: the provider's own ones, and those that partners hand over with their offers. A
 * document is found by its hash alone, never changes, and stays as long as something names it.
 */
import { ok, problem, type Result, textOf } from '../core/result.js'
import type { Clock, JsonObject, Text } from '../core/types.js'
import type { StoredShape } from '../domain/agreement.js'
import { NEGOTIATION } from '../domain/negotiation.js'
import { isFinal } from '../domain/process.js'
import { parsePolicy } from '../policy/parse.js'
import {
  hashInName,
  type ShapeDocument,
  type ShapeLookup,
  shapeHash,
  shapeName,
  shapesByName,
  shapesNamed,
  shapeText,
} from '../policy/shape.js'
import { checkShape, readShape } from '../policy/shape-check.js'
import type { Store } from '../store/store.js'
import { shapeMissing } from './contract.js'

export type ShapeDeps = { readonly store: Store; readonly clock: Clock }

/** More than a message names; what is beyond is not looked at. */
const MOST_HANDED_OVER = 16

/** The documents that this connector has. */
export const lookupIn =
  (store: Pick<Store, 'shape'>): ShapeLookup =>
  (name) => {
    const hash = hashInName(name)
    return hash === undefined ? undefined : store.shape(hash)?.document
  }

/** Documents that a partner hands over with a catalog entry, beside those that are here already. */
export function lookupAmong(store: Pick<Store, 'shape'>, texts: readonly string[]): ShapeLookup {
  const read = texts.slice(0, MOST_HANDED_OVER).flatMap((text) => {
    const shape = readShape(text)
    return shape.ok ? [shape.value] : []
  })
  const [given, own] = [shapesByName(read), lookupIn(store)]
  return (name) => given(name) ?? own(name)
}

/** Names of the documents that an offer or agreement names; none for terms that cannot be read. */
export function shapeNamesIn(terms: JsonObject): readonly string[] {
  const policy = parsePolicy(terms)
  return policy.ok ? shapesNamed(policy.value) : []
}

/** The documents that terms name, as far as they are here. */
export const shapesFor = (store: Pick<Store, 'shape'>, terms: JsonObject): readonly ShapeDocument[] =>
  shapeNamesIn(terms).flatMap((name) => lookupIn(store)(name) ?? [])

/** The same as texts, for a message or a catalog. */
export const shapeTextsFor = (store: Pick<Store, 'shape'>, terms: JsonObject): readonly string[] =>
  shapesFor(store, terms).map(shapeText)

/**
 * Keeps of what a partner hands over the documents that its terms name. `PolicyUnsupported` when one is missing then: the
 * terms cannot be judged by anybody.
 */
export async function takeShapes(
  { store, clock }: ShapeDeps,
  partner: string,
  terms: JsonObject,
  handedOver: readonly string[] = [],
): Promise<Result<void>> {
  const missing = shapeNamesIn(terms).filter((name) => lookupIn(store)(name) === undefined)
  if (missing.length === 0) return ok(undefined)
  const read = handedOver.slice(0, MOST_HANDED_OVER).map((text) => readShape(text))
  const given = new Map(
    read.flatMap((one) => (one.ok ? [[shapeName(shapeHash(one.value)), one.value] as const] : [])),
  )
  for (const name of missing) {
    const document = given.get(name)
    if (document === undefined) return notHandedOver(name, read)
    await store.putShape({ hash: shapeHash(document), document, addedAt: clock(), from: partner })
  }
  return ok(undefined)
}

function notHandedOver(name: string, read: readonly Result<ShapeDocument>[]): Result<never> {
  if (read.length === 0) return problem('PolicyUnsupported', shapeMissing(name))
  const fault = read.flatMap((one) => (one.ok ? [] : [textOf(one.error)]))[0]
  const [en, de] = [
    `The terms are shaped by the document ${name}, and the partner handed over`,
    `Die Bedingungen verweisen auf das Aufbereitungsdokument ${name}, und der Partner hat`,
  ]
  return problem(
    'PolicyUnsupported',
    fault === undefined
      ? { en: `${en} another document.`, de: `${de} ein anderes Dokument übergeben.` }
      : {
          en: `${en} a text that is none. ${fault.en}`,
          de: `${de} einen Text übergeben, der keines ist. ${fault.de}`,
        },
  )
}

/** Stores a document of our own. The same one again changes nothing. */
export async function addShape(
  { store, clock }: ShapeDeps,
  json: unknown,
): Promise<Result<{ readonly shape: StoredShape; readonly created: boolean }>> {
  const document = checkShape(json)
  if (!document.ok) return document
  const hash = shapeHash(document.value)
  const known = store.shape(hash)
  if (known !== undefined) return ok({ shape: known, created: false })
  const shape: StoredShape = { hash, document: document.value, addedAt: clock() }
  await store.putShape(shape)
  return ok({ shape, created: true })
}

/** A document by its hash or its name. */
export function findShape(store: Pick<Store, 'shape'>, named: string): Result<StoredShape> {
  const shape = store.shape(hashInName(named) ?? named)
  return shape === undefined
    ? problem('NotFound', {
        en: `There is no shape document ${named.slice(0, 100)}. See: handschlag shape list`,
        de: `Es gibt kein Aufbereitungsdokument ${named.slice(0, 100)}. Siehe: handschlag shape list`,
      })
    : ok(shape)
}

/** More than there will ever be: an open negotiation must not be overlooked behind newer ones. */
const EVERY = { limit: 10_000_000 }

/** What names a document, so that it has to stay. */
function userOf(store: Store, hash: string): Text | undefined {
  const names = (terms: JsonObject): boolean => shapeNamesIn(terms).includes(shapeName(hash))
  const offer = store
    .datasets()
    .flatMap(({ id }) => store.offersOf(id))
    .find(({ policy }) => names(policy))
  if (offer !== undefined) {
    return {
      en: `the offer ${offer.id} of ${offer.datasetId}`,
      de: `das Angebot ${offer.id} von ${offer.datasetId}`,
    }
  }
  const contract = store
    .agreements()
    .find(({ shapes }) => shapes?.some((shape) => shapeHash(shape) === hash) === true)
  if (contract !== undefined) return { en: `the contract ${contract.id}`, de: `der Vertrag ${contract.id}` }
  const negotiation = store
    .list('negotiation', EVERY)
    .find((n) => !isFinal(NEGOTIATION, n.state) && names(n.offer))
  return negotiation === undefined
    ? undefined
    : { en: `the negotiation ${negotiation.pid}`, de: `die Verhandlung ${negotiation.pid}` }
}

/** `Conflict` while an offer, a contract or an open negotiation names it. */
export async function removeShape({ store }: ShapeDeps, named: string): Promise<Result<StoredShape>> {
  const found = findShape(store, named)
  if (!found.ok) return found
  const user = userOf(store, found.value.hash)
  if (user !== undefined) {
    return problem('Conflict', {
      en: `The shape document ${found.value.hash} stays: ${user.en} names it, and without it nobody could tell what was agreed.`,
      de: `Das Aufbereitungsdokument ${found.value.hash} bleibt: ${user.de} nennt es, und ohne es wüsste niemand, was vereinbart ist.`,
    })
  }
  await store.removeShape(found.value.hash)
  return found
}
