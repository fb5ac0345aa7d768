/** The reasons that stand where an operator gave none. Partners get the English one; whoever reads it here, their own. */
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
} as const satisfies Readonly<Record<string, Text>>

/** What a person wrote stays as it is. */
export const reasonIn = (reason: string, lang: Lang): string =>
  Object.values(OPERATOR_REASONS).find(({ en }) => en === reason)?.[lang] ?? reason
