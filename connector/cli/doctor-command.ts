/** `doctor`: puts the checks together and prints what they find. */
import type { X509Certificate } from 'node:crypto'
import { basename } from 'node:path'
import type { Config } from '../config/load.js'
import type { Result } from '../core/result.js'
import type { Clock } from '../core/types.js'
import type { Probe } from './checks/probe.js'
import { type Call, type Command, EXIT, say, sayJson } from './command.js'
import { configInput } from './context.js'
import type { Check } from './doctor.js'
import { red } from './red.js'

export type DoctorDeps = {
  readonly clock: Clock
  /** Names the key in use, or says which file is wrong and what to do. */
  readonly loadKeys: (dataDir: string) => Promise<Result<{ readonly name: string }>>
  readonly isDevelopmentCertificate: (certificate: X509Certificate) => Promise<boolean>
  /** Addresses of partners, whose clocks are compared with ours. */
  readonly partnerUrls: (config: Config) => Promise<readonly string[]>
  /** Checks of other rooms: database, partners, sources, owed messages. They run after those of this room. */
  readonly extraChecks: (config: Config, call: Call) => Promise<readonly Check[]>
  /** For tests; otherwise a real GET. */
  readonly probe?: Probe
}

export const doctorCommand = (deps: DoctorDeps): Command => ({
  name: 'doctor',
  summary: {
    en: 'find what is wrong, and how to fix it',
    de: 'finden, was nicht stimmt, und wie es zu beheben ist',
  },
  usage: '[options]',
  options: {
    dev: {
      type: 'boolean',
      about: { en: 'accept development certificates', de: 'Entwicklungszertifikate annehmen' },
    },
  },
  json: true,
  run: async (call) => {
    const { isHealthy, outcomesAsJson, renderOutcomes, runChecks } = await import('./doctor.js')
    const { checks, lang } = await doctorChecks(call, deps)
    const outcomes = await runChecks(checks)
    if (call.json) sayJson(call, outcomesAsJson(outcomes, lang))
    else
      say(
        call,
        renderOutcomes(outcomes, lang, (line) => red(call.io, line)),
      )
    return isHealthy(outcomes) ? EXIT.ok : EXIT.failed
  },
})

/** With a configuration that cannot be used, the check of it is the only one: all others would look in wrong places. */
export async function doctorChecks(
  call: Call,
  deps: DoctorDeps,
): Promise<{ readonly checks: readonly Check[]; readonly lang: Call['lang'] }> {
  const [
    { configPath, resolveConfig },
    { configCheck, dataDirectoryCheck, keysCheck },
    { tlsCheck },
    { reachChecks },
    { createProbe },
  ] = await Promise.all([
    import('../config/load.js'),
    import('./checks/local.js'),
    import('./checks/tls.js'),
    import('./checks/reach.js'),
    import('./checks/probe.js'),
  ])
  const input = configInput(call)
  const resolved = resolveConfig(input)
  const first = configCheck(resolved, basename(configPath(input).path))
  if (!resolved.ok) return { checks: [first], lang: call.lang }

  const { config } = resolved.value
  const probe = deps.probe ?? createProbe(config)
  return {
    lang: call.value('lang') === undefined ? config.language : call.lang,
    checks: [
      first,
      dataDirectoryCheck(config.dataDir),
      keysCheck(() => deps.loadKeys(config.dataDir)),
      tlsCheck(config, {
        clock: deps.clock,
        dev: call.flag('dev'),
        isDevelopmentCertificate: deps.isDevelopmentCertificate,
      }),
      ...reachChecks(config, { clock: deps.clock, probe, partnerUrls: () => deps.partnerUrls(config) }),
      ...(await deps.extraChecks(config, call)),
    ],
  }
}
