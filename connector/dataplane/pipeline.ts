/**
 * The shaping pipeline: gate, row filter, project, sample, delay, count, in this order for every contract. A plan and the
 * declared signals are compiled once; records then run through one loop that copies only what is delivered.
 */
import type { EpochMs } from '../core/types.js'
import type { Plan } from '../policy/plan.js'
import type { DataRecord, Signal } from './record.js'
import { type Delay, delayOf } from './stages/delay.js'
import { type Gate, type Opening, openGate, openingOf, reopensBy } from './stages/gate.js'
import { projection } from './stages/project.js'
import { rowFilter } from './stages/rows.js'
import { blockLength, blockStart, createSampler } from './stages/sample.js'

/** The part of the source that somebody asks for. */
export type Window = {
  /** Records earlier than this never reach the sampler: a source may leave out any of them. */
  readonly floor?: EpochMs
  /** Everything up to and including the record at this position is sampled and then discarded. */
  readonly through?: string
  /** With `through`: records up to it that are later than this are kept. */
  readonly keepLaterThan?: EpochMs
  /** Event time, inclusive. */
  readonly from?: EpochMs
  /** Event time, exclusive. */
  readonly to?: EpochMs
}

/** One reading through the pipeline. Has to be offered every record behind the floor, in source order. */
export type Run = {
  /**
   * `removedUntil`: latest event time that the source has removed, asked for after the batch was read. When that is
   * later than all that was seen, records are missing in between, and sampling begins anew behind the blocks they were
   * in: what is left of a block would be sampled differently each time, and the differences add up to finer data.
   */
  shape(batch: readonly DataRecord[], removedUntil?: EpochMs): readonly DataRecord[]
  /** False until the record at `through` has been seen. */
  passed(): boolean
  /** Goes on as if the record at `through` had been seen. */
  pass(): void
}

export type Shape = {
  readonly plan: Plan
  /** Signals that can appear in a delivered record. */
  readonly columns: readonly string[]
  readonly gate: Gate
  /** Recurring times of delivery; absent when the plan names none. */
  readonly opening?: Opening
  /** When a gate that is closed now opens by itself; undefined when it does not. */
  readonly reopens: (now: EpochMs) => EpochMs | undefined
  /** Absent when the plan does not sample. */
  readonly samplingIntervalMs?: number
  readonly delayMs: number
  readonly due: Delay
  run(window: Window): Run
}

export function compileShape(plan: Plan, signals: readonly Signal[], recipient: string): Shape {
  const { columns, remains, apply } = projection(plan, signals)
  const interval = plan.samplingIntervalMs ?? 0
  const keeps = rowFilter(plan, signals)

  const opening = openingOf(plan)

  return {
    plan,
    columns,
    gate: openGate(plan, recipient, opening),
    reopens: reopensBy(plan, recipient, opening),
    ...(opening !== undefined && { opening }),
    ...(interval > 0 && { samplingIntervalMs: interval }),
    delayMs: plan.deliveryDelayMs ?? 0,
    due: delayOf(plan.deliveryDelayMs),
    run: (window) => {
      const { through, keepLaterThan = Number.POSITIVE_INFINITY } = window
      let floor: number = window.floor ?? Number.NEGATIVE_INFINITY
      let peak = Number.NEGATIVE_INFINITY
      const from = window.from ?? Number.NEGATIVE_INFINITY
      const to = window.to ?? Number.POSITIVE_INFINITY
      const sampler = interval > 0 ? createSampler(interval) : undefined
      let passed = through === undefined

      return {
        passed: () => passed,
        pass: () => {
          passed = true
        },
        shape: (batch, removedUntil) => {
          const shaped: DataRecord[] = []
          if (sampler !== undefined && removedUntil !== undefined && removedUntil > peak) {
            floor = Math.max(floor, blockStart(interval, removedUntil) + blockLength(interval))
          }
          for (const record of batch) {
            const { time } = record
            if (time > peak) peak = time
            const asked = passed || time > keepLaterThan
            if (!passed && record.position === through) passed = true
            if (time < floor) continue
            if (keeps !== undefined && !keeps(record)) continue
            if (!remains(record.values)) continue
            // The sampler is told series and time only: it cannot see a field that projection removes.
            if (sampler !== undefined && !sampler.take(record.series, time)) continue
            if (asked && time >= from && time < to) shaped.push(apply(record))
          }
          return shaped
        },
      }
    },
  }
}
