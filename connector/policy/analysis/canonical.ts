/**
 * One name for one quantity: dialects that speak of the same clock become the same left operand, and times of day carry
 * the zone by which they are read, so that no two conditions look independent that are not.
 */
import { MDP } from '../model.js'
import { zoneOf } from '../odrl/judge.js'
import { inOwnTerms } from '../odrl/own-terms.js'
import type { Atom, OdrlPolicy, OdrlRule } from '../odrl/policy.js'
import { mapAtoms } from './atoms.js'
import { operandsIn } from './frames.js'
import { inOneUnit } from './units.js'

/** Read by a clock on the wall, whose zone stands elsewhere in the rule. */
export const LOCAL: ReadonlySet<string> = new Set([`${MDP}localTime`, `${MDP}dayOfWeek`])
/** Counted by calendar days, whose beginning the same zone says. */
const BY_DAY: ReadonlySet<string> = new Set([`${MDP}recordsPerDay`, `${MDP}bytesPerDay`])
/** Left operands whose unit is the zone by which they are read. */
export const ZONED: ReadonlySet<string> = new Set([...LOCAL, ...BY_DAY])
/** Says by which clock others are read, and is no condition by itself. */
export const isZoneName = ({ leftOperand, operator, values, unknown }: Atom): boolean =>
  leftOperand === `${MDP}timeZone` && operator === 'eq' && values.length === 1 && unknown.length === 0

function canonicalAtom(atom: Atom, zone: string | undefined): Atom {
  const own = inOwnTerms(atom) ?? atom
  return ZONED.has(own.leftOperand) ? { ...own, unit: zone } : own
}

const WINDOW = `${MDP}aggregationWindow`
const AGGREGATION = `${MDP}aggregation`

/**
 * Values are combined over a window, and how is left to the connector: less than every way there is, and perhaps more than
 * a way that another policy names.
 */
const OWN_WAY: Atom = {
  kind: 'atom',
  id: undefined,
  path: '',
  leftOperand: AGGREGATION,
  operator: `${MDP}asTheConnectorDoes`,
  values: [],
  unit: undefined,
  unknown: [],
}

const operandsOf = (rule: OdrlRule): ReadonlySet<string> =>
  new Set(rule.constraints.flatMap((condition) => [...operandsIn(condition)]))

/** Says for itself what is left open, where another rule names it. */
function withOwnWay(policies: readonly OdrlPolicy[]): readonly OdrlPolicy[] {
  const isNamed = policies.some(({ permissions }) =>
    permissions.some((rule) => operandsOf(rule).has(AGGREGATION)),
  )
  if (!isNamed) return policies
  return policies.map((policy) => ({
    ...policy,
    permissions: policy.permissions.map((rule) => {
      const named = operandsOf(rule)
      const isOpen = named.has(WINDOW) && !named.has(AGGREGATION)
      return isOpen ? { ...rule, constraints: [...rule.constraints, OWN_WAY] } : rule
    }),
  }))
}

/** The policies with one name and one unit for one quantity; asked together, because a unit is changed only beside another. */
export const canonicalPolicies = (policies: readonly OdrlPolicy[]): readonly OdrlPolicy[] =>
  inOneUnit(
    withOwnWay(
      policies.map((policy) =>
        mapAtoms(policy, (atom, rule) => canonicalAtom(atom, zoneOf(rule.constraints))),
      ),
    ),
  )
