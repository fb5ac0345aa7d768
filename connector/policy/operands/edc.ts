/** `edc:inForceDate`: the one condition that every EDC checks, as an instant or reckoned from the conclusion of the agreement. */
import { parseDuration } from '../duration.js'
import { parseInstant } from '../instant.js'
import { EDC } from '../model.js'
import { text } from '../words.js'
import {
  aged,
  dated,
  describeMoment,
  judgeMoment,
  type Moment,
  planOfMoment,
  USE,
  WHILE_USED,
} from './moments.js'
import { defineOperand } from './operand.js'
import { readOne } from './values.js'

const RELATIVE = /^[cC]ontract[aA]greement\+(\d{1,9})([smhd])$/

/** `contractAgreement+30d` as the duration `P30D`; undefined for anything else. */
function sinceAgreement(value: string): string | undefined {
  const [, amount, unit] = RELATIVE.exec(value) ?? []
  if (amount === undefined || unit === undefined) return undefined
  return unit === 'd' ? `P${amount}D` : `PT${amount}${unit.toUpperCase()}`
}

function parseMoment(value: string): Moment | undefined {
  const relative = sinceAgreement(value)
  if (relative !== undefined) {
    const after = parseDuration(relative)
    return after === undefined ? undefined : { after }
  }
  const at = parseInstant(value)
  return at === undefined ? undefined : { at }
}

const MOMENT = text(
  'a date and time with an offset, or contractAgreement+30d',
  'ein Zeitpunkt mit Zeitzone oder contractAgreement+30d',
)

const normalMoment = (value: string): string => {
  const moment = parseMoment(value)
  if (moment === undefined) return value
  return 'at' in moment ? String(moment.at) : `agreement+${moment.after.ms}`
}

export const inForceDate = defineOperand<Moment>({
  iri: `${EDC}inForceDate`,
  aliases: ['edc:inForceDate'],
  datatype: 'xsd:dateTime',
  domain: { kind: 'instant' },
  label: text('Time of use', 'Zeitpunkt der Nutzung'),
  classes: [8, 9],
  operators: {
    lt: { stricter: 'smaller', phases: WHILE_USED },
    lteq: { stricter: 'smaller', phases: WHILE_USED },
    gt: { stricter: 'larger', phases: WHILE_USED },
    gteq: { stricter: 'larger', phases: WHILE_USED },
  },
  enforcedBy: 'provider',
  temporal: true,
  read: (values) => readOne(values, parseMoment, MOMENT),
  evaluate: judgeMoment(USE),
  describe: describeMoment(USE),
  contribute: planOfMoment,
  normal: normalMoment,
  means: (operator, value) => {
    const relative = sinceAgreement(value)
    return relative === undefined ? dated(operator, value) : aged(operator, relative)
  },
})
