/**
 * The MQTT source: an ingest that keeps a connection to the broker and writes records to the log, and a record source
 * that reads the log. Delivery is at least once: what the broker keeps at QoS 1 is acknowledged only when it is
 * durable here. A redelivered message is recognised by its DUP flag, packet id and content within a session, and by
 * its records after a restart; with times of arrival a restart can leave a repeated record.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Problem } from '../../core/result.js'
import { ok, problem } from '../../core/result.js'
import type { EpochMs } from '../../core/types.js'
import { type RecordSource, SourceError } from '../ports.js'
import { createChangeNotice } from './change-notice.js'
import { createMalformedTally, type Managed, type SourceCounters, type SourceDeps } from './managed.js'
import { createMapMessage } from './mapping.js'
import { type MqttConfig, matchesFilter } from './mqtt-config.js'
import { type Connection, connectMqtt } from './mqtt-connection.js'
import { createIntake } from './mqtt-intake.js'
import { lostAgainAndAgain, notLogged, notSubscribed } from './mqtt-problems.js'

export type MqttDeps = Pick<
  SourceDeps,
  'signals' | 'clock' | 'report' | 'log' | 'stream' | 'retentionMs' | 'connectorId'
> & {
  /** Between 0 and 1, for the jitter of the backoff. */
  readonly random?: () => number
  /** First wait after a lost connection; doubles up to a hundred times itself. Milliseconds. */
  readonly backoffMs?: number
}

export type MqttSource = RecordSource & Managed

const CONNECT_TIMEOUT = 10_000
const BACKOFF = 300
const BACKOFF_GROWTH = 100
/** A connection that held for this long begins the backoff anew, milliseconds. */
const STEADY = 5_000
/** As many shorter ones in a row are a finding of their own. */
const BRIEF_CONNECTIONS = 3
/** Records in one batch to the reader. */
const BATCH = 512
const POSITION = /^(?:0|[1-9]\d{0,14})$/
/** How often old records are removed, milliseconds. */
const PRUNE_EVERY = 60_000

/** Stable, so that the broker finds the session after a restart; MQTT 3.1.1 promises only [0-9a-zA-Z]. */
export const defaultClientId = (connectorId: string, stream: string): string =>
  `handschlag-${`${connectorId}-${stream}`.replace(/[^0-9A-Za-z]+/g, '-')}`

/** The log as a source: what the broker does is invisible here. */
function createLogReader({ log, stream }: Pick<MqttDeps, 'log' | 'stream'>): RecordSource & Disposable {
  const notice = createChangeNotice()
  const unsubscribe = log.onAppend(stream, notice.bump)
  const look = (after: string | undefined, from: EpochMs | undefined, limit: number) => {
    if (after !== undefined && !POSITION.test(after)) {
      throw new SourceError({
        code: 'RangeInvalid',
        message: 'There is no such position in this dataset.',
        messageDe: 'Diese Stelle gibt es in diesem Datensatz nicht.',
      })
    }
    return log.read(stream, {
      ...(after === undefined ? {} : { after }),
      ...(from === undefined ? {} : { from }),
      limit,
    })
  }
  return {
    kind: 'records',
    async *read({ after, from, about = BATCH, signal }) {
      let behind = after
      let limit = Math.min(Math.max(about, 1), BATCH)
      // Until the end is reached there is something behind what was read.
      notice.readEnded(signal, -1)
      while (!signal.aborted) {
        const seen = notice.version()
        const batch = look(behind, from, limit)
        limit = BATCH
        const last = batch.at(-1)
        if (last === undefined) {
          notice.readEnded(signal, seen)
          return
        }
        behind = last.position
        yield batch
      }
    },
    take: ({ after, from, about }) => look(after, from, about),
    changed: notice.changed,
    async end() {
      return ok(log.tail?.(stream, 1)[0]?.position)
    },
    async timeOf(position) {
      const time = log.timeOf(stream, position)
      return time === undefined
        ? problem('RangeInvalid', {
            en: 'This position is not in the history any more.',
            de: 'Diese Stelle steht nicht mehr im Verlauf.',
          })
        : ok(time)
    },
    [Symbol.dispose]: unsubscribe,
  }
}

export function createMqttSource(config: MqttConfig, deps: MqttDeps): MqttSource {
  const { clock, report, log, stream, random = Math.random, backoffMs = BACKOFF } = deps
  const reader = createLogReader(deps)
  const stopping = new AbortController()
  /** Aborted later than `stopping`: what was received is settled in between. */
  const connecting = new AbortController()
  const tally = createMalformedTally(report, clock)
  let connection: Connection | undefined
  let connectedSince: EpochMs | undefined
  let lastError: Problem | undefined
  let running: Promise<unknown> | undefined

  const fault = (failed: Problem) => {
    lastError = failed
    report.state('error', failed)
  }
  const intake = createIntake({
    log,
    stream,
    clock,
    tally,
    map: createMapMessage(config.mapping, deps.signals),
    wanted: (topic) => config.topics.some((filter) => matchesFilter(filter, topic)),
    onAppendFailed(cause) {
      fault(notLogged(cause))
      connection?.destroy()
    },
  })

  let versions: readonly (5 | 4)[] = config.protocolVersion === 'auto' ? [5, 4] : [config.protocolVersion]
  let subscribed = false

  /** One connection from beginning to end; answers how long it held. */
  const connectOnce = async (): Promise<'none' | 'brief' | 'steady'> => {
    const connected = await connectMqtt(config, versions, {
      clientId: config.clientId ?? defaultClientId(deps.connectorId, stream),
      keepSession: true,
      timeoutMs: CONNECT_TIMEOUT,
      onMessage: intake.take,
      signal: connecting.signal,
    })
    if (!connected.ok) {
      if (!stopping.signal.aborted) fault(connected.error)
      return 'none'
    }
    connection = connected.value
    versions = [...versions].sort((a) => (a === connected.value.version ? -1 : 1))
    const since = clock()
    await serve(connected.value)
    connection = undefined
    connectedSince = undefined
    return clock() - since >= STEADY ? 'steady' : 'brief'
  }

  const serve = async (current: Connection): Promise<void> => {
    if (!current.sessionPresent) intake.forgetSession()
    // The session holds the subscriptions; after a start of ours they may have changed.
    if (!current.sessionPresent || !subscribed) {
      const refused = await current.subscribe(config.topics, config.qos)
      if (!refused.ok || refused.value.length > 0) {
        fault(refused.ok ? notSubscribed(config, refused.value) : refused.error)
        if (!refused.ok || refused.value.length === config.topics.length) {
          current.destroy()
          await current.ended
          return
        }
      }
      subscribed = true
    }
    connectedSince = clock()
    report.state('connected')
    const reason = await current.ended
    if (reason !== undefined) lastError = reason
    report.state('disconnected', reason)
  }

  const run = async () => {
    let failures = 0
    let brief = 0
    while (!stopping.signal.aborted) {
      const outcome = await connectOnce()
      failures = outcome === 'steady' ? 0 : failures + 1
      brief = outcome === 'brief' ? brief + 1 : 0
      if (brief === BRIEF_CONNECTIONS) fault(lostAgainAndAgain(config))
      const longest = Math.min(backoffMs * 2 ** failures, backoffMs * BACKOFF_GROWTH)
      await pause(longest * (0.5 + random() / 2), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const prune = async () => {
    while (!stopping.signal.aborted) {
      await log
        .prune(stream, (clock() - deps.retentionMs) as EpochMs)
        .catch((cause: unknown) => fault(notLogged(cause)))
      await pause(PRUNE_EVERY, undefined, { signal: stopping.signal, ref: false }).catch(() => {})
    }
  }

  return {
    kind: 'records',
    read: reader.read,
    ...(reader.take === undefined ? {} : { take: reader.take }),
    changed: reader.changed,
    timeOf: reader.timeOf,
    ...(reader.end === undefined ? {} : { end: reader.end }),
    removedUntil: () => log.removedUntil(stream),
    keepsForMs: deps.retentionMs,
    ...('constant' in config.mapping.series && { oneSeries: true as const }),
    async start() {
      running ??= Promise.all([run(), prune()])
    },
    counters(): SourceCounters {
      return {
        ...intake.counters(),
        malformed: tally.total(),
        ...(lastError && { lastError }),
        ...(connectedSince !== undefined && { connectedSince }),
      }
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      // What was received is written and acknowledged before the connection ends.
      await intake.close()
      if (connection === undefined) connecting.abort()
      else await connection.end()
      await running
      tally.flush()
      reader[Symbol.dispose]()
    },
  }
}
