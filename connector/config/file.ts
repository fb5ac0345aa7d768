/** Reads the YAML file into plain values with their lines. Says where a mistake stands, never what is written there. */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Text } from '../core/types.js'
import type { ConfigProblem } from './problem.js'

export type FileValue = { readonly raw: unknown; readonly line: number }

export type ConfigFile = {
  readonly path: string
  readonly values: ReadonlyMap<string, FileValue>
}

/** Sentences of our own, because those of the parser may quote the text, and the text may hold a secret. */
const SYNTAX: Readonly<Record<string, Text>> = {
  TAB_AS_INDENT: { en: 'a line is indented with a tab', de: 'eine Zeile ist mit einem Tabulator eingerückt' },
  MISSING_CHAR: {
    en: 'a closing quote or bracket is missing',
    de: 'ein schließendes Anführungszeichen oder eine Klammer fehlt',
  },
  BAD_INDENT: { en: 'the indentation does not fit', de: 'die Einrückung passt nicht' },
  BLOCK_AS_IMPLICIT_KEY: {
    en: 'there is a second ": " or an unexpected indentation; put such a value in quotes',
    de: 'hier steht ein zweites „: “ oder eine unerwartete Einrückung; setzen Sie so einen Wert in Anführungszeichen',
  },
  BAD_SCALAR_START: {
    en: 'a value starts with a reserved character; put it in quotes',
    de: 'ein Wert beginnt mit einem reservierten Zeichen; setzen Sie ihn in Anführungszeichen',
  },
  MULTIPLE_DOCS: {
    en: 'a second document starts here (---)',
    de: 'hier beginnt ein zweites Dokument (---)',
  },
}

const NOT_YAML: Text = { en: 'it is not valid YAML', de: 'das ist kein gültiges YAML' }

const WRITE_LIKE: Text = {
  en: 'Correct that line. A setting is written like this: port: 8484',
  de: 'Berichtigen Sie diese Zeile. Eine Einstellung schreibt man so: port: 8484',
}

/** Plain value of a scalar or a list of scalars; anything deeper is left for the setting to refuse. */
function plainValue(node: unknown): unknown {
  if (isScalar(node)) return node.value
  if (isSeq(node)) return node.items.map(plainValue)
  return node === null ? null : {}
}

/** Values by name, and everything that is wrong with the file itself. */
export function parseFile(
  path: string,
  source: string,
): ConfigFile & { readonly problems: readonly ConfigProblem[] } {
  const lines = new LineCounter()
  const document = parseDocument(source, {
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: 'error',
  })
  const problems: ConfigProblem[] = []
  const values = new Map<string, FileValue>()

  const first = document.errors[0]
  if (first !== undefined) {
    const { line, col } = lines.linePos(first.pos[0])
    const what = SYNTAX[first.code] ?? NOT_YAML
    problems.push({
      setting: path,
      where: `line ${line}`,
      wrong: {
        en: `cannot be read at line ${line}, column ${col}: ${what.en}`,
        de: `lässt sich in Zeile ${line}, Spalte ${col} nicht lesen: ${what.de}`,
      },
      fix: WRITE_LIKE,
    })
    return { path, values, problems }
  }
  const root = document.contents
  if (root === null) return { path, values, problems }
  if (!isMap(root)) {
    problems.push({
      setting: path,
      where: 'line 1',
      wrong: { en: 'is not a list of settings', de: 'ist keine Liste von Einstellungen' },
      fix: WRITE_LIKE,
    })
    return { path, values, problems }
  }
  for (const { key, value } of root.items) {
    const name = isScalar(key) ? String(key.value) : '?'
    const line = isScalar(key) && key.range ? lines.linePos(key.range[0]).line : 1
    const earlier = values.get(name)
    if (earlier === undefined) {
      values.set(name, { raw: plainValue(value), line })
      continue
    }
    problems.push({
      setting: name,
      where: `${path}:${line}`,
      wrong: {
        en: `is set twice, in line ${earlier.line} and line ${line}`,
        de: `ist zweimal gesetzt, in Zeile ${earlier.line} und Zeile ${line}`,
      },
      fix: { en: 'Remove one of the two lines.', de: 'Entfernen Sie eine der beiden Zeilen.' },
    })
  }
  return { path, values, problems }
}
