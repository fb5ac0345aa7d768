/** The Wire port of the services, for DSP 2025-1: which path each message takes, and its exact bytes. Pure. */

import { parseJson } from '../core/json.js'
import { ok, problem, textOf } from '../core/result.js'
import type { Role, Text } from '../core/types.js'
import { AGREEMENT_SIGNATURE, COUNTERSIGNATURE, RECEIPT } from '../crypto/agreement-seal.js'
import type { Outgoing, Pids, Wire } from '../services/ports.js'
import * as build from './build.js'
import {
  CONSUMER_PATH,
  type DspPath,
  EVENT_ACCEPTED,
  EVENT_FINALIZED,
  PROVIDER_PATH,
  urlOf,
} from './messages.js'
import { readMessage } from './normalise.js'
import { pushDataAddress } from './push-address.js'
import { readError } from './read-error.js'
import { withShapes } from './shape-texts.js'
import type { Validate } from './validate.js'

const outgoing = (path: DspPath, pid: string, message: object): Outgoing => ({
  path: urlOf('', path, pid),
  body: JSON.stringify(message),
})

/** A message is addressed by the pid of whoever receives it. */
const receiver = (from: Role, pids: Pids): string =>
  from === 'provider' ? pids.consumerPid : pids.providerPid

const extension = (iri: string, value: string | undefined): build.Extensions =>
  value === undefined ? {} : { [iri]: value }

export function createWire(validate: Validate): Wire {
  return {
    contractRequest: (m) => outgoing(PROVIDER_PATH.negotiationRequest, '', build.contractRequest(m)),
    counterRequest: (m) => outgoing(PROVIDER_PATH.counterRequest, m.providerPid, build.contractRequest(m)),
    contractOffer: ({ shapes, ...m }) =>
      outgoing(CONSUMER_PATH.initialOffer, '', build.contractOffer(m, withShapes(shapes))),
    counterOffer: ({ shapes, ...m }) =>
      outgoing(CONSUMER_PATH.offers, m.consumerPid, build.contractOffer(m, withShapes(shapes))),
    contractAgreement: ({ seal, shapes, ...m }) =>
      outgoing(
        CONSUMER_PATH.agreement,
        m.consumerPid,
        build.contractAgreement(m, { ...withShapes(shapes), ...extension(AGREEMENT_SIGNATURE, seal) }),
      ),
    agreementVerification: ({ seal, ...m }) =>
      outgoing(
        PROVIDER_PATH.agreementVerification,
        m.providerPid,
        build.agreementVerification(m, extension(COUNTERSIGNATURE, seal)),
      ),
    accepted: (m) =>
      outgoing(
        PROVIDER_PATH.negotiationEvents,
        m.providerPid,
        build.negotiationEvent({ ...m, eventType: EVENT_ACCEPTED }),
      ),
    finalized: ({ receipt, ...m }) =>
      outgoing(
        CONSUMER_PATH.negotiationEvents,
        m.consumerPid,
        build.negotiationEvent({ ...m, eventType: EVENT_FINALIZED }, extension(RECEIPT, receipt)),
      ),
    negotiationTermination: ({ from, ...m }) =>
      outgoing(PROVIDER_PATH.negotiationTermination, receiver(from, m), build.negotiationTermination(m)),
    transferRequest: ({ data, ...m }) =>
      outgoing(
        PROVIDER_PATH.transferRequest,
        '',
        build.transferRequest({
          ...m,
          ...(data === undefined ? {} : { dataAddress: pushDataAddress(data) }),
        }),
      ),
    transferStart: ({ from, data, ...m }) =>
      outgoing(
        PROVIDER_PATH.transferStart,
        receiver(from, m),
        build.transferStart({
          ...m,
          ...(data === undefined ? {} : { dataAddress: build.httpDataAddress(data) }),
        }),
      ),
    transferSuspension: ({ from, ...m }) =>
      outgoing(PROVIDER_PATH.transferSuspension, receiver(from, m), build.transferSuspension(m)),
    transferCompletion: ({ from, ...m }) =>
      outgoing(PROVIDER_PATH.transferCompletion, receiver(from, m), build.transferCompletion(m)),
    transferTermination: ({ from, ...m }) =>
      outgoing(PROVIDER_PATH.transferTermination, receiver(from, m), build.transferTermination(m)),

    readAnswer: (kind, body, ownRole, ownPid) => {
      const json = parseJson(body)
      const name = kind === 'negotiation' ? 'ContractNegotiation' : 'TransferProcess'
      const message = json.ok ? readMessage(validate, name, json.value) : json
      const unusable = ({ en, de }: Text) =>
        problem('PartnerAnswerInvalid', {
          en: `The partner's answer cannot be used. ${en}`,
          de: `Die Antwort des Partners ist nicht verwendbar. ${de}`,
        })
      if (!message.ok) return unusable(textOf(message.error))
      const { providerPid, consumerPid, state } = message.value
      const [named, other] = ownRole === 'consumer' ? [consumerPid, providerPid] : [providerPid, consumerPid]
      if (named === ownPid) return ok({ partnerPid: other, state })
      // Ours is in it, on the other side: some partners mix up the two.
      return other === ownPid
        ? ok({ partnerPid: named, state })
        : unusable({
            en: `It is about another process than the one that was asked for: its ${ownRole}Pid differs.`,
            de: `Sie handelt von einem anderen Vorgang als dem angefragten: Ihre ${ownRole}Pid ist eine andere.`,
          })
    },

    readError,
  }
}
