import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newPid } from '../protocol/parties.js'
import { introduce, message, type Peer, startPeer } from '../protocol/peer.js'
import { publishTank } from '../protocol/tank.js'
import { type Answer, type Dataspace, enc, type Member, startDataspace } from '../support/dataspace.js'
import { introduceLab, type Lab, mockIdentity, PLAIN, plainAddress, startLab } from './lab.js'

/** One member that speaks plain HTTP; a laboratory that is trusted, and a partner with a DID. */
let space: Dataspace
let member: Member
let lab: Lab
let friend: Peer

beforeAll(async () => {
  space = await startDataspace([{ name: 'member', settings: PLAIN }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder)
  lab = await startLab()
  friend = await startPeer(space)
  await introduceLab(member, lab)
  await introduce(member, friend)
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  await friend[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

const catalog = message('CatalogRequestMessage', {})
const catalogAs = (authorization: string | undefined) =>
  lab.send(member, '/catalog/request', catalog, { authorization })
const request = (callbackAddress: string, offer: Answer): object =>
  message('ContractRequestMessage', { consumerPid: newPid(), callbackAddress, offer })

describe('a laboratory', () => {
  it('is added by its DSP base address alone, and the answer says that nothing proves who it is', async () => {
    const partner = await member.get(`/api/v1/partners/${enc(lab.id)}`)
    expect(partner).toMatchObject({
      did: 'edc',
      address: lab.address,
      access: 'lab',
      seal: 'off',
      trust: 'trusted',
      ownId: 'handschlag',
      ownAddress: plainAddress(member),
    })
    expect(partner).not.toHaveProperty('fingerprint')
    expect(lab.received.filter(({ path }) => path.includes('well-known'))).toEqual([])
    expect(await member.get('/api/v1/status')).toMatchObject({ laboratories: ['edc'] })
  })

  it('is let in by the mock identity of EDC, and sees us under the id and the address it knows', async () => {
    const base = `${plainAddress(member)}/dsp`
    const forms = [
      mockIdentity('edc', base),
      JSON.stringify({ audience: null, clientId: 'edc' }),
      JSON.stringify({ clientId: 'edc', more: [1] }),
    ]
    for (const form of forms) {
      const answer = await catalogAs(form)
      expect([form, answer.status]).toEqual([form, 200])
      expect(answer.json).toMatchObject({ participantId: 'handschlag', service: [{ endpointURL: base }] })
    }
  })

  it('is called with the mock identity, over plain HTTP', async () => {
    lab.script(() => ({ status: 404, body: '' }))
    await member.refused(member.api.get(`/api/v1/partners/${enc(lab.id)}/catalog`))
    const asked = lab.received.at(-1)
    expect(asked?.path).toBe('/catalog/request')
    expect(JSON.parse(asked?.authorization ?? '')).toEqual({
      region: 'eu',
      audience: lab.address,
      clientId: 'handschlag',
    })
  })

  it('may be called back over plain HTTP, and nobody else', async () => {
    const offered = (await lab.send(member, '/catalog/datasets/tank')).json.hasPolicy as unknown as Answer[]
    const offer = { ...offered[0], target: 'tank' }
    const accepted = await lab.send(member, '/negotiations/request', request(lab.address, offer))
    expect([accepted.status, accepted.text]).toEqual([201, expect.stringContaining('REQUESTED')])
    const agreement = (await lab.message('ContractAgreementMessage')).body.agreement
    expect(agreement).toMatchObject({ assigner: 'handschlag', assignee: 'edc', target: 'tank' })

    const refused = await lab.send(member, '/negotiations/request', request('http://localhost:1/x', offer), {
      authorization: friend.token(member.did),
    })
    expect(refused.status).toBe(400)
    expect(refused.json).toMatchObject({ code: 'CallbackRefused' })
  })

  it('cannot have signatures required, tokens, or an address with a secret in it', async () => {
    const add = (more: object) =>
      member.refused(
        member.api.post('/api/v1/partners', { did: 'other', address: lab.address, lab: true, ...more }),
      )
    expect((await add({ seal: 'require' })).message).toContain('there is no key to check them with')
    expect((await add({ incomingToken: 'x'.repeat(40), outgoingToken: 'y' })).message).toContain(
      'either lab or the two tokens',
    )
    expect((await add({ address: 'http://user:secret@localhost/x' })).message).toContain('DSP base address')
    expect((await add({ did: member.did })).message).toBe('This is your own id.')
    expect((await add({ did: 'a b' })).code).toBe('InvalidInput')
    expect((await add({ ownAddress: 'http://localhost/path' })).message).toContain('without a path')
  })
})

describe('the mock identity', () => {
  it('is a stranger when it names anybody but a trusted laboratory, also a partner with a DID', async () => {
    const known = { id: 'untrusted-lab', address: lab.address }
    await introduceLab(member, known, { trusted: false })
    const claims = [
      mockIdentity(friend.did, 'x'),
      mockIdentity('nobody', 'x'),
      mockIdentity(known.id, 'x'),
      mockIdentity('', 'x'),
      mockIdentity(member.did, 'x'),
      '{"clientId":null}',
      '{"clientId":"edc","clientId":"edc"}',
      `{"clientId":"edc","x":"${'x'.repeat(5000)}"}`,
      '{"clientId":',
      `Bearer ${mockIdentity('edc', 'x')}`,
      'edc',
      'Basic ZWRjOmVkYw==',
      undefined,
    ]
    for (const claim of claims) {
      const answer = await catalogAs(claim)
      expect([claim, answer.status, answer.text]).toEqual([claim, 404, ''])
    }
    await member.api.delete(`/api/v1/partners/${known.id}`)
  })

  it('is not accepted in the name of a partner that has tokens', async () => {
    await member.post('/api/v1/partners', {
      did: 'did:web:tokens.example.com',
      address: friend.publicUrl,
      incomingToken: 'i'.repeat(40),
      outgoingToken: 'o'.repeat(40),
    })
    await member.post(`/api/v1/partners/${enc('did:web:tokens.example.com')}/trust`)
    expect((await catalogAs(`Bearer ${'i'.repeat(40)}`)).status).toBe(200)
    expect((await catalogAs(mockIdentity('did:web:tokens.example.com', 'x'))).status).toBe(404)
    await member.api.delete(`/api/v1/partners/${enc('did:web:tokens.example.com')}`)
    expect((await catalogAs(`Bearer ${'i'.repeat(40)}`)).status).toBe(404)
  })
})

describe('a partner with fixed tokens', () => {
  const incomingToken = 'theirs-0123456789-0123456789-0123456789'
  const outgoingToken = 'ours-0123456789-0123456789-0123456789'
  const filesHold = (text: string): boolean =>
    readdirSync(member.config.dataDir).some(
      (name) =>
        name.startsWith('handschlag.db') && readFileSync(join(member.config.dataDir, name)).includes(text),
    )
  let peer: Peer

  beforeAll(async () => {
    peer = await startPeer(space)
    const added = await member.post('/api/v1/partners', {
      did: peer.did,
      address: peer.publicUrl,
      name: 'tokens',
      incomingToken,
      outgoingToken,
    })
    expect(added).toMatchObject({ access: 'bearer', fingerprint: expect.any(String) })
    expect(JSON.stringify(added)).not.toMatch(/ours|theirs/)
    await member.post(`/api/v1/partners/${enc(peer.did)}/trust`)
  })
  afterAll(() => peer[Symbol.asyncDispose]())

  it('is let in by its token and by nothing else, not even by a signed token of its DID', async () => {
    expect((await catalogAs(`Bearer ${incomingToken}`)).status).toBe(200)
    expect((await catalogAs(`bearer ${incomingToken}`)).status).toBe(200)
    const others = [
      `Bearer ${incomingToken}x`,
      `Bearer ${outgoingToken}`,
      incomingToken,
      peer.token(member.did),
      `Bearer ${incomingToken} x`,
    ]
    for (const other of others) {
      const answer = await catalogAs(other)
      expect([other, answer.status, answer.text]).toEqual([other, 404, ''])
    }
  })

  it('is called with our token', async () => {
    await member.api.get(`/api/v1/partners/${enc(peer.did)}/catalog`)
    expect(peer.received.at(-1)?.authorization).toBe(`Bearer ${outgoingToken}`)
  })

  it('has its tokens neither in the database nor in any answer', async () => {
    expect(filesHold(peer.did)).toBe(true)
    expect(filesHold(incomingToken)).toBe(false)
    expect(filesHold(outgoingToken)).toBe(false)
    const said = JSON.stringify([
      await member.get('/api/v1/partners'),
      await member.get(`/api/v1/partners/${enc(peer.did)}`),
    ])
    expect(said).not.toMatch(/0123456789-0123456789|tokenHash|sealedToken/)
  })

  it('gets new tokens, and the old ones are worth nothing from then on', async () => {
    const next = { incomingToken: `${incomingToken}-2`, outgoingToken: `${outgoingToken}-2` }
    const changed = await member.api.patch(`/api/v1/partners/${enc(peer.did)}`, next)
    expect(changed.ok).toBe(true)
    expect((await catalogAs(`Bearer ${incomingToken}`)).status).toBe(404)
    expect((await catalogAs(`Bearer ${next.incomingToken}`)).status).toBe(200)
    await member.api.get(`/api/v1/partners/${enc(peer.did)}/catalog`)
    expect(peer.received.at(-1)?.authorization).toBe(`Bearer ${next.outgoingToken}`)
  })

  it('cannot have a token that is short, shared, the same both ways, or only one', async () => {
    const add = (tokens: object) =>
      member.refused(
        member.api.post('/api/v1/partners', {
          did: 'did:web:other.example.com',
          address: peer.publicUrl,
          ...tokens,
        }),
      )
    expect((await add({ incomingToken: 'short', outgoingToken })).message).toContain('too short')
    expect((await add({ incomingToken: `${incomingToken}-2`, outgoingToken })).code).toBe('Conflict')
    expect((await add({ incomingToken, outgoingToken: incomingToken })).message).toContain('must differ')
    expect((await add({ incomingToken })).message).toContain('Both tokens are needed')
    expect((await add({ incomingToken: `${incomingToken}\n`, outgoingToken })).code).toBe('InvalidInput')
  })
})

it('refuses another id of ours for a partner with a DID, and tokens for one that was added without', async () => {
  const path = `/api/v1/partners/${enc(friend.did)}`
  const ownId = await member.refused(member.api.patch(path, { ownId: 'short' }))
  expect(ownId.message).toContain('knows you by your own DID')
  const tokens = { incomingToken: 'z'.repeat(40), outgoingToken: 'y'.repeat(40) }
  expect((await member.refused(member.api.patch(path, tokens))).message).toContain('does not identify itself')
  const plain = await member.refused(member.api.patch(path, { ownAddress: 'http://localhost:1' }))
  expect(plain.message).toContain('an https address')
})
