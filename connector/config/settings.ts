/**
 * The one table of settings. The loader, the sample file, the help and `config print` all read it, so that
 * the documentation cannot drift from the code.
 */
import { isIP } from 'node:net'
import type { LogLevel } from '../core/log.js'
import type { Lang, ParticipantId, Text } from '../core/types.js'
import { parseDuration } from './duration.js'
import { parseSize } from './size.js'

export type Parsed<T> = { readonly value: T } | { readonly expected: Text; readonly fix?: Text }

export type Setting<T> = {
  readonly env: `HANDSCHLAG_${string}`
  readonly about: Text
  /** As written in the YAML file. */
  readonly example: string
  /** Used when nothing is set, written as in the YAML file. */
  readonly fallback?: string
  /** Why nothing may be set although there is no fixed fallback. Neither this nor a fallback: must be set. */
  readonly otherwise?: Text
  /** Never echoed, not even when it is wrong. */
  readonly secret?: true
  /** Takes a text from the environment, or a scalar or list of scalars from the file. */
  readonly parse: (raw: unknown) => Parsed<T>
}

const setting = <T>(s: Setting<T>): Setting<T> => s

const expected = (en: string, de: string): { readonly expected: Text } => ({ expected: { en, de } })

const text = (raw: unknown): string | undefined => (typeof raw === 'string' ? raw.trim() : undefined)

function parsePort(raw: unknown): Parsed<number> {
  if (typeof raw === 'string' && raw.startsWith('tcp://')) {
    return {
      ...expected('a port from 1 to 65535', 'ein Port von 1 bis 65535'),
      fix: {
        en: 'Kubernetes sets this variable for a service named "handschlag". Set enableServiceLinks: false in the pod.',
        de: 'Kubernetes setzt diese Variable für einen Service namens „handschlag“. Setzen Sie im Pod enableServiceLinks: false.',
      },
    }
  }
  const port = typeof raw === 'number' ? raw : /^\d+$/.test(text(raw) ?? '') ? Number(raw) : Number.NaN
  return Number.isInteger(port) && port > 0 && port < 65_536
    ? { value: port }
    : expected('a port from 1 to 65535', 'ein Port von 1 bis 65535')
}

const whole =
  (least: number, most: number) =>
  (raw: unknown): Parsed<number> => {
    const value = typeof raw === 'number' ? raw : /^\d{1,9}$/.test(text(raw) ?? '') ? Number(raw) : Number.NaN
    return Number.isInteger(value) && value >= least && value <= most
      ? { value }
      : expected(`a whole number from ${least} to ${most}`, `eine ganze Zahl von ${least} bis ${most}`)
  }

function parseHost(raw: unknown): Parsed<string> {
  const host = text(raw) ?? ''
  return isIP(host) > 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)
    ? { value: host }
    : expected('an IP address or a host name', 'eine IP-Adresse oder ein Rechnername')
}

function parsePath(raw: unknown): Parsed<string> {
  const path = text(raw) ?? ''
  return path !== '' && !path.includes('\0') ? { value: path } : expected('a path', 'ein Pfad')
}

/** Bounds keep a slip of the pen, such as P1000000D, from becoming a full disk. */
const duration =
  (leastMs: number, mostMs: number, range: Text) =>
  (raw: unknown): Parsed<number> => {
    const ms = parseDuration(text(raw) ?? '')
    return ms !== undefined && ms >= leastMs && ms <= mostMs
      ? { value: ms }
      : expected(`an ISO 8601 duration ${range.en}`, `eine ISO-8601-Dauer ${range.de}`)
  }

const oneOf =
  <T extends string>(choices: readonly T[]) =>
  (raw: unknown): Parsed<T> => {
    const found = choices.find((choice) => choice === text(raw))
    return found === undefined
      ? expected(`one of ${choices.join(', ')}`, `eines von ${choices.join(', ')}`)
      : { value: found }
  }

function parsePublicUrl(raw: unknown): Parsed<string> {
  const written = text(raw) ?? ''
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    return expected('an https:// address without user name', 'eine https://-Adresse ohne Benutzernamen')
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return {
      ...expected('an https:// address without a path', 'eine https://-Adresse ohne Pfad'),
      fix: {
        en: `Partners look for your identity at the root of the address. Use ${url.origin}, on a host name of its own if need be.`,
        de: `Partner suchen Ihre Identität an der Wurzel der Adresse. Nehmen Sie ${url.origin}, nötigenfalls unter einem eigenen Rechnernamen.`,
      },
    }
  }
  return { value: url.origin }
}

// did:web Method Specification, "Method-specific identifier": host, optional %3A port, colon-separated path.
const DID_WEB = /^did:web:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?:%3A\d{1,5})?(?::[A-Za-z0-9._~-]+)*$/i

const parseParticipantId = (raw: unknown): Parsed<ParticipantId> => {
  const did = text(raw) ?? ''
  return DID_WEB.test(did)
    ? { value: did as ParticipantId }
    : expected(
        'a did:web identifier (a port is written %3A8484)',
        'ein did:web-Bezeichner (ein Port wird als %3A8484 geschrieben)',
      )
}

function isHostOrNetwork(entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/')
  if (prefix === undefined) return 'value' in parseHost(address)
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits
}

/** `true`: all private addresses; a list: only these hosts and networks; `false`: none. */
export type PrivateAddresses = boolean | readonly string[]

function parsePrivateAddresses(raw: unknown): Parsed<PrivateAddresses> {
  if (raw === true || raw === 'true') return { value: true }
  if (raw === false || raw === 'false') return { value: false }
  const entries = typeof raw === 'string' ? raw.split(',').map((entry) => entry.trim()) : raw
  return Array.isArray(entries) && entries.every((entry): entry is string => isHostOrNetwork(String(entry)))
    ? { value: entries.map(String) }
    : expected(
        'false, true, or a list of hosts and networks such as [plc.local, 10.2.0.0/16]',
        'false, true oder eine Liste aus Rechnern und Netzen wie [plc.local, 10.2.0.0/16]',
      )
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[]
const LANGUAGES = ['en', 'de'] as const satisfies readonly Lang[]

export const SETTINGS = {
  name: setting({
    env: 'HANDSCHLAG_NAME',
    about: {
      en: 'Name of your company. Partners see it in your catalog.',
      de: 'Name Ihres Unternehmens. Partner sehen ihn in Ihrem Katalog.',
    },
    example: 'Example Machines GmbH',
    parse: (raw) => {
      const name = text(raw) ?? ''
      return name !== '' && name.length <= 200 && !/\p{Cc}/u.test(name)
        ? { value: name }
        : expected('a name of 1 to 200 characters', 'ein Name aus 1 bis 200 Zeichen')
    },
  }),
  publicUrl: setting({
    env: 'HANDSCHLAG_PUBLIC_URL',
    about: {
      en: 'HTTPS address at which partners reach this connector.',
      de: 'HTTPS-Adresse, unter der Partner diesen Connector erreichen.',
    },
    example: 'https://connector.example.com',
    parse: parsePublicUrl,
  }),
  participantId: setting({
    env: 'HANDSCHLAG_PARTICIPANT_ID',
    about: {
      en: 'Your did:web identity. It stands in every contract: never change it once you have partners.',
      de: 'Ihre did:web-Identität. Sie steht in jedem Vertrag: Ändern Sie sie nie, sobald Sie Partner haben.',
    },
    example: 'did:web:connector.example.com',
    otherwise: { en: 'made from publicUrl', de: 'aus publicUrl gebildet' },
    parse: parseParticipantId,
  }),
  host: setting({
    env: 'HANDSCHLAG_HOST',
    about: {
      en: 'Local address on which the port for partners listens.',
      de: 'Lokale Adresse, an der der Port für Partner lauscht.',
    },
    example: '0.0.0.0',
    fallback: '0.0.0.0',
    parse: parseHost,
  }),
  port: setting({
    env: 'HANDSCHLAG_PORT',
    about: {
      en: 'Local TCP port for partners: protocol (DSP) and data.',
      de: 'Lokaler TCP-Port für Partner: Protokoll (DSP) und Daten.',
    },
    example: '8484',
    fallback: '8484',
    parse: parsePort,
  }),
  managementHost: setting({
    env: 'HANDSCHLAG_MANAGEMENT_HOST',
    about: {
      en: 'Local address of the management API. Keep it away from partners.',
      de: 'Lokale Adresse der Verwaltungs-API. Partner sollen sie nicht erreichen.',
    },
    example: '127.0.0.1',
    fallback: '127.0.0.1',
    parse: parseHost,
  }),
  managementPort: setting({
    env: 'HANDSCHLAG_MANAGEMENT_PORT',
    about: {
      en: 'Local TCP port of the management API.',
      de: 'Lokaler TCP-Port der Verwaltungs-API.',
    },
    example: '8485',
    fallback: '8485',
    parse: parsePort,
  }),
  dataDir: setting({
    env: 'HANDSCHLAG_DATA_DIR',
    about: {
      en: 'Folder of the database, the keys and the recorded history. Only this program may read it.',
      de: 'Ordner für Datenbank, Schlüssel und aufgezeichnete Daten. Nur dieses Programm darf ihn lesen.',
    },
    example: '/var/lib/handschlag',
    fallback: './handschlag-data',
    parse: parsePath,
  }),
  tls: setting({
    env: 'HANDSCHLAG_TLS',
    about: {
      en: 'on: this program speaks HTTPS itself. off: a reverse proxy in front of it does.',
      de: 'on: Dieses Programm spricht selbst HTTPS. off: Ein Reverse-Proxy davor übernimmt das.',
    },
    example: 'on',
    fallback: 'on',
    parse: (raw) => oneOf(['on', 'off'])(raw === true ? 'on' : raw === false ? 'off' : raw),
  }),
  tlsCert: setting({
    env: 'HANDSCHLAG_TLS_CERT',
    about: {
      en: 'PEM file with the certificate of publicUrl, followed by its intermediate certificates.',
      de: 'PEM-Datei mit dem Zertifikat zu publicUrl, gefolgt von den Zwischenzertifikaten.',
    },
    example: '/etc/handschlag/tls/fullchain.pem',
    otherwise: { en: 'needed unless tls is off', de: 'nötig, außer tls steht auf off' },
    parse: parsePath,
  }),
  tlsKey: setting({
    env: 'HANDSCHLAG_TLS_KEY',
    about: {
      en: 'PEM file with the private key of that certificate.',
      de: 'PEM-Datei mit dem privaten Schlüssel zu diesem Zertifikat.',
    },
    example: '/etc/handschlag/tls/privkey.pem',
    otherwise: { en: 'needed unless tls is off', de: 'nötig, außer tls steht auf off' },
    parse: parsePath,
  }),
  tlsKeyPassphrase: setting({
    env: 'HANDSCHLAG_TLS_KEY_PASSPHRASE',
    about: {
      en: 'Passphrase of tlsKey, when that file is encrypted. Better set in the environment than here.',
      de: 'Passphrase zu tlsKey, falls die Datei verschlüsselt ist. Besser in der Umgebung setzen als hier.',
    },
    example: '(secret)',
    otherwise: { en: 'the key file is not encrypted', de: 'die Schlüsseldatei ist nicht verschlüsselt' },
    secret: true,
    parse: (raw) => (typeof raw === 'string' && raw !== '' ? { value: raw } : expected('a text', 'ein Text')),
  }),
  trustedCa: setting({
    env: 'HANDSCHLAG_TRUSTED_CA',
    about: {
      en: 'PEM file with further certificate authorities that partners may use, such as a company CA.',
      de: 'PEM-Datei mit weiteren Zertifizierungsstellen, die Partner verwenden dürfen, etwa einer Firmen-CA.',
    },
    example: '/etc/handschlag/tls/company-ca.pem',
    otherwise: { en: 'only the public authorities', de: 'nur die öffentlichen Stellen' },
    parse: parsePath,
  }),
  allowPrivateAddresses: setting({
    env: 'HANDSCHLAG_ALLOW_PRIVATE_ADDRESSES',
    about: {
      en: 'Partners inside your own networks: hosts and networks this connector may call although they are private.',
      de: 'Partner in eigenen Netzen: Rechner und Netze, die dieser Connector anrufen darf, obwohl sie privat sind.',
    },
    example: '[partner.plant.local, 10.2.0.0/16]',
    fallback: 'false',
    parse: parsePrivateAddresses,
  }),
  historyRetention: setting({
    env: 'HANDSCHLAG_HISTORY_RETENTION',
    about: {
      en: 'How long live records are kept, so that partners can ask for the past. PT0S keeps none.',
      de: 'Wie lange Live-Daten aufbewahrt werden, damit Partner zurückblicken können. PT0S bewahrt nichts auf.',
    },
    example: 'PT24H',
    fallback: 'PT24H',
    parse: duration(0, 3650 * 86_400_000, {
      en: 'up to ten years, such as PT24H or P7D',
      de: 'bis zehn Jahre, etwa PT24H oder P7D',
    }),
  }),
  receiveDir: setting({
    env: 'HANDSCHLAG_RECEIVE_DIR',
    about: {
      en: 'Folder for data that providers deliver to us (push). Nothing is written outside it.',
      de: 'Ordner für Daten, die uns Anbieter zustellen (Push). Außerhalb davon wird nichts geschrieben.',
    },
    example: '/var/lib/handschlag/received',
    otherwise: { en: 'received, in dataDir', de: 'received, in dataDir' },
    parse: parsePath,
  }),
  receiveLimit: setting({
    env: 'HANDSCHLAG_RECEIVE_LIMIT',
    about: {
      en: 'Largest single delivery (push) that is taken, as 500MB or 2GB.',
      de: 'Größte einzelne Zustellung (Push), die angenommen wird, etwa 500MB oder 2GB.',
    },
    example: '1GB',
    fallback: '1GB',
    parse: (raw) => {
      const bytes = parseSize(text(raw) ?? '')
      return bytes === undefined
        ? expected('a size such as 500MB or 2GB', 'eine Größe wie 500MB oder 2GB')
        : { value: bytes }
    },
  }),
  logLevel: setting({
    env: 'HANDSCHLAG_LOG_LEVEL',
    about: { en: 'How much is logged to stderr.', de: 'Wie viel auf stderr protokolliert wird.' },
    example: 'info',
    fallback: 'info',
    parse: oneOf(LOG_LEVELS),
  }),
  maxClockSkew: setting({
    env: 'HANDSCHLAG_MAX_CLOCK_SKEW',
    about: {
      en: "How far a partner's clock may differ from ours.",
      de: 'Wie weit die Uhr eines Partners von unserer abweichen darf.',
    },
    example: 'PT1M',
    fallback: 'PT1M',
    parse: duration(0, 5 * 60_000, {
      en: 'of at most PT5M, such as PT1M',
      de: 'von höchstens PT5M, etwa PT1M',
    }),
  }),
  maxConnections: setting({
    env: 'HANDSCHLAG_MAX_CONNECTIONS',
    about: {
      en: 'Open connections to the port for partners, all callers together. Further ones are closed at once.',
      de: 'Offene Verbindungen zum Port für Partner, alle Anrufer zusammen. Weitere werden sofort geschlossen.',
    },
    example: '2000',
    fallback: '2000',
    parse: whole(10, 100_000),
  }),
  maxConnectionsPerPartner: setting({
    env: 'HANDSCHLAG_MAX_CONNECTIONS_PER_PARTNER',
    about: {
      en: 'Open connections of one partner, messages and data together.',
      de: 'Offene Verbindungen eines Partners, Nachrichten und Daten zusammen.',
    },
    example: '256',
    fallback: '256',
    parse: whole(1, 100_000),
  }),
  maxRequestsPerSecond: setting({
    env: 'HANDSCHLAG_MAX_REQUESTS_PER_SECOND',
    about: {
      en: 'Protocol messages of one partner per second in the long run; twice as many at once.',
      de: 'Protokollnachrichten eines Partners je Sekunde auf Dauer; kurzzeitig doppelt so viele.',
    },
    example: '1000',
    fallback: '1000',
    parse: whole(1, 100_000),
  }),
  language: setting({
    env: 'HANDSCHLAG_LANGUAGE',
    about: { en: 'Language of messages for people.', de: 'Sprache der Meldungen für Menschen.' },
    example: 'en',
    otherwise: { en: 'from the environment (LANG)', de: 'aus der Umgebung (LANG)' },
    parse: oneOf(LANGUAGES),
  }),
} as const

/** The table as a list, for those who treat every setting alike. */
export const settingEntries: readonly (readonly [name: string, setting: Setting<unknown>])[] =
  Object.entries(SETTINGS)

export const settingNames: readonly string[] = Object.keys(SETTINGS)
