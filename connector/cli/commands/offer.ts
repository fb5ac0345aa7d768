/** `offer ...`: the terms under which a dataset is given away, as flags or as an ODRL policy. */
import { ok, problem, type Result } from '../../core/result.js'
import { type Call, type Command, say, usageError } from '../command.js'
import { answer, connected, fail, type Here, inLang, next, path, quoted } from './connected.js'
import { readDescription } from './file-input.js'
import { findPartner, shortId } from './ids.js'
import { entriesOf, type View, viewOf } from './view.js'
import { isoDuration } from './when.js'
import { clauseWords } from './words.js'

const TERMS = {
  fields: {
    type: 'string',
    value: 'A,B',
    about: { en: 'deliver these signals only', de: 'nur diese Signale liefern' },
  },
  every: {
    type: 'string',
    value: 'PT10S',
    about: {
      en: 'at most one record per interval (10s, 5m, PT10S)',
      de: 'höchstens ein Eintrag je Abstand (10s, 5m, PT10S)',
    },
  },
  until: {
    type: 'string',
    value: '2026-12-31',
    about: {
      en: 'last day of use (UTC), or an instant',
      de: 'letzter Tag der Nutzung (UTC) oder ein Zeitpunkt',
    },
  },
  from: {
    type: 'string',
    value: '2026-01-01',
    about: {
      en: 'first day of use (UTC), or an instant',
      de: 'erster Tag der Nutzung (UTC) oder ein Zeitpunkt',
    },
  },
  'for-days': {
    type: 'string',
    value: 'N',
    about: { en: 'use for N days after the contract is made', de: 'Nutzung für N Tage ab Vertragsschluss' },
  },
  'agreement-age': {
    type: 'string',
    value: 'P30D',
    about: { en: 'the same as a duration', de: 'dasselbe als Dauer' },
  },
  count: {
    type: 'string',
    value: 'N',
    about: { en: 'at most N deliveries in all', de: 'höchstens N Lieferungen insgesamt' },
  },
  delay: {
    type: 'string',
    value: 'PT1H',
    about: {
      en: 'deliver records only when they are this old (15m, PT1H)',
      de: 'Einträge erst in diesem Alter liefern (15m, PT1H)',
    },
  },
  'only-for': {
    type: 'string',
    value: 'PARTNER',
    multiple: true,
    about: {
      en: 'only this partner may receive; may be repeated',
      de: 'nur dieser Partner darf empfangen; mehrfach möglich',
    },
  },
} as const

const add: Command = {
  name: 'offer add',
  summary: {
    en: 'attach terms to a dataset, and read them in words',
    de: 'einem Datensatz Bedingungen geben und sie in Worten lesen',
  },
  usage: 'DATASET [options]',
  operands: [1, 1],
  options: {
    ...TERMS,
    policy: {
      type: 'string',
      value: 'FILE',
      about: {
        en: 'ODRL policy as JSON or YAML, instead of the terms',
        de: 'ODRL-Policy als JSON oder YAML, statt der Bedingungen',
      },
    },
    id: {
      type: 'string',
      value: 'ID',
      about: { en: 'id of the offer (default: a new one)', de: 'Kennung des Angebots (sonst eine neue)' },
    },
  },
  json: true,
  examples: [
    'handschlag offer add pump-7 --fields temperature,pressure --every 10s --until 2026-12-31',
    'handschlag offer add pump-7 --for-days 30 --count 100000 --only-for did:web:connector.example.com',
  ],
  run: async (call) => {
    const wrong = mistake(call)
    return wrong === undefined ? connected(call, post) : usageError(call, wrong, 'offer add')
  },
}

function mistake(call: Call): Command['summary'] | undefined {
  const terms = Object.keys(TERMS).filter(
    (flag) => call.value(flag) !== undefined || call.values(flag).length > 0,
  )
  if (call.value('policy') !== undefined && terms.length > 0) {
    const names = terms.map((flag) => `--${flag}`).join(', ')
    return {
      en: `--policy says everything; leave out ${names}.`,
      de: `--policy sagt schon alles; lassen Sie ${names} weg.`,
    }
  }
  const days = call.value('for-days')
  if (days === undefined) return undefined
  if (call.value('agreement-age') !== undefined) {
    return {
      en: '--for-days and --agreement-age say the same thing. Give one of them.',
      de: '--for-days und --agreement-age sagen dasselbe. Geben Sie eines davon an.',
    }
  }
  return /^[1-9]\d{0,5}$/.test(days)
    ? undefined
    : {
        en: '--for-days takes a number of days, such as 30.',
        de: '--for-days nimmt eine Anzahl Tage, etwa 30.',
      }
}

async function post(here: Here): Promise<number> {
  const [dataset = ''] = here.operands
  const written = await writtenOf(here)
  if (!written.ok) return fail(here, written.error, 'help offer add')
  const id = here.value('id')
  const body = { ...(id === undefined ? {} : { id }), ...written.value }
  const made = await here.client.post(path`/datasets/${dataset}/offers`, body)
  if (!made.ok)
    return fail(here, made.error, made.error.code === 'NotFound' ? 'dataset list' : 'help offer add')
  return answer(here, made, (value) => {
    const offer = viewOf(value)
    say(
      here,
      inLang(
        here,
        `Offer ${offer.text('id')} for ${dataset}:`,
        `Angebot ${offer.text('id')} für ${dataset}:`,
      ),
    )
    say(here, clauseWords(offer.views('clauses'), here.lang))
    next(here, `dataset publish ${quoted(dataset)}`)
  })
}

async function writtenOf(here: Here): Promise<Result<Record<string, unknown>>> {
  const file = here.value('policy')
  if (file !== undefined) {
    const policy = await readDescription(here, file)
    return policy.ok ? ok({ policy: policy.value }) : policy
  }
  const recipients: string[] = []
  for (const given of here.values('only-for')) {
    const did = await didOf(here, given)
    if (!did.ok) return did
    recipients.push(did.value)
  }
  const duration = (flag: string): string | undefined => {
    const value = here.value(flag)
    return value === undefined ? undefined : isoDuration(value)
  }
  const days = here.value('for-days')
  const fields = here.value('fields')
  const names = fields
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names?.length === 0) {
    return problem(
      'InvalidInput',
      inLang(
        here,
        '--fields takes names of signals, such as temperature,pressure.',
        '--fields nimmt Namen von Signalen, etwa temperature,pressure.',
      ),
    )
  }
  const terms = {
    recipients: recipients.length === 0 ? undefined : recipients,
    from: here.value('from'),
    until: here.value('until'),
    agreementAge: days === undefined ? duration('agreement-age') : `P${days}D`,
    count: here.value('count'),
    fields: names,
    samplingInterval: duration('every'),
    deliveryDelay: duration('delay'),
  }
  return ok({ terms: Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined)) })
}

/** A DID is taken as it is, also of a company that is no partner yet. */
async function didOf(here: Here, given: string): Promise<Result<string>> {
  if (given.startsWith('did:')) return ok(given)
  const partner = await findPartner(here, given)
  return partner.ok ? ok(partner.value.text('did')) : partner
}

const list: Command = {
  name: 'offer list',
  summary: {
    en: 'list the offers of a dataset, in words',
    de: 'die Angebote eines Datensatzes in Worten auflisten',
  },
  usage: 'DATASET [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const [dataset = ''] = here.operands
      const found = await here.client.get(path`/datasets/${dataset}/offers`)
      if (!found.ok) return fail(here, found.error, 'dataset list')
      return answer(here, found, (value) => {
        const offers = entriesOf(value, 'offers')
        if (offers.length === 0) {
          say(
            here,
            inLang(
              here,
              `The dataset ${dataset} has no offer yet.`,
              `Der Datensatz ${dataset} hat noch kein Angebot.`,
            ),
          )
          next(here, `offer add ${quoted(dataset)} --for-days 30`)
          return
        }
        say(
          here,
          offers
            .map((offer) => `${offer.text('id')}\n${clauseWords(offer.views('clauses'), here.lang)}`)
            .join('\n\n'),
        )
      })
    }),
}

/** An offer by its id or by a part of it; offers are found through the datasets. */
async function findOffer(here: Here, given: string): Promise<Result<string>> {
  const datasets = await here.client.get('/api/v1/datasets')
  if (!datasets.ok) return datasets
  const ids = entriesOf(datasets.value, 'datasets').flatMap((dataset) =>
    dataset.views('offers').map((offer: View) => offer.text('id')),
  )
  const fitting = ids.filter(
    (id) =>
      id === given ||
      (given.length >= 6 &&
        (shortId(id).startsWith(given) ||
          id.endsWith(given) ||
          id.replace(/^urn:uuid:/, '').startsWith(given))),
  )
  const [only] = fitting
  if (ids.includes(given) || only === undefined) return ok(given)
  if (fitting.length === 1) return ok(only)
  return problem(
    'InvalidInput',
    inLang(
      here,
      `"${given}" fits several offers:\n${fitting.join('\n')}`,
      `„${given}“ passt auf mehrere Angebote:\n${fitting.join('\n')}`,
    ),
  )
}

const remove: Command = {
  name: 'offer remove',
  summary: {
    en: 'take an offer back; contracts made from it stay in force',
    de: 'ein Angebot zurückziehen; daraus geschlossene Verträge gelten weiter',
  },
  usage: 'OFFER [options]',
  operands: [1, 1],
  options: {},
  json: true,
  run: (call) =>
    connected(call, async (here) => {
      const id = await findOffer(here, call.operands[0] ?? '')
      if (!id.ok) return fail(here, id.error)
      const removed = await here.client.delete(path`/offers/${id.value}`)
      if (!removed.ok) return fail(here, removed.error, 'dataset list')
      return answer(here, removed, () =>
        say(
          here,
          inLang(
            here,
            `The offer ${id.value} was taken back. Contracts made from it stay in force.`,
            `Das Angebot ${id.value} ist zurückgezogen. Daraus geschlossene Verträge gelten weiter.`,
          ),
        ),
      )
    }),
}

export const offerCommands: readonly Command[] = [add, list, remove]
