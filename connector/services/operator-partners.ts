/** The operator's view of partners and of what they offer. */
import { ok, problem, problemOf, type Result } from '../core/result.js'
import { iso, type JsonObject } from '../core/types.js'
import type { Approval } from '../domain/dataset.js'
import { NEGOTIATION, type Negotiation } from '../domain/negotiation.js'
import {
  type AccessKind,
  accessKind,
  type Dialect,
  type Partner,
  peerOf,
  type SealMode,
  type Trust,
} from '../domain/partner.js'
import { isFinal } from '../domain/process.js'
import { TRANSFER } from '../domain/transfer.js'
import type { Policy } from '../policy/model.js'
import type { ShapeLookup } from '../policy/shape.js'
import { tierWords } from '../policy/tier-words.js'
import type { Store } from '../store/store.js'
import { type AgreementDeps, type ClauseInWords, inWords, type TierInWords } from './agreements.js'
import type { CatalogClient, RemoteDataset, RemoteSignal } from './catalog.js'
import { type CatalogSearch, matching } from './catalog-search.js'
import {
  missingShape,
  offerHash,
  peerAsConsumer,
  takesWithoutTerms,
  tierWith,
  understood,
} from './contract.js'
import { acceptedByUs, answerableTerms } from './not-understood.js'
import { compact, noted } from './operator-view.js'
import {
  addPartner,
  changePartner,
  decideTrust,
  type NewPartner,
  type PartnerChange,
  type PartnerDeps,
  trustedPartner,
  unknownPartner,
} from './partners.js'
import { lookupAmong } from './shapes.js'
import type { TransferDeps } from './transfer.js'

export type PartnerView = {
  readonly did: string
  readonly name: string
  readonly address: string
  readonly trust: Trust
  readonly seal: SealMode
  /** How it proves who it is; its tokens are never shown. */
  readonly access: AccessKind
  readonly approval?: Approval
  readonly ownId?: string
  readonly ownAddress?: string
  readonly dialect: 'dsp' | Dialect
  readonly dataToken: 'as-given' | 'bearer'
  readonly emptyPolicies: 'refuse' | 'accept'
  readonly fingerprint?: string
  /** When its connector last proved that it carries out the duties of our profile; absent: it has not. */
  readonly dutiesProvenAt?: string
  readonly addedAt: string
}

export type RemoteOfferView = {
  readonly id: string
  /** Names exactly these terms. */
  readonly offerHash: string
  readonly clauses: readonly ClauseInWords[]
  /** Who keeps them between the two sides. */
  readonly tier: TierInWords
  /** Whether every term is understood, and can be kept here or be promised. */
  readonly acceptable: boolean
  /** Names of the terms that are not understood and that a person may accept as promises; absent: none. */
  readonly notUnderstood?: readonly string[]
  readonly problem?: string
  readonly problemDe?: string
}

export type RemoteDatasetView = {
  readonly id: string
  readonly title?: string
  readonly description?: string
  readonly keywords: readonly string[]
  readonly machineId?: string
  readonly signals: readonly RemoteSignal[]
  readonly formats: readonly string[]
  readonly offers: readonly RemoteOfferView[]
}

export type PartnerOperationDeps = PartnerDeps &
  AgreementDeps &
  TransferDeps & { readonly catalog: CatalogClient }

export const partnerView = (partner: Partner): PartnerView => {
  const {
    did,
    name,
    address,
    trust,
    seal,
    approval,
    ownId,
    ownAddress,
    fingerprint,
    dutiesProvenAt,
    addedAt,
  } = partner
  const access = accessKind(partner)
  const view = {
    did,
    name,
    address,
    trust,
    seal,
    access,
    approval,
    ownId,
    ownAddress,
    dialect: partner.dialect ?? 'dsp',
    dataToken: partner.bearerForData === true ? 'bearer' : 'as-given',
    emptyPolicies: partner.takesEmptyPolicies === true ? 'accept' : 'refuse',
    fingerprint,
    dutiesProvenAt: dutiesProvenAt === undefined ? undefined : iso(dutiesProvenAt),
    addedAt: iso(addedAt),
  } as const
  return compact(view)
}

/** The offer carries its target. `n`: the negotiation it is on the table of; without one we are the recipients. */
export function offerInWords(
  offer: JsonObject,
  partner: Partner | undefined,
  shapes: ShapeLookup,
  n?: Negotiation,
): RemoteOfferView {
  const isOurs = n === undefined || n.role === 'consumer'
  const peer = isOurs ? peerAsConsumer({ ...n, offer }) : peerOf(partner)
  const judged = (): Result<Policy> =>
    isOurs && (n === undefined || n.state === 'OFFERED')
      ? acceptedByUs(offer, { ...n, partner: partner?.did ?? '' })
      : understood(offer, 3, peer)
  const policy = takesWithoutTerms(partner, offer) ? ok(undefined) : withShapes(judged(), shapes)
  const tier = tierWith(peer, offer)
  const unread = isOurs ? answerableTerms(offer).map(({ term }) => term) : []
  return {
    id: String(offer['@id']),
    offerHash: offerHash(offer),
    ...(unread.length > 0 && { notUnderstood: unread }),
    clauses: inWords(offer, { peer, shapes }),
    tier: { number: tier, text: tierWords(tier) },
    acceptable: policy.ok,
    ...(policy.ok ? {} : problemOf(policy.error)),
  }
}

const withShapes = (policy: Result<Policy>, shapes: ShapeLookup): Result<unknown> =>
  policy.ok ? (missingShape(policy.value, shapes) ?? policy) : policy

const remoteView =
  (store: Store, partner: Partner) =>
  ({
    id,
    title,
    description,
    keywords,
    machineId,
    signals,
    formats,
    offers,
    shapes,
  }: RemoteDataset): RemoteDatasetView =>
    compact({
      id,
      title,
      description,
      keywords,
      machineId,
      signals,
      formats,
      offers: offers.map((offer) =>
        offerInWords({ ...offer, target: id }, partner, lookupAmong(store, shapes)),
      ),
    })

const viewed = <T, V>(outcome: Result<T>, view: (value: T) => V): Result<V> =>
  outcome.ok ? ok(view(outcome.value)) : outcome

/** More than there will ever be: an old process that still runs must not be overlooked behind newer ones. */
const EVERY = { limit: 10_000_000 }

export function partnerOperations(deps: PartnerOperationDeps) {
  const { store } = deps

  /** What still names the partner, so that removing it would leave something without an owner. */
  const inUse = (did: string): string | undefined => {
    const contract = store.agreements().find((a) => a.partner === did && a.status !== 'revoked')
    if (contract !== undefined) return `the contract ${contract.id}`
    const negotiation = store
      .list('negotiation', EVERY)
      .find((n) => n.partner === did && !isFinal(NEGOTIATION, n.state))
    if (negotiation !== undefined) return `the negotiation ${negotiation.pid}`
    const transfer = store
      .list('transfer', EVERY)
      .find((t) => t.partner === did && !isFinal(TRANSFER, t.state))
    return transfer === undefined ? undefined : `the transfer ${transfer.pid}`
  }

  const decide = async (
    did: string,
    trust: 'trusted' | 'blocked',
    by: string,
  ): Promise<Result<PartnerView>> => {
    const decided = await decideTrust(deps, did, trust)
    const event = trust === 'trusted' ? 'partner trusted' : 'partner blocked'
    return viewed(await noted(deps, decided, () => ({ subject: did, event, by })), partnerView)
  }

  return {
    list: (): { readonly partners: readonly PartnerView[] } => ({
      partners: store.partners().map(partnerView),
    }),

    show(did: string): Result<PartnerView> {
      const partner = store.partner(did)
      return partner === undefined ? unknownPartner(did) : ok(partnerView(partner))
    },

    async add(input: NewPartner, by: string): Promise<Result<PartnerView>> {
      const added = await addPartner(deps, input)
      const outcome = await noted(deps, added, (partner) => ({
        subject: partner.did,
        event: 'partner added',
        by,
        detail: { address: partner.address, access: accessKind(partner) },
      }))
      return viewed(outcome, partnerView)
    },

    async change(did: string, input: PartnerChange, by: string): Promise<Result<PartnerView>> {
      if (Object.keys(input).length === 0) {
        return problem('InvalidInput', {
          en: 'Nothing to change. Give name, seal or address.',
          de: 'Es gibt nichts zu ändern. Geben Sie Name, Signaturregel oder Adresse an.',
        })
      }
      const changed = await changePartner(deps, did, input)
      const { outgoingToken, incomingToken, ...plain } = input
      const tokens = outgoingToken === undefined && incomingToken === undefined ? {} : { tokens: 'new' }
      const outcome = await noted(deps, changed, () => ({
        subject: did,
        event: 'partner changed',
        by,
        detail: { ...plain, ...tokens },
      }))
      return viewed(outcome, partnerView)
    },

    async remove(did: string, by: string): Promise<Result<void>> {
      if (store.partner(did) === undefined) return unknownPartner(did)
      const user = inUse(did)
      if (user !== undefined) {
        return problem('Conflict', {
          en: `${did} cannot be removed: ${user} is with this partner. End that first, or block the partner.`,
          de: `${did} lässt sich nicht entfernen: ${user} besteht mit diesem Partner. Beenden Sie das zuerst, oder sperren Sie den Partner.`,
        })
      }
      await store.removePartner(did)
      return noted(deps, ok(undefined), () => ({ subject: did, event: 'partner removed', by }))
    },

    trust: (did: string, by: string) => decide(did, 'trusted', by),
    block: (did: string, by: string) => decide(did, 'blocked', by),

    /** Asks the partner now, and looks through the answer here: no partner has to support our way of searching. */
    async catalog(
      did: string,
      wanted: CatalogSearch = {},
    ): Promise<Result<{ readonly datasets: readonly RemoteDatasetView[]; readonly complete: boolean }>> {
      const partner = trustedPartner(store, did)
      if (!partner.ok) return partner
      return viewed(await deps.catalog.catalog(partner.value), ({ datasets, complete }) => ({
        complete,
        datasets: matching(datasets, wanted).map(remoteView(store, partner.value)),
      }))
    },

    async catalogDataset(did: string, id: string): Promise<Result<RemoteDatasetView>> {
      const partner = trustedPartner(store, did)
      if (!partner.ok) return partner
      return viewed(await deps.catalog.dataset(partner.value, id), remoteView(store, partner.value))
    },
  }
}

export type PartnerOperations = ReturnType<typeof partnerOperations>
