/**
 * ODRL 2.2 as far as DSP 2025-1 carries it, after parsing: JSON-LD spelling is gone, terms are absolute IRIs.
 * Pure data. What a term means stands in the operand registry.
 */

import type { EpochMs } from '../core/types.js'

export const MDP = 'https://w3id.org/machine-data-policy/v1#'
export const PROFILE = 'https://w3id.org/machine-data-policy/v1'
export const ODRL = 'http://www.w3.org/ns/odrl/2/'
export const EDC = 'https://w3id.org/edc/v0.0.1/ns/'

export type Operator =
  | 'eq'
  | 'neq'
  | 'lt'
  | 'lteq'
  | 'gt'
  | 'gteq'
  | 'isA'
  | 'hasPart'
  | 'isPartOf'
  | 'isAllOf'
  | 'isAnyOf'
  | 'isNoneOf'

export type AtomicConstraint = {
  readonly kind: 'atomic'
  /** Absolute IRI; a bare or prefixed ODRL name is already resolved. */
  readonly leftOperand: string
  /** As written when it is not an ODRL operator: kept so that it can be named, never evaluated. */
  readonly operator: Operator | (string & {})
  /** Strings as on the wire; typed literals are reduced to their value, numbers to their decimal text. */
  readonly rightOperand: string | readonly string[]
  /** Where it stands, such as `permission[0].constraint[1]`. */
  readonly path: string
}

export type LogicalConstraint = {
  readonly kind: 'and' | 'or' | 'xone' | 'andSequence'
  readonly operands: readonly Constraint[]
  readonly path: string
}

export type Constraint = AtomicConstraint | LogicalConstraint

export type Rule = {
  /** Absolute IRI of the action. */
  readonly action: string
  readonly constraints: readonly Constraint[]
  /** Pre-duties of a permission; empty elsewhere. */
  readonly duties: readonly Rule[]
  readonly path: string
}

export type Policy = {
  readonly profiles: readonly string[]
  readonly permissions: readonly Rule[]
  readonly prohibitions: readonly Rule[]
  readonly obligations: readonly Rule[]
  /** Terms outside the language (refinements, remedies, unknown keys): named so that nothing passes silently. */
  readonly unknownTerms: readonly UnknownTerm[]
  /**
   * Paths of the terms that are accepted as promises of the recipient: nothing here keeps them and nothing here waits for
   * them. Absent: none, so that every term has to be kept here. See tier.ts.
   */
  readonly promised?: ReadonlySet<string>
}

export type UnknownTerm = { readonly path: string; readonly term: string }

/** When a policy is looked at. A constraint counts only in its own phases; see the registry. */
export type Phase = 'catalog' | 'negotiation' | 'transfer' | 'delivery'

/** What is known about the use being judged. An absent fact makes every constraint that needs it unknown. */
export type Facts = {
  readonly at: EpochMs
  /** DID of the participant that asks or receives. */
  readonly recipient: string
  /** Instant at which the agreement was concluded. */
  readonly agreedAt?: EpochMs
  /** Deliveries already made under the agreement. */
  readonly counted?: number
  /** What the operator has confirmed about the recipient and about events, as far as it is in force at that instant. */
  readonly confirmed?: readonly Confirmed[]
  /** Host that the data goes to; for data that is fetched the one that gets the access to it. */
  readonly deliveredTo?: string
  /** We are the recipient: what has to be confirmed is for the provider to judge. */
  readonly asRecipient?: true
}

/** One value that somebody answers for, by the id of its record. */
export type Confirmed = {
  readonly id: string
  /** Absolute IRI of the left operand. */
  readonly operand: string
  readonly value: string
  /** The opposite is confirmed: this value does not apply. */
  readonly not?: true
}

/** The short name of a term for people: `dateTime` for an ODRL or profile IRI, anything else as it is. */
export const shortName = (iri: string): string => {
  if (iri.startsWith(ODRL)) return iri.slice(ODRL.length)
  return iri.startsWith(MDP) ? iri.slice(MDP.length) : iri
}
