/** Push with a partner that behaves as EDC does, in both roles, over plain HTTP: what its recorded traffic shows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newPid } from '../protocol/parties.js'
import { publishTank } from '../protocol/tank.js'
import { type Answer, type Dataspace, enc, ended, type Member, startDataspace } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { introduceLab, type Lab, PLAIN, startLab } from './lab.js'

let space: Dataspace
let member: Member
let edc: Lab

beforeAll(async () => {
  space = await startDataspace([{ name: 'member', settings: PLAIN }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder)
  edc = await startLab()
  await introduceLab(member, edc)
})
afterAll(async () => {
  await edc[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const CONTEXT = ['https://w3id.org/dspace/2025/1/context.jsonld', 'https://w3id.org/edc/dspace/v0.0.1']
const NS = 'https://w3id.org/edc/v0.0.1/ns/'
const property = (name: string, value: string) => ({ '@type': 'EndpointProperty', name, value })

/** A message as EDC writes it: with an `@id` of its own, and its second context. */
const written = (type: string, fields: object): object => ({
  '@id': newPid().replace('urn:uuid:', ''),
  '@type': type,
  ...fields,
  '@context': CONTEXT,
})
const process = (type: string, fields: object): object => written(type, { state: 'REQUESTED', ...fields })

it('EDC buys: the records go to its baseUrl as plain POSTs', async () => {
  edc.script(() => undefined)
  const offered = (await edc.send(member, '/catalog/datasets/tank')).json
  const formats = (offered.distribution as unknown as Answer[]).map(({ format }) => format)
  expect(formats).toEqual(['HttpData-PULL', 'HttpData-PUSH'])
  const [offer] = offered.hasPolicy as unknown as Answer[]
  const consumerPid = newPid()
  const asked = await edc.send(
    member,
    '/negotiations/request',
    written('ContractRequestMessage', {
      consumerPid,
      offer: { ...offer, target: 'tank' },
      callbackAddress: edc.address,
    }),
  )
  const agreed = await edc.message('ContractAgreementMessage', { consumerPid })
  const pids = { providerPid: asked.json.providerPid, consumerPid }
  await edc.send(
    member,
    `/negotiations/${pids.providerPid}/agreement/verification`,
    written('ContractAgreementVerificationMessage', pids),
  )
  await edc.message('ContractNegotiationEventMessage', { consumerPid, eventType: 'FINALIZED' })

  const transferPid = newPid()
  const transfer = await edc.send(
    member,
    '/transfers/request',
    written('TransferRequestMessage', {
      agreementId: (agreed.body.agreement as Answer)['@id'],
      format: 'HttpData-PUSH',
      callbackAddress: edc.address,
      consumerPid: transferPid,
      dataAddress: {
        '@type': 'DataAddress',
        endpointType: 'HttpData',
        endpointProperties: [property(`${NS}baseUrl`, `${edc.origin}/sink/pushed`)],
      },
    }),
  )
  expect([transfer.status, transfer.text]).toEqual([201, transfer.text])
  const start = await edc.message('TransferStartMessage', { consumerPid: transferPid })
  expect(start.body).not.toHaveProperty('dataAddress')
  const pushed = await waitFor(() => edc.received.find(({ path }) => path === '/sink/pushed'))
  expect([pushed.method, pushed.headers['content-type']]).toEqual(['POST', 'application/x-ndjson'])
  const levels = pushed.text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Answer).level)
  expect(levels).toEqual([0, 1, 2, 3, 4])
  // Pushed after the start was acknowledged, never before.
  const order = edc.received.map(({ type, path }) => type || path)
  expect(order.indexOf('TransferStartMessage')).toBeLessThan(order.indexOf('/sink/pushed'))
  await edc.send(
    member,
    `/transfers/${transfer.json.providerPid}/termination`,
    written('TransferTerminationMessage', {
      providerPid: transfer.json.providerPid,
      consumerPid: transferPid,
    }),
  )
})

it('EDC sells: it posts a file to the address that we named, with the header that it understands', async () => {
  const offer = { '@id': 'b2ZmZXI=:YXNzZXQ=:dXVpZA==', '@type': 'Offer', permission: [{ action: 'use' }] }
  const pid = (consumerPid: unknown): string => `edc-${String(consumerPid)}`
  edc.script(({ method, type, body }) => {
    if (method === 'GET') {
      return {
        body: written('Dataset', {
          '@id': 'asset',
          hasPolicy: [offer],
          distribution: ['HttpData-PULL', 'HttpData-PUSH'].map((format) => ({
            '@type': 'Distribution',
            format,
            accessService: {
              '@id': 'service',
              '@type': 'DataService',
              endpointURL: edc.address,
            },
          })),
        }),
      }
    }
    const pids = { providerPid: pid(body.consumerPid), consumerPid: body.consumerPid }
    // EDC answers 200 where the specification says 201.
    if (type === 'ContractRequestMessage') return { body: process('ContractNegotiation', pids) }
    if (type === 'TransferRequestMessage') return { body: process('TransferProcess', pids) }
    return undefined
  })
  const negotiation = await member.post('/api/v1/negotiations', { partner: 'edc', dataset: 'asset' })
  const consumerPid = String(negotiation.pid)
  await edc.message('ContractRequestMessage', { consumerPid })
  const pids = { providerPid: pid(consumerPid), consumerPid }
  const agreement = {
    '@id': 'agreement-of-edc',
    '@type': 'Agreement',
    permission: offer.permission,
    assigner: 'edc',
    assignee: 'handschlag',
    target: 'asset',
    timestamp: '2026-11-23T05:14:00Z',
  }
  await waitFor(async () => {
    const agreed = await edc.send(
      member,
      `/negotiations/${consumerPid}/agreement`,
      written('ContractAgreementMessage', { ...pids, agreement }),
    )
    return agreed.status === 200
  })
  await edc.message('ContractAgreementVerificationMessage', { consumerPid })
  const finalized = await edc.send(
    member,
    `/negotiations/${consumerPid}/events`,
    written('ContractNegotiationEventMessage', { ...pids, eventType: 'FINALIZED' }),
  )
  expect([finalized.status, finalized.text]).toEqual([200, ''])

  const begun = await member.post('/api/v1/transfers', {
    contract: 'agreement-of-edc',
    sink: { to: 'file:from-edc.bin' },
  })
  const transferPid = String(begun.pid)
  const asked = await edc.message('TransferRequestMessage', { consumerPid: transferPid })
  const address = asked.body.dataAddress as unknown as {
    readonly endpointType: string
    readonly endpointProperties: readonly { readonly name: string; readonly value: string }[]
  }
  expect([asked.body.format, address.endpointType]).toEqual(['HttpData-PUSH', 'HttpData'])
  const named = (name: string): string =>
    address.endpointProperties.find((one) => one.name === `${NS}${name}`)?.value ?? ''
  expect(named('authKey')).toBe('Authorization')
  expect(named('baseUrl')).toMatch(/^http:\/\//)

  // EDC begins to push before its start message has arrived.
  const file = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => i % 251))
  const push = (headers: Record<string, string>) =>
    request(named('baseUrl'), {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body: file,
    })
  const stranger = await push({})
  expect(stranger.statusCode).toBe(401)
  await stranger.body.dump()
  const taken = await push({ authorization: named('authCode') })
  expect([taken.statusCode, taken.headers.connection]).toEqual([200, 'close'])
  await taken.body.dump()
  const transferPids = { providerPid: pid(transferPid), consumerPid: transferPid }
  for (const [path, type] of [
    ['start', 'TransferStartMessage'],
    ['completion', 'TransferCompletionMessage'],
  ] as const) {
    const told = await edc.send(member, `/transfers/${transferPid}/${path}`, written(type, transferPids))
    expect([type, told.status]).toEqual([type, 200])
  }
  const over = await ended(member, `/api/v1/transfers/${enc(transferPid)}`, ['COMPLETED'])
  expect(over.push).toMatchObject({ batches: 1, bytes: file.length })
  expect(readFileSync(join(member.config.receiveDir, 'from-edc.bin')).equals(file)).toBe(true)
  const late = await push({ authorization: named('authCode') })
  expect(late.statusCode).toBe(403)
  await late.body.dump()
})
