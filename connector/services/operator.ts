/** Everything the operator can do, as bound functions by noun. Answers are made for people; nothing internal leaves. */

import type { Result } from '../core/result.js'
import { type Clock, type EpochMs, iso } from '../core/types.js'
import { accessKind } from '../domain/partner.js'
import type { Store } from '../store/store.js'
import { type DutyCounts, dutyCounts } from './duties.js'
import {
  type ContractOperationDeps,
  type ContractOperations,
  contractOperations,
} from './operator-contracts.js'
import { type DatasetOperationDeps, type DatasetOperations, datasetOperations } from './operator-datasets.js'
import { type DutyOperationDeps, type DutyOperations, dutyOperations } from './operator-duties.js'
import { type FactDeps, type FactOperations, factOperations } from './operator-facts.js'
import {
  type NegotiationOperationDeps,
  type NegotiationOperations,
  negotiationOperations,
} from './operator-negotiations.js'
import { type PartnerOperationDeps, type PartnerOperations, partnerOperations } from './operator-partners.js'
import { type ShapeOperations, shapeOperations } from './operator-shapes.js'
import { type TemplateOperations, templateOperations } from './operator-templates.js'
import { type TokenOperations, tokenOperations } from './operator-tokens.js'
import { type TransferOperations, transferOperations } from './operator-transfers.js'
import { compact } from './operator-view.js'
import { openProcesses } from './processes.js'
import type { TransferDeps } from './transfer.js'
import { type WhoAsked, type WhoDeps, type WhoView, whoMay } from './who.js'

/** What the connector says about itself. */
export type About = {
  readonly name: string
  readonly did: string
  readonly version: string
  readonly publicUrl: string
  readonly dspAddress: string
  readonly dataDir: string
  /** Fingerprint of our own keys, which partners compare. */
  readonly fingerprint: string
  readonly keyName: string
  readonly startedAt: EpochMs
}

export type StatusView = Omit<About, 'startedAt'> & {
  readonly schema: number
  readonly datasets: number
  readonly partners: number
  /** Names of partners whose identity nobody proves. */
  readonly laboratories: readonly string[]
  readonly contracts: number
  readonly owed: { readonly count: number; readonly oldest?: string }
  /** Running pushes, sent or received, whose deliveries fail. */
  readonly failingDeliveries: { readonly count: number; readonly oldest?: string }
  /** Negotiations and transfers that go on when a person decides. */
  readonly waitingForPerson: number
  /** Ours by how they stand, and those of partners that are overdue. */
  readonly duties: DutyCounts
  readonly startedAt: string
}

export function statusOperations({
  store,
  clock,
  about,
  pushFailing,
}: {
  readonly store: Store
  readonly clock: Clock
  readonly about: About
  readonly pushFailing: TransferDeps['pushFailing']
}) {
  return {
    show(): StatusView {
      const { count, oldest } = store.owedCount()
      const failing = store
        .list('transfer', { state: 'STARTED' })
        .flatMap((transfer) => pushFailing(transfer)?.since ?? [])
      return {
        ...about,
        schema: store.schemaVersion(),
        datasets: store.datasets().length,
        partners: store.partners().length,
        laboratories: store
          .partners()
          .filter((partner) => accessKind(partner) === 'lab')
          .map(({ name }) => name),
        contracts: store.agreements().length,
        waitingForPerson: openProcesses(store).filter(({ awaiting }) => awaiting !== undefined).length,
        duties: dutyCounts({ store, clock }),
        owed: compact({ count, oldest: oldest === undefined ? undefined : iso(oldest) }),
        failingDeliveries: compact({ count: failing.length, oldest: failing.toSorted()[0] }),
        startedAt: iso(about.startedAt),
      }
    },
  }
}

export type StatusOperations = ReturnType<typeof statusOperations>

export type Operations = {
  readonly status: StatusOperations
  readonly partners: PartnerOperations
  readonly datasets: DatasetOperations
  readonly negotiations: NegotiationOperations
  readonly contracts: ContractOperations
  readonly transfers: TransferOperations
  readonly tokens: TokenOperations
  readonly duties: DutyOperations
  readonly facts: FactOperations
  readonly templates: TemplateOperations
  readonly shapes: ShapeOperations
  readonly who: { readonly may: (asked: WhoAsked) => Result<WhoView> }
}

export type OperatorDeps = PartnerOperationDeps &
  DatasetOperationDeps &
  FactDeps &
  NegotiationOperationDeps &
  ContractOperationDeps &
  TransferDeps &
  DutyOperationDeps &
  WhoDeps & { readonly about: About }

export const operatorOperations = (deps: OperatorDeps): Operations => ({
  status: statusOperations(deps),
  partners: partnerOperations(deps),
  datasets: datasetOperations(deps),
  negotiations: negotiationOperations(deps),
  contracts: contractOperations(deps),
  transfers: transferOperations(deps),
  tokens: tokenOperations(deps),
  duties: dutyOperations(deps),
  facts: factOperations(deps),
  templates: templateOperations(),
  shapes: shapeOperations(deps),
  who: { may: (asked) => whoMay(deps, asked) },
})
