/**
 * What a policy template is: a fixed skeleton of rules in ODRL with a few typed parameters. Templates are data of this
 * package in `policies/templates`; `schemas/policy-template.schema.json` says the same for those who write one.
 */
import type { Json, JsonObject, Text } from '../../core/types.js'

export type ParameterType =
  | 'participants'
  | 'names'
  | 'name'
  | 'duration'
  | 'integer'
  | 'decimal'
  | 'day'
  | 'time'
  | 'weekdays'
  | 'choice'
  | 'shape'

export type Choice = { readonly value: string; readonly title: Text }

export type Parameter = {
  readonly name: string
  readonly type: ParameterType
  readonly title: Text
  readonly unit?: Text
  /** Bounds of durations and numbers, themselves included. */
  readonly least?: string
  readonly most?: string
  /** The safe choice, when there is one that suits everybody. */
  readonly default?: string | readonly string[]
  /** Nobody but the operator can decide: without a value there is no policy. */
  readonly choose?: true
  /** A list may be empty; the operator says so by `none`. */
  readonly none?: true
  /** The rules that hang on it are left out when it has no value. */
  readonly optional?: true
  readonly choices?: readonly Choice[]
}

/** A parameter set and what must come of it. */
export type TemplateVector = {
  readonly name: string
  readonly set: JsonObject
  readonly policy: JsonObject
  readonly decisions: readonly {
    readonly request: JsonObject
    readonly state: JsonObject
    readonly decision: 'permit' | 'deny'
  }[]
}

export type Template = {
  readonly id: string
  readonly version: string
  readonly title: Text
  readonly purpose: Text
  readonly dataAct: { readonly articles: readonly string[]; readonly basis: Text }
  readonly parameters: readonly Parameter[]
  /** ODRL with placeholders: `$value` for a parameter, `$when` for what hangs on one, `$remark` for words beside a clause. */
  readonly policy: { readonly [member: string]: Json }
  readonly vectors: readonly TemplateVector[]
}
