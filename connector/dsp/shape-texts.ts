/**
 * Shape documents on the wire: their canonical JSON as texts under one absolute name, in catalog entries beside the offers and
 * in messages beside the terms, where a partner that does not know them leaves them alone.
 */
import { asOne } from './build-catalog.js'
import { CONTENT } from './messages.js'

export const withShapes = (
  shapes: readonly string[] = [],
): { readonly [iri: `https://${string}`]: string | readonly string[] } =>
  shapes.length === 0 ? {} : { [CONTENT.shapes]: asOne(shapes) }

/** The texts in a message or catalog entry, unchecked. */
export function shapesIn(message: object): readonly string[] {
  const value = (message as Record<string, unknown>)[CONTENT.shapes]
  return [value].flat().filter((one) => typeof one === 'string')
}
