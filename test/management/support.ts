/** A management API over real HTTP with a real database file; partner, data plane and sources are small fakes. */

import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import request from 'supertest'
import { expect } from 'vitest'
import { silentLog } from '../../connector/core/log.js'
import { ok, problem, type Result } from '../../connector/core/result.js'
import type { EpochMs, JsonObject, ParticipantId, Pid } from '../../connector/core/types.js'
import { secretBox } from '../../connector/crypto/secret-box.js'
import { openGate } from '../../connector/dataplane/stages/gate.js'
import { namesOf } from '../../connector/management/language.js'
import type { Method, Route } from '../../connector/management/route.js'
import { ROUTES } from '../../connector/management/routes.js'
import { SCHEMAS } from '../../connector/management/schemas.js'
import { createManagementServer, type ManagementDeps } from '../../connector/management/server.js'
import { operatorRules } from '../../connector/services/automation.js'
import type { RemoteDataset } from '../../connector/services/catalog.js'
import { type OperatorDeps, operatorOperations } from '../../connector/services/operator.js'
import { createSetup } from '../../connector/services/operator-tokens.js'
import type { Outgoing } from '../../connector/services/ports.js'
import { openStore } from '../../connector/store/sqlite/store.js'

export const OWN = 'did:web:maker.example.com' as ParticipantId
export const PARTNER = 'did:web:buyer.example.com' as ParticipantId
export const START = Date.parse('2026-11-02T08:00:00Z') as EpochMs
export const SETUP_CODE = 'setup-code-from-the-console'

export const path = (strings: TemplateStringsArray, ...parts: readonly string[]): string =>
  String.raw({ raw: strings }, ...parts.map(encodeURIComponent))

/** An offer as it stands in a catalog: use until the end of 2026. */
export const remoteOffer = (id: string, constraint: JsonObject = UNTIL_2027): JsonObject => ({
  '@id': id,
  '@type': 'Offer',
  permission: [{ action: 'use', constraint: [constraint] }],
})
export const UNTIL_2027: JsonObject = {
  leftOperand: 'odrl:dateTime',
  operator: 'lt',
  rightOperand: '2027-01-01T00:00:00Z',
}
export const UNKNOWN_TERM: JsonObject = {
  leftOperand: 'https://example.com/unheard-of',
  operator: 'eq',
  rightOperand: 'DE',
}

export const remoteDataset = (id: string, offers: readonly JsonObject[]): RemoteDataset => ({
  id,
  title: `About ${id}`,
  keywords: [],
  signals: [],
  formats: ['HttpData-PULL'],
  offers,
  shapes: [],
  raw: {},
})

export async function openApi(overrides: Partial<ManagementDeps> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'management-'))
  const store = openStore(join(folder, 'store.db'))
  const world = {
    now: START as number,
    datasets: [] as RemoteDataset[],
    sourceWorks: true,
    stopped: [] as string[],
    openData: (async () => problem('GrantEnded', 'nothing')) as ManagementDeps['openData'],
  }
  const clock = () => world.now as EpochMs
  let pids = 0
  const box = secretBox(Buffer.alloc(32, 7))
  const message = (kind: string) => (): Outgoing => ({
    path: `/${kind}`,
    body: `{"secret body of":"${kind}"}`,
  })
  const deps: OperatorDeps = {
    store,
    clock,
    log: silentLog,
    ownDid: OWN,
    newPid: () => `urn:uuid:00000000-0000-4000-8000-${String(++pids).padStart(12, '0')}` as Pid,
    callbackAddress: 'https://maker.example.com/dsp',
    dataEndpoint: (pid) => `https://maker.example.com/data/${pid}`,
    dataToken: () => ({ token: 'data-token-in-clear', hash: 'hash' }),
    sealToken: (token, pid) => box.seal(token, pid),
    openToken: (sealed, pid) => box.open(sealed, pid),
    pushEndpoint: (pid) => `https://maker.example.com/data/push/${pid}`,
    checkEndpoint: (url) => ok(url),
    checkSink: async () => ok(undefined),
    pushProgress: () => undefined,
    pushFailing: () => undefined,
    sealSecret: (text, context) => box.seal(text, context),
    newStatementId: () => `urn:uuid:00000000-0000-4000-9000-${String(++pids).padStart(12, '0')}`,
    requestSeals: { sign: () => 'request', read: () => ok({}), verify: async () => ok(undefined) },
    statementSeals: { sign: () => 'statement', read: () => ok({}), verify: async () => ok(undefined) },
    seals: { sign: async () => 'seal', verify: async () => ok(undefined) },
    dataPlane: {
      start: () => {},
      stop: (pid) => void world.stopped.push(pid),
      canServe: () => ok(undefined),
    },
    sources: {
      validate: (kind) =>
        kind === 'mqtt'
          ? ok({ secretKeys: ['password'] })
          : problem('InvalidInput', `There is no kind of source called "${kind}". Known: mqtt.`),
      refresh: async () => {},
      fault: () => undefined,
      check: async () =>
        world.sourceWorks
          ? ok('The source can be reached.')
          : problem('SourceUnavailable', 'The broker refuses us.'),
    },
    parseDid: (text): Result<ParticipantId> =>
      text.startsWith('did:web:')
        ? ok(text as ParticipantId)
        : problem('InvalidInput', 'That is no did:web.'),
    fingerprint: async () => ok('AA:BB'),
    discover: async (address) =>
      address.includes('nowhere')
        ? problem('PartnerUnreachable', 'Nobody answers there.')
        : ok(`${address}/dsp`),
    catalog: {
      catalog: async () => ok({ datasets: world.datasets, complete: true }),
      dataset: async (_partner, id) => {
        const found = world.datasets.find((d) => d.id === id)
        return found === undefined
          ? problem('NotFound', 'The partner has no such dataset for you.')
          : ok(found)
      },
    },
    automation: operatorRules(),
    sourceStatus: () => [],
    gate: openGate,
    about: {
      name: 'Maker',
      did: OWN,
      version: '0.1.0',
      publicUrl: 'https://maker.example.com',
      dspAddress: 'https://maker.example.com/dsp',
      dataDir: '/var/lib/handschlag',
      fingerprint: 'CC:DD',
      keyName: '2026-11-a',
      startedAt: START,
    },
    wire: {
      contractRequest: message('request'),
      counterRequest: message('counter-request'),
      contractOffer: message('offer'),
      counterOffer: message('counter-offer'),
      contractAgreement: message('agreement'),
      agreementVerification: message('verification'),
      accepted: message('accepted'),
      finalized: message('finalized'),
      negotiationTermination: message('termination'),
      transferRequest: message('transfer request'),
      transferStart: message('start'),
      transferSuspension: message('suspension'),
      transferCompletion: message('completion'),
      transferTermination: message('transfer termination'),
      readAnswer: () => ok({ partnerPid: 'urn:theirs', state: 'REQUESTED' }),
      readError: () => ({}),
    },
  }
  const operations = operatorOperations(deps)
  const created = await operations.tokens.create('admin', 'test')
  if (!created.ok) throw new Error(created.error.message)
  const { token } = created.value
  const app = createManagementServer({
    operations,
    authenticate: operations.tokens.authenticate,
    setup: createSetup(clock, SETUP_CODE),
    openData: (pid, asked) => world.openData(pid, asked),
    health: () => ({ live: true, ready: true, reasons: [], participantId: OWN }),
    metrics: () => '# HELP x y\n',
    names: namesOf(OWN, (did) => store.partner(did)?.name),
    hosts: ['connector.local', '0.0.0.0', '192.0.2.1'],
    version: '0.1.0',
    clock,
    log: silentLog,
    ...overrides,
  })
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  const { port } = server.address() as { port: number }

  /** Calls as the operator and holds the answer against the schema that the document promises for it. */
  const call = async (method: Method, address: string, body?: object, lang = 'en') => {
    const pending = request(server)
      [method](address)
      .set('Authorization', `Bearer ${token}`)
      .set('Accept-Language', lang)
    const answer = await (body === undefined ? pending : pending.send(body))
    expectPromised(method, address.split('?')[0] ?? '', answer.status, answer.body)
    return answer
  }
  return {
    world,
    store,
    deps,
    operations,
    token,
    server,
    url: `http://127.0.0.1:${port}`,
    /** Without a token. */
    bare: () => request(server),
    get: (address: string) => call('get', address),
    inGerman: (address: string) => call('get', address, undefined, 'de'),
    post: (address: string, body?: object, lang?: string) => call('post', address, body, lang),
    put: (address: string, body?: object) => call('put', address, body),
    patch: (address: string, body?: object) => call('patch', address, body),
    delete: (address: string) => call('delete', address),
    async trustedPartner(): Promise<void> {
      await store.putPartner({
        did: PARTNER,
        name: 'Buyer',
        address: 'https://buyer.example.com/dsp',
        trust: 'trusted',
        seal: 'offer',
        fingerprint: 'AA:BB',
        addedAt: START,
      })
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await store[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

export type Api = Awaited<ReturnType<typeof openApi>>

/** The schema with nothing allowed that it does not name, so that an internal that slips out is seen. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return 'properties' in schema ? { ...inner, additionalProperties: false } : inner
}

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
ajv.addSchema({ $id: 'urn:test:closed', components: { schemas: closed(SCHEMAS) } })
const validators = new Map<string, ValidateFunction>()

export function validatorOf(name: string): ValidateFunction {
  const known = validators.get(name) ?? ajv.compile({ $ref: `urn:test:closed#/components/schemas/${name}` })
  validators.set(name, known)
  return known
}

const matches = (route: Route, address: string): boolean =>
  new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`).test(address)

function expectPromised(method: Method, address: string, status: number, body: unknown): void {
  const route = ROUTES.find((r) => r.method === method && matches(r, address))
  if (status >= 400) expectValid('Error', body)
  if (status >= 400 || route === undefined || route.kind === 'data') return
  if (route.kind === 'json') expect(status).toBe(route.status)
  if (route.answer === undefined) expect(body).toEqual({})
  else expectValid(route.answer, body)
}

function expectValid(name: string, body: unknown): void {
  const validate = validatorOf(name)
  validate(body)
  expect({ name, errors: validate.errors }).toEqual({ name, errors: null })
}

export const streamOf = (...chunks: readonly string[]): Readable =>
  Readable.from(chunks.map((c) => Buffer.from(c)))
