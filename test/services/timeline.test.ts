/** The history of a process as people read it: every message with its result, in both languages, and bounded. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EpochMs } from '../../connector/core/types.js'
import { delivered } from '../../connector/services/delivery.js'
import { receiveRequest } from '../../connector/services/negotiation-provider.js'
import { noteRefusal } from '../../connector/services/refusals.js'
import { timelineOf } from '../../connector/services/timeline.js'
import { begin, CONSUMER, createWorld, NOW, type Side, STRANGER, type World } from './world.js'

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const told = (side: Side, lang: 'en' | 'de' = 'en'): readonly string[] =>
  timelineOf(side.store(), side.negotiation().pid).map((one) => one.words[lang])

const fail = async (side: Side, times: number, why = 'Nobody answers.') => {
  for (let attempt = 1; attempt <= times; attempt++) {
    const [owed] = side.owed()
    world.forward(1000)
    const at = side.deps.clock()
    await side.store().attemptFailed(owed?.id ?? 0, `${why} (${attempt})`, (at + 500) as EpochMs, at)
  }
}

it('tells a whole negotiation in both languages', async () => {
  await begin(world)
  await world.settle()
  expect(told(world.consumer)).toEqual([
    'request sent',
    'request acknowledged',
    'contract received',
    'confirmation of the contract sent',
    'confirmation of the contract acknowledged',
    'conclusion of the contract received',
  ])
  expect(told(world.provider, 'de')).toEqual([
    'Anfrage empfangen',
    'Vertrag gesendet',
    'Vertrag bestätigt',
    'Bestätigung des Vertrags empfangen',
    'Abschluss des Vertrags gesendet',
    'Abschluss des Vertrags bestätigt',
  ])
})

it('gives programs the message and its result apart', async () => {
  await begin(world)
  await fail(world.consumer, 1)
  const [owed] = world.consumer.owed()
  if (owed === undefined) throw new Error('nothing owed')
  const created = await world.carry(world.consumer, owed)
  expect(created.ok).toBe(true)
  const { pid } = world.consumer.negotiation()
  const answer = {
    '@context': ['https://w3id.org/dspace/2025/1/context.jsonld'],
    '@type': 'ContractNegotiation',
    providerPid: world.provider.negotiation().pid,
    consumerPid: pid,
    state: 'REQUESTED',
  }
  await delivered(world.consumer.deps, owed, Buffer.from(JSON.stringify(answer)), 201)
  expect(timelineOf(world.consumer.store(), pid)).toMatchObject([
    { direction: 'out', event: 'request', message: 'request', result: 'sent' },
    {
      direction: 'out',
      event: 'request attempt failed',
      message: 'request',
      result: 'attempt failed',
      at: '2027-01-04T12:00:01.000Z',
      detail: { reason: 'Nobody answers. (1)', times: 1, nextAttemptAt: '2027-01-04T12:00:01.500Z' },
    },
    { direction: 'out', result: 'acknowledged', detail: { status: 201, state: 'REQUESTED' } },
  ])
  expect(told(world.consumer).at(-1)).toBe('request acknowledged at attempt 2, 201')
})

describe('failed attempts', () => {
  it('are kept as the first and the latest with their number, however many there are, also over a restart', async () => {
    await begin(world)
    await fail(world.consumer, 3)
    await world.consumer.restart()
    await fail(world.consumer, 37)
    expect(told(world.consumer)).toEqual([
      'request sent',
      'request not delivered, attempt 1: Nobody answers. (1)',
      'request not delivered, attempt 40: Nobody answers. (37)',
    ])
    expect(told(world.consumer, 'de').at(-1)).toBe(
      'Anfrage nicht zugestellt, 40. Versuch: Nobody answers. (37)',
    )
  })

  it('of each message have a series of their own', async () => {
    await begin(world)
    await fail(world.consumer, 2)
    await world.exchange(world.consumer, world.consumer.next('request'))
    await world.exchange(world.provider, world.provider.next('agree'))
    await fail(world.consumer, 3)
    expect(told(world.consumer).filter((words) => words.includes('not delivered'))).toEqual([
      'request not delivered, attempt 1: Nobody answers. (1)',
      'request not delivered, attempt 2: Nobody answers. (2)',
      'confirmation of the contract not delivered, attempt 1: Nobody answers. (1)',
      'confirmation of the contract not delivered, attempt 3: Nobody answers. (3)',
    ])
  })

  it('of a message that is settled meanwhile are not written', async () => {
    await begin(world)
    const owed = world.consumer.next('request')
    await world.settle()
    const before = told(world.consumer)
    await world.consumer.store().attemptFailed(owed.id, 'late', NOW, NOW)
    expect(told(world.consumer)).toEqual(before)
  })
})

describe('what we refuse of the partner', () => {
  const refuse = (side: Side, partner: string, message = 'not allowed') =>
    noteRefusal(side.deps, {
      kind: 'negotiation',
      pid: side.negotiation().pid,
      partner,
      event: 'verify',
      why: { code: 'InvalidTransition', message },
    })

  it('is told with the reason, the first and the latest time', async () => {
    await begin(world)
    await world.exchange(world.consumer, world.consumer.next('request'))
    for (const turn of [1, 2, 3, 4]) await refuse(world.provider, CONSUMER, `no ${turn}`)
    expect(told(world.provider).slice(-2)).toEqual([
      "refused the partner's message (confirmation of the contract): no 1",
      "refused the partner's message (confirmation of the contract), 4 times: no 4",
    ])
    expect(told(world.provider, 'de').at(-1)).toBe(
      'Nachricht des Partners abgelehnt (Bestätigung des Vertrags), 4-mal: no 4',
    )
  })

  it('writes nothing when it comes from somebody else', async () => {
    await begin(world)
    const before = told(world.consumer)
    await refuse(world.consumer, STRANGER)
    expect(told(world.consumer)).toEqual(before)
  })
})

it('says why a process waits for a person, and who decided what', async () => {
  const { provider } = world
  await provider.put({ approval: 'manual' })
  const m = {
    sender: CONSUMER,
    digest: 'd',
    consumerPid: 'urn:uuid:c',
    offer: world.offer,
    callbackAddress: 'https://consumer.example/dsp',
  }
  expect((await receiveRequest(provider.deps, provider.partner(), m)).ok).toBe(true)
  const { pid } = provider.negotiation()
  await provider.store().note({
    subject: pid,
    at: NOW,
    direction: 'own',
    event: 'refused',
    detail: { by: 'admin', reason: 'Not now.' },
  })
  expect(told(provider)).toEqual(['request received', 'waits for a person', 'refused (admin): Not now.'])
  expect(told(provider, 'de')).toEqual([
    'Anfrage empfangen',
    'wartet auf einen Menschen',
    'abgelehnt (admin): Not now.',
  ])
})
