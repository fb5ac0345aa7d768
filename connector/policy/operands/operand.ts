/**
 * What a left operand is: one file per operand says everything the engine may know about it. Constraint values are read
 * by the operand, never by the datatype written beside them, because peers lose datatypes on the way.
 */
import type { EpochMs, Text } from '../../core/types.js'
import type { AtomicConstraint, Facts, Operator, Phase } from '../model.js'
import type { PlanTerms } from '../plan-terms.js'
import type { Domain } from './domain.js'

/** Who keeps a term: a connector by its own means, or nobody but the contract. */
export type Enforcer = 'provider' | 'consumer' | 'contract'

/** The phases of a connector, then those at the consumer: while the data is used, and after that. */
export type LookedAt = Phase | 'use' | 'after'

export type OperatorRule = {
  /** Which right operand permits less. */
  readonly stricter: 'smaller' | 'larger' | 'subset' | 'superset'
  /** Where the constraint is looked at; in other phases it is left for later. */
  readonly phases: readonly LookedAt[]
}

export type Outcome = {
  readonly verdict: 'true' | 'false' | 'unknown'
  /** A sentence of its own. Made on demand: most decisions are allowed and nobody reads why. */
  readonly text: () => Text
  /** Ids of the confirmations that it rests on. */
  readonly facts?: readonly string[]
}

export type Reading<V> = { readonly value: V } | { readonly wrong: Text }

/** A condition in the terms of ODRL and of our profile. */
export type OwnTerm = {
  readonly leftOperand: string
  readonly operator: string
  readonly rightOperand: string
}

type About = {
  readonly iri: string
  /** Every other spelling in which the left operand arrives. */
  readonly aliases: readonly string[]
  readonly datatype:
    | 'xsd:dateTime'
    | 'xsd:duration'
    | 'xsd:nonNegativeInteger'
    | 'xsd:decimal'
    | 'xsd:time'
    | 'participant'
    | 'signal'
    | 'name'
    | 'concept'
    | 'weekday'
  readonly domain: Domain
  /** What is measured, as a noun. */
  readonly label: Text
  /** Numbers of the usage-control classes that the operand belongs to. */
  readonly classes: readonly number[]
  /** What one unit of the value is, where the datatype leaves it open. */
  readonly unit?: Text
  /** No value has a comma, so that one text with commas is a list, as sovity and older Tractus-X connectors write it. */
  readonly commaLists?: true
  readonly operators: Readonly<Partial<Record<Operator, OperatorRule>>>
  /** Who can keep the term; whether this connector does says `enforcedHere`. */
  readonly enforcedBy: Enforcer
  /** For a term of another vocabulary: the one of ours that means the same; undefined for a value that means nothing. */
  readonly means?: (operator: string, value: string) => OwnTerm | undefined
  /** Truth depends on the time of evaluation, so that an order of satisfaction cannot be told without history. */
  readonly temporal: boolean
  /** The provider's operator confirms the value: about the recipient, or about an event. Nobody else can tell. */
  readonly confirmed?: Confirmation
}

export type Confirmation = {
  readonly of: 'recipient' | 'event'
  /** Has one value at a time, so that a confirmed one excludes all others. */
  readonly single: boolean
  /**
   * What becomes of running transfers once it is not confirmed any more: delivery waits, or the transfer is suspended until it
   * is confirmed again, or it ends.
   */
  readonly lapse: 'wait' | 'suspend' | 'end'
}

export type Operand = About & {
  /** The data plane of this connector makes it true or refuses. */
  readonly enforcedHere: boolean
  /** Why the right operand is not a value of this operand; undefined when it is one. */
  readonly wrong: (constraint: AtomicConstraint) => Text | undefined
  readonly evaluate: (constraint: AtomicConstraint, facts: Facts) => Outcome
  /** The clause in words. The constraint must not be wrong. */
  readonly describe: (constraint: AtomicConstraint) => Text
  /** What the data plane has to do. The constraint must not be wrong. Without `agreedAt` what hangs on it is left out. */
  readonly contribute: (constraint: AtomicConstraint, agreedAt: EpochMs | undefined) => PlanTerms
  /** One text for values that mean the same; a value that is not one of this operand stays as it is. */
  readonly normal: (value: string) => string
}

type Definition<V> = About & {
  readonly read: (values: readonly string[], operator: string) => Reading<V>
  readonly evaluate: (value: V, operator: string, facts: Facts) => Outcome
  readonly describe: (value: V, operator: string) => Text
  readonly contribute: (value: V, operator: string, agreedAt: EpochMs | undefined) => PlanTerms
  readonly normal: (value: string) => string
}

const valuesOf = ({ rightOperand }: AtomicConstraint): readonly string[] =>
  typeof rightOperand === 'string' ? [rightOperand] : rightOperand

/** Hides the type of the value, so that the registry can hold operands of all kinds. */
export function defineOperand<V>(definition: Definition<V>): Operand {
  const { read, evaluate, describe, contribute, ...about } = definition
  const readValue = (constraint: AtomicConstraint): Reading<V> =>
    read(valuesOf(constraint), constraint.operator)
  const checked = (constraint: AtomicConstraint): V => {
    const reading = readValue(constraint)
    if ('wrong' in reading) throw new TypeError(`${constraint.path} must be checked before it is used`)
    return reading.value
  }
  return {
    ...about,
    enforcedHere: true,
    wrong: (constraint) => {
      const reading = readValue(constraint)
      return 'wrong' in reading ? reading.wrong : undefined
    },
    evaluate: (constraint, facts) => {
      const reading = readValue(constraint)
      if ('wrong' in reading) return { verdict: 'unknown', text: () => reading.wrong }
      return evaluate(reading.value, constraint.operator, facts)
    },
    describe: (constraint) => describe(checked(constraint), constraint.operator),
    contribute: (constraint, agreedAt) => contribute(checked(constraint), constraint.operator, agreedAt),
  }
}

export const verdictOf = (holds: boolean): 'true' | 'false' => (holds ? 'true' : 'false')
