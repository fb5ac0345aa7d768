/** Recurring windows and quotas: conditions about when and how much, by the clock of a named zone. */
import type { Operator } from '../model.js'
import { MDP, ODRL } from '../model.js'
import { text } from '../words.js'
import { carried } from './carried.js'
import type { Operand } from './operand.js'

const ORDERED: readonly Operator[] = ['eq', 'neq', 'lt', 'lteq', 'gt', 'gteq']
const LIMITS: readonly Operator[] = ['lt', 'lteq']

export const windows: readonly Operand[] = [
  carried({
    iri: `${MDP}localTime`,
    aliases: ['mdp:localTime'],
    domain: { kind: 'time' },
    operators: ORDERED,
    enforcedBy: 'provider',
    phases: ['delivery'],
    classes: [10],
    label: text('Time of day', 'Uhrzeit'),
    temporal: true,
  }),
  carried({
    iri: `${MDP}dayOfWeek`,
    // The last three are how examples of the W3C community group write it.
    aliases: ['mdp:dayOfWeek', 'ex:dayOfWeek', 'https://ex.org/dayOfWeek', 'http://example.org/dayOfWeek'],
    domain: { kind: 'weekday' },
    operators: ['eq', 'neq', 'isAnyOf', 'isNoneOf'],
    enforcedBy: 'provider',
    phases: ['delivery'],
    classes: [10],
    label: text('Weekday', 'Wochentag'),
    temporal: true,
  }),
  carried({
    iri: `${MDP}timeZone`,
    aliases: ['mdp:timeZone'],
    domain: { kind: 'name' },
    operators: ['eq'],
    enforcedBy: 'provider',
    phases: ['delivery'],
    classes: [10],
    label: text('Time zone of these times', 'Zeitzone dieser Zeiten'),
  }),
  carried({
    iri: `${MDP}recordsPerDay`,
    aliases: ['mdp:recordsPerDay'],
    domain: { kind: 'integer', least: 0 },
    operators: LIMITS,
    enforcedBy: 'provider',
    phases: ['delivery'],
    classes: [12],
    label: text('Records per day', 'Einträge je Tag'),
  }),
  carried({
    iri: `${MDP}bytesPerDay`,
    aliases: ['mdp:bytesPerDay'],
    domain: { kind: 'integer', least: 0 },
    operators: LIMITS,
    enforcedBy: 'provider',
    phases: ['delivery'],
    classes: [12],
    label: text('Bytes per day', 'Bytes je Tag'),
  }),
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
