/**
 * What the data plane needs from outside, declared here so that it could run in a process of its own.
 * Implementations are handed in by app.ts. Nothing here knows DSP, SQL or services.
 */
import type { Readable } from 'node:stream'
import type { Asked, Booking, Quota } from '../core/quota.js'
import type { Problem, Result } from '../core/result.js'
import type { EpochMs } from '../core/types.js'
import type { Plan } from '../policy/plan.js'
import type { DataRecord } from './record.js'

export type { Asked, Booking, Quota }

/** A running transfer as the data plane sees it. Lives in memory; services grant again after a restart. */
export type Grant = {
  readonly transferPid: string
  readonly agreementId: string
  readonly datasetId: string
  /** DID of the consumer. */
  readonly recipient: string
  readonly plan: Plan
  /** SHA-256 of the bearer token, lower-case hex. */
  readonly tokenHash: string
  /** Under a plan with pseudonyms or noise: the secret of the agreement that both come from. */
  readonly pseudonymKey?: Uint8Array
  /** The consumer wants the data delivered there instead of fetching it here. */
  readonly push?: PushTarget
}

export type PushTarget = {
  readonly endpoint: string
  /** A header that the receiver wants to see; its value is a secret. */
  readonly credential?: { readonly header: string; readonly value: string }
  /** Event time of the records that are wanted; the end is exclusive, and with it the push comes to an end. */
  readonly from?: EpochMs
  readonly to?: EpochMs
}

/** How far a push has come. Survives a restart. */
export type PushState = {
  /** Acknowledged by the receiver. The number of the next batch is one more. */
  readonly batches: number
  readonly records: number
  readonly bytes: number
  /** Position of the last acknowledged record. */
  readonly position?: string
  readonly lastAt?: EpochMs
  /** Everything that was wanted has been acknowledged. */
  readonly done?: true
  /** Sent or about to be sent, booked, and not acknowledged. Its bytes are kept with it, except for a file's. */
  readonly pending?: {
    readonly number: number
    readonly position?: string
    readonly records: number
    /** Of a file: the version that was booked. */
    readonly etag?: string
  }
}

export interface PushJournal {
  read(transferPid: string): { readonly state: PushState; readonly body?: Uint8Array } | undefined
  /** Durable when it resolves. */
  write(transferPid: string, state: PushState): Promise<void>
  /**
   * Books deliveries against the quota of the agreement, if it has one, and writes in the same durable step what is then
   * on its way: a crash neither loses what was booked nor books it twice.
   */
  book(
    grant: Grant,
    asked: Asked,
    quota: Quota | undefined,
    pending: (granted: number) => { readonly state: PushState; readonly body?: Uint8Array },
  ): Promise<Booking>
}

/** Sends one body to an address that a partner chose. A Problem means that no answer came. */
export type PushPost = (m: {
  /** DID of the partner that named the address. */
  readonly recipient: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | Readable
  readonly signal: AbortSignal
}) => Promise<
  Result<{
    readonly status: number
    readonly retryAfterMs?: number
    /** What the receiver says about a refusal, for our operator only. */
    readonly said?: string
  }>
>

/** Told about the course of pushes. Must not block. */
export interface PushLog {
  acknowledged(transferPid: string, state: PushState): void
  failed(transferPid: string, problem: Problem, retryInMs: number): void
  /** The receiver will not have it, or has not been there for too long: somebody has to look at it. */
  halted(transferPid: string, problem: Problem): void
  completed(transferPid: string): void
}

export type ReadQuery = {
  /** Go on right behind this position; absent starts at the beginning. */
  readonly after?: string
  /**
   * A hint: the source may leave out records with an earlier event time, and must not leave out any other.
   */
  readonly from?: EpochMs
  /** A hint: about as many records will be looked at, so that a first batch need not be much larger. */
  readonly about?: number
  readonly signal: AbortSignal
}

/** Records in the order in which the source holds them (arrival order), at any size in flat memory. */
export interface RecordSource {
  readonly kind: 'records'
  /** Batches up to the present end, then done. Throws SourceError when the source fails while reading. */
  read(query: ReadQuery): AsyncIterable<readonly DataRecord[]>
  /**
   * Up to `about` records from where `read` would begin, at once: for a source that has them at hand, so that a small
   * page costs little more than looking it up. Fewer only at the present end. Throws as `read` does.
   */
  take?(query: Omit<ReadQuery, 'signal' | 'about'> & { readonly about: number }): readonly DataRecord[]
  /** Resolves when there may be records behind those already read, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>
  /** Event time of the record at a position; RangeInvalid when the position is not (or no longer) there. */
  timeOf(position: string): Promise<Result<EpochMs>>
  /**
   * Position of the last record now, undefined when there is none. A source without it is read to its end whenever
   * somebody asks for new records only.
   */
  end?(): Promise<Result<string | undefined>>
  /**
   * Latest event time among the records that have been removed, such as by the end of their retention; undefined or
   * absent when nothing was. What is sampled must not depend on what happens to be left of a block.
   */
  removedUntil?(): EpochMs | undefined
  /** All records are of one series: no group of machines can be told by it. */
  readonly oneSeries?: true
  /** How long records stay, milliseconds; absent when they are not removed by age. */
  readonly keepsForMs?: number
}

/** A file delivered as it is. */
export interface ByteSource {
  readonly kind: 'bytes'
  describe(): Promise<
    Result<{
      readonly size: number
      readonly mediaType: string
      readonly etag: string
      readonly fileName: string
    }>
  >
  /** Bytes start to end of the version with the described tag, or of the last one described. Fails when it is gone. */
  open(range: ByteRange & { readonly etag?: string }): Readable
  /** The same at once, where that is cheaper than a stream; undefined: open it. Rejects with SourceError. */
  take?(range: ByteRange & { readonly etag: string }): Promise<Buffer | undefined>
}

/** Both inclusive, zero-based. */
export type ByteRange = { readonly start: number; readonly end: number }

export type Source = RecordSource | ByteSource

/** Thrown while reading; carries a Problem an operator understands. */
export class SourceError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message)
  }
}

/** Finds the source behind a dataset. */
export type SourceOf = (datasetId: string) => Result<Source>

/** Durable counters of what was delivered under an agreement. */
export interface UsageMeter {
  /**
   * Durably books up to the deliveries that are asked for before they are made; answers how many may be made. What was
   * booked and not delivered stays booked: a crash can only lose quota, never exceed it.
   */
  book(agreementId: string, asked: Asked, quota: Quota): Promise<Booking>
}

/** Told about what left, for the audit log and metrics. Must not block. */
export interface DeliveryLog {
  delivered(entry: {
    readonly transferPid: string
    readonly agreementId: string
    readonly recipient: string
    readonly planHash: string
    readonly records: number
    readonly bytes: number
    readonly firstTime?: EpochMs
    readonly lastTime?: EpochMs
    readonly via: 'pull' | 'sse' | 'ws' | 'bytes' | 'push'
  }): void
  /** A flow that stopped for a reason of ours, such as a used-up quota or a failing source. */
  stopped(transferPid: string, problem: Problem): void
  /** A flow that goes on by itself: at the next time of delivery, with the next day's quota, or when an event occurs. */
  paused?(transferPid: string, problem: Problem, until: EpochMs | undefined): void
}

/** Durable, append-only log of live records, by stream name. The store implements it. */
export interface RecordLog {
  /** Durable when it resolves; positions are given in order of appending. */
  append(stream: string, records: readonly Omit<DataRecord, 'position'>[]): Promise<void>
  read(
    stream: string,
    query: { readonly after?: string; readonly from?: EpochMs; readonly limit: number },
  ): readonly DataRecord[]
  timeOf(stream: string, position: string): EpochMs | undefined
  /** Latest event time among the records of the stream that were removed; undefined when none were. */
  removedUntil(stream: string): EpochMs | undefined
  /** Removes records that arrived before `arrivedBefore`; answers how many. */
  prune(stream: string, arrivedBefore: EpochMs): Promise<number>
  /** Called after each durable append to the stream. Returns the unsubscribe function. */
  onAppend(stream: string, listener: () => void): () => void
}
