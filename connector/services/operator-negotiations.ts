/** The operator's view of negotiations: start one from a partner's catalog, follow it, accept, end or hurry it. */
import { err, ok, problem, type Result } from '../core/result.js'
import { iso, type JsonObject, type Lang, type Pid, type Role, type Text } from '../core/types.js'
import { NEGOTIATION, type Negotiation } from '../domain/negotiation.js'
import type { Partner } from '../domain/partner.js'
import { differences } from '../policy/compare.js'
import type { ShapeLookup } from '../policy/shape.js'
import type { CatalogClient, RemoteDataset } from './catalog.js'
import { offerHash } from './contract.js'
import { askRulesAgain, type DeliveryDeps, giveUp, nothingOwed } from './delivery.js'
import { terminateNegotiation } from './negotiation.js'
import { requestContract } from './negotiation-consumer.js'
import { acceptOffer, approve, counter, offerContract, type Proposal, refuse } from './negotiation-person.js'
import { offerRead } from './not-understood.js'
import { offerInWords, type RemoteOfferView } from './operator-partners.js'
import { compact, noted, type OwedView, owedTo, type Waiting, waiting } from './operator-view.js'
import { trustedPartner } from './partners.js'
import { lookupAmong, lookupIn } from './shapes.js'
import { termChanges } from './term-changes.js'
import { compareTerms, type TermsComparison } from './terms-comparison.js'
import { type TimelineEntry, timelineOf } from './timeline.js'

export type NegotiationView = Waiting & {
  readonly pid: string
  readonly role: Role
  readonly partner: string
  readonly partnerPid?: string
  readonly state: string
  readonly pending?: string
  readonly dataset: string
  /** Id of the offer on the table. */
  readonly offer: string
  /** Names exactly the terms on the table; an approval repeats it. */
  readonly offerHash: string
  readonly contract?: string
  readonly reason?: string
  readonly reasonDe?: string
  readonly endedBy?: 'us' | 'partner'
  readonly createdAt: string
  readonly updatedAt: string
}

export type NegotiationDetail = NegotiationView & {
  /** The terms on the table in words, and whether they can be kept here. */
  readonly terms: RemoteOfferView
  /** What the partner changed, one sentence each. */
  readonly changes: readonly Text[]
  /** How the terms on the table lie to our published offer, or to what we wanted before. */
  readonly comparison?: TermsComparison
  readonly timeline: readonly TimelineEntry[]
  readonly owed: readonly OwedView[]
}

export type Acceptance = {
  /** Names the terms that were read; at the start of a negotiation a part of it is enough. */
  readonly offerHash?: string
  /** Accepts in exactly these terms what is not understood here, as promises of ours. */
  readonly acceptNotUnderstood?: boolean
}

export type NewNegotiation = Acceptance & {
  readonly partner: string
  readonly dataset: string
  readonly offer?: string
}

export type NewProposal = Proposal & { readonly partner: string; readonly dataset: string }

export type NegotiationOperationDeps = DeliveryDeps & { readonly catalog: CatalogClient }

/** The offer that is meant: the named one, or the only one that can be kept here. */
export function chooseOffer(
  partner: Partner,
  dataset: RemoteDataset,
  { offer: named, offerHash: read }: Pick<NewNegotiation, 'offer' | 'offerHash'>,
  shapes: ShapeLookup,
): Result<JsonObject> {
  // DSP 2025-1, Contract Negotiation Protocol: in a catalog the dataset implies the target, in a message it is named.
  const offers = dataset.offers.map((offer): JsonObject => ({ ...offer, target: dataset.id }))
  if (offers.length === 0)
    return problem('OfferUnknown', {
      en: `The dataset ${dataset.id} has no offer for you.`,
      de: `Der Datensatz ${dataset.id} hat kein Angebot für Sie.`,
    })
  if (named !== undefined) {
    const offer = offers.find((o) => o['@id'] === named)
    if (offer !== undefined) return read === undefined ? ok(offer) : offerRead([offer], read)
    const known = offers.map((o) => String(o['@id'])).join(', ')
    return problem('OfferUnknown', {
      en: `The dataset ${dataset.id} has no offer ${named} for you. Offers: ${known}.`,
      de: `Der Datensatz ${dataset.id} hat für Sie kein Angebot ${named}. Angebote: ${known}.`,
    })
  }
  if (read !== undefined) return offerRead(offers, read)
  const views = offers.map((offer) => ({ offer, view: offerInWords(offer, partner, shapes) }))
  const acceptable = views.filter(({ view }) => view.acceptable)
  const [only] = acceptable
  if (only !== undefined && acceptable.length === 1) return ok(only.offer)
  if (only === undefined) {
    const problems = views.map(({ view }) => `${view.id}: ${view.problem ?? ''}`)
    const problemsDe = views.map(({ view }) => `${view.id}: ${view.problemDe ?? view.problem ?? ''}`)
    return err({
      code: 'PolicyUnsupported',
      message: `No offer of the dataset ${dataset.id} can be kept here. ${problems.join(' ')}`,
      messageDe: `Kein Angebot zum Datensatz ${dataset.id} kann hier eingehalten werden. ${problemsDe.join(' ')}`,
      problems,
      problemsDe,
    })
  }
  const ids = acceptable.map(({ view }) => view.id).join(', ')
  const clauses = (lang: Lang): readonly string[] =>
    acceptable.map(
      ({ view }) => `${view.id}: ${view.clauses.map((c) => `${c.number}. ${c.text[lang]}`).join(' ')}`,
    )
  return err({
    code: 'InvalidInput',
    message: `The dataset ${dataset.id} has ${acceptable.length} offers that can be accepted. Name the one you want: ${ids}.`,
    messageDe: `Zum Datensatz ${dataset.id} lassen sich ${acceptable.length} Angebote annehmen. Nennen Sie das gewünschte: ${ids}.`,
    problems: clauses('en'),
    problemsDe: clauses('de'),
  })
}

/** Against the published offer where there is one, else against what stood there before the partner changed it. */
function comparedBefore(
  shapes: ShapeLookup,
  { role, offer, previous }: Negotiation,
  published: JsonObject | undefined,
): Pick<NegotiationDetail, 'comparison'> {
  const other = published ?? previous
  if (
    other === undefined ||
    [other, previous ?? other].every((one) => differences(one, offer).length === 0)
  ) {
    return {}
  }
  const against = published !== undefined ? 'published' : role === 'consumer' ? 'asked' : 'before'
  return { comparison: compareTerms(offer, other, against, shapes) }
}

export function negotiationOperations(deps: NegotiationOperationDeps) {
  const { store } = deps

  const view = (n: Negotiation): NegotiationView => ({
    ...compact({
      pid: n.pid,
      role: n.role,
      partner: n.partner,
      partnerPid: n.partnerPid,
      state: n.state,
      pending: n.pending,
      dataset: n.datasetId,
      offer: String(n.offer['@id'] ?? ''),
      offerHash: offerHash(n.offer),
      contract: n.agreementId,
      reason: n.reason ?? n.closing,
      reasonDe: n.reasonDe,
      endedBy: n.endedBy,
      createdAt: iso(n.createdAt),
      updatedAt: iso(n.updatedAt),
    }),
    ...waiting(store, NEGOTIATION, n),
  })

  const find = (pid: string): Result<Negotiation> => {
    const found = store.find({ kind: 'negotiation', pid: pid as Pid })
    return found === undefined
      ? problem('NotFound', {
          en: `There is no negotiation ${pid}.`,
          de: `Es gibt keine Verhandlung ${pid}.`,
        })
      : ok(found)
  }

  const acted = async (
    outcome: Result<Negotiation>,
    event: string,
    by: string,
    detail: JsonObject = {},
  ): Promise<Result<NegotiationView>> => {
    const written = await noted(deps, outcome, ({ pid }) => ({ subject: pid, event, by, detail }))
    return written.ok ? ok(view(written.value)) : written
  }

  return {
    list: (state?: string): { readonly negotiations: readonly NegotiationView[] } => ({
      negotiations: store.list('negotiation', state === undefined ? {} : { state }).map(view),
    }),

    show(pid: string): Result<NegotiationDetail> {
      const found = find(pid)
      if (!found.ok) return found
      const { offer, role } = found.value
      const published = role === 'provider' ? store.offer(String(offer['@id']))?.policy : undefined
      const previous = found.value.previous ?? published
      return ok({
        ...view(found.value),
        terms: offerInWords(offer, store.partner(found.value.partner), lookupIn(store), found.value),
        changes: previous === undefined ? [] : termChanges(previous, offer),
        ...comparedBefore(lookupIn(store), found.value, published),
        timeline: timelineOf(store, pid),
        owed: owedTo(store, pid),
      })
    },

    /** Reads the partner's catalog now, so that the offer asked for is the one that stands there. */
    async start(input: NewNegotiation, by: string): Promise<Result<NegotiationView>> {
      const partner = trustedPartner(store, input.partner)
      if (!partner.ok) return partner
      const dataset = await deps.catalog.dataset(partner.value, input.dataset)
      if (!dataset.ok) return dataset
      const offer = chooseOffer(partner.value, dataset.value, input, lookupAmong(store, dataset.value.shapes))
      if (!offer.ok) return offer
      const datasetId = dataset.value.id
      const isAccepted = input.acceptNotUnderstood === true && input.offerHash !== undefined
      const requested = await requestContract(deps, {
        partner: partner.value,
        datasetId,
        offer: offer.value,
        shapes: dataset.value.shapes,
        ...(isAccepted && { approved: offerHash(offer.value) }),
      })
      return acted(requested, 'negotiation started', by, {
        dataset: datasetId,
        ...(isAccepted && { offerHash: offerHash(offer.value), acceptNotUnderstood: true }),
      })
    },

    /** As provider: offers a contract to a partner that has not asked for one. */
    async offer(input: NewProposal, by: string): Promise<Result<NegotiationView>> {
      const { partner: did, dataset: datasetId, ...proposal } = input
      const partner = trustedPartner(store, did)
      if (!partner.ok) return partner
      const offered = await offerContract(deps, { partner: partner.value, datasetId, proposal })
      return acted(offered, 'contract offered', by, { dataset: datasetId })
    },

    counter: async (pid: string, proposal: Proposal, by: string) =>
      acted(await counter(deps, pid as Pid, proposal), 'countered', by),

    accept: async (
      pid: string,
      { offerHash: read, acceptNotUnderstood: unread = false }: Acceptance,
      by: string,
    ) =>
      acted(await acceptOffer(deps, pid as Pid, read, unread), 'offer accepted', by, {
        ...(unread && read !== undefined && { offerHash: read, acceptNotUnderstood: true }),
      }),

    approve: async (pid: string, read: string, by: string) =>
      acted(await approve(deps, pid as Pid, read), 'request approved', by, { offerHash: read }),

    refuse: async (pid: string, reason: string, by: string) =>
      acted(await refuse(deps, pid as Pid, reason), 'refused', by, { reason }),

    terminate: async (pid: string, reason: string, by: string) =>
      acted(await terminateNegotiation(deps, pid as Pid, reason), 'negotiation ended', by, { reason }),

    async retry(pid: string, by: string): Promise<Result<NegotiationView>> {
      const found = find(pid)
      if (!found.ok) return found
      if (found.value.awaiting?.because === 'rules') {
        const asked = await askRulesAgain(deps, found.value)
        return asked.ok ? acted(find(pid), 'rules asked again', by) : asked
      }
      if ((await store.retryNow(pid, deps.clock())) === 0) return nothingOwed('negotiation')
      return acted(found, 'delivery hurried', by)
    },

    async giveUp(pid: string, reason: string, by: string): Promise<Result<NegotiationView>> {
      const found = find(pid)
      if (!found.ok) return found
      const ended = await giveUp(deps, found.value, reason)
      if (!ended.ok) return ended
      return acted(find(pid), 'delivery given up', by, { reason })
    },
  }
}

export type NegotiationOperations = ReturnType<typeof negotiationOperations>
