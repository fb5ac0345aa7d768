/** The catalog of one partner: what the store leaves out beforehand must never be what the policies would show. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { EpochMs, JsonObject, ParticipantId } from '../../connector/core/types.js'
import type { Partner } from '../../connector/domain/partner.js'
import {
  catalogEntry,
  catalogPage,
  type Entry,
  offerAudience,
  type Page,
} from '../../connector/services/catalog.js'
import { allows, understood } from '../../connector/services/contract.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import type { Store } from '../../connector/store/store.js'

const folder = mkdtempSync(join(tmpdir(), 'handschlag-catalog-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newStore = (): Store =>
  openStore(join(folder, `${++files}.db`), { audience: { version: '1', of: offerAudience } })

const NOW = 1_800_000_000_000 as EpochMs
const clock = () => NOW
/** The third one is written with a combining character, as no policy writes it in normal form. */
const PEOPLE = ['did:web:anna.example', 'did:web:bert.example', 'did:web:cafe\u0301.example'] as const
const partner = (did: string): Partner => ({
  did: did as ParticipantId,
  name: did,
  address: 'https://partner.example/dsp',
  trust: 'trusted',
  seal: 'off',
  // The connector of the first one has proved that it carries out duties.
  ...(did === PEOPLE[0] && { dutiesProvenAt: NOW }),
  addedAt: NOW,
})
const dataset = (id: string, published: boolean) =>
  ({ id, title: id, keywords: [], signals: [], published, createdAt: NOW, updatedAt: NOW }) as const
const offer = (id: string, datasetId: string, policy: JsonObject, contractOnly = false) => ({
  id,
  datasetId,
  policy,
  ...(contractOnly && { contractOnly }),
  createdAt: NOW,
})
const onlyFor = (...recipients: readonly string[]): JsonObject => ({
  permission: [
    {
      action: 'use',
      constraint: [{ leftOperand: 'recipient', operator: 'isAnyOf', rightOperand: [...recipients] }],
    },
  ],
})

const someone = fc.constantFrom(...PEOPLE, 'did:web:caf\u00e9.example', 'did:web:stranger.example', '', '*')
const condition = fc.letrec<{ condition: object }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    fc.record({
      leftOperand: fc.constantFrom('recipient', 'odrl:recipient', 'http://www.w3.org/ns/odrl/2/recipient'),
      operator: fc.constantFrom('eq', 'isAnyOf', 'odrl:isAnyOf', 'neq', 'isNoneOf', 'isPartOf'),
      rightOperand: fc.oneof(someone, fc.array(someone, { maxLength: 3 }), fc.record({ '@id': someone })),
    }),
    fc.constant({ leftOperand: 'dateTime', operator: 'lt', rightOperand: '2020-01-01T00:00:00Z' }),
    fc.constant({ leftOperand: 'count', operator: 'lteq', rightOperand: '0' }),
    fc.constant({ leftOperand: 'purpose', operator: 'eq', rightOperand: 'x' }),
    ...['and', 'or', 'xone', 'andSequence'].map((kind) =>
      fc.array(tie('condition'), { maxLength: 3 }).map((operands) => ({ [kind]: operands })),
    ),
  ),
})).condition
const rule = fc.record({
  action: fc.constantFrom('use', 'use', 'use', 'distribute'),
  constraint: fc.array(condition, { maxLength: 2 }),
})
const bare = fc.oneof(
  fc.record({ permission: fc.array(rule, { minLength: 1, maxLength: 2 }) }),
  fc.record({ permission: fc.array(rule, { maxLength: 1 }), prohibition: fc.array(rule, { maxLength: 1 }) }),
  fc.subarray([...PEOPLE], { minLength: 1 }).map((people) => onlyFor(...people)),
) as fc.Arbitrary<JsonObject>
const DELETE = { action: 'odrl:delete' }
const policy = fc
  .tuple(bare, fc.constantFrom({}, {}, { obligation: [DELETE] }, { prohibition: [{ action: 'odrl:sell' }] }))
  .map(([rules, more]): JsonObject => ({ ...rules, ...more }))

const DATASETS = ['a', 'b', 'c', 'd', 'e'] as const
const OFFERS = ['o1', 'o2', 'o3', 'o4', 'o5', 'o6'] as const
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      id: fc.constantFrom(...OFFERS),
      on: fc.constantFrom(...DATASETS),
      policy,
      contractOnly: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ dataset: fc.constantFrom(...DATASETS), published: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ gone: fc.constantFrom(...OFFERS) }) },
)

/** Every published dataset with every offer that its policy allows to be seen: the definition of the catalog. */
const byDefinition = (store: Store, did: string) =>
  store
    .datasets()
    .filter(({ published }) => published)
    .map(({ id }) => ({
      id,
      offers: store.offersOf(id).flatMap((o) => {
        const read = understood(o.policy, o.contractOnly === true ? 3 : did === PEOPLE[0] ? 2 : 1)
        return read.ok && allows(read.value, 'catalog', { at: NOW, recipient: did }).ok ? [o.id] : []
      }),
    }))
    .filter(({ offers }) => offers.length > 0)

const plain = ({ dataset: { id }, offers }: Entry) => ({ id, offers: offers.map((o) => o.id) })

/** All pages, and the same pages from the last one back to the first. */
function bothWays(store: Store, did: string, limit: number) {
  const page = (where: { after?: string; before?: string }) =>
    catalogPage({ store, clock }, partner(did), { ...where, limit })
  const forwards: Page[] = [page({})]
  for (let next = forwards[0]?.next; next !== undefined; next = forwards.at(-1)?.next) {
    forwards.push(page({ after: next }))
  }
  const backwards: Page[] = forwards.slice(-1)
  for (let back = backwards[0]?.previous; back !== undefined; back = backwards[0]?.previous) {
    backwards.unshift(page({ before: back }))
  }
  return [forwards, backwards].map((pages) => pages.flatMap(({ entries }) => entries.map(plain)))
}

describe('the catalog of a partner', () => {
  it('is what evaluating every offer would show, whatever was offered, changed and taken back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { maxLength: 25 }),
        fc.integer({ min: 1, max: 6 }),
        async (acts, limit) => {
          await using store = newStore()
          const written: Promise<unknown>[] = DATASETS.map((id) => store.putDataset(dataset(id, id < 'c')))
          for (const next of acts) {
            if ('gone' in next) written.push(store.removeOffer(next.gone))
            else if ('dataset' in next) written.push(store.putDataset(dataset(next.dataset, next.published)))
            else written.push(store.putOffer(offer(next.id, next.on, next.policy, next.contractOnly)))
          }
          await Promise.all(written)
          for (const did of PEOPLE) {
            const expected = byDefinition(store, did)
            expect(bothWays(store, did, limit)).toEqual([expected, expected])
            for (const id of DATASETS) {
              const entry = catalogEntry({ store, clock }, partner(did), id)
              const offers = entry.ok ? entry.value.offers.map((o) => o.id) : []
              expect(offers).toEqual(expected.find((one) => one.id === id)?.offers ?? [])
            }
          }
        },
      ),
      { numRuns: 150 },
    )
  }, 60_000)

  it('costs a partner no look at offers that are for others', async () => {
    await using store = newStore()
    const others = Array.from({ length: 300 }, (_, i) => `other-${String(i).padStart(3, '0')}`)
    const [anna, bert] = PEOPLE
    await Promise.all(
      others.flatMap((id) => [
        store.putDataset(dataset(id, true)),
        store.putOffer(offer(`${id}-offer`, id, onlyFor(bert))),
      ]),
    )
    await store.putDataset(dataset('zz', true))
    await store.putOffer(offer('zz-offer', 'zz', onlyFor(anna)))
    const looked: string[] = []
    const watched: Store = {
      ...store,
      offeredAfter: (...asked) => {
        const found = store.offeredAfter(...asked)
        looked.push(...found.map(({ dataset: { id } }) => id))
        return found
      },
    }
    const page = catalogPage({ store: watched, clock }, partner(anna), { limit: 100 })
    expect(page.entries.map((entry) => entry.dataset.id)).toEqual(['zz'])
    expect(page.next).toBeUndefined()
    expect(looked).toEqual(['zz'])
  })
})

describe('an offer with duties for the connector of the recipient', () => {
  const duty = { permission: [{ action: 'use' }], obligation: [{ action: 'odrl:delete' }] }

  it('costs a partner that has not proved that it carries them out no look at all', async () => {
    await using store = newStore()
    const ids = Array.from({ length: 50 }, (_, i) => `duty-${String(i).padStart(2, '0')}`)
    await Promise.all(
      ids.flatMap((id) => [store.putDataset(dataset(id, true)), store.putOffer(offer(`${id}-o`, id, duty))]),
    )
    const [anna, bert] = PEOPLE
    let looks = 0
    const watched: Store = {
      ...store,
      offeredAfter: (...asked) => {
        const found = store.offeredAfter(...asked)
        looks += found.length
        return found
      },
    }
    expect(catalogPage({ store: watched, clock }, partner(bert), { limit: 100 }).entries).toEqual([])
    expect(looks).toBe(0)
    const proven = catalogPage({ store: watched, clock }, partner(anna), { limit: 100 })
    expect(proven.entries.map((entry) => entry.dataset.id)).toEqual(ids)
  })

  it('is for the named ones where it names some, and for anybody where mere promises are wanted', () => {
    expect(offerAudience(offer('o', 'd', duty))).toEqual(['+duties'])
    expect(offerAudience(offer('o', 'd', duty, true))).toBeUndefined()
    const named = { ...onlyFor('did:web:a.example'), obligation: duty.obligation }
    expect(offerAudience(offer('o', 'd', named))).toEqual(['did:web:a.example'])
  })
})

describe('who can possibly see an offer', () => {
  const of = (...constraint: readonly JsonObject[]) =>
    offerAudience(offer('o', 'd', { permission: [{ action: 'use', constraint }] }))
  const named = (operator: string, rightOperand: JsonObject[string]) => ({
    leftOperand: 'recipient',
    operator,
    rightOperand,
  })

  it('is whom all conditions name, and anybody where none does', () => {
    expect(of()).toBeUndefined()
    expect(of({ leftOperand: 'count', operator: 'lteq', rightOperand: '5' })).toBeUndefined()
    expect(of(named('eq', 'a'))).toEqual(['a'])
    expect(of(named('isAnyOf', ['a', 'b']), named('isAnyOf', ['b', 'c']))).toEqual(['b'])
    expect(of(named('eq', 'a'), named('eq', 'b'))).toEqual([])
  })

  it('is anybody as soon as one way around the names is left', () => {
    const count = { leftOperand: 'count', operator: 'lteq', rightOperand: '5' }
    expect(of({ or: [named('eq', 'a'), named('eq', 'b')] })).toEqual(['a', 'b'])
    expect(of({ or: [named('eq', 'a'), count] })).toBeUndefined()
    expect(of({ xone: [named('eq', 'a'), count] })).toBeUndefined()
    expect(of({ and: [named('eq', 'a'), count] })).toEqual(['a'])
    expect(of(named('neq', 'a'))).toBeUndefined()
    expect(of(named('isNoneOf', ['a']))).toBeUndefined()
    expect(of(named('eq', ['a', 'b']))).toBeUndefined()
  })

  it('is named in normal form, whatever form the policy has', () => {
    expect(of(named('eq', 'did:web:cafe\u0301.example'))).toEqual(['did:web:caf\u00e9.example'])
  })
})
