/**
 * Brings one body to a receiver: again and again while that makes sense, never after the flow has ended or the gate has
 * closed. What the receiver answers decides between the next batch, another try, and a halt.
 */
import type { Readable } from 'node:stream'
import { err, ok, type Problem, type Result } from '../../core/result.js'
import type { EpochMs, Text } from '../../core/types.js'
import type { PushLog, PushPost, PushTarget } from '../ports.js'
import { type Backoff, backoffMs } from '../receive/backoff.js'
import { statedReason } from '../receive/partner-answer.js'
import { parseObject } from '../receive/received.js'
import { waitUntil } from '../schedule.js'
import { type Delivery, passGate } from './delivery.js'

export type Retries = Backoff & {
  /** Without any acknowledgement for this long the push is halted, milliseconds. */
  readonly giveUpAfterMs: number
}

export const DEFAULT_RETRIES: Retries = { firstMs: 500, maxMs: 60_000, giveUpAfterMs: 3 * 24 * 3_600_000 }

export type PushWays = {
  readonly target: PushTarget
  readonly post: PushPost
  readonly log: PushLog
  readonly retries: Retries
  readonly random: () => number
}

/** `halt`: the operator has to look at it. `stop`: nothing may flow any more. */
export type PushEnd = { readonly is: 'halt' | 'stop'; readonly problem: Problem }

/** Statuses that pass by themselves, beside all from 500 on. */
const PASSING = new Set([408, 425, 429])
const PASSING_PROBLEMS: readonly Problem['code'][] = [
  'PartnerUnreachable',
  'PartnerCertificate',
  'PartnerAnswerInvalid',
  'SourceUnavailable',
  'Stopping',
]
/** Longest pause that a receiver may ask for, milliseconds. */
const LONGEST_PAUSE = 300_000

export type Parcel = {
  readonly number: number
  /** Asked for every try: a stream can be sent once only, and a file may be another one then. */
  readonly content: () => Promise<
    Result<{
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array | Readable
    }>
  >
}

/** ok(true): acknowledged; ok(false): the flow has ended from outside. */
export async function sendParcel(
  delivery: Delivery,
  ways: PushWays,
  parcel: Parcel,
): Promise<Result<boolean, PushEnd>> {
  const { flow, clock, schedule, grant } = delivery
  const { target, log, retries } = ways
  const begun = clock()
  for (let failures = 1; ; failures++) {
    if (flow.signal.aborted) return ok(false)
    const refused = await passGate(delivery)
    if (refused !== undefined) return err({ is: 'stop', problem: refused })
    if (flow.signal.aborted) return ok(false)
    const content = await parcel.content()
    if (flow.signal.aborted) return ok(false)
    const answer = content.ok
      ? await ways.post({
          recipient: grant.recipient,
          url: target.endpoint,
          headers: {
            ...content.value.headers,
            // The receiver of a repeated batch knows it by its number.
            'idempotency-key': `"${parcel.number}"`,
            ...(target.credential === undefined
              ? {}
              : { [target.credential.header]: target.credential.value }),
          },
          body: content.value.body,
          signal: flow.signal,
        })
      : content
    if (flow.signal.aborted) return ok(false)
    const failure = failureOf(answer)
    if (failure === undefined) return ok(true)
    if (!failure.passing) return err({ is: 'halt', problem: failure.problem })
    const now = clock()
    if (now - begun >= retries.giveUpAfterMs) return err({ is: 'halt', problem: failure.problem })
    const pause = Math.max(backoffMs(retries, failures, ways.random), failure.pauseMs)
    log.failed(grant.transferPid, failure.problem, pause)
    await waitUntil(schedule, clock, (now + pause) as EpochMs, flow.signal)
  }
}

type Failure = { readonly problem: Problem; readonly passing: boolean; readonly pauseMs: number }

/** undefined: the receiver has it. */
function failureOf(answer: Awaited<ReturnType<PushPost>>): Failure | undefined {
  if (!answer.ok) {
    const { error } = answer
    return { problem: error, passing: PASSING_PROBLEMS.includes(error.code), pauseMs: 0 }
  }
  const { status, retryAfterMs = 0, said } = answer.value
  if (status >= 200 && status < 300) return undefined
  const told = said === undefined ? undefined : sentenceOf(said)
  return {
    problem: {
      code: 'PartnerRefused',
      message: `The receiver answered ${status}${told === undefined ? '.' : `: ${told.en}`}`,
      messageDe: `Der Empfänger antwortete mit ${status}${told === undefined ? '.' : `: ${told.de}`}`,
    },
    passing: status >= 500 || PASSING.has(status),
    pauseMs: Math.min(retryAfterMs, LONGEST_PAUSE),
  }
}

/** A receiver of our make says in a sentence what is the matter; what any other says is told as it is. */
function sentenceOf(said: string): Text {
  return statedReason(parseObject(said)) ?? { en: said, de: `„${said}“` }
}
