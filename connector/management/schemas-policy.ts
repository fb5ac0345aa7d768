/** Schemas of answers about policies: how terms compare, and who may do what under them. */
import { anything, described, flag, list, object, oneOf, ref, text, time, whole } from './schema.js'

const inBothLanguages = object({ en: text, de: text })

const relation = oneOf('equal', 'stricter', 'looser', 'disjoint', 'conflicting', 'incomparable', 'unknown')

export const termsComparison = described(
  object({
    against: oneOf('published', 'asked', 'before'),
    relation,
    text: inBothLanguages,
    clauses: list(object({ relation, clauses: list(whole), text: inBothLanguages })),
  }),
  'How the terms on the table lie to the published offer, to what was asked for, or to what was proposed before: the clauses that are not equal, each with a use that shows it. unknown: nothing certain can be said.',
)

const traced = object(
  {
    clause: whole,
    term: text,
    verdict: described(oneOf('true', 'false', 'unknown', 'deferred'), 'deferred: looked at in a later step.'),
    text: inBothLanguages,
  },
  ['clause'],
)

const mayOrNot = object(
  {
    partner: text,
    partnerName: text,
    dataset: text,
    offer: described(text, 'Whether the partner sees this offer and could get a contract on it.'),
    contract: described(text, 'Whether data may flow under this contract.'),
    allowed: flag,
    step: described(
      oneOf('trust', 'published', 'proof', 'catalog', 'negotiation', 'contract', 'transfer', 'delivery'),
      'Where it ends.',
    ),
    because: inBothLanguages,
    change: described(inBothLanguages, 'The nearest thing that would have to change.'),
    trace: list(traced),
  },
  ['offer', 'contract', 'step', 'because', 'change'],
)

export const whoMay = object({
  at: time,
  entries: list(mayOrNot),
  complete: described(flag, 'False when there are more: ask for one partner or dataset.'),
})

const enforcedBy = described(
  oneOf('provider', 'consumer', 'contract', 'capable'),
  "Who keeps it: the provider's connector, the recipient's connector, or the contract alone. capable: the recipient's connector where it has proved that it can, otherwise the contract alone.",
)

export const tier = described(
  object({ number: { type: 'integer', minimum: 1, maximum: 3 }, text: inBothLanguages }),
  "1: the provider's connector keeps all terms. 2: beside that, duties that the recipient's connector carries out. 3: at least one term is kept by contract only.",
)

/** Terms in words, and policies made of templates. */
export const policyAnswers = {
  Clause: object({
    number: { type: 'integer', minimum: 1 },
    text: inBothLanguages,
    enforcedBy,
    enforcement: inBothLanguages,
  }),
  TemplateClause: object(
    {
      number: { type: 'integer', minimum: 1 },
      path: described(text, 'Where the clause stands in the policy.'),
      text: inBothLanguages,
      enforcedBy,
      enforcement: inBothLanguages,
      remark: inBothLanguages,
      obstacle: described(inBothLanguages, 'Why this connector does not publish terms with this clause.'),
    },
    ['remark', 'obstacle'],
  ),
  OfferInWords: object(
    {
      id: text,
      offerHash: described(text, 'Names exactly these terms.'),
      clauses: list(ref('Clause')),
      tier,
      acceptable: described(flag, 'Whether every term is understood, and can be kept here or be promised.'),
      notUnderstood: described(
        list(text),
        'Names of the terms that this connector does not understand and that a person may accept as promises: acceptNotUnderstood.',
      ),
      problem: text,
    },
    ['notUnderstood', 'problem'],
  ),
  TemplatePolicy: object({
    policy: anything('A policy as ODRL, for an offer.'),
    publishable: described(
      flag,
      'Whether an offer with this policy can be published by this connector; one of tier 3 with contractOnly.',
    ),
    tier: { type: 'integer', minimum: 1, maximum: 3 },
    clauses: list(ref('TemplateClause')),
  }),
}

const shape = object(
  {
    hash: described(text, 'SHA-256 of the canonical JSON of the document.'),
    name: described(text, 'How terms name it: urn:sha256: and the hash.'),
    document: anything('The document; schemas/shape.schema.json describes it.'),
    text: described(inBothLanguages, 'What it asks for.'),
    from: described(text, 'DID of the partner that handed it over; absent for our own.'),
    addedAt: time,
  },
  ['from'],
)

export const SHAPE_ANSWERS = { Shape: shape, Shapes: object({ shapes: list(ref('Shape')) }) } as const

export const shapesOfContract = described(
  list(object({ hash: text, document: anything('The document.') })),
  'The shape documents that the agreement names.',
)
