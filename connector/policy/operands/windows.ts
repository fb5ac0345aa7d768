/** Times of use and of repetition: conditions that the recipient's side would have to measure. */
import type { Operator } from '../model.js'
import { ODRL } from '../model.js'
import { text } from '../words.js'
import { carried } from './carried.js'
import type { Operand } from './operand.js'

const ORDERED: readonly Operator[] = ['eq', 'neq', 'lt', 'lteq', 'gt', 'gteq']

export const windows: readonly Operand[] = [
  carried({
    iri: `${ODRL}elapsedTime`,
    aliases: ['elapsedTime', 'odrl:elapsedTime'],
    domain: { kind: 'duration', least: 0 },
    operators: ORDERED,
    enforcedBy: 'consumer',
    phases: ['use'],
    classes: [9],
    label: text('Time since the first use', 'Zeit seit der ersten Nutzung'),
    temporal: true,
  }),
  carried({
    iri: `${ODRL}meteredTime`,
    aliases: ['meteredTime', 'odrl:meteredTime'],
    domain: { kind: 'duration', least: 0 },
    operators: ORDERED,
    enforcedBy: 'consumer',
    phases: ['use'],
    classes: [9],
    label: text('Time of use in sum', 'Nutzungszeit in Summe'),
    temporal: true,
  }),
  carried({
    iri: `${ODRL}delayPeriod`,
    aliases: ['delayPeriod', 'odrl:delayPeriod'],
    domain: { kind: 'duration', least: 0 },
    operators: ORDERED,
    enforcedBy: 'contract',
    phases: ['use'],
    classes: [9, 14],
    label: text('Delay before the action', 'Wartezeit vor der Handlung'),
    temporal: true,
  }),
  carried({
    iri: `${ODRL}timeInterval`,
    aliases: ['timeInterval', 'odrl:timeInterval'],
    domain: { kind: 'duration', least: 0 },
    operators: ORDERED,
    enforcedBy: 'contract',
    phases: ['use', 'after'],
    classes: [10, 22],
    label: text('Interval of repetition', 'Abstand der Wiederholung'),
    temporal: true,
  }),
]
