/** The operator's view of shape documents: add, list, show, remove. */
import { ok, type Result } from '../core/result.js'
import type { Text } from '../core/types.js'
import { iso } from '../core/types.js'
import type { StoredShape } from '../domain/agreement.js'
import { type ShapeDocument, shapeName } from '../policy/shape.js'
import { shapeWords } from '../policy/shape-words.js'
import { compact, noted } from './operator-view.js'
import { addShape, findShape, removeShape, type ShapeDeps } from './shapes.js'

export type ShapeView = {
  readonly hash: string
  /** As terms name it. */
  readonly name: string
  readonly document: ShapeDocument
  /** What it asks for. */
  readonly text: Text
  /** The partner that handed it over; absent for our own. */
  readonly from?: string
  readonly addedAt: string
}

const view = ({ hash, document, from, addedAt }: StoredShape): ShapeView =>
  compact({
    hash,
    name: shapeName(hash),
    document,
    text: shapeWords(document),
    from,
    addedAt: iso(addedAt),
  })

export function shapeOperations(deps: ShapeDeps) {
  return {
    list: (): { readonly shapes: readonly ShapeView[] } => ({ shapes: deps.store.shapes().map(view) }),

    show(named: string): Result<ShapeView> {
      const found = findShape(deps.store, named)
      return found.ok ? ok(view(found.value)) : found
    },

    /** The same document again is answered as it was; it has one name only. */
    async add(document: unknown, by: string): Promise<Result<ShapeView>> {
      const added = await addShape(deps, document)
      if (!added.ok || !added.value.created) return added.ok ? ok(view(added.value.shape)) : added
      const outcome = await noted(deps, ok(added.value.shape), ({ hash }) => ({
        subject: hash,
        event: 'shape document added',
        by,
      }))
      return outcome.ok ? ok(view(outcome.value)) : outcome
    },

    async remove(named: string, by: string): Promise<Result<void>> {
      const outcome = await noted(deps, await removeShape(deps, named), ({ hash }) => ({
        subject: hash,
        event: 'shape document removed',
        by,
      }))
      return outcome.ok ? ok(undefined) : outcome
    },
  }
}

export type ShapeOperations = ReturnType<typeof shapeOperations>
