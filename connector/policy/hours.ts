/** Times of the day as sets: ascending, disjoint, half-open intervals of milliseconds since local midnight. */

export type Hours = readonly (readonly [from: number, to: number])[]

export const DAY_LENGTH = 86_400_000

/** Milliseconds since midnight of `hh:mm:ss.fff`; finer than a millisecond counts up. Digit by digit, for no float is exact here. */
export function msOfDay(time: string): number {
  const [hours = '0', minutes = '0', seconds = '0'] = time.split(':')
  const [whole = '0', fraction = ''] = seconds.split('.')
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0')) + (/[1-9]/.test(fraction.slice(3)) ? 1 : 0)
  return (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(whole) * 1000 + ms
}

export const commonHours = (a: Hours, b: Hours): Hours =>
  a.flatMap(([from, to]) =>
    b.flatMap(([start, end]) => {
      const [first, last] = [Math.max(from, start), Math.min(to, end)]
      return first < last ? [[first, last] as const] : []
    }),
  )

export function eitherHours(a: Hours, b: Hours): Hours {
  const merged: [number, number][] = []
  for (const [from, to] of [...a, ...b].sort((one, other) => one[0] - other[0])) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

/** The times that a comparison with one time of day holds for. */
export function hoursFor(operator: string, at: number): Hours {
  const next = at + 1
  switch (operator) {
    case 'lt':
      return span(0, at)
    case 'lteq':
      return span(0, next)
    case 'gt':
      return span(next, DAY_LENGTH)
    case 'gteq':
      return span(at, DAY_LENGTH)
    case 'eq':
      return span(at, next)
    case 'neq':
      return [...span(0, at), ...span(next, DAY_LENGTH)]
    default:
      return []
  }
}

const span = (from: number, to: number): Hours => (from < to ? [[from, to]] : [])
