/** Push on the wire: where the data address stands, in which message and in which not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startReceiver } from '../push/support.js'
import { type Answer, ended } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { asConsumer, asProvider, dataAddress, newPid, stateOf } from './parties.js'
import { message, pidAtPeer } from './peer.js'
import { openScene, type Scene } from './scene.js'

let scene: Scene
let space: Scene['space']
let member: Scene['member']
let peer: Scene['peer']

beforeAll(async () => {
  scene = await openScene()
  ;({ space, member, peer } = scene)
})
afterAll(() => scene[Symbol.asyncDispose]())

describe('as provider', () => {
  it('takes a data address for a push, delivers there, and starts without one of its own', async () => {
    const consumer = asConsumer(peer, member)
    await using sink = await startReceiver(space)
    const consumerPid = newPid()
    const more = {
      format: 'HttpData-PUSH',
      dataAddress: dataAddress(sink.url, 'Bearer mine'),
    }
    const begun = await consumer.requestTransfer(await consumer.contract(), consumerPid, more)
    expect([begun.status, begun.json]).toMatchObject([201, { '@type': 'TransferProcess', consumerPid }])
    const start = await peer.message('TransferStartMessage', { consumerPid })
    expect(start.body).not.toHaveProperty('dataAddress')
    await waitFor(() => sink.records().length === 5)
    expect(new Set(sink.deliveries.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer mine']),
    )
  })

  it('refuses a push without a data address, a pull with one, and begins nothing', async () => {
    const consumer = asConsumer(peer, member)
    const agreementId = await consumer.contract()
    const before = (await member.get('/api/v1/transfers')).transfers
    const sink = dataAddress(`${peer.publicUrl}/sink`)
    for (const more of [{ format: 'HttpData-PUSH' }, { format: 'HttpData-PULL', dataAddress: sink }]) {
      const answer = await consumer.requestTransfer(agreementId, newPid(), more)
      expect([answer.status, answer.json]).toMatchObject([
        400,
        { '@type': 'TransferError', code: 'InvalidMessage' },
      ])
    }
    expect((await member.get('/api/v1/transfers')).transfers).toEqual(before)
  })
})

describe('as consumer', () => {
  it('says in a request for a push where the data is to go and with which token, and in one for a pull nothing', async () => {
    const contract = await asProvider(peer, member).contract()
    const asked = async (more: object) => {
      const { pid } = await member.post('/api/v1/transfers', { contract, ...more })
      return peer.message('TransferRequestMessage', { consumerPid: String(pid) })
    }
    expect((await asked({})).body).not.toHaveProperty('dataAddress')
    const { body } = await asked({ format: 'HttpData-PUSH', sink: { to: 'file:pump.ndjson' } })
    const address = body.dataAddress as Answer
    expect(address).toMatchObject({
      '@type': 'DataAddress',
      // The type that EDC looks for; the specification leaves it to the parties.
      endpointType: 'HttpData',
    })
    expect(String(address.endpoint)).toMatch(`${member.config.publicUrl}/`)
    const properties = address.endpointProperties as unknown as readonly Answer[]
    expect(properties.find(({ name }) => name === 'authorization')?.value).toMatch(/\S{20,}/)
    expect(properties.find(({ name }) => name === 'authType')?.value).toBe('bearer')

    // A start of a push needs no data address.
    const consumerPid = String(body.consumerPid)
    await ended(member, `/api/v1/transfers/${encodeURIComponent(consumerPid)}`, ['REQUESTED'])
    const pids = { consumerPid, providerPid: pidAtPeer(consumerPid) }
    const started = await peer.send(
      member,
      `/transfers/${consumerPid}/start`,
      message('TransferStartMessage', pids),
    )
    expect(started.status).toBe(200)
    expect(await stateOf(peer, member, consumerPid, 'transfers')).toBe('STARTED')
  })
})
