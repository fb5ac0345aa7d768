/** Whether a plan can be kept on a source at all; asked before anything is published, agreed or started. */

import { ok, problem, type Result } from '../core/result.js'
import type { Text } from '../core/types.js'
import { type Plan, shapesRecords } from '../policy/plan.js'
import { compileShape } from './pipeline.js'
import type { Source } from './ports.js'
import type { Signal } from './record.js'
import { OPEN_WINDOWS } from './stages/aggregate.js'
import { declares, unreadableRow } from './stages/rows.js'
import { blockLength } from './stages/sample.js'

export function canKeep(plan: Plan, source: Source, signals: readonly Signal[]): Result<void> {
  if (source.kind === 'bytes') {
    return shapesRecords(plan)
      ? problem('PolicyDenied', {
          en: 'The policy shapes records, but the dataset is a file that is delivered as it is.',
          de: 'Die Bedingungen verändern einzelne Einträge; der Datensatz ist aber eine Datei, die unverändert geliefert wird.',
        })
      : ok(undefined)
  }
  const unreadable = unreadableRow(plan, signals)
  if (unreadable !== undefined) {
    return problem('PolicyDenied', {
      en: `The policy chooses records by "${unreadable}", but the dataset declares no signal of that name, so nothing could be delivered.`,
      de: `Die Bedingungen wählen Einträge nach „${unreadable}“ aus; der Datensatz kennt aber kein Signal dieses Namens, sodass nichts geliefert werden könnte.`,
    })
  }
  if (plan.minGroup !== undefined && source.oneSeries === true && !declares(signals, 'machineId')) {
    return problem('PolicyDenied', {
      en: 'The policy combines values over several machines, but neither the source (series) nor the dataset (a signal "machineId") says which machine a record is of, so nothing could be delivered.',
      de: 'Die Bedingungen verdichten Werte über mehrere Maschinen; weder die Quelle (series) noch der Datensatz (ein Signal „machineId“) sagt aber, von welcher Maschine ein Eintrag ist, sodass nichts geliefert werden könnte.',
    })
  }
  const { samplingIntervalMs, aggregationWindowMs } = plan
  if (aggregationWindowMs !== undefined && !deliversNumbers(plan, signals)) {
    return problem('PolicyDenied', {
      en: 'The policy combines values over time windows, but none of the delivered signals is declared as a number.',
      de: 'Die Bedingungen verdichten Werte über Zeitfenster; keines der gelieferten Signale ist aber als Zahl angegeben.',
    })
  }
  const sampled = samplingIntervalMs === undefined ? 0 : blockLength(samplingIntervalMs)
  const combined = (aggregationWindowMs ?? 0) * (OPEN_WINDOWS + 1)
  const needed = sampled + combined
  const { keepsForMs } = source
  if (keepsForMs === undefined || needed <= keepsForMs) return ok(undefined)
  const seconds = (ms = 0): Text => ({ en: `${ms / 1000}`, de: `${ms / 1000}`.replace('.', ',') })
  const span = seconds(combined > 0 ? aggregationWindowMs : samplingIntervalMs)
  const [hours, kept] = [needed / 3_600_000, keepsForMs / 3_600_000]
  const [en, de] =
    combined > 0
      ? [`Time windows of ${span.en} s need`, `Zeitfenster von ${span.de} s brauchen`]
      : [`One record every ${span.en} s needs`, `Ein Eintrag alle ${span.de} s braucht`]
  const advice = `PT${Math.ceil(hours)}H`
  return problem('PolicyDenied', {
    en: `${en} ${hours} hours of history, but records are kept for ${kept} hours only. Set historyRetention to at least ${advice}.`,
    de: `${de} einen Verlauf von ${decimal(hours)} Stunden; Einträge werden aber nur ${decimal(kept)} Stunden aufbewahrt. Setzen Sie historyRetention auf mindestens ${advice}.`,
  })
}

/** What columns there are depends on neither names nor values, so that no key is needed to ask. */
function deliversNumbers(
  { pseudonym: _scope, noise: _amounts, ...plan }: Plan,
  signals: readonly Signal[],
): boolean {
  return compileShape(plan, signals, '').columns.length > 0
}

const decimal = (value: number): string => String(value).replace('.', ',')
