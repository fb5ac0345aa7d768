/** The peer in each of the two roles: the messages of a whole negotiation and transfer, one function each. */
import { randomUUID } from 'node:crypto'
import { type EpochMs, iso, type JsonObject } from '../../connector/core/types.js'
import {
  AGREEMENT_SIGNATURE,
  COUNTERSIGNATURE,
  RECEIPT,
  sealAgreement,
} from '../../connector/crypto/agreement-seal.js'
import type { SigningKey } from '../../connector/crypto/keys.js'
import { offerHash } from '../../connector/services/contract.js'
import type { Answer, Member } from '../support/dataspace.js'
import { message, type Peer, pidAtPeer, type Received, type Reply, type Sent } from './peer.js'

export const newPid = (): string => `urn:uuid:${randomUUID()}`

export type Pids = { readonly providerPid: string; readonly consumerPid: string }

/** State of a process as the member shows it to the peer. */
export async function stateOf(
  peer: Peer,
  member: Member,
  pid: string,
  kind: 'negotiations' | 'transfers' = 'negotiations',
): Promise<string> {
  const answer = await peer.send(member, `/${kind}/${pid}`)
  return answer.status === 200 ? String(answer.json.state) : String(answer.status)
}

/** A seal of the peer as a message-level key; another key than its own makes a wrong one. */
export function sealOf(
  peer: Peer,
  {
    offer,
    ...m
  }: Pids & {
    readonly role: 'provider' | 'consumer' | 'receipt'
    readonly agreement: JsonObject
    readonly offer: JsonObject
    readonly covers?: readonly string[]
  },
  key: SigningKey = peer.keys.seal,
): string {
  return sealAgreement(
    { ...m, offerHash: offerHash(offer), at: Date.now() as EpochMs },
    { kid: `${peer.did}#${peer.keys.seal.kid}`, privateKey: key.privateKey },
  )
}

// ---- the peer as consumer, our connector as provider

export type Agreed = Pids & {
  readonly agreement: JsonObject
  readonly offer: JsonObject
  readonly arrived: Received
}

export function asConsumer(peer: Peer, provider: Member) {
  const offerFrom = async (dataset = 'tank', id?: string): Promise<JsonObject> => {
    const answer = await peer.send(provider, `/catalog/datasets/${dataset}`)
    const offers = (answer.json.hasPolicy ?? []) as unknown as readonly JsonObject[]
    const offer = offers.find((one) => id === undefined || one['@id'] === id)
    if (offer === undefined) throw new Error(`no offer: ${answer.status} ${answer.text}`)
    return { ...offer, target: dataset }
  }
  const request = async (
    offer: JsonObject,
    consumerPid = newPid(),
    more: object = {},
  ): Promise<Sent & Pids & { readonly body: object }> => {
    const body = message('ContractRequestMessage', {
      consumerPid,
      offer,
      callbackAddress: peer.address,
      ...more,
    })
    const answer = await peer.send(provider, '/negotiations/request', body)
    return { ...answer, providerPid: String(answer.json.providerPid), consumerPid, body }
  }
  const agreed = async (dataset = 'tank', id?: string): Promise<Agreed> => {
    const offer = await offerFrom(dataset, id)
    const { status, text, providerPid, consumerPid } = await request(offer)
    if (status !== 201) throw new Error(`${status} ${text}`)
    const arrived = await peer.message('ContractAgreementMessage', { consumerPid })
    return { providerPid, consumerPid, offer, arrived, agreement: arrived.body.agreement as JsonObject }
  }
  const verification = ({ providerPid, consumerPid }: Pids, seal?: string) =>
    message('ContractAgreementVerificationMessage', {
      providerPid,
      consumerPid,
      ...(seal === undefined ? {} : { [COUNTERSIGNATURE]: seal }),
    })
  const verify = (pids: Pids, seal?: string): Promise<Sent> =>
    peer.send(provider, `/negotiations/${pids.providerPid}/agreement/verification`, verification(pids, seal))
  const contract = async (dataset = 'tank', id?: string): Promise<string> => {
    const { agreement, providerPid, consumerPid } = await agreed(dataset, id)
    await verify({ providerPid, consumerPid })
    await peer.message('ContractNegotiationEventMessage', { consumerPid, eventType: 'FINALIZED' })
    return String(agreement['@id'])
  }
  const requestTransfer = async (agreementId: string, consumerPid = newPid(), more: object = {}) => {
    const body = message('TransferRequestMessage', {
      consumerPid,
      agreementId,
      format: 'HttpData-PULL',
      callbackAddress: peer.address,
      ...more,
    })
    const answer = await peer.send(provider, '/transfers/request', body)
    return { ...answer, providerPid: String(answer.json.providerPid), consumerPid, body }
  }
  const started = async (agreementId: string): Promise<Pids & { readonly start: Received }> => {
    const { providerPid, consumerPid, status, text } = await requestTransfer(agreementId)
    if (status !== 201) throw new Error(`${status} ${text}`)
    const start = await peer.message('TransferStartMessage', { consumerPid })
    return { providerPid, consumerPid, start }
  }
  return { offerFrom, request, agreed, verification, verify, contract, requestTransfer, started }
}

// ---- the peer as provider, our connector as consumer

export const PUMP_OFFER: JsonObject = {
  '@id': 'pump-offer',
  '@type': 'Offer',
  permission: [{ action: 'use' }],
}

export const pumpDataset = (offers: readonly JsonObject[] = [PUMP_OFFER], id = 'pump'): object =>
  message('Dataset', {
    '@id': id,
    hasPolicy: offers,
    distribution: [
      {
        '@type': 'Distribution',
        format: 'HttpData-PULL',
        accessService: { '@id': 'urn:service', '@type': 'DataService', endpointURL: 'https://localhost/dsp' },
      },
    ],
  })

/** Answers every dataset request with this dataset, and leaves the rest to `more`. */
export const offering =
  (dataset: object = pumpDataset(), more: (message: Received) => Reply | undefined = () => undefined) =>
  (arrived: Received): Reply | undefined =>
    arrived.method === 'GET' ? { body: dataset } : more(arrived)

export type Asked = Pids & { readonly offer: JsonObject; readonly path: string }

export function asProvider(peer: Peer, consumer: Member) {
  const asked = async (dataset = 'pump'): Promise<Asked> => {
    const begun = await consumer.post('/api/v1/negotiations', { partner: peer.did, dataset })
    const consumerPid = String(begun.pid)
    const arrived = await peer.message('ContractRequestMessage', { consumerPid })
    return {
      consumerPid,
      providerPid: pidAtPeer(consumerPid),
      offer: arrived.body.offer as JsonObject,
      path: `/api/v1/negotiations/${encodeURIComponent(consumerPid)}`,
    }
  }
  const agreementOn = (offer: JsonObject, changes: JsonObject = {}): JsonObject => {
    const { '@type': _, '@id': __, ...terms } = offer
    return {
      ...terms,
      '@id': newPid(),
      '@type': 'Agreement',
      assigner: peer.did,
      assignee: consumer.did,
      timestamp: iso(Date.now() as EpochMs),
      ...changes,
    }
  }
  const agreementMessage = ({ providerPid, consumerPid }: Pids, agreement: JsonObject, seal?: string) =>
    message('ContractAgreementMessage', {
      providerPid,
      consumerPid,
      agreement,
      ...(seal === undefined ? {} : { [AGREEMENT_SIGNATURE]: seal }),
    })
  const agree = (pids: Pids, agreement: JsonObject, seal?: string): Promise<Sent> =>
    peer.send(
      consumer,
      `/negotiations/${pids.consumerPid}/agreement`,
      agreementMessage(pids, agreement, seal),
    )
  const event = ({ providerPid, consumerPid }: Pids, eventType: string, receipt?: string) =>
    message('ContractNegotiationEventMessage', {
      providerPid,
      consumerPid,
      eventType,
      ...(receipt === undefined ? {} : { [RECEIPT]: receipt }),
    })
  const finalize = (pids: Pids, receipt?: string): Promise<Sent> =>
    peer.send(consumer, `/negotiations/${pids.consumerPid}/events`, event(pids, 'FINALIZED', receipt))
  const contract = async (dataset = 'pump'): Promise<string> => {
    const pids = await asked(dataset)
    const agreement = agreementOn(pids.offer)
    const answer = await agree(pids, agreement)
    if (answer.status !== 200) throw new Error(answer.text)
    await peer.message('ContractAgreementVerificationMessage', { consumerPid: pids.consumerPid })
    const done = await finalize(pids)
    if (done.status !== 200) throw new Error(done.text)
    return String(agreement['@id'])
  }
  const transferAsked = async (contractId: string): Promise<Pids & { readonly path: string }> => {
    const begun = await consumer.post('/api/v1/transfers', { contract: contractId })
    const consumerPid = String(begun.pid)
    await peer.message('TransferRequestMessage', { consumerPid })
    return {
      consumerPid,
      providerPid: pidAtPeer(consumerPid),
      path: `/api/v1/transfers/${encodeURIComponent(consumerPid)}`,
    }
  }
  return { asked, agreementOn, agreementMessage, agree, event, finalize, contract, transferAsked }
}

export const dataAddress = (endpoint: string, token = 'Bearer data-token'): Answer => ({
  '@type': 'DataAddress',
  endpointType: 'https://w3id.org/idsa/v4.1/HTTP',
  endpoint,
  endpointProperties: [
    { '@type': 'EndpointProperty', name: 'authorization', value: token },
    { '@type': 'EndpointProperty', name: 'authType', value: 'bearer' },
  ],
})
