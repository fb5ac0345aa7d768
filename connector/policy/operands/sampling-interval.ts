/** `mdp:samplingInterval`: the distance in event time between delivered records of one series. */
import type { Text } from '../../core/types.js'
import type { Duration } from '../duration.js'
import { MDP } from '../model.js'
import { durationWords, text } from '../words.js'
import { defineOperand } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { type FixedDuration, normalDuration, readFixedDuration } from './values.js'

const clause = (interval: Duration): Text => {
  const length = durationWords(interval)
  return text(
    `Delivered records of one machine or data series are at least ${length.en} apart.`,
    `Der Abstand zwischen zwei gelieferten Einträgen einer Maschine oder Datenreihe beträgt mindestens ${length.de}.`,
  )
}

export const samplingInterval = defineOperand<FixedDuration>({
  iri: `${MDP}samplingInterval`,
  aliases: ['mdp:samplingInterval'],
  datatype: 'xsd:duration',
  domain: { kind: 'duration', least: 0 },
  label: text('Distance between records', 'Abstand zwischen Einträgen'),
  classes: [14],
  operators: { gteq: shapingRule('larger') },
  enforcedBy: 'provider',
  temporal: false,
  read: readFixedDuration,
  evaluate: ({ duration }) => madeTrue(() => clause(duration)),
  describe: ({ duration }) => clause(duration),
  contribute: ({ ms }) => ({ samplingIntervalMs: ms }),
  normal: normalDuration,
})
