/** `mdp:deliveryDelay`: the age of a record in event time when it is delivered. */
import type { Text } from '../../core/types.js'
import type { Duration } from '../duration.js'
import { MDP } from '../model.js'
import { durationWords, text } from '../words.js'
import { defineOperand } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { type FixedDuration, normalDuration, readFixedDuration } from './values.js'

const clause = (delay: Duration): Text => {
  const length = durationWords(delay)
  return text(
    `A record is delivered no earlier than ${length.en} after it was measured.`,
    `Ein Eintrag wird frühestens ${length.de} nach seinem Zeitpunkt geliefert.`,
  )
}

export const deliveryDelay = defineOperand<FixedDuration>({
  iri: `${MDP}deliveryDelay`,
  aliases: ['mdp:deliveryDelay'],
  datatype: 'xsd:duration',
  domain: { kind: 'duration', least: 0 },
  label: text('Age of a record at delivery', 'Alter eines Eintrags bei Lieferung'),
  classes: [14],
  operators: { gteq: shapingRule('larger') },
  enforcedBy: 'provider',
  temporal: false,
  read: readFixedDuration,
  evaluate: ({ duration }) => madeTrue(() => clause(duration)),
  describe: ({ duration }) => clause(duration),
  contribute: ({ ms }) => ({ deliveryDelayMs: ms }),
  normal: normalDuration,
})
