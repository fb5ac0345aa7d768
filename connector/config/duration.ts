/** Fixed ISO 8601 durations of settings. Years and months have no fixed length and are refused. */

const FIXED = /^P(?:(\d+)W|(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?)$/

const UNIT_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000] as const

/** Milliseconds of a duration such as `PT24H`, `P7D` or `PT0.5S`; undefined when it is not a fixed one. */
export function parseDuration(text: string): number | undefined {
  const match = FIXED.exec(text)
  if (match === null || text === 'P') return undefined
  const total = UNIT_MS.reduce((sum, unitMs, i) => sum + Number(match[i + 1] ?? 0) * unitMs, 0)
  return Number.isSafeInteger(total) ? total : undefined
}
