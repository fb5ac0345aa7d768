import { gunzipSync, gzipSync } from 'node:zlib'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createValidator } from '../../connector/dsp/validate.js'
import { type Dataspace, enc, list, type Member, startDataspace } from '../support/dataspace.js'
import { PUMP_OFFER, pumpDataset } from './parties.js'
import { introduce, message, type Peer, type Sent, startPeer } from './peer.js'
import { publishTank } from './tank.js'

const validate = createValidator()
let space: Dataspace
let member: Member
let peer: Peer
let rival: Peer

const DATASETS = ['a', 'b', 'c', 'd', 'e']

beforeAll(async () => {
  space = await startDataspace([{ name: 'member' }])
  const [first] = space.members
  if (first === undefined) throw new Error('no member')
  member = first
  peer = await startPeer(space)
  rival = await startPeer(space)
  await introduce(member, peer)
  await introduce(member, rival)
})
afterAll(async () => {
  for (const one of [peer, rival]) await one[Symbol.asyncDispose]()
  await space[Symbol.asyncDispose]()
})

type Entry = {
  readonly '@id': string
  readonly hasPolicy: readonly { readonly '@id': string; readonly target?: string }[]
  readonly distribution: readonly { readonly accessService: { readonly endpointURL: string } }[]
}
const entries = (answer: Sent): readonly Entry[] => (answer.json.dataset ?? []) as unknown as readonly Entry[]
const ask = (from: Peer, fields: object = {}, query = '', headers: Readonly<Record<string, string>> = {}) =>
  from.send(member, `/catalog/request${query}`, message('CatalogRequestMessage', fields), { headers })

function refused(answer: Sent, status: number, code: string): string {
  expect([answer.status, answer.json.code, answer.text]).toEqual([status, code, answer.text])
  expect(validate('CatalogError', answer.json, 'outgoing')).toMatchObject({ ok: true })
  return (answer.json.reason as readonly string[]).join(' ')
}

describe('as provider', () => {
  it('answers without a list of datasets while there is nothing to offer', async () => {
    const answer = await ask(peer)
    expect(answer.status).toBe(200)
    expect(validate('Catalog', answer.json, 'outgoing').ok).toBe(true)
    expect(answer.json).not.toHaveProperty('dataset')
    expect(answer.json.service).toHaveLength(1)
    for (const id of DATASETS) {
      await publishTank(member, space.folder, { [`${id}-open`]: {} }, id)
    }
    await publishTank(member, space.folder, { secret: { recipients: [rival.did] } }, 'for-rival')
    await publishTank(
      member,
      space.folder,
      { 'mixed-open': {}, 'mixed-rival': { recipients: [rival.did] } },
      'mixed',
    )
    await publishTank(member, space.folder, { 'late-offer': {} }, 'withdrawn')
    await member.post('/api/v1/datasets/withdrawn/unpublish')
  })

  it('CAT:01-01 lists its datasets with offers, distributions and the service that leads to them', async () => {
    const answer = await ask(peer)
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(validate('Catalog', answer.json, 'outgoing').ok).toBe(true)
    expect(answer.json.participantId).toBe(member.did)
    const all = entries(answer)
    expect(all.map((entry) => entry['@id'])).toEqual([...DATASETS, 'mixed'])
    const offers = all.flatMap((entry) => entry.hasPolicy)
    expect(new Set(offers.map((offer) => offer['@id'])).size).toBe(offers.length)
    for (const offer of offers) expect(offer).not.toHaveProperty('target')
    for (const entry of all) {
      const [distribution] = entry.distribution
      expect(distribution?.accessService.endpointURL).toBe(`${member.config.publicUrl}/dsp`)
    }
  })

  it('CAT:01-02 shows one dataset', async () => {
    const answer = await peer.send(member, '/catalog/datasets/a')
    expect(answer.status).toBe(200)
    expect(validate('Dataset', answer.json, 'outgoing').ok).toBe(true)
    expect(answer.json['@id']).toBe('a')
    expect((await peer.send(member, '/catalog/datasets/a/')).json).toEqual(answer.json)
  })

  it('CAT:01-03 answers a CatalogError for a dataset that does not exist, is hidden, or is not published', async () => {
    for (const id of ['nothing', 'for-rival', 'withdrawn', '..%2f..%2fetc']) {
      const answer = await peer.send(member, `/catalog/datasets/${id}`)
      expect(refused(answer, 404, 'NotFound')).toBe('There is no such dataset for you.')
    }
  })

  it('shows each partner only what it may have', async () => {
    const mine = entries(await ask(peer)).flatMap((entry) => entry.hasPolicy.map((offer) => offer['@id']))
    const theirs = entries(await ask(rival)).flatMap((entry) => entry.hasPolicy.map((offer) => offer['@id']))
    expect(mine).not.toContain('secret')
    expect(mine).not.toContain('mixed-rival')
    expect(theirs).toEqual([...mine.slice(0, DATASETS.length), 'secret', 'mixed-open', 'mixed-rival'])
    expect((await ask(peer)).text).not.toContain(rival.did)
    expect((await rival.send(member, '/catalog/datasets/for-rival')).status).toBe(200)
  })

  describe('pages', () => {
    const query = { '@type': 'QuerySpec', offset: 0, limit: 2, filterExpression: [] }
    type Page = { readonly ids: readonly string[]; readonly next: string; readonly previous: string }
    /** The page at a place, and the places that its Link header leads to. */
    const pageAt = async (place: string): Promise<Page> => {
      const answer = await ask(peer, { filter: [query] }, place)
      expect(answer.status).toBe(200)
      const to: Record<string, string> = {}
      for (const link of String(answer.headers.link ?? '').split(', ')) {
        const [, target, rel] = /^<(https:[^>]*)>; rel="(next|previous)"$/.exec(link) ?? []
        if (target === undefined || rel === undefined) expect(link).toBe('')
        else {
          expect(target).toMatch(`${member.config.publicUrl}/dsp/catalog/request?`)
          to[rel] = new URL(target).search
        }
      }
      const ids = entries(answer).map((entry) => entry['@id'])
      return { ids, next: to.next ?? '', previous: to.previous ?? '' }
    }
    const walk = async (from: Page, by: 'next' | 'previous'): Promise<readonly Page[]> => {
      const pages = [from]
      for (let at = from; at[by] !== '' && pages.length < 10; ) {
        at = await pageAt(at[by])
        pages.push(at)
      }
      return pages
    }

    it('with Link headers that lead through every dataset once, forwards and back again', async () => {
      const forwards = await walk(await pageAt(''), 'next')
      expect(forwards.map((page) => page.ids)).toEqual([
        ['a', 'b'],
        ['c', 'd'],
        ['e', 'mixed'],
      ])
      const back = await walk(forwards.at(-1) as Page, 'previous')
      expect(back.map((page) => page.ids)).toEqual([
        ['e', 'mixed'],
        ['c', 'd'],
        ['a', 'b'],
      ])
      const [first, last] = [forwards[0], forwards.at(-1)]
      expect([first?.previous, last?.next]).toEqual(['', ''])
      // Whoever has gone back can go forwards again from there.
      expect((await pageAt(back[1]?.next ?? '')).ids).toEqual(['e', 'mixed'])
    })

    it('with an answer for places that lead nowhere', async () => {
      for (const place of ['?after=zzz', '?before=', '?before=a', '?after=a&after=b', '?page=2']) {
        const { status, json } = await ask(peer, {}, place)
        expect([place, status, validate('Catalog', json, 'outgoing').ok]).toEqual([place, 200, true])
      }
    })
  })

  it('compresses for partners that ask for it', async () => {
    const plain = await ask(peer)
    expect(plain.headers).not.toHaveProperty('content-encoding')
    const answer = await request(`${member.config.publicUrl}/dsp/catalog/request`, {
      method: 'POST',
      headers: {
        authorization: peer.token(member.did),
        'content-type': 'application/json',
        'accept-encoding': 'gzip, deflate',
      },
      body: JSON.stringify(message('CatalogRequestMessage', {})),
      dispatcher: peer.agent,
    })
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    expect([answer.statusCode, answer.headers['content-encoding']]).toEqual([200, 'gzip'])
    expect(JSON.parse(gunzipSync(bytes).toString())).toEqual(plain.json)
  })

  it('takes the filter that EDC always sends, keeps simple criteria, and refuses what it cannot keep', async () => {
    const spec = (more: object) => [{ '@type': 'QuerySpec', offset: 0, limit: 50, sortOrder: 'ASC', ...more }]
    const found = async (filter: object) =>
      list((await ask(peer, { filter })).json, 'dataset').map((one) => one['@id'])
    const everything = list((await ask(peer)).json, 'dataset').map((one) => String(one['@id']))
    expect(await found(spec({ filterExpression: [] }))).toEqual(everything)
    const [first = '', second = ''] = everything
    const by = (operator: string, operandRight: unknown, operandLeft = 'id') =>
      spec({ filterExpression: [{ operandLeft, operator, operandRight }] })
    expect(await found(by('=', first))).toEqual([first])
    expect(await found(by('in', [second, 'none', first], 'https://w3id.org/edc/v0.0.1/ns/id'))).toEqual([
      first,
      second,
    ])
    expect(await found(by('=', 'none'))).toEqual([])
    expect(await found(spec({ offset: 1, limit: 1 }))).toEqual([second])
    for (const filter of [by('>', 'a'), by('=', 'a', 'unheardOf'), [{ anything: 'else' }], ['SELECT 1']]) {
      const sentence = refused(await ask(peer, { filter }), 400, 'InvalidMessage')
      expect(sentence).toMatch(/^The filter is not supported: /)
    }
  })
})

describe('as consumer', () => {
  const path = () => `/api/v1/partners/${enc(peer.did)}/catalog`
  const page = (ids: readonly string[], participantId: string = peer.did) =>
    message('Catalog', {
      '@id': 'urn:catalog',
      participantId,
      service: [{ '@id': 'urn:service', '@type': 'DataService', endpointURL: peer.address }],
      ...(ids.length === 0
        ? {}
        : {
            dataset: ids.map((id) => ({
              ...pumpDataset([{ ...PUMP_OFFER, '@id': `${id}-offer` }], id),
              '@type': 'Dataset',
            })),
          }),
    })

  it('reads all pages, whether their links are absolute or relative', async () => {
    const links: Readonly<Record<string, string>> = {
      '': `<${peer.address}/catalog/request?page=2>; rel="next", <https://localhost/first>; rel="first"`,
      '?page=2': '</partner/v1/dsp/catalog/request?page=3>; rel=next',
      '?page=3': `<${peer.address}/catalog/request?page=2>; rel="prev"`,
    }
    peer.script((m) => {
      const query = m.path.slice('/partner/v1/dsp/catalog/request'.length)
      return { body: page([`pump${query.at(-1) ?? 1}`]), headers: { link: links[query] ?? '' } }
    })
    const { datasets } = await member.get(path())
    expect((datasets as unknown as readonly { id: string }[]).map(({ id }) => id)).toEqual([
      'pump1',
      'pump2',
      'pump3',
    ])
  })

  it('reads what stands before a page from the middle, by either name of the relation', async () => {
    for (const name of ['previous', 'prev', 'first prev', 'PREVIOUS']) {
      const links: Readonly<Record<string, string>> = {
        '': `<?page=2>; rel="${name}", <?page=4>;title="on, and on";  rel = "next"`,
        '?page=2': `<?page=1>; rel="${name}", <${peer.address}/catalog/request>; rel="next"`,
        '?page=1': '<?page=2>; rel="next"',
        '?page=4': `<${peer.address}/catalog/request>; rel="${name}"`,
      }
      peer.script((m) => {
        const query = m.path.slice('/partner/v1/dsp/catalog/request'.length)
        return { body: page([`pump${query.at(-1) ?? 3}`]), headers: { link: links[query] ?? '' } }
      })
      const { datasets } = await member.get(path())
      expect((datasets as unknown as readonly { id: string }[]).map(({ id }) => id)).toEqual([
        'pump1',
        'pump2',
        'pump3',
        'pump4',
      ])
    }
  })

  it('asks for gzip, and reads what comes packed', async () => {
    const asked: string[] = []
    peer.script((m) => {
      asked.push(m.encodings)
      return { body: gzipSync(JSON.stringify(page(['packed']))), headers: { 'content-encoding': 'gzip' } }
    })
    expect(list(await member.get(path()), 'datasets').map(({ id }) => id)).toEqual(['packed'])
    expect(asked).toEqual(['gzip'])
  })

  it('does not unpack without end', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, ' '))
    peer.script(() => ({ body: bomb, headers: { 'content-encoding': 'gzip' } }))
    const refusal = await member.refused(member.api.get(path()))
    expect(refusal.message).toMatch(/ is larger than 16777216 bytes and was not read to the end\.$/)
  })

  it('does not follow a page to another host, where its token has no business', async () => {
    const before = rival.received.length
    peer.script(() => ({
      body: page(['pump']),
      headers: { link: `<${rival.address}/catalog/request>; rel="next"` },
    }))
    expect(list(await member.get(path()), 'datasets')).toHaveLength(1)
    expect(rival.received).toHaveLength(before)
  })

  it('ends with pages that never end, and with pages that lead in a circle', async () => {
    const reads = async (next: (n: number) => string) => {
      const before = peer.received.length
      peer.script(() => ({
        body: page([]),
        headers: { link: `<${peer.address}/catalog/request${next(peer.received.length)}>; rel="next"` },
      }))
      const { datasets, complete } = await member.get(path())
      expect(datasets).toEqual([])
      return [peer.received.length - before, complete]
    }
    expect(await reads((n) => `?page=${n}`)).toEqual([200, false])
    expect(await reads(() => '?again')).toEqual([2, true])
    expect(await reads(() => '')).toEqual([1, true])
  })

  it('ends with pages that are long, before they fill the memory', async () => {
    const before = peer.received.length
    const long = { ...page([]), 'https://example.com/ns#much': 'x'.repeat(12 * 1024 * 1024) }
    const packed = gzipSync(JSON.stringify(long))
    peer.script(() => ({
      body: packed,
      headers: {
        'content-encoding': 'gzip',
        link: `<${peer.address}/catalog/request?page=${peer.received.length}>; rel="next"`,
      },
    }))
    expect((await member.get(path())).complete).toBe(false)
    expect(peer.received.length - before).toBe(3)
  })

  it('says what is wrong with an answer that it cannot use', async () => {
    const cases: readonly (readonly [Parameters<Peer['script']>[0], string])[] = [
      [
        () => ({ status: 404 }),
        'peer answered 404. Probably it does not trust you yet, or the address is wrong.',
      ],
      [() => ({ status: 503 }), 'peer answered 503.'],
      [
        () => ({ status: 302, headers: { location: `${rival.address}/catalog/request` } }),
        'peer answered 302.',
      ],
      [
        () => ({ status: 401, body: message('CatalogError', { code: 'x', reason: ['Set your clock.'] }) }),
        'peer answered 401: Set your clock.',
      ],
      [
        () => ({ body: '<html>' }),
        "The partner's answer cannot be used. The body is not JSON: unexpected token '<'.",
      ],
      [
        () => ({ body: page([], 'did:web:somebody.example.com') }),
        "The partner's answer cannot be used. It names did:web:somebody.example.com as its participant.",
      ],
      [
        () => ({ body: { ...page([]), dataset: [{ '@id': 'x' }] } }),
        "The partner's answer cannot be used. Catalog is not valid: dataset[0].@type is missing; dataset[0].hasPolicy is missing; dataset[0].distribution is missing.",
      ],
    ]
    for (const [script, sentence] of cases) {
      peer.script(script)
      const refusal = await member.refused(member.api.get(path()))
      expect(refusal.message).toBe(sentence)
    }
    expect(rival.received).toEqual([])
  })
})
