/**
 * How many processes a partner may leave open. Each costs rows on our disk and a look after every restart, and the partner
 * decides how many there are: beyond any honest use it is told to end some first.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { ProcessKind } from '../domain/process.js'
import type { Store } from '../store/store.js'

/** Of each kind, with one partner. */
export const MAX_OPEN = 1000

/** Whether the partner may open one more. */
export function mayOpen(
  { store }: { readonly store: Pick<Store, 'countOpen'> },
  kind: ProcessKind,
  partner: string,
): Result<void> {
  return store.countOpen(kind, partner, MAX_OPEN) < MAX_OPEN
    ? ok(undefined)
    : problem('TooManyProcesses', {
        en: `You have ${MAX_OPEN} ${kind}s open here, which is the limit. End some, and send this once more.`,
        de: `Sie haben hier ${MAX_OPEN} ${kind === 'negotiation' ? 'Verhandlungen' : 'Übertragungen'} offen; mehr sind nicht erlaubt. Beenden Sie einige, und senden Sie noch einmal.`,
      })
}
