/** What stands in our catalog, what a partner's catalog is read for, and how both go over the line. */
import { gunzipSync } from 'node:zlib'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FORMATS } from '../../connector/domain/transfer.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { type Answer, type Dataspace, enc, list, type Member, startDataspace } from '../support/dataspace.js'
import { PUMP_OFFER, pumpDataset } from './parties.js'
import { introduce, message, type Peer, startPeer } from './peer.js'
import { publishTank } from './tank.js'

const validate = createValidator()
let space: Dataspace
let member: Member
let peer: Peer
/** Whose catalog is full of things of others. */
let seller: Peer

beforeAll(async () => {
  space = await startDataspace([{ name: 'member' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  await publishTank(member, space.folder, { open: {}, slow: { samplingInterval: 'PT10S' } })
  await publishTank(member, space.folder, { second: {} }, 'tank-2')
  peer = await startPeer(space)
  seller = await startPeer(space)
  await introduce(member, peer)
  await introduce(member, seller, { name: 'seller' })
})
afterAll(async () => {
  for (const one of [peer, seller]) await one[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

type Entry = {
  readonly '@id': string
  readonly hasPolicy: readonly Answer[]
  readonly distribution: readonly {
    readonly '@type': string
    readonly format: string
    readonly accessService: Answer
  }[]
}
const catalog = () => peer.send(member, '/catalog/request', message('CatalogRequestMessage', {}))
const datasets = async () => (await catalog()).json.dataset as unknown as readonly Entry[]

describe('our catalog', () => {
  it('names the data service, and each dataset a distribution of it for every format', async () => {
    const { json } = await catalog()
    const service = {
      '@id': `${member.did}#dsp`,
      '@type': 'DataService',
      endpointURL: `${member.config.publicUrl}/dsp`,
    }
    expect(json.service).toEqual([service])
    const all = await datasets()
    expect(all.map((entry) => entry['@id'])).toEqual(['tank', 'tank-2'])
    for (const { distribution } of all) {
      expect(distribution.map((one) => [one['@type'], one.format, one.accessService])).toEqual(
        FORMATS.map((format) => ['Distribution', format, service]),
      )
    }
    expect(FORMATS).toContain('HttpData-PULL')
  })

  it('has at least one offer for each dataset, each with an id of its own and without a target, in whole and in part', async () => {
    const offers = (await datasets()).map(({ hasPolicy }) => hasPolicy)
    expect(offers.map((some) => some.map((offer) => offer['@id']))).toEqual([['open', 'slow'], ['second']])
    const text = JSON.stringify(offers)
    expect(text).not.toContain('"target"')
    for (const offer of offers.flat()) expect(offer).toMatchObject({ '@type': 'Offer', assigner: member.did })
    // One dataset on its own has the very same.
    const one = await peer.send(member, '/catalog/datasets/tank')
    expect(one.json.hasPolicy).toEqual(offers[0])
  })

  it('can have no two offers of one id, in whatever datasets', async () => {
    for (const dataset of ['tank', 'tank-2']) {
      const refusal = await member.refused(
        member.api.post(`/api/v1/datasets/${dataset}/offers`, { id: 'open', terms: {} }),
      )
      expect(refusal).toEqual({
        code: 'Conflict',
        message: 'There is already an offer open; offers do not change, add a new one.',
      })
    }
  })

  it('holds nothing of others: we are no broker, whatever a partner offers to us', async () => {
    const theirs = {
      '@id': 'urn:somebody:catalog',
      '@type': 'Catalog',
      service: [{ '@id': 'urn:s', '@type': 'DataService', endpointURL: 'https://somebody.example.com/dsp' }],
      dataset: [{ ...pumpDataset([PUMP_OFFER], 'of-somebody-else'), '@type': 'Dataset' }],
    }
    seller.script(() => ({
      body: message('Catalog', {
        '@id': 'urn:seller',
        participantId: seller.did,
        service: [{ '@id': 'urn:service', '@type': 'DataService', endpointURL: seller.address }],
        dataset: [{ ...pumpDataset([PUMP_OFFER], 'of-the-seller'), '@type': 'Dataset' }],
        catalog: [theirs],
      }),
    }))
    // Read from the seller: what is its own. A catalog within it belongs to somebody whom nobody here has decided to trust.
    const read = list(await member.get(`/api/v1/partners/${enc(seller.did)}/catalog`), 'datasets')
    expect(read.map(({ id }) => id)).toEqual(['of-the-seller'])
    const answer = await catalog()
    expect(answer.json).not.toHaveProperty('catalog')
    for (const word of ['seller', 'somebody']) expect(answer.text).not.toContain(word)
    expect((await peer.send(member, '/catalog/datasets/of-the-seller')).status).toBe(404)
  })
})

describe('packing', () => {
  const asked = (path: string, encodings: string | undefined, body?: object) =>
    request(`${member.config.publicUrl}/dsp${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: peer.token(member.did),
        ...(encodings === undefined ? {} : { 'accept-encoding': encodings }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      dispatcher: peer.agent,
    })

  it.each([
    ['gzip', 'gzip'],
    ['gzip, deflate, br', 'gzip'],
    ['br;q=1.0, gzip;q=0.8', 'gzip'],
    [undefined, undefined],
    ['identity', undefined],
    ['br', undefined],
    ['gzip;q=0', undefined],
    ['identity, gzip;q=0', undefined],
  ] as const)('is done as Accept-Encoding says: %s', async (encodings, expected) => {
    const plain = (await catalog()).text
    const answer = await asked('/catalog/request', encodings, message('CatalogRequestMessage', {}))
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    expect([answer.statusCode, answer.headers['content-encoding'], answer.headers.vary]).toEqual([
      200,
      expected,
      'Accept-Encoding',
    ])
    expect((expected === undefined ? bytes : gunzipSync(bytes)).toString()).toBe(plain)
    if (expected !== undefined) expect(bytes.byteLength).toBeLessThan(plain.length / 2)
  })

  it('is not worth it for a short answer, and is never done to an error', async () => {
    for (const path of ['/catalog/datasets/nothing', '/negotiations/urn:uuid:nothing']) {
      const answer = await asked(path, 'gzip')
      expect([answer.statusCode, answer.headers['content-encoding']]).toEqual([404, undefined])
      expect(JSON.parse(await answer.body.text()).code).toBe('NotFound')
    }
  })
})

describe('the catalog of a partner', () => {
  const entry = (id: string, more: object, formats: readonly string[] = ['HttpData-PULL']) => ({
    ...pumpDataset([{ ...PUMP_OFFER, '@id': `${id}-offer` }], id),
    '@type': 'Dataset',
    distribution: formats.map((format) => ({
      '@type': 'Distribution',
      format,
      accessService: { '@id': 'urn:service', '@type': 'DataService', endpointURL: seller.address },
    })),
    ...more,
  })
  const found = async (query: string) => {
    const answer = await member.get(`/api/v1/partners/${enc(seller.did)}/catalog${query}`)
    return list(answer, 'datasets').map(({ id }) => id)
  }

  it('can be searched by words, keyword and format, over all of its pages', async () => {
    const pages = [
      [
        entry('pump-7', {
          'http://purl.org/dc/terms/title': 'Pump 7',
          'http://www.w3.org/ns/dcat#keyword': ['pump', 'Cooling'],
        }),
        entry('press-1', { 'http://purl.org/dc/terms/description': 'Pressure of the pump station' }),
      ],
      [entry('robot-3', { 'http://www.w3.org/ns/dcat#keyword': 'Cooling' }, ['HttpData-PUSH'])],
    ]
    seller.script((m) => ({
      body: message('Catalog', {
        '@id': 'urn:seller',
        participantId: seller.did,
        service: [{ '@id': 'urn:service', '@type': 'DataService', endpointURL: seller.address }],
        dataset: pages[m.path.endsWith('?page=2') ? 1 : 0],
      }),
      headers: { link: m.path.endsWith('?page=2') ? '' : '<?page=2>; rel="next"' },
    }))
    expect(await found('')).toEqual(['pump-7', 'press-1', 'robot-3'])
    expect(await found('?text=pump')).toEqual(['pump-7', 'press-1'])
    expect(await found('?text=PUMP%20station')).toEqual(['press-1'])
    expect(await found('?keyword=cooling')).toEqual(['pump-7', 'robot-3'])
    expect(await found('?format=HttpData-PUSH')).toEqual(['robot-3'])
    expect(await found('?keyword=cooling&text=pump&format=HttpData-PULL')).toEqual(['pump-7'])
    expect(await found('?text=nothing')).toEqual([])
    // The search is ours: the partner is asked the same whatever is looked for.
    expect(
      new Set(seller.received.filter(({ method }) => method === 'POST').map(({ text }) => text)).size,
    ).toBe(1)
    for (const { body } of seller.received) {
      if (body['@type'] !== undefined) {
        expect(validate('CatalogRequestMessage', body, 'outgoing').ok).toBe(true)
        expect(body).not.toHaveProperty('filter')
      }
    }
  })
})
