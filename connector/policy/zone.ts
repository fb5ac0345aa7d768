/**
 * Clock time in a named zone (IANA time zone database, as it comes with Node). Only ever asked in one direction, from the
 * instant to the clock: what exists twice or not at all on the clock needs no rule of its own then.
 */
import type { EpochMs } from '../core/types.js'
import { DAY_LENGTH } from './hours.js'

export type LocalTime = {
  /** Calendar days since 1 January 1970. */
  readonly day: number
  /** ISO 8601: 1 is Monday. */
  readonly weekday: number
  /** Milliseconds since midnight as the clock shows it. */
  readonly ofDay: number
}

export type Zone = {
  readonly name: string
  local(at: EpochMs): LocalTime
}

/** Every zone changes its offset at a multiple of this, milliseconds. */
export const OFFSET_STEP = 900_000

const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/

/** undefined for a zone that is not known here. */
export function findZone(name: string): Zone | undefined {
  if (!NAME.test(name)) return undefined
  try {
    return zoneBy(
      name,
      new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      }),
    )
  } catch (cause) {
    if (cause instanceof RangeError) return undefined
    throw cause
  }
}

function zoneBy(name: string, format: Intl.DateTimeFormat): Zone {
  let step = Number.NaN
  let offset = 0
  const offsetAt = (at: number): number => {
    const now = Math.floor(at / OFFSET_STEP)
    if (now !== step) {
      offset = clockOf(format, now * OFFSET_STEP) - now * OFFSET_STEP
      step = now
    }
    return offset
  }
  return {
    name,
    local(at) {
      const clock = at + offsetAt(at)
      const day = Math.floor(clock / DAY_LENGTH)
      // 1 January 1970 was a Thursday.
      return { day, weekday: ((((day + 3) % 7) + 7) % 7) + 1, ofDay: clock - day * DAY_LENGTH }
    },
  }
}

/** What the clock shows, as if it were UTC. */
function clockOf(format: Intl.DateTimeFormat, at: number): number {
  const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of format.formatToParts(at)) shown[type] = Number(value)
  const { year = Number.NaN, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** Longest look ahead for a change: every weekly pattern shows itself within it, a week with a changed clock included. */
const LOOK_AHEAD = 15 * DAY_LENGTH

/**
 * First instant behind `at` from which `state` differs; undefined when there is none within two weeks. Inside a day the
 * state may change at `edges` (milliseconds since midnight) and at midnight only.
 */
export function nextChange(
  zone: Zone,
  at: EpochMs,
  edges: readonly number[],
  state: (local: LocalTime) => unknown,
): EpochMs | undefined {
  if (!Number.isFinite(at)) return undefined
  const before = state(zone.local(at))
  const all = [...new Set([0, ...edges])]
  const end = at + LOOK_AHEAD
  for (let start = Math.floor(at / OFFSET_STEP) * OFFSET_STEP; start < end; start += OFFSET_STEP) {
    const { ofDay } = zone.local(start as EpochMs)
    const candidates = all
      .map((edge) => start + ((((edge - ofDay) % DAY_LENGTH) + DAY_LENGTH) % DAY_LENGTH))
      .filter((instant) => instant < start + OFFSET_STEP)
    for (const instant of [start, ...candidates.sort((a, b) => a - b)]) {
      if (instant > at && state(zone.local(instant as EpochMs)) !== before) return instant as EpochMs
    }
  }
  return undefined
}

export const nextDay = (zone: Zone, at: EpochMs): EpochMs | undefined =>
  nextChange(zone, at, [], ({ day }) => day)
