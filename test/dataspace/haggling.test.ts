/** Two connectors haggle through their management APIs, and data flows under the terms they end with. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { publishTank } from '../protocol/tank.js'
import {
  type Answer,
  enc,
  ended,
  list,
  type Member,
  pullLines,
  startPair,
  transferUnder,
} from '../support/dataspace.js'
import { waitFor } from '../support/wait-for.js'

let pair: Awaited<ReturnType<typeof startPair>>
beforeAll(async () => {
  pair = await startPair()
  await publishTank(pair.provider, pair.provider.config.dataDir)
})
afterAll(() => pair[Symbol.asyncDispose]())

const pathOf = (pid: unknown) => `/api/v1/negotiations/${enc(String(pid))}`
const waitsForPerson = (member: Member, pid?: string): Promise<Answer> =>
  waitFor(
    async () => {
      const { negotiations } = await member.get('/api/v1/negotiations')
      const waiting = (negotiations as unknown as readonly Answer[]).find(
        (one) => one.waitingFor === 'person' && (pid === undefined || one.pid === pid),
      )
      return waiting === undefined ? undefined : member.get(pathOf(waiting.pid))
    },
    { what: `a negotiation of ${member.name} that waits for a person` },
  )
const words = (answer: Answer): readonly string[] =>
  list(answer, 'timeline').map((entry) => (entry.words as unknown as { readonly en: string }).en)

it('makes a contract on terms that no catalog shows, of a dataset that is not published, and data flows under them', async () => {
  const { provider, consumer } = pair
  await provider.post('/api/v1/datasets/tank/unpublish')
  await provider.post('/api/v1/negotiations/offers', {
    partner: consumer.did,
    dataset: 'tank',
    terms: { count: 2 },
  })
  const offered = await waitsForPerson(consumer)
  expect(offered).toMatchObject({
    role: 'consumer',
    state: 'OFFERED',
    waitingBecause: 'offer',
    dataset: 'tank',
  })
  await consumer.post(`${pathOf(offered.pid)}/counter`, { terms: { count: 10 } })

  const asked = await waitsForPerson(provider)
  expect(asked).toMatchObject({ role: 'provider', state: 'REQUESTED', waitingBecause: 'terms' })
  expect(list(asked, 'changes').map((change) => change.en)).toEqual([
    'No longer: At most 2 records are delivered in total; for files, requests are counted.',
    'New: At most 10 records are delivered in total; for files, requests are counted.',
  ])
  // Both sides are stopped while it is a person's turn.
  await provider.stop()
  await provider.start()
  await consumer.stop()
  await consumer.start()
  await provider.post(`${pathOf(asked.pid)}/approve`, { offerHash: String(asked.offerHash) })
  const done = await ended(consumer, pathOf(offered.pid), ['FINALIZED', 'TERMINATED'])
  expect(done.state).toBe('FINALIZED')
  const ours = await ended(provider, pathOf(asked.pid), ['FINALIZED'])
  // Notes of decisions and acknowledgements may be written in one order or the other.
  const told = words(ours)
  expect(told).toContain('offer acknowledged, 201')
  expect(told).toContain('contract offered (command line)')
  expect(told).toContain('request approved (command line)')
  expect(
    list(ours, 'timeline').map((entry) => (entry.words as unknown as { readonly de: string }).de),
  ).toContain('Anfrage freigegeben (Befehlszeile)')
  expect(told.filter((line) => !line.includes('acknowledged') && !line.includes('command line'))).toEqual([
    'offer sent',
    'request received',
    'waits for a person: The requested offer differs from the one that you made: permission[0].constraint[0].rightOperand is "10", offered was "2".',
    'contract sent',
    'confirmation of the contract received',
    'conclusion of the contract sent',
  ])
  const transfer = await transferUnder(consumer, String(done.contract))
  const pulled = await pullLines(consumer, transfer)
  expect(pulled.lines).toHaveLength(5)
})
