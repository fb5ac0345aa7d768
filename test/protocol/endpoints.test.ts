/** Every endpoint of both roles: which status and which body an answer has, whoever asks and whatever is sent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MessageName } from '../../connector/dsp/messages.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { ended } from '../support/dataspace.js'
import { dataAddress, newPid, type Pids, PUMP_OFFER } from './parties.js'
import { message, type Sent } from './peer.js'
import { openScene, type Scene } from './scene.js'

const validate = createValidator()
let scene: Scene
let member: Scene['member']
let peer: Scene['peer']
let rival: Scene['rival']
let consumer: Scene['consumer']
let provider: Scene['provider']

beforeAll(async () => {
  scene = await openScene()
  ;({ member, peer, rival, consumer, provider } = scene)
})
afterAll(() => scene[Symbol.asyncDispose]())

type ErrorName = 'CatalogError' | 'ContractNegotiationError' | 'TransferError'
type Endpoint = {
  readonly method: 'GET' | 'POST'
  /** `:pid` stands for our own pid of the process. */
  readonly path: string
  /** Type of the message that belongs there. */
  readonly type?: string
  readonly error: ErrorName
}

const negotiation = (path: string, type?: string): Endpoint => ({
  method: type === undefined ? 'GET' : 'POST',
  path,
  ...(type === undefined ? {} : { type }),
  error: 'ContractNegotiationError',
})
const transfer = (path: string, type?: string): Endpoint => ({
  ...negotiation(path, type),
  error: 'TransferError',
})

/** DSP 2025-1, the HTTPS bindings: the paths of both roles. */
const ENDPOINTS: readonly Endpoint[] = [
  { method: 'POST', path: '/catalog/request', type: 'CatalogRequestMessage', error: 'CatalogError' },
  { method: 'GET', path: '/catalog/datasets/:pid', error: 'CatalogError' },
  negotiation('/negotiations/:pid'),
  negotiation('/negotiations/request', 'ContractRequestMessage'),
  negotiation('/negotiations/:pid/request', 'ContractRequestMessage'),
  negotiation('/negotiations/offers', 'ContractOfferMessage'),
  negotiation('/negotiations/:pid/offers', 'ContractOfferMessage'),
  negotiation('/negotiations/:pid/agreement', 'ContractAgreementMessage'),
  negotiation('/negotiations/:pid/agreement/verification', 'ContractAgreementVerificationMessage'),
  negotiation('/negotiations/:pid/events', 'ContractNegotiationEventMessage'),
  negotiation('/negotiations/:pid/termination', 'ContractNegotiationTerminationMessage'),
  transfer('/transfers/:pid'),
  transfer('/transfers/request', 'TransferRequestMessage'),
  transfer('/transfers/:pid/start', 'TransferStartMessage'),
  transfer('/transfers/:pid/suspension', 'TransferSuspensionMessage'),
  transfer('/transfers/:pid/completion', 'TransferCompletionMessage'),
  transfer('/transfers/:pid/termination', 'TransferTerminationMessage'),
]

/** A valid message for the endpoint, about the given process. */
function valid(type: string, { providerPid, consumerPid }: Pids): object {
  const both = { providerPid, consumerPid }
  const offer = { ...PUMP_OFFER, target: 'pump' }
  const agreement = { ...PUMP_OFFER, '@id': newPid(), '@type': 'Agreement', target: 'pump' }
  const parties = { assigner: 'did:web:a', assignee: 'did:web:b', timestamp: '2026-01-01T00:00:00Z' }
  const fields: Readonly<Record<string, object>> = {
    ContractRequestMessage: { ...both, offer },
    ContractOfferMessage: { ...both, offer },
    ContractAgreementMessage: { ...both, agreement: { ...agreement, ...parties } },
    ContractNegotiationEventMessage: { ...both, eventType: 'ACCEPTED' },
  }
  return message(type, fields[type] ?? both)
}

/** Also checks that the body is the error of that part of the specification, as application/json. */
function refusedAs(error: ErrorName, answer: Sent, what: unknown): string {
  expect([what, answer.headers['content-type']]).toEqual([what, 'application/json; charset=utf-8'])
  expect([what, answer.json['@type']]).toEqual([what, error])
  expect([what, validate(error, answer.json, 'outgoing')]).toMatchObject([what, { ok: true }])
  return `${answer.status} ${answer.json.code}`
}

const kindOf = ({ path }: Endpoint) => (path.startsWith('/transfers') ? 'transfers' : 'negotiations')

describe('what is not a valid message', () => {
  const bodies = (type: string): readonly (readonly [string, string])[] => [
    ['nothing', ''],
    ['no JSON', '{"@type": '],
    ['a list', '[]'],
    ['a text', '"hello"'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['another message', JSON.stringify(message('TransferProcess', { state: 'STARTED' }))],
    ['no context', JSON.stringify({ '@type': type, providerPid: newPid(), consumerPid: newPid() })],
    ['a foreign context', JSON.stringify({ ...message(type, {}), '@context': ['https://example.com/c'] })],
    ['wrong types', JSON.stringify(message(type, { providerPid: 1, consumerPid: [], filter: {} }))],
  ]

  for (const endpoint of ENDPOINTS.filter((one) => one.type !== undefined)) {
    it(`is answered 400 with an error body: ${endpoint.path}`, async () => {
      for (const [what, body] of bodies(endpoint.type ?? '')) {
        const path = endpoint.path.replace(':pid', newPid())
        const answer = await peer.send(member, path, body, { method: 'POST' })
        expect([what, refusedAs(endpoint.error, answer, what)]).toEqual([what, '400 InvalidMessage'])
      }
    })
  }
})

describe('what is not there', () => {
  const headersOf = ({ headers }: Sent): readonly (readonly [string, unknown])[] =>
    Object.entries(headers)
      .filter(([name]) => name !== 'date')
      .sort()

  it('is answered 404 with an error body on every path that names a process or a dataset', async () => {
    for (const endpoint of ENDPOINTS.filter(({ path }) => path.includes(':pid'))) {
      const pid = newPid()
      const body =
        endpoint.type === undefined ? undefined : valid(endpoint.type, { providerPid: pid, consumerPid: pid })
      const answer = await peer.send(member, endpoint.path.replace(':pid', pid), body)
      const what = [endpoint.method, endpoint.path]
      expect([what, refusedAs(endpoint.error, answer, what)]).toEqual([what, '404 NotFound'])
    }
  })

  it('looks to a partner exactly like what belongs to another one, in both roles and on every path', async () => {
    const sold = await consumer.agreed()
    const bought = await provider.asked()
    const { start: _, ...given } = await consumer.started(await consumer.contract())
    const taken = await provider.transferAsked(await provider.contract())
    for (const [role, ours, theirs] of [
      ['provider', { negotiations: sold.providerPid, transfers: given.providerPid }, 'consumerPid'],
      ['consumer', { negotiations: bought.consumerPid, transfers: taken.consumerPid }, 'providerPid'],
    ] as const) {
      for (const endpoint of ENDPOINTS.filter(({ path }) => /^\/[nt].*:pid/.test(path))) {
        const partnerPid = newPid()
        const ask = (pid: string) => {
          const pids = { providerPid: pid, consumerPid: pid, [theirs]: partnerPid }
          const body = endpoint.type === undefined ? undefined : valid(endpoint.type, pids)
          return rival.send(member, endpoint.path.replace(':pid', pid), body)
        }
        const pid = ours[kindOf(endpoint)]
        const nothing = newPid()
        const [foreign, unknown] = [await ask(pid), await ask(nothing)]
        const what = [role, endpoint.method, endpoint.path]
        expect([what, refusedAs(endpoint.error, foreign, what)]).toEqual([what, '404 NotFound'])
        expect([what, foreign.text.replaceAll(pid, nothing), headersOf(foreign)]).toEqual([
          what,
          unknown.text,
          headersOf(unknown),
        ])
      }
    }
    // Nothing of it has reached the processes.
    const states = await Promise.all([
      peer.send(member, `/negotiations/${sold.providerPid}`),
      peer.send(member, `/negotiations/${bought.consumerPid}`),
      peer.send(member, `/transfers/${given.providerPid}`),
      peer.send(member, `/transfers/${taken.consumerPid}`),
    ])
    expect(states.map(({ json }) => json.state)).toEqual(['AGREED', 'REQUESTED', 'STARTED', 'REQUESTED'])
  })
})

describe('what is not meant for a process', () => {
  const stateOf = async (path: string) => (await peer.send(member, path)).json.state

  it('is not found there: the paths of the other role, and those of the other protocol', async () => {
    const sold = await consumer.agreed()
    const bought = await provider.asked()
    await ended(member, bought.path, ['REQUESTED'])
    const { providerPid: given, consumerPid: toPeer } = await consumer.started(await consumer.contract())
    const attempts: readonly (readonly [path: string, own: string, pids: Pids])[] = [
      ['/negotiations/:pid/offers', sold.providerPid, sold],
      ['/negotiations/:pid/agreement', sold.providerPid, sold],
      ['/negotiations/:pid/request', bought.consumerPid, bought],
      ['/negotiations/:pid/agreement/verification', bought.consumerPid, bought],
      ['/transfers/:pid', sold.providerPid, sold],
      ['/transfers/:pid/termination', sold.providerPid, sold],
      ['/negotiations/:pid', given, { providerPid: given, consumerPid: toPeer }],
      ['/negotiations/:pid/termination', given, { providerPid: given, consumerPid: toPeer }],
    ]
    for (const [path, own, pids] of attempts) {
      const endpoint = ENDPOINTS.find((one) => one.path === path)
      if (endpoint === undefined) throw new Error(path)
      const body = endpoint.type === undefined ? undefined : valid(endpoint.type, pids)
      const answer = await peer.send(member, path.replace(':pid', own), body)
      expect([path, refusedAs(endpoint.error, answer, path)]).toEqual([path, '404 NotFound'])
    }
    expect([
      await stateOf(`/negotiations/${sold.providerPid}`),
      await stateOf(`/negotiations/${bought.consumerPid}`),
      await stateOf(`/transfers/${given}`),
    ]).toEqual(['AGREED', 'REQUESTED', 'STARTED'])
  })
})

describe('what succeeds', () => {
  type Line = readonly [request: string, status: number, body: string]
  let lines: Line[] = []
  /** Sends and writes down the status and the type of the body, which is checked against its schema. */
  const step = async (path: string, body?: object, own = 'no pid'): Promise<Sent> => {
    const answer = await peer.send(member, path, body)
    const type = answer.text === '' ? 'nothing' : String(answer.json['@type'])
    if (type !== 'nothing') {
      expect(answer.headers['content-type']).toMatch(/^application\/json(; charset=utf-8)?$/)
      expect([path, validate(type as MessageName, answer.json, 'outgoing')]).toMatchObject([
        path,
        { ok: true },
      ])
    }
    lines.push([`${body === undefined ? 'GET' : 'POST'} ${path.replace(own, ':pid')}`, answer.status, type])
    return answer
  }
  const both = ({ providerPid, consumerPid }: Pids) => ({ providerPid, consumerPid })

  it('is answered 200, or 201 where a process begins, to a consumer', async () => {
    lines = []
    await step('/catalog/request', message('CatalogRequestMessage', {}))
    await step('/catalog/datasets/tank')
    const negotiate = async (): Promise<Pids> => {
      const consumerPid = newPid()
      const offer = await consumer.offerFrom()
      const asked = message('ContractRequestMessage', { consumerPid, offer, callbackAddress: peer.address })
      const begun = await step('/negotiations/request', asked)
      await peer.message('ContractAgreementMessage', { consumerPid })
      return { providerPid: String(begun.json.providerPid), consumerPid }
    }
    const pids = await negotiate()
    const own = pids.providerPid
    await step(`/negotiations/${own}`, undefined, own)
    await step(`/negotiations/${own}/agreement/verification`, consumer.verification(pids), own)
    const broken = await negotiate()
    const ending = message('ContractNegotiationTerminationMessage', both(broken))
    await step(`/negotiations/${broken.providerPid}/termination`, ending, broken.providerPid)

    const agreementId = await consumer.contract()
    const moves = async (...kinds: readonly (readonly [string, string])[]) => {
      const consumerPid = newPid()
      const fields = { consumerPid, agreementId, format: 'HttpData-PULL', callbackAddress: peer.address }
      const begun = await step('/transfers/request', message('TransferRequestMessage', fields))
      const process = { providerPid: String(begun.json.providerPid), consumerPid }
      const ours = process.providerPid
      await peer.message('TransferStartMessage', { consumerPid })
      await step(`/transfers/${ours}`, undefined, ours)
      for (const [kind, type] of kinds) {
        await step(`/transfers/${ours}/${kind}`, message(type, process), ours)
      }
    }
    await moves(
      ['suspension', 'TransferSuspensionMessage'],
      ['start', 'TransferStartMessage'],
      ['completion', 'TransferCompletionMessage'],
    )
    await moves(['termination', 'TransferTerminationMessage'])

    expect(lines).toEqual([
      ['POST /catalog/request', 200, 'Catalog'],
      ['GET /catalog/datasets/tank', 200, 'Dataset'],
      ['POST /negotiations/request', 201, 'ContractNegotiation'],
      ['GET /negotiations/:pid', 200, 'ContractNegotiation'],
      ['POST /negotiations/:pid/agreement/verification', 200, 'nothing'],
      ['POST /negotiations/request', 201, 'ContractNegotiation'],
      ['POST /negotiations/:pid/termination', 200, 'nothing'],
      ['POST /transfers/request', 201, 'TransferProcess'],
      ['GET /transfers/:pid', 200, 'TransferProcess'],
      ['POST /transfers/:pid/suspension', 200, 'nothing'],
      ['POST /transfers/:pid/start', 200, 'nothing'],
      ['POST /transfers/:pid/completion', 200, 'nothing'],
      ['POST /transfers/request', 201, 'TransferProcess'],
      ['GET /transfers/:pid', 200, 'TransferProcess'],
      ['POST /transfers/:pid/termination', 200, 'nothing'],
    ])
  })

  it('is answered 200, or 201 where a process begins, to a provider', async () => {
    lines = []
    const providerPid = newPid()
    const offer = { ...PUMP_OFFER, target: 'pump' }
    await step(
      '/negotiations/offers',
      message('ContractOfferMessage', { providerPid, callbackAddress: peer.address, offer }),
    )
    const asked = await provider.asked()
    await ended(member, asked.path, ['REQUESTED'])
    const own = asked.consumerPid
    await step(`/negotiations/${own}`, undefined, own)
    const countered = message('ContractOfferMessage', { ...both(asked), offer: { ...offer, '@id': 'other' } })
    await step(`/negotiations/${own}/offers`, countered, own)
    const ending = message('ContractNegotiationTerminationMessage', both(asked))
    await step(`/negotiations/${own}/termination`, ending, own)
    const second = await provider.asked()
    const ours = second.consumerPid
    const agreement = provider.agreementOn(second.offer)
    await step(`/negotiations/${ours}/agreement`, provider.agreementMessage(second, agreement), ours)
    await peer.message('ContractAgreementVerificationMessage', { consumerPid: ours })
    await step(`/negotiations/${ours}/events`, provider.event(second, 'FINALIZED'), ours)

    const moves = async (...kinds: readonly (readonly [string, string, object])[]) => {
      const process = await provider.transferAsked(String(agreement['@id']))
      await ended(member, process.path, ['REQUESTED'])
      const mine = process.consumerPid
      await step(`/transfers/${mine}`, undefined, mine)
      for (const [kind, type, more] of kinds) {
        await step(`/transfers/${mine}/${kind}`, message(type, { ...both(process), ...more }), mine)
      }
    }
    await moves(
      ['start', 'TransferStartMessage', { dataAddress: dataAddress(`${peer.publicUrl}/data`) }],
      ['suspension', 'TransferSuspensionMessage', {}],
      ['start', 'TransferStartMessage', { dataAddress: dataAddress(`${peer.publicUrl}/more`) }],
      ['completion', 'TransferCompletionMessage', {}],
    )
    await moves(['termination', 'TransferTerminationMessage', {}])

    expect(lines).toEqual([
      ['POST /negotiations/offers', 201, 'ContractNegotiation'],
      ['GET /negotiations/:pid', 200, 'ContractNegotiation'],
      ['POST /negotiations/:pid/offers', 200, 'nothing'],
      ['POST /negotiations/:pid/termination', 200, 'nothing'],
      ['POST /negotiations/:pid/agreement', 200, 'nothing'],
      ['POST /negotiations/:pid/events', 200, 'nothing'],
      ['GET /transfers/:pid', 200, 'TransferProcess'],
      ['POST /transfers/:pid/start', 200, 'nothing'],
      ['POST /transfers/:pid/suspension', 200, 'nothing'],
      ['POST /transfers/:pid/start', 200, 'nothing'],
      ['POST /transfers/:pid/completion', 200, 'nothing'],
      ['GET /transfers/:pid', 200, 'TransferProcess'],
      ['POST /transfers/:pid/termination', 200, 'nothing'],
    ])
  })
})

describe('how a message is declared', () => {
  it('is left to the partner, and every answer is application/json', async () => {
    const body = JSON.stringify(message('CatalogRequestMessage', {}))
    for (const type of [
      'application/json',
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'application/ld+json',
      'text/plain',
      '',
    ]) {
      for (const accept of ['application/json', 'application/ld+json', '*/*', 'text/html']) {
        const headers = { ...(type === '' ? {} : { 'content-type': type }), accept }
        const answer = await peer.fetch(`${member.config.publicUrl}/dsp/catalog/request`, {
          method: 'POST',
          authorization: peer.token(member.did),
          headers,
          body,
        })
        const { status, headers: got } = answer
        expect([type, accept, status, got['content-type']]).toEqual([
          type,
          accept,
          200,
          'application/json; charset=utf-8',
        ])
      }
    }
  })

  it('and a trailing slash of the path make no difference on any path', async () => {
    for (const endpoint of ENDPOINTS) {
      const pid = newPid()
      const body =
        endpoint.type === undefined ? undefined : valid(endpoint.type, { providerPid: pid, consumerPid: pid })
      const path = endpoint.path.replace(':pid', pid)
      const [plain, slashed] = [
        await peer.send(member, path, body),
        await peer.send(member, `${path}/`, body),
      ]
      expect([path, slashed.status, slashed.text]).toEqual([path, plain.status, plain.text])
      expect(plain.text).not.toBe('')
    }
    for (const path of ['/.well-known/dspace-version', '/.well-known/did.json']) {
      const [plain, slashed] = [
        await peer.fetch(member.config.publicUrl + path),
        await peer.fetch(`${member.config.publicUrl + path}/`),
      ]
      expect([path, slashed.status, slashed.text]).toEqual([path, 200, plain.text])
    }
  })

  it('is told by every message of ours as application/json', async () => {
    await consumer.contract()
    await provider.contract()
    const posts = peer.received.filter(({ method }) => method === 'POST')
    expect(posts.length).toBeGreaterThan(5)
    expect(new Set(posts.map((one) => one.contentType))).toEqual(new Set(['application/json']))
    expect(new Set(peer.received.map((one) => one.accept))).toEqual(new Set(['application/json']))
  })
})
