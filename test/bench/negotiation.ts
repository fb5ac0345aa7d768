/**
 * How fast two connectors agree: from the consumer's wish to FINALIZED, over HTTPS with verified certificates, every
 * message authenticated, the agreement signed, countersigned and receipted, and every step durable on both sides.
 */
import { join } from 'node:path'
import type { BareInput, ExchangeInput } from './bare-https.js'
import { type Child, startChild } from './child.js'
import { type Company, foundCompanies, furnish, openPlace } from './company.js'
import type { MemberInput, MessageSizes, Moment, NegotiateAnswer, NegotiateInput } from './member.js'
import { aim, figure, median, ms, note, percentile, perSecond, section, times, title, us } from './report.js'

const SEQUENTIAL = 200
const TOTAL = 1000
const WARM_UP = 100
const STRETCH = 10
/** Negotiations whose steps are timed. */
const STEPS = 50

type Round = {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly cpu: readonly [number, number]
}

/** Runs one load and accounts the CPU time of both sides to each negotiation. */
async function measure(
  sides: readonly [Child, Child],
  count: number,
  run: () => Promise<NegotiateAnswer>,
): Promise<Round> {
  const before = await Promise.all([sides[0].cpu(), sides[1].cpu()])
  const { totalMs, latencies } = await run()
  const after = await Promise.all([sides[0].cpu(), sides[1].cpu()])
  return {
    perSecond: (count / totalMs) * 1000,
    p50: median(latencies),
    p99: percentile(latencies, 99),
    cpu: [(after[0] - before[0]) / count, (after[1] - before[1]) / count],
  }
}

const LOADS = [
  { name: `${SEQUENTIAL} one after another`, count: SEQUENTIAL, inFlight: 1 },
  { name: `${TOTAL}, 16 in flight`, count: TOTAL, inFlight: 16 },
  { name: `${TOTAL}, 64 in flight`, count: TOTAL, inFlight: 64 },
] as const

function show(round: Round, names: readonly [string, string]): void {
  figure('latency p50', ms(round.p50), `p99 ${ms(round.p99)}`)
  figure('throughput', perSecond(round.perSecond))
  figure(`CPU per negotiation, ${names[0]}`, us(round.cpu[0]))
  figure(`CPU per negotiation, ${names[1]}`, us(round.cpu[1]))
}

title(
  'Negotiation: request to FINALIZED',
  'Provider and consumer are processes of their own; four messages, each over HTTPS with its own identity token; three signatures.',
)
await using place = await openPlace()
const [provider, consumer] = await twoCompanies()

async function twoCompanies(): Promise<readonly [Company, Company]> {
  const [first, second] = await foundCompanies(place, ['provider', 'consumer'])
  if (first === undefined || second === undefined) throw new Error('no companies')
  return [first, second]
}

const offers = await furnish(provider, consumer, [
  {
    id: 'pump',
    kind: 'bytes',
    config: { file: join(place.folder, 'pump.bin') },
    signals: [],
    terms: { until: '2099-12-31', count: 1_000_000 },
  },
])
await furnish(consumer, provider)
const offer = offers.pump ?? {}

type Pair = AsyncDisposable & {
  readonly sides: readonly [Child, Child]
  negotiate(count: number, inFlight: number): Promise<NegotiateAnswer>
}

/** Both connectors in processes of their own, warmed up. */
async function startPair(more: Omit<MemberInput, 'env'> = {}): Promise<Pair> {
  const start = (company: Company): Child =>
    startChild('member', { env: company.env, ...more } satisfies MemberInput, join(company.dataDir, 'log'))
  const seller = start(provider)
  const buyer = start(consumer)
  await seller.cpu()
  const negotiate = (count: number, inFlight: number) =>
    buyer.ask<NegotiateAnswer>('negotiate', {
      partner: provider.did,
      offer,
      count,
      inFlight,
    } satisfies NegotiateInput)
  await negotiate(WARM_UP, 4)
  return {
    sides: [seller, buyer],
    negotiate,
    async [Symbol.asyncDispose]() {
      await buyer[Symbol.asyncDispose]()
      await seller[Symbol.asyncDispose]()
    },
  }
}

/** Time from each commit that owes a message to the sending of that message, by message. */
async function dispatchTimes({ sides, negotiate }: Pair): Promise<ReadonlyMap<string, number>> {
  for (const side of sides) await side.ask('takeMoments')
  await negotiate(STEPS, 1)
  const times = new Map<string, number[]>()
  for (const side of sides) {
    let owed: Moment | undefined
    for (const moment of await side.ask<readonly Moment[]>('takeMoments')) {
      if (moment.what === 'committed') owed = moment.pending === undefined ? undefined : moment
      else if (owed?.pending !== undefined) {
        times.set(owed.pending, [...(times.get(owed.pending) ?? []), moment.at - owed.at])
        owed = undefined
      }
    }
  }
  return new Map([...times].map(([message, all]) => [message, median(all)]))
}

const ours: Round[] = []
let sizes: MessageSizes = [0, 0, 0, 0]
let steps: ReadonlyMap<string, number>
{
  await using pair = await startPair()
  for (const { name, count, inFlight } of LOADS) {
    const round = await measure(pair.sides, count, () => pair.negotiate(count, inFlight))
    ours.push(round)
    section(name)
    show(round, ['provider', 'consumer'])
  }
  sizes = await pair.sides[1].ask<MessageSizes>('messageSizes')
  steps = await dispatchTimes(pair)
}

section(`The same with every timer of both sides ${STRETCH} times as long`)
{
  await using pair = await startPair({ stretchTimers: STRETCH })
  const round = await measure(pair.sides, SEQUENTIAL, () => pair.negotiate(SEQUENTIAL, 1))
  figure(
    'latency p50',
    ms(round.p50),
    `${times(round.p50 / (ours[0]?.p50 ?? 1))} of the above: no step waits for a timer`,
  )
  const stretched = await dispatchTimes(pair)
  for (const [message, between] of steps) {
    figure(
      `commit to the sending of "${message}"`,
      ms(between),
      `${ms(stretched.get(message) ?? Number.NaN)} stretched`,
    )
  }
}

section('The same without group commit: one fsync for every write')
{
  await using pair = await startPair({ groupSize: 1 })
  for (const [index, { name, count, inFlight }] of LOADS.entries()) {
    const round = await measure(pair.sides, count, () => pair.negotiate(count, inFlight))
    const gain = (ours[index]?.perSecond ?? Number.NaN) / round.perSecond
    figure(`${name}: throughput`, perSecond(round.perSecond), `with group commit ${times(gain)}`)
  }
}

section(`Yardstick: 4 bare HTTPS POSTs (${sizes.join(', ')} bytes), one durable insert per message and side`)
{
  const bare = (name: string): Child =>
    startChild('bare-https', {
      file: join(place.folder, `${name}.db`),
      tls: place.tls,
      sizes,
    } satisfies BareInput)
  await using answering = bare('answering')
  await using asking = bare('asking')
  const peer = await answering.ask<string>('url')
  const exchange = (count: number, inFlight: number) =>
    asking.ask<NegotiateAnswer>('exchanges', { peer, count, inFlight } satisfies ExchangeInput)
  await exchange(WARM_UP, 4)
  for (const [index, { name, count, inFlight }] of LOADS.entries()) {
    const round = await measure([answering, asking], count, () => exchange(count, inFlight))
    const own = ours[index]
    if (own === undefined) continue
    figure(`${name}: latency p50`, ms(round.p50), `ours ${times(own.p50 / round.p50)}`)
    figure(
      `${name}: throughput`,
      perSecond(round.perSecond),
      `ours ${times(own.perSecond / round.perSecond)}`,
    )
    figure(
      `${name}: CPU of both sides`,
      us(round.cpu[0] + round.cpu[1]),
      `ours ${times((own.cpu[0] + own.cpu[1]) / (round.cpu[0] + round.cpu[1]))}`,
    )
  }
}

section('Aims')
const [latency] = ours
const best = Math.max(...ours.map((round) => round.perSecond))
aim(`latency p50 under 20 ms: ${ms(latency?.p50 ?? Number.NaN)}`, (latency?.p50 ?? Number.NaN) < 20)
aim(`300 negotiations/s with both sides on this machine: ${perSecond(best)}`, best >= 300)
note('For reference, two stock EDC connectors in memory, without TLS and signatures, on such a machine:')
note('2016 ms (150 ms at their fastest setting), 47 negotiations/s.')
note(
  'What limits it: one after another the five commits that stand between the messages, one fsync each, and the CPU',
)
note(
  'of both sides in turn; under load the thread of each side: signatures and their checks, TLS, JSON, HTTP, SQLite.',
)
