/**
 * Numbers for files: a file keeps its number over restarts, appended lines and renaming; a file that was emptied or
 * written anew under the same name gets a new one. Files found together are numbered in the order of their names, so
 * a reader that goes by number never meets a file before its own place. The numbers are on the disk before they are
 * used.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Problem } from '../../core/result.js'
import { SourceError } from '../ports.js'
import type { Place } from './files-config.js'

/** First bytes of a file by which it is recognised. */
const HEAD = 1_024

type Known = {
  readonly ordinal: number
  readonly name: string
  readonly ino: number
  /** SHA-256 of the first `headLength` bytes. */
  readonly head: string
  readonly headLength: number
}

export type PresentFile = {
  readonly ordinal: number
  readonly name: string
  readonly path: string
  readonly size: number
  readonly mtimeMs: number
}

export type Ordinals = {
  /** The files that are there, by number. Throws SourceError. */
  scan(): Promise<readonly PresentFile[]>
  /** The highest number given so far. */
  newest(): number
}

type State = { next: number; files: readonly Known[] }
type Found = { readonly name: string; readonly ino: number; readonly size: number; readonly mtimeMs: number }

export function fileProblem(path: string, what: 'file' | 'folder', cause: unknown): Problem {
  const code = (cause as { code?: unknown }).code
  const advice =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? `does not exist. Create it, or correct ${what} in the source.`
      : code === 'EACCES' || code === 'EPERM'
        ? 'may not be read by this program. Give its user the right to read it.'
        : `cannot be read (${String(code ?? cause)}). Check the disk or the network share on which it lies.`
  return { code: 'SourceUnavailable', message: `The ${what} ${path} ${advice}` }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const buffer = Buffer.alloc(HEAD)
    const { bytesRead } = await file.read(buffer, 0, HEAD, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const isKnown = (one: unknown): one is Known => {
  const { ordinal, name, ino, head, headLength } = (one ?? {}) as Record<string, unknown>
  return (
    Number.isSafeInteger(ordinal) &&
    typeof name === 'string' &&
    typeof ino === 'number' &&
    typeof head === 'string' &&
    Number.isSafeInteger(headLength)
  )
}

async function loadState(file: string): Promise<State> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ENOENT') return { next: 1, files: [] }
    throw cause
  }
  try {
    const { version, next, files } = JSON.parse(text) as Record<string, unknown>
    if (version === 1 && typeof next === 'number' && Array.isArray(files) && files.every(isKnown)) {
      return { next, files }
    }
  } catch {
    // Falls through to the same finding as a text that is JSON of another shape.
  }
  throw new SourceError({
    code: 'SourceUnavailable',
    message: `The file ${file}, which remembers the files of this source, is damaged. Restore it from a backup, or delete it to have every file delivered anew.`,
    messageDe: `Die Datei ${file}, in der die Dateien dieser Quelle vermerkt sind, ist beschädigt. Stellen Sie sie aus einer Sicherung wieder her, oder löschen Sie sie; dann wird jede Datei neu geliefert.`,
  })
}

async function saveState(file: string, { next, files }: State): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.new`
  let handle: FileHandle | undefined
  try {
    handle = await open(draft, 'w', 0o600)
    await handle.writeFile(JSON.stringify({ version: 1, next, files }))
    await handle.sync()
  } finally {
    await handle?.close()
  }
  await rename(draft, file)
}

/** `stateFile` absent: the numbers live as long as the process, which is enough for a mere check. */
export function createOrdinals(place: Place, stateFile: string | undefined): Ordinals {
  let state: State | undefined
  let last: readonly PresentFile[] = []
  let lastFound = new Map<string, Found>()
  let running: Promise<readonly PresentFile[]> | undefined

  const root = 'file' in place ? dirname(place.file) : place.folder

  const list = async (): Promise<readonly Found[]> => {
    const names =
      'file' in place
        ? [basename(place.file)]
        : (await readdir(place.folder)).filter((name) => name.endsWith(place.suffix)).sort()
    const found: Found[] = []
    for (const name of names) {
      try {
        const entry = await stat(join(root, name))
        if (entry.isFile()) found.push({ name, ino: entry.ino, size: entry.size, mtimeMs: entry.mtimeMs })
        else if ('file' in place) throw Object.assign(new Error('not a file'), { code: 'EISDIR' })
      } catch (cause) {
        // In a folder a file may vanish between the listing and the look at it.
        if ('file' in place || (cause as { code?: unknown }).code !== 'ENOENT') throw cause
      }
    }
    return found
  }

  const sameAsBefore = (one: Found): boolean => {
    const before = lastFound.get(one.name)
    return before?.ino === one.ino && before.size === one.size && before.mtimeMs === one.mtimeMs
  }

  /** The known file that this one is, with a longer head when it has grown; undefined when it is new. */
  const recognise = (one: Found, head: Buffer, candidates: readonly Known[]): Known | undefined => {
    const known = candidates.find(
      ({ headLength, head: hashed }) =>
        headLength <= head.length && sha256(head.subarray(0, headLength)) === hashed,
    )
    if (known === undefined || one.size < (lastFound.get(known.name)?.size ?? 0)) return undefined
    return { ...known, name: one.name, ino: one.ino, head: sha256(head), headLength: head.length }
  }

  const number = async (found: readonly Found[], current: State): Promise<State> => {
    const inoOf = new Map(found.map((one) => [one.name, one.ino]))
    const files = new Map(current.files.map((one) => [one.ordinal, one]))
    let { next } = current
    for (const one of found) {
      if (sameAsBefore(one)) continue
      const head = await readHead(join(root, one.name))
      // The newest bearer of a name is meant: earlier ones were replaced.
      const byName = [...files.values()].filter((known) => known.name === one.name).slice(-1)
      const moved = [...files.values()].filter(
        (known) => known.ino === one.ino && known.headLength > 0 && inoOf.get(known.name) !== known.ino,
      )
      const known = recognise(one, head, [...byName, ...moved])
      if (known !== undefined) {
        files.set(known.ordinal, known)
        continue
      }
      files.set(next, {
        ordinal: next,
        name: one.name,
        ino: one.ino,
        head: sha256(head),
        headLength: head.length,
      })
      next += 1
    }
    return { next, files: [...files.values()] }
  }

  const scanOnce = async (): Promise<readonly PresentFile[]> => {
    state ??= stateFile === undefined ? { next: 1, files: [] } : await loadState(stateFile)
    const current = state
    const found = await list()
    const numbered = await number(found, current)
    if (stateFile !== undefined && JSON.stringify(numbered) !== JSON.stringify(current)) {
      await saveState(stateFile, numbered)
    }
    state = numbered
    lastFound = new Map(found.map((one) => [one.name, one]))
    // Later bearers of a name replace earlier ones.
    const byName = new Map(numbered.files.map((known) => [known.name, known.ordinal]))
    last = found
      .map(({ name, size, mtimeMs }) => ({
        ordinal: byName.get(name) ?? 0,
        name,
        path: join(root, name),
        size,
        mtimeMs,
      }))
      .sort((a, b) => a.ordinal - b.ordinal)
    return last
  }

  return {
    async scan() {
      running ??= scanOnce().finally(() => {
        running = undefined
      })
      try {
        return await running
      } catch (cause) {
        if (cause instanceof SourceError) throw cause
        const path = 'file' in place ? place.file : place.folder
        throw new SourceError(fileProblem(path, 'file' in place ? 'file' : 'folder', cause))
      }
    },
    newest: () => (state === undefined ? 0 : state.next - 1),
  }
}
