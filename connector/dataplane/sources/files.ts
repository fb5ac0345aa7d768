/**
 * The file source: one file or a folder, read where it lies. Positions are `<number of the file>-<offset behind the
 * record>`, so that reading goes on by a seek. A last line without a newline is half-written until its newline comes;
 * only in a file that does not grow any more (`growing` false, or a newer file behind it) it counts as a row, once
 * the file has been left alone for five seconds. In a folder one file grows at a time, the newest: lines appended to
 * an older one behind a reader's position do not reach that reader, and the operator is told.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Problem } from '../../core/result.js'
import { ok, problem } from '../../core/result.js'
import type { EpochMs } from '../../core/types.js'
import { type ReadQuery, type RecordSource, SourceError } from '../ports.js'
import type { DataRecord } from '../record.js'
import { createCsvFormat } from './csv.js'
import { BLOCK, readRows, timeOfRowBefore } from './file-rows.js'
import { createFileWatch } from './file-watch.js'
import type { FilesConfig } from './files-config.js'
import { createMalformedTally, type Managed, type SourceCounters, type SourceDeps } from './managed.js'
import { createNdjsonFormat } from './ndjson.js'
import { createOrdinals, fileProblem, type PresentFile } from './ordinals.js'
import type { RowReader } from './row-format.js'
import { createRowIndex, type RowIndex } from './row-index.js'

export type FilesDeps = Pick<SourceDeps, 'signals' | 'clock' | 'report'> & {
  /** Where the numbers of the files are kept; absent for a mere check. */
  readonly stateFile?: string
  readonly pollMs?: number
}

export type FileSource = RecordSource & Managed

/** Records in one batch to the reader. */
const BATCH = 512
/** How long a file must have been left alone before its last line counts without a newline, milliseconds. */
const QUIET = 5_000
const POLL = 1_000
/** Faulty rows per file that are remembered, so that reading them again does not count them again. */
const MOST_FAULTS = 10_000
const POSITION = /^([1-9]\d{0,9})-(\d{1,15})$/
const BYTE_ORDER_MARK = '\ufeff'

/** What is known about the inside of one file. */
type Inside = {
  readonly reader: RowReader
  readonly bodyStart: number
  readonly index: RowIndex
  readonly faults: Set<number>
}

/** How far a reader has come, to recognise what is new for it. */
type Seen = { readonly ordinal: number; readonly size: number; readonly quietAt?: number }

const NOTHING_SEEN: Seen = { ordinal: 0, size: 0 }
const noSuchPosition = () =>
  new SourceError({
    code: 'RangeInvalid',
    message: 'There is no such position in this dataset.',
    messageDe: 'Diese Stelle gibt es in diesem Datensatz nicht.',
  })

export function createFileSource(config: FilesConfig, deps: FilesDeps): FileSource {
  const { clock, report } = deps
  const format =
    'csv' in config.format
      ? createCsvFormat(config.format.csv, deps.signals)
      : createNdjsonFormat(config.format.ndjson, deps.signals)
  const ordinals = createOrdinals(config.place, deps.stateFile)
  const directory = 'file' in config.place ? dirname(config.place.file) : config.place.folder
  const watch = createFileWatch(directory, deps.pollMs ?? POLL)
  const tally = createMalformedTally(report, clock)
  const insides = new Map<number, Inside>()
  const leftOut = new Set<number>()
  const sizes = new Map<number, number>()
  const grown = new Set<number>()
  const seenBy = new WeakMap<AbortSignal, Seen | 'not at the end'>()
  let lastSeen: Seen = NOTHING_SEEN
  let received = 0
  let logged = 0
  let lastError: Problem | undefined
  let connectedSince: EpochMs | undefined

  const scan = async (): Promise<readonly PresentFile[]> => {
    const files = await ordinals.scan()
    for (const [at, { ordinal, name, size }] of files.entries()) {
      const before = sizes.get(ordinal)
      sizes.set(ordinal, size)
      const newer = files[at + 1]
      if (newer === undefined || before === undefined || size <= before) continue
      // Told once, and not about the last lines that come while the newer file is being made.
      if (!sizes.has(newer.ordinal) || grown.has(ordinal)) continue
      grown.add(ordinal)
      lastError = {
        code: 'SourceUnavailable',
        message: `The file ${name} grew although ${newer.name} is newer, so its new lines may not be delivered. Give files that grow at the same time a source each.`,
        messageDe: `Die Datei ${name} ist gewachsen, obwohl ${newer.name} neuer ist; ihre neuen Zeilen werden deshalb möglicherweise nicht geliefert. Geben Sie Dateien, die gleichzeitig wachsen, je eine eigene Quelle.`,
      }
      report.state('error', lastError)
    }
    return files
  }

  /** Reads the heading once; undefined while it is not complete, or when the file is left out. */
  const insideOf = async (file: PresentFile, handle: FileHandle): Promise<Inside | undefined> => {
    const known = insides.get(file.ordinal)
    if (known !== undefined || leftOut.has(file.ordinal)) return known
    const buffer = Buffer.alloc(BLOCK)
    const { bytesRead } = await handle.read(buffer, 0, BLOCK, 0)
    const bytes = buffer.subarray(0, bytesRead)
    const mark = bytes.subarray(0, 3).toString('utf8') === BYTE_ORDER_MARK ? 3 : 0
    const newline = bytes.indexOf(0x0a)
    if (format.hasHeading && newline === -1 && bytesRead < BLOCK) return undefined
    const heading = format.hasHeading ? bytes.subarray(mark, newline).toString('utf8').replace(/\r$/, '') : ''
    const reader = format.prepare(heading)
    if ('wrong' in reader) {
      const failed: Problem = {
        code: 'SourceUnavailable',
        message: `The file ${file.path} cannot be read: ${reader.wrong}. Correct the file, or the source.`,
        messageDe: `Die Datei ${file.path} lässt sich nicht lesen: ${reader.wrong}. Berichtigen Sie die Datei oder die Quelle.`,
      }
      if ('file' in config.place) throw new SourceError(failed)
      leftOut.add(file.ordinal)
      const reason = `File ${file.name} was left out: ${reader.wrong}.`
      tally.add({ where: file.name, reason, bytes: file.size })
      return undefined
    }
    const bodyStart = format.hasHeading ? newline + 1 : mark
    const index = createRowIndex(bodyStart, format.hasHeading ? 2 : 1)
    const inside = { reader, bodyStart, index, faults: new Set<number>() }
    insides.set(file.ordinal, inside)
    return inside
  }

  const noteFaults = (
    file: PresentFile,
    inside: Inside,
    block: Awaited<ReturnType<typeof readRows>>,
    line: boolean,
  ) => {
    for (const fault of block.faults) {
      if (inside.faults.has(fault.end) || inside.faults.size >= MOST_FAULTS) continue
      inside.faults.add(fault.end)
      const subject = line
        ? `Line ${fault.line} of ${file.name}`
        : `The line of ${file.name} that ends at byte ${fault.end}`
      const where = line ? `${file.name}:${fault.line}` : file.name
      tally.add({ where, bytes: fault.bytes, reason: `${subject} was left out: ${fault.why}.` })
    }
  }

  /** Batches of one file; answers its size at the end of reading, and when its last line will count. */
  async function* readFile(
    file: PresentFile,
    hasNewer: boolean,
    after: number | undefined,
    { from, signal }: ReadQuery,
  ): AsyncGenerator<readonly DataRecord[], Seen> {
    const handle = await open(file.path).catch((cause: unknown) => {
      throw new SourceError(fileProblem(file.path, 'file', cause))
    })
    try {
      const inside = await insideOf(file, handle)
      if (inside === undefined) return { ordinal: file.ordinal, size: file.size }
      const { index, reader } = inside
      let offset = Math.max(after ?? 0, inside.bodyStart)
      if (offset > file.size) throw noSuchPosition()
      if (offset > inside.bodyStart) offset = await nextLineStart(handle, offset)
      const quietAt = config.growing && !hasNewer ? undefined : file.mtimeMs + QUIET
      const wholeLast = quietAt !== undefined && clock() >= quietAt
      while (!signal.aborted) {
        if (from !== undefined) offset = index.skip(offset, from)
        const frontier = index.frontier()
        const line = index.lineAt(offset)
        const block = await readRows(
          handle,
          {
            ordinal: file.ordinal,
            offset,
            firstLine: line ?? 0,
            wholeLast,
            ...(offset < frontier && { until: frontier }),
          },
          reader,
        )
        if (offset === index.frontier() && block.end > offset) {
          index.extend(block.end, block.latest, block.lines)
          received += block.rows
          logged += block.records.length
        }
        noteFaults(file, inside, block, line !== undefined)
        const records = from === undefined ? block.records : block.records.filter(({ time }) => time >= from)
        for (let at = 0; at < records.length && !signal.aborted; at += BATCH)
          yield records.slice(at, at + BATCH)
        offset = block.end
        if (!block.atEnd) continue
        const unfinished = block.readTo > block.end
        return {
          ordinal: file.ordinal,
          size: block.readTo,
          ...(unfinished && !wholeLast && quietAt !== undefined && { quietAt }),
        }
      }
      return NOTHING_SEEN
    } catch (cause) {
      if (cause instanceof SourceError) throw cause
      throw new SourceError(fileProblem(file.path, 'file', cause))
    } finally {
      await handle.close()
    }
  }

  const readEnded = (signal: AbortSignal, seen: Seen) => {
    seenBy.set(signal, seen)
    if (seen.ordinal >= lastSeen.ordinal) lastSeen = seen
  }

  async function* read(query: ReadQuery): AsyncGenerator<readonly DataRecord[]> {
    const { after, signal } = query
    seenBy.set(signal, 'not at the end')
    const begin = after === undefined ? undefined : parsePosition(after)
    if (after !== undefined && begin === undefined) throw noSuchPosition()
    const files = await scan()
    if (begin !== undefined && begin.ordinal > ordinals.newest()) throw noSuchPosition()
    let seen = NOTHING_SEEN
    for (const [at, file] of files.entries()) {
      if (signal.aborted) return
      if (begin !== undefined && file.ordinal < begin.ordinal) continue
      const offset = begin?.ordinal === file.ordinal ? begin.offset : undefined
      const hasNewer = at < files.length - 1
      seen = yield* readFile(file, hasNewer, offset, query)
      // An unfinished last line is waited for, so that it is not passed by.
      if (seen.quietAt !== undefined) break
    }
    if (signal.aborted) return
    readEnded(signal, seen)
    tally.flush()
  }

  const isNewTo = (seen: Seen, files: readonly PresentFile[]): boolean =>
    (seen.quietAt !== undefined && clock() >= seen.quietAt) ||
    files.some(({ ordinal, size }) =>
      ordinal === seen.ordinal ? size !== seen.size : ordinal > seen.ordinal && seen.quietAt === undefined,
    )

  return {
    kind: 'records',
    ...('constant' in ('csv' in config.format ? config.format.csv : config.format.ndjson).series && {
      oneSeries: true as const,
    }),
    read,
    async changed(signal) {
      const seen = seenBy.get(signal) ?? lastSeen
      if (seen === 'not at the end') return
      // A file that is being replaced is absent for a moment; a source that stays away is for the next read to tell.
      for (let absences = 0; absences < 3 && !signal.aborted; ) {
        try {
          if (isNewTo(seen, await scan())) return
          absences = 0
        } catch (cause) {
          if (!(cause instanceof SourceError)) throw cause
          absences += 1
        }
        await watch.next(signal)
      }
    },
    async timeOf(position) {
      const gone = problem('RangeInvalid', {
        en: 'There is no record at this position any more.',
        de: 'An dieser Stelle steht kein Eintrag mehr.',
      })
      const wanted = parsePosition(position)
      const file = wanted && (await scan()).find(({ ordinal }) => ordinal === wanted.ordinal)
      if (wanted === undefined || file === undefined || wanted.offset > file.size) return gone
      const handle = await open(file.path)
      try {
        const inside = await insideOf(file, handle)
        if (inside === undefined || wanted.offset <= inside.bodyStart) return gone
        const range = { bodyStart: inside.bodyStart, end: wanted.offset }
        const time = await timeOfRowBefore(handle, range, inside.reader)
        return time === undefined ? gone : ok(time)
      } finally {
        await handle.close()
      }
    },
    async start() {
      try {
        await scan()
        connectedSince = clock()
        report.state('connected')
      } catch (cause) {
        if (!(cause instanceof SourceError)) throw cause
        lastError = cause.problem
        report.state('error', cause.problem)
      }
    },
    counters(): SourceCounters {
      return {
        received,
        logged,
        malformed: tally.total(),
        duplicates: 0,
        ...(lastError && { lastError }),
        ...(connectedSince !== undefined && { connectedSince }),
      }
    },
    async [Symbol.asyncDispose]() {
      tally.flush()
    },
  }
}

function parsePosition(position: string): { readonly ordinal: number; readonly offset: number } | undefined {
  const [, ordinal, offset] = POSITION.exec(position) ?? []
  return ordinal === undefined ? undefined : { ordinal: Number(ordinal), offset: Number(offset) }
}

/** A position lies at the beginning of a line; anything else is moved to the next one, so that no half row is read. */
async function nextLineStart(handle: FileHandle, offset: number): Promise<number> {
  const buffer = Buffer.alloc(BLOCK)
  for (let at = offset - 1; ; at += BLOCK) {
    const { bytesRead } = await handle.read(buffer, 0, BLOCK, at)
    const newline = buffer.subarray(0, bytesRead).indexOf(0x0a)
    if (newline !== -1) return at + newline + 1
    if (bytesRead < BLOCK) return at + bytesRead
  }
}
