/**
 * What the connector under test has before the kit comes: the kit as a partner, datasets with offers, and contracts that
 * an earlier negotiation has left behind. Goods come through the management API, as an operator brings them.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManagementClient } from '../../connector/cli/client.js'
import { type JsonObject, type ParticipantId, type Pid, systemClock } from '../../connector/core/types.js'
import type { Agreement } from '../../connector/domain/agreement.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import { agreementHash, draftAgreement, planOf } from '../../connector/services/contract.js'
import type { Store } from '../../connector/store/store.js'
import { demand } from '../bench/report.js'
import { ABSENT, CASES, KIT_ID, offerIdOf } from './cases.js'

/** The terms that the kit has in each of its offers and agreements. */
export const TERMS: JsonObject = { permission: [{ action: 'use' }] }

/** The dataset of every contract that exists beforehand. */
const CONTRACTED = 'ATP'

const SOURCE = 'pump'

const kit = KIT_ID as ParticipantId

/** The kit as a laboratory that calls itself what it likes, and is trusted. */
export async function putKit(store: Store, kitAddress: string): Promise<void> {
  await store.putPartner({
    did: kit,
    name: 'conformance kit',
    address: kitAddress,
    trust: 'trusted',
    seal: 'off',
    access: { kind: 'lab' },
    addedAt: systemClock(),
  })
}

/** A file of readings, and one published dataset with one offer for each case that needs it. */
export async function offer(api: ManagementClient, folder: string): Promise<void> {
  const file = join(folder, 'pump.csv')
  await writeFile(file, 'time,pressure\n2026-11-02T08:00:00Z,4.1\n2026-11-02T08:00:01Z,4.2\n')
  demand(
    await api.put(`/api/v1/sources/${SOURCE}`, {
      kind: 'files',
      config: {
        file,
        format: 'csv',
        time: { column: 'time', format: 'iso' },
        signals: { pressure: 'pressure' },
      },
    }),
  )
  const goods = CASES.filter(({ group, key }) => (group === 'CN' || group === 'CAT') && key !== ABSENT)
  for (const id of [CONTRACTED, ...goods.map(({ key }) => key)]) {
    demand(
      await api.put(`/api/v1/datasets/${id}`, {
        title: `Pump pressure ${id}`,
        signals: [{ name: 'pressure', type: 'number', unit: 'bar' }],
        sourceId: SOURCE,
      }),
    )
    demand(await api.post(`/api/v1/datasets/${id}/offers`, { id: offerIdOf(id), policy: TERMS }))
    demand(await api.post(`/api/v1/datasets/${id}/publish`))
  }
}

/** Contracts in force, for the cases that begin with a transfer. */
export async function putContracts(
  store: Store,
  m: { readonly ownDid: ParticipantId; readonly kitAddress: string },
): Promise<void> {
  for (const { group, key } of CASES) {
    if (group === 'TP') await putContract(store, { ...m, id: key, role: 'provider' })
    if (group === 'TP_C') await putContract(store, { ...m, id: key, role: 'consumer' })
  }
}

/** As a finished negotiation leaves it: the negotiation, the text, and what it was made from. */
async function putContract(
  store: Store,
  m: {
    readonly id: string
    readonly role: 'provider' | 'consumer'
    readonly ownDid: ParticipantId
    readonly kitAddress: string
  },
): Promise<void> {
  const at = systemClock()
  const [assigner, assignee] = m.role === 'provider' ? [m.ownDid, kit] : [kit, m.ownDid]
  const datasetId = CONTRACTED
  const offered: JsonObject = { ...TERMS, '@id': offerIdOf(datasetId), '@type': 'Offer', target: datasetId }
  const body = draftAgreement({ id: m.id, offer: TERMS, datasetId, assigner, assignee, at })
  const negotiation: Negotiation = {
    kind: 'negotiation',
    pid: `urn:uuid:negotiation-${m.id}` as Pid,
    role: m.role,
    partner: kit,
    partnerPid: `partner-of-${m.id}`,
    partnerAddress: m.kitAddress,
    state: 'FINALIZED',
    offer: offered,
    datasetId,
    agreementId: m.id,
    createdAt: at,
    updatedAt: at,
  }
  const draft: Agreement = {
    id: m.id,
    role: m.role,
    partner: kit,
    negotiationPid: negotiation.pid,
    datasetId,
    body,
    offer: offered,
    hash: agreementHash(body),
    agreedAt: at,
    status: 'active',
  }
  const agreement: Agreement = { ...draft, planHash: demand(planOf(draft)).hash }
  await store.create({ next: negotiation, agreement })
}
