/** `config check` and `config print`: what the connector would start with, and where each value comes from. */
import type { Resolved } from '../config/load.js'
import type { ConfigProblem } from '../config/problem.js'
import type { Lang, Text } from '../core/types.js'
import { type Call, type Command, complain, EXIT, say, sayJson } from './command.js'
import { configInput, openConfig } from './context.js'

export const configCheckCommand: Command = {
  name: 'config check',
  summary: { en: 'check the configuration without starting', de: 'Konfiguration prüfen, ohne zu starten' },
  usage: '[options]',
  options: {},
  json: true,
  run: check,
}

export const configPrintCommand: Command = {
  name: 'config print',
  summary: {
    en: 'print every setting and where it comes from',
    de: 'jede Einstellung ausgeben und woher sie kommt',
  },
  usage: '[options]',
  options: {},
  json: true,
  run: print,
}

const asJson = (problems: readonly ConfigProblem[], lang: Lang): object[] =>
  problems.map((p) => ({ setting: p.setting, where: p.where, wrong: p.wrong[lang], fix: p.fix[lang] }))

async function check(call: Call): Promise<number> {
  const [{ resolveConfig }, { renderProblems, renderProblem }] = await Promise.all([
    import('../config/load.js'),
    import('../config/problem.js'),
  ])
  const resolved = resolveConfig(configInput(call))
  const { lang } = call
  if (call.json) {
    sayJson(call, {
      ok: resolved.ok,
      problems: resolved.ok ? [] : asJson(resolved.error, lang),
      warnings: resolved.ok ? asJson(resolved.value.warnings, lang) : [],
    })
    return resolved.ok ? EXIT.ok : EXIT.config
  }
  if (!resolved.ok) {
    complain(call, renderProblems(resolved.error, lang))
    return EXIT.config
  }
  const { file, warnings } = resolved.value
  const source: Text = { en: file ?? 'the environment', de: file ?? 'die Umgebung' }
  const good: Text = {
    en: `The configuration is in order (${source.en}).`,
    de: `Die Konfiguration ist in Ordnung (${source.de}).`,
  }
  say(call, good[lang])
  if (warnings.length > 0) {
    const look: Text = { en: 'To look at:', de: 'Zu prüfen:' }
    say(call, [look[lang], ...warnings.map((warning) => renderProblem(warning, lang))].join('\n'))
  }
  return EXIT.ok
}

const MASKED = '********'

async function print(call: Call): Promise<number> {
  const opened = await openConfig(call)
  if (!opened.ok) return opened.exitCode
  const { settingEntries } = await import('../config/settings.js')
  const rows = settingEntries.map(([name, setting]) => {
    const { value, from } = effective(name, opened.resolved)
    return { name, from, value: setting.secret && value !== undefined ? MASKED : value }
  })
  if (call.json) {
    sayJson(call, {
      file: opened.resolved.file ?? null,
      settings: Object.fromEntries(
        rows.map(({ name, from, value }) => [name, { value: value ?? null, from }]),
      ),
    })
    return EXIT.ok
  }
  const { yamlValue } = await import('../config/sample.js')
  const lines = rows.map(({ name, from, value }) =>
    value === undefined ? `# ${name}:` : `${name}: ${yamlValue(value)}  # ${from}`,
  )
  say(call, lines.join('\n'))
  return EXIT.ok
}

type Printable = string | number | boolean | readonly string[]

/** Paths and derived values as they are used; everything else as it was written. */
function effective(name: string, resolved: Resolved): { readonly value?: Printable; readonly from: string } {
  const origin = resolved.origins.get(name)
  const used = Object.entries(resolved.config).find(([key]) => key === name)?.[1]
  const from = origin?.from ?? 'derived'
  // A size or a duration is a number inside; the file takes it with its unit.
  const hasUnit =
    typeof used === 'number' && typeof origin?.raw === 'string' && Number.isNaN(Number(origin.raw))
  if (used !== undefined && !hasUnit) return { value: used, from }
  return isPrintable(origin?.raw) ? { value: origin.raw, from } : { from }
}

const isPrintable = (raw: unknown): raw is Printable =>
  typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean' || Array.isArray(raw)
