/**
 * What is wrong with a policy by itself: rules that can never hold, contradictions, rules and conditions without effect,
 * and what this connector cannot enforce. Only what is certain is reported.
 */
import type { Text } from '../../core/types.js'
import { PROFILE, shortName } from '../model.js'
import type { Condition, OdrlPolicy, OdrlRule } from '../odrl/policy.js'
import { parsePolicy } from '../parse.js'
import { tiersOf } from '../tier.js'
import { quoted, text } from '../words.js'
import { canonicalPolicies, isZoneName } from './canonical.js'
import { blockedDuties, clashPairs, isNarrower } from './clashes.js'
import { bounded } from './compare-policies.js'
import { exists, type Witness, within } from './relate.js'
import { type Extent, Space } from './space.js'

export type Finding = {
  readonly kind:
    | 'never'
    | 'conflict'
    | 'carve-out'
    | 'impossible duty'
    | 'shadowed'
    | 'redundant'
    | 'unenforceable'
    | 'not understood'
    | 'too large'
  readonly severity: 'error' | 'warning' | 'info'
  readonly path: string
  readonly text: Text
  readonly witness?: Witness
}

/** How a policy is read besides what it says itself. */
export type CheckOptions = {
  /** A prohibition of a narrower action excepts it from a wider permission, though no strategy says so. */
  readonly exceptions?: boolean
}

/** Findings that need no connector, errors first. */
export function checkPolicy(written: OdrlPolicy, options: CheckOptions = {}): readonly Finding[] {
  const [policy = written] = canonicalPolicies([written])
  const tooLarge: Finding = {
    kind: 'too large',
    severity: 'warning',
    path: '',
    text: text(
      'The policy is too large or too entangled to be checked in full.',
      'Die Policy ist zu groß oder zu verschachtelt, um vollständig geprüft zu werden.',
    ),
  }
  const findings = bounded(() => findingsIn(policy, new Space([policy]), options), [tooLarge])
  return [...findings].sort((a, b) => rank(a) - rank(b))
}

const RANKS = { error: 0, warning: 1, info: 2 }
const rank = ({ severity }: Finding): number => RANKS[severity]

function findingsIn(policy: OdrlPolicy, space: Space, options: CheckOptions): readonly Finding[] {
  const prohibited = space.scopes(policy.prohibitions)
  return [
    ...policy.unknown.map((term): Finding => notUnderstood(term)),
    ...policy.permissions.flatMap((rule) => permissionFindings(rule, policy, space, prohibited)),
    ...policy.prohibitions.flatMap((rule) => prohibitionFindings(rule, policy, space)),
    ...clashFindings(policy, space, options),
    ...dutyFindings(policy, space),
    ...[...policy.permissions, ...policy.prohibitions].flatMap((rule) => idleConditions(rule, space)),
  ]
}

const notUnderstood = (term: string): Finding => ({
  kind: 'not understood',
  severity: 'error',
  path: '',
  text: text(
    `The policy contains ${quoted(term).en}, which is not understood, so nothing is allowed under it.`,
    `Die Policy enthält ${quoted(term).de}, was nicht verstanden wird; unter ihr ist nichts erlaubt.`,
  ),
})

function permissionFindings(
  rule: OdrlRule,
  policy: OdrlPolicy,
  space: Space,
  prohibited: Extent,
): readonly Finding[] {
  const extent = space.permission(rule)
  if (exists(space, extent).answer === 'no') return [never(rule, space)]
  if (policy.conflict !== 'perm' && within(space, extent, prohibited).answer === 'yes') {
    return [
      {
        kind: 'shadowed',
        severity: 'error',
        path: rule.path,
        text: text(
          'Everything that this permission allows is prohibited.',
          'Alles, was diese Erlaubnis erlaubt, ist verboten.',
        ),
      },
    ]
  }
  const earlier = policy.permissions.find(
    (other) => other !== rule && makesIdle(other, rule, extent, policy, space),
  )
  if (earlier === undefined) return []
  return [
    {
      kind: 'redundant',
      severity: 'warning',
      path: rule.path,
      text: text(
        `This permission allows nothing that ${earlier.path} does not allow already.`,
        `Diese Erlaubnis erlaubt nichts, was nicht schon ${earlier.path} erlaubt.`,
      ),
    },
  ]
}

/** Of two equal permissions the later one is idle. */
function makesIdle(
  other: OdrlRule,
  rule: OdrlRule,
  extent: Extent,
  policy: OdrlPolicy,
  space: Space,
): boolean {
  const wider = space.permission(other)
  if (within(space, extent, wider).answer !== 'yes') return false
  const [first, second] = [policy.permissions.indexOf(other), policy.permissions.indexOf(rule)]
  return first < second || within(space, wider, extent).answer === 'no'
}

function never(rule: OdrlRule, space: Space): Finding {
  const culprit = rule.constraints.find((_condition, index) => {
    const before = space.conditions(rule.constraints.slice(0, index + 1), '')
    return exists(space, before).answer === 'no'
  })
  return {
    kind: 'never',
    severity: rule.kind === 'permission' ? 'error' : 'warning',
    path: culprit?.path ?? rule.path,
    text: text(
      'The conditions of this rule can never be met together.',
      'Die Bedingungen dieser Regel können nie zugleich erfüllt sein.',
    ),
  }
}

function prohibitionFindings(rule: OdrlRule, policy: OdrlPolicy, space: Space): readonly Finding[] {
  const extent = space.scope(rule)
  if (exists(space, extent).answer === 'no') return [never(rule, space)]
  const earlier = policy.prohibitions.find((other) => {
    if (other === rule || within(space, extent, space.scope(other)).answer !== 'yes') return false
    const comesFirst = policy.prohibitions.indexOf(other) < policy.prohibitions.indexOf(rule)
    return comesFirst || within(space, space.scope(other), extent).answer === 'no'
  })
  if (earlier === undefined) return []
  return [
    {
      kind: 'redundant',
      severity: 'warning',
      path: rule.path,
      text: text(
        `This prohibition forbids nothing that ${earlier.path} does not forbid already.`,
        `Dieses Verbot verbietet nichts, was nicht schon ${earlier.path} verbietet.`,
      ),
    },
  ]
}

const clashFindings = (policy: OdrlPolicy, space: Space, { exceptions }: CheckOptions): readonly Finding[] =>
  clashPairs(space, policy, policy)
    .filter(({ answer }) => answer === 'yes')
    .map(({ permission, prohibition, witness, rules: [permits, prohibits] }) =>
      (exceptions === true || isException(policy)) && isNarrower(prohibits, permits)
        ? {
            kind: 'carve-out',
            severity: 'info',
            path: permission,
            text: text(
              `Of what ${permission} allows, ${prohibition} excepts a narrower use.`,
              `Von dem, was ${permission} erlaubt, nimmt ${prohibition} eine engere Nutzung aus.`,
            ),
          }
        : {
            kind: 'conflict',
            severity: policy.conflict === 'invalid' ? 'error' : 'warning',
            path: permission,
            text: text(
              `Some use is allowed by ${permission} and prohibited by ${prohibition}.`,
              `Manche Nutzung ist durch ${permission} erlaubt und durch ${prohibition} verboten.`,
            ),
            ...(witness !== undefined && { witness }),
          },
    )

/** Prohibitions win by the policy's own words, or by our profile, whose offers except narrower uses in this way. */
const isException = ({ conflict, profiles }: OdrlPolicy): boolean =>
  conflict === 'prohibit' || (conflict === 'invalid' && profiles.includes(PROFILE))

const dutyFindings = (policy: OdrlPolicy, space: Space): readonly Finding[] =>
  blockedDuties(space, policy, policy)
    .filter(({ blocked }) => blocked !== 'perhaps')
    .map(({ duty, prohibition, blocked }) => ({
      kind: 'impossible duty',
      severity: blocked === 'always' ? 'error' : 'warning',
      path: duty,
      text:
        blocked === 'always'
          ? text(
              `What ${duty} demands, ${prohibition} prohibits.`,
              `Was ${duty} verlangt, verbietet ${prohibition}.`,
            )
          : text(
              `What ${duty} demands, ${prohibition} prohibits in some cases.`,
              `Was ${duty} verlangt, verbietet ${prohibition} in manchen Fällen.`,
            ),
    }))

/** Conditions that the others of the same rule imply. */
function idleConditions(rule: OdrlRule, space: Space): readonly Finding[] {
  const idle = new Set<Condition>()
  for (const condition of rule.constraints) {
    // A zone says how others are read, so it is never idle by itself.
    if (condition.kind === 'atom' && isZoneName(condition)) continue
    const others = rule.constraints.filter((other) => other !== condition && !idle.has(other))
    if (others.length === 0) continue
    const rest = space.conditions(others, '')
    // Of conditions that can never be met together, each implies all others: that is told already.
    if (exists(space, rest).answer === 'no') continue
    if (within(space, rest, space.condition(condition, '')).answer === 'yes') idle.add(condition)
  }
  return [...idle].map((condition) => ({
    kind: 'redundant',
    severity: 'warning',
    path: condition.path,
    text: text(
      'This condition changes nothing: the other conditions of its rule imply it.',
      'Diese Bedingung ändert nichts: Sie folgt aus den anderen Bedingungen ihrer Regel.',
    ),
  }))
}

/** What this connector would refuse to publish in any tier, and why. */
export function unenforceable(json: unknown): readonly Finding[] {
  const parsed = parsePolicy(json)
  if (!parsed.ok) {
    return [
      {
        kind: 'unenforceable',
        severity: 'warning',
        path: '',
        text: text(
          parsed.error.message,
          'Diese Policy ist keine, die dieser Connector als Angebot lesen kann.',
        ),
      },
    ]
  }
  return tiersOf(parsed.value).refused.map(({ path, term, why }) => ({
    kind: 'unenforceable',
    severity: 'warning',
    path: path === '' ? shortName(term) : path,
    text: why,
  }))
}
