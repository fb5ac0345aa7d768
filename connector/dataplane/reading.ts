/**
 * Reads a record source through the pipeline, from where the receiver wants it. A sampled reading begins at the
 * start of a block, before the wanted place, because what is taken must not depend on where somebody begins.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { err, ok, type Problem, type Result } from '../core/result.js'
import type { EpochMs } from '../core/types.js'
import type { Run, Shape, Window } from './pipeline.js'
import type { RecordSource } from './ports.js'
import type { DataRecord } from './record.js'
import { readPlace, windowIndex } from './stages/aggregate.js'
import { MAX_AHEAD } from './stages/delay.js'
import { blockLength, blockStart } from './stages/sample.js'

/** Records looked at before everything else in the program gets its turn: a source in memory never waits by itself. */
const TURN = 4096

/** Where to begin and end. `fresh`: behind what the receiver could have had until now. */
export type Wanted = {
  readonly after?: string
  readonly from?: EpochMs
  readonly to?: EpochMs
  readonly fresh?: true
}

export type Reading = {
  /** Shaped batches up to the present end of the source; called again, goes on behind it. `about`: see ReadQuery. */
  read(signal: AbortSignal, about?: number): AsyncGenerator<readonly DataRecord[], void>
  /**
   * What the next `about` records of the source come to, at once, when the source can do that; `read` goes on behind them.
   * `ended`: this was the present end.
   */
  take?(about: number): { readonly shaped: readonly DataRecord[]; readonly ended: boolean }
  /** The position behind which the reading began, when resuming there gives the same records. */
  readonly begunAfter?: string
  /** Set after a read when the position to go on from never came by: nothing has been yielded then. */
  lost(): boolean
}

type Place = { readonly window: Window; readonly readAfter?: string; readonly readFrom?: EpochMs }

/** RangeInvalid when the position to go on from is not in the source. */
export async function openReading(
  source: RecordSource,
  shape: Shape,
  wanted: Wanted,
  now: EpochMs,
  /** Of the flow that reads. Its signal is asked for only when there is something to wait for: making one costs. */
  flow: { readonly signal: AbortSignal },
): Promise<Result<Reading>> {
  if (wanted.fresh) {
    const end = await endOf(source, flow.signal)
    if (!end.ok) return end
    if (end.value === undefined) return ok(start(source, shape, { window: {} }))
    const place = await behind(source, shape, end.value, now, {})
    if (!place.ok) return place
    if (shape.delayMs <= 0) return ok(start(source, shape, place.value, end.value))
    return ok(start(source, shape, await delayedFresh(source, shape, end.value, now)))
  }
  const range = {
    ...(wanted.from !== undefined && { from: wanted.from }),
    ...(wanted.to !== undefined && { to: wanted.to }),
  }
  if (wanted.after === undefined) return ok(start(source, shape, fromTime(shape, range)))
  const place = await behind(source, shape, wanted.after, now, range)
  return place.ok ? ok(start(source, shape, place.value)) : place
}

function fromTime(shape: Shape, range: Pick<Window, 'from' | 'to'>): Place {
  return range.from === undefined ? { window: range } : placeFrom(shape, range, range.from)
}

/** Begins cold, early enough that everything from `time` on comes out as in any other reading. */
function placeFrom({ samplingIntervalMs, windowMs }: Shape, window: Window, time: EpochMs): Place {
  const windowFloor = windowMs === undefined ? undefined : windowStart(windowMs, time)
  const first = windowFloor ?? time
  const floor = samplingIntervalMs === undefined ? undefined : blockStart(samplingIntervalMs, first)
  return {
    window: {
      ...window,
      ...(floor !== undefined && { floor }),
      ...(windowFloor !== undefined && { windowFloor }),
    },
    readFrom: floor ?? first,
  }
}

const windowStart = (windowMs: number, time: number): EpochMs =>
  (windowIndex(windowMs, time) * windowMs) as EpochMs

async function behind(
  source: RecordSource,
  shape: Shape,
  wanted: string,
  now: EpochMs,
  range: Pick<Window, 'from' | 'to'>,
): Promise<Result<Place>> {
  const { samplingIntervalMs, windowMs } = shape
  const place = windowMs === undefined ? undefined : readPlace(wanted)
  const position = place?.position ?? wanted
  const time = await source.timeOf(position)
  if (!time.ok) return time.error.code === 'RangeInvalid' ? err(POSITION_GONE) : time
  if (samplingIntervalMs === undefined && windowMs === undefined) {
    return ok({ ...fromTime(shape, range), readAfter: position })
  }
  if (windowMs !== undefined && place !== undefined) {
    const { index, nth } = place
    // The record that closes a window is later than the window.
    if (!(index * windowMs < time.value)) return err(POSITION_GONE)
    const window = { ...range, through: position, throughNth: nth }
    return ok(placeFrom(shape, window, (index * windowMs) as EpochMs))
  }
  // A stamp ahead of the clock says nothing about where the records behind it are: look at all of them.
  if (time.value > now + MAX_AHEAD) return ok({ window: { ...range, through: position } })
  // One block or window earlier than needed, so that records up to that late are not lost by going on.
  const earlier =
    windowMs === undefined
      ? blockStart(samplingIntervalMs ?? 1, time.value) - blockLength(samplingIntervalMs ?? 1)
      : windowStart(windowMs, time.value) - windowMs
  return ok(placeFrom(shape, { ...range, through: position }, earlier as EpochMs))
}

/** Under a delay the records that wait at this moment are news as well. */
async function delayedFresh(source: RecordSource, shape: Shape, end: string, now: EpochMs): Promise<Place> {
  const keepLaterThan = (now - shape.delayMs - (shape.windowMs ?? 0)) as EpochMs
  const time = await source.timeOf(end)
  const earliest = Math.min(keepLaterThan, time.ok ? time.value : keepLaterThan) as EpochMs
  return placeFrom(shape, { through: end, keepLaterThan }, earliest)
}

/** The last position now; a source that cannot tell is read to its end. */
async function endOf(source: RecordSource, signal: AbortSignal): Promise<Result<string | undefined>> {
  if (source.end !== undefined) return source.end()
  let end: string | undefined
  for await (const batch of source.read({ signal })) end = batch.at(-1)?.position ?? end
  return ok(end)
}

function start(source: RecordSource, shape: Shape, place: Place, begunAfter?: string): Reading {
  const run: Run = shape.run(place.window)
  const hasMemory = shape.samplingIntervalMs !== undefined || shape.windowMs !== undefined
  let last = place.readAfter
  let lost = false
  let first = true

  const next = () => {
    const from = first ? place.readFrom : undefined
    // What arrives later may be late: the hint is for the first look only.
    first = false
    return { ...(last !== undefined && { after: last }), ...(from !== undefined && { from }) }
  }
  const look = (batch: readonly DataRecord[]): readonly DataRecord[] => {
    const end = batch.at(-1)?.position
    if (end === undefined) return batch
    const shaped = run.shape(batch, hasMemory ? source.removedUntil?.() : undefined)
    last = end
    return shaped
  }
  const atEnd = (): void => {
    if (run.passed()) return
    // Under `keepLaterThan` records have been delivered already; a pruned end only means that all is news.
    if (place.window.keepLaterThan !== undefined) run.pass()
    else lost = true
  }

  const take = (about: number) => {
    const batch = source.take?.({ ...next(), about }) ?? []
    const ended = batch.length < about
    const shaped = look(batch)
    if (ended) atEnd()
    return { shaped, ended }
  }

  async function* read(signal: AbortSignal, about?: number): AsyncGenerator<readonly DataRecord[], void> {
    const batches = source.read({ signal, ...(about !== undefined && { about }), ...next() })
    let looked = 0
    for await (const batch of batches) {
      const shaped = look(batch)
      looked += batch.length
      if (looked >= TURN) {
        looked = 0
        await nextTurn()
        if (signal.aborted) return
      }
      if (shaped.length > 0) yield shaped
      if (signal.aborted) return
    }
    if (!signal.aborted) atEnd()
  }
  return {
    read,
    ...(source.take !== undefined && { take }),
    lost: () => lost,
    ...(begunAfter !== undefined && { begunAfter }),
  }
}

export const POSITION_GONE: Problem = {
  code: 'RangeInvalid',
  message:
    'The position to go on from is not in the data, or no longer. Ask without "after", or with "from".',
  messageDe:
    'Die Stelle, an der es weitergehen soll, steht nicht oder nicht mehr in den Daten. Fragen Sie ohne „after“ oder mit „from“.',
}
