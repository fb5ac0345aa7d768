/** How contracts, signatures and processes read in a terminal. */
import { reasonIn } from '../../core/operator-reasons.js'
import type { Lang, Text } from '../../core/types.js'
import type { View } from './view.js'
import { whenWords } from './when.js'

/** Numbered clauses, each with who enforces it. */
export function clauseWords(clauses: readonly View[], lang: Lang): string {
  return clauses
    .map((clause) => {
      const number = `${clause.text('number')}.`.padStart(3)
      return `${number} ${clause.said('text', lang)}\n    (${clause.said('enforcement', lang)})`
    })
    .join('\n')
}

/** The clauses, and below them what is not enforced by the provider alone. */
export function termsWords(terms: View, lang: Lang): string {
  const tier = terms.view('tier')
  const clauses = clauseWords(terms.views('clauses'), lang)
  return (tier.number('number') ?? 1) > 1 ? `${clauses}\n${tier.said('text', lang)}` : clauses
}

const AS: Readonly<Record<string, Text>> = {
  provider: { en: 'provider', de: 'Anbieter' },
  consumer: { en: 'consumer', de: 'Empfänger' },
  receipt: { en: 'receipt of the provider', de: 'Quittung des Anbieters' },
}

const VERDICT: Readonly<Record<string, Text>> = {
  valid: { en: 'valid signature', de: 'Signatur gültig' },
  missing: { en: 'not signed', de: 'nicht signiert' },
  invalid: { en: 'INVALID SIGNATURE', de: 'SIGNATUR UNGÜLTIG' },
}

const word = (table: Readonly<Record<string, Text>>, key: string, lang: Lang): string =>
  Object.hasOwn(table, key) ? (table[key]?.[lang] ?? key) : key

/** One line per signature: who, in which part, and whether it holds. */
export const signatureWords = (signatures: readonly View[], lang: Lang): string =>
  signatures
    .map((signature) => {
      const problem = signature.maybe('problem')
      const verdict = word(VERDICT, signature.text('verdict'), lang)
      return `  ${word(AS, signature.text('as'), lang)} ${signature.text('by')}: ${verdict}${problem === undefined ? '' : ` (${problem})`}`
    })
    .join('\n')

const SIGNED: Readonly<Record<string, Text>> = {
  both: { en: 'by both', de: 'von beiden' },
  us: { en: 'by us only', de: 'nur von uns' },
  partner: { en: 'by the partner only', de: 'nur vom Partner' },
  none: { en: 'by nobody', de: 'von niemandem' },
}
export const signedWords = (signed: string, lang: Lang): string => word(SIGNED, signed, lang)

const STATUS: Readonly<Record<string, Text>> = {
  pending: { en: 'being negotiated', de: 'in Verhandlung' },
  active: { en: 'in force', de: 'gültig' },
  revoked: { en: 'revoked', de: 'widerrufen' },
  expired: { en: 'expired', de: 'abgelaufen' },
}
export const statusWords = (status: string, lang: Lang): string => word(STATUS, status, lang)

const ROLE: Readonly<Record<string, Text>> = {
  provider: { en: 'we provide', de: 'wir liefern' },
  consumer: { en: 'we receive', de: 'wir beziehen' },
}
export const roleWords = (role: string, lang: Lang): string => word(ROLE, role, lang)

const SIDE: Readonly<Record<string, Text>> = {
  us: { en: 'by us', de: 'von uns' },
  partner: { en: 'by the partner', de: 'vom Partner' },
}
export const sideWords = (side: string, lang: Lang): string => word(SIDE, side, lang)

/** What is still on its way to the partner, and why it did not arrive. */
export function owedWords(owed: readonly View[], lang: Lang): string {
  return owed
    .map((message) => {
      const since = whenWords(message.text('since'), lang)
      const attempts = message.number('attempts') ?? 0
      const lastError = message.maybe('lastError')
      const again = message.maybe('nextAttemptAt')
      const en = [
        `Not delivered yet: "${message.text('event')}", since ${since}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}.`,
        ...(lastError === undefined ? [] : [`Last error: ${lastError}`]),
        ...(again === undefined ? [] : [`Next attempt: ${whenWords(again, lang)}`]),
      ]
      const de = [
        `Noch nicht zugestellt: „${message.text('event')}“, seit ${since}, ${attempts} ${attempts === 1 ? 'Versuch' : 'Versuche'}.`,
        ...(lastError === undefined ? [] : [`Letzter Fehler: ${lastError}`]),
        ...(again === undefined ? [] : [`Nächster Versuch: ${whenWords(again, lang)}`]),
      ]
      return (lang === 'de' ? de : en).join('\n  ')
    })
    .join('\n')
}

/** "because ..." of an end: the reason in its own words, and whose it was. */
export function endWords(process: View, lang: Lang): string {
  const reason = process.maybe('reason')
  const side = process.maybe('endedBy')
  const by = side === undefined ? '' : ` ${sideWords(side, lang)}`
  return `${by}${reason === undefined ? '' : `: ${reasonIn(reason, lang)}`}`
}

/** What happened so far, oldest first; `<-` came in, `->` went out, `--` was decided here. */
export function timelineWords(timeline: readonly View[], lang: Lang): string {
  const arrow: Readonly<Record<string, string>> = { in: '<-', out: '->' }
  return timeline
    .map((entry) => {
      const sentence = entry.has('words') ? entry.said('words', lang) : bareWords(entry)
      return `  ${whenWords(entry.text('at'), lang)}  ${arrow[entry.text('direction')] ?? '--'} ${sentence}`
    })
    .join('\n')
}

function bareWords(entry: View): string {
  const reason = entry.view('detail').maybe('reason') ?? entry.maybe('reason')
  return reason === undefined ? entry.text('event') : `${entry.text('event')}: ${reason}`
}
