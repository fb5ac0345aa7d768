/** How a delivery to us is read and answered over HTTP: its limits, its number, and every refusal. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '../../core/result.js'
import { sendProblem } from '../delivery/answer.js'
import type { Pushed } from '../sinks/progress.js'

/** What is read of a refused body so that its sender hears the answer, bytes. */
const POLITENESS = 4 * 1024 * 1024
/** And how long that may take, milliseconds. */
const PATIENCE = 5_000

/** The body is larger than we take. */
export class TooLarge extends Error {}
/** The transfer ended while the body was on its way. */
export class Stopped extends Error {}

export type More = NonNullable<Parameters<typeof sendProblem>[3]>

export const BUSY: Problem = {
  code: 'TooManyFlows',
  message: 'Deliveries of a transfer are taken one after the other. Wait for the answer to the last one.',
  messageDe:
    'Die Lieferungen einer Übertragung werden nacheinander angenommen. Warten Sie auf die Antwort zur letzten.',
}
export const NO_ROOM: Problem = {
  code: 'SinkUnavailable',
  message: 'The receiver cannot store the data now.',
  messageDe: 'Der Empfänger kann die Daten im Augenblick nicht speichern.',
}
export const tooLarge = (maxBytes: number): Problem => ({
  code: 'MessageTooLarge',
  message: `A delivery may have ${maxBytes} bytes at most here. Send smaller ones.`,
  messageDe: `Eine Lieferung darf hier höchstens ${maxBytes} Byte haben. Senden Sie kleinere.`,
})

/** What the head alone tells: nothing of the body is read then. */
export function unfitHead(
  req: IncomingMessage,
  maxBytes: number,
): { readonly problem: Problem; readonly more: More } | undefined {
  if (req.method !== 'POST' && req.method !== 'PUT') {
    const problem: Problem = {
      code: 'InvalidInput',
      message: 'Data is delivered with POST.',
      messageDe: 'Daten werden mit POST geliefert.',
    }
    return { problem, more: { status: 405, headers: { Allow: 'POST, PUT' } } }
  }
  if ((req.headers['content-encoding'] ?? 'identity') !== 'identity') {
    const problem: Problem = {
      code: 'MediaTypeUnsupported',
      message: 'A delivery has to be sent without a content encoding.',
      messageDe: 'Eine Lieferung muss ohne Content-Encoding gesendet werden.',
    }
    return { problem, more: { status: 415 } }
  }
  return Number(req.headers['content-length'] ?? 0) > maxBytes
    ? { problem: tooLarge(maxBytes), more: { status: 413 } }
    : undefined
}

/** A number counts up; any other name is only compared with the last one. */
export function isRepeated(batch: string, { batch: last }: Pushed): boolean {
  if (last === undefined) return false
  if (NUMBER.test(batch) && NUMBER.test(last)) return Number(batch) <= Number(last)
  return batch === last
}
const NUMBER = /^[1-9]\d{0,14}$/

export function batchOf(req: IncomingMessage): string | undefined {
  const header = req.headers['idempotency-key']
  const name = typeof header === 'string' ? header.trim().replace(/^"(.*)"$/, '$1') : ''
  return name === '' || name.length > 200 ? undefined : name
}

/**
 * A sender that names its batches can repeat one. Any other, such as EDC, can not when it meets a connection that we are
 * closing because it was idle: it gets a new one for each delivery.
 */
export function acknowledge(req: IncomingMessage, res: ServerResponse, { batches }: Pushed): void {
  if (res.destroyed) return
  const body = JSON.stringify({ batches })
  res.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    ...(batchOf(req) === undefined ? { Connection: 'close' } : {}),
  })
  res.end(body)
}

/**
 * A refusal, and as much of the body as its sender needs to get round to reading it. A sender that numbers its deliveries
 * is answered at once; any other behind the body, because its connection is not used again and would break otherwise.
 */
export function refuseBody(
  req: IncomingMessage,
  res: ServerResponse,
  problem: Problem,
  more: More = {},
): void {
  const isNumbered = batchOf(req) !== undefined
  const headers = { ...more.headers, ...(isNumbered ? {} : { Connection: 'close' }) }
  const answer = (): void => sendProblem(req, res, problem, { ...more, headers })
  if (isNumbered || req.complete) answer()
  if (req.complete || req.destroyed) return
  let left = POLITENESS
  const leave = (): void => {
    clearTimeout(timer)
    if (isNumbered) req.destroy()
    else answer()
  }
  const timer = setTimeout(leave, PATIENCE)
  timer.unref()
  req.on('error', () => {})
  req.on('data', (chunk: Buffer) => {
    left -= chunk.byteLength
    if (left < 0) leave()
  })
  req.once('end', () => {
    clearTimeout(timer)
    answer()
  })
  req.once('close', () => clearTimeout(timer))
}

export async function drained(req: IncomingMessage): Promise<void> {
  let left = POLITENESS
  for await (const chunk of req) {
    left -= (chunk as Buffer).byteLength
    if (left < 0) return
  }
}

export async function* bounded(
  req: IncomingMessage,
  limits: { readonly maxBytes: number; readonly silenceMs: number; readonly stopped: AbortSignal },
): AsyncGenerator<Uint8Array, void> {
  let size = 0
  const { stopped } = limits
  // Reading ends at once when the transfer does, whether anything comes or not.
  const leave = (): void => void req.destroy()
  stopped.addEventListener('abort', leave)
  // Node destroys a connection that is silent for that long; when this body is here its own limits hold again.
  req.socket.setTimeout(limits.silenceMs)
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      const { byteLength } = chunk as Buffer
      size += byteLength
      if (stopped.aborted) break
      if (size > limits.maxBytes) throw new TooLarge()
      yield chunk as Buffer
    }
    if (stopped.aborted) throw new Stopped()
    if (!req.complete) throw new Error('the connection broke')
  } catch (cause) {
    throw stopped.aborted ? new Stopped() : cause
  } finally {
    stopped.removeEventListener('abort', leave)
    req.socket.setTimeout(0)
  }
}

export function pidOf(req: IncomingMessage, publicPath: string): string {
  const [path = ''] = (req.url ?? '').split('?', 1)
  try {
    return path.startsWith(`${publicPath}/`) ? decodeURIComponent(path.slice(publicPath.length + 1)) : ''
  } catch {
    // Broken percent-encoding names no transfer, and is answered as any other unknown one.
    return ''
  }
}
