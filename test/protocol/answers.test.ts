import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Dataspace, enc, ended, list, type Member, startDataspace } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'
import { asConsumer, asProvider, newPid, offering, pumpDataset, stateOf } from './parties.js'
import { introduce, message, type Peer, pidAtPeer, type Received, type Reply, startPeer } from './peer.js'
import { publishTank } from './tank.js'

/** Milliseconds; long enough for an answer of 10 MB on a busy machine. */
const TIMEOUT = 3000

let space: Dataspace
let member: Member
let peer: Peer
let provider: ReturnType<typeof asProvider>
let consumer: ReturnType<typeof asConsumer>
/** Never answers a contract request until it is told to. */
let silent: Peer
let silence: { readonly path: string; readonly since: number }
let silentNow = true

beforeAll(async () => {
  space = await startDataspace([{ name: 'member', answerTimeoutMs: TIMEOUT }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder)
  peer = await startPeer(space)
  silent = await startPeer(space)
  await introduce(member, peer)
  await introduce(member, silent, { name: 'silent' })
  provider = asProvider(peer, member)
  consumer = asConsumer(peer, member)
  silent.script(offering(undefined, () => (silentNow ? { instead: 'silence' } : undefined)))
  const since = performance.now()
  const { path } = await asProvider(silent, member).asked()
  silence = { path, since }
})
afterAll(async () => {
  for (const one of [peer, silent]) await one[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

/** What the peer does with our messages of one type, one answer after another; then it acknowledges. */
function answering(type: string, ...replies: readonly Reply[]): void {
  let next = 0
  peer.script(offering(undefined, (m) => (m.type === type ? replies[next++] : undefined)))
}

const acknowledged = (m: Received, changes: object = {}): object =>
  message('ContractNegotiation', {
    providerPid: newPid(),
    consumerPid: m.body.consumerPid,
    state: 'REQUESTED',
    ...changes,
  })
/** Every contract request is answered with what `make` makes of it. */
const answeringRequests = (make: (m: Received) => Reply) =>
  peer.script(offering(undefined, (m) => (m.type === 'ContractRequestMessage' ? make(m) : undefined)))

it('takes 200 for 201 and does without a Content-Type', async () => {
  answeringRequests((m) => ({ status: 200, body: acknowledged(m), headers: { 'content-type': '' } }))
  const asked = await provider.asked()
  await ended(member, asked.path, ['REQUESTED'])
})

it('does not read the answers to messages that it is not told anything by: CN and TP acks of any kind will do', async () => {
  peer.script((m) => ({
    body: message('ContractNegotiation', {
      providerPid: m.body.consumerPid,
      consumerPid: m.body.providerPid,
      state: 'TERMINATED',
    }),
  }))
  const agreed = await consumer.agreed()
  await waitFor(async () => (await stateOf(peer, member, agreed.providerPid)) === 'AGREED')
  await member.post(`/api/v1/negotiations/${enc(agreed.providerPid)}/terminate`, { reason: 'Enough.' })
  await ended(member, `/api/v1/negotiations/${enc(agreed.providerPid)}`, ['TERMINATED'])
  peer.script(() => ({ status: 200, body: 'OK', headers: { 'content-type': 'text/plain' } }))
  const contract = await consumer.contract()
  const { providerPid } = await consumer.started(contract)
  await ended(member, `/api/v1/transfers/${enc(providerPid)}`, ['STARTED'])
})

it('sends the same bytes again after 409, 500, 401 and a closed connection, until it is acknowledged', async () => {
  answering(
    'ContractRequestMessage',
    { status: 409 },
    { status: 500, body: '<html>' },
    { status: 401 },
    { instead: 'close' },
  )
  const { path, consumerPid } = await provider.asked()
  await ended(member, path, ['REQUESTED'])
  const requests = peer.messages('ContractRequestMessage', { consumerPid })
  expect(requests).toHaveLength(5)
  expect(new Set(requests.map((m) => m.text)).size).toBe(1)
  // Each attempt identifies itself anew: a token that arrived once is spent.
  expect(new Set(requests.map((m) => m.authorization)).size).toBe(5)
})

it('says to the operator what is owed and why the last attempt failed', async () => {
  const refuse: Reply = {
    status: 503,
    body: message('ContractNegotiationError', { code: 'Busy', reason: ['Come back later.'] }),
  }
  answering('ContractRequestMessage', ...Array.from({ length: 50 }, () => refuse))
  const { path } = await provider.asked()
  const shown = await waitFor(async () => {
    const answer = await member.get(path)
    return Number(list(answer, 'owed')[0]?.attempts ?? 0) >= 2 ? answer : undefined
  })
  const sentence = 'The partner answered 503: Come back later. (Busy)'
  expect(shown).toMatchObject({
    state: 'NEW',
    pending: 'request',
    waitingFor: 'partner',
    lastError: sentence,
  })
  expect(list(shown, 'owed')[0]).toMatchObject({ event: 'request', lastError: sentence })
  peer.script(offering())
  await member.post(`${path}/retry`)
  await ended(member, path, ['REQUESTED'])
})

it('ends a process with the words of a partner that refuses it for good', async () => {
  const reason = ['The offer was withdrawn.', 'Ask again.']
  answering('ContractRequestMessage', {
    status: 400,
    body: message('ContractNegotiationError', { code: 'OfferUnknown', reason }),
  })
  const { path } = await provider.asked()
  const done = await ended(member, path, ['TERMINATED'])
  expect(done).toMatchObject({
    reason: 'The partner answered 400: The offer was withdrawn.',
    endedBy: 'us',
    owed: [],
  })
})

it('tells a partner that refuses a message in the middle that the process is over', async () => {
  peer.script((m) => (m.type === 'ContractAgreementMessage' ? { status: 400 } : undefined))
  const { providerPid, consumerPid } = await consumer.request(await consumer.offerFrom())
  const ending = await peer.message('ContractNegotiationTerminationMessage', { consumerPid })
  expect(ending.body.reason).toEqual(['The partner answered 400'])
  await ended(member, `/api/v1/negotiations/${enc(providerPid)}`, ['TERMINATED'])
  expect(await stateOf(peer, member, providerPid)).toBe('TERMINATED')
})

it('is at the end also when the partner refuses the termination', async () => {
  peer.script((m) => (m.type === 'ContractNegotiationTerminationMessage' ? { status: 400 } : undefined))
  const agreed = await consumer.agreed()
  const path = `/api/v1/negotiations/${enc(agreed.providerPid)}`
  await waitFor(async () => (await stateOf(peer, member, agreed.providerPid)) === 'AGREED')
  await member.post(`${path}/terminate`, { reason: 'Enough.' })
  const done = await ended(member, path, ['TERMINATED'])
  expect(done.owed).toEqual([])
})

it('gives up on a partner that does not know the process, after a few attempts', async () => {
  const body = {
    '@context': ['https://w3id.org/dspace/2025/1/context.jsonld'],
    '@type': 'ContractNegotiationError',
    reason: ['Never heard of it.'],
  }
  answering('ContractRequestMessage', ...Array.from({ length: 20 }, () => ({ status: 404, body })))
  const { path, consumerPid } = await provider.asked()
  const done = await ended(member, path, ['TERMINATED'])
  expect(done.reason).toBe('The partner answered 404: Never heard of it.')
  expect(peer.messages('ContractRequestMessage', { consumerPid })).toHaveLength(5)
})

it('does not follow redirects', async () => {
  answering('ContractRequestMessage', {
    status: 307,
    headers: { location: `${silent.address}/negotiations/request` },
  })
  const { path, consumerPid } = await provider.asked()
  expect((await ended(member, path, ['TERMINATED'])).reason).toBe('The partner answered 307')
  expect(silent.messages('ContractRequestMessage', { consumerPid })).toEqual([])
})

it('ends a process when the answer to its request cannot be used, and says why', async () => {
  const cases: readonly (readonly [(m: Received) => Reply, string])[] = [
    [() => ({ status: 201, body: '' }), 'The body is not JSON: it ends too early.'],
    [() => ({ status: 201, body: '<html>' }), "The body is not JSON: unexpected token '<'."],
    [
      (m) => ({
        status: 201,
        body: message('ContractNegotiation', { consumerPid: m.body.consumerPid, state: 'REQUESTED' }),
      }),
      'ContractNegotiation is not valid: providerPid is missing.',
    ],
    [
      (m) => ({ status: 201, body: acknowledged(m, { state: 'INITIAL' }) }),
      'ContractNegotiation is not valid: state is "INITIAL", expected one of REQUESTED, OFFERED, ACCEPTED, AGREED, VERIFIED, FINALIZED, TERMINATED.',
    ],
    [
      (m) => ({ status: 201, body: acknowledged(m, { consumerPid: newPid() }) }),
      'It is about another process than the one that was asked for: its consumerPid differs.',
    ],
  ]
  for (const [reply, why] of cases) {
    answeringRequests(reply)
    const { path } = await provider.asked()
    const done = await ended(member, path, ['TERMINATED'])
    expect(done.reason).toBe(`The partner's answer cannot be used. ${why}`)
  }
})

it('ends a negotiation that stands somewhere else at the partner than it can, and tells the partner', async () => {
  for (const state of ['ACCEPTED', 'VERIFIED', 'FINALIZED']) {
    answeringRequests((m) => ({
      status: 201,
      body: acknowledged(m, { providerPid: pidAtPeer(m.body.consumerPid), state }),
    }))
    const { path, consumerPid, providerPid } = await provider.asked()
    const sentence = `The partner answered our request with a negotiation in the state ${state}, in which it cannot be. It was ended here, because the two sides differ.`
    expect(await ended(member, path, ['TERMINATED'])).toMatchObject({ reason: sentence, endedBy: 'us' })
    const told = await peer.message('ContractNegotiationTerminationMessage', { consumerPid, providerPid })
    expect([told.body.code, told.body.reason]).toEqual(['PartnerAnswerInvalid', [sentence]])
  }
  for (const state of ['REQUESTED', 'OFFERED', 'AGREED']) {
    answeringRequests((m) => ({ status: 201, body: acknowledged(m, { state }) }))
    const { path } = await provider.asked()
    expect((await ended(member, path, ['REQUESTED', 'TERMINATED'])).state).toBe('REQUESTED')
  }
})

it('is at the end with a partner that has ended the negotiation before it answers', async () => {
  answeringRequests((m) => ({ status: 201, body: acknowledged(m, { state: 'TERMINATED' }) }))
  const { path, consumerPid } = await provider.asked()
  expect((await ended(member, path, ['TERMINATED'])).reason).toBe(
    'The partner answered our request with a negotiation that is TERMINATED already.',
  )
  expect((await member.get(path)).owed).toEqual([])
  expect(peer.messages('ContractNegotiationTerminationMessage', { consumerPid })).toEqual([])
})

it('does not let a partner give one of its pids to two negotiations', async () => {
  const providerPid = newPid()
  answeringRequests((m) => ({ status: 201, body: acknowledged(m, { providerPid }) }))
  const first = await provider.asked()
  await ended(member, first.path, ['REQUESTED'])
  const second = await provider.asked()
  const done = await ended(member, second.path, ['TERMINATED'])
  expect(done.reason).toBe(
    "The partner's answer cannot be used. The partner uses the pid of another process of its own.",
  )
  expect(await stateOf(peer, member, first.consumerPid)).toBe('REQUESTED')
})

it('reads no more than it needs of an answer of 10 MB, which says nothing to a request but acknowledges the rest', async () => {
  const endless = 'x'.repeat(10 * 1024 * 1024)
  answering('ContractRequestMessage', { status: 201, body: endless })
  const { path } = await provider.asked()
  const done = await ended(member, path, ['TERMINATED'])
  expect(done.reason).toBe("The partner's answer cannot be used. The body is not JSON: unexpected token 'x'.")
  peer.script(() => ({ status: 200, body: endless }))
  const agreed = await consumer.agreed()
  await waitFor(async () => (await stateOf(peer, member, agreed.providerPid)) === 'AGREED')
  peer.script(offering({ ...pumpDataset(), 'https://example.com/ns#much': endless }))
  const refusal = await member.refused(
    member.api.post('/api/v1/negotiations', { partner: peer.did, dataset: 'pump' }),
  )
  expect(refusal.code).toBe('PartnerAnswerInvalid')
  expect(refusal.message).toMatch(
    /^The answer of localhost:\d+ is larger than 1048576 bytes and was not read to the end\.$/,
  )
})

it('gives up waiting for a partner that never answers, says so, and tries again', async () => {
  const shown = await waitFor(async () => {
    const answer = await member.get(silence.path)
    return Number(list(answer, 'owed')[0]?.attempts ?? 0) > 0 ? answer : undefined
  })
  expect(performance.now() - silence.since).toBeGreaterThanOrEqual(TIMEOUT)
  expect(String(shown.lastError).replace(/:\d+/, ':<port>')).toBe(
    'localhost:<port> did not answer within 3 s. Check that the partner is running; it is tried again where that is useful.',
  )
  expect(shown).toMatchObject({ state: 'NEW', pending: 'request', waitingFor: 'partner' })
  silentNow = false
  const retried = await member.api.post(`${silence.path}/retry`)
  // It may have been delivered by itself meanwhile.
  if (!retried.ok) expect(retried.error.code).toBe('InvalidTransition')
  // The attempt that is under way when the partner comes back is waited for as well.
  await ended(member, silence.path, ['REQUESTED'])
}, 40_000)
