import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createValidator } from '../../connector/dsp/validate.js'
import { asConsumer, newPid, type Pids } from '../protocol/parties.js'
import { introduce, message, type Peer, type Received, type Sent, startPeer } from '../protocol/peer.js'
import { publishTank } from '../protocol/tank.js'
import { type Dataspace, enc, list, type Member, startDataspace } from '../support/dataspace.js'
import { recordingLog } from '../support/recording-log.js'

const validate = createValidator()
let space: Dataspace
let provider: Member
let peer: Peer
let rival: Peer
const log = recordingLog()

beforeAll(async () => {
  space = await startDataspace([{ name: 'provider', log: log.log }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  provider = first
  await publishTank(provider, space.folder)
  peer = await startPeer(space)
  rival = await startPeer(space)
  await introduce(provider, peer)
  await introduce(provider, rival)
})
afterAll(async () => {
  for (const one of [peer, rival]) await one[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const PATH = '/negotiations/request'

function refused(answer: Sent): readonly [number, unknown, string] {
  expect(validate('ContractNegotiationError', answer.json, 'outgoing')).toMatchObject({ ok: true })
  return [answer.status, answer.json.code, (answer.json.reason as readonly string[]).join(' ')]
}

const count = async (): Promise<number> =>
  list(await provider.get('/api/v1/negotiations'), 'negotiations').length

describe('a message that cannot be read', () => {
  it('is too large, whether it says so or not, packed or not', async () => {
    const sentence = 'The message is larger than 256 KB, which is the limit here.'
    const large = JSON.stringify(message('ContractRequestMessage', { padding: 'x'.repeat(256 * 1024) }))
    expect(refused(await peer.send(provider, PATH, large))).toEqual([413, 'MessageTooLarge', sentence])
    const post = (body: Buffer | AsyncIterable<Buffer>, headers: Readonly<Record<string, string>> = {}) =>
      request(`${provider.config.publicUrl}/dsp${PATH}`, {
        method: 'POST',
        dispatcher: peer.agent,
        headers: { authorization: peer.token(provider.did), 'content-type': 'application/json', ...headers },
        body: body as Buffer,
      })
    const said = async (answer: Awaited<ReturnType<typeof post>>) => {
      const { code, reason } = (await answer.body.json()) as { code: string; reason: readonly string[] }
      return [answer.statusCode, code, ...reason]
    }
    const packed = gzipSync(large)
    expect(packed.length).toBeLessThan(10_000)
    expect(await said(await post(packed, { 'content-encoding': 'gzip' }))).toEqual([
      413,
      'MessageTooLarge',
      sentence,
    ])
    async function* chunks() {
      yield Buffer.from(large.slice(0, 1000))
      yield Buffer.from(large.slice(1000))
    }
    expect(await said(await post(chunks()))).toEqual([413, 'MessageTooLarge', sentence])
    expect(await said(await post(Buffer.from('{}'), { 'content-encoding': 'br;x' }))).toEqual([
      400,
      'InvalidMessage',
      'The body of the message could not be read.',
    ])
  })

  it('is not JSON, or not JSON with one meaning', async () => {
    const cases: readonly (readonly [string, string])[] = [
      ['', 'The body is not JSON: it ends too early.'],
      ['{"@type":', 'The body is not JSON: it ends too early.'],
      ['<xml/>', "The body is not JSON: unexpected token '<'."],
      ['{"a":1,"a":2}', 'The key "a" appears twice.'],
      ['{"__proto__":{}}', 'The key "__proto__" is not allowed.'],
      ['{"a":1e999}', 'The number 1e999 is too large.'],
    ]
    for (const [text, sentence] of cases) {
      expect(refused(await peer.send(provider, PATH, text))).toEqual([400, 'InvalidMessage', sentence])
    }
    const deep = '['.repeat(40) + ']'.repeat(40)
    expect(refused(await peer.send(provider, PATH, deep))).toEqual([
      400,
      'MessageTooDeep',
      'The body nests deeper than 32 levels.',
    ])
  })

  it('does not match its schema: says where, at most three places', async () => {
    const good = {
      consumerPid: newPid(),
      callbackAddress: peer.address,
      offer: { '@id': 'open', '@type': 'Offer', target: 'tank', permission: [{ action: 'use' }] },
    }
    const cases: readonly (readonly [object | string, string])[] = [
      ['[]', 'it must be an object.'],
      ['null', 'it must be an object.'],
      [
        message('ContractOfferMessage', good),
        '@type is "ContractOfferMessage", expected "ContractRequestMessage".',
      ],
      [message('ContractRequestMessage', { ...good, consumerPid: 7 }), 'consumerPid must be a text.'],
      [message('ContractRequestMessage', { ...good, offer: undefined }), 'offer is missing.'],
      [
        message('ContractRequestMessage', { ...good, offer: { ...good.offer, target: undefined } }),
        'offer.target is missing.',
      ],
      [
        message('ContractRequestMessage', { ...good, offer: { ...good.offer, permission: [] } }),
        'offer.permission must not be empty.',
      ],
      [
        { ...message('ContractRequestMessage', good), '@context': ['https://example.com/other'] },
        '@context must contain "https://w3id.org/dspace/2025/1/context.jsonld".',
      ],
      [
        message('ContractRequestMessage', {}),
        'callbackAddress is missing; consumerPid is missing; offer is missing.',
      ],
    ]
    for (const [body, why] of cases) {
      expect(refused(await peer.send(provider, PATH, body))).toEqual([
        400,
        'InvalidMessage',
        `ContractRequestMessage is not valid: ${why}`,
      ])
    }
  })

  it('leaves nothing behind, and the operator finds who sent it and why it was refused', async () => {
    const before = await count()
    log.clear()
    await peer.send(provider, PATH, '{')
    expect(await count()).toBe(before)
    expect(log.entries('message refused')).toEqual([
      {
        event: 'message refused',
        from: peer.did,
        path: '/negotiations/request',
        code: 'InvalidMessage',
        why: expect.stringMatching(/^The body is not JSON: /),
      },
    ])
  })
})

it('answers a foreign process id as one that does not exist', async () => {
  const asked = await asConsumer(peer, provider).agreed()
  const foreign = asConsumer(rival, provider)
  const sentence = [404, 'NotFound', 'There is no such negotiation.']
  expect(refused(await foreign.verify(asked))).toEqual(sentence)
  expect(refused(await foreign.verify({ ...asked, providerPid: newPid() }))).toEqual(sentence)
  expect(refused(await rival.send(provider, `/negotiations/${asked.providerPid}`))).toEqual(sentence)
})

describe('a pull', () => {
  let transfer: Pids & { readonly start: Received }
  let foreign: Pids & { readonly start: Received }
  const grantOf = (start: Received): { readonly endpoint: string; readonly token: string } => {
    const { endpoint, endpointProperties } = start.body.dataAddress as unknown as {
      readonly endpoint: string
      readonly endpointProperties: readonly { readonly name: string; readonly value: string }[]
    }
    const token = endpointProperties.find(({ name }) => name === 'authorization')?.value ?? ''
    return { endpoint, token }
  }
  const pull = async (endpoint: string, authorization?: string): Promise<readonly unknown[]> => {
    const { status, json, text } = await peer.fetch(endpoint, { authorization })
    return status === 200 ? [200, text.trim().split('\n').length] : [status, json.code, json.reason]
  }

  beforeAll(async () => {
    const consumer = asConsumer(peer, provider)
    transfer = await consumer.started(await consumer.contract())
    const other = asConsumer(rival, provider)
    foreign = await other.started(await other.contract())
  })

  it('with its own grant brings the data', async () => {
    const { endpoint, token } = grantOf(transfer.start)
    expect(await pull(endpoint, token)).toEqual([200, 5])
  })

  it('without a grant, with a wrong, a foreign or an identity one, brings one and the same refusal', async () => {
    const { endpoint, token } = grantOf(transfer.start)
    const sentence = [
      401,
      'GrantInvalid',
      [
        'The data token is missing, wrong, or belongs to another transfer. Use the address and the token of one transfer together.',
      ],
    ]
    expect(await pull(endpoint)).toEqual(sentence)
    expect(await pull(endpoint, 'Bearer ')).toEqual(sentence)
    expect(await pull(endpoint, `${token}x`)).toEqual(sentence)
    expect(await pull(endpoint, grantOf(foreign.start).token)).toEqual(sentence)
    expect(await pull(endpoint, peer.token(provider.did))).toEqual(sentence)
    expect(await pull(`${provider.config.publicUrl}/data/${newPid()}`, token)).toEqual(sentence)
    expect(await pull(grantOf(foreign.start).endpoint, token)).toEqual(sentence)
  })

  it('with the grant of a transfer that has ended says why', async () => {
    const { endpoint, token } = grantOf(transfer.start)
    await provider.post(`/api/v1/transfers/${enc(transfer.providerPid)}/terminate`, { reason: 'Sold' })
    expect(await pull(endpoint, token)).toEqual([403, 'GrantEnded', ['The transfer is terminated: Sold']])
    expect((await pull(endpoint, `${token}x`)).slice(0, 2)).toEqual([401, 'GrantInvalid'])
  })
})
