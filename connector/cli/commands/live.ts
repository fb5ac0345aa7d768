/** The live stream of a transfer through the management API: connects again, goes on, and finds out why it ended. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Problem, Result } from '../../core/result.js'
import { type Connect, type Connected, followWith, NOT_THE_PROTOCOL } from '../../dataplane/receive/follow.js'
import type { Refusal } from '../../dataplane/receive/partner-answer.js'
import { MAX_RECORD, type Received } from '../../dataplane/receive/received.js'
import { createEventParser } from '../../dataplane/receive/sse-parser.js'
import { BROKEN_OFF, takeEvents } from '../../dataplane/receive/stream-events.js'
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
      const ended = events === undefined ? NOT_THE_PROTOCOL : await takeEvents(events, told)
      if (ended !== undefined) return ended
    }
  } finally {
    clearTimeout(dead)
    await chunks.return()
  }
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
