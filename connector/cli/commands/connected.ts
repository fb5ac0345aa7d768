/** The frame of every command that talks to the running connector: client, language, failures and hints. */
import { type Problem, type Result, textOf } from '../../core/result.js'
import { shellWord } from '../../core/shell-word.js'
import type { Json } from '../../core/types.js'
import type { ManagementClient } from '../client.js'
import { type Call, complain, EXIT, sayJson } from '../command.js'
import { openClient } from '../context.js'
import { printable } from '../table.js'

export type Here = Call & { readonly client: ManagementClient; readonly dataDir: string }

/** Opens the client; a configuration that cannot be used ends the command with its own exit code. */
export async function connected(call: Call, work: (here: Here) => Promise<number>): Promise<number> {
  const opened = await openClient(call)
  if (!opened.ok) return opened.exitCode
  return work({ ...call, lang: opened.lang, client: opened.client, dataDir: opened.config.dataDir })
}

/** One of two languages. */
export const inLang = (here: Pick<Call, 'lang'>, en: string, de: string): string =>
  here.lang === 'de' ? de : en

/** A command as the reader would type it, for the same connector. */
export const typed = (here: Pick<Call, 'file'>, words: string): string =>
  `handschlag ${words}${here.file === undefined ? '' : ` --config ${quoted(here.file)}`}`

export const quoted = shellWord

const lines = (text: string): string => text.split('\n').map(printable).join('\n')

/** What went wrong goes to stderr, so that stdout holds data only. */
export function fail(
  here: Pick<Call, 'io' | 'lang' | 'file'>,
  why: Problem | string,
  ...tries: readonly string[]
): number {
  complain(here, lines(typeof why === 'string' ? why : textOf(why)[here.lang]))
  if (tries.length > 0) complain(here, hintText(here, inLang(here, 'Try', 'Versuchen Sie'), tries))
  return EXIT.failed
}

function hintText(here: Pick<Call, 'file'>, word: string, commands: readonly string[]): string {
  return commands
    .map((words, i) => `${i === 0 ? `${word}:` : ' '.repeat(word.length + 1)} ${typed(here, words)}`)
    .join('\n')
}

export const nextText = (here: Here, ...commands: readonly string[]): string =>
  `\n${hintText(here, inLang(here, 'Next', 'Weiter'), commands)}`

/** Says how to go on, for people only and aside: stdout holds what was asked for and nothing else. */
export function next(here: Here, ...commands: readonly string[]): void {
  if (!here.json) complain(here, nextText(here, ...commands))
}

/** Prints the answer: as it is for programs, in words for people. */
export function answer(here: Here, result: Result<Json>, show: (value: Json) => void): number {
  if (!result.ok) return fail(here, result.error)
  if (here.json) sayJson(here, result.value)
  else show(result.value)
  return EXIT.ok
}

/** A path of the API from fixed parts and ids; ids are percent-encoded. */
export const path = (parts: TemplateStringsArray, ...ids: readonly string[]): string =>
  `/api/v1${parts.map((part, i) => part + (i < ids.length ? encodeURIComponent(ids[i] ?? '') : '')).join('')}`
