/** Lines in, lines out, one at a time and in order, from a file or from stdin. Memory holds a line, never the whole. */
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { JsonObject } from '../../core/types.js'
import { type Call, complain, EXIT } from '../command.js'
import { inLang } from './connected.js'

/** Nobody writes a longer policy, characters. */
const MAX_LINE = 32 * 1024 * 1024

/** Answers 1 when the file cannot be read; errors of single lines are in their answers. */
export async function runBatch(
  call: Call,
  file: string | undefined,
  answer: (line: string) => JsonObject,
): Promise<number> {
  const input =
    file === undefined || file === '-' ? call.io.stdin : createReadStream(resolve(call.io.cwd, file), 'utf8')
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() === '') continue
      await write(call, line.length > MAX_LINE ? tooLong : answer(line))
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

const tooLong: JsonObject = {
  id: null,
  error: { code: 'MessageTooLarge', message: `The line is longer than ${MAX_LINE} characters.` },
}

/** Waits for a slow reader at the other end of the pipe. */
const write = (call: Call, value: JsonObject): Promise<void> =>
  new Promise((done, failed) => {
    call.io.stdout.write(`${JSON.stringify(value)}\n`, (error) => (error ? failed(error) : done()))
  })
