/**
 * A file that appears under its name only when it is whole. Until then it grows as `<name>.partial`, and
 * `<name>.partial.state` says how far it is accounted for and what was asked for, so that the same command goes on.
 */
import { existsSync } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ok, problem, type Result } from '../../core/result.js'
import type { Call } from '../command.js'
import { inLang } from './connected.js'

export type Reached = {
  readonly records: number
  readonly lastId?: string
  /** Entity tag of a file that is delivered as it is. */
  readonly etag?: string
}

type State = Reached & { readonly wish: string; readonly from?: string; readonly size: number }

export type PartialFile = AsyncDisposable & {
  readonly path: string
  /** Where an earlier run of the same command came to. */
  readonly begun: (Reached & { readonly from?: string; readonly size: number }) | undefined
  write(bytes: Buffer): Promise<void>
  /** Makes safe what was written, now and then or `now`. */
  reached(reached: Reached, now?: boolean): Promise<void>
  restart(): Promise<boolean>
  /** Puts the file under its name, in one step. */
  finish(): Promise<void>
  /** Takes away what holds nothing. */
  discard(): Promise<void>
}

/** Between two notes of how far it is, bytes. */
const NOTE_EVERY = 4 * 1024 * 1024

/** @param wish what makes this command the same as an earlier one. */
export async function openPartialFile(
  call: Pick<Call, 'lang'>,
  name: string,
  wish: { readonly text: string; readonly from?: string },
  replace: boolean,
): Promise<Result<PartialFile>> {
  if (existsSync(name) && !replace) {
    return problem(
      'Conflict',
      inLang(
        call,
        `${name} exists already. Nothing was changed. Name another file, or replace it with --replace.`,
        `${name} gibt es schon. Es wurde nichts geändert. Nennen Sie eine andere Datei, oder ersetzen Sie sie mit --replace.`,
      ),
    )
  }
  const path = `${name}.partial`
  const statePath = `${path}.state`
  const before = existsSync(path) ? await readState(statePath) : undefined
  if (existsSync(path) && before?.wish !== wish.text) {
    return problem(
      'Conflict',
      inLang(
        call,
        `${path} is left from another pull. Remove it, run that pull again, or name another file.`,
        `${path} stammt von einem anderen Abruf. Entfernen Sie die Datei, wiederholen Sie jenen Abruf, oder nennen Sie eine andere Datei.`,
      ),
    )
  }
  let file: FileHandle
  try {
    file = await open(path, before === undefined ? 'wx+' : 'r+', 0o600)
  } catch (cause) {
    return problem(
      'InvalidInput',
      inLang(
        call,
        `${path} cannot be written. Check that its folder exists and is writable.`,
        `${path} lässt sich nicht schreiben. Prüfen Sie, ob es den Ordner gibt und ob er beschreibbar ist.`,
      ),
      cause,
    )
  }
  const stat = await file.stat()
  const begun = before !== undefined && before.size <= stat.size ? before : undefined
  await file.truncate(begun?.size ?? 0)
  const from = begun === undefined ? wish.from : begun.from
  return ok(
    partialFile({
      name,
      path,
      statePath,
      file,
      begun,
      base: { wish: wish.text, ...(from === undefined ? {} : { from }) },
    }),
  )
}

function partialFile(m: {
  readonly name: string
  readonly path: string
  readonly statePath: string
  readonly file: FileHandle
  readonly begun: State | undefined
  readonly base: Pick<State, 'wish' | 'from'>
}): PartialFile {
  const { name, path, statePath, file, begun, base } = m
  let size = begun?.size ?? 0
  let noted = -1
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    await file.close()
  }
  return {
    path,
    begun,
    async write(bytes) {
      await file.write(bytes, 0, bytes.length, size)
      size += bytes.length
    },
    async reached(reached, now = false) {
      if (size === noted || (!now && noted >= 0 && size - noted < NOTE_EVERY)) return
      await file.datasync()
      await writeState(statePath, { ...base, ...reached, size })
      noted = size
    },
    async restart() {
      size = 0
      noted = -1
      await file.truncate(0)
      return true
    },
    async finish() {
      await file.sync()
      await close()
      await rename(path, name)
      await rm(statePath, { force: true })
      const folder = await open(dirname(name), 'r')
      await folder.sync().finally(() => folder.close())
    },
    async discard() {
      await close()
      await rm(path, { force: true })
      await rm(statePath, { force: true })
    },
    [Symbol.asyncDispose]: close,
  }
}

async function writeState(path: string, state: State): Promise<void> {
  const fresh = `${path}.new`
  const file = await open(fresh, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(state)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
}

async function readState(path: string): Promise<State | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof value !== 'object' || value === null) return undefined
    const { wish, from, size, records, lastId, etag } = value as Record<string, unknown>
    if (typeof wish !== 'string' || typeof size !== 'number' || typeof records !== 'number') return undefined
    if (!Number.isSafeInteger(size) || size < 0) return undefined
    return {
      wish,
      size,
      records,
      ...(typeof from === 'string' && { from }),
      ...(typeof lastId === 'string' && { lastId }),
      ...(typeof etag === 'string' && { etag }),
    }
  } catch {
    // Without a readable state nobody knows what the file holds; the caller refuses to go on with it.
    return undefined
  }
}
