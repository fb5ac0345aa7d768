/** Schemas of answers about duties: how each stands, and what was declared about it. */
import {
  anything,
  described,
  list,
  object,
  oneOf,
  type Properties,
  ref,
  text,
  time,
  whole,
} from './schema.js'

const inBothLanguages = object({ en: text, de: text })

const duty: Properties = {
  id: described(text, 'Always the same for the same duty of the same contract.'),
  contract: text,
  role: described(oneOf('consumer', 'provider'), 'Ours in the contract.'),
  whose: oneOf('ours', 'theirs'),
  partner: text,
  partnerName: text,
  dataset: text,
  path: described(text, 'Where it stands in the contract.'),
  kind: oneOf('delete', 'log', 'inform', 'other'),
  words: inBothLanguages,
  state: oneOf('open', 'due soon', 'fulfilled', 'overdue', 'waived'),
  dueAt: time,
  outstandingSince: described(
    time,
    'When the oldest data came, or was handed over, that is not settled yet.',
  ),
  note: described(
    inBothLanguages,
    'What happens by itself, what a person has to do, and what nobody here can know.',
  ),
  lastStatementAt: time,
  failing: described(inBothLanguages, 'Why the connector could not delete the last time.'),
}
const OPTIONAL = ['dueAt', 'outstandingSince', 'lastStatementAt', 'failing']

const statement = object(
  {
    id: text,
    kind: described(
      oneOf('deletion', 'log', 'incident', 'done', 'reminder', 'waiver'),
      'deletion, log, incident and done come from the recipient of the data, reminder and waiver from its provider.',
    ),
    direction: described(oneOf('in', 'out', 'own'), 'own: written down by a person here, signed by nobody.'),
    at: time,
    until: described(time, 'Everything that came until then is settled by it.'),
    delivery: described(
      oneOf('owed', 'delivered', 'failed', 'contract only'),
      "How far ours has come; contract only: the partner's connector takes none.",
    ),
    deliveryReason: text,
    content: anything('What is declared, as it is signed.'),
    jws: described(
      text,
      'Compact JWS (ES256) over the canonical JSON of the content; checked with the DID document of the issuer.',
    ),
    proof: anything('What was deleted or logged, file by file. It stays here; the content has its SHA-256.'),
  },
  ['until', 'delivery', 'deliveryReason', 'jws', 'proof'],
)

export const DUTY_ANSWERS = {
  Duty: object(duty, OPTIONAL),
  Duties: object({ duties: list(ref('Duty')) }),
  DutyDetail: object(
    {
      ...duty,
      statements: described(list(statement), 'The latest 200, oldest first.'),
      log: described(
        list(object({ day: text, batches: whole, records: whole, bytes: whole, first: time, last: time })),
        'The log of use by calendar day, UTC; of duties to log only.',
      ),
      entries: described(
        list(text),
        'The latest 10,000 deliveries of the log, each as canonical JSON; a report has the SHA-256 of its lines.',
      ),
    },
    [...OPTIONAL, 'log', 'entries'],
  ),
}

export const dutyCounts = described(
  object({ open: whole, dueSoon: whole, overdue: whole, theirsOverdue: whole }),
  'Our duties by how they stand, and those of partners that are overdue.',
)
