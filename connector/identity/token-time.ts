/** Whether an identity token is valid now, and if not, a sentence from which a wrong clock can be seen. */
import type { EpochMs, JsonObject } from '../core/types.js'

const MAX_LIFETIME = 300_000

/** The sentence for the sender when `iat`, `nbf` or `exp` do not fit the present time; undefined when they do. */
export function expiryProblem(claims: JsonObject, now: EpochMs, maxSkewMs: number): string | undefined {
  const iat = toMs(claims.iat)
  const exp = toMs(claims.exp)
  const nbf = claims.nbf === undefined ? iat : toMs(claims.nbf)
  if (iat === undefined || exp === undefined || nbf === undefined) {
    return 'Your identity token needs iat and exp as numbers of seconds since 1970.'
  }
  if (exp <= iat) return 'Your identity token expires before it was issued.'
  if (exp - iat > MAX_LIFETIME) {
    return `Your identity token is valid for ${span(exp - iat)}; at most ${span(MAX_LIFETIME)} are accepted.`
  }
  const from = Math.max(iat, nbf)
  if (from - maxSkewMs > now) return apart(from, exp, now, from - now)
  // A token is made for one request: how old it is tells how far the clocks differ.
  if (exp + maxSkewMs <= now) return apart(from, exp, now, now - from)
  return undefined
}

function apart(from: number, exp: number, now: number, difference: number): string {
  const sameDay = new Set([from, exp, now].map((at) => text(at).slice(0, 10))).size === 1
  const time = (at: number) => (sameDay ? text(at).slice(11) : text(at))
  return (
    `Your identity token is valid from ${time(from)} to ${time(exp)}, but the time here is ${time(now)}: ` +
    `the two clocks are ${span(difference)} apart. Set the clock (NTP) and send again.`
  )
}

const text = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')

/** The largest unit that leaves a number above one. */
function span(ms: number): string {
  const units = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
    [1_000, 'second'],
  ] as const
  const [size, name] = units.find(([unit]) => Math.round(ms / unit) >= 2) ?? [1_000, 'second']
  const count = Math.round(ms / size)
  return `${count} ${name}${count === 1 ? '' : 's'}`
}

/** NumericDate within the range that dates can have. */
const toMs = (value: unknown): number | undefined =>
  typeof value === 'number' && Math.abs(value) <= 8.64e12 ? value * 1000 : undefined
