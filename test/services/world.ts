/**
 * Two sides with real stores, real policy and real message bytes; the way between them, the signatures and the data plane
 * are in the hands of the test. A message is carried when the test says so, and arrives as the routes would hand it over.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalize, sha256Hex } from '../../connector/core/canonical.js'
import { silentLog } from '../../connector/core/log.js'
import { ok, type Problem, problem, type Result } from '../../connector/core/result.js'
import type { EpochMs, Json, JsonObject, ParticipantId, Pid, Role } from '../../connector/core/types.js'
import { AGREEMENT_SIGNATURE, COUNTERSIGNATURE, RECEIPT } from '../../connector/crypto/agreement-seal.js'
import type { Agreement } from '../../connector/domain/agreement.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Partner } from '../../connector/domain/partner.js'
import type { Owed, Process } from '../../connector/domain/step.js'
import type { Transfer } from '../../connector/domain/transfer.js'
import { contractNegotiation, transferProcess } from '../../connector/dsp/build.js'
import { shapesIn } from '../../connector/dsp/shape-texts.js'
import { createValidator } from '../../connector/dsp/validate.js'
import { createWire } from '../../connector/dsp/wire.js'
import { policyFromTerms, type Terms } from '../../connector/policy/write.js'
import type { AgreementDeps } from '../../connector/services/agreements.js'
import { operatorRules } from '../../connector/services/automation.js'
import { type DeliveryDeps, delivered, undeliverable } from '../../connector/services/delivery.js'
import { pidsOf, receiveTermination } from '../../connector/services/negotiation.js'
import * as consumer from '../../connector/services/negotiation-consumer.js'
import * as provider from '../../connector/services/negotiation-provider.js'
import type { PartnerDeps } from '../../connector/services/partners.js'
import type { Automation, DataGrant, SealInput, Seals } from '../../connector/services/ports.js'
import { receiveEnd, receiveStart, receiveTransferRequest } from '../../connector/services/transfer.js'
import { type Turns, watchTurns } from '../../connector/services/turns.js'
import { openStore } from '../../connector/store/sqlite/store.js'
import type { Store } from '../../connector/store/store.js'

export const PROVIDER = 'did:web:provider.example' as ParticipantId
export const CONSUMER = 'did:web:consumer.example' as ParticipantId
export const STRANGER = 'did:web:stranger.example' as ParticipantId

/** 4 January 2027, 12:00 UTC. */
export const NOW = Date.parse('2027-01-04T12:00:00Z') as EpochMs

const wire = createWire(createValidator())

/** A seal that says who made it over what, so that a wrong one is as wrong as a real one would be. */
const sealOf = (
  signer: string,
  { role, agreement, offer, shapes = [], covers, providerPid, consumerPid }: SealInput,
): string =>
  `seal:${sha256Hex(canonicalize({ signer, role, agreement, offer, shapes: [...shapes], covers: [...covers], providerPid, consumerPid }))}`

const sealsOf = (did: ParticipantId): Seals => ({
  sign: async (m) => sealOf(did, m),
  verify: async (seal, signer, m) =>
    seal === sealOf(signer, m) ? ok(undefined) : problem('SignatureInvalid', 'The signature does not fit.'),
})

export type Flow = { readonly grant?: DataGrant; readonly stopped?: Problem }

export type Side = AsyncDisposable & {
  readonly did: ParticipantId
  readonly role: Role
  readonly deps: DeliveryDeps & AgreementDeps & PartnerDeps
  readonly flows: Map<string, Flow>
  /** Takes our turns in states that no message of the partner leads to; runs from the start. */
  turns(): Turns
  store(): Store
  /** What the program does when it is started again: the file is the same, everything in memory is gone. */
  restart(): Promise<void>
  partner(): Partner
  put(partner: Partial<Partner>): Promise<void>
  owed(): readonly Owed[]
  /** The next owed message, which must be the one expected. */
  next(event: string): Owed
  negotiation(): Negotiation
  transfer(): Transfer
  agreement(): Agreement
}

export type World = AsyncDisposable & {
  readonly provider: Side
  readonly consumer: Side
  readonly offer: JsonObject
  forward(ms: number): void
  /** Carries a message to the other side; its answer is not told to the sender. */
  carry(from: Side, owed: Owed, change?: (body: Record<string, Json>) => void): Promise<Result<Process>>
  /** Carries and tells the sender the answer, as the dispatcher does. */
  exchange(from: Side, owed: Owed): Promise<Result<Process>>
  /** Exchanges everything owed until nothing is. */
  settle(): Promise<void>
  finalized(): Promise<Agreement>
  started(): Promise<Transfer>
}

const folder = mkdtempSync(join(tmpdir(), 'handschlag-services-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
let files = 0

const allOwed = (store: Store): readonly Owed[] =>
  store.due((NOW * 2) as EpochMs, 1000).flatMap((first) => store.owedFor(first.pid))

function createSide(role: Role, clock: () => EpochMs, automation: Automation): Side {
  const [did, other] = role === 'provider' ? [PROVIDER, CONSUMER] : [CONSUMER, PROVIDER]
  const file = join(folder, `${++files}.db`)
  let store = openStore(file)
  let pids = 0
  const flows = new Map<string, Flow>()
  const side: Side = {
    did,
    role,
    flows,
    deps: {
      get store() {
        return store
      },
      clock,
      newPid: () => `urn:uuid:${role}-${files}-${++pids}` as Pid,
      ownDid: did,
      callbackAddress: `https://${role}.example/dsp`,
      wire,
      automation,
      seals: sealsOf(did),
      dataPlane: {
        start: (grant) => void flows.set(grant.transferPid, { grant }),
        stop: (pid, stopped) => void flows.set(pid, { ...flows.get(pid), stopped }),
        canServe: () => ok(undefined),
      },
      dataEndpoint: (pid) => `https://${role}.example/data/${pid}`,
      dataToken: (pid, generation) => ({
        token: `token ${pid} ${generation}`,
        hash: sha256Hex(`token ${pid} ${generation}`),
      }),
      sealToken: (token) => `sealed ${token}`,
      sealSecret: (text) => `sealed ${text}`,
      openToken: (sealed) => ok(sealed.replace('sealed ', '')),
      pushEndpoint: (pid) => `https://${role}.example/data/push/${pid}`,
      checkEndpoint: (url) =>
        url.startsWith('https:') ? ok(url) : problem('AddressRefused', `${url} is inside the network.`),
      checkSink: async () => ok(undefined),
      pushProgress: () => undefined,
      pushFailing: () => undefined,
      parseDid: (text) => ok(text as ParticipantId),
      fingerprint: async () => ok('AB:CD'),
      discover: async (address) => ok(address),
      log: silentLog,
    },
    store: () => store,
    turns: () => turns,
    async restart() {
      await turns[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      flows.clear()
      store = openStore(file)
      turns = watchTurns(side.deps)
    },
    partner() {
      const partner = store.partner(other)
      if (partner === undefined) throw new Error('no partner')
      return partner
    },
    put: (partner) => store.putPartner({ ...side.partner(), ...partner }),
    owed: () => allOwed(store),
    next(event) {
      const [first] = allOwed(store)
      if (first?.event !== event) throw new Error(`${role} owes ${first?.event ?? 'nothing'}, not ${event}`)
      return first
    },
    negotiation: () => only(store.list('negotiation')),
    transfer: () => only(store.list('transfer')),
    agreement: () => only(store.agreements()),
    async [Symbol.asyncDispose]() {
      await turns[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
  let turns = watchTurns(side.deps)
  return side
}

function only<T>(list: readonly T[]): T {
  const [first, second] = list
  if (first === undefined || second !== undefined)
    throw new Error(`there are ${list.length}, expected is one`)
  return first
}

export async function createWorld(
  m: {
    readonly terms?: Terms
    readonly seal?: Partner['seal']
    readonly policy?: JsonObject
    readonly contractOnly?: boolean
    readonly rules?: { readonly [R in Role]?: Automation }
  } = {},
): Promise<World> {
  let now = NOW
  const clock = () => now
  const rules = { provider: operatorRules(), consumer: operatorRules(), ...m.rules }
  const sides = {
    provider: createSide('provider', clock, rules.provider),
    consumer: createSide('consumer', clock, rules.consumer),
  }
  for (const side of [sides.provider, sides.consumer]) {
    const [did, name] = side.role === 'provider' ? [CONSUMER, 'consumer'] : [PROVIDER, 'provider']
    const trust = { trust: 'trusted', seal: m.seal ?? 'require', addedAt: NOW } as const
    await side.store().putPartner({ did, name, address: `https://${name}.example/dsp`, ...trust })
  }
  const written = m.policy === undefined ? policyFromTerms(m.terms ?? { until: '2027-12-31' }) : ok(m.policy)
  if (!written.ok) throw new Error(written.error.message)
  const { store } = sides.provider
  const source = { id: 's', kind: 'files', config: {}, sealedSecrets: {}, createdAt: NOW }
  await store().putSource(source)
  await store().putDataset({
    id: 'press-7',
    title: 'Press 7',
    keywords: [],
    signals: [{ name: 'force', type: 'number' }],
    sourceId: 's',
    published: true,
    createdAt: NOW,
    updatedAt: NOW,
  })
  await store().putOffer({
    id: 'offer-1',
    datasetId: 'press-7',
    policy: written.value,
    ...(m.contractOnly === true && { contractOnly: true }),
    createdAt: NOW,
  })
  const offer = { '@id': 'offer-1', '@type': 'Offer', target: 'press-7', ...written.value }

  const world: World = {
    ...sides,
    offer,
    forward(ms) {
      now = (now + ms) as EpochMs
    },
    async carry(from, owed, change) {
      const to = from.role === 'provider' ? sides.consumer : sides.provider
      const body = JSON.parse(owed.body) as Record<string, Json>
      change?.(body)
      const text = change === undefined ? owed.body : JSON.stringify(body)
      return arrive(to, from.did, new URL(owed.url).pathname, body, sha256Hex(text))
    },
    async exchange(from, owed) {
      const outcome = await world.carry(from, owed)
      if (outcome.ok) return delivered(from.deps, owed, answerOf(outcome.value))
      return undeliverable(from.deps, owed, {
        code: 'PartnerRefused',
        message: `The partner answered 400: ${outcome.error.message} (${outcome.error.code})`,
      })
    },
    async settle() {
      for (let round = 0; round < 100; round++) {
        let idle = true
        for (const side of [sides.consumer, sides.provider]) {
          await side.turns().idle()
          for (const owed of side.owed()) {
            idle = false
            await world.exchange(side, owed)
          }
        }
        if (idle) return
      }
      throw new Error('messages are exchanged without end')
    },
    async finalized() {
      await begin(world)
      await world.settle()
      const { state, reason } = sides.consumer.negotiation()
      if (state !== 'FINALIZED') throw new Error(`${state}: ${reason}`)
      return sides.consumer.agreement()
    },
    async started() {
      const { requestTransfer } = await import('../../connector/services/transfer.js')
      const agreement = await world.finalized()
      const requested = await requestTransfer(sides.consumer.deps, {
        agreement,
        partner: sides.consumer.partner(),
        format: 'HttpData-PULL',
      })
      if (!requested.ok) throw new Error(requested.error.message)
      await world.settle()
      return sides.consumer.transfer()
    },
    async [Symbol.asyncDispose]() {
      await sides.provider[Symbol.asyncDispose]()
      await sides.consumer[Symbol.asyncDispose]()
    },
  }
  return world
}

/** The consumer asks for a contract on the offer, or on a changed one. */
export async function begin(
  world: World,
  more: JsonObject = {},
  shapes: readonly string[] = [],
): Promise<Negotiation> {
  const side = world.consumer
  const m = { partner: side.partner(), datasetId: 'press-7', offer: { ...world.offer, ...more }, shapes }
  const begun = await consumer.requestContract(side.deps, m)
  if (!begun.ok) throw new Error(begun.error.message)
  return begun.value
}

const answerOf = (p: Process): Uint8Array => {
  const state = p.state === 'NEW' ? 'REQUESTED' : p.state
  const answer =
    p.kind === 'negotiation'
      ? contractNegotiation({ ...pidsOf(p), state: state as 'REQUESTED' })
      : transferProcess({ ...pidsOf(p), state: state as 'REQUESTED' })
  return Buffer.from(JSON.stringify(answer))
}

/** A message as it comes out of the routes: read, with its sender and the digest of its bytes. */
export function arrive(
  to: Side,
  sender: ParticipantId,
  path: string,
  body: Record<string, Json>,
  digest: string,
): Promise<Result<Process>> {
  const text = (key: string): string => String(body[key] ?? '')
  const object = (key: string): JsonObject => body[key] as JsonObject
  const signed = <K extends string>(key: K, iri: string) =>
    (typeof body[iri] === 'string' ? { [key]: body[iri] } : {}) as { readonly [P in K]?: string }
  const caller = { sender, digest }
  const pid = decodeURIComponent(path.split('/')[3] ?? '') as Pid
  const { deps } = to
  const partner = deps.store.partner(sender)
  if (partner === undefined) throw new Error(`${sender} is not known`)
  const [providerPid, consumerPid] = [text('providerPid'), text('consumerPid')]
  const partnerPid = to.role === 'provider' ? consumerPid : providerPid
  const callbackAddress = text('callbackAddress')
  const words = {
    ...(typeof body.code === 'string' ? { code: body.code } : {}),
    ...(Array.isArray(body.reason) ? { reason: String(body.reason[0]) } : {}),
  }
  const routes: readonly (readonly [RegExp, () => Promise<Result<Process>>])[] = [
    [
      /negotiations\/request$/,
      () =>
        provider.receiveRequest(deps, partner, {
          ...caller,
          consumerPid,
          offer: object('offer'),
          callbackAddress,
        }),
    ],
    [
      /negotiations\/offers$/,
      () =>
        consumer.receiveInitialOffer(deps, partner, {
          ...caller,
          providerPid,
          offer: object('offer'),
          shapes: shapesIn(body),
          callbackAddress,
        }),
    ],
    [
      /negotiations\/[^/]+\/request$/,
      () =>
        provider.receiveCounterRequest(deps, partner, {
          ...caller,
          pid,
          consumerPid,
          offer: object('offer'),
        }),
    ],
    [
      /negotiations\/[^/]+\/offers$/,
      () =>
        consumer.receiveOffer(deps, partner, {
          ...caller,
          pid,
          providerPid,
          offer: object('offer'),
          shapes: shapesIn(body),
        }),
    ],
    [
      /\/agreement$/,
      () =>
        consumer.receiveAgreement(deps, partner, {
          ...caller,
          pid,
          providerPid,
          agreement: object('agreement'),
          shapes: shapesIn(body),
          ...signed('seal', AGREEMENT_SIGNATURE),
        }),
    ],
    [
      /\/verification$/,
      () =>
        provider.receiveVerification(deps, partner, {
          ...caller,
          pid,
          consumerPid,
          ...signed('seal', COUNTERSIGNATURE),
        }),
    ],
    [
      /\/events$/,
      () =>
        to.role === 'consumer'
          ? consumer.receiveFinalized(deps, partner, {
              ...caller,
              pid,
              providerPid,
              ...signed('receipt', RECEIPT),
            })
          : provider.receiveAccepted(deps, partner, { ...caller, pid, consumerPid }),
    ],
    [
      /negotiations\/[^/]+\/termination$/,
      () => receiveTermination(deps, { ...caller, pid, partnerPid, ...words }),
    ],
    [
      /transfers\/request$/,
      () =>
        receiveTransferRequest(deps, {
          ...caller,
          consumerPid,
          agreementId: text('agreementId'),
          format: text('format'),
          callbackAddress,
        }),
    ],
    [/\/start$/, () => receiveStart(deps, { ...caller, pid, partnerPid, ...dataOf(body) })],
    [/\/suspension$/, () => receiveEnd(deps, 'suspend', { ...caller, pid, partnerPid, ...words })],
    [/\/completion$/, () => receiveEnd(deps, 'complete', { ...caller, pid, partnerPid })],
    [
      /transfers\/[^/]+\/termination$/,
      () => receiveEnd(deps, 'terminate', { ...caller, pid, partnerPid, ...words }),
    ],
  ]
  const route = routes.find(([pattern]) => pattern.test(path))
  if (route === undefined) throw new Error(`no route ${path}`)
  return route[1]()
}

function dataOf(body: Record<string, Json>): {
  readonly data?: { readonly endpoint: string; readonly token: string }
} {
  const address = body.dataAddress as
    | { readonly endpoint: string; readonly endpointProperties: readonly { name: string; value: string }[] }
    | undefined
  const token = address?.endpointProperties.find((property) => property.name === 'authorization')?.value
  return address === undefined || token === undefined ? {} : { data: { endpoint: address.endpoint, token } }
}

/** The problem of an outcome that has to be one. */
export function refusal(outcome: Result<unknown>): Problem {
  if (outcome.ok) throw new Error(`was not refused: ${JSON.stringify(outcome.value)}`)
  return outcome.error
}
