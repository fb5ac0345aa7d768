/** What the events of a live stream say, wherever it is listened to: records, the place to begin, the reason of the end. */

import { type Connected, isPassing, NOT_THE_PROTOCOL } from './follow.js'
import type { Refusal } from './partner-answer.js'
import { statedProblem } from './partner-answer.js'
import { parseObject, parseReceived, type Received } from './received.js'
import type { StreamEvent } from './sse-parser.js'

export const BROKEN_OFF: Refusal = {
  problem: {
    code: 'PartnerUnreachable',
    message: 'The stream broke off without a reason.',
    messageDe: 'Der Datenstrom brach ohne Begründung ab.',
  },
  transient: true,
}

/** Hands the records on as one batch. Answers why the stream is at its end, undefined when it goes on. */
export async function takeEvents(
  events: readonly StreamEvent[],
  told: Pick<Connected, 'begins' | 'records'>,
): Promise<Refusal | undefined> {
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
