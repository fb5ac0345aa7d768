/** Turns the policy of an agreement into the plan that the data plane carries out. */

import { canonicalize, sha256Hex } from '../core/canonical.js'
import { ok, problem, type Result } from '../core/result.js'
import type { EpochMs } from '../core/types.js'
import type { Policy } from './model.js'
import { pathWords } from './path-words.js'
import type { Plan } from './plan.js'
import { withShape } from './plan-shape.js'
import { type PlanTerms, strictest } from './plan-terms.js'
import type { ShapeLookup } from './shape.js'
import { contributionsOf, unsupportedTerms } from './support.js'

/**
 * The strictest combination of all terms. `PolicyUnsupported` when a term cannot be enforced or a shape document is missing,
 * `PolicyDenied` when the assignee is not among the recipients. The same policy, shape document and agreement give the same
 * plan and hash, everywhere.
 */
export function compilePlan(
  policy: Policy,
  agreement: {
    readonly agreedAt: EpochMs
    /** Absent while there is only an offer: then nobody is checked against its recipients. */
    readonly assignee?: string
    /** Documents that the policy may name; without it none is at hand. */
    readonly shapes?: ShapeLookup
  },
): Result<Plan> {
  const combined = combinedTerms(policy, agreement.agreedAt)
  if (!combined.ok) return combined
  const terms = combined.value
  const { assignee, shapes = () => undefined } = agreement
  const isRecipient =
    assignee === undefined || terms.recipients?.includes(assignee.normalize('NFC')) !== false
  if (!isRecipient) {
    return problem('PolicyDenied', {
      en: 'The assignee of the agreement is not one of its recipients.',
      de: 'Der Empfänger der Vereinbarung (assignee) gehört nicht zu den Empfängern, die sie nennt.',
    })
  }
  const shaped = withShape(terms, shapes)
  if (!shaped.ok) return shaped
  const content = { version: 1, ...shaped.value } as const
  return ok({ ...content, hash: sha256Hex(canonicalize(content)) })
}

/** All conditions together, without what stands in a shape document. `PolicyUnsupported` when one cannot be enforced. */
function combinedTerms(policy: Policy, agreedAt: EpochMs): Result<PlanTerms> {
  const unsupported = unsupportedTerms(policy)
  const [first] = unsupported
  if (first !== undefined) {
    const rest = unsupported.length - 1
    const place = pathWords(first.path)
    const said = {
      en: `${first.why.en} (${first.path})${rest > 0 ? ` (and ${rest} more)` : ''}`,
      de: `${first.why.de} (${place.de})${rest > 0 ? ` (und ${rest} weitere)` : ''}`,
    }
    return problem('PolicyUnsupported', said, unsupported)
  }
  return ok(
    contributionsOf(policy, agreedAt)
      .map((contribution) => contribution.terms)
      .reduce<PlanTerms>(strictest, {}),
  )
}
