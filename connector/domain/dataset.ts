/** What is offered: datasets, where their data comes from, and the offers attached to them. */
import type { EpochMs, JsonObject } from '../core/types.js'

export type SignalDeclaration = {
  readonly name: string
  readonly type: 'number' | 'integer' | 'string' | 'boolean'
  readonly unit?: string
  readonly description?: string
  /** Its values tell machines, orders or people apart. */
  readonly identifies?: boolean
}

export type Dataset = {
  readonly id: string
  readonly title: string
  readonly description?: string
  readonly keywords: readonly string[]
  readonly machineId?: string
  /** Empty for a file that is delivered as it is. */
  readonly signals: readonly SignalDeclaration[]
  readonly sourceId?: string
  /** Only published datasets are in anybody's catalog. */
  readonly published: boolean
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
}

export type SourceConfig = {
  readonly id: string
  readonly kind: string
  /** Without secrets. */
  readonly config: JsonObject
  /** Secrets by name, each sealed with the key of this machine; write-only through every API. */
  readonly sealedSecrets: { readonly [name: string]: string }
  readonly createdAt: EpochMs
}

/**
 * Who agrees to a contract on a published offer. `automatic`: this connector to exactly what is published. `manual`: a person.
 * `stricter-or-equal`: this connector also to other terms, as long as they certainly allow no more; a person to all others.
 */
export const APPROVALS = ['automatic', 'stricter-or-equal', 'manual'] as const
export type Approval = (typeof APPROVALS)[number]

/** What holds when an offer and a partner are set differently: a person before the comparison, and that before neither. */
export function approvalOf(offer: Approval | undefined, partner: Approval | undefined): Approval {
  const set = [offer, partner]
  if (set.includes('manual')) return 'manual'
  return set.includes('stricter-or-equal') ? 'stricter-or-equal' : 'automatic'
}

export type Offer = {
  /** The `@id` partners see. */
  readonly id: string
  readonly datasetId: string
  /** `{profile?, permission, ...}` as it goes into catalogs, without id, type, target and parties. */
  readonly policy: JsonObject
  /** Absent: automatic. */
  readonly approval?: Approval
  /** The operator offers it although terms of it are kept by contract only, by this partner or by any. */
  readonly contractOnly?: boolean
  readonly createdAt: EpochMs
}
