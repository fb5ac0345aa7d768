/**
 * Push: the data goes to the receiver in batches, history first and then what comes, one batch at a time and in order.
 * A batch is booked and written down before it is sent, so that after a restart the same bytes go out under the same
 * number: nothing is lost, and what is repeated can be recognised.
 */
import { err, ok, type Problem, type Result } from '../../core/result.js'
import type { EpochMs } from '../../core/types.js'
import { shapesRecords } from '../../policy/plan.js'
import { type ByteSource, type PushJournal, type PushState, type Source, SourceError } from '../ports.js'
import { openReading, POSITION_GONE, type Reading, type Wanted } from '../reading.js'
import { waitUntil } from '../schedule.js'
import { OPEN_WINDOWS } from '../stages/aggregate.js'
import { quotaExhausted, type Short } from '../stages/count.js'
import { NDJSON } from './accept.js'
import { type Delivery, passGate, type RecordDelivery } from './delivery.js'
import { jsonEncoder } from './encode.js'
import { type Batch, type BatchBounds, createBatch } from './push-batch.js'
import { type PushEnd, type PushWays, sendParcel } from './push-send.js'

export type Push = PushWays & {
  readonly journal: PushJournal
  readonly bounds: BatchBounds
  /** False when the dataset has got another source meanwhile. */
  readonly isCurrent: (source: Source) => boolean
}

/**
 * undefined: ended from outside. `complete`: everything that was wanted has been acknowledged. `again`: the source is
 * another one now.
 */
export type PushOutcome = PushEnd | { readonly is: 'complete' } | { readonly is: 'again' } | undefined

/** A source that was replaced may not say so: longest sleep before it is looked at again, milliseconds. */
const LOOK_AGAIN = 15_000

const COMPLETE: PushOutcome = { is: 'complete' }
export const NOTHING_YET: PushState = { batches: 0, records: 0, bytes: 0 }

/** Sends what was written down and not acknowledged; answers the state behind it. */
async function settlePending(
  delivery: Delivery,
  push: Push,
): Promise<{ readonly state: PushState; readonly end?: PushOutcome; readonly ended: boolean }> {
  const { transferPid } = delivery.grant
  const kept = push.journal.read(transferPid)
  const state = kept?.state ?? NOTHING_YET
  const { pending } = state
  if (pending === undefined || kept?.body === undefined) return { state, ended: false }
  const body = kept.body
  const sent = await sendParcel(delivery, push, { number: pending.number, content: async () => lines(body) })
  if (!sent.ok) return { state, end: sent.error, ended: true }
  if (!sent.value) return { state, ended: true }
  delivery.ledger.addBytes(pending.records, body.byteLength)
  return { state: await acknowledge(delivery, push, state, body.byteLength), ended: false }
}

const lines = (body: Uint8Array) => ok({ headers: { 'content-type': NDJSON }, body })

async function acknowledge(
  { grant, clock }: Delivery,
  { journal, log }: Push,
  state: PushState,
  bytes: number,
  done = false,
): Promise<PushState> {
  const { pending, ...rest } = state
  const position = pending?.position ?? state.position
  const next: PushState = {
    ...rest,
    batches: pending?.number ?? state.batches,
    records: state.records + (pending?.records ?? 0),
    bytes: state.bytes + bytes,
    ...(position === undefined ? {} : { position }),
    lastAt: clock(),
    ...(done ? { done } : {}),
  }
  await journal.write(grant.transferPid, next)
  log.acknowledged(grant.transferPid, next)
  return next
}

export async function pushRecords(delivery: RecordDelivery, push: Push): Promise<PushOutcome> {
  const { flow, source, shape, clock, schedule } = delivery
  const settled = await settlePending(delivery, push)
  if (settled.ended) return settled.end
  let { state } = settled
  if (state.done === true) return COMPLETE
  // The windows before the end are closed by records behind it.
  const to = endOf(push.target, shape)
  const reading = await readingBehind(delivery, push, state)
  if (!reading.ok) return { is: 'halt', problem: reading.error }
  const encode = jsonEncoder(shape.columns)
  let batch = createBatch(encode, push.bounds)

  /** undefined: go on. */
  const flush = async (): Promise<{ readonly end: PushOutcome } | undefined> => {
    while (batch.records.length > 0) {
      const sent = await sendBatch(delivery, push, state, batch)
      state = sent.state
      if (!sent.goesOn) return { end: sent.end }
      const rest = batch.records.slice(sent.granted)
      batch = createBatch(encode, push.bounds)
      for (const record of rest) batch.add(record, clock())
      if (sent.again === undefined) continue
      await waitUntil(schedule, clock, sent.again, flow.signal)
      if (flow.signal.aborted) return { end: undefined }
    }
    return undefined
  }

  let change: Change | undefined
  while (!flow.signal.aborted) {
    if (!push.isCurrent(source)) return (await flush())?.end ?? { is: 'again' }
    // Asked before reading: a record that arrives between the end of the reading and the sleep still wakes us. One that
    // has not come yet is kept, so that a quiet source does not collect those who wait for it.
    change = change?.isPending() === true ? change : watch(source, flow.signal)
    const asked = clock()
    for await (const shaped of reading.value.read(flow.signal)) {
      for (const record of shaped) {
        for (;;) {
          if (flow.signal.aborted) return undefined
          const verdict = shape.due(record, clock())
          if (verdict.is === 'ahead') delivery.droppedAhead()
          if (verdict.is === 'due' && !batch.add(record, clock())) {
            const ended = await flush()
            if (ended !== undefined) return ended.end
            continue
          }
          if (verdict.is !== 'wait') break
          const ended = await flush()
          if (ended !== undefined) return ended.end
          await waitUntil(schedule, clock, verdict.at, flow.signal)
        }
        if (!batch.isFull()) continue
        const ended = await flush()
        if (ended !== undefined) return ended.end
      }
    }
    if (flow.signal.aborted) return undefined
    // Read anew, the place is not found at all, and everything there is has come behind it.
    if (reading.value.lost()) throw new SourceError(POSITION_GONE)
    if (to !== undefined && asked >= to) {
      const ended = await flush()
      if (ended !== undefined) return ended.end
      await push.journal.write(delivery.grant.transferPid, { ...state, done: true })
      return COMPLETE
    }
    const nextLook = (clock() + LOOK_AGAIN) as EpochMs
    await sleep(delivery, change.promise, [batch.dueAt() ?? nextLook, to ?? nextLook, nextLook])
    const dueAt = batch.dueAt()
    if (dueAt === undefined || clock() < dueAt) continue
    const ended = await flush()
    if (ended !== undefined) return ended.end
  }
  return undefined
}

const endOf = ({ to }: Push['target'], { windowMs = 0 }: RecordDelivery['shape']): EpochMs | undefined =>
  to === undefined ? undefined : ((to + (OPEN_WINDOWS + 1) * windowMs) as EpochMs)

type Change = { readonly promise: Promise<void>; isPending(): boolean }

function watch(source: RecordDelivery['source'], signal: AbortSignal): Change {
  let pending = true
  const promise = source.changed(signal).finally(() => {
    pending = false
  })
  // Awaited later; until then a failure must not count as unhandled.
  promise.catch(() => {})
  return { promise, isPending: () => pending }
}

/** Until the source has changed, or the clock has reached the first of some times. */
async function sleep(
  { flow, clock, schedule }: Delivery,
  change: Promise<void>,
  times: readonly EpochMs[],
): Promise<void> {
  const at = Math.min(...times) as EpochMs
  const woken = new AbortController()
  const signal = AbortSignal.any([flow.signal, woken.signal])
  try {
    await Promise.race([change, waitUntil(schedule, clock, at, signal)])
  } finally {
    woken.abort()
  }
}

const BEGUN_ANEW: Problem = {
  code: 'RangeInvalid',
  message:
    'The record that was delivered last is not in the source any more: everything that is there now is delivered.',
  messageDe:
    'Der zuletzt gelieferte Eintrag steht nicht mehr in der Quelle: Geliefert wird alles, was jetzt dort steht.',
}

/** Behind the last acknowledged record. When that is gone, everything there is came after it. */
async function readingBehind(
  { source, shape, clock, flow, grant }: RecordDelivery,
  { target, log }: Push,
  { position }: PushState,
): Promise<Result<Reading>> {
  const range: Wanted = {
    ...(target.from === undefined ? {} : { from: target.from }),
    ...(target.to === undefined ? {} : { to: target.to }),
  }
  const behind = position === undefined ? range : { ...range, after: position }
  const opened = await openReading(source, shape, behind, clock(), flow)
  if (opened.ok || position === undefined || opened.error.code !== 'RangeInvalid') return opened
  log.failed(grant.transferPid, BEGUN_ANEW, 0)
  return openReading(source, shape, range, clock(), flow)
}

type SentBatch =
  | { readonly state: PushState; readonly goesOn: false; readonly end?: PushOutcome }
  | { readonly state: PushState; readonly goesOn: true; readonly granted: number; readonly again?: EpochMs }

async function sendBatch(
  delivery: RecordDelivery,
  push: Push,
  state: PushState,
  { records, body }: Batch,
): Promise<SentBatch> {
  const { grant, flow, ledger, counter } = delivery
  const refused = await passGate(delivery)
  if (refused !== undefined) return { state, goesOn: false, end: { is: 'stop', problem: refused } }
  if (flow.signal.aborted) return { state, goesOn: false }
  const number = state.batches + 1
  let bytes: Uint8Array = new Uint8Array()
  let written = state
  const asked = counter.asked(records, 0, records.length)
  const booking = await push.journal.book(grant, asked, counter.quota(), (count) => {
    const position = records[count - 1]?.position
    bytes = body(count)
    written = {
      ...state,
      pending: { number, records: count, ...(position === undefined ? {} : { position }) },
    }
    return { state: written, body: bytes }
  })
  if (flow.signal.aborted) return { state: written, goesOn: false }
  const { granted } = booking
  const short = counter.short(booking)
  if (granted === 0) return afterShort(delivery, state, 0, short)
  const sent = await sendParcel(delivery, push, {
    number,
    content: async () => lines(bytes),
  })
  if (!sent.ok) return { state: written, goesOn: false, end: sent.error }
  if (!sent.value) return { state: written, goesOn: false }
  ledger.add(records, 0, granted, bytes.byteLength)
  const next = await acknowledge(delivery, push, written, bytes.byteLength)
  return afterShort(delivery, next, granted, short)
}

/** A quota of the day is waited for; one in total ends the push. */
function afterShort(
  { paused }: Delivery,
  state: PushState,
  granted: number,
  short: Short | undefined,
): SentBatch {
  if (short === undefined) return { state, goesOn: true, granted }
  const { problem, again } = short
  if (again === undefined) return { state, goesOn: false, end: { is: 'stop', problem } }
  paused(problem, again)
  return { state, goesOn: true, granted, again }
}

/**
 * A file in one piece. A repeated try sends the file as it is then, under the same number; a file that has changed meanwhile
 * is another delivery to the quota, so that a receiver cannot collect versions by refusing each.
 */
export async function pushBytes(delivery: Delivery, source: ByteSource, push: Push): Promise<PushOutcome> {
  const { grant, ledger } = delivery
  const state = push.journal.read(grant.transferPid)?.state ?? NOTHING_YET
  if (state.done === true) return COMPLETE
  if (shapesRecords(grant.plan)) {
    const message =
      'The contract shapes records, but this dataset is a file that can only be delivered as it is.'
    return { is: 'stop', problem: { code: 'PolicyDenied', message } }
  }
  let written = state
  let barred: Problem | undefined
  let sentBytes = 0
  const sent = await sendParcel(delivery, push, {
    number: 1,
    content: async () => {
      const described = await source.describe()
      if (!described.ok) return described
      const { size, mediaType, fileName, etag } = described.value
      if (written.pending?.etag !== etag) {
        const next: PushState = { ...state, pending: { number: 1, records: 1, etag } }
        // Waiting for a quota may have taken the push out of the time of delivery.
        barred = (await bookFile(delivery, push, next, size)) ?? (await passGate(delivery))
        if (barred !== undefined) return err(barred)
        written = next
      }
      sentBytes = size
      const name = encodeURIComponent(fileName.toWellFormed())
      return ok({
        headers: {
          'content-type': mediaType,
          'content-length': String(size),
          'content-disposition': `attachment; filename*=UTF-8''${name}`,
        },
        body: size === 0 ? new Uint8Array() : source.open({ start: 0, end: size - 1, etag }),
      })
    },
  })
  if (barred !== undefined) return { is: 'stop', problem: barred }
  if (!sent.ok) return sent.error
  if (!sent.value) return undefined
  ledger.addBytes(1, sentBytes)
  await acknowledge(delivery, push, written, sentBytes, true)
  return COMPLETE
}

/** Books one version of a file, and waits for the next day where its quota is one of the day. The reason when there is none. */
async function bookFile(
  { grant, counter, paused, schedule, clock, flow }: Delivery,
  { journal }: Push,
  state: PushState,
  size: number,
): Promise<Problem | undefined> {
  while (!flow.signal.aborted) {
    const booking = await journal.book(grant, { records: 1, sizes: [size] }, counter.quota(), () => ({
      state,
    }))
    if (booking.granted >= 1) return undefined
    const { problem, again } = counter.short(booking) ?? { problem: quotaExhausted(grant) }
    if (again === undefined) return problem
    paused(problem, again)
    await waitUntil(schedule, clock, again, flow.signal)
  }
  return undefined
}
