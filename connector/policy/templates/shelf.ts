/**
 * The templates that come with the program. The one place in this room that reads files: they belong to the package and
 * do not change while it runs.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ok, problem, type Result } from '../../core/result.js'
import { quoted } from '../words.js'
import type { Template } from './template.js'

/** The folder `policies/templates` of this package, above the source, above `dist` and above an installed copy. */
export function findTemplates(from: string = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'policies', 'templates')
    if (existsSync(join(folder, 'package.json')) && existsSync(found)) return found
    if (folder === dirname(folder)) {
      throw new Error(
        `The policy templates of Handschlag were not found above ${from}: the installation is incomplete. Install the package again.`,
      )
    }
  }
}

/** All templates, by id. Reads them anew each time: nobody asks for them often. */
export function templates(folder: string = findTemplates()): readonly Template[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Template)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** One template, or `NotFound` with the ids there are. */
export function templateOf(id: string, all = templates()): Result<Template> {
  const found = all.find((template) => template.id === id)
  if (found !== undefined) return ok(found)
  const ids = all.map((template) => template.id).join(', ')
  return problem('NotFound', {
    en: `There is no template ${quoted(id).en}. Known are: ${ids}.`,
    de: `Es gibt keine Vorlage ${quoted(id).de}. Bekannt sind: ${ids}.`,
  })
}
