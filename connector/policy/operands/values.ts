/** Readings of right operands that several left operands share. */
import type { Text } from '../../core/types.js'
import { type Duration, fixedLength, parseDuration } from '../duration.js'
import { quoted, text } from '../words.js'
import type { Reading } from './operand.js'

const wrong = (en: string, de: string): { readonly wrong: Text } => ({ wrong: text(en, de) })

export function readOne<V>(
  values: readonly string[],
  parse: (value: string) => V | undefined,
  expected: Text,
): Reading<V> {
  const [only] = values
  if (only === undefined || values.length > 1) {
    return wrong(
      `The condition needs exactly one value; expected is ${expected.en}.`,
      `Die Bedingung braucht genau einen Wert; erwartet wird ${expected.de}.`,
    )
  }
  const value = parse(only)
  if (value !== undefined) return { value }
  return wrong(
    `The value ${quoted(only).en} is not valid; expected is ${expected.en}.`,
    `Der Wert ${quoted(only).de} ist ungültig; erwartet wird ${expected.de}.`,
  )
}

/** A set of names: at least one, none empty, exact code points after NFC, sorted, each once. */
export function readNames(values: readonly string[]): Reading<readonly string[]> {
  if (values.length === 0) {
    return wrong('The condition needs at least one value.', 'Die Bedingung braucht mindestens einen Wert.')
  }
  const bad = values.find((value) => value.trim() === '' || !value.isWellFormed())
  if (bad !== undefined) {
    return wrong(
      'An empty or damaged name is not a valid value.',
      'Ein leerer oder beschädigter Name ist kein gültiger Wert.',
    )
  }
  return { value: [...new Set(values.map((value) => value.normalize('NFC')))].sort() }
}

/** A duration of fixed length, in milliseconds, with the words of how it was written. */
export type FixedDuration = { readonly ms: number; readonly duration: Duration }

export const readFixedDuration = (values: readonly string[]): Reading<FixedDuration> =>
  readOne(
    values,
    (value) => {
      const duration = parseDuration(value)
      const ms = duration === undefined ? undefined : fixedLength(duration)
      return duration === undefined || ms === undefined ? undefined : { ms, duration }
    },
    text('a duration of fixed length such as PT10S or P1D', 'eine Dauer von fester Länge wie PT10S oder P1D'),
  )

/** P7D and P1W are the same; P1M and P30D are not. */
export function normalDuration(value: string): string {
  const duration = parseDuration(value)
  return duration === undefined ? value : `${duration.months} months ${duration.ms} ms`
}
