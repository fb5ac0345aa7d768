/**
 * JSON Schemas (2020-12) of what goes in and out of the management API. Requests refuse unknown properties; answers may
 * grow. The OpenAPI document and the checks are both made from here.
 */
import { PROBLEMS } from '../core/result.js'

export type Schema = { readonly [key: string]: unknown }

const text: Schema = { type: 'string' }
const whole: Schema = { type: 'integer', minimum: 0 }
const flag: Schema = { type: 'boolean' }
const time: Schema = { type: 'string', format: 'date-time' }
const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values })
const list = (items: Schema): Schema => ({ type: 'array', items })
const described = (schema: Schema, description: string): Schema => ({ ...schema, description })
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
/** JSON whose inside this API does not define. */
const anything = (description: string): Schema => ({ type: 'object', description })

type Properties = { readonly [name: string]: Schema }

/** `optional` names the properties that may be absent. */
const object = (properties: Properties, optional: readonly string[] = []): Schema => {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) }
}
const request = (properties: Properties, optional: readonly string[] = []): Schema => ({
  ...object(properties, optional),
  additionalProperties: false,
})

const filled: Schema = { type: 'string', minLength: 1, maxLength: 512 }
const long: Schema = { type: 'string', maxLength: 4096 }
const seal = oneOf('off', 'offer', 'require')
const role = oneOf('consumer', 'provider')
const side = oneOf('us', 'partner')
const inBothLanguages = object({ en: text, de: text })

export const NEGOTIATION_STATES = [
  'NEW', 'REQUESTED', 'OFFERED', 'ACCEPTED', 'AGREED', 'VERIFIED', 'FINALIZED', 'TERMINATED',
] as const // biome-ignore format: one line each would say no more
export const TRANSFER_STATES = [
  'NEW',
  'REQUESTED',
  'STARTED',
  'SUSPENDED',
  'COMPLETED',
  'TERMINATED',
] as const

const waiting: Properties = {
  waitingFor: described(side, 'Who has to act next; absent when nobody has to.'),
  lastError: described(text, 'Why the last attempt to reach the partner failed.'),
}
const WAITING = Object.keys(waiting)

const negotiation: Properties = {
  pid: text,
  role,
  partner: text,
  partnerPid: text,
  state: described(oneOf(...NEGOTIATION_STATES), 'NEW: the first message has not been acknowledged yet.'),
  pending: described(text, 'Our message that the partner has not acknowledged yet.'),
  dataset: text,
  offer: text,
  contract: text,
  reason: text,
  endedBy: side,
  createdAt: time,
  updatedAt: time,
  ...waiting,
}
const NEGOTIATION_OPTIONAL = ['partnerPid', 'pending', 'contract', 'reason', 'endedBy', ...WAITING]

const transfer: Properties = {
  pid: text,
  role,
  partner: text,
  partnerPid: text,
  contract: text,
  dataset: text,
  format: text,
  state: oneOf(...TRANSFER_STATES),
  pending: text,
  reason: text,
  endedBy: side,
  suspendedBy: side,
  createdAt: time,
  updatedAt: time,
  ...waiting,
}
const TRANSFER_OPTIONAL = ['partnerPid', 'pending', 'reason', 'endedBy', 'suspendedBy', ...WAITING]

const history: Properties = { timeline: list(ref('TimelineEntry')), owed: list(ref('OwedMessage')) }

const contract: Properties = {
  id: text,
  role,
  partner: text,
  partnerName: text,
  dataset: text,
  status: oneOf('pending', 'active', 'revoked'),
  statusReason: text,
  statusBy: side,
  statusAt: time,
  agreedAt: time,
  negotiation: text,
  planHash: described(text, 'SHA-256 of what the data plane enforces.'),
  signed: described(
    oneOf('both', 'us', 'partner', 'none'),
    'Whose signatures are stored; verify checks them.',
  ),
}
const CONTRACT_OPTIONAL = ['statusReason', 'statusBy', 'statusAt', 'planHash']

const offer: Properties = {
  id: text,
  datasetId: text,
  policy: anything('The policy as ODRL, as it goes into catalogs.'),
  clauses: list(ref('Clause')),
}

const signal = (make: typeof object): Schema =>
  make(
    {
      name: { type: 'string', minLength: 1, maxLength: 128 },
      type: oneOf('number', 'integer', 'string', 'boolean'),
      unit: described({ type: 'string', maxLength: 64 }, 'UCUM or plain text.'),
      description: long,
    },
    ['unit', 'description'],
  )

const meanings = Object.entries(PROBLEMS)
  .map(([code, meaning]) => `- \`${code}\`: ${meaning}`)
  .join('\n')

export const REQUESTS = {
  Nothing: request({}),
  NewPartner: request(
    {
      did: described(filled, 'The DID of the partner, did:web.'),
      address: described(filled, 'Public address of its connector.'),
      name: { type: 'string', minLength: 1, maxLength: 200 },
      seal,
    },
    ['name', 'seal'],
  ),
  PartnerChange: request({ name: { type: 'string', minLength: 1, maxLength: 200 }, seal, address: filled }, [
    'name',
    'seal',
    'address',
  ]),
  SourceInput: request({
    kind: described(filled, 'Kind of the source, such as mqtt or files.'),
    config: anything('Settings of that kind. Secrets are stored encrypted and never shown again.'),
  }),
  DatasetInput: request(
    {
      title: { type: 'string', minLength: 1, maxLength: 500 },
      description: long,
      keywords: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 100 }, maxItems: 100 },
      machineId: { type: 'string', maxLength: 200 },
      signals: { type: 'array', items: signal(request), maxItems: 10_000 },
      sourceId: text,
    },
    ['description', 'keywords', 'machineId', 'signals', 'sourceId'],
  ),
  NewOffer: request({ id: filled, terms: ref('Terms'), policy: anything('A policy as ODRL.') }, [
    'id',
    'terms',
    'policy',
  ]),
  NewNegotiation: request(
    {
      partner: described(filled, 'DID of a trusted partner.'),
      dataset: filled,
      offer: described(filled, 'Needed when more than one offer of the dataset can be accepted.'),
    },
    ['offer'],
  ),
  Reason: request({
    reason: described({ type: 'string', minLength: 1, maxLength: 1000 }, 'The partner reads it.'),
  }),
  OptionalReason: request({ reason: { type: 'string', minLength: 1, maxLength: 1000 } }, ['reason']),
  NewTransfer: request({ contract: filled, format: filled }, ['format']),
  NewToken: request({ name: { type: 'string', minLength: 1, maxLength: 64 } }),
  SetupRequest: request({
    code: described(
      { type: 'string', minLength: 1, maxLength: 200 },
      'From the console, once, within 30 minutes.',
    ),
    name: { type: 'string', minLength: 1, maxLength: 64 },
  }),
} as const satisfies Record<string, Schema>

export const ANSWERS = {
  Error: object(
    {
      code: { type: 'string', enum: Object.keys(PROBLEMS), description: meanings },
      message: described(text, 'What happened, what it means, what to do.'),
      problems: described(list(text), 'Every single finding, when there are several.'),
    },
    ['problems'],
  ),
  Status: object({
    name: text,
    did: text,
    version: text,
    publicUrl: text,
    dspAddress: text,
    dataDir: text,
    fingerprint: described(text, 'Of our own keys; partners compare it.'),
    keyName: text,
    schema: described(whole, 'Version of the database.'),
    datasets: whole,
    partners: whole,
    contracts: whole,
    owed: object({ count: whole, oldest: time }, ['oldest']),
    startedAt: time,
  }),
  Partner: object(
    {
      did: text,
      name: text,
      address: text,
      trust: oneOf('known', 'trusted', 'blocked'),
      seal,
      fingerprint: text,
      addedAt: time,
    },
    ['fingerprint'],
  ),
  Partners: object({ partners: list(ref('Partner')) }),
  Clause: object({
    number: { type: 'integer', minimum: 1 },
    text: inBothLanguages,
    enforcement: inBothLanguages,
  }),
  RemoteDataset: object(
    {
      id: text,
      title: text,
      description: text,
      keywords: list(text),
      formats: list(text),
      offers: list(
        object({ id: text, clauses: list(ref('Clause')), acceptable: flag, problem: text }, ['problem']),
      ),
    },
    ['title', 'description'],
  ),
  RemoteCatalog: object({ datasets: list(ref('RemoteDataset')) }),
  SourceStatus: object(
    {
      dataset: text,
      state: text,
      since: time,
      problem: text,
      lastMalformed: text,
      received: whole,
      records: whole,
      malformed: whole,
      duplicates: whole,
    },
    ['problem', 'lastMalformed'],
  ),
  Source: object(
    {
      id: text,
      kind: text,
      config: anything('Settings; a stored secret is shown as ***.'),
      createdAt: time,
      status: list(ref('SourceStatus')),
    },
    ['status'],
  ),
  Sources: object({ sources: list(ref('Source')) }),
  CheckResult: object({ ok: flag, message: text }),
  Offer: object(offer),
  Offers: object({ offers: list(ref('Offer')) }),
  Dataset: object(
    {
      id: text,
      title: text,
      description: text,
      keywords: list(text),
      machineId: text,
      signals: list(signal(object)),
      sourceId: text,
      published: flag,
      createdAt: time,
      updatedAt: time,
      offers: list(ref('Offer')),
    },
    ['description', 'machineId', 'sourceId'],
  ),
  Datasets: object({ datasets: list(ref('Dataset')) }),
  TimelineEntry: object(
    {
      seq: whole,
      at: time,
      direction: described(oneOf('in', 'out', 'own'), 'Messages come in and go out; own is a decision here.'),
      event: text,
      detail: anything('What belongs to the event, such as who did it.'),
    },
    ['detail'],
  ),
  OwedMessage: object({ event: text, since: time, attempts: whole, lastError: text, nextAttemptAt: time }, [
    'lastError',
  ]),
  Negotiation: object(negotiation, NEGOTIATION_OPTIONAL),
  NegotiationDetail: object({ ...negotiation, ...history }, NEGOTIATION_OPTIONAL),
  Negotiations: object({ negotiations: list(ref('Negotiation')) }),
  Contract: object(contract, CONTRACT_OPTIONAL),
  ContractDetail: object(
    {
      ...contract,
      clauses: list(ref('Clause')),
      agreement: anything('The agreement exactly as it was sent or received.'),
      hash: described(text, 'SHA-256 of the canonical JSON of the agreement.'),
      used: described(whole, 'Deliveries booked so far; provider only.'),
      timeline: list(ref('TimelineEntry')),
    },
    [...CONTRACT_OPTIONAL, 'used'],
  ),
  Contracts: object({ contracts: list(ref('Contract')) }),
  Verification: object({
    intact: described(flag, 'Whether the stored agreement still has its hash.'),
    signatures: list(
      object(
        {
          by: text,
          as: oneOf('provider', 'consumer', 'receipt'),
          verdict: oneOf('valid', 'missing', 'invalid'),
          problem: text,
        },
        ['problem'],
      ),
    ),
  }),
  Transfer: object(transfer, TRANSFER_OPTIONAL),
  TransferDetail: object({ ...transfer, ...history }, TRANSFER_OPTIONAL),
  Transfers: object({ transfers: list(ref('Transfer')) }),
  Tokens: object({ tokens: list(object({ name: text, createdAt: time })) }),
  CreatedToken: object({ name: text, token: described(text, 'Shown once.') }),
  SetupAnswer: object({ token: described(text, 'Shown once.') }),
  Live: object({ live: flag }),
  Ready: object({ ready: flag, reasons: described(list(text), 'Why it is not ready.') }),
  Document: anything('An OpenAPI 3.1 document.'),
} as const satisfies Record<string, Schema>

/** Parts of requests. */
const PARTS = {
  Terms: request(
    {
      recipients: described(list(text), 'DIDs of the only participants that may receive.'),
      from: described(text, 'First moment of use: 2027-01-01, or a date and time with offset.'),
      until: described(text, 'Last day of use, 2026-12-31; or a date and time with offset, itself excluded.'),
      agreementAge: described(text, 'ISO 8601 duration of use from the conclusion of the contract.'),
      count: described({ type: ['integer', 'string'] }, 'Deliveries in total.'),
      fields: described(list(text), 'The only signals delivered.'),
      samplingInterval: described(text, 'ISO 8601 duration, the least distance between records.'),
      deliveryDelay: described(text, 'ISO 8601 duration, the least age of a record at delivery.'),
    },
    ['recipients', 'from', 'until', 'agreementAge', 'count', 'fields', 'samplingInterval', 'deliveryDelay'],
  ),
} as const satisfies Record<string, Schema>

export type RequestName = keyof typeof REQUESTS
export type AnswerName = keyof typeof ANSWERS

export const SCHEMAS: Readonly<Record<string, Schema>> = { ...REQUESTS, ...PARTS, ...ANSWERS }

/** One realistic request of each kind. */
export const EXAMPLES: Readonly<Record<RequestName, unknown>> = {
  Nothing: {},
  NewPartner: {
    did: 'did:web:buyer.example.com',
    address: 'https://buyer.example.com',
    name: 'Buyer',
    seal: 'require',
  },
  PartnerChange: { seal: 'require' },
  SourceInput: { kind: 'mqtt', config: { url: 'mqtts://broker.example.com:8883', topic: 'plant/press-7/#' } },
  DatasetInput: {
    title: 'Press 7, hydraulics',
    keywords: ['press', 'hydraulics'],
    machineId: 'press-7',
    signals: [{ name: 'pressure', type: 'number', unit: 'bar' }],
    sourceId: 'shop-floor',
  },
  NewOffer: {
    id: 'until-2026',
    terms: { until: '2026-12-31', fields: ['pressure'], samplingInterval: 'PT10S' },
  },
  NewNegotiation: { partner: 'did:web:maker.example.com', dataset: 'press-7' },
  Reason: { reason: 'The project has ended.' },
  OptionalReason: { reason: 'Maintenance until Monday.' },
  NewTransfer: { contract: 'urn:uuid:0b0c9a52-6f0e-4c38-9a53-6f1f6bb5d3a1' },
  NewToken: { name: 'monitoring' },
  SetupRequest: { code: 'the code from the console', name: 'admin' },
}
