/** Files that only this user may read: created complete or not at all, never overwritten. */
import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ok, problem, type Result } from '../core/result.js'

/** Creates the folder with 0700, also when its parents are missing; closes an existing one to others. */
export async function makePrivateFolder(path: string): Promise<Result<void>> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await chmod(path, 0o700)
    return ok(undefined)
  } catch (cause) {
    return fileProblem(`The folder ${path} cannot be created`, cause)
  }
}

/**
 * Writes a 0600 file that appears whole or not at all, durably. An existing file is left alone.
 *
 * @returns whether this call created it
 */
export async function createFileOnce(path: string, content: string): Promise<Result<boolean>> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    await writeDurably(draft, content)
    try {
      // A link fails when the name is taken, which a rename would not.
      await link(draft, path)
    } catch (cause) {
      if (codeOf(cause) === 'EEXIST') return ok(false)
      throw cause
    }
    await syncFolder(dirname(path))
    return ok(true)
  } catch (cause) {
    return fileProblem(`${path} cannot be written`, cause)
  } finally {
    await rm(draft, { force: true })
  }
}

/** Text of a file that others must not be able to read; `KeyUnusable` says what to do. */
export async function readPrivateFile(path: string): Promise<Result<string>> {
  try {
    // Group access is left to the operator: some volume managers hand files to a group of one.
    const { mode } = await stat(path)
    if ((mode & 0o007) !== 0) {
      return problem('KeyUnusable', {
        en: `${path} can be read or changed by every user of this machine. Run "chmod 600 ${path}" and, if others had access, make new keys.`,
        de: `${path} kann jeder Benutzer dieser Maschine lesen oder ändern. Führen Sie „chmod 600 ${path}“ aus, und erzeugen Sie neue Schlüssel, falls andere Zugriff hatten.`,
      })
    }
    return ok(await readFile(path, 'utf8'))
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') {
      return problem(
        'KeyUnusable',
        {
          en: `${path} is missing. Run "handschlag init", or restore it from a backup.`,
          de: `${path} fehlt. Führen Sie „handschlag init“ aus, oder stellen Sie die Datei aus einer Sicherung wieder her.`,
        },
        cause,
      )
    }
    return fileProblem(`${path} cannot be read`, cause)
  }
}

export async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes names created in the folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : undefined

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no permission',
  EPERM: 'this user has no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file',
}

export const fileProblem = (what: string, cause: unknown): Result<never> =>
  problem('KeyUnusable', `${what}: ${REASONS[codeOf(cause) ?? ''] ?? codeOf(cause) ?? String(cause)}.`, cause)
