/** Schemas of answers about policies: how terms compare, and who may do what under them. */
import { described, flag, list, object, oneOf, text, time, whole } from './schema.js'

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
      oneOf('trust', 'published', 'catalog', 'negotiation', 'contract', 'transfer', 'delivery'),
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
