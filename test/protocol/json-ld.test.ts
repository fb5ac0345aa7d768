/**
 * The same messages for readers of JSON and for processors of JSON-LD: nothing of ours gets lost in one, and what one
 * writes is understood. The context below says in our own words what DSP 2025-1 and ODRL mean by their terms.
 */
import jsonld from 'jsonld'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { type Answer, type Dataspace, enc, ended, type Member, startDataspace } from '../support/dataspace.js'
import { asConsumer, asProvider, dataAddress, newPid, offering, type Pids } from './parties.js'
import { introduce, message, type Peer, startPeer } from './peer.js'
import { publishTank } from './tank.js'

const DSP_CONTEXT = 'https://w3id.org/dspace/2025/1/context.jsonld'

const of = (namespace: string, names: string, more: object = {}) =>
  Object.fromEntries(names.split(' ').map((name) => [name, { '@id': `${namespace}:${name}`, ...more }]))
const ID = { '@type': '@id' }
const TERM = { '@type': '@vocab' }
const SET = { '@container': '@set' }

const CONTEXT = {
  dspace: 'https://w3id.org/dspace/2025/1/',
  odrl: 'http://www.w3.org/ns/odrl/2/',
  dcat: 'http://www.w3.org/ns/dcat#',
  dct: 'http://purl.org/dc/terms/',
  // What something is.
  ...of('dcat', 'Catalog Dataset Distribution DataService'),
  ...of('odrl', 'Offer Agreement'),
  ...of('dspace', 'DataAddress EndpointProperty CatalogError ContractNegotiation ContractNegotiationError'),
  ...of('dspace', 'CatalogRequestMessage ContractRequestMessage ContractOfferMessage'),
  ...of('dspace', 'ContractAgreementMessage ContractAgreementVerificationMessage'),
  ...of('dspace', 'ContractNegotiationEventMessage ContractNegotiationTerminationMessage'),
  ...of('dspace', 'TransferRequestMessage TransferStartMessage TransferSuspensionMessage'),
  ...of('dspace', 'TransferCompletionMessage TransferTerminationMessage TransferProcess TransferError'),
  // What is said about it.
  ...of('dcat', 'service dataset catalog distribution', SET),
  ...of('dcat', 'accessService'),
  ...of('dcat', 'endpointURL'),
  ...of('dct', 'format'),
  ...of('dspace', 'participantId consumerPid providerPid agreementId', ID),
  ...of(
    'dspace',
    'callbackAddress offer agreement code endpointType endpoint name value dataAddress timestamp',
  ),
  ...of('dspace', 'reason filter endpointProperties', SET),
  ...of('dspace', 'state eventType', TERM),
  ...of('odrl', 'hasPolicy permission prohibition obligation duty constraint', SET),
  ...of('odrl', 'and or xone andSequence', SET),
  ...of('odrl', 'target assigner assignee profile', ID),
  ...of('odrl', 'action operator leftOperand', TERM),
  ...of('odrl', 'rightOperand'),
  // Values that are terms themselves.
  ...of('odrl', 'use eq neq lt lteq gt gteq isAnyOf isAllOf isNoneOf isPartOf isA'),
  ...of('dspace', 'REQUESTED OFFERED ACCEPTED AGREED VERIFIED FINALIZED TERMINATED'),
  ...of('dspace', 'STARTED SUSPENDED COMPLETED'),
}

/** Nothing is fetched: the one context that we know is the one above. */
const options = {
  base: '',
  documentLoader: async (url: string) => {
    if (url !== DSP_CONTEXT) throw new Error(`asked for ${url}`)
    return { document: { '@context': CONTEXT }, documentUrl: url }
  },
}
const expanded = async (text: string): Promise<readonly JsonObject[]> =>
  (await jsonld.expand(JSON.parse(text), options)) as unknown as readonly JsonObject[]
const compacted = async (nodes: readonly JsonObject[]): Promise<object> =>
  jsonld.compact(nodes as never, [DSP_CONTEXT] as never, options)

const absolute = (key: string): boolean => key.includes(':')

/** What stands under terms of the protocol. The rest, under absolute names, has no fixed form in JSON-LD. */
function inTerms(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(inTerms)
  if (typeof json !== 'object' || json === null) return json
  const kept = Object.entries(json).filter(([key]) => key !== '@context' && !absolute(key))
  return Object.fromEntries(kept.map(([key, value]) => [key, inTerms(value)]))
}

/** A name with a prefix of the context stands for its IRI. */
const spelledOut = (name: string): string =>
  name.replace(/^(dct|dcat):/, (_, prefix: 'dct' | 'dcat') => CONTEXT[prefix])

/** Names that are absolute, wherever they stand. */
function absoluteNames(json: unknown): readonly string[] {
  if (Array.isArray(json)) return json.flatMap(absoluteNames)
  if (typeof json !== 'object' || json === null) return []
  return Object.entries(json).flatMap(([key, value]) => [
    ...(absolute(key) ? [spelledOut(key)] : []),
    ...absoluteNames(value),
  ])
}

let space: Dataspace
let member: Member
let peer: Peer
/** What the member said, as answers and as messages. */
const said: string[] = []

beforeAll(async () => {
  space = await startDataspace([{ name: 'member' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder, {
    open: {},
    limited: { until: '2099-12-31', samplingInterval: 'PT10S', count: 100 },
  })
  peer = await startPeer(space)
  peer.script(offering())
  await introduce(member, peer, { seal: 'offer' })
})
afterAll(async () => {
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const both = ({ providerPid, consumerPid }: Pids) => ({ providerPid, consumerPid })
const hear = async (path: string, body?: object): Promise<Answer> => {
  const { text, json } = await peer.send(member, path, body)
  if (text !== '') said.push(text)
  return json
}

/** Everything that our connector says in a contract and a transfer of each role, and when it refuses. */
async function listen(): Promise<void> {
  const [consumer, provider] = [asConsumer(peer, member), asProvider(peer, member)]
  await hear('/catalog/request', message('CatalogRequestMessage', {}))
  await hear('/catalog/datasets/tank')
  const agreed = await consumer.agreed('tank', 'limited')
  await hear(`/negotiations/${agreed.providerPid}`)
  await consumer.verify(agreed)
  await peer.message('ContractNegotiationEventMessage', { consumerPid: agreed.consumerPid })
  const started = await consumer.started(await consumer.contract('tank', 'open'))
  await hear(`/transfers/${started.providerPid}`)
  const at = `/api/v1/transfers/${enc(started.providerPid)}`
  await ended(member, at, ['STARTED'])
  for (const move of ['suspend', 'terminate']) await member.post(`${at}/${move}`, { reason: 'Enough.' })
  await peer.message('TransferTerminationMessage', { consumerPid: started.consumerPid })
  const taken = await provider.transferAsked(await provider.contract())
  await ended(member, taken.path, ['REQUESTED'])
  const start = message('TransferStartMessage', {
    ...both(taken),
    dataAddress: dataAddress(`${peer.publicUrl}/d`),
  })
  await peer.send(member, `/transfers/${taken.consumerPid}/start`, start)
  await member.post(`${taken.path}/complete`)
  await peer.message('TransferCompletionMessage', { consumerPid: taken.consumerPid })
  const pushed = await member.post('/api/v1/transfers', {
    contract: await provider.contract(),
    sink: { to: 'file:tank.ndjson' },
    from: '2026-01-01T00:00:00Z',
  })
  await peer.message('TransferRequestMessage', { consumerPid: String(pushed.pid), format: 'HttpData-PUSH' })
  const asked = await provider.asked()
  await ended(member, asked.path, ['REQUESTED'])
  await member.post(`${asked.path}/terminate`, { reason: 'Enough.' })
  await peer.message('ContractNegotiationTerminationMessage', { consumerPid: asked.consumerPid })
  await member.post('/api/v1/negotiations/offers', { partner: peer.did, dataset: 'tank', offer: 'limited' })
  await peer.message('ContractOfferMessage')
  await member.refused(member.api.get(`/api/v1/partners/${enc(peer.did)}/catalog`))
  await hear('/catalog/datasets/nothing')
  await hear(`/negotiations/${newPid()}`)
  await hear(`/transfers/${newPid()}`)
  said.push(...peer.received.map(({ text }) => text).filter((text) => text !== ''))
}

it('loses nothing of any message of ours: expanded and compacted again it is the same', async () => {
  await listen()
  const types = new Set<unknown>()
  for (const heard of said) {
    // The pids in an error about a process that is not known are empty; as IRIs they would name the document itself.
    const text = heard.replaceAll('Pid":""', 'Pid":"urn:none"')
    const original = JSON.parse(text)
    types.add(original['@type'])
    const nodes = await expanded(text)
    expect(nodes).toHaveLength(1)
    expect(inTerms(await compacted(nodes))).toEqual(inTerms(original))
    expect(absoluteNames(nodes)).toEqual(expect.arrayContaining([...absoluteNames(original)]))
    expect(original['@context']).toEqual([DSP_CONTEXT])
  }
  expect([...types].sort()).toEqual([
    'Catalog',
    'CatalogError',
    'CatalogRequestMessage',
    'ContractAgreementMessage',
    'ContractAgreementVerificationMessage',
    'ContractNegotiation',
    'ContractNegotiationError',
    'ContractNegotiationEventMessage',
    'ContractNegotiationTerminationMessage',
    'ContractOfferMessage',
    'ContractRequestMessage',
    'Dataset',
    'TransferCompletionMessage',
    'TransferError',
    'TransferProcess',
    'TransferRequestMessage',
    'TransferStartMessage',
    'TransferSuspensionMessage',
    'TransferTerminationMessage',
  ])
})

it('understands a partner whose processor expands every message that it sends', async () => {
  const consumer = asConsumer(peer, member)
  const send = async (path: string, body: object) =>
    peer.send(member, path, await expanded(JSON.stringify(body)))
  const consumerPid = newPid()
  const offer = await consumer.offerFrom('tank', 'limited')
  const request = { consumerPid, offer, callbackAddress: peer.address }
  const begun = await send('/negotiations/request', message('ContractRequestMessage', request))
  expect([begun.status, begun.json.state]).toEqual([201, 'REQUESTED'])
  const pids = { providerPid: String(begun.json.providerPid), consumerPid }
  const { body } = await peer.message('ContractAgreementMessage', pids)
  const verified = await send(
    `/negotiations/${pids.providerPid}/agreement/verification`,
    consumer.verification(pids),
  )
  expect([verified.status, verified.text]).toEqual([200, ''])
  await peer.message('ContractNegotiationEventMessage', { ...pids, eventType: 'FINALIZED' })

  const asked = { consumerPid: newPid(), format: 'HttpData-PULL', callbackAddress: peer.address }
  const agreementId = (body.agreement as JsonObject)['@id']
  const transfer = await send(
    '/transfers/request',
    message('TransferRequestMessage', { ...asked, agreementId }),
  )
  expect([transfer.status, transfer.json.state]).toEqual([201, 'REQUESTED'])
  const process = { consumerPid: asked.consumerPid, providerPid: String(transfer.json.providerPid) }
  await peer.message('TransferStartMessage', process)
  const paused = { ...process, code: '1', reason: ['The disk is full.'] }
  const path = `/transfers/${process.providerPid}`
  expect((await send(`${path}/suspension`, message('TransferSuspensionMessage', paused))).status).toBe(200)
  expect((await send(`${path}/start`, message('TransferStartMessage', process))).status).toBe(200)
  expect((await send(`${path}/completion`, message('TransferCompletionMessage', process))).status).toBe(200)
  expect((await hear(path)).state).toBe('COMPLETED')
})
