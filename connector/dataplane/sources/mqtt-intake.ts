/**
 * From received messages to the log: collects what arrives together into one append, with several appends under way,
 * and acknowledges a message only after its records are durable. Knows no network.
 */
import { hash } from 'node:crypto'
import type { Clock } from '../../core/types.js'
import type { MalformedTally, SourceLog } from './managed.js'
import { type MapMessage, type NewRecord, shown } from './mapping.js'
import type { Acknowledge, Received } from './mqtt-connection.js'

/** Messages taken in and not yet durable, beyond which the broker is not read on. */
const MOST_PENDING = 10_000
/** The same for their payloads, bytes. */
const MOST_PENDING_BYTES = 16 * 1024 * 1024
/** Newest records of the log against which the first messages after a restart are held, and how many messages. */
const REMEMBERED = 4_096

type Taken = {
  readonly message: Received
  readonly acknowledge: Acknowledge
  /** How many appends had failed when it was taken in. */
  readonly failuresBefore: number
}

export type Intake = {
  take(message: Received, acknowledge: Acknowledge, next: () => void): void
  /** The broker has begun a new session: packet ids of the old one mean nothing any more. */
  forgetSession(): void
  /** Takes in nothing more, appends what has been taken in and resolves when all of it is settled. */
  close(): Promise<void>
  counters(): { readonly received: number; readonly logged: number; readonly duplicates: number }
}

const keyOf = (record: NewRecord): string => JSON.stringify([record.series, record.time, record.values])

export function createIntake(deps: {
  readonly log: SourceLog
  readonly stream: string
  readonly clock: Clock
  readonly map: MapMessage
  readonly wanted: (topic: string) => boolean
  readonly tally: MalformedTally
  /** Records could not be written; the messages stay unacknowledged and must be redelivered. */
  readonly onAppendFailed: (cause: unknown) => void
}): Intake {
  const { log, stream, clock, map, wanted, tally } = deps
  const counters = { received: 0, logged: 0, duplicates: 0 }
  /** Packet id -> fingerprint of the message last taken under it in this session. */
  const taken = new Map<number, string>()
  /** Records that were in the log before this process began. */
  const before = new Set((log.tail?.(stream, REMEMBERED) ?? []).map(keyOf))
  let queue: Taken[] = []
  let held: (() => void)[] = []
  let pending = 0
  let pendingBytes = 0
  let scheduled = false
  /** Settles in the order of receipt, which is the order in which MQTT wants its acknowledgements (4.6.0-2). */
  let settled: Promise<void> = Promise.resolve()
  let failures = 0
  let closed = false

  const noteMalformed = ({ topic, payload }: Received, entry: number | undefined, why: string) => {
    const where = shown(topic, 200)
    const subject = entry === undefined ? 'Message' : `Entry ${entry} of the message`
    tally.add({ where, bytes: payload.length, reason: `${subject} on topic ${where} was left out: ${why}.` })
  }

  /**
   * True when the broker sends again what it has sent in this session under the same packet id. A message that merely
   * has the same content as an earlier one is kept: machines repeat themselves.
   */
  const isRedelivered = (message: Received): boolean => {
    if (message.packetId === 0) return false
    const print = hash('sha1', Buffer.concat([Buffer.from(`${message.topic}\0`), message.payload]), 'base64')
    if (message.dup && taken.get(message.packetId) === print) return true
    taken.set(message.packetId, print)
    return false
  }

  const recordsOf = (message: Received): readonly NewRecord[] => {
    if (!wanted(message.topic)) return []
    if (isRedelivered(message)) {
      counters.duplicates += 1
      return []
    }
    const { records, malformed } = map.mapPayload(message.payload, {
      topic: message.topic,
      arrivedAt: clock(),
    })
    for (const { entry, why } of malformed) noteMalformed(message, entry, why)
    // Held against the log whatever the DUP flag says: not every broker sets it. Only a record of the same series,
    // time and values is taken for the same.
    if (counters.received > REMEMBERED) before.clear()
    if (before.size === 0 || (message.packetId === 0 && !message.retain)) return records
    const fresh = records.filter((record) => !before.delete(keyOf(record)))
    counters.duplicates += records.length - fresh.length
    return fresh
  }

  const acknowledgeAll = (batch: readonly Taken[]) => {
    const byConnection = new Map<Acknowledge, number[]>()
    for (const { message, acknowledge, failuresBefore } of batch) {
      // A redelivery of what then failed to be written must not be acknowledged: it is asked for once more.
      if (message.packetId === 0 || failuresBefore !== failures) continue
      const ids = byConnection.get(acknowledge) ?? []
      byConnection.set(acknowledge, ids)
      ids.push(message.packetId)
    }
    for (const [acknowledge, ids] of byConnection) acknowledge(ids)
  }

  const settle = async (
    batch: readonly Taken[],
    records: readonly NewRecord[],
    appended: Promise<void>,
    earlier: Promise<void>,
  ) => {
    await earlier
    try {
      await appended
      counters.logged += records.length
      acknowledgeAll(batch)
    } catch (cause) {
      failures += 1
      for (const { message } of batch) taken.delete(message.packetId)
      deps.onAppendFailed(cause)
    }
    pending -= batch.length
    for (const { message } of batch) pendingBytes -= message.payload.length
    const release = held
    held = []
    for (const next of release) next()
  }

  const flush = () => {
    scheduled = false
    const batch = queue
    queue = []
    if (batch.length === 0) return
    const records = batch.flatMap(({ message }) => recordsOf(message))
    const appended = records.length === 0 ? Promise.resolve() : log.append(stream, records)
    // Awaited in settle, possibly later than it fails.
    appended.catch(() => {})
    settled = settle(batch, records, appended, settled)
  }

  return {
    take(message, acknowledge, next) {
      if (closed) return
      counters.received += 1
      pending += 1
      pendingBytes += message.payload.length
      queue.push({ message, acknowledge, failuresBefore: failures })
      if (!scheduled) {
        scheduled = true
        setImmediate(flush)
      }
      if (pending < MOST_PENDING && pendingBytes < MOST_PENDING_BYTES) next()
      else held.push(next)
    },
    forgetSession: () => taken.clear(),
    async close() {
      closed = true
      flush()
      await settled
    },
    counters: () => ({ ...counters }),
  }
}
