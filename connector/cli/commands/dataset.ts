/** `dataset ...`: what is shared, from which source, and whether partners see it. */

import { nearest } from '../../config/near.js'
import { ok, problem, type Result } from '../../core/result.js'
import type { JsonObject } from '../../core/types.js'
import { type Call, type Command, say, usageError } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import { readDescription } from './file-input.js'
import { shortId } from './ids.js'
import { entriesOf, type View, viewOf } from './view.js'
import { termsWords } from './words.js'

const SIGNAL_TYPES = ['number', 'integer', 'string', 'boolean'] as const

const FLAGS = {
  title: {
    type: 'string',
    value: 'TEXT',
    about: { en: 'what partners read first', de: 'was Partner zuerst lesen' },
  },
  description: { type: 'string', value: 'TEXT', about: { en: 'more words about it', de: 'mehr Worte dazu' } },
  signal: {
    type: 'string',
    value: 'NAME:TYPE[:UNIT]',
    multiple: true,
    about: {
      en: 'a signal; the type is number, integer, string or boolean; may be repeated',
      de: 'ein Signal; die Art ist number, integer, string oder boolean; mehrfach möglich',
    },
  },
  identifies: {
    type: 'string',
    value: 'NAME',
    multiple: true,
    about: {
      en: 'a signal whose values tell machines, orders or people apart: contracts with pseudonyms replace them; may be repeated',
      de: 'ein Signal, dessen Werte Maschinen, Aufträge oder Menschen unterscheiden: Verträge mit Pseudonymen ersetzen sie; mehrfach möglich',
    },
  },
  source: { type: 'string', value: 'ID', about: { en: 'source of the data', de: 'Quelle der Daten' } },
  machine: {
    type: 'string',
    value: 'ID',
    about: { en: 'machine the data is about', de: 'Maschine, um die es geht' },
  },
  keyword: {
    type: 'string',
    value: 'WORD',
    multiple: true,
    about: { en: 'keyword, may be repeated', de: 'Stichwort, mehrfach möglich' },
  },
} as const

const add: Command = {
  name: 'dataset add',
  summary: {
    en: 'describe a dataset, or change the description',
    de: 'einen Datensatz beschreiben oder die Beschreibung ändern',
  },
  usage: 'ID --title TEXT --signal NAME:TYPE[:UNIT] ... --source ID [options]',
  operands: [1, 1],
  options: {
    ...FLAGS,
    file: {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'YAML or JSON file with the whole description, instead of the flags',
        de: 'YAML- oder JSON-Datei mit der ganzen Beschreibung, statt der Optionen',
      },
    },
  },
  json: true,
  examples: [
    'handschlag dataset add pump-7 --title "Pump 7" --signal temperature:number:Cel --signal pressure:number:bar --source pump',
    'handschlag dataset add pump-7 --file pump-7.yaml',
  ],
  run: async (call) => {
    const given = Object.keys(FLAGS).filter(
      (flag) => call.value(flag) !== undefined || call.values(flag).length > 0,
    )
    if (call.value('file') !== undefined && given.length > 0) {
      const names = given.map((flag) => `--${flag}`).join(', ')
      return usageError(
        call,
        {
          en: `--file says everything; leave out ${names}.`,
          de: `--file sagt schon alles; lassen Sie ${names} weg.`,
        },
        'dataset add',
      )
    }
    return connected(call, put)
  },
}

async function put(here: Here): Promise<number> {
  const [id = ''] = here.operands
  const body = await bodyOf(here, id)
  if (!body.ok) return fail(here, body.error, 'help dataset add')
  return answer(here, await here.client.put(path`/datasets/${id}`, body.value), (value) => {
    say(here, inLang(here, `The dataset ${id} is stored.`, `Der Datensatz ${id} ist gespeichert.`))
    const dataset = viewOf(value)
    if (!dataset.flag('published'))
      next(here, `offer add ${quoted(id)} --for-days 30`, `dataset publish ${quoted(id)}`)
  })
}

async function bodyOf(here: Here, id: string): Promise<Result<Record<string, unknown>>> {
  const file = here.value('file')
  if (file !== undefined) {
    const read = await readDescription(here, file)
    if (!read.ok) return read
    // The id stands on the command line; in the file it may be repeated, but not differ.
    const { id: idInFile, ...rest } = read.value
    return idInFile === undefined || idInFile === id
      ? ok(rest)
      : problem(
          'InvalidInput',
          inLang(
            here,
            `The file describes another dataset than ${id}.`,
            `Die Datei beschreibt einen anderen Datensatz als ${id}.`,
          ),
        )
  }
  const signals = signalsOf(here)
  if (!signals.ok) return signals
  const before = await here.client.get(path`/datasets/${id}`)
  if (!before.ok && before.error.code !== 'NotFound') return before
  const known = before.ok ? keep(viewOf(before.value).json) : {}
  const title = here.value('title')
  if (title === undefined && !before.ok) {
    return problem(
      'InvalidInput',
      inLang(here, 'A new dataset needs a --title.', 'Ein neuer Datensatz braucht einen --title.'),
    )
  }
  const identifying = withIdentifying(here, signals.value, viewOf(known as JsonObject).views('signals'))
  if (!identifying.ok) return identifying
  const keywords = here.values('keyword')
  const changes = {
    title,
    description: here.value('description'),
    machineId: here.value('machine'),
    sourceId: here.value('source'),
    keywords: keywords.length === 0 ? undefined : keywords,
    signals: identifying.value,
  }
  return ok({
    ...known,
    ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
  })
}

const KEPT = ['title', 'description', 'keywords', 'machineId', 'signals', 'sourceId']

/** What a change leaves alone. */
const keep = (dataset: JsonObject): Record<string, unknown> =>
  Object.fromEntries(Object.entries(dataset).filter(([key, value]) => KEPT.includes(key) && value !== null))

type Signal = { readonly name: string; readonly type: string; readonly unit?: string }

function signalsOf(call: Call): Result<readonly Signal[]> {
  const signals: Signal[] = []
  for (const text of call.values('signal')) {
    const [name = '', type = '', ...unit] = text.split(':')
    if (name === '' || !SIGNAL_TYPES.some((known) => known === type)) {
      const meant = nearest(type, SIGNAL_TYPES)
      return problem(
        'InvalidInput',
        inLang(
          call,
          `--signal takes NAME:TYPE[:UNIT], such as temperature:number:Cel. Got: ${text}. ${meant === undefined ? `Types: ${SIGNAL_TYPES.join(', ')}.` : `Did you mean ${name}:${meant}?`}`,
          `--signal nimmt NAME:ART[:EINHEIT], etwa temperature:number:Cel. Angegeben: ${text}. ${meant === undefined ? `Arten: ${SIGNAL_TYPES.join(', ')}.` : `Meinten Sie ${name}:${meant}?`}`,
        ),
      )
    }
    signals.push({ name, type, ...(unit.length === 0 ? {} : { unit: unit.join(':') }) })
  }
  return ok(signals)
}

/** The signals with what `--identifies` says; one that was declared as identifying stays so. undefined: nothing changes. */
function withIdentifying(
  here: Here,
  given: readonly Signal[],
  known: readonly View[],
): Result<readonly JsonObject[] | undefined> {
  const named = here.values('identifies')
  if (given.length === 0 && named.length === 0) return ok(undefined)
  const signals: readonly JsonObject[] = given.length > 0 ? given : known.map(({ json }) => json)
  const stranger = named.find((name) => !signals.some((signal) => signal.name === name))
  if (stranger !== undefined) {
    return problem(
      'InvalidInput',
      inLang(
        here,
        `--identifies names ${stranger}, which is no signal of the dataset.`,
        `--identifies nennt ${stranger}; das ist kein Signal des Datensatzes.`,
      ),
    )
  }
  const before = known.filter((signal) => signal.flag('identifies')).map((signal) => signal.text('name'))
  const all = new Set([...before, ...named])
  return ok(
    signals.map((signal) => (all.has(String(signal.name)) ? { ...signal, identifies: true } : signal)),
  )
}

const publishedWords = (here: Here, dataset: View): string =>
  dataset.flag('published')
    ? inLang(here, 'published', 'veröffentlicht')
    : inLang(here, 'not published', 'nicht veröffentlicht')

const list: Command = {
  name: 'dataset list',
  summary: { en: 'list our datasets', de: 'unsere Datensätze auflisten' },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) =>
      answer(here, await here.client.get('/api/v1/datasets'), (value) => {
        const datasets = entriesOf(value, 'datasets')
        if (datasets.length === 0) {
          say(here, inLang(here, 'There is no dataset yet.', 'Es gibt noch keinen Datensatz.'))
          next(here, 'help dataset add')
          return
        }
        say(
          here,
          renderTable(
            here.lang === 'de'
              ? ['ID', 'Titel', 'Quelle', 'Angebote', 'Zustand']
              : ['ID', 'Title', 'Source', 'Offers', 'State'],
            datasets.map((dataset) => [
              dataset.text('id'),
              dataset.text('title'),
              dataset.text('sourceId'),
              String(dataset.views('offers').length),
              publishedWords(here, dataset),
            ]),
          ),
        )
      }),
    ),
}

function signalWords(signal: View): string {
  const unit = signal.maybe('unit')
  return `${signal.text('name')} (${signal.text('type')}${unit === undefined ? '' : `, ${unit}`})`
}

function showDataset(here: Here, dataset: View): void {
  const offers = dataset.views('offers')
  const ids = offers.map((offer) => offer.text('id'))
  const pairs: readonly (readonly [string, string])[] = [
    ['ID', dataset.text('id')],
    [inLang(here, 'Title', 'Titel'), dataset.text('title')],
    [inLang(here, 'Description', 'Beschreibung'), dataset.text('description')],
    [inLang(here, 'State', 'Zustand'), publishedWords(here, dataset)],
    [inLang(here, 'Source', 'Quelle'), dataset.text('sourceId')],
    [inLang(here, 'Machine', 'Maschine'), dataset.text('machineId')],
    [inLang(here, 'Keywords', 'Stichwörter'), dataset.texts('keywords').join(', ')],
    [inLang(here, 'Signals', 'Signale'), dataset.views('signals').map(signalWords).join('\n')],
  ]
  say(here, renderPairs(pairs.filter(([, value]) => value !== '')))
  for (const offer of offers) {
    const clauses = offer.views('clauses')
    say(here, `\n${inLang(here, 'Offer', 'Angebot')} ${shortId(offer.text('id'), ids)}`)
    if (clauses.length > 0) say(here, termsWords(offer, here.lang))
  }
}

function onDataset(
  name: string,
  summary: Command['summary'],
  work: (here: Here, id: string) => Promise<number>,
): Command {
  return {
    name: `dataset ${name}`,
    summary,
    usage: 'ID [options]',
    operands: [1, 1],
    options: {},
    json: true,
    run: (call) => connected(call, (here) => work(here, call.operands[0] ?? '')),
  }
}

const show = onDataset(
  'show',
  { en: 'show a dataset with its offers', de: 'einen Datensatz mit seinen Angeboten zeigen' },
  async (here, id) => {
    const found = await here.client.get(path`/datasets/${id}`)
    return found.ok
      ? answer(here, found, (value) => showDataset(here, viewOf(value)))
      : fail(here, found.error, 'dataset list')
  },
)

const publish = onDataset(
  'publish',
  {
    en: 'put a dataset into the catalog of trusted partners',
    de: 'einen Datensatz in den Katalog vertrauter Partner stellen',
  },
  async (here, id) => {
    const done = await here.client.post(path`/datasets/${id}/publish`)
    if (!done.ok) {
      const see = done.error.code === 'NotFound' ? 'dataset list' : `dataset show ${quoted(id)}`
      return fail(here, done.error, see)
    }
    return answer(here, done, () => {
      say(
        here,
        inLang(
          here,
          `The dataset ${id} is published: trusted partners see it, under the offers made for them.`,
          `Der Datensatz ${id} ist veröffentlicht: Vertraute Partner sehen ihn, mit den Angeboten, die für sie gelten.`,
        ),
      )
      next(here, 'partner list', 'contract list')
    })
  },
)

const unpublish = onDataset(
  'unpublish',
  {
    en: 'take a dataset out of the catalog; contracts stay in force',
    de: 'einen Datensatz aus dem Katalog nehmen; Verträge gelten weiter',
  },
  async (here, id) =>
    answer(here, await here.client.post(path`/datasets/${id}/unpublish`), () =>
      say(
        here,
        inLang(
          here,
          `The dataset ${id} is in no catalog any more. Contracts that exist stay in force.`,
          `Der Datensatz ${id} steht in keinem Katalog mehr. Bestehende Verträge gelten weiter.`,
        ),
      ),
    ),
)

const remove = onDataset(
  'remove',
  { en: 'remove a dataset and its offers', de: 'einen Datensatz und seine Angebote entfernen' },
  async (here, id) => {
    const done = await here.client.delete(path`/datasets/${id}`)
    if (!done.ok)
      return fail(here, done.error, done.error.code === 'Conflict' ? 'contract list' : 'dataset list')
    return answer(here, done, () =>
      say(here, inLang(here, `The dataset ${id} was removed.`, `Der Datensatz ${id} wurde entfernt.`)),
    )
  },
)

export const datasetCommands: readonly Command[] = [add, list, show, publish, unpublish, remove]
