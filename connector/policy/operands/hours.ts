/** Recurring windows: time of day and weekday, by the clock of a named zone, UTC where none is named. */
import type { Text } from '../../core/types.js'
import { hoursFor, msOfDay } from '../hours.js'
import { MDP } from '../model.js'
import { listWords, text } from '../words.js'
import { findZone } from '../zone.js'
import { timeOfDay, weekdayOf } from './domain.js'
import { defineOperand, type Operand, type Reading } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { readOne } from './values.js'

const shown = (time: string): Text => {
  const exact = time.replace(/^(\d\d:\d\d):00$/, '$1')
  return text(exact, `${exact.replace('.', ',')} Uhr`)
}

const TIME_WORDS: Readonly<Record<string, readonly [en: string, de: string]>> = {
  lt: ['before', 'vor'],
  lteq: ['up to', 'bis einschließlich'],
  gt: ['after', 'nach'],
  gteq: ['from', 'ab'],
  eq: ['at', 'um'],
  neq: ['at any time but', 'außer um'],
}

const atTimes = (time: string, operator: string): Text => {
  const [en, de] = TIME_WORDS[operator] ?? ['', '']
  const { en: when, de: wann } = shown(time)
  return text(
    `The time of day at which data is delivered: ${en} ${when}.`,
    `Uhrzeit, zu der geliefert wird: ${de} ${wann}.`,
  )
}

export const localTime = defineOperand<string>({
  iri: `${MDP}localTime`,
  aliases: ['mdp:localTime'],
  datatype: 'xsd:time',
  domain: { kind: 'time' },
  label: text('Time of day', 'Uhrzeit'),
  classes: [10],
  operators: {
    eq: shapingRule('subset'),
    neq: shapingRule('superset'),
    lt: shapingRule('smaller'),
    lteq: shapingRule('smaller'),
    gt: shapingRule('larger'),
    gteq: shapingRule('larger'),
  },
  enforcedBy: 'provider',
  temporal: true,
  read: (values) =>
    readOne(values, timeOfDay, text('a time of day such as 06:00:00', 'eine Uhrzeit wie 06:00:00')),
  evaluate: (time, operator) => madeTrue(() => atTimes(time, operator)),
  describe: atTimes,
  contribute: (time, operator) => ({ hours: hoursFor(operator, msOfDay(time)) }),
  normal: (value) => timeOfDay(value) ?? value,
})

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
const DAY_NAMES: readonly Text[] = [
  text('Monday', 'Montag'),
  text('Tuesday', 'Dienstag'),
  text('Wednesday', 'Mittwoch'),
  text('Thursday', 'Donnerstag'),
  text('Friday', 'Freitag'),
  text('Saturday', 'Samstag'),
  text('Sunday', 'Sonntag'),
]

function readDays(values: readonly string[], operator: string): Reading<readonly number[]> {
  const expected = text('a weekday from 1 (Monday) to 7', 'ein Wochentag von 1 (Montag) bis 7')
  const single = operator === 'eq' || operator === 'neq'
  if (single || values.length === 0) {
    const one = readOne(values, weekdayOf, expected)
    return 'value' in one ? { value: [one.value] } : one
  }
  const days = new Set<number>()
  for (const value of values) {
    const one = readOne([value], weekdayOf, expected)
    if ('wrong' in one) return one
    days.add(one.value)
  }
  return { value: [...days].sort() }
}

const allowedDays = (days: readonly number[], operator: string): readonly number[] =>
  operator === 'eq' || operator === 'isAnyOf' ? days : EVERY_DAY.filter((day) => !days.includes(day))

const onDays = (days: readonly number[], operator: string): Text => {
  const named = allowedDays(days, operator).flatMap((day) => DAY_NAMES[day - 1] ?? [])
  const [en, de] = [listWords(named.map((day) => day.en)).en, listWords(named.map((day) => day.de)).de]
  return named.length === 0
    ? text(
        'No weekday is left on which data is delivered.',
        'Es bleibt kein Wochentag, an dem geliefert wird.',
      )
    : text(`Data is delivered on ${en} only.`, `Geliefert wird nur am ${de}.`)
}

const dayOfWeek = defineOperand<readonly number[]>({
  iri: `${MDP}dayOfWeek`,
  // The last three are how examples of the W3C community group write it.
  aliases: ['mdp:dayOfWeek', 'ex:dayOfWeek', 'https://ex.org/dayOfWeek', 'http://example.org/dayOfWeek'],
  datatype: 'weekday',
  domain: { kind: 'weekday' },
  label: text('Weekday', 'Wochentag'),
  classes: [10],
  operators: {
    eq: shapingRule('subset'),
    neq: shapingRule('superset'),
    isAnyOf: shapingRule('subset'),
    isNoneOf: shapingRule('superset'),
  },
  enforcedBy: 'provider',
  temporal: true,
  read: readDays,
  evaluate: (days, operator) => madeTrue(() => onDays(days, operator)),
  describe: onDays,
  contribute: (days, operator) => ({ weekdays: allowedDays(days, operator) }),
  normal: (value) => String(weekdayOf(value) ?? value),
})

const inZone = (zone: string): Text =>
  text(
    `Times of day, weekdays and days of quotas are those of the time zone ${zone}.`,
    `Uhrzeiten, Wochentage und Tage von Kontingenten gelten in der Zeitzone ${zone}.`,
  )

const timeZone = defineOperand<string>({
  iri: `${MDP}timeZone`,
  aliases: ['mdp:timeZone'],
  datatype: 'name',
  domain: { kind: 'name' },
  label: text('Time zone of these times', 'Zeitzone dieser Zeiten'),
  classes: [10],
  operators: { eq: shapingRule('subset') },
  enforcedBy: 'provider',
  temporal: false,
  read: (values) =>
    readOne(
      values,
      (value) => findZone(value)?.name,
      text('the name of a time zone such as Europe/Berlin', 'der Name einer Zeitzone wie Europe/Berlin'),
    ),
  evaluate: (zone) => madeTrue(() => inZone(zone)),
  describe: inZone,
  contribute: (zone) => ({ timeZones: [zone] }),
  normal: (value) => value.normalize('NFC'),
})

export const hours: readonly Operand[] = [localTime, dayOfWeek, timeZone]
