/** Partners: who we know, how to reach them, and the operator's decision to trust or block. */
import { OPERATOR_REASONS } from '../core/operator-reasons.js'
import { ok, problem, type Result } from '../core/result.js'
import type { Clock, ParticipantId } from '../core/types.js'
import type { Approval } from '../domain/dataset.js'
import { NEGOTIATION } from '../domain/negotiation.js'
import { type Access, accessKind, type Partner, type SealMode, type Trust } from '../domain/partner.js'
import { isFinal } from '../domain/process.js'
import { PROFILE } from '../policy/model.js'
import type { Store } from '../store/store.js'
import type { AgreementDeps } from './agreements.js'
import { terminateNegotiation } from './negotiation.js'
import {
  type AccessDeps,
  type AccessInput,
  checkSeal,
  labAddress,
  type MannersInput,
  mannersOf,
  readAccess,
  readId,
  readOwn,
} from './partner-access.js'
import type { DataPlanePort } from './ports.js'
import { endTransfersUnder, type TransferDeps } from './transfer.js'

export type PartnerDeps = AccessDeps & {
  readonly store: Store
  readonly clock: Clock
  readonly ownDid: ParticipantId
  /** Fingerprint of the keys in the partner's DID document, fetched now. */
  readonly fingerprint: (did: ParticipantId) => Promise<Result<string>>
  /** DSP base address behind a public address, by the partner's version document. */
  readonly discover: (address: string) => Promise<Result<string>>
  readonly dataPlane: Pick<DataPlanePort, 'stop'>
}

export type NewPartner = AccessInput &
  MannersInput & {
    readonly did: string
    readonly address: string
    readonly name?: string
    readonly seal?: SealMode
    readonly approval?: Approval
  }

/**
 * Adds a partner after looking at its DID document and version document; a laboratory has neither. Nothing is trusted by
 * adding it.
 */
export async function addPartner(deps: PartnerDeps, m: NewPartner): Promise<Result<Partner>> {
  const lab = m.lab === true
  const did = readId(deps, m.did, lab)
  if (!did.ok) return did
  if (did.value === deps.ownDid || did.value === m.ownId)
    return problem('InvalidInput', { en: 'This is your own id.', de: 'Das ist Ihre eigene Kennung.' })
  const access = readAccess(deps, did.value, m)
  if (!access.ok) return access
  const own = readOwn(m, access.value)
  if (!own.ok) return own
  const seal = checkSeal(deps, did.value, m.seal)
  if (!seal.ok) return seal
  if (deps.store.partner(did.value) !== undefined) {
    return problem('Conflict', {
      en: `${did.value} is a partner already. See: handschlag partner show ${did.value}`,
      de: `${did.value} ist schon ein Partner. Siehe: handschlag partner show ${did.value}`,
    })
  }
  const address = lab ? labAddress(m.address) : await deps.discover(m.address)
  if (!address.ok) return address
  const fingerprint = await fingerprintOf(deps, did.value, access.value)
  if (!fingerprint.ok) return fingerprint
  if (deps.store.partner(did.value) !== undefined) {
    return problem('Conflict', {
      en: `${did.value} has been added in the meantime.`,
      de: `${did.value} wurde in der Zwischenzeit hinzugefügt.`,
    })
  }
  const taken = tokenTaken(deps, did.value, access.value)
  if (taken !== undefined) return taken
  const partner: Partner = {
    did: did.value,
    name: m.name ?? did.value,
    address: address.value,
    trust: 'known',
    // What foreign laboratories make of message-level signatures is not known, and theirs would prove nothing.
    seal: m.seal ?? (lab ? 'off' : 'offer'),
    ...(access.value === undefined ? {} : { access: access.value }),
    ...own.value,
    ...(m.approval === undefined ? {} : { approval: m.approval }),
    // Laboratories with a mock identity are those of EDC.
    ...mannersOf(m, lab ? { dialect: 'edc' } : {}),
    ...(fingerprint.value === undefined ? {} : { fingerprint: fingerprint.value }),
    addedAt: deps.clock(),
  }
  await deps.store.putPartner(partner)
  return ok(partner)
}

/** A laboratory has no keys. A partner with tokens may have some, and proves its identity without them. */
async function fingerprintOf(
  deps: PartnerDeps,
  did: ParticipantId,
  access: Access | undefined,
): Promise<Result<string | undefined>> {
  if (access?.kind === 'lab') return ok(undefined)
  const seen = await deps.fingerprint(did)
  return seen.ok || access === undefined ? seen : ok(undefined)
}

function tokenTaken(
  deps: PartnerDeps,
  did: ParticipantId,
  access: Access | undefined,
): Result<never> | undefined {
  if (access?.kind !== 'bearer') return undefined
  const other = deps.store.partnerByToken(access.tokenHash)
  return other === undefined || other.did === did
    ? undefined
    : problem('Conflict', {
        en: 'The incoming token belongs to another partner already. Each needs one of its own.',
        de: 'Das eingehende Token gehört schon einem anderen Partner. Jeder braucht ein eigenes.',
      })
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
    const seen = await fingerprintOf(deps, partner.did, partner.access)
    if (!seen.ok) return seen
    fingerprint = seen.value ?? fingerprint
  }
  // Fetching the keys takes as long as the partner wants; a decision made meanwhile stands.
  const present = deps.store.partner(did)
  if (present === undefined) return unknownPartner(did)
  if (present.trust !== partner.trust && present.trust !== trust) {
    return problem('Conflict', {
      en: `${present.name} was ${present.trust} in the meantime. Nothing was changed.`,
      de: `${present.name} wurde in der Zwischenzeit ${present.trust === 'blocked' ? 'gesperrt' : 'geändert'}. Es wurde nichts geändert.`,
    })
  }
  const next: Partner = { ...present, trust, ...(fingerprint === undefined ? {} : { fingerprint }) }
  await deps.store.putPartner(next)
  await deps.store.note({
    subject: did,
    at: deps.clock(),
    direction: 'own',
    event: trust,
    detail: { fingerprint: fingerprint ?? '', access: accessKind(partner) },
  })
  if (trust === 'blocked') {
    const why = { code: 'NotTrusted', reason: OPERATOR_REASONS.blocked.en }
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

export type PartnerChange = Partial<Omit<NewPartner, 'did' | 'lab'>>

/** How a partner proves who it is cannot change, only the tokens; another proof means another partner. */
export async function changePartner(
  deps: PartnerDeps,
  did: string,
  m: PartnerChange,
): Promise<Result<Partner>> {
  const partner = deps.store.partner(did)
  if (partner === undefined) return unknownPartner(did)
  const seal = checkSeal(deps, did, m.seal)
  if (!seal.ok) return seal
  const given = readAccess(deps, partner.did, m)
  if (!given.ok) return given
  if (given.value !== undefined && accessKind(partner) !== 'bearer') {
    return problem('InvalidInput', {
      en: `${partner.name} does not identify itself by tokens. Remove it and add it again with tokens.`,
      de: `${partner.name} weist sich nicht mit Token aus. Entfernen Sie den Partner, und fügen Sie ihn mit Token wieder hinzu.`,
    })
  }
  const taken = tokenTaken(deps, partner.did, given.value)
  if (taken !== undefined) return taken
  const own = readOwn(m, partner.access)
  if (!own.ok) return own
  let address = partner.address
  if (m.address !== undefined) {
    const found = accessKind(partner) === 'lab' ? labAddress(m.address) : await deps.discover(m.address)
    if (!found.ok) return found
    address = found.value
  }
  // Read again: the partner may have been blocked while its address was looked at.
  const present = deps.store.partner(did)
  if (present === undefined) return unknownPartner(did)
  const { dialect: _, bearerForData: __, takesEmptyPolicies: ___, ...rest } = present
  const next: Partner = {
    ...rest,
    ...mannersOf(m, present),
    ...own.value,
    ...(given.value === undefined ? {} : { access: given.value }),
    name: m.name ?? present.name,
    seal: m.seal ?? present.seal,
    ...(m.approval === undefined ? {} : { approval: m.approval }),
    address,
  }
  await deps.store.putPartner(next)
  return ok(next)
}

export const unknownPartner = (did: string): Result<never> =>
  problem('NotFound', {
    en: `There is no partner ${did}. See: handschlag partner list`,
    de: `Es gibt keinen Partner ${did}. Siehe: handschlag partner list`,
  })

/** A partner that may get anything at all; everybody else does not exist for the partner-facing side. */
export function trustedPartner(store: Pick<Store, 'partner'>, did: string): Result<Partner> {
  const partner = store.partner(did)
  if (partner === undefined) return unknownPartner(did)
  return partner.trust === 'trusted'
    ? ok(partner)
    : problem('NotTrusted', {
        en: `${partner.name} is ${partner.trust === 'blocked' ? 'blocked' : 'not trusted yet'}. ${accessKind(partner) === 'lab' ? 'It is a laboratory, whose identity nobody proves; when that is what you want:' : 'Compare its fingerprint, then:'} handschlag partner trust ${did}`,
        de: `${partner.name} ist ${partner.trust === 'blocked' ? 'gesperrt' : 'noch nicht als vertrauenswürdig bestätigt'}. ${accessKind(partner) === 'lab' ? 'Es ist ein Laborpartner, dessen Identität niemand nachweist; wenn Sie das wollen:' : 'Vergleichen Sie den Fingerabdruck, dann:'} handschlag partner trust ${did}`,
      })
}

/** How long a proof is remembered without being written down anew, milliseconds. */
const PROOF_STANDS_MS = 3_600_000

/**
 * What a partner's latest signed token says about its connector counts, also when it says nothing any more: the connector
 * may have been replaced by one of another make. Nothing else about the partner is touched, whatever the operator decides
 * meanwhile.
 */
export async function noteProof(
  { store, clock }: Pick<PartnerDeps, 'store' | 'clock'>,
  partner: Partner,
  profiles: readonly string[],
): Promise<Partner> {
  const at = clock()
  const isProven = profiles.includes(PROFILE)
  const { dutiesProvenAt: before } = partner
  const isKnown = before !== undefined && Math.abs(at - before) < PROOF_STANDS_MS
  if (isProven ? isKnown : before === undefined) return partner
  const noted = await store.changePartner(partner.did, ({ dutiesProvenAt: _, ...current }) =>
    isProven ? { ...current, dutiesProvenAt: at } : current,
  )
  return noted ?? partner
}
