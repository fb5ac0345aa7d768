/**
 * Following a partner's live stream for as long as it lasts: connects again when the connection breaks, resumes
 * behind the last record that the sink has taken, and hands every record over once. How a connection looks is the
 * matter of `Connect`.
 */
import { err, ok, type Problem, type Result } from '../../core/result.js'
import { systemClock } from '../../core/types.js'
import { realSchedule, type Schedule, waitUntil } from '../schedule.js'
import { type Backoff, backoffMs, DEFAULT_BACKOFF } from './backoff.js'
import type { Access, Refusal } from './partner-answer.js'
import type { Received } from './received.js'

export type FollowOptions = Access & {
  /** Go on right behind this record; without it only new records come. */
  readonly after?: string
  /** Begin with history from here, an ISO instant or epoch milliseconds. */
  readonly from?: string
  /** Takes a batch; nothing more is read until it resolves. What it throws ends the following and is thrown on. */
  readonly onRecords: (batch: readonly Received[]) => Promise<void>
  readonly onState?: (state: FollowState) => void
  readonly backoff?: Backoff
  /** Failures in a row, without a record between them, after which it gives up; unlimited when absent. */
  readonly maxFailures?: number
  readonly random?: () => number
  readonly schedule?: Schedule
}

export type FollowState =
  | { readonly is: 'connected' }
  | { readonly is: 'waiting'; readonly problem: Problem; readonly retryInMs: number }

/** What a connection tells while it lasts. */
export type Connected = {
  opened(): void
  /** The place to resume at, told before the first record. */
  begins(id: string): void
  records(batch: readonly Received[]): Promise<void>
}

/** Resolves with the reason why the connection ended; `transient` when connecting again makes sense. */
export type Connect = (after: string | undefined, told: Connected) => Promise<Refusal>

/** Ids remembered to recognise a repeated record. */
const REMEMBERED = 1_024

/** The reason of the partner when it has ended the stream; ok when the signal has. */
export async function followWith(
  options: FollowOptions,
  connect: Connect,
): Promise<Result<{ readonly lastId?: string }>> {
  const { backoff = DEFAULT_BACKOFF, maxFailures = Number.POSITIVE_INFINITY, random = Math.random } = options
  const { schedule = realSchedule, signal, onState } = options
  const recent = new Set<string>(options.after === undefined ? [] : [options.after])
  let resume = options.after
  let failures = 0

  const told: Connected = {
    opened: () => onState?.({ is: 'connected' }),
    begins: (id) => {
      resume = id
    },
    records: async (batch) => {
      const fresh = batch.filter(({ id }) => !recent.has(id))
      if (fresh.length > 0) await options.onRecords(fresh)
      for (const { id } of fresh) remember(recent, id)
      resume = batch.at(-1)?.id ?? resume
      failures = 0
    },
  }
  while (!signal.aborted) {
    const { problem, transient } = await connect(resume, told)
    if (signal.aborted) break
    failures += 1
    if (!transient || failures > maxFailures) return err(problem)
    const retryInMs = backoffMs(backoff, failures, random)
    onState?.({ is: 'waiting', problem, retryInMs })
    const at = (systemClock() + retryInMs) as ReturnType<typeof systemClock>
    await waitUntil(schedule, systemClock, at, signal)
  }
  return ok({ ...(resume !== undefined && { lastId: resume }) })
}

function remember(recent: Set<string>, id: string): void {
  recent.add(id)
  if (recent.size <= REMEMBERED) return
  for (const oldest of recent) {
    recent.delete(oldest)
    break
  }
}

/** Ends that are over when the partner is back: everything else is the partner's last word. */
export const isPassing = ({ code }: Problem): boolean => code === 'Stopping' || code === 'SourceUnavailable'

export const NOT_THE_PROTOCOL: Refusal = {
  problem: {
    code: 'PartnerAnswerInvalid',
    message: 'The partner sent something that is not a record stream.',
    messageDe: 'Der Partner hat etwas gesendet, das kein Strom von Einträgen ist.',
  },
  transient: false,
}
