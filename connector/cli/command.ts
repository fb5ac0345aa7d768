/** What a command is. Commands are data in a table; help, parsing and the documentation are made from it. */
import type { Readable, Writable } from 'node:stream'
import type { Lang, Text } from '../core/types.js'

/** Where a command reads and writes. Tests hand in streams of their own. */
export type Io = {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Somebody can be asked: stdin is a terminal. */
  readonly isTTY: boolean
}

/** Exit codes, documented in the help. 78 comes from sysexits.h. */
export const EXIT = { ok: 0, failed: 1, usage: 2, config: 78 } as const

export type Option = {
  readonly type: 'string' | 'boolean'
  readonly about: Text
  /** Placeholder of the value in the help, such as `URL`. */
  readonly value?: string
  readonly short?: string
  /** May be given more than once; read it with `values`. */
  readonly multiple?: true
}

export type Command = {
  /** One word or several, such as `config check`. */
  readonly name: string
  readonly summary: Text
  /** What follows the name, such as `<did> [options]`. */
  readonly usage: string
  readonly options: Readonly<Record<string, Option>>
  /** Least and most words behind the name; none unless told. */
  readonly operands?: readonly [least: number, most: number]
  /** Prints data, and so takes --json. */
  readonly json?: true
  readonly examples?: readonly string[]
  /** Answers the exit code. */
  readonly run: (call: Call) => Promise<number>
}

/** One call of a command, parsed. */
export type Call = {
  readonly io: Io
  readonly lang: Lang
  /** Print data as JSON. */
  readonly json: boolean
  /** --config, as written. */
  readonly file?: string
  readonly operands: readonly string[]
  readonly flag: (name: string) => boolean
  readonly value: (name: string) => string | undefined
  readonly values: (name: string) => readonly string[]
}

export const say = (call: Pick<Call, 'io'>, text: string): void => {
  call.io.stdout.write(`${text}\n`)
}

export const complain = (call: Pick<Call, 'io'>, text: string): void => {
  call.io.stderr.write(`${text}\n`)
}

export const sayJson = (call: Pick<Call, 'io'>, value: unknown): void =>
  say(call, JSON.stringify(value, null, 2))

/** A call that cannot mean anything: the sentence, and where to read on. */
export function usageError(call: Pick<Call, 'io' | 'lang'>, what: Text, command?: string): number {
  const more: Text = {
    en: `See: handschlag help${command === undefined ? '' : ` ${command}`}`,
    de: `Siehe: handschlag help${command === undefined ? '' : ` ${command}`}`,
  }
  complain(call, `${what[call.lang]}\n${more[call.lang]}`)
  return EXIT.usage
}
