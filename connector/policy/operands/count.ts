/** `odrl:count`: how often the data is used (ODRL Vocabulary & Expression 2.2, left operand "count"): deliveries in total. */
import { ODRL, type Phase } from '../model.js'
import { numberWords, text } from '../words.js'
import { defineOperand, verdictOf } from './operand.js'
import { readOne } from './values.js'

const WHILE_USED: readonly Phase[] = ['transfer', 'delivery']

function parseCount(value: string): number | undefined {
  if (!/^\+?\d{1,30}$/.test(value)) return undefined
  const count = Number(value)
  return Number.isSafeInteger(count) ? count : undefined
}

/** Deliveries that may be made in total. */
const limitOf = (count: number, operator: string): number =>
  operator === 'lt' ? Math.max(0, count - 1) : count

export const count = defineOperand<number>({
  iri: `${ODRL}count`,
  aliases: ['count', 'odrl:count'],
  datatype: 'xsd:nonNegativeInteger',
  domain: { kind: 'integer', least: 0 },
  label: text('Number of deliveries', 'Zahl der Lieferungen'),
  classes: [11],
  unit: text('records, or requests for a file', 'Einträge oder, bei Dateien, Abrufe'),
  operators: {
    lt: { stricter: 'smaller', phases: WHILE_USED },
    lteq: { stricter: 'smaller', phases: WHILE_USED },
  },
  enforcedBy: 'provider',
  temporal: false,
  read: (values) =>
    readOne(values, parseCount, text('a whole number such as 1000', 'eine ganze Zahl wie 1000')),
  // The use being judged is the next one, so it must still fit.
  evaluate: (value, operator, { counted }) => {
    const limit = limitOf(value, operator)
    if (counted === undefined) {
      return {
        verdict: 'unknown',
        text: () =>
          text(
            'The contract limits the number of deliveries, but how many were made is not known.',
            'Der Vertrag begrenzt die Zahl der Lieferungen, doch wie viele erfolgt sind, ist nicht bekannt.',
          ),
      }
    }
    return {
      verdict: verdictOf(counted < limit),
      text: () => {
        const [allowed, made] = [numberWords(limit), numberWords(counted)]
        return text(
          `The contract allows ${allowed.en} ${limit === 1 ? 'delivery' : 'deliveries'} in total, ${made.en} ${counted === 1 ? 'has' : 'have'} been made.`,
          `Der Vertrag erlaubt insgesamt ${allowed.de} ${limit === 1 ? 'Lieferung' : 'Lieferungen'}, ${made.de} ${counted === 1 ? 'ist' : 'sind'} bereits erfolgt.`,
        )
      },
    }
  },
  describe: (value, operator) => {
    const limit = limitOf(value, operator)
    const allowed = numberWords(limit)
    return text(
      `At most ${allowed.en} ${limit === 1 ? 'record is' : 'records are'} delivered in total; for files, requests are counted.`,
      `Insgesamt ${limit === 1 ? 'wird' : 'werden'} höchstens ${allowed.de} ${limit === 1 ? 'Eintrag' : 'Einträge'} geliefert; bei Dateien zählen die Abrufe.`,
    )
  },
  contribute: (value, operator) => ({ countLimit: limitOf(value, operator) }),
  normal: (value) => String(parseCount(value) ?? value),
})
