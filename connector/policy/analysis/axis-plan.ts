/** Chooses the axis for every left operand that the policies speak of, from all conditions on it together. */
import { isIncluded } from '../action-terms.js'
import { MDP, ODRL, shortName } from '../model.js'
import { sameValue, treeOf } from '../odrl/judge.js'
import type { Atom } from '../odrl/policy.js'
import { type Scalar, scalarOf } from '../odrl/scalar.js'
import { conceptOf } from '../odrl/taxonomy.js'
import { operandOf } from '../registry.js'
import { type Axis, exactly } from './axis.js'
import { LOCAL, ZONED } from './canonical.js'
import { comboAxis, severalAxis } from './combo-axis.js'
import { AMBIGUOUS, FRAMES, isDimensionOf, localName } from './frames.js'
import { haveOneAuthority, isNominal, namedAxis, placeAxis } from './named-axis.js'
import { isOrdered, orderedAxis, pointsOf, type Range, sortedPoints } from './ordered-axis.js'

/** In which respect a condition speaks: of the use itself, of its target or assignee, or of how a duty is done. */
export type Scope = string

type Use = {
  readonly atom: Atom | undefined
  readonly scope: Scope
  readonly duty: readonly string[] | undefined
}

type Group = {
  readonly leftOperand: string
  readonly scope: Scope
  readonly unit: string
  readonly atoms: Atom[]
}

/** Left operands of which "is part of" a list means that each value is one of the list. */
const SUBSETS: ReadonlySet<string> = new Set([`${MDP}fields`, `${MDP}aggregation`])

/** A party has several of these at once; everything else has one value for one use. */
const SEVERAL: ReadonlySet<string> = new Set([
  ...['credentialType', 'group', 'contractReference', 'userRequest'].map((name) => MDP + name),
  ...[
    'BusinessPartnerGroup',
    'Membership',
    'FrameworkAgreement',
    'UsageRestriction',
    'ContractReference',
  ].map((name) => `https://w3id.org/catenax/2025/9/policy/${name}`),
])

/** Several events may be under way at once; how a duty is done hangs on one of them. */
const isOfUse = (leftOperand: string, scope: Scope): boolean => leftOperand === `${ODRL}event` && scope === ''

export class AxisPlan {
  readonly #groups = new Map<string, Group>()
  /** Duties by their key, with their actions. */
  readonly #duties = new Map<Scope, readonly string[]>()

  constructor(uses: readonly Use[]) {
    for (const { atom, scope, duty } of uses) {
      if (duty !== undefined) this.#duties.set(scope, duty)
      if (atom === undefined) continue
      const key = this.keyOf(atom, scope)
      const group = this.#groups.get(key)
      if (group !== undefined) group.atoms.push(atom)
      else {
        this.#groups.set(key, { leftOperand: atom.leftOperand, scope, unit: atom.unit ?? '', atoms: [atom] })
      }
    }
  }

  /** Values in different units are on different axes: nobody here converts them. */
  keyOf({ leftOperand, unit }: Atom, scope: Scope): string {
    return `${scope} ${leftOperand} ${unit ?? ''}`
  }

  #keyOf({ leftOperand, scope, unit }: Group): string {
    return `${scope} ${leftOperand} ${unit}`
  }

  leftOperandOf(key: string): string {
    return this.#groups.get(key)?.leftOperand ?? ''
  }

  scopeOf(key: string): Scope {
    return this.#groups.get(key)?.scope ?? ''
  }

  unitOf(key: string): string {
    return this.#groups.get(key)?.unit ?? ''
  }

  /** Pairs of axes of which the first value is never the larger one. */
  frames(): readonly (readonly [string, string])[] {
    return [...this.#groups].flatMap(([key, { leftOperand, scope, unit }]) =>
      FRAMES.filter(([smaller]) => smaller === leftOperand).flatMap(([, larger]) => {
        const partner = `${scope} ${larger} ${unit}`
        return this.#isFramed(key, partner) ? [[key, partner] as const] : []
      }),
    )
  }

  /** Both are ordered by one and the same list of points. */
  #isFramed(key: string, partner: string): boolean {
    const [a, b] = [this.#groups.get(key), this.#groups.get(partner)]
    if (a === undefined || b === undefined) return false
    return [...a.atoms, ...b.atoms].every(isOrdered) && pointsFor([...a.atoms, ...b.atoms]) !== undefined
  }

  axes(): readonly (readonly [string, Axis])[] {
    const keys = [...this.#duties]
    const duties = keys.map(([key, actions]) => {
      const isAlone = keys.every(([other, others]) => other === key || areUnrelated(actions, others))
      return [key, done(key, isAlone)] as const
    })
    const shared = new Map(
      this.frames().flatMap(([a, b]) => {
        const points = pointsFor([a, b].flatMap((key) => this.#groups.get(key)?.atoms ?? []))
        return points === undefined
          ? []
          : ([
              [a, points],
              [b, points],
            ] as const)
      }),
    )
    const measured = [...this.#groups].map(([key, group]) => {
      const axis = axisFor(group, shared.get(key))
      return [key, this.#isEntangled(group) ? { ...axis, sure: 0n, groups: [] } : axis] as const
    })
    return [...duties, ...measured]
  }

  /** Quantities with a law between them that no common order of their values lets us use. */
  #isLooseFrame(one: Group, other: Group): boolean {
    const [a, b] = [localName(one.leftOperand), localName(other.leftOperand)]
    const isLaw = FRAMES.some((pair) => pair.every((iri) => [a, b].includes(localName(iri))))
    const [x, y] = [this.#keyOf(one), this.#keyOf(other)]
    return isLaw && !this.frames().some((frame) => frame.includes(x) && frame.includes(y))
  }

  /**
   * The same quantity in another unit or by the name of another vocabulary, or one dimension of a quantity that leaves open
   * which one it means, depends on this one in a way nobody here knows.
   */
  #isEntangled(group: Group): boolean {
    const { leftOperand, scope, unit } = group
    return [...this.#groups.values()].some(
      (other) =>
        other.scope === scope &&
        (other.leftOperand === leftOperand
          ? // What clocks of several zones show together follows from the instant.
            other.unit !== unit && !LOCAL.has(leftOperand)
          : localName(other.leftOperand) === localName(leftOperand) ||
            isDimensionOf(leftOperand, other.leftOperand) ||
            isDimensionOf(other.leftOperand, leftOperand) ||
            this.#isLooseFrame(group, other)),
    )
  }
}

/** Doing one is never a way of doing the other. */
const areUnrelated = (a: readonly string[], b: readonly string[]): boolean =>
  a.every((one) => b.every((other) => isIncluded(one, other) === false && isIncluded(other, one) === false))

/**
 * Cell 0: not done, cell 1: done before the use, cell 2: done at another time, which nobody is sure is the same to a duty
 * before the use. Duties that may be fulfilled by each other are not free of each other.
 */
const done = (key: string, isAlone: boolean): Axis => ({
  name: key,
  possible: 7n,
  sure: isAlone ? 3n : 0n,
  groups: [],
  holding: () => exactly(2n),
  witness: (cells) => ((cells & 6n) === 0n ? 'not done' : 'done'),
})

const pointsFor = (atoms: readonly Atom[]): readonly Scalar[] | undefined =>
  sortedPoints(
    atoms.flatMap(({ values }) =>
      values.flatMap(({ scalar }) => (scalar === undefined ? [] : pointsOf(scalar))),
    ),
  )

function rangeOf(leftOperand: string): Range {
  const domain = operandOf(leftOperand)?.domain
  if (domain === undefined) return { known: false, integer: false, least: undefined }
  const least = 'least' in domain || domain.kind === 'time' ? 0 : undefined
  if (domain.kind === 'weekday')
    return { known: true, integer: true, least: undefined, only: [1, 2, 3, 4, 5, 6, 7] }
  const most = leftOperand === `${ODRL}percentage` ? 100 : undefined
  return { known: true, integer: domain.kind === 'integer', least, ...(most !== undefined && { most }) }
}

/**
 * "Every seven days" and "every fourteen days" are two values, and yet what happens every fourteen days can be what happens
 * every seven: which reading is meant is not said. Limits alone speak of the length of the period.
 */
function isRecurrence(leftOperand: string, atoms: readonly Atom[]): boolean {
  if (leftOperand !== `${ODRL}timeInterval` || atoms.every(({ operator }) => /^(lt|gt)/.test(operator)))
    return false
  const values = atoms.flatMap((atom) => atom.values)
  const [first] = values
  return first !== undefined && values.some((one) => sameValue(first, one, undefined) !== true)
}

const isAllOfSeveral = ({ operator, values }: Atom): boolean =>
  operator === 'isAllOf' && new Set(values.map(({ text }) => text)).size > 1

const weekdays = (): readonly Scalar[] =>
  Array.from({ length: 7 }, (_, at) => ({ kind: 'number', at: { n: BigInt(at + 1), scale: 0 } }) as const)

/** Tells the axes of one left operand in several units apart; a zone is no unit. */
const unitWords = ({ leftOperand, unit }: Group): string =>
  unit === '' || ZONED.has(leftOperand) ? '' : ` (${shortName(unit)})`

function axisFor(group: Group, shared: readonly Scalar[] | undefined): Axis {
  const { leftOperand } = group
  const atoms = group.atoms
  const name = `${group.scope}${shortName(leftOperand)}${unitWords(group)}`
  const understood = atoms.every(({ unknown, operator }) => unknown.length === 0 && operator !== '')
  const ambiguous = AMBIGUOUS.has(leftOperand) || isRecurrence(leftOperand, atoms)
  if (!understood || ambiguous) return comboAxis(name, atoms, ambiguous && understood)
  if (SEVERAL.has(leftOperand) || isOfUse(leftOperand, group.scope)) return severalAxis(name, atoms)
  if (atoms.every(isOrdered) && !isMisread(leftOperand, atoms)) {
    const range = rangeOf(leftOperand)
    const points = range.only !== undefined ? weekdays() : (shared ?? pointsFor(atoms))
    if (points !== undefined) return orderedAxis(name, atoms, points, range)
  }
  const places = placeAxis(name, atoms)
  if (places !== undefined) return places
  const names = [...new Set(atoms.flatMap(({ values }) => values.map(({ text }) => text)))].sort()
  // Who asks for several names at once says that there can be several.
  if (atoms.some(isAllOfSeveral) && treeOf(leftOperand) === undefined && haveOneAuthority(names))
    return severalAxis(name, atoms)
  const noScalars = atoms.every(({ values }) => values.every(({ scalar }) => scalar === undefined))
  const nominal = atoms.every((atom) => isNominal(atom, SUBSETS.has(leftOperand)))
  const tree = treeOf(leftOperand)
  const things = new Set(names.map((one) => conceptOf(tree, one) ?? one))
  return nominal && noScalars && haveOneAuthority(names) && things.size === names.length
    ? namedAxis(name, atoms, names)
    : comboAxis(name, atoms, false)
}

/**
 * Texts that look like numbers and are only ever compared for being the same may be names: "1.0" and "1" are one number
 * and two names.
 */
function isMisread(leftOperand: string, atoms: readonly Atom[]): boolean {
  if (operandOf(leftOperand) !== undefined) return false
  const values = atoms.flatMap((atom) => atom.values)
  if (values.every(({ text, datatype }) => datatype !== undefined && scalarOf(text, datatype) !== undefined))
    return false
  if (atoms.some(({ operator }) => /^(lt|gt)/.test(operator))) return false
  const texts = new Set(values.map(({ text }) => text))
  return (sortedPoints(values.flatMap(({ scalar }) => scalar ?? []))?.length ?? 0) < texts.size
}
