/** What a person may answer for as consumer although this connector does not understand it, and what nobody may. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../connector/core/types.js'
import { inWords } from '../../connector/services/agreements.js'
import { offerHash, peerUnder, planOf } from '../../connector/services/contract.js'
import { requestContract } from '../../connector/services/negotiation-consumer.js'
import { acceptOffer } from '../../connector/services/negotiation-person.js'
import { notUnderstoodWords } from '../../connector/services/not-understood.js'
import { offerInWords } from '../../connector/services/operator-partners.js'
import { arrive, createWorld, refusal, type World } from './world.js'

const NS = 'https://foreign.example/ns#'
const UNTIL = { leftOperand: 'odrl:dateTime', operator: 'lt', rightOperand: '2028-01-01T00:00:00Z' }
const HUMID = { leftOperand: `${NS}humidity`, operator: 'lteq', rightOperand: '40' }
const SETTLE = { action: `${NS}settle` }
const permission = (...constraint: readonly JsonObject[]) => [{ action: 'use', constraint }]
const STRANGE: JsonObject = { permission: permission(UNTIL, HUMID), obligation: [SETTLE] }

let world: World
beforeEach(async () => {
  world = await createWorld({})
  await world.consumer.store().putPartner({ ...world.consumer.partner(), seal: 'offer' })
})
afterEach(() => world[Symbol.asyncDispose]())

const offerOf = (terms: JsonObject): JsonObject => ({
  '@id': 'strange',
  '@type': 'Offer',
  target: 'press-7',
  ...terms,
})
const ask = (terms: JsonObject, approved?: string) => {
  const { deps, partner } = world.consumer
  const m = { partner: partner(), datasetId: 'press-7', offer: offerOf(terms) }
  return requestContract(deps, { ...m, ...(approved !== undefined && { approved }) })
}
const askAccepting = (terms: JsonObject) => ask(terms, offerHash(offerOf(terms)))
const agreementOn = (terms: JsonObject, id = 'urn:uuid:agreement'): JsonObject => ({
  '@id': id,
  '@type': 'Agreement',
  target: 'press-7',
  assigner: world.provider.did,
  assignee: world.consumer.did,
  timestamp: '2027-01-04T12:00:00Z',
  ...terms,
})
const agree = (terms: JsonObject) => {
  const { pid } = world.consumer.negotiation()
  const body = {
    '@type': 'ContractAgreementMessage',
    providerPid: 'urn:uuid:theirs',
    consumerPid: pid,
    agreement: agreementOn(terms),
  }
  const path = `/dsp/negotiations/${encodeURIComponent(pid)}/agreement`
  return arrive(world.consumer, world.provider.did, path, body, 'agreement')
}
const offerToUs = (terms: JsonObject) => {
  const body = {
    '@type': 'ContractOfferMessage',
    providerPid: 'urn:uuid:theirs',
    offer: offerOf(terms),
    callbackAddress: 'https://provider.example/dsp',
  }
  return arrive(world.consumer, world.provider.did, '/dsp/negotiations/offers', body, 'offer')
}

describe('an offer with terms that are not understood', () => {
  it('is refused; each term is named, what accepting means, and the command for exactly these terms', async () => {
    const why = refusal(await ask(STRANGE))
    const hash = offerHash(offerOf(STRANGE)).slice(0, 12)
    expect(why.code).toBe('PolicyUnsupported')
    expect(why.message).toContain(`permission 1, condition 2 [${NS}humidity]; obligation 1 [${NS}settle]`)
    expect(why.message).toContain('no connector checks them, and you answer for keeping them')
    expect(why.message).toContain(
      `handschlag negotiate ${world.provider.did} press-7 ${hash} --accept-not-understood`,
    )
    expect(why.messageDe).toContain(`Erlaubnis 1, Bedingung 2 [${NS}humidity]; Verpflichtung 1 [${NS}settle]`)
    expect(why.messageDe).toContain('Sie stehen dafür ein')
    expect(world.consumer.store().list('negotiation')).toEqual([])
  })

  it('names a dataset so that a shell takes it as one word', async () => {
    const { deps, partner } = world.consumer
    const offer = { ...offerOf(STRANGE), target: "x'; rm -rf ~" }
    const why = refusal(await requestContract(deps, { partner: partner(), datasetId: offer.target, offer }))
    expect(why.message).toContain(`'x'\\''; rm -rf ~' `)
  })

  it('becomes a contract when a person accepts exactly it, also over a restart, and is labelled so', async () => {
    expect(await askAccepting(STRANGE)).toMatchObject({ ok: true })
    await world.consumer.restart()
    expect(await agree(STRANGE)).toMatchObject({ ok: true, value: { agreementId: 'urn:uuid:agreement' } })
    await world.consumer.restart()
    const agreement = world.consumer.agreement()
    expect(agreement).toMatchObject({ tier: 3, notUnderstood: true, planHash: expect.any(String) })
    expect(planOf(agreement)).toMatchObject({ value: { notAfter: Date.parse('2028-01-01T00:00:00Z') } })
    const labels = inWords(agreement.body, { peer: peerUnder(agreement) }).map(
      ({ enforcement }) => enforcement,
    )
    const unread = {
      en: 'not understood by this connector; agreed by contract only',
      de: 'von diesem Connector nicht verstanden; nur vertraglich vereinbart',
    }
    expect(labels.slice(2)).toEqual([unread, unread])
    expect(labels.slice(0, 2)).not.toContainEqual(unread)
  })

  it('is a contract of ours alone: without the word of a person, or as provider, nothing can be kept under it', async () => {
    await askAccepting(STRANGE)
    await agree(STRANGE)
    const { notUnderstood: _, ...without } = world.consumer.agreement()
    expect(refusal(planOf(without)).code).toBe('PolicyUnsupported')
    const provided = { ...world.consumer.agreement(), role: 'provider' } as const
    expect(peerUnder(provided)).toBe('unproven')
    expect(refusal(planOf(provided)).code).toBe('PolicyUnsupported')
  })

  it('is refused when other terms were read', async () => {
    const read = offerHash(offerOf({ permission: permission(UNTIL, HUMID) }))
    expect(refusal(await ask(STRANGE, read)).code).toBe('PolicyUnsupported')
  })

  it.each<[string, JsonObject]>([
    [
      'condition',
      { ...STRANGE, permission: permission(UNTIL, HUMID, { ...HUMID, leftOperand: `${NS}wind` }) },
    ],
    ['duty', { ...STRANGE, obligation: [SETTLE, { action: `${NS}bow` }] }],
    ['value', { ...STRANGE, permission: permission(UNTIL, { ...HUMID, rightOperand: '30' }) }],
  ])('binds the provider: an agreement with another %s is refused', async (_, other) => {
    await askAccepting(STRANGE)
    expect(refusal(await agree(other)).code).toBe('AgreementDiffers')
    expect(world.consumer.store().agreements()).toEqual([])
    expect(world.consumer.negotiation().state).toBe('TERMINATED')
  })

  it('is accepted anew when the partner counters with other terms', async () => {
    await askAccepting(STRANGE)
    const { consumer, provider } = world
    const { pid } = consumer.negotiation()
    const offer = offerOf({ ...STRANGE, obligation: [SETTLE, { action: `${NS}bow` }] })
    const body = {
      '@type': 'ContractOfferMessage',
      providerPid: 'urn:uuid:theirs',
      consumerPid: pid,
      offer,
    }
    const path = `/dsp/negotiations/${encodeURIComponent(pid)}/offers`
    expect(await arrive(consumer, provider.did, path, body, 'counter')).toMatchObject({ ok: true })
    expect(consumer.negotiation().awaiting?.detail).toContain(`obligation 2 [${NS}bow]`)
    const why = refusal(await acceptOffer(consumer.deps, pid, offerHash(offer)))
    expect(why.message).toContain('--accept-not-understood')
    expect(await acceptOffer(consumer.deps, pid, offerHash(offer), true)).toMatchObject({ ok: true })
  })

  it.each<[string, JsonObject]>([
    ['an operator', { permission: permission({ ...UNTIL, operator: `${NS}around` }) }],
    ['a value', { permission: permission({ ...UNTIL, rightOperand: 'next Tuesday' }) }],
    ['an alternative', { permission: permission({ or: [UNTIL, HUMID] }) }],
    ['a prohibited action', { permission: permission(UNTIL), prohibition: [{ action: `${NS}sing` }] }],
    [
      'a condition of a prohibition',
      { permission: permission(), prohibition: [{ action: 'use', constraint: [HUMID] }] },
    ],
    ['a duty before use', { permission: [{ action: 'use', duty: [{ action: `${NS}pray` }] }] }],
    [
      'a condition of an obligation',
      { permission: permission(), obligation: [{ action: 'odrl:delete', constraint: [HUMID] }] },
    ],
    ['a profile', { profile: ['https://foreign.example/profile'], permission: permission(UNTIL) }],
  ])('may hold %s, for which a person answers', async (_, terms) => {
    expect(refusal(await ask(terms)).message).toContain('--accept-not-understood')
    expect(await askAccepting(terms)).toMatchObject({ ok: true })
    expect(await agree(terms)).toMatchObject({ ok: true, value: { agreementId: 'urn:uuid:agreement' } })
  })

  it.each<[string, JsonObject]>([
    ['a permitted action that is not understood', { permission: [{ action: `${NS}look` }] }],
    ['a member that cannot be read', { permission: [{ action: 'use', [`${NS}mood`]: 'good' }] }],
    [
      'a condition without an operator',
      { permission: permission({ leftOperand: `${NS}x`, rightOperand: '1' }) },
    ],
    [
      'a remedy',
      { permission: permission(), obligation: [{ ...SETTLE, remedy: [{ action: 'odrl:delete' }] }] },
    ],
    ['a profile that cannot be read', { profile: [`${NS}p`, { version: 2 }], permission: permission() }],
    ['a prohibition of the use', { permission: permission(HUMID), prohibition: [{ action: 'use' }] }],
    ['no permission', { obligation: [SETTLE] }],
  ])('is refused whatever a person says when it holds %s', async (_, terms) => {
    expect(refusal(await ask(terms)).message).not.toContain('--accept-not-understood')
    expect(refusal(await askAccepting(terms)).code).toBe('PolicyUnsupported')
    expect(offerInWords(offerOf(terms), world.consumer.partner(), () => undefined)).toMatchObject({
      acceptable: false,
    })
  })

  it('is denied by the terms that are understood, as any other', async () => {
    const past = { ...UNTIL, rightOperand: '2020-01-01T00:00:00Z' }
    expect(refusal(await askAccepting({ permission: permission(past, HUMID) })).code).toBe('PolicyDenied')
  })
})

describe('an offer of the provider with terms that are not understood', () => {
  it('waits for a person and says so; the person accepts exactly the terms that were read', async () => {
    await offerToUs(STRANGE)
    const { consumer } = world
    const { pid, offer, awaiting } = consumer.negotiation()
    expect(awaiting).toMatchObject({
      because: 'offer',
      detail: `This connector does not understand all of it: permission 1, condition 2 [${NS}humidity]; obligation 1 [${NS}settle].`,
      detailDe: expect.stringContaining('versteht nicht alles'),
    })
    const read = offerHash(offer)
    const why = refusal(await acceptOffer(consumer.deps, pid, read))
    expect(why.message).toContain(
      `handschlag negotiation accept ${pid} ${read.slice(0, 12)} --accept-not-understood`,
    )
    expect(refusal(await acceptOffer(consumer.deps, pid, undefined, true)).code).toBe('PolicyUnsupported')
    expect(refusal(await acceptOffer(consumer.deps, pid, 'f'.repeat(64), true)).code).toBe('Conflict')
    expect(consumer.negotiation()).toMatchObject({ state: 'OFFERED' })
    expect(consumer.negotiation().approved).toBeUndefined()
    expect(await acceptOffer(consumer.deps, pid, read, true)).toMatchObject({ ok: true })
    expect(consumer.negotiation()).toMatchObject({ pending: 'accept', approved: read })
    const shown = offerInWords(offer, consumer.partner(), () => undefined, consumer.negotiation())
    expect(shown).toMatchObject({ acceptable: true, notUnderstood: [`${NS}humidity`, `${NS}settle`] })
  })

  it('says nothing where all is understood, and where nobody may accept it', () => {
    expect(notUnderstoodWords(offerOf({ permission: permission(UNTIL) }))).toBeUndefined()
    expect(notUnderstoodWords(offerOf({ permission: [{ action: `${NS}look` }] }))).toBeUndefined()
  })
})
