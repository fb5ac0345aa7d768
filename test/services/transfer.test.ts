/** Transfers between two sides: who may have what, when it stops, and what a restart finds. */
import { afterEach, describe, expect, it } from 'vitest'
import { sha256Hex } from '../../connector/core/canonical.js'
import type { ParticipantId } from '../../connector/core/types.js'
import type { Agreement } from '../../connector/domain/agreement.js'
import { revokeAgreement, watchExpiry } from '../../connector/services/agreements.js'
import { undeliverable } from '../../connector/services/delivery.js'
import { restoreFlows } from '../../connector/services/flow.js'
import { decideTrust } from '../../connector/services/partners.js'
import { moveTransfer, requestTransfer } from '../../connector/services/transfer.js'
import { waitFor } from '../support/wait-for.js'
import { arrive, begin, CONSUMER, createWorld, refusal, type Side, STRANGER, type World } from './world.js'

let world: World
const open = async (m?: Parameters<typeof createWorld>[0]): Promise<World> => {
  world = await createWorld(m)
  return world
}
afterEach(() => world[Symbol.asyncDispose]())

const DAY = 24 * 3600_000
const WHY = { code: 'OperatorDecision', reason: 'maintenance' } as const

const asked = async (agreement: Agreement, format = 'HttpData-PULL') => {
  const { consumer } = world
  const outcome = await requestTransfer(consumer.deps, { agreement, partner: consumer.partner(), format })
  if (!outcome.ok) throw new Error(outcome.error.message)
  return outcome.value
}
const move = (side: Side, event: 'start' | 'suspend' | 'complete' | 'terminate') =>
  moveTransfer(side.deps, side.transfer().pid, event, WHY)
const states = () => [world.provider.transfer().state, world.consumer.transfer().state]
const flow = () => world.provider.flows.get(world.provider.transfer().pid)
/** Whether the token that the consumer holds opens the data now. */
const flows = (): boolean => {
  const { sealedToken = '' } = world.consumer.transfer()
  const running = flow()
  return (
    running?.stopped === undefined &&
    running?.grant?.tokenHash === sha256Hex(sealedToken.replace('sealed ', ''))
  )
}
const request = (more: Record<string, string> = {}, digest = 'd') =>
  arrive(
    world.provider,
    CONSUMER,
    '/dsp/transfers/request',
    {
      consumerPid: 'urn:uuid:t',
      agreementId: world.provider.store().agreements()[0]?.id ?? '',
      format: 'HttpData-PULL',
      callbackAddress: 'https://consumer.example/dsp',
      ...more,
    },
    digest,
  )

describe('a transfer', () => {
  it('starts with a grant for the plan of the contract and a token that only the consumer gets', async () => {
    const { provider, consumer } = await open()
    await world.started()
    expect(states()).toEqual(['STARTED', 'STARTED'])
    expect(flow()?.grant).toMatchObject({
      transferPid: provider.transfer().pid,
      agreementId: provider.agreement().id,
      datasetId: 'press-7',
      recipient: CONSUMER,
      plan: { hash: provider.agreement().planHash },
    })
    expect(flows()).toBe(true)
    expect(consumer.transfer().endpoint).toBe(`https://provider.example/data/${provider.transfer().pid}`)
    expect(JSON.stringify(provider.transfer())).not.toContain('token ')
  })

  it('is started once for a request that comes again, also at the same time', async () => {
    const { provider, consumer } = await open()
    await asked(await world.finalized())
    const owed = consumer.next('request')
    const answers = await Promise.all([1, 2, 3].map(() => world.carry(consumer, owed)))
    expect(new Set(answers.map((a) => (a.ok ? a.value.pid : '')))).toEqual(new Set([provider.transfer().pid]))
    expect(provider.owed().map((o) => o.event)).toEqual(['start'])
  })

  it('is not started for a pid that is in use under another contract', async () => {
    const { consumer } = await open()
    await asked(await world.finalized())
    const owed = consumer.next('request')
    await world.carry(consumer, owed)
    const other = await world.carry(consumer, owed, (body) =>
      Object.assign(body, { agreementId: 'urn:uuid:other' }),
    )
    expect(refusal(other).code).toBe('InvalidTransition')
  })

  it.each<[string, Record<string, string>, string, string]>([
    [
      'a contract that does not exist',
      { agreementId: 'urn:uuid:nothing' },
      'NotFound',
      'There is no such agreement with you.',
    ],
    [
      'a format that is not offered',
      { format: 'AmazonS3-PUSH' },
      'FormatUnsupported',
      'The format AmazonS3-PUSH is not offered for this dataset. Offered: HttpData-PULL, HttpData-PUSH.',
    ],
  ])('for %s is refused', async (_, change, code, message) => {
    const { provider } = await open()
    await world.finalized()
    expect(refusal(await request(change))).toMatchObject({ code, message })
    expect(provider.store().list('transfer')).toEqual([])
  })

  it('under the contract of somebody else finds no contract', async () => {
    const { provider } = await open()
    const { id } = await world.finalized()
    await provider.store().putPartner({ ...provider.partner(), did: STRANGER })
    const outcome = await arrive(
      provider,
      STRANGER,
      '/dsp/transfers/request',
      {
        consumerPid: 'urn:uuid:t',
        agreementId: id,
        format: 'HttpData-PULL',
        callbackAddress: 'https://stranger.example/dsp',
      },
      'd',
    )
    expect(refusal(outcome)).toMatchObject({
      code: 'NotFound',
      message: 'There is no such agreement with you.',
    })
  })

  it('is refused once the quota is used up', async () => {
    const { provider } = await open({ terms: { count: 10 } })
    const { id } = await world.finalized()
    await provider.store().book(id, { records: 10 }, { total: 10 })
    const why = refusal(await request())
    expect(why.code).toBe('PolicyDenied')
    expect(why.message).toMatch(/^Refused: .*10.*number of deliveries\)$/)
    expect(provider.flows.size).toBe(0)
  })

  it('is refused once the contract has expired', async () => {
    await open({ terms: { until: '2027-01-31' } })
    await world.finalized()
    world.forward(60 * DAY)
    expect(refusal(await request()).message).toBe(
      'Refused: the contract allows use until 31 January 2027, today is 5 March 2027. (clause 2, time of use)',
    )
  })

  it('of the consumer cannot be asked for by the provider', async () => {
    const { provider } = await open()
    await world.finalized()
    const m = { agreement: provider.agreement(), partner: provider.partner(), format: 'HttpData-PULL' }
    expect(refusal(await requestTransfer(provider.deps, m)).code).toBe('InvalidInput')
  })
})

describe('a request that overtakes the answer to FINALIZED', () => {
  const verified = async (): Promise<void> => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    await world.exchange(provider, provider.next('agree'))
    await world.exchange(consumer, consumer.next('verify'))
  }

  it('proves that it arrived: the contract is in force, and the transfer starts', async () => {
    await verified()
    const { provider, consumer } = world
    await world.carry(provider, provider.next('finalize'))
    await asked(consumer.agreement())
    expect((await world.carry(consumer, consumer.next('request'))).ok).toBe(true)
    expect(provider.negotiation().state).toBe('FINALIZED')
    expect(provider.agreement()).toMatchObject({ status: 'active', receipt: expect.stringMatching(/^seal:/) })
    await world.settle()
    expect(states()).toEqual(['STARTED', 'STARTED'])
  })

  it('keeps the countersignature when both come in the same moment', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    await world.exchange(provider, provider.next('agree'))
    const verification = world.carry(consumer, consumer.next('verify'))
    // Let the verification be prepared; its step still waits for the commit when the request takes its first look.
    for (let i = 0; i < 50; i++) await undefined
    expect(provider.agreement().consumerSeal).toBeUndefined()
    const requested = await request()
    expect([(await verification).ok, requested.ok]).toEqual([true, true])
    const agreement = provider.agreement()
    expect([agreement.consumerSeal, agreement.receipt].map((seal) => seal?.slice(0, 5))).toEqual([
      'seal:',
      'seal:',
    ])
  })

  it('finds no contract as long as nothing was finalised', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    await world.exchange(provider, provider.next('agree'))
    expect(refusal(await request()).code).toBe('NotFound')
    expect(provider.agreement().status).toBe('pending')
  })

  it('is served when the answer comes in the same moment', async () => {
    await verified()
    const { provider } = world
    const [, requested] = await Promise.all([world.exchange(provider, provider.next('finalize')), request()])
    // Which of the two is first does not matter; the contract is found either way.
    expect(requested.ok).toBe(true)
  })
})

describe('suspending', () => {
  it.each([
    'provider',
    'consumer',
  ] as const)('by the %s stops the flow at once, and it goes on with the resumption', async (who) => {
    await open()
    await world.started()
    const side = world[who]
    await move(side, 'suspend')
    if (who === 'provider') {
      expect(flow()?.stopped).toEqual({
        code: 'GrantEnded',
        message: 'The transfer is suspended: maintenance',
        messageDe: 'Die Übertragung ist angehalten: maintenance',
      })
      // The partner has not answered yet.
      expect(states()).toEqual(['STARTED', 'STARTED'])
    }
    await world.settle()
    expect(states()).toEqual(['SUSPENDED', 'SUSPENDED'])
    expect(flows()).toBe(false)
    expect([world.provider.transfer().suspendedBy, world.consumer.transfer().suspendedBy]).toEqual(
      who === 'provider' ? ['us', 'partner'] : ['partner', 'us'],
    )
    await move(side, 'start')
    await world.settle()
    expect(states()).toEqual(['STARTED', 'STARTED'])
    expect(flows()).toBe(true)
  })

  it('by the provider is not undone by the consumer', async () => {
    const { provider, consumer } = await open()
    await world.started()
    await move(provider, 'suspend')
    await world.settle()
    expect(refusal(await move(consumer, 'start')).message).toBe(
      'The partner suspended this transfer; only the partner can start it again.',
    )
    const { pid, partnerPid = '' } = provider.transfer()
    const forged = { providerPid: pid, consumerPid: partnerPid }
    const outcome = await arrive(provider, CONSUMER, `/dsp/transfers/${pid}/start`, forged, 'd')
    expect(refusal(outcome).message).toBe(
      'The provider suspended this transfer; only the provider can start it again.',
    )
    expect(flows()).toBe(false)
  })

  it('by the consumer, resumed by the provider, and suspended again in the same words stops the flow again', async () => {
    const { provider, consumer } = await open()
    await world.started()
    for (let round = 0; round < 2; round++) {
      await move(consumer, 'suspend')
      await world.settle()
      expect(states()).toEqual(['SUSPENDED', 'SUSPENDED'])
      expect(flows()).toBe(false)
      await move(provider, 'start')
      await world.settle()
      expect(states()).toEqual(['STARTED', 'STARTED'])
      expect(flows()).toBe(true)
    }
  })

  it('by both at the same time is one suspension that can be resumed', async () => {
    const { provider, consumer } = await open()
    await world.started()
    await move(provider, 'suspend')
    await move(consumer, 'suspend')
    await world.settle()
    expect(states()).toEqual(['SUSPENDED', 'SUSPENDED'])
    await move(provider, 'start')
    await world.settle()
    expect(states()).toEqual(['STARTED', 'STARTED'])
    expect(flows()).toBe(true)
  })

  it('by the provider stands when the consumer suspends as well instead of acknowledging it', async () => {
    const { provider } = await open()
    await world.started()
    const { pid, partnerPid = '' } = provider.transfer()
    const pids = { providerPid: pid, consumerPid: partnerPid }
    await move(provider, 'suspend')
    const crossing = await arrive(provider, CONSUMER, `/dsp/transfers/${pid}/suspension`, pids, 'own')
    expect(crossing.ok).toBe(true)
    expect(provider.transfer()).toMatchObject({
      state: 'SUSPENDED',
      suspendedBy: 'us',
      reason: 'maintenance',
    })
    const outcome = await arrive(provider, CONSUMER, `/dsp/transfers/${pid}/start`, pids, 'again')
    expect(refusal(outcome).message).toBe(
      'The provider suspended this transfer; only the provider can start it again.',
    )
    expect(flows()).toBe(false)
  })

  it('by both at the same time is for the provider to end, and the consumer hears so when it tries', async () => {
    const { provider, consumer } = await open()
    await world.started()
    await move(provider, 'suspend')
    await move(consumer, 'suspend')
    await world.settle()
    await move(consumer, 'start')
    await world.settle()
    expect(states()).toEqual(['SUSPENDED', 'SUSPENDED'])
    expect([provider.transfer().suspendedBy, consumer.transfer().suspendedBy]).toEqual(['us', 'partner'])
    expect(flows()).toBe(false)
    await move(provider, 'start')
    await world.settle()
    expect(states()).toEqual(['STARTED', 'STARTED'])
    expect(flows()).toBe(true)
  })

  it('is resumed by both at the same time: the consumer ends up with the token that is valid', async () => {
    const { provider, consumer } = await open()
    await world.started()
    await move(consumer, 'suspend')
    await world.settle()
    await move(provider, 'start')
    await move(consumer, 'start')
    await world.settle()
    expect(states()).toEqual(['STARTED', 'STARTED'])
    expect(flows()).toBe(true)
  })

  it('stays when the provider refuses to resume, with its reason', async () => {
    const { provider, consumer } = await open({ terms: { count: 10 } })
    await world.started()
    await move(consumer, 'suspend')
    await world.settle()
    await provider.store().book(provider.agreement().id, { records: 10 }, { total: 10 })
    await move(consumer, 'start')
    await world.settle()
    expect(states()).toEqual(['SUSPENDED', 'SUSPENDED'])
    expect(consumer.transfer().reason).toMatch(/^The partner answered 400: Refused: .*number of deliveries/)
    expect(consumer.transfer()).not.toHaveProperty('pending')
    await move(consumer, 'terminate')
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
  })

  it('gives every start its own token: the old one opens nothing after a resumption', async () => {
    const { provider } = await open()
    await world.started()
    const old = world.consumer.transfer().sealedToken
    await move(provider, 'suspend')
    await world.settle()
    await move(provider, 'start')
    await world.settle()
    expect(world.consumer.transfer().sealedToken).not.toBe(old)
    expect(flow()?.grant?.tokenHash).not.toBe(sha256Hex((old ?? '').replace('sealed ', '')))
  })
})

describe('the end', () => {
  it.each([
    ['provider', 'complete', 'COMPLETED'],
    ['consumer', 'complete', 'COMPLETED'],
    ['provider', 'terminate', 'TERMINATED'],
    ['consumer', 'terminate', 'TERMINATED'],
  ] as const)('%s: %s leads to %s on both sides, and nothing flows any more', async (who, event, state) => {
    await open()
    await world.started()
    await move(world[who], event)
    await world.settle()
    expect(states()).toEqual([state, state])
    expect(flows()).toBe(false)
    expect([world.provider.transfer().endedBy, world.consumer.transfer().endedBy]).toEqual(
      who === 'provider' ? ['us', 'partner'] : ['partner', 'us'],
    )
  })

  it('is the same on both sides when one completes while the other suspends', async () => {
    const { provider, consumer } = await open()
    await world.started()
    await move(provider, 'suspend')
    await move(consumer, 'complete')
    const [suspension, completion] = [provider.next('suspend'), consumer.next('complete')]
    await Promise.all([world.exchange(provider, suspension), world.exchange(consumer, completion)])
    await world.settle()
    expect(new Set(states()).size).toBe(1)
    expect(['COMPLETED', 'TERMINATED']).toContain(states()[0])
    expect(flows()).toBe(false)
  })

  it('before the partner has answered is kept, also when the start overtakes the answer', async () => {
    const { provider, consumer } = await open()
    const { pid } = await asked(await world.finalized())
    await moveTransfer(consumer.deps, pid, 'terminate', WHY)
    await world.carry(consumer, consumer.next('request'))
    await world.carry(provider, provider.next('start'))
    expect(consumer.transfer()).toMatchObject({ state: 'STARTED', pending: 'terminate' })
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
    expect(flows()).toBe(false)
    expect(provider.transfer().reason).toBe('maintenance')
  })

  it('comes when the start cannot be delivered: nothing flows for a partner that is away', async () => {
    const { provider, consumer } = await open()
    await asked(await world.finalized())
    await world.carry(consumer, consumer.next('request'))
    await undeliverable(provider.deps, provider.next('start'), {
      code: 'PartnerUnreachable',
      message: 'away',
    })
    expect(provider.transfer()).toMatchObject({ state: 'TERMINATED', reason: 'away' })
    expect(flow()?.stopped).toEqual({
      code: 'GrantEnded',
      message: 'The transfer is terminated: away',
      messageDe: 'Die Übertragung ist beendet: away',
    })
    expect(provider.owed().map((o) => o.event)).toEqual(['terminate'])
  })

  it('by a stranger or for an unknown transfer is NotFound', async () => {
    const { provider } = await open()
    await world.started()
    await provider.store().putPartner({ ...provider.partner(), did: STRANGER })
    const { pid, partnerPid = '' } = provider.transfer()
    const body = { providerPid: pid, consumerPid: partnerPid }
    for (const end of ['suspension', 'completion', 'termination', 'start']) {
      const outcome = await arrive(provider, STRANGER, `/dsp/transfers/${pid}/${end}`, body, end)
      expect(refusal(outcome).code).toBe('NotFound')
    }
    expect(flows()).toBe(true)
  })
})

describe('a revocation', () => {
  it('ends what runs and allows nothing more, on both sides', async () => {
    const { provider, consumer } = await open()
    await world.started()
    const outcome = await revokeAgreement(provider.deps, provider.agreement().id, 'the machine was sold')
    expect(outcome).toMatchObject({ ok: true, value: { status: 'revoked', statusBy: 'us' } })
    expect(flow()?.stopped).toEqual({
      code: 'GrantEnded',
      message: 'The contract was revoked: the machine was sold',
      messageDe: 'Der Vertrag wurde widerrufen: the machine was sold',
    })
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
    expect(consumer.agreement()).toMatchObject({
      status: 'revoked',
      statusBy: 'partner',
      statusReason: 'the machine was sold',
    })
    expect(refusal(await request())).toEqual({
      code: 'GrantEnded',
      message: 'The contract was revoked: the machine was sold',
      messageDe: 'Der Vertrag wurde widerrufen: the machine was sold',
    })
    expect(
      refusal(
        await requestTransfer(consumer.deps, {
          agreement: consumer.agreement(),
          partner: consumer.partner(),
          format: 'x',
        }),
      ).code,
    ).toBe('GrantEnded')
    expect(refusal(await revokeAgreement(provider.deps, provider.agreement().id, 'again')).code).toBe(
      'InvalidTransition',
    )
  })

  it('stops the data although it cannot be written down, such as on a full disk', async () => {
    const { provider } = await open()
    await world.started()
    const store = { ...provider.deps.store, changeAgreement: () => Promise.reject(new Error('disk full')) }
    const revoking = revokeAgreement({ ...provider.deps, store }, provider.agreement().id, 'sold')
    await expect(revoking).rejects.toThrow('disk full')
    expect(flow()?.stopped).toMatchObject({ code: 'GrantEnded', message: 'The contract was revoked: sold' })
    expect(provider.agreement().status).toBe('active')
  })

  it('by the partner ends every transfer under the contract, also those it says nothing about', async () => {
    const { provider, consumer } = await open()
    const first = await world.started()
    const second = await asked(consumer.agreement())
    await world.settle()
    const transfers = provider.store().list('transfer')
    const ended = transfers.find((t) => t.partnerPid === first.pid)
    const body = {
      providerPid: ended?.pid ?? '',
      consumerPid: first.pid,
      code: 'AgreementRevoked',
      reason: ['we are done'],
    }
    expect((await arrive(provider, CONSUMER, `/dsp/transfers/${ended?.pid}/termination`, body, 'd')).ok).toBe(
      true,
    )
    expect(provider.agreement()).toMatchObject({
      status: 'revoked',
      statusBy: 'partner',
      statusReason: 'we are done',
    })
    for (const { pid } of transfers) expect(provider.flows.get(pid)?.stopped?.code).toBe('GrantEnded')
    expect(
      provider
        .store()
        .audit(provider.agreement().id)
        .map((e) => `${e.direction} ${e.event}`),
    ).toEqual(['in revoked'])
    await world.settle()
    expect(consumer.store().find({ kind: 'transfer', pid: second.pid })?.state).toBe('TERMINATED')
  })

  it('needs a reason and a contract that is in force', async () => {
    const { provider, consumer } = await open()
    await begin(world)
    await world.exchange(consumer, consumer.next('request'))
    const { id } = provider.agreement()
    expect(refusal(await revokeAgreement(provider.deps, id, ' ')).code).toBe('InvalidInput')
    expect(refusal(await revokeAgreement(provider.deps, id, 'no')).code).toBe('InvalidTransition')
    expect(refusal(await revokeAgreement(provider.deps, 'urn:uuid:x', 'no')).code).toBe('NotFound')
  })
})

describe('a partner that is blocked', () => {
  const block = (side: Side, did: ParticipantId) => decideTrust(side.deps, did, 'blocked')

  it('gets nothing more: flows stop, and negotiations end', async () => {
    const { provider, consumer } = await open()
    await world.started()
    await begin(world)
    await world.carry(consumer, consumer.next('request'))
    await block(provider, CONSUMER)
    expect(flow()?.stopped?.message).toBe('The transfer is terminated: The partner has been blocked.')
    const events = provider.owed().map((o) => o.event)
    expect(events).toEqual(['terminate', 'terminate'])
    const unfinished = provider
      .store()
      .list('negotiation')
      .filter((n) => n.state !== 'FINALIZED')
    expect(unfinished).toMatchObject([{ pending: 'terminate', reason: 'The partner has been blocked.' }])
  })

  it('gets no transfer with a request that was let in before', async () => {
    const { provider } = await open()
    await world.finalized()
    await block(provider, CONSUMER)
    expect(refusal(await request()).code).toBe('NotTrusted')
    expect([provider.store().list('transfer'), provider.flows.size]).toEqual([[], 0])
  })

  it('is not trusted again by a decision that was made before, and is finished after', async () => {
    const { provider } = await open()
    await provider.put({ trust: 'known' })
    let arrived: () => void = () => {}
    const slow = { ...provider.deps, store: provider.store() }
    const trusting = decideTrust(
      {
        ...slow,
        fingerprint: () =>
          new Promise((resolve) => {
            arrived = () => resolve({ ok: true, value: 'AB:CD' })
          }),
      },
      CONSUMER,
      'trusted',
    )
    await block(provider, CONSUMER)
    arrived()
    expect(refusal(await trusting).code).toBe('Conflict')
    expect(provider.partner().trust).toBe('blocked')
  })
})

describe('after a restart', () => {
  it('what ran goes on with the same token', async () => {
    const { provider } = await open()
    await world.started()
    await provider.restart()
    restoreFlows(provider.deps)
    expect(flows()).toBe(true)
  })

  it('what was suspended stays so, and the data plane can say why', async () => {
    const { provider } = await open()
    await world.started()
    await move(provider, 'suspend')
    await provider.restart()
    restoreFlows(provider.deps)
    expect(flow()?.stopped?.message).toBe('The transfer is suspended: maintenance')
    await world.settle()
    await provider.restart()
    restoreFlows(provider.deps)
    expect(flow()).toMatchObject({
      grant: {},
      stopped: { message: 'The transfer is suspended: maintenance' },
    })
  })

  it('a transfer ends whose contract was revoked right before the stop', async () => {
    const { provider } = await open()
    await world.started()
    // The program stops between the revocation and the end of the transfers.
    await provider.store().changeAgreement(provider.agreement().id, (current) => ({
      ok: true,
      value: { next: { ...current, status: 'revoked', statusBy: 'us', statusReason: 'sold' } },
    }))
    await provider.restart()
    restoreFlows(provider.deps)
    expect(flows()).toBe(false)
    using _watch = watchExpiry(provider.deps)
    await waitFor(() => provider.transfer().pending === 'terminate')
    expect(JSON.parse(provider.next('terminate').body)).toMatchObject({
      code: 'AgreementRevoked',
      reason: ['sold'],
    })
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
  })

  it('a transfer ends whose partner was blocked right before the stop', async () => {
    const { provider } = await open()
    await world.started()
    await provider.put({ trust: 'blocked' })
    await provider.restart()
    restoreFlows(provider.deps)
    expect(flows()).toBe(false)
    using _watch = watchExpiry(provider.deps)
    await waitFor(() => provider.transfer().pending === 'terminate')
  })
})

describe('the end of the contract', () => {
  it('ends the transfer and tells the partner why', async () => {
    const { provider } = await open({ terms: { agreementAge: 'PT10M' } })
    await world.started()
    world.forward(10 * 60_000 - 20)
    using _watch = watchExpiry(provider.deps)
    world.forward(1000)
    await waitFor(() => provider.transfer().pending === 'terminate')
    await world.settle()
    expect(states()).toEqual(['TERMINATED', 'TERMINATED'])
    expect(world.consumer.transfer().reason).toBe('The contract has expired.')
  })

  it('is noticed also for a transfer that begins later', async () => {
    const { provider } = await open({ terms: { agreementAge: 'PT10M' } })
    using _watch = watchExpiry(provider.deps)
    await world.finalized()
    world.forward(10 * 60_000 - 50)
    await asked(world.consumer.agreement())
    await world.settle()
    world.forward(1000)
    await waitFor(() => provider.transfer().pending === 'terminate')
  })

  it('is not tried again and again for a transfer that is being completed', async () => {
    const { provider } = await open({ terms: { agreementAge: 'PT10M' } })
    await world.started()
    await move(provider, 'complete')
    world.forward(20 * 60_000)
    using _watch = watchExpiry(provider.deps)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(provider.transfer()).toMatchObject({ pending: 'complete' })
    await world.settle()
    expect(states()).toEqual(['COMPLETED', 'COMPLETED'])
  })
})
