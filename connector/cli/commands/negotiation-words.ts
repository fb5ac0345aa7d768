/** A negotiation in words: the terms on the table, what happened, for whom it waits, and what can be decided. */
import { say } from '../command.js'
import { renderPairs } from '../table.js'
import { type Here, inLang, next, quoted } from './connected.js'
import { shortId } from './ids.js'
import type { View } from './view.js'
import { waitingWords } from './waiting-words.js'
import { whenWords } from './when.js'
import { endWords, owedWords, roleWords, termsWords, timelineWords } from './words.js'

/** Enough of the hash of the terms to name them. */
const SHORT_HASH = 12

export const termsId = (negotiation: View): string => negotiation.text('offerHash').slice(0, SHORT_HASH)

export function showNegotiation(here: Here, negotiation: View): void {
  const { lang } = here
  const pairs: readonly (readonly [string, string])[] = [
    ['ID', negotiation.text('pid')],
    [
      inLang(here, 'State', 'Zustand'),
      negotiation.text('state') + (negotiation.has('reason') ? endWords(negotiation, lang) : ''),
    ],
    [inLang(here, 'Waits for', 'Wartet auf'), waitingWords(negotiation, lang)],
    [inLang(here, 'Role', 'Rolle'), roleWords(negotiation.text('role'), lang)],
    ['Partner', negotiation.text('partner')],
    [inLang(here, 'Dataset', 'Datensatz'), negotiation.text('dataset')],
    [inLang(here, 'Offer', 'Angebot'), negotiation.text('offer')],
    [inLang(here, 'Contract', 'Vertrag'), negotiation.text('contract')],
    [inLang(here, 'Begun', 'Begonnen'), whenWords(negotiation.text('createdAt'), lang)],
    [inLang(here, 'Last change', 'Zuletzt'), whenWords(negotiation.text('updatedAt'), lang)],
  ]
  say(here, renderPairs(pairs.filter(([, value]) => value !== '')))
  showTerms(here, negotiation)
  const timeline = negotiation.views('timeline')
  if (timeline.length > 0)
    say(here, `\n${inLang(here, 'What happened', 'Verlauf')}:\n${timelineWords(timeline, lang)}`)
  const owed = negotiation.views('owed')
  if (owed.length > 0) say(here, `\n${owedWords(owed, lang)}`)
}

/** The terms on the table, what the partner changed in them, and whether they could be kept here. */
export function showTerms(here: Here, negotiation: View): void {
  const terms = negotiation.view('terms')
  const clauses = terms.views('clauses')
  if (clauses.length > 0) {
    const id = termsId(negotiation)
    say(here, `\n${inLang(here, `Terms ${id}`, `Bedingungen ${id}`)}:\n${termsWords(terms, here.lang)}`)
  }
  const problem = terms.maybe('problem')
  if (problem !== undefined)
    say(here, `\n${inLang(here, 'Cannot be kept here', 'Hier nicht einzuhalten')}: ${problem}`)
  const changes = negotiation.list('changes', here.lang)
  if (changes.length > 0) {
    const words = inLang(here, 'Changed by the partner', 'Vom Partner geändert')
    say(here, `\n${words}:\n${changes.map((change) => `  ${change}`).join('\n')}`)
  }
  if (negotiation.has('comparison')) showComparison(here, negotiation.view('comparison'))
}

function showComparison(here: Here, comparison: View): void {
  const clauses = comparison.views('clauses').map((clause) => `  ${clause.said('text', here.lang)}`)
  const head = inLang(here, 'In comparison', 'Im Vergleich')
  say(here, `\n${head}: ${comparison.said('text', here.lang)}\n${clauses.join('\n')}`.trimEnd())
}

/** What a person can decide about it now. */
export function decisionsOn(negotiation: View): readonly string[] {
  const id = shortId(negotiation.text('pid'))
  const terms = negotiation.view('terms')
  const unread = terms.has('problem') && terms.has('notUnderstood') ? ' --accept-not-understood' : ''
  const [accept, waiting] =
    negotiation.text('role') === 'consumer'
      ? [`negotiation accept ${id} ${termsId(negotiation)}${unread}`, negotiation.text('state') === 'OFFERED']
      : [
          `negotiation approve ${id} ${termsId(negotiation)}`,
          ['REQUESTED', 'ACCEPTED'].includes(negotiation.text('state')),
        ]
  const counter = negotiation.text('state') === 'ACCEPTED' ? [] : [`negotiation counter ${id} --for-days 30`]
  const refuse = `negotiation refuse ${id} --reason "..."`
  if (negotiation.text('waitingBecause') === 'rules') {
    return [`negotiation retry ${id}`, ...(waiting ? [accept] : []), refuse]
  }
  return waiting ? [accept, ...counter, refuse] : [`negotiation terminate ${id} --reason "..."`]
}

const isOpen = (negotiation: View): boolean =>
  !['FINALIZED', 'TERMINATED'].includes(negotiation.text('state'))

export function hintAfter(here: Here, negotiation: View): void {
  const id = shortId(negotiation.text('pid'))
  if (negotiation.text('state') === 'FINALIZED') {
    next(here, `contract show ${quoted(shortId(negotiation.text('contract')))}`)
  } else if (isOpen(negotiation) && negotiation.views('owed').length > 0) {
    next(here, `negotiation retry ${id}`, `negotiation give-up ${id} --reason "..."`, 'doctor')
  } else if (negotiation.text('waitingFor') === 'person') {
    next(here, ...decisionsOn(negotiation))
  }
}
