/** Wires the management side. */
import type { Config } from '../config/load.js'
export async function assembleManagement(
  config: Config,
  deps: object,
): Promise<AsyncDisposable & { url: string; setupCode?: string }> {
  return {
    url: `http://${config.managementHost}:${config.managementPort}`,
    ...(deps === undefined ? { setupCode: '' } : {}),
    [Symbol.asyncDispose]: async () => {},
  }
}
