/** Whether several policies leave anything that all of them allow. */
import type { OdrlPolicy } from '../odrl/policy.js'
import { canonicalPolicy } from './canonical.js'
import { bounded } from './compare-policies.js'
import { type Answer, exists, type Witness } from './relate.js'
import { Space } from './space.js'

export type Common = {
  /** Some use is allowed by all of them. */
  readonly overlap: Answer
  readonly satisfiable: readonly Answer[]
  readonly witness?: Witness
}

export function common(written: readonly OdrlPolicy[]): Common {
  const policies = written.map(canonicalPolicy)
  const untold: Common = { overlap: 'unknown', satisfiable: policies.map(() => 'unknown') }
  return bounded(() => {
    const space = new Space(policies)
    const each = policies.map((policy) => space.allowed(policy))
    const { answer, witness } = exists(space, space.common(each))
    return {
      overlap: answer,
      satisfiable: each.map((extent) => exists(space, extent).answer),
      ...(witness !== undefined && { witness }),
    }
  }, untold)
}
