/**
 * Where data goes that a provider delivers to us: each body is in it as a whole, with its number, or not at all. The number
 * of the last one is as durable as the data, so that a repeated delivery is recognised after any restart.
 */
import type { FileHandle } from 'node:fs/promises'
import { ok, type Problem, type Result } from '../../core/result.js'
import { recordsOf } from '../receive/pull.js'
import { openTarget } from './file.js'
import { type MqttSinkOptions, openMqttSink } from './mqtt.js'
import { type Progress, type Pushed, readProgress, statePathOf, writeProgress } from './progress.js'
import { type Sink, SinkError } from './sink.js'

export interface BodySink extends AsyncDisposable {
  pushed(): Pushed
  /**
   * Resolves when the body is safe. What the body throws is thrown on and leaves nothing behind; a failure of the sink
   * is a SinkError, content that it cannot take a BodyRefused.
   */
  take(
    body: AsyncIterable<Uint8Array>,
    m: { readonly batch?: string; readonly isRecords: boolean },
  ): Promise<Pushed>
}

/** Thrown for content that this sink will never take. */
export class BodyRefused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message)
  }
}

/**
 * Told of a body that is on the disk or with the broker, before it is counted as taken: it is received again if this throws,
 * or if the program ends before it is counted.
 */
export type Arriving = (before: Pushed, after: Pushed) => Promise<void>

const NOTHING: Pushed = { batches: 0, records: 0, bytes: 0 }
const NEWLINE = 0x0a
/** How long a broker may take for a few records; whoever delivers waits meanwhile, milliseconds. */
const PATIENCE = 20_000

const behind = (before: Pushed, records: number, bytes: number, batch: string | undefined): Pushed => ({
  batches: before.batches + 1,
  records: before.records + records,
  bytes: before.bytes + bytes,
  ...(batch === undefined ? {} : { batch }),
})

/** Appends to a file, byte for byte. */
export async function openBodyFile(
  path: string,
  subject: string,
  arriving: Arriving = async () => {},
): Promise<Result<BodySink>> {
  const target = await openTarget(path, subject)
  if (!target.ok) return target
  const { file, begun } = target.value
  let safe: Progress & { readonly pushed: Pushed } = { ...begun, pushed: begun.pushed ?? NOTHING }
  return ok({
    pushed: () => safe.pushed,
    async take(body, { batch, isRecords }) {
      let bytes = 0
      let records = 0
      try {
        for await (const chunk of body) {
          await onDisk(() => file.writeFile(chunk))
          bytes += chunk.byteLength
          if (isRecords) records += linesIn(chunk)
        }
        const next = {
          ...safe,
          size: safe.size + bytes,
          pushed: behind(safe.pushed, records, bytes, batch),
        }
        await onDisk(() => file.datasync())
        await onDisk(() => arriving(safe.pushed, next.pushed))
        await onDisk(() => writeProgress(statePathOf(path), next))
        safe = next
        return safe.pushed
      } catch (cause) {
        // Half a body may stand at the end; nothing may follow it.
        await cutBack(file, safe.size)
        throw cause
      }
    },
    [Symbol.asyncDispose]: () => file.close(),
  })
}

async function onDisk(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    throw new SinkError('The file for received data cannot be written. Is the disk full?', { cause })
  }
}

async function cutBack(file: FileHandle, size: number): Promise<void> {
  try {
    await file.truncate(size)
  } catch (cause) {
    throw new SinkError('The file for received data cannot be written any more.', { cause })
  }
}

function linesIn(chunk: Uint8Array): number {
  let count = 0
  for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) count += 1
  return count
}

const NOT_RECORDS: Problem = {
  code: 'MediaTypeUnsupported',
  message: 'This transfer takes records as application/x-ndjson only.',
  messageDe: 'Diese Übertragung nimmt Einträge nur als application/x-ndjson an.',
}

/**
 * Publishes the records of a body one by one. A body that breaks off is taken up behind the last record that the broker has
 * acknowledged; after a restart of this program in the middle of a body its records come once more.
 */
export async function openBodyBroker(
  options: Omit<MqttSinkOptions, 'progress'> & {
    readonly statePath: string
    readonly subject: string
    readonly arriving?: Arriving
  },
): Promise<Result<BodySink>> {
  const { statePath, subject } = options
  const begun = await readProgress(statePath, subject)
  if (!begun.ok) return begun
  const opened = await openMqttSink({ ...options, failAfterMs: PATIENCE })
  if (!opened.ok) return opened
  const sink = opened.value
  let safe = begun.value?.pushed ?? NOTHING
  let broken: { readonly batch: string; readonly published: number } | undefined
  return ok({
    pushed: () => safe,
    async take(body, { batch, isRecords }) {
      if (!isRecords) throw new BodyRefused(NOT_RECORDS)
      const skip = broken !== undefined && broken.batch === batch ? broken.published : 0
      const progress = { records: 0, published: skip }
      let bytes = 0
      const counted = async function* () {
        for await (const chunk of body) {
          bytes += chunk.byteLength
          yield chunk
        }
      }
      try {
        await publish(sink, counted(), progress)
      } catch (cause) {
        broken = batch === undefined ? undefined : { batch, published: progress.published }
        throw cause
      }
      const next = behind(safe, progress.records, bytes, batch)
      await onDisk(() => options.arriving?.(safe, next) ?? Promise.resolve())
      await onDisk(() => writeProgress(statePath, { subject, size: 0, pushed: next }))
      broken = undefined
      safe = next
      return safe
    },
    [Symbol.asyncDispose]: () => sink.close(),
  })
}

/** `published`: as many of the first records are with the broker already. */
async function publish(
  sink: Sink,
  body: AsyncIterable<Uint8Array>,
  progress: { records: number; published: number },
): Promise<void> {
  for await (const batch of recordsOf(body)) {
    if ('code' in batch) throw new BodyRefused({ ...batch, code: 'InvalidMessage' })
    const fresh = batch.slice(Math.max(0, progress.published - progress.records))
    if (fresh.length > 0) {
      await sink.write(fresh)
      progress.published += fresh.length
    }
    progress.records += batch.length
  }
}
