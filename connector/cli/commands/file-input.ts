/** A YAML or JSON file that describes something whole, such as a source, a dataset or a policy. */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ok, problem, type Result } from '../../core/result.js'
import type { Call } from '../command.js'
import { inLang } from './connected.js'

/** Nobody writes more by hand, bytes. */
const MAX_FILE = 1024 * 1024

/** JSON is YAML, so one reader serves both. Values are never echoed: one may be a secret. */
export async function readDescription(
  call: Pick<Call, 'io' | 'lang'>,
  file: string,
): Promise<Result<Record<string, unknown>>> {
  const full = resolve(call.io.cwd, file)
  const bad = (en: string, de: string, cause?: unknown): Result<never> =>
    problem('InvalidInput', inLang(call, en, de), cause)
  let text: string
  try {
    if ((await stat(full)).size > MAX_FILE) {
      return bad(
        `${full} is larger than 1 MiB: that is no description.`,
        `${full} ist größer als 1 MiB: Das ist keine Beschreibung.`,
      )
    }
    text = await readFile(full, 'utf8')
  } catch (cause) {
    return bad(
      `${full} cannot be read. Check the name and its permissions.`,
      `${full} lässt sich nicht lesen. Prüfen Sie Namen und Rechte.`,
      cause,
    )
  }
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { prettyErrors: true, logLevel: 'error' })
  const [fault] = document.errors
  if (fault !== undefined) {
    const line = fault.linePos?.[0].line ?? 1
    return bad(
      `${full} is not valid YAML or JSON: there is a mistake in line ${line} (${fault.code}).`,
      `${full} ist kein gültiges YAML oder JSON: In Zeile ${line} steckt ein Fehler (${fault.code}).`,
    )
  }
  const value = plain(document)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return bad(
      `${full} must hold an object with names and values.`,
      `${full} muss ein Objekt mit Namen und Werten enthalten.`,
    )
  }
  return ok(value as Record<string, unknown>)
}

/** References that multiply themselves are no description of anything. */
function plain(document: { toJS(): unknown }): unknown {
  try {
    return document.toJS()
  } catch {
    return undefined
  }
}
