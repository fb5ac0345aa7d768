/** ODRL 2.2 policies of any make, after reading: what a foreign document says, with the names it uses. Pure data. */
import type { Scalar } from './scalar.js'

export type Value = {
  /** Code points after NFC; an absolute IRI where the document has a compact one. */
  readonly text: string
  readonly datatype?: string
  /** Undefined for a value without an order. */
  readonly scalar: Scalar | undefined
}

type Common = {
  readonly id: string | undefined
  readonly path: string
  /** Members that are not part of ODRL: what they demand cannot be told. */
  readonly unknown: readonly string[]
}

export type Atom = Common & {
  readonly kind: 'atom'
  readonly leftOperand: string
  readonly operator: string
  readonly values: readonly Value[]
  readonly unit: string | undefined
}
export type Connective = 'and' | 'or' | 'xone' | 'andSequence'
export type Logic = Common & { readonly kind: Connective; readonly operands: readonly Condition[] }
export type Condition = Atom | Logic

export type Action = Common & { readonly iri: string; readonly refinements: readonly Condition[] }

/** A party or an asset, or a collection of them; refinements narrow a collection. */
export type Thing = Common & {
  readonly refinements: readonly Condition[]
  /** Stands for its members, whoever they are. */
  readonly collection: boolean
  /** Collections that the document says it belongs to. */
  readonly partOf: readonly string[]
}

export type RuleKind = 'permission' | 'prohibition' | 'obligation' | 'duty'

export type OdrlRule = Common & {
  readonly kind: RuleKind
  readonly actions: readonly Action[]
  /** Empty means any. */
  readonly targets: readonly Thing[]
  readonly assignees: readonly Thing[]
  readonly constraints: readonly Condition[]
  readonly duties: readonly OdrlRule[]
  /** Remedies and consequences: read and shown, never carried out. */
  readonly followUps: readonly OdrlRule[]
}

export type Strategy = 'perm' | 'prohibit' | 'invalid'

export type OdrlPolicy = {
  readonly id: string | undefined
  readonly profiles: readonly string[]
  readonly conflict: Strategy
  readonly permissions: readonly OdrlRule[]
  readonly prohibitions: readonly OdrlRule[]
  readonly obligations: readonly OdrlRule[]
  /** What is not understood at the level of the policy, which leaves nothing that could be allowed. */
  readonly unknown: readonly string[]
}
