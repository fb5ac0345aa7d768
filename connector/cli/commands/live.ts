/** The live stream of a transfer through the management API: connects again, goes on, and finds out why it ended. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Problem, Result } from '../../core/result.js'
import {
  type Connect,
  type Connected,
  followWith,
  isPassing as isPassingEnd,
  NOT_THE_PROTOCOL,
} from '../../dataplane/receive/follow.js'
import { type Refusal, statedProblem } from '../../dataplane/receive/partner-answer.js'
import { MAX_RECORD, parseObject, parseReceived, type Received } from '../../dataplane/receive/received.js'
import { createEventParser, type StreamEvent } from '../../dataplane/receive/sse-parser.js'
import type { ManagementClient, StreamAnswer } from '../client.js'
import { chunksOf, leave } from './body-chunks.js'
import { path } from './connected.js'
import { isPassing } from './receive-data.js'
import { type View, viewOf } from './view.js'

/** Longest silence before a connection counts as dead, milliseconds: four heartbeats. */
const MAX_SILENCE = 60_000

export type LiveOptions = {
  readonly client: ManagementClient
  readonly pid: string
  readonly after?: string
  readonly from?: string
  readonly signal: AbortSignal
  readonly onRecords: (batch: readonly Received[]) => Promise<void>
  readonly onOutage: (problem: Problem | undefined) => void
}

export type LiveEnd = {
  /** Why it ended; absent when the signal ended it. */
  readonly problem?: Problem
  /** Where to go on. */
  readonly resume: string | undefined
}

/** What `onRecords` throws is thrown on. */
export async function followLive(options: LiveOptions): Promise<LiveEnd> {
  const { client, pid, after, from, signal, onRecords, onOutage } = options
  const where = `${path`/transfers/${pid}/stream`}${from === undefined ? '' : `?${new URLSearchParams({ from })}`}`
  let resume = after
  const connect: Connect = async (resumeAt, told) => {
    const opened = await open(client, where, resumeAt, signal)
    if (!opened.ok) return { problem: opened.error, transient: isPassing(opened.error) }
    told.opened()
    return listen(opened.value, {
      ...told,
      begins: (id) => {
        resume = id
        told.begins(id)
      },
    })
  }
  const ended = await followWith(
    {
      // The management client knows address and token.
      endpoint: client.url,
      token: '',
      signal,
      onRecords: async (batch) => {
        await onRecords(batch)
        resume = batch.at(-1)?.id ?? resume
      },
      onState: (state) => onOutage(state.is === 'waiting' ? state.problem : undefined),
      ...(after === undefined ? {} : { after }),
    },
    connect,
  )
  return { resume, ...(ended.ok ? {} : { problem: ended.error }) }
}

async function open(
  client: ManagementClient,
  where: string,
  after: string | undefined,
  signal: AbortSignal,
): Promise<Result<StreamAnswer>> {
  try {
    return await client.stream(where, {
      signal,
      headers: { accept: 'text/event-stream', ...(after === undefined ? {} : { 'last-event-id': after }) },
    })
  } catch (cause) {
    if (!signal.aborted) throw cause
    return { ok: false, error: BROKEN_OFF.problem }
  }
}

const BROKEN_OFF: Refusal = {
  problem: { code: 'PartnerUnreachable', message: 'The stream broke off without a reason.' },
  transient: true,
}

async function listen({ headers, body }: StreamAnswer, told: Connected): Promise<Refusal> {
  if (!String(headers['content-type']).startsWith('text/event-stream')) {
    leave(body)
    return NOT_THE_PROTOCOL
  }
  const parser = createEventParser(MAX_RECORD)
  const chunks = chunksOf(body)
  const dead = setTimeout(() => body.destroy(), MAX_SILENCE)
  try {
    for (;;) {
      let chunk: IteratorResult<Buffer, void>
      try {
        chunk = await chunks.next()
      } catch {
        // Whatever broke the connection: it is made again.
        return BROKEN_OFF
      }
      dead.refresh()
      if (chunk.done === true) return BROKEN_OFF
      const events = parser.push(chunk.value)
      const ended = events === undefined ? NOT_THE_PROTOCOL : await take(events, told)
      if (ended !== undefined) return ended
    }
  } finally {
    clearTimeout(dead)
    await chunks.return()
  }
}

async function take(events: readonly StreamEvent[], told: Connected): Promise<Refusal | undefined> {
  const batch: Received[] = []
  let ended: Refusal | undefined
  for (const { type, data, id } of events) {
    if (data === '') {
      // Only the server's first word comes without a record: it names the place where the stream begins.
      if (id !== undefined && batch.length === 0) told.begins(id)
    } else if (type === 'end') {
      const problem = statedProblem(parseObject(data))
      ended = problem === undefined ? NOT_THE_PROTOCOL : { problem, transient: isPassingEnd(problem) }
      break
    } else if (type === 'message') {
      const record = parseReceived(data)
      if (record === undefined) {
        ended = NOT_THE_PROTOCOL
        break
      }
      batch.push(record)
    }
  }
  if (batch.length > 0) await told.records(batch)
  return ended
}

/** How long the message that explains the end may take to arrive behind the end itself, milliseconds. */
const EXPLAINED_WITHIN = 3_000
const LOOK = 100

/** Transfer and contract as they are once the end of the stream has shown in them. */
export async function settledEnd(
  client: ManagementClient,
  ids: { readonly pid: string; readonly contract: string },
  now: () => number,
): Promise<Result<{ readonly transfer: View; readonly contract: View }>> {
  const deadline = now() + EXPLAINED_WITHIN
  for (;;) {
    const found = await client.get(path`/transfers/${ids.pid}`)
    if (!found.ok) return found
    const agreed = await client.get(path`/contracts/${ids.contract}`)
    if (!agreed.ok) return agreed
    const transfer = viewOf(found.value)
    const contract = viewOf(agreed.value)
    const shows = transfer.text('state') !== 'STARTED' || contract.text('status') !== 'active'
    if (shows || now() >= deadline) return { ok: true, value: { transfer, contract } }
    await pause(LOOK)
  }
}
