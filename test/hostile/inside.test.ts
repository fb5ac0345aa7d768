import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { asConsumer, asProvider, dataAddress, newPid, offering } from '../protocol/parties.js'
import { introduce, message, type Peer, startPeer } from '../protocol/peer.js'
import { publishTank } from '../protocol/tank.js'
import { type Dataspace, enc, type Member, startDataspace } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

/**
 * A partner names addresses inside the network of the connector, where only the connector could reach them. The decoy
 * stands for what is there: not one connection may arrive.
 */
let space: Dataspace
let member: Member
let peer: Peer
let decoy: Server
let decoyPort: number
let connections = 0

beforeAll(async () => {
  // The partner itself is here under a name that is allowed; everything else that is private is not.
  const settings = { HANDSCHLAG_ALLOW_PRIVATE_ADDRESSES: 'localhost' }
  space = await startDataspace([{ name: 'provider', settings }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  peer = await startPeer(space)
  await introduce(member, peer)
  await publishTank(member, space.folder)
  decoy = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => decoy.listen(0, '127.0.0.1', resolve))
  decoyPort = (decoy.address() as { port: number }).port
})
afterAll(async () => {
  await new Promise((resolve) => decoy.close(resolve))
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const INSIDE = [
  (port: number) => `https://127.0.0.1:${port}/dsp`,
  (port: number) => `https://[::ffff:127.0.0.1]:${port}/dsp`,
  (port: number) => `https://0.0.0.0:${port}/dsp`,
  (port: number) => `https://2130706433:${port}/dsp`,
  () => 'https://10.0.0.1/dsp',
  () => 'https://192.168.1.1/dsp',
  () => 'https://169.254.169.254/latest/meta-data',
  () => 'https://[fd00::1]/dsp',
  () => 'https://[fe80::1]/dsp',
]

/** The one negotiation or transfer with that pid of the peer, once our connector has ended it. */
const ended = async (kind: 'negotiations' | 'transfers', pid: string) =>
  waitFor(async () => {
    const shown = await member.get(`/api/v1/${kind}/${enc(pid)}`)
    return shown.state === 'TERMINATED' ? shown : undefined
  })

it('sends nothing to a callback address inside the own network, and ends the negotiation with the reason', async () => {
  const buyer = asConsumer(peer, member)
  const offer = await buyer.offerFrom()
  for (const address of INSIDE.map((of) => of(decoyPort))) {
    const asked = await buyer.request(offer, newPid(), { callbackAddress: address })
    if (asked.status === 400) continue
    expect(asked.status).toBe(201)
    const shown = await ended('negotiations', asked.providerPid)
    expect(String(shown.reason), address).toMatch(/is not called/)
  }
  expect(connections).toBe(0)
})

it('follows no redirect of a partner to the inside', async () => {
  const buyer = asConsumer(peer, member)
  peer.script(({ type }) =>
    type === 'ContractAgreementMessage'
      ? { status: 307, headers: { location: `https://localhost:${decoyPort}/` } }
      : undefined,
  )
  const asked = await buyer.request(await buyer.offerFrom())
  const shown = await ended('negotiations', asked.providerPid)
  expect(String(shown.reason)).toContain('answered 307')
  peer.script(() => undefined)
  expect(connections).toBe(0)
})

it('reads no data from an endpoint inside the own network', async () => {
  const seller = asProvider(peer, member)
  peer.script(offering())
  const transfer = await seller.transferAsked(await seller.contract())
  const { providerPid, consumerPid } = transfer
  const start = message('TransferStartMessage', {
    providerPid,
    consumerPid,
    dataAddress: dataAddress(`https://127.0.0.1:${decoyPort}/data`),
  })
  await peer.send(member, `/transfers/${consumerPid}/start`, start)
  const token = await member.api.get(`/api/v1/transfers/${enc(consumerPid)}/data`)
  expect(token.ok).toBe(false)
  if (!token.ok) expect(token.error.code).toBe('AddressRefused')
  expect(connections).toBe(0)
})

it('looks for no identity inside the own network', async () => {
  const add = (did: string, address: string) =>
    member.api.post('/api/v1/partners', { did, address, name: 'inside' })
  const refusals = [
    await member.refused(add(`did:web:127.0.0.1%3A${decoyPort}`, `https://127.0.0.1:${decoyPort}`)),
    await member.refused(add('did:web:example.com', `https://127.0.0.1:${decoyPort}`)),
  ]
  for (const { code } of refusals)
    expect(['InvalidInput', 'AddressRefused', 'IdentityUnresolvable']).toContain(code)
  expect(connections).toBe(0)
})
