/** Ends and beginnings as other connectors write them: an instant, or a distance from the conclusion of the agreement. */
import type { EpochMs, Text } from '../../core/types.js'
import { addDuration, type Duration } from '../duration.js'
import { ODRL } from '../model.js'
import { durationWords, momentWords, nowWords, text } from '../words.js'
import { agreementAge } from './agreement-age.js'
import { type LookedAt, type Outcome, type OwnTerm, verdictOf } from './operand.js'

export const WHILE_USED: readonly LookedAt[] = ['transfer', 'delivery']
export const FROM_NEGOTIATION: readonly LookedAt[] = ['negotiation', ...WHILE_USED]

/** An instant, or a distance from the conclusion of the agreement. */
export type Moment = { readonly at: EpochMs } | { readonly after: Duration }

export const aged = (operator: string, rightOperand: string): OwnTerm => ({
  leftOperand: agreementAge.iri,
  operator,
  rightOperand,
})
export const dated = (operator: string, rightOperand: string): OwnTerm => ({
  leftOperand: `${ODRL}dateTime`,
  operator,
  rightOperand,
})

const resolved = (moment: Moment, agreedAt: EpochMs | undefined): EpochMs | undefined => {
  if ('at' in moment) return moment.at
  return agreedAt === undefined ? undefined : addDuration(agreedAt, moment.after)
}

const COMPARE: Readonly<Record<string, (now: number, bound: number) => boolean>> = {
  lt: (now, bound) => now < bound,
  lteq: (now, bound) => now <= bound,
  eq: (now, bound) => now < bound,
  gt: (now, bound) => now > bound,
  gteq: (now, bound) => now >= bound,
}
const isUpper = (operator: string): boolean => !operator.startsWith('g')

const momentText = (moment: Moment): Text => {
  if ('at' in moment) return momentWords(moment.at)
  const length = durationWords(moment.after)
  return text(`${length.en} after the conclusion of the contract`, `${length.de} nach Vertragsschluss`)
}

/** What a moment limits, as words. */
export type What = { readonly subject: Text; readonly object: Text }
export const USE: What = { subject: text('Use', 'Die Nutzung'), object: text('use', 'die Nutzung') }
export const PROVISION: What = {
  subject: text('Delivery', 'Die Lieferung'),
  object: text('delivery', 'die Lieferung'),
}

export const describeMoment =
  ({ subject: { en, de } }: What) =>
  (moment: Moment, operator: string): Text => {
    const words = momentText(moment)
    return isUpper(operator)
      ? text(`${en} is allowed until ${words.en}.`, `${de} ist erlaubt bis: ${words.de}.`)
      : text(`${en} is allowed from ${words.en}.`, `${de} ist erlaubt ab: ${words.de}.`)
  }

export const judgeMoment =
  ({ object: { en, de } }: What) =>
  (
    moment: Moment,
    operator: string,
    facts: { readonly at: EpochMs; readonly agreedAt?: EpochMs },
  ): Outcome => {
    const bound = resolved(moment, facts.agreedAt)
    if (bound === undefined) {
      return {
        verdict: 'unknown',
        text: () =>
          text(
            'The contract reckons time from its conclusion, but the time of its conclusion is not known.',
            'Der Vertrag rechnet ab Vertragsschluss, doch der Zeitpunkt des Vertragsschlusses ist nicht bekannt.',
          ),
      }
    }
    return {
      verdict: verdictOf(COMPARE[operator]?.(facts.at, bound) === true),
      text: () => {
        const [limit, now] = [momentWords(bound), nowWords(facts.at)]
        return isUpper(operator)
          ? text(
              `The contract allows ${en} until ${limit.en}; it is now ${now.en}.`,
              `Der Vertrag erlaubt ${de} bis zum ${limit.de}; jetzt ist der ${now.de}.`,
            )
          : text(
              `The contract allows ${en} from ${limit.en}; it is now ${now.en}.`,
              `Der Vertrag erlaubt ${de} ab dem ${limit.de}; jetzt ist der ${now.de}.`,
            )
      },
    }
  }

export function planOfMoment(moment: Moment, operator: string, agreedAt: EpochMs | undefined) {
  const bound = resolved(moment, agreedAt)
  if (bound === undefined) return {}
  const next = (bound + 1) as EpochMs
  if (isUpper(operator)) return { notAfter: operator === 'lteq' ? next : bound }
  return { notBefore: operator === 'gt' ? next : bound }
}
