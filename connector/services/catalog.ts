/** Our catalog as one partner may see it, and the way to a partner's catalog. */
import { ok, problem, type Result } from '../core/result.js'
import type { Clock, JsonObject } from '../core/types.js'
import type { Dataset, Offer } from '../domain/dataset.js'
import type { Partner } from '../domain/partner.js'
import type { Store } from '../store/store.js'
import { allows, understood } from './contract.js'

export type CatalogDeps = { readonly store: Store; readonly clock: Clock }

export type Entry = { readonly dataset: Dataset; readonly offers: readonly Offer[] }

/** Reads a partner's catalog; the protocol adapter implements it. */
export interface CatalogClient {
  /** All pages, up to the client's limit. */
  catalog(partner: Partner): Promise<Result<readonly RemoteDataset[]>>
  dataset(partner: Partner, id: string): Promise<Result<RemoteDataset>>
}

/** A dataset of a partner, reduced to what a person chooses by; `offers` are complete and unchanged. */
export type RemoteDataset = {
  readonly id: string
  readonly title?: string
  readonly description?: string
  readonly keywords: readonly string[]
  readonly formats: readonly string[]
  readonly offers: readonly JsonObject[]
  /** The dataset as received. */
  readonly raw: JsonObject
}

/** One page of datasets that have at least one offer for the partner; `next` is the id to go on behind. */
export function catalogPage(
  deps: CatalogDeps,
  partner: Partner,
  m: { readonly after?: string; readonly limit: number },
): { readonly entries: readonly Entry[]; readonly next?: string } {
  const entries: Entry[] = []
  let after = m.after ?? ''
  while (true) {
    const batch = deps.store.published(after, m.limit)
    for (const dataset of batch) {
      const visible = offersFor(deps, partner, dataset)
      if (visible.length > 0) {
        if (entries.length === m.limit) return { entries, next: entries.at(-1)?.dataset.id ?? after }
        entries.push({ dataset, offers: visible })
      }
      after = dataset.id
    }
    if (batch.length < m.limit) return { entries }
  }
}

/** The dataset if the partner may see it: what is hidden and what does not exist look alike. */
export function catalogEntry(deps: CatalogDeps, partner: Partner, id: string): Result<Entry> {
  const dataset = deps.store.dataset(id)
  const offers = dataset?.published === true ? offersFor(deps, partner, dataset) : []
  return dataset === undefined || offers.length === 0
    ? problem('NotFound', 'There is no such dataset for you.')
    : ok({ dataset, offers })
}

function offersFor(deps: CatalogDeps, partner: Partner, dataset: Dataset): readonly Offer[] {
  const facts = { at: deps.clock(), recipient: partner.did }
  return deps.store.offersOf(dataset.id).filter((offer) => {
    const policy = understood(offer.policy)
    return policy.ok && allows(policy.value, 'catalog', facts).ok
  })
}
