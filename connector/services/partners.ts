/** Partners: who we know, how to reach them, and the operator's decision to trust or block. */
import { ok, problem, type Result } from '../core/result.js'
import type { Clock, ParticipantId } from '../core/types.js'
import { NEGOTIATION } from '../domain/negotiation.js'
import type { Partner, SealMode, Trust } from '../domain/partner.js'
import { isFinal } from '../domain/process.js'
import type { Store } from '../store/store.js'
import type { AgreementDeps } from './agreements.js'
import { terminateNegotiation } from './negotiation.js'
import type { DataPlanePort } from './ports.js'
import { endTransfersUnder, type TransferDeps } from './transfer.js'

export type PartnerDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly ownDid: ParticipantId
  readonly parseDid: (text: string) => Result<ParticipantId>
  /** Fingerprint of the keys in the partner's DID document, fetched now. */
  readonly fingerprint: (did: ParticipantId) => Promise<Result<string>>
  /** DSP base address behind a public address, by the partner's version document. */
  readonly discover: (address: string) => Promise<Result<string>>
  readonly dataPlane: Pick<DataPlanePort, 'stop'>
}

/** Adds a partner after looking at its DID document and version document. Nothing is trusted by adding it. */
export async function addPartner(
  deps: PartnerDeps,
  m: { readonly did: string; readonly address: string; readonly name?: string; readonly seal?: SealMode },
): Promise<Result<Partner>> {
  const did = deps.parseDid(m.did)
  if (!did.ok) return did
  if (did.value === deps.ownDid) return problem('InvalidInput', 'This is your own DID.')
  if (deps.store.partner(did.value) !== undefined) {
    return problem('Conflict', `${did.value} is a partner already. See: handschlag partner show ${did.value}`)
  }
  const address = await deps.discover(m.address)
  if (!address.ok) return address
  const fingerprint = await deps.fingerprint(did.value)
  if (!fingerprint.ok) return fingerprint
  if (deps.store.partner(did.value) !== undefined) {
    return problem('Conflict', `${did.value} has been added in the meantime.`)
  }
  const partner: Partner = {
    did: did.value,
    name: m.name ?? did.value,
    address: address.value,
    trust: 'known',
    seal: m.seal ?? 'offer',
    fingerprint: fingerprint.value,
    addedAt: deps.clock(),
  }
  await deps.store.putPartner(partner)
  return ok(partner)
}

export async function decideTrust(
  deps: PartnerDeps & AgreementDeps & TransferDeps,
  did: string,
  trust: Exclude<Trust, 'known'>,
): Promise<Result<Partner>> {
  const partner = deps.store.partner(did)
  if (partner === undefined) return unknownPartner(did)
  let fingerprint = partner.fingerprint
  if (trust === 'trusted') {
    const seen = await deps.fingerprint(partner.did)
    if (!seen.ok) return seen
    fingerprint = seen.value
  }
  // Fetching the keys takes as long as the partner wants; a decision made meanwhile stands.
  const present = deps.store.partner(did)
  if (present === undefined) return unknownPartner(did)
  if (present.trust !== partner.trust && present.trust !== trust) {
    return problem('Conflict', `${present.name} was ${present.trust} in the meantime. Nothing was changed.`)
  }
  const next: Partner = { ...present, trust, ...(fingerprint === undefined ? {} : { fingerprint }) }
  await deps.store.putPartner(next)
  await deps.store.note({
    subject: did,
    at: deps.clock(),
    direction: 'own',
    event: trust,
    detail: { fingerprint: fingerprint ?? '' },
  })
  if (trust === 'blocked') {
    const why = { code: 'NotTrusted', reason: 'The partner has been blocked.' }
    for (const n of deps.store.list('negotiation', { limit: 10_000_000 })) {
      if (n.partner !== did || isFinal(NEGOTIATION, n.state)) continue
      await terminateNegotiation(deps, n.pid, why.reason, why.code)
    }
    for (const agreement of deps.store.agreements()) {
      if (agreement.partner === did) await endTransfersUnder(deps, agreement, why)
    }
  }
  return ok(next)
}

export async function changePartner(
  deps: PartnerDeps,
  did: string,
  m: { readonly name?: string; readonly seal?: SealMode; readonly address?: string },
): Promise<Result<Partner>> {
  const partner = deps.store.partner(did)
  if (partner === undefined) return unknownPartner(did)
  let address = partner.address
  if (m.address !== undefined) {
    const found = await deps.discover(m.address)
    if (!found.ok) return found
    address = found.value
  }
  // Read again: the partner may have been blocked while its address was looked at.
  const present = deps.store.partner(did)
  if (present === undefined) return unknownPartner(did)
  const next: Partner = { ...present, name: m.name ?? present.name, seal: m.seal ?? present.seal, address }
  await deps.store.putPartner(next)
  return ok(next)
}

export const unknownPartner = (did: string): Result<never> =>
  problem('NotFound', `There is no partner ${did}. See: handschlag partner list`)

/** A partner that may get anything at all; everybody else does not exist for the partner-facing side. */
export function trustedPartner(store: Pick<Store, 'partner'>, did: string): Result<Partner> {
  const partner = store.partner(did)
  if (partner === undefined) return unknownPartner(did)
  return partner.trust === 'trusted'
    ? ok(partner)
    : problem(
        'NotTrusted',
        `${partner.name} is ${partner.trust === 'blocked' ? 'blocked' : 'not trusted yet'}. Compare its fingerprint, then: handschlag partner trust ${did}`,
      )
}
