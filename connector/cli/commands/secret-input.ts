/** Secrets from standard input: never on the command line, where other users of the machine could read them. */
import { ok, problem, type Result } from '../../core/result.js'
import { type Here, inLang } from './connected.js'

/** Longest secret that is read, characters. */
const MAX_SECRET = 4096

/** Exactly so many lines; nothing of them is ever repeated. */
export async function readSecretLines(here: Here, count: number): Promise<Result<readonly string[]>> {
  if (here.io.isTTY) {
    return problem(
      'InvalidInput',
      inLang(
        here,
        'At a terminal the secret would be visible while you type. Pipe it in, for example with < file.',
        'An einem Terminal wäre das Geheimnis beim Tippen zu sehen. Leiten Sie es ein, zum Beispiel mit < Datei.',
      ),
    )
  }
  let text = ''
  for await (const chunk of here.io.stdin) {
    text += String(chunk)
    if (text.length > (MAX_SECRET + 2) * count) break
  }
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/)
  return lines.length === count && lines.every((line) => line !== '' && line.length <= MAX_SECRET)
    ? ok(lines)
    : problem(
        'InvalidInput',
        inLang(
          here,
          `Standard input did not hold what is needed: ${count} lines are expected.`,
          `Auf der Standardeingabe kam nicht, was nötig ist: erwartet werden ${count} Zeilen.`,
        ),
      )
}
