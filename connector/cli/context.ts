/** What most commands open first: the configuration, or the client of the running connector. */
import type { Config, Resolved } from '../config/load.js'
import type { Lang } from '../core/types.js'
import type { ManagementClient } from './client.js'
import { type Call, complain, EXIT } from './command.js'

export type Opened<T> =
  | ({ readonly ok: true; readonly config: Config; readonly lang: Lang } & T)
  | { readonly ok: false; readonly exitCode: number }

/** --lang wins over the configuration, which knows HANDSCHLAG_LANGUAGE and the locale already. */
const langOf = (call: Call, config: Config): Lang =>
  call.value('lang') === undefined ? config.language : call.lang

export const configInput = (call: Call): { env: Call['io']['env']; cwd: string; file?: string } => ({
  env: call.io.env,
  cwd: call.io.cwd,
  ...(call.file === undefined ? {} : { file: call.file }),
})

/** Loads the configuration; prints every problem and answers exit code 78 when there is one. */
export async function openConfig(
  call: Call,
  options: { readonly readTlsFiles?: boolean } = {},
): Promise<Opened<{ readonly resolved: Resolved }>> {
  const [{ resolveConfig }, { renderProblems }] = await Promise.all([
    import('../config/load.js'),
    import('../config/problem.js'),
  ])
  const resolved = resolveConfig({ ...configInput(call), ...options })
  if (!resolved.ok) {
    complain(call, renderProblems(resolved.error, call.lang))
    return { ok: false, exitCode: EXIT.config }
  }
  const { config } = resolved.value
  return { ok: true, config, lang: langOf(call, config), resolved: resolved.value }
}

/** The client of the connector that this configuration belongs to. It need not be running yet: the first request tells. */
export async function openClient(call: Call): Promise<Opened<{ readonly client: ManagementClient }>> {
  const opened = await openConfig(call, { readTlsFiles: false })
  if (!opened.ok) return opened
  const { createManagementClient, findToken, managementUrl } = await import('./client.js')
  const token = findToken(call.io.env, opened.config.dataDir, opened.lang)
  if (!token.ok) {
    complain(call, token.error.message)
    return { ok: false, exitCode: EXIT.failed }
  }
  const client = createManagementClient({
    url: managementUrl(opened.config),
    token: token.value,
    lang: opened.lang,
  })
  return { ok: true, config: opened.config, lang: opened.lang, client }
}
