/** The provider's side: a partner that names whatever address it likes, and a receiver that answers as a test wants. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asConsumer } from '../protocol/parties.js'
import { introduce, message, type Peer, startPeer } from '../protocol/peer.js'
import { type Answer, type Dataspace, ended, type Member, startDataspace } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import {
  instant,
  offerReadings,
  pathOf,
  type Receiver,
  rows,
  startReceiver,
  upTo,
  values,
} from './support.js'

let space: Dataspace
let provider: Member
let peer: Peer
let consumer: ReturnType<typeof asConsumer>
let readings: string
let contract: string

beforeAll(async () => {
  space = await startDataspace([{ name: 'provider' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  provider = first
  readings = await offerReadings(space, provider, 2500)
  peer = await startPeer(space)
  await introduce(provider, peer)
  consumer = asConsumer(peer, provider)
  contract = await consumer.contract('readings')
})
afterAll(async () => {
  expect(peer.violations).toEqual([])
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const property = (name: string, value: string) => ({ '@type': 'EndpointProperty', name, value })
const EDC = 'https://w3id.org/edc/v0.0.1/ns/'

const address = (endpoint: string, ...properties: readonly object[]): object => ({
  '@type': 'DataAddress',
  endpointType: 'https://w3id.org/idsa/v4.1/HTTP',
  endpoint,
  ...(properties.length === 0 ? {} : { endpointProperties: properties }),
})

const ask = (dataAddress: object | undefined, more: object = {}, under = contract) =>
  consumer.requestTransfer(under, undefined, {
    format: 'HttpData-PUSH',
    ...(dataAddress === undefined ? {} : { dataAddress }),
    ...more,
  })

/** The provider's pid of a push that was accepted. */
async function pushing(dataAddress: object, under = contract): Promise<string> {
  const asked = await ask(dataAddress, {}, under)
  expect([asked.status, asked.text]).toEqual([201, asked.text])
  return asked.providerPid
}

const shown = (pid: string): Promise<Answer> => provider.get(pathOf(pid))
const sent = async (pid: string): Promise<Answer> => (await shown(pid)).push as unknown as Answer
const numbers = (receiver: Receiver) => receiver.deliveries.map(({ headers }) => headers['idempotency-key'])

const end = (pid: string): Promise<Answer> => provider.post(`${pathOf(pid)}/terminate`, { reason: 'done' })

describe('what is delivered', () => {
  it('comes in numbered batches of NDJSON, the history first and then what arrives', async () => {
    await using receiver = await startReceiver(space)
    const pid = await pushing(
      address(receiver.url, property('authorization', 'secret'), property('authType', 'bearer')),
    )
    await waitFor(() => receiver.records().length === 2500)
    expect(values(receiver.records())).toEqual(upTo(2500))
    expect(numbers(receiver)).toEqual(['"1"', '"2"', '"3"'])
    for (const { headers } of receiver.deliveries) {
      expect(headers).toMatchObject({
        'content-type': 'application/x-ndjson',
        authorization: 'Bearer secret',
      })
    }
    appendFileSync(readings, rows(2500, 2503))
    await waitFor(() => receiver.records().length === 2503)
    expect(values(receiver.records())).toEqual(upTo(2503))
    const bytes = receiver.deliveries.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
    await waitFor(async () => (await sent(pid)).records === 2503)
    expect(await sent(pid)).toMatchObject({ to: receiver.url, records: 2503, bytes })
    await end(pid)
  })

  it('starts without a dataAddress in the start message, and is not to be had at the data endpoint', async () => {
    await using receiver = await startReceiver(space)
    const asked = await ask(address(receiver.url))
    const start = await peer.message('TransferStartMessage', { consumerPid: asked.consumerPid })
    expect(start.body).not.toHaveProperty('dataAddress')
    const fetched = await peer.fetch(`${provider.config.publicUrl}/data/${asked.providerPid}`)
    expect(fetched.status).toBe(401)
    await end(asked.providerPid)
  })

  it('ends with the time that was asked for, and the provider completes the transfer', async () => {
    await using receiver = await startReceiver(space)
    const asked = await ask(
      address(
        receiver.url,
        property('https://w3id.org/machine-data-policy/v1#pushFrom', instant(10)),
        property('https://w3id.org/machine-data-policy/v1#pushTo', instant(13)),
      ),
    )
    await peer.message('TransferCompletionMessage', { consumerPid: asked.consumerPid })
    expect(values(receiver.records())).toEqual([10, 11, 12])
    await ended(provider, pathOf(asked.providerPid), ['COMPLETED'])
  })

  it('is a file in one piece when the dataset is one; then the transfer is complete', async () => {
    await using receiver = await startReceiver(space)
    const file = join(space.folder, 'drawing.pdf')
    writeFileSync(file, 'a drawing, byte for byte\n')
    await provider.put('/api/v1/sources/drawing', {
      kind: 'bytes',
      config: { file, mediaType: 'application/pdf' },
    })
    await provider.put('/api/v1/datasets/drawing', { title: 'Drawing', signals: [], sourceId: 'drawing' })
    await provider.post('/api/v1/datasets/drawing/offers', { terms: { count: 1 } })
    await provider.post('/api/v1/datasets/drawing/publish')
    const pid = await pushing(address(receiver.url), await consumer.contract('drawing'))
    await ended(provider, pathOf(pid), ['COMPLETED'])
    expect(receiver.deliveries.map(({ body, headers }) => [body, headers['content-type']])).toEqual([
      ['a drawing, byte for byte\n', 'application/pdf'],
    ])
  })

  it('is exactly the agreed quota, and the transfer ends with the reason', async () => {
    await using receiver = await startReceiver(space)
    await provider.post('/api/v1/datasets/readings/offers', { id: 'limited', terms: { count: 1200 } })
    const limited = await consumer.contract('readings', 'limited')
    receiver.answer(() => (receiver.deliveries.length === 1 ? 503 : 200))
    const pid = await pushing(address(receiver.url), limited)
    const over = await ended(provider, pathOf(pid), ['TERMINATED'])
    expect(over.reason).toContain('quota')
    expect(values(receiver.records())).toEqual(upTo(1200))
  })
})

describe('a receiver that fails', () => {
  it('gets the same bytes under the same number again after 5xx, 429, and a broken connection', async () => {
    await using receiver = await startReceiver(space)
    const answers = [503, 429, 'close', 408] as const
    receiver.answer(() => answers[receiver.deliveries.length - 1] ?? 200)
    const pid = await pushing(
      address(receiver.url, property('https://w3id.org/machine-data-policy/v1#pushTo', instant(5))),
    )
    await ended(provider, pathOf(pid), ['COMPLETED'])
    expect(numbers(receiver)).toEqual(['"1"', '"1"', '"1"', '"1"', '"1"'])
    expect(new Set(receiver.deliveries.map(({ body }) => body)).size).toBe(1)
    expect(values(receiver.records())).toEqual(upTo(5))
  }, 20_000)

  it('suspends the transfer with the reason when it refuses; resumed, it gets what it refused and what follows', async () => {
    await using receiver = await startReceiver(space)
    receiver.answer(() => (receiver.deliveries.length === 2 ? 403 : 200))
    const asked = await ask(address(receiver.url))
    const told = await peer.message('TransferSuspensionMessage', { consumerPid: asked.consumerPid })
    expect(told.body.reason).toEqual(['The receiver answered 403.'])
    const paused = await ended(provider, pathOf(asked.providerPid), ['SUSPENDED'])
    expect(paused).toMatchObject({ suspendedBy: 'us', reason: 'The receiver answered 403.' })
    expect((await sent(asked.providerPid)).lastError).toBe('The receiver answered 403.')
    expect(receiver.records()).toHaveLength(1000)
    await provider.post(`${pathOf(asked.providerPid)}/resume`)
    await waitFor(() => receiver.records().length >= 2500)
    expect(values(receiver.records()).slice(0, 2500)).toEqual(upTo(2500))
    expect(numbers(receiver).slice(0, 3)).toEqual(['"1"', '"2"', '"2"'])
    await end(asked.providerPid)
  })

  it('gets nothing more from the moment at which the partner suspends, and goes on behind the last record', async () => {
    await using receiver = await startReceiver(space)
    receiver.answer(() => (receiver.deliveries.length === 2 ? undefined : 200))
    const asked = await ask(address(receiver.url))
    const pids = { providerPid: asked.providerPid, consumerPid: asked.consumerPid }
    await waitFor(() => receiver.deliveries.length === 2)
    const suspended = await peer.send(
      provider,
      `/transfers/${asked.providerPid}/suspension`,
      message('TransferSuspensionMessage', { ...pids, reason: ['a pause'] }),
    )
    expect(suspended.status).toBe(200)
    await waitFor(() => provider.connector().activeFlows().push === 0)
    const restarted = await peer.send(
      provider,
      `/transfers/${asked.providerPid}/start`,
      message('TransferStartMessage', pids),
    )
    expect(restarted.status).toBe(200)
    await waitFor(() => receiver.records().length >= 2500)
    expect(values(receiver.records()).slice(0, 2500)).toEqual(upTo(2500))
    await end(asked.providerPid)
  })
})

describe('a request', () => {
  const refused = async (asked: Awaited<ReturnType<typeof ask>>, code: string, words: string) => {
    expect([asked.status, asked.json.code]).toEqual([400, code])
    expect(String(asked.json.reason)).toContain(words)
  }

  it('for push without a dataAddress is refused', async () => {
    await refused(await ask(undefined), 'InvalidMessage', 'HttpData-PUSH needs a dataAddress')
  })

  it('for pull with a dataAddress is refused', async () => {
    const asked = await ask(address('https://localhost:1/x'), { format: 'HttpData-PULL' })
    await refused(asked, 'InvalidMessage', 'Leave it out')
  })

  it('that names an address inside the network, without encryption, or with a password is refused alike', async () => {
    for (const endpoint of ['https://10.1.2.3/x', 'http://localhost:1/x', 'https://a:b@localhost/x']) {
      await refused(await ask(address(endpoint)), 'AddressRefused', 'cannot be used')
    }
  })

  it('that names no address, or a header that is none, is refused', async () => {
    const none = { '@type': 'DataAddress', endpointType: 'HttpData' }
    await refused(await ask(none), 'InvalidMessage', 'endpoint is missing')
    const header = address('https://localhost:1/x', property('authorization', 'a\r\nHost: b'))
    await refused(await ask(header), 'InvalidMessage', 'cannot be sent as a header')
    const host = address(
      'https://localhost:1/x',
      property(`${EDC}authKey`, 'Host'),
      property(`${EDC}authCode`, 'b'),
    )
    await refused(await ask(host), 'InvalidMessage', 'cannot be sent as a header')
    const time = address(
      'https://localhost:1/x',
      property('https://w3id.org/machine-data-policy/v1#pushTo', 'soon'),
    )
    await refused(await ask(time), 'InvalidMessage', 'has to be an instant')
  })

  it('as EDC writes it leads to its baseUrl, with the header that it names', async () => {
    await using receiver = await startReceiver(space)
    const pid = await pushing({
      '@type': 'DataAddress',
      endpointType: 'HttpData',
      endpointProperties: [
        property(`${EDC}baseUrl`, `${receiver.url}/pushed`),
        property(`${EDC}authKey`, 'X-Api-Key'),
        property(`${EDC}authCode`, 'key of the sink'),
      ],
    })
    await waitFor(() => receiver.records().length >= 2500)
    expect(receiver.deliveries[0]).toMatchObject({
      path: '/sink/pushed',
      headers: { 'x-api-key': 'key of the sink' },
    })
    await end(pid)
  })

  it('that is repeated is answered with the same process, and delivers once', async () => {
    await using receiver = await startReceiver(space)
    const first = await ask(address(receiver.url))
    const again = await consumer.requestTransfer(contract, first.consumerPid, {
      format: 'HttpData-PUSH',
      dataAddress: address(receiver.url),
    })
    expect([again.status, again.providerPid]).toEqual([201, first.providerPid])
    await waitFor(() => receiver.records().length >= 2500)
    expect(receiver.deliveries.filter(({ headers }) => headers['idempotency-key'] === '"1"')).toHaveLength(1)
    await end(first.providerPid)
  })

  it('that comes again with another address is refused, and nothing goes to either by mistake', async () => {
    await using receiver = await startReceiver(space)
    await using other = await startReceiver(space)
    const first = await ask(address(receiver.url))
    const again = await consumer.requestTransfer(contract, first.consumerPid, {
      format: 'HttpData-PUSH',
      dataAddress: address(other.url),
    })
    await refused(again, 'InvalidTransition', 'already another transfer')
    await waitFor(() => receiver.records().length >= 2500)
    expect(other.deliveries).toEqual([])
    await end(first.providerPid)
  })
})
