/** A live stream over Server-Sent Events. */
import { err, type Result } from '../../core/result.js'
import type { Body } from './body.js'
import { type Connected, type FollowOptions, followWith, isPassing, NOT_THE_PROTOCOL } from './follow.js'
import { addressOf, call, type Refusal, statedProblem, unreachable } from './partner-answer.js'
import { MAX_RECORD, parseObject, parseReceived, type Received } from './received.js'
import { createEventParser, type StreamEvent } from './sse-parser.js'

export async function followStream(options: FollowOptions): Promise<Result<{ readonly lastId?: string }>> {
  const url = addressOf(options.endpoint, { from: options.from })
  if (!url.ok) return err(url.error)
  return followWith(options, async (after, told) => {
    const headers = { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) }
    const answer = await call(options, url.value, headers)
    if (!answer.ok) return answer.error
    const { body } = answer.value
    if (!String(answer.value.headers['content-type']).startsWith('text/event-stream')) {
      body.close()
      return NOT_THE_PROTOCOL
    }
    told.opened()
    try {
      return await listen(body, told)
    } finally {
      body.close()
    }
  })
}

async function listen(body: Body, told: Connected): Promise<Refusal> {
  const parser = createEventParser(MAX_RECORD)
  const chunks = body[Symbol.asyncIterator]()
  for (;;) {
    let chunk: IteratorResult<Uint8Array>
    try {
      chunk = await chunks.next()
    } catch (cause) {
      return { problem: unreachable(cause), transient: true }
    }
    if (chunk.done) return BROKEN_OFF
    const events = parser.push(chunk.value)
    if (events === undefined) return NOT_THE_PROTOCOL
    const ended = await take(events, told)
    if (ended !== undefined) return ended
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
      ended = problem === undefined ? NOT_THE_PROTOCOL : { problem, transient: isPassing(problem) }
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

const BROKEN_OFF: Refusal = {
  problem: { code: 'PartnerUnreachable', message: 'The stream broke off without a reason.' },
  transient: true,
}
