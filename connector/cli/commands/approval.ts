/** --approval of offers and partners: whether a contract is agreed by itself, or by a person. */
import type { Text } from '../../core/types.js'
import type { Call } from '../command.js'
import { type Here, inLang } from './connected.js'
import type { View } from './view.js'

export const APPROVAL = {
  type: 'string',
  value: 'automatic|manual',
  about: {
    en: 'manual: a person approves every request (default: automatic)',
    de: 'manual: ein Mensch gibt jede Anfrage frei (sonst automatic: von selbst)',
  },
} as const

export const WHICH_APPROVAL: Text = {
  en: '--approval takes automatic or manual.',
  de: '--approval nimmt automatic oder manual.',
}

export const wrongApproval = (call: Call): Text | undefined =>
  ['automatic', 'manual', undefined].includes(call.value('approval')) ? undefined : WHICH_APPROVAL

/** Said of what waits for people only. */
export const approvalWords = (view: View, here: Here): string =>
  view.text('approval') === 'manual'
    ? inLang(here, ' (a person approves every request)', ' (ein Mensch gibt jede Anfrage frei)')
    : ''
