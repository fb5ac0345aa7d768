/** --approval of offers and partners: whether a contract is agreed by itself, by a comparison, or by a person. */
import type { Text } from '../../core/types.js'
import type { Call } from '../command.js'
import type { Here } from './connected.js'
import type { View } from './view.js'

export const APPROVAL = {
  type: 'string',
  value: 'automatic|stricter-or-equal|manual',
  about: {
    en: 'manual: a person approves every request; stricter-or-equal: other terms are agreed too if they certainly allow no more than the offer, a person decides about all others (default: automatic)',
    de: 'manual: ein Mensch gibt jede Anfrage frei; stricter-or-equal: auch andere Bedingungen werden vereinbart, wenn sie sicher nicht mehr erlauben als das Angebot, über alle anderen entscheidet ein Mensch (sonst automatic: von selbst)',
  },
} as const

export const WHICH_APPROVAL: Text = {
  en: '--approval takes automatic, stricter-or-equal or manual.',
  de: '--approval nimmt automatic, stricter-or-equal oder manual.',
}

export const wrongApproval = (call: Call): Text | undefined =>
  ['automatic', 'stricter-or-equal', 'manual', undefined].includes(call.value('approval'))
    ? undefined
    : WHICH_APPROVAL

const WORDS: Readonly<Record<string, Text>> = {
  manual: {
    en: ' (a person approves every request)',
    de: ' (ein Mensch gibt jede Anfrage frei)',
  },
  'stricter-or-equal': {
    en: ' (other terms are agreed if they allow no more; else a person decides)',
    de: ' (andere Bedingungen werden vereinbart, wenn sie nicht mehr erlauben; sonst entscheidet ein Mensch)',
  },
}

/** Said of what departs from the usual only. */
export const approvalWords = (view: View, here: Here): string => {
  const approval = view.text('approval')
  return Object.hasOwn(WORDS, approval) ? (WORDS[approval]?.[here.lang] ?? '') : ''
}
