/** The STARTED transfer behind what somebody named: itself, one under that contract, or a new one. */
import { reasonIn } from '../../core/operator-reasons.js'
import { ok, problem, type Result } from '../../core/result.js'
import { complain } from '../command.js'
import { type Here, inLang, path } from './connected.js'
import type { FollowDeps } from './deps.js'
import { followProcess, stillOpen } from './follow-process.js'
import { findOne, listOfKind, shortId } from './ids.js'
import { type View, viewOf } from './view.js'
import { endWords, owedWords, sideWords } from './words.js'

export type RunningTransfer = { readonly pid: string; readonly contract: string; readonly dataset: string }

const runningOf = (transfer: View): RunningTransfer => ({
  pid: transfer.text('pid'),
  contract: transfer.text('contract'),
  dataset: transfer.text('dataset'),
})

export async function runningTransfer(
  here: Here,
  deps: FollowDeps,
  given: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<Result<RunningTransfer>> {
  const found = await findOne(here, ['contract', 'transfer'], given)
  if (!found.ok) return found
  const { kind, entry } = found.value
  if (entry.text('role') === 'provider') {
    return problem(
      'InvalidInput',
      inLang(
        here,
        'Here you are the provider: the data goes to the partner, who pulls it there.',
        'Hier sind Sie der Anbieter: Die Daten gehen an den Partner, der sie dort abruft.',
      ),
    )
  }
  const chosen = kind === 'transfer' ? ok(entry) : await underContract(here, entry)
  if (!chosen.ok) return chosen
  if (chosen.value.text('state') === 'STARTED') return ok(runningOf(chosen.value))
  return started(here, deps, chosen.value, waitMs, signal)
}

async function underContract(here: Here, contract: View): Promise<Result<View>> {
  const id = contract.text('id')
  if (contract.text('status') !== 'active') return problem('GrantEnded', inactive(here, contract))
  const transfers = await listOfKind(here, 'transfer')
  if (!transfers.ok) return transfers
  const own = transfers.value.filter(
    (transfer) =>
      transfer.text('contract') === id &&
      transfer.text('role') === 'consumer' &&
      // Under such a one nothing can be fetched.
      transfer.text('format') !== 'HttpData-PUSH',
  )
  for (const state of ['STARTED', 'REQUESTED', 'NEW', 'SUSPENDED']) {
    const transfer = own.find((candidate) => candidate.text('state') === state)
    if (transfer !== undefined) return ok(transfer)
  }
  const begun = await here.client.post('/api/v1/transfers', { contract: id })
  return begun.ok ? ok(viewOf(begun.value)) : begun
}

function inactive(here: Here, contract: View): string {
  const reason = contract.maybe('statusReason')
  const why = reason === undefined ? '.' : `: ${reason}`
  const side = contract.maybe('statusBy')
  if (contract.text('status') === 'revoked') {
    const by = side === undefined ? '' : ` ${sideWords(side, here.lang)}`
    return inLang(here, `The contract was revoked${by}${why}`, `Der Vertrag wurde${by} widerrufen${why}`)
  }
  return inLang(here, 'The contract is not in force yet.', 'Der Vertrag gilt noch nicht.')
}

/** Why a transfer gives no data now; undefined while it may still start. */
export function stoppedWords(here: Here, transfer: View): string | undefined {
  const state = transfer.text('state')
  const reason = transfer.maybe('reason')
  const why = reason === undefined ? '.' : `: ${reasonIn(reason, here.lang)}`
  if (state === 'SUSPENDED') {
    const by = sideWords(transfer.text('suspendedBy') || 'partner', here.lang)
    return inLang(here, `The transfer is paused ${by}${why}`, `Die Übertragung ist ${by} angehalten${why}`)
  }
  if (state === 'COMPLETED') {
    return inLang(here, 'The transfer is complete.', 'Die Übertragung ist abgeschlossen.')
  }
  if (state !== 'TERMINATED') return undefined
  return inLang(
    here,
    `The transfer was ended${endWords(transfer, 'en')}`,
    `Die Übertragung wurde beendet${endWords(transfer, 'de')}`,
  )
}

async function started(
  here: Here,
  deps: FollowDeps,
  begun: View,
  waitMs: number,
  signal: AbortSignal,
): Promise<Result<RunningTransfer>> {
  const pid = begun.text('pid')
  const followed = await followProcess(here, {
    path: path`/transfers/${pid}`,
    begun,
    isThere: (process) => process.text('state') === 'STARTED' || stoppedWords(here, process) !== undefined,
    onLook: () => {},
    waitMs,
    clock: deps.clock,
    signal,
  })
  if (followed.is === 'failed') return { ok: false, error: followed.error }
  const { process } = followed
  if (process.text('state') === 'STARTED') return ok(runningOf(process))
  const stopped = stoppedWords(here, process)
  if (stopped !== undefined) return problem('GrantEnded', stopped)
  const owed = process.views('owed')
  if (owed.length > 0) complain(here, owedWords(owed, here.lang))
  return problem(
    followed.is === 'interrupted' ? 'Stopping' : 'PartnerUnreachable',
    `${stillOpen(here, followed.is)}\n${inLang(here, 'Transfer', 'Übertragung')} ${shortId(pid)}`,
  )
}
