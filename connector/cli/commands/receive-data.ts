/**
 * Receives the data of a running transfer: records page by page, or a file as it is. A broken answer is gone on with
 * behind the last whole record, or the last byte.
 */
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { err, ok, type Problem, type ProblemCode, problem, type Result } from '../../core/result.js'
import { backoffMs, DEFAULT_BACKOFF } from '../../dataplane/receive/backoff.js'
import type { ManagementClient, StreamAnswer } from '../client.js'
import { chunksOf, leave } from './body-chunks.js'
import { path } from './connected.js'
import type { Reached } from './partial-file.js'
import { arrayEnd, asArrayItems, createRecordCut } from './record-cut.js'

export type Format = 'ndjson' | 'csv' | 'json'

export type Target = {
  write(bytes: Buffer): Promise<void>
  reached(reached: Reached): Promise<void>
  /** Forgets what was written; false when it has left already. */
  restart(): Promise<boolean>
}

export type Wanted = {
  readonly pid: string
  readonly format: Format
  readonly from?: string
  readonly to?: string
  readonly limit?: number
  /** Where an earlier run came to. */
  readonly begun?: Reached & { readonly size: number }
}

export type Received = Reached & { readonly isFile: boolean }

/** The most a provider gives in one page. */
const MAX_PAGE = 100_000
/** Failures in a row, without anything received between them. */
const MAX_FAILURES = 5
/** Failures that can pass by themselves. */
const PASSING: readonly ProblemCode[] = [
  'PartnerUnreachable',
  'SourceUnavailable',
  'Stopping',
  'TooManyFlows',
  'NotRunning',
]
const ACCEPT: Readonly<Record<Format, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  // Arrays are put together here: an array that breaks off could not be gone on with.
  json: 'application/x-ndjson',
}

export const isPassing = ({ code }: Problem): boolean => PASSING.includes(code)

const INTERRUPTED = problem('Stopping', '')

export async function receiveData(
  client: ManagementClient,
  wanted: Wanted,
  target: Target,
  signal: AbortSignal,
): Promise<Result<Received>> {
  const { begun } = wanted
  let reached: Reached = begun ?? { records: 0 }
  let offset = begun?.size ?? 0
  let failures = 0
  let open: string | undefined = pageOf(wanted, reached)
  while (open !== undefined) {
    const answer = await ask(client, open, wanted.format, { etag: reached.etag, offset }, signal)
    const moved = offset
    let outcome: Result<string | undefined>
    if (!answer.ok) outcome = answer
    else if (isFile(answer.value)) {
      const file = await takeFile(answer.value, offset, target, {
        restarted: () => {
          offset = 0
        },
        taken: (bytes, etag) => {
          offset += bytes
          reached = { records: 0, ...(etag === undefined ? {} : { etag }) }
        },
      })
      if (file.ok) return ok({ ...reached, isFile: true })
      outcome = file
    } else {
      outcome = await takeRecords(answer.value, wanted, reached, target, (next, bytes) => {
        reached = next
        offset += bytes
      })
    }
    if (signal.aborted) return INTERRUPTED
    if (outcome.ok) {
      open =
        outcome.value === undefined || isEnough(wanted, reached)
          ? undefined
          : pageOf(wanted, { ...reached, lastId: outcome.value })
      continue
    }
    failures = offset > moved ? 1 : failures + 1
    if (!isPassing(outcome.error) || failures > MAX_FAILURES) return outcome
    await pause(backoffMs(DEFAULT_BACKOFF, failures, Math.random), undefined, { signal }).catch(() => {})
    if (signal.aborted) return INTERRUPTED
    if (isEnough(wanted, reached)) break
    open = pageOf(wanted, reached)
  }
  if (wanted.format === 'json') await target.write(arrayEnd(reached.records === 0))
  return ok({ ...reached, isFile: false })
}

const isEnough = ({ limit }: Wanted, { records }: Reached): boolean => limit !== undefined && records >= limit

function pageOf({ pid, from, to, limit }: Wanted, { lastId, records }: Reached): string {
  const left = limit === undefined ? undefined : Math.min(MAX_PAGE, limit - records)
  const query = new URLSearchParams({
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(left === undefined ? {} : { limit: String(left) }),
    ...(lastId === undefined ? {} : { after: lastId }),
  })
  return `${path`/transfers/${pid}/data`}${query.size === 0 ? '' : `?${query}`}`
}

async function ask(
  client: ManagementClient,
  where: string,
  format: Format,
  had: { readonly etag: string | undefined; readonly offset: number },
  signal: AbortSignal,
): Promise<Result<StreamAnswer>> {
  const goOn: Readonly<Record<string, string>> =
    had.etag !== undefined && had.offset > 0 ? { range: `bytes=${had.offset}-`, 'if-range': had.etag } : {}
  try {
    return await client.stream(where, {
      signal,
      headers: { accept: `${ACCEPT[format]}, */*;q=0.1`, ...goOn },
    })
  } catch (cause) {
    if (signal.aborted) return INTERRUPTED
    throw cause
  }
}

const header = ({ headers }: StreamAnswer, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Records have no byte ranges. */
/** What comes as records here and from every partner of our kind; other providers may send anything. */
const RECORDS: readonly string[] = ['', 'application/x-ndjson', 'application/json', 'text/csv']

const isFile = (answer: StreamAnswer): boolean =>
  header(answer, 'accept-ranges') === 'bytes' ||
  answer.status === 206 ||
  !RECORDS.includes(header(answer, 'content-type')?.split(';')[0]?.trim().toLowerCase() ?? '')

const BROKEN_OFF: Problem = {
  code: 'PartnerUnreachable',
  message: 'The data broke off before its end.',
  messageDe: 'Die Daten brachen vor dem Ende ab.',
}

/** Chunks until the end; a broken connection is a Problem, what the target throws is thrown on. */
async function readChunks(
  body: Readable,
  take: (chunk: Buffer) => Promise<Problem | undefined>,
): Promise<Problem | undefined> {
  const chunks = chunksOf(body)
  try {
    for (;;) {
      let chunk: IteratorResult<Buffer, void>
      try {
        chunk = await chunks.next()
      } catch (cause) {
        return { ...BROKEN_OFF, detail: cause }
      }
      if (chunk.done === true) return undefined
      const wrong = await take(chunk.value)
      if (wrong !== undefined) return wrong
    }
  } finally {
    await chunks.return()
  }
}

/** Answers the place where the next page begins, or undefined when this was the last. */
async function takeRecords(
  answer: StreamAnswer,
  { format }: Wanted,
  before: Reached,
  target: Target,
  told: (reached: Reached, bytes: number) => void,
): Promise<Result<string | undefined>> {
  const cut = createRecordCut(
    format === 'csv' ? 'csv' : 'ndjson',
    before.records === 0 && before.lastId === undefined,
  )
  let written = before.records
  const emit = async (whole: Buffer): Promise<void> => {
    const bytes = format === 'json' ? asArrayItems(whole, written === 0) : whole
    if (bytes.length === 0) return
    await target.write(bytes)
    written = before.records + cut.records
    const lastId = cut.lastId ?? before.lastId
    const reached = { records: written, ...(lastId === undefined ? {} : { lastId }) }
    told(reached, bytes.length)
    await target.reached(reached)
  }
  const wrong = await readChunks(answer.body, async (chunk) => {
    const whole = cut.push(chunk)
    if (whole === undefined) return TOO_LONG
    await emit(whole)
    return undefined
  })
  if (wrong !== undefined) return err(wrong)
  await emit(cut.end())
  return ok(nextOf(header(answer, 'link')))
}

const TOO_LONG: Problem = {
  code: 'PartnerAnswerInvalid',
  message: 'The partner sent a record that is longer than any may be. What came before it was kept.',
  messageDe:
    'Der Partner hat einen Eintrag gesendet, der länger ist als erlaubt. Was davor kam, wurde behalten.',
}

/** RFC 8288: the position behind which the page with relation `next` begins. */
function nextOf(link: string | undefined): string | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1]
  if (target === undefined || !URL.canParse(target, 'http://localhost')) return undefined
  return new URL(target, 'http://localhost').searchParams.get('after') ?? undefined
}

async function takeFile(
  answer: StreamAnswer,
  offset: number,
  target: Target,
  told: { readonly restarted: () => void; readonly taken: (bytes: number, etag: string | undefined) => void },
): Promise<Result<undefined>> {
  const isRest = answer.status === 206
  const fits = !isRest || (header(answer, 'content-range') ?? '').startsWith(`bytes ${offset}-`)
  // The whole instead of the rest: the file changed meanwhile, and parts of two versions do not belong together.
  const anew = offset > 0 && !isRest
  if (!fits || (anew && !(await target.restart()))) {
    leave(answer.body)
    return CHANGED
  }
  if (anew) told.restarted()
  const etag = header(answer, 'etag')
  const wrong = await readChunks(answer.body, async (chunk) => {
    await target.write(chunk)
    told.taken(chunk.length, etag)
    await target.reached({ records: 0, ...(etag === undefined ? {} : { etag }) })
    return undefined
  })
  return wrong === undefined ? ok(undefined) : err(wrong)
}

const CHANGED = problem('PartnerAnswerInvalid', {
  en: 'The file of the partner changed while it was received. Pull it again.',
  de: 'Die Datei des Partners hat sich geändert, während sie empfangen wurde. Holen Sie sie noch einmal ab.',
})
