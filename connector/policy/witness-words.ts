/**
 * How two policies lie to each other in words: what one allows more or less, and the use that shows it. A use is what a
 * comparison found, name by name; what has no words of its own is shown as it is.
 */
import type { Text } from '../core/types.js'
import type { Relation, Witness } from './analysis/relate.js'
import { parseDuration } from './duration.js'
import { parseTimestamp } from './instant.js'
import { ODRL, shortName } from './model.js'
import { durationWords, listWords, momentWords, quoted, text } from './words.js'

type Told = (value: string) => Text

const named =
  (en: string, de: string): Told =>
  (value) => {
    const shown = quoted(value)
    return text(`${en} ${shown.en}`, `${de} ${shown.de}`)
  }

const amount =
  (en: string, de: string): Told =>
  (value) =>
    text(`${value} ${en}`, `${value} ${de}`)

/** The words around a length of time; `…` stands for it. */
const lasting =
  (en: string, de: string): Told =>
  (value) => {
    const read = parseDuration(value)
    const shown = read === undefined ? quoted(value) : durationWords(read)
    return text(en.replace('…', shown.en), de.replace('…', shown.de))
  }

const moment: Told = (value) => {
  const at = parseTimestamp(value)
  const shown = at === undefined ? quoted(value) : momentWords(at)
  return text(`use at the moment ${shown.en}`, `Nutzung im Zeitpunkt ${shown.de}`)
}

const WEEKDAYS = [
  text('Monday', 'Montag'),
  text('Tuesday', 'Dienstag'),
  text('Wednesday', 'Mittwoch'),
  text('Thursday', 'Donnerstag'),
  text('Friday', 'Freitag'),
  text('Saturday', 'Samstag'),
  text('Sunday', 'Sonntag'),
]

const weekday: Told = (value) => {
  const day = WEEKDAYS[Number(value) - 1] ?? quoted(value)
  return text(`delivery on a ${day.en}`, `Lieferung am ${day.de}`)
}

const TOLD: Readonly<Record<string, Told>> = {
  count: (value) => text(`delivery number ${value}`, `Lieferung Nummer ${value}`),
  recordsPerDay: amount('records on one day', 'Einträge an einem Tag'),
  bytesPerDay: amount('bytes on one day', 'Byte an einem Tag'),
  dateTime: moment,
  agreementAge: lasting('use … after the conclusion of the contract', 'Nutzung … nach Vertragsschluss'),
  recipient: named('the recipient', 'der Empfänger'),
  fields: named('the signal', 'das Signal'),
  machineId: named('the machine', 'die Maschine'),
  line: named('the production line', 'die Linie'),
  machineState: named('the machine state', 'der Maschinenzustand'),
  signal: named('the signal', 'das Signal'),
  dayOfWeek: weekday,
  localTime: (value) => text(`delivery at ${value}`, `Lieferung um ${value} Uhr`),
  samplingInterval: lasting('a distance of … between records', 'Abstand der Einträge: …'),
  aggregationWindow: lasting('windows of … for combined values', 'Zeitfenster der Verdichtung: …'),
  aggregation: named('the kind of combined value', 'die Verdichtungsart'),
  valueStep: (value) => text(`values in steps of ${value}`, `Werte in Schritten von ${value}`),
  deliveryDelay: lasting('records that are … old', 'Alter der Einträge: …'),
}

/** What stands for everything that neither policy names. */
const REST: Readonly<Record<string, Text>> = {
  recipient: text('a recipient that is not named', 'ein Empfänger, der nicht genannt ist'),
  assignee: text('a partner that is not named', 'ein Partner, der nicht genannt ist'),
  fields: text('a signal that is not named', 'ein Signal, das nicht genannt ist'),
  machineId: text('a machine that is not named', 'eine Maschine, die nicht genannt ist'),
  line: text('a production line that is not named', 'eine Linie, die nicht genannt ist'),
  pseudonym: text('names that are not replaced by pseudonyms', 'Namen ohne Pseudonymisierung'),
  aggregation: text('values that are not combined', 'nicht verdichtete Werte'),
}

const isRest = (value: string): boolean => value === 'other' || value === 'any other'

function toldOf(name: string, value: string): Text {
  const duty = name.startsWith('duty ') ? quoted(shortName(name.slice(5))) : undefined
  if (duty !== undefined && value === 'not done') {
    return text(`the duty ${duty.en} is not fulfilled`, `die Pflicht ${duty.de} ist nicht erfüllt`)
  }
  if (isRest(value) && Object.hasOwn(REST, name)) return REST[name] ?? quoted(name)
  if (Object.hasOwn(TOLD, name) && !isRest(value)) return TOLD[name]?.(value) ?? quoted(value)
  const [shown, as] = [quoted(shortName(name)), quoted(shortName(value))]
  return text(`${shown.en} is ${as.en}`, `${shown.de} ist ${as.de}`)
}

/** The use in words; undefined when there is nothing to say beyond that it is a use. */
export function witnessWords(witness: Witness | undefined): Text | undefined {
  const told = Object.entries(witness ?? {})
    .filter(([name, value]) => name !== 'action' || value !== `${ODRL}use`)
    .map(([name, value]) => toldOf(name, value))
  if (told.length === 0) return undefined
  return text(listWords(told.map(({ en }) => en)).en, listWords(told.map(({ de }) => de)).de)
}

/** Stand behind a subject of the plural, with the other side of the comparison put for `…`. */
const RELATIONS: Readonly<Record<Relation, Text>> = {
  equal: text('allow the same as …', 'erlauben dasselbe wie …'),
  stricter: text('are stricter: they allow less than …', 'sind strenger: Sie erlauben weniger als …'),
  looser: text('allow more than …', 'erlauben mehr als …'),
  disjoint: text('allow nothing that is allowed by …', 'erlauben nichts von dem, was erlaubt ist nach: …'),
  conflicting: text(
    'are in conflict: one side prohibits what the other allows, compared with …',
    'stehen in Widerspruch: Eine Seite verbietet, was die andere erlaubt, verglichen mit: …',
  ),
  incomparable: text(
    'allow some things more and some things less than …',
    'erlauben manches mehr und manches weniger als …',
  ),
  unknown: text(
    'cannot be compared with certainty: it is unknown whether they allow more or less than …',
    'lassen sich nicht sicher vergleichen: Unbekannt ist, ob sie mehr oder weniger erlauben als …',
  ),
}

export function relationWords(
  relation: Relation,
  subject: Text,
  other: Text,
  witness: Witness | undefined,
): Text {
  const said = RELATIONS[relation]
  const shown = relation === 'equal' ? undefined : witnessWords(witness)
  const example = EXAMPLES[relation] ?? EXAMPLES.looser
  const tail =
    shown === undefined || example === undefined
      ? text('', '')
      : text(` ${example.en}: ${shown.en}.`, ` ${example.de}: ${shown.de}.`)
  return text(
    `${subject.en} ${said.en.replace('…', other.en)}.${tail.en}`,
    `${subject.de} ${said.de.replace('…', other.de)}.${tail.de}`,
  )
}

/** What the shown use is an example of: for `stricter` it is what falls away, else what one of the two alone allows. */
const EXAMPLES: Partial<Readonly<Record<Relation, Text>>> = {
  stricter: text('No longer allowed, for example', 'Nicht mehr erlaubt ist zum Beispiel'),
  looser: text('Allowed in addition, for example', 'Zusätzlich erlaubt ist zum Beispiel'),
  incomparable: text('Allowed in addition, for example', 'Zusätzlich erlaubt ist zum Beispiel'),
  disjoint: text('Allowed by one side only, for example', 'Nur nach einer Seite erlaubt ist zum Beispiel'),
  conflicting: text('In conflict, for example', 'Strittig ist zum Beispiel'),
}
