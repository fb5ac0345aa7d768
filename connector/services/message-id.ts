/**
 * An `@id` for each message, so that no two messages of a process have the same bytes: a late copy of an old one can then
 * be told from a new one in the same words. Other connectors name their messages in the same way, or do without.
 */
import type { EpochMs, Pid } from '../core/types.js'
import type { Sent } from '../domain/process.js'

/** The message with an `@id` made from our process, its turn and the moment; the same for the same step. */
export function identified(
  body: string,
  process: { readonly pid: Pid; readonly updatedAt: EpochMs; readonly turn?: number },
): string {
  const { pid, turn = 0, updatedAt } = process
  return `${body.slice(0, -1)},"@id":${JSON.stringify(`${pid}#${turn}-${updatedAt}`)}}`
}

/** Whether a message has a name of its own. One that bears the name of its process is like all others of that process. */
export function isIdentified(message: object): boolean {
  const { '@id': id, providerPid, consumerPid } = message as { readonly [key: string]: unknown }
  return typeof id === 'string' && id !== '' && id !== providerPid && id !== consumerPid
}

const MADE = /^(.+)#(\d{1,9})-(\d{1,15})$/

/** When the sender made a message that is named as ours are; undefined for all others. */
export function sentAt(message: object): Sent | undefined {
  const { '@id': id, providerPid, consumerPid } = message as { readonly [key: string]: unknown }
  const [, pid, turn, at] = (typeof id === 'string' && MADE.exec(id)) || []
  if (pid === undefined || (pid !== providerPid && pid !== consumerPid)) return undefined
  return { turn: Number(turn), at: Number(at) }
}
