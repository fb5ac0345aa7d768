/** Values against the declared type of their signal. What does not match is refused, never converted to fit. */
import type { Scalar, SignalType } from '../record.js'

/** Longest text value, UTF-16 code units. */
export const LONGEST_TEXT = 4_096

/** Ends the sentence 'its signal "x" is not'. */
export const EXPECTED_VALUE: Readonly<Record<SignalType, string>> = {
  number: 'a finite number',
  integer: 'a whole number of at most 53 bits',
  string: `a text of at most ${LONGEST_TEXT} characters`,
  boolean: 'true or false',
}

const FITS: Readonly<Record<SignalType, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: Number.isSafeInteger,
  string: (value) => typeof value === 'string' && value.length <= LONGEST_TEXT && value.isWellFormed(),
  boolean: (value) => typeof value === 'boolean',
}

export const fitsType = (type: SignalType, value: unknown): value is NonNullable<Scalar> => FITS[type](value)

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false }

/** A CSV cell as a value of its type; undefined when it is none. The decimal comma is already a point. */
export function cellValue(type: SignalType, cell: string): NonNullable<Scalar> | undefined {
  if (type === 'string') return fitsType(type, cell) ? cell : undefined
  if (type === 'boolean') return BOOLEANS[cell.toLowerCase()]
  if (!NUMBER.test(cell)) return undefined
  const value = Number(cell)
  return fitsType(type, value) ? value : undefined
}
