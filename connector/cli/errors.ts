/** Why the connector could not start, as a sentence: what happened, what it means, what to do. */
import { basename } from 'node:path'
import type { Config } from '../config/load.js'
import type { Lang, Text } from '../core/types.js'

/** What is known of the configuration when it fails; nothing at all is possible. */
export type StartContext = {
  readonly lang: Lang
  readonly config?: Pick<Config, 'port' | 'managementPort' | 'managementHost' | 'host' | 'dataDir'>
}

type SystemError = Error & {
  readonly code: string
  readonly port?: number
  readonly address?: string
  readonly path?: string
}

const codeOf = (cause: unknown): cause is SystemError =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string'

/** The first error of the chain of causes that has a code; AggregateError and `cause` are looked into. */
function rootOf(cause: unknown): unknown {
  if (codeOf(cause)) return cause
  if (cause instanceof AggregateError && cause.errors.length > 0) return rootOf(cause.errors[0])
  if (cause instanceof Error && cause.cause !== undefined) return rootOf(cause.cause)
  return cause
}

type Explain = (error: SystemError, context: StartContext) => Text

const portVariable = (port: number | undefined, context: StartContext): string =>
  port !== undefined && port === context.config?.managementPort
    ? 'HANDSCHLAG_MANAGEMENT_PORT'
    : 'HANDSCHLAG_PORT'

const directory = (error: SystemError, context: StartContext): string =>
  context.config?.dataDir ?? error.path ?? 'the data directory'

const damaged: Explain = () => ({
  en: 'The database file failed its integrity check. Nothing was changed. Put the data directory of your newest backup in its place, then start again.',
  de: 'Die Datenbankdatei hat die Integritätsprüfung nicht bestanden. Es wurde nichts geändert. Setzen Sie das Datenverzeichnis Ihrer neuesten Sicherung an seine Stelle, und starten Sie dann neu.',
})

const noSpace: Explain = (error, context) => ({
  en: `There is no space left for ${directory(error, context)}. Nothing was lost; new data cannot be written. Free some space, then start again.`,
  de: `Für ${directory(error, context)} ist kein Platz mehr frei. Es ging nichts verloren, aber Neues lässt sich nicht schreiben. Schaffen Sie Platz, und starten Sie dann neu.`,
})

const notWritable: Explain = (error, context) => {
  const where = directory(error, context)
  return {
    en: `The data directory ${where} is not writable for this user. Nothing was changed. Make it yours (chown -R "$(id -un)" ${where}), or set HANDSCHLAG_DATA_DIR to a folder that is.`,
    de: `Das Datenverzeichnis ${where} ist für diesen Benutzer nicht beschreibbar. Es wurde nichts geändert. Übernehmen Sie es (chown -R "$(id -un)" ${where}), oder setzen Sie HANDSCHLAG_DATA_DIR auf einen beschreibbaren Ordner.`,
  }
}

const BY_CODE: Readonly<Record<string, Explain>> = {
  EADDRINUSE: (error, context) => {
    const port = error.port ?? context.config?.port
    const variable = portVariable(port, context)
    return {
      en: `Port ${port} is taken by another program. Set ${variable} to a free port, or stop the other program (ss -ltnp 'sport = :${port}').`,
      de: `Port ${port} ist von einem anderen Programm belegt. Setzen Sie ${variable} auf einen freien Port, oder beenden Sie das andere Programm (ss -ltnp 'sport = :${port}').`,
    }
  },
  EADDRNOTAVAIL: (error, context) => {
    const isManagement = error.port !== undefined && error.port === context.config?.managementPort
    const variable = isManagement ? 'HANDSCHLAG_MANAGEMENT_HOST' : 'HANDSCHLAG_HOST'
    const address = error.address ?? (isManagement ? context.config?.managementHost : context.config?.host)
    return {
      en: `This machine does not have the address ${address}. Set ${variable} to one it has, or to 0.0.0.0 for all of them (ip addr shows them).`,
      de: `Diese Maschine hat die Adresse ${address} nicht. Setzen Sie ${variable} auf eine vorhandene oder auf 0.0.0.0 für alle (ip addr zeigt sie).`,
    }
  },
  EACCES: (error, context) => {
    // Node gives listen() failures a port and file failures a path.
    if (error.port === undefined) return notWritable(error, context)
    const variable = portVariable(error.port, context)
    return {
      en: `Port ${error.port} needs rights that this user does not have. Set ${variable} to a port from 1024 up, and let a reverse proxy or port forwarding take ${error.port}.`,
      de: `Für Port ${error.port} fehlen diesem Benutzer die Rechte. Setzen Sie ${variable} auf einen Port ab 1024, und lassen Sie einen Reverse-Proxy oder eine Portweiterleitung ${error.port} übernehmen.`,
    }
  },
  EPERM: notWritable,
  EROFS: (error, context) => {
    const where = directory(error, context)
    return {
      en: `The data directory ${where} is on a read-only file system. Nothing was changed. Mount a writable volume there, or set HANDSCHLAG_DATA_DIR to a writable folder.`,
      de: `Das Datenverzeichnis ${where} liegt auf einem schreibgeschützten Dateisystem. Es wurde nichts geändert. Hängen Sie dort ein beschreibbares Volume ein, oder setzen Sie HANDSCHLAG_DATA_DIR auf einen beschreibbaren Ordner.`,
    }
  },
  ENOENT: (error, context) => {
    const where = directory(error, context)
    return {
      en: `The data directory ${where} does not exist or is incomplete. Create it with: handschlag init. If it should be there, check HANDSCHLAG_DATA_DIR and whether the volume is mounted.`,
      de: `Das Datenverzeichnis ${where} gibt es nicht, oder es ist unvollständig. Legen Sie es an mit: handschlag init. Sollte es schon da sein, prüfen Sie HANDSCHLAG_DATA_DIR und ob das Volume eingehängt ist.`,
    }
  },
  ENOTDIR: (error, context) => {
    const where = directory(error, context)
    return {
      en: `${where} is a file, but a data directory is needed there. Set HANDSCHLAG_DATA_DIR to a folder.`,
      de: `${where} ist eine Datei, gebraucht wird dort aber ein Datenverzeichnis. Setzen Sie HANDSCHLAG_DATA_DIR auf einen Ordner.`,
    }
  },
  ENOSPC: noSpace,
  SQLITE_FULL: noSpace,
  SQLITE_CORRUPT: damaged,
  SQLITE_NOTADB: damaged,
  SQLITE_CANTOPEN: notWritable,
  SQLITE_READONLY: notWritable,
  SQLITE_BUSY: (error, context) => ({
    en: `Another program is using the database in ${directory(error, context)}. Two connectors cannot share one data directory. Stop the other one first.`,
    de: `Ein anderes Programm benutzt die Datenbank in ${directory(error, context)}. Zwei Connectoren können sich kein Datenverzeichnis teilen. Beenden Sie zuerst den anderen.`,
  }),
}

/** A database written by a newer program says so with the schema it found and the newest one we know. */
function newerSchema(cause: unknown, context: StartContext): Text | undefined {
  if (!(cause instanceof Error && 'found' in cause && 'known' in cause)) return undefined
  const where = context.config?.dataDir ?? ''
  return {
    en: `The database in ${where} has schema ${cause.found}; this program knows up to ${cause.known}. Nothing was changed. Start the newer version of handschlag again, or put the data directory of a backup made before the upgrade in its place.`,
    de: `Die Datenbank in ${where} hat Schema ${cause.found}, dieses Programm kennt nur bis ${cause.known}. Es wurde nichts geändert. Starten Sie wieder die neuere Version von handschlag, oder setzen Sie das Datenverzeichnis einer Sicherung von vor dem Update an seine Stelle.`,
  }
}

/** The sentence for a failed start; undefined when the error is a bug of ours and its stack is the better report. */
export function explainStartFailure(cause: unknown, context: StartContext): string | undefined {
  const newer = newerSchema(cause, context)
  if (newer !== undefined) return newer[context.lang]
  const root = rootOf(cause)
  if (!codeOf(root)) return undefined
  // SQLite appends a detail to some codes, such as SQLITE_CORRUPT_INDEX or SQLITE_IOERR_WRITE.
  const code = root.code in BY_CODE ? root.code : root.code.split('_').slice(0, 2).join('_')
  const explain = BY_CODE[code]
  return explain?.(root, context)[context.lang]
}

/** What a person reads when nothing better is known. */
export const unexpected = (cause: unknown, program: string, lang: Lang): string => {
  const what = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  const head: Text = {
    en: `${basename(program)} stopped because of an error in the program itself. Please report it with these lines:`,
    de: `${basename(program)} wurde durch einen Fehler im Programm selbst beendet. Bitte melden Sie ihn mit diesen Zeilen:`,
  }
  return `${head[lang]}\n${what}`
}
