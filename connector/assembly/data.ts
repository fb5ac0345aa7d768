/** Wires the data plane: sources, live history, delivery, quota, and what the services hear about it. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/load.js'
import type { Log } from '../core/log.js'
import type { Registry } from '../core/metrics.js'
import type { PartnerLimits } from '../core/partner-limits.js'
import { because, ok, type Problem, problem, type Result } from '../core/result.js'
import { type Clock, iso, type JsonObject, type Pid } from '../core/types.js'
import type { SecretBox } from '../crypto/secret-box.js'
import { createDataPlane, type DataPlane } from '../dataplane/delivery/data-plane.js'
import { checkSource, findSourceKind, SOURCE_KINDS } from '../dataplane/sources/registry.js'
import { createSupervisor, type DeclaredSource, type SourceStatus } from '../dataplane/sources/supervisor.js'
import type { SourceConfig } from '../domain/dataset.js'
import type { Outgoing } from '../identity/outgoing.js'
import type { SourcePort } from '../services/datasets.js'
import type { WatchDeps } from '../services/duty-watch.js'
import type { DataPlanePort } from '../services/ports.js'
import { createStandings } from '../services/standing.js'
import { moveTransfer, type TransferDeps } from '../services/transfer.js'
import { openRecordLog } from '../store/sqlite/record-log.js'
import type { Store } from '../store/store.js'
import { type DutyNotes, deleteReceivedFrom } from './duties.js'
import { assemblePush, type PushSide } from './push.js'
import { createSinks, type Sinks } from './sinks.js'

/** Disposing ends sources and history; the plane has an end of its own, before its socket. */
export type DataSide = AsyncDisposable & {
  /** What partners reach: data to fetch, and the address at which data is delivered to us. */
  readonly doors: Pick<DataPlane, 'handle' | 'upgrade'> & AsyncDisposable
  readonly port: DataPlanePort
  active(): ReturnType<DataPlane['active']>
  readonly checkSink: Sinks['check']
  readonly deleteReceived: WatchDeps['deleteReceived']
  readonly pushProgress: PushSide['progress']
  readonly pushFailing: PushSide['failing']
  readonly sources: SourcePort
  status(): readonly SourceStatus[]
  /** Lets flows that ended for a reason of ours end their transfers too. */
  connect(transfers: TransferDeps): void
}

/** Ends of a flow that end the transfer: nothing could ever flow under it again. */
const FINAL: readonly Problem['code'][] = ['QuotaExhausted', 'PolicyDenied']

export async function assembleData(
  config: Config,
  deps: {
    readonly clock: Clock
    readonly log: Log
    readonly store: Store
    readonly box: SecretBox
    readonly metrics: Registry
    readonly dataPath: string
    readonly limits: PartnerLimits
    readonly outgoing: Outgoing
    readonly openToken: (sealed: string, transferPid: string) => Result<string>
    readonly notes: DutyNotes
  },
): Promise<DataSide> {
  const { clock, log, store, metrics } = deps
  const stateDir = join(config.dataDir, 'sources')
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const history = openRecordLog(join(config.dataDir, 'history.db'), { clock })
  let replaced: (datasetId: string) => void = () => {}
  const supervisor = createSupervisor({
    clock,
    log: history,
    retentionMs: config.historyRetentionMs,
    stateDir,
    connectorId: config.participantId,
    report: (dataset, event, detail) =>
      log[event === 'malformed' ? 'warn' : 'info']({ dataset, ...detail }, `source ${event}`),
    replaced: (dataset) => replaced(dataset),
  })

  const opened = (source: SourceConfig): JsonObject => {
    const secrets = Object.entries(source.sealedSecrets).map(([key, box]) => {
      const text = deps.box.open(box, `source:${source.id}:${key}`)
      if (!text.ok) log.error({ source: source.id, why: text.error.message }, 'secret of a source')
      return [key, text.ok ? text.value : ''] as const
    })
    return { ...source.config, ...Object.fromEntries(secrets) }
  }
  const declared = (): readonly DeclaredSource[] =>
    store.datasets().flatMap((dataset) => {
      const source = dataset.sourceId === undefined ? undefined : store.source(dataset.sourceId)
      return source === undefined
        ? []
        : [
            {
              datasetId: dataset.id,
              sourceId: source.id,
              kind: source.kind,
              config: opened(source),
              signals: dataset.signals,
            },
          ]
    })
  const sources: SourcePort = {
    validate(kind, json) {
      const found = findSourceKind(kind)
      if (found === undefined) {
        return problem('InvalidInput', {
          en: `There is no kind of source called "${kind}". Known: ${Object.keys(SOURCE_KINDS).join(', ')}.`,
          de: `Es gibt keine Art von Quelle namens „${kind}“. Bekannt: ${Object.keys(SOURCE_KINDS).join(', ')}.`,
        })
      }
      const parsed = found.parseConfig(json)
      return parsed.ok ? ok({ secretKeys: found.secretKeys }) : parsed
    },
    refresh: () => supervisor.reconcile(declared()),
    fault: supervisor.faultOf,
    async check(source): Promise<Result<string>> {
      const dataset = store.datasets().find((d) => d.sourceId === source.id)
      const checked = await checkSource(
        source.kind,
        opened(source),
        dataset === undefined ? {} : { signals: dataset.signals },
      )
      return checked
    },
  }

  const records = metrics.counter('handschlag_records_delivered_total', 'Records delivered to partners.', [
    'via',
  ])
  const bytes = metrics.counter('handschlag_bytes_delivered_total', 'Bytes of data delivered to partners.', [
    'via',
  ])
  let stopped: (transferPid: string, why: Problem) => void = () => {}
  const pushPath = `${deps.dataPath}/push`
  const sinks = createSinks({
    folder: config.receiveDir,
    stateDir: join(config.dataDir, 'receiving'),
    openToken: deps.openToken,
    arriving: deps.notes.arriving,
  })
  const push = assemblePush({ ...deps, sinks, publicPath: pushPath, maxBytes: config.receiveLimit })
  const standing = createStandings(store)
  const plane = createDataPlane({
    clock,
    publicPath: deps.dataPath,
    admit: deps.limits.connect,
    sourceOf: supervisor.sourceOf,
    signalsOf: (datasetId) => store.dataset(datasetId)?.signals ?? [],
    push: push.plane,
    standingOf: (grant) =>
      standing(
        { partner: grant.recipient, datasetId: grant.datasetId, endpoint: grant.push?.endpoint },
        grant.plan,
      ),
    usage: { book: (agreementId, asked, quota) => store.book(agreementId, asked, quota) },
    log: {
      delivered(entry) {
        records.inc({ via: entry.via }, entry.records)
        bytes.inc({ via: entry.via }, entry.bytes)
        // A partner may pull a thousand times a second: by default that is for the metrics alone.
        const level = entry.via === 'pull' || entry.via === 'bytes' || entry.via === 'push' ? 'debug' : 'info'
        log[level](entry, 'data delivered')
        deps.notes.delivered(entry)
      },
      stopped: (transferPid, why) => stopped(transferPid, why),
      paused: (transfer, why, until) =>
        log.info(
          { transfer, why: why.message, ...(until === undefined ? {} : { until: iso(until) }) },
          'delivery waits',
        ),
    },
  })
  replaced = plane.refresh
  metrics.gauge('handschlag_active_streams', 'Running flows of data.', ['via'], () =>
    Object.entries(plane.active()).map(([via, value]) => ({ labels: { via }, value })),
  )
  metrics.counterFrom('handschlag_source_records_total', 'Records taken in by source.', ['dataset'], () =>
    supervisor.status().map((s) => ({ labels: { dataset: s.datasetId }, value: s.counters.logged })),
  )
  metrics.counterFrom(
    'handschlag_source_malformed_total',
    'Input left out because it is malformed.',
    ['dataset'],
    () => supervisor.status().map((s) => ({ labels: { dataset: s.datasetId }, value: s.counters.malformed })),
  )

  return {
    doors: {
      handle: (req, res) =>
        req.url?.startsWith(`${pushPath}/`) === true
          ? push.receiver.handle(req, res)
          : plane.handle(req, res),
      upgrade: plane.upgrade,
      [Symbol.asyncDispose]: async () => {
        await Promise.all([plane[Symbol.asyncDispose](), push.receiver[Symbol.asyncDispose]()])
      },
    },
    port: {
      start: plane.start,
      stop(transferPid, why) {
        plane.stop(transferPid, why)
        push.receiver.stop(transferPid, why)
      },
      canServe: plane.canServe,
    },
    active: plane.active,
    checkSink: sinks.check,
    deleteReceived: deleteReceivedFrom(sinks, push.receiver),
    pushProgress: push.progress,
    pushFailing: push.failing,
    sources,
    status: () => supervisor.status(),
    connect(transfers) {
      push.connect(transfers)
      stopped = (transferPid, why) => {
        log.warn({ transfer: transferPid, why: why.message, code: why.code }, 'flow stopped')
        if (!FINAL.includes(why.code)) return
        moveTransfer(transfers, transferPid as Pid, 'terminate', {
          code: why.code,
          ...because(why),
        }).catch((cause: unknown) =>
          log.error({ err: cause, transfer: transferPid }, 'transfer could not be ended'),
        )
      }
    },
    async [Symbol.asyncDispose]() {
      await supervisor[Symbol.asyncDispose]()
      await history[Symbol.asyncDispose]()
    },
  }
}
