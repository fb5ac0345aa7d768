/** `catalog`: what a partner offers, in words. */
import { type Call, type Command, complain, say, usageError } from '../command.js'
import { renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import { failPartner, findPartner, shortId } from './ids.js'
import { entriesOf, type View, viewOf } from './view.js'
import { termsWords } from './words.js'

const indent = (text: string): string => text.replaceAll(/^/gm, '  ')

function offerWords(here: Here, offer: View, number: number, others: readonly string[]): string {
  const acceptable = offer.flag('acceptable')
  const problem = offer.maybe('problem') ?? ''
  const head = inLang(here, `Offer ${number}`, `Angebot ${number}`)
  return [
    `${head} (${shortId(offer.text('id'), others)})`,
    termsWords(offer, here.lang),
    ...(acceptable
      ? []
      : [inLang(here, `    Cannot be accepted here: ${problem}`, `    Hier nicht annehmbar: ${problem}`)]),
  ]
    .filter((line) => line !== '')
    .join('\n')
}

/** What is bought: one line per signal. Columns that nothing is said in are left out. */
function signalWords(here: Here, dataset: View): readonly string[] {
  const signals = dataset.views('signals')
  if (signals.length === 0) return []
  const columns = [
    ['name', 'Signal'],
    ['type', inLang(here, 'Type', 'Typ')],
    ['unit', inLang(here, 'Unit', 'Einheit')],
    ['description', inLang(here, 'Description', 'Beschreibung')],
  ] as const
  const used = columns.filter(([key]) => signals.some((signal) => signal.text(key) !== ''))
  const rows = signals.map((signal) => used.map(([key]) => signal.text(key)))
  return [
    indent(
      renderTable(
        used.map(([, title]) => title),
        rows,
      ),
    ),
  ]
}

function datasetWords(here: Here, dataset: View): string {
  const offers = dataset.views('offers')
  const ids = offers.map((offer) => offer.text('id'))
  const keywords = dataset.texts('keywords')
  const formats = dataset.texts('formats')
  return [
    `${dataset.text('id')}${dataset.has('title') ? `  ${dataset.text('title')}` : ''}`,
    ...(dataset.has('description') ? [indent(dataset.text('description'))] : []),
    ...(keywords.length === 0
      ? []
      : [`  ${inLang(here, 'Keywords', 'Stichwörter')}: ${keywords.join(', ')}`]),
    ...(dataset.has('machineId')
      ? [`  ${inLang(here, 'Machine', 'Maschine')}: ${dataset.text('machineId')}`]
      : []),
    ...(formats.length === 0 ? [] : [`  ${inLang(here, 'Formats', 'Formate')}: ${formats.join(', ')}`]),
    ...signalWords(here, dataset),
    ...offers.map((offer, i) => indent(offerWords(here, offer, i + 1, ids))),
  ].join('\n')
}

/** The command that asks for a contract; it names the offer when there is a choice. */
function askFor(partner: string, dataset: View): string {
  const acceptable = dataset.views('offers').filter((offer) => offer.flag('acceptable'))
  const ids = dataset.views('offers').map((offer) => offer.text('id'))
  const choice =
    acceptable.length > 1 ? ` --offer ${quoted(shortId(acceptable[0]?.text('id') ?? '', ids))}` : ''
  return `negotiate ${quoted(partner)} ${quoted(dataset.text('id'))}${choice}`
}

/** What is looked for, as a query of the address; empty for everything. */
function sought(call: Call): string {
  const given = [
    ['text', call.value('search')],
    ['keyword', call.value('keyword')],
    ['format', call.value('format')],
  ].flatMap(([name = '', value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
  return given.length === 0 ? '' : `?${given.join('&')}`
}

const incomplete = (here: Here): string =>
  inLang(
    here,
    'The catalog of this partner is longer than what is read of it. What is shown here is its beginning; a dataset that you know by name can be shown by that: handschlag catalog PARTNER DATASET',
    'Der Katalog dieses Partners ist länger als das, was davon gelesen wird. Hier steht sein Anfang; einen Datensatz, dessen Namen Sie kennen, zeigt: handschlag catalog PARTNER DATENSATZ',
  )

export const catalogCommand: Command = {
  name: 'catalog',
  summary: { en: 'show what a partner offers, in words', de: 'in Worten zeigen, was ein Partner anbietet' },
  usage: 'PARTNER [DATASET] [options]',
  operands: [1, 2],
  options: {
    search: {
      type: 'string',
      value: 'WORDS',
      about: {
        en: 'only what has all these words in its name, description or keywords',
        de: 'nur, was alle diese Wörter in Name, Beschreibung oder Stichwörtern hat',
      },
    },
    keyword: {
      type: 'string',
      value: 'WORD',
      about: { en: 'only what has this keyword', de: 'nur, was dieses Stichwort hat' },
    },
    format: {
      type: 'string',
      value: 'FORMAT',
      about: {
        en: 'only what comes in this format, such as HttpData-PULL',
        de: 'nur, was in diesem Format kommt, etwa HttpData-PULL',
      },
    },
  },
  json: true,
  examples: [
    'handschlag catalog did:web:connector.example.com',
    'handschlag catalog Example --search "pump temperature"',
    'handschlag catalog Example pump-7',
  ],
  run: async (call) => {
    const query = sought(call)
    if (call.operands.length > 1 && query !== '') {
      return usageError(
        call,
        {
          en: 'Either name the dataset, or search among all of them.',
          de: 'Entweder nennen Sie den Datensatz, oder Sie suchen unter allen.',
        },
        'catalog',
      )
    }
    return connected(call, async (here) => {
      const [given = '', wanted] = call.operands
      const partner = await findPartner(here, given)
      if (!partner.ok) return failPartner(here, partner.error)
      const did = partner.value.text('did')
      const found = await here.client.get(
        wanted === undefined
          ? path`/partners/${did}/catalog` + query
          : path`/partners/${did}/catalog/${wanted}`,
      )
      if (!found.ok && found.error.code === 'NotFound' && wanted !== undefined) {
        return fail(here, found.error, `catalog ${quoted(did)}`)
      }
      return answer(here, found, (value) => {
        // A connector that does not say so has read everything.
        if (viewOf(value).json.complete === false) complain(here, incomplete(here))
        const datasets = wanted === undefined ? entriesOf(value, 'datasets') : [viewOf(value)]
        if (datasets.length === 0 && query !== '') {
          say(
            here,
            inLang(
              here,
              'Nothing that this partner offers you now fits.',
              'Nichts, was dieser Partner Ihnen zurzeit anbietet, passt dazu.',
            ),
          )
          return next(here, `catalog ${quoted(did)}`)
        }
        if (datasets.length === 0) {
          return say(
            here,
            inLang(
              here,
              'This partner offers nothing to you now. Ask whether your company was trusted there, and whether the dataset was published.',
              'Dieser Partner bietet Ihnen zurzeit nichts an. Fragen Sie, ob Ihrer Firma dort vertraut wird und ob der Datensatz veröffentlicht ist.',
            ),
          )
        }
        say(here, datasets.map((dataset) => datasetWords(here, dataset)).join('\n\n'))
        const open = datasets.find((dataset) =>
          dataset.views('offers').some((offer) => offer.flag('acceptable')),
        )
        if (open !== undefined) next(here, askFor(did, open))
      })
    })
  },
}
