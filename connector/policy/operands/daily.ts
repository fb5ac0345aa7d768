/** Quotas of a calendar day: how many records, and how many bytes of them, are delivered on one day at most. */
import type { Text } from '../../core/types.js'
import { MDP } from '../model.js'
import { numberWords, text } from '../words.js'
import { plainDecimal } from './domain.js'
import { defineOperand, type Operand } from './operand.js'
import { madeTrue, shapingRule } from './shaping.js'
import { readOne } from './values.js'

function parseAmount(value: string): number | undefined {
  if (!/^\+?\d{1,30}$/.test(value)) return undefined
  const amount = Number(value)
  return Number.isSafeInteger(amount) ? amount : undefined
}

const limitOf = (amount: number, operator: string): number =>
  operator === 'lt' ? Math.max(0, amount - 1) : amount

type About = {
  readonly name: 'recordsPerDay' | 'bytesPerDay'
  readonly label: Text
  readonly unit: Text
  readonly clause: (limit: number) => Text
}

const ABOUT: readonly About[] = [
  {
    name: 'recordsPerDay',
    label: text('Records per day', 'Einträge je Tag'),
    unit: text('records, or requests for a file', 'Einträge oder, bei Dateien, Abrufe'),
    clause: (limit) => {
      const { en, de } = numberWords(limit)
      return text(
        `At most ${en} ${limit === 1 ? 'record is' : 'records are'} delivered on one calendar day; for files, requests are counted.`,
        `An einem Kalendertag ${limit === 1 ? 'wird' : 'werden'} höchstens ${de} ${limit === 1 ? 'Eintrag' : 'Einträge'} geliefert; bei Dateien zählen die Abrufe.`,
      )
    },
  },
  {
    name: 'bytesPerDay',
    label: text('Bytes per day', 'Bytes je Tag'),
    unit: text(
      'bytes of the records as lines of JSON, or of the file',
      'Bytes der Einträge als JSON-Zeilen oder der Datei',
    ),
    clause: (limit) => {
      const { en, de } = numberWords(limit)
      return text(
        `At most ${en} ${limit === 1 ? 'byte of data is' : 'bytes of data are'} delivered on one calendar day.`,
        `An einem Kalendertag ${limit === 1 ? 'wird' : 'werden'} höchstens ${de} ${limit === 1 ? 'Byte' : 'Bytes'} an Daten geliefert.`,
      )
    },
  },
]

export const daily: readonly Operand[] = ABOUT.map(({ name, label, unit, clause }) =>
  defineOperand<number>({
    iri: `${MDP}${name}`,
    aliases: [`mdp:${name}`],
    datatype: 'xsd:nonNegativeInteger',
    domain: { kind: 'integer', least: 0 },
    label,
    classes: [12],
    unit,
    operators: { lt: shapingRule('smaller'), lteq: shapingRule('smaller') },
    enforcedBy: 'provider',
    temporal: false,
    read: (values) =>
      readOne(values, parseAmount, text('a whole number such as 1000', 'eine ganze Zahl wie 1000')),
    evaluate: (amount, operator) => madeTrue(() => clause(limitOf(amount, operator))),
    describe: (amount, operator) => clause(limitOf(amount, operator)),
    contribute: (amount, operator) => ({ [name]: limitOf(amount, operator) }),
    normal: (value) => (parseAmount(value) === undefined ? value : (plainDecimal(value) ?? value)),
  }),
)
