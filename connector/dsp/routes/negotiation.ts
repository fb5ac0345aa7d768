/** Contract negotiation, provider paths and consumer callback paths. DSP 2025-1, Contract Negotiation HTTPS Binding. */
import type { Router } from 'express'
import { type Because, ok, problem, type Result } from '../../core/result.js'
import type { JsonObject, Pid } from '../../core/types.js'
import { AGREEMENT_SIGNATURE, COUNTERSIGNATURE, RECEIPT } from '../../crypto/agreement-seal.js'
import type { Negotiation } from '../../domain/negotiation.js'
import * as negotiation from '../../services/negotiation.js'
import * as asConsumer from '../../services/negotiation-consumer.js'
import * as asProvider from '../../services/negotiation-provider.js'
import { contractNegotiation } from '../build.js'
import { CONSUMER_PATH as C, EVENT_FINALIZED, PROVIDER_PATH as P, REASON_DE } from '../messages.js'
import { asReceived } from '../normalise.js'
import { shapesIn } from '../shape-texts.js'
import { callbackOf } from './callback.js'
import { type ExchangeDeps, type Mount, onMessage, onRead, param } from './exchange.js'

const pidParam = (path: string): string => path.replace(':id', ':pid')

export function negotiationRoutes(deps: ExchangeDeps, services: negotiation.NegotiationDeps): Mount {
  const rendered = (n: Negotiation) =>
    contractNegotiation({ ...negotiation.pidsOf(n), state: n.state === 'NEW' ? opening(n) : n.state })

  return (router: Router) => {
    router.get(
      pidParam(P.negotiation),
      onRead(deps, 'negotiation', async ({ sender }, req, res) => {
        const found = services.store.find({
          kind: 'negotiation',
          pid: param(req, 'pid') as Pid,
          partner: sender,
        })
        if (found === undefined)
          return problem('NotFound', {
            en: 'There is no such negotiation.',
            de: 'Diese Verhandlung gibt es nicht.',
          })
        res.status(200).json(rendered(found))
        return ok(undefined)
      }),
    )

    router.post(
      P.negotiationRequest,
      onMessage(deps, 'negotiation', 'ContractRequestMessage', async (m, caller, _req, res) => {
        const callback = callbackOf(m.callbackAddress, caller.partner)
        if (!callback.ok) return callback
        const outcome = await asProvider.receiveRequest(services, caller.partner, {
          ...caller,
          consumerPid: m.consumerPid,
          offer: m.offer as unknown as JsonObject,
          callbackAddress: callback.value,
        })
        if (outcome.ok) res.status(201).json(rendered(outcome.value))
        return outcome
      }),
    )

    router.post(
      pidParam(P.counterRequest),
      onMessage(deps, 'negotiation', 'ContractRequestMessage', async (m, caller, req, res) => {
        const pid = param(req, 'pid') as Pid
        const owned = own(services, pid, caller.sender, m.providerPid, 'provider')
        if (!owned.ok) return owned
        return answered(
          res,
          await asProvider.receiveCounterRequest(services, caller.partner, {
            ...caller,
            pid,
            consumerPid: m.consumerPid,
            offer: m.offer as unknown as JsonObject,
          }),
        )
      }),
    )

    router.post(
      C.initialOffer,
      onMessage(deps, 'negotiation', 'ContractOfferMessage', async (m, caller, _req, res) => {
        const callback = callbackOf(m.callbackAddress, caller.partner)
        if (!callback.ok) return callback
        const outcome = await asConsumer.receiveInitialOffer(services, caller.partner, {
          ...caller,
          providerPid: m.providerPid,
          offer: m.offer as unknown as JsonObject,
          shapes: shapesIn(m),
          callbackAddress: callback.value,
        })
        if (outcome.ok) res.status(201).json(rendered(outcome.value))
        return outcome
      }),
    )

    router.post(
      pidParam(C.offers),
      onMessage(deps, 'negotiation', 'ContractOfferMessage', async (m, caller, req, res) => {
        const pid = param(req, 'pid') as Pid
        const owned = own(services, pid, caller.sender, m.consumerPid, 'consumer')
        if (!owned.ok) return owned
        const offer = m.offer as unknown as JsonObject
        return answered(
          res,
          await asConsumer.receiveOffer(services, caller.partner, {
            ...caller,
            pid,
            providerPid: m.providerPid,
            offer,
            shapes: shapesIn(m),
          }),
        )
      }),
    )

    router.post(
      pidParam(C.agreement),
      onMessage(deps, 'negotiation', 'ContractAgreementMessage', async (m, caller, req, res) => {
        const pid = param(req, 'pid') as Pid
        const owned = own(services, pid, caller.sender, m.consumerPid, 'consumer')
        if (!owned.ok) return owned
        return answered(
          res,
          await asConsumer.receiveAgreement(services, caller.partner, {
            ...caller,
            pid,
            providerPid: m.providerPid,
            agreement: m.agreement as unknown as JsonObject,
            text: asReceived(caller.received, 'agreement') as JsonObject,
            shapes: shapesIn(m),
            ...seal('seal', m, AGREEMENT_SIGNATURE),
          }),
        )
      }),
    )

    router.post(
      pidParam(P.agreementVerification),
      onMessage(deps, 'negotiation', 'ContractAgreementVerificationMessage', async (m, caller, req, res) => {
        const pid = param(req, 'pid') as Pid
        const owned = own(services, pid, caller.sender, m.providerPid, 'provider')
        if (!owned.ok) return owned
        return answered(
          res,
          await asProvider.receiveVerification(services, caller.partner, {
            ...caller,
            pid,
            consumerPid: m.consumerPid,
            ...seal('seal', m, COUNTERSIGNATURE),
          }),
        )
      }),
    )

    router.post(
      pidParam(P.negotiationEvents),
      onMessage(deps, 'negotiation', 'ContractNegotiationEventMessage', async (m, caller, req, res) => {
        const pid = param(req, 'pid') as Pid
        const finalized = m.eventType === EVENT_FINALIZED
        const owned = own(services, pid, caller.sender, undefined, undefined)
        if (!owned.ok) return owned
        // DSP 2025-1, 7.2.5: ACCEPTED comes from the consumer, FINALIZED from the provider; the other way is an error.
        if (owned.value.role !== (finalized ? 'consumer' : 'provider')) {
          return problem('InvalidTransition', {
            en: `The ${owned.value.role === 'consumer' ? 'provider' : 'consumer'} may not send the event ${m.eventType}.`,
            de: `Der ${owned.value.role === 'consumer' ? 'Anbieter' : 'Empfänger'} darf das Ereignis ${m.eventType} nicht senden.`,
          })
        }
        const matching = own(
          services,
          pid,
          caller.sender,
          finalized ? m.consumerPid : m.providerPid,
          owned.value.role,
        )
        if (!matching.ok) return matching
        return answered(
          res,
          finalized
            ? await asConsumer.receiveFinalized(services, caller.partner, {
                ...caller,
                pid,
                providerPid: m.providerPid,
                ...seal('receipt', m, RECEIPT),
              })
            : await asProvider.receiveAccepted(services, caller.partner, {
                ...caller,
                pid,
                consumerPid: m.consumerPid,
              }),
        )
      }),
    )

    router.post(
      pidParam(P.negotiationTermination),
      onMessage(deps, 'negotiation', 'ContractNegotiationTerminationMessage', async (m, caller, req, res) => {
        const pid = param(req, 'pid') as Pid
        const found = own(services, pid, caller.sender, undefined, undefined)
        if (!found.ok) return found
        const { role } = found.value
        const owned = own(
          services,
          pid,
          caller.sender,
          role === 'provider' ? m.providerPid : m.consumerPid,
          role,
        )
        if (!owned.ok) return owned
        return answered(
          res,
          await negotiation.receiveTermination(services, {
            ...caller,
            pid,
            partnerPid: role === 'provider' ? m.consumerPid : m.providerPid,
            ...reasonOf(m),
          }),
        )
      }),
    )
  }
}

/** What a process is for a partner whose answer to our first message has not come. */
const opening = (n: Negotiation) => (n.role === 'consumer' ? 'REQUESTED' : 'OFFERED')

/** The process named by the path, if it is the caller's; the pid in the body must be the same. */
function own(
  services: negotiation.NegotiationDeps,
  pid: Pid,
  sender: string,
  inBody: string | undefined,
  role: 'provider' | 'consumer' | undefined,
): Result<Negotiation> {
  const found = services.store.find({ kind: 'negotiation', pid, partner: sender })
  if (found === undefined || (role !== undefined && found.role !== role)) {
    return problem('NotFound', {
      en: 'There is no such negotiation.',
      de: 'Diese Verhandlung gibt es nicht.',
    })
  }
  if (inBody !== undefined && inBody !== pid) {
    return problem('InvalidMessage', {
      en: `The ${found.role}Pid in the body differs from the one in the path.`,
      de: `Die ${found.role}Pid im Inhalt ist eine andere als die im Pfad.`,
    })
  }
  return ok(found)
}

function answered(
  res: { status(code: number): { end(): unknown } },
  outcome: Result<unknown>,
): Result<unknown> {
  if (outcome.ok) res.status(200).end()
  return outcome
}

/** Message-level additions are texts or absent; anything else counts as a missing signature. */
function seal<Key extends string>(key: Key, message: object, iri: string): { readonly [K in Key]?: string } {
  const value = (message as Record<string, unknown>)[iri]
  return (typeof value === 'string' ? { [key]: value } : {}) as { readonly [K in Key]?: string }
}

/** Code and first readable reason of a partner, bounded. */
export function reasonOf(m: {
  readonly code?: string
  readonly reason?: readonly unknown[]
  readonly [REASON_DE]?: unknown
}): { readonly code?: string } & Partial<Because> {
  const german = m[REASON_DE]
  const text = m.reason?.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' ')
  return {
    ...(m.code === undefined ? {} : { code: m.code.slice(0, 100) }),
    ...(text === undefined ? {} : { reason: text.slice(0, 1000) }),
    ...(text === undefined || typeof german !== 'string' ? {} : { reasonDe: german.slice(0, 1000) }),
  }
}
