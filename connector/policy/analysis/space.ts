/**
 * The space of all uses that some policies can tell apart, and the part of it that a condition, a rule or a policy means.
 * Every part has a lower and an upper bound: what is in it for sure, and what may be in it.
 */
import type { Action, Atom, Condition, OdrlPolicy, OdrlRule, Thing } from '../odrl/policy.js'
import { scalarText } from '../odrl/scalar.js'
import { type Actions, actionAxis } from './action-axis.js'
import { type Axis, bit, firstCells, type Holding, highestCell, lowestCell, type Mask } from './axis.js'
import { AxisPlan, type Scope } from './axis-plan.js'
import { type Box, EVERYTHING, intersect, NOTHING, type Region, slab, subtract, unite } from './boxes.js'
import { isZoneName } from './canonical.js'
import { Clocks } from './clocks.js'
import { growingIn, isLasting } from './frames.js'
import { type Identities, identityAxis } from './identity-axis.js'
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
  readonly #actions: Actions
  readonly #things: Readonly<Record<'target' | 'assignee', Identities>>
  /** Axes of which one value is never larger than the other: metered time is part of elapsed time. */
  readonly #frames: (readonly [smaller: number, larger: number])[] = []

  readonly #clocks: Clocks
  readonly #permissions = new Map<OdrlRule, Extent>()

  constructor(policies: readonly OdrlPolicy[]) {
    const rules = policies.flatMap(allRules)
    this.#clocks = new Clocks(this.#axes)
    this.#plan = new AxisPlan(rules.flatMap(scopedAtoms))
    const all = [...rules, ...rules.flatMap(({ duties }) => duties)]
    this.#actions = actionAxis(
      new Set(all.flatMap(({ actions }) => actions.flatMap(({ iri }) => (iri === '' ? [] : [iri])))),
    )
    this.#add('action', this.#actions.axis)
    this.#things = {
      target: identityAxis(
        'target',
        all.flatMap(({ targets }) => targets),
      ),
      assignee: identityAxis(
        'assignee',
        all.flatMap(({ assignees }) => assignees),
      ),
    }
    this.#add('target', this.#things.target.axis)
    this.#add('assignee', this.#things.assignee.axis)
    for (const [key, axis] of this.#plan.axes()) {
      this.#add(key, axis)
      const leftOperand = this.#plan.leftOperandOf(key)
      this.#clocks.add(this.#axes.length - 1, {
        leftOperand,
        // A time that refines a party or an asset is another one than that of the use.
        isOfUse: this.#plan.scopeOf(key) === '',
        zone: this.#plan.unitOf(key),
      })
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

  #possible(key: string): Mask {
    return this.#axes[this.#index.get(key) ?? -1]?.possible ?? 0n
  }

  #keysOf(condition: Condition, scope: Scope): readonly string[] {
    return condition.kind === 'atom'
      ? [this.#plan.keyOf(condition, scope)]
      : condition.operands.flatMap((operand) => this.#keysOf(operand, scope))
  }

  /** The cells of one axis in a region that speaks of no other; undefined where it is not restricted or not in order. */
  #cellsOn(key: string, region: Region): Mask | undefined {
    const at = this.#index.get(key)
    if (at === undefined || this.#axes[at]?.points === undefined) return undefined
    const cells = region.map((box) => box[at])
    return cells.reduce<Mask | undefined>(
      (sum, one) => (sum === undefined || one === undefined ? undefined : sum | one),
      0n,
    )
  }

  subtract(a: Region, b: Region): Region {
    return subtract(a, b, this.full)
  }

  /** No use is in the region, whatever turns out about what is in doubt. */
  isEmpty(region: Region): boolean {
    return region.every(
      (box) => !this.#framed(box, (axis) => axis.possible) || this.#clocks.shown(box).answer === 'no',
    )
  }

  /** Some use is in the region for sure: the box to show for it. */
  sureBox(region: Region): Box | undefined {
    return region.find((box) => this.#isSure(box))
  }

  #isSure(box: Box): boolean {
    const clock = this.#clocks.shown(box)
    if (clock.answer !== 'yes' || !this.#framed(box, (axis) => axis.sure)) return false
    return box.every((cells, at) => {
      const axis = this.#axes[at]
      if (cells === undefined || axis === undefined) return true
      // The instant that was found shows it.
      if (clock.at !== undefined && this.#clocks.has(at)) return true
      return (cells & axis.sure) !== 0n || axis.groups.some((group) => (group & ~cells) === 0n)
    })
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
    const { at: instant } = this.#clocks.shown(box)
    for (const [at, cells] of box.entries()) {
      const axis = this.#axes[at]
      if (cells === undefined || axis === undefined) continue
      // The instant says what the clocks show.
      if (instant !== undefined && this.#clocks.has(at)) continue
      const sure = cells & axis.sure
      const value = axis.witness(this.#near(box, at, sure === 0n ? cells : sure))
      if (value !== undefined) values[axis.name] = value
    }
    return instant === undefined ? values : { ...values, dateTime: scalarText(instant) }
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
      case 'andSequence':
        return this.#inOrder(condition.operands, parts, scope)
    }
  }

  /**
   * ODRL demands that the conditions are satisfied in their order, and does not say whether all at once will do. What meets
   * all at once meets them in any order; what changes with time may have met an earlier one before. So a use may be meant
   * when it meets what never changes, no step is impossible, and what only grows can have gone through the steps.
   */
  #inOrder(steps: readonly Condition[], parts: readonly Extent[], scope: Scope): Extent {
    const all = meetAll(parts)
    if (steps.every(isLasting)) return all
    if (parts.some(({ may }) => this.isEmpty(may))) return NONE
    const lasting = parts.filter((_part, at) => steps[at] !== undefined && isLasting(steps[at]))
    const grown = new Set(steps.flatMap((step) => growingIn(step) ?? []))
    const reached = [...grown].map((iri) =>
      this.#reached(
        steps.filter((step) => growingIn(step) === iri),
        scope,
      ),
    )
    return { must: all.must, may: meetAll([...lasting, ...reached.map(exact)]).may }
  }

  /** Where a quantity that only grows can be after it has gone through all the steps. */
  #reached(steps: readonly Condition[], scope: Scope): Region {
    const keys = new Set(steps.flatMap((step) => this.#keysOf(step, scope)))
    const [key, second] = keys
    if (key === undefined || second !== undefined) return EVERYTHING
    let least = 0
    for (const step of steps) {
      const cells = this.#cellsOn(key, this.condition(step, scope).may)
      if (cells === undefined) continue
      const later = cells & ~firstCells(least)
      if (later === 0n) return NOTHING
      least = lowestCell(later)
    }
    return this.#slab(key, ~firstCells(least) & this.#possible(key))
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
    return holding === undefined ? DOUBT : this.#holding(key, holding)
  }

  #holding(key: string, { must, may }: Holding): Extent {
    const sure = this.#slab(key, must)
    return must === may ? exact(sure) : { must: sure, may: this.#slab(key, may) }
  }

  conditions(conditions: readonly Condition[], scope: Scope): Extent {
    return meetAll(conditions.map((condition) => this.condition(condition, scope)))
  }

  /** What a rule speaks about: parties, data, actions and conditions. Duties are not part of it. */
  scope(rule: OdrlRule): Extent {
    const whole = meetAll([
      rule.actions.length === 0 ? ALL : join(rule.actions.map((action) => this.#action(action, rule.kind))),
      this.#thingsIn(rule.targets, 'target'),
      this.#thingsIn(rule.assignees, 'assignee'),
      this.conditions(rule.constraints, ''),
    ])
    return rule.unknown.length > 0 ? { must: NOTHING, may: whole.may } : whole
  }

  #action(action: Action, kind: OdrlRule['kind']): Extent {
    const refined = this.conditions(action.refinements, '')
    if (action.unknown.length > 0) return { must: NOTHING, may: refined.may }
    return meet(this.#holding('action', this.#actions.holdingOf(action.iri, kind)), refined)
  }

  #thingsIn(things: readonly Thing[], part: 'target' | 'assignee'): Extent {
    if (things.length === 0) return ALL
    return join(
      things.map((thing) => {
        const refined = this.conditions(thing.refinements, `${part}:`)
        if (thing.id === undefined || thing.unknown.length > 0) return { must: NOTHING, may: refined.may }
        return meet(this.#holding(part, this.#things[part].holdingOf(thing.id)), refined)
      }),
    )
  }

  /** What it means to have done a duty, as a restriction of the uses that go with it. */
  duty(duty: OdrlRule): Extent {
    const key = dutyKey(duty)
    const conditions = [...duty.constraints, ...duty.actions.flatMap(({ refinements }) => refinements)]
    // A duty of a permission comes before the use, an obligation whenever.
    const performed = exact(this.#slab(key, duty.kind === 'obligation' ? 6n : 2n))
    if (!isManner(duty)) return performed
    const whole = meet(performed, this.conditions(conditions, `${key}:`))
    return duty.unknown.length > 0 ? { must: NOTHING, may: whole.may } : whole
  }

  /** Rules are asked for again and again, each with all others. */
  permission(rule: OdrlRule): Extent {
    const known = this.#permissions.get(rule)
    if (known !== undefined) return known
    const extent = meetAll([this.scope(rule), ...rule.duties.map((duty) => this.duty(duty))])
    this.#permissions.set(rule, extent)
    return extent
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
    // What is not understood in a policy as a whole may restrict it, and may grant as well.
    return policy.unknown.length > 0 ? DOUBT : kept
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

const allRules = (policy: OdrlPolicy): readonly OdrlRule[] => [
  ...policy.permissions,
  ...policy.prohibitions,
  ...policy.obligations,
]
