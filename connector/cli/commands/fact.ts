/** `fact ...`: what the operator confirms about partners and events, for contracts that demand it. Recorded and ended, never edited. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { ok, problem, type Result } from '../../core/result.js'
import type { JsonObject, Text } from '../../core/types.js'
import { type Call, type Command, EXIT, say, sayJson, usageError } from '../command.js'
import { renderTable } from '../table.js'
import { answer, connected, fail, type Here, inLang, next, path } from './connected.js'
import { signRequestCommand } from './fact-sign-request.js'
import { failPartner, findPartner, shortId } from './ids.js'
import { entriesOf, type View, viewOf } from './view.js'
import { durationMs, instantOf, whenWords } from './when.js'

const named = (value: string, en: string, de: string) =>
  ({ type: 'string', value, about: { en, de } }) as const

/** Flag of each condition that can be confirmed, with the name that the API has for it. */
const VALUES = {
  group: named('NAME', 'the partner belongs to this group', 'der Partner gehört zu dieser Gruppe'),
  credential: named('NAME', 'you have seen this proof', 'dieser Nachweis liegt Ihnen vor'),
  assurance: named(
    'LEVEL',
    'its connector has this level of assurance, such as certified',
    'sein Connector hat diese Prüfstufe, etwa certified',
  ),
  seat: named('PLACE', 'its seat, as a country such as DE', 'sein Sitz, als Land wie DE'),
  place: named(
    'PLACE',
    'where it uses the data, as a country such as DE',
    'wo er die Daten nutzt, als Land wie DE',
  ),
  'user-request': named(
    'ID',
    'the user of the machine wants this partner to have the data; ending the fact is the withdrawal',
    'der Nutzer der Maschine verlangt, dass dieser Partner die Daten erhält; das Beenden ist der Widerruf',
  ),
  event: named(
    'ID',
    'this event is open, such as urn:ticket:4711',
    'dieses Ereignis liegt vor, etwa urn:ticket:4711',
  ),
} as const

const CONDITION: Readonly<Record<keyof typeof VALUES, string>> = {
  group: 'group',
  credential: 'credentialType',
  assurance: 'connectorAssurance',
  seat: 'partySeat',
  place: 'spatial',
  'user-request': 'userRequest',
  event: 'event',
}
const FLAGS = Object.keys(VALUES) as readonly (keyof typeof VALUES)[]

const WHICH: Text = {
  en: `Name exactly one of ${FLAGS.map((flag) => `--${flag}`).join(', ')}.`,
  de: `Nennen Sie genau eines von ${FLAGS.map((flag) => `--${flag}`).join(', ')}.`,
}
const WHEN: Text = {
  en: '--from and --until take a day, a date and time, or a time from now such as +8h.',
  de: '--from und --until nehmen einen Tag, ein Datum mit Uhrzeit oder eine Zeit ab jetzt wie +8h.',
}

const DAY = /^\d{4}-\d\d-\d\d$/

/** A day as an end includes that day, by the clock of whoever types it. */
function instantFrom(text: string, isEnd: boolean): string | undefined {
  if (text.startsWith('+')) {
    const ms = durationMs(text.slice(1))
    return ms === undefined ? undefined : new Date(Date.now() + ms).toISOString()
  }
  const at = instantOf(text)
  if (at === undefined || !isEnd || !DAY.test(text)) return at
  const date = new Date(at)
  date.setDate(date.getDate() + 1)
  return date.toISOString()
}

/** Of any size: only its hash is kept. */
async function hashOf(here: Here, file: string): Promise<Result<JsonObject>> {
  const full = resolve(here.io.cwd, file)
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(full)) hash.update(chunk as Buffer)
  } catch (cause) {
    return problem('InvalidInput', unreadable(full), cause)
  }
  return ok({ sha256: hash.digest('hex'), name: basename(full) })
}

const aboutWords = (fact: View, here: Here): string =>
  [
    fact.maybe('partnerName') ?? fact.maybe('partner'),
    ...(['dataset', 'machine'] as const).flatMap((key) => {
      const id = fact.maybe(key)
      if (id === undefined) return []
      return [
        `${key === 'dataset' ? inLang(here, 'dataset', 'Datensatz') : inLang(here, 'machine', 'Maschine')} ${id}`,
      ]
    }),
  ]
    .filter((part) => part !== undefined)
    .join(', ') || inLang(here, 'everything', 'alles')

const STATUS: Readonly<Record<string, Text>> = {
  'in-force': { en: 'in force', de: 'gilt' },
  'not-yet': { en: 'not yet', de: 'noch nicht' },
  'run-out': { en: 'run out', de: 'abgelaufen' },
  ended: { en: 'ended', de: 'beendet' },
}
const statusWords = (fact: View, here: Here): string => STATUS[fact.text('status')]?.[here.lang] ?? ''

function recordedWords(fact: View, here: Here): string {
  const until = fact.maybe('until')
  const end =
    until === undefined
      ? ''
      : inLang(here, ` until ${whenWords(until, 'en')}`, ` bis ${whenWords(until, 'de')}`)
  return inLang(
    here,
    `Recorded for ${aboutWords(fact, here)}${end}: ${fact.said('text', 'en')} (${shortId(fact.text('id'))})`,
    `Festgehalten für ${aboutWords(fact, here)}${end}: ${fact.said('text', 'de')} (${shortId(fact.text('id'))})`,
  )
}

const add: Command = {
  name: 'fact add',
  summary: {
    en: 'confirm something about a partner or an event',
    de: 'etwas über einen Partner oder ein Ereignis bestätigen',
  },
  usage: '[--partner NAME] --group NAME | --seat PLACE | --event ID | ... [options]',
  options: {
    partner: named('NAME', 'the partner that it is about', 'der Partner, um den es geht'),
    ...VALUES,
    not: {
      type: 'boolean',
      about: { en: 'confirm that it does not apply', de: 'bestätigen, dass es nicht zutrifft' },
    },
    dataset: named('ID', 'only for this dataset', 'nur für diesen Datensatz'),
    machine: {
      ...named('ID', 'only for this machine; may be repeated', 'nur für diese Maschine; mehrfach möglich'),
      multiple: true,
    },
    from: named('WHEN', 'from when on (default: now)', 'ab wann (sonst: ab jetzt)'),
    until: named(
      'WHEN',
      'until when; a day is included; +8h is from now (default: until you end it)',
      'bis wann; ein Tag zählt mit; +8h ist ab jetzt (sonst: bis Sie es beenden)',
    ),
    note: named('TEXT', 'how you know; partners never see it', 'woher Sie es wissen; Partner sehen es nie'),
    evidence: named(
      'FILE',
      'a document that you keep: its name and SHA-256 are noted',
      'ein Dokument, das Sie aufbewahren: Name und SHA-256 werden vermerkt',
    ),
    signed: named(
      'FILE',
      'the request of the user, signed with "fact sign-request" by a partner that you trust; it is checked',
      'das Verlangen des Nutzers, mit „fact sign-request“ signiert von einem Partner, dem Sie vertrauen; es wird geprüft',
    ),
  },
  json: true,
  examples: [
    'handschlag fact add --partner "Werk Süd" --group affiliates --until 2027-12-31 --note "register, 3 Nov 2026"',
    'handschlag fact add --event urn:ticket:4711 --machine press-7 --until +8h',
  ],
  run: async (call) => {
    const given = FLAGS.filter((flag) => call.value(flag) !== undefined)
    const [flag] = given
    if (flag === undefined || given.length > 1) return usageError(call, WHICH, 'fact add')
    const [from, until] = [timeOf(call, 'from', false), timeOf(call, 'until', true)]
    if (from === null || until === null) return usageError(call, WHEN, 'fact add')
    return connected(call, (here) => record(here, flag, { from, until }))
  },
}

/** null: what stands there is no time. */
function timeOf(call: Call, flag: string, isEnd: boolean): string | undefined | null {
  const text = call.value(flag)
  return text === undefined ? undefined : (instantFrom(text, isEnd) ?? null)
}

async function record(
  here: Here,
  flag: keyof typeof VALUES,
  { from, until }: { readonly from: string | undefined; readonly until: string | undefined },
): Promise<number> {
  const wanted = here.value('partner')
  const partner = wanted === undefined ? undefined : await findPartner(here, wanted)
  if (partner?.ok === false) return failPartner(here, partner.error)
  const file = here.value('evidence')
  const document = file === undefined ? undefined : await hashOf(here, file)
  if (document?.ok === false) return fail(here, document.error)
  const signedFile = here.value('signed')
  const signed = signedFile === undefined ? undefined : await readStatement(here, signedFile)
  if (signed?.ok === false) return fail(here, signed.error)
  const machines = here.values('machine')
  const recorded: View[] = []
  for (const machine of machines.length === 0 ? [undefined] : machines) {
    const made = await here.client.post('/api/v1/facts', {
      ...(partner === undefined ? {} : { partner: partner.value.text('did') }),
      ...optional('dataset', here.value('dataset')),
      ...optional('machine', machine),
      condition: CONDITION[flag],
      value: here.value(flag) ?? '',
      ...(here.flag('not') ? { not: true } : {}),
      ...optional('from', from),
      ...optional('until', until),
      ...optional('note', here.value('note')),
      ...(document === undefined ? {} : { document: document.value }),
      ...(signed === undefined ? {} : { signed: signed.value }),
    })
    if (!made.ok) return fail(here, made.error, 'fact list')
    recorded.push(viewOf(made.value))
  }
  if (here.json) sayJson(here, { facts: recorded.map(({ json }) => json) })
  else for (const fact of recorded) say(here, recordedWords(fact, here))
  next(here, 'policy who', 'fact list')
  return EXIT.ok
}

async function readStatement(here: Here, file: string): Promise<Result<string>> {
  const full = resolve(here.io.cwd, file)
  try {
    return ok((await readFile(full, 'utf8')).trim())
  } catch (cause) {
    return problem('InvalidInput', unreadable(full), cause)
  }
}

const unreadable = (full: string): Text => ({
  en: `${full} cannot be read. Check the name and its permissions.`,
  de: `${full} lässt sich nicht lesen. Prüfen Sie Namen und Rechte.`,
})

const optional = (key: string, value: string | undefined): JsonObject =>
  value === undefined ? {} : { [key]: value }

const list: Command = {
  name: 'fact list',
  summary: { en: 'list what you have confirmed', de: 'auflisten, was Sie bestätigt haben' },
  usage: '[--partner NAME] [--all] [options]',
  options: {
    partner: named('NAME', 'only about this partner', 'nur über diesen Partner'),
    all: {
      type: 'boolean',
      about: { en: 'also what was ended', de: 'auch was beendet wurde' },
    },
  },
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const wanted = here.value('partner')
      const partner = wanted === undefined ? undefined : await findPartner(here, wanted)
      if (partner?.ok === false) return failPartner(here, partner.error)
      const query = new URLSearchParams({
        all: String(here.flag('all')),
        ...(partner === undefined ? {} : { partner: partner.value.text('did') }),
      })
      return answer(here, await here.client.get(`/api/v1/facts?${query}`), (value) => {
        const facts = entriesOf(value, 'facts')
        if (facts.length === 0) {
          say(here, inLang(here, 'Nothing is confirmed.', 'Es ist nichts bestätigt.'))
          return next(here, 'fact add --partner NAME --group NAME')
        }
        const ids = facts.map((fact) => fact.text('id'))
        say(
          here,
          renderTable(
            here.lang === 'de'
              ? ['Kennung', 'Für', 'Bestätigt', 'Bis', 'Stand', 'Vermerk']
              : ['Id', 'For', 'Confirmed', 'Until', 'State', 'Note'],
            facts.map((fact) => [
              shortId(fact.text('id'), ids),
              aboutWords(fact, here),
              fact.said('text', here.lang),
              fact.has('until') ? whenWords(fact.text('until'), here.lang) : '',
              statusWords(fact, here),
              fact.has('ended') ? fact.view('ended').text('reason') : fact.text('note'),
            ]),
          ),
        )
      })
    }),
}

const end: Command = {
  name: 'fact end',
  summary: {
    en: 'end what you have confirmed: it counts no more, at once',
    de: 'beenden, was Sie bestätigt haben: Es gilt sofort nicht mehr',
  },
  usage: 'ID --reason TEXT [options]',
  operands: [1, 1],
  options: { reason: named('TEXT', 'why; it stays in the history', 'warum; es bleibt in der Geschichte') },
  json: true,
  examples: ['handschlag fact end 0f3a9c1e7b20 --reason "ticket closed"'],
  run: async (call) => {
    const reason = call.value('reason')
    if (reason === undefined) {
      return usageError(
        call,
        { en: 'The end of a fact needs --reason.', de: 'Das Ende braucht --reason.' },
        'fact end',
      )
    }
    return connected(call, async (here) => {
      const found = await findFact(here, here.operands[0] ?? '')
      if (!found.ok) return fail(here, found.error, 'fact list')
      return answer(here, await here.client.post(path`/facts/${found.value}/end`, { reason }), (value) =>
        say(
          here,
          inLang(
            here,
            `Ended for ${aboutWords(viewOf(value), here)}: ${viewOf(value).said('text', 'en')}`,
            `Beendet für ${aboutWords(viewOf(value), here)}: ${viewOf(value).said('text', 'de')}`,
          ),
        ),
      )
    })
  },
}

async function findFact(here: Here, given: string): Promise<Result<string>> {
  const listed = await here.client.get('/api/v1/facts?all=true')
  if (!listed.ok) return listed
  const part = given.replace(/^urn:uuid:/, '')
  const ids = entriesOf(listed.value, 'facts').map((fact) => fact.text('id'))
  const fitting =
    part.length < 6
      ? []
      : ids.filter((id) => id === given || id.endsWith(part) || id.startsWith(`urn:uuid:${part}`))
  const [only, ...more] = fitting
  if (only !== undefined && more.length === 0) return ok(only)
  return problem(
    'NotFound',
    inLang(
      here,
      only === undefined
        ? `There is no fact "${given}".`
        : `"${given}" fits several facts. Give more of the id.`,
      only === undefined
        ? `Es gibt keine Bestätigung „${given}“.`
        : `„${given}“ passt auf mehrere Bestätigungen. Geben Sie mehr von der Kennung an.`,
    ),
  )
}

export const factCommands: readonly Command[] = [add, list, end, signRequestCommand]
