/** A small file that says how far a sink has come. Replaced as a whole: it is the old one or the new one, never half. */
import { readFileSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ok, problem, type Result } from '../../core/result.js'

export type Progress = {
  /** What is being received, such as the transfer's pid; another one must not go on in its place. */
  readonly subject: string
  readonly lastId?: string
  /** Bytes of the data file that are accounted for. */
  readonly size: number
  /** Of what was delivered to us: the last batch by its name, and how much there was in all. */
  readonly pushed?: Pushed
  /** Bytes that are being deleted from the front: the file still has them, or has them no longer. */
  readonly cutting?: number
  /** What was deleted last. */
  readonly cut?: CutProof
}

/** What was deleted from the front of a file. */
export type CutProof = {
  /** Position behind it, counted over all bytes that ever came. */
  readonly upTo: number
  readonly bytes: number
  /** Lines, which are records where records are delivered. */
  readonly records: number
  readonly sha256: string
  readonly firstEvent?: string
  readonly lastEvent?: string
  /** The file was not there any more. */
  readonly missing?: true
}

export type Pushed = {
  readonly batch?: string
  readonly batches: number
  readonly records: number
  readonly bytes: number
}

export const statePathOf = (path: string): string => `${path}.state`

export async function readProgress(path: string, subject: string): Promise<Result<Progress | undefined>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return ok(undefined)
    return problem(
      'InvalidInput',
      {
        en: `${path} cannot be read. Check its permissions.`,
        de: `${path} lässt sich nicht lesen. Prüfen Sie die Rechte.`,
      },
      cause,
    )
  }
  const progress = parse(text)
  if (progress === undefined) {
    return problem('Conflict', {
      en: `${path} does not say how far the last run came. Remove it together with the data, or name another target.`,
      de: `${path} sagt nicht, wie weit der letzte Lauf kam. Entfernen Sie die Datei mitsamt den Daten, oder nennen Sie ein anderes Ziel.`,
    })
  }
  if (progress.subject !== subject) {
    return problem('Conflict', {
      en: `${path} belongs to another transfer (${progress.subject}). Name another target.`,
      de: `${path} gehört zu einer anderen Übertragung (${progress.subject}). Nennen Sie ein anderes Ziel.`,
    })
  }
  return ok(progress)
}

/** For a look at how far it is, while the sink itself may be closed; undefined when nothing can be said. */
export function readProgressNow(path: string, subject: string): Progress | undefined {
  try {
    const progress = parse(readFileSync(path, 'utf8'))
    return progress?.subject === subject ? progress : undefined
  } catch {
    // Not there yet, or not readable: the sink tells what is wrong when it is opened.
    return undefined
  }
}

export async function writeProgress(path: string, progress: Progress): Promise<void> {
  const fresh = `${path}.new`
  const file = await open(fresh, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(progress)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
  await syncFolder(dirname(path))
}

/** A new name is durable only when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function parse(text: string): Progress | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { subject, lastId, size, pushed, cutting, cut } = value as Record<string, unknown>
    if (typeof subject !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      return undefined
    if (lastId !== undefined && typeof lastId !== 'string') return undefined
    if (pushed !== undefined && !isPushed(pushed)) return undefined
    if (cutting !== undefined && !Number.isSafeInteger(cutting)) return undefined
    if (cut !== undefined && !isCutProof(cut)) return undefined
    const cuts = {
      ...(cutting !== undefined && { cutting: cutting as number }),
      ...(cut !== undefined && { cut }),
    }
    return {
      subject,
      size,
      ...cuts,
      ...(lastId !== undefined && { lastId }),
      ...(pushed !== undefined && { pushed }),
    }
  } catch {
    // Not JSON is the same finding as not a progress.
    return undefined
  }
}

function isCutProof(value: unknown): value is CutProof {
  if (typeof value !== 'object' || value === null) return false
  const { upTo, bytes, records, sha256 } = value as Record<string, unknown>
  return [upTo, bytes, records].every(Number.isSafeInteger) && typeof sha256 === 'string'
}

function isPushed(value: unknown): value is Pushed {
  if (typeof value !== 'object' || value === null) return false
  const { batch, ...counts } = value as Record<string, unknown>
  const known = ['batches', 'records', 'bytes'].every((name) => Number.isSafeInteger(counts[name]))
  return known && (batch === undefined || typeof batch === 'string')
}
