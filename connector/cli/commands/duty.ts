/** `duty ...`: what is owed after the delivery, by us and to us, and what a person can do about it. */
import { ok, problem, type Result } from '../../core/result.js'
import type { Lang, Text } from '../../core/types.js'
import { type Command, say, usageError } from '../command.js'
import { renderPairs, renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, path } from './connected.js'
import { shortId } from './ids.js'
import { entriesOf, type View, viewOf } from './view.js'
import { whenWords } from './when.js'

const STATE: Readonly<Record<string, Text>> = {
  open: { en: 'open', de: 'offen' },
  'due soon': { en: 'DUE SOON', de: 'BALD FÄLLIG' },
  fulfilled: { en: 'fulfilled', de: 'erfüllt' },
  overdue: { en: 'OVERDUE', de: 'ÜBERFÄLLIG' },
  waived: { en: 'waived', de: 'erlassen' },
}
const WHOSE: Readonly<Record<string, Text>> = {
  ours: { en: 'ours', de: 'unsere' },
  theirs: { en: 'theirs', de: 'des Partners' },
}
const KIND: Readonly<Record<string, Text>> = {
  deletion: { en: 'receipt of deletion', de: 'Quittung über die Löschung' },
  log: { en: 'report of use', de: 'Nutzungsbericht' },
  incident: { en: 'notice of an event', de: 'Meldung eines Ereignisses' },
  done: { en: 'confirmation', de: 'Bestätigung' },
  reminder: { en: 'reminder', de: 'Erinnerung' },
  waiver: { en: 'waiver', de: 'Verzicht' },
}
const DIRECTION: Readonly<Record<string, Text>> = {
  in: { en: 'received, signature verified', de: 'empfangen, Signatur geprüft' },
  out: { en: 'ours, signed', de: 'von uns, signiert' },
  own: { en: 'written down here, not signed', de: 'hier festgehalten, nicht signiert' },
}
const DELIVERY: Readonly<Record<string, Text>> = {
  owed: { en: 'on its way to the partner', de: 'unterwegs zum Partner' },
  delivered: { en: 'the partner has it', de: 'liegt dem Partner vor' },
  failed: { en: 'NOT DELIVERED', de: 'NICHT ZUGESTELLT' },
  'contract only': {
    en: 'not sent: their connector takes no statements',
    de: 'nicht gesendet: Ihr Connector nimmt keine Erklärungen an',
  },
}

const word = (table: Readonly<Record<string, Text>>, key: string, lang: Lang): string =>
  (Object.hasOwn(table, key) ? table[key]?.[lang] : undefined) ?? key

/** One line of a contract. */
export const dutyLine = (duty: View, lang: Lang): string =>
  `  ${duty.text('id').slice(0, SHOWN)}  ${word(WHOSE, duty.text('whose'), lang)}, ${word(STATE, duty.text('state'), lang)}: ${duty.said('words', lang)}`

/** As much of an id as the table shows. */
const SHOWN = 8

const list: Command = {
  name: 'duty list',
  summary: {
    en: 'list duties under contracts: delete, log, inform; ours and those of partners',
    de: 'Pflichten aus Verträgen auflisten: löschen, protokollieren, melden; unsere und die der Partner',
  },
  usage: '[options]',
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) =>
      answer(here, await here.client.get('/api/v1/duties'), (value) => {
        const duties = entriesOf(value, 'duties')
        if (duties.length === 0) {
          return say(
            here,
            inLang(
              here,
              'No contract asks for anything after the delivery.',
              'Kein Vertrag verlangt etwas nach der Lieferung.',
            ),
          )
        }
        say(
          here,
          renderTable(
            here.lang === 'de'
              ? ['ID', 'Wessen', 'Zustand', 'Fällig', 'Partner', 'Datensatz', 'Was']
              : ['ID', 'Whose', 'State', 'Due', 'Partner', 'Dataset', 'What'],
            duties.map((duty) => [
              duty.text('id').slice(0, SHOWN),
              word(WHOSE, duty.text('whose'), here.lang),
              word(STATE, duty.text('state'), here.lang),
              duty.has('dueAt') ? whenWords(duty.text('dueAt'), here.lang) : '-',
              duty.text('partnerName'),
              duty.text('dataset'),
              duty.said('words', here.lang),
            ]),
          ),
        )
        next(here, `duty show ${duties[0]?.text('id').slice(0, SHOWN) ?? 'ID'}`)
      }),
    ),
}

/** The one duty whose id begins like this. */
async function findDuty(here: Here, given: string): Promise<Result<View>> {
  const found = await here.client.get('/api/v1/duties')
  if (!found.ok) return found
  const fitting = entriesOf(found.value, 'duties').filter((duty) => duty.text('id').startsWith(given))
  const [only, second] = fitting
  if (only !== undefined && second === undefined && given.length >= 4) return ok(only)
  return problem(
    only === undefined ? 'NotFound' : 'InvalidInput',
    only === undefined
      ? inLang(here, `There is no duty "${given}".`, `Es gibt keine Pflicht „${given}“.`)
      : inLang(
          here,
          `"${given}" is too short or fits several duties.`,
          `„${given}“ ist zu kurz oder passt auf mehrere Pflichten.`,
        ),
  )
}

function showDuty(here: Here, duty: View): void {
  const { lang } = here
  const when = (key: string): string => (duty.has(key) ? whenWords(duty.text(key), lang) : '')
  const pairs: readonly (readonly [string, string])[] = [
    ['ID', duty.text('id')],
    [inLang(here, 'Whose', 'Wessen'), word(WHOSE, duty.text('whose'), lang)],
    [inLang(here, 'What', 'Was'), duty.said('words', lang)],
    [inLang(here, 'State', 'Zustand'), word(STATE, duty.text('state'), lang)],
    [inLang(here, 'Due', 'Fällig'), when('dueAt')],
    [inLang(here, 'Data since', 'Daten seit'), when('outstandingSince')],
    [inLang(here, 'Contract', 'Vertrag'), `${shortId(duty.text('contract'))}, ${duty.text('path')}`],
    ['Partner', `${duty.text('partnerName')} (${duty.text('partner')})`],
    [inLang(here, 'Dataset', 'Datensatz'), duty.text('dataset')],
    [inLang(here, 'Fails', 'Schlägt fehl'), duty.said('failing', lang)],
  ]
  say(here, renderPairs(pairs.filter(([, value]) => value !== '')))
  say(here, `\n${duty.said('note', lang)}`)
  for (const statement of duty.views('statements')) say(here, statementWords(here, statement))
}

function statementWords(here: Here, statement: View): string {
  const { lang } = here
  const content = statement.view('content')
  const data = content.view('data')
  const files = statement.view('proof').views('files')
  // Somebody's word for it is not what a connector has done.
  const isWord = statement.text('kind') === 'deletion' && content.text('by') !== 'connector'
  const kind = isWord
    ? inLang(
        here,
        'declaration of a person that it is deleted',
        'Erklärung eines Menschen, dass gelöscht ist',
      )
    : word(KIND, statement.text('kind'), lang)
  const until = statement.maybe('until')
  const delivery = statement.maybe('delivery')
  const lines = [
    `${whenWords(statement.text('at'), lang)}  ${kind} (${word(DIRECTION, statement.text('direction'), lang)})`,
    ...(until === undefined
      ? []
      : [
          inLang(
            here,
            `covers what came until ${whenWords(until, lang)}`,
            `umfasst alles bis ${whenWords(until, lang)}`,
          ),
        ]),
    ...(data.has('records')
      ? [
          inLang(
            here,
            `${data.text('records')} ${data.text('records') === '1' ? 'record' : 'records'}, ${data.text('bytes')} bytes`,
            `${data.text('records')} ${data.text('records') === '1' ? 'Eintrag' : 'Einträge'}, ${data.text('bytes')} Bytes`,
          ),
        ]
      : []),
    ...(data.has('firstReceived')
      ? [
          inLang(
            here,
            `came between ${whenWords(data.text('firstReceived'), lang)} and ${whenWords(data.text('lastReceived'), lang)}`,
            `eingegangen zwischen ${whenWords(data.text('firstReceived'), lang)} und ${whenWords(data.text('lastReceived'), lang)}`,
          ),
        ]
      : []),
    ...(files.length === 0 ? data.texts('sha256').map((digest) => `SHA-256 ${digest}`) : []),
    ...files.map((file) => `${file.text('name')}: SHA-256 ${file.text('sha256')}`),
    ...(content.has('event') ? [content.text('event')] : []),
    ...(content.has('text') ? [`"${content.text('text')}"`] : []),
    ...(delivery === undefined ? [] : [word(DELIVERY, delivery, lang)]),
    ...(statement.has('deliveryReason') ? [statement.text('deliveryReason')] : []),
  ]
  return `\n${lines.join('\n    ')}`
}

const show: Command = {
  name: 'duty show',
  summary: {
    en: 'show a duty with its receipts and statements; --json has the signatures',
    de: 'eine Pflicht mit ihren Quittungen und Erklärungen zeigen; --json enthält die Signaturen',
  },
  usage: 'ID [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const found = await findDuty(here, call.operands[0] ?? '')
      if (!found.ok) return fail(here, found.error, 'duty list')
      return answer(here, await here.client.get(path`/duties/${found.value.text('id')}`), (value) => {
        const duty = viewOf(value)
        showDuty(here, duty)
        hint(here, duty)
      })
    }),
}

function hint(here: Here, duty: View): void {
  const id = duty.text('id').slice(0, SHOWN)
  if (['waived', 'fulfilled'].includes(duty.text('state'))) return
  if (duty.text('whose') === 'theirs') {
    if (duty.text('state') === 'overdue')
      next(here, `duty remind ${id} --text "..."`, `duty confirm ${id} --text "..."`)
    return
  }
  // What lies in the connector's own folder goes by itself, and no deadline of it comes near.
  if (duty.text('kind') === 'delete' && duty.text('state') === 'open') return
  const does = ['inform', 'log'].includes(duty.text('kind')) ? 'report' : 'confirm'
  next(here, `duty ${does} ${id} --text "..."`)
}

type Act = {
  readonly name: 'confirm' | 'report' | 'remind' | 'waive'
  readonly summary: Text
  readonly about: Text
  readonly done: Text
  readonly example: string
}

const ACTS: readonly Act[] = [
  {
    name: 'confirm',
    summary: {
      en: 'state in words that a duty is done; of a partner: write down a confirmation that came by another way',
      de: 'in Worten erklären, dass eine Pflicht erfüllt ist; beim Partner: eine anders eingegangene Bestätigung festhalten',
    },
    about: { en: 'what was done, and who says so', de: 'was getan wurde, und wer es erklärt' },
    done: { en: 'Written down.', de: 'Festgehalten.' },
    example: 'handschlag duty confirm 3f2a91c4 --text "Deleted from the historian, J. Doe"',
  },
  {
    name: 'report',
    summary: {
      en: 'tell the provider of an event, or report the log of use',
      de: 'dem Anbieter ein Ereignis melden oder das Nutzungsprotokoll berichten',
    },
    about: { en: 'what happened; the partner reads it', de: 'was geschehen ist; der Partner liest es' },
    done: {
      en: 'Signed; it is sent if the partner takes statements.',
      de: 'Signiert; es wird gesendet, wenn der Partner Erklärungen annimmt.',
    },
    example: 'handschlag duty report 3f2a91c4 --text "A laptop with copies was stolen"',
  },
  {
    name: 'remind',
    summary: { en: 'ask a partner for what it owes', de: 'einen Partner an eine Pflicht erinnern' },
    about: { en: 'what the partner reads', de: 'was der Partner liest' },
    done: { en: 'The reminder is on its way.', de: 'Die Erinnerung ist unterwegs.' },
    example: 'handschlag duty remind 3f2a91c4 --text "The receipt for March is missing"',
  },
  {
    name: 'waive',
    summary: { en: 'release a partner from a duty', de: 'einem Partner eine Pflicht erlassen' },
    about: { en: 'why; the partner reads it', de: 'warum; der Partner liest es' },
    done: { en: 'The duty is waived.', de: 'Die Pflicht ist erlassen.' },
    example: 'handschlag duty waive 3f2a91c4 --text "The data may stay for the warranty case"',
  },
]

const acting = ({ name, summary, about, done, example }: Act): Command => ({
  name: `duty ${name}`,
  summary,
  usage: 'ID --text TEXT',
  operands: [1, 1],
  options: {
    text: { type: 'string', value: 'TEXT', about },
    ...(name === 'report'
      ? {
          event: {
            type: 'string' as const,
            value: 'IRI',
            about: {
              en: 'which event, if the contract leaves it open',
              de: 'welches Ereignis, wenn der Vertrag es offenlässt',
            },
          },
        }
      : {}),
  },
  json: true,
  examples: [example],
  run: async (call) => {
    const text = call.value('text') ?? ''
    if (text.trim() === '') {
      const missing = {
        en: '--text is missing: it has to be said in words.',
        de: '--text fehlt: Es muss in Worten gesagt werden.',
      }
      return usageError(call, missing, `duty ${name}`)
    }
    return connected(call, async (here) => {
      const found = await findDuty(here, call.operands[0] ?? '')
      if (!found.ok) return fail(here, found.error, 'duty list')
      const id = found.value.text('id')
      const event = name === 'report' ? call.value('event') : undefined
      const outcome = await here.client.post(path`/duties/${id}/` + name, {
        text,
        ...(event === undefined ? {} : { event }),
      })
      if (!outcome.ok) return fail(here, outcome.error, `duty show ${id.slice(0, SHOWN)}`)
      return answer(here, outcome, () => {
        say(here, done[here.lang])
        next(here, `duty show ${id.slice(0, SHOWN)}`)
      })
    })
  },
})

export const dutyCommands: readonly Command[] = [list, show, ...ACTS.map(acting)]
