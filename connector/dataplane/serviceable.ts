/** Whether a plan can be kept on a source at all; asked before anything is published, agreed or started. */
import { ok, problem, type Result } from '../core/result.js'
import { type Plan, shapesRecords } from '../policy/plan.js'
import { compileShape } from './pipeline.js'
import type { Source } from './ports.js'
import type { Signal } from './record.js'
import { OPEN_WINDOWS } from './stages/aggregate.js'
import { unreadableRow } from './stages/rows.js'
import { blockLength } from './stages/sample.js'

export function canKeep(plan: Plan, source: Source, signals: readonly Signal[]): Result<void> {
  if (source.kind === 'bytes') {
    return shapesRecords(plan)
      ? problem(
          'PolicyDenied',
          'The policy shapes records, but the dataset is a file that is delivered as it is.',
        )
      : ok(undefined)
  }
  const unreadable = unreadableRow(plan, signals)
  if (unreadable !== undefined) {
    return problem(
      'PolicyDenied',
      `The policy chooses records by "${unreadable}", but the dataset declares no signal of that name, so nothing could be delivered.`,
    )
  }
  const { samplingIntervalMs, aggregationWindowMs } = plan
  if (aggregationWindowMs !== undefined && !deliversNumbers(plan, signals)) {
    return problem(
      'PolicyDenied',
      'The policy combines values over time windows, but none of the delivered signals is declared as a number.',
    )
  }
  const sampled = samplingIntervalMs === undefined ? 0 : blockLength(samplingIntervalMs)
  const combined = (aggregationWindowMs ?? 0) * (OPEN_WINDOWS + 1)
  const needed = sampled + combined
  const { keepsForMs } = source
  if (keepsForMs === undefined || needed <= keepsForMs) return ok(undefined)
  const what =
    combined > 0
      ? `Time windows of ${(aggregationWindowMs ?? 0) / 1000} s need`
      : `One record every ${(samplingIntervalMs ?? 0) / 1000} s needs`
  return problem(
    'PolicyDenied',
    `${what} ${needed / 3_600_000} hours of history, but records are kept for ${keepsForMs / 3_600_000} hours only. Set historyRetention to at least PT${Math.ceil(needed / 3_600_000)}H.`,
  )
}

/** What columns there are depends on neither names nor values, so that no key is needed to ask. */
function deliversNumbers(
  { pseudonym: _scope, noise: _amounts, ...plan }: Plan,
  signals: readonly Signal[],
): boolean {
  return compileShape(plan, signals, '').columns.length > 0
}
