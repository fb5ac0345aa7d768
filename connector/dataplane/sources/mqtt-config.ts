/** The MQTT source as the operator describes it. The address carries no credentials, so that it can be shown. */
import { isAbsolute } from 'node:path'
import type { Result } from '../../core/result.js'
import type { Signal } from '../record.js'
import { type ConfigReader, readConfig } from './config-reader.js'
import type { Mapping } from './mapping.js'
import { readMapping } from './mapping-config.js'

export type MqttConfig = {
  /** mqtt:// or mqtts://, host and port only. */
  readonly url: string
  readonly protocolVersion: 'auto' | 5 | 4
  /** Topic filters, with + and #. */
  readonly topics: readonly string[]
  /** Absent: made from the connector's and the source's id, so that the broker finds the session again. */
  readonly clientId?: string
  readonly username?: string
  readonly password?: string
  /** Absolute paths of PEM files. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly qos: 0 | 1
  readonly mapping: Mapping
}

export const MQTT_SECRETS = ['password'] as const

function readUrl(reader: ConfigReader): string {
  const text = reader.requiredText('url')
  if (text === '') return text
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'mqtt:' && url.protocol !== 'mqtts:') || url.hostname === '') {
    reader.mistake('url must begin with mqtt:// or mqtts:// and name a host')
    return text
  }
  if (url.username !== '' || url.password !== '') {
    reader.mistake(
      'url must not contain a user or password: they have their own settings username and password',
    )
  }
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    reader.mistake('url must end after the host and port')
  }
  return `${url.protocol}//${url.host}`
}

/** MQTT 5.0, 4.7.1 "Topic wildcards": + fills a whole level, # is the last one. */
export function isTopicFilter(filter: string): boolean {
  const own = withoutShare(filter)
  if (own === '' || own.includes('\u0000') || Buffer.byteLength(own) > 65_535) return false
  const levels = own.split('/')
  return levels.every(
    (level, index) => !/[+#]/.test(level) || level === '+' || (level === '#' && index === levels.length - 1),
  )
}

/** MQTT 5.0, 4.8.2 "Shared Subscriptions": the filter stands behind the share name. */
const withoutShare = (filter: string): string => filter.replace(/^\$share\/[^/+#]+\//, '')

/** MQTT 5.0, 4.7.2: a filter that begins with a wildcard does not match topics that begin with $. */
export function matchesFilter(filter: string, topic: string): boolean {
  const wanted = withoutShare(filter).split('/')
  const levels = topic.split('/')
  if (topic.startsWith('$') && /^[+#]/.test(wanted[0] ?? '')) return false
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false
  }
  return wanted.length === levels.length
}

function readTopics(reader: ConfigReader): readonly string[] {
  const topics = reader.texts('topics')
  if (topics === undefined) {
    if (!reader.has('topics')) reader.mistake('topics is missing')
    return []
  }
  if (topics.length === 0) reader.mistake('topics must not be empty')
  topics.forEach((topic, index) => {
    if (!isTopicFilter(topic)) {
      reader.mistake(
        `topics[${index}] is not a topic filter: + stands for a whole level, # for all the last ones, as in plant/+/state`,
      )
    }
  })
  return topics
}

function readPem(
  reader: ConfigReader,
  key: 'ca' | 'cert' | 'key',
  secure: boolean,
): { [K in typeof key]?: string } {
  const path = reader.text(key)
  if (path === undefined) return {}
  if (!isAbsolute(path)) reader.mistake(`${key} must be the absolute path of a PEM file`)
  if (!secure) reader.mistake(`${key} needs an address that begins with mqtts://`)
  return { [key]: path }
}

export const parseMqttConfig = (json: unknown, signals?: readonly Signal[]): Result<MqttConfig> =>
  readConfig('The MQTT source', json, (reader) => {
    const url = readUrl(reader)
    const secure = url.startsWith('mqtts:') || url === ''
    const clientId = reader.text('clientId')
    const username = reader.text('username')
    const password = reader.text('password')
    if (password !== undefined && username === undefined) reader.mistake('password needs a username')
    const pem = {
      ...readPem(reader, 'ca', secure),
      ...readPem(reader, 'cert', secure),
      ...readPem(reader, 'key', secure),
    }
    if ((pem.cert === undefined) !== (pem.key === undefined)) reader.mistake('cert and key go together')
    if (reader.has('rejectUnauthorized') && reader.raw('rejectUnauthorized') !== true) {
      reader.mistake(
        'rejectUnauthorized cannot be switched off: name the certificate authority of the broker with ca',
      )
    }
    return {
      url,
      protocolVersion: reader.oneOf('protocolVersion', ['auto', 5, 4], 'auto'),
      topics: readTopics(reader),
      qos: reader.oneOf('qos', [0, 1], 1),
      ...(clientId === undefined ? {} : { clientId }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...pem,
      mapping: readMapping(reader, 'mapping', { topics: true, signals }),
    }
  })
