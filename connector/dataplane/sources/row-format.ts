/** What a file format is to the reader of files. */
import type { NewRecord } from './mapping.js'

export type ParsedRow =
  | NewRecord
  /** Means nothing, such as an empty line. */
  | undefined
  /** A quoted cell is open: the row goes on with the next line. */
  | 'open'
  /** Ends the sentence "... was left out: ". */
  | { readonly why: string }

export type RowReader = { parse(text: string): ParsedRow }

export type RowFormat = {
  /** True when the first line of each file is a heading and no record. */
  readonly hasHeading: boolean
  /** Understands the heading ('' without one); answers what is wrong with it, to end "... cannot be read: ". */
  prepare(heading: string): RowReader | { readonly wrong: string }
}
