/** For whom a process waits, since when, and why: in a word for lists, in sentences for one process. */
import type { Lang, Text } from '../../core/types.js'
import type { View } from './view.js'
import { whenWords } from './when.js'

const SHORT: Readonly<Record<string, Text>> = {
  us: { en: 'this connector', de: 'diesen Connector' },
  partner: { en: 'the partner', de: 'den Partner' },
  person: { en: 'YOU', de: 'SIE' },
}

/** '' when nobody has to act. */
export const waitingShort = (process: View, lang: Lang): string => {
  const whom = process.text('waitingFor')
  return Object.hasOwn(SHORT, whom) ? (SHORT[whom]?.[lang] ?? whom) : whom
}

const BECAUSE: Readonly<Record<string, Text>> = {
  approval: {
    en: 'Requests for this offer, or of this partner, are approved by a person.',
    de: 'Anfragen auf dieses Angebot oder von diesem Partner gibt ein Mensch frei.',
  },
  terms: {
    en: 'The partner asks for other terms than yours.',
    de: 'Der Partner möchte andere Bedingungen als Ihre.',
  },
  offer: {
    en: 'The partner made an offer; a person accepts it.',
    de: 'Der Partner hat ein Angebot gemacht; ein Mensch nimmt es an.',
  },
  rules: {
    en: 'It could not go on by itself.',
    de: 'Von selbst ging es nicht weiter.',
  },
}

/** One or two sentences, or '' when nobody has to act. */
export function waitingWords(process: View, lang: Lang): string {
  const whom = process.text('waitingFor')
  const since = process.maybe('waitingSince')
  const from = since === undefined ? '' : `${lang === 'de' ? ', seit' : ', since'} ${whenWords(since, lang)}`
  if (whom !== 'person') return whom === '' ? '' : `${waitingShort(process, lang)}${from}`
  const because = process.text('waitingBecause')
  const reason = Object.hasOwn(BECAUSE, because) ? BECAUSE[because]?.[lang] : undefined
  // What differs is shown in the reader's language beside the terms.
  const detail = process.list('changes', lang).length > 0 ? undefined : process.maybe('waitingDetail')
  return [`${waitingShort(process, lang)}${from}.`, reason, detail]
    .filter((part) => part !== undefined)
    .join(' ')
}
