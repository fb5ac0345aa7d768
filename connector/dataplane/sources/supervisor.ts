/**
 * Keeps the running sources in line with what the operator has declared: one instance for each dataset that has a source.
 * Starts, restarts and stops; knows nothing of where declarations are stored.
 */
import { type Problem, problem, type Result } from '../../core/result.js'
import type { Clock, EpochMs } from '../../core/types.js'
import type { SourceOf } from '../ports.js'
import type { Signal } from '../record.js'
import type { ManagedSource, SourceCounters, SourceLog, SourceReport, SourceState } from './managed.js'
import { findSourceKind } from './registry.js'

export type DeclaredSource = {
  readonly datasetId: string
  readonly sourceId: string
  readonly kind: string
  /** Complete, secrets included. */
  readonly config: unknown
  readonly signals: readonly Signal[]
}

export type SourceStatus = {
  readonly datasetId: string
  readonly sourceId: string
  readonly state: SourceState
  readonly since: EpochMs
  /** What went wrong last, in words. */
  readonly problem?: string
  readonly lastMalformed?: string
  readonly counters: SourceCounters
}

export type SupervisorDeps = {
  readonly clock: Clock
  readonly log: SourceLog
  readonly retentionMs: number
  readonly stateDir: string
  readonly connectorId: string
  /** Told about everything an operator should see, with the dataset it concerns. */
  readonly report: (
    datasetId: string,
    event: 'state' | 'malformed',
    detail: { readonly message: string; readonly count?: number },
  ) => void
  /** The source of a dataset is another one from now on, or none: what reads from the old one has to end. */
  readonly replaced?: (datasetId: string) => void
}

type Running = {
  readonly declared: DeclaredSource
  /** What it was started with; another text means a restart. */
  readonly fingerprint: string
  readonly source: ManagedSource
  state: SourceState
  since: EpochMs
  problem?: string
  lastMalformed?: string
}

export type Supervisor = AsyncDisposable & {
  /** Resolves when every declared source has been started and every other one has ended. */
  reconcile(declared: readonly DeclaredSource[]): Promise<void>
  readonly sourceOf: SourceOf
  /** Why the source of a dataset cannot run as it is declared; for operators only. */
  faultOf(datasetId: string): Problem | undefined
  status(): readonly SourceStatus[]
}

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const running = new Map<string, Running>()
  /** Why the source of a dataset could not be started. */
  const faults = new Map<string, Problem>()
  /** Reconciliations run one after another, so that none meets half of another. */
  let last: Promise<void> = Promise.resolve()

  const refuse = (datasetId: string, why: Problem): void => {
    faults.set(datasetId, why)
    deps.report(datasetId, 'state', { message: why.message })
  }

  const start = async (declared: DeclaredSource, fingerprint: string): Promise<void> => {
    const { datasetId } = declared
    const kind = findSourceKind(declared.kind)
    if (kind === undefined) {
      refuse(datasetId, {
        code: 'SourceUnavailable',
        message: `There is no kind of source called ${declared.kind}.`,
        messageDe: `Es gibt keine Art von Quelle namens ${declared.kind}.`,
      })
      return
    }
    const config = kind.parseConfig(declared.config, declared.signals)
    if (!config.ok) {
      refuse(datasetId, config.error)
      return
    }
    const report: SourceReport = {
      malformed(n, sample) {
        const entry = running.get(datasetId)
        if (entry !== undefined) entry.lastMalformed = sample.reason
        deps.report(datasetId, 'malformed', { message: sample.reason, count: n })
      },
      state(state, why) {
        const entry = running.get(datasetId)
        if (entry !== undefined) {
          entry.state = state
          entry.since = deps.clock()
          if (why === undefined) delete entry.problem
          else entry.problem = why.message
        }
        deps.report(datasetId, 'state', { message: why?.message ?? state })
      },
    }
    const source = kind.create(config.value, {
      signals: declared.signals,
      clock: deps.clock,
      report,
      log: deps.log,
      stream: datasetId,
      retentionMs: deps.retentionMs,
      stateDir: deps.stateDir,
      connectorId: deps.connectorId,
    })
    running.set(datasetId, { declared, fingerprint, source, state: 'disconnected', since: deps.clock() })
    await source.start()
  }

  const end = async (datasetId: string): Promise<void> => {
    const entry = running.get(datasetId)
    running.delete(datasetId)
    await entry?.source[Symbol.asyncDispose]()
  }

  const apply = async (declared: readonly DeclaredSource[]): Promise<void> => {
    faults.clear()
    const wanted = new Map(declared.map((d) => [d.datasetId, { d, fingerprint: JSON.stringify(d) }]))
    for (const [datasetId, entry] of running) {
      if (wanted.get(datasetId)?.fingerprint === entry.fingerprint) continue
      const ending = end(datasetId)
      deps.replaced?.(datasetId)
      await ending
    }
    for (const [datasetId, { d, fingerprint }] of wanted) {
      if (!running.has(datasetId)) await start(d, fingerprint)
    }
  }

  return {
    reconcile(declared) {
      last = last.catch(() => undefined).then(() => apply(declared))
      return last
    },
    sourceOf: (datasetId): Result<ManagedSource> => {
      const entry = running.get(datasetId)
      return entry === undefined
        ? problem('SourceUnavailable', {
            en: 'The data of this dataset is not connected now.',
            de: 'Die Daten dieses Datensatzes sind im Augenblick nicht angeschlossen.',
          })
        : { ok: true, value: entry.source }
    },
    faultOf: (datasetId) => faults.get(datasetId),
    status: () =>
      [...running.values()].map((r) => ({
        datasetId: r.declared.datasetId,
        sourceId: r.declared.sourceId,
        state: r.state,
        since: r.since,
        ...(r.problem === undefined ? {} : { problem: r.problem }),
        ...(r.lastMalformed === undefined ? {} : { lastMalformed: r.lastMalformed }),
        counters: r.source.counters(),
      })),
    async [Symbol.asyncDispose]() {
      await last.catch(() => undefined)
      for (const datasetId of [...running.keys()]) await end(datasetId)
    },
  }
}
