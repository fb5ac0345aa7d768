/** Partners that keep to the specification in meaning, and not in every letter. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doctorParts } from '../../connector/assembly/doctor.js'
import { canonicalize, sha256Hex } from '../../connector/core/canonical.js'
import type { JsonObject } from '../../connector/core/types.js'
import { asProvider, newPid, offering, pumpDataset, sealOf } from '../protocol/parties.js'
import { introduce, message, type Peer, startPeer } from '../protocol/peer.js'
import { publishTank } from '../protocol/tank.js'
import { type Answer, type Dataspace, enc, ended, type Member, startDataspace } from '../support/dataspace.js'
import { introduceLab, type Lab, PLAIN, startLab } from './lab.js'

const CONTEXT = 'https://w3id.org/dspace/2025/1/context.jsonld'

let space: Dataspace
/** Speaks TLS, which partners with a DID need. */
let safe: Dataspace
let member: Member
let signer: Member
let lab: Lab
let peer: Peer

beforeAll(async () => {
  space = await startDataspace([{ name: 'member', settings: PLAIN }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder)
  lab = await startLab()
  safe = await startDataspace([{ name: 'signer' }])
  const [second] = safe.members
  if (second === undefined) throw new Error('no member')
  signer = second
  peer = await startPeer(safe)
  await introduceLab(member, lab, { dialect: 'dsp' })
  await introduce(signer, peer, { seal: 'require' })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  await peer[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
  await safe[Symbol.asyncDispose]()
})

const catalog = message('CatalogRequestMessage', {})

describe('what a partner sends', () => {
  it('may come without a Content-Type, with an empty one, with another one, and without Accept', async () => {
    for (const headers of [
      { 'content-type': '' },
      { 'content-type': 'application/ld+json' },
      { 'content-type': 'text/plain' },
      { accept: 'text/html' },
    ]) {
      const answer = await lab.send(member, '/catalog/request', catalog, { headers })
      expect([headers, answer.status]).toEqual([headers, 200])
    }
  })

  it('may hold further contexts and properties', async () => {
    const more = {
      ...catalog,
      '@context': [CONTEXT, 'https://w3id.org/edc/dspace/v0.0.1', { mine: 'https://example.com/ns#' }],
      '@id': newPid(),
      'mine:extra': [{ '@value': 1 }],
      note: { deep: { deeper: [] } },
    }
    expect((await lab.send(member, '/catalog/request', more)).status).toBe(200)
  })

  it('may be prefixed, expanded or wrapped, and is answered in plain form', async () => {
    const offered = (await lab.send(member, '/catalog/datasets/tank')).json
      .hasPolicy as unknown as JsonObject[]
    const [offer] = offered
    const permission = (offer?.permission ?? []) as JsonObject['permission']
    const request = {
      '@context': { dspace: 'https://w3id.org/dspace/2025/1/', odrl: 'http://www.w3.org/ns/odrl/2/' },
      '@type': 'dspace:ContractRequestMessage',
      'dspace:consumerPid': { '@value': newPid() },
      'https://w3id.org/dspace/2025/1/callbackAddress': [lab.address],
      'dspace:offer': {
        '@id': 'open',
        '@type': ['odrl:Offer'],
        'odrl:target': { '@id': 'tank' },
        'odrl:permission': permission,
        'odrl:profile': { '@id': offer?.profile ?? '' },
      },
    }
    const answer = await lab.send(member, '/negotiations/request', request)
    expect([answer.status, answer.json.state]).toEqual([201, 'REQUESTED'])
    expect(answer.json.consumerPid).toBe(request['dspace:consumerPid']['@value'])
    const arrived = await lab.message('ContractAgreementMessage', {
      consumerPid: answer.json.consumerPid ?? '',
    })
    expect(arrived.body.agreement).toMatchObject({ target: 'tank', permission: [{ action: 'use' }] })
  })

  it('is refused when it says something twice in two spellings', async () => {
    const twice = { ...catalog, filter: [], 'dspace:filter': [] }
    const answer = await lab.send(member, '/catalog/request', twice)
    expect([answer.status, answer.json.code]).toEqual([400, 'InvalidMessage'])
  })
})

describe('an agreement in another spelling', () => {
  const spelled = (plain: JsonObject): JsonObject => ({
    '@id': plain['@id'] ?? '',
    '@type': ['odrl:Agreement'],
    'odrl:target': { '@id': plain.target ?? '' },
    'odrl:assigner': { '@id': plain.assigner ?? '' },
    'odrl:assignee': { '@id': plain.assignee ?? '' },
    'dspace:timestamp': { '@value': plain.timestamp ?? '', '@type': 'xsd:dateTime' },
    'odrl:permission': { 'odrl:action': { '@id': 'odrl:use' } },
  })

  it('is kept, hashed and signed as it was written, and read as what it means', async () => {
    peer.script(offering(pumpDataset()))
    const { asked, agreementOn, agree, finalize } = asProvider(peer, signer)
    const pids = await asked()
    const text = spelled(agreementOn(pids.offer))
    const seal = sealOf(peer, { ...pids, role: 'provider', agreement: text, offer: pids.offer })
    expect(await agree(pids, text, seal)).toMatchObject({ status: 200 })
    const verification = await peer.message('ContractAgreementVerificationMessage', {
      consumerPid: pids.consumerPid,
    })
    const countersignature = Object.entries(verification.body).find(([key]) =>
      key.includes('Countersignature'),
    )
    const receipt = sealOf(peer, {
      ...pids,
      role: 'receipt',
      agreement: text,
      offer: pids.offer,
      covers: [seal, String(countersignature?.[1])],
    })
    expect(await finalize(pids, receipt)).toMatchObject({ status: 200 })
    await ended(signer, pids.path, ['FINALIZED'])
    const path = `/api/v1/contracts/${enc(String(text['@id']))}`
    const contract = await signer.get(path)
    expect(contract.agreement).toEqual(text)
    expect(contract.hash).toBe(sha256Hex(canonicalize(text)))
    expect(JSON.stringify(contract.clauses)).toContain('may use the data')
    const verified = (await signer.get(`${path}/verify`)) as unknown as { signatures: readonly Answer[] }
    expect(verified).toMatchObject({ intact: true })
    expect(verified.signatures.map(({ verdict }) => verdict)).toEqual(['valid', 'valid', 'valid'])
  })

  it('does not pass for what was offered when it means something else', async () => {
    peer.script(offering(pumpDataset()))
    const { asked, agreementOn, agree } = asProvider(peer, signer)
    const pids = await asked()
    const text = {
      ...spelled(agreementOn(pids.offer)),
      'odrl:permission': { 'odrl:action': { '@id': 'odrl:distribute' } },
    }
    const seal = sealOf(peer, { ...pids, role: 'provider', agreement: text, offer: pids.offer })
    expect(await agree(pids, text, seal)).toMatchObject({ status: 400, json: { code: 'AgreementDiffers' } })
  })
})

describe('what a partner answers', () => {
  const reason = async (status: number, body: string | object) => {
    lab.script(({ path }) => (path.startsWith('/negotiations') ? { status, body } : { body: pumpDataset() }))
    const begun = await member.post('/api/v1/negotiations', { partner: lab.id, dataset: 'pump' })
    const done = await ended(member, `/api/v1/negotiations/${enc(String(begun.pid))}`, ['TERMINATED'])
    return done.reason
  }

  it('may be an error as plain text or as a list, and its reason is shown', async () => {
    expect(await reason(400, 'Bad request.')).toBe('The partner answered 400: Bad request.')
    expect(await reason(400, [{ message: 'No such offer.', type: 'ObjectNotFound' }])).toBe(
      'The partner answered 400: No such offer.',
    )
    expect(await reason(400, '<html>no</html>')).toBe('The partner answered 400')
  })

  it('may be 200 instead of 201, with the two pids the wrong way round', async () => {
    lab.script(({ path, body }) =>
      path.endsWith('/negotiations/request')
        ? {
            status: 200,
            body: message('ContractNegotiation', {
              providerPid: body.consumerPid,
              consumerPid: 'urn:theirs',
              state: 'REQUESTED',
            }),
          }
        : { body: pumpDataset() },
    )
    const begun = await member.post('/api/v1/negotiations', { partner: lab.id, dataset: 'pump' })
    const done = await ended(member, `/api/v1/negotiations/${enc(String(begun.pid))}`, [
      'REQUESTED',
      'TERMINATED',
    ])
    expect(done).toMatchObject({ state: 'REQUESTED', partnerPid: 'urn:theirs' })
  })
})

it('makes doctor fail in words as long as there is a laboratory', async () => {
  const found = async () => {
    const checks = await doctorParts.extraChecks(member.config, {} as never)
    return checks.find(({ name }) => name === 'lab-partners')?.run(new AbortController().signal)
  }
  expect(await found()).toMatchObject({
    status: 'failed',
    what: { en: expect.stringContaining('edc') },
    fix: { en: expect.stringContaining('handschlag partner remove edc') },
  })
  await member.post(`/api/v1/partners/${lab.id}/block`)
  expect(await found()).toMatchObject({ status: 'ok' })
})
