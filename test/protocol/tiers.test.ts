/** Offers with duties are there for connectors that have proved, by a token they signed, that they carry them out. */
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { signCompact } from '../../connector/crypto/jws.js'
import { introduceLab, type Lab, mockIdentity, PLAIN, plainAddress, startLab } from '../interop/lab.js'
import { type Answer, type Dataspace, enc, type Member, startDataspace } from '../support/dataspace.js'
import { introduce, message, type Peer, startPeer } from './peer.js'
import { publishTank } from './tank.js'

const PROFILE = 'https://w3id.org/machine-data-policy/v1'
const CLAIM = 'https://w3id.org/machine-data-policy/v1#profiles'
const DELETE = {
  action: 'odrl:delete',
  constraint: [{ leftOperand: `${PROFILE}#retention`, operator: 'lteq', rightOperand: 'P90D' }],
}
const DUTY = { permission: [{ action: 'use' }], obligation: [DELETE] }
const PROMISE = { permission: [{ action: 'use' }], prohibition: [{ action: 'odrl:distribute' }] }

const only = ({ members: [member] }: Dataspace): Member => {
  if (member === undefined) throw new Error('no member')
  return member
}

let space: Dataspace
let laboratory: Dataspace
let member: Member
let plain: Member
let peer: Peer
let lab: Lab

beforeAll(async () => {
  space = await startDataspace([{ name: 'provider' }])
  laboratory = await startDataspace([{ name: 'plain', settings: PLAIN }])
  member = only(space)
  plain = only(laboratory)
  for (const one of [member, plain]) {
    await publishTank(one, space.folder, { open: {} })
    await one.post('/api/v1/datasets/tank/offers', { id: 'duty', policy: DUTY })
    await one.post('/api/v1/datasets/tank/offers', { id: 'promise', policy: PROMISE, contractOnly: true })
    await one.post('/api/v1/datasets/tank/offers', { id: 'wanted', policy: DUTY, contractOnly: true })
  }
  peer = await startPeer(space)
  await introduce(member, peer)
  lab = await startLab()
  await introduceLab(plain, lab)
})
afterAll(async () => {
  await peer[Symbol.asyncDispose]()
  await lab[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
  await laboratory[Symbol.asyncDispose]()
})
// Its connector is of another make: a token without the claim.
beforeEach(async () => {
  await catalogWith(peer.token(member.did))
})

const REQUEST = message('CatalogRequestMessage', {})
const offersIn = (json: Answer): readonly string[] =>
  ((json.dataset ?? []) as readonly Answer[])
    .flatMap((one) => (one.hasPolicy ?? []) as readonly Answer[])
    .map((offer) => String(offer['@id']))
async function catalogWith(authorization: string): Promise<readonly string[] | number> {
  const answer = await peer.send(member, '/catalog/request', REQUEST, { authorization })
  return answer.status === 200 ? offersIn(answer.json) : answer.status
}
const proof = async () => (await member.get(`/api/v1/partners/${enc(peer.did)}`)).dutiesProvenAt

const OPEN_TO_ALL = ['open', 'promise', 'wanted']
const WITH_DUTIES = ['duty', ...OPEN_TO_ALL]

it('shows a connector of another make what the provider enforces, and what the operator wants by contract only', async () => {
  expect(await catalogWith(peer.token(member.did))).toEqual(OPEN_TO_ALL)
  const dataset = await peer.send(member, '/catalog/datasets/tank')
  expect(offersIn({ dataset: [dataset.json] })).toEqual(OPEN_TO_ALL)
  expect(await proof()).toBeUndefined()
})

it('shows offers with duties to a connector whose token says that it carries them out, and forgets it with the next that does not', async () => {
  const proven = peer.token(member.did, undefined, [PROFILE])
  expect(await catalogWith(proven)).toEqual(WITH_DUTIES)
  expect(Date.parse(String(await proof()))).toBeGreaterThan(Date.now() - 60_000)
  expect(await catalogWith(peer.token(member.did))).toEqual(OPEN_TO_ALL)
  expect(await proof()).toBeUndefined()
})

it.each<[string, unknown]>([
  ['of another profile', ['https://w3id.org/machine-data-policy/v2']],
  ['that is no list', PROFILE],
  ['that lists what is no text', [{ '@id': PROFILE }]],
  ['that is endless', [...Array.from({ length: 40 }, (_, n) => `https://x.example/${n}`), PROFILE]],
])('takes a claim %s for none', async (_name, claim) => {
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: peer.did,
    sub: peer.did,
    aud: member.did,
    jti: crypto.randomUUID(),
    iat,
    exp: iat + 60,
  }
  const header = { alg: 'ES256', kid: `${peer.did}#${peer.keys.auth.kid}`, typ: 'JWT' }
  const token = signCompact(header, { ...claims, [CLAIM]: claim as string }, peer.keys.auth.privateKey)
  expect(await catalogWith(`Bearer ${token}`)).toEqual(OPEN_TO_ALL)
})

it('believes no claim that somebody else signed', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: peer.did,
    sub: peer.did,
    aud: member.did,
    jti: crypto.randomUUID(),
    iat,
    exp: iat + 60,
  }
  const header = { alg: 'ES256', kid: `${peer.did}#${peer.keys.auth.kid}`, typ: 'JWT' }
  const forged = signCompact(header, { ...claims, [CLAIM]: [PROFILE] }, privateKey)
  expect(await catalogWith(`Bearer ${forged}`)).toBe(404)
  expect(await proof()).toBeUndefined()
  expect(await catalogWith(peer.token(member.did))).toEqual(OPEN_TO_ALL)
})

it('answers a request for a hidden offer exactly as one for an offer that does not exist', async () => {
  const asking = (id: string, authorization: string, consumerPid = 'urn:uuid:asking') =>
    peer.send(
      member,
      '/negotiations/request',
      message('ContractRequestMessage', {
        consumerPid,
        callbackAddress: peer.address,
        offer: { '@id': id, '@type': 'Offer', target: 'tank', ...(id === 'open' ? {} : DUTY) },
      }),
      { authorization },
    )
  const hidden = await asking('duty', peer.token(member.did))
  const unknown = await asking('nothing', peer.token(member.did))
  expect(hidden.status).toBe(400)
  expect([hidden.status, hidden.text]).toEqual([unknown.status, unknown.text])
  const shown = await asking('duty', peer.token(member.did, undefined, [PROFILE]), 'urn:uuid:proven')
  expect(shown.status).toBe(201)
})

it('says to the operator who has not proved it, and what would have to change; a restart forgets no proof', async () => {
  const entry = async () => {
    const { entries } = await member.get(`/api/v1/policy-decisions?partner=${enc(peer.did)}&dataset=tank`)
    return (entries as unknown as readonly Answer[]).find(({ offer }) => offer === 'duty')
  }
  expect(await entry()).toMatchObject({
    allowed: false,
    step: 'proof',
    because: {
      en: 'The offer contains duties, and the connector of peer has not proved that it carries them out.',
    },
    change: { en: expect.stringContaining('--contract-only') },
  })
  await catalogWith(peer.token(member.did, undefined, [PROFILE]))
  expect(await entry()).toMatchObject({ allowed: true })
  const before = await proof()
  await member.stop()
  await member.start()
  expect(await proof()).toBe(before)
  expect(await entry()).toMatchObject({ allowed: true })
})

it('takes no proof from an identity that nobody proves', async () => {
  const claimed = JSON.parse(mockIdentity(lab.id, `${plainAddress(plain)}/dsp`)) as object
  const authorization = JSON.stringify({ ...claimed, [CLAIM]: [PROFILE], profiles: [PROFILE] })
  const answer = await lab.send(plain, '/catalog/request', REQUEST, { authorization })
  expect(offersIn(answer.json)).toEqual(OPEN_TO_ALL)
})
