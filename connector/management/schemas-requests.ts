/** Schemas of what goes into the management API, with one realistic example each. Unknown properties are refused. */
import {
  anything,
  approval,
  described,
  flag,
  list,
  oneOf,
  ref,
  request,
  type Schema,
  seal,
  signal,
  text,
} from './schema.js'
import { FACT_EXAMPLE, newFact, USER_REQUEST_EXAMPLE, userRequest } from './schemas-facts.js'

const filled: Schema = { type: 'string', minLength: 1, maxLength: 512 }
const long: Schema = { type: 'string', maxLength: 4096 }
const templateValues: Schema = anything('Values for the parameters of the template, by name.')
const secret = (about: string): Schema =>
  described(
    { type: 'string', minLength: 1, maxLength: 4096 },
    `${about} Stored as a secret, never shown again.`,
  )
/** What identifies a partner and us to each other, apart from the ids. */
const identifying = {
  outgoingToken: secret('Bearer token that we send to the partner, for partners without DID tokens.'),
  incomingToken: secret('Bearer token that the partner sends to us.'),
  ownId: described(filled, 'Our id as this partner knows us, when it is not our DID.'),
  ownAddress: described(filled, 'Our public address as this partner reaches us, when it is another one.'),
  dialect: described(
    oneOf('dsp', 'edc'),
    'edc: the partner is an Eclipse EDC; when it resumes a transfer it waits for a start of ours. Default for laboratories.',
  ),
  dataToken: described(
    oneOf('as-given', 'bearer'),
    'How its data token goes into our requests: as it was given (EDC wants that), or with Bearer in front.',
  ),
  emptyPolicies: described(
    oneOf('refuse', 'accept'),
    'Whether offers and contracts of the partner without any terms are taken. Default: refuse.',
  ),
} as const
const IDENTIFYING = [
  'outgoingToken',
  'incomingToken',
  'ownId',
  'ownAddress',
  'dialect',
  'dataToken',
  'emptyPolicies',
]
const offerHash: Schema = {
  type: 'string',
  pattern: '^[0-9a-f]{64}$',
  description:
    'The offerHash that the negotiation showed: nothing is decided when the terms have changed since.',
}
const acceptNotUnderstood = described(
  flag,
  'Accept the terms that this connector does not understand as promises of ours, by contract only. Needs offerHash, and holds for exactly these terms.',
)
const contractOnly = described(
  flag,
  'Offer the terms although some of them are kept by contract only. Without it such terms are refused, and duties for the connector of the recipient are offered to those that have proved that they carry them out.',
)
const proposal = {
  offer: described(filled, 'Id of one of our published offers of the dataset.'),
  terms: ref('Terms'),
  policy: anything('A policy as ODRL.'),
  contractOnly,
}
const instant: Schema = { type: 'string', format: 'date-time' }
export const REQUESTS = {
  Nothing: request({}),
  NewPartner: request(
    {
      did: described(filled, 'The DID of the partner, did:web; of a laboratory, whatever it calls itself.'),
      address: described(
        filled,
        'Public address of its connector; of a laboratory, its whole DSP base address.',
      ),
      name: { type: 'string', minLength: 1, maxLength: 200 },
      seal,
      approval,
      lab: described(
        { type: 'boolean' },
        'A laboratory with the mock identity of EDC: nobody proves who it is, and plain HTTP is allowed.',
      ),
      ...identifying,
    },
    ['name', 'seal', 'approval', 'lab', ...IDENTIFYING],
  ),
  PartnerChange: request(
    {
      name: { type: 'string', minLength: 1, maxLength: 200 },
      seal,
      approval,
      address: filled,
      ...identifying,
    },
    ['name', 'seal', 'approval', 'address', ...IDENTIFYING],
  ),
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
  NewOffer: request(
    {
      id: filled,
      terms: ref('Terms'),
      policy: anything('A policy as ODRL.'),
      template: ref('TemplateChoice'),
      approval,
      contractOnly,
    },
    ['id', 'terms', 'policy', 'template', 'approval', 'contractOnly'],
  ),
  TemplateValues: request({ values: templateValues }),
  OfferChange: request({ approval }),
  NewShape: request({
    document: anything('The document; schemas/shape.schema.json describes it. Numbers are texts.'),
  }),
  NewNegotiation: request(
    {
      partner: described(filled, 'DID of a trusted partner.'),
      dataset: filled,
      offer: described(filled, 'Needed when more than one offer of the dataset can be accepted.'),
      offerHash: {
        type: 'string',
        pattern: '^[0-9a-f]{12,64}$',
        description:
          'The offerHash that the catalog showed, or its beginning: nothing is asked for when the terms have changed since.',
      },
      acceptNotUnderstood,
    },
    ['offer', 'offerHash', 'acceptNotUnderstood'],
  ),
  NewProposal: request(
    {
      partner: described(filled, 'DID of a trusted partner.'),
      dataset: described(filled, 'One of our datasets; it need not be published.'),
      ...proposal,
    },
    ['offer', 'terms', 'policy', 'contractOnly'],
  ),
  Proposal: request(proposal, ['offer', 'terms', 'policy', 'contractOnly']),
  Acceptance: request({ offerHash, acceptNotUnderstood }, ['offerHash', 'acceptNotUnderstood']),
  Approval: request({ offerHash }),
  Reason: request({
    reason: described({ type: 'string', minLength: 1, maxLength: 1000 }, 'The partner reads it.'),
  }),
  OptionalReason: request({ reason: { type: 'string', minLength: 1, maxLength: 1000 } }, ['reason']),
  NewTransfer: request(
    {
      contract: filled,
      format: described(filled, 'HttpData-PULL: fetched by us. HttpData-PUSH: delivered to us.'),
      sink: ref('SinkInput'),
      from: described(instant, 'Only for push: earliest event time of what is delivered.'),
      to: described(
        instant,
        'Only for push: end of the event time, itself excluded; the transfer ends with it.',
      ),
    },
    ['format', 'sink', 'from', 'to'],
  ),
  DutyWords: request({
    text: described({ type: 'string', minLength: 1, maxLength: 4000 }, 'In words; who says what.'),
  }),
  DutyReport: request(
    {
      text: described(
        { type: 'string', minLength: 1, maxLength: 4000 },
        'What happened; the partner reads it.',
      ),
      event: described(
        { type: 'string', maxLength: 500 },
        'IRI of the event, if the contract leaves it open.',
      ),
    },
    ['event'],
  ),
  NewFact: newFact,
  UserRequest: userRequest,
  NewToken: request({ name: { type: 'string', minLength: 1, maxLength: 64 } }),
  SetupRequest: request({
    code: described(
      { type: 'string', minLength: 1, maxLength: 200 },
      'From the console, once, within 30 minutes.',
    ),
    name: { type: 'string', minLength: 1, maxLength: 64 },
  }),
} as const satisfies Record<string, Schema>

/** Parts of requests. */
export const PARTS = {
  TemplateChoice: request({ id: described(filled, 'Id of the template.'), values: templateValues }, [
    'values',
  ]),
  SinkInput: request(
    {
      to: described(
        filled,
        'Where delivered data is put: file:NAME below receiveDir, or mqtt://HOST[:PORT]/TOPIC.',
      ),
      username: described({ type: 'string', maxLength: 200 }, 'User at the broker.'),
      password: described({ type: 'string', maxLength: 1000 }, 'Stored encrypted and never shown again.'),
    },
    ['username', 'password'],
  ),
  Terms: request(
    {
      recipients: described(list(text), 'DIDs of the only participants that may receive.'),
      from: described(text, 'First moment of use: 2027-01-01, or a date and time with offset.'),
      until: described(text, 'Last day of use, 2026-12-31; or a date and time with offset, itself excluded.'),
      agreementAge: described(text, 'ISO 8601 duration of use from the conclusion of the contract.'),
      count: described({ type: ['integer', 'string'] }, 'Deliveries in total.'),
      hours: described(text, 'Time of day of delivery: 06:00-22:00; 22:00-06:00 goes over midnight.'),
      weekdays: described(list(text), 'Weekdays of delivery: 1 (Monday) to 7, or English names.'),
      timeZone: described(text, 'Zone of hours, weekdays and days, such as Europe/Berlin; UTC by default.'),
      recordsPerDay: described({ type: ['integer', 'string'] }, 'Deliveries on one calendar day.'),
      bytesPerDay: described({ type: ['integer', 'string'] }, 'Bytes of data on one calendar day.'),
      machines: described(list(text), 'The only machines whose records are delivered.'),
      lines: described(list(text), 'The only production lines; needs a declared signal "line".'),
      lots: described(list(text), 'The only lots; needs a declared signal "lot".'),
      machineStates: described(
        list(text),
        'The only states of the machine; needs a declared signal "machineState".',
      ),
      signalRows: described(
        list(text),
        'The only signals, where a declared signal "signal" names the one in each record.',
      ),
      pseudonym: described(text, 'agreement: identifying names become pseudonyms of one contract.'),
      fields: described(list(text), 'The only signals delivered.'),
      withoutFields: described(list(text), 'Signals that are not delivered, while all others are.'),
      samplingInterval: described(text, 'ISO 8601 duration, the least distance between records.'),
      aggregationWindow: described(
        text,
        'ISO 8601 duration, the least length of the windows over which values are combined.',
      ),
      aggregation: described(list(text), 'What is delivered of a window: mean, min, max, sum, count.'),
      minGroup: described(
        { type: ['integer', 'string'] },
        'Machines that have to have contributed to each mean; at least 3.',
      ),
      places: described(list(text), 'The only places; needs a declared signal "sourceLocation".'),
      valueStep: described({ type: ['number', 'string'] }, 'Least step to which numbers are rounded down.'),
      shape: described(text, 'SHA-256 of a stored shape document, which says more for single signals.'),
      deliveryDelay: described(text, 'ISO 8601 duration, the least age of a record at delivery.'),
    },
    [
      'recipients',
      'from',
      'until',
      'agreementAge',
      'count',
      'hours',
      'weekdays',
      'timeZone',
      'recordsPerDay',
      'bytesPerDay',
      'machines',
      'lines',
      'lots',
      'machineStates',
      'signalRows',
      'pseudonym',
      'fields',
      'withoutFields',
      'samplingInterval',
      'aggregationWindow',
      'aggregation',
      'minGroup',
      'places',
      'valueStep',
      'deliveryDelay',
      'shape',
    ],
  ),
} as const satisfies Record<string, Schema>

export type RequestName = keyof typeof REQUESTS

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
  TemplateValues: { values: { recipients: ['did:web:maker.example.com'], term: 'P14D', records: 500 } },
  OfferChange: { approval: 'manual' },
  NewNegotiation: { partner: 'did:web:maker.example.com', dataset: 'press-7' },
  NewProposal: {
    partner: 'did:web:buyer.example.com',
    dataset: 'press-7',
    terms: { agreementAge: 'P30D', count: 100000 },
  },
  Proposal: { terms: { agreementAge: 'P14D', samplingInterval: 'PT1M' } },
  Acceptance: {},
  Approval: { offerHash: 'a8f5f167f44f4964e6c998dee827110ca8f5f167f44f4964e6c998dee827110c' },
  Reason: { reason: 'The project has ended.' },
  OptionalReason: { reason: 'Maintenance until Monday.' },
  DutyWords: { text: 'Deleted from the historian on Monday, says the head of IT.' },
  DutyReport: { text: 'A laptop with copies was stolen.' },
  NewTransfer: { contract: 'urn:uuid:0b0c9a52-6f0e-4c38-9a53-6f1f6bb5d3a1' },
  NewShape: {
    document: {
      type: 'https://w3id.org/machine-data-policy/v1#Shape',
      version: '1',
      fields: { temperature: { valueStep: '0.5' } },
    },
  },
  NewFact: FACT_EXAMPLE,
  UserRequest: USER_REQUEST_EXAMPLE,
  NewToken: { name: 'monitoring' },
  SetupRequest: { code: 'the code from the console', name: 'admin' },
}
