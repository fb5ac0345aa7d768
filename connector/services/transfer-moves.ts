/** What the operator's rules want with a transfer. Pure, apart from telling the log that they failed. */

import type { Log } from '../core/log.js'
import { textOf } from '../core/result.js'
import { transition } from '../domain/process.js'
import { TRANSFER, type Transfer } from '../domain/transfer.js'
import type { Automation, TransferMove } from './ports.js'

/** A failure of the rules, or a wish that is not allowed in the state, needs a person. */
export function wantedOf(
  deps: { readonly automation: Automation; readonly log: Log },
  transfer: Transfer,
): TransferMove {
  const failed = (detail: string, detailDe: string) =>
    ({ move: 'wait', for: 'person', because: 'rules', detail, detailDe }) as const
  let move: TransferMove
  try {
    move = deps.automation.transfer(transfer)
  } catch (cause) {
    deps.log.error({ err: cause, pid: transfer.pid }, 'the rules failed')
    const what = cause instanceof Error ? cause.message : String(cause)
    return failed(`The rules failed: ${what}`, `Die Regeln sind gescheitert: ${what}`)
  }
  if (move.move === 'wait') return move
  const legal = transition(TRANSFER, transfer.state, move.move, transfer.role)
  if (legal.ok) return move
  const { en, de } = textOf(legal.error)
  return failed(
    `The rules wanted something that is not allowed. ${en}`,
    `Die Regeln wollten etwas, das nicht erlaubt ist. ${de}`,
  )
}
