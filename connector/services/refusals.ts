/** What we refused of a partner's messages, in the history of the process: the first and the latest of each kind, counted. */
import { because, type Problem } from '../core/result.js'
import type { Clock, Pid } from '../core/types.js'
import type { ProcessKind } from '../domain/process.js'
import type { Store } from '../store/store.js'

/** Does nothing for what is not a process of this partner: strangers write nothing. */
export async function noteRefusal(
  deps: { readonly store: Store; readonly clock: Clock },
  m: {
    readonly kind: ProcessKind
    readonly pid: Pid
    readonly partner: string
    /** The message by the name of its event. */
    readonly event: string
    readonly why: Problem
  },
): Promise<void> {
  const { kind, pid, partner, event, why } = m
  if (deps.store.find<ProcessKind>({ kind, pid, partner }) === undefined) return
  const detail = { code: why.code, ...because(why) }
  const entry = {
    subject: pid,
    at: deps.clock(),
    direction: 'in',
    event: `${event} refused`,
    detail,
  } as const
  await deps.store.note(entry, `${event} refused`)
}
