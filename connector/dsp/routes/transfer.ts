/** Transfer process, provider paths and consumer callback paths. DSP 2025-1, Transfer Process HTTPS Binding. */
import type { Router } from 'express'
import { ok, problem, type Result } from '../../core/result.js'
import type { EpochMs, Pid } from '../../core/types.js'
import type { Partner } from '../../domain/partner.js'
import { PUSH, type Transfer } from '../../domain/transfer.js'
import { pidsOf } from '../../services/negotiation.js'
import type { PushDestination } from '../../services/ports.js'
import {
  receiveEnd,
  receiveStart,
  receiveTransferRequest,
  type TransferDeps,
} from '../../services/transfer.js'
import { readDataAddress, transferProcess } from '../build.js'
import { PROVIDER_PATH as P } from '../messages.js'
import { readPushAddress } from '../push-address.js'
import { callbackOf } from './callback.js'
import { type ExchangeDeps, type Mount, onMessage, onRead, param } from './exchange.js'
import { reasonOf } from './negotiation.js'

const pidParam = (path: string): string => path.replace(':id', ':pid')

export function transferRoutes(deps: ExchangeDeps, services: TransferDeps): Mount {
  const rendered = (t: Transfer) =>
    transferProcess({ ...pidsOf(t), state: t.state === 'NEW' ? 'REQUESTED' : t.state })

  return (router: Router) => {
    router.get(
      pidParam(P.transfer),
      onRead(deps, 'transfer', async ({ sender }, req, res) => {
        const found = services.store.find({
          kind: 'transfer',
          pid: param(req, 'pid') as Pid,
          partner: sender,
        })
        if (found === undefined)
          return problem('NotFound', {
            en: 'There is no such transfer.',
            de: 'Diese Übertragung gibt es nicht.',
          })
        res.status(200).json(rendered(found))
        return ok(undefined)
      }),
    )

    router.post(
      P.transferRequest,
      onMessage(deps, 'transfer', 'TransferRequestMessage', async (m, caller, _req, res) => {
        const callback = callbackOf(m.callbackAddress, caller.partner)
        if (!callback.ok) return callback
        // EDC names a destination for data that it fetches as well; nothing is sent there.
        const unused = caller.partner.dialect === 'edc' && m.format !== PUSH
        const wanted = unused ? undefined : m.dataAddress
        const data = wanted === undefined ? ok(undefined) : readPushAddress(wanted)
        if (!data.ok) return data
        const outcome = await receiveTransferRequest(services, {
          ...caller,
          consumerPid: m.consumerPid,
          agreementId: m.agreementId,
          format: m.format,
          callbackAddress: callback.value,
          ...(data.value === undefined ? {} : { data: bounded(caller.partner, data.value, deps.clock()) }),
        })
        if (outcome.ok) res.status(201).json(rendered(outcome.value))
        return outcome
      }),
    )

    router.post(
      pidParam(P.transferStart),
      onMessage(deps, 'transfer', 'TransferStartMessage', async (m, caller, req, res) => {
        const owned = own(services, param(req, 'pid') as Pid, caller.sender, m)
        if (!owned.ok) return owned
        const data = m.dataAddress === undefined ? ok(undefined) : readDataAddress(m.dataAddress)
        if (!data.ok) return data
        const outcome = await receiveStart(services, {
          ...caller,
          ...owned.value,
          ...(data.value?.token === undefined
            ? {}
            : { data: { endpoint: data.value.endpoint, token: data.value.token } }),
        })
        if (outcome.ok) res.status(200).end()
        return outcome
      }),
    )

    for (const [path, name, event] of [
      [P.transferSuspension, 'TransferSuspensionMessage', 'suspend'],
      [P.transferCompletion, 'TransferCompletionMessage', 'complete'],
      [P.transferTermination, 'TransferTerminationMessage', 'terminate'],
    ] as const) {
      router.post(
        pidParam(path),
        onMessage(deps, 'transfer', name, async (m, caller, req, res) => {
          const owned = own(services, param(req, 'pid') as Pid, caller.sender, m)
          if (!owned.ok) return owned
          const outcome = await receiveEnd(services, event, {
            ...caller,
            ...owned.value,
            ...('reason' in m || 'code' in m ? reasonOf(m) : {}),
          })
          if (outcome.ok) res.status(200).end()
          return outcome
        }),
      )
    }
  }
}

/** For EDC a push has an end: it gets what there is when it asks, and then the completion. */
const bounded = ({ dialect }: Partner, wanted: PushDestination, now: EpochMs): PushDestination =>
  dialect === 'edc' && wanted.to === undefined ? { ...wanted, to: now } : wanted

/** The process named by the path, if it is the caller's; the pid in the body must be the same. */
function own(
  services: TransferDeps,
  pid: Pid,
  sender: string,
  m: { readonly providerPid: string; readonly consumerPid: string },
): Result<{ readonly pid: Pid; readonly partnerPid: string }> {
  const found = services.store.find({ kind: 'transfer', pid, partner: sender })
  if (found === undefined)
    return problem('NotFound', { en: 'There is no such transfer.', de: 'Diese Übertragung gibt es nicht.' })
  const [ownPid, partnerPid] =
    found.role === 'provider' ? [m.providerPid, m.consumerPid] : [m.consumerPid, m.providerPid]
  return ownPid === pid
    ? ok({ pid, partnerPid })
    : problem('InvalidMessage', {
        en: `The ${found.role}Pid in the body differs from the one in the path.`,
        de: `Die ${found.role}Pid im Inhalt ist eine andere als die im Pfad.`,
      })
}
