import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import { MAX_OPEN } from '../../connector/services/crowd.js'
import { newPid } from '../protocol/parties.js'
import { introduce, message, type Peer, startPeer } from '../protocol/peer.js'
import { type Dataspace, type Member, startDataspace } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

/** What somebody does who wants to tie up the connector instead of talking to it. */
let space: Dataspace
let member: Member
let peer: Peer
const open: Socket[] = []

beforeAll(async () => {
  space = await startDataspace([
    {
      name: 'provider',
      settings: {
        HANDSCHLAG_MAX_CONNECTIONS: '40',
        HANDSCHLAG_MAX_CONNECTIONS_PER_PARTNER: '4',
        HANDSCHLAG_MAX_REQUESTS_PER_SECOND: '50',
      },
    },
  ])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  peer = await startPeer(space)
  await introduce(member, peer)
})
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})
afterAll(async () => {
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const hello = async (): Promise<TLSSocket> => {
  const socket = connectTls({
    port: member.config.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync(space.ca),
  })
  open.push(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  return socket
}

/** Everything that came until the other side closed, or what `until` looks for came. */
const heard = (socket: Socket, until?: RegExp): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const done = (): void => resolve(text)
    socket.on('data', (chunk) => {
      text += chunk
      if (until?.test(text) === true) done()
    })
    socket.once('close', done)
  })

const metric = async (name: string): Promise<string> => {
  const answer = await fetch(`${member.connector().managementUrl}/metrics`, {
    headers: { authorization: `Bearer ${readFileSync(`${member.config.dataDir}/cli.token`, 'utf8').trim()}` },
  })
  const line = (await answer.text()).split('\n').find((one) => one.startsWith(name) && !one.startsWith('#'))
  return line?.split(' ').at(-1) ?? ''
}

const requestText = (path: string, body: string, headers: readonly string[] = []): string =>
  [
    `POST /dsp${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: ${peer.token(member.did)}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n')

const CATALOG_REQUEST = JSON.stringify(message('CatalogRequestMessage', {}))

it('ends a connection whose header never ends, and one that never says anything', async () => {
  const [slow, silent] = [await hello(), await hello()]
  slow.write('POST /dsp/catalog/request HTTP/1.1\r\nHost: localhost\r\nX-')
  const drip = setInterval(() => slow.write('a'), 500)
  const [first, second] = await Promise.all([heard(slow), heard(silent)])
  clearInterval(drip)
  expect(first === '' || first.startsWith('HTTP/1.1 408')).toBe(true)
  expect(second === '' || second.startsWith('HTTP/1.1 408')).toBe(true)
}, 20_000)

it('ends a TCP connection that never begins TLS', async () => {
  const socket = connectTcp(member.config.port, '127.0.0.1')
  open.push(socket)
  socket.on('error', () => {})
  expect(await heard(socket)).toBe('')
}, 20_000)

it('answers others while a body of a partner is on its way for ever', async () => {
  const slow = await hello()
  slow.write(requestText('/catalog/request', CATALOG_REQUEST).slice(0, -10))
  const answer = await peer.send(member, '/catalog/request', CATALOG_REQUEST)
  expect(answer.status).toBe(200)
})

it('closes what comes beyond the limit at once, keeps a share free of any one address, and recovers', async () => {
  const before = Number(await metric('handschlag_connections_refused_total'))
  const sockets: Socket[] = []
  for (let i = 0; i < 30; i++) {
    const socket = connectTcp(member.config.port, '127.0.0.1')
    socket.on('error', () => {})
    sockets.push(socket)
    open.push(socket)
  }
  // Forty are allowed, half of them to one address, and everybody here has one address.
  await waitFor(async () => Number(await metric('handschlag_connections_refused_total')) > before, {
    what: 'a refused connection',
  })
  expect(Number(await metric('handschlag_connections'))).toBeLessThanOrEqual(20)
  for (const socket of sockets) socket.destroy()
  await waitFor(
    async () =>
      (await peer.send(member, '/catalog/request', CATALOG_REQUEST).catch(() => undefined))?.status === 200,
    {
      what: 'an answer once they are gone',
    },
  )
})

it('gives one partner no more connections than the limit, says so, and shows it in the metrics', async () => {
  const answers: string[] = []
  for (let i = 0; i < 6; i++) {
    const socket = await hello()
    socket.write(requestText('/catalog/request', CATALOG_REQUEST))
    answers.push(await heard(socket, /\r\n\r\n[\s\S]*}/))
  }
  const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 429'))
  expect(refused.length).toBeGreaterThan(0)
  expect(refused[0]).toContain('You have 4 connections open here, which is the limit.')
  expect(refused[0]).toContain('"CatalogError"')
  expect(refused[0]).toMatch(/\r\nConnection: close\r\n/i)
  expect(Number(await metric(`handschlag_limit_met_total{partner="${peer.did}",limit="connections"}`))).toBe(
    refused.length,
  )
  for (const socket of open.splice(0)) socket.destroy()
  await waitFor(async () => (await peer.send(member, '/catalog/request', CATALOG_REQUEST)).status === 200)
})

it('slows down a partner that sends without end, and takes its messages again afterwards', async () => {
  const socket = await hello()
  let last = ''
  for (let i = 0; i < 500 && !last.includes('429'); i++) {
    const answer = heard(socket, /\r\n\r\n[\s\S]*}/)
    socket.write(requestText('/catalog/request', CATALOG_REQUEST))
    last = await answer
    socket.removeAllListeners()
  }
  expect(last).toContain('HTTP/1.1 429')
  expect(last).toMatch(/\r\nRetry-After: 1\r\n/i)
  expect(last).toContain('You send more than 50 requests a second, which is the limit here.')
  expect(
    Number(await metric(`handschlag_limit_met_total{partner="${peer.did}",limit="rate"}`)),
  ).toBeGreaterThan(0)
  await waitFor(async () => (await peer.send(member, '/catalog/request', CATALOG_REQUEST)).status === 200)
})

/** Sent again while the limit of the test before still holds. */
const sent = (body: string) =>
  waitFor(async () => {
    const answer = await peer.send(member, '/catalog/request', body)
    return answer.status === 429 ? undefined : answer
  })

it('shows messages that are too large or too deep as limits that were met', async () => {
  const large = await sent(`"${'a'.repeat(300_000)}"`)
  expect(large.status).toBe(413)
  const deep = await sent(`${'['.repeat(40)}${']'.repeat(40)}`)
  expect([deep.status, deep.json.code]).toEqual([400, 'MessageTooDeep'])
  expect(await metric(`handschlag_limit_met_total{partner="${peer.did}",limit="size"}`)).toBe('1')
  expect(await metric(`handschlag_limit_met_total{partner="${peer.did}",limit="depth"}`)).toBe('1')
})

it('lets one partner open no more negotiations and transfers than the limit, and more once some have ended', async () => {
  const { store } = member.connector()
  const opened = (pid: string): Negotiation => ({
    kind: 'negotiation',
    pid: pid as Negotiation['pid'],
    role: 'provider',
    partner: peer.did,
    partnerPid: `${pid}#`,
    partnerAddress: peer.address,
    state: 'REQUESTED',
    turn: 1,
    offer: {},
    datasetId: 'x',
    createdAt: 0 as Negotiation['createdAt'],
    updatedAt: 0 as Negotiation['updatedAt'],
  })
  const pids = Array.from({ length: MAX_OPEN }, newPid)
  await Promise.all(pids.map((pid) => store.create({ next: opened(pid) })))
  const request = () =>
    peer.send(
      member,
      '/negotiations/request',
      message('ContractRequestMessage', {
        consumerPid: newPid(),
        offer: { '@id': 'none', '@type': 'Offer', target: 'x', permission: [{ action: 'use' }] },
        callbackAddress: peer.address,
      }),
    )
  const refused = await waitFor(async () => {
    const answer = await request()
    return answer.json.code === 'TooManyRequests' ? undefined : answer
  })
  expect([refused.status, refused.json.code]).toEqual([429, 'TooManyProcesses'])
  expect(String(refused.json.reason)).toBe(
    'You have 1000 negotiations open here, which is the limit. End some, and send this once more.',
  )
  const [first = ''] = pids
  const ended = await store.change({ kind: 'negotiation', pid: first as Negotiation['pid'] }, (current) => ({
    ok: true,
    value: { next: { ...current, state: 'TERMINATED' } },
  }))
  expect(ended.ok).toBe(true)
  // There is room again, and the offer is none of ours.
  expect((await request()).json.code).toBe('OfferUnknown')
})
