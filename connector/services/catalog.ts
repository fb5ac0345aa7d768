/** Our catalog as one partner may see it, and the way to a partner's catalog. */
import { ok, problem, type Result } from '../core/result.js'
import type { Clock, EpochMs, JsonObject } from '../core/types.js'
import type { Dataset, Offer } from '../domain/dataset.js'
import { type Partner, peerOf } from '../domain/partner.js'
import { audienceOf } from '../policy/audience.js'
import { compilePlan } from '../policy/compile.js'
import type { Policy } from '../policy/model.js'
import { parsePolicy } from '../policy/parse.js'
import { delivers } from '../policy/plan.js'
import { type ShapeLookup, shapesNamed, shapeText } from '../policy/shape.js'
import { tiersOf } from '../policy/tier.js'
import type { Offered, Reader, Store } from '../store/store.js'
import { type CatalogFilter, fits } from './catalog-filter.js'
import { factsFor } from './confirmed.js'
import { acceptedFrom, allows, understood } from './contract.js'
import { lookupIn } from './shapes.js'

export type CatalogDeps = { readonly store: Store; readonly clock: Clock }

/** `shapes`: canonical JSON of the documents that the offers name, each once. */
export type Entry = {
  readonly dataset: Dataset
  readonly offers: readonly Offer[]
  readonly shapes: readonly string[]
}

/** Reads a partner's catalog; the protocol adapter implements it. */
export interface CatalogClient {
  /** All pages; `complete` says whether the client's limit has left nothing out. */
  catalog(
    partner: Partner,
  ): Promise<Result<{ readonly datasets: readonly RemoteDataset[]; readonly complete: boolean }>>
  dataset(partner: Partner, id: string): Promise<Result<RemoteDataset>>
}

/** A signal as a partner describes it, in its own words. */
export type RemoteSignal = {
  readonly name: string
  readonly type?: string
  readonly unit?: string
  readonly description?: string
}

/** A dataset of a partner, reduced to what a person chooses by; `offers` are complete and unchanged. */
export type RemoteDataset = {
  readonly id: string
  readonly title?: string
  readonly description?: string
  readonly keywords: readonly string[]
  readonly machineId?: string
  /** Those that the partner names; none says nothing about what is delivered. */
  readonly signals: readonly RemoteSignal[]
  readonly formats: readonly string[]
  readonly offers: readonly JsonObject[]
  /** Texts of shape documents that stand beside the offers, unchecked. */
  readonly shapes: readonly string[]
  /** The dataset as received. */
  readonly raw: JsonObject
}

/** `next` is the id to go on behind, `previous` the one to go back before; each is absent at its end of the catalog. */
export type Page = { readonly entries: readonly Entry[]; readonly next?: string; readonly previous?: string }

/** Datasets behind `after`, or the last ones before `before`; from the first one on without either. */
export type PageWanted = {
  readonly after?: string
  readonly before?: string
  readonly limit: number
  readonly filter?: CatalogFilter
}

/** One page of datasets that have at least one offer for the partner, in order of their ids. */
export function catalogPage(deps: CatalogDeps, partner: Partner, m: PageWanted): Page {
  const found = visible(deps, partner, m)
  const more = found.length > m.limit
  const back = m.before !== undefined
  const entries = back ? found.slice(0, m.limit).reverse() : found.slice(0, m.limit)
  const next = back || more ? entries.at(-1)?.dataset.id : undefined
  const previous = (back ? more : m.after !== undefined) ? entries[0]?.dataset.id : undefined
  return {
    entries,
    ...(next === undefined ? {} : { next }),
    ...(previous === undefined ? {} : { previous }),
  }
}

/** What the partner may see in the direction of reading, one more than asked for where there is more. */
function visible(
  deps: CatalogDeps,
  partner: Partner,
  { after, before, limit, filter }: PageWanted,
): readonly Entry[] {
  const read = before === undefined ? deps.store.offeredAfter : deps.store.offeredBefore
  const found: Entry[] = []
  const wanted = limit + 1
  // A link of ours leads behind what the offset has left out already.
  let skip = after === undefined && before === undefined ? (filter?.offset ?? 0) : 0
  let at = before ?? after ?? ''
  while (true) {
    const batch = read(readerOf(partner), at, wanted)
    for (const offered of batch) {
      at = offered.dataset.id
      const entry = shownTo(deps, partner, offered)
      // Looked for in what is shown: a filter must not find what the partner may not see.
      if (entry === undefined || (filter !== undefined && !fits(filter, entry.dataset))) continue
      if (skip-- <= 0) found.push(entry)
      if (found.length === wanted) return found
    }
    if (batch.length < wanted) return found
  }
}

/** The dataset if the partner may see it: what is hidden and what does not exist look alike. */
export function catalogEntry(deps: CatalogDeps, partner: Partner, id: string): Result<Entry> {
  const offered = deps.store.offered(readerOf(partner), id)
  const entry = offered === undefined ? undefined : shownTo(deps, partner, offered)
  return entry === undefined
    ? problem('NotFound', {
        en: 'There is no such dataset for you.',
        de: 'Diesen Datensatz gibt es für Sie nicht.',
      })
    : ok(entry)
}

/** In the place of participants: all whose connector has proved that it carries out duties. No DID looks like it. */
const CARRIES_OUT_DUTIES = '+duties'

const readerOf = (partner: Partner): Reader => ({
  recipient: partner.did.normalize('NFC'),
  ...(peerOf(partner) === 'proven' && { group: CARRIES_OUT_DUTIES }),
})

/** The store only narrows the search; what is shown is decided here, for every offer and every request. */
function shownTo(deps: CatalogDeps, partner: Partner, { dataset, offers }: Offered): Entry | undefined {
  const facts = factsFor(deps, { partner: partner.did, datasetId: dataset.id })
  const shown = offers.flatMap((offer) => {
    const policy = understood(offer.policy, acceptedFrom(partner, offer))
    return policy.ok && allows(policy.value, 'catalog', facts).ok ? [{ offer, policy: policy.value }] : []
  })
  if (shown.length === 0) return undefined
  const policies = shown.map(({ policy }) => policy)
  const shapes = lookupIn(deps.store)
  return {
    dataset: describedBy(dataset, policies, { at: facts.at, shapes }),
    offers: shown.map(({ offer }) => offer),
    shapes: [...new Set(policies.flatMap(shapesNamed))].flatMap((name) => {
      const shape = shapes(name)
      return shape === undefined ? [] : [shapeText(shape)]
    }),
  }
}

/** The dataset without what none of the offers would deliver: the name of a signal tells about a machine as well. */
function describedBy(
  dataset: Dataset,
  policies: readonly Policy[],
  { at, shapes }: { readonly at: EpochMs; readonly shapes: ShapeLookup },
): Dataset {
  const { machineId, ...rest } = dataset
  if (machineId === undefined && dataset.signals.length === 0) return dataset
  const plans = policies.flatMap((policy) => {
    const plan = compilePlan(policy, { agreedAt: at, shapes })
    return plan.ok ? [plan.value] : []
  })
  const named = plans.some((plan) => plan.pseudonym === undefined)
  return {
    ...rest,
    ...(machineId === undefined || !named ? {} : { machineId }),
    signals: dataset.signals.filter(({ name }) => plans.some((plan) => delivers(plan, name))),
  }
}

/** For the store: who can possibly see an offer, and so which catalogs have to look at it. */
export function offerAudience({ policy, contractOnly }: Offer): readonly string[] | undefined {
  const parsed = parsePolicy(policy)
  if (!parsed.ok) return undefined
  const named = audienceOf(parsed.value)
  return named === undefined && contractOnly !== true && tiersOf(parsed.value).tier === 2
    ? [CARRIES_OUT_DUTIES]
    : named
}
