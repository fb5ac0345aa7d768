/** What every store has to keep, whatever engine is behind it. Run it once per engine. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ok, problem } from '../../connector/core/result.js'
import type { EpochMs, ParticipantId, Pid } from '../../connector/core/types.js'
import type { Agreement } from '../../connector/domain/agreement.js'
import type { Negotiation } from '../../connector/domain/negotiation.js'
import type { Process, Step } from '../../connector/domain/step.js'
import type { Transfer } from '../../connector/domain/transfer.js'
import type { AudienceRule, Store } from '../../connector/store/store.js'

/** The engine is opened with this rule: the policies of these tests name their audience. */
export const NAMED_AUDIENCE: AudienceRule = {
  version: '1',
  of: ({ policy }) => policy.for as readonly string[] | undefined,
}

export type Engine = {
  /** A store that has never been used. */
  open(): Promise<Store>
  /** The same data with a new store, after the old one was closed. */
  reopen(): Promise<Store>
}

const NOW = 1_800_000_000_000 as EpochMs
const at = (offset: number): EpochMs => (NOW + offset) as EpochMs
const US = 'did:web:alpha.example' as ParticipantId
const OTHERS = 'did:web:beta.example' as ParticipantId

let counter = 0
const pidOf = (name: string): Pid => `urn:uuid:${name}` as Pid

export const negotiationOf = (name: string, more: Partial<Negotiation> = {}): Negotiation => ({
  kind: 'negotiation',
  pid: pidOf(name),
  role: 'provider',
  partner: US,
  partnerAddress: 'https://alpha.example/dsp',
  state: 'REQUESTED',
  offer: { '@id': 'offer-1' },
  datasetId: 'dataset-1',
  createdAt: at(counter++),
  updatedAt: NOW,
  ...more,
})

const transferOf = (name: string, more: Partial<Transfer> = {}): Transfer => ({
  kind: 'transfer',
  pid: pidOf(name),
  role: 'provider',
  partner: US,
  partnerAddress: 'https://alpha.example/dsp',
  state: 'STARTED',
  agreementId: 'agreement-1',
  datasetId: 'dataset-1',
  format: 'HttpData-PULL',
  generation: 1,
  createdAt: at(counter++),
  updatedAt: NOW,
  ...more,
})

const agreementOf = (id: string, more: Partial<Agreement> = {}): Agreement => ({
  id,
  role: 'provider',
  partner: US,
  negotiationPid: pidOf('n'),
  datasetId: 'dataset-1',
  body: { '@id': id, note: 'exactly as sent: ä, 1e2, "' },
  offer: { '@id': 'offer-1' },
  hash: '00',
  agreedAt: NOW,
  status: 'pending',
  ...more,
})

export const oweOf = (event: string) => ({
  event,
  url: `https://alpha.example/${event}`,
  body: `{"event":"${event}"}`,
})

const entryOf = (subject: string, event: string) => ({ subject, at: NOW, direction: 'own' as const, event })

const refN = (name: string) => ({ kind: 'negotiation', pid: pidOf(name) }) as const

export function storeContract(engineName: string, prepare: () => Engine): void {
  describe(`store on ${engineName}`, () => {
    let engine: Engine
    let store: Store

    beforeEach(async () => {
      engine = prepare()
      store = await engine.open()
    })
    afterEach(() => store[Symbol.asyncDispose]())

    const reopen = async (): Promise<void> => {
      await store[Symbol.asyncDispose]()
      store = await engine.reopen()
    }
    const moveTo = (name: string, state: Negotiation['state'], more: Partial<Step<Negotiation>> = {}) =>
      store.change(refN(name), (current) => ok({ next: { ...current, state }, ...more }))

    describe('creating a process', () => {
      it('writes everything of the step, and it is there after reopening', async () => {
        const next = negotiationOf('a', { partnerPid: 'p-1', agreementId: 'agreement-1' })
        const step = {
          next,
          owe: oweOf('agree'),
          agreement: agreementOf('agreement-1'),
          audit: [entryOf('a', 'request')],
        }
        expect(await store.create(step)).toEqual({ created: true, process: next })
        await reopen()
        expect(store.find(refN('a'))).toEqual(next)
        expect(store.owedFor(next.pid)).toMatchObject([{ ...oweOf('agree'), attempts: 0, partner: US }])
        expect(store.agreement('agreement-1')).toEqual(agreementOf('agreement-1'))
        expect(store.audit('a')).toMatchObject([{ event: 'request', direction: 'own', at: NOW }])
      })

      it('happens once per pid of the partner: the first one is the answer, and nothing else is written', async () => {
        const first = negotiationOf('a', { partnerPid: 'p-1' })
        await store.create({ next: first, owe: oweOf('agree') })
        const twin = negotiationOf('b', { partnerPid: 'p-1' })
        const again = await store.create({
          next: twin,
          owe: oweOf('agree'),
          audit: [entryOf('b', 'request')],
        })
        expect(again).toEqual({ created: false, process: first })
        expect(store.find(refN('b'))).toBeUndefined()
        expect(store.owedCount().count).toBe(1)
        expect(store.audit('b')).toEqual([])
      })

      it('happens once also when twins come at the same time', async () => {
        const made = await Promise.all(
          ['a', 'b', 'c', 'd'].map((name) =>
            store.create({ next: negotiationOf(name, { partnerPid: 'p-1' }) }),
          ),
        )
        expect(made.map((m) => m.created)).toEqual([true, false, false, false])
        expect(new Set(made.map((m) => m.process.pid)).size).toBe(1)
      })

      it.each([
        ['another partner', { partner: OTHERS }],
        ['another role', { role: 'consumer' }],
      ] as const)('keeps the same pid with %s apart', async (_, more) => {
        await store.create({ next: negotiationOf('a', { partnerPid: 'p-1' }) })
        const other = await store.create({ next: negotiationOf('b', { partnerPid: 'p-1', ...more }) })
        expect(other.created).toBe(true)
      })

      it('keeps the same pid of a negotiation and of a transfer apart', async () => {
        await store.create({ next: negotiationOf('a', { partnerPid: 'p-1' }) })
        expect((await store.create({ next: transferOf('t', { partnerPid: 'p-1' }) })).created).toBe(true)
        expect(store.findByPartnerPid('negotiation', 'provider', US, 'p-1')?.pid).toBe(pidOf('a'))
        expect(store.findByPartnerPid('transfer', 'provider', US, 'p-1')?.pid).toBe(pidOf('t'))
        expect(store.findByPartnerPid('transfer', 'consumer', US, 'p-1')).toBeUndefined()
        expect(store.findByPartnerPid('transfer', 'provider', OTHERS, 'p-1')).toBeUndefined()
      })

      it('refuses our own pid twice, and writes nothing of the second one', async () => {
        await store.create({ next: negotiationOf('a') })
        await expect(store.create({ next: negotiationOf('a'), owe: oweOf('request') })).rejects.toThrow()
        expect(store.owedCount().count).toBe(0)
      })
    })

    describe('changing a process', () => {
      beforeEach(() => store.create({ next: negotiationOf('a', { partnerPid: 'p-1' }) }))

      it.each([
        ['a stranger', { partner: OTHERS }],
        ['the wrong role', { role: 'consumer' }],
        ['an unknown pid', { pid: pidOf('nobody') }],
      ] as const)('is NotFound for %s, and nothing is asked', async (_, more) => {
        let asked = false
        const outcome = await store.change({ ...refN('a'), ...more }, (current) => {
          asked = true
          return ok({ next: { ...current, state: 'TERMINATED' } })
        })
        expect(outcome).toMatchObject({ ok: false, error: { code: 'NotFound' } })
        expect(asked).toBe(false)
        expect(store.find(refN('a'))?.state).toBe('REQUESTED')
      })

      it('is NotFound for a transfer with the pid of a negotiation', async () => {
        const outcome = await store.change({ kind: 'transfer', pid: pidOf('a') }, (current) =>
          ok({ next: current }),
        )
        expect(outcome).toMatchObject({ ok: false, error: { code: 'NotFound' } })
        expect(store.find({ kind: 'transfer', pid: pidOf('a') })).toBeUndefined()
      })

      it('is open to its owner', async () => {
        const outcome = await store.change({ ...refN('a'), partner: US, role: 'provider' }, (current) =>
          ok({ next: { ...current, state: 'AGREED' } }),
        )
        expect(outcome).toMatchObject({ ok: true, value: { state: 'AGREED' } })
      })

      it('sees what the step before it wrote, also in the same commit', async () => {
        const seen: string[] = []
        const steps = (['AGREED', 'VERIFIED', 'FINALIZED'] as const).map((state) =>
          store.change(refN('a'), (current) => {
            seen.push(current.state)
            return ok({ next: { ...current, state } })
          }),
        )
        await Promise.all(steps)
        expect(seen).toEqual(['REQUESTED', 'AGREED', 'VERIFIED'])
      })

      it('writes nothing when the decision refuses', async () => {
        const outcome = await store.change(refN('a'), () => problem('InvalidTransition', 'no'))
        expect(outcome).toEqual(problem('InvalidTransition', 'no'))
        await reopen()
        expect(store.find(refN('a'))?.state).toBe('REQUESTED')
      })

      it('may not take over the pid of another process of the partner', async () => {
        await store.create({ next: negotiationOf('b') })
        const outcome = await store.change(refN('b'), (current) =>
          ok({ next: { ...current, partnerPid: 'p-1' }, owe: oweOf('verify') }),
        )
        expect(outcome).toMatchObject({ ok: false, error: { code: 'InvalidMessage' } })
        expect(store.find(refN('b'))?.partnerPid).toBeUndefined()
        expect(store.owedCount().count).toBe(0)
      })

      it('settles before it owes: what was owed goes, the new message stays', async () => {
        await moveTo('a', 'REQUESTED', { owe: oweOf('agree') })
        await moveTo('a', 'TERMINATED', { settle: true, owe: oweOf('terminate') })
        expect(store.owedFor(pidOf('a')).map((o) => o.event)).toEqual(['terminate'])
      })
    })

    describe('a step that fails', () => {
      beforeEach(async () => {
        for (const name of ['a', 'b', 'c']) await store.create({ next: negotiationOf(name) })
      })
      const everything = { owe: oweOf('agree'), audit: [entryOf('b', 'agree')] }

      it('leaves nothing behind when the decision throws, and its neighbours in the same commit are written', async () => {
        const outcomes = await Promise.allSettled([
          moveTo('a', 'AGREED', { owe: oweOf('agree') }),
          store.change(refN('b'), () => {
            throw new Error('a bug in the decision')
          }),
          moveTo('c', 'AGREED', { owe: oweOf('agree') }),
        ])
        expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        await reopen()
        expect(['a', 'b', 'c'].map((name) => store.find(refN(name))?.state)).toEqual([
          'AGREED',
          'REQUESTED',
          'AGREED',
        ])
        expect(store.owedCount().count).toBe(2)
      })

      it('leaves nothing behind when one part of it cannot be written', async () => {
        const impossible = agreementOf('agreement-b', { role: 'nobody' as 'provider' })
        const outcomes = await Promise.allSettled([
          moveTo('a', 'AGREED', everything),
          moveTo('b', 'AGREED', { ...everything, agreement: impossible }),
          moveTo('c', 'AGREED', everything),
        ])
        expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        await reopen()
        expect(store.find(refN('b'))?.state).toBe('REQUESTED')
        expect(store.owedFor(pidOf('b'))).toEqual([])
        expect(store.agreement('agreement-b')).toBeUndefined()
        expect(store.audit('b')).toHaveLength(2)
        expect([store.find(refN('a'))?.state, store.find(refN('c'))?.state]).toEqual(['AGREED', 'AGREED'])
      })

      it('takes no token id along that was remembered before it', async () => {
        store.rememberToken('jti-1', at(60_000))
        await expect(
          store.change(refN('b'), () => {
            throw new Error('a bug in the decision')
          }),
        ).rejects.toThrow('a bug')
        await reopen()
        expect(store.rememberedTokens(NOW).map((t) => t.jti)).toEqual(['jti-1'])
      })
    })

    it('makes 100 concurrent changes one after the other, all durable', async () => {
      await store.create({ next: transferOf('t', { generation: 0 }) })
      const ref = { kind: 'transfer', pid: pidOf('t') } as const
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          store.change(ref, (current) =>
            ok({
              next: { ...current, generation: current.generation + 1 },
              audit: [entryOf('t', `step ${i}`)],
            }),
          ),
        ),
      )
      const generations = results.map((r) => (r.ok ? r.value.generation : -1))
      expect(generations).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
      await reopen()
      expect(store.find(ref)?.generation).toBe(100)
      expect(store.audit('t').map((e) => e.event)).toEqual(Array.from({ length: 100 }, (_, i) => `step ${i}`))
    })

    describe('what is owed', () => {
      beforeEach(async () => {
        for (const name of ['a', 'b']) await store.create({ next: negotiationOf(name, { updatedAt: NOW }) })
        await moveTo('a', 'REQUESTED', { owe: oweOf('first') })
        await moveTo('a', 'REQUESTED', { owe: oweOf('second') })
        await moveTo('b', 'REQUESTED', { owe: oweOf('third') })
      })
      const dueNow = (...rest: [] | [readonly string[]]) => store.due(NOW, 10, ...rest).map((o) => o.event)

      it('is due at most once per process, the oldest first', () => {
        expect(dueNow()).toEqual(['first', 'third'])
        expect(store.due(NOW, 1).map((o) => o.event)).toEqual(['first'])
        expect(store.owedFor(pidOf('a')).map((o) => o.event)).toEqual(['first', 'second'])
        expect(store.owedCount()).toEqual({ count: 3, oldest: NOW, nextAttemptAt: NOW })
      })

      it('is not due before its time', () => {
        expect(store.due(at(-1), 10)).toEqual([])
        expect(store.nextDue(at(-1))).toBe(NOW)
        expect(store.nextDue(NOW)).toBeUndefined()
      })

      it('leaves out the partners that are not wanted', () => {
        expect(dueNow([US])).toEqual([])
        expect(dueNow([OTHERS])).toEqual(['first', 'third'])
      })

      it('leaves out the processes that are not wanted, and then none of their messages', () => {
        expect(store.due(NOW, 10, [], [pidOf('a')]).map((o) => o.event)).toEqual(['third'])
        expect(store.due(NOW, 10, [], [pidOf('a'), pidOf('b')])).toEqual([])
      })

      it('waits behind the failed one of its process, and no other', async () => {
        const [first] = store.due(NOW, 1)
        await store.attemptFailed(first?.id ?? 0, 'refused the connection', at(500), NOW)
        expect(dueNow()).toEqual(['third'])
        expect(store.nextDue(NOW)).toBe(at(500))
        expect(store.due(at(500), 10).map((o) => o.event)).toEqual(['third', 'first'])
        expect(store.owedFor(pidOf('a'))[0]).toMatchObject({
          attempts: 1,
          lastError: 'refused the connection',
          nextAttemptAt: at(500),
        })
      })

      it('keeps the exact bytes through attempts and reopening', async () => {
        const [first] = store.due(NOW, 1)
        await store.attemptFailed(first?.id ?? 0, 'x', at(1), NOW)
        await reopen()
        expect(store.owedFor(pidOf('a'))[0]).toMatchObject(oweOf('first'))
      })

      it('is due at once when the operator hurries it', async () => {
        const [first] = store.due(NOW, 1)
        await store.attemptFailed(first?.id ?? 0, 'x', at(60_000), NOW)
        expect(await store.retryNow(pidOf('a'), NOW)).toBe(2)
        expect(dueNow()).toEqual(['first', 'third'])
        expect(await store.retryNow(pidOf('nobody'), NOW)).toBe(0)
      })

      it('is gone when it is settled, and an attempt that ends later brings nothing back', async () => {
        const [first] = store.due(NOW, 1)
        await moveTo('a', 'TERMINATED', { settle: true })
        expect(store.isOwed(first?.id ?? 0)).toBe(false)
        await store.attemptFailed(first?.id ?? 0, 'late', at(1), NOW)
        expect(store.owedFor(pidOf('a'))).toEqual([])
        expect(dueNow()).toEqual(['third'])
      })

      it('wakes the listener after the commit that added it, and only then', async () => {
        let woken = 0
        store.onOwed(() => {
          woken += 1
        })
        await moveTo('a', 'REQUESTED', { owe: oweOf('next') })
        expect(woken).toBe(1)
        await moveTo('a', 'AGREED')
        await store.note(entryOf('a', 'x'))
        expect(woken).toBe(1)
      })
    })

    it('tells who listens about each committed process, and nobody about a refused step', async () => {
      const heard: string[] = []
      const stop = store.onProcess((process: Process) => heard.push(`${process.pid} ${process.state}`))
      await store.create({ next: negotiationOf('a') })
      await moveTo('a', 'AGREED')
      await store.change(refN('a'), () => problem('InvalidTransition', 'no'))
      await Promise.allSettled([
        store.change(refN('a'), () => {
          throw new Error('x')
        }),
      ])
      stop()
      await moveTo('a', 'VERIFIED')
      expect(heard).toEqual(['urn:uuid:a REQUESTED', 'urn:uuid:a AGREED'])
    })

    describe('lists', () => {
      it('are newest first, by kind and state, up to a limit', async () => {
        for (const name of ['a', 'b', 'c']) await store.create({ next: negotiationOf(name) })
        await store.create({ next: transferOf('t') })
        await moveTo('b', 'TERMINATED')
        expect(store.list('negotiation').map((n) => n.pid)).toEqual(['c', 'b', 'a'].map(pidOf))
        expect(store.list('negotiation', { state: 'REQUESTED', limit: 1 }).map((n) => n.pid)).toEqual([
          pidOf('c'),
        ])
        expect(store.list('transfer').map((t) => t.pid)).toEqual([pidOf('t')])
      })

      it('count what is open with a partner, by kind and up to a limit', async () => {
        for (const name of ['a', 'b', 'c', 'd']) await store.create({ next: negotiationOf(name) })
        await store.create({ next: negotiationOf('e', { partner: OTHERS }) })
        await store.create({ next: transferOf('t') })
        await moveTo('b', 'TERMINATED')
        expect(store.countOpen('negotiation', US, 100)).toBe(3)
        expect(store.countOpen('negotiation', US, 2)).toBe(2)
        expect(store.countOpen('transfer', US, 100)).toBe(1)
      })

      it('name the transfers under an agreement with one partner', async () => {
        await store.create({ next: transferOf('t1') })
        await store.create({ next: transferOf('t2', { partner: OTHERS }) })
        await store.create({ next: transferOf('t3', { agreementId: 'agreement-2' }) })
        await store.create({ next: negotiationOf('n', { agreementId: 'agreement-1' }) })
        expect(store.transfersUnder('agreement-1', US).map((t) => t.pid)).toEqual([pidOf('t1')])
      })
    })

    describe('agreements', () => {
      beforeEach(() => store.create({ next: negotiationOf('n'), agreement: agreementOf('agreement-1') }))

      it('are found as ours as provider, by partner and dataset, while they are not revoked', async () => {
        for (const [id, more] of [
          ['agreement-2', { status: 'revoked' }],
          ['agreement-3', { datasetId: 'another' }],
          ['agreement-4', { role: 'consumer' }],
          ['agreement-5', { partner: OTHERS }],
        ] as const) {
          await store.create({ next: negotiationOf(id), agreement: agreementOf(id, more) })
        }
        const { datasetId } = agreementOf('agreement-1')
        expect(store.agreementsOn(US, datasetId).map(({ id }) => id)).toEqual(['agreement-1'])
      })

      it('are read by owner: another partner or role has none', () => {
        expect(store.agreement('agreement-1', { partner: US, role: 'provider' })?.id).toBe('agreement-1')
        expect(store.agreement('agreement-1', { partner: OTHERS, role: 'provider' })).toBeUndefined()
        expect(store.agreement('agreement-1', { partner: US, role: 'consumer' })).toBeUndefined()
      })

      it('change in one step with their note', async () => {
        const outcome = await store.changeAgreement('agreement-1', (current) =>
          ok({ next: { ...current, status: 'active' }, audit: [entryOf('agreement-1', 'in force')] }),
        )
        expect(outcome).toMatchObject({ ok: true, value: { status: 'active' } })
        await reopen()
        expect(store.agreement('agreement-1')?.status).toBe('active')
        expect(store.audit('agreement-1').map((e) => e.event)).toEqual(['in force'])
      })

      it('stay when the change is refused, and are NotFound when there is none', async () => {
        const refused = await store.changeAgreement('agreement-1', () => problem('InvalidTransition', 'no'))
        expect(refused).toEqual(problem('InvalidTransition', 'no'))
        expect(store.agreement('agreement-1')?.status).toBe('pending')
        const none = await store.changeAgreement('nothing', (current) => ok({ next: current }))
        expect(none).toMatchObject({ ok: false, error: { code: 'NotFound' } })
      })

      it('see inside a step what the step before it wrote', async () => {
        const [, seen] = await Promise.all([
          moveTo('n', 'AGREED', { agreement: agreementOf('agreement-1', { consumerSeal: 'sealed' }) }),
          new Promise<string | undefined>((resolve) => {
            void store.change(refN('n'), (current) => {
              resolve(store.agreement('agreement-1')?.consumerSeal)
              return ok({ next: current })
            })
          }),
        ])
        expect(seen).toBe('sealed')
      })
    })

    it('shows the latest notes about a subject, oldest first, and none about another', async () => {
      for (let i = 0; i < 5; i++) await store.note({ ...entryOf('a', `event ${i}`), detail: { i } })
      await store.note(entryOf('b', 'other'))
      expect(store.audit('a', 2).map((e) => [e.event, e.detail])).toEqual([
        ['event 3', { i: 3 }],
        ['event 4', { i: 4 }],
      ])
      expect(store.audit('b')).toHaveLength(1)
      expect(store.audit('b')[0]).not.toHaveProperty('detail')
    })

    describe('documents', () => {
      const source = { id: 's1', kind: 'files', config: { file: '/x' }, sealedSecrets: {}, createdAt: NOW }
      const dataset = (id: string, published = true) => ({
        id,
        title: 't',
        keywords: [],
        signals: [],
        sourceId: 's1',
        published,
        createdAt: NOW,
        updatedAt: NOW,
      })
      const offer = (id: string, datasetId: string) => ({
        id,
        datasetId,
        policy: { permission: [] },
        createdAt: NOW,
      })

      it('are replaced as a whole and read back as written, also after reopening', async () => {
        const partner = {
          did: US,
          name: 'Alpha',
          address: 'https://alpha.example/dsp',
          addedAt: NOW,
        } as const
        await store.putPartner({ ...partner, trust: 'known', seal: 'offer', fingerprint: 'f' })
        await store.putPartner({ ...partner, trust: 'trusted', seal: 'require' })
        await store.putSource(source)
        await store.putDataset(dataset('d1'))
        await store.putOffer(offer('o1', 'd1'))
        await reopen()
        expect(store.partner(US)).toEqual({ ...partner, trust: 'trusted', seal: 'require' })
        expect(store.partners()).toHaveLength(1)
        expect(store.source('s1')).toEqual(source)
        expect(store.dataset('d1')).toEqual(dataset('d1'))
        expect(store.offersOf('d1')).toEqual([offer('o1', 'd1')])
        expect(await store.removePartner(US)).toBe(true)
        expect(await store.removePartner(US)).toBe(false)
      })

      const forWhom = (id: string, datasetId: string, ...audience: readonly string[]) => ({
        ...offer(id, datasetId),
        policy: { permission: [], for: audience },
      })
      const seenBy = (recipient: string, afterId = '', limit = 10) =>
        store
          .offeredAfter({ recipient }, afterId, limit)
          .map(({ dataset: { id }, offers }) => `${id}: ${offers.map((o) => o.id).join(' ')}`)

      it('page through what somebody can possibly see, in order of id', async () => {
        await store.putSource(source)
        for (const id of ['d3', 'd1', 'd2', 'd4']) await store.putDataset(dataset(id, id !== 'd2'))
        await store.putOffer(offer('o1', 'd1'))
        await store.putOffer(forWhom('o2', 'd1', 'anna'))
        await store.putOffer(forWhom('o3', 'd2', 'anna'))
        await store.putOffer(forWhom('o4', 'd3', 'anna', 'bert'))
        await store.putOffer(forWhom('o5', 'd3', 'bert'))
        await store.putOffer(forWhom('o6', 'd4', 'bert'))
        expect(seenBy('anna')).toEqual(['d1: o1 o2', 'd3: o4'])
        expect(seenBy('bert')).toEqual(['d1: o1', 'd3: o4 o5', 'd4: o6'])
        expect(seenBy('carl')).toEqual(['d1: o1'])
        expect(
          store.offeredAfter({ recipient: 'carl', group: 'bert' }, 'd1', 9).map((found) => found.dataset.id),
        ).toEqual(['d3', 'd4'])
        expect(seenBy('bert', 'd1', 1)).toEqual(['d3: o4 o5'])
        const seenBefore = (id: string, limit: number) =>
          store.offeredBefore({ recipient: 'bert' }, id, limit).map((found) => found.dataset.id)
        expect([seenBefore('d9', 9), seenBefore('d4', 9), seenBefore('d9', 1)]).toEqual([
          ['d4', 'd3', 'd1'],
          ['d3', 'd1'],
          ['d4'],
        ])
        expect(store.offered({ recipient: 'anna' }, 'd3')).toEqual({
          dataset: dataset('d3'),
          offers: [forWhom('o4', 'd3', 'anna', 'bert')],
        })
        expect([
          store.offered({ recipient: 'anna' }, 'd2'),
          store.offered({ recipient: 'carl' }, 'd3'),
        ]).toEqual([undefined, undefined])
      })

      it('are possibly seen as soon as they are published, and not any more when they are gone', async () => {
        await store.putSource(source)
        await store.putDataset(dataset('d1', false))
        await store.putOffer(forWhom('o1', 'd1', 'anna'))
        expect(seenBy('anna')).toEqual([])
        await store.putDataset(dataset('d1'))
        expect(seenBy('anna')).toEqual(['d1: o1'])
        await store.putOffer(forWhom('o2', 'd1', 'anna'))
        await store.putDataset({ ...dataset('d1'), title: 'other' })
        await reopen()
        expect(seenBy('anna')).toEqual(['d1: o1 o2'])
        await store.removeOffer('o1')
        await store.putOffer(forWhom('o2', 'd1', 'bert'))
        expect([seenBy('anna'), seenBy('bert')]).toEqual([[], ['d1: o2']])
        await store.putDataset(dataset('d1', false))
        expect(seenBy('bert')).toEqual([])
        await store.removeOffer('o2')
        await store.removeDataset('d1')
        await store.putDataset(dataset('d1'))
        expect([seenBy('anna'), seenBy('bert')]).toEqual([[], []])
      })

      it('that others refer to cannot go, and a reference to nothing is refused', async () => {
        await expect(store.putDataset(dataset('d1'))).rejects.toThrow(/FOREIGN KEY|foreign key/)
        await store.putSource(source)
        await store.putDataset(dataset('d1'))
        await expect(store.putOffer(offer('o1', 'nothing'))).rejects.toThrow(/FOREIGN KEY|foreign key/)
        await store.putOffer(offer('o1', 'd1'))
        await expect(store.removeDataset('d1')).rejects.toThrow(/FOREIGN KEY|foreign key/)
        await expect(store.removeSource('s1')).rejects.toThrow(/FOREIGN KEY|foreign key/)
        expect(await store.removeOffer('o1')).toBe(true)
        expect(await store.removeDataset('d1')).toBe(true)
        expect(await store.removeSource('s1')).toBe(true)
      })
    })

    describe('quota', () => {
      it('is exact under 1000 bookings at the same time', async () => {
        const booked = await Promise.all(
          Array.from({ length: 1000 }, (_, i) =>
            store.book('agreement-1', { records: 1 + (i % 3) }, { total: 777 }),
          ),
        )
        const granted = booked.map((booking) => booking.granted)
        expect(granted.reduce((sum, n) => sum + n, 0)).toBe(777)
        expect(granted.every((n) => n >= 0)).toBe(true)
        await reopen()
        expect(store.booked('agreement-1')).toBe(777)
        expect(await store.book('agreement-1', { records: 1 }, { total: 777 })).toEqual({
          granted: 0,
          short: 'total',
        })
      })

      it('belongs to one agreement, and follows a limit that grows', async () => {
        expect(await store.book('agreement-1', { records: 5 }, { total: 3 })).toMatchObject({ granted: 3 })
        expect(await store.book('agreement-2', { records: 5 }, { total: 3 })).toMatchObject({ granted: 3 })
        expect(await store.book('agreement-1', { records: 5 }, { total: 4 })).toMatchObject({ granted: 1 })
        expect(store.booked('agreement-3')).toBe(0)
      })

      it('of a day counts records and bytes, survives a restart, and is full again on the next day only', async () => {
        const on = (number: number) => ({ day: { number, records: 4, bytes: 100 } })
        const ask = (...sizes: number[]) => ({ records: sizes.length, sizes })
        expect(await store.book('agreement-1', ask(30, 30, 30, 30), on(20_000))).toEqual({
          granted: 3,
          short: 'day',
        })
        await reopen()
        expect(await store.book('agreement-1', ask(11), on(20_000))).toEqual({ granted: 0, short: 'day' })
        expect(await store.book('agreement-1', ask(10), on(20_000))).toEqual({ granted: 1 })
        expect(await store.book('agreement-1', ask(0), on(20_000))).toEqual({ granted: 0, short: 'day' })
        expect(await store.book('agreement-1', ask(60), on(20_001))).toEqual({ granted: 1 })
        // The clock is set back: the day before is not given again, and the next one goes on where it was.
        expect(await store.book('agreement-1', ask(1), on(20_000))).toEqual({ granted: 0, short: 'day' })
        expect(await store.book('agreement-1', ask(41), on(20_001))).toEqual({ granted: 0, short: 'day' })
        expect(await store.book('agreement-1', ask(40), on(20_001))).toEqual({ granted: 1 })
        expect(store.booked('agreement-1')).toBe(0)
      })

      it('of a day and in total hold together, and what has no size counts for nothing that is granted', async () => {
        const quota = { total: 3, day: { number: 7, records: 2 } }
        expect(await store.book('agreement-1', { records: 3 }, quota)).toEqual({ granted: 2, short: 'day' })
        const next = { ...quota, day: { ...quota.day, number: 8 } }
        expect(await store.book('agreement-1', { records: 2 }, next)).toEqual({ granted: 1, short: 'total' })
        expect(store.booked('agreement-1')).toBe(3)
        const bytes = { day: { number: 8, bytes: 1_000 } }
        expect(await store.book('agreement-2', { records: 1 }, bytes)).toEqual({ granted: 0, short: 'day' })
      })
    })

    describe('pushes', () => {
      const T = pidOf('t')
      const body = new TextEncoder().encode('{"id":"1"}\n')

      it('are remembered with the bytes that are on their way, until they are not', async () => {
        await store.create({ next: transferOf('t') })
        expect(store.pushOf(T)).toBeUndefined()
        const write = (granted: number) => ({ state: { batches: 0, pending: granted }, body })
        expect(await store.bookPush(T, { agreementId: 'agreement-1', asked: { records: 7 }, write })).toEqual(
          {
            granted: 7,
          },
        )
        await reopen()
        const kept = store.pushOf(T)
        expect(kept?.state).toEqual({ batches: 0, pending: 7 })
        expect(new TextDecoder().decode(kept?.body)).toBe('{"id":"1"}\n')
        expect(store.booked('agreement-1')).toBe(0)
        await store.putPush(T, { batches: 1 })
        expect(store.pushOf(T)).toEqual({ state: { batches: 1 } })
      })

      it('are booked and written together: what is not granted is not written either', async () => {
        await store.create({ next: transferOf('t') })
        const m = { agreementId: 'agreement-1', asked: { records: 5 }, quota: { total: 7 } }
        const write = (granted: number) => ({ state: { granted } })
        const failing = store.bookPush(T, {
          ...m,
          write: () => {
            throw new Error('no room')
          },
        })
        await expect(failing).rejects.toThrow('no room')
        expect(store.booked('agreement-1')).toBe(0)
        expect(await store.bookPush(T, { ...m, write })).toMatchObject({ granted: 5 })
        expect(await store.bookPush(T, { ...m, write })).toMatchObject({ granted: 2 })
        expect(store.pushOf(T)).toEqual({ state: { granted: 2 } })
        expect(await store.bookPush(T, { ...m, write })).toMatchObject({ granted: 0 })
        expect(store.pushOf(T)).toEqual({ state: { granted: 2 } })
      })
    })

    describe('tokens', () => {
      it('seen before a write are durable with it', async () => {
        store.rememberToken('jti-1', at(60_000))
        store.rememberToken('jti-2', at(120_000))
        store.rememberToken('jti-1', at(60_000))
        await store.note(entryOf('a', 'x'))
        await reopen()
        expect(store.rememberedTokens(NOW).map((t) => t.jti)).toEqual(['jti-1', 'jti-2'])
        expect(store.rememberedTokens(at(60_001)).map((t) => t.jti)).toEqual(['jti-2'])
      })

      it('seen without a write are durable when the store closes', async () => {
        store.rememberToken('jti-1', at(60_000))
        await reopen()
        expect(store.rememberedTokens(NOW)).toHaveLength(1)
      })

      it('of the management API are kept by name, hashed', async () => {
        await store.putApiToken({ name: 'laptop', hash: 'aa', createdAt: NOW })
        await store.putApiToken({ name: 'laptop', hash: 'bb', createdAt: NOW })
        expect(store.apiTokens()).toEqual([{ name: 'laptop', hash: 'bb', createdAt: NOW }])
        expect(await store.removeApiToken('laptop')).toBe(true)
        expect(await store.removeApiToken('laptop')).toBe(false)
      })
    })

    it('refuses to write once it is closed', async () => {
      await reopen()
      const closed = store
      await reopen()
      await expect(closed.note(entryOf('a', 'x'))).rejects.toThrow('the store is closed')
    })

    it('knows its schema and that it is whole', () => {
      expect(store.schemaVersion()).toBeGreaterThan(0)
      expect(store.integrity()).toBeUndefined()
    })
  })
}
