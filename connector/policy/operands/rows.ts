/**
 * Row filters: which records are delivered at all, by machine, line, state of the machine, or signal where each row
 * carries one. A record without the value is not delivered, whichever way the condition is put.
 */
import type { Text } from '../../core/types.js'
import { conceptWords } from '../concept-words.js'
import { MDP } from '../model.js'
import type { RowKey } from '../plan.js'
import { quoted, text } from '../words.js'
import { defineOperand, type Operand, type Reading } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { readNames } from './values.js'

type About = {
  readonly key: RowKey
  readonly classes: readonly number[]
  readonly label: Text
  readonly of: Text
  readonly place?: true
}

const ROWS: readonly About[] = [
  {
    key: 'machineId',
    classes: [14],
    label: text('Machines', 'Maschinen'),
    of: text('of the machine', 'der Maschine'),
  },
  {
    key: 'line',
    classes: [14],
    label: text('Production lines', 'Fertigungslinien'),
    of: text('of the production line', 'der Fertigungslinie'),
  },
  {
    key: 'lot',
    classes: [14],
    label: text('Lots', 'Lose'),
    of: text('of the lot', 'des Loses'),
  },
  {
    key: 'machineState',
    classes: [13],
    label: text('State of the machine', 'Zustand der Maschine'),
    of: text('in the machine state', 'im Maschinenzustand'),
  },
  {
    key: 'signal',
    classes: [14],
    label: text('Signals as rows', 'Signale als Zeilen'),
    of: text('of the signal', 'des Signals'),
  },
  {
    key: 'sourceLocation',
    classes: [14],
    label: text('Place of the machine', 'Standort der Maschine'),
    of: text('from the place', 'vom Standort'),
    place: true,
  },
]

/** A place is known by its name alone, so nothing is let in but itself, and what lies inside it cannot be left out. */
const PLACES = {
  eq: shapingRule('subset'),
  isAnyOf: shapingRule('subset'),
  isNoneOf: shapingRule('superset'),
  isPartOf: shapingRule('subset'),
} as const
const NAMES = {
  eq: shapingRule('subset'),
  isAnyOf: shapingRule('subset'),
  isNoneOf: shapingRule('superset'),
} as const

/** "a", "b" or "c" */
function either(names: readonly string[], place: boolean): Text {
  const each = names.map((name) => (place ? conceptWords('place', name) : undefined) ?? quoted(name))
  const last = each.at(-1) ?? text('', '')
  const head = each.slice(0, -1)
  if (head.length === 0) return last
  return text(
    `${head.map(({ en }) => en).join(', ')} or ${last.en}`,
    `${head.map(({ de }) => de).join(', ')} oder ${last.de}`,
  )
}

function clause({ of, place }: About, names: readonly string[], operator: string): Text {
  const list = either(names, place === true)
  return operator === 'isNoneOf'
    ? text(
        `Records ${of.en} ${list.en} are not delivered, nor records that do not say.`,
        `Einträge ${of.de} ${list.de} werden nicht geliefert, ebenso wenig Einträge ohne diese Angabe.`,
      )
    : text(
        `Only records ${of.en} ${list.en} are delivered.`,
        `Geliefert werden nur Einträge ${of.de} ${list.de}.`,
      )
}

const wrong = (en: string, de: string): { readonly wrong: Text } => ({ wrong: text(en, de) })

function read(values: readonly string[], operator: string): Reading<readonly string[]> {
  if (operator !== 'eq' || values.length === 1) return readNames(values)
  return wrong('The condition needs exactly one value.', 'Die Bedingung braucht genau einen Wert.')
}

const readPlaces = (values: readonly string[], operator: string): Reading<readonly string[]> =>
  operator === 'isNoneOf'
    ? wrong(
        'A place cannot be left out, because what lies inside it is not known here; name the places that are delivered.',
        'Ein Standort lässt sich nicht ausnehmen, weil hier nicht bekannt ist, was in ihm liegt; nennen Sie die gelieferten Standorte.',
      )
    : read(values, operator)

export const rows: readonly Operand[] = ROWS.map((about) =>
  defineOperand<readonly string[]>({
    iri: `${MDP}${about.key}`,
    aliases: [`mdp:${about.key}`],
    datatype: about.place === true ? 'concept' : 'name',
    domain: about.place === true ? { kind: 'tree', tree: 'place' } : { kind: 'name' },
    label: about.label,
    classes: about.classes,
    operators: about.place === true ? PLACES : NAMES,
    enforcedBy: 'provider',
    temporal: false,
    read: about.place === true ? readPlaces : read,
    evaluate: (names, operator) => madeTrue(() => clause(about, names, operator)),
    describe: (names, operator) => clause(about, names, operator),
    contribute: (names, operator) => ({
      rows: { [about.key]: operator === 'isNoneOf' ? { except: names } : { only: names } },
    }),
    normal: (value) => value.normalize('NFC'),
  }),
)
