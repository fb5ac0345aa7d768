/** `policy templates` and `policy new`: the templates that come with the program, and policies made of them. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Lang, Text } from '../../core/types.js'
import type { Preview } from '../../policy/templates/preview.js'
import type { Parameter, Template } from '../../policy/templates/template.js'
import type { Tier } from '../../policy/tier.js'
import { listWords } from '../../policy/words.js'
import { type Call, type Command, complain, EXIT, say, sayJson, usageError } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { fail, inLang } from './connected.js'
import { settingMistake, settingsOf, TEMPLATE_FLAGS } from './template-flags.js'

export const templatesCommand: Command = {
  name: 'policy templates',
  summary: {
    en: 'list the policy templates, or show one with its parameters',
    de: 'die Policy-Vorlagen auflisten, oder eine mit ihren Parametern zeigen',
  },
  usage: '[TEMPLATE] [options]',
  operands: [0, 1],
  options: {},
  json: true,
  examples: ['handschlag policy templates predictive-maintenance'],
  run: async (call) => {
    const { templateOf, templates } = await import('../../policy/templates/shelf.js')
    const [id] = call.operands
    if (id === undefined) {
      const all = templates()
      if (call.json) sayJson(call, { templates: all })
      else {
        const head = [inLang(call, 'template', 'Vorlage'), inLang(call, 'what for', 'wofür')]
        say(
          call,
          renderTable(
            head,
            all.map((one) => [one.id, one.title[call.lang]]),
          ),
        )
      }
      return EXIT.ok
    }
    const template = templateOf(id)
    if (!template.ok) return fail(call, template.error, 'policy templates')
    if (call.json) sayJson(call, template.value)
    else say(call, shown(template.value, call.lang))
    return EXIT.ok
  },
}

function shown({ id, version, title, purpose, dataAct, parameters }: Template, lang: Lang): string {
  const articles = dataAct.articles.join(', ')
  return [
    `${title[lang]} (${id} ${version})`,
    '',
    purpose[lang],
    '',
    `Data Act${articles === '' ? '' : ` ${articles}`}: ${dataAct.basis[lang]}`,
    '',
    renderPairs(parameters.map((parameter) => [parameter.name, parameterWords(parameter, lang)])),
  ].join('\n')
}

const say2 = (lang: Lang, en: string, de: string): string => (lang === 'de' ? de : en)

function parameterWords(parameter: Parameter, lang: Lang): string {
  const { title, choices, choose, none, optional } = parameter
  const fallback =
    choose === true
      ? say2(lang, 'must be chosen', 'muss gewählt werden')
      : optional === true
        ? say2(lang, 'may be left out', 'kann entfallen')
        : `${say2(lang, 'without a choice', 'ohne Angabe')}: ${[parameter.default ?? ''].flat().join(', ')}`
  const empty =
    none === true ? say2(lang, '; "none" when there are none', '; „none“, wenn es keine gibt') : ''
  const list = (choices ?? []).map((choice) => `  ${choice.value.replace(/^.*#/, '')}: ${choice.title[lang]}`)
  return [title[lang], `  ${fallback}${empty}`, ...list].join('\n')
}

export const newCommand: Command = {
  name: 'policy new',
  summary: {
    en: 'make a policy of a template, and read it in words',
    de: 'aus einer Vorlage eine Policy machen und sie in Worten lesen',
  },
  usage: '--template ID [--set NAME=VALUE]... [options]',
  options: {
    ...TEMPLATE_FLAGS,
    out: {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'write the policy to this new file; otherwise it goes to stdout, and the words to stderr',
        de: 'die Policy in diese neue Datei schreiben; sonst geht sie nach stdout, und die Worte gehen nach stderr',
      },
    },
  },
  json: true,
  examples: [
    'handschlag policy new --template trial --set term=7d --set records=500 --out trial.json',
    'handschlag policy new --template affiliates --set recipients=did:web:plant2.example.com --set fields=state,count --set tradeSecretFields=none --set personalFields=none --set until=2027-12-31',
  ],
  run: async (call) => {
    const id = call.value('template')
    const settings = settingsOf(call.values('set'))
    const mistake = settingMistake(call)
    if (mistake !== undefined || !('values' in settings))
      return usageError(call, mistake ?? NO_TEMPLATE, 'policy new')
    if (id === undefined) return usageError(call, NO_TEMPLATE, 'policy templates')
    const [{ templateOf }, { instantiate }, { preview }] = await Promise.all([
      import('../../policy/templates/shelf.js'),
      import('../../policy/templates/instantiate.js'),
      import('../../policy/templates/preview.js'),
    ])
    const template = templateOf(id)
    if (!template.ok) return fail(call, template.error, 'policy templates')
    const instance = instantiate(template.value, settings.values)
    if (!instance.ok) {
      const { problems = [], message } = instance.error
      return fail(call, problems.length === 0 ? message : problems.join('\n'), `policy templates ${id}`)
    }
    const shownPolicy = preview(instance.value)
    if (!shownPolicy.ok) return fail(call, shownPolicy.error)
    const { policy } = instance.value
    const file = call.value('out')
    if (file !== undefined) {
      const written = await writeNew(resolve(call.io.cwd, file), policy)
      if (!written) return fail(call, notWritten(file)[call.lang])
    }
    if (call.json) sayJson(call, { policy, ...shownPolicy.value })
    else if (file === undefined) {
      sayJson(call, policy)
      complain(call, previewWords(shownPolicy.value, call))
    } else say(call, previewWords(shownPolicy.value, call))
    return EXIT.ok
  },
}

const NO_TEMPLATE: Text = {
  en: 'Name a template with --template. See: handschlag policy templates',
  de: 'Nennen Sie mit --template eine Vorlage. Siehe: handschlag policy templates',
}

const notWritten = (file: string): Text => ({
  en: `${file} cannot be written: it exists already, or its folder cannot be written to.`,
  de: `${file} lässt sich nicht schreiben: Die Datei gibt es schon, oder der Ordner ist nicht beschreibbar.`,
})

/** Never over a file that is there. */
const writeNew = (file: string, policy: unknown): Promise<boolean> =>
  writeFile(file, `${JSON.stringify(policy, null, 2)}\n`, { flag: 'wx' }).then(
    () => true,
    () => false,
  )

const PUBLISHABLE: Readonly<Record<Tier, Text>> = {
  1: {
    en: 'This connector can publish an offer with this policy.',
    de: 'Dieser Connector kann ein Angebot mit dieser Policy veröffentlichen.',
  },
  2: {
    en: 'This connector can publish an offer with this policy: for partners whose connector has proved that it carries out the duties, and with --contract-only for all.',
    de: 'Dieser Connector kann ein Angebot mit dieser Policy veröffentlichen: für Partner, deren Connector nachgewiesen hat, dass er die Pflichten erfüllt, und mit --contract-only für alle.',
  },
  3: {
    en: 'Part of it is agreed by contract only. This connector publishes an offer with this policy if you say so: --contract-only.',
    de: 'Ein Teil davon ist nur vertraglich vereinbart. Dieser Connector veröffentlicht ein Angebot mit dieser Policy, wenn Sie es so wollen: --contract-only.',
  },
}

/** Clauses with who keeps them, and what stands against publishing them. */
function previewWords({ clauses, publishable, tier }: Preview, call: Call): string {
  const { lang } = call
  const lines = clauses.flatMap(({ number, text, enforcement, remark, obstacle }) => [
    `${`${number}.`.padStart(3)} ${text[lang]}${remark === undefined ? '' : ` ${remark[lang]}`}`,
    `    (${enforcement[lang]}${obstacle === undefined ? '' : inLang(call, '; not published by this connector', '; von diesem Connector nicht veröffentlicht')})`,
  ])
  const barred = clauses.filter(({ obstacle }) => obstacle !== undefined).map(({ number }) => String(number))
  const list = listWords(barred)
  const [clause, klausel] = barred.length === 1 ? ['clause', 'Klausel'] : ['the clauses', 'Die Klauseln']
  const end = publishable
    ? PUBLISHABLE[tier][lang]
    : inLang(
        call,
        `This connector cannot enforce ${clause} ${list.en}, and so does not publish an offer with this policy.`,
        `${klausel} ${list.de} kann dieser Connector nicht durchsetzen; er veröffentlicht deshalb kein Angebot mit dieser Policy.`,
      )
  return ['', ...lines, '', end].join('\n')
}
