/**
 * Loads the configuration: file and environment (the environment wins) through the table of settings into one
 * typed value. Reports every problem at once, and never echoes a secret.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { LogLevel } from '../core/log.js'
import { err, ok, type Result } from '../core/result.js'
import type { Lang, ParticipantId } from '../core/types.js'
import { type ConfigFile, parseFile } from './file.js'
import { langOfEnvironment } from './language.js'
import { type ConfigProblem, shown } from './problem.js'
import { type PrivateAddresses, SETTINGS, type Setting, settingEntries } from './settings.js'
import { checkTlsFiles } from './tls-files.js'
import { unknownKeys, unknownVariables } from './unknown.js'

export const DEFAULT_FILE = 'handschlag.yaml'

/** Everything parsed: paths absolute, durations in milliseconds. */
export type Config = {
  readonly name: string
  /** Origin only, such as `https://connector.example.com`. */
  readonly publicUrl: string
  readonly participantId: ParticipantId
  readonly host: string
  readonly port: number
  readonly managementHost: string
  readonly managementPort: number
  readonly dataDir: string
  /** off: a reverse proxy in front speaks HTTPS, the public port speaks HTTP. */
  readonly tls: 'on' | 'off'
  /** Both set when tls is on. */
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsKeyPassphrase?: string
  readonly trustedCa?: string
  readonly allowPrivateAddresses: PrivateAddresses
  readonly historyRetentionMs: number
  readonly receiveDir: string
  /** Bytes. */
  readonly receiveLimit: number
  readonly logLevel: LogLevel
  readonly maxClockSkewMs: number
  /** All callers together. */
  readonly maxConnections: number
  readonly maxConnectionsPerPartner: number
  /** Of one partner. */
  readonly maxRequestsPerSecond: number
  readonly language: Lang
}

/** What a setting was made from, for `config print`. */
export type Origin = { readonly from: string; readonly raw: unknown }

export type Resolved = {
  readonly config: Config
  /** Absolute; undefined when there is no file and everything comes from the environment. */
  readonly file?: string
  readonly origins: ReadonlyMap<string, Origin>
  readonly warnings: readonly ConfigProblem[]
}

export type ConfigInput = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** File named on the command line; otherwise HANDSCHLAG_CONFIG, otherwise ./handschlag.yaml if there is one. */
  readonly file?: string
  /** False leaves certificates and keys unread, for commands that only talk to a running connector. */
  readonly readTlsFiles?: boolean
}

/** Where the configuration file is, or would be. */
export function configPath(input: ConfigInput): { readonly path: string; readonly named: boolean } {
  const named = input.file ?? (input.env.HANDSCHLAG_CONFIG || undefined)
  return { path: resolve(input.cwd, named ?? DEFAULT_FILE), named: named !== undefined }
}

export function resolveConfig(input: ConfigInput): Result<Resolved, readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = []
  const warnings: ConfigProblem[] = []
  const file = openFile(input, problems)
  // Without the file that was named, everything else that is missing is only its consequence.
  if (problems.length > 0 && file === undefined) return err(problems)
  if (file === undefined && saysNothing(input.env)) return err([absentFile(configPath(input).path)])
  const origins = new Map<string, Origin>()
  const fileName = basename(configPath(input).path)

  function read<T>(name: string, s: Setting<T>): T | undefined {
    const fromEnv = input.env[s.env]
    const fromFile = file?.values.get(name)
    // An empty variable counts as not set: that is how compose files and unit files switch one off.
    const isEnv = fromEnv !== undefined && fromEnv !== ''
    const raw = isEnv ? fromEnv : fromFile?.raw
    const where = isEnv || fromFile === undefined ? s.env : `${fileName}:${fromFile.line}`
    if (raw === undefined || raw === null) {
      if (s.fallback !== undefined) {
        const parsed = s.parse(s.fallback)
        if ('expected' in parsed) throw new Error(`fallback of setting ${name} does not parse`)
        origins.set(name, { from: 'default', raw: s.fallback })
        return parsed.value
      }
      if (s.otherwise === undefined) {
        problems.push({
          setting: name,
          where: s.env,
          wrong: { en: 'is not set', de: 'ist nicht gesetzt' },
          fix: {
            en: `Set ${name} in ${fileName} or ${s.env}, for example ${s.example}`,
            de: `Setzen Sie ${name} in ${fileName} oder ${s.env}, zum Beispiel ${s.example}`,
          },
        })
      }
      return undefined
    }
    origins.set(name, { from: where, raw })
    const parsed = s.parse(raw)
    if ('value' in parsed) return parsed.value
    problems.push({
      setting: name,
      where,
      wrong: {
        en: `is ${s.secret ? 'a value of the wrong form' : `"${shown(raw)}"`}, expected ${parsed.expected.en}`,
        de: `ist ${s.secret ? 'ein Wert falscher Form' : `„${shown(raw)}“`}, erwartet wird ${parsed.expected.de}`,
      },
      fix: parsed.fix ?? { en: `Example: ${s.example}`, de: `Beispiel: ${s.example}` },
    })
    return undefined
  }

  /** Paths in the file are meant from the file, paths in the environment from where the program was started. */
  function path(name: string, s: Setting<string>): string | undefined {
    const value = read(name, s)
    if (value === undefined) return undefined
    const base = origins.get(name)?.from === s.env ? input.cwd : dirname(configPath(input).path)
    return resolve(base, value)
  }

  const name = read('name', SETTINGS.name)
  const publicUrl = read('publicUrl', SETTINGS.publicUrl)
  const givenId = read('participantId', SETTINGS.participantId)
  const host = read('host', SETTINGS.host)
  const port = read('port', SETTINGS.port)
  const managementHost = read('managementHost', SETTINGS.managementHost)
  const managementPort = read('managementPort', SETTINGS.managementPort)
  const dataDir = path('dataDir', SETTINGS.dataDir)
  const tls = read('tls', SETTINGS.tls)
  const tlsCert = path('tlsCert', SETTINGS.tlsCert)
  const tlsKey = path('tlsKey', SETTINGS.tlsKey)
  const tlsKeyPassphrase = read('tlsKeyPassphrase', SETTINGS.tlsKeyPassphrase)
  const trustedCa = path('trustedCa', SETTINGS.trustedCa)
  const allowPrivateAddresses = read('allowPrivateAddresses', SETTINGS.allowPrivateAddresses)
  const historyRetentionMs = read('historyRetention', SETTINGS.historyRetention)
  const receiveDir = path('receiveDir', SETTINGS.receiveDir)
  const receiveLimit = read('receiveLimit', SETTINGS.receiveLimit)
  const logLevel = read('logLevel', SETTINGS.logLevel)
  const maxClockSkewMs = read('maxClockSkew', SETTINGS.maxClockSkew)
  const maxConnections = read('maxConnections', SETTINGS.maxConnections)
  const maxConnectionsPerPartner = read('maxConnectionsPerPartner', SETTINGS.maxConnectionsPerPartner)
  const maxRequestsPerSecond = read('maxRequestsPerSecond', SETTINGS.maxRequestsPerSecond)
  const language = read('language', SETTINGS.language) ?? langOfEnvironment(input.env)

  problems.push(...unknownKeys(file, fileName), ...unknownVariables(input.env))

  if (port !== undefined && port === managementPort) {
    problems.push({
      setting: 'managementPort',
      where: origins.get('managementPort')?.from ?? '',
      wrong: {
        en: `is ${port}, the same as port: partners and your own people must not share one port`,
        de: `ist ${port} und damit gleich port: Partner und die eigenen Leute dürfen sich keinen Port teilen`,
      },
      fix: {
        en: 'Choose another port for one of the two.',
        de: 'Wählen Sie für einen der beiden einen anderen Port.',
      },
    })
  }

  const participantId = givenId ?? (publicUrl === undefined ? undefined : didOf(publicUrl))
  if (
    publicUrl !== undefined &&
    participantId === undefined &&
    !problems.some((p) => p.setting === 'participantId')
  ) {
    problems.push({
      setting: 'participantId',
      where: SETTINGS.participantId.env,
      wrong: {
        en: 'cannot be made from publicUrl, because did:web has no form for an IPv6 address',
        de: 'lässt sich nicht aus publicUrl bilden, weil did:web keine Form für eine IPv6-Adresse hat',
      },
      fix: {
        en: 'Use a host name in publicUrl, or set participantId.',
        de: 'Nehmen Sie in publicUrl einen Rechnernamen, oder setzen Sie participantId.',
      },
    })
  }
  if (publicUrl !== undefined && givenId !== undefined && hostOfDid(givenId) !== new URL(publicUrl).host) {
    warnings.push({
      setting: 'participantId',
      where: origins.get('participantId')?.from ?? '',
      wrong: {
        en: `points to ${hostOfDid(givenId)}, but publicUrl is ${publicUrl}`,
        de: `zeigt auf ${hostOfDid(givenId)}, publicUrl aber ist ${publicUrl}`,
      },
      fix: {
        en: `Partners fetch the DID document from ${hostOfDid(givenId)}. Make sure that it is served there, or leave participantId out.`,
        de: `Partner holen das DID-Dokument von ${hostOfDid(givenId)}. Sorgen Sie dafür, dass es dort liegt, oder lassen Sie participantId weg.`,
      },
    })
  }

  const certificates = checkTlsFiles({
    mode: tls,
    readFiles: input.readTlsFiles !== false,
    cert: tlsCert,
    key: tlsKey,
    passphrase: tlsKeyPassphrase,
    trustedCa,
    publicUrl,
    fileName,
    named: (setting) => origins.get(setting)?.from,
  })
  problems.push(...certificates.problems)
  warnings.push(...certificates.warnings)

  if (
    problems.length > 0 ||
    name === undefined ||
    publicUrl === undefined ||
    participantId === undefined ||
    host === undefined ||
    port === undefined ||
    managementHost === undefined ||
    managementPort === undefined ||
    dataDir === undefined ||
    tls === undefined ||
    allowPrivateAddresses === undefined ||
    historyRetentionMs === undefined ||
    receiveLimit === undefined ||
    logLevel === undefined ||
    maxClockSkewMs === undefined ||
    maxConnections === undefined ||
    maxConnectionsPerPartner === undefined ||
    maxRequestsPerSecond === undefined
  ) {
    return err(problems)
  }
  return ok({
    config: {
      name,
      publicUrl,
      participantId,
      host,
      port,
      managementHost,
      managementPort,
      dataDir,
      tls,
      ...(tlsCert === undefined ? {} : { tlsCert }),
      ...(tlsKey === undefined ? {} : { tlsKey }),
      ...(tlsKeyPassphrase === undefined ? {} : { tlsKeyPassphrase }),
      ...(trustedCa === undefined ? {} : { trustedCa }),
      allowPrivateAddresses,
      historyRetentionMs,
      receiveDir: receiveDir ?? resolve(dataDir, 'received'),
      receiveLimit,
      logLevel,
      maxClockSkewMs,
      maxConnections,
      maxConnectionsPerPartner,
      maxRequestsPerSecond,
      language,
    },
    ...(file === undefined ? {} : { file: file.path }),
    origins,
    warnings,
  })
}

/** did:web Method Specification, "Method-specific identifier": a port is percent-encoded. */
function didOf(publicUrl: string): ParticipantId | undefined {
  const parsed = SETTINGS.participantId.parse(`did:web:${new URL(publicUrl).host.replace(':', '%3A')}`)
  return 'value' in parsed ? parsed.value : undefined
}

const hostOfDid = (did: string): string => (did.split(':')[2] ?? '').replace(/%3A/i, ':').toLowerCase()

function openFile(input: ConfigInput, problems: ConfigProblem[]): ConfigFile | undefined {
  const { path, named } = configPath(input)
  if (!named && !existsSync(path)) return undefined
  try {
    const file = parseFile(path, readFileSync(path, 'utf8'))
    problems.push(...file.problems)
    return file
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    problems.push(
      code === 'ENOENT'
        ? absentFile(path)
        : {
            setting: path,
            where: code,
            wrong: { en: 'cannot be read', de: 'lässt sich nicht lesen' },
            fix: {
              en: 'Give the user of this program the right to read the file.',
              de: 'Geben Sie dem Benutzer dieses Programms das Recht, die Datei zu lesen.',
            },
          },
    )
    return undefined
  }
}

const absentFile = (path: string): ConfigProblem => ({
  setting: path,
  where: '',
  wrong: { en: 'does not exist', de: 'gibt es nicht' },
  fix: {
    en: 'Create it with: handschlag init. If it stands elsewhere, name it with --config.',
    de: 'Legen Sie sie an mit: handschlag init. Wenn sie anderswo liegt, nennen Sie sie mit --config.',
  },
})

/** Whoever sets a variable, and be it a wrong one, means to go without a file; a language says nothing about that. */
const saysNothing = (env: ConfigInput['env']): boolean =>
  unknownVariables(env).length === 0 &&
  settingEntries.every(([name, { env: variable }]) => name === 'language' || (env[variable] ?? '') === '')
