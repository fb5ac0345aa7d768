/**
 * Deletes the oldest part of a file of received data and says what it was. The rest is written beside it and takes its place
 * in one step: after a crash at any moment the file is the old one or the new one, and what is accounted for fits it.
 * Nobody may write to the file meanwhile.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ok, problem, type Result } from '../../core/result.js'
import { MAX_RECORD, parseReceived } from '../receive/received.js'
import {
  type CutProof,
  type Progress,
  readProgress,
  statePathOf,
  syncFolder,
  writeProgress,
} from './progress.js'

/**
 * Deletes everything up to a position, counted over all bytes that ever came. What lies behind `from` and is gone already
 * is answered with the proof that was made then, and nothing more is deleted: so no proof is lost that nobody has stored.
 */
export async function cutFront(
  path: string,
  subject: string,
  { from, upTo }: { readonly from: number; readonly upTo: number },
): Promise<Result<CutProof | undefined>> {
  try {
    const read = await readProgress(statePathOf(path), subject)
    if (!read.ok) return read
    if (read.value === undefined) return await withoutState(path, upTo)
    const progress = await settleCut(path, read.value)
    // A copy that never took the place of the file holds data that is due some day as well.
    await rm(restPathOf(path), { force: true })
    const total = progress.pushed?.bytes ?? 0
    const removed = total - progress.size
    if (from < removed) return ok(progress.cut)
    const length = Math.min(upTo - removed, progress.size)
    if (length <= 0) return ok(undefined)
    const found = await stat(path).catch(ifMissing)
    if (found !== undefined && found.size < progress.size) return changed(path)
    return ok(await cut(path, progress, length, removed))
  } catch (cause) {
    return problem(
      'SinkUnavailable',
      {
        en: `${path} cannot be shortened. Check that the disk has room and its folder is writable.`,
        de: `${path} lässt sich nicht kürzen. Prüfen Sie, ob der Datenträger Platz hat und der Ordner beschreibbar ist.`,
      },
      cause,
    )
  }
}

async function cut(path: string, progress: Progress, length: number, removed: number): Promise<CutProof> {
  const rest = progress.size - length
  const file = await open(path, 'r').catch(ifMissing)
  if (file === undefined) return missing(path, progress, removed)
  let proof: CutProof
  try {
    proof = { upTo: removed + length, ...(await examine(file, length)) }
    if (rest > 0) await copyRest(file, length, progress.size, restPathOf(path))
  } finally {
    await file.close()
  }
  const begun: Progress = { ...progress, cutting: length, cut: proof }
  await writeProgress(statePathOf(path), begun)
  if (rest > 0) await rename(restPathOf(path), path)
  else await rm(path)
  await syncFolder(dirname(path))
  await writeProgress(statePathOf(path), finished(begun, length))
  return proof
}

const ifMissing = (cause: unknown): undefined => {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
  throw cause
}

/** Without its state nobody knows where in the file what lies. */
async function withoutState(path: string, upTo: number): Promise<Result<CutProof>> {
  const found = await stat(path).catch(ifMissing)
  if (found === undefined) return ok({ upTo, ...NOTHING_LEFT })
  return problem('Conflict', {
    en: `${path} has lost its .state file, so it is not known what of it is due. Delete it by hand.`,
    de: `${path} hat seine .state-Datei verloren, daher ist unbekannt, was davon fällig ist. Löschen Sie die Datei von Hand.`,
  })
}

const NOTHING_LEFT = {
  bytes: 0,
  records: 0,
  sha256: createHash('sha256').digest('hex'),
  missing: true,
} as const

const changed = (path: string): Result<never> =>
  problem('Conflict', {
    en: `${path} is shorter than it was left: somebody has changed it, so it is not known what of it is due. Delete it by hand.`,
    de: `${path} ist kürzer, als sie hinterlassen wurde: Jemand hat sie geändert, daher ist unbekannt, was davon fällig ist. Löschen Sie die Datei von Hand.`,
  })

/** Somebody was faster: there is nothing left to delete, and nothing left to say what it was. */
async function missing(path: string, progress: Progress, removed: number): Promise<CutProof> {
  const proof: CutProof = { upTo: removed + progress.size, ...NOTHING_LEFT }
  await writeProgress(statePathOf(path), { ...progress, size: 0, cut: proof })
  return proof
}

/** What a crash in the middle has left: the cut is either undone or completed. Must run before the file is used. */
export async function settleCut(path: string, progress: Progress): Promise<Progress> {
  const { cutting, ...before } = progress
  if (cutting === undefined) return progress
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  // The old file is at least as long as it was accounted for; the new one is shorter by what was cut.
  const isOld = size >= progress.size
  const { cut: _, ...undone } = before
  const next = isOld ? undone : finished(progress, cutting)
  await rm(restPathOf(path), { force: true })
  await writeProgress(statePathOf(path), next)
  return next
}

const restPathOf = (path: string): string => `${path}.rest`

function finished({ cutting: _, ...progress }: Progress, length: number): Progress {
  return { ...progress, size: progress.size - length }
}

async function copyRest(file: FileHandle, from: number, to: number, target: string): Promise<void> {
  const rest = await open(target, 'w', 0o600)
  try {
    for await (const chunk of file.createReadStream({ start: from, end: to - 1, autoClose: false })) {
      await rest.writeFile(chunk as Buffer)
    }
    await rest.sync()
  } finally {
    await rest.close()
  }
}

/** Hash, lines and event times of the first bytes. Lines that are no records have no event time. */
async function examine(file: FileHandle, length: number): Promise<Omit<CutProof, 'upTo'>> {
  const hash = createHash('sha256')
  let records = 0
  let first: string | undefined
  let last: string | undefined
  let line: Buffer[] = []
  let held = 0
  const endLine = (): void => {
    records += 1
    const ts = held > MAX_RECORD ? undefined : parseReceived(Buffer.concat(line).toString('utf8'))?.ts
    line = []
    held = 0
    if (ts === undefined || Number.isNaN(Date.parse(ts))) return
    if (first === undefined || Date.parse(ts) < Date.parse(first)) first = ts
    if (last === undefined || Date.parse(ts) > Date.parse(last)) last = ts
  }
  for await (const piece of file.createReadStream({ start: 0, end: length - 1, autoClose: false })) {
    const chunk = piece as Buffer
    hash.update(chunk)
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      hold(chunk.subarray(from, at))
      endLine()
      from = at + 1
    }
    hold(chunk.subarray(from))
  }
  function hold(part: Buffer): void {
    held += part.length
    if (held <= MAX_RECORD) line.push(part)
    else line = []
  }
  return {
    bytes: length,
    records,
    sha256: hash.digest('hex'),
    ...(first === undefined ? {} : { firstEvent: first }),
    ...(last === undefined ? {} : { lastEvent: last }),
  }
}

const NEWLINE = 0x0a
