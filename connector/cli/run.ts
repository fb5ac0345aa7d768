/** From argv to an exit code: finds the command, parses its options, runs it. Never ends the process itself. */
import { parseArgs } from 'node:util'
import { nearest } from '../config/near.js'
import type { Lang, Text } from '../core/types.js'
import { type Call, type Command, complain, EXIT, type Io, type Option, say, usageError } from './command.js'
import { commandHelp, GLOBAL_OPTIONS, JSON_OPTION, overview } from './help.js'
import { chooseLang } from './text.js'

type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

/** @param argv without the program and the script, as in `process.argv.slice(2)`. */
export async function runCli(argv: readonly string[], io: Io, commands: readonly Command[]): Promise<number> {
  const lang = chooseLang(flagValue(argv, '--lang'), io.env)
  const here = { io, lang }

  if (argv.length === 0) {
    complain(here, overview(commands, lang))
    return EXIT.usage
  }
  if (argv[0] === '--help' || argv[0] === '-h' || argv[0] === 'help') {
    return help(skipLang(argv.slice(1)), commands, io, lang)
  }
  if (argv[0] === '--version' || argv[0] === '-v') return runCli(['version', ...argv.slice(1)], io, commands)

  const command = find(argv, commands)
  if (command === undefined) return unknown(argv, commands, io, lang)

  const parsed = parse(argv.slice(command.name.split(' ').length), command)
  if ('wrong' in parsed) return usageError(here, parsed.wrong, command.name)
  if (parsed.values.help === true) {
    say(here, commandHelp(command, lang))
    return EXIT.ok
  }
  const asked = parsed.values.lang
  if (asked !== undefined && asked !== 'en' && asked !== 'de') {
    return usageError(here, { en: '--lang takes en or de.', de: '--lang nimmt en oder de.' }, command.name)
  }
  return command.run(makeCall(io, lang, parsed.values, parsed.operands))
}

function makeCall(io: Io, lang: Lang, values: Values, operands: readonly string[]): Call {
  const value = (name: string): string | undefined => {
    const found = values[name]
    return typeof found === 'string' ? found : undefined
  }
  const file = value('config')
  return {
    io,
    lang,
    json: values.json === true,
    ...(file === undefined ? {} : { file }),
    operands,
    flag: (name) => values[name] === true,
    value,
    values: (name) => {
      const found = values[name]
      return Array.isArray(found) ? found.map(String) : []
    },
  }
}

/** The command with the most words that argv begins with. */
function find(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands
    .filter((command) => command.name.split(' ').every((word, i) => argv[i] === word))
    .sort((a, b) => b.name.length - a.name.length)[0]
}

function parse(
  args: readonly string[],
  command: Command,
): { readonly values: Values; readonly operands: readonly string[] } | { readonly wrong: Text } {
  const options: Readonly<Record<string, Option>> = {
    ...command.options,
    ...(command.json ? { json: JSON_OPTION } : {}),
    ...GLOBAL_OPTIONS,
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, option]) => [
          name,
          {
            type: option.type,
            ...(option.short === undefined ? {} : { short: option.short }),
            ...(option.multiple ? { multiple: true } : {}),
          },
        ]),
      ),
    })
    if (values.help === true) return { values, operands: [] }
    const [least, most] = command.operands ?? [0, 0]
    if (positionals.length < least) {
      return {
        wrong: {
          en: `Something is missing. Usage: handschlag ${command.name} ${command.usage}`,
          de: `Es fehlt etwas. Aufruf: handschlag ${command.name} ${command.usage}`,
        },
      }
    }
    if (positionals.length > most) {
      const extra = positionals[most] ?? ''
      return { wrong: { en: `"${extra}" is one word too many.`, de: `„${extra}“ ist ein Wort zu viel.` } }
    }
    return { values, operands: positionals }
  } catch (cause) {
    return { wrong: explain(cause, args, options) }
  }
}

/** parseArgs speaks in the words of a library; the operator gets the option and what to do with it. */
function explain(cause: unknown, args: readonly string[], options: Readonly<Record<string, Option>>): Text {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const quoted = cause instanceof Error ? (/'([^']*)'/.exec(cause.message)?.[1] ?? '') : ''
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const name = quoted.replace(/^-+/, '')
    const meant = nearest(name, Object.keys(options))
    return {
      en: `There is no option ${quoted}.${meant === undefined ? '' : ` Did you mean --${meant}?`}`,
      de: `Es gibt keine Option ${quoted}.${meant === undefined ? '' : ` Meinten Sie --${meant}?`}`,
    }
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const name = /--([\w-]+)/.exec(quoted)?.[1] ?? ''
    return options[name]?.type === 'boolean'
      ? { en: `--${name} takes no value.`, de: `--${name} nimmt keinen Wert.` }
      : { en: `--${name} needs a value.`, de: `--${name} braucht einen Wert.` }
  }
  throw cause instanceof Error ? cause : new Error(`cannot parse ${args.length} arguments`, { cause })
}

function help(words: readonly string[], commands: readonly Command[], io: Io, lang: Lang): number {
  const here = { io, lang }
  if (words.length === 0) {
    say(here, overview(commands, lang))
    return EXIT.ok
  }
  const command = find(words, commands)
  if (command !== undefined) {
    say(here, commandHelp(command, lang))
    return EXIT.ok
  }
  const group = commands.filter((candidate) => candidate.name.startsWith(`${words[0]} `))
  if (group.length === 0) return unknown(words, commands, io, lang)
  say(here, group.map((member) => commandHelp(member, lang)).join('\n\n'))
  return EXIT.ok
}

function unknown(words: readonly string[], commands: readonly Command[], io: Io, lang: Lang): number {
  const here = { io, lang }
  const group = commands.filter((candidate) => candidate.name.startsWith(`${words[0]} `))
  if (group.length > 0) {
    const members = group.map((member) => `handschlag ${member.name}`).join(', ')
    return usageError(here, {
      en: `"${words[0]}" needs a second word: ${members}.`,
      de: `„${words[0]}“ braucht ein zweites Wort: ${members}.`,
    })
  }
  const typed = words[0] ?? ''
  const names = commands.flatMap((command) => [command.name, command.name.split(' ')[0] ?? ''])
  const meant = nearest(`${typed} ${words[1] ?? ''}`.trim(), names) ?? nearest(typed, names)
  return usageError(here, {
    en: `There is no command "${typed}".${meant === undefined ? '' : ` Did you mean "${meant}"?`}`,
    de: `Es gibt keinen Befehl „${typed}“.${meant === undefined ? '' : ` Meinten Sie „${meant}“?`}`,
  })
}

/** Looks ahead for the language, so that even a usage error comes in it. */
function flagValue(argv: readonly string[], flag: string): string | undefined {
  const inline = argv.find((word) => word.startsWith(`${flag}=`))
  if (inline !== undefined) return inline.slice(flag.length + 1)
  const at = argv.indexOf(flag)
  return at < 0 ? undefined : argv[at + 1]
}

function skipLang(words: readonly string[]): readonly string[] {
  const at = words.indexOf('--lang')
  const rest = at < 0 ? words : [...words.slice(0, at), ...words.slice(at + 2)]
  return rest.filter((word) => !word.startsWith('-'))
}
