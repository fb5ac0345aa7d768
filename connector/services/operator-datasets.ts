/** The operator's view of what we offer: sources, datasets and offers. Secrets of sources go in and never come out. */
import { message, ok, type Problem, problem, type Result, textOf } from '../core/result.js'
import { type EpochMs, iso, type JsonObject, type Text } from '../core/types.js'
import type { Approval, Dataset, Offer, SignalDeclaration, SourceConfig } from '../domain/dataset.js'
import { beforePublishing } from '../policy/analysis/publishing.js'
import { offerTierWords } from '../policy/tier-words.js'
import type { Terms } from '../policy/write.js'
import { type ClauseInWords, inWords, type TierInWords } from './agreements.js'
import { tierWith } from './contract.js'
import {
  addOffer,
  type DatasetDeps,
  type DatasetInput,
  publish,
  putDataset,
  putSource,
  removeDataset,
  removeSource,
  setApproval,
} from './datasets.js'
import type { TemplateChoice } from './operator-templates.js'
import { compact, noted, time } from './operator-view.js'
import { lookupIn } from './shapes.js'

/** Stands where a secret is stored. */
const MASK = '***'

/** How a source fares for one dataset, as the data plane reports it. */
export type SourceReport = {
  readonly datasetId: string
  readonly sourceId: string
  readonly state: string
  readonly since: EpochMs
  readonly problem?: string
  readonly lastMalformed?: string
  readonly counters: {
    readonly received: number
    readonly logged: number
    readonly malformed: number
    readonly duplicates: number
  }
}

export type SourceStatusView = {
  readonly dataset: string
  readonly state: string
  readonly since: string
  readonly problem?: string
  readonly lastMalformed?: string
  readonly received: number
  readonly records: number
  readonly malformed: number
  readonly duplicates: number
}

export type SourceView = {
  readonly id: string
  readonly kind: string
  readonly config: JsonObject
  readonly createdAt: string
  /** One entry for each dataset that the source feeds. */
  readonly status?: readonly SourceStatusView[]
}

export type OfferView = {
  readonly id: string
  readonly datasetId: string
  readonly policy: JsonObject
  readonly approval: Approval
  /** Offered although terms of it are kept by contract only. */
  readonly contractOnly: boolean
  readonly tier: TierInWords
  readonly clauses: readonly ClauseInWords[]
  /** Told once, when the offer is added. */
  readonly warnings?: readonly Text[]
}

export type DatasetView = {
  readonly id: string
  readonly title: string
  readonly description?: string
  readonly keywords: readonly string[]
  readonly machineId?: string
  readonly signals: readonly SignalDeclaration[]
  readonly sourceId?: string
  readonly published: boolean
  readonly createdAt: string
  readonly updatedAt: string
  readonly offers: readonly OfferView[]
}

export type SourceInput = { readonly kind: string; readonly config: JsonObject }
export type NewOffer = {
  readonly id?: string
  readonly terms?: Terms
  readonly policy?: JsonObject
  readonly template?: TemplateChoice
  readonly approval?: Approval
  readonly contractOnly?: boolean
}

export type DatasetOperationDeps = DatasetDeps & {
  readonly sourceStatus: () => readonly SourceReport[]
}

const statusView = ({
  datasetId,
  state,
  since,
  problem,
  lastMalformed,
  counters,
}: SourceReport): SourceStatusView =>
  compact({
    dataset: datasetId,
    state,
    since: iso(since),
    problem,
    lastMalformed,
    received: counters.received,
    records: counters.logged,
    malformed: counters.malformed,
    duplicates: counters.duplicates,
  })

const noSource = (id: string): Result<never> =>
  problem('NotFound', {
    en: `There is no source ${id}. See: handschlag source list`,
    de: `Es gibt keine Quelle ${id}. Siehe: handschlag source list`,
  })
const noDataset = (id: string): Result<never> =>
  problem('NotFound', {
    en: `There is no dataset ${id}. See: handschlag dataset list`,
    de: `Es gibt keinen Datensatz ${id}. Siehe: handschlag dataset list`,
  })

export function datasetOperations(deps: DatasetOperationDeps) {
  const { store } = deps

  const offerView = ({
    id,
    datasetId,
    policy,
    approval = 'automatic',
    contractOnly = false,
  }: Offer): OfferView => {
    const tier = tierWith('proven', policy)
    return {
      id,
      datasetId,
      policy,
      approval,
      contractOnly,
      tier: { number: tier, text: offerTierWords(tier, contractOnly) },
      clauses: inWords(policy, { shapes: lookupIn(store) }),
    }
  }

  const sourceView = ({ id, kind, config, sealedSecrets, createdAt }: SourceConfig): SourceView => {
    const status = deps
      .sourceStatus()
      .filter((report) => report.sourceId === id)
      .map(statusView)
    return compact({
      id,
      kind,
      config: { ...config, ...Object.fromEntries(Object.keys(sealedSecrets).map((key) => [key, MASK])) },
      createdAt: iso(createdAt),
      status: status.length === 0 ? undefined : status,
    })
  }
  const datasetView = (dataset: Dataset): DatasetView =>
    compact({
      ...dataset,
      createdAt: time(dataset.createdAt) ?? '',
      updatedAt: time(dataset.updatedAt) ?? '',
      offers: store.offersOf(dataset.id).map(offerView),
    })

  const setPublished = async (id: string, published: boolean, by: string): Promise<Result<DatasetView>> => {
    const event = published ? 'dataset published' : 'dataset unpublished'
    const outcome = await noted(deps, await publish(deps, id, published), () => ({ subject: id, event, by }))
    return outcome.ok ? ok(datasetView(outcome.value)) : outcome
  }

  return {
    sources: (): { readonly sources: readonly SourceView[] } => ({
      sources: store.sources().map(sourceView),
    }),

    source(id: string): Result<SourceView> {
      const source = store.source(id)
      return source === undefined ? noSource(id) : ok(sourceView(source))
    },

    async putSource(id: string, { kind, config }: SourceInput, by: string): Promise<Result<SourceView>> {
      const valid = deps.sources.validate(kind, config)
      if (!valid.ok) return valid
      // A stored secret cannot be kept while the rest changes: it would go to whatever address stands there now.
      const masked = valid.value.secretKeys.filter((key) => config[key] === MASK)
      if (masked.length > 0) {
        return problem('InvalidInput', {
          en: `"${MASK}" only stands for a stored secret. Write the secret itself: ${masked.join(', ')}.`,
          de: `„${MASK}“ steht nur für ein gespeichertes Geheimnis. Geben Sie das Geheimnis selbst an: ${masked.join(', ')}.`,
        })
      }
      const outcome = await noted(deps, await putSource(deps, { id, kind, config }), () => ({
        subject: id,
        event: 'source written',
        by,
        detail: { kind },
      }))
      return outcome.ok ? ok(sourceView(outcome.value)) : outcome
    },

    removeSource: async (id: string, by: string): Promise<Result<void>> =>
      noted(deps, await removeSource(deps, id), () => ({ subject: id, event: 'source removed', by })),

    /** Tries the source now. That it cannot be read is an answer, not a failure. */
    async checkSource(
      id: string,
    ): Promise<Result<{ readonly ok: boolean } & Pick<Problem, 'message' | 'messageDe'>>> {
      const source = store.source(id)
      if (source === undefined) return noSource(id)
      const checked = await deps.sources.check(source)
      return ok({ ok: checked.ok, ...(checked.ok ? message(checked.value) : message(textOf(checked.error))) })
    },

    list: (): { readonly datasets: readonly DatasetView[] } => ({
      datasets: store.datasets().map(datasetView),
    }),

    show(id: string): Result<DatasetView> {
      const dataset = store.dataset(id)
      return dataset === undefined ? noDataset(id) : ok(datasetView(dataset))
    },

    async put(id: string, input: Omit<DatasetInput, 'id'>, by: string): Promise<Result<DatasetView>> {
      const outcome = await noted(deps, await putDataset(deps, { ...input, id }), () => ({
        subject: id,
        event: 'dataset written',
        by,
      }))
      return outcome.ok ? ok(datasetView(outcome.value)) : outcome
    },

    remove: async (id: string, by: string): Promise<Result<void>> =>
      noted(deps, await removeDataset(deps, id), () => ({ subject: id, event: 'dataset removed', by })),

    publish: (id: string, by: string) => setPublished(id, true, by),
    unpublish: (id: string, by: string) => setPublished(id, false, by),

    offers(datasetId: string): Result<{ readonly offers: readonly OfferView[] }> {
      if (store.dataset(datasetId) === undefined) return noDataset(datasetId)
      return ok({ offers: store.offersOf(datasetId).map(offerView) })
    },

    async addOffer(datasetId: string, input: NewOffer, by: string): Promise<Result<OfferView>> {
      const outcome = await noted(deps, await addOffer(deps, { ...input, datasetId }), (offer) => ({
        subject: datasetId,
        event: 'offer added',
        by,
        detail: { offer: offer.id, ...(offer.contractOnly === true && { contractOnly: true }) },
      }))
      if (!outcome.ok) return outcome
      const found = beforePublishing(outcome.value.policy)
      const warnings = found.ok ? found.value : []
      return ok({ ...offerView(outcome.value), ...(warnings.length > 0 && { warnings }) })
    },

    async setApproval(id: string, approval: Approval, by: string): Promise<Result<OfferView>> {
      const outcome = await noted(deps, await setApproval(deps, id, approval), ({ datasetId }) => ({
        subject: datasetId,
        event: 'approval changed',
        by,
        detail: { offer: id, approval },
      }))
      return outcome.ok ? ok(offerView(outcome.value)) : outcome
    },

    async removeOffer(id: string, by: string): Promise<Result<void>> {
      const offer = store.offer(id)
      if (offer === undefined)
        return problem('NotFound', { en: `There is no offer ${id}.`, de: `Es gibt kein Angebot ${id}.` })
      const { datasetId } = offer
      if (store.dataset(datasetId)?.published === true && store.offersOf(datasetId).length === 1) {
        return problem('Conflict', {
          en: `${id} is the only offer of the published dataset ${datasetId}. Add another one, or unpublish the dataset first.`,
          de: `${id} ist das einzige Angebot des veröffentlichten Datensatzes ${datasetId}. Legen Sie ein weiteres an, oder nehmen Sie den Datensatz zuerst aus dem Katalog.`,
        })
      }
      await store.removeOffer(id)
      return noted(deps, ok(undefined), () => ({
        subject: datasetId,
        event: 'offer removed',
        by,
        detail: { offer: id },
      }))
    },
  }
}

export type DatasetOperations = ReturnType<typeof datasetOperations>
