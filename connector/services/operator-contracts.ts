/** The operator's view of contracts: who agreed to what, in words and exactly, whether it is intact, and its early end. */
import { ok, problem, type Result } from '../core/result.js'
import { iso, type JsonObject, type Role } from '../core/types.js'
import { type Agreement, type AgreementStatus, readableForm } from '../domain/agreement.js'
import { type ShapeDocument, shapeHash, shapesByName } from '../policy/shape.js'
import { tierWords } from '../policy/tier-words.js'
import {
  type AgreementDeps,
  type ClauseInWords,
  inWords,
  revokeAgreement,
  type Signature,
  type TierInWords,
  verifyAgreement,
} from './agreements.js'
import { peerUnder } from './contract.js'
import { type DutyOperationDeps, type DutyView, dutyOperations } from './operator-duties.js'
import { compact, noted } from './operator-view.js'
import { type TimelineEntry, timelineOf } from './timeline.js'
import type { TransferDeps } from './transfer.js'

export type ContractView = {
  readonly id: string
  readonly role: Role
  readonly partner: string
  readonly partnerName: string
  readonly dataset: string
  readonly status: AgreementStatus
  readonly statusReason?: string
  readonly statusBy?: 'us' | 'partner'
  readonly statusAt?: string
  readonly agreedAt: string
  readonly negotiation: string
  readonly planHash?: string
  /** How far its terms are kept by connectors, as it stood when it was concluded. */
  readonly tier: TierInWords
  /** Facts that we had confirmed and it rests on, by id. */
  readonly facts?: readonly string[]
  /** Whose seals are stored; whether they hold is what verifying answers. */
  readonly signed: 'both' | 'us' | 'partner' | 'none'
}

export type ContractDetail = ContractView & {
  readonly clauses: readonly ClauseInWords[]
  readonly agreement: JsonObject
  /** The shape documents that it names. */
  readonly shapes?: readonly { readonly hash: string; readonly document: ShapeDocument }[]
  readonly hash: string
  /** Deliveries booked so far against a limit of the contract. */
  readonly used?: number
  readonly duties: readonly DutyView[]
  readonly timeline: readonly TimelineEntry[]
}

export type ContractOperationDeps = AgreementDeps & TransferDeps & DutyOperationDeps

function signedBy({ role, providerSeal, consumerSeal }: Agreement): ContractView['signed'] {
  const [ours, theirs] = role === 'provider' ? [providerSeal, consumerSeal] : [consumerSeal, providerSeal]
  if (ours !== undefined) return theirs === undefined ? 'us' : 'both'
  return theirs === undefined ? 'none' : 'partner'
}

export function contractOperations(deps: ContractOperationDeps) {
  const { store } = deps
  const duties = dutyOperations(deps)

  const view = (a: Agreement): ContractView =>
    compact({
      id: a.id,
      role: a.role,
      partner: a.partner,
      partnerName: store.partner(a.partner)?.name ?? a.partner,
      dataset: a.datasetId,
      status: a.status,
      statusReason: a.statusReason,
      statusBy: a.statusBy,
      statusAt: a.statusAt === undefined ? undefined : iso(a.statusAt),
      agreedAt: iso(a.agreedAt),
      negotiation: a.negotiationPid,
      planHash: a.planHash,
      tier: { number: a.tier ?? 1, text: tierWords(a.tier ?? 1) },
      facts: a.facts,
      signed: signedBy(a),
    })

  const find = (id: string): Result<Agreement> => {
    const found = store.agreement(id)
    return found === undefined
      ? problem('NotFound', {
          en: `There is no contract ${id}. See: handschlag contract list`,
          de: `Es gibt keinen Vertrag ${id}. Siehe: handschlag contract list`,
        })
      : ok(found)
  }

  return {
    list: (): { readonly contracts: readonly ContractView[] } => ({
      contracts: store.agreements().map(view),
    }),

    show(id: string): Result<ContractDetail> {
      const found = find(id)
      if (!found.ok) return found
      const { body, hash, role, shapes = [] } = found.value
      return ok({
        ...view(found.value),
        clauses: inWords(readableForm(found.value), {
          peer: peerUnder(found.value),
          shapes: shapesByName(shapes),
        }),
        agreement: body,
        ...(shapes.length > 0 && {
          shapes: shapes.map((document) => ({ hash: shapeHash(document), document })),
        }),
        hash,
        ...(role === 'provider' ? { used: store.booked(id) } : {}),
        duties: duties.under(found.value),
        timeline: timelineOf(store, id),
      })
    },

    async verify(
      id: string,
    ): Promise<Result<{ readonly intact: boolean; readonly signatures: readonly Signature[] }>> {
      const found = find(id)
      return found.ok ? ok(await verifyAgreement(deps, found.value)) : found
    },

    async revoke(id: string, reason: string, by: string): Promise<Result<ContractView>> {
      const revoked = await revokeAgreement(deps, id, reason)
      const outcome = await noted(deps, revoked, () => ({
        subject: id,
        event: 'contract revoked',
        by,
        detail: { reason },
      }))
      return outcome.ok ? ok(view(outcome.value)) : outcome
    },
  }
}

export type ContractOperations = ReturnType<typeof contractOperations>
