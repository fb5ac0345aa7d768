/** Contracts that demand what the operator confirms: what flows waits or ends with the fact, by event and by timer. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMs, ParticipantId } from '../../../connector/core/types.js'
import type { Grant } from '../../../connector/dataplane/ports.js'
import type { Fact } from '../../../connector/domain/fact.js'
import type { Condition, Plan } from '../../../connector/policy/plan.js'
import { createStandings } from '../../../connector/services/standing.js'
import { openStore } from '../../../connector/store/sqlite/store.js'
import type { Store } from '../../../connector/store/store.js'
import { grant, linesOf, RECIPIENT, serveDataPlane } from '../support/data-plane-server.js'
import { type Kind, openLive } from '../support/live-client.js'
import { memorySource, record } from '../support/memory-source.js'
import { handTime, waitFor } from '../support/time.js'

const NOON = Date.parse('2026-11-25T12:00:00Z')
const HOUR = 3_600_000
const MDP = 'https://w3id.org/machine-data-policy/v1#'
const TICKET: Condition = {
  leftOperand: 'http://www.w3.org/ns/odrl/2/event',
  operator: 'eq',
  values: ['urn:ticket:1'],
}
const GROUP: Condition = { leftOperand: `${MDP}group`, operator: 'isAnyOf', values: ['affiliates'] }
const limits = { heartbeatMs: 1e12 }

const folder = mkdtempSync(join(tmpdir(), 'handschlag-conditions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let store: Store
let files = 0
beforeEach(() => {
  store = openStore(join(folder, `${++files}.db`))
})
afterEach(() => store[Symbol.asyncDispose]())

let facts = 0
/** A fact from now on, recorded. */
async function confirm(
  time: ReturnType<typeof handTime>,
  { leftOperand, values }: Condition,
  more: Partial<Fact> = {},
) {
  const fact: Fact = {
    id: `fact-${++facts}`,
    about: leftOperand.endsWith('event') ? {} : { partner: RECIPIENT as ParticipantId },
    operand: leftOperand,
    value: values[0] ?? '',
    from: time.clock(),
    by: 'test',
    at: time.clock(),
    ...more,
  }
  await store.addFact(fact, { subject: fact.id, at: fact.at, direction: 'own', event: 'fact recorded' })
  return fact
}
const end = (time: ReturnType<typeof handTime>, { id }: Fact) =>
  store.endFact(
    id,
    { at: time.clock(), by: 'test', reason: 'over' },
    { subject: id, at: time.clock(), direction: 'own', event: 'fact ended' },
  )

function served(source: ReturnType<typeof memorySource>, time: ReturnType<typeof handTime>) {
  const standing = createStandings(store)
  const standingOf = ({ recipient, datasetId, push, plan }: Grant) =>
    standing({ partner: recipient, datasetId, endpoint: push?.endpoint }, plan)
  return serveDataPlane(source, { ...time, limits, standingOf })
}
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => record(from + n, NOON + (from + n) * 1000))

describe('an event', () => {
  it.each<Kind>([
    'sse',
    'ws',
  ])('holds a stream by %s while it is not under way, to the record', async (kind) => {
    const time = handTime(NOON)
    const source = memorySource(rows(0, 2))
    await using plane = await served(source, time)
    plane.plane.start(grant({ conditions: [TICKET] }))
    const client = await openLive(kind, plane, '?from=0')
    const ids = () => client.records.map(({ id }) => id)
    expect((await plane.get()).status).toBe(403)
    expect(ids()).toEqual([])

    const first = await confirm(time, TICKET)
    await waitFor(() => ids().length === 2, 'the records of before')
    // Nothing that comes after the call leaves, although its end has not been written yet.
    const ending = end(time, first)
    source.append(record(2, NOON + 2000))
    await ending
    const refused = await plane.get()
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'NotConfirmed' })
    expect(ids()).toEqual(['p0', 'p1'])

    // Opened again until two hours from now, it closes by timer.
    await confirm(time, TICKET, { until: (NOON + 2 * HOUR) as EpochMs })
    await waitFor(() => ids().length === 3, 'the record that waited')
    time.advance(2 * HOUR - 1)
    source.append(record(3, NOON + 3000))
    await waitFor(() => ids().length === 4, 'the last one in time')
    time.advance(1)
    source.append(record(4, NOON + 4000))
    expect((await plane.get()).status).toBe(403)
    expect(ids()).toEqual(['p0', 'p1', 'p2', 'p3'])
    expect(client.end()).toBeUndefined()
  })

  it('that begins later opens by timer', async () => {
    const time = handTime(NOON)
    await using plane = await served(memorySource(rows(0, 2)), time)
    plane.plane.start(grant({ conditions: [TICKET] }))
    const client = await openLive('sse', plane, '?from=0')
    await confirm(time, TICKET, { from: (NOON + HOUR) as EpochMs })
    time.advance(HOUR - 1)
    expect((await plane.get()).status).toBe(403)
    expect(client.records).toEqual([])
    time.advance(1)
    await waitFor(() => client.records.length === 2, 'the records')
  })

  it('of a machine opens what is of that machine, and closes it when that is another one', async () => {
    const time = handTime(NOON)
    const described = (machineId: string) =>
      store.putDataset({
        id: 'dataset',
        title: 'Press',
        keywords: [],
        signals: [],
        machineId,
        published: true,
        createdAt: NOON as EpochMs,
        updatedAt: NOON as EpochMs,
      })
    await described('press-7')
    await using plane = await served(memorySource(rows(0, 2)), time)
    plane.plane.start(grant({ conditions: [TICKET] }))
    await confirm(time, TICKET, { about: { machine: 'press-8' } })
    expect((await plane.get()).status).toBe(403)
    await confirm(time, TICKET, { about: { machine: 'press-7' } })
    expect((await plane.get()).status).toBe(200)
    await described('press-9')
    expect((await plane.get()).status).toBe(403)
  })

  it('holds a stream while another one is under way, where the contract says so', async () => {
    const time = handTime(NOON)
    await using plane = await served(memorySource(rows(0, 2)), time)
    plane.plane.start(grant({ conditions: [{ ...TICKET, operator: 'isNoneOf' }] }))
    const incident = await confirm(time, TICKET)
    expect((await plane.get()).status).toBe(403)
    await end(time, incident)
    expect(linesOf(await (await plane.get()).text())).toHaveLength(2)
  })
})

describe('what is confirmed about the recipient', () => {
  it.each<Kind>([
    'sse',
    'ws',
  ])('ends a stream by %s with a reason when it ends, though nothing flows', async (kind) => {
    const time = handTime(NOON)
    await using plane = await served(memorySource(rows(0, 2)), time)
    plane.plane.start(grant({ conditions: [GROUP] }))
    const fact = await confirm(time, GROUP)
    const client = await openLive(kind, plane, '?from=0')
    await waitFor(() => client.records.length === 2, 'the records')
    await end(time, fact)
    await waitFor(() => client.end() !== undefined, 'the end')
    expect(client.end()).toMatchObject({
      code: 'NotConfirmed',
      reason: [expect.stringContaining('Group of the recipient: only "affiliates"')],
    })
  })

  it('ends a stream by timer when it runs out', async () => {
    const time = handTime(NOON)
    await using plane = await served(memorySource(rows(0, 2)), time)
    plane.plane.start(grant({ conditions: [GROUP] }))
    await confirm(time, GROUP, { until: (NOON + HOUR) as EpochMs })
    const client = await openLive('sse', plane, '?from=0')
    await waitFor(() => client.records.length === 2, 'the records')
    time.advance(HOUR - 1)
    expect((await plane.get()).status).toBe(200)
    time.advance(1)
    await waitFor(() => client.end() !== undefined, 'the end')
  })

  it('about somebody else opens nothing', async () => {
    const time = handTime(NOON)
    await using plane = await served(memorySource(rows(0, 2)), time)
    plane.plane.start(grant({ conditions: [GROUP] }))
    await confirm(time, GROUP, { about: { partner: 'did:web:somebody.example' as ParticipantId } })
    expect((await plane.get()).status).toBe(403)
    await confirm(time, GROUP, { about: { partner: RECIPIENT as ParticipantId, dataset: 'another' } })
    expect((await plane.get()).status).toBe(403)
  })
})

describe('a clock that is wrong', () => {
  it('opens nothing: one that is no number, and one set back before the beginning', async () => {
    const time = handTime(NOON)
    let wrong: number | undefined
    const clock = () => (wrong ?? time.clock()) as EpochMs
    await using plane = await served(memorySource(rows(0, 2)), { ...time, clock })
    plane.plane.start(grant({ conditions: [GROUP, { ...TICKET, operator: 'isNoneOf' }] }))
    const fact = await confirm(time, GROUP)
    expect((await plane.get()).status).toBe(200)
    for (const at of [Number.NaN, NOON - 1]) {
      wrong = at
      expect((await plane.get()).status).toBe(403)
    }
    wrong = undefined
    expect((await plane.get()).status).toBe(200)
    // What was ended stays so, whatever the clock says afterwards.
    await end(time, fact)
    wrong = NOON + 1
    expect((await plane.get()).status).toBe(403)
  })
})

describe('the host that is delivered to', () => {
  const only = (host: string): Plan => ({
    version: 1,
    hash: 'x',
    conditions: [
      { leftOperand: 'http://www.w3.org/ns/odrl/2/virtualLocation', operator: 'isAnyOf', values: [host] },
    ],
  })
  const open = (host: string, endpoint?: string) =>
    createStandings(store)({ partner: RECIPIENT, datasetId: 'dataset', endpoint }, only(host)).judge(
      NOON as EpochMs,
    ) === undefined

  it('is that of the receiver of a push, and otherwise that of the connector of the partner', async () => {
    await store.putPartner({
      did: RECIPIENT as ParticipantId,
      name: 'Partner',
      address: 'https://connector.partner.example/dsp',
      trust: 'trusted',
      seal: 'offer',
      addedAt: NOON as EpochMs,
    })
    expect(open('connector.partner.example')).toBe(true)
    expect(open('cloud.example')).toBe(false)
    expect(open('cloud.example', 'https://cloud.example:8443/inbox')).toBe(true)
    expect(open('connector.partner.example', 'https://cloud.example/inbox')).toBe(false)
  })

  it('is not known where the partner is not', () => {
    expect(open('connector.partner.example')).toBe(false)
  })
})

it('delivers nothing under conditions that nobody here judges', async () => {
  await using plane = await serveDataPlane(memorySource(rows(0, 2)))
  plane.plane.start(grant({ conditions: [GROUP] }))
  const refused = await plane.get()
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ code: 'NotConfirmed' })
})
