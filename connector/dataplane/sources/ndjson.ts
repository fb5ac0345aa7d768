/** Newline-delimited JSON to records, with the same mapping as messages. */
import type { Signal } from '../record.js'
import { createMapMessage, type Mapping } from './mapping.js'
import type { RowFormat } from './row-format.js'

export function createNdjsonFormat(mapping: Mapping, declared: readonly Signal[]): RowFormat {
  const { mapText } = createMapMessage(mapping, declared)
  const parse = (text: string) => {
    if (text.trim() === '') return undefined
    const { records, malformed } = mapText(text, {})
    return records[0] ?? { why: malformed[0]?.why ?? 'it has none of the declared signals' }
  }
  return { hasHeading: false, prepare: () => ({ parse }) }
}
