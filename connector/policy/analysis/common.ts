/** Whether several policies leave anything that all of them allow. */
import type { OdrlPolicy } from '../odrl/policy.js'
import { canonicalPolicies } from './canonical.js'
import { type BlockedDuty, blockedDuties, type Clash, clashes } from './clashes.js'
import { bounded } from './compare-policies.js'
import { type Answer, exists, type Witness } from './relate.js'
import { Space } from './space.js'

export type Common = {
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
    return {
      overlap: answer,
      satisfiable: each.map((extent) => exists(space, extent).answer),
      ...(witness !== undefined && { witness }),
      clashes: pairs.flatMap(([one, other]) => clashes(space, one, other)),
      blockedDuties: pairs.flatMap(([one, other]) => blockedDuties(space, one, other)),
    }
  }, untold)
}
