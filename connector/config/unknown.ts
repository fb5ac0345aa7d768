/** Names that no setting has: keys of the file, and variables that nearly have the name of one. */
import type { Text } from '../core/types.js'
import type { ConfigFile } from './file.js'
import { nearest } from './near.js'
import type { ConfigProblem } from './problem.js'
import { settingEntries, settingNames } from './settings.js'

export function unknownKeys(file: ConfigFile | undefined, fileName: string): readonly ConfigProblem[] {
  return [...(file?.values ?? [])]
    .filter(([name]) => !settingNames.includes(name))
    .map(([name, { line }]) => {
      const meant = nearest(name, settingNames)
      return {
        setting: name,
        where: `${fileName}:${line}`,
        wrong: { en: 'is not a known setting', de: 'ist keine bekannte Einstellung' },
        fix: suggestion(meant, settingNames),
      }
    })
}

/**
 * A variable that nearly has the name of a setting is a slip. Other variables with our prefix may come from the
 * surroundings (Kubernetes service links, our own command line) and are none of our business.
 */
export function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
): readonly ConfigProblem[] {
  const known = settingEntries.map(([, s]) => s.env)
  const ours = new Set<string>([...known, 'HANDSCHLAG_CONFIG', 'HANDSCHLAG_TOKEN'])
  return Object.keys(env)
    .filter((variable) => variable.startsWith('HANDSCHLAG_') && !ours.has(variable))
    .flatMap((variable) => {
      const meant = nearestVariable(variable, known)
      if (meant === undefined) return []
      return [
        {
          setting: variable,
          where: '',
          wrong: { en: 'is not a known variable', de: 'ist keine bekannte Variable' },
          fix: suggestion(meant, known),
        },
      ]
    })
}

/** The prefix is left out, or it would make every short name look alike. */
function nearestVariable(variable: string, known: readonly string[]): string | undefined {
  const bare = (name: string): string => name.slice('HANDSCHLAG_'.length)
  const meant = nearest(bare(variable), known.map(bare))
  return meant === undefined ? undefined : `HANDSCHLAG_${meant}`
}

const suggestion = (meant: string | undefined, known: readonly string[]): Text =>
  meant === undefined
    ? { en: `Remove it. Known: ${known.join(', ')}`, de: `Entfernen Sie sie. Bekannt: ${known.join(', ')}` }
    : { en: `Did you mean "${meant}"?`, de: `Meinten Sie „${meant}“?` }
