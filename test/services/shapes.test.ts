/** Shape documents in a negotiation: handed over with the terms, or nothing is agreed. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Json } from '../../connector/core/types.js'
import type { ShapeDocument } from '../../connector/policy/shape.js'
import { requestContract } from '../../connector/services/negotiation-consumer.js'
import { acceptOffer, offerContract } from '../../connector/services/negotiation-person.js'
import { addShape, removeShape } from '../../connector/services/shapes.js'
import { begin, createWorld, NOW, refusal, type World } from './world.js'

const IRI = 'https://w3id.org/machine-data-policy/v1#shapeDocument'
const DOCUMENT: ShapeDocument = {
  type: 'https://w3id.org/machine-data-policy/v1#Shape',
  version: '1',
  fields: { force: { valueStep: '5' } },
}
const TEXT =
  '{"fields":{"force":{"valueStep":"5"}},"type":"https://w3id.org/machine-data-policy/v1#Shape","version":"1"}'
// Of that text, by another program.
const HASH = '491d4208b0fa089ef8e1ad292261fd632461e217eb4c1140f866aa9b68e1e8b0'
const OTHER = TEXT.replace('"5"', '"10"')

let world: World
afterEach(() => world[Symbol.asyncDispose]())

async function open() {
  world = await createWorld({ terms: { shape: HASH } })
  await addShape(world.provider.deps, DOCUMENT)
  return world
}

/** Up to the agreement, which arrives with what `change` makes of it. */
async function agreement(change: (body: Record<string, Json>) => void, asked: readonly string[] = [TEXT]) {
  const { provider, consumer } = await open()
  await begin(world, {}, asked)
  await world.exchange(consumer, consumer.next('request'))
  return world.carry(provider, provider.next('agree'), change)
}

describe('an agreement that names a shape document', () => {
  it('is made on it, and both sides keep the document', async () => {
    const { provider, consumer } = await open()
    await begin(world, {}, [TEXT])
    await world.settle()
    expect(consumer.negotiation().state).toBe('FINALIZED')
    for (const side of [provider, consumer]) {
      expect(side.agreement().shapes).toEqual([DOCUMENT])
      expect(side.store().shape(HASH)?.document).toEqual(DOCUMENT)
    }
    expect(provider.store().shape(HASH)?.from).toBeUndefined()
    expect(consumer.store().shape(HASH)?.from).toBe(provider.did)
  })

  it('is signed over the hash of the document, by both sides and in the receipt', async () => {
    const { provider, consumer } = await open()
    const signed: unknown[] = []
    for (const { deps } of [provider, consumer]) {
      const { seals } = deps
      const sign: typeof seals.sign = (m) => {
        signed.push([m.role, m.shapes])
        return seals.sign(m)
      }
      Object.assign(deps, { seals: { ...seals, sign } })
    }
    await begin(world, {}, [TEXT])
    await world.settle()
    expect(consumer.negotiation().state).toBe('FINALIZED')
    expect(signed).toEqual([
      ['provider', [HASH]],
      ['consumer', [HASH]],
      ['receipt', [HASH]],
    ])
  })

  it('carries the document, for a consumer that has lost it', async () => {
    const { provider, consumer } = await open()
    await begin(world, {}, [TEXT])
    await world.exchange(consumer, consumer.next('request'))
    await consumer.store().removeShape(HASH)
    await world.exchange(provider, provider.next('agree'))
    expect(consumer.negotiation()).toMatchObject({ state: 'AGREED', pending: 'verify' })
    expect(consumer.agreement().shapes).toEqual([DOCUMENT])
  })

  it.each([
    ['without it', undefined, 'the partner did not hand it over'],
    ['with another one', OTHER, 'the partner handed over another document'],
    ['with something that is none', '{"a":1,"a":2}', 'a text that is none'],
  ])('is not taken %s', async (_how, text, sentence) => {
    const { provider, consumer } = await open()
    await begin(world, {}, [TEXT])
    await world.exchange(consumer, consumer.next('request'))
    await consumer.store().removeShape(HASH)
    const outcome = await world.carry(provider, provider.next('agree'), (body) => {
      if (text === undefined) delete body[IRI]
      else body[IRI] = text
    })
    expect(refusal(outcome).message).toContain(sentence)
    expect(consumer.negotiation().state).toBe('TERMINATED')
    expect(consumer.store().agreements()).toEqual([])
  })

  it('is not taken when the signature does not cover the document', async () => {
    const outcome = await agreement((body) => {
      // What a signature over no document looks like.
      body['https://w3id.org/machine-data-policy/v1#agreementSignature'] = 'seal:0'
    })
    expect(refusal(outcome).code).toBe('SignatureInvalid')
  })
})

describe('a request on terms that name a shape document', () => {
  it.each([
    ['stands nowhere', [], 'did not hand it over'],
    ['is another one in the catalog', [OTHER], 'handed over another document'],
  ])('is not sent while the document %s', async (_how, shapes, sentence) => {
    const { consumer, provider, offer } = await open()
    const asked = await requestContract(consumer.deps, {
      partner: consumer.partner(),
      datasetId: 'press-7',
      offer,
      shapes,
    })
    expect(refusal(asked).message).toContain(sentence)
    expect(consumer.owed()).toEqual([])
    expect(provider.store().list('negotiation')).toEqual([])
  })
})

describe('an offer to one partner that no catalog shows', () => {
  it('brings its document along, and can be accepted', async () => {
    const { provider, consumer } = await open()
    await offerContract(provider.deps, {
      partner: provider.partner(),
      datasetId: 'press-7',
      proposal: { terms: { shape: HASH, count: 3 } },
    })
    await world.exchange(provider, provider.next('offer'))
    expect((await acceptOffer(consumer.deps, consumer.negotiation().pid)).ok).toBe(true)
    await world.settle()
    expect(consumer.agreement().shapes).toEqual([DOCUMENT])
  })

  it('is not accepted without it', async () => {
    const { provider, consumer } = await open()
    await offerContract(provider.deps, {
      partner: provider.partner(),
      datasetId: 'press-7',
      proposal: { terms: { shape: HASH, count: 3 } },
    })
    await world.carry(provider, provider.next('offer'), (body) => {
      delete body[IRI]
    })
    expect(consumer.negotiation().state).toBe('OFFERED')
    expect(refusal(await acceptOffer(consumer.deps, consumer.negotiation().pid)).message).toContain(
      'did not hand it over',
    )
  })
})

describe('a document', () => {
  it('stays while an offer, an open negotiation or a contract names it', async () => {
    const { provider } = await open()
    const remove = () => removeShape(provider.deps, HASH)
    expect(refusal(await remove()).message).toContain('the offer offer-1')
    await begin(world, {}, [TEXT])
    await world.exchange(world.consumer, world.consumer.next('request'))
    await provider.store().removeOffer('offer-1')
    expect(refusal(await remove()).message).toContain(`the contract ${provider.agreement().id}`)
    expect(refusal(await removeShape(world.consumer.deps, HASH)).message).toContain(
      `the negotiation ${world.consumer.negotiation().pid}`,
    )
  })

  it('goes when nothing does, and is stored once however often it is added', async () => {
    world = await createWorld()
    const { deps, store } = world.provider
    const [first, again] = [await addShape(deps, DOCUMENT), await addShape(deps, { ...DOCUMENT })]
    expect(first.ok && again.ok && [first.value.created, again.value.created]).toEqual([true, false])
    expect(store().shapes()).toEqual([{ hash: HASH, document: DOCUMENT, addedAt: NOW }])
    expect((await removeShape(deps, `urn:sha256:${HASH}`)).ok).toBe(true)
    expect(store().shapes()).toEqual([])
    expect(refusal(await removeShape(deps, HASH)).code).toBe('NotFound')
  })
})
