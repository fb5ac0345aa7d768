/** Flags of `source add` to the configuration of a source, for the common cases; a settings file can say everything. */
import { resolve } from 'node:path'
import { ok, problem, type Result } from '../../core/result.js'
import type { Call, Option } from '../command.js'
import { inLang } from './connected.js'

export const SOURCE_FLAGS = {
  url: {
    type: 'string',
    value: 'URL',
    about: {
      en: 'mqtt: address of the broker, mqtt:// or mqtts://',
      de: 'mqtt: Adresse des Brokers, mqtt:// oder mqtts://',
    },
  },
  topic: {
    type: 'string',
    value: 'FILTER',
    multiple: true,
    about: { en: 'mqtt: topic filter, may be repeated', de: 'mqtt: Topic-Filter, mehrfach möglich' },
  },
  map: {
    type: 'string',
    value: 'SIGNAL=PLACE',
    multiple: true,
    about: {
      en: 'where a signal stands: path in the message, or column; may be repeated',
      de: 'wo ein Signal steht: Pfad in der Nachricht oder Spalte; mehrfach möglich',
    },
  },
  time: {
    type: 'string',
    value: 'PLACE',
    about: {
      en: 'where the time stands: path, column, or "arrival" (mqtt, default)',
      de: 'wo die Zeit steht: Pfad, Spalte oder „arrival“ für den Empfang (mqtt, sonst so)',
    },
  },
  'time-format': {
    type: 'string',
    value: 'FORMAT',
    about: {
      en: 'iso (default), iso-local, epoch-ms or epoch-s',
      de: 'iso (sonst so), iso-local, epoch-ms oder epoch-s',
    },
  },
  'time-zone': {
    type: 'string',
    value: 'ZONE',
    about: {
      en: 'zone of times without an offset, such as Europe/Berlin',
      de: 'Zone für Zeiten ohne Versatz, etwa Europe/Berlin',
    },
  },
  series: {
    type: 'string',
    value: 'TEXT',
    about: {
      en: 'fixed name of the series, or topic:N for a level of the topic',
      de: 'fester Name der Reihe, oder topic:N für eine Ebene des Topics',
    },
  },
  'series-from': {
    type: 'string',
    value: 'PLACE',
    about: { en: 'path or column that names the series', de: 'Pfad oder Spalte mit dem Namen der Reihe' },
  },
  each: {
    type: 'string',
    value: 'PATH',
    about: {
      en: 'path of a list in the message; each entry is a record',
      de: 'Pfad einer Liste in der Nachricht; jeder Eintrag zählt für sich',
    },
  },
  'topic-signal': {
    type: 'string',
    value: 'LEVEL[:PATH]',
    about: {
      en: 'mqtt: topic level that is the name of the signal',
      de: 'mqtt: Ebene des Topics, die der Name des Signals ist',
    },
  },
  username: {
    type: 'string',
    value: 'NAME',
    about: { en: 'mqtt: user at the broker', de: 'mqtt: Benutzer am Broker' },
  },
  'password-stdin': {
    type: 'boolean',
    about: {
      en: 'mqtt: read the password from standard input (or set HANDSCHLAG_SOURCE_PASSWORD)',
      de: 'mqtt: Passwort von der Standardeingabe lesen (oder HANDSCHLAG_SOURCE_PASSWORD setzen)',
    },
  },
  ca: {
    type: 'string',
    value: 'FILE',
    about: {
      en: 'mqtt: certificate authority of the broker, PEM',
      de: 'mqtt: Zertifizierungsstelle des Brokers, PEM',
    },
  },
  cert: {
    type: 'string',
    value: 'FILE',
    about: { en: 'mqtt: own certificate, PEM', de: 'mqtt: eigenes Zertifikat, PEM' },
  },
  key: {
    type: 'string',
    value: 'FILE',
    about: { en: 'mqtt: own key, PEM', de: 'mqtt: eigener Schlüssel, PEM' },
  },
  qos: {
    type: 'string',
    value: '0|1',
    about: { en: 'mqtt: quality of service (default 1)', de: 'mqtt: Dienstgüte (sonst 1)' },
  },
  'client-id': {
    type: 'string',
    value: 'ID',
    about: { en: 'mqtt: client id at the broker', de: 'mqtt: Client-Kennung am Broker' },
  },
  file: {
    type: 'string',
    value: 'FILE',
    about: { en: 'files, bytes: the file', de: 'files, bytes: die Datei' },
  },
  folder: {
    type: 'string',
    value: 'FOLDER',
    about: { en: 'files: a folder that grows', de: 'files: ein Ordner, der wächst' },
  },
  pattern: {
    type: 'string',
    value: '*.csv',
    about: { en: 'files: which names in the folder', de: 'files: welche Namen im Ordner' },
  },
  format: {
    type: 'string',
    value: 'csv|ndjson',
    about: { en: 'files: format (default: from the name)', de: 'files: Format (sonst nach dem Namen)' },
  },
  separator: {
    type: 'string',
    value: 'CHAR',
    about: { en: 'files: CSV separator (default ,)', de: 'files: CSV-Trennzeichen (sonst ,)' },
  },
  decimal: {
    type: 'string',
    value: '.|,',
    about: { en: 'files: decimal sign (default .)', de: 'files: Dezimalzeichen (sonst .)' },
  },
  missing: {
    type: 'string',
    value: 'TEXT',
    multiple: true,
    about: {
      en: 'files: cell that means "no value"; may be repeated',
      de: 'files: Zelle, die „kein Wert“ bedeutet; mehrfach möglich',
    },
  },
  growing: {
    type: 'boolean',
    about: { en: 'files: lines are still being appended', de: 'files: es kommen noch Zeilen hinzu' },
  },
  'media-type': {
    type: 'string',
    value: 'TYPE',
    about: { en: 'bytes: media type of the file', de: 'bytes: Medientyp der Datei' },
  },
} as const satisfies Record<string, Option>

type Flag = keyof typeof SOURCE_FLAGS

const RECORD_FLAGS = ['map', 'time', 'time-format', 'time-zone', 'series', 'series-from', 'each'] as const

const FLAGS_OF: Readonly<Record<string, readonly Flag[]>> = {
  mqtt: [
    ...RECORD_FLAGS,
    'url',
    'topic',
    'topic-signal',
    'username',
    'password-stdin',
    'ca',
    'cert',
    'key',
    'qos',
    'client-id',
  ],
  files: [
    ...RECORD_FLAGS,
    'file',
    'folder',
    'pattern',
    'format',
    'separator',
    'decimal',
    'missing',
    'growing',
  ],
  bytes: ['file', 'media-type'],
}

export const KINDS = Object.keys(FLAGS_OF)

const isGiven = (call: Call, flag: Flag): boolean =>
  call.value(flag) !== undefined || call.flag(flag) || call.values(flag).length > 0

export const givenFlags = (call: Call): readonly Flag[] =>
  (Object.keys(SOURCE_FLAGS) as Flag[]).filter((flag) => isGiven(call, flag))

/** Only what was given; the connector knows the defaults and says what is missing. */
export function sourceConfig(call: Call, kind: string): Result<Record<string, unknown>> {
  const allowed = FLAGS_OF[kind] ?? []
  const stray = givenFlags(call).filter((flag) => !allowed.includes(flag))
  if (stray.length > 0) {
    const names = stray.map((flag) => `--${flag}`).join(', ')
    return problem(
      'InvalidInput',
      inLang(
        call,
        `A source of the kind ${kind} does not take ${names}.`,
        `Eine Quelle der Art ${kind} kennt ${names} nicht.`,
      ),
    )
  }
  const config = { mqtt, files, bytes }[kind as 'mqtt' | 'files' | 'bytes'](call)
  return config.ok
    ? ok(Object.fromEntries(Object.entries(config.value).filter(([, value]) => value !== undefined)))
    : config
}

type Config = Result<Record<string, unknown>>

const absolute = (call: Call, flag: Flag): string | undefined => {
  const value = call.value(flag)
  return value === undefined ? undefined : resolve(call.io.cwd, value)
}

function bytes(call: Call): Config {
  return ok({ file: absolute(call, 'file'), mediaType: call.value('media-type') })
}

function mqtt(call: Call): Config {
  const signals = mapped(call)
  if (!signals.ok) return signals
  const qos = call.value('qos')
  const topicSignal = call.value('topic-signal')
  const level = topicSignal?.split(':')[0]
  const path = topicSignal?.includes(':') ? topicSignal.slice(topicSignal.indexOf(':') + 1) : undefined
  return ok({
    url: call.value('url'),
    topics: call.values('topic'),
    qos: qos === undefined ? undefined : Number(qos),
    clientId: call.value('client-id'),
    username: call.value('username'),
    ca: absolute(call, 'ca'),
    cert: absolute(call, 'cert'),
    key: absolute(call, 'key'),
    mapping: {
      ...mapping(call, signals.value, 'arrival'),
      ...(level === undefined
        ? {}
        : { topicSignal: { level: Number(level), ...(path === undefined ? {} : { path }) } }),
    },
  })
}

function files(call: Call): Config {
  const signals = mapped(call)
  if (!signals.ok) return signals
  const name = call.value('file') ?? call.value('pattern') ?? ''
  const format = call.value('format') ?? (/\.(nd)?jsonl?$/i.test(name) ? 'ndjson' : 'csv')
  const place = {
    file: absolute(call, 'file'),
    folder: absolute(call, 'folder'),
    pattern: call.value('pattern'),
    growing: call.flag('growing') ? true : undefined,
    format,
  }
  if (format !== 'csv') return ok({ ...place, mapping: mapping(call, signals.value, undefined) })
  const series = call.value('series-from')
  const time = call.value('time')
  const missing = call.values('missing')
  return ok({
    ...place,
    separator: call.value('separator')?.replace('\\t', '\t'),
    decimal: call.value('decimal'),
    missing: missing.length === 0 ? undefined : missing,
    time: time === undefined ? undefined : { column: time, ...timeRule(call) },
    series: series === undefined ? call.value('series') : { column: series },
    signals: signals.value,
  })
}

function timeRule(call: Call): { readonly format: string; readonly timeZone?: string } {
  const timeZone = call.value('time-zone')
  const format = call.value('time-format') ?? (timeZone === undefined ? 'iso' : 'iso-local')
  return { format, ...(timeZone === undefined ? {} : { timeZone }) }
}

function mapping(
  call: Call,
  signals: Readonly<Record<string, string>>,
  withoutTime: 'arrival' | undefined,
): Record<string, unknown> {
  const time = call.value('time') ?? withoutTime
  const series = call.value('series-from')
  const all = {
    each: call.value('each'),
    time: time === undefined || time === 'arrival' ? time : { path: time, ...timeRule(call) },
    series: series === undefined ? call.value('series') : { path: series },
    signals,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** `signal=place`; the place may itself contain an equals sign. */
function mapped(call: Call): Result<Record<string, string>> {
  const signals: Record<string, string> = {}
  for (const entry of call.values('map')) {
    const at = entry.indexOf('=')
    const name = entry.slice(0, at)
    const place = entry.slice(at + 1)
    if (at < 1 || place === '' || Object.hasOwn(signals, name)) {
      return problem(
        'InvalidInput',
        inLang(
          call,
          `--map takes SIGNAL=PLACE, each signal once, such as --map temperature=machine.temp. Got: ${entry}`,
          `--map nimmt SIGNAL=STELLE, jedes Signal einmal, etwa --map temperature=machine.temp. Angegeben: ${entry}`,
        ),
      )
    }
    // A plain assignment would set the prototype for the name "__proto__".
    Object.defineProperty(signals, name, {
      value: place,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return ok(signals)
}
