/**
 * Shape documents: parameters for single signals that no scalar condition can hold. A document is immutable and named by the
 * SHA-256 of its canonical JSON (RFC 8785); `mdp:shape` refers to it by that name. Numbers are texts, so that no reader rounds them.
 */
import { canonicalize, sha256Hex } from '../core/canonical.js'
import type { JsonObject } from '../core/types.js'
import { type AtomicConstraint, MDP, type Policy } from './model.js'
import { nodesOf } from './nodes.js'

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
