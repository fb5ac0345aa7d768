/** Schemas of what comes out of the management API. Clients leave alone what they do not know: answers may grow. */
import { PROBLEMS } from '../core/result.js'
import {
  anything,
  approval,
  described,
  flag,
  list,
  object,
  oneOf,
  type Properties,
  ref,
  remoteSignals,
  type Schema,
  seal,
  signal,
  text,
  time,
  whole,
} from './schema.js'
import { DUTY_ANSWERS, dutyCounts } from './schemas-duties.js'
import { fact, facts, signedRequest } from './schemas-facts.js'
import {
  policyAnswers,
  SHAPE_ANSWERS,
  shapesOfContract,
  termsComparison,
  tier,
  whoMay,
} from './schemas-policy.js'
import { failingDeliveries, pushFailing, pushProgress } from './schemas-push.js'

const role = oneOf('consumer', 'provider')
const side = oneOf('us', 'partner')
const inBothLanguages = object({ en: text, de: text })

// biome-ignore format: one line each would say no more
export const NEGOTIATION_STATES = [
  'NEW', 'REQUESTED', 'OFFERED', 'ACCEPTED', 'AGREED', 'VERIFIED', 'FINALIZED', 'TERMINATED',
] as const
// biome-ignore format: likewise
export const TRANSFER_STATES = [
  'NEW', 'REQUESTED', 'STARTED', 'SUSPENDED', 'COMPLETED', 'TERMINATED',
] as const

const waiting: Properties = {
  waitingFor: described(
    oneOf('us', 'partner', 'person'),
    'Who has to act next; absent when nobody has to. us: the connector by itself; person: somebody here decides.',
  ),
  waitingSince: time,
  waitingBecause: described(
    oneOf('approval', 'terms', 'offer', 'rules'),
    'Why a person is needed: manual approval is set, the terms are not the published ones, the partner made an offer, or the rules could not decide.',
  ),
  waitingDetail: described(text, 'What belongs to that, such as the term that differs.'),
  lastError: described(text, 'Why the last attempt to reach the partner failed.'),
  attempts: described(whole, 'Attempts to reach the partner so far.'),
  nextAttemptAt: time,
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
  offerHash: described(text, 'SHA-256 that names exactly the terms on the table; an approval repeats it.'),
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
  failing: pushFailing,
  createdAt: time,
  updatedAt: time,
  ...waiting,
}
const TRANSFER_OPTIONAL = ['partnerPid', 'pending', 'reason', 'endedBy', 'suspendedBy', 'failing', ...WAITING]

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
  tier,
  facts: described(list(text), 'Facts that we had confirmed and the contract rests on, by id.'),
  signed: described(
    oneOf('both', 'us', 'partner', 'none'),
    'Whose signatures are stored; verify checks them.',
  ),
}
const CONTRACT_OPTIONAL = ['statusReason', 'statusBy', 'statusAt', 'planHash', 'facts']

const offer: Properties = {
  id: text,
  datasetId: text,
  policy: anything('The policy as ODRL, as it goes into catalogs.'),
  approval,
  contractOnly: described(flag, 'Offered although terms of it are kept by contract only.'),
  tier,
  clauses: list(ref('Clause')),
}

const template: Properties = {
  id: text,
  version: text,
  title: inBothLanguages,
  purpose: inBothLanguages,
  dataAct: described(
    object({ articles: list(text), basis: inBothLanguages }),
    'Where Regulation (EU) 2023/2854 speaks of this kind of sharing.',
  ),
  parameters: list(
    object(
      {
        name: text,
        type: oneOf(
          ...[
            'participants',
            'names',
            'name',
            'duration',
            'integer',
            'decimal',
            'day',
            'time',
            'weekdays',
            'choice',
            'shape',
          ],
        ),
        title: inBothLanguages,
        unit: inBothLanguages,
        least: text,
        most: text,
        default: described({ type: ['string', 'array'] }, 'What holds when no value is given.'),
        choose: described(flag, 'Nobody but the operator can decide: a value has to be given.'),
        none: described(flag, 'The list may be empty, said by "none" or [].'),
        optional: described(flag, 'Without a value the clause is left out.'),
        choices: list(object({ value: text, title: inBothLanguages })),
      },
      ['unit', 'least', 'most', 'default', 'choose', 'none', 'optional', 'choices'],
    ),
  ),
}

const meanings = Object.entries(PROBLEMS)
  .map(([code, meaning]) => `- \`${code}\`: ${meaning}`)
  .join('\n')

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
    laboratories: described(list(text), 'Names of partners whose identity nobody proves.'),
    contracts: whole,
    owed: object({ count: whole, oldest: time }, ['oldest']),
    failingDeliveries,
    duties: dutyCounts,
    waitingForPerson: described(whole, 'Negotiations and transfers that go on when a person decides.'),
    startedAt: time,
  }),
  Partner: object(
    {
      did: text,
      name: text,
      address: text,
      trust: oneOf('known', 'trusted', 'blocked'),
      seal,
      access: described(
        oneOf('did', 'bearer', 'lab'),
        'How it proves who it is: a signed token, a fixed token, or not at all (a laboratory).',
      ),
      ownId: text,
      ownAddress: text,
      approval,
      dialect: oneOf('dsp', 'edc'),
      dataToken: oneOf('as-given', 'bearer'),
      emptyPolicies: oneOf('refuse', 'accept'),
      fingerprint: text,
      dutiesProvenAt: described(
        time,
        'When a token that it signed last said that its connector carries out the duties of our profile. Absent: it has not.',
      ),
      addedAt: time,
    },
    ['ownId', 'ownAddress', 'approval', 'fingerprint', 'dutiesProvenAt'],
  ),
  Partners: object({ partners: list(ref('Partner')) }),
  ...policyAnswers,
  RemoteDataset: object(
    {
      id: text,
      title: text,
      description: text,
      keywords: list(text),
      machineId: text,
      signals: remoteSignals,
      formats: list(text),
      offers: list(ref('OfferInWords')),
    },
    ['title', 'description', 'machineId'],
  ),
  /** `complete` is false when the catalog is longer than what is read of it. */
  RemoteCatalog: object({ datasets: list(ref('RemoteDataset')), complete: flag }),
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
  Offer: object(
    {
      ...offer,
      warnings: described(
        list(inBothLanguages),
        'When an offer is added: rules and conditions in it that never apply or change nothing.',
      ),
    },
    ['warnings'],
  ),
  Template: object(template),
  ...SHAPE_ANSWERS,
  WhoMay: whoMay,
  Templates: object({ templates: list(ref('Template')) }),
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
      message: described(text, 'The message that it is about; absent for decisions.'),
      result: described(
        oneOf('sent', 'received', 'acknowledged', 'attempt failed', 'failed', 'refused', 'given up'),
        'How the message fared. Of failed attempts the first and the latest are kept, with their number as times.',
      ),
      words: described(inBothLanguages, 'The same as a sentence.'),
      detail: anything('What belongs to the event, such as who did it.'),
    },
    ['message', 'result', 'detail'],
  ),
  OwedMessage: object({ event: text, since: time, attempts: whole, lastError: text, nextAttemptAt: time }, [
    'lastError',
  ]),
  Negotiation: object(negotiation, NEGOTIATION_OPTIONAL),
  NegotiationDetail: object(
    {
      ...negotiation,
      terms: ref('OfferInWords'),
      changes: described(list(inBothLanguages), 'What the partner changed in the terms before.'),
      comparison: termsComparison,
      ...history,
    },
    [...NEGOTIATION_OPTIONAL, 'comparison'],
  ),
  Negotiations: object({ negotiations: list(ref('Negotiation')) }),
  Contract: object(contract, CONTRACT_OPTIONAL),
  ContractDetail: object(
    {
      ...contract,
      clauses: list(ref('Clause')),
      agreement: anything('The agreement exactly as it was sent or received.'),
      shapes: shapesOfContract,
      hash: described(text, 'SHA-256 of the canonical JSON of the agreement.'),
      used: described(whole, 'Deliveries booked so far; provider only.'),
      duties: described(list(ref('Duty')), 'What is owed after the delivery, and how it stands.'),
      timeline: list(ref('TimelineEntry')),
    },
    [...CONTRACT_OPTIONAL, 'used', 'shapes'],
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
  TransferDetail: object({ ...transfer, push: ref('PushProgress'), ...history }, [
    ...TRANSFER_OPTIONAL,
    'push',
  ]),
  PushProgress: pushProgress,
  Transfers: object({ transfers: list(ref('Transfer')) }),
  ...DUTY_ANSWERS,
  Fact: fact,
  Facts: facts,
  SignedRequest: signedRequest,
  Tokens: object({ tokens: list(object({ name: text, createdAt: time })) }),
  CreatedToken: object({ name: text, token: described(text, 'Shown once.') }),
  SetupAnswer: object({ token: described(text, 'Shown once.') }),
  Live: object({
    live: flag,
    participantId: described(text, 'Tells this connector from another program on the same port.'),
  }),
  Ready: object({ ready: flag, reasons: described(list(text), 'Why it is not ready.') }),
  Document: anything('An OpenAPI 3.1 document.'),
} as const satisfies Record<string, Schema>

export type AnswerName = keyof typeof ANSWERS
