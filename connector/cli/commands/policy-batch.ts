/** Lines in, lines out, one at a time and in order, from a file or from stdin. Memory holds a line, never the whole. */
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { JsonObject } from '../../core/types.js'
import { type Call, complain, EXIT } from '../command.js'
import { type Line, readLines } from './batch-lines.js'
import { inLang } from './connected.js'

/** Nobody writes a longer policy, bytes. */
const MAX_LINE = 32 * 1024 * 1024

/** Answers 1 when the file cannot be read; errors of single lines are in their answers. */
export async function runBatch(
  call: Call,
  file: string | undefined,
  answer: (line: string) => JsonObject,
): Promise<number> {
  const input =
    file === undefined || file === '-' ? call.io.stdin : createReadStream(resolve(call.io.cwd, file))
  try {
    for await (const line of readLines(input, MAX_LINE)) {
      if (line.kind !== 'text' || line.text.trim() !== '') await write(call, answered(line, answer))
    }
    return EXIT.ok
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause)) throw cause
    complain(
      call,
      inLang(
        call,
        `${file ?? 'stdin'} cannot be read. Check the name and its permissions.`,
        `${file ?? 'stdin'} lässt sich nicht lesen. Prüfen Sie Namen und Rechte.`,
      ),
    )
    return EXIT.failed
  }
}

/** An answer without an `id` tells the number of its line, so that it can be matched all the same. */
function answered(line: Line, answer: (line: string) => JsonObject): JsonObject {
  const { number } = line
  if (line.kind === 'text') {
    const { id, ...rest } = answer(line.text)
    return id === null ? { id, line: number, ...rest } : { id: id ?? null, ...rest }
  }
  const error =
    line.kind === 'too long'
      ? {
          code: 'MessageTooLarge',
          message: `The line is longer than ${MAX_LINE} bytes.`,
          messageDe: `Die Zeile ist länger als ${MAX_LINE} Byte.`,
        }
      : {
          code: 'InvalidMessage',
          message: 'The line is not valid UTF-8.',
          messageDe: 'Die Zeile ist kein gültiges UTF-8.',
        }
  return { id: null, line: number, error }
}

/** Waits for a slow reader at the other end of the pipe. */
const write = (call: Call, value: JsonObject): Promise<void> =>
  new Promise((done, failed) => {
    call.io.stdout.write(`${JSON.stringify(value)}\n`, (error) => (error ? failed(error) : done()))
  })
