/** Reads what an operator gave for the parameters of a template. Every mistake is a sentence that names the parameter. */
import type { EpochMs, Text } from '../../core/types.js'
import { addDuration, type Duration, parseDuration } from '../duration.js'
import { parseDay } from '../instant.js'
import { plainDecimal, timeOfDay, weekdayOf } from '../operands/domain.js'
import { hashInName, shapeName } from '../shape.js'
import { durationWords, quoted, text } from '../words.js'
import type { Parameter, ParameterType } from './template.js'

/** The value of a parameter as it travels; undefined for an optional one without a value. */
export type ParameterValue = string | readonly string[] | undefined

type Read = { readonly value: ParameterValue } | { readonly wrong: Text }

const SHORT_DURATION = /^(\d{1,9})([smhdw])$/
const LONG: Readonly<Record<string, string>> = { s: 'PT#S', m: 'PT#M', h: 'PT#H', d: 'P#D', w: 'P#W' }

/** `90d` and `10s` are how people write P90D and PT10S. */
function durationText(written: string): string | undefined {
  const [, amount = '', unit = ''] = SHORT_DURATION.exec(written) ?? []
  const iso = LONG[unit]?.replace('#', String(Number(amount))) ?? written
  return parseDuration(iso) === undefined ? undefined : iso
}

const isName = (value: string): boolean => value.trim() !== '' && value.length <= 256 && value.isWellFormed()
const name = (value: string): string | undefined => (isName(value) ? value.normalize('NFC') : undefined)
const DID = /^did:[a-z0-9]+:[A-Za-z0-9._:%-]{1,512}$/

type Reader = readonly [read: (value: string) => string | undefined, expected: Text]

const READERS: Readonly<Record<ParameterType, Reader>> = {
  participants: [
    (value) => (DID.test(value) ? value : undefined),
    text('the DID of a participant', 'die DID eines Teilnehmers'),
  ],
  names: [name, text('a name', 'ein Name')],
  name: [name, text('a name', 'ein Name')],
  duration: [durationText, text('a duration such as 90d or PT10S', 'eine Dauer wie 90d oder PT10S')],
  integer: [
    (value) => (/^\d{1,15}$/.test(value) ? String(Number(value)) : undefined),
    text('a whole number', 'eine ganze Zahl'),
  ],
  decimal: [plainDecimal, text('a number such as 0.5', 'eine Zahl wie 0.5')],
  day: [
    (value) => (parseDay(value) === undefined ? undefined : value),
    text('a day such as 2027-12-31', 'ein Tag wie 2027-12-31'),
  ],
  time: [timeOfDay, text('a time of day such as 06:00', 'eine Uhrzeit wie 06:00')],
  weekdays: [
    (value) => {
      const day = weekdayOf(value)
      return day === undefined ? undefined : String(day)
    },
    text('a weekday from 1 (Monday) to 7', 'ein Wochentag von 1 (Montag) bis 7'),
  ],
  choice: [name, text('one of the choices', 'eine der Möglichkeiten')],
  shape: [
    (value) => [value, shapeName(value)].find((written) => hashInName(written) !== undefined),
    text(
      'the SHA-256 of a shape document, 64 hexadecimal digits',
      'der SHA-256 eines Aufbereitungsdokuments, 64 Hexadezimalziffern',
    ),
  ],
}

const IS_LIST: ReadonlySet<ParameterType> = new Set(['participants', 'names', 'weekdays'])
const NONE = 'none'
const isText = (item: unknown): item is string => typeof item === 'string'

/** Texts as given; a list may be written with commas. Undefined for anything else. */
function textsOf({ type }: Parameter, given: unknown): readonly string[] | undefined {
  if (typeof given === 'number') return [String(given)]
  if (Array.isArray(given)) return IS_LIST.has(type) && given.every(isText) ? given : undefined
  if (!isText(given)) return undefined
  const parts = IS_LIST.has(type) ? given.split(',') : [given]
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

/** The value of one parameter. `given` is undefined when the operator said nothing. */
export function readParameter(parameter: Parameter, given: unknown): Read {
  const chosen = given === undefined ? parameter.default : given
  if (chosen === undefined) {
    return parameter.optional === true ? { value: undefined } : { wrong: missing(parameter) }
  }
  const texts = textsOf(parameter, chosen)
  if (texts === undefined) return refused(parameter, chosen)
  if (parameter.none === true && (texts.length === 0 || (texts.length === 1 && texts[0] === NONE))) {
    return { value: [] }
  }
  if (texts.length === 0) return { wrong: missing(parameter) }
  const values: string[] = []
  for (const written of texts) {
    const value = READERS[parameter.type][0](chosenBy(parameter, written))
    if (value === undefined) return refused(parameter, written)
    const outside = outOfBounds(parameter, value)
    if (outside !== undefined) return { wrong: outside }
    values.push(value)
  }
  return { value: IS_LIST.has(parameter.type) ? [...new Set(values)] : values[0] }
}

/** A choice may be named by the last part of its address: `Maintenance`. */
const chosenBy = ({ choices }: Parameter, written: string): string =>
  choices?.find(({ value }) => value.endsWith(`#${written}`))?.value ?? written

/** What is typed for a choice. */
export const shortChoice = (value: string): string => value.replace(/^.*#/, '')

function missing({ name, title, type, choices, none }: Parameter): Text {
  const expected = READERS[type][1]
  const list = choices?.map(({ value }) => shortChoice(value)).join(', ')
  const [en, de] = list === undefined ? [expected.en, expected.de] : [list, list]
  return text(
    `${name}: choose a value (${title.en}); expected is ${en}${none === true ? ', or none' : ''}.`,
    `${name}: Wählen Sie einen Wert (${title.de}); erwartet wird ${de}${none === true ? ' oder none' : ''}.`,
  )
}

function refused({ name, type }: Parameter, given: unknown): Read {
  const written = quoted(isText(given) ? given : (JSON.stringify(given) ?? String(given)))
  const expected = READERS[type][1]
  return {
    wrong: text(
      `${name}: the value ${written.en} is not valid; expected is ${expected.en}.`,
      `${name}: Der Wert ${written.de} ist ungültig; erwartet wird ${expected.de}.`,
    ),
  }
}

/** Durations with months are compared by the calendar from a fixed day on. */
const ORIGIN = Date.UTC(2024, 0, 1) as EpochMs
const lengthOf = (duration: Duration): number => addDuration(ORIGIN, duration) - ORIGIN
const amountOf = (type: ParameterType, value: string): number => {
  const duration = type === 'duration' ? parseDuration(value) : undefined
  return duration === undefined ? Number(value) : lengthOf(duration)
}

function boundWords(type: ParameterType, bound: string): Text {
  const duration = type === 'duration' ? parseDuration(bound) : undefined
  return duration === undefined ? text(bound, bound.replace('.', ',')) : durationWords(duration)
}

function outOfBounds(parameter: Parameter, value: string): Text | undefined {
  const { name, type, least, most, choices } = parameter
  if (choices !== undefined && !choices.some((choice) => choice.value === value)) {
    const list = choices.map((choice) => shortChoice(choice.value)).join(', ')
    return text(
      `${name}: ${quoted(value).en} is not a choice; choose from: ${list}.`,
      `${name}: ${quoted(value).de} steht nicht zur Wahl; möglich sind: ${list}.`,
    )
  }
  if (least !== undefined && amountOf(type, value) < amountOf(type, least)) {
    const bound = boundWords(type, least)
    return text(`${name}: the least value is ${bound.en}.`, `${name}: Der kleinste Wert ist ${bound.de}.`)
  }
  if (most !== undefined && amountOf(type, value) > amountOf(type, most)) {
    const bound = boundWords(type, most)
    return text(`${name}: the largest value is ${bound.en}.`, `${name}: Der größte Wert ist ${bound.de}.`)
  }
  return undefined
}
