/** `--template` and `--set`: a template and values for its parameters. */
import { ok, type Result } from '../../core/result.js'
import type { Call, Command } from '../command.js'
import type { Here } from './connected.js'
import { didOf, namesTerms } from './terms-flags.js'

export const TEMPLATE_FLAGS = {
  template: {
    type: 'string',
    value: 'ID',
    about: {
      en: 'make the policy of a template; see: handschlag policy templates',
      de: 'die Policy aus einer Vorlage machen; siehe: handschlag policy templates',
    },
  },
  set: {
    type: 'string',
    value: 'NAME=VALUE',
    multiple: true,
    about: {
      en: 'value for a parameter of the template; lists with commas; may be repeated',
      de: 'Wert für einen Parameter der Vorlage; Listen mit Komma; mehrfach möglich',
    },
  },
} as const

/** Names with their values; `wrong` is the first that is not NAME=VALUE or is said twice. */
export function settingsOf(
  written: readonly string[],
): { readonly values: Readonly<Record<string, string>> } | { readonly wrong: string } {
  const values = new Map<string, string>()
  for (const one of written) {
    const at = one.indexOf('=')
    const name = one.slice(0, at).trim()
    if (at < 1 || name === '' || values.has(name)) return { wrong: one }
    values.set(name, one.slice(at + 1))
  }
  return { values: Object.fromEntries(values) }
}

export function settingMistake(call: Call): Command['summary'] | undefined {
  const settings = settingsOf(call.values('set'))
  if ('values' in settings) return undefined
  return {
    en: `--set takes NAME=VALUE, each name once; "${settings.wrong}" does not fit.`,
    de: `--set nimmt NAME=WERT, jeden Namen einmal; „${settings.wrong}“ passt nicht.`,
  }
}

/** What is wrong with the flags taken together. */
export function templateMistake(call: Call): Command['summary'] | undefined {
  if (call.value('template') !== undefined && namesTerms(call)) {
    return {
      en: '--template says everything together with --set; leave out --policy and the terms.',
      de: '--template sagt mit --set schon alles; lassen Sie --policy und die Bedingungen weg.',
    }
  }
  if (call.value('template') === undefined && call.values('set').length > 0) {
    return { en: '--set belongs to --template.', de: '--set gehört zu --template.' }
  }
  return settingMistake(call)
}

/** `template`, as the API takes it; partners may be named by name where participants are asked for. */
export async function templateChoice(here: Here): Promise<Result<Record<string, unknown>>> {
  const settings = settingsOf(here.values('set'))
  const values: Record<string, string | readonly string[]> =
    'values' in settings ? { ...settings.values } : {}
  const { templateOf } = await import('../../policy/templates/shelf.js')
  const template = templateOf(here.value('template') ?? '')
  if (!template.ok) return template
  for (const { name, type } of template.value.parameters) {
    const written = values[name]
    if (type !== 'participants' || typeof written !== 'string') continue
    const dids: string[] = []
    for (const given of written.split(',').map((part) => part.trim())) {
      const did = await didOf(here, given)
      if (!did.ok) return did
      dids.push(did.value)
    }
    values[name] = dids
  }
  // Tried here first, because the answer then comes in the reader's language.
  const { instantiate } = await import('../../policy/templates/instantiate.js')
  const instance = instantiate(template.value, values)
  return instance.ok ? ok({ template: { id: template.value.id, values } }) : instance
}
