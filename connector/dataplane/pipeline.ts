/**
 * The shaping pipeline: gate, row filter, pseudonymise, project, sample, aggregate, round and noise, delay, count, in this order for every
 * contract. A plan and the declared signals are compiled once; records then run through one loop that copies only what is delivered.
 */
import type { EpochMs } from '../core/types.js'
import type { Plan } from '../policy/plan.js'
import type { DataRecord, Scalar, Signal } from './record.js'
import {
  type Aggregation,
  aggregateColumns,
  createAggregator,
  DEFAULT_FUNCTIONS,
} from './stages/aggregate.js'
import { type Delay, delayOf } from './stages/delay.js'
import {
  type Gate,
  type Opening,
  openGate,
  openingOf,
  type Standing,
  standingFor,
  type Waiting,
  waitingAt,
} from './stages/gate.js'
import { projection } from './stages/project.js'
import { pseudonymsOf } from './stages/pseudonym.js'
import { type Finish, finishOf } from './stages/round.js'
import { machineFor, rowFilter } from './stages/rows.js'
import { blockLength, blockStart, createSampler } from './stages/sample.js'

/** The part of the source that somebody asks for. */
export type Window = {
  /** Records earlier than this never reach the sampler: a source may leave out any of them. */
  readonly floor?: EpochMs
  /** The same for windows of aggregation: earlier ones are neither filled nor delivered. A start of one. */
  readonly windowFloor?: EpochMs
  /** Everything up to and including the record at this position is sampled and then discarded. */
  readonly through?: string
  /** With `through` and aggregation: results of the window it closes up to this one are discarded; absent means all. */
  readonly throughNth?: number
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
  /** Whether it is worth while to wait behind a gate that is closed now, and until when. */
  readonly waiting: (now: EpochMs) => Waiting | undefined
  /** Conditions that can change at any time; absent when the plan has none. */
  readonly standing?: Standing
  /** Absent when the plan does not sample. */
  readonly samplingIntervalMs?: number
  /** Absent when the plan does not aggregate. */
  readonly windowMs?: number
  readonly delayMs: number
  readonly due: Delay
  run(window: Window): Run
}

export function compileShape(
  plan: Plan,
  signals: readonly Signal[],
  recipient: string,
  pseudonymKey?: Uint8Array,
  judged?: Standing,
): Shape {
  const { columns, remains, apply } = projection(plan, signals)
  const interval = plan.samplingIntervalMs ?? 0
  const keeps = rowFilter(plan, signals)
  const rename = pseudonymsOf(plan, signals, pseudonymKey)
  const opening = openingOf(plan)
  const standing = standingFor(plan, judged)
  const last = finishOf(plan, pseudonymKey)
  const aggregation = aggregationOf(plan, signals, columns, last)
  // A group is one of machines, whatever the series of the source are. Its members are counted and never delivered.
  const machineOf = plan.minGroup === undefined ? undefined : machineFor(signals)
  const finish = last === undefined ? apply : (record: DataRecord) => finished(apply(record), last)

  return {
    plan,
    columns: aggregation === undefined ? columns : aggregateColumns(aggregation),
    gate: openGate(plan, recipient, opening, judged),
    waiting: waitingAt(plan, recipient, opening, judged),
    ...(standing !== undefined && { standing }),
    ...(opening !== undefined && { opening }),
    ...(interval > 0 && { samplingIntervalMs: interval }),
    ...(aggregation !== undefined && { windowMs: aggregation.windowMs }),
    delayMs: plan.deliveryDelayMs ?? 0,
    due: delayOf(plan.deliveryDelayMs, aggregation?.windowMs),
    run: (window) => {
      const {
        through,
        keepLaterThan = Number.POSITIVE_INFINITY,
        throughNth = Number.POSITIVE_INFINITY,
      } = window
      let floor: number = window.floor ?? Number.NEGATIVE_INFINITY
      let windowFloor: number = window.windowFloor ?? Number.NEGATIVE_INFINITY
      let peak = Number.NEGATIVE_INFINITY
      const from = window.from ?? Number.NEGATIVE_INFINITY
      const to = window.to ?? Number.POSITIVE_INFINITY
      const sampler = interval > 0 ? createSampler(interval) : undefined
      const aggregator = aggregation === undefined ? undefined : createAggregator(aggregation)
      let passed = through === undefined

      /** What is left of a block or window after a removal is not what it was: both begin anew behind it. */
      const beginBehind = (removedUntil: EpochMs): void => {
        if (sampler !== undefined) {
          floor = Math.max(floor, blockStart(interval, removedUntil) + blockLength(interval))
        }
        if (aggregation === undefined) return
        const { windowMs } = aggregation
        const whole = Math.max(removedUntil + 1, floor)
        windowFloor = Math.max(windowFloor, Math.ceil(whole / windowMs) * windowMs)
      }

      return {
        passed: () => passed,
        pass: () => {
          passed = true
        },
        shape: (batch, removedUntil) => {
          const shaped: DataRecord[] = []
          if (removedUntil !== undefined && removedUntil > peak) beginBehind(removedUntil)
          for (const offered of batch) {
            const { time } = offered
            if (time > peak) peak = time
            const before = passed
            if (!passed && offered.position === through) passed = true
            if (time < floor) continue
            if (keeps !== undefined && !keeps(offered)) continue
            const record = rename === undefined ? offered : rename(offered)
            if (!remains(record.values)) continue
            // The sampler is told series and time only: it cannot see a field that projection removes.
            if (sampler !== undefined && !sampler.take(record.series, time)) continue
            if (aggregator === undefined) {
              const asked = before || time > keepLaterThan
              if (asked && time >= from && time < to) shaped.push(finish(record))
              continue
            }
            if (time < windowFloor) continue
            const member = machineOf === undefined ? record : { ...record, series: machineOf(record) }
            for (const { record: result, nth } of aggregator.add(member)) {
              const { time: start } = result
              const asked = before || (passed && nth > throughNth) || start > keepLaterThan
              if (asked && start >= windowFloor && start >= from && start < to) shaped.push(result)
            }
          }
          return shaped
        },
      }
    },
  }
}

function aggregationOf(
  plan: Plan,
  signals: readonly Signal[],
  columns: readonly string[],
  finish: Finish | undefined,
): Aggregation | undefined {
  const { aggregationWindowMs: windowMs, aggregations = DEFAULT_FUNCTIONS } = plan
  if (windowMs === undefined) return undefined
  const numbers = signals.filter(({ type }) => type === 'number' || type === 'integer')
  const left = new Set(columns)
  return {
    windowMs,
    signals: numbers.map(({ name }) => name).filter((name) => left.has(name)),
    functions: aggregations,
    finish,
    minGroup: plan.minGroup,
  }
}

function finished(record: DataRecord, finish: Finish): DataRecord {
  const { series, time } = record
  const values: Record<string, Scalar> = {}
  for (const [name, value] of Object.entries(record.values)) {
    const result = finish(value, { signal: name, column: name, series, time })
    if (result !== undefined) values[name] = result
  }
  return { ...record, values }
}
