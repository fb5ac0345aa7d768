/** Terms as flags, or as a policy in a file: for offers in the catalog, for offers to one partner, and for counters. */
import { ok, problem, type Result } from '../../core/result.js'
import type { Call, Command } from '../command.js'
import { type Here, inLang } from './connected.js'
import { readDescription } from './file-input.js'
import { findPartner } from './ids.js'
import { isoDuration } from './when.js'

const TERMS = {
  fields: {
    type: 'string',
    value: 'A,B',
    about: { en: 'deliver these signals only', de: 'nur diese Signale liefern' },
  },
  without: {
    type: 'string',
    value: 'A,B',
    about: {
      en: 'deliver all signals but these, also signals added later',
      de: 'alle Signale außer diesen liefern, auch später hinzukommende',
    },
  },
  machines: {
    type: 'string',
    value: 'A,B',
    about: { en: 'records of these machines only', de: 'nur Einträge dieser Maschinen' },
  },
  lots: {
    type: 'string',
    value: 'A,B',
    about: {
      en: 'records of these lots only (signal "lot")',
      de: 'nur Einträge dieser Lose (Signal „lot“)',
    },
  },
  lines: {
    type: 'string',
    value: 'A,B',
    about: {
      en: 'records of these lines only (signal "line")',
      de: 'nur Einträge dieser Linien (Signal „line“)',
    },
  },
  states: {
    type: 'string',
    value: 'A,B',
    about: {
      en: 'records in these machine states only (signal "machineState")',
      de: 'nur Einträge in diesen Maschinenzuständen (Signal „machineState“)',
    },
  },
  'signal-rows': {
    type: 'string',
    value: 'A,B',
    about: {
      en: 'records of these signals only, where the signal "signal" names one',
      de: 'nur Einträge dieser Signale, wo das Signal „signal“ eines nennt',
    },
  },
  pseudonyms: {
    type: 'boolean',
    about: {
      en: 'replace names of machines and lines, valid for one contract only',
      de: 'Namen von Maschinen und Linien ersetzen, gültig nur für einen Vertrag',
    },
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
  window: {
    type: 'string',
    value: 'PT5M',
    about: {
      en: 'deliver values only combined over windows of this length (5m, PT1H)',
      de: 'Werte nur über Fenster dieser Länge zusammengefasst liefern (5m, PT1H)',
    },
  },
  functions: {
    type: 'string',
    value: 'mean,max',
    about: {
      en: 'what of a window: mean, min, max, sum, count (default: mean,count)',
      de: 'was von einem Fenster: mean, min, max, sum, count (sonst mean,count)',
    },
  },
  'min-group': {
    type: 'string',
    value: 'N',
    about: {
      en: 'means over at least N machines only; needs --window',
      de: 'nur Mittel über mindestens N Maschinen; braucht --window',
    },
  },
  places: {
    type: 'string',
    value: 'A,B',
    about: {
      en: 'records of these places only (signal "sourceLocation")',
      de: 'nur Einträge dieser Standorte (Signal „sourceLocation“)',
    },
  },
  'value-step': {
    type: 'string',
    value: '0.5',
    about: {
      en: 'round numbers down to multiples of at least this',
      de: 'Zahlen auf Vielfache von mindestens diesem Wert abrunden',
    },
  },
  shape: {
    type: 'string',
    value: 'SHA256',
    about: {
      en: 'shape single signals as this stored document says (shape add)',
      de: 'einzelne Signale nach diesem gespeicherten Dokument aufbereiten (shape add)',
    },
  },
  hours: {
    type: 'string',
    value: '06:00-22:00',
    about: {
      en: 'deliver at this time of day only; 22:00-06:00 goes over midnight',
      de: 'nur zu dieser Uhrzeit liefern; 22:00-06:00 geht über Mitternacht',
    },
  },
  weekdays: {
    type: 'string',
    value: '1-5',
    about: {
      en: 'deliver on these weekdays only, 1 is Monday (1-5 or 1,3,5)',
      de: 'nur an diesen Wochentagen liefern, 1 ist Montag (1-5 oder 1,3,5)',
    },
  },
  'time-zone': {
    type: 'string',
    value: 'Europe/Berlin',
    about: {
      en: 'zone of hours, weekdays and days (default: UTC)',
      de: 'Zeitzone der Uhrzeiten, Wochentage und Tage (sonst UTC)',
    },
  },
  'records-per-day': {
    type: 'string',
    value: 'N',
    about: { en: 'at most N deliveries on one day', de: 'höchstens N Lieferungen an einem Tag' },
  },
  'bytes-per-day': {
    type: 'string',
    value: 'N',
    about: { en: 'at most N bytes of data on one day', de: 'höchstens N Bytes Daten an einem Tag' },
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

export const TERMS_FLAGS = {
  ...TERMS,
  policy: {
    type: 'string',
    value: 'FILE',
    about: {
      en: 'ODRL policy as JSON or YAML, instead of the terms',
      de: 'ODRL-Policy als JSON oder YAML, statt der Bedingungen',
    },
  },
} as const

/** Whether any of the flags is there. */
export const namesTerms = (call: Call): boolean =>
  call.value('policy') !== undefined || termsIn(call).length > 0

const termsIn = (call: Call): readonly string[] =>
  Object.entries(TERMS)
    .filter(([flag, { type }]) =>
      type === 'boolean' ? call.flag(flag) : call.value(flag) !== undefined || call.values(flag).length > 0,
    )
    .map(([flag]) => flag)

/** What is wrong with the flags taken together. */
export function termsMistake(call: Call): Command['summary'] | undefined {
  const terms = termsIn(call)
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

/** `terms` or `policy`, as the API takes them. */
export async function termsOf(here: Here): Promise<Result<Record<string, unknown>>> {
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
  const lists: Record<string, readonly string[]> = {}
  for (const [flag, term] of Object.entries(NAME_LISTS)) {
    const names = here
      .value(flag)
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
    if (names === undefined) continue
    if (names.length === 0) return problem('InvalidInput', emptyList(here, flag))
    lists[term] = names
  }
  const terms = {
    recipients: recipients.length === 0 ? undefined : recipients,
    from: here.value('from'),
    until: here.value('until'),
    agreementAge: days === undefined ? duration('agreement-age') : `P${days}D`,
    count: here.value('count'),
    hours: here.value('hours'),
    weekdays: weekdaysIn(here.value('weekdays')),
    timeZone: here.value('time-zone'),
    recordsPerDay: here.value('records-per-day'),
    bytesPerDay: here.value('bytes-per-day'),
    ...lists,
    pseudonym: here.flag('pseudonyms') ? 'agreement' : undefined,
    samplingInterval: duration('every'),
    aggregationWindow: duration('window'),
    minGroup: here.value('min-group'),
    valueStep: here.value('value-step'),
    shape: here.value('shape'),
    deliveryDelay: duration('delay'),
  }
  return ok({ terms: Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined)) })
}

/** Flags that take names, and the terms they are. */
const NAME_LISTS = {
  fields: 'fields',
  without: 'withoutFields',
  machines: 'machines',
  lines: 'lines',
  lots: 'lots',
  states: 'machineStates',
  'signal-rows': 'signalRows',
  functions: 'aggregation',
  places: 'places',
} as const

/** `1-5` and `1,3,5`; what is neither is left for the API to name. */
function weekdaysIn(written: string | undefined): readonly string[] | undefined {
  const [, first, last] = /^([1-7])-([1-7])$/.exec(written ?? '') ?? []
  if (first === undefined || last === undefined) return written?.split(',').map((day) => day.trim())
  const count = ((Number(last) - Number(first) + 7) % 7) + 1
  return Array.from({ length: count }, (_, n) => String(((Number(first) - 1 + n) % 7) + 1))
}

const emptyList = (here: Here, flag: string): string => {
  const [en, de] =
    flag === 'fields' || flag === 'without'
      ? ['names of signals, such as temperature,pressure', 'Namen von Signalen, etwa temperature,pressure']
      : ['names, such as A,B', 'Namen, etwa A,B']
  return inLang(here, `--${flag} takes ${en}.`, `--${flag} nimmt ${de}.`)
}

/** A DID is taken as it is, also of a company that is no partner yet. */
export async function didOf(here: Here, given: string): Promise<Result<string>> {
  if (given.startsWith('did:')) return ok(given)
  const partner = await findPartner(here, given)
  return partner.ok ? ok(partner.value.text('did')) : partner
}
