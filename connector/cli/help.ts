/** The help texts, made from the table of commands. */
import type { Lang, Text } from '../core/types.js'
import type { Command, Option } from './command.js'
import { renderPairs } from './table.js'

/** Options that every command takes. `json` is added for commands that print data. */
export const GLOBAL_OPTIONS = {
  config: {
    type: 'string',
    value: 'FILE',
    about: {
      en: 'configuration file (default: HANDSCHLAG_CONFIG, then ./handschlag.yaml)',
      de: 'Konfigurationsdatei (sonst: HANDSCHLAG_CONFIG, dann ./handschlag.yaml)',
    },
  },
  lang: {
    type: 'string',
    value: 'en|de',
    about: { en: 'language of messages', de: 'Sprache der Meldungen' },
  },
  help: { type: 'boolean', short: 'h', about: { en: 'show this help', de: 'diese Hilfe zeigen' } },
} as const satisfies Record<string, Option>

export const JSON_OPTION: Option = {
  type: 'boolean',
  about: { en: 'print JSON for programs', de: 'JSON für Programme ausgeben' },
}

const WORDS = {
  intro: {
    en: 'Handschlag: share machine data with partners under signed, enforced contracts.',
    de: 'Handschlag: Maschinendaten mit Partnern teilen, unter signierten und durchgesetzten Verträgen.',
  },
  usage: { en: 'Usage', de: 'Aufruf' },
  command: { en: 'command', de: 'Befehl' },
  options: { en: 'options', de: 'Optionen' },
  commands: { en: 'Commands', de: 'Befehle' },
  everywhere: { en: 'Options of every command', de: 'Optionen jedes Befehls' },
  examples: { en: 'Examples', de: 'Beispiele' },
  exits: { en: 'Exit codes', de: 'Exit-Codes' },
  begin: {
    en: 'Begin with: handschlag init     To see it work first: handschlag demo',
    de: 'Anfangen mit: handschlag init     Erst einmal zusehen: handschlag demo',
  },
} as const satisfies Record<string, Text>

const EXITS: readonly (readonly [code: string, meaning: Text])[] = [
  ['0', { en: 'done', de: 'erledigt' }],
  ['1', { en: 'failed; the message says why', de: 'fehlgeschlagen; die Meldung sagt, warum' }],
  ['2', { en: 'the command line was not understood', de: 'die Befehlszeile wurde nicht verstanden' }],
  ['78', { en: 'the configuration needs attention', de: 'die Konfiguration muss berichtigt werden' }],
]

const indent = (text: string): string => text.replaceAll(/^/gm, '  ')

const exits = (lang: Lang): string =>
  indent(renderPairs(EXITS.map(([code, meaning]) => [code, meaning[lang]] as const)))

const optionPairs = (options: Readonly<Record<string, Option>>, lang: Lang): string =>
  indent(
    renderPairs(
      Object.entries(options).map(([name, option]) => {
        const short = option.short === undefined ? '' : `-${option.short}, `
        const value = option.type === 'boolean' ? '' : ` ${option.value ?? 'VALUE'}`
        return [`${short}--${name}${value}`, option.about[lang]] as const
      }),
    ),
  )

export function overview(commands: readonly Command[], lang: Lang): string {
  return [
    WORDS.intro[lang],
    '',
    `${WORDS.usage[lang]}: handschlag <${WORDS.command[lang]}> [${WORDS.options[lang]}]`,
    '',
    `${WORDS.commands[lang]}:`,
    indent(renderPairs(commands.map((command) => [command.name, command.summary[lang]] as const))),
    '',
    `${WORDS.everywhere[lang]}:`,
    optionPairs(GLOBAL_OPTIONS, lang),
    '',
    `${WORDS.exits[lang]}:`,
    exits(lang),
    '',
    WORDS.begin[lang],
  ].join('\n')
}

export function commandHelp(command: Command, lang: Lang): string {
  const options = { ...command.options, ...(command.json ? { json: JSON_OPTION } : {}), ...GLOBAL_OPTIONS }
  return [
    command.summary[lang],
    '',
    `${WORDS.usage[lang]}: handschlag ${command.name} ${command.usage}`.trimEnd(),
    '',
    optionPairs(options, lang),
    ...(command.examples === undefined
      ? []
      : ['', `${WORDS.examples[lang]}:`, ...command.examples.map((example) => `  ${example}`)]),
  ].join('\n')
}
