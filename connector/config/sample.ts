/** The commented configuration file, written from the table of settings. */
import type { Lang, Text } from '../core/types.js'
import { settingEntries } from './settings.js'

const HEAD: Text = {
  en: 'Configuration of the Handschlag connector.\nA line starting with # is switched off; its value is the default or an example.\nEvery setting can also be given as an environment variable, which wins.\nCheck your changes with: handschlag config check',
  de: 'Konfiguration des Handschlag-Connectors.\nEine Zeile mit # am Anfang ist abgeschaltet; ihr Wert ist die Voreinstellung oder ein Beispiel.\nJede Einstellung lässt sich auch als Umgebungsvariable setzen, und diese gewinnt.\nÄnderungen prüfen Sie mit: handschlag config check',
}

const WORDS = {
  environment: { en: 'Environment', de: 'Umgebung' },
  fallback: { en: 'Default', de: 'Voreinstellung' },
  unset: { en: 'If not set', de: 'Wenn nicht gesetzt' },
} as const satisfies Record<string, Text>

export type SampleValues = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** A value as YAML. JSON strings are YAML strings, so anything that is not plainly harmless is quoted. */
export function yamlValue(value: string | number | boolean | readonly string[]): string {
  if (Array.isArray(value)) return `[${value.map((entry: string) => yamlValue(entry)).join(', ')}]`
  if (typeof value !== 'string') return String(value)
  const harmless =
    /^[A-Za-z./][A-Za-z0-9 ._/-]*(:\/\/[A-Za-z0-9._:/-]+)?$/.test(value) && !value.endsWith(' ')
  return harmless && !/^(true|false|null|yes|no|[.]nan|[.]inf)$/i.test(value) ? value : JSON.stringify(value)
}

/** Settings with a value are switched on, the others stand commented out. */
export function sampleFile(lang: Lang, values: SampleValues = {}): string {
  const blocks = settingEntries.map(([name, s]) => {
    const given = values[name]
    const otherwise =
      s.fallback !== undefined
        ? ` ${WORDS.fallback[lang]}: ${s.fallback}.`
        : s.otherwise === undefined
          ? ''
          : ` ${WORDS.unset[lang]}: ${s.otherwise[lang]}.`
    return [
      `# ${s.about[lang]}`,
      `# ${WORDS.environment[lang]}: ${s.env}.${otherwise}`,
      given === undefined ? `#${name}: ${s.example}` : `${name}: ${yamlValue(given)}`,
    ].join('\n')
  })
  const head = HEAD[lang].replaceAll(/^/gm, '# ')
  return `${[head, ...blocks].join('\n\n')}\n`
}
