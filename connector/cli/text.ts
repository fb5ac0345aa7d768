/** Choosing between the two languages of the product. */
import { langOfEnvironment } from '../config/language.js'
import type { Lang, Text } from '../core/types.js'

/** What was asked for on the command line, then HANDSCHLAG_LANGUAGE, then the locale. */
export function chooseLang(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Lang {
  const asked = flag ?? env.HANDSCHLAG_LANGUAGE
  return asked === 'de' || asked === 'en' ? asked : langOfEnvironment(env)
}

/** A text that is the same in both languages, such as an address or a number. */
export const both = (text: string): Text => ({ en: text, de: text })
