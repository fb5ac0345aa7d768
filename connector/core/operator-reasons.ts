/** Reasons that the program gives in fixed words. Partners get the English one; whoever reads it here, their own. */
import type { Lang, Text } from './types.js'

export const OPERATOR_REASONS = {
  suspend: {
    en: 'The operator suspended the transfer.',
    de: 'Der Betreiber hat die Übertragung angehalten.',
  },
  resume: {
    en: 'The operator resumed the transfer.',
    de: 'Der Betreiber hat die Übertragung fortgesetzt.',
  },
  complete: {
    en: 'The operator completed the transfer.',
    de: 'Der Betreiber hat die Übertragung abgeschlossen.',
  },
  terminate: {
    en: 'The operator ended the transfer.',
    de: 'Der Betreiber hat die Übertragung beendet.',
  },
  expired: { en: 'The contract has expired.', de: 'Der Vertrag ist abgelaufen.' },
  revoked: { en: 'The partner revoked the contract.', de: 'Der Partner hat den Vertrag widerrufen.' },
  blocked: { en: 'The partner has been blocked.', de: 'Der Partner wurde gesperrt.' },
  rules: { en: 'The rules of the operator.', de: 'So verlangen es die Regeln des Betreibers.' },
  none: { en: 'The partner gave no reason.', de: 'Der Partner hat keinen Grund genannt.' },
} as const satisfies Readonly<Record<string, Text>>

/** What a person wrote stays as it is. */
export const reasonIn = (reason: string, lang: Lang): string =>
  Object.values(OPERATOR_REASONS).find(({ en }) => en === reason)?.[lang] ?? reason
