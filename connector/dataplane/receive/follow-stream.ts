/** A live stream over Server-Sent Events. */
import { err, type Result } from '../../core/result.js'
import type { Body } from './body.js'
import { type Connected, type FollowOptions, followWith, NOT_THE_PROTOCOL } from './follow.js'
import { addressOf, call, type Refusal, unreachable } from './partner-answer.js'
import { MAX_RECORD } from './received.js'
import { createEventParser } from './sse-parser.js'
import { BROKEN_OFF, takeEvents } from './stream-events.js'

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
    const ended = await takeEvents(events, told)
    if (ended !== undefined) return ended
  }
}
