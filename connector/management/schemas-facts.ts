/** Schemas of facts that the operator confirms: what goes in, and what comes out. */
import { described, flag, list, object, oneOf, request, type Schema, text, time } from './schema.js'

const filled: Schema = { type: 'string', minLength: 1, maxLength: 512 }
const sha256: Schema = { type: 'string', pattern: '^[0-9a-f]{64}$' }

const about = {
  partner: described(filled, 'DID of the partner that it is about.'),
  dataset: described(filled, 'Only for this dataset.'),
  machine: described(filled, 'Only for datasets of this machine.'),
} as const

export const newFact: Schema = request(
  {
    ...about,
    condition: described(
      filled,
      'Left operand that it is a value of, by short name or IRI: group, credentialType, connectorAssurance, partySeat, spatial, userRequest or event.',
    ),
    value: filled,
    not: described({ type: 'boolean' }, 'Confirm that the value does not apply.'),
    from: described(filled, 'A date and time with offset; now when absent.'),
    until: described(filled, 'A date and time with offset, exclusive; until it is ended when absent.'),
    note: { type: 'string', maxLength: 4096 },
    document: described(
      request({ sha256, name: filled }, ['name']),
      'A document that you keep: its SHA-256 in lower-case hex, and its name.',
    ),
    signed: described(
      { type: 'string', minLength: 1, maxLength: 16384 },
      'The request of the user of the machine as a JWS, signed with the key of its DID; it is checked.',
    ),
  },
  ['partner', 'dataset', 'machine', 'not', 'from', 'until', 'note', 'document', 'signed'],
)

export const userRequest: Schema = request(
  {
    holder: described(filled, 'DID of the partner that holds the data.'),
    recipient: described(filled, 'DID of the third party that shall receive it.'),
    dataset: described(filled, 'Only this dataset of the holder.'),
    id: described(filled, 'Id of the request, urn:uuid; a new one when absent.'),
  },
  ['dataset', 'id'],
)
export const USER_REQUEST_EXAMPLE = {
  holder: 'did:web:maker.example.com',
  recipient: 'did:web:service.example.com',
  dataset: 'press-7',
} as const
export const signedRequest: Schema = object({
  id: text,
  statement: described(text, 'The signed request, for the holder.'),
})

export const fact: Schema = object(
  {
    id: text,
    partner: text,
    partnerName: text,
    dataset: text,
    machine: text,
    condition: text,
    value: text,
    not: flag,
    text: object({ en: text, de: text }),
    from: time,
    until: time,
    status: described(oneOf('in-force', 'not-yet', 'run-out', 'ended'), 'Now.'),
    note: text,
    evidence: object(
      { kind: oneOf('document', 'signed'), sha256, name: text, signer: text, statement: text },
      ['sha256', 'name', 'signer', 'statement'],
    ),
    by: described(text, 'Name of the token that recorded it.'),
    at: time,
    ended: object({ at: time, by: text, reason: text }),
  },
  ['partner', 'partnerName', 'dataset', 'machine', 'not', 'until', 'note', 'evidence', 'ended'],
)

export const facts: Schema = object({ facts: list(fact) })

export const FACT_EXAMPLE = {
  partner: 'did:web:buyer.example.com',
  condition: 'group',
  value: 'affiliates',
  until: '2027-12-31T23:00:00Z',
  note: 'Extract from the commercial register of 3 November 2026.',
} as const
