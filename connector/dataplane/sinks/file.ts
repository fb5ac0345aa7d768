/**
 * Appends records to a file as NDJSON or CSV. `<file>.state` says how far the file is accounted for: what a crash has
 * left behind that point is cut off when the file is opened again, and then received again.
 */

import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ok, problem, type Result } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import { csvField, csvHeader, csvText } from '../delivery/encode.js'
import type { Received } from '../receive/received.js'
import { settleCut } from './cut.js'
import { type Progress, readProgress, statePathOf, syncFolder, writeProgress } from './progress.js'
import { type Sink, SinkError } from './sink.js'

export type FileSinkOptions = {
  readonly path: string
  readonly format: 'ndjson' | 'csv'
  /** What is being received, such as the transfer's pid. */
  readonly subject: string
  /** Signals that become CSV columns, in this order; required for CSV. */
  readonly columns?: readonly string[]
}

export async function openFileSink(options: FileSinkOptions): Promise<Result<Sink>> {
  const { path, format, subject, columns = [] } = options
  if (format === 'csv' && options.columns === undefined) {
    return problem('InvalidInput', {
      en: 'A CSV file needs the names of its columns. Name them, or use NDJSON.',
      de: 'Eine CSV-Datei braucht die Namen ihrer Spalten. Nennen Sie diese, oder verwenden Sie NDJSON.',
    })
  }
  const target = await openTarget(path, subject)
  if (!target.ok) return target
  const { file, begun } = target.value
  return ok(fileSink(file, statePathOf(path), begun, format === 'csv' ? csvLines(columns) : ndjsonLines))
}

/** The file as far as it is accounted for; Conflict when it holds something else. */
export async function openTarget(
  path: string,
  subject: string,
): Promise<Result<{ readonly file: FileHandle; readonly begun: Progress }>> {
  const progress = await readProgress(statePathOf(path), subject)
  if (!progress.ok) return progress
  let begun: Progress = progress.value ?? { subject, size: 0 }
  let file: FileHandle
  try {
    begun = await settleCut(path, begun)
    file = await open(path, 'a+', 0o600)
  } catch (cause) {
    return problem(
      'InvalidInput',
      {
        en: `${path} cannot be opened for writing. Check that its folder exists and is writable.`,
        de: `${path} lässt sich nicht zum Schreiben öffnen. Prüfen Sie, ob der Ordner vorhanden und beschreibbar ist.`,
      },
      cause,
    )
  }
  const { size } = await file.stat()
  const clash = size < begun.size ? SHORTER : progress.value === undefined && size > 0 ? FOREIGN : undefined
  if (clash !== undefined) {
    await file.close()
    return problem('Conflict', { en: `${path} ${clash.en}`, de: `${path} ${clash.de}` })
  }
  await file.truncate(begun.size)
  await syncFolder(dirname(path))
  return ok({ file, begun })
}

const FOREIGN: Text = {
  en: 'exists already and was not written by this command. Name another file, or move it away.',
  de: 'gibt es schon und wurde nicht von diesem Befehl geschrieben. Nennen Sie eine andere Datei, oder verschieben Sie diese.',
}
const SHORTER: Text = {
  en: 'is shorter than the last run left it. Restore it, or remove it together with its .state file.',
  de: 'ist kürzer, als der letzte Lauf sie hinterlassen hat. Stellen Sie sie wieder her, oder entfernen Sie sie mitsamt ihrer .state-Datei.',
}

function fileSink(file: FileHandle, statePath: string, begun: Progress, lines: Lines): Sink {
  let safe = begun
  let size = begun.size
  let written = begun.lastId
  let closed = false
  let torn: SinkError | undefined

  const sink: Sink = {
    lastId: () => safe.lastId,
    async write(batch) {
      if (torn !== undefined) throw torn
      if (batch.length === 0) return
      const bytes = Buffer.from((size === 0 ? lines.head : '') + lines.of(batch))
      try {
        await file.writeFile(bytes)
      } catch (cause) {
        // Half a batch may stand at the end; nothing may follow it. Opening the file again cuts it off.
        torn = new SinkError('The file cannot be written any more. Is the disk full?', { cause })
        throw torn
      }
      size += bytes.length
      written = batch.at(-1)?.id ?? written
    },
    async flush() {
      if (size === safe.size) return
      try {
        await file.datasync()
        const next: Progress = {
          subject: safe.subject,
          size,
          ...(written !== undefined && { lastId: written }),
        }
        await writeProgress(statePath, next)
        safe = next
      } catch (cause) {
        throw new SinkError('The file could not be made safe on disk. Is the disk full?', { cause })
      }
    },
    async close() {
      if (closed) return
      closed = true
      try {
        await sink.flush()
      } finally {
        await file.close()
      }
    },
    [Symbol.asyncDispose]: () => sink.close(),
  }
  return sink
}

type Lines = { readonly head: string; of(batch: readonly Received[]): string }

const ndjsonLines: Lines = { head: '', of: (batch) => batch.map(({ json }) => `${json}\n`).join('') }

function csvLines(columns: readonly string[]): Lines {
  const known = new Set(columns)
  return {
    head: csvHeader(columns),
    of: (batch) =>
      batch
        .map(({ id, ts, series, values }) => {
          const stray = Object.keys(values).find((name) => !known.has(name))
          if (stray !== undefined) {
            throw new SinkError(
              `The file has no column for the signal "${stray}". Name it among the columns, or use NDJSON.`,
            )
          }
          const fields = columns.map((name) =>
            csvField(Object.hasOwn(values, name) ? values[name] : undefined),
          )
          return `${[csvText(id), csvText(ts), series === '' ? '' : csvText(series), ...fields].join(',')}\r\n`
        })
        .join(''),
  }
}
