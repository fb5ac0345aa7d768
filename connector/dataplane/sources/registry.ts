/** Every kind of source. A new one is a file of its own and a line in the table. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { err, problem, type Result } from '../../core/result.js'
import type { Signal } from '../record.js'
import { createByteSource, parseBytesConfig } from './bytes.js'
import { createFileSource } from './files.js'
import { parseFilesConfig } from './files-config.js'
import type { ManagedSource, SourceDeps } from './managed.js'
import { createMqttSource } from './mqtt.js'
import { MQTT_SECRETS, parseMqttConfig } from './mqtt-config.js'
import { checkBytes, checkFiles, checkMqtt } from './source-checks.js'

/** How long a look at a file counts: as long as Linux lets its clock for file times stand still. */
const FRESH_MS = 4

/** Methods on purpose: the table holds kinds with different configurations, and each meets only its own. */
type Kind<Config> = {
  /** Keys of the configuration that are stored encrypted and never shown. */
  readonly secretKeys: readonly string[]
  /** With the declared signals given, a mapping to a signal that is not declared is a mistake. */
  parseConfig(json: unknown, signals?: readonly Signal[]): Result<Config>
  /** `config` is what this kind's parseConfig has answered. */
  create(config: Config, deps: SourceDeps): ManagedSource
  /** Tries to connect or open, changes nothing; answers what was found in a sentence. */
  check(config: Config, options: CheckOptions): Promise<Result<string>>
}

export type SourceKind = Kind<unknown>

export type CheckOptions = {
  readonly signals?: readonly Signal[]
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const kind = <Config>(one: Kind<Config>): SourceKind => one

/** The stream names the source, but may hold characters that no file name can. */
const stateFileOf = (deps: SourceDeps): string =>
  join(deps.stateDir, `files-${createHash('sha256').update(deps.stream).digest('hex').slice(0, 16)}.json`)

export const SOURCE_KINDS: Readonly<Record<string, SourceKind>> = {
  mqtt: kind({
    secretKeys: MQTT_SECRETS,
    parseConfig: parseMqttConfig,
    create: createMqttSource,
    check: checkMqtt,
  }),
  files: kind({
    secretKeys: [],
    parseConfig: parseFilesConfig,
    create: (config, deps) => createFileSource(config, { ...deps, stateFile: stateFileOf(deps) }),
    check: checkFiles,
  }),
  bytes: kind({
    secretKeys: [],
    parseConfig: parseBytesConfig,
    create: (config, deps) => createByteSource(config, { ...deps, freshMs: FRESH_MS }),
    check: checkBytes,
  }),
}

export const findSourceKind = (name: string): SourceKind | undefined =>
  Object.hasOwn(SOURCE_KINDS, name) ? SOURCE_KINDS[name] : undefined

/** Longest a check may take, milliseconds. */
const CHECK_TIMEOUT = 5_000

/** Parses the configuration and tries to reach the source. The Problem says what to do. */
export async function checkSource(
  name: string,
  json: unknown,
  options: { readonly signals?: readonly Signal[]; readonly timeoutMs?: number } = {},
): Promise<Result<string>> {
  const found = findSourceKind(name)
  if (found === undefined) {
    const known = Object.keys(SOURCE_KINDS).join(', ')
    return problem('InvalidInput', {
      en: `There is no kind of source called ${name}. Known: ${known}.`,
      de: `Es gibt keine Art von Quelle namens ${name}. Bekannt: ${known}.`,
    })
  }
  const config = found.parseConfig(json, options.signals)
  if (!config.ok) return err(config.error)
  const timeoutMs = options.timeoutMs ?? CHECK_TIMEOUT
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(), timeoutMs)
  try {
    const late = new Promise<Result<string>>((resolve) => {
      const message = `The source did not answer within ${timeoutMs / 1_000} s. Check the network and the disk it lies on.`
      giveUp.signal.addEventListener('abort', () => resolve(problem('SourceUnavailable', message)))
    })
    const checked = found.check(config.value, { ...options, timeoutMs, signal: giveUp.signal })
    return await Promise.race([checked, late])
  } finally {
    clearTimeout(timer)
    giveUp.abort()
  }
}
