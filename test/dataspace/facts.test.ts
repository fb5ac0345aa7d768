/**
 * What the operator confirms about partners and events decides who sees, gets and goes on getting data: two connectors over
 * HTTPS, facts recorded and ended through the API.
 */
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../connector/core/types.js'
import { followEvents } from '../../connector/demo/reading.js'
import {
  type Answer,
  contractOn,
  enc,
  ended,
  list,
  type Member,
  pullLines,
  startPair,
  transferUnder,
} from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'

let space: Awaited<ReturnType<typeof startPair>>
let provider: Member
let consumer: Member

beforeAll(async () => {
  space = await startPair()
  ;({ provider, consumer } = space)
})
afterAll(() => space[Symbol.asyncDispose]())

const row = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z,${second}\n`

/** A published dataset of a growing file, offered under one condition. */
async function offered(id: string, leftOperand: string, operator: string, rightOperand: string | string[]) {
  const file = join(space.folder, `${id}.csv`)
  await writeFile(file, `time,force\n${row(0)}${row(1)}`)
  await provider.put(`/api/v1/sources/${id}`, {
    kind: 'files',
    config: { file, format: 'csv', time: { column: 'time', format: 'iso' }, signals: { force: 'force' } },
  })
  await provider.put(`/api/v1/datasets/${id}`, {
    title: id,
    machineId: `machine-of-${id}`,
    signals: [{ name: 'force', type: 'integer' }],
    sourceId: id,
  })
  await provider.post(`/api/v1/datasets/${id}/offers`, {
    id: `offer-of-${id}`,
    policy: {
      permission: [{ action: 'use', constraint: [{ leftOperand, operator, rightOperand }] }],
    },
  })
  await provider.post(`/api/v1/datasets/${id}/publish`)
  return { append: (second: number) => appendFile(file, row(second)) }
}

const seen = async (): Promise<readonly string[]> => {
  const catalog = await consumer.get(`/api/v1/partners/${enc(provider.did)}/catalog`)
  return list(catalog, 'datasets').map(({ id }) => String(id))
}
const confirm = (fact: object): Promise<Answer> =>
  provider.post('/api/v1/facts', { partner: consumer.did, ...fact })
const end = (fact: Answer, reason: string): Promise<Answer> =>
  provider.post(`/api/v1/facts/${enc(String(fact.id))}/end`, { reason })
const transferAt = (pid: string) => `/api/v1/transfers/${enc(pid)}`
const stateOf = (member: Member, pid: string, state: string) =>
  waitFor(
    async () => {
      const found = list(await member.get('/api/v1/transfers'), 'transfers').find(
        ({ pid: own, partnerPid }) => own === pid || partnerPid === pid,
      )
      return found?.state === state ? found : undefined
    },
    { what: `the transfer to be ${state}` },
  )

it('shows an offer for a group to its confirmed members only, and stops their streams when the membership ends', async () => {
  const press = await offered('press', `${MDP}group`, 'isAnyOf', ['affiliates'])
  expect(await seen()).not.toContain('press')
  const refused = await consumer.refused(
    consumer.api.post('/api/v1/negotiations', { partner: provider.did, dataset: 'press' }),
  )
  expect(refused.code).toBe('NotFound')

  const fact = await confirm({ condition: 'group', value: 'affiliates', note: 'register' })
  expect(await seen()).toContain('press')
  const contract = await contractOn(consumer, provider, 'press')
  const transfer = await transferUnder(consumer, contract)
  await using live = followEvents(consumer.api, `${transferAt(transfer)}/stream?from=0`)
  await live.records(2, 5000)

  const endedAt = Date.now()
  await end(fact, 'sold to somebody else')
  const told = await live.ended(5000)
  expect(told.reason).toBe(
    'The contract sets this condition: Group of the recipient: only "affiliates". The provider has not confirmed that it is met.',
  )
  expect(told.at - endedAt).toBeLessThan(1000)
  expect(told.reason).not.toContain('sold')
  expect((await stateOf(consumer, transfer, 'SUSPENDED')).reason).toBe(told.reason)
  await press.append(2)
  expect((await pullLines(consumer, transfer)).lines).toEqual([`The transfer is suspended: ${told.reason}`])
  expect(await seen()).not.toContain('press')

  // A new membership lets the suspended transfer go on by itself.
  await confirm({ condition: 'group', value: 'affiliates' })
  await stateOf(consumer, transfer, 'STARTED')
  await waitFor(async () => (await pullLines(consumer, transfer)).lines.length === 3, { what: 'three lines' })

  // The provider's history says what the delivery rested on.
  const facts = list(await provider.get('/api/v1/facts?all=true'), 'facts')
  expect(facts.map(({ status }) => status)).toEqual(['in-force', 'ended'])
  const [timeline] = await Promise.all([provider.get(`/api/v1/contracts/${enc(contract)}`)])
  expect(timeline.facts).toEqual([fact.id])
})

it('delivers only while a ticket is open: a stream waits and goes on, a pull is refused', async () => {
  const lathe = await offered('lathe', 'http://www.w3.org/ns/odrl/2/event', 'eq', 'urn:ticket:4711')
  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'lathe'))
  await using live = followEvents(consumer.api, `${transferAt(transfer)}/stream?from=0`)
  const refusal =
    'The contract allows delivery only while the event "urn:ticket:4711" is under way, and that is not so now.'
  expect((await pullLines(consumer, transfer)).lines.join('')).toContain(
    'is under way, and that is not so now',
  )
  expect(live.seen()).toEqual([])

  // A ticket for another machine opens nothing here.
  await provider.post('/api/v1/facts', {
    condition: 'event',
    value: 'urn:ticket:4711',
    machine: 'machine-of-press',
  })
  expect((await pullLines(consumer, transfer)).lines.join('')).toContain('is not so now')

  const ticket = () =>
    provider.post('/api/v1/facts', {
      condition: 'event',
      value: 'urn:ticket:4711',
      machine: 'machine-of-lathe',
    })
  const first = await ticket()
  await live.records(2, 5000)
  expect((await pullLines(consumer, transfer)).lines).toHaveLength(2)
  await end(first, 'solved')
  await lathe.append(2)
  // The pull looks at the same gate and source after the stream has had its chance.
  expect((await pullLines(consumer, transfer)).lines.join('')).toContain(refusal.slice(-30))
  expect(live.seen()).toHaveLength(2)
  await ticket()
  await live.records(3, 5000)
  expect(live.seen()).toHaveLength(3)
  expect((await consumer.get(transferAt(transfer))).state).toBe('STARTED')
})

it('ends delivery when the user withdraws the request, and never takes it up again', async () => {
  const request = 'urn:uuid:0e6d0b1c-6b3f-4c57-9a1e-5b6a4d1f0001'
  await offered('drill', `${MDP}userRequest`, 'eq', request)
  const early = await consumer.post('/api/v1/negotiations', { partner: provider.did, dataset: 'drill' })
  const refused = await ended(consumer, `/api/v1/negotiations/${enc(String(early.pid))}`, ['TERMINATED'])
  expect(String(refused.reason)).toContain('The provider has not confirmed that it is met')

  const fact = await confirm({ condition: 'userRequest', value: request, dataset: 'drill' })
  const transfer = await transferUnder(consumer, await contractOn(consumer, provider, 'drill'))
  await using live = followEvents(consumer.api, `${transferAt(transfer)}/stream?from=0`)
  await live.records(2, 5000)
  await end(fact, 'The user wrote on 3 November that it wants this no longer.')
  expect((await live.ended(5000)).reason).toContain('Request of the user of the machine')
  await stateOf(consumer, transfer, 'TERMINATED')
  const again = await provider.refused(
    provider.api.post('/api/v1/facts', {
      partner: consumer.did,
      condition: 'userRequest',
      value: request,
    }),
  )
  expect(again.code).toBe('Conflict')
})

it('records a request that the user signed, and none that says something else or was signed by somebody else', async () => {
  // The consumer here is the user of the machine, and asks for itself; its key is the one in its DID document.
  const wish = { holder: provider.did, recipient: consumer.did, dataset: 'drill' }
  const signed = await consumer.post('/api/v1/user-requests', wish)
  const record = (value: Json, more: object = {}) =>
    provider.api.post('/api/v1/facts', {
      partner: consumer.did,
      condition: 'userRequest',
      value,
      signed: String(signed.statement),
      ...more,
    })
  const other = await provider.refused(record('urn:uuid:0e6d0b1c-6b3f-4c57-9a1e-5b6a4d1f0009'))
  expect([other.code, other.message]).toEqual([
    'SignatureInvalid',
    expect.stringContaining('The signed request says something else: id is'),
  ])
  const [header, payload, signature] = String(signed.statement).split('.')
  const content = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as JsonObject
  const forged = Buffer.from(JSON.stringify({ ...content, dataset: 'press' })).toString('base64url')
  const wrong = await provider.refused(
    record(String(content.id), { signed: `${header}.${forged}.${signature}` }),
  )
  expect(wrong.code).toBe('SignatureInvalid')
  // Signed by the holder itself, who is no partner of its own.
  const own = await provider.post('/api/v1/user-requests', { ...wish, id: String(content.id) })
  const self = await provider.refused(record(String(content.id), { signed: String(own.statement) }))
  expect(self.code).toBe('NotTrusted')

  const fact = await record(String(content.id))
  expect(fact).toMatchObject({
    ok: true,
    value: { dataset: 'drill', evidence: { kind: 'signed', signer: consumer.did } },
  })
})

it('keeps what was ended ended after a restart', async () => {
  const fact = await confirm({ condition: 'credentialType', value: 'MembershipCredential' })
  await offered('mill', `${MDP}credentialType`, 'eq', 'MembershipCredential')
  expect(await seen()).toContain('mill')
  await provider.stop()
  await provider.start()
  expect(await seen()).toContain('mill')
  await end(fact, 'lapsed')
  await provider.stop()
  await provider.start()
  expect(await seen()).not.toContain('mill')
})
