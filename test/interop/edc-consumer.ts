/**
 * EDC in the role of the consumer, scripted from recordings: it sends what was recorded, is slow to store what it has sent (409),
 * wants the agreement to say exactly what it asked for, and looks at nothing but the properties of a data address.
 */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { request } from 'undici'
import type { JsonObject } from '../../connector/core/types.js'
import type { Answer, Member } from '../support/dataspace.js'
import {
  type Lab,
  mockIdentity,
  plainAddress,
  type Received,
  type Reply,
  type Sent,
  startLab,
} from './lab.js'
import { adapted, recorded } from './recordings.js'

const EDC = 'https://w3id.org/edc/v0.0.1/ns/'

export type EdcConsumer = Lab & {
  /** States as EDC keeps them, by its own pid. */
  readonly states: ReadonlyMap<string, string>
  /** Its newest data address for a transfer. */
  readonly edr: (consumerPid: string) => { readonly endpoint: string; readonly token: string } | undefined
  /** How often it was quick to say 409. */
  readonly conflicts: () => number
  catalog(): Promise<Sent>
  dataset(id: string): Promise<Sent>
  /** Asks for the offer as its operator copies it from the catalog. */
  request(offer: JsonObject, target: string): Promise<Sent & { readonly consumerPid: string }>
  agreementOf(consumerPid: string): Answer | undefined
  transfer(agreementId: string, dataAddress?: JsonObject): Promise<Sent & { readonly consumerPid: string }>
  suspend(consumerPid: string): Promise<Sent>
  resume(consumerPid: string): Promise<Sent>
  terminate(consumerPid: string): Promise<Sent>
  terminateNegotiation(consumerPid: string): Promise<Sent>
  /** A pull of its application with the header as given. */
  pull(endpoint: string, authorization: string): Promise<{ readonly status: number; readonly text: string }>
}

type Terms = { readonly [key: string]: unknown }

/** What EDC compares: the whole policy without type, parties of its own side, and target. */
const compared = ({ permission, prohibition, obligation, profile, assigner }: Terms): Terms => ({
  permission: permission ?? [],
  prohibition: prohibition ?? [],
  obligation: obligation ?? [],
  profile: [profile ?? []].flat(),
  assigner,
})

export async function startEdcConsumer(member: () => Member): Promise<EdcConsumer> {
  const lab = await startLab('consumer')
  const states = new Map<string, string>()
  const providerPids = new Map<string, string>()
  const offers = new Map<string, Terms>()
  const agreements = new Map<string, Answer>()
  const edrs = new Map<string, { endpoint: string; token: string }>()
  /** Processes whose row EDC still holds: it answers 409. */
  const leased = new Set<string>()
  let conflicts = 0

  const us = () => `${plainAddress(member())}/dsp`
  const send = (path: string, body?: JsonObject): Promise<Sent> =>
    lab.send(member(), path, body, { authorization: mockIdentity('consumer', us()) })
  const message = (folder: string, number: string, changes: Readonly<Record<string, string>>): Answer => {
    const { body } = recorded(folder, number).request
    return adapted(body, { [String(body['@id'])]: randomUUID(), ...changes })
  }
  const about = (folder: string, number: string, consumerPid: string): Answer => {
    const { body } = recorded(folder, number).request
    return message(folder, number, {
      [String(body.consumerPid)]: consumerPid,
      [String(body.providerPid)]: providerPids.get(consumerPid) ?? '',
    })
  }
  /** Stores what it has sent only after the answer. */
  const opening = async (path: string, body: Answer, consumerPid: string, state: string): Promise<Sent> => {
    leased.add(consumerPid)
    const answer = await send(path, body as JsonObject)
    if (answer.status >= 200 && answer.status < 300) {
      providerPids.set(consumerPid, String(answer.json.providerPid))
      states.set(consumerPid, state)
    } else states.set(consumerPid, 'TERMINATED')
    return answer
  }
  const late = (): Reply => {
    conflicts++
    const { response } = recorded('12-negotiation-terminated-by-consumer', '02')
    return { status: response.status, body: response.body as object }
  }
  /** The first message about a process that was only just stored. */
  const tooEarly = (consumerPid: string): boolean => leased.delete(consumerPid)

  lab.script((arrived: Received) => {
    const pid = String(arrived.body.consumerPid)
    const claims = parsedIdentity(arrived.authorization)
    if (claims?.clientId !== 'handschlag' || typeof claims.region !== 'string') return { status: 401 }
    if (!states.has(pid) && !leased.has(pid)) return { status: 404 }
    switch (arrived.type) {
      case 'ContractAgreementMessage': {
        if (tooEarly(pid)) return late()
        const agreement = arrived.body.agreement as unknown as Answer
        if (!isDeepStrictEqual(compared(offers.get(pid) ?? {}), compared(agreement))) {
          const { response } = recorded('10-negotiation-refused-wrong-policy', '02')
          states.set(pid, 'TERMINATED')
          return { status: response.status, body: response.body as object }
        }
        agreements.set(pid, agreement)
        states.set(pid, 'AGREED')
        const verification = about('2-negotiation-open', '03', pid)
        setImmediate(() =>
          send(
            `/negotiations/${verification.providerPid}/agreement/verification`,
            verification as JsonObject,
          ),
        )
        return { status: 200 }
      }
      case 'ContractNegotiationEventMessage':
        states.set(pid, 'FINALIZED')
        return { status: 200 }
      case 'ContractNegotiationTerminationMessage':
      case 'TransferTerminationMessage':
        states.set(pid, 'TERMINATED')
        return { status: 200 }
      case 'TransferCompletionMessage':
        states.set(pid, 'COMPLETED')
        return { status: 200 }
      case 'TransferSuspensionMessage':
        states.set(pid, 'SUSPENDED')
        return { status: 200 }
      case 'TransferStartMessage': {
        if (tooEarly(pid)) return late()
        const address = arrived.body.dataAddress as { endpointProperties?: readonly Answer[] } | undefined
        const property = (name: string): string | undefined =>
          address?.endpointProperties?.find((one) => one.name === EDC + name)?.value as string | undefined
        const [endpoint, token] = [property('endpoint'), property('authorization')]
        if (endpoint !== undefined && token !== undefined) edrs.set(pid, { endpoint, token })
        states.set(pid, 'STARTED')
        return { status: 200 }
      }
      default:
        return { status: 200 }
    }
  })

  return {
    ...lab,
    states,
    edr: (pid) => edrs.get(pid),
    conflicts: () => conflicts,
    agreementOf: (pid) => agreements.get(pid),
    catalog: () =>
      send(
        '/catalog/request',
        recorded('15-foreign-provider-with-EDC-consumer-immediate-callbacks', '01').request.body,
      ),
    dataset: (id) => send(`/catalog/datasets/${id}`),
    async request(offer, target) {
      const consumerPid = randomUUID()
      const body = message('3-negotiation-ruled', '01', {
        'http://localhost:18298/protocol/2025-1': lab.address,
      })
      const asked = { ...offer, '@type': 'Offer', assigner: 'handschlag', target }
      offers.set(consumerPid, asked)
      // EDC keeps a profile and does not send it.
      const { profile: _, ...sent } = asked as JsonObject
      const answer = await opening(
        '/negotiations/request',
        { ...body, consumerPid, offer: sent },
        consumerPid,
        'REQUESTED',
      )
      return { ...answer, consumerPid }
    },
    async transfer(agreementId, dataAddress) {
      const consumerPid = randomUUID()
      const folder = dataAddress === undefined ? '4-transfer-pull' : '9-transfer-push'
      const body = message(folder, '01', { 'http://localhost:18298/protocol/2025-1': lab.address })
      const answer = await opening(
        '/transfers/request',
        { ...body, consumerPid, agreementId, ...(dataAddress === undefined ? {} : { dataAddress }) },
        consumerPid,
        'REQUESTED',
      )
      return { ...answer, consumerPid }
    },
    suspend: (pid) => {
      const body = about('5-transfer-suspended-and-resumed-by-consumer', '01', pid)
      states.set(pid, 'SUSPENDED')
      return send(`/transfers/${body.providerPid}/suspension`, body as JsonObject)
    },
    resume: (pid) => {
      const body = about('5-transfer-suspended-and-resumed-by-consumer', '03', pid)
      states.set(pid, 'RESUMED')
      return send(`/transfers/${body.providerPid}/start`, body as JsonObject)
    },
    terminate: (pid) => {
      const body = about('7-transfer-terminated-by-consumer', '01', pid)
      return send(`/transfers/${body.providerPid}/termination`, body as JsonObject)
    },
    terminateNegotiation: (pid) => {
      const body = about('12-negotiation-terminated-by-consumer', '03', pid)
      return send(`/negotiations/${body.providerPid}/termination`, body as JsonObject)
    },
    async pull(endpoint, authorization) {
      const answer = await request(endpoint, { headers: { authorization } })
      return { status: answer.statusCode, text: await answer.body.text() }
    },
  }
}

function parsedIdentity(authorization: string): Answer | undefined {
  try {
    return JSON.parse(authorization) as Answer
  } catch {
    return undefined
  }
}
