/**
 * What every source has besides its data: a lifetime, counters and a way to tell the operator how it fares.
 * Payloads never pass through here, only places, reasons and lengths.
 */
import type { Problem } from '../../core/result.js'
import type { Clock, EpochMs } from '../../core/types.js'
import type { RecordLog, Source } from '../ports.js'
import type { DataRecord, Signal } from '../record.js'

export type SourceState = 'connected' | 'disconnected' | 'error'

export type MalformedSample = {
  /** Topic, or file name and line. */
  readonly where: string
  /** A whole sentence for the operator. */
  readonly reason: string
  /** Length of what was left out. */
  readonly bytes: number
}

/** Told by a source; must not block. */
export type SourceReport = {
  /** `n` messages or rows were left out since the last call, `sample` is one of them. */
  malformed(n: number, sample: MalformedSample): void
  state(state: SourceState, problem?: Problem): void
}

export type SourceCounters = {
  /** Messages or rows received. */
  readonly received: number
  /** Records that became durable (MQTT) or can be read from the file (files). */
  readonly logged: number
  /** Messages, parts of messages, or rows left out because they are malformed. */
  readonly malformed: number
  /** Redelivered messages that were in the log already. */
  readonly duplicates: number
  readonly lastError?: Problem
  readonly connectedSince?: EpochMs
}

export type Managed = AsyncDisposable & {
  /** Begins to ingest where there is something to ingest; resolves without waiting for the other side. */
  start(): Promise<void>
  counters(): SourceCounters
}

export type ManagedSource = Source & Managed

/** A record log that can also answer its newest records; used to recognise redelivered messages after a restart. */
export type SourceLog = RecordLog & {
  tail?(stream: string, count: number): readonly DataRecord[]
}

export type SourceDeps = {
  /** The dataset's declared signals. */
  readonly signals: readonly Signal[]
  readonly clock: Clock
  readonly report: SourceReport
  readonly log: SourceLog
  /** Stream of this source in the log, unique and stable, such as the dataset's id. */
  readonly stream: string
  /** How long live records are kept, by arrival. */
  readonly retentionMs: number
  /** Directory for what a source must remember itself. */
  readonly stateDir: string
  /** Tells this connector from others at the same broker; part of the default MQTT client id. */
  readonly connectorId: string
}

/** Shortest distance between two reports of malformed input, milliseconds. */
const REPORT_EVERY = 1_000

/** Counts malformed input and reports it bundled, so that a broken machine cannot flood the log. */
export function createMalformedTally(report: SourceReport, clock: Clock) {
  let total = 0
  let unreported = 0
  let sample: MalformedSample | undefined
  let reportedAt = Number.NEGATIVE_INFINITY
  const flush = () => {
    if (sample === undefined) return
    report.malformed(unreported, sample)
    unreported = 0
    sample = undefined
    reportedAt = clock()
  }
  return {
    add(one: MalformedSample): void {
      total += 1
      unreported += 1
      sample ??= one
      if (clock() - reportedAt >= REPORT_EVERY) flush()
    },
    flush,
    total: () => total,
  }
}

export type MalformedTally = ReturnType<typeof createMalformedTally>
