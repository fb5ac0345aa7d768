/** Recorded machine data outside the repository. Suites that need it skip themselves, visibly, where it is absent. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Absolute path of a file or folder of the shared folder, such as `data/pump_valve1_0.csv`; undefined when absent. */
export function sharedPath(name: string): string | undefined {
  const path = join(process.env.HANDSCHLAG_SHARED ?? resolve(root, '../shared'), name)
  return existsSync(path) ? path : undefined
}

/** Title of a suite that depends on a shared file; says why it is skipped when it is. */
export const titled = (title: string, name: string): string =>
  sharedPath(name) === undefined ? `${title} (skipped: there is no ${name} beside the repository)` : title
