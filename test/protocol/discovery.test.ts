/** How two connectors find each other, and how they show who they are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createValidator } from '../../connector/dsp/validate.js'
import { type Dataspace, enc, type Member, startDataspace } from '../support/dataspace.js'
import { asConsumer, asProvider, offering } from './parties.js'
import { introduce, message, type Peer, startPeer } from './peer.js'
import { publishTank } from './tank.js'

const validate = createValidator()
let space: Dataspace
let member: Member
let peer: Peer

beforeAll(async () => {
  space = await startDataspace([{ name: 'member' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder)
  peer = await startPeer(space)
  peer.script(offering())
})
afterAll(async () => {
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

type Version = { readonly version: string; readonly path: string; readonly binding: string }

describe('the version document', () => {
  const read = (authorization?: string) =>
    peer.fetch(`${member.config.publicUrl}/.well-known/dspace-version`, { authorization })

  it('is the same for everybody, whoever they are and whatever they show', async () => {
    const answers = [
      await read(),
      await read('Bearer nonsense'),
      await read(peer.token('did:web:somebody-else.example.com')),
      await read(peer.token(member.did)),
    ]
    for (const answer of answers) {
      expect([answer.status, answer.headers['content-type']]).toEqual([
        200,
        'application/json; charset=utf-8',
      ])
      expect(answer.text).toBe(answers[0]?.text)
    }
    // Nobody was asked who the caller is.
    expect(peer.documents).toEqual([])
  })

  it('conforms to the schema, and root and path lead to the base that catalogs name as the data service', async () => {
    const { json } = await read()
    expect(validate('VersionResponse', json, 'outgoing')).toMatchObject({ ok: true })
    const versions = json.protocolVersions as unknown as readonly Version[]
    expect(versions.map(({ version, binding }) => [version, binding])).toEqual([['2025-1', 'HTTPS']])
    const [own] = versions
    // An absolute path: no address, no relative path, no slash at its end.
    expect(own?.path).toMatch(/^\/[^/].*[^/]$/)
    const base = `${member.config.publicUrl}${own?.path}`
    await introduce(member, peer)
    const catalog = await peer.fetch(`${base}/catalog/request`, {
      method: 'POST',
      authorization: peer.token(member.did),
      body: JSON.stringify(message('CatalogRequestMessage', {})),
    })
    const { service, dataset } = catalog.json as unknown as {
      readonly service: readonly { readonly endpointURL: string }[]
      readonly dataset: readonly {
        readonly distribution: readonly { readonly accessService: { readonly endpointURL: string } }[]
      }[]
    }
    const endpoints = [
      ...service.map(({ endpointURL }) => endpointURL),
      ...dataset.flatMap(({ distribution }) => distribution.map((d) => d.accessService.endpointURL)),
    ]
    expect(new Set(endpoints)).toEqual(new Set([base]))
  })

  it('has no version in its own path, and the protocol is nowhere else', async () => {
    for (const path of [
      '/2025-1/.well-known/dspace-version',
      '/catalog/request',
      '/2025-1/catalog/request',
    ]) {
      const answer = await peer.fetch(`${member.config.publicUrl}${path}`, {
        method: path.startsWith('/2') ? 'GET' : 'POST',
        authorization: peer.token(member.did),
      })
      expect([path, answer.status, answer.text]).toEqual([path, 404, ''])
    }
  })
})

describe('a partner', () => {
  const adding = async (other: Peer) => {
    const outcome = await member.api.post('/api/v1/partners', { did: other.did, address: other.publicUrl })
    return outcome.ok
      ? ((outcome.value ?? {}) as { readonly address: string }).address.replace(other.publicUrl, '')
      : outcome.error.message.replace(other.publicUrl, '<root>')
  }

  it.each([
    [
      'the one among several',
      [
        ['0.8', '/old'],
        ['2025-1', '/new'],
        ['2026-1', '/newer'],
      ],
      '/new',
    ],
    [
      'the one over HTTPS',
      [
        ['2025-1', '/mqtt', 'MQTT'],
        ['2025-1', '/new', 'HTTPS'],
      ],
      '/new',
    ],
    ['the root itself', [['2025-1', '/']], ''],
    ['a path with a slash at its end', [['2025-1', '/new/']], '/new'],
  ] as const)('is spoken to in the version that both know: %s', async (_what, entries, base) => {
    const versions = entries.map(([version, path, binding = 'HTTPS']) => ({ version, path, binding }))
    await using other = await startPeer(space, { versions, base })
    expect(await adding(other)).toBe(base)
    await member.post(`/api/v1/partners/${enc(other.did)}/trust`)
    other.script(offering())
    const { path } = await asProvider(other, member).asked()
    expect((await member.get(path)).partner).toBe(other.did)
    expect(other.received.map((one) => one.path)).toEqual([
      `${base}/catalog/datasets/pump`,
      `${base}/negotiations/request`,
    ])
  })

  it.each([
    [
      'older ones',
      [
        ['0.8', '/a'],
        ['2024-1', '/b'],
      ],
      '<root> speaks 0.8, 2024-1, not 2025-1.',
    ],
    ['another binding', [['2025-1', '/a', 'MQTT']], '<root> speaks 2025-1 over MQTT, not 2025-1 over HTTPS.'],
    [
      'none',
      [],
      "<root> answered without a DSP version document. Give the public address of the partner's connector, such as https://connector.example.com",
    ],
  ] as const)('without a version that both know is left alone: %s', async (_what, entries, sentence) => {
    const versions = entries.map(([version, path, binding = 'HTTPS']) => ({ version, path, binding }))
    await using other = await startPeer(space, { versions })
    expect(await adding(other)).toBe(sentence)
    // The communication ends here: no message goes out, and nobody is added.
    expect(other.received).toEqual([])
    expect((await member.refused(member.api.get(`/api/v1/partners/${enc(other.did)}`))).code).toBe('NotFound')
  })
})

describe('our identity', () => {
  it('goes with every request of ours to a partner, and with none for what everybody may read', async () => {
    await using other = await startPeer(space)
    other.script(offering())
    await introduce(member, other)
    const [consumer, provider] = [asConsumer(other, member), asProvider(other, member)]
    const started = await consumer.started(await consumer.contract())
    await member.post(`/api/v1/transfers/${enc(started.providerPid)}/terminate`, { reason: 'Enough.' })
    await other.message('TransferTerminationMessage', { consumerPid: started.consumerPid })
    const taken = await provider.transferAsked(await provider.contract())
    await member.post(`/api/v1/transfers/${enc(taken.consumerPid)}/terminate`, { reason: 'Enough.' })
    await other.message('TransferTerminationMessage', { consumerPid: taken.consumerPid })
    await member.refused(member.api.get(`/api/v1/partners/${enc(other.did)}/catalog`))

    expect(new Set(other.received.map(({ type, method }) => (method === 'GET' ? 'GET' : type)))).toEqual(
      new Set([
        'GET',
        'CatalogRequestMessage',
        'ContractRequestMessage',
        'ContractAgreementMessage',
        'ContractAgreementVerificationMessage',
        'ContractNegotiationEventMessage',
        'TransferRequestMessage',
        'TransferStartMessage',
        'TransferTerminationMessage',
      ]),
    )
    for (const { path, authorization } of other.received) {
      const [, claims = ''] = /^Bearer [\w-]+\.([\w-]+)\.[\w-]+$/.exec(authorization) ?? []
      const { iss, sub, aud } = JSON.parse(Buffer.from(claims, 'base64url').toString() || '{}')
      expect([path, iss, sub, aud]).toEqual([path, member.did, member.did, other.did])
    }
    const tokens = other.received.map(({ authorization }) => authorization)
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(new Set(other.documents.map(({ path }) => path))).toEqual(
      new Set(['/.well-known/dspace-version', '/.well-known/did.json']),
    )
    expect(other.documents.filter(({ authorization }) => authorization !== '')).toEqual([])
  })
})
