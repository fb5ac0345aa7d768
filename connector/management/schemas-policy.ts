/** Schemas of answers about policies: how terms compare, and who may do what under them. */
import { described, list, object, oneOf, text, whole } from './schema.js'

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
