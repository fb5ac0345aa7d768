/** Rules that contradict each other: what is allowed and prohibited, what is demanded and prohibited. */
import { isIncluded } from '../action-terms.js'
import type { OdrlPolicy, OdrlRule } from '../odrl/policy.js'
import { type Answer, type Found, overlap, type Witness, within } from './relate.js'
import type { Extent, Space } from './space.js'

/** A permission and a prohibition, of one policy or of two, that may speak of the same use. */
export type Clash = {
  readonly permission: string
  readonly prohibition: string
  readonly answer: Exclude<Answer, 'no'>
  readonly witness?: Witness
}

/** A duty and a prohibition of the action that it demands. */
export type BlockedDuty = {
  readonly duty: string
  readonly prohibition: string
  /** `always` when every way to fulfil the duty is prohibited, `sometimes` when one is, `perhaps` when nobody can tell. */
  readonly blocked: 'always' | 'sometimes' | 'perhaps'
}

/** Paths without the mark that tells two policies apart. */
export const bare = (path: string): string => path.replace(/^[ab]:/, '')

export const nameOf = (rule: OdrlRule): string => rule.id ?? bare(rule.path)

/** A policy with something in it that nobody here understands may mean its rules otherwise. */
const isUnderstood = (...policies: readonly OdrlPolicy[]): boolean =>
  policies.every(({ unknown }) => unknown.length === 0)

const UNTOLD: Found = { answer: 'unknown' }

export type Pair = Clash & { readonly rules: readonly [permission: OdrlRule, prohibition: OdrlRule] }

/** Permissions of one policy that meet prohibitions of the other. */
export const clashPairs = (space: Space, permits: OdrlPolicy, prohibits: OdrlPolicy): readonly Pair[] =>
  permits.permissions.flatMap((permission) =>
    prohibits.prohibitions.flatMap((prohibition) => {
      const found = overlap(space, space.permission(permission), space.scope(prohibition))
      if (found.answer === 'no') return []
      const { answer, witness } = isUnderstood(permits, prohibits) ? found : UNTOLD
      return [
        {
          permission: nameOf(permission),
          prohibition: nameOf(prohibition),
          answer: answer === 'yes' ? ('yes' as const) : ('unknown' as const),
          ...(witness !== undefined && { witness }),
          rules: [permission, prohibition] as const,
        },
      ]
    }),
  )

export const clashes = (space: Space, permits: OdrlPolicy, prohibits: OdrlPolicy): readonly Clash[] =>
  clashPairs(space, permits, prohibits).map(({ rules: _, ...clash }) => clash)

/** Duties of one policy that prohibitions of the other, or its own, leave no way or one way less to fulfil. */
export const blockedDuties = (
  space: Space,
  demands: OdrlPolicy,
  prohibits: OdrlPolicy,
): readonly BlockedDuty[] =>
  [...demands.permissions.flatMap(({ duties }) => duties), ...demands.obligations].flatMap((duty) =>
    prohibits.prohibitions.flatMap((prohibition) => {
      const [done, barred] = [space.scope(duty), narrowly(space, prohibition)]
      const { answer } = overlap(space, done, barred)
      if (answer === 'no') return []
      const blocked = !isUnderstood(demands, prohibits)
        ? 'perhaps'
        : within(space, done, barred).answer === 'yes'
          ? 'always'
          : answer === 'yes'
            ? 'sometimes'
            : 'perhaps'
      return [{ duty: nameOf(duty), prohibition: nameOf(prohibition), blocked } as const]
    }),
  )

/** What a prohibition forbids in itself, without the wider actions that one cannot ask for because of it. */
const narrowly = (space: Space, prohibition: OdrlRule): Extent =>
  space.scope({ ...prohibition, kind: 'permission' })

/** Whether all that is prohibited are narrower actions than the permitted ones: "use, but do not pass on". */
export const isNarrower = (prohibition: OdrlRule, permission: OdrlRule): boolean =>
  prohibition.actions.length > 0 &&
  prohibition.actions.every(
    ({ iri }) =>
      permission.actions.some((wider) => wider.iri !== iri && isIncluded(iri, wider.iri) === true) &&
      permission.actions.every((other) => isIncluded(other.iri, iri) === false),
  )
