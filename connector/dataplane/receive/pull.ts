/** Pulling from a partner: the raw answer, or the records of all pages with the sink setting the pace. */
import { Readable } from 'node:stream'
import { err, ok, type Problem, type Result } from '../../core/result.js'
import { systemClock } from '../../core/types.js'
import { realSchedule, type Schedule, waitUntil } from '../schedule.js'
import { type Backoff, backoffMs, DEFAULT_BACKOFF } from './backoff.js'
import { type Body, gunzipped } from './body.js'
import { type Access, addressOf, call, type Refusal, unreachable } from './partner-answer.js'
import { MAX_RECORD, parseReceived, type Received } from './received.js'

export type PullOptions = Access & {
  /** `from`, `to`, `limit`, `after`; sent as given. With pages followed, `limit` is the size of a page. */
  readonly query?: Readonly<Record<string, string>>
  /** Media type wanted; NDJSON when absent. */
  readonly accept?: string
}

export type Pulled = {
  readonly mediaType: string
  /** Unpacked; errors when the partner breaks off, and must then not be taken for the whole. */
  readonly body: Readable
  /** Address of the next page. */
  readonly next?: string
}

export async function pull(options: PullOptions): Promise<Result<Pulled>> {
  const url = addressOf(options.endpoint, options.query ?? {})
  if (!url.ok) return url
  const answer = await pullFrom(options, url.value, options.accept ?? NDJSON)
  if (!answer.ok) return err(answer.error.problem)
  return ok({ ...answer.value, body: Readable.from(answer.value.body, { objectMode: false }) })
}

const NDJSON = 'application/x-ndjson'

type Page = Omit<Pulled, 'body'> & { readonly body: Body }

async function pullFrom(access: Access, url: URL, accept: string): Promise<Result<Page, Refusal>> {
  const answer = await call(access, url, { accept, 'accept-encoding': 'gzip' })
  if (!answer.ok) return answer
  const { headers } = answer.value
  const next = nextOf(one(headers.link), url)
  return ok({
    mediaType: one(headers['content-type']) ?? 'application/octet-stream',
    body: one(headers['content-encoding']) === 'gzip' ? gunzipped(answer.value.body) : answer.value.body,
    ...(next !== undefined && { next }),
  })
}

export type PullRecordsOptions = Omit<PullOptions, 'accept'> & {
  /** Takes a batch; nothing more is read until it resolves. */
  readonly onRecords: (batch: readonly Received[]) => Promise<void>
  readonly backoff?: Backoff
  /** Failures in a row, without a record between them, after which it gives up. */
  readonly maxFailures?: number
  readonly random?: () => number
  readonly schedule?: Schedule
}

export type PullSummary = { readonly records: number; readonly lastId?: string }

/**
 * Everything that matches the query, page by page. A broken answer is gone on with behind the last record that the
 * sink has taken. What `onRecords` throws is thrown on.
 */
export async function pullRecords(options: PullRecordsOptions): Promise<Result<PullSummary>> {
  const {
    backoff = DEFAULT_BACKOFF,
    maxFailures = 5,
    random = Math.random,
    schedule = realSchedule,
    signal,
  } = options
  let query: Readonly<Record<string, string>> = options.query ?? {}
  let page: string | undefined
  let records = 0
  let lastId: string | undefined
  let failures = 0
  const onRecords = async (batch: readonly Received[]): Promise<void> => {
    await options.onRecords(batch)
    records += batch.length
    lastId = batch.at(-1)?.id ?? lastId
    failures = 0
  }
  while (!signal.aborted) {
    const url = page === undefined ? addressOf(options.endpoint, query) : ok(new URL(page))
    if (!url.ok) return url
    const outcome = await onePage(options, url.value, onRecords)
    if (outcome.ok) {
      page = outcome.value
      if (page === undefined) return ok({ records, ...(lastId !== undefined && { lastId }) })
      continue
    }
    failures += 1
    if (!outcome.error.transient || failures > maxFailures) return err(outcome.error.problem)
    if (lastId !== undefined) {
      query = { ...query, after: lastId }
      page = undefined
    }
    const at = (systemClock() + backoffMs(backoff, failures, random)) as ReturnType<typeof systemClock>
    await waitUntil(schedule, systemClock, at, signal)
  }
  return ok({ records, ...(lastId !== undefined && { lastId }) })
}

/** The address of the next page, or undefined when this was the last. */
async function onePage(
  access: Access,
  url: URL,
  onRecords: PullRecordsOptions['onRecords'],
): Promise<Result<string | undefined, Refusal>> {
  const answer = await pullFrom(access, url, NDJSON)
  if (!answer.ok) return answer
  const { body, next } = answer.value
  const batches = recordsOf(body)
  for (;;) {
    let batch: IteratorResult<readonly Received[] | Problem, void>
    try {
      batch = await batches.next()
    } catch (cause) {
      return err({ problem: unreachable(cause), transient: true })
    }
    if (batch.done) return ok(next)
    if ('code' in batch.value) {
      body.close()
      return err({ problem: batch.value, transient: false })
    }
    try {
      await onRecords(batch.value)
    } catch (cause) {
      body.close()
      throw cause
    }
  }
}

/** Whole lines as they arrive; a Problem in the place of a line that is not a record. */
export async function* recordsOf(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Received[] | Problem, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    const batch: Received[] = []
    for (const line of lines) {
      if (line.trim() === '') continue
      const received = parseReceived(line)
      if (received === undefined) {
        if (batch.length > 0) yield batch
        return void (yield NOT_A_RECORD)
      }
      batch.push(received)
    }
    if (batch.length > 0) yield batch
    if (rest.length > MAX_RECORD) return void (yield NOT_A_RECORD)
  }
  if (rest.trim() === '') return
  const received = parseReceived(rest)
  yield received === undefined ? NOT_A_RECORD : [received]
}

const NOT_A_RECORD: Problem = {
  code: 'PartnerAnswerInvalid',
  message: 'The partner sent a line that is not a record. What came before it was kept.',
  messageDe: 'Der Partner hat eine Zeile gesendet, die kein Eintrag ist. Was davor kam, wurde behalten.',
}

/** RFC 8288: the target with relation `next`, only when it stays at the partner's own origin. */
function nextOf(link: string | undefined, base: URL): string | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1]
  if (target === undefined || !URL.canParse(target, base.href)) return undefined
  const next = new URL(target, base)
  // The token goes where the link leads; another origin has no right to it.
  return next.origin === base.origin ? next.href : undefined
}

const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header
