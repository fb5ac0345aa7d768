/** Whether several policies leave anything that all of them allow. */
import type { OdrlPolicy } from '../odrl/policy.js'
import { canonicalPolicies } from './canonical.js'
import { type BlockedDuty, blockedDuties, type Clash, clashes } from './clashes.js'
import { bounded } from './compare-policies.js'
import { type Answer, exists, type Witness } from './relate.js'
import { Space } from './space.js'

export type Common = {
  /**
   * In conflict when rules contradict each other or all of them leave nothing; compatible when neither can be; else unknown.
   */
  readonly verdict: 'conflict' | 'compatible' | 'unknown'
  /** Some use is allowed by all of them. */
  readonly overlap: Answer
  readonly satisfiable: readonly Answer[]
  readonly witness?: Witness
  /** Permissions and prohibitions of any two of them, or of one, that speak of the same use. */
  readonly clashes: readonly Clash[]
  readonly blockedDuties: readonly BlockedDuty[]
}

export function common(written: readonly OdrlPolicy[]): Common {
  const policies = canonicalPolicies(written)
  const untold: Common = {
    verdict: 'unknown',
    overlap: 'unknown',
    satisfiable: policies.map(() => 'unknown'),
    clashes: [],
    blockedDuties: [],
  }
  return bounded(() => {
    const space = new Space(policies)
    const pairs = policies.flatMap((one) => policies.map((other) => [one, other] as const))
    const each = policies.map((policy) => space.allowed(policy))
    const { answer, witness } = exists(space, space.common(each))
    const granting = each.filter((_extent, at) => (policies[at]?.permissions.length ?? 0) > 0)
    const granted = granting.length === 0 ? 'yes' : exists(space, space.common(granting)).answer
    const contradictions = pairs.flatMap(([one, other]) => clashes(space, one, other))
    const blocked = pairs.flatMap(([one, other]) => blockedDuties(space, one, other))
    return {
      verdict: verdictOf(
        policies.every(({ unknown }) => unknown.length === 0) || granted === 'no' ? granted : 'unknown',
        contradictions,
        blocked,
      ),
      overlap: answer,
      satisfiable: each.map((extent) => exists(space, extent).answer),
      ...(witness !== undefined && { witness }),
      clashes: contradictions,
      blockedDuties: blocked,
    }
  }, untold)
}

/** @param granted whether those that grant anything grant something in common */
function verdictOf(
  granted: Answer,
  contradictions: readonly Clash[],
  blocked: readonly BlockedDuty[],
): Common['verdict'] {
  const isCertain =
    contradictions.some(({ answer }) => answer === 'yes') ||
    blocked.some((duty) => duty.blocked !== 'perhaps')
  if (granted === 'no' || isCertain) return 'conflict'
  return granted === 'yes' && contradictions.length + blocked.length === 0 ? 'compatible' : 'unknown'
}
