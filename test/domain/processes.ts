/** Processes as they stand in the middle of things, for tests of decisions. */
import type { EpochMs, ParticipantId, Pid, Role } from '../../connector/core/types.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Sent } from '../../connector/domain/process.js'
import type { Transfer } from '../../connector/domain/transfer.js'

export const at = (ms: number): EpochMs => ms as EpochMs

export const NOW = at(1_800_000_000_000)
export const LATER = at(NOW + 1000)

const common = (role: Role) => ({
  pid: `urn:uuid:${role}` as Pid,
  role,
  partner: 'did:web:partner.example' as ParticipantId,
  partnerPid: 'urn:uuid:theirs',
  partnerAddress: 'https://partner.example/dsp',
  createdAt: NOW,
  updatedAt: NOW,
})

export const negotiation = (
  role: Role,
  state: Negotiation['state'],
  more: Partial<Negotiation> = {},
): Negotiation => ({
  ...common(role),
  kind: 'negotiation',
  state,
  offer: { '@id': 'offer-1', target: 'dataset-1' },
  datasetId: 'dataset-1',
  ...more,
})

export const transfer = (role: Role, state: Transfer['state'], more: Partial<Transfer> = {}): Transfer => ({
  ...common(role),
  kind: 'transfer',
  state,
  agreementId: 'agreement-1',
  datasetId: 'dataset-1',
  format: 'HttpData-PULL',
  generation: 0,
  ...more,
})

/** A process whose partner has not answered our first message: it has no pid there yet. */
export function unanswered<P extends Negotiation | Transfer>(process: P): P {
  const { partnerPid: _, ...rest } = process
  return { ...rest, state: 'NEW', pending: 'request' } as P
}

/** A message of the partner; equal words mean equal bytes. */
export const message = (
  digest: string,
  more: {
    readonly partnerPid?: string
    readonly reason?: string
    readonly recurs?: boolean
    readonly identified?: boolean
    readonly sent?: Sent
  } = {},
) => ({
  digest,
  at: LATER,
  ...more,
})
