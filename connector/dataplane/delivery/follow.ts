/**
 * A live flow: what is there, then whatever comes, until it ends. Reads the next batch only when the receiver has
 * taken the last one; sleeps between changes of the source, with nothing read ahead.
 */
import type { Problem } from '../../core/result.js'
import { POSITION_GONE, type Reading } from '../reading.js'
import type { DataRecord } from '../record.js'
import { waitUntil } from '../schedule.js'
import { passGate, type RecordDelivery } from './delivery.js'
import { SLICE } from './outlet.js'

/** Writes the records start to end, exclusive, and resolves when there is room for more. */
export type Send = (records: readonly DataRecord[], start: number, end: number) => Promise<void>

/** Resolves with the reason of ours to end the flow, or undefined when the flow was ended from outside. */
export async function follow(
  delivery: RecordDelivery,
  reading: Reading,
  send: Send,
): Promise<Problem | undefined> {
  const { source, flow } = delivery
  const { signal } = flow
  while (!signal.aborted) {
    // Asked before reading: a record that arrives between the end of the reading and the sleep still wakes us.
    const change = source.changed(signal)
    // Awaited below; until then a failure must not count as unhandled.
    change.catch(() => {})
    for await (const batch of reading.read(signal)) {
      const reason = await hand(delivery, batch, send)
      if (reason !== undefined || signal.aborted) return reason
    }
    if (signal.aborted) return undefined
    if (reading.lost()) return POSITION_GONE
    await change
  }
  return undefined
}

async function hand(
  delivery: RecordDelivery,
  batch: readonly DataRecord[],
  send: Send,
): Promise<Problem | undefined> {
  const { shape, clock, schedule, flow, counter, droppedAhead, paused } = delivery
  // A slow receiver must not carry a batch past the end of the contract, of a time of delivery, or of a condition.
  const isTimed =
    shape.opening !== undefined || shape.standing !== undefined || shape.plan.notAfter !== undefined
  const most = isTimed ? SLICE : batch.length
  for (let at = 0; at < batch.length; ) {
    if (flow.signal.aborted) return undefined
    const refused = await passGate(delivery)
    if (refused !== undefined || flow.signal.aborted) return refused
    const now = clock()
    const last = Math.min(batch.length, at + most)

    let end = at
    let holding: ReturnType<typeof shape.due> | undefined
    for (; end < last; end++) {
      const record = batch[end]
      if (record === undefined) break
      const verdict = shape.due(record, now)
      if (verdict.is !== 'due') {
        holding = verdict
        break
      }
    }
    if (end > at) {
      const { granted, short } = await counter.book(counter.asked(batch, at, end))
      if (flow.signal.aborted) return undefined
      if (granted > 0) await send(batch, at, at + granted)
      at += granted
      if (short !== undefined) {
        if (short.again === undefined || flow.signal.aborted) return short.problem
        paused(short.problem, short.again)
        await waitUntil(schedule, clock, short.again, flow.signal)
        continue
      }
    }
    if (holding?.is === 'ahead') {
      droppedAhead()
      at = end + 1
    } else if (holding?.is === 'wait') {
      await waitUntil(schedule, clock, holding.at, flow.signal)
    }
  }
  return undefined
}
