/** What a filled-in template says, clause by clause, who keeps each clause, and what stands against publishing it here. */
import { ok, type Result } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import { type Enforcement, enforcementLabel, explain } from '../explain.js'
import { parsePolicy } from '../parse.js'
import { type Tier, tiersOf } from '../tier.js'
import type { Instance } from './instantiate.js'

export type PreviewClause = {
  readonly number: number
  readonly path: string
  readonly text: Text
  readonly enforcedBy: Enforcement
  readonly enforcement: Text
  /** Words of the template beside the clause. */
  readonly remark?: Text
  /** Why this connector does not publish terms with this clause. */
  readonly obstacle?: Text
}

export type Preview = {
  readonly clauses: readonly PreviewClause[]
  /** Whether an offer with these terms can be published by this connector; one of tier 3 when the operator says so. */
  readonly publishable: boolean
  readonly tier: Tier
}

export function preview({ policy, remarks }: Instance): Result<Preview> {
  const parsed = parsePolicy(policy)
  if (!parsed.ok) return parsed
  const { tier, refused } = tiersOf(parsed.value)
  const obstacles = new Map(refused.map(({ path, why }) => [path, why]))
  const clauses = explain(parsed.value).map(({ number, path, text, enforcedBy }) => {
    const [remark, obstacle] = [remarks.get(path), obstacles.get(path) ?? obstacles.get(`${path}.action`)]
    return {
      number,
      path,
      text,
      enforcedBy,
      enforcement: enforcementLabel(enforcedBy),
      ...(remark === undefined ? {} : { remark }),
      ...(obstacle === undefined ? {} : { obstacle }),
    }
  })
  return ok({ clauses, publishable: obstacles.size === 0, tier })
}
