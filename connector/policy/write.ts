/**
 * Writes the terms an operator chose as an ODRL policy that any DSP peer can carry: atomic constraints of one permission,
 * profile terms as absolute IRIs, values as strings.
 */
import { ok, problem, type Result } from '../core/result.js'
import type { EpochMs, JsonObject, Text } from '../core/types.js'
import { DAY_MS, instantText, parseDay, parseInstant } from './instant.js'
import type { AtomicConstraint, Operator } from './model.js'
import { MDP, PROFILE } from './model.js'
import { timeOfDay } from './operands/domain.js'
import { leftOperandIri, operandOf } from './registry.js'
import { shapeName } from './shape.js'
import { quoted, text } from './words.js'

/** What an operator may ask for; an absent term asks for nothing. */
export type Terms = {
  /** DIDs of the only participants that may receive. */
  readonly recipients?: readonly string[]
  /** First moment of use: a day such as `2027-01-01` (from its beginning in UTC) or a date and time with offset. */
  readonly from?: string
  /** End of use: a day such as `2026-12-31` (until its end in UTC) or a date and time with offset, itself excluded. */
  readonly until?: string
  /** ISO 8601 duration of use from the conclusion of the contract. */
  readonly agreementAge?: string
  /** Deliveries in total. */
  readonly count?: number | string
  /** Time of day of delivery, `06:00-22:00`; `22:00-06:00` goes over midnight. */
  readonly hours?: string
  /** Weekdays of delivery, from 1 (Monday) to 7, or their English names. */
  readonly weekdays?: readonly string[]
  /** Zone of hours, weekdays and days, such as `Europe/Berlin`; UTC when absent. */
  readonly timeZone?: string
  readonly recordsPerDay?: number | string
  readonly bytesPerDay?: number | string
  /** The only machines whose records are delivered. */
  readonly machines?: readonly string[]
  /** The only production lines whose records are delivered. */
  readonly lines?: readonly string[]
  /** The only lots whose records are delivered. */
  readonly lots?: readonly string[]
  /** The only states of the machine in which records are delivered. */
  readonly machineStates?: readonly string[]
  /** The only signals delivered, where each record carries the name of one. */
  readonly signalRows?: readonly string[]
  /** `agreement`: identifying names are replaced by pseudonyms that hold for one contract. */
  readonly pseudonym?: string
  /** The only signals delivered. */
  readonly fields?: readonly string[]
  /** Signals that are not delivered, while all others are. */
  readonly withoutFields?: readonly string[]
  /** ISO 8601 duration, the least distance between records. */
  readonly samplingInterval?: string
  /** ISO 8601 duration, the least length of the windows over which values are combined. */
  readonly aggregationWindow?: string
  /** What is delivered of a window: mean, min, max, sum, count. */
  readonly aggregation?: readonly string[]
  /** Machines that have to have contributed to each mean. */
  readonly minGroup?: number | string
  /** The only places whose records are delivered. */
  readonly places?: readonly string[]
  /** Least step to which numbers are rounded down. */
  readonly valueStep?: number | string
  /** SHA-256 of a shape document, or its whole name. */
  readonly shape?: string
  /** ISO 8601 duration, the least age of a record at delivery. */
  readonly deliveryDelay?: string
}

type TermRule = {
  /** As it is written to the wire. */
  readonly leftOperand: string
  readonly operator: Operator
  /** What the operator wrote in the form in which it travels; undefined when it has no such form. */
  readonly encode: (written: unknown) => string | readonly string[] | undefined
  readonly expected: Text
}

const single = (written: unknown): string | undefined =>
  typeof written === 'string' ? written.trim() : typeof written === 'number' ? String(written) : undefined

const several = (written: unknown): readonly string[] | undefined => {
  if (typeof written === 'string') return [written]
  const isList = Array.isArray(written) && written.every((item): item is string => typeof item === 'string')
  return isList ? written : undefined
}

const documentName = (written: unknown): string | undefined => {
  const value = single(written)
  return value !== undefined && /^[0-9a-f]{64}$/.test(value) ? shapeName(value) : value
}

/** A day stands for one of its two ends; anything else is left for the operand to judge. */
const moment =
  (dayOffset: number) =>
  (written: unknown): string | undefined => {
    const value = single(written)
    const at = value === undefined ? undefined : parseDay(value)
    if (at !== undefined) return instantText((at + dayOffset) as EpochMs)
    return value === undefined || parseInstant(value) === undefined ? undefined : value
  }

const HOURS = /^([0-2]\d:[0-5]\d(?::[0-5]\d)?)\s*[-–]\s*([0-2]\d:[0-5]\d(?::[0-5]\d)?)$/

/** From and until, the end excluded. What goes over midnight is an alternative: late in the one day, early in the next. */
function hourConstraints(written: unknown): readonly JsonObject[] | undefined {
  const [, from = '', to = ''] = HOURS.exec(typeof written === 'string' ? written.trim() : '') ?? []
  // Midnight as an end is the end of the day, which needs no condition.
  const [start, end] = [timeOfDay(from), timeOfDay(to === '24:00' ? '00:00' : to)]
  if (start === undefined || end === undefined || start === end) return undefined
  const leftOperand = `${MDP}localTime`
  const after = { leftOperand, operator: 'gteq', rightOperand: start }
  const before = { leftOperand, operator: 'lt', rightOperand: end }
  if (end === '00:00:00') return [after]
  if (start === '00:00:00') return [before]
  return start < end ? [after, before] : [{ or: [after, before] }]
}

const NOT_HOURS = text(
  'is not a time of day from and until, such as 06:00-22:00 or, over midnight, 22:00-06:00.',
  'ist keine Uhrzeit von und bis, etwa 06:00-22:00 oder über Mitternacht 22:00-06:00.',
)
const AMOUNT = {
  encode: single,
  expected: text('a whole number such as 1000', 'eine ganze Zahl, etwa 1000'),
} as const
const NAMES = { encode: several, expected: text('a list of names', 'eine Liste von Namen') } as const
const DURATION = {
  encode: single,
  expected: text('a duration such as PT10S', 'eine Dauer, etwa PT10S'),
} as const
const DATE = text(
  'a day such as 2026-12-31 or a date and time with offset such as 2026-12-31T18:00:00Z',
  'ein Tag, etwa 2026-12-31, oder Datum und Uhrzeit mit Zeitversatz, etwa 2026-12-31T18:00:00Z',
)

/** In the order in which the constraints are written. */
const TERM_RULES: Readonly<Record<Exclude<keyof Terms, 'hours'>, TermRule>> = {
  recipients: { leftOperand: 'odrl:recipient', operator: 'isAnyOf', ...NAMES },
  from: { leftOperand: 'odrl:dateTime', operator: 'gteq', encode: moment(0), expected: DATE },
  until: { leftOperand: 'odrl:dateTime', operator: 'lt', encode: moment(DAY_MS), expected: DATE },
  agreementAge: { leftOperand: `${MDP}agreementAge`, operator: 'lteq', ...DURATION },
  count: {
    leftOperand: 'odrl:count',
    operator: 'lteq',
    ...AMOUNT,
  },
  recordsPerDay: { leftOperand: `${MDP}recordsPerDay`, operator: 'lteq', ...AMOUNT },
  bytesPerDay: { leftOperand: `${MDP}bytesPerDay`, operator: 'lteq', ...AMOUNT },
  weekdays: { leftOperand: `${MDP}dayOfWeek`, operator: 'isAnyOf', ...NAMES },
  timeZone: {
    leftOperand: `${MDP}timeZone`,
    operator: 'eq',
    encode: single,
    expected: text('a time zone such as Europe/Berlin', 'eine Zeitzone, etwa Europe/Berlin'),
  },
  machines: { leftOperand: `${MDP}machineId`, operator: 'isAnyOf', ...NAMES },
  lines: { leftOperand: `${MDP}line`, operator: 'isAnyOf', ...NAMES },
  lots: { leftOperand: `${MDP}lot`, operator: 'isAnyOf', ...NAMES },
  machineStates: { leftOperand: `${MDP}machineState`, operator: 'isAnyOf', ...NAMES },
  signalRows: { leftOperand: `${MDP}signal`, operator: 'isAnyOf', ...NAMES },
  pseudonym: {
    leftOperand: `${MDP}pseudonym`,
    operator: 'eq',
    encode: single,
    expected: text('agreement', 'agreement'),
  },
  fields: { leftOperand: `${MDP}fields`, operator: 'isPartOf', ...NAMES },
  withoutFields: { leftOperand: `${MDP}fields`, operator: 'isNoneOf', ...NAMES },
  samplingInterval: { leftOperand: `${MDP}samplingInterval`, operator: 'gteq', ...DURATION },
  aggregationWindow: { leftOperand: `${MDP}aggregationWindow`, operator: 'gteq', ...DURATION },
  aggregation: { leftOperand: `${MDP}aggregation`, operator: 'isPartOf', ...NAMES },
  minGroup: { leftOperand: `${MDP}minGroup`, operator: 'gteq', ...AMOUNT },
  places: { leftOperand: `${MDP}sourceLocation`, operator: 'isPartOf', ...NAMES },
  valueStep: {
    leftOperand: `${MDP}valueStep`,
    operator: 'gteq',
    encode: single,
    expected: text('a step such as 0.5', 'eine Schrittweite, etwa 0.5'),
  },
  shape: {
    leftOperand: `${MDP}shape`,
    operator: 'eq',
    encode: documentName,
    expected: text(
      'the SHA-256 of a shape document, 64 hexadecimal digits',
      'der SHA-256 eines Aufbereitungsdokuments, 64 hexadezimale Ziffern',
    ),
  },
  deliveryDelay: { leftOperand: `${MDP}deliveryDelay`, operator: 'gteq', ...DURATION },
}

const KNOWN: readonly string[] = [...Object.keys(TERM_RULES), 'hours']

/** The policy part of an offer. `InvalidInput` names every wrong term at once. */
export function policyFromTerms(terms: Terms): Result<JsonObject> {
  const wrong: Text[] = []
  const constraints: JsonObject[] = []
  const written = new Map<string, unknown>(Object.entries(terms).filter(([, value]) => value !== undefined))
  for (const name of written.keys()) {
    if (!KNOWN.includes(name)) {
      const known = KNOWN.join(', ')
      const shown = quoted(name)
      wrong.push(
        text(
          `${shown.en} is not a term; known are ${known}.`,
          `${shown.de} ist keine Bedingung; bekannt sind ${known}.`,
        ),
      )
    }
  }
  for (const [name, rule] of Object.entries(TERM_RULES)) {
    if (!written.has(name)) continue
    const encoded = encodeTerm(rule, written.get(name))
    if ('why' in encoded) wrong.push(text(`${name}: ${encoded.why.en}`, `${name}: ${encoded.why.de}`))
    else constraints.push(encoded.constraint)
  }
  if (written.has('hours')) {
    const times = hourConstraints(written.get('hours'))
    const shown = quoted(String(terms.hours))
    if (times !== undefined) constraints.push(...times)
    else wrong.push(text(`hours: ${shown.en} ${NOT_HOURS.en}`, `hours: ${shown.de} ${NOT_HOURS.de}`))
  }
  if (wrong.length === 0) wrong.push(...orderOfDates(terms))
  if (wrong.length > 0) {
    const [en, de] = [wrong.map((one) => one.en).join(' '), wrong.map((one) => one.de).join(' ')]
    const said = text(`The terms are not valid. ${en}`, `Die Bedingungen sind nicht gültig. ${de}`)
    return problem('InvalidInput', said, wrong)
  }
  const permission = constraints.length === 0 ? { action: 'use' } : { action: 'use', constraint: constraints }
  return ok({ profile: PROFILE, permission: [permission] })
}

function encodeTerm(
  { leftOperand, operator, encode, expected }: TermRule,
  written: unknown,
): { readonly constraint: JsonObject } | { readonly why: Text } {
  const iri = leftOperandIri(leftOperand)
  const operand = operandOf(iri)
  if (operand === undefined) throw new TypeError(`${leftOperand} is not in the registry`)
  const encoded = encode(written)
  // JSON-LD reads a list of one and its value alike, and processors give back the value.
  const rightOperand = Array.isArray(encoded) && encoded.length === 1 ? encoded[0] : encoded
  if (rightOperand === undefined) {
    const value = typeof written === 'string' ? written : (JSON.stringify(written) ?? String(written))
    const shown = quoted(value)
    return {
      why: text(
        `The value ${shown.en} is not valid; expected is ${expected.en}.`,
        `Der Wert ${shown.de} ist nicht gültig; erwartet wird ${expected.de}.`,
      ),
    }
  }
  const constraint: AtomicConstraint = { kind: 'atomic', leftOperand: iri, operator, rightOperand, path: '' }
  const why = operand.wrong(constraint)
  return why === undefined ? { constraint: { leftOperand, operator, rightOperand } } : { why }
}

function orderOfDates({ from, until }: Terms): readonly Text[] {
  const [start, end] = [moment(0)(from), moment(DAY_MS)(until)].map((value) =>
    value === undefined ? undefined : parseInstant(value),
  )
  if (start === undefined || end === undefined || start < end) return []
  const [last, first] = [quoted(String(until)), quoted(String(from))]
  return [
    text(
      `until: The end ${last.en} is not after the beginning ${first.en}.`,
      `until: Das Ende ${last.de} liegt nicht nach dem Beginn ${first.de}.`,
    ),
  ]
}
