/** `mdp:agreementAge`: the time since the agreement was concluded, reckoned by the calendar in UTC. */
import type { EpochMs } from '../../core/types.js'
import { addDuration, type Duration, parseDuration } from '../duration.js'
import { MDP, type Phase } from '../model.js'
import { durationWords, momentWords, nowWords, text } from '../words.js'
import { defineOperand, verdictOf } from './operand.js'
import { normalDuration, readOne } from './values.js'

const WHILE_USED: readonly Phase[] = ['transfer', 'delivery']

export const agreementAge = defineOperand<Duration>({
  iri: `${MDP}agreementAge`,
  aliases: ['mdp:agreementAge'],
  datatype: 'xsd:duration',
  domain: { kind: 'duration', least: 0 },
  label: text('Time since the conclusion of the contract', 'Zeit seit Vertragsschluss'),
  classes: [9],
  operators: {
    lt: { stricter: 'smaller', phases: WHILE_USED },
    lteq: { stricter: 'smaller', phases: WHILE_USED },
  },
  enforcedBy: 'provider',
  temporal: true,
  read: (values) =>
    readOne(values, parseDuration, text('a duration such as P30D or P1Y', 'eine Dauer wie P30D oder P1Y')),
  evaluate: (age, operator, { at, agreedAt }) => {
    if (agreedAt === undefined) {
      return {
        verdict: 'unknown',
        text: () =>
          text(
            'The contract limits the time of use from its conclusion, but the time of its conclusion is not known.',
            'Der Vertrag begrenzt die Nutzungszeit ab Vertragsschluss, doch der Zeitpunkt des Vertragsschlusses ist nicht bekannt.',
          ),
      }
    }
    const end = addDuration(agreedAt, age)
    return {
      verdict: verdictOf(operator === 'lt' ? at < end : at <= end),
      text: () => {
        const [length, until, now] = [durationWords(age), momentWords(end), nowWords(at)]
        return text(
          `The contract allows use for ${length.en} from its conclusion, that is until ${until.en}; it is now ${now.en}.`,
          `Der Vertrag erlaubt die Nutzung ${length.de} lang ab Vertragsschluss, also bis zum ${until.de}; jetzt ist der ${now.de}.`,
        )
      },
    }
  },
  describe: (age) => {
    const length = durationWords(age)
    return text(
      `Use is allowed for ${length.en} from the conclusion of the contract.`,
      `Die Nutzung ist ${length.de} lang ab Vertragsschluss erlaubt.`,
    )
  },
  contribute: (age, operator, agreedAt) => {
    if (agreedAt === undefined) return {}
    const end = addDuration(agreedAt, age)
    return { notAfter: operator === 'lt' ? end : ((end + 1) as EpochMs) }
  },
  normal: normalDuration,
})
