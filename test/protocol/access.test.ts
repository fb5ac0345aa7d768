import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createValidator } from '../../connector/dsp/validate.js'
import { type Dataspace, enc, type Member, startDataspace } from '../support/dataspace.js'
import { asConsumer, newPid } from './parties.js'
import { introduce, message, type Peer, startPeer } from './peer.js'
import { publishTank } from './tank.js'

const validate = createValidator()
let space: Dataspace
let provider: Member
/** Trusted, trusted, added but not trusted, never heard of. */
let friend: Peer
let rival: Peer
let known: Peer
let stranger: Peer

beforeAll(async () => {
  space = await startDataspace([{ name: 'provider' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  provider = first
  await publishTank(provider, space.folder)
  const started = await Promise.all([1, 2, 3, 4].map(() => startPeer(space)))
  ;[friend, rival, known, stranger] = started as [Peer, Peer, Peer, Peer]
  await introduce(provider, friend)
  await introduce(provider, rival)
  await introduce(provider, known, { trusted: false })
})
afterAll(async () => {
  for (const peer of [friend, rival, known, stranger]) await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

it('MET:01-01 serves the version document at the root, without authentication, and it leads to every endpoint', async () => {
  const answer = await friend.fetch(`${provider.config.publicUrl}/.well-known/dspace-version`)
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  expect(validate('VersionResponse', answer.json, 'outgoing').ok).toBe(true)
  const [version] = answer.json.protocolVersions as unknown as readonly { path: string; version: string }[]
  expect(version?.version).toBe('2025-1')
  expect(version?.path).toMatch(/^\//)
  const base = `${provider.config.publicUrl}${version?.path}`
  const catalog = await friend.fetch(`${base}/catalog/request`, {
    method: 'POST',
    authorization: friend.token(provider.did),
    body: JSON.stringify(message('CatalogRequestMessage', {})),
  })
  expect(catalog.status).toBe(200)
})

it('serves its DID document without authentication, with both DSP services and both keys', async () => {
  const answer = await stranger.fetch(`${provider.config.publicUrl}/.well-known/did.json`)
  expect(answer.status).toBe(200)
  const { id, service, verificationMethod, authentication, assertionMethod } = answer.json as unknown as {
    readonly id: string
    readonly service: readonly { readonly type: string; readonly serviceEndpoint: string }[]
    readonly verificationMethod: readonly { readonly id: string; readonly publicKeyJwk: object }[]
    readonly authentication: readonly string[]
    readonly assertionMethod: readonly string[]
  }
  expect(id).toBe(provider.did)
  expect(service.map(({ type, serviceEndpoint }) => [type, serviceEndpoint])).toEqual([
    ['CatalogService', `${provider.config.publicUrl}/dsp/catalog`],
    ['DataService', `${provider.config.publicUrl}/.well-known/dspace-version`],
    ['DutyStatementService', `${provider.config.publicUrl}/dsp/duty-statements`],
  ])
  // The last one is not of DSP: only its own two have a schema there.
  for (const entry of service.slice(0, 2)) {
    expect(validate('DidService', entry, 'outgoing').ok).toBe(true)
  }
  expect(verificationMethod.map((method) => method.id)).toEqual([...authentication, ...assertionMethod])
  expect(JSON.stringify(verificationMethod)).not.toContain('"d"')
})

it('gives strangers, and partners that are not trusted, an empty 404 for everything, as for paths that do not exist', async () => {
  const nothing = await friend.fetch(`${provider.config.publicUrl}/no/such/path`)
  expect([nothing.status, nothing.text]).toEqual([404, ''])
  const shape = (headers: object): readonly string[] => Object.keys(headers).sort()
  const pid = newPid()
  const asked = await asConsumer(friend, provider).agreed()
  const paths = [
    ['POST', '/catalog/request'],
    ['GET', '/catalog/datasets/tank'],
    ['POST', '/negotiations/request'],
    ['POST', '/negotiations/offers'],
    ['GET', `/negotiations/${asked.providerPid}`],
    ['GET', `/negotiations/${pid}`],
    ['GET', '/negotiations/%'],
    ['POST', '/negotiations/%E0%A4%A/request'],
    ['POST', `/negotiations/${asked.providerPid}/request`],
    ['POST', `/negotiations/${asked.providerPid}/events`],
    ['POST', `/negotiations/${asked.providerPid}/agreement/verification`],
    ['POST', `/negotiations/${asked.providerPid}/termination`],
    ['POST', '/transfers/request'],
    ['GET', `/transfers/${pid}`],
    ['POST', `/transfers/${pid}/start`],
    ['POST', `/transfers/${pid}/completion`],
    ['POST', `/transfers/${pid}/suspension`],
    ['POST', `/transfers/${pid}/termination`],
    ['OPTIONS', '/catalog/request'],
    ['PUT', '/catalog/request'],
    ['POST', '/unknown'],
  ] as const
  const callers = [
    ['stranger', stranger],
    ['known', known],
  ] as const
  for (const [who, peer] of callers) {
    for (const [method, path] of paths) {
      const answer = await peer.fetch(`${provider.config.publicUrl}/dsp${path}`, {
        method,
        authorization: peer.token(provider.did),
        ...(method === 'POST' ? { body: JSON.stringify(message('CatalogRequestMessage', {})) } : {}),
      })
      expect([who, method, path, answer.status, answer.text]).toEqual([who, method, path, 404, ''])
      expect([path, shape(answer.headers)]).toEqual([path, shape(nothing.headers)])
    }
  }
  // Nobody can make this connector call somebody it does not trust.
  expect(stranger.didReads()).toBe(0)
  expect(known.didReads()).toBe(1)
  const after = await asConsumer(friend, provider).verify(asked)
  expect(after.status).toBe(200)
})

it('gives whoever shows no token, a damaged one or one with a foreign signature the same empty 404', async () => {
  const good = friend.token(provider.did)
  const [head = '', claims = '', signature = ''] = good.slice('Bearer '.length).split('.')
  const foreign = rival.token(provider.did).split('.')[2] ?? ''
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const tokens: readonly (readonly [string, string | undefined])[] = [
    ['none', undefined],
    ['empty', 'Bearer '],
    ['another scheme', `Basic ${Buffer.from('user:password').toString('base64')}`],
    ['not a JWT', 'Bearer abc'],
    ['without signature', `Bearer ${head}.${claims}.`],
    ['unsigned', `Bearer ${none}.${claims}.`],
    ['signed by another partner', `Bearer ${head}.${claims}.${foreign}`],
    ['with other claims', `Bearer ${head}.${claims}A.${signature}`],
  ]
  for (const [what, authorization] of tokens) {
    const answer = await friend.send(provider, '/catalog/datasets/tank', undefined, { authorization })
    expect([what, answer.status, answer.text]).toEqual([what, 404, ''])
  }
})

it('shows a process of another partner exactly as it shows one that does not exist', async () => {
  const consumer = asConsumer(friend, provider)
  const asked = await consumer.agreed()
  const transfer = await consumer.started(await consumer.contract())
  const unknown = newPid()
  const attempts = (negotiation: string, process: string) =>
    [
      ['GET', `/negotiations/${negotiation}`, undefined],
      [
        'POST',
        `/negotiations/${negotiation}/agreement/verification`,
        consumer.verification({ providerPid: negotiation, consumerPid: asked.consumerPid }),
      ],
      [
        'POST',
        `/negotiations/${negotiation}/events`,
        message('ContractNegotiationEventMessage', {
          providerPid: negotiation,
          consumerPid: asked.consumerPid,
          eventType: 'ACCEPTED',
        }),
      ],
      [
        'POST',
        `/negotiations/${negotiation}/request`,
        message('ContractRequestMessage', {
          providerPid: negotiation,
          consumerPid: asked.consumerPid,
          offer: asked.offer,
        }),
      ],
      [
        'POST',
        `/negotiations/${negotiation}/termination`,
        message('ContractNegotiationTerminationMessage', {
          providerPid: negotiation,
          consumerPid: asked.consumerPid,
        }),
      ],
      ['GET', `/transfers/${process}`, undefined],
      ...(
        [
          ['start', 'TransferStartMessage'],
          ['suspension', 'TransferSuspensionMessage'],
          ['completion', 'TransferCompletionMessage'],
          ['termination', 'TransferTerminationMessage'],
        ] as const
      ).map(
        ([path, type]) =>
          [
            'POST',
            `/transfers/${process}/${path}`,
            message(type, { providerPid: process, consumerPid: transfer.consumerPid }),
          ] as const,
      ),
    ] as const
  const foreign = attempts(asked.providerPid, transfer.providerPid)
  const missing = attempts(unknown, unknown)
  const anonymous = (text: string): string =>
    text
      .replaceAll(asked.providerPid, '<pid>')
      .replaceAll(transfer.providerPid, '<pid>')
      .replaceAll(unknown, '<pid>')
  for (const [index, [method, path, body]] of foreign.entries()) {
    const [, missingPath = '', missingBody] = missing[index] ?? []
    const theirs = await rival.send(provider, path, body)
    const none = await rival.send(provider, missingPath, missingBody)
    expect([method, path, theirs.status]).toEqual([method, path, 404])
    expect([theirs.status, anonymous(theirs.text)]).toEqual([none.status, anonymous(none.text)])
    const schema = path.startsWith('/transfers') ? 'TransferError' : 'ContractNegotiationError'
    expect(validate(schema, theirs.json, 'outgoing').ok).toBe(true)
    expect(theirs.text).not.toContain(friend.did)
  }
  const shown = await friend.send(provider, `/negotiations/${asked.providerPid}`)
  expect(shown.json.state).toBe('AGREED')
  const running = await friend.send(provider, `/transfers/${transfer.providerPid}`)
  expect(running.json.state).toBe('STARTED')
})

it('gives a partner that is blocked in the middle nothing more, and ends what is open with it', async () => {
  await using blocked = await startPeer(space)
  await introduce(provider, blocked, { name: 'soon blocked' })
  const consumer = asConsumer(blocked, provider)
  const transfer = await consumer.started(await consumer.contract())
  const asked = await consumer.agreed()
  await provider.post(`/api/v1/partners/${enc(blocked.did)}/block`)

  const verified = await consumer.verify(asked)
  expect([verified.status, verified.text]).toEqual([404, ''])
  const { consumerPid } = transfer
  const ended = await blocked.message('TransferTerminationMessage', { consumerPid })
  expect([ended.body.code, ended.body.reason]).toEqual(['NotTrusted', ['The partner has been blocked.']])
  const negotiation = await blocked.message('ContractNegotiationTerminationMessage', {
    consumerPid: asked.consumerPid,
  })
  expect(negotiation.body.reason).toEqual(['The partner has been blocked.'])
  const shown = await provider.get(`/api/v1/negotiations/${enc(asked.providerPid)}`)
  expect([shown.state, shown.reason]).toEqual(['TERMINATED', 'The partner has been blocked.'])
  const count = blocked.received.length
  await provider.post(`/api/v1/partners/${enc(blocked.did)}/trust`)
  expect((await consumer.verify(asked)).status).toBe(400)
  expect(blocked.received.length).toBe(count)
})

it('identifies itself towards partners with a token for them, signed by the key of its DID document', async () => {
  await asConsumer(friend, provider).agreed()
  const { authorization } = friend.received.at(-1) ?? { authorization: '' }
  const [, claims = ''] = authorization.split('.')
  const { iss, sub, aud, iat, exp, jti } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  expect([iss, sub, aud]).toEqual([provider.did, provider.did, friend.did])
  expect(exp - iat).toBeLessThanOrEqual(300)
  expect(jti).toMatch(/.{16,}/)
})

it('sends nothing that does not match the schemas', () => {
  expect([friend, rival].flatMap((peer) => peer.violations)).toEqual([])
  expect(readFileSync(space.ca, 'utf8')).toContain('BEGIN CERTIFICATE')
})
