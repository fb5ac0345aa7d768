/** What is asked for and what is the case: one use that is requested, and the facts against which a policy is judged. */

import type { Value } from './policy.js'
import type { Scalar } from './scalar.js'

export type Facts = ReadonlyMap<string, readonly Value[]>

export type Request = {
  /** Name of the requested rule, for reports. */
  readonly id: string | undefined
  readonly action: string | undefined
  readonly party: string | undefined
  readonly target: string | undefined
  /** Values of left operands for this use, by absolute IRI; a value given for a unit of measure stands under the unit. */
  readonly facts: Facts
}

export type DutyState = 'fulfilled' | 'violated' | 'open'

/** Something that was done and may fulfil a duty. */
export type Performed = {
  /** Name of the duty it was done for. */
  readonly duty: string | undefined
  readonly action: string | undefined
  readonly at: Scalar | undefined
  readonly facts: Facts
  readonly unit: string | undefined
}

export type World = {
  readonly at: Scalar | undefined
  readonly agreedAt: Scalar | undefined
  /** IANA name of the zone in which times of day are read when the policy names none. */
  readonly zone: string | undefined
  readonly facts: Facts
  /** Memberships: parties and assets in collections, things that are part of others. */
  readonly partOf: ReadonlyMap<string, readonly string[]>
  /** By the name of the duty or by its action. */
  readonly duties: ReadonlyMap<string, DutyState>
  readonly performed: readonly Performed[]
}
