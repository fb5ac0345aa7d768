/** How fast records pass the terms of a contract: in memory on one thread, and as a live stream out of the durable log. */
import { join } from 'node:path'
import { systemClock } from '../../connector/core/types.js'
import { jsonEncoder } from '../../connector/dataplane/delivery/encode.js'
import { compileShape } from '../../connector/dataplane/pipeline.js'
import type { DataRecord } from '../../connector/dataplane/record.js'
import { startChild } from './child.js'
import { openPlace } from './company.js'
import type { LiveAddress, LiveInput, PublishInput } from './live.js'
import { openFollower } from './load.js'
import { machineRecords, plan, SIGNALS } from './machine.js'
import { aim, figure, median, note, perSecond, section, times, title, us } from './report.js'

const BATCH = 512
const BATCHES = 400
const ROUNDS = 7
const LIVE_RECORDS = 300_000
const LIVE_WARM_UP = 20_000
const LIVE_BATCH = 1_000

title(
  'Shaping: fields, sampling interval and delivery delay at once',
  `Records of ${SIGNALS.length} signals; three signals of every second record are delivered. Both columns of work on one thread.`,
)

const batches: readonly (readonly DataRecord[])[] = Array.from({ length: BATCHES }, (_, batch) =>
  machineRecords(batch * BATCH, BATCH).map((record, index) => ({
    ...record,
    position: String(batch * BATCH + index + 1),
  })),
)
const total = BATCH * BATCHES

type Round = { readonly perSecond: number; readonly cpu: number; readonly delivered: number }

/** Median of several rounds; the first one warms up and does not count. */
function measure(run: () => number): Round {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const cpuBefore = process.cpuUsage()
    const began = performance.now()
    const delivered = run()
    const ms = performance.now() - began
    const { user, system } = process.cpuUsage(cpuBefore)
    return { perSecond: (total / ms) * 1000, cpu: (user + system) / total, delivered }
  }).slice(1)
  return {
    perSecond: median(rounds.map((round) => round.perSecond)),
    cpu: median(rounds.map((round) => round.cpu)),
    delivered: rounds[0]?.delivered ?? 0,
  }
}

const shape = compileShape(plan, SIGNALS, 'did:web:consumer.example')

const SECRET = new Uint8Array(32).fill(1)
const [noisy] = shape.columns
if (noisy === undefined) throw new Error('nothing is delivered')
const withNoise = compileShape(
  {
    ...plan,
    valueSteps: { [noisy]: 0.5 },
    noise: { [noisy]: { epsilon: 0.5, sensitivity: 10 } },
  },
  SIGNALS,
  'did:web:consumer.example',
  SECRET,
)

function shapeOnly(terms = shape): number {
  const run = terms.run({})
  const now = systemClock()
  let delivered = 0
  for (const batch of batches) {
    for (const record of run.shape(batch)) if (terms.due(record, now).is === 'due') delivered += 1
  }
  return delivered
}

function shapeAndWrite(): number {
  const run = shape.run({})
  const encode = jsonEncoder(shape.columns)
  const now = systemClock()
  let delivered = 0
  let length = 0
  for (const batch of batches) {
    for (const record of run.shape(batch)) {
      if (shape.due(record, now).is !== 'due') continue
      length += encode(record).length
      delivered += 1
    }
  }
  if (length === 0) throw new Error('nothing was written')
  return delivered
}

/** What a program without any contract would do with each record. */
function stringifyAll(): number {
  let length = 0
  for (const batch of batches) for (const record of batch) length += JSON.stringify(record).length
  if (length === 0) throw new Error('nothing was written')
  return total
}

const show = (name: string, round: Round): void => {
  figure(name, perSecond(round.perSecond), `${us(round.cpu * 1000)} CPU per 1000 records`)
}

section(`In memory, ${total.toLocaleString('en')} records, median of ${ROUNDS - 1} rounds`)
const shaped = measure(() => shapeOnly())
show('three terms', shaped)
const deviating = measure(() => shapeOnly(withNoise))
show('three terms, and noise on one signal', deviating)
const written = measure(shapeAndWrite)
show('three terms, and what is left as JSON', written)
const bare = measure(stringifyAll)
show('yardstick: JSON.stringify of every record', bare)
figure('three terms and JSON against the yardstick', times(written.perSecond / bare.perSecond))
note(`${shaped.delivered.toLocaleString('en')} of ${total.toLocaleString('en')} records were delivered.`)

section('Live: durable record log -> terms -> Server-Sent Events over HTTPS')
const live = await measureLive()
figure('records appended and shaped', perSecond((LIVE_RECORDS / live.ms) * 1000))
figure('events received by the consumer', perSecond((live.events / live.ms) * 1000))
figure('CPU of the provider per 1000 records', us((live.cpu / LIVE_RECORDS) * 1000))
note(`${live.events.toLocaleString('en')} events arrived, of ${LIVE_RECORDS.toLocaleString('en')} records.`)

section('Aims')
aim(
  `50,000 records/s through three terms on one core: ${perSecond(written.perSecond)}`,
  written.perSecond >= 50_000,
)
const liveRate = (LIVE_RECORDS / live.ms) * 1000
aim(`the same live, log and TLS included: ${perSecond(liveRate)}`, liveRate >= 50_000)
note(
  'What limits it: in memory the copies of delivered records and their text; live the insertion of each record into',
)
note('SQLite and its reading back, on the same thread that shapes, writes and encrypts.')

async function measureLive(): Promise<{
  readonly ms: number
  readonly events: number
  readonly cpu: number
}> {
  await using place = await openPlace()
  await using provider = startChild('live', {
    file: join(place.folder, 'history.db'),
    tls: place.tls,
  } satisfies LiveInput)
  const { url, token } = await provider.ask<LiveAddress>('address')
  await using follower = await openFollower(place.tls.ca, {
    url,
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
  })
  const publish = (from: number, records: number) =>
    provider.ask('publish', { from, records, batch: LIVE_BATCH } satisfies PublishInput)
  // The last interval of each hour stays empty, so a little less than half of the records is delivered.
  const almostHalf = (records: number): number => Math.floor(records * 0.495)
  await publish(0, LIVE_WARM_UP)
  await follower.reached(almostHalf(LIVE_WARM_UP))
  const cpuBefore = await provider.cpu()
  const before = follower.events()
  const began = performance.now()
  await publish(LIVE_WARM_UP, LIVE_RECORDS)
  await follower.reached(before + almostHalf(LIVE_RECORDS))
  const ms = performance.now() - began
  return { ms, events: follower.events() - before, cpu: (await provider.cpu()) - cpuBefore }
}
