/** The axes of a space that speak of time: of the instant of use, and of what clocks on the wall show at that instant. */
import { MDP, ODRL } from '../model.js'
import type { Axis } from './axis.js'
import type { Box } from './boxes.js'
import { LOCAL } from './canonical.js'
import { type Dial, type Shown, shows } from './clock.js'

/** Instants are looked for so many times in one space; a policy of rules for people needs a few. */
const MAX_SEARCHES = 256

const FREE: Shown = { answer: 'yes' }
const UNKNOWN: Shown = { answer: 'unknown' }

type TimeAxis = { readonly leftOperand: string; readonly isOfUse: boolean; readonly zone: string }

export class Clocks {
  readonly #axes: readonly Axis[]
  readonly #instants: number[] = []
  readonly #dials: (Pick<Dial, 'kind' | 'zone'> & { readonly at: number; readonly isOfUse: boolean })[] = []
  readonly #shown = new Map<string, Shown>()

  /** @param axes of the space, which may still grow */
  constructor(axes: readonly Axis[]) {
    this.#axes = axes
  }

  /** Takes note of an axis when it speaks of time. */
  add(at: number, { leftOperand, isOfUse, zone }: TimeAxis): void {
    if (leftOperand === `${ODRL}dateTime` && isOfUse) this.#instants.push(at)
    if (!LOCAL.has(leftOperand)) return
    this.#dials.push({ at, kind: leftOperand === `${MDP}dayOfWeek` ? 'weekday' : 'time', zone, isOfUse })
  }

  /** Whether the axis is that of a clock on the wall. */
  has(at: number): boolean {
    return this.#dials.some((dial) => dial.at === at)
  }

  /** Weekdays and times of day follow from the instant, and so does what clocks of several zones show. */
  shown(box: Box): Shown {
    if (this.#dials.length === 0) return FREE
    const dials = this.#dials.filter(({ at }) => box[at] !== undefined)
    if (dials.some(({ isOfUse }) => !isOfUse)) return UNKNOWN
    const [instant, second] = this.#instants
    const cells = instant === undefined ? undefined : box[instant]
    const isFree = cells === undefined && new Set(dials.map(({ zone }) => zone)).size <= 1
    if (dials.length === 0 || isFree) return FREE
    const key = JSON.stringify([cells, ...dials.map(({ at }) => [at, box[at]])], (_name, value: unknown) =>
      typeof value === 'bigint' ? value.toString(36) : value,
    )
    const known = this.#shown.get(key)
    if (known !== undefined) return known
    const points = instant === undefined ? [] : this.#axes[instant]?.points
    const read = dials.flatMap(({ at, kind, zone }) => {
      const [axis, on] = [this.#axes[at], box[at]]
      return axis?.points === undefined || on === undefined
        ? []
        : [{ kind, zone, points: axis.points, cells: on & axis.possible }]
    })
    const isReadable = points !== undefined && read.length === dials.length && second === undefined
    const found: Shown = isReadable && this.#shown.size < MAX_SEARCHES ? shows(points, cells, read) : UNKNOWN
    this.#shown.set(key, found)
    return found
  }
}
