/** `source ...`: where machine data comes from. Secrets come from standard input or the environment, never from a flag. */
import { ok, problem, type Result } from '../../core/result.js'
import type { Lang, Text } from '../../core/types.js'
import { type Call, type Command, EXIT, say, sayJson, usageError } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import { readDescription } from './file-input.js'
import { givenFlags, KINDS, SOURCE_FLAGS, sourceConfig } from './source-flags.js'
import { entriesOf, type View, viewOf } from './view.js'
import { whenWords } from './when.js'

const PASSWORD_VARIABLE = 'HANDSCHLAG_SOURCE_PASSWORD'
const MAX_PASSWORD = 4096

const add: Command = {
  name: 'source add',
  summary: { en: 'add a data source, or change one', de: 'eine Datenquelle hinzufügen oder ändern' },
  usage: 'ID --kind mqtt|files|bytes [options]',
  operands: [1, 1],
  options: {
    kind: { type: 'string', value: KINDS.join('|'), about: { en: 'kind of source', de: 'Art der Quelle' } },
    settings: {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'YAML or JSON file with the whole configuration, instead of the flags below',
        de: 'YAML- oder JSON-Datei mit der ganzen Konfiguration, statt der folgenden Optionen',
      },
    },
    ...SOURCE_FLAGS,
  },
  json: true,
  examples: [
    'handschlag source add pump --kind mqtt --url mqtt://127.0.0.1 --topic plant/pump/state --map temperature=temp --map pressure=p',
    'handschlag source add oven --kind files --file oven.csv --time timestamp --time-zone Europe/Berlin --map temperature=value',
    'handschlag source add press --kind mqtt --settings press.yaml',
  ],
  run: (call) => {
    const wrong = mistake(call)
    return wrong === undefined ? connected(call, put) : Promise.resolve(usageError(call, wrong, 'source add'))
  },
}

function mistake(call: Call): Command['summary'] | undefined {
  const kind = call.value('kind')
  const flags = givenFlags(call).filter((flag) => flag !== 'password-stdin')
  if (call.value('settings') !== undefined && flags.length > 0) {
    const names = flags.map((flag) => `--${flag}`).join(', ')
    return {
      en: `--settings says everything; leave out ${names}.`,
      de: `--settings sagt schon alles; lassen Sie ${names} weg.`,
    }
  }
  if (kind === undefined && call.value('settings') === undefined) {
    return { en: `--kind is missing: ${KINDS.join(', ')}.`, de: `--kind fehlt: ${KINDS.join(', ')}.` }
  }
  if (kind !== undefined && !KINDS.includes(kind)) {
    return {
      en: `There is no kind of source "${kind}". Known: ${KINDS.join(', ')}.`,
      de: `Es gibt keine Quelle der Art „${kind}“. Bekannt: ${KINDS.join(', ')}.`,
    }
  }
  return undefined
}

type Described = { readonly kind: string; readonly config: Record<string, unknown> }

async function described(here: Here): Promise<Result<Described>> {
  const file = here.value('settings')
  const kind = here.value('kind')
  if (file === undefined) {
    const config = sourceConfig(here, kind ?? '')
    return config.ok ? ok({ kind: kind ?? '', config: config.value }) : config
  }
  const read = await readDescription(here, file)
  if (!read.ok) return read
  // Either the configuration alone, or what `source show --json` prints.
  const { kind: kindInFile, config, ...rest } = read.value
  const nested = typeof config === 'object' && config !== null && !Array.isArray(config)
  const chosen = kind ?? (typeof kindInFile === 'string' ? kindInFile : undefined)
  if (chosen === undefined) {
    return problem(
      'InvalidInput',
      inLang(here, `--kind is missing: ${KINDS.join(', ')}.`, `--kind fehlt: ${KINDS.join(', ')}.`),
    )
  }
  return ok({ kind: chosen, config: nested ? { ...config } : rest })
}

async function put(here: Here): Promise<number> {
  const [id = ''] = here.operands
  const source = await described(here)
  if (!source.ok) return fail(here, source.error, 'help source add')
  const password = await secret(here)
  if (!password.ok) return fail(here, password.error)
  const config = {
    ...source.value.config,
    ...(password.value === undefined ? {} : { password: password.value }),
  }
  const body = { kind: source.value.kind, config }
  return answer(here, await here.client.put(path`/sources/${id}`, body), () => {
    say(here, inLang(here, `The source ${id} is stored.`, `Die Quelle ${id} ist gespeichert.`))
    next(
      here,
      `source check ${quoted(id)}`,
      `dataset add ID --title TITLE --signal NAME:TYPE --source ${quoted(id)}`,
    )
  })
}

/** The password of the broker, if one is given. */
async function secret(here: Here): Promise<Result<string | undefined>> {
  if (!here.flag('password-stdin')) {
    const value = here.io.env[PASSWORD_VARIABLE]
    return ok(value === undefined || value === '' ? undefined : value)
  }
  if (here.io.isTTY) {
    return problem(
      'InvalidInput',
      inLang(
        here,
        `At a terminal the password would be visible while you type. Pipe it in (... --password-stdin < file), or set ${PASSWORD_VARIABLE}.`,
        `An einem Terminal wäre das Passwort beim Tippen zu sehen. Leiten Sie es ein (... --password-stdin < Datei), oder setzen Sie ${PASSWORD_VARIABLE}.`,
      ),
    )
  }
  let text = ''
  for await (const chunk of here.io.stdin) {
    text += String(chunk)
    if (text.length > MAX_PASSWORD) break
  }
  const password = text.replace(/\r?\n$/, '')
  if (password !== '' && password.length <= MAX_PASSWORD && !/[\r\n]/.test(password)) return ok(password)
  return problem(
    'InvalidInput',
    inLang(
      here,
      'Standard input held no password: one line is expected.',
      'Auf der Standardeingabe kam kein Passwort: erwartet wird eine Zeile.',
    ),
  )
}

/** One state per dataset that the source feeds. */
const stateOf = (source: View, lang: Lang): string =>
  [...new Set(source.views('status').map((status) => stateWords(status.text('state'), lang)))].join(', ')

const STATES: Readonly<Record<string, Text>> = {
  connected: { en: 'connected', de: 'verbunden' },
  disconnected: { en: 'disconnected', de: 'nicht verbunden' },
  error: { en: 'error', de: 'Fehler' },
}

const stateWords = (state: string, lang: Lang): string =>
  Object.hasOwn(STATES, state) ? (STATES[state]?.[lang] ?? state) : state

function statusWords(here: Here, status: View): string {
  const n = (key: string): string => String(status.number(key) ?? 0)
  const problem = status.maybe('problem')
  const malformed = status.maybe('lastMalformed')
  return [
    inLang(
      here,
      `${status.text('dataset')}: ${stateWords(status.text('state'), 'en')} since ${whenWords(status.text('since'), 'en')}; ${n('records')} records, ${n('malformed')} malformed`,
      `${status.text('dataset')}: ${stateWords(status.text('state'), 'de')} seit ${whenWords(status.text('since'), 'de')}; ${n('records')} Einträge, ${n('malformed')} fehlerhaft`,
    ),
    ...(problem === undefined ? [] : [`  ${problem}`]),
    ...(malformed === undefined ? [] : [`  ${malformed}`]),
  ].join('\n')
}

/** Where the data is, for the list. */
const placeOf = (source: View): string => {
  const config = source.view('config')
  return config.maybe('url') ?? config.maybe('file') ?? config.maybe('folder') ?? ''
}

const list: Command = {
  name: 'source list',
  summary: { en: 'list all data sources', de: 'alle Datenquellen auflisten' },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) =>
      answer(here, await here.client.get('/api/v1/sources'), (value) => {
        const sources = entriesOf(value, 'sources')
        if (sources.length === 0) {
          say(here, inLang(here, 'There is no source yet.', 'Es gibt noch keine Quelle.'))
          next(here, 'help source add')
          return
        }
        const rows = sources.map((source) => [
          source.text('id'),
          source.text('kind'),
          placeOf(source),
          stateOf(source, here.lang),
        ])
        say(
          here,
          renderTable(
            here.lang === 'de' ? ['ID', 'Art', 'Ort', 'Zustand'] : ['ID', 'Kind', 'Place', 'State'],
            rows,
          ),
        )
      }),
    ),
}

const show: Command = {
  name: 'source show',
  summary: {
    en: 'show a data source; secrets stay hidden',
    de: 'eine Datenquelle zeigen; Geheimnisse bleiben verborgen',
  },
  usage: 'ID [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const found = await here.client.get(path`/sources/${call.operands[0] ?? ''}`)
      if (!found.ok) return fail(here, found.error, 'source list')
      if (here.json) {
        sayJson(here, found.value)
        return EXIT.ok
      }
      const source = viewOf(found.value)
      const { stringify } = await import('yaml')
      say(
        here,
        renderPairs([
          ['ID', source.text('id')],
          [inLang(here, 'Kind', 'Art'), source.text('kind')],
          [
            inLang(here, 'State', 'Zustand'),
            source
              .views('status')
              .map((status) => statusWords(here, status))
              .join('\n'),
          ],
          [inLang(here, 'Settings', 'Einstellungen'), stringify(source.view('config').json).trimEnd()],
        ]),
      )
      return EXIT.ok
    }),
}

const check: Command = {
  name: 'source check',
  summary: { en: 'try a data source now', de: 'eine Datenquelle jetzt ausprobieren' },
  usage: 'ID [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [id = ''] = here.operands
      const checked = await here.client.post(path`/sources/${id}/check`)
      if (!checked.ok)
        return fail(
          here,
          checked.error,
          checked.error.code === 'NotFound' ? 'source list' : `source show ${quoted(id)}`,
        )
      const { flag, text } = viewOf(checked.value)
      if (here.json) sayJson(here, checked.value)
      else if (flag('ok')) say(here, text('message'))
      else return fail(here, text('message'), `source show ${quoted(id)}`)
      return flag('ok') ? EXIT.ok : EXIT.failed
    }),
}

const remove: Command = {
  name: 'source remove',
  summary: { en: 'remove a data source', de: 'eine Datenquelle entfernen' },
  usage: 'ID [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [id = ''] = here.operands
      const removed = await here.client.delete(path`/sources/${id}`)
      return answer(here, removed, () =>
        say(here, inLang(here, `The source ${id} was removed.`, `Die Quelle ${id} wurde entfernt.`)),
      )
    }),
}

export const sourceCommands: readonly Command[] = [add, list, show, check, remove]
