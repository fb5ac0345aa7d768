/** Who keeps which term, written by hand: what a tick may turn into a promise, and what it never may. */
import { describe, expect, it } from 'vitest'
import { compilePlan } from '../../connector/policy/compile.js'
import { evaluate } from '../../connector/policy/evaluate.js'
import { explain } from '../../connector/policy/explain.js'
import { unsupportedTerms } from '../../connector/policy/support.js'
import { accepting, type Tier, tiersOf } from '../../connector/policy/tier.js'
import { contractOnlyWords, tierClauses } from '../../connector/policy/tier-words.js'
import { BUYER, constraint, facts, instant, MDP, permit, policy } from './policies.js'

const AGREED = { agreedAt: instant('2026-06-01T00:00:00Z') }
const USE = { action: 'use' }
const UNTIL = constraint('odrl:dateTime', 'lt', '2027-01-01T00:00:00Z')
const PURPOSE = constraint('odrl:purpose', 'isAnyOf', [`${MDP}PredictiveMaintenance`])
const DELETE = {
  action: 'odrl:delete',
  constraint: [constraint(`${MDP}retention`, 'lteq', 'P90D')],
}
const LOG = { action: `${MDP}logUsage`, constraint: [constraint(`${MDP}logLevel`, 'eq', 'per-batch')] }
const INFORM = {
  action: 'odrl:inform',
  constraint: [constraint('odrl:event', 'eq', `${MDP}SecurityIncident`)],
}
const use = (...constraints: readonly object[]) => ({ permission: [{ ...USE, constraint: constraints }] })

describe('the tier of an offer', () => {
  it.each<[string, object, Tier]>([
    ['what is delivered, to whom and until when', use(UNTIL, constraint('odrl:recipient', 'eq', BUYER)), 1],
    ['deleting after a time', { ...use(UNTIL), obligation: [DELETE] }, 2],
    ['logging and informing', { ...use(), obligation: [LOG, INFORM] }, 2],
    ['deleting at the end of the contract', { ...use(), obligation: [{ action: 'delete' }] }, 2],
    [
      'deleting on a condition of another kind',
      { ...use(), obligation: [{ ...DELETE, constraint: [PURPOSE] }] },
      3,
    ],
    ['naming the source', { ...use(), obligation: [{ action: 'odrl:attribute' }] }, 3],
    ['a purpose', use(UNTIL, PURPOSE), 3],
    ['a legal reference', use(constraint(`${MDP}contractReference`, 'isAllOf', ['RV-2026-017'])), 3],
    ['a system of the recipient', use(constraint('odrl:systemDevice', 'isAnyOf', ['urn:app:cmms-7'])), 3],
    ['no onward transfer', { ...use(), prohibition: [{ action: 'odrl:distribute' }] }, 3],
    ['a purpose or an industry', use({ or: [PURPOSE, constraint('odrl:industry', 'eq', 'rail')] }), 3],
    ['anonymising before any use', { permission: [{ ...USE, duty: [{ action: 'odrl:anonymize' }] }] }, 3],
    ['a clause of Catena-X', use(constraint('cx-policy:Liability', 'eq', 'cx.liability')), 3],
  ])('%s', (_name, json, tier) => {
    expect(tiersOf(policy(json))).toMatchObject({ tier, refused: [] })
    const accepted = accepting(policy(json), tier)
    expect(unsupportedTerms(accepted)).toEqual([])
    expect(evaluate(accepted, 'negotiation', facts())).toMatchObject({ allowed: true })
    expect(compilePlan(accepted, AGREED)).toMatchObject({ ok: true })
    if (tier === 1) return
    const less = accepting(policy(json), tier === 3 ? 2 : 1)
    expect(unsupportedTerms(less)).not.toEqual([])
    expect(evaluate(less, 'negotiation', facts())).toMatchObject({ allowed: false })
    expect(compilePlan(less, AGREED)).toMatchObject({ ok: false })
  })

  it('counts duties as promises towards a connector that has not proved that it carries them out', () => {
    const both = policy({ ...use(), obligation: [DELETE] })
    expect([tiersOf(both, 'proven').tier, tiersOf(both, 'unproven').tier, tiersOf(both).tier]).toEqual([
      2, 3, 2,
    ])
  })

  it('keeps the plan and its hash as they are without the promises', () => {
    const bare = compilePlan(policy(use(UNTIL)), AGREED)
    const full = compilePlan(
      accepting(policy({ ...use(UNTIL, PURPOSE), obligation: [DELETE, LOG] }), 3),
      AGREED,
    )
    expect(bare).toMatchObject({ ok: true })
    expect(full).toEqual(bare)
  })
})

describe('a condition that the provider has to see to', () => {
  it.each<[string, object]>([
    ['a group', constraint(`${MDP}group`, 'isAnyOf', ['suppliers'])],
    ['an assurance of the connector', constraint(`${MDP}connectorAssurance`, 'eq', 'certified')],
    ['a credential', constraint(`${MDP}credentialType`, 'isAnyOf', ['MembershipCredential'])],
    ['a place', constraint('odrl:spatial', 'isPartOf', 'https://sws.geonames.org/6255148/')],
    ['a seat', constraint(`${MDP}partySeat`, 'eq', 'https://sws.geonames.org/6255148/')],
    ['an address of delivery', constraint('odrl:virtualLocation', 'eq', 'urn:x')],
    ['a request of the user', constraint(`${MDP}userRequest`, 'eq', 'urn:uuid:1')],
    ['an event', constraint('odrl:event', 'eq', 'fault')],
    ['a membership of Catena-X', constraint('cx-policy:Membership', 'eq', 'active')],
    ['a partner number of Catena-X', constraint('cx-policy:BusinessPartnerNumber', 'isAnyOf', ['BPNL1'])],
  ])('%s is never a promise', (_name, condition) => {
    expect(tiersOf(policy(use(condition))).promises).toEqual([])
    expect(accepting(policy(use(condition)), 3).promised).toBeUndefined()
  })
})

describe('what no tick makes a promise', () => {
  it.each<[string, object]>([
    ['a payment before any use', { permission: [{ ...USE, duty: [{ action: 'odrl:compensate' }] }] }],
    ['a condition nobody knows', use(constraint('https://other.example/x', 'eq', '1'))],
    ['an operator nobody knows', use(constraint('odrl:purpose', 'like', 'x'))],
    ['a value that is none', use(constraint('odrl:elapsedTime', 'lteq', 'a while'))],
    ['an action nobody knows', { ...use(), prohibition: [{ action: 'https://other.example/sublet' }] }],
    ['a duty nobody knows', { ...use(), obligation: [{ action: 'https://other.example/settle' }] }],
    [
      'a condition nobody knows in a duty',
      { ...use(), obligation: [{ ...DELETE, constraint: [constraint('x', 'eq', '1')] }] },
    ],
    [
      'a condition nobody knows in a prohibition',
      { ...use(), prohibition: [{ action: 'odrl:distribute', constraint: [constraint('x', 'eq', '1')] }] },
    ],
    ['a prohibition of the use itself', { ...use(), prohibition: [USE] }],
    [
      'a prohibition of the use for a purpose',
      { ...use(), prohibition: [{ ...USE, constraint: [PURPOSE] }] },
    ],
    ['a permission of something narrower', { permission: [{ action: 'odrl:read' }] }],
    ['a part outside the language', { ...use(), 'odrl:conflict': 'perm' }],
    ['a profile nobody knows', { ...use(), profile: 'https://other.example/profile' }],
  ])('%s', (_name, json) => {
    const accepted = accepting(policy(json), 3)
    expect(tiersOf(policy(json)).refused).not.toEqual([])
    expect(unsupportedTerms(accepted)).not.toEqual([])
    expect(evaluate(accepted, 'negotiation', facts())).toMatchObject({ allowed: false })
    expect(compilePlan(accepted, AGREED)).toMatchObject({ ok: false })
    expect(contractOnlyWords(policy(json))).toBeUndefined()
  })

  it('a purpose or a time, of which one alone could be kept', () => {
    const json = use({ or: [PURPOSE, UNTIL] })
    expect(tiersOf(policy(json)).refused).toMatchObject([{ term: 'or' }, { term: 'purpose' }])
    expect(compilePlan(accepting(policy(json), 3), AGREED)).toMatchObject({ ok: false })
  })

  it('keeps a condition of ours beside the promises a condition', () => {
    const accepted = accepting(
      policy({ ...use(UNTIL, PURPOSE), prohibition: [{ action: 'odrl:distribute' }] }),
      3,
    )
    const late = evaluate(accepted, 'transfer', facts({ at: '2027-06-01T00:00:00Z' }))
    if (late.allowed) throw new Error('allowed')
    expect(late.because).toMatchObject({ clause: 2, operand: 'dateTime' })
    const trace = late.reasons.map(({ clause, verdict }) => [clause, verdict])
    expect(trace).toEqual([
      [2, 'false'],
      [3, 'deferred'],
      [4, 'deferred'],
    ])
  })

  it('counts the clauses of promises as an explanation does', () => {
    const json = {
      ...use({ and: [PURPOSE, UNTIL] }),
      prohibition: [{ action: 'odrl:distribute', constraint: [PURPOSE] }],
      obligation: [DELETE, { action: 'https://other.example/settle' }],
    }
    const refused = evaluate(accepting(policy(json), 3), 'negotiation', facts())
    if (refused.allowed) throw new Error('allowed')
    const clause = explain(policy(json)).find(({ path }) => path === 'obligation[1]')
    expect(refused.because.clause).toBe(clause?.number)
    expect(clause?.number).toBe(9)
  })
})

describe('where we are the recipient', () => {
  const MEMBER = constraint('cx-policy:Membership', 'eq', 'active')
  const PAY = { action: 'odrl:compensate', constraint: [constraint('odrl:payAmount', 'eq', '120.00')] }

  it.each<[string, object]>([
    ['what the provider has to check about us', use(UNTIL, MEMBER)],
    ['a payment before any use', { permission: [{ ...USE, duty: [PAY] }] }],
  ])('%s is ours to take or leave', (_name, json) => {
    expect(tiersOf(policy(json), 'ourselves')).toMatchObject({ tier: 3, refused: [] })
    const accepted = accepting(policy(json), 3, 'ourselves')
    expect(unsupportedTerms(accepted)).toEqual([])
    expect(evaluate(accepted, 'negotiation', facts())).toMatchObject({ allowed: true })
    expect(tiersOf(policy(json), 'proven').refused).not.toEqual([])
  })

  it('nothing that is not understood is taken, and no other condition is forgotten', () => {
    const unknown = policy(use(MEMBER, constraint('https://other.example/x', 'eq', '1')))
    expect(unsupportedTerms(accepting(unknown, 3, 'ourselves'))).toMatchObject([
      { term: 'https://other.example/x' },
    ])
    const other = policy(use(MEMBER, constraint('odrl:recipient', 'eq', 'did:web:other.example')))
    const decided = evaluate(accepting(other, 3, 'ourselves'), 'negotiation', facts())
    expect(decided).toMatchObject({ allowed: false, because: { operand: 'recipient' } })
  })

  it('our connector carries out our duties', () => {
    const json = policy({ ...use(), obligation: [DELETE] })
    expect(tiersOf(json, 'ourselves').tier).toBe(2)
    expect(explain(json, { peer: 'ourselves' }).map(({ enforcedBy }) => enforcedBy)).toEqual([
      'provider',
      'consumer',
      'consumer',
    ])
  })
})

describe('words', () => {
  const json = { ...use(UNTIL, PURPOSE), prohibition: [{ action: 'odrl:distribute' }], obligation: [DELETE] }

  it('labels each clause by who keeps it, for a recipient that is known and for one that is not', () => {
    const labels = (peer?: 'proven' | 'unproven') =>
      explain(policy(json), { peer }).map((one) => one.enforcedBy)
    const kept = ['provider', 'provider', 'contract', 'contract']
    expect(labels()).toEqual([...kept, 'capable', 'capable'])
    expect(labels('proven')).toEqual([...kept, 'consumer', 'consumer'])
    expect(labels('unproven')).toEqual([...kept, 'contract', 'contract'])
  })

  it('names the clauses that are by contract only, each rule once, and how to want it', () => {
    expect(contractOnlyWords(policy(json))).toEqual({
      en: 'Part of these terms would be agreed by contract only, because no connector can enforce it. Clause 3: Purpose of use: only predictive maintenance. Clause 4: The recipient must not pass the data on. If you want to offer that, say so: --contract-only (in the API contractOnly: true).',
      de: 'Ein Teil dieser Bedingungen wäre nur vertraglich vereinbart, weil kein Connector es durchsetzen kann. Klausel 3: Zweck der Nutzung: nur vorausschauende Instandhaltung. Klausel 4: Der Empfänger darf die Daten nicht weitergeben. Wenn Sie das anbieten wollen, sagen Sie es: --contract-only (im API contractOnly: true).',
    })
    expect(contractOnlyWords(policy({ ...use(), obligation: [DELETE] }))).toBeUndefined()
    expect(contractOnlyWords(policy({ ...use(), obligation: [DELETE] }), 'unproven')?.en).toContain(
      "because the partner's connector has not proved that it carries out such duties. Clause 2:",
    )
  })

  it('names the duties of the second tier', () => {
    const duties = tierClauses(policy({ ...use(), obligation: [DELETE, LOG] })).map(({ en }) => en)
    expect(duties).toEqual([
      'Clause 2: The recipient must delete the data as laid down in clause 3.',
      'Clause 4: The recipient must keep a log of the use as laid down in clause 5.',
    ])
    expect(tierClauses(permit(UNTIL))).toEqual([])
  })
})
