/** A duty to delete between two whole connectors over HTTPS: records vanish when due, and the provider has the receipt. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { linesOf, pathOf, pushUnder, rows } from '../push/support.js'
import { type Answer, contractOn, enc, list, type Member, startPair } from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

const MDP = 'https://w3id.org/machine-data-policy/v1#'
const DAY = 86_400_000

const POLICY = {
  permission: [{ action: 'use' }],
  obligation: [
    {
      action: 'odrl:delete',
      constraint: [{ leftOperand: `${MDP}retention`, operator: 'lteq', rightOperand: 'P1D' }],
    },
    {
      action: `${MDP}logUsage`,
      constraint: [{ leftOperand: `${MDP}logLevel`, operator: 'eq', rightOperand: 'per-batch' }],
    },
  ],
}

/** Both sides live at the same time, which the test moves. */
async function openSpace() {
  let ahead = 0
  const clock = () => (Date.now() + ahead) as EpochMs
  const space = await startPair({ clock }, { clock })
  const { provider } = space
  const source = join(space.folder, 'readings.csv')
  appendFileSync(source, `time,value\n${rows(0, 3)}`)
  await provider.put('/api/v1/sources/readings', {
    kind: 'files',
    config: {
      file: source,
      format: 'csv',
      growing: true,
      time: { column: 'time', format: 'iso' },
      signals: { value: 'value' },
    },
  })
  await provider.put('/api/v1/datasets/readings', {
    title: 'Readings',
    signals: [{ name: 'value', type: 'integer' }],
    sourceId: 'readings',
  })
  await provider.post('/api/v1/datasets/readings/offers', { policy: POLICY, contractOnly: true })
  await provider.post('/api/v1/datasets/readings/publish')
  return {
    ...space,
    source,
    now: clock,
    forward(ms: number) {
      ahead += ms
    },
  }
}

const fileOf = (consumer: Member): string => join(consumer.config.receiveDir, 'readings.ndjson')
const valuesIn = (file: string): readonly unknown[] =>
  existsSync(file) ? linesOf(readFileSync(file, 'utf8')).map(({ value }) => value) : []

async function dutyOf(member: Member, kind = 'delete'): Promise<Answer> {
  const duty = list(await member.get('/api/v1/duties'), 'duties').find((one) => one.kind === kind)
  if (duty === undefined) throw new Error('no duty')
  return member.get(`/api/v1/duties/${String(duty.id)}`)
}
const statementsOf = async (member: Member, kind?: string): Promise<readonly Answer[]> =>
  list(await dutyOf(member, kind), 'statements')

describe('records that must be deleted after a day', () => {
  it('vanish from the file of the consumer, younger ones stay, and the provider shows the receipt, through restarts of both', async () => {
    await using space = await openSpace()
    const { provider, consumer, source } = space
    const contract = await contractOn(consumer, provider, 'readings')
    const transfer = await pushUnder(consumer, contract, { sink: { to: 'file:readings.ndjson' } })
    const file = fileOf(consumer)
    /** Acknowledged, and so noted: the clock may move. */
    const taken = (records: number) =>
      waitFor(
        async () => {
          const { push } = await consumer.get(pathOf(transfer))
          return (push as unknown as Answer | undefined)?.records === records
        },
        { timeoutMs: 20_000, what: `${records} records` },
      )
    await taken(3)
    const old = readFileSync(file)

    space.forward(DAY / 2)
    appendFileSync(source, rows(3, 5))
    await taken(5)
    await consumer.stop()
    await consumer.start()

    // The provider is away when the data is due.
    await provider.stop()
    space.forward(DAY / 2 + 60_000)
    await consumer.connector().duties.run()
    expect(valuesIn(file)).toEqual([3, 4])
    const [receipt] = await statementsOf(consumer)
    expect(receipt).toMatchObject({
      kind: 'deletion',
      direction: 'out',
      delivery: 'owed',
      proof: { files: [{ records: 3, bytes: old.length }] },
    })

    await provider.start()
    await waitFor(async () => (await statementsOf(provider)).length === 1, {
      timeoutMs: 20_000,
      what: 'the receipt',
    })
    const [theirs] = await statementsOf(provider)
    expect(theirs).toMatchObject({
      kind: 'deletion',
      direction: 'in',
      jws: receipt?.jws,
      content: {
        issuer: consumer.did,
        audience: provider.did,
        agreement: contract,
        data: { records: 3, bytes: old.length },
      },
    })
    await waitFor(async () => (await statementsOf(consumer))[0]?.delivery === 'delivered')
    await provider.stop()
    await provider.start()
    expect(await dutyOf(provider)).toMatchObject({ whose: 'theirs', state: 'open' })
    const shown = await provider.get(`/api/v1/contracts/${enc(contract)}`)
    expect(list(shown, 'duties').map(({ kind }) => kind)).toEqual(['delete', 'log'])
    expect(list(shown, 'timeline').map(({ event }) => event)).toContain('duty deletion')

    // What comes afterwards is taken as before.
    appendFileSync(source, rows(5, 6))
    await taken(6)
    expect(valuesIn(file)).toEqual([3, 4, 5])
    space.forward(2 * DAY)
    await consumer.connector().duties.run()
    expect(existsSync(file)).toBe(false)
    expect(await dutyOf(consumer)).toMatchObject({ state: 'open' })
    expect(await consumer.get('/api/v1/status')).toMatchObject({ duties: { overdue: 0 } })
  }, 60_000)

  it('that were pulled wait for a person, whose words the provider reads; the log of use is reported', async () => {
    await using space = await openSpace()
    const { provider, consumer } = space
    const contract = await contractOn(consumer, provider, 'readings')
    const begun = await consumer.post('/api/v1/transfers', { contract })
    const path = pathOf(String(begun.pid))
    await waitFor(async () => (await consumer.get(path)).state === 'STARTED')
    const answer = await consumer.api.stream(`${path}/data`)
    if (!answer.ok) throw new Error(answer.error.message)
    for await (const _chunk of answer.value.body) void _chunk
    await waitFor(async () => (await dutyOf(consumer)).outstandingSince !== undefined)

    space.forward(DAY + 1000)
    await consumer.connector().duties.run()
    const duty = await dutyOf(consumer)
    expect(duty.state).toBe('overdue')
    await consumer.post(`/api/v1/duties/${String(duty.id)}/confirm`, { text: 'Deleted from the historian.' })
    const log = await dutyOf(consumer, 'log')
    await consumer.post(`/api/v1/duties/${String(log.id)}/report`, { text: 'First days' })
    await waitFor(async () => (await statementsOf(provider, 'log')).length === 1)
    expect(await statementsOf(provider)).toMatchObject([
      { kind: 'deletion', content: { by: 'person', text: 'Deleted from the historian.' } },
    ])
    expect(await dutyOf(consumer)).toMatchObject({ state: 'open' })
    expect(
      await consumer.refused(consumer.api.post(`/api/v1/duties/${String(duty.id)}/waive`, { text: 'x' })),
    ).toMatchObject({
      code: 'InvalidTransition',
    })
  }, 60_000)
})

it('refuses over the wire what is forged, foreign or too large, and takes what is sent twice once', async () => {
  await using space = await openSpace()
  const { provider, consumer } = space
  const contract = await contractOn(consumer, provider, 'readings')
  const log = await dutyOf(consumer, 'log')
  await consumer.connector().store.noteArrival({
    agreementId: contract,
    role: 'consumer',
    place: 'urn:uuid:somewhere',
    at: space.now(),
    after: { bytes: 1, records: 1 },
    own: false,
    spanMs: 1000,
  })
  await consumer.post(`/api/v1/duties/${String(log.id)}/report`, { text: 'First' })
  await waitFor(async () => (await statementsOf(provider, 'log')).length === 1)
  const [first] = consumer.connector().store.statements(contract, 'consumer')
  const agreement = consumer.connector().store.agreement(contract)
  if (first?.jws === undefined || agreement === undefined) throw new Error('no statement')

  // Whatever a broken or hostile connector of this partner could put on the way.
  const send = async (id: string, body: string): Promise<string | undefined> => {
    const { store } = consumer.connector()
    const { partner, negotiationPid: pid } = agreement
    const { deliveryReason: _, ...blank } = first
    await store.putStatement({
      statement: { ...blank, id, delivery: 'owed' },
      owe: { pid, partner, event: 'duty statement', url: id, body },
    })
    const done = await waitFor(() => {
      const now = store.ownStatement(id)
      return now?.delivery === 'owed' ? undefined : now
    })
    return done.delivery === 'delivered' ? undefined : done.deliveryReason
  }
  const message = (statement: string): string => JSON.stringify({ statement })
  expect(await send('twice', message(first.jws))).toBeUndefined()
  const [header, payload, signature] = first.jws.split('.')
  const forged = `${header}.${payload}.${signature?.startsWith('A') ? 'B' : 'A'}${signature?.slice(1)}`
  // It is known by its id already, and differs.
  expect(await send('forged', message(forged))).toContain('Another statement with this id')
  expect(await send('large', message(`${header}.${'A'.repeat(30_000)}.${signature}`))).toContain('413')
  expect(await send('huge', message('A'.repeat(400_000)))).toContain('413')
  expect(await send('nonsense', '{"statement":1}')).toContain('400')
  const foreign = Buffer.from(payload ?? '', 'base64url')
    .toString()
    .replace(contract, 'urn:uuid:not-yours')
  const about = `${header}.${Buffer.from(foreign).toString('base64url')}.${signature}`
  const fresh = Buffer.from(payload ?? '', 'base64url')
    .toString()
    .replace(first.id, 'urn:uuid:00000000-0000-4000-8000-000000000001')
  expect(
    await send('changed', message(`${header}.${Buffer.from(fresh).toString('base64url')}.${signature}`)),
  ).toContain('not signed with the key')
  expect(await statementsOf(provider, 'log')).toHaveLength(1)
  // Answered as to a stranger, so it is tried on like to one that does not know us yet.
  const { store } = consumer.connector()
  await store.putStatement({
    statement: { ...first, id: 'foreign', delivery: 'owed' },
    owe: {
      pid: agreement.negotiationPid,
      partner: agreement.partner,
      event: 'duty statement',
      url: 'foreign',
      body: message(about),
    },
  })
  const tried = await waitFor(() =>
    store.owedFor(agreement.negotiationPid).find(({ attempts }) => attempts > 0),
  )
  expect(tried.lastError).toContain('404')
}, 60_000)

it('tells strangers nothing, and a partner no more than that the contract is not its own', async () => {
  await using space = await openSpace()
  const { provider, consumer } = space
  const url = `${provider.config.publicUrl}/dsp/duty-statements`
  const { readFile } = await import('node:fs/promises')
  const { Agent, request } = await import('undici')
  const agent = new Agent({ connect: { ca: await readFile(space.ca, 'utf8') } })
  const answer = await request(url, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"statement":"x.y.z"}',
  })
  expect([answer.statusCode, await answer.body.text()]).toEqual([404, ''])
  const did = await request(`${provider.config.publicUrl}/.well-known/did.json`, { dispatcher: agent })
  expect(await did.body.json()).toMatchObject({
    service: expect.arrayContaining([
      { id: `${provider.did}#duties`, type: 'DutyStatementService', serviceEndpoint: url },
    ]),
  })
  expect(await consumer.get('/api/v1/duties')).toEqual({ duties: [] })
  await agent.close()
})
