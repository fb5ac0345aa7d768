/** Checks that look at this machine only: configuration, data directory, keys. */
import { access, constants, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Resolved } from '../../config/load.js'
import type { ConfigProblem } from '../../config/problem.js'
import type { Result } from '../../core/result.js'
import type { Text } from '../../core/types.js'
import type { Check, Finding } from '../doctor.js'
import { both } from '../text.js'

const list = (problems: readonly ConfigProblem[], lang: 'en' | 'de'): string =>
  problems.map((p) => `${p.setting}${p.where === '' ? '' : ` (${p.where})`} ${p.wrong[lang]}.`).join(' ')

const fixes = (problems: readonly ConfigProblem[]): Text => ({
  en: problems.map((p) => p.fix.en).join(' '),
  de: problems.map((p) => p.fix.de).join(' '),
})

export const configCheck = (resolved: Result<Resolved, readonly ConfigProblem[]>, path: string): Check => ({
  name: 'config',
  run: async () => {
    if (!resolved.ok) {
      return {
        status: 'failed',
        what: { en: list(resolved.error, 'en'), de: list(resolved.error, 'de') },
        impact: { en: 'The connector will not start.', de: 'Der Connector startet nicht.' },
        fix: fixes(resolved.error),
      }
    }
    const { warnings, file } = resolved.value
    if (warnings.length > 0) {
      return {
        status: 'warning',
        what: { en: list(warnings, 'en'), de: list(warnings, 'de') },
        impact: {
          en: 'The connector starts, but partners may not reach or not believe it.',
          de: 'Der Connector startet, aber Partner erreichen ihn womöglich nicht oder glauben ihm nicht.',
        },
        fix: fixes(warnings),
      }
    }
    return {
      status: 'ok',
      what:
        file === undefined
          ? { en: `environment only, no ${path}`, de: `nur Umgebung, kein ${path}` }
          : both(file),
    }
  },
})

const GIB = 1024 ** 3
/** Below this, new records will soon find no place, bytes. */
const LITTLE_SPACE = GIB
/** Below this, the database itself is in danger, bytes. */
const NO_SPACE = 100 * 1024 ** 2

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)

export const dataDirectoryCheck = (dataDir: string): Check => ({
  name: 'data-directory',
  needs: ['config'],
  run: async () => {
    const found = await stat(dataDir).catch((cause: unknown) => codeOf(cause))
    if (typeof found === 'string') return unusable(dataDir, found)
    if (!found.isDirectory()) return unusable(dataDir, 'ENOTDIR')
    const failure = await probe(dataDir)
    if (failure !== undefined) return unusable(dataDir, failure)
    return (await spaceFinding(dataDir)) ?? modeFinding(dataDir, found.mode) ?? (await roomy(dataDir))
  },
})

/** Writes, syncs and removes a file: permission bits alone do not tell of read-only mounts and quotas. */
async function probe(dataDir: string): Promise<string | undefined> {
  const file = join(dataDir, `.doctor-${process.pid}`)
  try {
    await access(dataDir, constants.W_OK)
    const handle = await open(file, 'wx', 0o600)
    try {
      await handle.writeFile('doctor')
      await handle.sync()
    } finally {
      await handle.close()
    }
    return undefined
  } catch (cause) {
    return codeOf(cause)
  } finally {
    await rm(file, { force: true }).catch(() => {
      // What could not be written cannot be removed either; the code above says so.
    })
  }
}

function unusable(dataDir: string, code: string): Finding {
  const what: Readonly<Record<string, Text>> = {
    ENOENT: { en: `${dataDir} does not exist`, de: `${dataDir} gibt es nicht` },
    ENOTDIR: { en: `${dataDir} is not a folder`, de: `${dataDir} ist kein Ordner` },
    EROFS: {
      en: `${dataDir} is on a read-only file system`,
      de: `${dataDir} liegt auf einem schreibgeschützten Dateisystem`,
    },
    ENOSPC: { en: `${dataDir} has no space left`, de: `für ${dataDir} ist kein Platz mehr frei` },
  }
  const fix: Readonly<Record<string, Text>> = {
    ENOENT: {
      en: 'Create it with: handschlag init. If it should be there, check whether the volume is mounted.',
      de: 'Legen Sie es an mit: handschlag init. Sollte es schon da sein, prüfen Sie, ob das Volume eingehängt ist.',
    },
    ENOTDIR: { en: 'Set dataDir to a folder.', de: 'Setzen Sie dataDir auf einen Ordner.' },
    EROFS: { en: 'Mount a writable volume there.', de: 'Hängen Sie dort ein beschreibbares Volume ein.' },
    ENOSPC: { en: 'Free some space.', de: 'Schaffen Sie Platz.' },
  }
  return {
    status: 'failed',
    what: what[code] ?? {
      en: `${dataDir} is not writable for this user (${code})`,
      de: `${dataDir} ist für diesen Benutzer nicht beschreibbar (${code})`,
    },
    impact: {
      en: 'Contracts and keys cannot be stored; the connector will not start.',
      de: 'Verträge und Schlüssel lassen sich nicht speichern, der Connector startet nicht.',
    },
    fix: fix[code] ?? {
      en: `Run the command as the user of the connector, or: chown -R "$(id -un)" ${dataDir}`,
      de: `Führen Sie den Befehl als Benutzer des Connectors aus, oder: chown -R "$(id -un)" ${dataDir}`,
    },
  }
}

function modeFinding(dataDir: string, mode: number): Finding | undefined {
  if ((mode & 0o077) === 0) return undefined
  const octal = (mode & 0o777).toString(8)
  return {
    status: 'warning',
    what: {
      en: `${dataDir} is open to other users of this machine (mode ${octal})`,
      de: `${dataDir} steht anderen Benutzern dieser Maschine offen (Modus ${octal})`,
    },
    impact: {
      en: 'They may see contracts and recorded data.',
      de: 'Sie sehen womöglich Verträge und aufgezeichnete Daten.',
    },
    fix: both(`chmod 700 ${dataDir}`),
  }
}

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`

async function freeBytes(dataDir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dataDir)
  return bavail * bsize
}

async function spaceFinding(dataDir: string): Promise<Finding | undefined> {
  const free = await freeBytes(dataDir)
  if (free >= LITTLE_SPACE) return undefined
  return {
    status: free < NO_SPACE ? 'failed' : 'warning',
    what: { en: `${dataDir} has only ${gib(free)} left`, de: `für ${dataDir} sind nur ${gib(free)} frei` },
    impact: {
      en: 'When it is full, nothing can be agreed and no record can be kept.',
      de: 'Ist der Platz aufgebraucht, lässt sich nichts vereinbaren und nichts aufzeichnen.',
    },
    fix: {
      en: 'Free some space, or shorten historyRetention.',
      de: 'Schaffen Sie Platz, oder verkürzen Sie historyRetention.',
    },
  }
}

async function roomy(dataDir: string): Promise<Finding> {
  const free = gib(await freeBytes(dataDir))
  return { status: 'ok', what: { en: `${dataDir}, ${free} free`, de: `${dataDir}, ${free} frei` } }
}

/** @param load names the key in use, or says which file is wrong and what to do. */
export const keysCheck = (load: () => Promise<Result<{ readonly name: string }>>): Check => ({
  name: 'keys',
  needs: ['data-directory'],
  run: async () => {
    const keys = await load()
    if (keys.ok) {
      return { status: 'ok', what: { en: `key ${keys.value.name}`, de: `Schlüssel ${keys.value.name}` } }
    }
    return {
      status: 'failed',
      what: both(keys.error.message),
      impact: {
        en: 'The connector cannot prove who it is, and will not start.',
        de: 'Der Connector kann nicht beweisen, wer er ist, und startet nicht.',
      },
      fix: {
        en: 'If keys were never made: handschlag init. Otherwise restore the keys folder from a backup; new keys would make every partner trust you anew.',
        de: 'Gab es noch nie Schlüssel: handschlag init. Sonst spielen Sie den Schlüsselordner aus einer Sicherung zurück; mit neuen Schlüsseln muss Ihnen jeder Partner neu vertrauen.',
      },
    }
  },
})
