/** Looks for something in a partner's catalog on our side of the line (DSP 2025-1, Catalog Protocol, querying). Pure. */
import type { RemoteDataset } from './catalog.js'

/** Everything given has to fit. Upper and lower case do not matter, nor how an accent is encoded. */
export type CatalogSearch = {
  /** Words, each of which stands somewhere in the id, title, description or keywords. */
  readonly text?: string
  /** One whole keyword. */
  readonly keyword?: string
  /** A format that a distribution has, such as HttpData-PULL. */
  readonly format?: string
}

export function matching(
  datasets: readonly RemoteDataset[],
  { text, keyword, format }: CatalogSearch,
): readonly RemoteDataset[] {
  const words = text === undefined ? [] : folded(text).split(/\s+/).filter(Boolean)
  return datasets.filter((dataset) => {
    const { id, title = '', description = '', keywords, formats } = dataset
    const everything = folded([id, title, description, ...keywords].join('\n'))
    return (
      words.every((word) => everything.includes(word)) && among(keywords, keyword) && among(formats, format)
    )
  })
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase()

const among = (texts: readonly string[], wanted: string | undefined): boolean =>
  wanted === undefined || texts.some((text) => folded(text) === folded(wanted))
