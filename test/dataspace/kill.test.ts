import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { writeDevelopmentCertificates } from '../../certs-dev/generate.js'
import type { Json } from '../../connector/core/types.js'
import { type Company, type CompanyPlace, freePorts, runCompany, settle } from '../../connector/demo/world.js'
import { waitFor } from '../support/wait-for.js'

const KILLS = Number(process.env.HANDSCHLAG_KILLS ?? 200)
const SEED = Number(process.env.HANDSCHLAG_SEED ?? Date.now() % 100_000)
/** Records that each contract allows in total. */
const QUOTA = 50
/** Steps of the applications between two kills, at most. */
const MOST_STEPS = 12
const FINAL = ['FINALIZED', 'TERMINATED', 'COMPLETED']
const enc = encodeURIComponent

type Answer = { readonly [key: string]: Json }

/** A small generator with a seed (mulberry32), so that a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

it(`converges after ${KILLS} kills at random moments: same states, nothing acknowledged lost, no quota exceeded`, async () => {
  console.log(`kill test: seed ${SEED}, repeat with HANDSCHLAG_SEED=${SEED}`)
  const random = seeded(SEED)
  const folder = await mkdtemp(join(tmpdir(), 'handschlag-kill-'))
  const [p1 = 0, m1 = 0, p2 = 0, m2 = 0] = await freePorts(4)
  const files = await writeDevelopmentCertificates(join(folder, 'certs'), ['localhost'])
  const server = files.servers.localhost
  if (server === undefined) throw new Error('no certificate')
  const program = join(import.meta.dirname, '../../dist/connector/main.js')
  const place = (name: string, port: number, managementPort: number): CompanyPlace => ({
    name,
    folder: join(folder, name),
    port,
    managementPort,
    tls: { ...server, ca: files.ca },
    program,
  })
  const places = { provider: place('provider', p1, m1), consumer: place('consumer', p2, m2) }
  type Side = keyof typeof places
  await settle(places.provider)
  await settle(places.consumer)
  const running: Record<Side, Company> = {
    provider: await runCompany(places.provider),
    consumer: await runCompany(places.consumer),
  }
  const ask = async (side: Side, path: string): Promise<Answer | undefined> => {
    const answer = await running[side].api.get(path)
    return answer.ok ? (answer.value as Answer) : undefined
  }
  /** For the set-up, while nobody is killed. */
  const sure = async (answer: Promise<{ ok: boolean }>): Promise<void> => {
    const outcome = await answer
    if (!outcome.ok) throw new Error(JSON.stringify(outcome))
  }
  try {
    for (const [from, to] of [
      ['provider', 'consumer'],
      ['consumer', 'provider'],
    ] as const) {
      const partner = running[to]
      await sure(
        running[from].api.post('/api/v1/partners', {
          did: partner.did,
          address: partner.publicUrl,
          seal: 'require',
        }),
      )
      await sure(running[from].api.post(`/api/v1/partners/${enc(partner.did)}/trust`))
    }
    const rows = Array.from(
      { length: 400 },
      (_, i) =>
        `2026-01-01T00:${String(Math.floor(i / 60)).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}Z,${i}`,
    )
    await writeFile(join(folder, 'readings.csv'), `time,value\n${rows.join('\n')}\n`)
    const { api } = running.provider
    const source = {
      file: join(folder, 'readings.csv'),
      format: 'csv',
      time: { column: 'time', format: 'iso' },
      signals: { value: 'value' },
    }
    await sure(api.put('/api/v1/sources/readings', { kind: 'files', config: source }))
    await sure(
      api.put('/api/v1/datasets/readings', {
        title: 'Readings',
        signals: [{ name: 'value', type: 'integer' }],
        sourceId: 'readings',
      }),
    )
    await sure(api.post('/api/v1/datasets/readings/offers', { id: 'limited', terms: { count: QUOTA } }))
    await sure(api.post('/api/v1/datasets/readings/publish'))

    /** What the consumer has seen acknowledged; it must never be taken back. */
    const seenFinal = new Map<string, string>()
    const received = new Map<string, number>()
    let stop = false

    const observe = async (kind: 'negotiations' | 'transfers'): Promise<readonly Answer[]> => {
      const answer = await ask('consumer', `/api/v1/${kind}`)
      const processes = (answer?.[kind] ?? []) as readonly Answer[]
      for (const p of processes) {
        const before = seenFinal.get(String(p.pid))
        if (before !== undefined) expect(p.state).toBe(before)
        else if (FINAL.includes(String(p.state))) seenFinal.set(String(p.pid), String(p.state))
      }
      return processes
    }
    /** What the applications have done: a kill comes after a random number of steps, on slow machines as on fast ones. */
    let steps = 0
    const working = async (wanted: number): Promise<void> => {
      const begin = steps
      const deadline = Date.now() + 3000
      while (steps - begin < wanted && Date.now() < deadline) await pause(1)
      await pause(random() * 20)
    }
    /** Applications that do not know of the kills: they negotiate, transfer and pull, and try again. */
    const buyer = async (): Promise<void> => {
      while (!stop) {
        const begun = await running.consumer.api.post('/api/v1/negotiations', {
          partner: running.provider.did,
          dataset: 'readings',
          offer: 'limited',
        })
        if (begun.ok) steps += 1
        await pause(random() * 30)
      }
    }
    const asker = async (): Promise<void> => {
      const asked = new Set<string>()
      while (!stop) {
        for (const n of await observe('negotiations')) {
          const contract = String(n.contract)
          if (n.state !== 'FINALIZED' || asked.has(contract)) continue
          asked.add(contract)
          const begun = await running.consumer.api.post('/api/v1/transfers', { contract })
          if (begun.ok) steps += 1
        }
        await pause(random() * 30)
      }
    }
    const reader = async (): Promise<void> => {
      while (!stop) {
        for (const t of await observe('transfers')) {
          if (t.state !== 'STARTED' || stop) continue
          const answer = await running.consumer.api.stream(
            `/api/v1/transfers/${enc(String(t.pid))}/data?limit=7`,
          )
          if (!answer.ok || answer.value.status !== 200) continue
          try {
            let text = ''
            for await (const chunk of answer.value.body) text += String(chunk)
            steps += 1
            const lines = text.split('\n').length - 1
            received.set(String(t.contract), (received.get(String(t.contract)) ?? 0) + lines)
          } catch {
            // Killed in the middle of an answer: whatever came is at most what was booked, and is not counted here.
          }
        }
        await pause(random() * 30)
      }
    }
    const applying = Promise.all([buyer(), asker(), reader(), reader()])
    for (let kill = 0; kill < KILLS; kill++) {
      await working(Math.floor(random() * MOST_STEPS))
      const sides: readonly Side[] =
        random() < 0.15 ? ['provider', 'consumer'] : [random() < 0.5 ? 'provider' : 'consumer']
      await Promise.all(sides.map((side) => running[side].end('SIGKILL')))
      await Promise.all(
        sides.map(async (side) => {
          running[side] = await runCompany(places[side])
        }),
      )
    }
    stop = true
    await applying

    // Everything owed is delivered, and nothing is left half way.
    const settled = async (kind: 'negotiations' | 'transfers') => {
      const mine = await observe(kind)
      const theirs = ((await ask('provider', `/api/v1/${kind}`))?.[kind] ?? []) as readonly Answer[]
      const owed = await Promise.all(
        (['provider', 'consumer'] as const).map((side) => ask(side, '/api/v1/status')),
      )
      if (owed.some((o) => o === undefined || (o.owed as Answer).count !== 0)) return undefined
      const open = kind === 'negotiations' ? ['NEW', 'REQUESTED', 'AGREED', 'VERIFIED'] : ['NEW', 'REQUESTED']
      if ([...mine, ...theirs].some((p) => open.includes(String(p.state)) || p.pending !== undefined))
        return undefined
      return { mine, theirs }
    }
    for (const kind of ['negotiations', 'transfers'] as const) {
      const { mine, theirs } = await waitFor(() => settled(kind), {
        timeoutMs: 60_000,
        what: `all ${kind} to come to rest`,
      })
      const states = (list: readonly Answer[], key: 'pid' | 'partnerPid') =>
        Object.fromEntries(list.map((p) => [String(p[key]), p.state]))
      const consumerView = states(mine, 'pid')
      const providerView = states(theirs, 'partnerPid')
      expect([kind, mine.length > 0]).toEqual([kind, true])
      console.log(
        `kill test: ${mine.length} ${kind}, ${mine.filter((p) => p.state === 'TERMINATED').length} terminated`,
      )
      for (const [pid, state] of Object.entries(providerView))
        expect([pid, consumerView[pid]]).toEqual([pid, state])
      for (const [pid, state] of Object.entries(consumerView)) {
        if (providerView[pid] === undefined) expect([pid, state]).toEqual([pid, 'TERMINATED'])
      }
      if (kind === 'negotiations') {
        const finalized = mine.filter((n) => n.state === 'FINALIZED')
        expect(finalized.length).toBeGreaterThan(0)
        for (const n of finalized.slice(0, 20)) {
          const verified = await ask('provider', `/api/v1/contracts/${enc(String(n.contract))}/verify`)
          expect(((verified?.signatures ?? []) as readonly Answer[]).map((s) => s.verdict)).toEqual([
            'valid',
            'valid',
            'valid',
          ])
        }
      }
    }
    expect([...received.values()].some((n) => n > 0)).toBe(true)
    for (const [contract, count] of received) expect([contract, count <= QUOTA]).toEqual([contract, true])
    console.log(
      `kill test: ${KILLS} kills, ${seenFinal.size} finished processes, ${received.size} contracts with data`,
    )
  } finally {
    await Promise.all([running.provider.end('SIGKILL'), running.consumer.end('SIGKILL')])
    await rm(folder, { recursive: true, force: true })
  }
}, 900_000)
