/**
 * The space of all uses that some policies can tell apart, and the part of it that a condition, a rule or a policy means.
 * Every part has a lower and an upper bound: what is in it for sure, and what may be in it.
 */
import { isKnownAction } from '../action-terms.js'
import { ODRL } from '../model.js'
import { isTemporal } from '../odrl/judge.js'
import type { Action, Atom, Condition, OdrlPolicy, OdrlRule, Thing } from '../odrl/policy.js'
import { actionAxis, actionCells } from './action-axis.js'
import { type Axis, bit, firstCells, highestCell, lowestCell, type Mask } from './axis.js'
import { AxisPlan, type Scope } from './axis-plan.js'
import { type Box, EVERYTHING, intersect, NOTHING, type Region, slab, subtract, unite } from './boxes.js'
import { isZoneName, LOCAL } from './canonical.js'
import { dutyKey, isManner, scopedAtoms } from './rule-atoms.js'

export type Extent = { readonly must: Region; readonly may: Region }

const exact = (region: Region): Extent => ({ must: region, may: region })
const ALL = exact(EVERYTHING)
const NONE = exact(NOTHING)
/** Nobody can tell what belongs to it. */
const DOUBT: Extent = { must: NOTHING, may: EVERYTHING }

const meet = (a: Extent, b: Extent): Extent => {
  const must = intersect(a.must, b.must)
  return a.must === a.may && b.must === b.may ? exact(must) : { must, may: intersect(a.may, b.may) }
}
const meetAll = (extents: readonly Extent[]): Extent => extents.reduce(meet, ALL)
const join = (extents: readonly Extent[]): Extent => {
  const must = unite(extents.map((one) => one.must))
  return extents.every((one) => one.must === one.may)
    ? exact(must)
    : { must, may: unite(extents.map((one) => one.may)) }
}

export class Space {
  readonly #plan: AxisPlan
  readonly #axes: Axis[] = []
  readonly #index = new Map<string, number>()
  readonly #actions: readonly string[]
  /** Axes of which one value is never larger than the other: metered time is part of elapsed time. */
  readonly #frames: (readonly [smaller: number, larger: number])[] = []

  /** Axes that speak of the instant of use, and those that speak of the clock on the wall. */
  readonly #clocks: { readonly instant: number[]; readonly local: number[] } = { instant: [], local: [] }

  constructor(policies: readonly OdrlPolicy[]) {
    const rules = policies.flatMap(allRules)
    this.#plan = new AxisPlan(rules.flatMap(scopedAtoms))
    const custom = new Set(
      rules.flatMap(({ actions }) => actions.map(({ iri }) => iri)).filter((iri) => !isKnownAction(iri)),
    )
    this.#actions = [...custom]
    this.#add('action', actionAxis(this.#actions))
    for (const part of ['target', 'assignee'] as const) {
      const field = part === 'target' ? 'targets' : 'assignees'
      const names = new Set(rules.flatMap((rule) => rule[field].flatMap(({ id }) => id ?? [])))
      this.#add(part, identityAxis(part, [...names].sort()))
    }
    for (const [key, axis] of this.#plan.axes()) {
      this.#add(key, axis)
      const leftOperand = this.#plan.leftOperandOf(key)
      if (leftOperand === `${ODRL}dateTime`) this.#clocks.instant.push(this.#axes.length - 1)
      if (LOCAL.has(leftOperand)) this.#clocks.local.push(this.#axes.length - 1)
    }
    for (const [smaller, larger] of this.#plan.frames()) {
      const [a, b] = [this.#index.get(smaller), this.#index.get(larger)]
      if (a !== undefined && b !== undefined) this.#frames.push([a, b])
    }
  }

  #add(key: string, axis: Axis): void {
    this.#index.set(key, this.#axes.length)
    this.#axes.push(axis)
  }

  get full(): readonly Mask[] {
    return this.#axes.map(({ possible }) => possible)
  }

  #slab(key: string, cells: Mask): Region {
    const at = this.#index.get(key)
    const axis = at === undefined ? undefined : this.#axes[at]
    if (at === undefined || axis === undefined) throw new TypeError(`there is no axis ${key}`)
    const inside = cells & axis.possible
    return inside === axis.possible ? EVERYTHING : slab(at, inside)
  }

  subtract(a: Region, b: Region): Region {
    return subtract(a, b, this.full)
  }

  /** No use is in the region, whatever turns out about what is in doubt. */
  isEmpty(region: Region): boolean {
    return region.every((box) => !this.#framed(box, (axis) => axis.possible))
  }

  /** Some use is in the region for sure: the box to show for it. */
  sureBox(region: Region): Box | undefined {
    return region.find((box) => this.#isSure(box))
  }

  #isSure(box: Box): boolean {
    const each = box.every((cells, at) => {
      const axis = this.#axes[at]
      if (cells === undefined || axis === undefined) return true
      return (cells & axis.sure) !== 0n || axis.groups.some((group) => (group & ~cells) === 0n)
    })
    return each && this.#framed(box, (axis) => axis.sure) && this.#clocksAgree(box)
  }

  /** Weekdays and times of day follow from the instant, so they are free only where the instant has no bound. */
  #clocksAgree(box: Box): boolean {
    const [instant] = this.#clocks.instant
    const isLocal = this.#clocks.local.some((at) => box[at] !== undefined)
    if (instant === undefined || !isLocal) return true
    const [cells, axis] = [box[instant], this.#axes[instant]]
    if (cells === undefined || axis === undefined) return true
    return (cells & 1n) === 1n || highestCell(cells) === highestCell(axis.possible)
  }

  /** Whether the smaller of two framed values can be at most the larger one. */
  #framed(box: Box, of: (axis: Axis) => Mask): boolean {
    return this.#frames.every(([smaller, larger]) => {
      const [a, b] = [this.#axes[smaller], this.#axes[larger]]
      if (a === undefined || b === undefined) return true
      const [low, high] = [(box[smaller] ?? a.possible) & of(a), (box[larger] ?? b.possible) & of(b)]
      return low !== 0n && high !== 0n && lowestCell(low) <= highestCell(high)
    })
  }

  /** One value for each left operand that the box restricts. */
  witness(box: Box): Readonly<Record<string, string>> {
    const values: Record<string, string> = {}
    for (const [at, cells] of box.entries()) {
      const axis = this.#axes[at]
      if (cells === undefined || axis === undefined) continue
      const sure = cells & axis.sure
      const value = axis.witness(this.#near(box, at, sure === 0n ? cells : sure))
      if (value !== undefined) values[axis.name] = value
    }
    return values
  }

  /** For framed axes the outermost cells, so that the values fit each other. */
  #near(box: Box, at: number, cells: Mask): Mask {
    const frame = this.#frames.find(([smaller, larger]) => at === smaller || at === larger)
    if (frame === undefined || box[frame[0]] === undefined || box[frame[1]] === undefined) return cells
    return at === frame[0] ? cells & -cells : bit(highestCell(cells))
  }

  condition(condition: Condition, scope: Scope): Extent {
    if (condition.kind === 'atom') return this.#atom(condition, scope)
    if (condition.unknown.length > 0 || condition.operands.length === 0) return DOUBT
    const parts = condition.operands.map((operand) => this.condition(operand, scope))
    switch (condition.kind) {
      case 'and':
        return meetAll(parts)
      case 'or':
        return join(parts)
      case 'xone':
        return this.#exactlyOne(parts)
      case 'andSequence': {
        // Without history an order of satisfaction can be told only where nothing changes with time; what satisfies
        // all conditions at once satisfies them in any order.
        const all = meetAll(parts)
        return condition.operands.some(isTemporal) ? { must: all.must, may: EVERYTHING } : all
      }
    }
  }

  /** Goes through the parts once and keeps what is in none and what is in one of those before. */
  #exactlyOne(parts: readonly Extent[]): Extent {
    const counted = (inside: 'must' | 'may', outside: 'must' | 'may'): Region => {
      let [none, one]: readonly [Region, Region] = [EVERYTHING, NOTHING]
      for (const part of parts) {
        one = unite([this.subtract(one, part[outside]), intersect(none, part[inside])])
        none = this.subtract(none, part[outside])
      }
      return one
    }
    const must = counted('must', 'may')
    return parts.every((part) => part.must === part.may) ? exact(must) : { must, may: counted('may', 'must') }
  }

  #atom(atom: Atom, scope: Scope): Extent {
    if (isZoneName(atom)) return ALL
    const key = this.#plan.keyOf(atom, scope)
    const at = this.#index.get(key)
    const holding = at === undefined ? undefined : this.#axes[at]?.holding(atom)
    if (holding === undefined) return DOUBT
    const must = this.#slab(key, holding.must)
    return holding.must === holding.may ? exact(must) : { must, may: this.#slab(key, holding.may) }
  }

  conditions(conditions: readonly Condition[], scope: Scope): Extent {
    return meetAll(conditions.map((condition) => this.condition(condition, scope)))
  }

  /** What a rule speaks about: parties, data, actions and conditions. Duties are not part of it. */
  scope(rule: OdrlRule): Extent {
    const whole = meetAll([
      rule.actions.length === 0 ? ALL : join(rule.actions.map((action) => this.#action(action, rule.kind))),
      this.#things(rule.targets, 'target'),
      this.#things(rule.assignees, 'assignee'),
      this.conditions(rule.constraints, ''),
    ])
    return rule.unknown.length > 0 ? { must: NOTHING, may: whole.may } : whole
  }

  #action(action: Action, kind: OdrlRule['kind']): Extent {
    const refined = this.conditions(action.refinements, '')
    if (action.unknown.length > 0) return { must: NOTHING, may: refined.may }
    const cells = actionCells(action.iri, this.#actions, kind)
    return meet(exact(this.#slab('action', cells)), refined)
  }

  #things(things: readonly Thing[], part: 'target' | 'assignee'): Extent {
    if (things.length === 0) return ALL
    return join(
      things.map((thing) => {
        const refined = this.conditions(thing.refinements, `${part}:`)
        if (thing.id === undefined || thing.unknown.length > 0) return { must: NOTHING, may: refined.may }
        const at = this.#index.get(part)
        const own = at === undefined ? 0n : (this.#axes[at]?.holding(named(thing.id))?.must ?? 0n)
        const must = this.#slab(part, own)
        // Who or what belongs to a collection stands elsewhere.
        return thing.collection
          ? { must: meet(exact(must), refined).must, may: EVERYTHING }
          : meet(exact(must), refined)
      }),
    )
  }

  /** What it means to have done a duty, as a restriction of the uses that go with it. */
  duty(duty: OdrlRule): Extent {
    const key = dutyKey(duty)
    const conditions = [...duty.constraints, ...duty.actions.flatMap(({ refinements }) => refinements)]
    const performed = exact(this.#slab(key, 2n))
    if (!isManner(duty)) return performed
    const whole = meet(performed, this.conditions(conditions, `${key}:`))
    return duty.unknown.length > 0 ? { must: NOTHING, may: whole.may } : whole
  }

  permission(rule: OdrlRule): Extent {
    return meetAll([this.scope(rule), ...rule.duties.map((duty) => this.duty(duty))])
  }

  /** The uses that a policy allows. */
  allowed(policy: OdrlPolicy): Extent {
    const permitted = join(policy.permissions.map((rule) => this.permission(rule)))
    const prohibited = join(policy.prohibitions.map((rule) => this.scope(rule)))
    const free: Extent =
      policy.conflict === 'perm'
        ? permitted
        : {
            must: this.subtract(permitted.must, prohibited.may),
            may: this.subtract(permitted.may, prohibited.must),
          }
    const kept = meetAll([free, ...policy.obligations.map((duty) => this.duty(duty))])
    return policy.unknown.length > 0 ? { must: NOTHING, may: kept.may } : kept
  }

  /** What all of some parts have in common; without parts, everything. */
  common(extents: readonly Extent[]): Extent {
    return meetAll(extents)
  }

  /** Some parts together; without parts, nothing. */
  union(extents: readonly Extent[]): Extent {
    return extents.length === 0 ? NONE : join(extents)
  }

  /** The uses that the rules of one kind speak about. */
  scopes(rules: readonly OdrlRule[]): Extent {
    return this.union(rules.map((rule) => this.scope(rule)))
  }
}

const named = (id: string): Atom => ({
  kind: 'atom',
  id: undefined,
  path: '',
  unknown: [],
  leftOperand: '',
  operator: 'eq',
  values: [{ text: id, scalar: undefined }],
  unit: undefined,
})

/** Parties and data are who and what they are called. */
function identityAxis(name: string, names: readonly string[]): Axis {
  const index = new Map(names.map((one, at) => [one, at]))
  const all = firstCells(names.length + 1)
  return {
    name,
    possible: all,
    sure: all,
    groups: [],
    holding: ({ values }) => {
      const at = index.get(values[0]?.text ?? '')
      return at === undefined ? undefined : { must: bit(at), may: bit(at) }
    },
    witness: (cells) => names[lowestCell(cells)] ?? 'any other',
  }
}

const allRules = (policy: OdrlPolicy): readonly OdrlRule[] => [
  ...policy.permissions,
  ...policy.prohibitions,
  ...policy.obligations,
]
