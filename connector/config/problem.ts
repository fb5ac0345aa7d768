/** What is wrong with the configuration, in words for the person who has to fix it. */
import type { Lang, Text } from '../core/types.js'

/** Everything wrong with one setting, phrased for the operator who has to fix it. */
export type ConfigProblem = {
  readonly setting: string
  /** The variable, or file and line. */
  readonly where: string
  readonly wrong: Text
  readonly fix: Text
}

/** A wrong value as it may be repeated: short, and without a password that somebody wrote into an address. */
export function shown(raw: unknown): string {
  const text = typeof raw === 'string' ? raw : (JSON.stringify(raw) ?? String(raw))
  const harmless = text.replaceAll(/\/\/[^/@\s]*@/g, '//***@')
  return harmless.length > 80 ? `${harmless.slice(0, 77)}...` : harmless
}

/** The block printed to stderr before exiting with code 78 (EX_CONFIG). */
export function renderProblems(problems: readonly ConfigProblem[], lang: Lang): string {
  const n = problems.length
  const head: Text = {
    en: `The connector cannot start: ${n} ${n === 1 ? 'setting needs' : 'settings need'} attention.`,
    de: `Der Connector kann nicht starten: ${n} ${n === 1 ? 'Einstellung muss' : 'Einstellungen müssen'} berichtigt werden.`,
  }
  return [head[lang], ...problems.map((p) => renderProblem(p, lang))].join('\n')
}

export const renderProblem = (p: ConfigProblem, lang: Lang): string =>
  `\n  ${p.setting}${p.where === '' ? '' : ` (${p.where})`} ${p.wrong[lang]}.\n    ${p.fix[lang]}`
