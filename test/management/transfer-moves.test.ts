/** What the operator reads when a transfer can not be moved so: its situation in words, not a message of the protocol. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Pid } from '../../connector/core/types.js'
import type { Transfer } from '../../connector/domain/transfer.js'
import { type Api, openApi, PARTNER, path, START } from './support.js'

let api: Api
beforeEach(async () => {
  api = await openApi()
  await api.trustedPartner()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const PID = 'urn:uuid:9b3c0000-0000-4000-8000-000000000001' as Pid

const create = (state: Transfer['state'], more: Partial<Transfer> = {}) =>
  api.store.create({
    next: {
      kind: 'transfer',
      pid: PID,
      role: 'consumer',
      partner: PARTNER,
      partnerPid: 'urn:theirs',
      partnerAddress: 'https://buyer.example.com/dsp',
      state,
      agreementId: 'urn:contract',
      datasetId: 'press',
      format: 'HttpData-PULL',
      generation: 0,
      createdAt: START,
      updatedAt: START,
      ...more,
    },
  })

const move = (name: string) => api.post(path`/api/v1/transfers/${PID}/${name}`)

it.each([
  ['suspend', 'SUSPENDED', 'This transfer is paused already.'],
  ['complete', 'SUSPENDED', 'This transfer is paused. Resume it first, or end it with terminate.'],
  ['resume', 'STARTED', 'This transfer is running already.'],
  ['suspend', 'COMPLETED', 'This transfer is complete already.'],
  ['resume', 'COMPLETED', 'This transfer is complete already.'],
  ['complete', 'COMPLETED', 'This transfer is complete already.'],
  ['complete', 'TERMINATED', 'This transfer has ended already.'],
  ['terminate', 'TERMINATED', 'This transfer has ended already.'],
  ['suspend', 'REQUESTED', 'This transfer has not started yet.'],
  ['resume', 'REQUESTED', 'This transfer has not started yet.'],
  ['complete', 'REQUESTED', 'This transfer has not started yet.'],
] as const)('%s of a transfer that is %s is refused: %s', async (name, state, message) => {
  await create(state)
  const refused = await move(name)
  expect([refused.status, refused.body]).toEqual([409, { code: 'InvalidTransition', message }])
})

it.each([
  ['suspend', 'STARTED', 'suspend', 'This transfer is being paused; the partner has not answered yet.'],
  ['suspend', 'STARTED', 'resume', 'This transfer is being paused; the partner has not answered yet.'],
  ['complete', 'STARTED', 'complete', 'This transfer is being completed; the partner has not answered yet.'],
  ['resume', 'SUSPENDED', 'resume', 'This transfer is being resumed; the partner has not answered yet.'],
  ['terminate', 'STARTED', 'terminate', 'This transfer is being ended; the partner has not answered yet.'],
] as const)('after %s of one that is %s, %s is refused: %s', async (first, state, second, message) => {
  await create(state, { suspendedBy: 'us' })
  expect((await move(first)).status).toBe(200)
  const refused = await move(second)
  expect([refused.status, refused.body]).toEqual([409, { code: 'InvalidTransition', message }])
})

it('a transfer that the partner paused is not resumed by us', async () => {
  await create('SUSPENDED', { suspendedBy: 'partner' })
  expect((await move('resume')).body.message).toBe(
    'The partner suspended this transfer; only the partner can start it again.',
  )
})

it('the history tells the reason that stands where none was given in both languages', async () => {
  await create('STARTED')
  await move('suspend')
  const { timeline } = (await api.get(path`/api/v1/transfers/${PID}`)).body
  const words = timeline.map((entry: { words: object }) => JSON.stringify(entry.words)).join('\n')
  expect(words).toMatch(/"en":"[^"]*: The operator suspended the transfer\."/)
  expect(words).toMatch(/"de":"[^"]*: Der Betreiber hat die Übertragung angehalten\."/)
})
